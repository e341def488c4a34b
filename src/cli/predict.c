/* anneal predict: classes and probabilities of samples that a file holds. */
#include "cli/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct request {
    cli_wanted wanted;
    const char *input;
    int format;
} request;

static const cli_option options[] = {
    {"input", "FILE", "images (IDX, .npy), rows of pixels 0..255, floats (.npy), or a table (CSV)",
     CLI_SET_TEXT(request, input)},
    CLI_WANTED_OPTIONS(request),
    {"format", "csv|json", "json: one object a line (default: csv)",
     CLI_SET_CHOICE(request, format)},
};

static const cli_usage usage = {
    .command = "anneal predict",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal predict RUN|FILE --input FILE [OPTION]...\n"
        "Prints a line for every sample: its number from 0, the most probable class, and the\n"
        "probability of each class (the model's outputs where its loss has no probabilities).\n"
        "CSV: index,class,p_NAME,...; p_0, p_1, ... where classes have no names. JSON: an object\n"
        "of probabilities by name, or a list: probabilities[class] is the greatest. Outputs are\n"
        "called by the columns that they predict, or y_0, y_1, ...; in JSON they are outputs.\n"
        "For models of images, arrays and tables: one of texts writes with anneal sample.\n"
        "Floats are filled and standardised as in training.\n\n"
        "The columns of a table go by their names, in any order, and are coded, filled and\n"
        "standardised as in training; what was no feature there is not looked at. Classes have\n"
        "their names; where numbers are predicted, they stand under theirs, without a class.\n",
    .more = "\nExamples:\n"
            "  anneal predict mnist-mlp-3f2a --input data/mnist/t10k-images-idx3-ubyte.gz\n"
            "  anneal predict mnist.safetensors --config examples/mnist-mlp.yaml --input rows.csv\n"
            "  anneal predict houses-7c1d --input new.csv --format json",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count != 1 || !r->input)
        return cli_wrong("anneal predict takes one run or file of weights, and --input FILE: "
                         "anneal predict mnist-mlp-3f2a --input rows.csv");
    r->wanted.what = rest.each[0];
    return CLI_TAKEN;
}

/* ------------------------------------------------------------ probabilities */

/* What a loss takes the model's outputs for. */
static const char *meaning_of(an_loss loss)
{
    switch (loss.kind) {
    case AN_CROSS_ENTROPY_LOSS:
    case AN_NLL_LOSS:
    case AN_KL_DIV_LOSS:
    case AN_BCE_WITH_LOGITS_LOSS:
        return "probabilities";
    default:
        return "outputs";
    }
}

/* A row of outputs as the probabilities that they stand for. */
static void to_probabilities(an_loss loss, const float *row, double *out, int64_t count)
{
    double most = -INFINITY, sum = 0;
    bool scores = loss.kind == AN_CROSS_ENTROPY_LOSS;
    bool logs = loss.kind == AN_NLL_LOSS || loss.kind == AN_KL_DIV_LOSS;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, (double)row[i]);
    for (int64_t i = 0; i < count; i++) {
        out[i] = scores                                 ? exp((double)row[i] - most)
                 : logs                                 ? exp((double)row[i])
                 : loss.kind == AN_BCE_WITH_LOGITS_LOSS ? 1 / (1 + exp(-(double)row[i]))
                                                        : row[i];
        sum += out[i];
    }
    for (int64_t i = 0; scores && i < count; i++)
        out[i] /= sum;
}

