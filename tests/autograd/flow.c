/* How graphs behave: accumulation, no_grad, detach, control flow, own operations, kept tensors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <anneal/autograd.h>

typedef struct fixture {
    an_context *context;
    an_graph *graph;
    an_params *params;
    an_tensor *w; /* a parameter of three values: 1, 2, 3 */
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.context = an_context_new(&(an_context_options){.threads = 1}, NULL);
    f.graph = an_graph_new(f.context, NULL);
    f.params = an_params_new(f.context, NULL);
    f.w = an_params_add(f.params, "w", an_shape_1(3), NULL);
    if (!f.w || !an_params_build(f.params, NULL))
        return 1;
    for (int i = 0; i < 3; i++)
        f.w->data[i] = (float)(i + 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    an_params_free(f->params);
    an_graph_free(f->graph);
    an_context_free(f->context);
    return 0;
}

static void expect_grad(const an_tensor *x, double a, double b, double c)
{
    const float *grad = an_tensor_grad(x);
    assert_non_null(grad);
    assert_float_equal(grad[0], a, 1e-6);
    assert_float_equal(grad[1], b, 1e-6);
    assert_float_equal(grad[2], c, 1e-6);
}

/* The sum of w^2 walked back; the gradient is 2 w. */
static void one_step(fixture *f)
{
    an_error err = {0};
    an_tensor *loss = an_sum(f->graph, an_mul(f->graph, f->w, f->w));
    assert_float_equal(an_item(loss), 14, 0);
    if (!an_backward(f->graph, loss, &err))
        fail_msg("%s", err.message);
    assert_true(an_graph_reset(f->graph, &err));
}

static void test_gradients_accumulate_until_zero_grad(void **state)
{
    fixture *f = *state;
    assert_null(an_tensor_grad(f->w));
    one_step(f);
    expect_grad(f->w, 2, 4, 6);
    one_step(f);
    expect_grad(f->w, 4, 8, 12);
    an_params_zero_grad(f->params);
    assert_null(an_tensor_grad(f->w));
    one_step(f);
    expect_grad(f->w, 2, 4, 6);
}

/* zero_grad touches no memory: the next gradient is written over whatever lies there. */
static void test_first_gradient_is_written(void **state)
{
    fixture *f = *state;
    float *grads = an_params_grads(f->params);
    for (int i = 0; i < 3; i++)
        grads[i] = NAN;
    one_step(f);
    expect_grad(f->w, 2, 4, 6);
}

/* A tensor used many times in different ways, among them both operands of one operation. */
static void test_many_uses_add_up(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_error err = {0};
    an_tensor *x = an_affine(g, f->w, 2, 0);                                    /* 2w */
    an_tensor *y = an_add(g, x, x);                                             /* 4w */
    an_tensor *z = an_add(g, an_mul(g, y, x), an_reshape(g, y, an_shape_1(3))); /* 8w^2 + 4w */
    an_tensor *v = an_sub(g, an_relu(g, z), an_neg(g, y));                      /* 8w^2 + 8w */
    assert_true(an_backward(g, an_sum(g, v), &err));
    expect_grad(f->w, 24, 40, 56);
}

static void test_only_what_the_loss_needs_is_walked(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_error err = {0};
    an_tensor *other = an_leaf(g, (float[]){1, 2, 3}, an_shape_1(3));
    an_tensor *unused = an_exp(g, an_mul(g, other, f->w));
    assert_int_equal(unused->size, 3);
    assert_true(an_backward(g, an_sum(g, f->w), &err));
    expect_grad(f->w, 1, 1, 1);
    assert_null(an_tensor_grad(other));
}

/* Buffers are handed on between intermediates, whose gradients are gone after the walk; those of
 * parameters stay in the flat vector. */
static void test_gradients_lie_where_they_belong(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *y = an_reshape(g, f->w, an_shape_2(3, 1));
    an_tensor *z = an_relu(g, y);
    an_tensor *loss = an_sum(g, an_add(g, z, an_neg(g, an_neg(g, f->w))));
    assert_true(an_backward(g, loss, NULL));
    assert_ptr_equal(an_tensor_grad(f->w), an_params_grads(f->params));
    expect_grad(f->w, 6, 6, 6);
    assert_null(an_tensor_grad(y));
    assert_null(an_tensor_grad(z));
    assert_null(an_tensor_grad(loss));
}

