/*
 * Zip archives (PKWARE, APPNOTE.TXT 6.3), as NumPy writes them: members that are stored or
 * deflated, found through the directory at the archive's end.
 *
 *   +--------+------+-----+--------+------+-----+-----------+--------------+
 *   | header | name | ... | bytes  | header ...  | directory | end (22, +) |
 *   +--------+------+-----+--------+------+-----+-----------+--------------+
 *     the end says where the directory stands, an entry of the directory where its member's header;
 *     numbers are little-endian; one that does not fit is all ones, and stands in a 64-bit record
 */
#include "data/zip.h"

#include <string.h>

#define END_SIZE 22
#define END64_SIZE 56
#define LOCATOR_SIZE 20
#define ENTRY_SIZE 46
#define HEADER_SIZE 30
/* What may stand after the end: a comment, whose length has 16 bits. */
#define TAIL_MOST (END_SIZE + 65535)

#define END_MARK 0x06054b50u
#define END64_MARK 0x06064b50u
#define LOCATOR_MARK 0x07064b50u
#define ENTRY_MARK 0x02014b50u
#define HEADER_MARK 0x04034b50u

#define STORED 0
#define DEFLATED 8

/* The directory, read whole. */
typedef struct directory {
    uint64_t offset, length;
    uint8_t *bytes;
} directory;

static uint64_t number(const uint8_t *at, int size)
{
    uint64_t value = 0;
    for (int i = size; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static bool fail_damaged(const an_source *source, const char *what, an_error *err)
{
    an_error_set(err, AN_ERROR_DATA,
                 "%s is no zip archive, or a damaged one: %s; copy or download the file again",
                 source->name, what);
    return false;
}

/* Exactly `size` bytes from `offset` on. */
static bool read_at(an_source *source, uint64_t offset, uint8_t *out, size_t size, an_error *err)
{
    size_t got = 0;
    if (offset > source->stored || size > source->stored - offset)
        return fail_damaged(source, "it ends too early", err);
    return an__source_seek(source, offset, err) && an__source_read(source, out, size, &got, err) &&
           (got == size || fail_damaged(source, "it ends too early", err));
}

/* ---------------------------------------------------------------- the directory */

/* Where the numbers of the end do not fit, another end before it has them in 64 bits. */
static bool read_end64(an_source *source, uint64_t end, directory *d, an_error *err)
{
    uint8_t bytes[END64_SIZE];
    if (end < LOCATOR_SIZE)
        return fail_damaged(source, "its 64-bit end is missing", err);
    if (!read_at(source, end - LOCATOR_SIZE, bytes, LOCATOR_SIZE, err))
        return false;
    if (number(bytes, 4) != LOCATOR_MARK)
        return fail_damaged(source, "its 64-bit end is missing", err);
    if (!read_at(source, number(bytes + 8, 8), bytes, END64_SIZE, err))
        return false;
    if (number(bytes, 4) != END64_MARK)
        return fail_damaged(source, "its 64-bit end is missing", err);
    d->length = number(bytes + 40, 8);
    d->offset = number(bytes + 48, 8);
    return true;
}

/* The last place in the archive's tail where an end stands whose comment goes to the very end. */
static bool find_end(an_source *source, const uint8_t *tail, size_t size, directory *d,
                     an_error *err)
{
    for (size_t at = size - END_SIZE + 1; at-- > 0;) {
        const uint8_t *end = tail + at;
        if (number(end, 4) != END_MARK || number(end + 20, 2) != size - at - END_SIZE)
            continue;
        d->length = number(end + 12, 4);
        d->offset = number(end + 16, 4);
        return (d->length != UINT32_MAX && d->offset != UINT32_MAX) ||
               read_end64(source, source->stored - size + at, d, err);
    }
    return fail_damaged(source, "it has no directory at its end", err);
}

static bool read_directory(an_source *source, directory *d, an_error *err)
{
    const size_t size = source->stored < TAIL_MOST ? (size_t)source->stored : TAIL_MOST;
    if (size < END_SIZE)
        return fail_damaged(source, "it is too short", err);
    uint8_t *tail = an_alloc(&source->allocator, size, 1, err);
    if (!tail)
        return false;
    const bool found = read_at(source, source->stored - size, tail, size, err) &&
                       find_end(source, tail, size, d, err);
    an_release(&source->allocator, tail, size, 1);
    if (!found)
        return false;
    if (d->offset > source->stored || d->length > source->stored - d->offset || d->length == 0)
        return fail_damaged(source, "its directory lies outside, or is empty", err);
    d->bytes = an_alloc(&source->allocator, (size_t)d->length, 1, err);
    return d->bytes && read_at(source, d->offset, d->bytes, (size_t)d->length, err);
}

/* -------------------------------------------------------------------- its entries */

/* Its three lengths: of the name, of what is extra, of the comment. */
static size_t entry_size(const uint8_t *entry)
{
    return ENTRY_SIZE +
           (size_t)(number(entry + 28, 2) + number(entry + 30, 2) + number(entry + 32, 2));
}

/* The entry at `*at`, which goes on to the next one; NULL at the end or where there is none. */
static const uint8_t *next_entry(const directory *d, size_t *at)
{
    const size_t left = (size_t)d->length - *at;
    const uint8_t *entry = d->bytes + *at;
    if (left < ENTRY_SIZE || number(entry, 4) != ENTRY_MARK || entry_size(entry) > left)
        return NULL;
    *at += entry_size(entry);
    return entry;
}

static size_t name_length(const uint8_t *entry)
{
    return (size_t)number(entry + 28, 2);
}

static bool is_called(const uint8_t *entry, const char *name)
{
    const size_t length = strlen(name), there = name_length(entry);
    const char *text = (const char *)entry + ENTRY_SIZE;
    return there >= length && memcmp(text, name, length) == 0 &&
           (there == length || (there == length + 4 && memcmp(text + length, ".npy", 4) == 0));
}

/* The error that a member is missing, with the names of those that are there. */
static bool fail_missing(const an_source *source, const directory *d, const char *name,
                         an_error *err)
{
    char list[128] = "";
    size_t used = 0, at = 0;
    const uint8_t *entry;
    while ((entry = next_entry(d, &at)) && used < sizeof list - 48) {
        size_t length = name_length(entry);
        const char *text = (const char *)entry + ENTRY_SIZE;
        if (length > 4 && memcmp(text + length - 4, ".npy", 4) == 0)
            length -= 4;
        used += an_format(list + used, sizeof list - used, "%s'%.*s'", used ? ", " : "",
                          (int)(length < 32 ? length : 32), text);
    }
    return an_error_set(err, AN_ERROR_DATA, "%s holds no array '%.64s'; it holds %s%s",
                        source->name, name, used ? list : "nothing", entry ? ", ..." : "");
}

/*
 * Takes 64-bit numbers for those of the member that do not fit, from the record with number 1: as
 * many as there are needed, one after the other.
 */
static bool take_large(const uint8_t *extra, size_t size, an_member *m)
{
    uint64_t *const wanted[] = {&m->length, &m->stored, &m->offset};
    size_t at = 0;
    while (size - at >= 4 && number(extra + at, 2) != 1) {
        const size_t step = 4 + (size_t)number(extra + at + 2, 2);
        if (step > size - at)
            return false;
        at += step;
    }
    if (size - at < 4)
        return m->length != UINT32_MAX && m->stored != UINT32_MAX && m->offset != UINT32_MAX;
    size_t left = (size_t)number(extra + at + 2, 2);
    if (left > size - at - 4)
        return false;
    const uint8_t *values = extra + at + 4;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (*wanted[i] != UINT32_MAX)
            continue;
        if (left < 8)
            return false;
        *wanted[i] = number(values, 8);
        values += 8;
        left -= 8;
    }
    return true;
}

static bool take_entry(const an_source *source, const uint8_t *entry, const char *name,
                       an_member *m, an_error *err)
{
    const uint64_t flags = number(entry + 8, 2), method = number(entry + 10, 2);
    *m = (an_member){.offset = number(entry + 42, 4),
                     .stored = number(entry + 20, 4),
                     .length = number(entry + 24, 4),
                     .checksum = (uint32_t)number(entry + 16, 4),
                     .deflated = method == DEFLATED};
    if (flags & 1)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s: '%.64s' is encrypted; save it without a password", source->name,
                            name);
    if (method != STORED && method != DEFLATED)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s: '%.64s' is packed by method %d, expected 0 (stored) or 8 "
                            "(deflated); save it with numpy.savez or savez_compressed",
                            source->name, name, (int)method);
    if (!take_large(entry + ENTRY_SIZE + name_length(entry), (size_t)number(entry + 30, 2), m) ||
        (method == STORED && m->stored != m->length))
        return fail_damaged(source, "an entry of its directory contradicts itself", err);
    return true;
}

