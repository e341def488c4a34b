/*
 * The keys of a configuration: one table says which there are, which must be there and who reads
 * them. A reader checks type and range; what a call means is checked when the run is made.
 */
#include "config/keys.h"

#include "config/monitor.h"

#include <math.h>
#include <string.h>

#define MAX_KEYS 32

/* ----------------------------------------------------------- reading a map */

/* The bytes of a scalar's text that a message shows. */
static int shown_length(const an__node *node)
{
    return (int)(node->source.length < 64 ? node->source.length : 64);
}

static bool unknown_key(const an__node *name, const char *where, const an__key *keys, size_t count,
                        an_error *err)
{
    const char *names[MAX_KEYS];
    for (size_t i = 0; i < count; i++)
        names[i] = keys[i].name;
    const char *near = an_nearest(name->source.text, name->source.length, names, count);
    if (near)
        return AN__FAIL(name, err, "%s has no key '%.*s'; did you mean '%s'?", where,
                        shown_length(name), name->source.text, near);
    char list[AN_ERROR_MESSAGE_SIZE - 160];
    an_names_print(list, sizeof list, names, count, " and ");
    return AN__FAIL(name, err, "%s has no key '%.*s'; it has %s", where, shown_length(name),
                    name->source.text, list);
}

const an__node *an__child_of(const an__node *map, const char *name)
{
    an__node copy = *map;
    an__node **slot = an__tree_child(&copy, name, strlen(name));
    return slot ? *slot : NULL;
}

