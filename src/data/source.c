#include "data/source.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* --------------------------------------------------- zlib's memory, from our allocator */

/* zlib frees without saying how much: the size stands before the block, which stays aligned. */
typedef union block_head {
    size_t size;
    max_align_t align;
} block_head;

static voidpf zip_alloc(voidpf user, uInt count, uInt size)
{
    const an_allocator *allocator = user;
    size_t bytes = sizeof(block_head) + (size_t)count * size;
    block_head *head = allocator->resize(allocator->user, NULL, 0, bytes);
    if (head == NULL)
        return NULL;
    head->size = bytes;
    return head + 1;
}

static void zip_free(voidpf user, voidpf block)
{
    const an_allocator *allocator = user;
    block_head *head = (block_head *)block - 1;
    allocator->resize(allocator->user, head, head->size, 0);
}

/* ------------------------------------------------------------------------------ opening */

static bool fail_to_open(const char *path, int code, an_error *err)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return an_error_set(err, AN_ERROR_IO, "%s does not exist; check the path", path);
    case EACCES:
        return an_error_set(err, AN_ERROR_IO, "%s may not be read; check its permissions", path);
    default:
        return an_error_set(err, AN_ERROR_IO, "%s cannot be opened (system error %d)", path, code);
    }
}

static bool check_kind(const char *path, const struct stat *facts, an_error *err)
{
    if (S_ISDIR(facts->st_mode)) {
        return an_error_set(err, AN_ERROR_IO, "%s is a folder, expected a file; name a file in it",
                            path);
    }
    if (!S_ISREG(facts->st_mode)) {
        return an_error_set(err, AN_ERROR_IO,
                            "%s is a pipe or a device, expected a file; save its content first",
                            path);
    }
    return true;
}

/* Bytes as they are stored. Fewer than `size` only at the end, or with ferror(). */
static size_t take(an_source *source, void *out, size_t size)
{
    const uint64_t left = source->stored - source->taken;
    if ((source->file == NULL || source->is_member) && size > left)
        size = (size_t)left;
    size_t got = size;
    if (source->file != NULL)
        got = fread(out, 1, size, source->file);
    else if (size > 0)
        memcpy(out, source->memory + source->taken, size);
    source->taken += got;
    return got;
}

static bool check_read(const an_source *source, an_error *err)
{
    if (source->file == NULL || !ferror(source->file))
        return true;
    return an_error_set(err, AN_ERROR_IO, "%s cannot be read after byte %llu; check the disk",
                        source->name, (unsigned long long)source->taken);
}

/* `window` says what is before and after the packed bytes, as zlib wants to be told. */
static bool start_unpacking(an_source *source, int window, an_error *err)
{
    source->input = an_alloc(&source->allocator, AN_SOURCE_CHUNK, 1, err);
    if (source->input == NULL)
        return false;
    source->zip.zalloc = zip_alloc;
    source->zip.zfree = zip_free;
    source->zip.opaque = &source->allocator;
    if (inflateInit2(&source->zip, window) != Z_OK) {
        an_release(&source->allocator, source->input, AN_SOURCE_CHUNK, 1);
        source->input = NULL;
        an_error_set(err, AN_ERROR_MEMORY, "no memory to unpack %s", source->name);
        return false;
    }
    source->zip.next_in = source->input;
    source->packed = true;
    return true;
}

/* Looks at the first two bytes: 1f 8b begins a gzip file. */
static bool detect(an_source *source, an_error *err)
{
    uint8_t head[2];
    size_t length = take(source, head, sizeof head);
    if (!check_read(source, err))
        return false;
    if (length < 2 || head[0] != 0x1f || head[1] != 0x8b)
        return an__source_seek(source, 0, err);
    if (!start_unpacking(source, 16 + MAX_WBITS, err))
        return false;
    memcpy(source->input, head, length);
    source->zip.avail_in = (uInt)length;
    source->gzip = true;
    return true;
}

bool an__source_seek(an_source *source, uint64_t offset, an_error *err)
{
    source->taken = offset;
    return source->file == NULL || fseeko(source->file, (off_t)offset, SEEK_SET) == 0 ||
           fail_to_open(source->name, errno, err);
}

bool an__source_enter(an_source *source, const an_member *member, an_error *err)
{
    if (!an__source_seek(source, member->offset, err))
        return false;
    if (source->file == NULL)
        source->memory += member->offset;
    source->is_member = true;
    source->member = *member;
    source->stored = member->stored;
    source->taken = 0;
    return !member->deflated || start_unpacking(source, -MAX_WBITS, err);
}

bool an__source_plain(an_source *source, const an_allocator *allocator, const char *path,
                      an_error *err)
{
    struct stat facts;
    *source = (an_source){.name = path, .allocator = *allocator};
    if (stat(path, &facts) != 0)
        return fail_to_open(path, errno, err);
    if (!check_kind(path, &facts, err))
        return false;
    source->file = fopen(path, "rb");
    if (source->file == NULL)
        return fail_to_open(path, errno, err);
    source->stored = (uint64_t)facts.st_size;
    return true;
}

bool an__source_open(an_source *source, const an_allocator *allocator, const char *path,
                     an_error *err)
{
    if (!an__source_plain(source, allocator, path, err))
        return false;
    if (!detect(source, err)) {
        an__source_close(source);
        return false;
    }
    return true;
}

