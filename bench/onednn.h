/* What bench/onednn.c measures: our kernels and oneDNN's on the same operands. */
#ifndef BENCH_ONEDNN_H
#define BENCH_ONEDNN_H

#include <anneal/tensor.h>

#include "dnnl_plan.h"

/* How oneDNN is asked: which layouts it may choose. */
typedef enum way {
    WAY_PLAIN,    /* none: row-major, as Anneal keeps everything */
    WAY_WEIGHTS,  /* the weights' */
    WAY_ANY,      /* all of them */
    WAY_WINOGRAD, /* all, and the method of a convolution */
    WAYS
} way;

/* One computation; the kind's own members follow. Split over threads, share by share. */
typedef struct subject {
    char name[64];
    double operations; /* 0: none to speak of */
    void (*ours)(an_context *context, struct subject *self);
    /* Adds what `share` of `shares` executes; false where oneDNN does not have it. */
    bool (*plan)(struct subject *self, way how, int share, int shares, plan *p);
    /* After all shares: adds up what they have apart. NULL: nothing. */
    void (*join)(an_context *context, struct subject *self, int shares);
    void (*free)(struct subject *self);
    float *result; /* of both */
    int64_t result_count;
} subject;

/* The next of a list: the subject, or NULL behind the last (or without memory: `failed`). */
subject *product_subject(int index);
subject *convolution_subject(int index);
subject *pooling_subject(int index);
subject *norm_subject(int index);

/* On a 64-byte boundary: floats between -1 and 1, others for another stream, and zeros. Without
 * memory they end the program. */
float *bench_floats(int64_t count, int stream);
void *bench_zeros(size_t bytes);

#endif
