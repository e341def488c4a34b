/*
 * A source of bytes: a file or a piece of memory, plain or gzip, or a member of a zip archive. What
 * is packed is unpacked on the way, straight into the reader's buffer, and its checksum is
 * verified.
 */
#ifndef AN_DATA_SOURCE_H
#define AN_DATA_SOURCE_H

#include <anneal/base.h>

#include <stdio.h>
#include <zlib.h>

#define AN_SOURCE_CHUNK 32768

/* The most bytes that a packed one gives: deflate's longest match, 258 of them, in 2 bits. */
#define AN_SOURCE_MOST 1032

/* A member of a zip archive: where its bytes stand, how long they are packed and unpacked. */
typedef struct an_member {
    uint64_t offset, stored, length;
    uint32_t checksum; /* CRC-32 of what is unpacked */
    bool deflated;
} an_member;

/*
 * `name` is what errors call it. `stored` is the length of the file or member itself, packed or
 * not, and `taken` how much of it has been read. `input` holds the piece that is being unpacked.
 */
typedef struct an_source {
    const char *name;
    an_allocator allocator;
    FILE *file;
    const uint8_t *memory;
    uint64_t stored, taken;
    bool packed, gzip, ended; /* gzip: of members, each of which ends */
    bool is_member;
    an_member member;
    uint32_t checksum; /* of the member, as far as it has been read */
    z_stream zip;
    uint8_t *input;
} an_source;

/* Both decide by content, the first two bytes, whether the source is gzip. Close what was opened.
 */
bool an__source_open(an_source *source, const an_allocator *allocator, const char *path,
                     an_error *err);
bool an__source_memory(an_source *source, const an_allocator *allocator, const char *name,
                       const void *bytes, size_t length, an_error *err);

/* The same of a file, whose bytes are taken as they are. */
bool an__source_plain(an_source *source, const an_allocator *allocator, const char *path,
                      an_error *err);

/* Of a plain source: goes to a place in it; makes the source one of a member that lies in it. */
bool an__source_seek(an_source *source, uint64_t offset, an_error *err);
bool an__source_enter(an_source *source, const an_member *member, an_error *err);

/* The most bytes that it can give, which are all where it is not packed. */
uint64_t an__source_most(const an_source *source);

/*
 * Reads and unpacks up to `size` bytes into `out`. *got is less than `size` only at the end. False
 * when the file cannot be read or what is packed is damaged or cut off.
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
