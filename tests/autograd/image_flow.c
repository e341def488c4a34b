/*
 * Images: what a user can do wrong, one sentence each; NaN and infinity in pools; memory: every
 * allocation of a step fails once, and in the steady state a step allocates nothing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <anneal/autograd.h>

#include "../base/failing_allocator.h"
#include "limited.h"

typedef struct fixture {
    an_context *context;
    an_graph *graph;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.context = an_context_new(
        &(an_context_options){.threads = 1, .allocator = {limited_resize, NULL}}, NULL);
    f.graph = an_graph_new(f.context, NULL);
    *state = &f;
    return f.graph ? 0 : 1;
}

static int teardown(void **state)
{
    fixture *f = *state;
    an_graph_free(f->graph);
    an_context_free(f->context);
    return 0;
}

/* `result` is poisoned, and the graph's error has this code and message. Starts a new step. */
static void expect(fixture *f, an_tensor *result, an_error_code code, const char *message)
{
    an_error err = {0};
    assert_true(isnan(an_item(result)));
    assert_true(an_graph_error(f->graph, &err));
    if (err.code != code || !strstr(err.message, message))
        fail_msg("expected \"%s\", got \"%s\" (%s)", message, err.message, an_error_text(err.code));
    assert_false(an_graph_reset(f->graph, NULL));
}

static an_tensor *full(fixture *f, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return an_full(f->graph, an_shape_4(a, b, c, d), 1);
}

static void test_convolutions_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    expect(f, an_conv2d(g, an_full(g, an_shape_3(3, 5, 5), 1), full(f, 2, 3, 3, 3), NULL, NULL),
           AN_ERROR_SHAPE,
           "conv2d: the image must be (n, channels, height, width) and the weight have four "
           "dimensions, but they are (3, 5, 5) and (2, 3, 3, 3)");
    expect(f, an_conv2d(g, full(f, 1, 4, 5, 5), full(f, 2, 3, 3, 3), NULL, NULL), AN_ERROR_SHAPE,
           "conv2d: takes (n, 3, height, width) but gets (1, 4, 5, 5); the weight is (2, 3, 3, 3)");
    expect(
        f,
        an_conv2d(g, full(f, 1, 3, 5, 5), full(f, 2, 3, 3, 3), an_full(g, an_shape_1(3), 1), NULL),
        AN_ERROR_SHAPE, "conv2d: the bias must be (2,) but has shape (3,)");
    expect(f, an_conv2d(g, full(f, 1, 3, 5, 2), full(f, 2, 3, 3, 3), NULL, NULL), AN_ERROR_SHAPE,
           "conv2d: a kernel of width 3 (with dilation 1) does not fit into an image of width 2 "
           "with padding 0: the image is (1, 3, 5, 2)");
    expect(f, an_pad2d(g, full(f, 1, 1, 3, 2), (an_pad2d_options){{0, 2}, {0, 0}, AN_PAD_REFLECT}),
           AN_ERROR_ARGUMENT,
           "pad2d: 'reflect' takes a padding of 0 to 1 for (1, 1, 3, 2), got 2 and 0");
    expect(f, an_pad2d(g, full(f, 1, 1, 3, 2), (an_pad2d_options){{0, 0}, {0, 3}, AN_PAD_CIRCULAR}),
           AN_ERROR_ARGUMENT, "pad2d: 'circular' takes a padding of 0 to 2");
    expect(f, an_pad2d(g, full(f, 1, 1, 3, 0), (an_pad2d_options){0}), AN_ERROR_SHAPE,
           "pad2d: takes (n, channels, height, width) but gets (1, 1, 3, 0)");
    an_conv2d_options same = {.same = true, .stride = {2, 1}, .padding_mode = AN_PAD_CIRCULAR};
    expect(f, an_conv2d(g, full(f, 1, 3, 5, 5), full(f, 2, 3, 3, 3), NULL, &same),
           AN_ERROR_ARGUMENT, "conv2d: padding 'same' needs stride 1");
    expect(f, an_conv2d(g, full(f, 1, 3, 0, 5), full(f, 2, 3, 1, 1), NULL, NULL), AN_ERROR_SHAPE,
           "image of height 0");
    expect(f, an_conv2d(g, full(f, 1, 3, 5, 5), full(f, 0, 3, 3, 3), NULL, NULL), AN_ERROR_SHAPE,
           "conv2d: the weight's dimensions must be at least 1");
    expect(f, an_conv2d(g, full(f, 1, 1, 1, 1), full(f, 1, 1, 257, 256), NULL, NULL),
           AN_ERROR_SHAPE, "a kernel's values at most 65536");
    expect(f, an_conv_transpose2d(g, full(f, 1, 3, 5, 5), full(f, 2, 3, 3, 3), NULL, NULL),
           AN_ERROR_SHAPE, "conv_transpose2d: takes (n, 2, height, width) but gets (1, 3, 5, 5)");
    expect(f,
           an_conv_transpose2d(g, full(f, 1, 2, 1, 1), full(f, 2, 3, 1, 1), NULL,
                               &(an_conv_transpose2d_options){.padding = {0, 1}}),
           AN_ERROR_SHAPE, "conv_transpose2d: the result would have width -1");
}

