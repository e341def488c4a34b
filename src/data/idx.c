#include "data/idx.h"

#include "data/pages.h"

#include <string.h>

#define TYPE_BYTE 0x08
#define AGAIN "copy or download the file again"

static const char *kind_of(int rank)
{
    return rank == AN_IDX_IMAGES ? "images" : "labels";
}

static size_t header_size(int rank)
{
    return 4 + 4 * (size_t)rank;
}

/* ------------------------------------------------------------------------------- header */

/* The first four bytes as "89 50 4e 47". */
static void print_hex(char text[12], const uint8_t bytes[4])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 4; i++) {
        text[3 * i] = digits[bytes[i] >> 4];
        text[3 * i + 1] = digits[bytes[i] & 15];
        text[3 * i + 2] = i < 3 ? ' ' : '\0';
    }
}

/* The types of the format other than unsigned bytes; NULL for a byte that is no type. */
static const char *type_name(uint8_t type)
{
    switch (type) {
    case 0x09:
        return "signed bytes";
    case 0x0b:
        return "16-bit integers";
    case 0x0c:
        return "32-bit integers";
    case 0x0d:
        return "floats";
    case 0x0e:
        return "doubles";
    default:
        return NULL;
    }
}

/* A page of a web server, saved under the name of the file that was asked for. */
static bool looks_like_markup(const uint8_t head[4])
{
    size_t at = 0;
    while (at < 3 && (head[at] == ' ' || head[at] == '\r' || head[at] == '\n'))
        at++;
    return memcmp(head, "\xef\xbb\xbf<", 4) == 0 || head[at] == '<';
}

static bool fail_magic(const char *name, const uint8_t head[4], int rank, an_error *err)
{
    if (looks_like_markup(head)) {
        return an_error_set(err, AN_ERROR_DATA,
                            "%s holds a web page, expected an IDX file of %s; the download went "
                            "wrong: fetch the file itself",
                            name, kind_of(rank));
    }
    char found[12];
    print_hex(found, head);
    return an_error_set(err, AN_ERROR_DATA,
                        "%s begins with the bytes %s, expected 00 00 08 0%d (IDX, unsigned bytes, "
                        "rank %d); it is no IDX file of %s: check the path",
                        name, found, rank, rank, kind_of(rank));
}

static bool fail_type(const char *name, uint8_t type, an_error *err)
{
    return an_error_set(err, AN_ERROR_DATA,
                        "%s has the IDX type code %u (%s), expected 8 (unsigned bytes); convert "
                        "its values to bytes",
                        name, type, type_name(type));
}

static bool fail_rank(const char *name, int found, int rank, an_error *err)
{
    int other = rank == AN_IDX_IMAGES ? AN_IDX_LABELS : AN_IDX_IMAGES;
    if (found == other) {
        return an_error_set(err, AN_ERROR_DATA,
                            "%s is an IDX file of %s (rank %d), expected %s (rank %d); the paths "
                            "of images and labels look swapped",
                            name, kind_of(other), other, kind_of(rank), rank);
    }
    return an_error_set(err, AN_ERROR_DATA,
                        "%s is an IDX file of rank %d, expected rank %d (%s); check the path", name,
                        found, rank, kind_of(rank));
}

static bool check_magic(const char *name, const uint8_t head[4], int rank, an_error *err)
{
    if (head[0] != 0 || head[1] != 0)
        return fail_magic(name, head, rank, err);
    if (head[2] != TYPE_BYTE && type_name(head[2]) == NULL)
        return fail_magic(name, head, rank, err);
    if (head[2] != TYPE_BYTE)
        return fail_type(name, head[2], err);
    return head[3] == rank || fail_rank(name, head[3], rank, err);
}

/* All of `size` bytes of the header's `part`, or an error. */
static bool read_header(an_source *source, uint8_t *out, size_t size, int rank, an_error *err)
{
    size_t got = 0;
    if (!an__source_read(source, out, size, &got, err))
        return false;
    if (got == size)
        return true;
    if (source->taken == 0) {
        return an_error_set(err, AN_ERROR_DATA, "%s is empty, expected an IDX file of %s; " AGAIN,
                            source->name, kind_of(rank));
    }
    return an_error_set(err, AN_ERROR_DATA,
                        "%s ends inside its header, expected the %zu bytes with which an IDX file "
                        "of %s begins; " AGAIN,
                        source->name, header_size(rank), kind_of(rank));
}

static bool read_shape(an_source *source, int rank, an_shape *shape, an_error *err)
{
    uint8_t head[4 + 4 * AN_IDX_IMAGES];
    if (!read_header(source, head, 4, rank, err) || !check_magic(source->name, head, rank, err) ||
        !read_header(source, head + 4, 4 * (size_t)rank, rank, err))
        return false;
    *shape = (an_shape){.ndim = rank};
    for (int i = 0; i < rank; i++) {
        const uint8_t *b = head + 4 + 4 * i;
        shape->dim[i] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    }
    return true;
}

