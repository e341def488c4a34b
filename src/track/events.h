/*
 * TensorBoard's event files.
 *
 *   file       record...
 *   record     +----------------+----------------+-----------+------------------+
 *              | length, 8 bytes| check of these | message   | check of it      |
 *              |                | 8 bytes, 4     | (length)  | 4                |
 *              +----------------+----------------+-----------+------------------+
 *   check      CRC-32C, turned right by 15 bits, plus 0xa282ead8; all little-endian
 *   message    Event: 1 wall time (double), 2 step (varint), and one of 3 the version
 *              "brain.Event:2" (in the first record, alone), 5 Summary
 *   Summary    1 Value, any number of them
 *   Value      1 tag, 9 metadata (of hyper-parameters), and one of 2 a scalar (float), 5 a
 *              histogram
 *
 * Source: TensorFlow, lib/io/record_writer.cc and core/util/event.proto, summary.proto.
 */
#ifndef AN_TRACK_EVENTS_H
#define AN_TRACK_EVENTS_H

#include "file/append.h"
#include "track/proto.h"

#include <anneal/track.h>

#define AN_EVENTS_VERSION "brain.Event:2"
#define AN_RECORD_HEAD 12
#define AN_RECORD_TAIL 4

enum { AN_EVENT_TIME = 1, AN_EVENT_STEP = 2, AN_EVENT_VERSION = 3, AN_EVENT_SUMMARY = 5 };
enum { AN_SUMMARY_VALUE = 1 };
enum { AN_VALUE_TAG = 1, AN_VALUE_SCALAR = 2, AN_VALUE_HISTOGRAM = 5, AN_VALUE_METADATA = 9 };

/* The check of `count` bytes, as it stands in the file. */
uint32_t an__record_check(const void *bytes, size_t count);

/* A message as a record, added to what waits; false when there is no room. */
bool an__record_add(an_append *file, const void *message, size_t count);

/*
 * Reads the record, `number` from 1 and at `offset` of its file, that these bytes are or begin
 * with; `step` gets its event's. DATA for one that is damaged.
 */
bool an__record_read(const void *bytes, size_t size, int64_t number, int64_t offset, int64_t *step,
                     an_error *err);

/*
 * Walks a file's records from the top: the offset where the first one begins that the file's end
 * cuts short, that has a step after `step`, or begins at or after `stop`; the file's size when
 * there is none. -1 with err: MEMORY, IO, and DATA at one that is damaged, for what follows it
 * would be lost if the file were cut there.
 */
int64_t an__records_walk(an_append *file, int64_t step, int64_t stop, an_error *err);

#endif