bool an__read_map(an_config *config, const an__node *map, const char *where, const an__key *keys,
                  size_t count, an_error *err)
{
    for (const an__node *child = map->first; child; child = child->next) {
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known = known || an__tree_is(child->key, keys[i].name);
        if (!known)
            return unknown_key(child->key, where, keys, count, err);
    }
    for (size_t i = 0; i < count; i++) {
        const an__node *child = an__child_of(map, keys[i].name);
        if (child ? !keys[i].read(config, child, err)
                  : keys[i].required &&
                        !AN__FAIL(map, err, "%s needs the key '%s'", where, keys[i].name))
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ values */

const char *an__name_of(const an__node *node)
{
    return node->key ? node->key->source.text : "an element";
}

/* A single value in brackets that only it stands in: {OneCycleLR()}, [3]. */
static bool bracketed(const an__node *node)
{
    const an__node *only = node->count == 1 ? node->first : NULL;
    char first = node->document->text[node->begin];
    return only && only->kind == AN__SCALAR &&
           (first == '[' || (first == '{' && only->source.length == 0));
}

/* The value that a scalar's text is in the grammar of calls; NULL with err. */
static const an_spec_node *parse(an_config *config, const an__node *node, an_error *err)
{
    if (node->kind != AN__SCALAR) {
        bool list = node->kind == AN__LIST;
        AN__FAIL(node, err, "%s takes a single value, got a %s%s", an__name_of(node),
                 list ? "list" : "map",
                 !bracketed(node) ? ""
                 : list           ? "; write it without [ ]"
                                  : "; write it without { }");
        return NULL;
    }
    if (node->source.length == 0) {
        AN__FAIL(node, err, "%s has no value", an__name_of(node));
        return NULL;
    }
    an__held *held = an_arena_alloc(&config->arena, sizeof *held);
    if (!held)
        return an__no_memory(err);
    an_allocator allocator = an_allocator_default();
    an_spec *spec = an_spec_parse(&node->source, &allocator, err);
    if (!spec) {
        an__blame(node, false, err);
        return NULL;
    }
    *held = (an__held){.spec = spec, .next = config->held};
    config->held = held;
    return an_spec_root(spec);
}

bool an__read_call(an_config *config, const an__node *node, an__call *out, an_error *err)
{
    const an_spec_node *value = parse(config, node, err);
    if (!value)
        return false;
    if (value->kind == AN_SPEC_NAME)
        return AN__FAIL(node, err, "%s takes a call; write '%s()'", an__name_of(node), value->text);
    if (value->kind != AN_SPEC_CALL)
        return AN__FAIL(node, err, "%s takes a call, such as Name(argument=value)",
                        an__name_of(node));
    *out = (an__call){.node = node, .call = value};
    return true;
}

bool an__read_integer(an_config *config, const an__node *node, int64_t low, int64_t high,
                      int64_t *out, an_error *err)
{
    const an_spec_node *value = parse(config, node, err);
    if (!value)
        return false;
    if (!an_spec_integer(&node->source, an__name_of(node), value, out, err))
        return an__blame(node, false, err);
    if (*out < low)
        return AN__FAIL(node, err, "%s must be at least %lld, got %lld", an__name_of(node),
                        (long long)low, (long long)*out);
    if (*out > high)
        return AN__FAIL(node, err, "%s must be at most %lld, got %lld", an__name_of(node),
                        (long long)high, (long long)*out);
    return true;
}

bool an__read_number(an_config *config, const an__node *node, double *out, an_error *err)
{
    const an_spec_node *value = parse(config, node, err);
    if (!value)
        return false;
    if (!an_spec_number(&node->source, an__name_of(node), value, out, err))
        return an__blame(node, false, err);
    return isfinite(*out) ||
           AN__FAIL(node, err, "%s must be finite, got %g", an__name_of(node), *out);
}

bool an__read_word(const an__node *node, const char *const *words, size_t count, size_t *out,
                   an_error *err)
{
    char list[AN_ERROR_MESSAGE_SIZE - 100];
    for (*out = 0; *out < count; ++*out)
        if (an__tree_is(node, words[*out]))
            return true;
    an_names_print(list, sizeof list, words, count, " or ");
    if (node->kind != AN__SCALAR)
        return AN__FAIL(node, err, "%s must be %s, got a %s", an__name_of(node), list,
                        node->kind == AN__LIST ? "list" : "map");
    const char *near = an_nearest(node->source.text, node->source.length, words, count);
    return AN__FAIL(node, err, "%s must be %s, got '%.*s'%s%s%s", an__name_of(node), list,
                    shown_length(node), node->source.text, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
}

bool an__read_flag(const an__node *node, bool *out, an_error *err)
{
    static const char *const words[] = {"true", "True", "false", "False"};
    size_t index = 0;
    if (!an__read_word(node, words, 4, &index, err))
        return false;
    *out = index < 2;
    return true;
}

/* ------------------------------------------------------- what is made of it */

static bool read_layers(an_config *config, const an__node *node, const an__call **out,
                        size_t *count, an_error *err);

/* A layer, or one that holds others: a list is a Sequential, a map a name and its list. */
static bool read_layer(an_config *config, const an__node *node, an__call *out, an_error *err)
{
    const an__node *list = node;
    if (node->kind == AN__SCALAR)
        return an__read_call(config, node, out, err);
    *out = (an__call){.node = node, .holds = "Sequential"};
    if (node->kind == AN__MAP) {
        list = node->first;
        out->holds = node->count == 1 ? list->key->source.text : "";
        if (!an_layer_holds(out->holds))
            return AN__FAIL(node, err,
                            "a layer that holds others is a name and a list of them, such as "
                            "'- Residual:' with '- Linear(8, 8)' below");
    }
    return read_layers(config, list, &out->layers, &out->layer_count, err);
}

static bool read_layers(an_config *config, const an__node *node, const an__call **out,
                        size_t *count, an_error *err)
{
    if (node->kind != AN__LIST || node->count == 0)
        return AN__FAIL(node, err,
                        "%s takes a list of layers, one line each, such as "
                        "'- Linear(784, 128)'",
                        an__name_of(node));
    an__call *layers = an_arena_alloc(&config->arena, node->count * sizeof *layers);
    if (!layers)
        return an__no_memory(err);
    *count = 0;
    *out = layers;
    for (const an__node *child = node->first; child; child = child->next)
        if (!read_layer(config, child, &layers[(*count)++], err))
            return false;
    return true;
}

static bool read_model(an_config *config, const an__node *node, an_error *err)
{
    config->model_node = node;
    return read_layers(config, node, &config->layers, &config->layer_count, err);
}

static bool read_loss(an_config *config, const an__node *node, an_error *err)
{
    an__call call = {0};
    return an__read_call(config, node, &call, err) &&
           an__blame(node,
                     an_loss_parse(&node->source, call.call, &config->arena, &config->loss, err),
                     err) &&
           (config->loss.reduction != AN_REDUCE_NONE ||
            AN__FAIL(node, err, "loss: training needs one number; take reduction='mean' or 'sum'"));
}

static bool read_optimizer(an_config *config, const an__node *node, an_error *err)
{
    return an__read_call(config, node, &config->optimizer, err);
}

static bool read_average(an_config *config, const an__node *node, an_error *err)
{
    return an__read_call(config, node, &config->average, err);
}

static bool read_course(an_config *config, const an__node *node, an_error *err)
{
    return an__read_call(config, node, &config->course, err);
}

static bool read_schedule(an_config *config, const an__node *node, an_error *err)
{
    return an__read_call(config, node, &config->schedule, err);
}

/* ------------------------------------------------------------- the trainer */

static bool read_interval(an_config *config, const an__node *node, an_error *err)
{
    static const char *const words[] = {
        [AN_INTERVAL_EPOCH] = "epoch",
        [AN_INTERVAL_STEP] = "step",
    };
    size_t index = 0;
    if (!an__read_word(node, words, sizeof words / sizeof *words, &index, err))
        return false;
    config->interval = (an_interval)index;
    return true;
}

static bool read_monitor(an_config *config, const an__node *node, an_error *err)
{
    config->monitor_node = node;
    return an__read_monitor(config, node, &config->monitor, err);
}

static bool read_epochs(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 1, 1000000000, &config->epochs, err);
}

static bool read_steps(an_config *config, const an__node *node, an_error *err)
{
    if (!an__read_integer(config, node, 1, 1000000000000000, &config->steps, err))
        return false;
    return config->epochs == 0 ||
           AN__FAIL(node, err, "epochs and steps are both there; keep one of the two");
}

static bool read_batch_size(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 1, INT32_MAX, &config->batch_size, err);
}

static bool read_accumulate(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 1, INT32_MAX, &config->accumulate, err);
}

