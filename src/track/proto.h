/*
 * Protocol Buffers' wire format, as much of it as event files take.
 *
 *   message    field...
 *   field      key value        key: a varint of field number * 8 + wire type
 *   value      by wire type: 0 a varint, 1 eight bytes, 2 a varint of a length and so many bytes,
 *              5 four bytes; numbers little-endian
 *   varint     seven bits a byte, the lowest first; the top bit says that more follow
 *
 * https://protobuf.dev/programming-guides/encoding. Two hundred lines here replace a generator, its
 * runtime and a set of .proto files that would be TensorFlow's: the messages needed are six.
 */
#ifndef AN_TRACK_PROTO_H
#define AN_TRACK_PROTO_H

#include <anneal/base.h>

enum { AN_WIRE_VARINT = 0, AN_WIRE_EIGHT = 1, AN_WIRE_BYTES = 2, AN_WIRE_FOUR = 5 };

/* A message under construction, in memory that grows. */
typedef struct an_proto {
    unsigned char *bytes;
    size_t size, capacity;
    bool failed; /* no memory: everything after that is ignored */
} an_proto;

void an__proto_varint(an_proto *proto, unsigned field, uint64_t value);
void an__proto_double(an_proto *proto, unsigned field, double value);
void an__proto_text(an_proto *proto, unsigned field, const char *text);
/* The same without a key: of a packed field, or made before. */
void an__proto_raw(an_proto *proto, const void *bytes, size_t count);
void an__proto_raw_double(an_proto *proto, double value);
/* Room for `count` bytes, to be added to `size` as they are filled; NULL: no memory. */
unsigned char *an__proto_room(an_proto *proto, size_t count);

/* What is added in between is a message, or a packed field, within the message. */
size_t an__proto_begin(an_proto *proto, unsigned field);
void an__proto_end(an_proto *proto, size_t begun);

void an__proto_reset(an_proto *proto);
void an__proto_free(an_proto *proto);

/* A message being read. */
typedef struct an_proto_in {
    const unsigned char *at, *end;
} an_proto_in;

/* A field as read: its value is in `number` or, of AN_WIRE_BYTES, in `part`. */
typedef struct an_proto_field {
    uint64_t number_of_field;
    unsigned wire;
    uint64_t number;
    an_proto_in part;
} an_proto_field;

/* False at the end, and with *broken where the bytes are no message. */
bool an__proto_next(an_proto_in *in, an_proto_field *field, bool *broken);
double an__proto_as_double(const an_proto_field *field);
float an__proto_as_float(const an_proto_field *field);

#endif
