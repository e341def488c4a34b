/* Feedback anywhere in a composition: what it sees, what it does, and going back. */
#include "schedule_of.h"
#include <stdlib.h>

static void feed(bench *b, double metric, int times)
{
    for (int i = 0; i < times; i++)
        an_lr_step_metric(b->schedule, metric);
}

static void a_plateau_multiplies_what_is_around_it(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Product([Linear(length=10), ReduceLROnPlateau(factor=0.5, patience=1)])", 1,
                1);
    assert_true(an_lr_wants_metric(b.schedule));
    assert_true(isnan(an_lr_at_step(b.schedule, 0, 3)));
    feed(&b, 1, 1); /* the best */
    assert_true(bench_lr(&b, 0) == 0.9);
    feed(&b, 2, 2); /* two are worse */
    assert_true(fabs(bench_lr(&b, 0) - 0.7 * 0.5) < 1e-15);
    an_lr_step(b.schedule); /* without a metric the clock alone goes on */
    assert_true(fabs(bench_lr(&b, 0) - 0.6 * 0.5) < 1e-15);
    feed(&b, 2, 2);
    assert_true(fabs(bench_lr(&b, 0) - 0.4 * 0.25) < 1e-15);
    bench_stop(&b);
}

static void feedback_counts_when_it_is_its_turn(void **state)
{
    (void)state;
    bench b;
    bench_start(&b,
                "Sequence([Linear(start=0, end=1), Cosine(end=0.5), "
                "ReduceLROnPlateau(factor=0.1, patience=2)], [4, 8])",
                1, 0.8);
    feed(&b, 1, 8); /* eight equal metrics, none of which it sees */
    assert_true(bench_lr(&b, 0) == 0.4);
    feed(&b, 1, 3);
    assert_true(bench_lr(&b, 0) == 0.4);
    feed(&b, 1, 1);
    assert_true(fabs(bench_lr(&b, 0) - 0.04) < 1e-15);
    bench_stop(&b);
}

/* PyTorch's composites too: from the rate that they have left. */
static void a_plateau_after_a_warmup_of_pytorchs(void **state)
{
    (void)state;
    bench b;
    bench_start(&b,
                "SequentialLR([LinearLR(0.5, total_iters=2), ReduceLROnPlateau(patience=0)], [3])",
                1, 0.8);
    feed(&b, 1, 3);
    assert_true(bench_lr(&b, 0) == 0.8);
    feed(&b, 1, 1);
    assert_true(bench_lr(&b, 0) == 0.8);
    b.group[0].slot[AN_LR].value = 0.5; /* the user's edit carries on */
    feed(&b, 1, 1);
    assert_true(bench_lr(&b, 0) == 0.05);
    bench_stop(&b);
    bench_start(&b, "ChainedScheduler([ExponentialLR(0.5), ReduceLROnPlateau(patience=0)])", 1,
                0.8);
    feed(&b, 1, 1);
    assert_true(bench_lr(&b, 0) == 0.4);
    feed(&b, 1, 1);
    assert_true(fabs(bench_lr(&b, 0) - 0.02) < 1e-15);
    an_lr_step(b.schedule);
    assert_true(fabs(bench_lr(&b, 0) - 0.01) < 1e-15);
    bench_stop(&b);
}

/* dlib's test: noisy losses that fall leave the rate alone, level ones do not. */
static double noise(int i)
{
    return 0.2 * sin(12.9898 * i);
}

static void level_losses_reduce(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "ReduceOnSlope(window=100, factor=0.5, least=0.2)", 1, 1);
    for (int i = 0; i < 1000; i++)
        an_lr_step_metric(b.schedule, 10 - 0.005 * i + noise(i));
    assert_true(bench_lr(&b, 0) == 1);
    int first = 0;
    for (int i = 0; i < 2000; i++) {
        an_lr_step_metric(b.schedule, 5 + noise(i));
        if (first == 0 && bench_lr(&b, 0) < 1)
            first = i;
    }
    assert_true(first > 50 && first < 600);
    assert_true(bench_lr(&b, 0) == 0.2);
    an_lr_step_with(b.schedule, &(an_lr_input){.metric = 1, .has_metric = true});
    assert_true(bench_lr(&b, 0) == 0.2);
    bench_stop(&b);
}

