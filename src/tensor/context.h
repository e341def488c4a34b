/* What a context holds. Other rooms use anneal/tensor.h and tensor/kernels/kernels.h. */
#ifndef AN_CONTEXT_H
#define AN_CONTEXT_H

#include "tensor/kernels/pool.h"

struct an_context {
    an_allocator allocator;
    const an_kernels *kernels;
    an_pool *pool;
    float *
        scratch; /* one piece a thread, for packed matrices and columns; each aligned to 64 bytes */
    int64_t scratch_floats; /* the length of a piece */
    void *scratch_block;
    size_t scratch_bytes;
};

#endif
