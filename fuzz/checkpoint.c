/*
 * States of checkpoints: any bytes as a file of sections, as they are and with every checksum made
 * to fit, so that what lies behind the checksums is reached too; and as the numbers of a run and
 * the states of the callbacks that the library brings.
 */
#include "file/crc32c.h"
#include "train/state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD 32
#define SECTION_HEAD 16

static void put(uint8_t *out, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count; i-- > 0;)
        value = value << 8 | bytes[i];
    return value;
}

/* Writes the checksums that fit, as far as the sections fit into the file. */
static void make_fit(uint8_t *bytes, size_t size)
{
    if (size < HEAD)
        return;
    memcpy(bytes, "ANNEALck\1\0\0", 12);
    put(bytes + 16, size, 8);
    put(bytes + 24, an__crc32c(0, bytes, 24), 4);
    memset(bytes + 28, 0, 4);
    for (size_t at = HEAD; size - at >= SECTION_HEAD;) {
        uint64_t length = get(bytes + at, 8), name = get(bytes + at + 8, 4), left = size - at;
        uint64_t padded = (name + 7) / 8 * 8;
        if (left < SECTION_HEAD + padded || length > left - SECTION_HEAD - padded)
            return;
        const uint8_t *text = bytes + at + SECTION_HEAD;
        uint32_t crc = an__crc32c(0, bytes + at, 12);
        crc = an__crc32c(crc, text, (size_t)name);
        put(bytes + at + 12, an__crc32c(crc, text + padded, (size_t)length), 4);
        uint64_t whole = SECTION_HEAD + padded + (length + 7) / 8 * 8;
        if (whole > left)
            return;
        at += (size_t)whole;
    }
}

static void parse(const uint8_t *bytes, size_t size)
{
    an_arena arena;
    an__container container;
    an__state state;
    an_error err = {0};
    an_arena_init(&arena, an_allocator_default());
    if (!an__container_parse("fuzz.state", bytes, size, &arena, &container, &err)) {
        if (err.code == AN_ERROR_OK || err.message[0] == '\0')
            abort();
    } else {
        for (size_t i = 0; i < container.count; i++) {
            const an__section *s = &container.sections[i];
            if (an__container_find(&container, s->name) != s)
                abort();
            (void)an__state_decode(&state, s->bytes, s->size);
        }
    }
    an_arena_free(&arena);
}

/* A state that is accepted is written again to the same bytes. */
static void decode(const uint8_t *bytes, size_t size)
{
    an__state state;
    unsigned char again[AN__STATE_SIZE];
    if (an__state_decode(&state, bytes, size) &&
        (an__state_encode(&state, again) != size || memcmp(again, bytes, size) != 0))
        abort();
}

static void load(const uint8_t *bytes, size_t size)
{
    an_checkpointer checkpointer = an_checkpointer_defaults();
    an_guard guard = an_guard_defaults();
    const an_callback callbacks[] = {an_checkpointer_callback(&checkpointer),
                                     an_guard_callback(&guard)};
    const an_record record = {0};
    for (size_t i = 0; i < 2; i++)
        (void)callbacks[i].load_state(callbacks[i].user, &record, bytes, size, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    parse(copy, size);
    decode(copy, size);
    load(copy, size);
    make_fit(copy, size);
    parse(copy, size);
    free(copy);
    return 0;
}
