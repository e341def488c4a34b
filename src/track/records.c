#include "track/events.h"

#include "file/crc32c.h"
#include "file/little_endian.h"

uint32_t an__record_check(const void *bytes, size_t count)
{
    uint32_t crc = an__crc32c(0, bytes, count);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

bool an__record_add(an_append *file, const void *message, size_t count)
{
    unsigned char *bytes = an__append_room(file, AN_RECORD_HEAD + count + AN_RECORD_TAIL);
    if (!bytes)
        return false;
    an__put_64(bytes, count);
    an__put_32(bytes + 8, an__record_check(bytes, 8));
    an__append_added(file, AN_RECORD_HEAD);
    (void)an__append_add(file, message, count);
    an__put_32(bytes + AN_RECORD_HEAD + count, an__record_check(message, count));
    an__append_added(file, AN_RECORD_TAIL);
    return true;
}

/* One record in memory, as large as the largest so far. */
typedef struct room {
    unsigned char *bytes;
    size_t size;
} room;

static bool make_room(room *r, uint64_t size, an_error *err)
{
    if (size <= r->size)
        return true;
    an_release(NULL, r->bytes, r->size, 1);
    r->size = (size_t)size;
    r->bytes = size < SIZE_MAX / 2 ? an_alloc(NULL, r->size, 1, err) : NULL;
    r->size = r->bytes ? r->size : 0;
    return r->bytes != NULL;
}

/*
 * The record at `offset`: its size in memory, 0 where the file's end cuts it short, -1 with err. Of
 * one with a wrong head, or longer than any that waits to be written, there is as much as
 * an__record_read needs to say so.
 */
static int64_t read_record(an_append *file, int64_t offset, room *r, an_error *err)
{
    enum { OWN = AN_RECORD_HEAD + AN_RECORD_TAIL };
    unsigned char head[AN_RECORD_HEAD];
    const uint64_t left = (uint64_t)(file->size - offset);
    const int64_t got = an__append_read(file, offset, head, sizeof head, err);
    if (got < AN_RECORD_HEAD)
        return got < 0 ? -1 : 0;
    const uint64_t length = an__get_64(head);
    const bool sound = an__get_32(head + 8) == an__record_check(head, 8);
    const bool fits = left >= OWN && length <= left - OWN;
    if (sound && !fits && length <= AN_APPEND_MOST)
        return 0;
    const uint64_t size = sound && fits ? length + OWN : left < OWN ? left : OWN;
    return make_room(r, size, err) ? an__append_read(file, offset, r->bytes, (size_t)size, err)
                                   : -1;
}

static int64_t blame(const an_append *file, an_error *err)
{
    char message[AN_ERROR_MESSAGE_SIZE];
    if (!err || err->code != AN_ERROR_DATA)
        return -1;
    an_format(message, sizeof message, "%s", err->message);
    an_error_set(err, AN_ERROR_DATA, "'%s': %s; move the file away, and another is begun",
                 file->name, message);
    return -1;
}

int64_t an__records_walk(an_append *file, int64_t step, int64_t stop, an_error *err)
{
    room r = {0};
    int64_t offset = 0, size = 1, found = 0;
    for (int64_t number = 1; offset < file->size && offset < stop; number++, offset += size) {
        size = read_record(file, offset, &r, err);
        if (size > 0 && !an__record_read(r.bytes, (size_t)size, number, offset, &found, err))
            size = blame(file, err);
        if (size <= 0 || found > step)
            break;
    }
    an_release(NULL, r.bytes, r.size, 1);
    return size < 0 ? -1 : offset;
}
