/* The update kernels of every width against naive twins in double, one value at a time. */
#include "tensor/kernels/update.h"

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define MOST 1037

static const int widths[] = {128, 256, 512};
static const int64_t counts[] = {0, 1, 2, 15, 16, 17, 31, 33, 100, 255, MOST};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Calls `check` with the kernels of every width that this processor has. */
static void each_width(void (*check)(const an_update_table *kernels))
{
    for (size_t i = 0; i < COUNT(widths); i++) {
        an_context_options options = {.threads = 1, .vector_bits = widths[i]};
        an_context *context = an_context_new(&options, NULL);
        if (context) {
            check(an__kernels(context)->update);
        }
        an_context_free(context);
    }
}

/* Numbers in [-1, 1), the same in every run; some are exactly zero. */
static void fill(float *x, int64_t count, uint32_t seed)
{
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = seed % 11 == 0 ? 0 : (float)(seed >> 8) / 8388608.0f - 1;
    }
}

static void fill_positive(float *x, int64_t count, uint32_t seed)
{
    fill(x, count, seed);
    for (int64_t i = 0; i < count; i++) {
        x[i] = fabsf(x[i]);
    }
}

static void assert_near(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 4e-7 * scale)) {
        fail_msg("got %.9g, want %.9g", got, want);
    }
}

static void check_sgd(const an_update_table *kernels, int64_t count, const an_sgd_scalars *s,
                      bool buffer)
{
    float p[MOST], g[MOST], b[MOST], p0[MOST], b0[MOST];
    fill(p, MOST, 1);
    fill(g, MOST, 2);
    fill(b, MOST, 3);
    memcpy(p0, p, sizeof p);
    memcpy(b0, b, sizeof b);
    kernels->sgd(s, count, p, g, buffer ? b : NULL);
    for (int64_t i = 0; i < count; i++) {
        double d = s->sign * g[i] + s->decay * p0[i], kept = s->keep * b0[i] + s->take * d;
        double direction = !buffer ? d : s->nesterov != 0 ? d + s->nesterov * kept : kept;
        assert_near(p[i], p0[i] - s->lr * direction, 3);
        assert_near(b[i], buffer ? kept : b0[i], 3);
    }
    for (int64_t i = count; i < MOST; i++) {
        assert_true(p[i] == p0[i] && b[i] == b0[i]);
    }
}

static void sgd_of(const an_update_table *kernels)
{
    static const an_sgd_scalars all[] = {
        {.sign = 1, .keep = 0.9, .take = 1, .lr = 0.1},
        {.sign = -1, .decay = 0.25, .keep = 0.5, .take = 0.75, .lr = 0.3},
        {.sign = 1, .decay = 0.01, .keep = 0.9, .take = 1, .nesterov = 0.9, .lr = 0.5},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t k = 0; k < COUNT(counts); k++) {
            check_sgd(kernels, counts[k], &all[i], false);
            check_sgd(kernels, counts[k], &all[i], true);
        }
    }
}

static void sgd_equals_its_twin(void **state)
{
    (void)state;
    each_width(sgd_of);
}

static void check_adam(const an_update_table *kernels, int64_t count, const an_adam_scalars *s,
                       bool amsgrad)
{
    float p[MOST], g[MOST], m[MOST], v[MOST], most[MOST], p0[MOST], m0[MOST], v0[MOST], most0[MOST];
    fill(p, MOST, 1);
    fill(g, MOST, 2);
    fill(m, MOST, 3);
    fill_positive(v, MOST, 4);
    fill_positive(most, MOST, 5);
    memcpy(p0, p, sizeof p);
    memcpy(m0, m, sizeof m);
    memcpy(v0, v, sizeof v);
    memcpy(most0, most, sizeof most);
    kernels->adam(s, count, p, g, m, v, amsgrad ? most : NULL);
    for (int64_t i = 0; i < count; i++) {
        double d = s->sign * g[i] + s->decay * p0[i];
        double mean = s->keep1 * m0[i] + s->take1 * d, square = s->keep2 * v0[i] + s->take2 * d * d;
        double largest = fmax(most0[i], square), step;
        step = s->rate * mean / (sqrt(amsgrad ? largest : square) * s->correct + s->eps);
        assert_near(m[i], mean, 1);
        assert_near(v[i], square, 1);
        assert_near(most[i], amsgrad ? largest : most0[i], 1);
        assert_near(p[i], s->shrink * p0[i] - step, fmax(1, 8 * fabs(step)));
    }
    for (int64_t i = count; i < MOST; i++) {
        assert_true(p[i] == p0[i] && m[i] == m0[i] && v[i] == v0[i] && most[i] == most0[i]);
    }
}

static void adam_of(const an_update_table *kernels)
{
    static const an_adam_scalars all[] = {
        {1, 0, 1, 0.9, 0.1, 0.999, 0.001, 0.01, 31.6, 1e-3},
        {-1, 0.1, 0.99, 0.5, 0.5, 0.75, 0.25, 0.1, 2, 1e-2},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        for (size_t k = 0; k < COUNT(counts); k++) {
            check_adam(kernels, counts[k], &all[i], false);
            check_adam(kernels, counts[k], &all[i], true);
        }
    }
}

