/* anneal sample: text that a model writes on from a beginning. */
#include "cli/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    cli_wanted wanted;
    const char *prompt; /* NULL: none */
    long long length, top_k, seed;
    double temperature;
} request;

/* -------------------------------------------------------------- arguments */

static const cli_option options[] = {
    {"prompt", "TEXT", "what the text begins with (default: a new line)",
     CLI_SET_TEXT(request, prompt)},
    {"length", "N", "how many tokens to write (default: 500)",
     CLI_SET_INTEGER(request, length, 1, 1000000000)},
    {"temperature", "T", "above 1 bolder, below 1 safer, 0 always the likeliest (default: 0.8)",
     CLI_SET_NUMBER(request, temperature, 0, 1000)},
    {"top-k", "K", "choose among the K likeliest (default: among all)",
     CLI_SET_INTEGER(request, top_k, 1, 65536)},
    {"seed", "N", "start the random numbers from N (default: 1)",
     CLI_SET_INTEGER(request, seed, 0, INT64_MAX)},
    CLI_WANTED_OPTIONS(request),
};

static const cli_usage usage = {
    .command = "anneal sample",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal sample RUN|FILE [OPTION]...\n"
        "Writes on from a beginning with a model that was trained on a text, token by token. The\n"
        "text must still be there: its characters are what the model's numbers stand for.\n",
    .more = "\nExamples:\n"
            "  anneal sample char-gpt-3f2a --prompt 'And God said' --length 1000\n"
            "  anneal sample gpt.safetensors --config examples/char-gpt.yaml --top-k 10 --seed 2",
};

static int parse(request *r, int argc, char **argv)
{
    return cli_take_one(&usage, argc, argv, r,
                        "one run or file of weights: "
                        "anneal sample char-gpt-3f2a --prompt 'And God said'",
                        &r->wanted.what);
}

/* ----------------------------------------------------------------- writing */

/*
 * `window` holds the last `count` tokens, at most `context` of them. `weights` and `order` have a
 * place for each class.
 */
typedef struct writer {
    const request *r;
    const an_run *run;
    const an_dataset *text;
    an_graph *graph;
    an_tensor *x; /* (1, count) */
    int32_t *window;
    int64_t context, count;
    int32_t classes;
    double *weights, *order;
    an_rng rng;
} writer;

static void push(writer *w, int32_t token)
{
    if (w->count == w->context)
        memmove(w->window, w->window + 1, (size_t)--w->count * sizeof *w->window);
    w->window[w->count++] = token;
}

static void print_token(const writer *w, int32_t token)
{
    char bytes[4];
    fwrite(bytes, 1, an_text_token(w->text, token, bytes), stdout);
    fflush(stdout);
}

/* The beginning: printed as it is, its last tokens in the window. */
static bool take_prompt(writer *w, an_error *err)
{
    const char *prompt = w->r->prompt && *w->r->prompt ? w->r->prompt : "\n";
    const size_t length = strlen(prompt);
    int32_t *tokens = calloc(length, sizeof *tokens);
    if (!tokens)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the prompt");
    int64_t count = an_text_encode(w->text, prompt, length, tokens, (int64_t)length, err);
    if (count < 0)
        an_error_prefix(err, "--prompt%s: ", w->r->prompt ? "" : " (its default is a new line)");
    for (int64_t i = 0; i < count; i++)
        push(w, tokens[i]);
    if (count > 0 && w->r->prompt)
        fputs(w->r->prompt, stdout);
    free(tokens);
    return count > 0;
}

