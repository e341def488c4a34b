/*
 * bench/anneal_nets.c - Anneal's side of the comparisons: torch_nets.py trains the same nets in
 * PyTorch, bound.c the perceptrons without a framework. Written against the public headers, as any
 * user would write it.
 *
 *   anneal_nets NET THREADS ROUNDS STEPS FOLDER     NET: small, large, cnn, lenet, lstm or char
 *
 * trains ROUNDS times for STEPS updates, or a whole epoch where STEPS is 0, and prints one JSON
 * object: the seconds of each round, how well the net does on the test images (char: on what it
 * learned from), and what it keeps in memory. FOLDER holds MNIST; char reads the text FOLDER.
 */
#include <anneal/data.h>
#include <anneal/nn.h>
#include <anneal/optim.h>
#include <anneal/train.h>

#include <stdio.h>
#include <string.h>

#include "bench.h"

enum { MOST_THREADS = 64, MOST_ROUNDS = 1000, MOST_STEPS = 100000, MOST_LAYERS = 16, CONTEXT = 64 };

#define SGD "SGD(lr=0.01, momentum=0.9)"
#define BLOCK                                                            \
    "Residual(LayerNorm(128), MultiheadAttention(128, 4, causal=True))", \
        "Residual(LayerNorm(128), Linear(128, 512), GELU(), Linear(512, 128))"

typedef struct net {
    const char *name;
    int batch, warm_up; /* updates that are not timed */
    const char *optimizer;
    const char *layers[MOST_LAYERS];
} net;

/* The CNN is that of PyTorch's MNIST example, without its Dropout; LeNet-5 is as it is taught
 * today; the LSTM reads an image row by row; char has nanoGPT's shape for small machines. */
static const net nets[] = {
    {"small", 64, 100, SGD, {"Flatten()", "Linear(784, 128)", "ReLU()", "Linear(128, 10)"}},
    {"large",
     128,
     100,
     SGD,
     {"Flatten()", "Linear(784, 512)", "ReLU()", "Linear(512, 512)", "ReLU()", "Linear(512, 10)"}},
    {"cnn",
     64,
     50,
     SGD,
     {"Conv2d(1, 32, 3)", "ReLU()", "Conv2d(32, 64, 3)", "ReLU()", "MaxPool2d(2)", "Flatten()",
      "Linear(9216, 128)", "ReLU()", "Linear(128, 10)"}},
    {"lenet",
     64,
     50,
     SGD,
     {"Conv2d(1, 6, 5, padding=2)", "Tanh()", "AvgPool2d(2)", "Conv2d(6, 16, 5)", "Tanh()",
      "AvgPool2d(2)", "Flatten()", "Linear(400, 120)", "Tanh()", "Linear(120, 84)", "Tanh()",
      "Linear(84, 10)"}},
    {"lstm",
     64,
     50,
     SGD,
     {"Flatten()", "Unflatten(1, (28, 28))", "LSTM(28, 128)", "Select(1, -1)", "Linear(128, 10)"}},
    {"char",
     12,
     10,
     "AdamW()",
     {"Embedding(65, 128)", "PositionalEmbedding(64, 128)", BLOCK, BLOCK, BLOCK, BLOCK,
      "LayerNorm(128)", "Linear(128, 65)"}},
};

typedef struct bench {
    const net *net;
    double clip; /* of the gradients' norm; 0: none */
    an_context *context;
    an_dataset *train, *test; /* a text is both */
    an_loader *loader, *test_loader;
    an_model *model;
    an_optim *optim;
    an_graph *graph;
    int epoch;
    double loader_seconds, seconds; /* in preparing batches, and in all */
} bench;

static const net *find_net(const char *name)
{
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if (!strcmp(nets[i].name, name))
            return &nets[i];
    return NULL;
}

static bool is_char(const bench *b)
{
    return !strcmp(b->net->name, "char");
}

static bool open_data(bench *b, const char *path, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(b->context);
    an_loader_options options = an_loader_defaults();
    options.batch_size = b->net->batch;
    if (is_char(b)) {
        b->train = b->test = an_text_open(allocator, path, AN_TEXT_CHARACTERS, CONTEXT, err);
        options.drop_last = true;
    } else {
        b->train = an_mnist_open(allocator, path, true, err);
        b->test = b->train ? an_mnist_open(allocator, path, false, err) : NULL;
        options.mean = 0.1307;
        options.deviation = 0.3081;
    }
    if (!b->test)
        return false;
    b->test_loader = an_loader_new(b->context, b->test, &options, err);
    options.shuffle = true;
    options.seed = 1;
    b->loader = an_loader_new(b->context, b->train, &options, err);
    return b->loader && b->test_loader;
}

