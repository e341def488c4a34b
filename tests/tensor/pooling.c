/* Pooling against plain loops in double, for every width, at sizes beyond one run of windows. */
#include "tensor/kernels/pooling.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PLANES = 3, GUARD = 1000 }; /* GUARD floats behind what is written stay as they are */

/* Size, kernel, stride, padding, divisor; the rest follows. */
static const an_pooling forms[] = {
    {{6, 1030}, {0}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 0, false, false},
    {{5, 600}, {0}, {2, 5}, {1, 1}, {0, 2}, {1, 1}, 0, false, false},
    {{9, 300}, {0}, {1, 64}, {2, 2}, {0, 31}, {1, 1}, 0, true, false},
    {{9, 300}, {0}, {2, 33}, {1, 1}, {1, 4}, {1, 1}, 5, false, false},
    {{4, 90}, {0}, {3, 80}, {1, 1}, {0, 40}, {1, 1}, 0, false, false},
    {{7, 7}, {0}, {7, 7}, {7, 7}, {0, 0}, {1, 1}, 0, false, false},
    {{7, 40}, {0}, {5, 29}, {9, 30}, {0, 0}, {1, 1}, 0, false, false},
    {{19, 30}, {0}, {19, 30}, {1, 1}, {0, 0}, {1, 1}, 0, false, false},
    {{3, 4}, {0}, {4, 5}, {3, 3}, {1, 1}, {1, 1}, 0, true, false},
    {{9, 17}, {0}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, 0, false, false},
    {{11, 50}, {0}, {3, 2}, {3, 3}, {1, 1}, {1, 1}, 0, false, false},
    {{13, 57}, {0}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 0, true, false},
    {{70, 31}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 0, false, false},
    {{12, 56}, {0}, {3, 3}, {2, 2}, {0, 0}, {1, 1}, 0, false, false},
    {{9, 300}, {0}, {4, 16}, {2, 2}, {2, 8}, {1, 1}, 0, true, false},
};

/* More of them for maxima, some with dilation. */
static const an_pooling max_forms[] = {
    {{9, 57}, {0}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 0, false, false},
    {{8, 56}, {0}, {3, 3}, {2, 2}, {0, 0}, {1, 1}, 0, false, false},
    {{8, 33}, {0}, {2, 3}, {2, 2}, {1, 0}, {1, 1}, 0, false, false},
    {{6, 600}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 0, false, false},
    {{60, 70}, {0}, {3, 3}, {1, 2}, {1, 1}, {1, 1}, 0, false, false},
    {{9, 50}, {0}, {3, 4}, {1, 2}, {1, 2}, {2, 3}, 0, false, false},
    {{2, 40}, {0}, {2, 3}, {1, 1}, {1, 1}, {3, 2}, 0, false, false},
    {{20, 40}, {0}, {16, 16}, {3, 1}, {8, 8}, {1, 1}, 0, false, false},
};

static an_pooling form_of(an_pooling p)
{
    for (int axis = 0; axis < 2; axis++)
        p.out_size[axis] =
            (p.size[axis] + 2 * p.padding[axis] - p.dilation[axis] * (p.kernel[axis] - 1) - 1) /
                p.stride[axis] +
            1;
    return p;
}

/* The values of one window in the plane: their number, sum and largest; or adds d to each. */
typedef struct seen {
    int64_t count;
    double sum, most;
} seen;

static seen walk(const an_pooling *p, int64_t i, int64_t j, const float *x, double d, double *dx)
{
    seen s = {.most = -INFINITY};
    for (int64_t u = 0; u < p->kernel[0]; u++)
        for (int64_t v = 0; v < p->kernel[1]; v++) {
            const int64_t row = i * p->stride[0] - p->padding[0] + u;
            const int64_t column = j * p->stride[1] - p->padding[1] + v;
            if (row < 0 || row >= p->size[0] || column < 0 || column >= p->size[1])
                continue;
            const int64_t at = row * p->size[1] + column;
            s.count++;
            s.sum += (double)x[at];
            s.most = fmax(s.most, (double)x[at]);
            dx[at] += d;
        }
    return s;
}

static float *values(int64_t count)
{
    float *data = malloc((size_t)(count + GUARD) * sizeof *data);
    assert_non_null(data);
    an_rng rng = an_rng_init(9, 0);
    an_rng_fill_uniform(&rng, data, count + GUARD, -1, 1);
    return data;
}

static double divisor(const an_pooling *p, seen s)
{
    const int64_t all = p->kernel[0] * p->kernel[1];
    return (double)(p->divisor ? p->divisor : p->exclude_padding ? s.count : all);
}

