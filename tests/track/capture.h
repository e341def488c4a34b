/* A stream in memory, and a record to begin with. */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <anneal/track.h>

typedef struct capture {
    FILE *stream;
    char *text;
    size_t length;
} capture;

/* Aborts the test program when there is no memory. */
void capture_begin(capture *c);
/* What was written so far. */
const char *capture_text(capture *c);
void capture_end(capture *c);

/* The end of epoch 3 of 10, one group, no validation. */
an_record sample_record(void);

#endif
