/* Models: layers from C and text, parameters, initialisation, shapes, errors, forward. */
#include <anneal/nn.h>

#include <math.h>
#include <string.h>

#include "failing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int set_up(void **state)
{
    an_context_options options = {.threads = 1};
    *state = an_context_new(&options, NULL);
    return *state ? 0 : 1;
}

static int tear_down(void **state)
{
    an_context_free(*state);
    return 0;
}

/* A model of layers in text; fails the test on any error. */
static an_model *model_of(an_context *context, const char *const *texts, size_t count)
{
    an_model *model = an_model_new(context, NULL);
    for (size_t i = 0; i < count; i++) {
        an_error err = {0};
        if (!an_model_add(model, texts[i], &err)) {
            fail_msg("%s: %s", texts[i], err.message);
        }
    }
    return model;
}

static void assert_param(an_model *model, size_t index, const char *name, an_shape shape)
{
    const an_param *param = an_params_get(an_model_params(model), index);
    assert_non_null(param);
    assert_string_equal(param->name, name);
    assert_true(an_shape_equal(param->tensor->shape, shape));
}

static void parameters_are_named_as_in_pytorch(void **state)
{
    static const char *const texts[] = {"Flatten()", "Linear(12, 5)", "ReLU()",
                                        "Linear(5, 3, bias=False)"};
    an_model *model = model_of(*state, texts, COUNT(texts));
    assert_true(an_model_build(model, an_shape_3(1, 3, 4), 1, NULL));
    assert_int_equal(an_params_count(an_model_params(model)), 3);
    assert_param(model, 0, "1.weight", an_shape_2(5, 12));
    assert_param(model, 1, "1.bias", an_shape_1(5));
    assert_param(model, 2, "3.weight", an_shape_2(3, 5));
    assert_true(an_shape_equal(an_model_output_shape(model), an_shape_1(3)));
    assert_int_equal(an_params_size(an_model_params(model)), 60 + 5 + 15);
    an_model_free(model);
}

static void layers_have_canonical_text(void **state)
{
    static const char *const cases[][2] = {
        {"nn.Linear(784,128)", "Linear(784, 128)"},
        {"torch.nn.Linear(out_features=3, in_features=1_000, bias=True)", "Linear(1000, 3)"},
        {"Linear(2, 3, False)", "Linear(2, 3, bias=False)"},
        {"ReLU(inplace=True)", "ReLU()"},
        {"Tanh()", "Tanh()"},
        {"Sigmoid()", "Sigmoid()"},
        {"Flatten(1)", "Flatten()"},
        {"Flatten(start_dim=2, end_dim=-2)", "Flatten(start_dim=2, end_dim=-2)"},
        {"Dropout(0.5)", "Dropout()"},
        {"Dropout(p=1/4, inplace=False)", "Dropout(p=0.25)"},
        {"Dropout(0)", "Dropout(p=0)"},
    };
    an_model *model = an_model_new(*state, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        if (!an_model_add(model, cases[i][0], &err)) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        assert_string_equal(an_model_layer_text(model, i), cases[i][1]);
    }
    assert_int_equal(an_model_layer_count(model), COUNT(cases));
    assert_null(an_model_layer_text(model, COUNT(cases)));
    an_model_free(model);
}

static void every_layer_is_named(void **state)
{
    static const char *const want[] = {"Linear",  "ReLU",       "Tanh",     "Sigmoid",  "Flatten",
                                       "Dropout", "Sequential", "Residual", "Unflatten"};
    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        size_t at = 0;
        while (an_layer_names()[at] && strcmp(an_layer_names()[at], want[i]) != 0) {
            at++;
        }
        assert_non_null(an_layer_names()[at]);
    }
}

