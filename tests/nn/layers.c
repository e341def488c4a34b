/*
 * Activations, norms and embeddings as layers: parameters, buffers, values and gradients, in
 * training and in evaluation, as PyTorch has them (layers.h, written by layers.py); where they
 * start; what they refuse.
 */
#include "as_pytorch.h"
#include "failing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MOST_PARAMS = 8 };

typedef struct layer_case {
    const char *text;
    int count, buffer_count;
    array params[MOST_PARAMS], gradients[MOST_PARAMS], buffers[MOST_PARAMS];
    array x1, x2, dx, y, weight, y_eval;
} layer_case;

#include "layers.h"

static void check_buffers(const layer_case *c, const an_params *params)
{
    assert_int_equal(an_params_buffer_count(params), c->buffer_count);
    for (int i = 0; i < c->buffer_count; i++) {
        const array *want = &c->buffers[i];
        const an_buffer *b = an_params_get_buffer(params, (size_t)i);
        assert_string_equal(b->name + 2, want->name);
        if (b->tensor) {
            assert_true(an_shape_equal(b->tensor->shape, want->shape));
            close_to(c->text, b->tensor->data, want);
        } else {
            assert_int_equal(*b->counter, (int64_t)want->data[0]);
        }
    }
}

static void check_case(const layer_case *c)
{
    an_error err = {0};
    an_model *model = model_of(c->text, sample_of(c->x2.shape));
    const an_params *params = an_model_params(model);
    assert_string_equal(an_model_layer_text(model, 0), c->text);
    load(c->params, c->count, params);
    an_forward(model, graph, an_from(graph, c->x1.data, c->x1.shape));
    an_tensor *x = an_leaf(graph, c->x2.data, c->x2.shape);
    an_tensor *y = an_forward(model, graph, x);
    an_tensor *weight = an_from(graph, c->weight.data, c->weight.shape);
    if (!an_backward(graph, an_sum(graph, an_mul(graph, y, weight)), &err)) {
        fail_msg("%s: %s", c->text, err.message);
    }
    assert_true(an_shape_equal(y->shape, c->y.shape));
    close_to(c->text, y->data, &c->y);
    close_to(c->text, an_tensor_grad(x), &c->dx);
    gradients_close_to(c->text, params, c->gradients);
    assert_true(an_graph_reset(graph, NULL));
    an_model_set_training(model, false);
    an_graph_set_grad(graph, false);
    y = an_forward(model, graph, an_from(graph, c->x2.data, c->x2.shape));
    close_to(c->text, y->data, &c->y_eval);
    an_graph_set_grad(graph, true);
    check_buffers(c, params);
    assert_true(an_graph_reset(graph, NULL));
    an_model_free(model);
}

static void they_compute_what_pytorch_does(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(layer_cases); k++) {
        check_case(&layer_cases[k]);
    }
}

static void norms_start_as_identities(void **state)
{
    (void)state;
    an_model *model = model_of("BatchNorm2d(3)", an_shape_3(3, 2, 2));
    const an_params *params = an_model_params(model);
    for (int i = 0; i < 3; i++) {
        assert_true(an_params_find(params, "0.weight")->tensor->data[i] == 1);
        assert_true(an_params_find(params, "0.bias")->tensor->data[i] == 0);
        assert_true(an_params_find_buffer(params, "0.running_mean")->tensor->data[i] == 0);
        assert_true(an_params_find_buffer(params, "0.running_var")->tensor->data[i] == 1);
    }
    assert_int_equal(*an_params_find_buffer(params, "0.num_batches_tracked")->counter, 0);
    an_model_free(model);
}

