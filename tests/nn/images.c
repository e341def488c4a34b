/* The layers of images: text, initialisation, shapes, errors, and what they compute. */
#include <anneal/nn.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int set_up(void **state)
{
    an_context_options options = {.threads = 2};
    *state = an_context_new(&options, NULL);
    return *state ? 0 : 1;
}

static int tear_down(void **state)
{
    an_context_free(*state);
    return 0;
}

static void texts_are_canonical(void **state)
{
    static const char *const cases[][2] = {
        {"nn.Conv2d(1, 32, 3)", "Conv2d(1, 32, 3)"},
        {"Conv2d(1, 32, (3, 3), 1, 0, 1, 1, True, 'zeros')", "Conv2d(1, 32, 3)"},
        {"Conv2d(4, 8, (3, 5), stride=(2, 1), padding=[1, 2], dilation=2, groups=4, bias=False)",
         "Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 2), dilation=2, groups=4, bias=False)"},
        {"Conv2d(1, 2, 3, padding='same')", "Conv2d(1, 2, 3, padding='same')"},
        {"Conv2d(1, 2, 3, padding='valid')", "Conv2d(1, 2, 3, padding='valid')"},
        {"Conv2d(1, 2, 3, 1, 1, 1, 1, True, 'reflect')",
         "Conv2d(1, 2, 3, padding=1, padding_mode='reflect')"},
        {"ConvTranspose2d(6, 4, 3, 2, 1, 1, 2, True, 2)",
         "ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=2)"},
        {"MaxPool2d(2, 2)", "MaxPool2d(2, stride=2)"},
        {"MaxPool2d((3, 2), None, 1, 1, False, True)",
         "MaxPool2d((3, 2), padding=1, ceil_mode=True)"},
        {"MaxPool2d(2, dilation=(1, 3))", "MaxPool2d(2, dilation=(1, 3))"},
        {"AvgPool2d(4, 2, 1, False, False, 3)",
         "AvgPool2d(4, stride=2, padding=1, count_include_pad=False, divisor_override=3)"},
        {"AdaptiveAvgPool2d(1)", "AdaptiveAvgPool2d(1)"},
        {"AdaptiveAvgPool2d((None, 7))", "AdaptiveAvgPool2d((None, 7))"},
    };
    an_model *model = an_model_new(*state, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        if (!an_model_add(model, cases[i][0], &err)) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        assert_string_equal(an_model_layer_text(model, i), cases[i][1]);
        an_model *again = an_model_new(*state, NULL);
        assert_true(an_model_add(again, cases[i][1], &err));
        assert_string_equal(an_model_layer_text(again, 0), cases[i][1]);
        an_model_free(again);
    }
    an_model_free(model);
}

