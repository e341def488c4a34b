/*
 * The three products of convolutions against plain loops in double, for every width and both
 * methods, at sizes that are cut into blocks, parts and chunks.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tensor/kernels/conv.h"

enum { CONTEXTS = 5 };

static an_context *contexts[CONTEXTS];

static int setup(void **state)
{
    (void)state;
#ifndef __SANITIZE_THREAD__ /* one thread races with nobody, and takes minutes there */
    for (int i = 0; i < 3; i++)
        contexts[i] =
            an_context_new(&(an_context_options){.threads = 1, .vector_bits = 128 << i}, NULL);
#endif
    contexts[3] = an_context_new(&(an_context_options){.threads = 2}, NULL);
    contexts[4] = an_context_new(&(an_context_options){.threads = 3}, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < CONTEXTS; i++)
        an_context_free(contexts[i]);
    return 0;
}

/* A convolution, its operands as floats, and what the products must be. */
typedef struct example {
    an_conv conv;
    int64_t x_size, y_size, w_size, bias_size;
    float *x, *dy, *w, *bias;
    double *y, *dx, *dw;
} example;

static float *values(int64_t count, uint64_t stream)
{
    float *data = malloc((size_t)(count + 1) * sizeof *data);
    assert_non_null(data);
    an_rng rng = an_rng_init(7, stream);
    an_rng_fill_uniform(&rng, data, count, -1, 1);
    return data;
}

static double *zeros(int64_t count)
{
    double *data = calloc((size_t)count + 1, sizeof *data);
    assert_non_null(data);
    return data;
}

/* One output value: its sum, and its share of both gradients. */
static void compute_one(example *e, int64_t plane, int64_t f, int64_t i, int64_t j)
{
    const an_conv *g = &e->conv;
    const int64_t group = plane % g->groups;
    const int64_t at = ((plane * g->features + f) * g->out_size[0] + i) * g->out_size[1] + j;
    double sum = (double)e->bias[group * g->features + f];
    for (int64_t c = 0; c < g->channels; c++)
        for (int64_t u = 0; u < g->kernel[0]; u++)
            for (int64_t v = 0; v < g->kernel[1]; v++) {
                const int64_t row = i * g->stride[0] - g->padding[0] + u * g->dilation[0];
                const int64_t column = j * g->stride[1] - g->padding[1] + v * g->dilation[1];
                if (row < 0 || column < 0 || row >= g->size[0] || column >= g->size[1])
                    continue;
                const int64_t p =
                    ((plane * g->channels + c) * g->size[0] + row) * g->size[1] + column;
                const int64_t k =
                    (((group * g->features + f) * g->channels + c) * g->kernel[0] + u) *
                        g->kernel[1] +
                    v;
                sum += (double)e->x[p] * (double)e->w[k];
                e->dx[p] += (double)e->dy[at] * (double)e->w[k];
                e->dw[k] += (double)e->dy[at] * (double)e->x[p];
            }
    e->y[at] = sum;
}

static void example_new(example *e, an_conv conv)
{
    for (int axis = 0; axis < 2; axis++)
        conv.out_size[axis] = (conv.size[axis] + 2 * conv.padding[axis] -
                               conv.dilation[axis] * (conv.kernel[axis] - 1) - 1) /
                                  conv.stride[axis] +
                              1;
    const int64_t planes = conv.images * conv.groups;
    *e = (example){.conv = conv};
    e->bias_size = conv.groups * conv.features;
    e->w_size = e->bias_size * conv.channels * conv.kernel[0] * conv.kernel[1];
    e->x_size = planes * conv.channels * conv.size[0] * conv.size[1];
    e->y_size = planes * conv.features * conv.out_size[0] * conv.out_size[1];
    e->x = values(e->x_size, 1);
    e->dy = values(e->y_size, 2);
    e->w = values(e->w_size, 3);
    e->bias = values(e->bias_size, 4);
    e->y = zeros(e->y_size);
    e->dx = zeros(e->x_size);
    e->dw = zeros(e->w_size);
    for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t f = 0; f < conv.features; f++)
            for (int64_t i = 0; i < conv.out_size[0]; i++)
                for (int64_t j = 0; j < conv.out_size[1]; j++)
                    compute_one(e, plane, f, i, j);
}

static void example_free(example *e)
{
    free(e->x);
    free(e->dy);
    free(e->w);
    free(e->bias);
    free(e->y);
    free(e->dx);
    free(e->dw);
}