static void test_settings_that_cannot_be(void **state)
{
    fixture *f = *state;
    const struct {
        an_conv2d_options options;
        const char *message;
    } cases[] = {
        {{.stride = {-1, 1}}, "got stride -1, dilation 1 and padding 0"},
        {{.dilation = {1, 65537}}, "conv2d: stride and dilation must be 1 to 65536"},
        {{.padding = {0, -2}}, "padding 0 to 65536"},
        {{.groups = -1}, "groups must be at least 1, got -1"},
        {{.groups = 3}, "the weight's first dimension must be divisible by groups=3"},
        {{.same = true, .stride = {2, 1}}, "padding 'same' needs stride 1"},
        {{.activation = (an_activation)9}, "there is no activation 9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_tensor *y =
            an_conv2d(f->graph, full(f, 1, 4, 9, 9), full(f, 4, 4, 3, 3), NULL, &cases[i].options);
        an_error err = {0};
        assert_true(an_graph_error(f->graph, &err));
        expect(f, y, err.code, cases[i].message);
    }
    const an_conv_transpose2d_options more = {.output_padding = {0, 1}};
    expect(f, an_conv_transpose2d(f->graph, full(f, 1, 2, 4, 4), full(f, 2, 3, 3, 3), NULL, &more),
           AN_ERROR_ARGUMENT, "output_padding must be at least 0 and below stride or dilation");
}

static void test_pools_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    expect(f, an_max_pool2d(g, full(f, 1, 1, 4, 4), NULL), AN_ERROR_ARGUMENT,
           "max_pool2d: kernel must be 1 to 65536, got 0");
    expect(f, an_max_pool2d(g, an_scalar(g, 1), &(an_pool2d_options){.kernel = {2, 2}}),
           AN_ERROR_SHAPE, "max_pool2d: takes (n, channels, height, width) but gets ()");
    expect(f, an_avg_pool2d(g, full(f, 1, 1, 4, 3), &(an_pool2d_options){.kernel = {2, 4}}),
           AN_ERROR_SHAPE,
           "avg_pool2d: a kernel of 4 (with dilation 1) does not fit into an image of "
           "(1, 1, 4, 3) with padding 0");
    expect(f,
           an_avg_pool2d(g, full(f, 1, 1, 4, 4),
                         &(an_pool2d_options){.kernel = {3, 3}, .padding = {1, 2}}),
           AN_ERROR_ARGUMENT, "padding must be 0 to half of the kernel, 1, got 2");
    expect(f,
           an_avg_pool2d(g, full(f, 1, 1, 4, 4),
                         &(an_pool2d_options){.kernel = {2, 2}, .dilation = {2, 1}}),
           AN_ERROR_ARGUMENT, "avg_pool2d: there is no dilation here");
    expect(f,
           an_max_pool2d(g, full(f, 1, 1, 4, 4),
                         &(an_pool2d_options){.kernel = {2, 2}, .stride = {-1, 1}}),
           AN_ERROR_ARGUMENT, "stride and dilation must be 1 to 65536, got -1 and 1");
    expect(f, an_max_pool2d(g, full(f, 1, 1, 300, 300), &(an_pool2d_options){.kernel = {257, 256}}),
           AN_ERROR_ARGUMENT, "a window may have 65536 values at most, got 257 times 256");
    expect(f, an_adaptive_avg_pool2d(g, full(f, 1, 1, 4, 4), -1, 1), AN_ERROR_ARGUMENT,
           "adaptive_avg_pool2d: sizes must be at least 1");
    expect(f, an_adaptive_avg_pool2d(g, full(f, 1, 1, 4, 0), 1, 1), AN_ERROR_SHAPE,
           "adaptive_avg_pool2d: takes (n, channels, height, width) but gets (1, 1, 4, 0)");
    /* More than there is memory for. */
    expect(f, an_adaptive_avg_pool2d(g, full(f, 1, 1, 1, 1), 2000000, 2000000), AN_ERROR_MEMORY,
           "memory ran out");
}

