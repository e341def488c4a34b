#include "report/bytes.h"

#include <string.h>

#define FIRST_CAPACITY 4096

/* Makes room for `length` more bytes. */
static bool reserve(an_bytes *bytes, size_t length)
{
    size_t capacity = bytes->capacity ? bytes->capacity : FIRST_CAPACITY;
    if (length > SIZE_MAX / 4 || bytes->length > SIZE_MAX / 4) {
        return false;
    }
    while (capacity < bytes->length + length) {
        capacity *= 2;
    }
    if (capacity == bytes->capacity) {
        return true;
    }
    an_allocator *a = &bytes->allocator;
    char *data = a->resize(a->user, bytes->data, bytes->capacity, capacity);
    if (!data) {
        return false;
    }
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

void an__bytes_add(an_bytes *bytes, const void *data, size_t length)
{
    if (length == 0 || bytes->failed) {
        return;
    }
    if (!reserve(bytes, length)) {
        bytes->failed = true;
        return;
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

void an__bytes_text(an_bytes *bytes, const char *text)
{
    an__bytes_add(bytes, text, strlen(text));
}

void an__bytes_free(an_bytes *bytes)
{
    if (bytes->data) {
        bytes->allocator.resize(bytes->allocator.user, bytes->data, bytes->capacity, 0);
    }
    bytes->data = NULL;
    bytes->length = bytes->capacity = 0;
}
