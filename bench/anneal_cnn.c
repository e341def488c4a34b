/*
 * bench/anneal_cnn.c - Anneal's side of the comparison of convolutional nets: the same training as
 * torch_cnn.py, written against the public headers as any user would write it.
 *
 *   anneal_cnn NET THREADS STEPS FOLDER     NET: cnn or lenet (see build_model)
 *
 * prints one JSON object: seconds of each run of STEPS updates at batch 64, loss and accuracy on
 * the test images.
 */
#include <anneal/data.h>
#include <anneal/nn.h>
#include <anneal/optim.h>
#include <anneal/train.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 64
#define WARM_UP_STEPS 50
#define RUNS 3
#define MAX_THREADS 64
#define MAX_STEPS 100000

typedef struct bench {
    an_context *context;
    an_dataset *train, *test;
    an_loader *loader, *test_loader;
    an_model *model;
    an_optim *optim;
    an_graph *graph;
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

/* The net of PyTorch's MNIST example, without its Dropout. */
static void add_cnn(an_model *model)
{
    an_model_conv2d(model, 1, 32, 3, 1, 0);
    an_model_relu(model);
    an_model_conv2d(model, 32, 64, 3, 1, 0);
    an_model_relu(model);
    an_model_max_pool2d(model, 2);
    an_model_flatten(model);
    an_model_linear(model, 9216, 128, true);
    an_model_relu(model);
    an_model_linear(model, 128, 10, true);
}

/* LeNet-5 as it is taught today: 28x28 images, padded to the paper's 32x32. */
static void add_lenet(an_model *model)
{
    an_model_conv2d(model, 1, 6, 5, 1, 2);
    an_model_tanh(model);
    an_model_avg_pool2d(model, 2);
    an_model_conv2d(model, 6, 16, 5, 1, 0);
    an_model_tanh(model);
    an_model_avg_pool2d(model, 2);
    an_model_flatten(model);
    an_model_linear(model, 400, 120, true);
    an_model_tanh(model);
    an_model_linear(model, 120, 84, true);
    an_model_tanh(model);
    an_model_linear(model, 84, 10, true);
}

static bool build_model(bench *b, bool lenet, an_error *err)
{
    b->model = an_model_new(b->context, err);
    if (!b->model)
        return false;
    (lenet ? add_lenet : add_cnn)(b->model);
    return an_model_build(b->model, an_dataset_shape(b->train), 1, err);
}

static bool build_loaders(bench *b, an_error *err)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = BATCH;
    options.shuffle = true;
    options.seed = 1;
    options.mean = 0.1307;
    options.deviation = 0.3081;
    b->loader = an_loader_new(b->context, b->train, &options, err);
    options.shuffle = false;
    b->test_loader = an_loader_new(b->context, b->test, &options, err);
    return b->loader && b->test_loader;
}

static bool build(bench *b, bool lenet, int threads, const char *folder, an_error *err)
{
    an_context_options options = {.threads = threads};
    b->context = an_context_new(&options, err);
    if (!b->context)
        return false;
    const an_allocator *allocator = an_context_allocator(b->context);
    b->train = an_mnist_open(allocator, folder, true, err);
    b->test = b->train ? an_mnist_open(allocator, folder, false, err) : NULL;
    if (!b->test || !build_model(b, lenet, err) || !build_loaders(b, err))
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

/* At most `steps` steps of an epoch. */
static bool run(bench *b, int epoch, int64_t steps, an_error *err)
{
    an_batch batch;
    an_loader_seek(b->loader, epoch);
    while (steps-- > 0 && an_loader_next(b->loader, &batch)) {
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

static bool measure(bench *b, int steps, an_error *err)
{
    an_eval_result score;
    if (!run(b, 0, WARM_UP_STEPS, err))
        return false;
    printf("{\"seconds\": [");
    for (int i = 0; i < RUNS; i++) {
        double start = now();
        if (!run(b, i + 1, steps, err))
            return false;
        printf("%s%.6f", i ? ", " : "", now() - start);
    }
    an_loss loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    if (!an_evaluate(b->model, loss, b->test_loader, &score, err))
        return false;
    printf("], \"test_loss\": %.4f, \"test_accuracy\": %.4f, \"graph_bytes\": %zu, "
           "\"vector_bits\": %d}\n",
           score.loss, score.accuracy, an_graph_peak_bytes(b->graph),
           an_context_vector_bits(b->context));
    return true;
}

int main(int argc, char **argv)
{
    int threads = argc == 5 ? parse_count(argv[2], MAX_THREADS) : 0,
        steps = argc == 5 ? parse_count(argv[3], MAX_STEPS) : 0;
    bool lenet = argc == 5 && !strcmp(argv[1], "lenet");
    if (!threads || !steps || (!lenet && strcmp(argv[1], "cnn") != 0)) {
        fprintf(stderr, "usage: anneal_cnn cnn|lenet THREADS STEPS FOLDER\n");
        return 2;
    }
    bench b = {0};
    an_error err = {0};
    bool done = build(&b, lenet, threads, argv[4], &err) && measure(&b, steps, &err);
    if (!done)
        fprintf(stderr, "anneal_cnn: %s\n", err.message);
    clean_up(&b);
    return done ? 0 : 1;
}
