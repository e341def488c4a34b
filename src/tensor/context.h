/* What a context holds. Other rooms use anneal/tensor.h and tensor/kernels/kernels.h. */
#ifndef AN_CONTEXT_H
#define AN_CONTEXT_H

#include "tensor/kernels/pool.h"

struct an_context {
    an_allocator allocator;
    const an_kernels *kernels;
    an_pool *pool;
    /* One piece a thread, for packed matrices and columns; each aligned to 64 bytes. */
    float *scratch;
    int64_t scratch_floats; /* the length of a piece */
    void *scratch_block;
    size_t scratch_bytes;
};

/*
 * How many threads, from 1 to `items`, share a work of `operations` multiply-adds or as much: each
 * gets at least a quarter of a million, so that two take part from 1 MFLOP on.
 */
int an__worth_threads(const an_context *context, int64_t items, double operations);

/* The scratch of the thread that does part `part`. */
static inline float *an__scratch_part(const an_context *context, int64_t part)
{
    return context->scratch + part * context->scratch_floats;
}

#endif