static void test_no_grad(void **state)
{
    fixture *f = *state;
    an_error err = {0};
    assert_true(an_graph_grad(f->graph));
    assert_true(an_graph_set_grad(f->graph, false));
    assert_false(an_graph_grad(f->graph));
    an_tensor *loss = an_sum(f->graph, an_mul(f->graph, f->w, f->w));
    assert_float_equal(an_item(loss), 14, 0);
    assert_false(loss->requires_grad);
    assert_false(an_backward(f->graph, loss, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "recording is off"));
    assert_false(an_graph_set_grad(f->graph, true));
    assert_true(an_graph_reset(f->graph, NULL));
    one_step(f);
}

static void test_detach_cuts(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *square = an_mul(g, f->w, f->w);
    an_tensor *cut = an_detach(g, square);
    assert_ptr_equal(cut->data, square->data);
    assert_false(cut->requires_grad);
    assert_true(an_backward(g, an_sum(g, an_mul(g, cut, f->w)), NULL));
    expect_grad(f->w, 1, 4, 9);
}

/* Newton's iteration for a square root, as often as the values ask for: C decides the graph. */
static void test_control_flow_decides_the_graph(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *a = an_sum(g, f->w); /* 6 */
    an_tensor *x = a;
    int rounds = 0;
    while (fabs(an_item(x) * an_item(x) - 6) > 1e-5) {
        x = an_affine(g, an_add(g, x, an_div(g, a, x)), 0.5, 0);
        rounds++;
    }
    assert_true(rounds >= 3 && rounds < 10);
    assert_float_equal(an_item(x), sqrt(6), 1e-6);
    assert_true(an_backward(g, x, NULL));
    const double slope = 0.5 / sqrt(6);
    expect_grad(f->w, slope, slope, slope);
}

static void test_leaves(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    const float values[] = {1, -2, 3, 4, 5, 6};
    an_tensor *from = an_from(g, values, an_shape_2(2, 3));
    assert_int_equal(from->size, 6);
    assert_memory_equal(from->data, values, sizeof values);
    assert_false(from->requires_grad);
    an_tensor *full = an_full(g, an_shape_3(2, 1, 2), 0.5f);
    for (int i = 0; i < 4; i++)
        assert_float_equal(full->data[i], 0.5f, 0);
    assert_float_equal(an_item(an_scalar(g, 7)), 7, 0);
    assert_true(isnan(an_item(from)));
    assert_true(isnan(an_item(NULL)));
    assert_int_equal(an_empty(g, an_shape_2(0, 3))->size, 0);
    an_tensor *leaf = an_leaf(g, values, an_shape_1(3));
    assert_true(leaf->requires_grad);
    assert_true(an_backward(g, an_sum(g, an_mul(g, leaf, leaf)), NULL));
    expect_grad(leaf, 2, -4, 6);
}

/* A loss that is itself a leaf has the derivative 1. */
static void test_loss_may_be_a_leaf(void **state)
{
    fixture *f = *state;
    an_tensor *leaf = an_leaf(f->graph, (float[]){5}, an_shape_2(1, 1));
    assert_true(an_backward(f->graph, leaf, NULL));
    assert_float_equal(*an_tensor_grad(leaf), 1, 0);
}

/* ------------------------------------------------------------ own operation */

static void clamp_forward(an_tensor *output, an_tensor *const *in, int count, void *user)
{
    const float limit = *(const float *)user;
    assert_int_equal(count, 1);
    for (int64_t i = 0; i < output->size; i++)
        output->data[i] = in[0]->data[i] < limit ? in[0]->data[i] : limit;
}