/*
 * `got` started as `before` where the product was to be added. The error may grow with the largest
 * value and, a little, with the number of terms, which may cancel.
 */
static void close_to(const char *what, const an_conv *g, const float *got, const double *want,
                     int64_t count, double before)
{
    double top = 1 + 0.02 * (double)(g->channels * g->kernel[0] * g->kernel[1]);
    for (int64_t i = 0; i < count; i++)
        top = fmax(top, fabs(want[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - before - want[i]) <= 2e-6 * top))
            fail_msg("%s[%lld] is %.9g, not %.9g: %lldx%lld of %lldx%lld, %lld to %lld channels",
                     what, (long long)i, (double)got[i], want[i] + before, (long long)g->kernel[0],
                     (long long)g->kernel[1], (long long)g->size[0], (long long)g->size[1],
                     (long long)g->channels, (long long)g->features);
}

static int64_t largest_space(const an_context *context, const an_conv *conv)
{
    const int64_t each[] = {an__conv_forward_space(context, conv),
                            an__conv_data_space(context, conv),
                            an__conv_weight_space(context, conv)};
    int64_t most = 0;
    for (int i = 0; i < 3; i++)
        most = each[i] > most ? each[i] : most;
    return most;
}

static float *filled(int64_t count, float value)
{
    float *data = malloc((size_t)(count + 1) * sizeof *data);
    assert_non_null(data);
    for (int64_t i = 0; i <= count; i++)
        data[i] = value;
    return data;
}

/* What lies behind a result is not touched. */
static void untouched(const float *data, int64_t count, float value)
{
    assert_memory_equal(&data[count], &value, sizeof value);
}

static void check(an_context *context, const example *e, bool add)
{
    const an_conv *g = &e->conv;
    const float before = add ? 1 : NAN;
    const size_t bytes = (size_t)(largest_space(context, g) + 16) / 16 * 64;
    float *space = aligned_alloc(64, bytes);
    assert_non_null(space);
    memset(space, 0xff, bytes); /* NaN: nothing may be taken for zero */
    float *y = filled(e->y_size, before), *dx = filled(e->x_size, before);
    float *dw = filled(e->w_size, before);
    an__conv_forward(context, g, e->x, e->w, e->bias, AN_EPILOGUE_IDENTITY, y, add, space);
    an__conv_data(context, g, e->dy, e->w, dx, add, space);
    an__conv_weight(context, g, e->x, e->dy, dw, add, space);
    close_to("y", g, y, e->y, e->y_size, add);
    close_to("dx", g, dx, e->dx, e->x_size, add);
    close_to("dw", g, dw, e->dw, e->w_size, add);
    untouched(y, e->y_size, before);
    untouched(dx, e->x_size, before);
    untouched(dw, e->w_size, before);
    free(space);
    free(y);
    free(dx);
    free(dw);
}