/* The bytes stand after the member's own header, whose lengths may differ from the entry's. */
static bool enter(an_source *source, an_member *m, an_error *err)
{
    uint8_t header[HEADER_SIZE];
    if (!read_at(source, m->offset, header, sizeof header, err))
        return false;
    if (number(header, 4) != HEADER_MARK)
        return fail_damaged(source, "a member does not stand where its directory says", err);
    m->offset += HEADER_SIZE + number(header + 26, 2) + number(header + 28, 2);
    if (m->offset > source->stored || m->stored > source->stored - m->offset)
        return fail_damaged(source, "a member lies outside", err);
    return an__source_enter(source, m, err);
}

static bool find_member(an_source *source, const char *name, an_member *m, an_error *err)
{
    directory d = {0};
    bool ok = read_directory(source, &d, err);
    if (ok) {
        size_t at = 0;
        const uint8_t *entry = next_entry(&d, &at);
        while (entry && !is_called(entry, name))
            entry = next_entry(&d, &at);
        ok = entry ? take_entry(source, entry, name, m, err) : fail_missing(source, &d, name, err);
    }
    an_release(&source->allocator, d.bytes, (size_t)d.length, 1);
    return ok;
}

bool an__zip_enter(an_source *source, const char *name, an_error *err)
{
    an_member m = {0};
    return find_member(source, name, &m, err) && enter(source, &m, err);
}