/* Batches (0, 2) and (10, 14): means 1 and 12, variances 2 and 8. */
static void statistics_are_gathered_anew(void **state)
{
    (void)state;
    static const float batches[2][2] = {{0, 2}, {10, 14}};
    an_model *model = model_of("Residual(BatchNorm1d(1))", an_shape_1(1));
    const an_params *params = an_model_params(model);
    const an_buffer *mean = an_params_get_buffer(params, 0), *n = an_params_get_buffer(params, 2);
    const an_buffer *variance = an_params_get_buffer(params, 1);
    assert_true(an_model_has_statistics(model));
    for (int round = 0; round < 3; round++) {
        an_model_gather_statistics(model, round < 2);
        for (int k = 0; k < (round < 2 ? 2 : 1); k++) {
            an_forward(model, graph, an_from(graph, batches[k], an_shape_2(2, 1)));
            assert_true(an_graph_reset(graph, NULL));
        }
        const bool own = round == 2; /* momentum 0.1 again */
        assert_int_equal(*n->counter, own ? 3 : 2);
        assert_true(fabs((double)mean->tensor->data[0] - (own ? 5.95 : 6.5)) < 1e-5);
        assert_true(fabs((double)variance->tensor->data[0] - (own ? 4.7 : 5)) < 1e-5);
    }
    an_model_free(model);
    model = model_of("Sequential(Linear(2, 2), BatchNorm1d(2, track_running_stats=False))",
                     an_shape_1(2));
    assert_false(an_model_has_statistics(model));
    an_model_gather_statistics(model, true);
    an_model_gather_statistics(model, false);
    an_model_free(model);
}

static void embeddings_start_normal(void **state)
{
    (void)state;
    enum { ROWS = 400, SIZE = 50 };
    an_model *model = model_of("Embedding(400, 50, padding_idx=-2)", an_shape_1(7));
    const float *data = an_params_find(an_model_params(model), "0.weight")->tensor->data;
    double sum = 0, squares = 0;
    for (int i = 0; i < ROWS * SIZE; i++) {
        sum += (double)data[i];
        squares += (double)data[i] * (double)data[i];
    }
    assert_true(fabs(sum / (ROWS * SIZE)) < 0.04);
    assert_true(fabs(squares / (ROWS * SIZE) - 1) < 0.06);
    for (int i = 0; i < SIZE; i++) {
        assert_true(data[(ROWS - 2) * SIZE + i] == 0);
    }
    assert_true(an_shape_equal(an_model_output_shape(model), an_shape_2(7, SIZE)));
    an_model_free(model);
}

