/*
 * Layers over sequences: names, shapes and order of their parameters, values and gradients as
 * PyTorch has them (sequence.h, written by sequence.py); where they start; what they refuse.
 */
#include "as_pytorch.h"

enum { MOST_PARAMS = 20 };

typedef struct layer_case {
    const char *text;
    int count;
    array params[MOST_PARAMS], gradients[MOST_PARAMS];
    array x, dx, y, weight;
} layer_case;

#include "sequence.h"

static void test_pytorch(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof layer_cases / sizeof *layer_cases; k++) {
        const layer_case *c = &layer_cases[k];
        an_error err = {0};
        an_model *model = model_of(c->text, sample_of(c->x.shape));
        assert_string_equal(an_model_layer_text(model, 0), c->text);
        load(c->params, c->count, an_model_params(model));
        an_tensor *x = an_leaf(graph, c->x.data, c->x.shape);
        an_tensor *y = an_forward(model, graph, x);
        an_tensor *weight = an_from(graph, c->weight.data, c->weight.shape);
        if (!an_backward(graph, an_sum(graph, an_mul(graph, y, weight)), &err))
            fail_msg("%s: %s", c->text, err.message);
        assert_true(an_shape_equal(y->shape, c->y.shape));
        assert_true(an_shape_equal(sample_of(y->shape), an_model_output_shape(model)));
        close_to(c->text, y->data, &c->y);
        close_to(c->text, an_tensor_grad(x), &c->dx);
        gradients_close_to(c->text, an_model_params(model), c->gradients);
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
}

/* All values lie within the bound, and come near to it. */
static void check_bound(const an_params *params, const char *name, double bound)
{
    const an_param *p = an_params_find(params, name);
    assert_non_null(p);
    double top = 0;
    for (int64_t i = 0; i < p->tensor->size; i++)
        top = fmax(top, fabs((double)p->tensor->data[i]));
    if (!(top <= bound * (1 + 1e-6) && top >= 0.9 * bound))
        fail_msg("%s reaches to %g, not to %g", name, top, bound);
}

static void test_initial_values(void **state)
{
    (void)state;
    an_model *model = model_of("MultiheadAttention(32, 4)", an_shape_2(3, 32));
    check_bound(an_model_params(model), "0.in_proj_weight", sqrt(6.0 / 128));
    check_bound(an_model_params(model), "0.out_proj.weight", 1 / sqrt(32));
    check_bound(an_model_params(model), "0.in_proj_bias", 0);
    check_bound(an_model_params(model), "0.out_proj.bias", 0);
    an_model_free(model);
    model = model_of("MultiheadAttention(900, 4, add_bias_kv=True)", an_shape_2(3, 900));
    const an_tensor *more = an_params_find(an_model_params(model), "0.bias_k")->tensor;
    double sum = 0;
    for (int64_t i = 0; i < more->size; i++)
        sum += (double)more->data[i] * (double)more->data[i];
    assert_true(fabs(sqrt(sum / 900) - 1.0 / 30) < 0.003);
    an_model_free(model);
    model = model_of("GRU(7, 25, num_layers=2)", an_shape_2(3, 7));
    check_bound(an_model_params(model), "0.weight_ih_l0", 0.2);
    check_bound(an_model_params(model), "0.weight_hh_l1", 0.2);
    check_bound(an_model_params(model), "0.bias_hh_l0", 0.2);
    an_model_free(model);
    model = model_of("PositionalEmbedding(100, 50)", an_shape_2(3, 50));
    const an_tensor *weight = an_params_get(an_model_params(model), 0)->tensor;
    double squares = 0;
    for (int64_t i = 0; i < weight->size; i++)
        squares += (double)weight->data[i] * (double)weight->data[i];
    assert_float_equal(sqrt(squares / (double)weight->size), 0.02, 0.001);
    an_model_free(model);
}

