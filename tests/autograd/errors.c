/* What a user can do wrong: each gives one sentence, and the first one is kept. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <anneal/autograd.h>

#include "limited.h"

typedef struct fixture {
    an_context *context;
    an_graph *graph;
    /* Tensors of the shapes in their names. */
    an_tensor *scalar, *v3, *m23, *m45, *t234, *unbuilt;
    an_params *params;
} fixture;

static void make_tensors(fixture *f)
{
    f->scalar = an_scalar(f->graph, 1);
    f->v3 = an_full(f->graph, an_shape_1(3), 1);
    f->m23 = an_full(f->graph, an_shape_2(2, 3), 1);
    f->m45 = an_full(f->graph, an_shape_2(4, 5), 1);
    f->t234 = an_full(f->graph, an_shape_3(2, 3, 4), 1);
}

static int setup(void **state)
{
    static fixture f;
    f.context = an_context_new(
        &(an_context_options){.threads = 1, .allocator = {limited_resize, NULL}}, NULL);
    f.graph = an_graph_new(f.context, NULL);
    f.params = an_params_new(f.context, NULL);
    f.unbuilt = an_params_add(f.params, "w", an_shape_1(3), NULL);
    make_tensors(&f);
    *state = &f;
    return f.unbuilt ? 0 : 1;
}

static int teardown(void **state)
{
    fixture *f = *state;
    an_params_free(f->params);
    an_graph_free(f->graph);
    an_context_free(f->context);
    return 0;
}

/* `result` is poisoned, and the graph's error has this code and message. Starts a new step. */
static void expect(fixture *f, an_tensor *result, an_error_code code, const char *message)
{
    an_error err = {0}, again = {0};
    assert_non_null(result);
    assert_true(isnan(an_item(result)));
    assert_true(an_graph_error(f->graph, &err));
    if (err.code != code || !strstr(err.message, message))
        fail_msg("expected \"%s\", got \"%s\" (%s)", message, err.message, an_error_text(err.code));
    assert_false(an_graph_reset(f->graph, &again));
    assert_string_equal(err.message, again.message);
    assert_false(an_graph_error(f->graph, NULL));
    make_tensors(f);
}

static void test_shapes_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    expect(f, an_add(g, f->m23, f->m45), AN_ERROR_SHAPE, "add: (2, 3) and (4, 5) do not broadcast");
    expect(f, an_sub(g, f->t234, f->m23), AN_ERROR_SHAPE, "sub: (2, 3, 4) and (2, 3)");
    expect(f, an_mul(g, f->m23, f->m45), AN_ERROR_SHAPE, "mul: ");
    expect(f, an_div(g, f->m23, f->m45), AN_ERROR_SHAPE, "div: ");
    expect(f, an_matmul(g, f->m23, f->m45), AN_ERROR_SHAPE,
           "matmul: (2, 3) by (4, 5): the inner dimensions 3 and 4 differ");
    expect(f, an_matmul(g, f->m23, f->v3), AN_ERROR_SHAPE,
           "matmul: (2, 3) by (3,): both operands need at least two dimensions");
    expect(f, an_matmul(g, f->t234, an_full(g, an_shape_3(5, 4, 2), 1)), AN_ERROR_SHAPE,
           "matmul: (2, 3, 4) by (5, 4, 2): the leading dimensions do not broadcast");
    expect(f, an_transpose(g, f->v3), AN_ERROR_SHAPE, "transpose: (3,) has no two dimensions");
    expect(f, an_linear(g, f->m23, f->m45, NULL, AN_RELU), AN_ERROR_SHAPE,
           "linear: takes (..., 5) but gets (2, 3); the weight is (4, 5)");
    expect(f, an_linear(g, f->scalar, f->m45, NULL, AN_RELU), AN_ERROR_SHAPE,
           "linear: takes (..., 5) but gets ()");
    expect(f, an_linear(g, f->m23, f->v3, NULL, AN_RELU), AN_ERROR_SHAPE,
           "linear: the weight must be (out, in) but has shape (3,)");
    expect(f, an_linear(g, f->m23, f->m23, f->v3, AN_RELU), AN_ERROR_SHAPE,
           "linear: the bias must be (2,) but has shape (3,)");
    expect(f, an_softmax(g, f->scalar), AN_ERROR_SHAPE, "softmax: needs at least one dimension");
    expect(f, an_log_softmax(g, f->scalar), AN_ERROR_SHAPE, "log_softmax: needs");
    expect(f, an_softmax_dim(g, f->m23, 2), AN_ERROR_ARGUMENT,
           "softmax_dim: (2, 3) has no dimension 2");
    expect(f, an_mse_loss(g, f->m23, f->v3), AN_ERROR_SHAPE,
           "mse_loss: the shapes (2, 3) and (3,) must be equal");
}

