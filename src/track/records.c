#include "track/events.h"

#include "file/crc32c.h"
#include "file/little_endian.h"

/* The bytes of an event in which its time and step are, if they come first as they should. */
#define EVENT_HEAD 32

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

/* The step of an event that begins with these bytes; 0 where none is found. */
static int64_t step_of(const unsigned char *bytes, size_t count)
{
    an_proto_in in = {bytes, bytes + count};
    an_proto_field field;
    bool broken = false;
    while (an__proto_next(&in, &field, &broken))
        if (field.number_of_field == AN_EVENT_STEP && field.wire == AN_WIRE_VARINT)
            return (int64_t)field.number;
    return 0;
}

int64_t an__records_walk(an_append *file, int64_t step, int64_t stop, an_error *err)
{
    unsigned char head[AN_RECORD_HEAD + EVENT_HEAD];
    int64_t offset = 0;
    while (offset < file->size && offset < stop) {
        int64_t got = an__append_read(file, offset, head, sizeof head, err);
        if (got < 0)
            return -1;
        if (got < AN_RECORD_HEAD || an__get_32(head + 8) != an__record_check(head, 8))
            break;
        uint64_t length = an__get_64(head);
        uint64_t room = (uint64_t)(file->size - offset) - AN_RECORD_HEAD;
        if (room < AN_RECORD_TAIL || length > room - AN_RECORD_TAIL)
            break;
        uint64_t seen = (uint64_t)got - AN_RECORD_HEAD;
        if (step_of(head + AN_RECORD_HEAD, (size_t)(seen < length ? seen : length)) > step)
            break;
        offset += AN_RECORD_HEAD + (int64_t)length + AN_RECORD_TAIL;
    }
    return offset;
}