static void test_select_and_positions(void **state)
{
    (void)state;
    static const float values[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const struct {
        const char *text;
        float want[6];
        int64_t size;
    } cases[] = {{"Select(1, -1)", {4, 5, 10, 11}, 4},
                 {"Select(1, 0)", {0, 1, 6, 7}, 4},
                 {"Select(-1, 1)", {1, 3, 5, 7, 9, 11}, 6}};
    for (size_t i = 0; i < 3; i++) {
        an_model *model = model_of(cases[i].text, an_shape_2(3, 2));
        an_tensor *y = an_forward(model, graph, an_from(graph, values, an_shape_3(2, 3, 2)));
        assert_int_equal(y->size, cases[i].size);
        assert_memory_equal(y->data, cases[i].want, (size_t)cases[i].size * sizeof(float));
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
    an_model *model = model_of("PositionalEmbedding(5, 2)", an_shape_2(3, 2));
    const float *weight = an_params_get(an_model_params(model), 0)->tensor->data;
    an_tensor *y = an_forward(model, graph, an_from(graph, values, an_shape_3(2, 3, 2)));
    for (int64_t i = 0; i < 12; i++)
        assert_float_equal(y->data[i], values[i] + weight[i % 6], 0);
    assert_true(an_graph_reset(graph, NULL));
    an_error err = {0};
    an_forward(model, graph, an_from(graph, values, an_shape_3(1, 6, 2)));
    assert_false(an_graph_reset(graph, &err));
    assert_non_null(strstr(err.message, "has 5 positions but gets (batch, 6, 2)"));
    an_forward(model, graph, an_from(graph, values, an_shape_1(12)));
    assert_false(an_graph_reset(graph, &err));
    assert_non_null(strstr(err.message, "layer 0, PositionalEmbedding(5, 2): takes (batch, time"));
    an_model_free(model);
}

/* Dropout acts between the layers and on attention's weights, in training only. */
static void test_dropout(void **state)
{
    (void)state;
    static const char *const texts[] = {"LSTM(4, 4, num_layers=2, dropout=0.5)",
                                        "MultiheadAttention(4, 2, dropout=0.5)"};
    static float values[2 * 6 * 4];
    an_rng rng = an_rng_init(1, 0);
    an_rng_fill_uniform(&rng, values, 48, -1, 1);
    for (int i = 0; i < 2; i++) {
        an_model *model = model_of(texts[i], an_shape_2(6, 4));
        an_tensor *y[4];
        for (int k = 0; k < 4; k++) {
            an_model_set_training(model, k < 2);
            y[k] = an_forward(model, graph, an_from(graph, values, an_shape_3(2, 6, 4)));
        }
        assert_memory_not_equal(y[0]->data, y[1]->data, 48 * sizeof(float));
        assert_memory_equal(y[2]->data, y[3]->data, 48 * sizeof(float));
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"MultiheadAttention(4, 2, vdim=3)", "kdim and vdim must be None or embed_dim 4"},
        {"MultiheadAttention(4, 3)", "num_heads must divide embed_dim 4, got 3"},
        {"MultiheadAttention(6, 2)", "takes (batch, time, 6) but gets (batch, 3, 4)"},
        {"MultiheadAttention(4, 2, dropout=1.5)", "dropout must be from 0 to 1, got 1.5"},
        {"LSTM(4, 2, proj_size=2)", "proj_size must be below hidden_size 2, got 2"},
        {"GRU(4, 2, proj_size=1)", "proj_size"},
        {"LSTM(5, 2)", "takes (batch, time, 5) but gets (batch, 3, 4)"},
        {"LSTM(4, 2, batch_first=False)", "batch_first must be True, as everywhere in Anneal"},
        {"GRU(4, 2, num_layers=0)", "num_layers must be 1 to 1024, got 0"},
        {"GRU(4)", "hidden_size"},
        {"Select(3, 0)", "takes a dimension from 1 to 2 of (batch, 3, 4)"},
        {"Select(1, 3)", "takes an index below 3 of (batch, 3, 4)"},
        {"PositionalEmbedding(2, 4)", "has 2 positions but gets (batch, 3, 4)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        an_model *model = an_model_new(context, NULL);
        an_model_add(model, cases[i].text, NULL);
        assert_false(an_model_build(model, an_shape_2(3, 4), 1, &err));
        if (!strstr(err.message, cases[i].message))
            fail_msg("%s: \"%s\" lacks \"%s\"", cases[i].text, err.message, cases[i].message);
        an_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_initial_values),
        cmocka_unit_test(test_select_and_positions),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
