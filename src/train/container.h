/*
 * The file of a checkpoint's state: named sections, each with its checksum. All numbers are little
 * endian; lengths count bytes.
 *
 *   +-----------------------------------------------------------------+
 *   | 8: "ANNEALck"   | 4: version 1    | 4: number of sections       |
 *   | 8: length of the file             | 4: CRC of the 24 before | 0 |
 *   +-----------------------------------------------------------------+
 *   | 8: length of bytes | 4: length of name | 4: CRC                 |   a section: the CRC is of
 *   | name, filled up with zeros to a multiple of 8                   |   both lengths, the name as
 *   | bytes, filled up with zeros to a multiple of 8                  |   it is and the bytes
 *   +-----------------------------------------------------------------+
 *   | ... more sections, up to the end of the file                    |
 *
 * A CRC is CRC-32C (file/crc32c.h).
 */
#ifndef AN_TRAIN_CONTAINER_H
#define AN_TRAIN_CONTAINER_H

#include <anneal/base.h>

#define AN__CONTAINER_VERSION 1

typedef struct an__section {
    const char *name;
    const void *bytes;
    size_t size;
} an__section;

/* Writes the sections durably to `path`. Errors: IO. */
bool an__container_write(const char *path, const an__section *sections, size_t count,
                         an_error *err);

/* A file that was read: everything lies in the arena that was given. */
typedef struct an__container {
    an__section *sections;
    size_t count;
} an__container;

/*
 * Reads and checks a whole file. Errors: IO, DATA (no such file, another version, cut off, a
 * checksum that does not fit, saying which section), MEMORY.
 */
bool an__container_read(const char *path, an_arena *arena, an__container *container, an_error *err);
/* The same from memory, of which sections are pieces; `name` stands for the file in errors. */
bool an__container_parse(const char *name, const unsigned char *bytes, size_t size, an_arena *arena,
                         an__container *container, an_error *err);

/* The section of that name, or NULL. */
const an__section *an__container_find(const an__container *container, const char *name);

/* Length and CRC of a whole file. Errors: IO. */
bool an__file_digest(const char *path, uint64_t *size, uint32_t *crc, an_error *err);

#endif
