/* Layers that hold layers: names, texts, shapes, errors, what they compute; Unflatten. */
#include <anneal/nn.h>

#include <math.h>
#include <string.h>

#include "failing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int set_up(void **state)
{
    *state = an_context_new(&(an_context_options){.threads = 1}, NULL);
    return *state ? 0 : 1;
}

static int tear_down(void **state)
{
    an_context_free(*state);
    return 0;
}

static an_model *model_of(an_context *context, const char *text)
{
    an_model *model = an_model_new(context, NULL);
    an_error err = {0};
    if (!an_model_add(model, text, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return model;
}

static void parameters_are_named_by_path(void **state)
{
    static const char *const want[] = {"0.weight",     "0.bias",     "2.0.weight",
                                       "2.2.1.weight", "2.2.1.bias", "3.weight"};
    an_model *model = an_model_new(*state, NULL);
    an_model_linear(model, 4, 4, true);
    an_model_relu(model);
    assert_true(an_model_add(model,
                             "Residual(Linear(4, 4, bias=False), ReLU(), nn.Sequential(Tanh(), "
                             "Linear(4, 4)))",
                             NULL));
    assert_true(an_model_add(model, "Linear(4, 2, bias=False)", NULL));
    assert_true(an_model_build(model, an_shape_1(4), 1, NULL));
    const an_params *params = an_model_params(model);
    assert_int_equal(an_params_count(params), COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_string_equal(an_params_get(params, i)->name, want[i]);
    }
    assert_int_equal(an_model_layer_count(model), 4);
    an_model_free(model);
}

static void texts_are_canonical(void **state)
{
    static const char *const cases[][2] = {
        {"Sequential()", "Sequential()"},
        {"[Linear(2,3), ReLU(True)]", "Sequential(Linear(2, 3), ReLU())"},
        {"Residual( Sequential(Linear(2, 2), ), [Tanh()])",
         "Residual(Sequential(Linear(2, 2)), Sequential(Tanh()))"},
        {"torch.nn.Unflatten(-1, (2, 3))", "Unflatten(-1, (2, 3))"},
        {"Unflatten(dim=1, unflattened_size=[4,])", "Unflatten(1, 4)"},
        {"Unflatten(1, (2, -1, 2))", "Unflatten(1, (2, -1, 2))"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_model *model = model_of(*state, cases[i][0]);
        assert_string_equal(an_model_layer_text(model, 0), cases[i][1]);
        an_model *again = model_of(*state, an_model_layer_text(model, 0));
        assert_string_equal(an_model_layer_text(again, 0), cases[i][1]);
        an_model_free(model);
        an_model_free(again);
    }
}

static void c_makes_the_same(void **state)
{
    an_model *model = an_model_new(*state, NULL);
    an_model_begin(model, "Residual");
    an_model_linear(model, 3, 3, true);
    an_model_begin(model, "Sequential");
    an_model_relu(model);
    an_model_linear(model, 3, 3, false);
    an_model_end(model);
    an_model_end(model);
    an_model_tanh(model);
    assert_true(an_model_build(model, an_shape_1(3), 1, NULL));
    assert_string_equal(an_model_layer_text(model, 0),
                        "Residual(Linear(3, 3), Sequential(ReLU(), Linear(3, 3, bias=False)))");
    assert_string_equal(an_model_layer_text(model, 1), "Tanh()");
    an_model_free(model);
}

/* x + W2 relu(W1 x + b1) + b2, by hand from the parameters; fused and not. */
static void a_residual_adds_its_input(void **state)
{
    static const char *const texts[] = {
        "Residual(Linear(3, 2), ReLU(), Linear(2, 3))",
        "Residual(Sequential(Linear(3, 2)), ReLU(), [Linear(2, 3)])",
    };
    const float x[6] = {0.5f, -1, 2, 1, 0.25f, -3};
    an_graph *graph = an_graph_new(*state, NULL);
    for (size_t k = 0; k < COUNT(texts); k++) {
        an_model *model = model_of(*state, texts[k]);
        assert_true(an_model_build(model, an_shape_1(3), 5, NULL));
        const float *p[4];
        for (size_t i = 0; i < 4; i++) {
            p[i] = an_params_get(an_model_params(model), i)->tensor->data;
        }
        an_tensor *y = an_forward(model, graph, an_from(graph, x, an_shape_2(2, 3)));
        for (int r = 0; r < 2; r++) {
            double hidden[2];
            for (int i = 0; i < 2; i++) {
                hidden[i] = p[1][i];
                for (int j = 0; j < 3; j++) {
                    hidden[i] += (double)p[0][i * 3 + j] * x[r * 3 + j];
                }
            }
            for (int i = 0; i < 3; i++) {
                double want = x[r * 3 + i] + p[3][i];
                for (int j = 0; j < 2; j++) {
                    want += (double)p[2][i * 2 + j] * fmax(hidden[j], 0);
                }
                assert_true(fabs(y->data[r * 3 + i] - want) < 1e-6);
            }
        }
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
    an_graph_free(graph);
}

static void unflatten_splits_a_dimension(void **state)
{
    static const struct {
        const char *text;
        an_shape in, out;
    } cases[] = {
        {"Unflatten(1, (2, 3))", {1, {6}}, {2, {2, 3}}},
        {"Unflatten(-1, (-1, 3))", {2, {5, 6}}, {3, {5, 2, 3}}},
        {"Unflatten(1, (1, 2, 2))", {2, {4, 5}}, {4, {1, 2, 2, 5}}},
        {"Unflatten(1, 4)", {1, {4}}, {1, {4}}},
    };
    an_graph *graph = an_graph_new(*state, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_model *model = model_of(*state, cases[i].text);
        assert_true(an_model_build(model, cases[i].in, 1, NULL));
        assert_true(an_shape_equal(an_model_output_shape(model), cases[i].out));
        an_shape batch = {.ndim = cases[i].in.ndim + 1, .dim = {7}};
        memcpy(batch.dim + 1, cases[i].in.dim, sizeof batch.dim - sizeof batch.dim[0]);
        an_tensor *y = an_forward(model, graph, an_full(graph, batch, 2));
        assert_int_equal(y->shape.ndim, cases[i].out.ndim + 1);
        assert_int_equal(y->shape.dim[0], 7);
        assert_int_equal(y->size, an_shape_size(batch));
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
    an_graph_free(graph);
}

static void errors_say_where(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"Residual(Linear(4, 3))",
         "layer 0, Residual: adds its input (batch, 4) to what its layers make of it, (batch, 3)"},
        {"Sequential(ReLU(), Residual(Linear(4, 4), Linear(5, 4)))",
         "layer 0.1.1, Linear(5, 4): takes (batch, ..., 5) but gets (batch, 4)"},
        {"Sequential(Residual(Linear(4, 5)))", "layer 0.0, Residual: adds"},
        {"Unflatten(0, (2, 2))", "splits dimension 0, but gets (batch, 4)"},
        {"Unflatten(2, (2, 2))", "splits dimension 2"},
        {"Unflatten(1, (3, 2))", "of (batch, 4), which has 4, into (3, 2)"},
        {"Unflatten(1, (3, -1))", "into (3, -1)"},
        {"Unflatten(1, (-1, -1))", "into (-1, -1)"},
        {"Unflatten(1, (1000000000000, 1000000000000))", "which has 4, into"},
        {"Unflatten(1, (1, 1, 1, 2, 2))", "Unflatten(1, (1, 1, 1, 2, 2))"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_model *model = model_of(*state, cases[i].text);
        an_error err = {0};
        if (i + 1 == COUNT(cases)) { /* this one fits, just */
            assert_true(an_model_build(model, an_shape_1(4), 1, &err));
            assert_string_equal(an_model_layer_text(model, 0), cases[i].part);
            an_model_free(model);
            continue;
        }
        assert_false(an_model_build(model, an_shape_1(4), 1, &err));
        assert_int_equal(err.code, AN_ERROR_SHAPE);
        if (!strstr(err.message, cases[i].part) || strncmp(err.message, "layer 0", 7) != 0) {
            fail_msg("%s: '%s' is not in '%s'", cases[i].text, cases[i].part, err.message);
        }
        an_model_free(model);
    }
}

/* The product of these sizes is 2^69. */
static void sizes_beyond_64_bits_are_refused(void **state)
{
    an_model *model = model_of(*state, "Unflatten(1, (1073741824, 549755813888, -1))");
    an_error err = {0};
    assert_false(an_model_build(model, an_shape_1(INT64_C(1) << 30), 1, &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_non_null(strstr(err.message, "which has 1073741824, into"));
    an_model_free(model);
}

static void errors_while_running_say_where(void **state)
{
    an_model *model = model_of(*state, "Sequential(ReLU(), Residual(Linear(4, 4)))");
    assert_true(an_model_build(model, an_shape_1(4), 1, NULL));
    an_graph *graph = an_graph_new(*state, NULL);
    an_error err = {0};
    an_forward(model, graph, an_full(graph, an_shape_2(3, 5), 1));
    assert_false(an_graph_reset(graph, &err));
    static const char want[] = "layer 0.1.0, Linear(4, 4): linear: ";
    assert_memory_equal(err.message, want, strlen(want));
    an_graph_free(graph);
    an_model_free(model);
}

static void wrong_text_points_at_its_place(void **state)
{
    static const struct {
        const char *text;
        int column;
        const char *part;
    } cases[] = {
        {"Residual(Linear(4, 4), Relu())", 24, "there is no layer 'Relu'; did you mean 'ReLU'?"},
        {"Residual(fn=Linear(4, 4))", 10, "Residual takes layers alone"},
        {"Sequential(3)", 12, "a layer is written as a call"},
        {"Sequential([Linear(4)])", 13, "out_features"},
        {"Unflatten(1, ())", 14, "must be a list of 1 to 5 sizes"},
        {"Unflatten(1, (2, 0))", 14, "unflattened_size must be at least 1, one may be -1, got 0"},
        {"Unflatten(1, (2, -2))", 14, "got -2"},
        {"Unflatten(1, (2, x))", 18, "whole number"},
        {"Unflatten(1)", 1, "unflattened_size"},
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

static void begin_and_end_pair_up(void **state)
{
    static const char *const want[] = {"Residual is not closed", "an_model_end without",
                                       "'Linear' holds no layers", "'nothing' holds no layers",
                                       "layers nest at most"};
    for (int k = 0; k < 5; k++) {
        an_model *model = an_model_new(*state, NULL);
        an_error err = {0};
        if (k == 1) {
            an_model_end(model);
        } else {
            an_model_begin(model, k == 2 ? "Linear" : k == 3 ? "nothing" : "Residual");
        }
        for (int i = 0; k == 4 && i < AN_SPEC_MAX_DEPTH; i++) {
            an_model_begin(model, "Sequential");
        }
        assert_false(an_model_build(model, an_shape_1(4), 1, &err));
        if (!strstr(err.message, want[k])) {
            fail_msg("'%s' is not in '%s'", want[k], err.message);
        }
        an_model_free(model);
    }
}

static bool describe_and_build(an_context *context, an_error *err)
{
    an_model *model = an_model_new(context, err);
    if (!model) {
        return false;
    }
    an_model_begin(model, "Residual");
    for (int i = 0; i < 10; i++) {
        an_model_begin(model, "Sequential");
        an_model_linear(model, 4, 4, true);
        an_model_end(model);
    }
    an_model_end(model);
    bool built = an_model_build(model, an_shape_1(4), 1, err);
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
        cmocka_unit_test(parameters_are_named_by_path),
        cmocka_unit_test(texts_are_canonical),
        cmocka_unit_test(c_makes_the_same),
        cmocka_unit_test(a_residual_adds_its_input),
        cmocka_unit_test(unflatten_splits_a_dimension),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(sizes_beyond_64_bits_are_refused),
        cmocka_unit_test(errors_while_running_say_where),
        cmocka_unit_test(wrong_text_points_at_its_place),
        cmocka_unit_test(begin_and_end_pair_up),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
