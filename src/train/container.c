#include "train/container.h"

#include "file/crc32c.h"
#include "file/durable.h"
#include "file/io_error.h"
#include "file/little_endian.h"
#include "file/regular.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEAD_SIZE 32
#define SECTION_HEAD 16
#define MAGIC "ANNEALck"
/* More sections than any run has; names are paths of callbacks and states. */
#define MOST_SECTIONS 10000
#define MOST_NAME 255

static size_t padding(size_t size)
{
    return (8 - size % 8) % 8;
}

/* ------------------------------------------------------------------ writing */

static uint64_t whole_size(const an__section *sections, size_t count)
{
    uint64_t size = HEAD_SIZE;
    for (size_t i = 0; i < count; i++) {
        size_t name = strlen(sections[i].name), bytes = sections[i].size;
        size += SECTION_HEAD + name + padding(name) + bytes + padding(bytes);
    }
    return size;
}

static void write_padded(an_durable *file, const void *bytes, size_t size)
{
    static const unsigned char zeros[8] = {0};
    an__durable_write(file, bytes, size);
    an__durable_write(file, zeros, padding(size));
}

static void write_section(an_durable *file, const an__section *section)
{
    unsigned char head[SECTION_HEAD];
    size_t length = strlen(section->name);
    an__put_64(head, section->size);
    an__put_32(head + 8, (uint32_t)length);
    uint32_t crc = an__crc32c(0, head, 12);
    crc = an__crc32c(crc, section->name, length);
    an__put_32(head + 12, an__crc32c(crc, section->bytes, section->size));
    an__durable_write(file, head, sizeof head);
    write_padded(file, section->name, length);
    write_padded(file, section->bytes, section->size);
}

bool an__container_write(const char *path, const an__section *sections, size_t count, an_error *err)
{
    an_durable file;
    unsigned char head[HEAD_SIZE] = MAGIC;
    if (!an__durable_open(&file, path, err))
        return false;
    an__put_32(head + 8, AN__CONTAINER_VERSION);
    an__put_32(head + 12, (uint32_t)count);
    an__put_64(head + 16, whole_size(sections, count));
    an__put_32(head + 24, an__crc32c(0, head, 24));
    an__durable_write(&file, head, sizeof head);
    for (size_t i = 0; i < count; i++)
        write_section(&file, &sections[i]);
    return an__durable_finish(&file, err);
}

/* ------------------------------------------------------------------ reading */

static bool damaged(const char *name, const char *what, an_error *err)
{
    return an_error_set(err, AN_ERROR_DATA, "%s is damaged: %s", name, what);
}

static bool check_head(const char *name, const unsigned char *bytes, size_t size, size_t *count,
                       an_error *err)
{
    if (size < HEAD_SIZE || memcmp(bytes, MAGIC, 8) != 0)
        return an_error_set(err, AN_ERROR_DATA, "%s is not the state of a checkpoint", name);
    if (an__crc32c(0, bytes, 24) != an__get_32(bytes + 24) || an__get_32(bytes + 28) != 0)
        return damaged(name, "the checksum of its first bytes does not fit", err);
    if (an__get_32(bytes + 8) != AN__CONTAINER_VERSION)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s has version %u of the format, but this program reads %d; take "
                            "the program that wrote it",
                            name, (unsigned)an__get_32(bytes + 8), AN__CONTAINER_VERSION);
    *count = (size_t)an__get_32(bytes + 12);
    if (an__get_64(bytes + 16) != size)
        return damaged(name, "it is cut off, or something follows its end", err);
    return *count <= MOST_SECTIONS || damaged(name, "it has too many sections", err);
}

/* Zeros up to a multiple of 8: a byte that no checksum covers must not hold anything. */
static bool is_padded(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < padding(size); i++)
        if (bytes[size + i] != 0)
            return false;
    return true;
}