static const an_conv convs[] = {
    /* minimal filtering: one block, several, ragged channels, groups, all paddings */
    {3, 1, 8, 16, {9, 11}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {2, 1, 33, 64, {26, 26}, {0}, {3, 3}, {1, 1}, {1, 1}, {0, 0}},
    {17, 2, 9, 10, {7, 5}, {0}, {3, 3}, {1, 1}, {1, 1}, {2, 1}},
    {1, 1, 70, 90, {21, 20}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 2}},
    /* the same with many channels: one chunk, several chunks and blocks, ragged, groups */
    {3, 1, 140, 130, {6, 5}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
#ifndef __SANITIZE_THREAD__ /* takes minutes there */
    {2, 1, 20, 850, {50, 34}, {0}, {3, 3}, {1, 1}, {1, 1}, {0, 1}},
#endif
    {2, 2, 133, 129, {4, 7}, {0}, {3, 3}, {1, 1}, {1, 1}, {2, 1}},
    /* direct: chunks of channels, long rows, every setting */
    {17, 1, 1, 6, {28, 28}, {0}, {5, 5}, {1, 1}, {1, 1}, {2, 2}},
    {2, 1, 30, 17, {12, 13}, {0}, {5, 4}, {1, 1}, {1, 1}, {0, 3}},
    {1, 1, 300, 20, {5, 5}, {0}, {5, 5}, {1, 1}, {1, 1}, {2, 2}},
    {3, 3, 5, 7, {11, 9}, {0}, {3, 5}, {2, 3}, {2, 1}, {1, 4}},
    {2, 1, 3, 4, {10, 12}, {0}, {3, 3}, {3, 1}, {1, 2}, {4, 4}},
    {1, 4, 1, 1, {30, 31}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {4, 6, 1, 2, {20, 35}, {0}, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
    /* few features of 3x3: rows by fours and eights, the last again, chunks, a row too few */
    {2, 1, 30, 2, {5, 40}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
    {2, 3, 1, 2, {11, 12}, {0}, {3, 3}, {1, 1}, {1, 1}, {0, 2}},
    {2, 2, 3, 1, {14, 34}, {0}, {3, 3}, {1, 1}, {1, 1}, {1, 0}},
    {2, 5, 1, 1, {5, 7}, {0}, {3, 3}, {1, 1}, {1, 1}, {0, 0}},
    {2, 1, 300, 1, {9, 21}, {0}, {5, 5}, {1, 1}, {1, 1}, {2, 2}},
    {1, 1, 2, 3, {3, 700}, {0}, {2, 40}, {1, 1}, {1, 2}, {0, 50}},
    {2, 1, 2, 9, {64, 65}, {0}, {7, 7}, {2, 2}, {1, 1}, {3, 3}},
    {1, 1, 1, 1, {260, 258}, {0}, {256, 256}, {1, 1}, {1, 1}, {0, 0}},
    {1, 1, 1, 2, {258, 290}, {0}, {250, 256}, {2, 5}, {1, 1}, {0, 0}},
    /* features in the lanes, in chunks; phases of dx: without taps, more than pixels, few rows */
    {2, 1, 32, 20, {9, 10}, {0}, {3, 3}, {2, 2}, {1, 1}, {1, 1}},
    {2, 2, 16, 130, {13, 14}, {0}, {5, 3}, {2, 2}, {1, 2}, {2, 1}},
    {3, 1, 6, 16, {14, 14}, {0}, {5, 5}, {1, 1}, {1, 1}, {0, 0}},
    {2, 2, 24, 16, {9, 11}, {0}, {5, 3}, {1, 1}, {1, 1}, {0, 0}},
    {1, 1, 17, 3, {20, 18}, {0}, {3, 3}, {4, 4}, {2, 2}, {2, 1}},
    {1, 2, 2, 3, {9, 9}, {0}, {3, 3}, {3, 3}, {3, 3}, {0, 2}},
    {2, 1, 3, 2, {4, 5}, {0}, {2, 2}, {7, 9}, {1, 1}, {1, 0}},
    {3, 2, 20, 18, {9, 8}, {0}, {1, 1}, {2, 2}, {1, 1}, {0, 0}},
    {2, 1, 5, 4, {7, 6}, {0}, {1, 1}, {2, 1}, {1, 1}, {0, 0}},
    /* single pixels: rows are joined, and not; products: blocks, parts, groups */
    {19, 1, 40, 33, {30, 28}, {0}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
    {2, 3, 17, 16, {3, 5}, {0}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
    {1, 1, 210, 20, {1, 37}, {0}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
    {2, 1, 12, 5, {6, 7}, {0}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
    {2, 1, 20, 33, {31, 40}, {0}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
    {2, 1, 3, 4, {5, 5}, {0}, {1, 1}, {2, 2}, {1, 1}, {1, 1}},
    {1, 1, 4, 3, {1, 1}, {0}, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
};

static void check_everywhere(an_conv conv)
{
    example e;
    example_new(&e, conv);
    for (int c = 0; c < CONTEXTS; c++)
        if (contexts[c]) { /* the processor has the width */
            check(contexts[c], &e, false);
            check(contexts[c], &e, true);
        }
    example_free(&e);
}

static void test_against_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++)
        check_everywhere(convs[i]);
}

/* Features that are one vector: a tile has neighbours of two rows, as many as a row has. */
static void test_one_vector_of_features(void **state)
{
    (void)state;
    for (int64_t features = 4; features <= 16; features *= 2)
        for (int64_t width = 5; width <= 20; width++)
            check_everywhere((an_conv){.images = 1,
                                       .groups = 1,
                                       .channels = 2,
                                       .features = features,
                                       .size = {9, width},
                                       .kernel = {5, 5},
                                       .stride = {1, 1},
                                       .dilation = {1, 1}});
}

/* Without images there is nothing to compute but a gradient of zeros. */
static void test_no_images(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        example e;
        an_conv none = convs[i];
        none.images = 0;
        example_new(&e, none);
        check(contexts[3], &e, false);
        check(contexts[3], &e, true);
        example_free(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_loops),
        cmocka_unit_test(test_one_vector_of_features),
        cmocka_unit_test(test_no_images),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
