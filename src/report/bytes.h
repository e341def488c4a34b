/* Bytes that grow in memory, so that a picture is complete before a file is touched. */
#ifndef AN_REPORT_BYTES_H
#define AN_REPORT_BYTES_H

#include <anneal/base.h>

/* Once memory has run out, `failed` is set and nothing more is added. */
typedef struct an_bytes {
    an_allocator allocator;
    char *data;
    size_t length, capacity;
    bool failed;
} an_bytes;

void an__bytes_add(an_bytes *bytes, const void *data, size_t length);
void an__bytes_text(an_bytes *bytes, const char *text);
void an__bytes_free(an_bytes *bytes);

#endif
