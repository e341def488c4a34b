#include "track/proto.h"

#include "file/little_endian.h"
#include "track/grow.h"

#include <string.h>

#define FIRST_CAPACITY 256
#define VARINT_MOST 10

/* ------------------------------------------------------------------ writing */

unsigned char *an__proto_room(an_proto *proto, size_t count)
{
    if (proto->failed)
        return NULL;
    void *block = proto->bytes;
    proto->failed = !an__grow(&block, &proto->capacity, FIRST_CAPACITY, proto->size + count);
    if (proto->failed)
        return NULL;
    proto->bytes = block;
    return proto->bytes + proto->size;
}

static size_t put_varint(unsigned char *bytes, uint64_t value)
{
    size_t used = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[used++] = (unsigned char)(value | 0x80);
    bytes[used++] = (unsigned char)value;
    return used;
}

static void add_varint(an_proto *proto, uint64_t value)
{
    unsigned char *bytes = an__proto_room(proto, VARINT_MOST);
    if (bytes)
        proto->size += put_varint(bytes, value);
}

void an__proto_raw(an_proto *proto, const void *bytes, size_t count)
{
    unsigned char *to = an__proto_room(proto, count);
    if (!to || count == 0)
        return;
    memcpy(to, bytes, count);
    proto->size += count;
}

void an__proto_raw_double(an_proto *proto, double value)
{
    uint64_t bits;
    unsigned char bytes[8];
    memcpy(&bits, &value, sizeof bits);
    an__put_64(bytes, bits);
    an__proto_raw(proto, bytes, sizeof bytes);
}

void an__proto_varint(an_proto *proto, unsigned field, uint64_t value)
{
    add_varint(proto, field << 3 | AN_WIRE_VARINT);
    add_varint(proto, value);
}

void an__proto_double(an_proto *proto, unsigned field, double value)
{
    add_varint(proto, field << 3 | AN_WIRE_EIGHT);
    an__proto_raw_double(proto, value);
}

void an__proto_text(an_proto *proto, unsigned field, const char *text)
{
    size_t count = strlen(text);
    add_varint(proto, field << 3 | AN_WIRE_BYTES);
    add_varint(proto, count);
    an__proto_raw(proto, text, count);
}

size_t an__proto_begin(an_proto *proto, unsigned field)
{
    add_varint(proto, field << 3 | AN_WIRE_BYTES);
    return proto->size;
}

/* The length stands before the bytes, which make room for it. */
void an__proto_end(an_proto *proto, size_t begun)
{
    unsigned char length[VARINT_MOST];
    if (proto->failed)
        return;
    size_t count = proto->size - begun, used = put_varint(length, count);
    if (!an__proto_room(proto, used))
        return;
    memmove(proto->bytes + begun + used, proto->bytes + begun, count);
    memcpy(proto->bytes + begun, length, used);
    proto->size += used;
}

void an__proto_reset(an_proto *proto)
{
    proto->size = 0;
    proto->failed = false;
}

void an__proto_free(an_proto *proto)
{
    an_release(NULL, proto->bytes, proto->capacity, 1);
    *proto = (an_proto){0};
}

/* ------------------------------------------------------------------ reading */

static bool get_varint(an_proto_in *in, uint64_t *value)
{
    *value = 0;
    for (int bits = 0; bits < 64 && in->at < in->end; bits += 7) {
        unsigned char byte = *in->at++;
        if (bits == 63 && byte > 1)
            return false;
        *value |= (uint64_t)(byte & 0x7f) << bits;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool get_value(an_proto_in *in, an_proto_field *field)
{
    size_t left = (size_t)(in->end - in->at), size = 0;
    switch (field->wire) {
    case AN_WIRE_VARINT:
        return get_varint(in, &field->number);
    case AN_WIRE_EIGHT:
    case AN_WIRE_FOUR:
        size = field->wire == AN_WIRE_EIGHT ? 8 : 4;
        if (left < size)
            return false;
        field->number = size == 8 ? an__get_64(in->at) : an__get_32(in->at);
        break;
    case AN_WIRE_BYTES:
        if (!get_varint(in, &field->number) || field->number > (size_t)(in->end - in->at))
            return false;
        size = (size_t)field->number;
        field->part = (an_proto_in){in->at, in->at + size};
        break;
    default:
        return false;
    }
    in->at += size;
    return true;
}

bool an__proto_next(an_proto_in *in, an_proto_field *field, bool *broken)
{
    uint64_t key;
    if (in->at == in->end)
        return false;
    bool read = get_varint(in, &key);
    *field = (an_proto_field){.number_of_field = key >> 3, .wire = (unsigned)(key & 7)};
    *broken = !read || field->number_of_field == 0 || !get_value(in, field);
    return !*broken;
}

double an__proto_as_double(const an_proto_field *field)
{
    double value;
    memcpy(&value, &field->number, sizeof value);
    return value;
}

float an__proto_as_float(const an_proto_field *field)
{
    float value;
    uint32_t bits = (uint32_t)field->number;
    memcpy(&value, &bits, sizeof value);
    return value;
}
