/* Reading an event file, and saying what is wrong with it. */
#include "track/events.h"

#include "file/little_endian.h"

#include <math.h>
#include <string.h>

typedef struct reading {
    const unsigned char *begin;
    int64_t offset; /* of `begin` in the file */
    an_proto_in in;
    int64_t record;
    an_event_value value; /* what is known of the next one */
    bool (*visit)(void *user, const an_event_value *value);
    void *user;
    bool enough; /* the visitor wants no more */
    an_error *err;
} reading;

static bool damaged(reading *r, const char *what)
{
    const int64_t at = r->offset + (int64_t)(r->in.at - r->begin);
    return an_error_set(r->err, AN_ERROR_DATA,
                        "the event file is damaged in record %lld, at byte %lld: %s",
                        (long long)r->record, (long long)at, what);
}

static bool read_value(reading *r, an_proto_in in)
{
    an_proto_field field;
    bool broken = false;
    r->value.tag = "";
    r->value.tag_length = 0;
    r->value.is_scalar = false;
    r->value.value = NAN;
    while (an__proto_next(&in, &field, &broken)) {
        if (field.number_of_field == AN_VALUE_TAG && field.wire == AN_WIRE_BYTES) {
            r->value.tag = (const char *)field.part.at;
            r->value.tag_length = (size_t)(field.part.end - field.part.at);
        } else if (field.number_of_field == AN_VALUE_SCALAR && field.wire == AN_WIRE_FOUR) {
            r->value.is_scalar = true;
            r->value.value = (double)an__proto_as_float(&field);
        } else if (field.number_of_field == AN_VALUE_TAG ||
                   field.number_of_field == AN_VALUE_SCALAR) {
            return damaged(r, "a value's tag or number is of another type");
        }
    }
    if (broken)
        return damaged(r, "a value is no message");
    r->enough = !r->visit(r->user, &r->value);
    return true;
}

static bool read_summary(reading *r, an_proto_in in)
{
    an_proto_field field;
    bool broken = false;
    while (!r->enough && an__proto_next(&in, &field, &broken)) {
        if (field.number_of_field != AN_SUMMARY_VALUE)
            continue;
        if (field.wire != AN_WIRE_BYTES)
            return damaged(r, "a summary's value is of another type");
        if (!read_value(r, field.part))
            return false;
    }
    return !broken || damaged(r, "a summary is no message");
}

static bool is_version(const an_proto_field *field)
{
    size_t length = strlen(AN_EVENTS_VERSION);
    return field->wire == AN_WIRE_BYTES && (size_t)(field->part.end - field->part.at) == length &&
           memcmp(field->part.at, AN_EVENTS_VERSION, length) == 0;
}

/* Time and step, whether they come before the summary or after it. */
static bool read_head(reading *r, an_proto_in in, an_proto_in *summary, bool *has_version)
{
    an_proto_field field;
    bool broken = false;
    while (an__proto_next(&in, &field, &broken)) {
        if (field.number_of_field == AN_EVENT_TIME && field.wire == AN_WIRE_EIGHT)
            r->value.wall_time = an__proto_as_double(&field);
        else if (field.number_of_field == AN_EVENT_STEP && field.wire == AN_WIRE_VARINT)
            r->value.step = (int64_t)field.number;
        else if (field.number_of_field == AN_EVENT_VERSION && is_version(&field))
            *has_version = true;
        else if (field.number_of_field == AN_EVENT_SUMMARY && field.wire == AN_WIRE_BYTES)
            *summary = field.part;
        else if (field.number_of_field <= AN_EVENT_VERSION ||
                 field.number_of_field == AN_EVENT_SUMMARY)
            return damaged(r, "an event's time, step, version or summary is not what it should be");
    }
    return !broken || damaged(r, "an event is no message");
}

static bool read_event(reading *r, an_proto_in in)
{
    an_proto_in summary = {NULL, NULL};
    bool has_version = false;
    r->value = (an_event_value){.step = 0};
    if (!read_head(r, in, &summary, &has_version))
        return false;
    if (r->record == 1 && !has_version)
        return damaged(r,
                       "it does not begin with \"" AN_EVENTS_VERSION "\": this is no event file");
    return !summary.at || read_summary(r, summary);
}

static bool read_record(reading *r)
{
    uint64_t left = (uint64_t)(r->in.end - r->in.at);
    if (left < AN_RECORD_HEAD)
        return damaged(r, "the file ends within a record");
    uint64_t length = an__get_64(r->in.at);
    if (an__get_32(r->in.at + 8) != an__record_check(r->in.at, 8))
        return damaged(r, "the checksum of the length is wrong");
    if (left < AN_RECORD_HEAD + AN_RECORD_TAIL || length > left - AN_RECORD_HEAD - AN_RECORD_TAIL)
        return damaged(r, "the file ends within a record");
    const unsigned char *message = r->in.at + AN_RECORD_HEAD;
    if (an__get_32(message + length) != an__record_check(message, (size_t)length))
        return damaged(r, "the checksum of the event is wrong");
    if (!read_event(r, (an_proto_in){message, message + length}))
        return false;
    r->in.at = message + length + AN_RECORD_TAIL;
    return true;
}

static bool pass_over(void *user, const an_event_value *value)
{
    (void)user, (void)value;
    return true;
}

bool an__record_read(const void *bytes, size_t size, int64_t number, int64_t offset, int64_t *step,
                     an_error *err)
{
    reading r = {
        .begin = bytes, .offset = offset, .record = number, .visit = pass_over, .err = err};
    r.in = (an_proto_in){r.begin, r.begin + size};
    const bool ok = read_record(&r);
    *step = r.value.step;
    return ok;
}

bool an_events_read(const void *bytes, size_t size,
                    bool (*visit)(void *user, const an_event_value *value), void *user,
                    an_error *err)
{
    reading r = {.begin = bytes, .visit = visit, .user = user, .err = err};
    r.in.at = r.begin;
    r.in.end = size > 0 ? r.begin + size : r.begin;
    while (!r.enough && r.in.at < r.in.end) {
        r.record++;
        if (!read_record(&r))
            return false;
    }
    return true;
}
