/*
 * Memory: every allocation of a training step fails once, and nothing leaks; in the steady state a
 * step allocates nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <anneal/autograd.h>

#include "../base/failing_allocator.h"

enum { ROWS = 6, IN = 5, HIDDEN = 70, OUT = 3 };

typedef struct network {
    an_params *params;
    an_tensor *w1, *b1, *w2, *scale;
} network;

static bool network_new(network *net, an_context *context, an_error *err)
{
    memset(net, 0, sizeof *net);
    net->params = an_params_new(context, err);
    if (!net->params)
        return false;
    net->w1 = an_params_add(net->params, "w1", an_shape_2(HIDDEN, IN), err);
    net->b1 = an_params_add(net->params, "b1", an_shape_1(HIDDEN), err);
    net->w2 = an_params_add(net->params, "w2", an_shape_2(HIDDEN, OUT), err);
    net->scale = an_params_add(net->params, "scale", an_shape_2(ROWS, 1), err);
    if (!net->w1 || !net->b1 || !net->w2 || !net->scale || !an_params_build(net->params, err))
        return false;
    an_rng rng = an_rng_init(5, 0);
    an_rng_fill_uniform(&rng, an_params_values(net->params), an_params_length(net->params), -1, 1);
    return true;
}

/* A step that uses operations with memory of their own. */
static bool step(const network *net, an_graph *g, an_error *err)
{
    float pixels[ROWS * IN];
    int32_t labels[ROWS];
    an_rng rng = an_rng_init(6, 0);
    an_rng_fill_uniform(&rng, pixels, ROWS * IN, 0, 1);
    for (int i = 0; i < ROWS; i++)
        labels[i] = (int32_t)an_rng_below(&rng, OUT);
    an_labels target = {labels, ROWS};
    an_tensor *x = an_from(g, pixels, an_shape_2(ROWS, IN));
    an_tensor *h = an_linear(g, x, net->w1, net->b1, AN_TANH);
    h = an_dropout(g, h, 0.5, &rng);
    an_tensor *y = an_matmul(g, h, net->w2);
    y = an_mul(g, y, net->scale);
    y = an_concat(g, (an_tensor *[]){y, an_slice(g, h, 1, 0, 2)}, 2, 1);
    an_tensor *loss = an_cross_entropy(g, an_exp(g, y), target);
    loss = an_add(g, loss, an_mean(g, an_max_dim(g, an_transpose(g, y), 0, false)));
    loss = an_add(g, loss, an_nll_loss(g, an_log_softmax(g, an_index_rows(g, y, target)), target));
    bool done = an_backward(g, loss, err);
    return an_graph_reset(g, NULL) && done;
}

/* Context, parameters, graph and three steps; true when all went well. */
static bool run(failing_allocator *c, long fails, an_error *err)
{
    *c = (failing_allocator){.fail_at = fails};
    an_context *context =
        an_context_new(&(an_context_options){.threads = 1, .allocator = failing_hooks(c)}, err);
    if (!context)
        return false;
    network net = {0};
    an_graph *graph = NULL;
    bool good = network_new(&net, context, err) && (graph = an_graph_new(context, err));
    for (int i = 0; good && i < 3; i++)
        good = step(&net, graph, err);
    an_graph_free(graph);
    an_params_free(net.params);
    an_context_free(context);
    return good;
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    failing_allocator c;
    an_error err = {0};
    if (!run(&c, -1, &err))
        fail_msg("%s", err.message);
    assert_int_equal(c.blocks, 0);
    const long all = c.requests;
    assert_true(all > 8);
    int failed = 0;
    for (long i = 0; i < all; i++) {
        err = (an_error){0};
        bool good = run(&c, i, &err);
        assert_int_equal(c.blocks, 0);
        failed += !good;
        if (!good && (err.code != AN_ERROR_MEMORY || !*err.message))
            fail_msg("allocation %ld: \"%s\"", i, err.message);
    }
    /* One more or less may be survived: the arena asks again after a reset. */
    assert_true(failed >= all - 2);
}

static void test_steady_state_allocates_nothing(void **state)
{
    (void)state;
    failing_allocator c = {.fail_at = -1};
    an_context *context =
        an_context_new(&(an_context_options){.threads = 1, .allocator = failing_hooks(&c)}, NULL);
    network net;
    an_error err = {0};
    assert_true(network_new(&net, context, &err));
    an_graph *graph = an_graph_new(context, &err);
    for (int i = 0; i < 2; i++)
        assert_true(step(&net, graph, &err));
    const long warm = c.requests;
    const size_t peak = an_graph_peak_bytes(graph);
    for (int i = 0; i < 20; i++)
        assert_true(step(&net, graph, &err));
    assert_int_equal(c.requests, warm);
    assert_int_equal(an_graph_peak_bytes(graph), peak);
    an_graph_free(graph);
    an_params_free(net.params);
    an_context_free(context);
    assert_int_equal(c.blocks, 0);
}

/* What a step of `depth` products of `size` x `size` matrices takes at most. */
static size_t peak_of(an_context *context, int depth, int64_t size)
{
    an_error err = {0};
    an_graph *graph = an_graph_new(context, &err);
    static const float values[64 * 64];
    assert_true(size <= 64);
    an_tensor *w = an_leaf(graph, values, an_shape_2(size, size)), *y = w;
    for (int i = 0; i < depth; i++)
        y = an_matmul(graph, y, w);
    assert_true(an_backward(graph, an_sum(graph, y), &err));
    const size_t peak = an_graph_peak_bytes(graph);
    an_graph_free(graph);
    return peak;
}

/* Once a gradient is passed on, the next one takes its memory: a deeper graph adds its values only.
 */
static void test_gradients_take_turns(void **state)
{
    (void)state;
    an_context *context = an_context_new(&(an_context_options){.threads = 1}, NULL);
    assert_non_null(context);
    const size_t values = 64 * 64 * sizeof(float),
                 more = peak_of(context, 30, 64) - peak_of(context, 10, 64);
    assert_in_range(more, 20 * values, 21 * values);
    an_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_steady_state_allocates_nothing),
        cmocka_unit_test(test_gradients_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
