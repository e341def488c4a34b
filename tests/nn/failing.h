/* Making something while one allocation after the other fails. */
#ifndef AN_TESTS_NN_FAILING_H
#define AN_TESTS_NN_FAILING_H

#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

#include <anneal/tensor.h>

/*
 * Calls `make` as often as it allocates, and lets another allocation fail each time: it says so
 * with MEMORY and gives everything back. What it makes takes more than `least` allocations.
 */
static inline void every_allocation_fails(bool (*make)(an_context *context, an_error *err),
                                          long least)
{
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = -1};
        an_context_options options = {.threads = 1, .allocator = failing_hooks(&failing)};
        an_context *poor = an_context_new(&options, NULL);
        failing.requests = 0;
        failing.fail_at = n;
        an_error err = {0};
        bool made = make(poor, &err);
        assert_true(made ? failing.requests <= n : err.code == AN_ERROR_MEMORY);
        an_context_free(poor);
        assert_int_equal(failing.blocks, 0);
        assert_int_equal(failing.bytes, 0);
        if (failing.requests <= n) {
            assert_true(made && n > least);
            return;
        }
    }
}

#endif