static void test_norms_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_batch_norm_options batch = {.training = true, .eps = 1e-5};
    expect(f, an_layer_norm(g, f->m23, 3, NULL, NULL, 1e-5), AN_ERROR_SHAPE,
           "layer_norm: cannot normalise over the last 3 dimensions of (2, 3)");
    expect(f, an_layer_norm(g, f->m23, 0, NULL, NULL, 1e-5), AN_ERROR_SHAPE, "layer_norm: cannot");
    expect(f, an_layer_norm(g, f->t234, 1, f->v3, NULL, 1e-5), AN_ERROR_SHAPE,
           "layer_norm: the weight of shape (3,) must have the last 1 dimensions of (2, 3, 4)");
    expect(f, an_layer_norm(g, f->m23, 1, f->v3, f->m23, 1e-5), AN_ERROR_SHAPE,
           "layer_norm: the bias of shape (2, 3)");
    expect(f, an_layer_norm(g, f->m23, 1, NULL, NULL, -1), AN_ERROR_ARGUMENT,
           "layer_norm: eps must be at least 0, got -1");
    expect(f, an_layer_norm(g, f->m23, 1, NULL, f->v3, 1e-5), AN_ERROR_ARGUMENT,
           "layer_norm: operand 2 is NULL");
    expect(f, an_rms_norm(g, f->scalar, 1, NULL, 0), AN_ERROR_SHAPE, "rms_norm: cannot");
    expect(f, an_group_norm(g, f->m23, 2, NULL, NULL, 0), AN_ERROR_SHAPE,
           "group_norm: 3 channels cannot be cut into 2 groups of one size");
    expect(f, an_group_norm(g, f->v3, 1, NULL, NULL, 0), AN_ERROR_SHAPE,
           "group_norm: needs (n, channels, ...) but gets (3,)");
    expect(f, an_group_norm(g, f->m45, 5, f->v3, NULL, 0), AN_ERROR_SHAPE,
           "group_norm: the weight must be (5,), one value a channel of (4, 5), but is (3,)");
    expect(f, an_batch_norm(g, an_full(g, an_shape_2(1, 3), 1), NULL, NULL, &batch), AN_ERROR_SHAPE,
           "batch_norm: training takes at least two values a channel, but (1, 3) has 1");
    batch.running_mean = f->v3;
    expect(f, an_batch_norm(g, f->m23, NULL, NULL, &batch), AN_ERROR_SHAPE,
           "batch_norm: the running mean and variance");
    batch.running_mean = batch.running_variance = f->m45;
    expect(f, an_batch_norm(g, f->m23, NULL, NULL, &batch), AN_ERROR_SHAPE, "3 channels");
}

static void test_embeddings_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    static const int32_t ids[2] = {1, 2}, negative[2] = {0, -1}, high[2] = {0, 16777216};
    static const float half[2] = {1, 0.5f}, none[2] = {0, NAN};
    const an_shape two = an_shape_1(2);
    expect(f, an_embedding(g, f->m23, an_ids(g, (an_labels){ids, 2}, two), -1), AN_ERROR_ARGUMENT,
           "embedding: value 1 of the ids is 2; they are whole numbers from 0 to 1");
    expect(f, an_embedding(g, f->m23, an_from(g, half, two), -1), AN_ERROR_ARGUMENT,
           "embedding: value 1 of the ids is 0.5");
    expect(f, an_embedding(g, f->m23, an_from(g, none, two), -1), AN_ERROR_ARGUMENT,
           "value 1 of the ids is nan");
    expect(
        f,
        an_embedding_with(g, f->m23, an_from(g, none, two), (an_embedding_options){.max_norm = -1}),
        AN_ERROR_ARGUMENT, "max_norm must be at least 0 and norm_type above 0, got -1 and 2");
    expect(f, an_embedding(g, f->v3, f->v3, -1), AN_ERROR_SHAPE,
           "embedding: the weight must be (ids, features)");
    expect(f, an_ids(g, (an_labels){negative, 2}, two), AN_ERROR_ARGUMENT, "ids: id -1 of row 1");
    expect(f, an_ids(g, (an_labels){high, 2}, two), AN_ERROR_ARGUMENT, "ids: id 16777216");
    expect(f, an_ids(g, (an_labels){ids, 2}, an_shape_1(3)), AN_ERROR_SHAPE,
           "ids: 2 ids do not make the shape (3,)");
    an_rng rng = an_rng_init(1, 1);
    expect(f, an_dropout_channels(g, f->v3, 0.5, &rng), AN_ERROR_SHAPE,
           "dropout_channels: needs (n, channels, ...) but gets (3,)");
}

