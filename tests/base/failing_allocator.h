/*
 * An allocator for tests: counts what is out, checks that sizes given back are those taken, and can
 * fail at one chosen request. Usage:
 *
 *     for (long n = 0; ; n++) {
 *         failing_allocator failing = {.fail_at = n};
 *         ... work with failing_hooks(&failing) ...
 *         assert_int_equal(failing.blocks, 0);
 *         if (failing.requests <= n) break;      // the n-th request never came: all have failed
 * once
 *     }
 */
#ifndef AN_TESTS_FAILING_ALLOCATOR_H
#define AN_TESTS_FAILING_ALLOCATOR_H

#include <anneal/base.h>

#include <stdlib.h>

typedef struct failing_allocator {
    long fail_at;  /* the number, from 0, of the request that fails; -1: none */
    long requests; /* seen so far */
    long blocks;   /* out now */
    size_t bytes;  /* out now */
} failing_allocator;

static inline void *failing_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    failing_allocator *state = user;
    if (new_size == 0) {
        state->blocks -= block != NULL;
        state->bytes -= old_size;
        free(block);
        return NULL;
    }
    if (state->requests++ == state->fail_at)
        return NULL;
    void *moved = realloc(block, new_size);
    if (moved) {
        state->blocks += block == NULL;
        state->bytes += new_size - (block ? old_size : 0);
    }
    return moved;
}

static inline an_allocator failing_hooks(failing_allocator *state)
{
    return (an_allocator){failing_resize, state};
}

#endif