/* Long rows are scaled down where they are looked up, and there alone; numbers of PyTorch 1.13. */
static void embeddings_limit_their_norm(void **state)
{
    (void)state;
    static const float start[8] = {3, 4, 5, 0, 0.5f, -2, 0.1f, 0.1f}, ids[4] = {0, 2, 0, 3};
    static const float weight[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        const char *text;
        float rows[8], gradient[8];
    } cases[] = {
        {"Embedding(4, 2, max_norm=1.5)",
         {0.899999976f, 1.19999993f, 5, 0, 0.363803416f, -1.45521367f, 0.1f, 0.1f},
         {6, 8, 0, 0, 3, 4, 7, 8}},
        {"Embedding(4, 2, max_norm=1.5, norm_type=1)",
         {0.642857134f, 0.857142866f, 5, 0, 0.299999982f, -1.19999993f, 0.1f, 0.1f},
         {6, 8, 0, 0, 3, 4, 7, 8}},
        {"Embedding(4, 2, padding_idx=3, max_norm=1.5, norm_type=3, scale_grad_by_freq=True)",
         {1.00045764f, 1.33394349f, 5, 0, 0.373066962f, -1.49226785f, 0.1f, 0.1f},
         {3, 4, 0, 0, 3, 4, 0, 0}},
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        an_model *model = model_of(cases[k].text, an_shape_1(4));
        assert_string_equal(an_model_layer_text(model, 0), cases[k].text);
        an_tensor *table = an_params_find(an_model_params(model), "0.weight")->tensor;
        memcpy(table->data, start, sizeof start);
        an_tensor *y = an_forward(model, graph, an_from(graph, ids, an_shape_2(1, 4)));
        an_tensor *w = an_from(graph, weight, an_shape_3(1, 4, 2));
        assert_true(an_backward(graph, an_sum(graph, an_mul(graph, y, w)), NULL));
        for (int i = 0; i < 8; i++) {
            assert_float_equal(table->data[i], cases[k].rows[i], 1e-6);
            assert_float_equal(an_tensor_grad(table)[i], cases[k].gradient[i], 1e-6);
            assert_true(y->data[i] == table->data[(int)ids[i / 2] * 2 + i % 2]);
        }
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
}

/* With probability 1 nothing is left, and no gradient, as in PyTorch. */
static void dropout_of_everything_leaves_zeros(void **state)
{
    (void)state;
    static const char *const texts[] = {"Dropout(1)", "Dropout2d(1)",
                                        "MultiheadAttention(4, 2, dropout=1, bias=False)"};
    for (size_t k = 0; k < COUNT(texts); k++) {
        an_model *model = model_of(texts[k], an_shape_2(3, 4));
        float values[24];
        for (int i = 0; i < 24; i++)
            values[i] = (float)i - 11.5f;
        an_tensor *x = an_leaf(graph, values, an_shape_3(2, 3, 4));
        an_tensor *y = an_forward(model, graph, x);
        assert_true(an_backward(graph, an_sum(graph, y), NULL));
        for (int i = 0; i < 24; i++)
            assert_true(y->data[i] == 0 && an_tensor_grad(x)[i] == 0);
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
}

/* A model of language in small: ids (batch, context), scores (batch, context, vocabulary). */
static void text_goes_through(void **state)
{
    (void)state;
    static const int32_t ids[6] = {0, 4, 2, 1, 1, 3}, next[6] = {4, 2, 1, 1, 3, 0};
    an_model *model = an_model_new(context, NULL);
    an_model_add(model, "Embedding(5, 8, padding_idx=4)", NULL);
    an_model_add(model, "Residual(LayerNorm(8), Linear(8, 8), GELU())", NULL);
    an_model_add(model, "Linear(8, 5)", NULL);
    assert_true(an_model_build(model, an_shape_1(3), 1, NULL));
    an_tensor *x = an_ids(graph, (an_labels){ids, 6}, an_shape_2(2, 3));
    an_tensor *scores = an_forward(model, graph, x);
    assert_true(an_shape_equal(scores->shape, an_shape_3(2, 3, 5)));
    an_tensor *loss = an_cross_entropy(graph, scores, (an_labels){next, 6});
    const int64_t correct = an_count_correct(scores, (an_labels){next, 6});
    assert_true(correct >= 0 && correct <= 6);
    assert_true(an_backward(graph, loss, NULL));
    const float *d = an_tensor_grad(an_params_find(an_model_params(model), "0.weight")->tensor);
    for (int i = 0; i < 8; i++) {
        assert_true(d[4 * 8 + i] == 0 && d[i] != 0);
    }
    assert_true(an_graph_reset(graph, NULL));
    an_model_free(model);
}

/* Whole channels are zero or scaled, in training alone. */
static void dropout_2d_drops_channels(void **state)
{
    (void)state;
    enum { BATCH = 40, CHANNELS = 50, AREA = 6 };
    an_model *model = model_of("Dropout2d(p=0.25)", an_shape_3(CHANNELS, 2, 3));
    an_tensor *x = an_full(graph, an_shape_4(BATCH, CHANNELS, 2, 3), 1);
    an_tensor *y = an_forward(model, graph, x);
    int dropped = 0;
    for (int c = 0; c < BATCH * CHANNELS; c++) {
        const float first = y->data[c * AREA];
        assert_true(first == 0 || fabsf(first - 4.0f / 3) < 1e-6f);
        dropped += first == 0;
        for (int i = 1; i < AREA; i++) {
            assert_true(y->data[c * AREA + i] == first);
        }
    }
    assert_true(fabs((double)dropped / (BATCH * CHANNELS) - 0.25) < 0.05);
    an_model_set_training(model, false);
    assert_ptr_equal(an_forward(model, graph, x), x);
    assert_true(an_graph_reset(graph, NULL));
    an_model_free(model);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
        an_shape sample;
    } cases[] = {
        {"BatchNorm1d(3)",
         "takes (batch, 3) or with a length behind but gets (batch, 4)",
         {1, {4}}},
        {"BatchNorm1d(3)", "but gets (batch, 3, 2, 2)", {3, {3, 2, 2}}},
        {"BatchNorm2d(3)", "takes (batch, 3, height, width) but gets (batch, 3)", {1, {3}}},
        {"LayerNorm(3)", "normalises over last dimensions (3,) but gets (batch, 4)", {1, {4}}},
        {"LayerNorm((2, 3))", "dimensions (2, 3) but gets (batch, 3)", {1, {3}}},
        {"RMSNorm(3)", "but gets (batch)", {0, {0}}},
        {"GroupNorm(2, 4)", "takes (batch, 4, ...) but gets (batch, 3)", {1, {3}}},
        {"Softmax(0)", "works along dimension 0, but gets (batch, 3)", {1, {3}}},
        {"Softmax(2)", "works along dimension 2, but gets (batch, 3)", {1, {3}}},
        {"Softmax(-2)", "works along dimension 0", {1, {3}}},
        {"LogSoftmax(1)", "not along dimension 1 of (batch, 3, 2)", {2, {3, 2}}},
        {"Embedding(5, 2)", "adds a dimension", {5, {1, 1, 1, 1, 1}}},
        {"Dropout2d()", "takes (batch, channels, ...) but gets (batch)", {0, {0}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_model *model = an_model_new(context, NULL);
        assert_true(an_model_add(model, cases[i].text, &err));
        assert_false(an_model_build(model, cases[i].sample, 1, &err));
        assert_int_equal(err.code, AN_ERROR_SHAPE);
        if (!strstr(err.message, cases[i].part) || strncmp(err.message, "layer 0, ", 9) != 0) {
            fail_msg("%s: '%s' is not in '%s'", cases[i].text, cases[i].part, err.message);
        }
        an_model_free(model);
    }
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"GELU(approximate='erf')", "'approximate' must be 'none' or 'tanh'"},
        {"Softmax()", "Softmax needs 'dim'"},
        {"Softplus(beta=0)", "Softplus: beta must be above 0, got 0"},
        {"ELU(alpha=nan)", "alpha must be a number, got nan"},
        {"BatchNorm1d(0)", "num_features must be at least 1, got 0"},
        {"BatchNorm1d(3, momentum=2)", "momentum must be from 0 to 1 or None, got 2"},
        {"BatchNorm1d(3, momentum=nan)", "momentum must be from 0 to 1 or None, got nan"},
        {"BatchNorm2d(3, eps=-1)", "eps must be at least 0, got -1"},
        {"LayerNorm((2, 0))", "normalized_shape must be at least 1, got 0"},
        {"GroupNorm(3, 4)", "num_groups must divide num_channels 4, got 3"},
        {"Embedding(5, 2, padding_idx=5)",
         "padding_idx must be a whole number from -5 to 4, got 5"},
        {"Embedding(5, 2, padding_idx=0.5)", "got 0.5"},
        {"Embedding(5, 2, max_norm=0)", "max_norm must be above 0 or None, got 0"},
        {"Embedding(5, 2, sparse=True)", "sparse must be False: gradients are dense"},
        {"Embedding(20000000, 2)", "num_embeddings must be from 1 to 2^24"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_model *model = an_model_new(context, NULL);
        assert_false(an_model_add(model, cases[i][0], &err));
        if (!strstr(err.message, cases[i][1])) {
            fail_msg("%s: '%s' is not in '%s'", cases[i][0], cases[i][1], err.message);
        }
        an_model_free(model);
    }
}

static void a_batch_of_one_cannot_be_trained_on(void **state)
{
    (void)state;
    an_model *model = model_of("Sequential(ReLU(), BatchNorm1d(3))", an_shape_1(3));
    an_tensor *one = an_full(graph, an_shape_2(1, 3), 1);
    an_error err = {0};
    an_forward(model, graph, one);
    assert_false(an_graph_reset(graph, &err));
    assert_non_null(strstr(err.message, "layer 0.1, BatchNorm1d(3): batch_norm: training takes"));
    const an_buffer *count =
        an_params_find_buffer(an_model_params(model), "0.1.num_batches_tracked");
    assert_int_equal(*count->counter, 0);
    an_model_set_training(model, false);
    an_forward(model, graph, an_full(graph, an_shape_2(1, 3), 1));
    assert_true(an_graph_reset(graph, NULL));
    an_model_free(model);
}

static bool describe_and_build(an_context *poor, an_error *err)
{
    an_model *model = an_model_new(poor, err);
    if (!model) {
        return false;
    }
    an_model_add(model, "Embedding(3, 4)", NULL);
    for (int i = 0; i < 6; i++) {
        an_model_add(model, "Residual(BatchNorm1d(5), LayerNorm(4))", NULL);
    }
    bool built = an_model_build(model, an_shape_1(5), 1, err);
    an_model_free(model);
    return built;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    every_allocation_fails(describe_and_build, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_compute_what_pytorch_does),
        cmocka_unit_test(norms_start_as_identities),
        cmocka_unit_test(statistics_are_gathered_anew),
        cmocka_unit_test(embeddings_start_normal),
        cmocka_unit_test(embeddings_limit_their_norm),
        cmocka_unit_test(dropout_of_everything_leaves_zeros),
        cmocka_unit_test(text_goes_through),
        cmocka_unit_test(dropout_2d_drops_channels),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_batch_of_one_cannot_be_trained_on),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