/* y, dx and what stood behind them, of PLANES planes. */
static void check(const an_pooling_table *kernels, const an_pooling *p, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    float *x = values(PLANES * in), *y = values(PLANES * out), *top = values(PLANES * out);
    float *dy = values(PLANES * out), *dx = values(PLANES * in), *old = values(PLANES * in);
    double *want = calloc((size_t)(PLANES * in), sizeof *want);
    assert_non_null(want);
    kernels->mean(p, 0, PLANES, x, y);
    kernels->max(p, 0, PLANES, x, top, NULL);
    kernels->mean_backward(p, 0, PLANES, dy, dx, add);
    for (int64_t i = 0; i < PLANES * out; i++) {
        const int64_t plane = i / out, row = i % out / p->out_size[1], column = i % p->out_size[1];
        const seen s = walk(p, row, column, x + plane * in, 0, want + plane * in);
        assert_float_equal(y[i], (float)(s.sum / divisor(p, s)), 1e-6);
        assert_float_equal(top[i], (float)s.most, 0);
        walk(p, row, column, x, (double)dy[i] / divisor(p, s), want + plane * in);
    }
    for (int64_t i = 0; i < PLANES * in; i++)
        assert_float_equal(dx[i], (float)(want[i] + (add ? (double)old[i] : 0)), 1e-5);
    float *fresh = values(PLANES * out);
    assert_memory_equal(y + PLANES * out, fresh + PLANES * out, GUARD * sizeof *y);
    assert_memory_equal(dx + PLANES * in, old + PLANES * in, GUARD * sizeof *dx);
    float *const all[] = {x, y, top, dy, dx, old, fresh};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(want);
}

/* Where in the plane the maximum of a window lies: the last NaN, or the first of the greatest. -1:
 * it sees nothing of the plane. */
static int64_t top_of(const an_pooling *p, int64_t i, int64_t j, const float *x, int64_t *value)
{
    int64_t best = -1;
    for (int64_t u = 0; u < p->kernel[0]; u++)
        for (int64_t v = 0; v < p->kernel[1]; v++) {
            const int64_t row = i * p->stride[0] - p->padding[0] + u * p->dilation[0];
            const int64_t column = j * p->stride[1] - p->padding[1] + v * p->dilation[1];
            if (row < 0 || row >= p->size[0] || column < 0 || column >= p->size[1])
                continue;
            const int64_t at = row * p->size[1] + column;
            if (best < 0 || x[at] > x[best] || isnan(x[at])) {
                best = at;
                *value = u * p->kernel[1] + v;
            }
        }
    return best;
}

/* Few different values; the second plane has NaN, the last is -infinity all over. */
static float *planes_of(int64_t in)
{
    float *x = values(PLANES * in);
    for (int64_t i = 0; i < PLANES * in; i++)
        x[i] = i < in * (PLANES - 1) ? roundf(4 * x[i]) : -INFINITY;
    for (int64_t i = in; i < 2 * in; i += 7)
        x[i] = NAN;
    return x;
}

static void check_max(const an_pooling_table *kernels, const an_pooling *p, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    float *x = planes_of(in), *y = values(PLANES * out), *dy = values(PLANES * out);
    float *dx = values(PLANES * in), *old = values(PLANES * in);
    double *want = calloc((size_t)(PLANES * in), sizeof *want);
    uint16_t *where = malloc((size_t)(PLANES * out + 1) * sizeof *where);
    assert_non_null(want);
    assert_non_null(where);
    where[PLANES * out] = 4711;
    kernels->max(p, 0, PLANES, x, y, where);
    kernels->max_backward(p, 0, PLANES, dy, where, dx, add);
    for (int64_t i = 0; i < PLANES * out; i++) {
        const int64_t plane = i / out * in, row = i % out / p->out_size[1];
        int64_t value = 0;
        const int64_t top = top_of(p, row, i % p->out_size[1], x + plane, &value);
        assert_true(top < 0 ? isinf(y[i])
                            : where[i] == value && memcmp(&y[i], x + plane + top, 4) == 0);
        if (top >= 0)
            want[plane + top] += (double)dy[i];
    }
    for (int64_t i = 0; i < PLANES * in; i++)
        assert_float_equal(dx[i], (float)(want[i] + (add ? (double)old[i] : 0)), 1e-5);
    assert_int_equal(where[PLANES * out], 4711);
    assert_memory_equal(y + PLANES * out, dy + PLANES * out, GUARD * sizeof *y);
    assert_memory_equal(dx + PLANES * in, old + PLANES * in, GUARD * sizeof *dx);
    float *const all[] = {x, y, dy, dx, old};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(want);
    free(where);
}

static void check_maxima(const an_pooling_table *kernels, const an_pooling *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const an_pooling p = form_of(list[i]);
        check_max(kernels, &p, false);
        check_max(kernels, &p, true);
    }
}

static void test_against_loops(void **state)
{
    (void)state;
    for (int bits = 128; bits <= 512; bits *= 2) {
        an_context *context =
            an_context_new(&(an_context_options){.threads = 1, .vector_bits = bits}, NULL);
        for (size_t i = 0; context && i < sizeof forms / sizeof *forms; i++) {
            const an_pooling p = form_of(forms[i]);
            check(an__kernels(context)->pooling, &p, false);
            check(an__kernels(context)->pooling, &p, true);
        }
        if (context) {
            const an_pooling_table *kernels = an__kernels(context)->pooling;
            check_maxima(kernels, forms, sizeof forms / sizeof *forms);
            check_maxima(kernels, max_forms, sizeof max_forms / sizeof *max_forms);
        }
        an_context_free(context); /* NULL where the processor lacks the width */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