static void clamp_backward(an_graph *graph, an_tensor *output, an_tensor *const *in, int count,
                           void *user)
{
    const float limit = *(const float *)user;
    bool fresh;
    float *dx = an_grad_of(graph, in[0], &fresh);
    assert_int_equal(count, 1);
    for (int64_t i = 0; dx && i < output->size; i++) {
        float d = in[0]->data[i] < limit ? output->grad[i] : 0;
        dx[i] = fresh ? d : dx[i] + d;
    }
}

static void test_own_operation(void **state)
{
    fixture *f = *state;
    float limit = 2.5f;
    const an_operation clamp = {"clamp", clamp_forward, clamp_backward};
    an_tensor *y = an_apply(f->graph, &clamp, an_shape_1(3), &f->w, 1, &limit);
    assert_float_equal(y->data[2], 2.5f, 0);
    assert_true(an_backward(f->graph, an_sum(f->graph, an_mul(f->graph, y, y)), NULL));
    expect_grad(f->w, 2, 4, 0);
}

/* An own operation without backward cuts the graph, like detach. */
static void test_own_operation_without_backward(void **state)
{
    fixture *f = *state;
    float limit = 2.5f;
    const an_operation clamp = {"clamp", clamp_forward, NULL};
    an_tensor *y = an_apply(f->graph, &clamp, an_shape_1(3), &f->w, 1, &limit);
    assert_false(y->requires_grad);
    assert_true(an_backward(f->graph, an_sum(f->graph, an_mul(f->graph, y, f->w)), NULL));
    expect_grad(f->w, 1, 2, 2.5);
}

/* ----------------------------------------------------------------- the rest */

static void test_kept_tensor_outlives_the_step(void **state)
{
    fixture *f = *state;
    an_tensor *square = an_mul(f->graph, f->w, f->w);
    an_tensor *kept = an_tensor_keep(f->context, square, NULL);
    assert_non_null(kept);
    assert_true(an_graph_reset(f->graph, NULL));
    one_step(f);
    for (int i = 0; i < 3; i++)
        assert_float_equal(kept->data[i], (float)((i + 1) * (i + 1)), 0);
    an_tensor_free(f->context, kept);
}

/* Data that is cut from the graph costs no backward product: it never gets a gradient buffer. */
static void test_data_gets_no_gradient(void **state)
{
    fixture *f = *state;
    an_tensor *x = an_full(f->graph, an_shape_2(4, 3), 1);
    an_tensor *w = an_reshape(f->graph, f->w, an_shape_2(1, 3));
    an_tensor *y = an_linear(f->graph, x, w, NULL, AN_RELU);
    assert_true(an_backward(f->graph, an_sum(f->graph, y), NULL));
    expect_grad(f->w, 4, 4, 4);
    assert_null(x->grad);
}

static void test_corners_of_derivatives(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    const float zeros[] = {0, NAN, -0.0f};
    an_tensor *x = an_leaf(g, zeros, an_shape_1(3));
    an_tensor *y = an_relu(g, x);
    assert_float_equal(y->data[0], 0, 0);
    assert_true(isnan(y->data[1]));
    an_tensor *abs = an_abs(g, x);
    assert_true(an_backward(g, an_sum(g, an_slice(g, an_add(g, y, abs), 0, 0, 1)), NULL));
    assert_float_equal(an_tensor_grad(x)[0], 0, 0);
    assert_true(an_graph_reset(g, NULL));

    /* The first of equal maxima takes the whole gradient; NaN is the largest of all. */
    x = an_leaf(g, (float[]){1, 3, 3}, an_shape_1(3));
    assert_true(an_backward(g, an_max_dim(g, x, 0, false), NULL));
    expect_grad(x, 0, 1, 0);
    assert_true(an_graph_reset(g, NULL));
    x = an_leaf(g, (float[]){9, NAN, 3}, an_shape_1(3));
    assert_true(isnan(an_item(an_max_dim(g, x, -1, false))));
}

static void test_pow_with_integers_takes_negative_values(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *x = an_leaf(g, (float[]){-2, 0, 2}, an_shape_1(3));
    an_tensor *y = an_add(g, an_add(g, an_pow(g, x, 2), an_pow(g, x, 3)), an_pow(g, x, 0));
    assert_float_equal(y->data[0], -3, 0);
    assert_float_equal(y->data[1], 1, 0);
    assert_true(an_backward(g, an_sum(g, y), NULL));
    expect_grad(x, 8, 0, 16);
}

