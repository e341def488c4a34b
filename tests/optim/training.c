/* Whole small trainings: two spirals are learned, from text as from C to the same bits. */
#include <anneal/nn.h>
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define POINTS 200
#define HIDDEN 32

typedef struct result {
    float values[HIDDEN * HIDDEN + 16 * HIDDEN];
    int64_t length;
    double first_loss, last_loss, accuracy;
} result;

/* Two interleaved spirals of one and a half turns, with every other point of the other class. */
static void spirals(float x[2 * POINTS], int32_t labels[POINTS])
{
    for (int i = 0; i < POINTS; i++) {
        double turn = (i - i % 2) / (double)POINTS, t = 0.25 + 0.75 * turn;
        double angle = 9.5 * t + (i % 2) * 3.14159265;
        x[2 * i] = (float)(2 * t * cos(angle));
        x[2 * i + 1] = (float)(2 * t * sin(angle));
        labels[i] = i % 2;
    }
}

static an_model *model_from_text(an_context *context)
{
    static const char *const layers[] = {"Linear(2, 32)", "Tanh()",        "Linear(32, 32)",
                                         "ReLU()",        "Dropout(0.05)", "Linear(32, 2)"};
    an_model *model = an_model_new(context, NULL);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        assert_true(an_model_add(model, layers[i], NULL));
    }
    return model;
}

static an_model *model_from_c(an_context *context)
{
    an_model *model = an_model_new(context, NULL);
    an_model_linear(model, 2, HIDDEN, true);
    an_model_tanh(model);
    an_model_linear(model, HIDDEN, HIDDEN, true);
    an_model_relu(model);
    an_model_dropout(model, 0.05);
    an_model_linear(model, HIDDEN, 2, true);
    return model;
}

static an_optim *optim_from_c(an_params *params)
{
    an_adam_options options = an_adamw_defaults();
    options.lr = 0.01;
    options.weight_decay = 0.001;
    return an_adamw_new(params, &options, NULL);
}

static double train_step(an_model *model, an_optim *optim, an_graph *graph, const float *x,
                         const int32_t *labels)
{
    an_tensor *scores = an_forward(model, graph, an_from(graph, x, an_shape_2(POINTS, 2)));
    an_tensor *loss = an_cross_entropy(graph, scores, (an_labels){labels, POINTS});
    double value = an_item(loss);
    assert_true(an_backward(graph, loss, NULL));
    assert_true(an_clip_grad_norm(an_model_params(model), 1) > 0);
    an_optim_step(optim);
    an_optim_zero_grad(optim);
    assert_true(an_graph_reset(graph, NULL));
    return value;
}

static double test_accuracy(an_model *model, an_graph *graph, const float *x, const int32_t *labels)
{
    bool training = an_model_set_training(model, false), grad = an_graph_set_grad(graph, false);
    an_tensor *scores = an_forward(model, graph, an_from(graph, x, an_shape_2(POINTS, 2)));
    int64_t correct = an_count_correct(scores, (an_labels){labels, POINTS});
    assert_true(an_graph_reset(graph, NULL));
    an_graph_set_grad(graph, grad);
    an_model_set_training(model, training);
    return (double)correct / POINTS;
}

static void train(bool text, uint64_t seed, int steps, result *out)
{
    float x[2 * POINTS];
    int32_t labels[POINTS];
    spirals(x, labels);
    an_context_options options = {.threads = 1};
    an_context *context = an_context_new(&options, NULL);
    an_model *model = text ? model_from_text(context) : model_from_c(context);
    assert_true(an_model_build(model, an_shape_1(2), seed, NULL));
    an_params *params = an_model_params(model);
    an_optim *optim = text ? an_optim_parse(params, "AdamW(lr=0.01, weight_decay=0.001)", NULL)
                           : optim_from_c(params);
    an_graph *graph = an_graph_new(context, NULL);
    for (int step = 0; step < steps; step++) {
        double loss = train_step(model, optim, graph, x, labels);
        out->first_loss = step == 0 ? loss : out->first_loss;
        out->last_loss = loss;
    }
    out->accuracy = test_accuracy(model, graph, x, labels);
    out->length = an_params_length(params);
    assert_true((size_t)out->length <= sizeof out->values / sizeof out->values[0]);
    memcpy(out->values, an_params_values(params), (size_t)out->length * sizeof(float));
    an_graph_free(graph);
    an_optim_free(optim);
    an_model_free(model);
    an_context_free(context);
}

static void two_spirals_are_learned(void **state)
{
    (void)state;
    static result r;
    train(true, 1, 800, &r);
    assert_true(fabs(r.first_loss - log(2)) < 0.2);
    assert_true(r.last_loss < 0.1);
    assert_true(r.accuracy > 0.98);
}

static void text_and_c_give_the_same_bits(void **state)
{
    (void)state;
    static result a, b, other;
    train(true, 3, 60, &a);
    train(false, 3, 60, &b);
    train(false, 4, 60, &other);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.values, b.values, (size_t)a.length * sizeof(float));
    assert_true(a.last_loss == b.last_loss && a.last_loss < a.first_loss);
    assert_memory_not_equal(a.values, other.values, (size_t)a.length * sizeof(float));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_spirals_are_learned),
        cmocka_unit_test(text_and_c_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