static void adam_equals_its_twin(void **state)
{
    (void)state;
    each_width(adam_of);
}

/* Whole, and in pieces cut at `cut`: the same bits. */
static void cut_of(const an_update_table *kernels)
{
    const an_adam_scalars s = {1, 0.1, 0.99, 0.9, 0.1, 0.999, 0.001, 0.01, 31.6, 1e-8};
    const an_sgd_scalars t = {1, 0.3, 0.9, 0.7, 0.9, 0.01};
    float g[MOST];
    fill(g, MOST, 2);
    for (int64_t cut = 0; cut < 40; cut++) {
        float x[2][5][MOST];
        for (int k = 0; k < 2; k++) {
            int64_t first = k == 0 ? MOST : cut, rest = MOST - first;
            fill(x[k][0], MOST, 1);
            fill(x[k][1], MOST, 3);
            fill_positive(x[k][2], MOST, 4);
            fill_positive(x[k][3], MOST, 5);
            fill(x[k][4], MOST, 6);
            float *p = x[k][0], *m = x[k][1], *v = x[k][2], *most = x[k][3], *b = x[k][4];
            kernels->adam(&s, first, p, g, m, v, most);
            kernels->adam(&s, rest, p + first, g + first, m + first, v + first, most + first);
            kernels->adam(&s, first, p, g, m, v, NULL);
            kernels->adam(&s, rest, p + first, g + first, m + first, v + first, NULL);
            kernels->sgd(&t, first, p, g, b);
            kernels->sgd(&t, rest, p + first, g + first, b + first);
            kernels->sgd(&t, first, p, g, NULL);
            kernels->sgd(&t, rest, p + first, g + first, NULL);
        }
        assert_memory_equal(x[0], x[1], sizeof x[0]);
    }
}

static void a_cut_changes_no_bit(void **state)
{
    (void)state;
    each_width(cut_of);
}

static void zeros_stay(const an_update_table *kernels)
{
    float x[5][33] = {{0}}, zero[5][33] = {{0}};
    const an_adam_scalars s = {-1, 0.1, 0.99, 0.9, 0.1, 0.999, 0.001, 0.01, 31.6, 1e-8};
    const an_sgd_scalars t = {1, 0.3, 0.9, 0.7, 0.9, 0.01};
    kernels->adam(&s, 33, x[0], x[1], x[2], x[3], x[4]);
    kernels->sgd(&t, 33, x[0], x[1], x[2]);
    kernels->scale(33, x[0], 0.5);
    for (int k = 0; k < 5; k++) {
        for (int i = 0; i < 33; i++) {
            assert_true(x[k][i] == zero[k][i]);
        }
    }
}

static void gaps_of_zeros_stay_zeros(void **state)
{
    (void)state;
    each_width(zeros_stay);
}

static double first_sum;

static void square_sum_of(const an_update_table *kernels)
{
    float x[MOST];
    fill(x, MOST, 9);
    double lane[16] = {0}, sum = 0;
    for (int64_t i = 0; i < MOST; i++) {
        lane[i % 16] += (double)x[i] * (double)x[i];
    }
    for (int j = 0; j < 16; j++) {
        sum += lane[j];
    }
    assert_true(kernels->square_sum(MOST, x) == sum);
    assert_true(first_sum == 0 || first_sum == sum);
    first_sum = sum;
    assert_true(kernels->square_sum(0, x) == 0);
    const float large[2] = {3e38f, -3e38f}, bad[3] = {1, NAN, 2};
    double square = (double)large[0] * (double)large[0];
    assert_true(kernels->square_sum(2, large) == square + square);
    assert_true(isnan(kernels->square_sum(3, bad)));
}

static void square_sum_is_the_same_in_every_width(void **state)
{
    (void)state;
    first_sum = 0;
    each_width(square_sum_of);
    assert_true(first_sum > 0);
}

static void scale_of(const an_update_table *kernels)
{
    for (size_t k = 0; k < COUNT(counts); k++) {
        float x[MOST], x0[MOST];
        fill(x, MOST, 7);
        memcpy(x0, x, sizeof x);
        kernels->scale(counts[k], x, 0.3);
        for (int64_t i = 0; i < MOST; i++) {
            assert_true(x[i] == (i < counts[k] ? 0.3f * x0[i] : x0[i]));
        }
    }
}

static void scale_multiplies(void **state)
{
    (void)state;
    each_width(scale_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_equals_its_twin),
        cmocka_unit_test(adam_equals_its_twin),
        cmocka_unit_test(a_cut_changes_no_bit),
        cmocka_unit_test(gaps_of_zeros_stay_zeros),
        cmocka_unit_test(square_sum_is_the_same_in_every_width),
        cmocka_unit_test(scale_multiplies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
