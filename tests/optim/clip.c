/* The joint norm of gradients, and clipping by it. */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define BIG 300007

static an_params *make_params(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    assert_non_null(an_params_add(params, "a", an_shape_1(3), NULL));
    assert_non_null(an_params_add(params, "b", an_shape_1(BIG), NULL));
    assert_non_null(an_params_add(params, "c", an_shape_1(2), NULL));
    assert_true(an_params_build(params, NULL));
    return params;
}

static void put(an_params *params, size_t index, double value)
{
    an_tensor *tensor = an_params_get(params, index)->tensor;
    tensor->has_grad = !isnan(value);
    for (int64_t i = 0; i < tensor->size; i++) {
        tensor->grad[i] = isnan(value) ? 1e30f : (float)value;
    }
}

static void assert_grad(an_params *params, size_t index, double value)
{
    const an_tensor *tensor = an_params_get(params, index)->tensor;
    for (int64_t i = 0; i < tensor->size; i++) {
        if (!(fabs(tensor->grad[i] - value) <= 1e-6 * fabs(value))) {
            fail_msg("gradient %d[%d] is %g, not %g", (int)index, (int)i, tensor->grad[i], value);
        }
    }
}

static void each_thread_count(void (*check)(an_params *params))
{
    for (int threads = 1; threads <= 3; threads++) {
        an_context_options options = {.threads = threads};
        an_context *context = an_context_new(&options, NULL);
        an_params *params = make_params(context);
        check(params);
        an_params_free(params);
        an_context_free(context);
    }
}

static void clips(an_params *params)
{
    put(params, 0, 2);
    put(params, 1, 0.5);
    put(params, 2, -3);
    double norm = sqrt(3 * 4 + BIG * 0.25 + 2 * 9);
    assert_true(fabs(an_clip_grad_norm(params, INFINITY) - norm) < 1e-9 * norm);
    assert_true(fabs(an_clip_grad_norm(params, 2 * norm) - norm) < 1e-9 * norm);
    assert_grad(params, 0, 2);
    assert_true(fabs(an_clip_grad_norm(params, 10) - norm) < 1e-9 * norm);
    double factor = 10 / (norm + 1e-6);
    assert_grad(params, 0, 2 * factor);
    assert_grad(params, 1, 0.5 * factor);
    assert_grad(params, 2, -3 * factor);
    assert_true(fabs(an_clip_grad_norm(params, 0) - 10) < 1e-5);
    assert_grad(params, 2, -3 * factor);
}

static void large_norms_are_cut(void **state)
{
    (void)state;
    each_thread_count(clips);
}

static void skips_absent(an_params *params)
{
    put(params, 0, 3);
    put(params, 1, NAN);
    put(params, 2, 4);
    double norm = sqrt(27 + 32);
    assert_true(fabs(an_clip_grad_norm(params, 1) - norm) < 1e-9);
    assert_grad(params, 0, 3 / norm);
    assert_grad(params, 1, 1e30);
    assert_grad(params, 2, 4 / norm);
    an_params_zero_grad(params);
    assert_true(an_clip_grad_norm(params, 1) == 0);
}

static void absent_gradients_do_not_count(void **state)
{
    (void)state;
    each_thread_count(skips_absent);
}

static void keeps_non_finite(an_params *params)
{
    static const float bad[] = {INFINITY, NAN};
    for (int k = 0; k < 2; k++) {
        put(params, 0, 3);
        put(params, 1, 1);
        put(params, 2, 4);
        an_params_get(params, 1)->tensor->grad[BIG - 1] = bad[k];
        assert_true(!isfinite(an_clip_grad_norm(params, 1)));
        assert_grad(params, 0, 3);
        assert_grad(params, 2, 4);
    }
}

static void gradients_that_are_not_finite_stay(void **state)
{
    (void)state;
    each_thread_count(keeps_non_finite);
}

static void limits(an_params *params)
{
    put(params, 0, 3);
    put(params, 1, -0.5);
    put(params, 2, NAN);
    an_tensor *b = an_params_get(params, 1)->tensor;
    b->grad[5] = -7;
    b->grad[BIG - 1] = INFINITY;
    b->grad[9] = NAN;
    an_clip_grad_value(params, -1);
    an_clip_grad_value(params, NAN);
    assert_grad(params, 0, 3);
    an_clip_grad_value(params, 2);
    assert_grad(params, 0, 2);
    assert_true(b->grad[0] == -0.5f && b->grad[5] == -2 && b->grad[BIG - 1] == 2);
    assert_true(isnan(b->grad[9]));
    assert_grad(params, 2, 1e30);
}

static void values_are_limited(void **state)
{
    (void)state;
    each_thread_count(limits);
}

static double norms[3];
static int norm_count;

static void uneven_norm(an_params *params)
{
    put(params, 0, 0.1);
    put(params, 2, 0.7);
    an_tensor *b = an_params_get(params, 1)->tensor;
    b->has_grad = true;
    for (int64_t i = 0; i < BIG; i++) {
        b->grad[i] = (float)((i * 7919) % 1013) / 97 - 5;
    }
    norms[norm_count++] = an_clip_grad_norm(params, INFINITY);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    norm_count = 0;
    each_thread_count(uneven_norm);
    assert_true(norms[0] == norms[1] && norms[0] == norms[2] && norms[0] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_norms_are_cut),
        cmocka_unit_test(absent_gradients_do_not_count),
        cmocka_unit_test(gradients_that_are_not_finite_stay),
        cmocka_unit_test(values_are_limited),
        cmocka_unit_test(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
