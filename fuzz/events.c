/*
 * Reading event files, and going on with them. Random bytes hardly ever have the right checksums,
 * so the input is tried in two ways: as it is, and as one message for which a record is made.
 */
#define _GNU_SOURCE
#include "track/events.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Every byte of every tag is read, so that a sanitizer sees one that is not there. */
static bool visit(void *user, const an_event_value *value)
{
    unsigned *sum = user;
    for (size_t i = 0; i < value->tag_length; i++)
        *sum += (unsigned char)value->tag[i];
    return *sum % 251 != 250;
}

static void read_bytes(const void *bytes, size_t size)
{
    unsigned sum = 0;
    an_error err = {0};
    bool read = an_events_read(bytes, size, visit, &sum, &err);
    if (read == (err.code != AN_ERROR_OK) || (!read && !strstr(err.message, "record ")))
        abort();
}

/* The walk through a file ends within it, and what it accepts as whole is what a reader accepts. */
static void walk(const void *bytes, size_t size)
{
    an_error err = {0};
    unsigned sum = 0;
    an_append file = {.name = "f", .open = true, .descriptor = memfd_create("events", 0)};
    if (file.descriptor < 0 || write(file.descriptor, bytes, size) != (ssize_t)size)
        abort();
    file.size = (int64_t)size;
    const int64_t end = an__records_walk(&file, INT64_MAX, INT64_MAX, &err);
    if (end > file.size || (end < 0) != (err.code == AN_ERROR_DATA) ||
        (end >= 0 && !an_events_read(bytes, (size_t)end, visit, &sum, NULL)))
        abort();
    if (an__records_walk(&file, 3, INT64_MAX, NULL) > (end < 0 ? file.size : end))
        abort();
    an__append_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    an_append file = {.name = ""};
    read_bytes(data, size);
    walk(data, size);
    if (an__record_add(&file, data, size)) {
        read_bytes(file.waiting, file.used);
        walk(file.waiting, file.used);
    }
    an__append_close(&file);
    return 0;
}