/* NaN wins, the first of equals gets the gradient; both for windows of 2x2 and for others. */
static void test_nan_and_equals_in_max_pool(void **state)
{
    fixture *f = *state;
    const float inf = INFINITY;
    const float x[] = {1, NAN, -inf, -inf, 2, 3, -inf, -inf, 5, 5, 0, -0.0f, 5, 5, -1, 0};
    const float gradient[] = {0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0};
    for (int64_t width = 4; width <= 5; width++) {
        /* With padding below the windows are the same, but no longer those of the fast way. */
        an_pool2d_options o = {.kernel = {2, 2}, .stride = {2, 2}};
        o.ceil_mode = width == 5;
        float wide[20];
        for (int64_t i = 0; i < 20; i++)
            wide[i] = i % width < 4 ? x[i / width % 4 * 4 + i % width] : -inf;
        an_tensor *in = an_leaf(f->graph, wide, an_shape_4(1, 1, 4, width));
        an_tensor *y = an_max_pool2d(f->graph, in, &o);
        const int64_t across = y->shape.dim[3];
        assert_int_equal(across, width == 5 ? 3 : 2);
        assert_true(isnan((double)y->data[0]));
        assert_true(isinf((double)y->data[1]) && y->data[1] < 0);
        assert_true(y->data[across] == 5 && y->data[across + 1] == 0);
        an_tensor *ones = an_full(f->graph, y->shape, 0);
        for (int64_t i = 0; i < 4; i++)
            ones->data[i / 2 * across + i % 2] = 1;
        an_tensor *picked = an_mul(f->graph, y, ones);
        assert_true(an_backward(f->graph, an_sum(f->graph, picked), NULL));
        for (int64_t i = 0; i < 16; i++)
            assert_true(an_tensor_grad(in)[i / 4 * width + i % 4] == gradient[i]);
        assert_true(an_graph_reset(f->graph, NULL));
    }
}

/* ------------------------------------------------------------------ memory */

/* Both methods, both convolutions, all pools; one kernel too large for the context's scratch. */
static bool step(an_graph *g, an_error *err)
{
    const an_pool2d_options two = {.kernel = {2, 2}};
    an_tensor *x = an_full(g, an_shape_4(2, 1, 14, 14), 0.5f);
    an_tensor *w[4], *ones = NULL;
    const an_shape shapes[] = {an_shape_4(8, 1, 5, 5), an_shape_4(8, 8, 3, 3),
                               an_shape_4(8, 2, 2, 2), an_shape_4(1, 2, 90, 90)};
    for (int i = 0; i < 4; i++) {
        w[i] = an_full(g, shapes[i], 0.01f);
        w[i]->requires_grad = true;
    }
    an_conv2d_options relu = {.activation = AN_RELU};
    an_tensor *h = an_conv2d(g, x, w[0], NULL, &relu);
    h = an_max_pool2d(g, an_conv2d(g, h, w[1], NULL, &relu), &two);
    h = an_conv_transpose2d(g, h, w[2], NULL, &(an_conv_transpose2d_options){.stride = {2, 2}});
    h = an_avg_pool2d(g, an_adaptive_avg_pool2d(g, h, 300, 220), &two);
    ones = an_conv2d(g, h, w[3], NULL, NULL);
    bool done = an_backward(g, an_sum(g, ones), err);
    return an_graph_reset(g, NULL) && done;
}

static bool run(failing_allocator *c, long fails, int steps, an_error *err)
{
    *c = (failing_allocator){.fail_at = fails};
    an_context *context =
        an_context_new(&(an_context_options){.threads = 1, .allocator = failing_hooks(c)}, err);
    if (!context)
        return false;
    an_graph *graph = an_graph_new(context, err);
    bool good = graph != NULL;
    for (int i = 0; good && i < steps; i++)
        good = step(graph, err);
    an_graph_free(graph);
    an_context_free(context);
    return good;
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    failing_allocator c;
    an_error err = {0};
    if (!run(&c, -1, 1, &err))
        fail_msg("%s", err.message);
    assert_int_equal(c.blocks, 0);
    const long all = c.requests;
    assert_true(all > 8);
    long failed = 0;
    for (long i = 0; i < all; i++) {
        err = (an_error){0};
        const bool good = run(&c, i, 1, &err);
        failed += !good;
        assert_int_equal(c.blocks, 0);
        if (good)
            continue;
        if (err.code != AN_ERROR_MEMORY || !*err.message)
            fail_msg("allocation %ld: \"%s\"", i, err.message);
    }
    /* One may be survived: the arena joins its blocks at a reset, or asks again later. */
    assert_true(failed >= all - 1);
}

static void test_steady_state_allocates_nothing(void **state)
{
    (void)state;
    failing_allocator two, twenty;
    an_error err = {0};
    assert_true(run(&two, -1, 3, &err));
    assert_true(run(&twenty, -1, 8, &err));
    assert_int_equal(two.requests, twenty.requests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_convolutions_that_do_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings_that_cannot_be, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pools_that_do_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nan_and_equals_in_max_pool, setup, teardown),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
