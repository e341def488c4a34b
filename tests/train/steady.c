/*
 * Training steps of a perceptron, a CNN and a small transformer, once they have settled: nothing
 * asks for memory, neither the context's allocator nor malloc behind its back (the linker puts the
 * counters below before malloc and its kin); and gradients of activations take turns in memory.
 */
#include <anneal/nn.h>
#include <anneal/optim.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cmocka_all.h"

static atomic_long requests;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    requests++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    requests++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    requests++;
    return __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    requests++;
    return __real_aligned_alloc(alignment, size);
}

enum { BATCH = 8, MOST_LAYERS = 10 };

typedef struct net {
    const char *name, *optimizer;
    an_shape sample;
    int labels; /* of a sample */
    bool ids;
    const char *layers[MOST_LAYERS];
} net;

static const net nets[] = {
    {"perceptron",
     "SGD(lr=0.1, momentum=0.9)",
     {1, {20}},
     1,
     false,
     {"Linear(20, 64)", "BatchNorm1d(64)", "ReLU()", "Dropout(0.2)", "Linear(64, 5)"}},
    {"cnn",
     "AdamW(lr=0.001)",
     {3, {2, 12, 12}},
     1,
     false,
     {"Conv2d(2, 8, 3, padding=1, padding_mode='reflect')", "BatchNorm2d(8)", "ReLU()",
      "Conv2d(8, 16, 3, stride=2)", "GELU()", "MaxPool2d(2)", "Flatten()", "Linear(64, 5)"}},
    {"transformer",
     "Adam(lr=0.001)",
     {1, {16}},
     16,
     true,
     {"Embedding(5, 32)", "PositionalEmbedding(16, 32)",
      "Residual(LayerNorm(32), MultiheadAttention(32, 4, dropout=0.1, causal=True))",
      "Residual(LayerNorm(32), Linear(32, 64), GELU(), Linear(64, 32))",
      "LSTM(32, 16, proj_size=8)", "Linear(8, 5)"}},
};

typedef struct training {
    an_context *context;
    an_model *model;
    an_optim *optim;
    an_graph *graph;
    float x[BATCH * 288];
    int32_t y[BATCH * 16];
} training;

static void begin(training *t, const net *n)
{
    an_error err = {0};
    memset(t, 0, sizeof *t);
    t->context = an_context_new(&(an_context_options){.threads = 2}, &err);
    t->model = an_model_new(t->context, &err);
    for (int i = 0; i < MOST_LAYERS && n->layers[i]; i++)
        an_model_add(t->model, n->layers[i], NULL);
    if (!an_model_build(t->model, n->sample, 1, &err))
        fail_msg("%s: %s", n->name, err.message);
    t->optim = an_optim_parse(an_model_params(t->model), n->optimizer, &err);
    t->graph = an_graph_new(t->context, &err);
    assert_true(t->optim && t->graph);
    for (int i = 0; i < BATCH * 288; i++)
        t->x[i] = n->ids ? (float)(i % 5) : (float)(i % 7) - 3;
    for (int i = 0; i < BATCH * 16; i++)
        t->y[i] = i % 5;
}

static void end(training *t)
{
    an_graph_free(t->graph);
    an_optim_free(t->optim);
    an_model_free(t->model);
    an_context_free(t->context);
}

static an_shape batch_shape(an_shape sample)
{
    an_shape shape = {.ndim = sample.ndim + 1, .dim = {BATCH}};
    memcpy(shape.dim + 1, sample.dim, (size_t)sample.ndim * sizeof *sample.dim);
    return shape;
}

static void step(training *t, const net *n)
{
    an_tensor *x = an_from(t->graph, t->x, batch_shape(n->sample));
    an_tensor *output = an_forward(t->model, t->graph, x);
    an_tensor *loss = an_cross_entropy(t->graph, output, (an_labels){t->y, BATCH * n->labels});
    an_error err = {0};
    if (!an_backward(t->graph, loss, &err))
        fail_msg("%s: %s", n->name, err.message);
    assert_true(an_optim_step(t->optim));
    an_optim_zero_grad(t->optim);
    assert_true(an_graph_reset(t->graph, NULL));
}

static void test_settled_steps_ask_for_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        training t;
        begin(&t, &nets[i]);
        for (int k = 0; k < 3; k++)
            step(&t, &nets[i]);
        const long before = requests;
        assert_true(before > 0);
        for (int k = 0; k < 5; k++)
            step(&t, &nets[i]);
        if (requests != before)
            fail_msg("%s: five steps ask %ld times for memory", nets[i].name, requests - before);
        end(&t);
    }
}

enum { DEPTH = 12, WIDTH = 256 };

/* What a step of DEPTH equal layers takes, with or without its way back. */
static size_t peak(bool backward)
{
    static const float values[BATCH * WIDTH];
    an_error err = {0};
    an_context *context = an_context_new(&(an_context_options){.threads = 1}, &err);
    an_model *model = an_model_new(context, &err);
    for (int i = 0; i < DEPTH; i++) {
        an_model_linear(model, WIDTH, WIDTH, true);
        an_model_tanh(model);
    }
    assert_true(an_model_build(model, an_shape_1(WIDTH), 1, &err));
    an_graph *graph = an_graph_new(context, &err);
    an_tensor *x = an_from(graph, values, an_shape_2(BATCH, WIDTH));
    an_tensor *loss = an_sum(graph, an_forward(model, graph, x));
    assert_true(!backward || an_backward(graph, loss, &err));
    const size_t bytes = an_graph_peak_bytes(graph);
    an_graph_free(graph);
    an_model_free(model);
    an_context_free(context);
    return bytes;
}

/* The gradients of all activations together would be DEPTH of them; never more than three live. */
static void test_gradients_of_activations_take_turns(void **state)
{
    (void)state;
    const size_t one = (size_t)BATCH * WIDTH * sizeof(float);
    const size_t more = peak(true) - peak(false);
    assert_in_range(more, one, 3 * one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settled_steps_ask_for_nothing),
        cmocka_unit_test(test_gradients_of_activations_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