static void wrong_text_points_at_its_place(void **state)
{
    static const char *const cases[][2] = {
        {"Conv2d(0, 2, 3)", "Conv2d: in_channels must be at least 1, got 0"},
        {"Conv2d(1, 2)", "kernel_size"},
        {"Conv2d(1, 2, 0)", "Conv2d: kernel_size must be 1 to 65536, got 0"},
        {"Conv2d(1, 2, (3, 3, 3))", "'kernel_size' must be 1 to 65536, or a pair of such"},
        {"Conv2d(1, 2, (3, None))", "kernel_size"},
        {"Conv2d(1, 2, 3, stride=0)", "stride must be 1 to 65536, got 0"},
        {"Conv2d(1, 2, 3, padding=-1)", "'padding' must be 0 to 65536, 'same' or 'valid', got -1"},
        {"Conv2d(1, 2, 3, padding='full')", "'padding' must be 0 to 65536, 'same' or 'valid'"},
        {"Conv2d(1, 2, 3, stride='same')", "'stride' must be 1 to 65536"},
        {"Conv2d(1, 2, 3, padding_mode='wrap')",
         "'padding_mode' must be 'zeros', 'reflect', 'replicate' or 'circular'"},
        {"ConvTranspose2d(1, 2, 3, padding_mode='circular')", "'padding_mode' must be 'zeros'"},
        {"Conv2d(1, 2, 1.5)", "kernel_size"},
        {"MaxPool2d(2, return_indices=True)", "return_indices must be False"},
        {"AvgPool2d(2, divisor_override=0)", "divisor_override must be at least 1"},
        {"AdaptiveAvgPool2d(0)", "output_size must be 1 to 65536, or None, got 0"},
        {"AdaptiveAvgPool2d(-1)", "'output_size' must be 1 to 65536, or None, got -1"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_model *model = an_model_new(*state, NULL);
        assert_false(an_model_add(model, cases[i][0], &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        if (!strstr(err.message, cases[i][1])) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        an_model_free(model);
    }
}

/* Arguments that are right one by one but not together. */
static void settings_that_contradict_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"Conv2d(6, 4, 3, groups=4)",
         "layer 0, Conv2d(6, 4, 3, groups=4): in_channels and out_channels must be divisible by "
         "groups=4"},
        {"Conv2d(4, 6, 3, groups=4)", "divisible by groups=4"},
        {"Conv2d(1, 1, 3, stride=2, padding='same')", "padding='same' needs stride 1"},
        {"ConvTranspose2d(1, 1, 3, output_padding=1)", "must be below stride or dilation"},
        {"MaxPool2d(3, padding=2)", "padding must be at most half of kernel_size"},
        {"AvgPool2d((2, 4), padding=(2, 2))", "padding must be at most half of kernel_size"},
        {"AvgPool2d(2, divisor_override=1.5)", "divisor_override must be a whole number"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_model *model = an_model_new(*state, NULL);
        assert_false(an_model_add(model, cases[i][0], &err));
        if (!strstr(err.message, cases[i][1])) {
            fail_msg("%s: %s", cases[i][0], err.message);
        }
        an_model_free(model);
    }
}

static void builders_say_the_same(void **state)
{
    an_model *model = an_model_new(*state, NULL);
    an_model_conv2d(model, 1, 6, 5, 1, 2);
    an_model_max_pool2d(model, 2);
    an_model_conv_transpose2d(model, 6, 3, 4, 2, 1);
    an_model_avg_pool2d(model, 3);
    an_model_adaptive_avg_pool2d(model, 2, 1);
    static const char *const texts[] = {"Conv2d(1, 6, 5, padding=2)", "MaxPool2d(2)",
                                        "ConvTranspose2d(6, 3, 4, stride=2, padding=1)",
                                        "AvgPool2d(3)", "AdaptiveAvgPool2d((2, 1))"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_string_equal(an_model_layer_text(model, i), texts[i]);
    }
    assert_true(an_model_build(model, an_shape_3(1, 28, 28), 1, NULL));
    assert_true(an_shape_equal(an_model_output_shape(model), an_shape_3(3, 2, 1)));
    an_model_free(model);
    an_error err = {0};
    model = an_model_new(*state, NULL);
    an_model_conv2d(model, 1, 6, 0, 1, 2);
    assert_false(an_model_build(model, an_shape_3(1, 28, 28), 1, &err));
    assert_non_null(strstr(err.message, "kernel_size must be 1 to 65536, got 0"));
    an_model_free(model);
}

/* Within +-bound, and reaching near to it. */
static void assert_bound(const an_param *param, const char *name, an_shape shape, double bound)
{
    double top = 0, sum = 0;
    assert_string_equal(param->name, name);
    assert_true(an_shape_equal(param->tensor->shape, shape));
    for (int64_t i = 0; i < param->tensor->size; i++) {
        top = fmax(top, fabs((double)param->tensor->data[i]));
        sum += (double)param->tensor->data[i];
    }
    assert_true(top <= bound && top > 0.8 * bound);
    assert_true(fabs(sum) < 4 * bound * sqrt((double)param->tensor->size));
}

static void parameters_start_as_in_pytorch(void **state)
{
    an_model *model = an_model_new(*state, NULL);
    assert_true(an_model_add(model, "Conv2d(4, 48, (3, 5), groups=2)", NULL));
    assert_true(an_model_add(model, "ConvTranspose2d(48, 40, 3, groups=4)", NULL));
    assert_true(an_model_add(model, "Conv2d(40, 2, 1, bias=False)", NULL));
    assert_true(an_model_build(model, an_shape_3(4, 9, 9), 3, NULL));
    const an_params *params = an_model_params(model);
    assert_int_equal(an_params_count(params), 5);
    const double first = 1 / sqrt(2.0 * 15), second = 1 / sqrt(10.0 * 9);
    assert_bound(an_params_get(params, 0), "0.weight", an_shape_4(48, 2, 3, 5), first);
    assert_bound(an_params_get(params, 1), "0.bias", an_shape_1(48), first);
    assert_bound(an_params_get(params, 2), "1.weight", an_shape_4(48, 10, 3, 3), second);
    assert_bound(an_params_get(params, 3), "1.bias", an_shape_1(40), second);
    assert_bound(an_params_get(params, 4), "2.weight", an_shape_4(2, 40, 1, 1), 1 / sqrt(40.0));
    an_model_free(model);
}

/* The shape that a model foretells is the one that its forward gives. */
static void shapes_are_foretold(void **state)
{
    static const char *const layers[] = {
        "Conv2d(3, 2, (2, 3), stride=(2, 1), padding=(0, 2), dilation=(3, 1))",
        "Conv2d(3, 6, (4, 3), padding='same', groups=3)",
        "Conv2d(3, 6, (4, 3), padding='same', padding_mode='circular')",
        "Conv2d(3, 6, 3, stride=2, padding=(2, 1), padding_mode='reflect')",
        "Conv2d(3, 2, 3, padding='valid')",
        "ConvTranspose2d(3, 2, (2, 3), stride=3, padding=1, output_padding=(1, 2))",
        "MaxPool2d(3, stride=2, padding=1, ceil_mode=True)",
        "MaxPool2d(2, stride=(3, 1), dilation=2)",
        "AvgPool2d((3, 2), ceil_mode=True)",
        "AdaptiveAvgPool2d((None, 4))",
    };
    static const int64_t sizes[][2] = {{7, 5}, {8, 11}, {10, 6}};
    an_graph *graph = an_graph_new(*state, NULL);
    for (size_t i = 0; i < COUNT(layers) * COUNT(sizes); i++) {
        an_error err = {0};
        const int64_t *size = sizes[i % COUNT(sizes)];
        an_model *model = an_model_new(*state, NULL);
        assert_true(an_model_add(model, layers[i / COUNT(sizes)], &err));
        if (!an_model_build(model, an_shape_3(3, size[0], size[1]), 1, &err)) {
            fail_msg("%s", err.message);
        }
        an_tensor *y =
            an_forward(model, graph, an_full(graph, an_shape_4(2, 3, size[0], size[1]), 1));
        const an_shape out = an_model_output_shape(model);
        assert_true(an_shape_equal(y->shape, an_shape_4(2, out.dim[0], out.dim[1], out.dim[2])));
        assert_true(an_graph_reset(graph, NULL));
        an_model_free(model);
    }
    an_graph_free(graph);
}

static void shapes_that_do_not_fit_are_refused(void **state)
{
    static const struct {
        const char *layer;
        int64_t sample[4];
        const char *message;
    } cases[] = {
        {"Conv2d(32, 4, 3)",
         {3, 3, 28, 28},
         "layer 0, Conv2d(32, 4, 3): takes (batch, 32, height, width) but gets (batch, 3, 28, 28)"},
        {"Conv2d(3, 4, 3)",
         {2, 28, 28},
         "layer 0, Conv2d(3, 4, 3): takes (batch, 3, height, width) but gets (batch, 28, 28)"},
        {"Conv2d(3, 4, 5, padding=1)",
         {3, 3, 2, 9},
         "layer 0, Conv2d(3, 4, 5, padding=1): a kernel of 5x5 does not fit into (batch, 3, 2, 9)"},
        {"Conv2d(3, 4, 3, padding=8, padding_mode='reflect')",
         {3, 3, 8, 9},
         "the padding is too large for padding_mode='reflect' and (batch, 3, 8, 9)"},
        {"Conv2d(3, 4, 3, padding=9, padding_mode='circular')", {3, 3, 8, 9}, "'circular' and"},
        {"Conv2d(3, 4, 1, padding='same')", {3, 3, 0, 9}, "does not fit into (batch, 3, 0, 9)"},
        {"ConvTranspose2d(3, 4, 1, padding=2)", {3, 3, 4, 9}, "gives nothing for (batch, 3, 4, 9)"},
        {"MaxPool2d(3)", {3, 3, 2, 9}, "a window of 3x3 does not fit into (batch, 3, 2, 9)"},
        {"AvgPool2d(2)", {1, 9}, "takes (batch, channels, height, width) but gets (batch, 9)"},
        {"AdaptiveAvgPool2d(2)", {3, 3, 0, 9}, "takes (batch, channels, height, width) but gets"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        an_error err = {0};
        an_model *model = an_model_new(*state, NULL);
        an_shape sample = {.ndim = (int)cases[i].sample[0]};
        memcpy(sample.dim, cases[i].sample + 1, (size_t)sample.ndim * sizeof *sample.dim);
        assert_true(an_model_add(model, cases[i].layer, &err));
        assert_false(an_model_build(model, sample, 1, &err));
        assert_int_equal(err.code, AN_ERROR_SHAPE);
        if (!strstr(err.message, cases[i].message)) {
            fail_msg("%s", err.message);
        }
        an_model_free(model);
    }
}

/* A Conv2d with the activation after it is one operation with the same result as two. */
static void activations_are_fused(void **state)
{
    static const char *const nets[] = {"ReLU()", "Tanh()"};
    for (size_t i = 0; i < COUNT(nets); i++) {
        an_graph *graph = an_graph_new(*state, NULL);
        an_model *fused = an_model_new(*state, NULL), *apart = an_model_new(*state, NULL);
        assert_true(an_model_add(fused, "Conv2d(8, 8, 3, padding=1)", NULL));
        assert_true(an_model_add(fused, nets[i], NULL));
        assert_true(an_model_add(apart, "Conv2d(8, 8, 3, padding=1)", NULL));
        assert_true(an_model_build(fused, an_shape_3(8, 6, 5), 9, NULL));
        assert_true(an_model_build(apart, an_shape_3(8, 6, 5), 9, NULL));
        float x[2 * 8 * 30];
        an_rng rng = an_rng_init(4, 0);
        an_rng_fill_uniform(&rng, x, COUNT(x), -1, 1);
        an_tensor *in = an_from(graph, x, an_shape_4(2, 8, 6, 5));
        an_tensor *a = an_forward(fused, graph, in), *b = an_forward(apart, graph, in);
        b = i == 0 ? an_relu(graph, b) : an_tanh(graph, b);
        assert_int_equal(a->size, b->size);
        for (int64_t k = 0; k < a->size; k++) {
            assert_true(fabs((double)a->data[k] - (double)b->data[k]) < 1e-6);
        }
        an_model_free(fused);
        an_model_free(apart);
        an_graph_free(graph);
    }
}

/* Images of bars, upright or lying: a small net learns which. */
static void a_net_learns(void **state)
{
    enum { IMAGES = 16, SIDE = 12 };
    static float x[IMAGES * SIDE * SIDE];
    int32_t labels[IMAGES];
    an_rng rng = an_rng_init(2, 0);
    for (int i = 0; i < IMAGES; i++) {
        const int64_t at = (int64_t)an_rng_below(&rng, SIDE);
        labels[i] = i % 2;
        for (int64_t k = 0; k < SIDE; k++) {
            x[i * SIDE * SIDE + (labels[i] ? at * SIDE + k : k * SIDE + at)] = 1;
        }
    }
    static const char *const layers[] = {"Conv2d(1, 8, 3, padding=1)",
                                         "ReLU()",
                                         "MaxPool2d(2)",
                                         "Conv2d(8, 8, 3)",
                                         "ReLU()",
                                         "AvgPool2d(2)",
                                         "Flatten()",
                                         "Linear(32, 2)"};
    an_model *model = an_model_new(*state, NULL);
    for (size_t i = 0; i < COUNT(layers); i++) {
        assert_true(an_model_add(model, layers[i], NULL));
    }
    assert_true(an_model_build(model, an_shape_3(1, SIDE, SIDE), 5, NULL));
    an_params *params = an_model_params(model);
    an_graph *graph = an_graph_new(*state, NULL);
    double first = 0, last = 0;
    for (int step = 0; step < 60; step++) {
        an_tensor *in = an_from(graph, x, an_shape_4(IMAGES, 1, SIDE, SIDE));
        an_tensor *scores = an_log_softmax(graph, an_forward(model, graph, in));
        an_tensor *picked = an_full(graph, an_shape_2(IMAGES, 2), 0);
        for (int i = 0; i < IMAGES; i++) {
            picked->data[2 * i + labels[i]] = -1.0f / IMAGES;
        }
        an_tensor *loss = an_sum(graph, an_mul(graph, scores, picked));
        last = an_item(loss);
        first = step == 0 ? last : first;
        assert_true(an_backward(graph, loss, NULL));
        for (int64_t i = 0; i < an_params_length(params); i++) {
            an_params_values(params)[i] -= 0.3f * an_params_grads(params)[i];
        }
        an_params_zero_grad(params);
        assert_true(an_graph_reset(graph, NULL));
    }
    assert_true(first > 0.5 && last < 0.1);
    an_graph_free(graph);
    an_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_canonical),
        cmocka_unit_test(wrong_text_points_at_its_place),
        cmocka_unit_test(settings_that_contradict_are_refused),
        cmocka_unit_test(builders_say_the_same),
        cmocka_unit_test(parameters_start_as_in_pytorch),
        cmocka_unit_test(shapes_are_foretold),
        cmocka_unit_test(shapes_that_do_not_fit_are_refused),
        cmocka_unit_test(activations_are_fused),
        cmocka_unit_test(a_net_learns),
    };
    return cmocka_run_group_tests_name("nn/images", tests, set_up, tear_down);
}