bool an__source_memory(an_source *source, const an_allocator *allocator, const char *name,
                       const void *bytes, size_t length, an_error *err)
{
    *source = (an_source){.name = name, .allocator = *allocator, .memory = bytes, .stored = length};
    return detect(source, err);
}

void an__source_close(an_source *source)
{
    if (source->packed) {
        inflateEnd(&source->zip);
        an_release(&source->allocator, source->input, AN_SOURCE_CHUNK, 1);
    }
    if (source->file != NULL)
        fclose(source->file);
    *source = (an_source){0};
}

/* ------------------------------------------------------------------------------ reading */

static const char *packing(const an_source *source)
{
    return source->gzip ? "gzip" : "zip";
}

static bool fail_to_unpack(const an_source *source, int code, an_error *err)
{
    if (code == Z_MEM_ERROR)
        return an_error_set(err, AN_ERROR_MEMORY, "no memory to unpack %s", source->name);
    return an_error_set(
        err, AN_ERROR_DATA, "%s: its %s data are damaged (%s); copy or download the file again",
        source->name, packing(source), source->zip.msg != NULL ? source->zip.msg : "unknown error");
}

/* Makes sure that there is packed input. *more is false at the end of the file. */
static bool refill(an_source *source, bool *more, an_error *err)
{
    if (source->zip.avail_in == 0) {
        size_t got = take(source, source->input, AN_SOURCE_CHUNK);
        if (!check_read(source, err))
            return false;
        source->zip.next_in = source->input;
        source->zip.avail_in = (uInt)got;
    }
    *more = source->zip.avail_in > 0;
    return true;
}

/* A gzip file may hold several members, one after the other: their contents are joined. */
static bool next_member(an_source *source, an_error *err)
{
    int code = inflateReset(&source->zip);
    source->ended = false;
    return code == Z_OK || fail_to_unpack(source, code, err);
}

/* One round of unpacking; *end at the end of the last member. */
static bool unpack_some(an_source *source, bool *end, an_error *err)
{
    bool more;
    if (!refill(source, &more, err))
        return false;
    if (source->ended && !(more && source->gzip)) {
        *end = true;
        return true;
    }
    if (source->ended)
        return next_member(source, err);
    int code = inflate(&source->zip, Z_NO_FLUSH);
    source->ended = code == Z_STREAM_END;
    if (code == Z_BUF_ERROR && !more)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s ends in the middle of its %s data, after %llu bytes; copy or "
                            "download the file again",
                            source->name, packing(source), (unsigned long long)source->taken);
    return code == Z_OK || code == Z_STREAM_END || fail_to_unpack(source, code, err);
}

static bool read_packed(an_source *source, uint8_t *out, size_t size, size_t *got, an_error *err)
{
    const size_t most = (size_t)1 << 30; /* zlib counts in 32 bits */
    bool end = false;
    *got = 0;
    while (*got < size && !end) {
        size_t part = size - *got < most ? size - *got : most;
        source->zip.next_out = out + *got;
        source->zip.avail_out = (uInt)part;
        if (!unpack_some(source, &end, err))
            return false;
        *got += part - source->zip.avail_out;
    }
    return true;
}

/* At the end of a member all of its bytes have been seen. */
static bool check_member(an_source *source, const void *bytes, size_t got, bool end, an_error *err)
{
    if (!source->is_member)
        return true;
    source->checksum = (uint32_t)crc32_z(source->checksum, bytes, got);
    return !end || source->checksum == source->member.checksum ||
           an_error_set(err, AN_ERROR_DATA,
                        "%s is damaged: its checksum is %08x, expected %08x; copy or download the "
                        "file again",
                        source->name, (unsigned)source->checksum,
                        (unsigned)source->member.checksum);
}

bool an__source_read(an_source *source, void *out, size_t size, size_t *got, an_error *err)
{
    if (source->packed) {
        if (!read_packed(source, out, size, got, err))
            return false;
    } else {
        *got = take(source, out, size);
        if (!check_read(source, err))
            return false;
    }
    return check_member(source, out, *got, *got < size, err);
}

uint64_t an__source_most(const an_source *source)
{
    if (!source->packed)
        return source->stored;
    const uint64_t most =
        source->stored > UINT64_MAX / AN_SOURCE_MOST ? UINT64_MAX : source->stored * AN_SOURCE_MOST;
    return source->gzip || source->member.length > most ? most : source->member.length;
}

bool an__content_read(const an_allocator *allocator, const char *path, an_content *c, an_error *err)
{
    an_source source;
    if (!an__source_open(&source, allocator, path, err))
        return false;
    bool ok = true, more = true;
    while (ok && more) {
        if (c->length == c->room) {
            const size_t new = c->room ? 2 * c->room : 1 << 16;
            unsigned char *bytes = allocator->resize(allocator->user, c->bytes, c->room, new);
            ok = bytes || an_error_set(err, AN_ERROR_MEMORY, "%s: memory ran out", path);
            c->bytes = bytes ? bytes : c->bytes;
            c->room = bytes ? new : c->room;
        }
        size_t got = 0;
        ok = ok && an__source_read(&source, c->bytes + c->length, c->room - c->length, &got, err);
        more = got > 0;
        c->length += got;
    }
    an__source_close(&source);
    return ok;
}
