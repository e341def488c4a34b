/* The pool of threads, and what the context needs from this folder. Only pool.c makes threads. */
#ifndef AN_POOL_H
#define AN_POOL_H

#include <anneal/tensor.h>

#include "tensor/kernels/kernels.h"

/* The kernels of `bits` (0: the widest), or NULL where this processor cannot run them. */
const an_kernels *an__kernels_find(int bits);

typedef struct an_pool an_pool;

/* The number of cores that this process may use, at least 1. */
int an__pool_cores(void);
/* A pool of `threads` threads, the caller's included. Errors: MEMORY, STATE (no thread to be had).
 */
an_pool *an__pool_new(const an_allocator *allocator, int threads, an_error *err);
void an__pool_free(const an_allocator *allocator, an_pool *pool);
int an__pool_threads(const an_pool *pool);
/* The work of an__parallel, an__later and an__later_finish; see kernels.h. */
void an__pool_run(an_pool *pool, int64_t count, int64_t grain, an_task task, void *arg);
bool an__pool_later(an_pool *pool, int64_t count, int64_t grain, an_task task, void *arg);
void an__pool_later_finish(an_pool *pool);

#endif