/* The padding row is looked up like any other but learns nothing. */
static void test_padding_gets_no_gradient(void **state)
{
    fixture *f = *state;
    static const int32_t ids[3] = {1, 0, 1};
    static const float values[4] = {1, 2, 3, 4};
    an_tensor *table = an_leaf(f->graph, values, an_shape_2(2, 2));
    an_tensor *y =
        an_embedding(f->graph, table, an_ids(f->graph, (an_labels){ids, 3}, an_shape_1(3)), 1);
    assert_true(y->data[0] == 3 && y->data[2] == 1 && y->data[5] == 4);
    assert_true(an_backward(f->graph, an_sum(f->graph, y), NULL));
    const float *d = an_tensor_grad(table);
    assert_true(d[0] == 1 && d[1] == 1 && d[2] == 0 && d[3] == 0);
    assert_true(an_graph_reset(f->graph, NULL));
    make_tensors(f);
}

static void test_losses_of_labels_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    static const int32_t data[2] = {0, 1};
    static const float weights[3] = {1, -1, 1};
    const an_labels two = {data, 2};
    an_loss loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    loss.weight = weights;
    loss.weight_count = 2;
    expect(f, an_loss_apply(loss, g, f->m23, two), AN_ERROR_ARGUMENT,
           "cross_entropy: a weight must be a number of at least 0, got -1");
    loss.weight_count = 1;
    expect(f, an_loss_apply(loss, g, f->m23, two), AN_ERROR_SHAPE,
           "cross_entropy: there are 1 weights for 3 classes");
    expect(f, an_loss_between(loss, g, f->m23, f->m23), AN_ERROR_SHAPE, "1 weights for 3 classes");
    loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    loss.label_smoothing = 1.5;
    expect(f, an_loss_apply(loss, g, f->m23, two), AN_ERROR_ARGUMENT,
           "cross_entropy: label_smoothing must be from 0 to 1, got 1.5");
    expect(f, an_loss_between(an_loss_defaults(AN_CROSS_ENTROPY_LOSS), g, f->m23, f->m45),
           AN_ERROR_SHAPE, "cross_entropy: the shapes (2, 3) and (4, 5) must be equal");
    expect(f, an_loss_between(an_loss_defaults(AN_CROSS_ENTROPY_LOSS), g, NULL, f->m45),
           AN_ERROR_ARGUMENT, "cross_entropy: operand 1 is NULL");
    expect(f, an_loss_between(an_loss_defaults(AN_NLL_LOSS), g, f->m23, f->m23), AN_ERROR_ARGUMENT,
           "nll_loss: takes class labels, not a tensor");
    expect(f, an_loss_apply(an_loss_defaults(AN_L1_LOSS), g, f->m45, two), AN_ERROR_SHAPE,
           "l1_loss: takes (2, classes) for 2 labels but gets (4, 5)");
    expect(f, an_loss_apply(an_loss_defaults(AN_L1_LOSS), g, NULL, two), AN_ERROR_ARGUMENT,
           "operand 1 is NULL");
}

/* Without classes every label is one that is left out, and still there is nothing to score. */
static void test_losses_of_no_classes(void **state)
{
    fixture *f = *state;
    static const int32_t ignored[2] = {-100, -100};
    const an_loss_kind kinds[2] = {AN_CROSS_ENTROPY_LOSS, AN_NLL_LOSS};
    for (int i = 0; i < 2; i++) {
        an_tensor *none = an_full(f->graph, an_shape_2(2, 0), 1);
        expect(f,
               an_loss_apply(an_loss_defaults(kinds[i]), f->graph, none, (an_labels){ignored, 2}),
               AN_ERROR_SHAPE, "(2, 0) has 0 classes; there must be at least 1");
    }
}

