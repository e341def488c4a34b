/*
 * A source of bytes: a file or a piece of memory, plain or gzip. What is inside a gzip file is
 * unpacked on the way, straight into the reader's buffer, and its checksum is verified.
 */
#ifndef AN_DATA_SOURCE_H
#define AN_DATA_SOURCE_H

#include <anneal/base.h>

#include <stdio.h>
#include <zlib.h>

#define AN_SOURCE_CHUNK 32768

/*
 * `name` is what errors call it. `stored` is the length of the file itself, packed or not, and
 * `taken` how much of it has been read. `input` holds the piece of a gzip file being unpacked.
 */
typedef struct an_source {
    const char *name;
    an_allocator allocator;
    FILE *file;
    const uint8_t *memory;
    uint64_t stored, taken;
    bool gzip, member_done;
    z_stream zip;
    uint8_t *input;
} an_source;

/* Both decide by content, the first two bytes, whether the source is gzip. Close what was opened.
 */
bool an__source_open(an_source *source, const an_allocator *allocator, const char *path,
                     an_error *err);
bool an__source_memory(an_source *source, const an_allocator *allocator, const char *name,
                       const void *bytes, size_t length, an_error *err);

/*
 * Reads and unpacks up to `size` bytes into `out`. *got is less than `size` only at the end. False
 * when the file cannot be read or its gzip data are damaged or cut off.
 */
bool an__source_read(an_source *source, void *out, size_t size, size_t *got, an_error *err);

void an__source_close(an_source *source);

/* The whole content of a file, unpacked, whose memory is `room` bytes long: to be released. */
typedef struct an_content {
    unsigned char *bytes;
    size_t length, room;
} an_content;

/* `content` is empty before; it is to be released also when this fails. */
bool an__content_read(const an_allocator *allocator, const char *path, an_content *content,
                      an_error *err);

#endif