static void test_softmax_of_extremes(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *x = an_from(g, (float[]){1000, 0, -1000, -INFINITY, 5, 5}, an_shape_2(2, 3));
    an_tensor *y = an_softmax(g, x), *logs = an_log_softmax(g, x);
    const double want[] = {1, 0, 0, 0, 0.5, 0.5};
    for (int i = 0; i < 6; i++)
        assert_float_equal(y->data[i], want[i], 1e-7);
    assert_float_equal(logs->data[1], -1000, 1e-4);
    assert_float_equal(logs->data[2], -2000, 1e-4);
    assert_true(isinf(logs->data[3]));
    an_tensor *nan = an_softmax(g, an_from(g, (float[]){1, NAN, 2}, an_shape_1(3)));
    for (int i = 0; i < 3; i++)
        assert_true(isnan(nan->data[i]));
    an_labels label = {(int32_t[]){2, 1}, 2};
    assert_float_equal(an_item(an_cross_entropy(g, x, label)), (2000 + log(2)) / 2, 1e-3);
}

static void test_count_correct(void **state)
{
    fixture *f = *state;
    const float logits[] = {1, 2, 3, /* 2 */ 5, 5, 1, /* 0, the first */ NAN, 9, 1, 0, 0, 0};
    an_tensor *x = an_from(f->graph, logits, an_shape_2(4, 3));
    assert_int_equal(an_count_correct(x, (an_labels){(int32_t[]){2, 0, 1, 0}, 4}), 3);
    assert_int_equal(an_count_correct(x, (an_labels){(int32_t[]){1, 1, 0, 2}, 4}), 0);
    assert_int_equal(an_count_correct(x, (an_labels){(int32_t[]){7, -1, 0, 0}, 4}), 1);
    assert_int_equal(an_count_correct(x, (an_labels){(int32_t[]){0}, 1}), -1);
    assert_int_equal(an_count_correct(f->w, (an_labels){(int32_t[]){0, 0, 0}, 3}), -1);
    assert_int_equal(an_count_correct(NULL, (an_labels){NULL, 0}), -1);
}

static void test_empty_tensors(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_error err = {0};
    an_tensor *none = an_leaf(g, NULL, an_shape_2(0, 3));
    an_tensor *row = an_leaf(g, (float[]){1, 2, 3}, an_shape_2(1, 3));
    an_tensor *loss = an_sum(g, an_exp(g, an_mul(g, none, row)));
    assert_float_equal(an_item(loss), 0, 0);
    an_tensor *product = an_matmul(g, an_transpose(g, none), none); /* (3, 0) by (0, 3) */
    assert_int_equal(product->size, 9);
    assert_float_equal(an_item(an_sum(g, product)), 0, 0);
    loss = an_add(g, loss, an_sum(g, product));
    loss = an_add(g, loss, an_sum(g, an_softmax(g, none)));
    loss = an_add(g, loss, an_sum(g, an_linear(g, none, row, NULL, AN_TANH)));
    loss = an_add(g, loss, an_sum(g, an_index_rows(g, row, (an_labels){NULL, 0})));
    loss = an_add(g, loss, an_sum(g, an_slice(g, row, 1, 3, 0)));
    an_tensor *joined = an_concat(g, (an_tensor *[]){none, an_affine(g, row, 0, 1)}, 2, 0);
    assert_true(an_shape_equal(joined->shape, an_shape_2(1, 3)));
    loss = an_add(g, loss, an_sum(g, joined));
    if (!an_backward(g, loss, &err))
        fail_msg("%s", err.message);
    expect_grad(row, 0, 0, 0);
    assert_true(isnan(an_item(an_mean(g, none))));
}

