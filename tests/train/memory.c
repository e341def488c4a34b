/* A step allocates nothing once the first epoch is over; every failing allocation is survived. */
#include "world.h"

#include "../base/failing_allocator.h"

typedef struct watch {
    const failing_allocator *allocator;
    long requests[8];
    int epochs;
} watch;

static void note_epoch(void *user, const an_record *record, an_control *control)
{
    (void)control;
    watch *w = user;
    (void)record;
    if (w->epochs < 8)
        w->requests[w->epochs++] = w->allocator->requests;
}

static void test_steady_state(void **state)
{
    (void)state;
    failing_allocator counting = {.fail_at = -1};
    world w = {.count = 21, .allocator = failing_hooks(&counting)};
    watch seen = {.allocator = &counting};
    world_open(&w);
    an_callback callback = {.epoch_end = note_epoch, .user = &seen};
    w.fit.callbacks = &callback;
    w.fit.callback_count = 1;
    w.fit.epochs = 6;
    w.fit.accumulate = 2;
    w.fit.clip_grad_norm = 1;
    w.fit.valid = w.valid;
    assert_true(an_fit(&w.fit, NULL, NULL));
    assert_int_equal(seen.epochs, 6);
    assert_int_equal(seen.requests[5], seen.requests[1]);
    world_close(&w);
    assert_int_equal(counting.blocks, 0);
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = -1};
        world w = {.count = 10, .allocator = failing_hooks(&failing)};
        an_error err = {0};
        world_open(&w);
        w.fit.epochs = 2;
        w.fit.valid = w.valid;
        failing.fail_at = failing.requests + n;
        bool ok = an_fit(&w.fit, NULL, &err);
        bool failed = failing.requests > failing.fail_at;
        failing.fail_at = -1;
        world_close(&w);
        assert_int_equal(failing.blocks, 0);
        if (!failed) {
            assert_true(ok);
            assert_true(n > 0);
            break;
        }
        if (!ok)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
    }
}

static void test_evaluate_fails_cleanly(void **state)
{
    (void)state;
    failing_allocator failing = {.fail_at = -1};
    world w = {.allocator = failing_hooks(&failing)};
    an_eval_result result;
    an_error err = {0};
    world_open(&w);
    failing.fail_at = failing.requests;
    assert_false(an_evaluate(w.model, w.fit.loss, w.valid, &result, &err));
    assert_int_equal(err.code, AN_ERROR_MEMORY);
    assert_true(an_model_set_training(w.model, true));
    failing.fail_at = -1;
    assert_true(an_evaluate(w.model, w.fit.loss, w.valid, &result, &err));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady_state),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_evaluate_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
