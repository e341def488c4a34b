/*
 * Metrics by their calls. Each is an an_metric of the trainer over the validation: either a mean
 * over samples, or an accumulator of anneal/metric.h that is asked when all samples have been seen.
 */
#include "config/metrics.h"

#include "config/data.h"
#include "config/errors.h"
#include "config/keys.h"

#include <anneal/metric.h>

#include <math.h>
#include <string.h>

/* What a metric gathers; of one kind, only what it needs. */
typedef struct gathered {
    int64_t k;
    an_confusion *confusion;
    int64_t label;
    double (*of_class)(const an_confusion *confusion, int64_t label); /* NULL: of all */
    an_r2 *r2; /* one for each of the numbers of a sample */
    int64_t numbers;
    int64_t ignored; /* the label that does not count for the loss */
} gathered;

/* ------------------------------------------------------- means over samples */

/* Scores of a row: a sample's, or a token's. */
static int64_t row_length(const an_tensor *output)
{
    return output->shape.dim[output->shape.ndim - 1];
}

static void add_top_k(void *user, const an_tensor *output, const an_batch *batch,
                      an_metric_sum *sum)
{
    const gathered *g = user;
    an_top_k top = {.k = g->k};
    an_top_k_add(&top, output->data, batch->y.data, batch->y.count, row_length(output));
    sum->sum += (double)top.correct;
    sum->weight += (double)top.samples;
}

/* -log softmax(row)[label] in nats. */
static double surprise(const float *row, int64_t count, int32_t label)
{
    double most = (double)row[0], total = 0;
    for (int64_t i = 1; i < count; i++)
        most = (double)row[i] > most ? (double)row[i] : most;
    for (int64_t i = 0; i < count; i++)
        total += exp((double)row[i] - most);
    return log(total) + most - (double)row[label];
}

static void add_perplexity(void *user, const an_tensor *output, const an_batch *batch,
                           an_metric_sum *sum)
{
    const gathered *g = user;
    const int64_t length = row_length(output);
    for (int64_t i = 0; i < batch->y.count; i++) {
        const int32_t label = batch->y.data[i];
        if (label != g->ignored) {
            sum->sum += surprise(output->data + i * length, length, label);
            sum->weight++;
        }
    }
}

/* ------------------------------------------------------- of the whole set */

static void begin_confusion(void *user)
{
    const gathered *g = user;
    an_confusion_reset(g->confusion);
}

/* Labels are within the data's classes, and those within the scores. */
static void add_confusion(void *user, const an_tensor *output, const an_batch *batch,
                          an_metric_sum *sum)
{
    const gathered *g = user;
    (void)sum;
    an_confusion_add(g->confusion, output->data, batch->y.data, batch->y.count, NULL);
}

static double confusion_value(void *user)
{
    const gathered *g = user;
    return g->of_class ? g->of_class(g->confusion, g->label) : an_confusion_macro_f1(g->confusion);
}

static void begin_r2(void *user)
{
    const gathered *g = user;
    memset(g->r2, 0, (size_t)g->numbers * sizeof *g->r2);
}

static void add_r2(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    const gathered *g = user;
    (void)sum;
    for (int64_t i = 0; i < output->size; i++)
        an_r2_add(&g->r2[i % g->numbers], &output->data[i], &batch->target->data[i], 1);
}

/* The mean over the numbers that are predicted. */
static double r2_value(void *user)
{
    const gathered *g = user;
    double sum = 0;
    for (int64_t i = 0; i < g->numbers; i++)
        sum += an_r2_value(&g->r2[i]);
    return sum / (double)g->numbers;
}

/* ----------------------------------------------------------------- the calls */

typedef struct form {
    const char *call;
    const char *name;      /* that it is logged under, "valid_" before and its argument behind */
    const char *parameter; /* NULL: none */
    bool falls;            /* the lower the better */
    bool of_numbers;       /* of numbers that are predicted, not of classes */
    bool of_probabilities; /* of a loss whose scores are logarithms of them */
    double (*of_class)(const an_confusion *confusion, int64_t label);
    void (*begin)(void *user);
    void (*add)(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum);
    double (*value)(void *user);
    double (*of_mean)(double mean);
} form;

#define OF_CONFUSION .begin = begin_confusion, .add = add_confusion, .value = confusion_value

static const form forms[] = {
    {"F1", "f1_", "label", .of_class = an_confusion_f1, OF_CONFUSION},
    {"MacroF1", "macro_f1", NULL, OF_CONFUSION},
    {"Perplexity", "perplexity", NULL, .falls = true, .of_probabilities = true,
     .add = add_perplexity, .of_mean = exp},
    {"Precision", "precision_", "label", .of_class = an_confusion_precision, OF_CONFUSION},
    {"R2", "r2", NULL, .of_numbers = true, .begin = begin_r2, .add = add_r2, .value = r2_value},
    {"Recall", "recall_", "label", .of_class = an_confusion_recall, OF_CONFUSION},
    {"TopK", "top", "k", .add = add_top_k},
};

