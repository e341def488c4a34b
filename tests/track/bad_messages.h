/* Bytes of an event that are no message, or one that an event file of a run does not have. */
#ifndef TEST_BAD_MESSAGES_H
#define TEST_BAD_MESSAGES_H

#include <stddef.h>

static const struct bad_message {
    const char *bytes;
    size_t size;
    const char *part; /* of what is said of it */
} bad_messages[] = {
    {"\x10", 1, "an event is no message"},
    {"\x0f", 1, "an event is no message"},
    {"\x00\x00", 2, "an event is no message"},
    {"\x09\x00", 2, "an event is no message"},
    {"\x2a\x7f", 2, "an event is no message"},
    {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "an event is no message"},
    {"\x08\x00", 2, "is not what it should be"},
    {"\x28\x00", 2, "is not what it should be"},
    {"\x15\x00\x00\x00\x00", 5, "is not what it should be"},
    {"\x2a\x02\x08\x00", 4, "value is of another type"},
    {"\x2a\x02\x0a\x05", 4, "a summary is no message"},
    {"\x2a\x04\x0a\x02\x08\x00", 6, "of another type"},
    {"\x2a\x04\x0a\x02\x10\x00", 6, "of another type"},
    {"\x2a\x03\x0a\x01\x0a", 5, "a value is no message"},
};

enum { BAD_MESSAGES = sizeof bad_messages / sizeof *bad_messages };

#endif