/* As in PyTorch: a batch of nothing but ignored rows has no mean, and still harms no parameter. */
static void test_losses_of_ignored_rows(void **state)
{
    fixture *f = *state;
    static const float values[6] = {1, 2, 3, 4, 5, 6};
    static const int32_t ignored[2] = {-100, -100};
    const an_loss_kind kinds[2] = {AN_CROSS_ENTROPY_LOSS, AN_NLL_LOSS};
    for (int k = 0; k < 2; k++) {
        an_tensor *x = an_leaf(f->graph, values, an_shape_2(2, 3));
        an_loss loss = an_loss_defaults(kinds[k]);
        an_tensor *mean = an_loss_apply(loss, f->graph, x, (an_labels){ignored, 2});
        assert_true(isnan(an_item(mean)));
        assert_true(an_backward(f->graph, mean, NULL));
        for (int i = 0; i < 6; i++)
            assert_true(an_tensor_grad(x)[i] == 0);
        assert_true(an_graph_reset(f->graph, NULL));
    }
    make_tensors(f);
}

static void test_losses_between_tensors_that_do_not_fit(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    static const float weights[3] = {1, -1, 1};
    an_loss loss = an_loss_defaults(AN_HUBER_LOSS);
    loss.delta = 0;
    expect(f, an_loss_between(loss, g, f->m23, f->m23), AN_ERROR_ARGUMENT,
           "huber_loss: delta must be above 0, got 0");
    loss = an_loss_defaults(AN_SMOOTH_L1_LOSS);
    loss.beta = -1;
    expect(f, an_loss_between(loss, g, f->m23, f->m23), AN_ERROR_ARGUMENT, "smooth_l1_loss: beta");
    loss = an_loss_defaults(AN_MSE_LOSS);
    loss.reduction = AN_REDUCE_BATCHMEAN;
    expect(f, an_loss_between(loss, g, f->m23, f->m23), AN_ERROR_ARGUMENT,
           "mse_loss: the reduction batchmean is for kl_div_loss alone");
    loss = an_loss_defaults(AN_BCE_WITH_LOGITS_LOSS);
    loss.pos_weight = weights;
    loss.pos_weight_count = 2;
    expect(f, an_loss_between(loss, g, f->m23, f->m23), AN_ERROR_ARGUMENT, "a weight must be");
    loss.pos_weight = weights + 2;
    loss.pos_weight_count = 1;
    loss.weight = weights;
    loss.weight_count = 1;
    expect(f, an_loss_between(loss, g, f->m23, f->m23), AN_ERROR_SHAPE,
           "bce_with_logits_loss: there are 1 values of weight for 3 columns");
}

/* One column of scores takes the labels 0 and 1 themselves. */
static void test_binary_labels(void **state)
{
    fixture *f = *state;
    static const int32_t data[2] = {1, 0}, high[2] = {1, 2};
    an_loss loss = an_loss_defaults(AN_BCE_WITH_LOGITS_LOSS);
    an_tensor *scores = an_from(f->graph, (const float[]){2, -1}, an_shape_2(2, 1));
    const double want = (log1p(exp(-2)) + log1p(exp(-1))) / 2;
    an_tensor *got = an_loss_apply(loss, f->graph, scores, (an_labels){data, 2});
    assert_true(fabs(an_item(got) - want) < 1e-6);
    expect(f, an_loss_apply(loss, f->graph, scores, (an_labels){high, 2}), AN_ERROR_ARGUMENT,
           "bce_with_logits_loss: label 2 of row 1 is outside 0..1");
}