/* --------------------------------------------------------------------- what can be true */

static bool check_shape(const char *name, an_shape shape, an_error *err)
{
    for (int i = 0; i < shape.ndim; i++) {
        if (shape.dim[i] == 0) {
            return an_error_set(err, AN_ERROR_DATA,
                                "%s: dimension %d in its header is 0, expected at least 1; " AGAIN,
                                name, i + 1);
        }
    }
    char text[96];
    an_shape_print(text, sizeof text, shape);
    int64_t size = an_shape_size(shape);
    if (shape.dim[0] > INT32_MAX || size < 0 || (uint64_t)size > SIZE_MAX / 2) {
        return an_error_set(err, AN_ERROR_DATA,
                            "%s: the dimensions %s in its header are larger than any data set, "
                            "expected less than 2^31 samples and 2^60 bytes; " AGAIN,
                            name, text);
    }
    return true;
}

static bool fail_length(const char *name, an_shape shape, const char *relation, uint64_t found,
                        an_error *err)
{
    char text[96];
    an_shape_print(text, sizeof text, shape);
    uint64_t expected = header_size(shape.ndim) + (uint64_t)an_shape_size(shape);
    return an_error_set(
        err, AN_ERROR_DATA,
        "%s %s %llu bytes, expected %llu by the dimensions %s in its header; " AGAIN, name,
        relation, (unsigned long long)found, (unsigned long long)expected, text);
}

/* A plain file has the length that its header says; of a packed one the worst lies show. */
static bool check_length(const an_source *source, an_shape shape, an_error *err)
{
    uint64_t expected = header_size(shape.ndim) + (uint64_t)an_shape_size(shape);
    if (!source->gzip && source->stored != expected)
        return fail_length(source->name, shape, "has", source->stored, err);
    if (source->gzip && expected > an__source_most(source)) {
        return fail_length(source->name, shape, "can unpack to no more than",
                           an__source_most(source), err);
    }
    return true;
}

/* ------------------------------------------------------------------------------- values */

static bool grow(const an_source *source, an_idx *idx, size_t *capacity, size_t wanted,
                 an_error *err)
{
    const an_allocator *allocator = &source->allocator;
    void *moved = allocator->resize(allocator->user, idx->values, *capacity, wanted);
    if (moved == NULL) {
        return an_error_set(err, AN_ERROR_MEMORY, "no memory for the %zu bytes of %s", wanted,
                            source->name);
    }
    an__pages_prefer_large(moved, wanted);
    idx->values = moved;
    *capacity = wanted;
    return true;
}

/*
 * Plain values are read into memory of their size. Packed ones arrive in memory that begins at
 * eight times the file's length, more than most files need, and doubles while there are more:
 * what is allocated is in proportion to what is there. On failure `capacity` bytes are to be freed.
 */
static bool read_values(an_source *source, an_idx *idx, size_t *capacity, an_error *err)
{
    uint64_t first = 8 * source->stored + 65536;
    size_t wanted = source->gzip && first < idx->size ? (size_t)first : idx->size;
    size_t have = 0;
    for (;;) {
        size_t got = 0;
        if (!grow(source, idx, capacity, wanted, err) ||
            !an__source_read(source, idx->values + have, wanted - have, &got, err))
            return false;
        have += got;
        if (have < wanted) {
            return fail_length(source->name, idx->shape, source->gzip ? "unpacks to" : "has",
                               header_size(idx->shape.ndim) + have, err);
        }
        if (have == idx->size)
            return true;
        wanted = have < idx->size - have ? 2 * have : idx->size;
    }
}

/* Also brings gzip data to their end, where the checksum is. */
static bool check_end(an_source *source, const an_idx *idx, an_error *err)
{
    uint8_t more;
    size_t got = 0;
    if (!an__source_read(source, &more, 1, &got, err))
        return false;
    uint64_t expected = header_size(idx->shape.ndim) + idx->size;
    return got == 0 || fail_length(source->name, idx->shape, "goes on after", expected, err);
}

bool an__idx_read(an_source *source, int rank, an_idx *idx, an_error *err)
{
    size_t capacity = 0;
    *idx = (an_idx){0};
    if (!read_shape(source, rank, &idx->shape, err) ||
        !check_shape(source->name, idx->shape, err) || !check_length(source, idx->shape, err))
        return false;
    idx->size = (size_t)an_shape_size(idx->shape);
    if (read_values(source, idx, &capacity, err) && check_end(source, idx, err))
        return true;
    an_release(&source->allocator, idx->values, capacity, 1);
    *idx = (an_idx){0};
    return false;
}

void an__idx_free(const an_allocator *allocator, an_idx *idx)
{
    an_release(allocator, idx->values, idx->size, 1);
    *idx = (an_idx){0};
}