/* Reads the section at `*at` and moves on; false where it does not fit into the file. */
static bool parse_section(const unsigned char *bytes, size_t size, size_t *at, an_arena *arena,
                          an__section *out, uint32_t *wrong)
{
    const unsigned char *head = bytes + *at;
    size_t left = size - *at;
    if (left < SECTION_HEAD)
        return false;
    uint64_t length = an__get_64(head), name = an__get_32(head + 8);
    left -= SECTION_HEAD;
    if (name == 0 || name > MOST_NAME || name + padding((size_t)name) > left)
        return false;
    left -= (size_t)name + padding((size_t)name);
    if (length > left || (size_t)length + padding((size_t)length) > left)
        return false;
    const unsigned char *text = head + SECTION_HEAD, *data = text + name + padding((size_t)name);
    uint32_t crc = an__crc32c(an__crc32c(0, head, 12), text, (size_t)name);
    *wrong = an__crc32c(crc, data, (size_t)length) ^ (uint32_t)an__get_32(head + 12);
    *wrong |= !is_padded(text, (size_t)name) || !is_padded(data, (size_t)length) ||
              memchr(text, 0, (size_t)name);
    *out =
        (an__section){an_arena_text(arena, (const char *)text, (size_t)name), data, (size_t)length};
    *at = (size_t)(data - bytes) + (size_t)length + padding((size_t)length);
    return true;
}

bool an__container_parse(const char *name, const unsigned char *bytes, size_t size, an_arena *arena,
                         an__container *container, an_error *err)
{
    size_t count = 0, at = HEAD_SIZE;
    *container = (an__container){0};
    if (!check_head(name, bytes, size, &count, err))
        return false;
    container->sections = an_arena_alloc(arena, (count + 1) * sizeof *container->sections);
    if (!container->sections)
        return an_error_set(err, AN_ERROR_MEMORY, "%s: no memory to read it", name);
    for (size_t i = 0; i < count; i++) {
        an__section section;
        uint32_t wrong = 0;
        if (!parse_section(bytes, size, &at, arena, &section, &wrong))
            return damaged(name, "a section does not fit into the file", err);
        if (!section.name)
            return an_error_set(err, AN_ERROR_MEMORY, "%s: no memory to read it", name);
        if (wrong)
            return damaged(name, "the checksum of a section does not fit", err);
        if (an__container_find(container, section.name))
            return damaged(name, "a section is there twice", err);
        container->sections[container->count++] = section;
    }
    return at == size || damaged(name, "something follows its sections", err);
}

const an__section *an__container_find(const an__container *container, const char *name)
{
    for (size_t i = 0; i < container->count; i++)
        if (strcmp(container->sections[i].name, name) == 0)
            return &container->sections[i];
    return NULL;
}

/* ------------------------------------------------------------------ files */

bool an__container_read(const char *path, an_arena *arena, an__container *container, an_error *err)
{
    uint64_t size = 0;
    FILE *file = an__regular_open("read", path, &size, err);
    if (!file)
        return false;
    unsigned char *bytes = size < SIZE_MAX / 2 ? an_arena_alloc(arena, (size_t)size + 1) : NULL;
    bool ok = bytes != NULL;
    if (!ok)
        an_error_set(err, AN_ERROR_MEMORY, "%s: no memory for its %llu bytes", path,
                     (unsigned long long)size);
    if (ok && fread(bytes, 1, (size_t)size, file) != size)
        ok = an__io_error("read", path, ferror(file) ? errno : EIO, err);
    fclose(file);
    return ok && an__container_parse(path, bytes, (size_t)size, arena, container, err);
}

bool an__file_digest(const char *path, uint64_t *size, uint32_t *crc, an_error *err)
{
    unsigned char buffer[16384];
    size_t got;
    FILE *file = an__regular_open("read", path, NULL, err);
    if (!file)
        return false;
    *size = 0;
    *crc = 0;
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) {
        *crc = an__crc32c(*crc, buffer, got);
        *size += got;
    }
    bool ok = !ferror(file) || an__io_error("read", path, errno, err);
    fclose(file);
    return ok;
}