#define FORM_COUNT (sizeof forms / sizeof *forms)

bool an__metric_falls(const an__metric *metric)
{
    return forms[metric->form].falls;
}

size_t an_metric_signature(size_t index, char *text, size_t size)
{
    if (index >= FORM_COUNT)
        return 0;
    const char *parameter = forms[index].parameter;
    return an_format(text, size, "%s(%s)", forms[index].call, parameter ? parameter : "");
}

/* ------------------------------------------------------------- what is none */

/* A name that logs have: without what it is measured over. */
static const char *without_set(const char *name)
{
    static const char *const sets[] = {"valid_", "test_"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (strncmp(name, sets[i], strlen(sets[i])) == 0)
            return name + strlen(sets[i]);
    return name;
}

/* The argument in `name`, "3" of "top3", or "" of a call's own name; NULL: it is not of `f`. */
static const char *argument_in(const form *f, const char *name)
{
    const size_t length = strlen(f->name);
    if (strcmp(name, f->call) == 0)
        return "";
    if (strncmp(name, f->name, length) != 0)
        return NULL;
    const size_t digits = strspn(name + length, "0123456789");
    return name[length + digits] == '\0' && (digits > 0) == (f->parameter != NULL) ? name + length
                                                                                   : NULL;
}

/* What takes the place of `name`, which is no call: "TopK(3)" for top3; false: that is unknown. */
static bool call_for(const char *name, char *call, size_t size)
{
    for (size_t i = 0; i < FORM_COUNT; i++) {
        const char *argument = argument_in(&forms[i], name);
        if (!argument)
            continue;
        const char *example = !forms[i].parameter ? "" : forms[i].of_class ? "0" : "5";
        an_format(call, size, "%s(%.10s)", forms[i].call, *argument ? argument : example);
        return true;
    }
    return false;
}

/* The error of a metric that is no call, or whose call is unknown. */
static bool unknown(const an__node *node, const an_spec_node *given, an_error *err)
{
    static const char *const always[] = {"accuracy", "loss"};
    const char *name = without_set(given->text), *names[FORM_COUNT + 1] = {NULL};
    char call[40];
    for (size_t i = 0; i < FORM_COUNT; i++)
        names[i] = forms[i].call;
    if (call_for(name, call, sizeof call))
        an_spec_error(&node->source, given->offset, err,
                      "metrics takes calls: for '%.40s' write '%s'", given->text, call);
    else if (an_nearest(name, strlen(name), always, 2))
        an_spec_error(&node->source, given->offset, err,
                      "metrics: accuracy and loss are always there; leave out '%.40s'",
                      given->text);
    else
        an_spec_unknown(&node->source, given, "metric", names, err);
    return an__blame(node, false, err);
}

/* Whether it is a name, such as top3, and no call. */
static bool is_name(const an__node *node)
{
    static const char allowed[] = "_0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *text = node->source.text;
    return node->kind == AN__SCALAR && *text && !strchr("0123456789", *text) &&
           strspn(text, allowed) == node->source.length;
}

/* ------------------------------------------------------------------ reading */

static bool name_it(an__metric *metric, an_arena *arena, an_error *err)
{
    const form *f = &forms[metric->form];
    char name[64];
    an_format(name, sizeof name, f->parameter ? "valid_%s%lld" : "valid_%s", f->name,
              (long long)metric->argument);
    metric->name = an_arena_text(arena, name, strlen(name));
    return metric->name || an__no_memory(err);
}

static bool read_one(an_config *config, const an__node *node, an__metric *out, an_error *err)
{
    an__call call = {0};
    const an_spec_node *value = NULL;
    if (is_name(node))
        return unknown(node, &(an_spec_node){.text = node->source.text}, err);
    if (!an__read_call(config, node, &call, err))
        return false;
    *out = (an__metric){.node = node};
    while (out->form < FORM_COUNT && strcmp(forms[out->form].call, call.call->text) != 0)
        out->form++;
    if (out->form == FORM_COUNT)
        return unknown(node, call.call, err);
    const form *f = &forms[out->form];
    const an_spec_param parameter = {f->parameter, true};
    return an__blame(node,
                     an_spec_bind(&node->source, call.call, &parameter, f->parameter != NULL,
                                  &value, err) &&
                         an_spec_integer(&node->source, f->parameter, value, &out->argument, err),
                     err) &&
           name_it(out, &config->arena, err);
}

static bool is_twice(const an_config *config, const an__metric *metric)
{
    for (size_t i = 0; i < config->metric_count; i++)
        if (strcmp(config->metrics[i].name, metric->name) == 0)
            return true;
    return false;
}

/* One call, or a list of them. */
bool an__read_metrics(an_config *config, const an__node *node, an_error *err)
{
    const bool list = node->kind == AN__LIST;
    const size_t count = list ? node->count : 1;
    if (count == 0 || count > AN_RECORD_METRICS)
        return AN__FAIL(node, err, "metrics takes 1 to %d calls, such as [TopK(5), MacroF1()]",
                        AN_RECORD_METRICS);
    an__metric *metrics = an_arena_alloc(&config->arena, count * sizeof *metrics);
    if (!metrics)
        return an__no_memory(err);
    config->metrics = metrics;
    for (const an__node *call = list ? node->first : node; call; call = list ? call->next : NULL) {
        an__metric *metric = &metrics[config->metric_count];
        if (!read_one(config, call, metric, err))
            return false;
        if (is_twice(config, metric))
            return AN__FAIL(call, err, "metrics: this one is there twice; keep one of the two");
        config->metric_count++;
    }
    return true;
}

/* -------------------------------------------------------------------- making */

/* What is measured fits what the run's model answers. */
static bool check_kind(const an_config *config, const an__metric *metric, bool numbers,
                       an_error *err)
{
    const form *f = &forms[metric->form];
    if (f->of_numbers && !numbers)
        return AN__FAIL(metric->node, err,
                        "%s is of numbers that are predicted, but the data have classes; take "
                        "MacroF1(), TopK(k) or another metric of classes",
                        f->call);
    if (!f->of_numbers && numbers)
        return AN__FAIL(metric->node, err, "%s is of classes, but numbers are predicted; take R2()",
                        f->call);
    return !f->of_probabilities || an__wants_labels(config->loss) ||
           AN__FAIL(metric->node, err,
                    "%s takes a model whose outputs are logarithms of probabilities, as "
                    "CrossEntropyLoss() and NLLLoss() have it; the loss is %s",
                    f->call, an_loss_name(config->loss));
}

/* k is from 1, labels from 0, both below the number of classes. */
static bool check_argument(const an__metric *metric, int64_t classes, an_error *err)
{
    const form *f = &forms[metric->form];
    const int64_t least = f->of_class ? 0 : 1;
    return !f->parameter || (metric->argument >= least && metric->argument < classes) ||
           AN__FAIL(metric->node, err,
                    "%s: %s must be from %lld to %lld, below the %lld classes, "
                    "got %lld",
                    f->call, f->parameter, (long long)least, (long long)classes - 1,
                    (long long)classes, (long long)metric->argument);
}

/* What it gathers; NULL with err. */
static gathered *gathered_new(const an__metric *metric, const an_run *run, an_arena *arena,
                              an_error *err)
{
    const form *f = &forms[metric->form];
    const an_shape output = an_model_output_shape(run->model);
    gathered *g = an_arena_alloc(arena, sizeof *g);
    if (!g)
        return an__no_memory(err);
    *g = (gathered){.k = metric->argument,
                    .label = metric->argument,
                    .of_class = f->of_class,
                    .numbers = an_dataset_targets(run->train_data),
                    .ignored = run->fit.loss.ignore_index};
    if (f->of_numbers)
        g->r2 = an_arena_alloc(arena, (size_t)g->numbers * sizeof *g->r2);
    if (f->of_numbers && !g->r2)
        return an__no_memory(err);
    if (f->add != add_confusion)
        return g;
    g->confusion = an_confusion_new(output.dim[output.ndim - 1], err);
    if (g->confusion)
        return g;
    an__place(metric->node, err);
    return NULL;
}

static bool make_one(const an_config *config, const an__metric *metric, const an_run *run,
                     an_metric *out, an_arena *arena, an_error *err)
{
    const form *f = &forms[metric->form];
    const int64_t classes = an_dataset_classes(run->train_data);
    if (!check_kind(config, metric, an_dataset_targets(run->train_data) > 0, err) ||
        !check_argument(metric, classes, err))
        return false;
    *out = (an_metric){.valid = metric->name,
                       .add = f->add,
                       .of_mean = f->of_mean,
                       .begin = f->begin,
                       .value = f->value,
                       .user = gathered_new(metric, run, arena, err)};
    return out->user != NULL;
}

bool an__metrics_make(const an_config *config, an_run *run, an_arena *arena, an_error *err)
{
    if (config->metric_count == 0)
        return true;
    an_metric *metrics = an_arena_alloc(arena, config->metric_count * sizeof *metrics);
    if (!metrics)
        return an__no_memory(err);
    run->fit.metrics = metrics;
    for (size_t i = 0; i < config->metric_count; i++) {
        if (!make_one(config, &config->metrics[i], run, &metrics[i], arena, err))
            return false;
        run->fit.metric_count++;
    }
    return true;
}

void an__metrics_free(an_run *run)
{
    for (size_t i = 0; i < run->fit.metric_count; i++) {
        const gathered *g = run->fit.metrics[i].user;
        an_confusion_free(g->confusion);
    }
}