static bool build(bench *b, int threads, const char *path, an_error *err)
{
    b->context = an_context_new(&(an_context_options){.threads = threads}, err);
    if (!b->context || !open_data(b, path, err))
        return false;
    b->clip = is_char(b) ? 1 : 0;
    b->model = an_model_new(b->context, err);
    for (int i = 0; b->model && i < MOST_LAYERS && b->net->layers[i]; i++)
        an_model_add(b->model, b->net->layers[i], NULL);
    if (!b->model || !an_model_build(b->model, an_dataset_shape(b->train), 1, err))
        return false;
    b->optim = an_optim_parse(an_model_params(b->model), b->net->optimizer, err);
    b->graph = an_graph_new(b->context, err);
    return b->optim && b->graph;
}

static void clean_up(bench *b)
{
    an_graph_free(b->graph);
    an_optim_free(b->optim);
    an_model_free(b->model);
    an_loader_free(b->test_loader);
    an_loader_free(b->loader);
    if (b->test != b->train)
        an_dataset_free(b->test);
    an_dataset_free(b->train);
    an_context_free(b->context);
}

/* an_loader_next, on a clock of its own. */
static bool next_batch(bench *b, an_batch *batch)
{
    const double start = now();
    const bool more = an_loader_next(b->loader, batch);
    b->loader_seconds += now() - start;
    return more;
}

static bool step(bench *b, const an_batch *batch, an_error *err)
{
    an_tensor *logits = an_forward(b->model, b->graph, batch->x);
    an_tensor *loss = an_cross_entropy(b->graph, logits, batch->y);
    if (!an_backward(b->graph, loss, err))
        return false;
    if (b->clip > 0)
        an_clip_grad_norm(an_model_params(b->model), b->clip);
    an_optim_step(b->optim);
    an_optim_zero_grad(b->optim);
    return an_graph_reset(b->graph, err);
}

/* `steps` updates, epoch after epoch; 0: one epoch. The seconds that it took, or -1 with err. */
static double run(bench *b, int64_t steps, an_error *err)
{
    an_batch batch;
    const double start = now();
    if (steps == 0)
        steps = an_loader_batches(b->loader);
    while (steps > 0) {
        an_loader_seek(b->loader, b->epoch++);
        for (; steps > 0 && next_batch(b, &batch); steps--)
            if (!step(b, &batch, err))
                return -1;
    }
    return now() - start;
}

/* A field of /proc/self/status in bytes, like "VmHWM"; 0 where there is no such file. */
static size_t memory_of(const char *field)
{
    char line[256];
    size_t kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, field, strlen(field)))
            sscanf(line + strlen(field), ": %zu", &kilobytes);
    if (file)
        fclose(file);
    return 1024 * kilobytes;
}

static bool measure(bench *b, int rounds, int steps, size_t memory_before, an_error *err)
{
    an_eval_result score;
    if (run(b, b->net->warm_up, err) < 0)
        return false;
    b->loader_seconds = 0;
    printf("{\"seconds\": [");
    for (int i = 0; i < rounds; i++) {
        const double seconds = run(b, steps, err);
        if (seconds < 0)
            return false;
        printf("%s%.6f", i ? ", " : "", seconds);
        b->seconds += seconds;
    }
    /* The most there was, without the code and what there was before. */
    const size_t memory = memory_of("VmHWM") - memory_of("RssFile") - memory_before;
    if (!an_evaluate(b->model, an_loss_defaults(AN_CROSS_ENTROPY_LOSS), b->test_loader, &score,
                     err))
        return false;
    printf("], \"loader_share\": %.4f, \"test_loss\": %.4f, \"test_accuracy\": %.4f, "
           "\"vector_bits\": %d, \"memory\": %zu, "
           "\"parameters\": %lld}\n",
           b->loader_seconds / b->seconds, score.loss, score.accuracy,
           an_context_vector_bits(b->context), memory,
           (long long)an_params_size(an_model_params(b->model)));
    return true;
}

int main(int argc, char **argv)
{
    bench b = {.net = argc == 6 ? find_net(argv[1]) : NULL};
    const int threads = argc == 6 ? parse_count(argv[2], 1, MOST_THREADS) : -1,
              rounds = argc == 6 ? parse_count(argv[3], 1, MOST_ROUNDS) : -1,
              steps = argc == 6 ? parse_count(argv[4], 0, MOST_STEPS) : -1;
    if (!b.net || threads < 0 || rounds < 0 || steps < 0) {
        fprintf(stderr, "usage: anneal_nets small|large|cnn|lenet|lstm|char THREADS ROUNDS STEPS "
                        "FOLDER\n");
        return 2;
    }
    an_error err = {0};
    const size_t before = memory_of("RssAnon");
    const bool done = build(&b, threads, argv[5], &err) && measure(&b, rounds, steps, before, &err);
    if (!done)
        fprintf(stderr, "anneal_nets: %s\n", err.message);
    clean_up(&b);
    return done ? 0 : 1;
}