/* The first of the greatest; of a single output, whether it is above one half. */
static int64_t class_of(const double *values, int64_t count)
{
    int64_t best = 0;
    if (count == 1)
        return values[0] > 0.5;
    for (int64_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* ------------------------------------------------------------------ printing */

/* A table gives names to its classes, or to the numbers that are predicted; images do not. */
typedef struct output {
    bool json, has_class, has_names;
    const char *meaning;
    const an_dataset *trained_on;
    int64_t columns, rows; /* rows printed */
    double *values;        /* of a row */
} output;

/* A column by the name of its output, or its number: p_red, p_3; price, y_3 of no probability. */
static void print_name(const output *o, int64_t i)
{
    const char *name = an_dataset_name(o->trained_on, i);
    const bool probable = o->meaning[0] == 'p';
    char text[600];
    if (name)
        an_format(text, sizeof text, "%s%s", probable ? "p_" : "", name);
    else
        an_format(text, sizeof text, "%c_%lld", probable ? 'p' : 'y', (long long)i);
    cli_put_csv(text);
}

static void print_head(const output *o)
{
    if (o->json)
        return;
    fputs(o->has_class ? "index,class" : "index", stdout);
    for (int64_t i = 0; i < o->columns; i++) {
        putchar(',');
        print_name(o, i);
    }
    putchar('\n');
}

static void print_class(const output *o)
{
    const int64_t class = class_of(o->values, o->columns);
    const char *name = o->columns > 1 ? an_dataset_name(o->trained_on, class) : NULL;
    fputs(o->json ? ", \"class\": " : ",", stdout);
    if (!name)
        printf("%lld", (long long)class);
    else if (o->json)
        cli_put_json(name);
    else
        cli_put_csv(name);
}

/* A key of JSON, where the outputs have names. */
static void print_key(const output *o, int64_t i)
{
    char number[24];
    const char *name = an_dataset_name(o->trained_on, i);
    an_format(number, sizeof number, "%lld", (long long)i);
    if (!o->json || !o->has_names)
        return;
    cli_put_json(name ? name : number);
    fputs(": ", stdout);
}

static void print_values(const output *o)
{
    char text[40];
    for (int64_t i = 0; i < o->columns; i++) {
        an_format(text, sizeof text, "%.9g", o->values[i]);
        bool number = isfinite(o->values[i]) || !o->json;
        fputs(!o->json ? "," : i > 0 ? ", " : "", stdout);
        print_key(o, i);
        fputs(number ? text : "null", stdout);
    }
}

static void print_row(output *o)
{
    printf(o->json ? "{\"index\": %lld" : "%lld", (long long)o->rows);
    if (o->has_class)
        print_class(o);
    if (o->json)
        printf(", \"%s\": %c", o->meaning, o->has_names ? '{' : '[');
    print_values(o);
    puts(!o->json ? "" : o->has_names ? "}}" : "]}");
    o->rows++;
}

static bool print_batch(output *o, const an_run *run, an_graph *graph, const an_batch *batch,
                        an_error *err)
{
    an_tensor *y = an_forward(run->model, graph, batch->x);
    bool ok = !an_graph_error(graph, err);
    for (int64_t i = 0; ok && i < batch->size; i++) {
        to_probabilities(run->fit.loss, y->data + i * o->columns, o->values, o->columns);
        print_row(o);
    }
    return an_graph_reset(graph, NULL) && ok;
}

/* Numbers to predict are no classes, but for one that is a probability. */
static output make_output(const request *r, const an_run *run)
{
    const an_dataset *data = run->train_data;
    const int64_t columns = an_shape_size(an_model_output_shape(run->model));
    const bool yes_no = run->fit.loss.kind == AN_BCE_WITH_LOGITS_LOSS && columns == 1;
    return (output){.json = r->format == CLI_JSON,
                    .has_class = an_dataset_targets(data) == 0 || yes_no,
                    .has_names = an_dataset_name(data, 0) != NULL,
                    .meaning = meaning_of(run->fit.loss),
                    .trained_on = data,
                    .columns = columns};
}

static bool predict(const request *r, const an_run *run, const an_dataset *samples, an_error *err)
{
    an_batch batch;
    output o = make_output(r, run);
    o.values = calloc((size_t)o.columns + 1, sizeof *o.values);
    if (!o.values)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a row of outputs");
    an_loader *loader = an_run_loader(run, samples, err);
    an_graph *graph = loader ? an_graph_new(run->context, err) : NULL;
    bool ok = graph != NULL;
    if (ok) {
        an_model_set_training(run->model, false);
        an_graph_set_grad(graph, false);
        print_head(&o);
    }
    while (ok && an_loader_next(loader, &batch))
        ok = print_batch(&o, run, graph, &batch, err);
    free(o.values);
    an_graph_free(graph);
    an_loader_free(loader);
    return ok;
}

/* What the model takes, from the file; NULL with err where that is not to be had from one. */
static an_dataset *read_samples(const char *path, const an_run *run, an_error *err)
{
    const an_dataset *data = run->train_data;
    const an_data_kind kind = an_dataset_kind(data);
    if (kind == AN_DATA_BYTES)
        return cli_read_samples(path, an_dataset_shape(data), an_dataset_classes(data), err);
    if (kind == AN_DATA_FLOATS && an_dataset_name(data, 0))
        return an_csv_open_like(NULL, path, data, err);
    if (kind == AN_DATA_FLOATS)
        return cli_read_floats(path, data, err);
    an_error_set(err, AN_ERROR_ARGUMENT,
                 "anneal predict takes images, arrays and tables; a model of texts writes with "
                 "anneal sample");
    return NULL;
}

static int run(const request *r)
{
    an_error err = {0};
    cli_loaded loaded;
    an_dataset *samples = NULL;
    bool ok = cli_load(&r->wanted, &loaded, &err);
    if (ok)
        samples = read_samples(r->input, loaded.run, &err);
    ok = samples && predict(r, loaded.run, samples, &err) && cli_flush(&err);
    an_dataset_free(samples);
    cli_unload(&loaded);
    return ok ? CLI_DONE : cli_fail(&err);
}

int cli_predict(int argc, char **argv)
{
    request r = {.wanted = {.runs = "runs", .threads = -1}};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = run(&r);
    return status;
}