static void wrong_text_points_at_its_place(void **state)
{
    static const struct {
        const char *text;
        int column;
        const char *part;
    } cases[] = {
        {"Relu()", 1, "there is no layer 'Relu'; did you mean 'ReLU'?"},
        {"Xyzzyplugh()", 1, "there are Linear, Embedding, ReLU, Tanh, Sigmoid, "},
        {"Residul()", 1, "there is no layer 'Residul'; did you mean 'Residual'?"},
        {"ReLU", 1, "a layer is written as a call, as in ReLU()"},
        {"Linear(3)", 1, "out_features"},
        {"Linear(3, 4, bais=False)", 14, "bias"},
        {"Linear(0, 4)", 8, "Linear: in_features must be at least 1, got 0"},
        {"Linear(4, -1)", 11, "Linear: out_features must be at least 1, got -1"},
        {"Linear(4, 1.5)", 11, "out_features"},
        {"Linear(4, 2, 3)", 14, "bias"},
        {"Dropout(p=1.1)", 11, "Dropout: p must be from 0 to 1, got 1.1"},
        {"Dropout(-0.1)", 9, "Dropout: p must be from 0 to 1, got -0.1"},
        {"Dropout(nan)", 9, "p"},
        {"Flatten(9)", 9, "start_dim must be -6 to 5, got 9"},
        {"Tanh(1)", 6, "Tanh"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0}, kept = {0};
        an_model *model = an_model_new(*state, NULL);
        assert_false(an_model_add(model, cases[i].text, &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        if (!strstr(err.message, cases[i].part)) {
            fail_msg("%s: '%s' is not in '%s'", cases[i].text, cases[i].part, err.message);
        }
        const char *line = strchr(err.excerpt, '\n'), *caret = strchr(err.excerpt, '^');
        if (!line || !caret || caret - line != cases[i].column) {
            fail_msg("%s: the caret is not at column %d:\n%s", cases[i].text, cases[i].column,
                     err.excerpt);
        }
        assert_false(an_model_build(model, an_shape_1(4), 1, &kept));
        assert_string_equal(kept.message, err.message);
        an_model_free(model);
    }
}

static void signatures_have_all_arguments(void **state)
{
    (void)state;
    char text[80];
    assert_int_equal(an_layer_signature("Linear", text, sizeof text), 44);
    assert_string_equal(text, "Linear(in_features, out_features, bias=True)");
    assert_int_equal(an_layer_signature("Linear", NULL, 0), 44);
    assert_int_equal(an_layer_signature("Residual", text, 12), 20);
    assert_string_equal(text, "Residual(la");
    assert_int_equal(an_layer_signature("Lineal", text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_int_equal(an_loss_signature(AN_HUBER_LOSS, text, sizeof text), 36);
    assert_string_equal(text, "HuberLoss(reduction='mean', delta=1)");
}

static void the_first_error_is_kept(void **state)
{
    an_error err = {0};
    an_model *model = an_model_new(*state, NULL);
    an_model_relu(model);
    an_model_linear(model, 4, 0, true);
    an_model_dropout(model, 7);
    assert_false(an_model_add(model, "(", NULL));
    assert_false(an_model_build(model, an_shape_1(4), 1, NULL));
    assert_false(an_model_build(model, an_shape_1(4), 1, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_string_equal(err.message, "layer 1, Linear: out_features must be at least 1, got 0");
    an_model_free(model);
}

static void errors_of_nested_layers_name_the_path(void **state)
{
    an_error err = {0};
    an_model *model = an_model_new(*state, NULL);
    an_model_relu(model);
    an_model_begin(model, "Sequential");
    an_model_relu(model);
    an_model_relu(model);
    an_model_dropout(model, 7);
    assert_false(an_model_build(model, an_shape_1(4), 1, &err));
    assert_string_equal(err.message, "layer 1.2, Dropout: p must be from 0 to 1, got 7");
    an_model_free(model);
}

static void assert_shape_error(an_context *context, an_shape sample, const char *text,
                               const char *message)
{
    an_error err = {0};
    an_model *model = an_model_new(context, NULL);
    an_model_relu(model);
    assert_true(an_model_add(model, text, &err));
    assert_false(an_model_build(model, sample, 1, &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_string_equal(err.message, message);
    an_model_free(model);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    assert_shape_error(*state, an_shape_1(64), "Linear(120, 10)",
                       "layer 1, Linear(120, 10): takes (batch, ..., 120) but gets (batch, 64)");
    assert_shape_error(*state, an_shape_3(1, 28, 28), "Linear(784, 10)",
                       "layer 1, Linear(784, 10): takes (batch, ..., 784) but gets (batch, 1, 28, "
                       "28); put Flatten() before it");
    assert_shape_error(*state, an_shape_0(), "Linear(1, 1)",
                       "layer 1, Linear(1, 1): takes (batch, ..., 1) but gets (batch)");
    assert_shape_error(*state, an_shape_0(), "Flatten()",
                       "layer 1, Flatten(): joins dimensions 1 to 0, but gets (batch); the batch "
                       "is dimension 0 and stays");
    assert_shape_error(*state, an_shape_2(3, 4), "Flatten(0)",
                       "layer 1, Flatten(start_dim=0): joins dimensions 0 to 2, but gets (batch, "
                       "3, 4); the batch is dimension 0 and stays");
    assert_shape_error(*state, an_shape_2(3, 4), "Flatten(1, 3)",
                       "layer 1, Flatten(end_dim=3): joins dimensions 1 to 3, but gets (batch, 3, "
                       "4); the batch is dimension 0 and stays");
    an_shape huge = an_shape_2(INT64_C(1) << 40, INT64_C(1) << 40);
    assert_shape_error(*state, huge, "ReLU()",
                       "the sample's shape is not possible: up to 5 dimensions of 0 or more");
    assert_shape_error(*state, an_shape_3(1 << 20, 1 << 20, 1), "Linear(1, 4194304)",
                       "layer 1, Linear(1, 4194304): gives more than 2^60 values");
}

static void a_model_too_large_is_an_error(void **state)
{
    an_error err = {0};
    an_model *model = an_model_new(*state, NULL);
    an_model_linear(model, INT64_C(1) << 39, INT64_C(1) << 39, true);
    assert_false(an_model_build(model, an_shape_1(INT64_C(1) << 39), 1, &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    an_model_free(model);
}

static void build_comes_once_and_last(void **state)
{
    an_error err = {0};
    an_model *model = an_model_new(*state, NULL);
    an_graph *graph = an_graph_new(*state, NULL);
    an_model_linear(model, 2, 2, true);
    const float x[2] = {1, 2};
    an_forward(model, graph, an_from(graph, x, an_shape_2(1, 2)));
    assert_false(an_graph_reset(graph, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_true(an_model_build(model, an_shape_1(2), 1, &err));
    assert_false(an_model_build(model, an_shape_1(2), 1, &err));
    assert_string_equal(err.message, "the model is built already");
    assert_false(an_model_add(model, "ReLU()", &err));
    assert_string_equal(err.message, "ReLU: the model is built already; add all layers before");
    assert_null(an_model_param(model, "p", an_shape_1(2), 0));
    assert_int_equal(an_model_layer_count(model), 1);
    an_graph_free(graph);
    an_model_free(model);
    an_model_free(NULL);
}

static void flatten_joins_the_dimensions_named(void **state)
{
    static const struct {
        const char *text;
        an_shape out;
    } cases[] = {
        {"Flatten()", {1, {24}}},         {"Flatten(2)", {2, {2, 12}}},
        {"Flatten(1, 2)", {2, {6, 4}}},   {"Flatten(-2, -1)", {2, {2, 12}}},
        {"Flatten(-3, -2)", {2, {6, 4}}}, {"Flatten(3)", {3, {2, 3, 4}}},
    };
    an_graph *graph = an_graph_new(*state, NULL);
    float x[48];
    for (int i = 0; i < 48; i++) {
        x[i] = (float)i;
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_model *model = model_of(*state, &cases[i].text, 1);
        assert_true(an_model_build(model, an_shape_3(2, 3, 4), 1, NULL));
        assert_true(an_shape_equal(an_model_output_shape(model), cases[i].out));
        an_tensor *y = an_forward(model, graph, an_from(graph, x, an_shape_4(2, 2, 3, 4)));
        assert_int_equal(y->shape.ndim, cases[i].out.ndim + 1);
        assert_int_equal(y->shape.dim[0], 2);
        assert_memory_equal(y->shape.dim + 1, cases[i].out.dim,
                            (size_t)cases[i].out.ndim * sizeof(int64_t));
        assert_memory_equal(y->data, x, sizeof x);
        an_error err = {0};
        an_forward(model, graph, an_from(graph, x, an_shape_1(48)));
        assert_false(an_graph_reset(graph, &err));
        assert_non_null(strstr(err.message, cases[i].text[7] == '(' ? "Flatten(" : "x"));
        an_model_free(model);
    }
    an_graph_free(graph);
}

/* Mean 0, variance bound^2 / 3, all within the bound and reaching near it. */
static void assert_uniform(const an_tensor *tensor, double bound)
{
    double sum = 0, square = 0, largest = 0, n = (double)tensor->size;
    for (int64_t i = 0; i < tensor->size; i++) {
        double x = tensor->data[i];
        sum += x;
        square += x * x;
        largest = fmax(largest, fabs(x));
    }
    assert_true(largest <= bound * (1 + 1e-6) && largest > 0.9 * bound);
    /* Five standard errors: sd of the mean is bound / sqrt(3 n), of x^2 it is bound^2 / 3.35. */
    assert_true(fabs(sum / n) < 5 * bound / sqrt(3 * n));
    assert_true(fabs(square / n - bound * bound / 3) < 5 * bound * bound / 3.35 / sqrt(n));
}

static void linear_starts_uniform(void **state)
{
    an_model *model = an_model_new(*state, NULL);
    an_model_linear(model, 50, 2000, true);
    an_tensor *own = an_model_param(model, "own", an_shape_1(5000), 3);
    an_tensor *zero = an_model_param(model, "zero", an_shape_1(50), 0);
    assert_true(an_model_build(model, an_shape_1(50), 7, NULL));
    an_params *params = an_model_params(model);
    assert_uniform(an_params_get(params, 0)->tensor, 1 / sqrt(50));
    assert_uniform(an_params_get(params, 1)->tensor, 1 / sqrt(50));
    assert_uniform(own, 3);
    for (int i = 0; i < 50; i++) {
        assert_true(zero->data[i] == 0);
    }
    an_model_free(model);
}

/* Parameters draw from streams of their own: they differ, and a layer more changes no other. */
static void parameters_draw_apart(void **state)
{
    static const char *const texts[] = {"Linear(6, 6)", "Linear(6, 6)", "Linear(6, 1)"};
    an_model *two = model_of(*state, texts, 2), *three = model_of(*state, texts, 3);
    assert_true(an_model_build(two, an_shape_1(6), 3, NULL));
    assert_true(an_model_build(three, an_shape_1(6), 3, NULL));
    const float *a = an_params_get(an_model_params(two), 0)->tensor->data;
    const float *b = an_params_get(an_model_params(two), 2)->tensor->data;
    assert_memory_not_equal(a, b, 6 * sizeof(float));
    size_t bytes = (size_t)an_params_length(an_model_params(two)) * sizeof(float);
    assert_memory_equal(an_params_values(an_model_params(two)),
                        an_params_values(an_model_params(three)), bytes);
    an_model_free(two);
    an_model_free(three);
}

static void own_parameters_are_checked(void **state)
{
    static const double bad[] = {-1, NAN, INFINITY};
    for (size_t i = 0; i < COUNT(bad); i++) {
        an_error err = {0};
        an_model *model = an_model_new(*state, NULL);
        assert_null(an_model_param(model, "p", an_shape_1(2), bad[i]));
        assert_false(an_model_build(model, an_shape_1(1), 1, &err));
        assert_non_null(strstr(err.message, "parameter 'p': bound must be"));
        an_model_free(model);
    }
    an_error err = {0};
    an_model *model = an_model_new(*state, NULL);
    assert_non_null(an_model_param(model, "0.weight", an_shape_1(2), 1));
    an_model_linear(model, 2, 2, true);
    assert_false(an_model_build(model, an_shape_1(2), 1, &err));
    assert_non_null(strstr(err.message, "0.weight"));
    an_model_free(model);
}

static void assert_same_values(an_model *a, an_model *b, bool same)
{
    an_params *p = an_model_params(a), *q = an_model_params(b);
    size_t bytes = (size_t)an_params_length(p) * sizeof(float);
    assert_int_equal(an_params_length(p), an_params_length(q));
    assert_int_equal(memcmp(an_params_values(p), an_params_values(q), bytes) == 0, same);
}

static void text_and_c_make_the_same_model(void **state)
{
    static const char *const texts[] = {"Flatten()",
                                        "Linear(8, 16)",
                                        "Tanh()",
                                        "Dropout(0.25)",
                                        "Linear(16, 9)",
                                        "Sigmoid()",
                                        "Linear(9, 4, bias=False)",
                                        "ReLU()"};
    an_model *models[3];
    for (int i = 0; i < 3; i++) {
        models[i] = i == 0 ? model_of(*state, texts, COUNT(texts)) : an_model_new(*state, NULL);
        if (i > 0) {
            an_model_flatten(models[i]);
            an_model_linear(models[i], 8, 16, true);
            an_model_tanh(models[i]);
            an_model_dropout(models[i], 0.25);
            an_model_linear(models[i], 16, 9, true);
            an_model_sigmoid(models[i]);
            an_model_linear(models[i], 9, 4, false);
            an_model_relu(models[i]);
        }
        assert_true(an_model_build(models[i], an_shape_2(2, 4), i < 2 ? 5 : 6, NULL));
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_string_equal(an_model_layer_text(models[0], i), an_model_layer_text(models[1], i));
    }
    assert_same_values(models[0], models[1], true);
    assert_same_values(models[0], models[2], false);
    an_graph *graph = an_graph_new(*state, NULL);
    float x[24];
    for (int i = 0; i < 24; i++) {
        x[i] = (float)((i * 37) % 11) / 5 - 1;
    }
    an_tensor *a = an_forward(models[0], graph, an_from(graph, x, an_shape_3(3, 2, 4)));
    an_tensor *b = an_forward(models[1], graph, an_from(graph, x, an_shape_3(3, 2, 4)));
    assert_true(an_shape_equal(a->shape, an_shape_2(3, 4)));
    assert_memory_equal(a->data, b->data, 12 * sizeof(float));
    assert_true(an_graph_reset(graph, NULL));
    an_graph_free(graph);
    for (int i = 0; i < 3; i++) {
        an_model_free(models[i]);
    }
}

/* Each activation after a Linear against the same layers applied one by one, and by hand. */
static void fused_layers_compute_the_same(void **state)
{
    static const char *const activations[] = {"ReLU()", "Tanh()", "Sigmoid()"};
    an_graph *graph = an_graph_new(*state, NULL);
    for (size_t k = 0; k < COUNT(activations); k++) {
        const char *const fused[] = {"Linear(3, 2)", activations[k]};
        const char *const apart[] = {"Linear(3, 2)", "Dropout(0)", activations[k]};
        an_model *one = model_of(*state, fused, 2), *two = model_of(*state, apart, 3);
        assert_true(an_model_build(one, an_shape_1(3), 3, NULL));
        assert_true(an_model_build(two, an_shape_1(3), 3, NULL));
        const float x[6] = {0.5f, -1, 2, 1, 0, -3};
        an_tensor *y = an_forward(one, graph, an_from(graph, x, an_shape_2(2, 3)));
        an_tensor *z = an_forward(two, graph, an_from(graph, x, an_shape_2(2, 3)));
        const float *w = an_params_get(an_model_params(one), 0)->tensor->data;
        const float *b = an_params_get(an_model_params(one), 1)->tensor->data;
        for (int i = 0; i < 4; i++) {
            double sum = b[i % 2];
            for (int j = 0; j < 3; j++) {
                sum += (double)x[i / 2 * 3 + j] * w[i % 2 * 3 + j];
            }
            double want = k == 0 ? fmax(sum, 0) : k == 1 ? tanh(sum) : 1 / (1 + exp(-sum));
            assert_true(fabs(y->data[i] - want) < 1e-6 && fabs(z->data[i] - want) < 1e-6);
        }
        an_graph_reset(graph, NULL);
        an_model_free(one);
        an_model_free(two);
    }
    an_graph_free(graph);
}

/* What forward records after a shape that fits: an error says which layer it came from. */
static void errors_while_running_name_the_layer(void **state)
{
    static const char *const texts[] = {"Linear(4, 8)", "ReLU()", "Linear(8, 2)"};
    static const char *const first = "layer 0, Linear(4, 8): linear: ";
    an_model *model = model_of(*state, texts, COUNT(texts));
    assert_true(an_model_build(model, an_shape_1(4), 1, NULL));
    an_graph *graph = an_graph_new(*state, NULL);
    an_error err = {0};
    an_forward(model, graph, an_full(graph, an_shape_2(3, 5), 1));
    assert_false(an_graph_reset(graph, &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_memory_equal(err.message, first, strlen(first));
    an_params_get(an_model_params(model), 2)->tensor->shape = an_shape_2(2, 7);
    an_forward(model, graph, an_full(graph, an_shape_2(3, 4), 1));
    assert_false(an_graph_reset(graph, &err));
    assert_non_null(strstr(err.message, "layer 2, Linear(8, 2): "));
    an_params_get(an_model_params(model), 2)->tensor->shape = an_shape_2(2, 8);
    assert_ptr_equal(an_forward(model, graph, NULL)->data, NULL);
    assert_false(an_graph_reset(graph, &err));
    assert_string_equal(err.message, "forward: operand 1 is NULL");
    an_tensor *x = an_reshape(graph, an_full(graph, an_shape_2(3, 5), 1), an_shape_1(4));
    an_forward(model, graph, x);
    assert_false(an_graph_reset(graph, &err));
    assert_null(strstr(err.message, "layer")); /* the error was there before */
    an_graph_free(graph);
    an_model_free(model);
}

/* The share of zeros among the outputs of Dropout(0.25) on ones, and the other value. */
static double zeros(an_model *model, an_graph *graph, int64_t count, float *other)
{
    an_tensor *y = an_forward(model, graph, an_full(graph, an_shape_2(1, count), 1));
    int64_t none = 0;
    *other = 0;
    for (int64_t i = 0; i < count; i++) {
        none += y->data[i] == 0;
        *other = y->data[i] != 0 ? y->data[i] : *other;
    }
    assert_true(an_graph_reset(graph, NULL));
    return (double)none / (double)count;
}

static void dropout_acts_in_training_only(void **state)
{
    enum { SIZE = 40000 };
    static const char *const texts[] = {"Dropout(0.25)"};
    an_model *model = model_of(*state, texts, 1);
    assert_true(an_model_build(model, an_shape_1(SIZE), 3, NULL));
    an_graph *graph = an_graph_new(*state, NULL);
    float other;
    an_rng before = *an_model_rng(model);
    double share = zeros(model, graph, SIZE, &other);
    assert_true(fabs(share - 0.25) < 5 * sqrt(0.25 * 0.75 / SIZE));
    assert_true(fabsf(other - 4.0f / 3) < 1e-6f);
    double next = zeros(model, graph, SIZE, &other);
    *an_model_rng(model) = before;
    assert_true(zeros(model, graph, SIZE, &other) == share);
    assert_true(zeros(model, graph, SIZE, &other) == next);
    assert_true(an_model_set_training(model, false));
    before = *an_model_rng(model);
    assert_true(zeros(model, graph, SIZE, &other) == 0 && other == 1);
    assert_memory_equal(&before, an_model_rng(model), sizeof before);
    assert_false(an_model_set_training(model, true));
    assert_true(zeros(model, graph, SIZE, &other) > 0);
    an_graph_free(graph);
    an_model_free(model);
}

static void a_model_without_layers_gives_its_input(void **state)
{
    an_model *model = an_model_new(*state, NULL);
    an_graph *graph = an_graph_new(*state, NULL);
    assert_true(an_model_build(model, an_shape_1(2), 1, NULL));
    an_tensor *x = an_full(graph, an_shape_2(1, 2), 5);
    assert_ptr_equal(an_forward(model, graph, x), x);
    assert_true(an_shape_equal(an_model_output_shape(model), an_shape_1(2)));
    an_graph_free(graph);
    an_model_free(model);
}

static bool describe_and_build(an_context *context, an_error *err)
{
    an_model *model = an_model_new(context, err);
    if (!model) {
        return false;
    }
    an_model_flatten(model);
    for (int i = 0; i < 20; i++) {
        an_model_linear(model, 4, 4, true);
        an_model_relu(model);
    }
    bool added = an_model_add(model, "Linear(4, 2)", err);
    bool built = an_model_build(model, an_shape_2(2, 2), 1, err);
    assert_true(added || !built);
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
        cmocka_unit_test(parameters_are_named_as_in_pytorch),
        cmocka_unit_test(layers_have_canonical_text),
        cmocka_unit_test(every_layer_is_named),
        cmocka_unit_test(wrong_text_points_at_its_place),
        cmocka_unit_test(signatures_have_all_arguments),
        cmocka_unit_test(the_first_error_is_kept),
        cmocka_unit_test(errors_of_nested_layers_name_the_path),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(a_model_too_large_is_an_error),
        cmocka_unit_test(build_comes_once_and_last),
        cmocka_unit_test(flatten_joins_the_dimensions_named),
        cmocka_unit_test(linear_starts_uniform),
        cmocka_unit_test(parameters_draw_apart),
        cmocka_unit_test(own_parameters_are_checked),
        cmocka_unit_test(text_and_c_make_the_same_model),
        cmocka_unit_test(fused_layers_compute_the_same),
        cmocka_unit_test(errors_while_running_name_the_layer),
        cmocka_unit_test(dropout_acts_in_training_only),
        cmocka_unit_test(a_model_without_layers_gives_its_input),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