/* Probabilities as the target of cross_entropy: one-hot rows give what labels give. */
static void test_probabilities_as_target(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    static const float x[6] = {1, -2, 0.5f, 0, 3, 1}, t[6] = {0, 0, 1, 0, 1, 0};
    static const float weights[3] = {0.5f, 2, 1.5f};
    static const int32_t data[2] = {2, 1};
    an_tensor *scores = an_from(g, x, an_shape_2(2, 3)), *target = an_from(g, t, an_shape_2(2, 3));
    for (int k = 0; k < 4; k++) {
        an_loss loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
        loss.label_smoothing = k & 1 ? 0.2 : 0;
        loss.weight = k & 2 ? weights : NULL;
        loss.weight_count = 3;
        loss.reduction = AN_REDUCE_SUM;
        const double want = an_item(an_loss_apply(loss, g, scores, (an_labels){data, 2}));
        assert_true(fabs(an_item(an_loss_between(loss, g, scores, target)) - want) < 2e-6);
        loss.reduction = AN_REDUCE_MEAN; /* over the rows, whatever the weights */
        assert_true(fabs(an_item(an_loss_between(loss, g, scores, target)) - want / 2) < 2e-6);
    }
    assert_true(an_graph_reset(g, NULL));
    make_tensors(f);
}

static void test_dimensions_that_do_not_exist(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    expect(f, an_sum_dim(g, f->m23, 2, false), AN_ERROR_ARGUMENT,
           "sum_dim: (2, 3) has no dimension 2; allowed are -2 to 1");
    expect(f, an_mean_dim(g, f->m23, -3, false), AN_ERROR_ARGUMENT,
           "mean_dim: (2, 3) has no dimension -3");
    expect(f, an_max_dim(g, f->scalar, 0, true), AN_ERROR_ARGUMENT,
           "max_dim: a scalar has no dimensions");
    expect(f, an_max_dim(g, an_empty(g, an_shape_2(2, 0)), 1, true), AN_ERROR_SHAPE,
           "max_dim: dimension 1 of (2, 0) is empty");
    expect(f, an_flatten(g, f->m23, 2), AN_ERROR_ARGUMENT, "flatten: (2, 3) has no dimension 2");
    expect(f, an_slice(g, f->m23, 5, 0, 1), AN_ERROR_ARGUMENT, "slice: (2, 3) has no dimension 5");
    expect(f, an_slice(g, f->m23, 1, 2, 2), AN_ERROR_ARGUMENT,
           "slice: 2 elements from 2 on do not lie in dimension 1 of (2, 3)");
    expect(f, an_slice(g, f->m23, 1, -1, 2), AN_ERROR_ARGUMENT, "slice: 2 elements from -1");
    expect(f, an_slice(g, f->m23, 1, 1, INT64_MAX), AN_ERROR_ARGUMENT,
           "slice: 9223372036854775807");
}

static void test_shapes_that_cannot_be(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    const float one = 1;
    expect(f, an_empty(g, an_shape_2(2, -1)), AN_ERROR_SHAPE,
           "empty: a tensor of shape (2, -1) cannot be made");
    expect(f, an_full(g, (an_shape){.ndim = 7}, 1), AN_ERROR_SHAPE, "full: a tensor");
    expect(f, an_from(g, &one, (an_shape){.ndim = -1}), AN_ERROR_SHAPE, "from: a tensor");
    expect(f, an_from(g, NULL, an_shape_1(1)), AN_ERROR_ARGUMENT, "from: the values are NULL");
    expect(f, an_leaf(g, NULL, an_shape_1(1)), AN_ERROR_ARGUMENT, "leaf: the values are NULL");
    expect(f, an_empty(g, an_shape_2((int64_t)1 << 40, (int64_t)1 << 40)), AN_ERROR_SHAPE,
           "empty: ");
    expect(f, an_empty(g, an_shape_2((int64_t)1 << 30, (int64_t)1 << 30)), AN_ERROR_MEMORY,
           "memory ran out");
    expect(f, an_reshape(g, f->m23, an_shape_2(4, 2)), AN_ERROR_SHAPE,
           "reshape: (2, 3) has 6 values and cannot become (4, 2)");
    expect(f, an_reshape(g, f->m23, an_shape_2(4, -1)), AN_ERROR_SHAPE,
           "reshape: (2, 3) has 6 values and cannot become (4, -1)");
    expect(f, an_reshape(g, f->m23, an_shape_2(-1, -1)), AN_ERROR_SHAPE,
           "reshape: only one dimension may be -1");
    expect(f, an_reshape(g, f->m23, (an_shape){.ndim = 9}), AN_ERROR_SHAPE, "reshape: ");
    expect(f,
           an_matmul(g, an_full(g, an_shape_2((int64_t)1 << 40, 0), 1),
                     an_full(g, an_shape_2(0, (int64_t)1 << 40), 1)),
           AN_ERROR_SHAPE, "matmul: a tensor");
}