/* One spike near the end of the window makes the plain slope rise; the robust one still falls. */
static void a_spike_does_not_hide_progress(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "ReduceOnSlope(window=50)", 1, 1);
    for (int i = 0; i < 300; i++)
        an_lr_step_metric(b.schedule, i == 250 ? 1e4 : 10 - 0.01 * i + 0.1 * noise(i));
    assert_true(bench_lr(&b, 0) == 1);
    an_lr_step_metric(b.schedule, NAN); /* no place on a line */
    assert_true(bench_lr(&b, 0) == 1);
    bench_stop(&b);
}

static void greedy_goes_up_and_down(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Greedy(factor=0.5, patience=1, least=0.25, most=4, reset=4)", 1, 1);
    for (int i = 0; i < 10; i++)
        an_lr_step_metric(b.schedule, 100 - i);
    assert_true(bench_lr(&b, 0) == 4);
    feed(&b, 200, 2);
    assert_true(bench_lr(&b, 0) == 2);
    feed(&b, 200, 6);
    assert_true(bench_lr(&b, 0) == 0.25);
    feed(&b, 200, 2);
    assert_true(bench_lr(&b, 0) == 0.25);
    feed(&b, 200, 1); /* the fourth in a row at the least */
    assert_true(bench_lr(&b, 0) == 1);
    bench_stop(&b);
    bench_start(&b, "Greedy(factor=0.5, patience=0, warmup=2, cooldown=2)", 1, 1);
    an_lr_step_metric(b.schedule, 9);
    assert_true(bench_lr(&b, 0) == 2);
    an_lr_step_metric(b.schedule, 8); /* better, but in the warmup */
    an_lr_step_metric(b.schedule, 7);
    assert_true(bench_lr(&b, 0) == 2);
    an_lr_step_metric(b.schedule, 6);
    assert_true(bench_lr(&b, 0) == 4);
    bench_stop(&b);
}

/* -------------------------------------------------------------- going back */

