/*
 * bench/anneal_sequence.c - Anneal's side of the comparison on sequences; torch_sequence.py is
 * PyTorch's.
 *
 *   anneal_sequence char|lstm THREADS STEPS
 *
 *   char   a character transformer (4 layers of width 128, 4 heads, context 64, batch 12, 65
 *          characters), AdamW, gradients clipped to norm 1: nanoGPT's shape for small machines
 *   lstm   an LSTM with 128 hidden values over the 28 rows of 28 x 28 images, batch 64, SGD with
 *          momentum
 *
 * prints one JSON object: milliseconds of each of five rounds' median step, and the last loss. The
 * data are random numbers: only the time counts.
 */
#include <anneal/nn.h>
#include <anneal/optim.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, MOST_STEPS = 100000, BATCHES = 16, MOST_LABELS = 12 * 64 };

typedef struct bench {
    an_context *context;
    an_model *model;
    an_optim *optim;
    an_graph *graph;
    an_tensor *x[BATCHES];
    int32_t labels[BATCHES][MOST_LABELS];
    int64_t label_count;
    double clip; /* 0: none */
} bench;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool build_char(bench *b, an_error *err)
{
    an_model_add(b->model, "Embedding(65, 128)", NULL);
    an_model_add(b->model, "PositionalEmbedding(64, 128)", NULL);
    for (int i = 0; i < 4; i++) {
        an_model_add(b->model, "Residual(LayerNorm(128), MultiheadAttention(128, 4, causal=True))",
                     NULL);
        an_model_add(b->model,
                     "Residual(LayerNorm(128), Linear(128, 512), GELU(), Linear(512, 128))", NULL);
    }
    an_model_add(b->model, "LayerNorm(128)", NULL);
    an_model_add(b->model, "Linear(128, 65)", NULL);
    an_adam_options adamw = an_adamw_defaults();
    b->clip = 1;
    if (!an_model_build(b->model, an_shape_1(64), 1, err))
        return false;
    b->optim = an_adamw_new(an_model_params(b->model), &adamw, err);
    return b->optim != NULL;
}

static bool build_lstm(bench *b, an_error *err)
{
    an_model_add(b->model, "LSTM(28, 128)", NULL);
    an_model_add(b->model, "Select(1, -1)", NULL);
    an_model_add(b->model, "Linear(128, 10)", NULL);
    an_sgd_options sgd = an_sgd_defaults();
    sgd.lr = 0.01;
    sgd.momentum = 0.9;
    if (!an_model_build(b->model, an_shape_2(28, 28), 1, err))
        return false;
    b->optim = an_sgd_new(an_model_params(b->model), &sgd, err);
    return b->optim != NULL;
}

static bool make_data(bench *b, bool chars, an_error *err)
{
    an_rng rng = an_rng_init(1, 2);
    b->label_count = chars ? 12 * 64 : 64;
    for (int i = 0; i < BATCHES; i++) {
        b->x[i] =
            an_tensor_new(b->context, chars ? an_shape_2(12, 64) : an_shape_3(64, 28, 28), err);
        if (!b->x[i])
            return false;
        an_rng_fill_uniform(&rng, b->x[i]->data, b->x[i]->size, 0, 1);
        for (int64_t j = 0; chars && j < b->x[i]->size; j++)
            b->x[i]->data[j] = (float)an_rng_below(&rng, 65);
        for (int64_t j = 0; j < b->label_count; j++)
            b->labels[i][j] = (int32_t)an_rng_below(&rng, chars ? 65 : 10);
    }
    return true;
}

static bool build(bench *b, bool chars, int threads, an_error *err)
{
    b->context = an_context_new(&(an_context_options){.threads = threads}, err);
    if (!b->context)
        return false;
    b->model = an_model_new(b->context, err);
    b->graph = an_graph_new(b->context, err);
    return b->model && b->graph && (chars ? build_char(b, err) : build_lstm(b, err)) &&
           make_data(b, chars, err);
}

static bool step(bench *b, int i, double *loss_value, an_error *err)
{
    const an_labels labels = {b->labels[i % BATCHES], b->label_count};
    an_tensor *y = an_forward(b->model, b->graph, b->x[i % BATCHES]);
    an_tensor *loss = an_cross_entropy(b->graph, y, labels);
    *loss_value = an_item(loss);
    if (!an_backward(b->graph, loss, err))
        return false;
    if (b->clip > 0)
        an_clip_grad_norm(an_model_params(b->model), b->clip);
    an_optim_step(b->optim);
    an_optim_zero_grad(b->optim);
    return an_graph_reset(b->graph, err);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool measure(bench *b, int steps, an_error *err)
{
    double loss = 0, *times = calloc((size_t)steps, sizeof *times);
    bool ok = times != NULL;
    for (int i = 0; ok && i < 10; i++)
        ok = step(b, i, &loss, err);
    printf("{\"milliseconds\": [");
    for (int round = 0; ok && round < ROUNDS; round++) {
        for (int i = 0; ok && i < steps; i++) {
            const double start = now();
            ok = step(b, i, &loss, err);
            times[i] = now() - start;
        }
        qsort(times, (size_t)steps, sizeof *times, compare);
        printf("%s%.4f", round ? ", " : "", 1e3 * times[steps / 2]);
    }
    printf("], \"loss\": %.5f}\n", loss);
    free(times);
    return ok;
}

static void clean_up(bench *b)
{
    for (int i = 0; i < BATCHES && b->x[i]; i++)
        an_tensor_free(b->context, b->x[i]);
    an_graph_free(b->graph);
    an_optim_free(b->optim);
    an_model_free(b->model);
    an_context_free(b->context);
}

int main(int argc, char **argv)
{
    const bool chars = argc == 4 && strcmp(argv[1], "char") == 0;
    const int threads = argc == 4 ? atoi(argv[2]) : 0, steps = argc == 4 ? atoi(argv[3]) : 0;
    if ((!chars && (argc != 4 || strcmp(argv[1], "lstm") != 0)) || threads < 1 || steps < 1 ||
        steps > MOST_STEPS) {
        fprintf(stderr, "usage: anneal_sequence char|lstm THREADS STEPS\n");
        return 2;
    }
    static bench b;
    an_error err = {0};
    const bool done = build(&b, chars, threads, &err) && measure(&b, steps, &err);
    if (!done)
        fprintf(stderr, "anneal_sequence: %s\n", err.message);
    clean_up(&b);
    return done ? 0 : 1;
}