static void test_dropout(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    enum { N = 10000 };
    an_rng rng = an_rng_init(3, 4), again = rng;
    an_tensor *x = an_full(g, an_shape_1(N), 1);
    x->requires_grad = true;
    an_tensor *y = an_dropout(g, x, 0.3, &rng);
    assert_true(rng.counter != again.counter);
    int kept = 0;
    for (int i = 0; i < N; i++) {
        assert_true(y->data[i] == 0 || fabs((double)y->data[i] - 1 / 0.7) < 1e-6);
        kept += y->data[i] != 0;
    }
    assert_true(abs(kept - 7000) < 200);
    assert_true(an_backward(g, an_sum(g, an_mul(g, y, an_from(g, x->data, x->shape))), NULL));
    assert_memory_equal(an_tensor_grad(x), y->data, N * sizeof(float));
    an_tensor *same = an_dropout(g, x, 0.3, &again);
    assert_memory_equal(same->data, y->data, N * sizeof(float));
    assert_float_equal(an_item(an_sum(g, an_dropout(g, x, 1, &rng))), 0, 0);
    assert_float_equal(an_item(an_sum(g, an_dropout(g, x, 0, &rng))), N, 0);
}

/* One tensor as queries, keys and values gets the sum of three gradients, from what is there on. */
static void test_attention_of_one_tensor(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    enum { N = 2 * 70 * 6 };
    static float values[N], want[N];
    an_rng rng = an_rng_init(3, 0);
    an_rng_fill_uniform(&rng, values, N, -1, 1);
    const an_shape shape = an_shape_3(2, 70, 6);
    const an_attention_options options = {.heads = 2, .causal = true};
    an_tensor *part[3];
    for (int i = 0; i < 3; i++)
        part[i] = an_leaf(g, values, shape);
    an_tensor *y = an_attention(g, part[0], part[1], part[2], options);
    assert_true(an_backward(g, an_sum(g, an_mul(g, y, y)), NULL));
    for (int i = 0; i < 3 * N; i++)
        want[i % N] += an_tensor_grad(part[i / N])[i % N];
    assert_true(an_graph_reset(g, NULL));
    for (int times = 1; times <= 2; times++) {
        an_tensor *x = an_leaf(g, values, shape), *loss = NULL;
        for (int i = 0; i < times; i++) {
            an_tensor *z = an_attention(g, x, x, x, options);
            an_tensor *square = an_sum(g, an_mul(g, z, z));
            loss = loss ? an_add(g, loss, square) : square;
        }
        assert_true(an_backward(g, loss, NULL));
        for (int i = 0; i < N; i++)
            assert_float_equal(an_tensor_grad(x)[i], times * want[i], 1e-5);
        assert_true(an_graph_reset(g, NULL));
    }
}

static void test_peak_bytes(void **state)
{
    fixture *f = *state;
    assert_ptr_equal(an_graph_context(f->graph), f->context);
    assert_non_null(an_full(f->graph, an_shape_1(1000), 0));
    const size_t peak = an_graph_peak_bytes(f->graph);
    assert_true(peak >= 4000);
    assert_true(an_graph_reset(f->graph, NULL));
    assert_int_equal(an_graph_peak_bytes(f->graph), peak);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_gradients_accumulate_until_zero_grad),
        TEST(test_first_gradient_is_written),
        TEST(test_many_uses_add_up),
        TEST(test_only_what_the_loss_needs_is_walked),
        TEST(test_gradients_lie_where_they_belong),
        TEST(test_no_grad),
        TEST(test_detach_cuts),
        TEST(test_control_flow_decides_the_graph),
        TEST(test_leaves),
        TEST(test_loss_may_be_a_leaf),
        TEST(test_own_operation),
        TEST(test_own_operation_without_backward),
        TEST(test_kept_tensor_outlives_the_step),
        TEST(test_data_gets_no_gradient),
        TEST(test_corners_of_derivatives),
        TEST(test_pow_with_integers_takes_negative_values),
        TEST(test_softmax_of_extremes),
        TEST(test_count_correct),
        TEST(test_empty_tensors),
        TEST(test_dropout),
        TEST(test_attention_of_one_tensor),
        TEST(test_peak_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