static void test_labels(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    int32_t data[] = {0, 3, 1};
    an_labels two = {data, 2}, three = {data, 3}, null = {NULL, 2};
    expect(f, an_cross_entropy(g, f->m23, two), AN_ERROR_ARGUMENT,
           "cross_entropy: label 3 of row 1 is outside 0..2");
    expect(f, an_nll_loss(g, f->m23, two), AN_ERROR_ARGUMENT,
           "nll_loss: label 3 of row 1 is outside 0..2");
    expect(f, an_cross_entropy(g, f->m23, three), AN_ERROR_SHAPE,
           "cross_entropy: (2, 3) has 2 rows but there are 3 labels");
    expect(f, an_cross_entropy(g, f->v3, three), AN_ERROR_SHAPE,
           "cross_entropy: needs (rows, classes) but gets (3,)");
    expect(f, an_cross_entropy(g, f->m23, null), AN_ERROR_ARGUMENT,
           "cross_entropy: the pointer to each row's label is NULL");
    expect(f, an_cross_entropy(g, an_empty(g, an_shape_2(0, 3)), (an_labels){data, 0}),
           AN_ERROR_SHAPE, "at least 1");
    data[1] = -1;
    expect(f, an_index_rows(g, f->m23, two), AN_ERROR_ARGUMENT,
           "index_rows: index -1 of row 1 is outside 0..1");
    expect(f, an_index_rows(g, f->scalar, two), AN_ERROR_SHAPE, "index_rows: a scalar");
}

static void test_other_arguments(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_rng rng = an_rng_init(1, 2);
    an_tensor *parts[] = {f->m23, f->m45, NULL};
    expect(f, an_dropout(g, f->m23, -0.1, &rng), AN_ERROR_ARGUMENT,
           "dropout: p is a probability from 0 to 1");
    expect(f, an_dropout(g, f->m23, (double)NAN, &rng), AN_ERROR_ARGUMENT, "dropout: p is");
    expect(f, an_dropout(g, f->m23, 0.5, NULL), AN_ERROR_ARGUMENT, "dropout: the random");
    expect(f, an_linear(g, f->m23, f->m23, NULL, (an_activation)9), AN_ERROR_ARGUMENT,
           "linear: there is no activation 9");
    parts[0] = f->m23;
    parts[1] = f->m45;
    expect(f, an_concat(g, parts, 2, 0), AN_ERROR_SHAPE,
           "concat: part 1 is (2, 3) and part 2 is (4, 5): they may differ in dimension 0 alone");
    parts[0] = f->m23;
    parts[1] = f->v3;
    expect(f, an_concat(g, parts, 2, 1), AN_ERROR_SHAPE, "concat: part 1 is (2, 3)");
    expect(f, an_concat(g, parts, 0, 0), AN_ERROR_ARGUMENT, "concat: there are no parts");
    expect(f, an_concat(g, NULL, 2, 0), AN_ERROR_ARGUMENT, "concat: the operands are NULL");
    expect(f, an_concat(g, parts, -1, 0), AN_ERROR_ARGUMENT, "concat: the operands are NULL");
    parts[0] = f->m23;
    parts[1] = NULL;
    expect(f, an_concat(g, parts, 2, 0), AN_ERROR_ARGUMENT, "concat: operand 2 is NULL");
    expect(f, an_apply(g, NULL, an_shape_0(), NULL, 0, NULL), AN_ERROR_ARGUMENT,
           "apply: the operation is NULL");
    expect(f, an_apply(g, &(an_operation){"own", NULL, NULL}, an_shape_0(), NULL, 0, NULL),
           AN_ERROR_ARGUMENT, "apply: the operation's forward is NULL");
    expect(f, an_detach(g, NULL), AN_ERROR_ARGUMENT, "detach: the operand is NULL");
}

