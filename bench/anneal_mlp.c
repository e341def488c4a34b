/*
 * bench/anneal_mlp.c - Anneal's side of the comparison: the same training as bound.c and
 * torch_mlp.py, written against the public headers as any user would write it.
 *
 *   anneal_mlp SHAPE THREADS EPOCHS FOLDER     SHAPE: small (784-128-10) or large (784-512-512-10)
 *
 * prints one JSON object: seconds of each epoch, loss and accuracy on the test images.
 */
#include <anneal/data.h>
#include <anneal/nn.h>
#include <anneal/optim.h>
#include <anneal/train.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WARM_UP_STEPS 100
#define MAX_THREADS 64
#define MAX_EPOCHS 1000

typedef struct bench {
    an_context *context;
    an_dataset *train, *test;
    an_loader *loader, *test_loader;
    an_model *model;
    an_optim *optim;
    an_graph *graph;
    double loader_seconds; /* spent in preparing batches */
} bench;

/* A whole number from 1 to `most`, or 0. */
static int parse_count(const char *text, int most)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *end == '\0' && value >= 1 && value <= most ? (int)value : 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool build_model(bench *b, bool large, an_error *err)
{
    b->model = an_model_new(b->context, err);
    if (!b->model)
        return false;
    an_model_flatten(b->model);
    an_model_linear(b->model, 784, large ? 512 : 128, true);
    an_model_relu(b->model);
    if (large) {
        an_model_linear(b->model, 512, 512, true);
        an_model_relu(b->model);
    }
    an_model_linear(b->model, large ? 512 : 128, 10, true);
    return an_model_build(b->model, an_dataset_shape(b->train), 1, err);
}

static bool build_loaders(bench *b, int64_t batch, an_error *err)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = batch;
    options.shuffle = true;
    options.seed = 1;
    options.mean = 0.1307;
    options.deviation = 0.3081;
    b->loader = an_loader_new(b->context, b->train, &options, err);
    options.shuffle = false;
    b->test_loader = an_loader_new(b->context, b->test, &options, err);
    return b->loader && b->test_loader;
}

static bool build(bench *b, bool large, int threads, const char *folder, an_error *err)
{
    an_context_options options = {.threads = threads};
    b->context = an_context_new(&options, err);
    if (!b->context)
        return false;
    const an_allocator *allocator = an_context_allocator(b->context);
    b->train = an_mnist_open(allocator, folder, true, err);
    b->test = b->train ? an_mnist_open(allocator, folder, false, err) : NULL;
    if (!b->test || !build_model(b, large, err) || !build_loaders(b, large ? 128 : 64, err))
        return false;
    an_sgd_options sgd = an_sgd_defaults();
    sgd.lr = 0.01;
    sgd.momentum = 0.9;
    b->optim = an_sgd_new(an_model_params(b->model), &sgd, err);
    b->graph = an_graph_new(b->context, err);
    return b->optim && b->graph;
}

static void clean_up(bench *b)
{
    an_graph_free(b->graph);
    an_optim_free(b->optim);
    an_loader_free(b->test_loader);
    an_loader_free(b->loader);
    an_model_free(b->model);
    an_dataset_free(b->test);
    an_dataset_free(b->train);
    an_context_free(b->context);
}

/* an_loader_next, on a clock of its own. */
static bool next_batch(bench *b, an_batch *batch)
{
    double start = now();
    bool more = an_loader_next(b->loader, batch);
    b->loader_seconds += now() - start;
    return more;
}

/* At most `steps` steps of an epoch. */
static bool epoch(bench *b, int64_t steps, an_error *err)
{
    an_batch batch;
    while (steps-- > 0 && next_batch(b, &batch)) {
        an_tensor *logits = an_forward(b->model, b->graph, batch.x);
        an_tensor *loss = an_cross_entropy(b->graph, logits, batch.y);
        if (!an_backward(b->graph, loss, err))
            return false;
        an_optim_step(b->optim);
        an_optim_zero_grad(b->optim);
        if (!an_graph_reset(b->graph, err))
            return false;
    }
    return true;
}

static bool measure(bench *b, int epochs, an_error *err)
{
    an_eval_result score;
    if (!epoch(b, WARM_UP_STEPS, err))
        return false;
    printf("{\"seconds\": [");
    b->loader_seconds = 0;
    double total = now();
    for (int e = 0; e < epochs; e++) {
        double start = now();
        an_loader_seek(b->loader, e + 1);
        if (!epoch(b, an_loader_batches(b->loader), err))
            return false;
        printf("%s%.6f", e ? ", " : "", now() - start);
    }
    total = now() - total;
    an_loss loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    if (!an_evaluate(b->model, loss, b->test_loader, &score, err))
        return false;
    printf("], \"loader_share\": %.4f, \"test_loss\": %.4f, \"test_accuracy\": %.4f, "
           "\"vector_bits\": %d}\n",
           b->loader_seconds / total, score.loss, score.accuracy,
           an_context_vector_bits(b->context));
    return true;
}

int main(int argc, char **argv)
{
    int threads = argc == 5 ? parse_count(argv[2], MAX_THREADS) : 0,
        epochs = argc == 5 ? parse_count(argv[3], MAX_EPOCHS) : 0;
    if (!threads || !epochs) {
        fprintf(stderr, "usage: anneal_mlp small|large THREADS EPOCHS FOLDER\n");
        return 2;
    }
    bench b = {0};
    an_error err = {0};
    bool done =
        build(&b, !strcmp(argv[1], "large"), threads, argv[4], &err) && measure(&b, epochs, &err);
    if (!done)
        fprintf(stderr, "anneal_mlp: %s\n", err.message);
    clean_up(&b);
    return done ? 0 : 1;
}
