/* An accumulated update is the update of one big batch, whatever the sizes; clipping. */
#include "world.h"

/* Trains `epochs` with these sizes; copies the parameters out. */
static void train(int64_t count, int64_t batch, int64_t accumulate, double clip, float *values)
{
    world w = {.count = count, .batch = batch};
    an_fit_result result;
    world_open(&w);
    w.fit.epochs = 3;
    w.fit.accumulate = accumulate;
    w.fit.clip_grad_norm = clip;
    assert_true(an_fit(&w.fit, &result, NULL));
    assert_int_equal(result.last.step, an_fit_total_steps(&w.fit));
    memcpy(values, world_values(&w), (size_t)world_length(&w) * sizeof *values);
    world_close(&w);
}

static void compare(int64_t count, int64_t batch, int64_t accumulate, double clip)
{
    float small[512] = {0}, big[512] = {0};
    train(count, batch, accumulate, clip, small);
    train(count, batch * accumulate, 1, clip, big);
    for (int i = 0; i < 512; i++)
        assert_float_equal(small[i], big[i], 2e-6);
}

static void test_full_windows(void **state)
{
    (void)state;
    compare(24, 4, 2, 0);
    compare(24, 4, 6, 0);
}

/* 3 windows of 2 x 4 samples, then one of 4 + 1; a last window of a single short batch. */
static void test_ragged_windows(void **state)
{
    (void)state;
    compare(29, 4, 2, 0);
    compare(25, 4, 3, 0);
    compare(27, 4, 3, 0);
    compare(3, 4, 3, 0);
    compare(7, 5, 100, 0);
    compare(200, 1, 7, 0);
}

static void test_clipping_sees_the_whole_update(void **state)
{
    (void)state;
    compare(29, 4, 2, 0.05);
}

static void test_clipping_bounds_the_step(void **state)
{
    (void)state;
    float before[512] = {0};
    world w = {.lr = 1};
    world_open(&w);
    memcpy(before, world_values(&w), (size_t)world_length(&w) * sizeof *before);
    w.fit.steps = 1;
    w.fit.clip_grad_norm = 0.01;
    assert_true(an_fit(&w.fit, NULL, NULL));
    double sum = 0;
    for (int64_t i = 0; i < world_length(&w); i++) {
        double d = (double)world_values(&w)[i] - (double)before[i];
        sum += d * d;
    }
    assert_float_equal((float)sqrt(sum), 0.01f, 1e-5);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_windows),
        cmocka_unit_test(test_ragged_windows),
        cmocka_unit_test(test_clipping_sees_the_whole_update),
        cmocka_unit_test(test_clipping_bounds_the_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