static int falling(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The score that the K likeliest have at least; those as good as the last of them are in as well.
 */
static double least_score(writer *w, const float *scores)
{
    if (w->r->top_k == 0 || w->r->top_k >= w->classes)
        return -INFINITY;
    for (int32_t i = 0; i < w->classes; i++)
        w->order[i] = (double)scores[i];
    qsort(w->order, (size_t)w->classes, sizeof *w->order, falling);
    return w->order[w->r->top_k - 1];
}

static int32_t likeliest(const float *scores, int32_t classes)
{
    int32_t best = 0;
    for (int32_t i = 1; i < classes; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

/* One of the tokens, with probabilities in proportion to exp(score / temperature). */
static int32_t choose(writer *w, const float *scores)
{
    const int32_t best = likeliest(scores, w->classes);
    const double least = least_score(w, scores), temperature = w->r->temperature;
    double sum = 0;
    if (temperature == 0)
        return best;
    for (int32_t i = 0; i < w->classes; i++) {
        const double score = (double)scores[i];
        w->weights[i] = score >= least ? exp((score - (double)scores[best]) / temperature) : 0;
        sum += w->weights[i];
    }
    double at = an_rng_double(&w->rng) * sum;
    for (int32_t i = 0; i < w->classes; i++)
        if ((at -= w->weights[i]) < 0)
            return i;
    return best;
}

/* The tensor that the window goes in: it grows until the window is full. */
static bool fill(writer *w, an_error *err)
{
    an_context *context = w->run->context;
    if (!w->x || w->x->shape.dim[1] != w->count) {
        an_tensor_free(context, w->x);
        w->x = an_tensor_new(context, an_shape_2(1, w->count), err);
    }
    for (int64_t i = 0; w->x && i < w->count; i++)
        w->x->data[i] = (float)w->window[i];
    return w->x != NULL;
}

static bool write_token(writer *w, an_error *err)
{
    if (!fill(w, err))
        return false;
    an_tensor *y = an_forward(w->run->model, w->graph, w->x);
    bool ok = !an_graph_error(w->graph, NULL);
    if (ok) {
        const int64_t width = y->shape.dim[2];
        int32_t token = choose(w, y->data + (w->count - 1) * width);
        push(w, token);
        print_token(w, token);
    }
    return an_graph_reset(w->graph, err) && ok;
}

static bool write_text(writer *w, an_error *err)
{
    an_model_set_training(w->run->model, false);
    an_graph_set_grad(w->graph, false);
    bool ok = take_prompt(w, err);
    for (long long i = 0; ok && i < w->r->length && !ferror(stdout); i++)
        ok = write_token(w, err);
    if (ok)
        putchar('\n');
    return ok;
}

static bool sample(const request *r, const an_run *run, an_error *err)
{
    writer w = {
        .r = r, .run = run, .text = run->train_data, .rng = an_rng_init((uint64_t)r->seed, 0)};
    w.context = an_dataset_shape(w.text).dim[0];
    w.classes = an_dataset_classes(w.text);
    w.window = calloc((size_t)w.context, sizeof *w.window);
    w.weights = calloc((size_t)w.classes, sizeof *w.weights);
    w.order = calloc((size_t)w.classes, sizeof *w.order);
    bool ok = (w.window && w.weights && w.order) ||
              an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the text");
    w.graph = ok ? an_graph_new(run->context, err) : NULL;
    ok = w.graph && write_text(&w, err);
    an_tensor_free(run->context, w.x);
    an_graph_free(w.graph);
    free(w.order);
    free(w.weights);
    free(w.window);
    return ok;
}

static bool writes(const an_run *run, an_error *err)
{
    return an_dataset_kind(run->train_data) == AN_DATA_TOKENS ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "anneal sample takes a model that was trained on a text (data: {format: "
                        "text, ...}); classes of samples are what anneal predict prints");
}

static int run(const request *r)
{
    an_error err = {0};
    cli_loaded loaded;
    bool ok = cli_load(&r->wanted, &loaded, &err) && writes(loaded.run, &err) &&
              sample(r, loaded.run, &err) && cli_flush(&err);
    cli_unload(&loaded);
    return ok ? CLI_DONE : cli_fail(&err);
}

int cli_sample(int argc, char **argv)
{
    request r = {
        .wanted = {.runs = "runs", .threads = -1}, .length = 500, .temperature = 0.8, .seed = 1};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = run(&r);
    return status;
}