/* Every operation of one tensor refuses NULL and parameters that have no values yet. */
static void test_operands_without_values(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *(*const maps[])(an_graph *, an_tensor *) = {
        an_neg,  an_exp,     an_log,     an_sqrt,        an_abs, an_relu,
        an_tanh, an_sigmoid, an_softmax, an_log_softmax, an_sum, an_mean,
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        expect(f, maps[i](g, NULL), AN_ERROR_ARGUMENT, ": operand 1 is NULL");
        expect(f, maps[i](g, f->unbuilt), AN_ERROR_STATE,
               ": operand 1 is a parameter without values; call an_params_build");
    }
}

static void test_the_first_error_is_kept_and_flows(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_error err = {0};
    an_tensor *bad = an_matmul(g, f->m23, f->m45);
    an_tensor *worse = an_add(g, f->m23, f->m45);
    an_tensor *after = an_mean(g, an_relu(g, an_add(g, bad, worse)));
    assert_true(isnan(an_item(after)));
    an_tensor *sound = an_sum(g, an_leaf(g, (float[]){1}, an_shape_1(1)));
    assert_float_equal(an_item(sound), 1, 0);
    assert_false(an_backward(g, sound, &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_non_null(strstr(err.message, "matmul: (2, 3) by (4, 5)"));
    assert_false(an_backward(g, after, NULL));
    expect(f, after, AN_ERROR_SHAPE, "matmul: (2, 3) by (4, 5)");
}

static void test_poison_of_an_earlier_step(void **state)
{
    fixture *f = *state;
    an_tensor *bad = an_matmul(f->graph, f->m23, f->m45);
    assert_false(an_graph_reset(f->graph, NULL));
    make_tensors(f);
    expect(f, an_add(f->graph, f->v3, bad), AN_ERROR_ARGUMENT,
           "add: operand 2 is the result of an operation that failed");
    an_error err = {0};
    assert_false(an_backward(f->graph, bad, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    expect(f, an_detach(f->graph, bad), AN_ERROR_ARGUMENT, "detach: the operand is the result");
}

static void test_backward(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_error err = {0};
    an_tensor *x = an_leaf(g, (float[]){1, 2, 3}, an_shape_1(3));
    assert_false(an_backward(g, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_false(an_backward(g, an_exp(g, x), &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_non_null(strstr(err.message, "must be a scalar but has shape (3,)"));
    assert_false(an_backward(g, an_sum(g, f->v3), &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "depends on no parameter"));
    an_tensor *loss = an_sum(g, an_exp(g, x));
    assert_true(an_backward(g, loss, &err));
    const float once = an_tensor_grad(x)[0];
    assert_false(an_backward(g, loss, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_non_null(strstr(err.message, "walked already"));
    assert_float_equal(an_tensor_grad(x)[0], once, 0);
    assert_true(an_graph_reset(g, NULL));
}

static void test_attention(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    const an_attention_options two = {.heads = 2};
    expect(f, an_self_attention(g, f->m23, two), AN_ERROR_SHAPE,
           "self_attention: takes (batch, time, width) with at least one position, got (2, 3)");
    expect(f, an_self_attention(g, f->t234, two), AN_ERROR_SHAPE, "got (2, 3, 4)");
    expect(f, an_self_attention(g, an_full(g, an_shape_3(1, 0, 6), 1), two), AN_ERROR_SHAPE,
           "at least one position");
    expect(f, an_attention(g, f->t234, f->t234, an_full(g, an_shape_3(2, 2, 4), 1), two),
           AN_ERROR_SHAPE, "values (2, 2, 4) do not fit");
    expect(f, an_attention(g, f->t234, f->m23, f->m23, two), AN_ERROR_SHAPE, "got (2, 3)");
    expect(f, an_attention(g, f->t234, f->t234, f->t234, (an_attention_options){.heads = 3}),
           AN_ERROR_ARGUMENT, "the number of heads must divide the width 4, got 3");
    expect(f, an_attention(g, f->t234, f->t234, f->t234, (an_attention_options){.heads = 0}),
           AN_ERROR_ARGUMENT, "got 0");
    expect(f,
           an_attention(g, f->t234, f->t234, f->t234,
                        (an_attention_options){.heads = 2, .dropout = 1.5}),
           AN_ERROR_ARGUMENT, "dropout is a probability from 0 to 1, got 1.5");
    expect(f,
           an_attention(g, f->t234, f->t234, f->t234,
                        (an_attention_options){.heads = 2, .dropout = 0.5}),
           AN_ERROR_ARGUMENT, "needs a random number generator");
}

static void test_recurrent(void **state)
{
    fixture *f = *state;
    an_graph *g = f->graph;
    an_tensor *ih = an_full(g, an_shape_2(20, 4), 1), *hh = an_full(g, an_shape_2(20, 5), 1);
    expect(f, an_lstm(g, f->m23, (an_recurrent_weights){ih, hh, NULL, NULL, NULL}, false),
           AN_ERROR_SHAPE, "lstm: takes (batch, time, features), got (2, 3)");
    ih = an_full(g, an_shape_2(20, 4), 1), hh = an_full(g, an_shape_2(20, 5), 1);
    expect(f, an_gru(g, f->t234, (an_recurrent_weights){ih, hh, NULL, NULL, NULL}, false),
           AN_ERROR_SHAPE, "gru: weight_hh must be (3 hidden, hidden) but has shape (20, 5)");
    ih = an_full(g, an_shape_2(20, 3), 1), hh = an_full(g, an_shape_2(20, 5), 1);
    expect(f, an_lstm(g, f->t234, (an_recurrent_weights){ih, hh, NULL, NULL, NULL}, false),
           AN_ERROR_SHAPE, "lstm: weight_ih must be (20, 4) but has shape (20, 3)");
    ih = an_full(g, an_shape_2(20, 4), 1), hh = an_full(g, an_shape_2(20, 5), 1);
    expect(f, an_lstm(g, f->t234, (an_recurrent_weights){ih, hh, f->v3, f->v3, NULL}, false),
           AN_ERROR_SHAPE, "lstm: bias_ih must be (20,) but has shape (3,)");
    ih = an_full(g, an_shape_2(20, 4), 1), hh = an_full(g, an_shape_2(20, 5), 1);
    expect(f, an_lstm(g, f->t234, (an_recurrent_weights){ih, hh, f->v3, NULL, NULL}, false),
           AN_ERROR_ARGUMENT, "bias_ih and bias_hh come together");
    ih = an_full(g, an_shape_2(20, 4), 1), hh = an_full(g, an_shape_2(20, 3), 1);
    an_tensor *hr = an_full(g, an_shape_2(3, 4), 1);
    expect(f, an_lstm(g, f->t234, (an_recurrent_weights){ih, hh, NULL, NULL, hr}, false),
           AN_ERROR_SHAPE, "lstm: weight_hr must be (out, hidden)");
    ih = an_full(g, an_shape_2(20, 4), 1), hh = an_full(g, an_shape_2(20, 3), 1);
    hr = an_full(g, an_shape_2(3, 5), 1);
    expect(f, an_gru(g, f->t234, (an_recurrent_weights){ih, hh, NULL, NULL, hr}, false),
           AN_ERROR_ARGUMENT, "gru: has no projection");
}

static void test_graphs_do_not_mix(void **state)
{
    fixture *f = *state;
    an_error err = {0};
    an_graph *other = an_graph_new(f->context, NULL);
    an_tensor *foreign = an_exp(other, an_leaf(other, (float[]){1}, an_shape_1(1)));
    expect(f, an_add(f->graph, f->scalar, foreign), AN_ERROR_ARGUMENT,
           "add: operand 2 belongs to another graph");
    assert_false(an_backward(f->graph, foreign, &err));
    assert_non_null(strstr(err.message, "another graph"));
    an_graph_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shapes_that_do_not_fit),
        TEST(test_norms_that_do_not_fit),
        TEST(test_embeddings_that_do_not_fit),
        TEST(test_padding_gets_no_gradient),
        TEST(test_losses_of_labels_that_do_not_fit),
        TEST(test_losses_of_no_classes),
        TEST(test_losses_of_ignored_rows),
        TEST(test_losses_between_tensors_that_do_not_fit),
        TEST(test_binary_labels),
        TEST(test_probabilities_as_target),
        TEST(test_dimensions_that_do_not_exist),
        TEST(test_shapes_that_cannot_be),
        TEST(test_labels),
        TEST(test_other_arguments),
        TEST(test_operands_without_values),
        TEST(test_the_first_error_is_kept_and_flows),
        TEST(test_poison_of_an_earlier_step),
        TEST(test_backward),
        TEST(test_attention),
        TEST(test_recurrent),
        TEST(test_graphs_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