static void a_spike_asks_to_go_back(void **state)
{
    (void)state;
    bench b;
    unsigned char saved[4096];
    bench_start(&b, "Product([Linear(length=1000), SpikeGuard(window=40, factor=0.5, limit=2)])", 1,
                1);
    for (int i = 0; i < 60; i++)
        an_lr_step_metric(b.schedule, 5 + noise(i));
    assert_false(an_lr_wants_rollback(b.schedule));
    size_t size = an_lr_state_save(b.schedule, saved, sizeof saved);
    assert_true(size > 0);
    for (int round = 1; round <= 3; round++) {
        feed(&b, 5, 10);
        an_lr_step_metric(b.schedule, round == 2 ? NAN : 50);
        assert_int_equal(an_lr_wants_rollback(b.schedule), round <= 2);
        an_error err = {0};
        if (round <= 2)
            assert_true(an_lr_roll_back(b.schedule, saved, size, &err));
        assert_false(an_lr_wants_rollback(b.schedule));
        if (round <= 2) {
            assert_int_equal(an_lr_step_count(b.schedule), 60);
            assert_true(fabs(bench_lr(&b, 0) - 0.94 * pow(0.5, round)) < 1e-15);
        }
    }
    an_error err = {0};
    double before = bench_lr(&b, 0);
    assert_false(an_lr_roll_back(b.schedule, saved, size - 1, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_true(bench_lr(&b, 0) == before);
    bench_stop(&b);
}

static void a_spike_that_passes_is_forgotten(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "SpikeGuard(window=40)", 1, 1);
    for (int i = 0; i < 60; i++)
        an_lr_step_metric(b.schedule, 5 + noise(i));
    feed(&b, 50, 1);
    assert_true(an_lr_wants_rollback(b.schedule));
    feed(&b, 5, 1);
    assert_false(an_lr_wants_rollback(b.schedule));
    bench_stop(&b);
}

/* The loss for some, the metric for others. */
static void each_sees_its_own(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Product([SpikeGuard(window=2), ReduceLROnPlateau(patience=0)])", 1, 1);
    for (int i = 0; i < 5; i++)
        an_lr_step_with(b.schedule, &(an_lr_input){.loss = 3, .has_loss = true});
    assert_true(bench_lr(&b, 0) == 1);
    for (int i = 0; i < 2; i++)
        an_lr_step_with(b.schedule, &(an_lr_input){.metric = 1000, .has_metric = true});
    assert_false(an_lr_wants_rollback(b.schedule));
    assert_true(fabs(bench_lr(&b, 0) - 0.1) < 1e-15);
    assert_int_equal(an_lr_step_count(b.schedule), 7);
    bench_stop(&b);
}

/* ------------------------------------------------------------------- state */

static const char *const remembering[] = {
    "Product([Cosine(length=200), ReduceLROnPlateau(patience=3)])",
    "Sequence([Linear(start=0, end=1), ReduceOnSlope(window=20), Greedy(patience=2)], [30, 90])",
    "SequentialLR([LinearLR(), ReduceLROnPlateau(patience=1)], [20])",
    "Min([SpikeGuard(window=10), Greedy(patience=1)])",
    "ReduceLROnPlateau(patience=2)",
};

/* Saved at every step, by bytes and by JSON, into a schedule that has seen other things. */
static void what_it_remembers_is_saved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof remembering / sizeof remembering[0]; i++)
        for (int cut = 1; cut < 130; cut += 7) {
            static char text[8192];
            unsigned char bytes[4096];
            an_error err = {0};
            bench a, b, c;
            bench_start(&a, remembering[i], 1, 0.8);
            bench_start(&b, remembering[i], 1, 0.1);
            bench_start(&c, remembering[i], 1, 0.2);
            feed(&b, 0.5, 33);
            for (int step = 0; step < cut; step++)
                an_lr_step_metric(a.schedule, step % 50 == 49 ? 99 : 3 + noise(step));
            size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
            assert_true(size > 0 && an_lr_state_print(text, sizeof text, a.schedule) < sizeof text);
            assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, &err));
            if (!an_lr_state_parse(c.schedule, text, strlen(text), AN_LR_REFUSE, NULL, NULL, &err))
                fail_msg("%s\n%s", err.message, text);
            for (int step = cut; step < 150; step++) {
                double loss = step % 50 == 49 ? 99 : 3 + noise(step);
                an_lr_step_metric(a.schedule, loss);
                an_lr_step_metric(b.schedule, loss);
                an_lr_step_metric(c.schedule, loss);
                assert_true(bench_lr(&a, 0) == bench_lr(&b, 0));
                assert_true(bench_lr(&a, 0) == bench_lr(&c, 0));
            }
            bench_stop(&a);
            bench_stop(&b);
            bench_stop(&c);
        }
}

/* A state whose checksum fits, but which says that feedback is where it cannot be. */
static void fix_checksum(unsigned char *bytes, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size - 8; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    for (int i = 0; i < 8; i++)
        bytes[size - 8 + (size_t)i] = (unsigned char)(h >> (8 * i));
}

static void impossible_memories_do_no_harm(void **state)
{
    (void)state;
    const double bad[] = {-1, 1e300, NAN, INFINITY, 20, 19.5};
    unsigned char bytes[4096];
    bench b;
    bench_start(&b, "Product([ReduceOnSlope(window=20), SpikeGuard(window=20)])", 1, 1);
    size_t size = an_lr_state_save(b.schedule, bytes, sizeof bytes);
    for (size_t at = 8; at + 16 <= size; at += 8)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            unsigned char changed[4096];
            memcpy(changed, bytes, size);
            memcpy(changed + at, &bad[i], 8);
            fix_checksum(changed, size);
            an_lr_state_load(b.schedule, changed, size, AN_LR_REFUSE, NULL, NULL);
            for (int step = 0; step < 45; step++)
                an_lr_step_metric(b.schedule, 1);
            an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, NULL);
        }
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plateau_multiplies_what_is_around_it),
        cmocka_unit_test(feedback_counts_when_it_is_its_turn),
        cmocka_unit_test(a_plateau_after_a_warmup_of_pytorchs),
        cmocka_unit_test(level_losses_reduce),
        cmocka_unit_test(a_spike_does_not_hide_progress),
        cmocka_unit_test(greedy_goes_up_and_down),
        cmocka_unit_test(a_spike_asks_to_go_back),
        cmocka_unit_test(a_spike_that_passes_is_forgotten),
        cmocka_unit_test(each_sees_its_own),
        cmocka_unit_test(what_it_remembers_is_saved),
        cmocka_unit_test(impossible_memories_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
