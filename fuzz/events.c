/*
 * Reading event files. Random bytes hardly ever have the right checksums, so the input is tried in
 * two ways: as it is, and as one message for which a record is made.
 */
#include "track/events.h"

#include <stdlib.h>
#include <string.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    an_append file = {.name = ""};
    read_bytes(data, size);
    if (an__record_add(&file, data, size))
        read_bytes(file.waiting, file.used);
    an__append_close(&file);
    return 0;
}