static bool read_clip_grad_norm(an_config *config, const an__node *node, an_error *err)
{
    if (!an__read_number(config, node, &config->clip_grad_norm, err))
        return false;
    return config->clip_grad_norm > 0 ||
           AN__FAIL(node, err, "clip_grad_norm must be above 0, got %g", config->clip_grad_norm);
}

/* 60s, 10min, 1h, or seconds. */
static bool read_budget(an_config *config, const an__node *node, an_error *err)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}};
    const an_spec_node *value = parse(config, node, err);
    if (!value)
        return false;
    config->budget_node = node;
    config->budget = 0;
    for (size_t i = 0; value->kind == AN_SPEC_NUMBER && i < sizeof units / sizeof *units; i++)
        if (strcmp(value->unit, units[i].unit) == 0)
            config->budget = value->number * units[i].seconds;
    return (config->budget > 0 && isfinite(config->budget)) ||
           AN__FAIL(node, err, "budget takes a time above 0, such as 60s, 10min or 2h");
}

static bool read_seed(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 0, INT64_MAX, &config->seed, err);
}

static bool read_threads(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 0, AN_MAX_THREADS, &config->threads, err);
}

static const an__key keys[] = {{"data", an__read_data, true},
                               {"model", read_model, true},
                               {"loss", read_loss, false},
                               {"optimizer", read_optimizer, true},
                               {"average", read_average, false},
                               {"schedule", read_schedule, false},
                               {"course", read_course, false},
                               {"interval", read_interval, false},
                               {"metrics", an__read_metrics, false},
                               {"monitor", read_monitor, false},
                               {"validation", an__read_validation, false},
                               {"test", an__read_test, false},
                               {"stratify", an__read_stratify, false},
                               {"sampling", an__read_sampling, false},
                               {"augment", an__read_augment, false},
                               {"epochs", read_epochs, false},
                               {"steps", read_steps, false},
                               {"batch_size", read_batch_size, false},
                               {"accumulate", read_accumulate, false},
                               {"clip_grad_norm", read_clip_grad_norm, false},
                               {"budget", read_budget, false},
                               {"seed", read_seed, false},
                               {"threads", read_threads, false},
                               {"runs", an__read_runs, false},
                               {"on_write_error", an__read_on_write_error, false},
                               {"log", an__read_log, false},
                               {"checkpoint", an__read_checkpoint, false},
                               {"early_stopping", an__read_early_stopping, false},
                               {"guard", an__read_guard, false}};

_Static_assert(sizeof keys / sizeof *keys <= MAX_KEYS, "unknown_key holds MAX_KEYS names");

/* A --set of epochs or steps takes the place of the other in the file. */
static void keep_the_length_set(an__node *root)
{
    an__node **epochs = an__tree_child(root, "epochs", strlen("epochs"));
    an__node **steps = an__tree_child(root, "steps", strlen("steps"));
    if (!epochs || !steps || !(*epochs)->document->set == !(*steps)->document->set)
        return;
    an__node **file = (*epochs)->document->set ? steps : epochs;
    *file = (*file)->next;
    root->count--;
}

/* Where a --set has another length or schedule, what became of the old one does not count. */
static void drop_the_course(an__node *root)
{
    static const char *const names[] = {"epochs", "steps", "budget", "schedule", "interval"};
    an__node **course = an__tree_child(root, "course", strlen("course"));
    bool other = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const an__node *child = an__child_of(root, names[i]);
        other = other || (child && child->document->set);
    }
    if (!course || !other || (*course)->document->set)
        return;
    *course = (*course)->next;
    root->count--;
}

bool an__config_read(an_config *config, an_error *err)
{
    keep_the_length_set(config->root);
    drop_the_course(config->root);
    config->data.test = 0.1;
    config->loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    config->batch_size = 64;
    config->accumulate = 1;
    config->seed = 1;
    config->runs = "runs";
    config->keep = an_fit_defaults().keep;
    config->checkpointer = an_checkpointer_defaults();
    config->guard = an_guard_defaults();
    if (!an__read_map(config, config->root, "a configuration", keys, sizeof keys / sizeof *keys,
                      err))
        return false;
    return config->epochs > 0 || config->steps > 0 ||
           AN__FAIL(config->root, err, "a configuration needs the key 'epochs' or 'steps'");
}
