/*
 * libFuzzer: any bytes as an IDX file of images and as one of labels, plain or gzip. The parser may
 * refuse; it may not crash, leak, or take memory out of proportion to its input.
 */
#include "data/idx.h"

#include <stdlib.h>

/*
 * A byte of gzip gives at most 1032 others, and memory at most doubles beyond what has arrived.
 * The constant is for zlib's own state.
 */
#define MEMORY_PER_BYTE 2100
#define MEMORY_AT_LEAST 400000

typedef struct budget {
    size_t live, most;
} budget;

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    budget *b = user;
    b->live = b->live - (block != NULL ? old_size : 0) + new_size;
    if (b->live > b->most) {
        abort();
    }
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

static void parse(const uint8_t *data, size_t size, int rank)
{
    budget b = {.most = MEMORY_AT_LEAST + MEMORY_PER_BYTE * size};
    an_allocator allocator = {.resize = resize, .user = &b};
    an_error err = {0};
    an_source source;
    an_idx idx;
    if (!an__source_memory(&source, &allocator, "input", data, size, &err)) {
        abort(); /* there is memory, and nothing else can fail here */
    }
    bool read = an__idx_read(&source, rank, &idx, &err);
    if (read == (err.code != AN_ERROR_OK) || read != (idx.values != NULL)) {
        abort();
    }
    an__source_close(&source);
    an__idx_free(&allocator, &idx);
    if (b.live != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size, AN_IDX_IMAGES);
    parse(data, size, AN_IDX_LABELS);
    return 0;
}
