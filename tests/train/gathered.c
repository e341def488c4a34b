/* Metrics that are no means over samples: what they gather is of one evaluation. */
#include "world.h"

#define SAMPLES 18 /* in batches of 4, and of 7 for the validation: both end with a shorter one */

/* The number of samples times that of batches. */
typedef struct gathered {
    int64_t begun, samples, batches;
} gathered;

static void begin(void *user)
{
    gathered *g = user;
    *g = (gathered){.begun = g->begun + 1};
}

static void add(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    gathered *g = user;
    (void)output, (void)sum;
    g->samples += batch->size;
    g->batches++;
}

static double value(void *user)
{
    const gathered *g = user;
    return (double)(g->samples * g->batches);
}

static void open_world(world *w, const an_metric *metric)
{
    *w = (world){.count = SAMPLES};
    world_open(w);
    w->fit.valid = w->valid;
    w->fit.epochs = 3;
    w->fit.metrics = metric;
    w->fit.metric_count = 1;
}

static void every_evaluation_begins_anew(void **state)
{
    (void)state;
    static world_log log;
    world w;
    gathered g = {0};
    an_eval_result result;
    const an_metric metric = {
        .valid = "valid_all", .add = add, .user = &g, .begin = begin, .value = value};
    open_world(&w, &metric);
    const an_callback callback = world_callback(&log);
    w.fit.callbacks = &callback;
    w.fit.callback_count = 1;
    assert_true(an_fit(&w.fit, NULL, NULL));
    assert_int_equal(g.begun, 3);
    assert_int_equal(log.epochs, 3);
    const double all = (double)(SAMPLES * an_loader_batches(w.valid));
    for (size_t i = 0; i < log.epochs; i++) {
        assert_int_equal(log.epoch[i].metric_count, 1);
        assert_string_equal(log.epoch[i].metrics[0].name, "valid_all");
        assert_true(log.epoch[i].metrics[0].value == all);
    }
    assert_true(an_evaluate_metrics(w.model, w.fit.loss, w.valid, &metric, 1, &result, NULL));
    assert_true(result.metrics[0] == all && isnan(result.metrics[1]));
    world_close(&w);
}

static void halves_are_refused(void **state)
{
    (void)state;
    static const an_metric wrong[] = {
        {.valid = "all", .add = add, .begin = begin},
        {.valid = "all", .add = add, .value = value},
        {.name = "all", .add = add, .begin = begin, .value = value},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        world w;
        an_error err = {0};
        open_world(&w, &wrong[i]);
        assert_false(an_fit(&w.fit, NULL, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_non_null(
            strstr(err.message, "number 1 has `begin` and `value` together or neither"));
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_evaluation_begins_anew),
        cmocka_unit_test(halves_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
