/*
 * From a configuration to everything that a run needs, in the order of dependence: context, model
 * (described), data, model (built for the data's shape), optimizer, schedule.
 */
#include "config/data.h"
#include "config/file.h"
#include "config/loaders.h"
#include "config/metrics.h"
#include "config/monitor.h"
#include "config/output.h"
#include "config/resolved.h"

#include "file/durable.h"

#include <anneal/lr_text.h>

#include <math.h>
#include <string.h>

/* A run with what it owns besides; `run` comes first. */
typedef struct builder {
    an_run run;
    const an_config *config;
    an__node schedule_node; /* the configuration's, with the numbers of files in it */
    an_spec *schedule_spec;
    an__found found;     /* the data's files, as they lead there from here */
    an_dataset *learned; /* what train and valid are views of where it is a view itself */
    an_arena texts;
    an_lr_text *schedule_text;
    an_error *err;
} builder;

/* -------------------------------------------------------------------- data */

static bool open_data(builder *b)
{
    return an__data_open(b->config, &b->run, &b->texts, &b->found, &b->learned, b->err);
}

static an_loader *loader(const builder *b, const an_dataset *data, bool training, an_error *err)
{
    return an__loader_new(b->config, b->run.context, data, training, err);
}

static bool make_loaders(builder *b)
{
    an_run *run = &b->run;
    run->train = loader(b, run->train_data, true, b->err);
    if (run->train && run->valid_data)
        run->valid = loader(b, run->valid_data, false, b->err);
    if (run->train && (run->valid || !run->valid_data))
        run->test = loader(b, run->test_data, false, b->err);
    return run->test != NULL;
}

/* ------------------------------------------------------------------- model */

static bool add_layers(builder *b, const an__call *layers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const an__call *layer = &layers[i];
        if (layer->holds) {
            an_model_begin(b->run.model, layer->holds);
            if (!add_layers(b, layer->layers, layer->layer_count))
                return false;
            an_model_end(b->run.model);
        } else if (!an_model_add_spec(b->run.model, &layer->node->source, layer->call, b->err)) {
            return an__blame(layer->node, false, b->err);
        }
    }
    return true;
}

static bool describe_model(builder *b)
{
    const an_config *c = b->config;
    b->run.model = an_model_new(b->run.context, b->err);
    return b->run.model && add_layers(b, c->layers, c->layer_count);
}

static bool build_model(builder *b)
{
    an_shape sample = an_dataset_shape(b->run.train_data);
    if (!an_model_build(b->run.model, sample, (uint64_t)b->config->seed, b->err))
        return an__place(an__layer_blamed(b->config, b->err), b->err);
    return an__check_output(b->config, &b->run, b->err);
}

/* -------------------------------------------------- optimizer and schedule */

static bool make_optim(builder *b)
{
    const an__call *call = &b->config->optimizer;
    an_params *params = an_model_params(b->run.model);
    b->run.optim = an_optim_parse_spec(params, &call->node->source, call->call, b->err);
    return an__blame(call->node, b->run.optim != NULL, b->err);
}

static void fill_fit(builder *b)
{
    const an_config *c = b->config;
    an_fit_options *fit = &b->run.fit;
    *fit = an_fit_defaults();
    fit->model = b->run.model;
    fit->loss = c->loss;
    fit->optim = b->run.optim;
    fit->interval = c->interval;
    fit->monitor = c->monitor.monitor;
    fit->metric = c->monitor.metric;
    fit->train = b->run.train;
    fit->valid = b->run.valid;
    fit->epochs = c->epochs;
    fit->steps = c->steps;
    fit->accumulate = c->accumulate;
    fit->clip_grad_norm = c->clip_grad_norm;
    fit->budget = c->budget;
}

/* How far the run goes in the unit of `start`, or 0 where its end is a time. */
static int64_t run_length(const an_fit_options *fit, an_average_time start)
{
    int64_t total = an_fit_total_steps(fit), each = an_fit_steps_per_epoch(fit);
    if (fit->budget > 0)
        return 0;
    return !start.epochs ? total : fit->epochs > 0 ? fit->epochs : (total + each - 1) / each;
}

static bool make_average(builder *b)
{
    const an__call *call = &b->config->average;
    an_run *run = &b->run;
    if (!call->node)
        return true;
    run->average =
        an_average_parse_spec(an_model_params(run->model), &call->node->source, call->call, b->err);
    if (!an__blame(call->node, run->average != NULL, b->err))
        return false;
    run->fit.average = run->average;
    if (an_optim_has_modes(run->optim))
        return AN__FAIL(call->node, b->err,
                        "average: the optimizer evaluates an average of its own; leave out one of "
                        "the two");
    const an_average_time start = an_average_options_of(run->average).start;
    const int64_t length = run_length(&run->fit, start);
    return length == 0 || start.count < length ||
           AN__FAIL(call->node, b->err,
                    "average: it begins after %s %lld, and the run ends with %lld; begin earlier, "
                    "or train longer",
                    start.epochs ? "epoch" : "update", (long long)start.count, (long long)length);
}

/* What a schedule may drive besides what the optimizer has: see anneal/train.h. */
static void offer_slots(builder *b)
{
    const an_config *c = b->config;
    an_lr_group *group = an_optim_group(b->run.optim, 0);
    an_lr_group_set(group, AN_CLIP_NORM, c->clip_grad_norm > 0 ? c->clip_grad_norm : 1);
    if (c->loss.kind == AN_CROSS_ENTROPY_LOSS)
        an_lr_group_set(group, AN_LABEL_SMOOTHING,
                        c->loss.label_smoothing > 0 ? c->loss.label_smoothing : 1);
    an_lr_group_set(group, AN_DROPOUT, 1);
    an_lr_group_set(group, AN_BATCH_SIZE, (double)c->batch_size);
}

/* The run's length as the schedule counts it: in updates, or in epochs. */
static an_lr_run schedule_facts(const an_run *run)
{
    const an_fit_options *fit = &run->fit;
    const bool tokens = an_dataset_kind(run->train_data) == AN_DATA_TOKENS;
    int64_t total = an_fit_total_steps(fit), each = an_fit_steps_per_epoch(fit);
    int64_t epochs = fit->epochs > 0 ? fit->epochs : total / each + (total % each != 0);
    const bool by_epoch = fit->interval == AN_INTERVAL_EPOCH;
    const double samples = (double)an_loader_samples(fit->train);
    const double per_step = by_epoch ? samples : samples / (double)each;
    return (an_lr_run){.total_steps = by_epoch ? epochs : total,
                       .epochs = epochs,
                       .steps_per_epoch = by_epoch ? 1 : each,
                       .samples_per_step = per_step,
                       .tokens_per_step =
                           tokens ? per_step * (double)an_dataset_shape(run->train_data).dim[0] : 0,
                       .seconds = fit->budget,
                       .clocked = true,
                       .edits = AN_LR_MOST_EDITS}; /* each resume may land or extend it */
}

/* The description as text, and what became of the schedule; "" is nothing. */
static bool print_schedule(builder *b, const an_lr_schedule *schedule, char **text, char **course)
{
    const an_lr_run facts = schedule_facts(&b->run);
    const an_lr_desc *desc = an_lr_desc_of(schedule);
    const size_t size = an_lr_print(NULL, 0, desc) + 1;
    const size_t course_size = an_lr_course_print(NULL, 0, schedule, &facts) + 1;
    *text = an_arena_alloc(&b->texts, size);
    *course = an_arena_alloc(&b->texts, course_size);
    if (!*text || !*course)
        return an__no_memory(b->err);
    an_lr_print(*text, size, desc);
    an_lr_course_print(*course, course_size, schedule, &facts);
    return true;
}

/* Looks through `desc` of a run with these facts, of whose plan it goes through `steps`; 0: all.
 * What cannot be made is refused where it is made. */
static bool look_through(builder *b, const an_lr_desc *desc, const an_lr_run *facts, int64_t steps,
                         an_lr_group *const *groups)
{
    char name[64];
    const an_fit_options *fit = &b->run.fit;
    const char *optimizer = an_optim_text(b->run.optim);
    an_error err = {0};
    an_format(name, sizeof name, "%.*s", (int)strcspn(optimizer, "("), optimizer);
    const an_lint_options options = {.run = *facts,
                                     .steps = steps,
                                     .per_epoch = fit->interval == AN_INTERVAL_EPOCH,
                                     .updates_per_epoch = an_fit_steps_per_epoch(fit),
                                     .groups = groups,
                                     .group_count = an_optim_group_count(b->run.optim),
                                     .optimizer = name};
    b->run.schedule_lint = an_lint_new(desc, &options, an_context_allocator(b->run.context), &err);
    return err.code != AN_ERROR_MEMORY || an__no_memory(b->err);
}

/* The groups as they were before the schedule, in the arena; NULL: memory. */
static an_lr_group **groups_before(builder *b)
{
    const size_t count = an_optim_group_count(b->run.optim);
    an_lr_group **list = an_arena_alloc(&b->texts, count * sizeof(an_lr_group *));
    an_lr_group *groups = an_arena_alloc(&b->texts, count * sizeof *groups);
    for (size_t i = 0; list && groups && i < count; i++) {
        groups[i] = *an_optim_group(b->run.optim, i);
        for (int id = 0; id < AN_SLOT_COUNT; id++)
            if (groups[i].slot[id].has_initial)
                groups[i].slot[id].value = groups[i].slot[id].initial;
        list[i] = &groups[i];
    }
    return groups ? list : NULL;
}

/* Where the schedule stands on its plan when the run ends, in its steps. */
static int64_t end_on_plan(const builder *b, const an_lr_schedule *schedule)
{
    const an_lr_run facts = schedule_facts(&b->run);
    const an_lr_clock end = {.steps = (double)facts.total_steps, .seconds = facts.seconds};
    const double steps = ceil(an_lr_plan_at(schedule, &end) - 1e-6);
    return steps >= 1 ? (int64_t)steps : 1;
}

/* The same of a schedule that has a course. Of one that lands nothing else comes to pass. */
static bool look_again(builder *b, const an_lr_schedule *schedule)
{
    an_lint_free(b->run.schedule_lint);
    b->run.schedule_lint = NULL;
    if (!schedule || an_lr_is_landing(schedule))
        return true;
    const an_lr_run facts = an_lr_run_of(schedule);
    an_lr_group **groups = groups_before(b);
    if (!groups)
        return an__no_memory(b->err);
    return look_through(b, an_lr_desc_of(schedule), &facts, end_on_plan(b, schedule), groups);
}

/* Whether a schedule within `desc` drives slot `slot`. */
static bool drives(const an_lr_desc *desc, const char *slot)
{
    bool found = desc->kind == AN_LR_DRIVE && strcmp(desc->drive.slot, slot) == 0;
    for (size_t i = 0; !found && i < an_lr_child_count(desc); i++)
        found = drives(an_lr_child(desc, i), slot);
    return found;
}

/* The call with the numbers of each '@FILE' in it. */
static bool expand_schedule(builder *b)
{
    const an__node *node = b->config->schedule.node;
    void *user; /* what is const in there stays as it is */
    memcpy(&user, &b->config, sizeof user);
    b->schedule_node = *node;
    if (!an_lr_expand(&node->source, an__read_table, user, &b->texts, &b->schedule_node.source,
                      b->err))
        return an__blame(node, false, b->err);
    b->schedule_spec = an_spec_parse(&b->schedule_node.source, NULL, b->err);
    return an__blame(node, b->schedule_spec != NULL, b->err);
}

static bool parse_schedule(builder *b, const an_lr_run *facts)
{
    const an_allocator *allocator = an_context_allocator(b->run.context);
    an_lr_text_free(b->schedule_text);
    b->schedule_text = an_lr_parse(an_spec_where(b->schedule_spec), an_spec_root(b->schedule_spec),
                                   facts, allocator, b->err);
    return an__blame(&b->schedule_node, b->schedule_text != NULL, b->err);
}

/* The facts of the run that the schedule was planned for. */
static bool plan_schedule(builder *b, an_lr_run *facts)
{
    const an__call *course = &b->config->course;
    return !course->node ||
           an__blame(course->node,
                     an_lr_course_run(&course->node->source, course->call, facts, b->err), b->err);
}

/* What became of it, and both as text. */
static bool finish_schedule(builder *b)
{
    char *text, *becomes;
    const an__call *course = &b->config->course;
    an_lr_schedule *schedule = b->run.schedule;
    if (course->node &&
        (!an__blame(course->node,
                    an_lr_course_take(schedule, &course->node->source, course->call, b->err),
                    b->err) ||
         !look_again(b, schedule)))
        return false;
    if (!print_schedule(b, schedule, &text, &becomes))
        return false;
    b->run.schedule_text = text;
    b->run.course_text = becomes[0] ? becomes : NULL;
    return true;
}

static bool make_schedule(builder *b)
{
    const an__call *call = &b->config->schedule;
    const an_allocator *allocator = an_context_allocator(b->run.context);
    an_run *run = &b->run;
    if (!call->node)
        return !b->config->course.node ||
               AN__FAIL(b->config->course.node, b->err,
                        "course says what became of a schedule, but there is none; leave it out");
    if (run->fit.budget > 0 && run->fit.interval == AN_INTERVAL_EPOCH)
        return AN__FAIL(b->config->budget_node, b->err,
                        "under a budget the schedule is stepped after every update; add the key "
                        "'interval: step'");
    offer_slots(b);
    an_lr_run facts = schedule_facts(run);
    if (!plan_schedule(b, &facts) || !expand_schedule(b) || !parse_schedule(b, &facts))
        return false;
    if (drives(an_lr_text_desc(b->schedule_text), "batch_size")) {
        /* Then no step is worth a fixed number of samples: the clock counts them. */
        facts.steps_per_epoch = 0;
        facts.samples_per_step = 0;
        if (!parse_schedule(b, &facts))
            return false;
    }
    if (!look_through(b, an_lr_text_desc(b->schedule_text), &facts, 0, an_optim_groups(run->optim)))
        return false;
    run->schedule =
        an_lr_new_run(an_lr_text_desc(b->schedule_text), &facts, an_optim_groups(run->optim),
                      an_optim_group_count(run->optim), allocator, b->err);
    if (!run->schedule)
        return an__place(call->node, b->err);
    run->fit.schedule = run->schedule;
    return finish_schedule(b);
}

/* ------------------------------------------------- what is kept, what steers */

static bool make_steering(builder *b)
{
    const an_config *c = b->config;
    an_run *run = &b->run;
    run->runs = c->runs;
    run->must_write = run->fit.must_save = c->must_write;
    run->fit.keep = c->keep;
    run->log = c->log;
    run->log.stop_on_failure = c->must_write;
    run->log_csv = c->log_csv;
    run->log_tensorboard = c->log_tensorboard;
    run->log_histograms = c->log_histograms;
    run->checkpointer = c->checkpointer;
    run->guard = c->guard;
    run->guarded = c->guard_node != NULL;
    run->stops_early = c->early_stopping_node != NULL;
    run->checkpointer.monitor = c->checkpoint_monitor.monitor;
    run->checkpointer.metric = c->checkpoint_monitor.metric;
    if (!an__monitor_check_schedule(run, &c->monitor, c->monitor_node, b->err) ||
        !an__monitor_check(run, &c->checkpoint_monitor, c->checkpoint_node, b->err) ||
        !an__monitor_check(run, &c->stopping_monitor, c->early_stopping_node, b->err))
        return false;
    if (c->log_node && !c->runs)
        return AN__FAIL(c->log_node, b->err,
                        "log: logs lie in the run's folder, and runs: none keeps nothing; leave "
                        "out one of the two");
    if (run->guarded && c->guard.rollbacks > 0 && !c->runs)
        return AN__FAIL(c->guard_node, b->err,
                        "guard: rollbacks need checkpoints, and runs: none keeps nothing; leave "
                        "out one of the two");
    if (!run->stops_early)
        return true;
    if (!an_early_stopping_init(&run->early_stopping, run->model, b->err))
        return false;
    run->early_stopping.patience = c->patience;
    run->early_stopping.min_delta = c->min_delta;
    run->early_stopping.monitor = c->stopping_monitor.monitor;
    run->early_stopping.metric = c->stopping_monitor.metric;
    run->early_stopping.restore = c->restore_best;
    return true;
}

static bool make_resolved(builder *b)
{
    b->run.config_text = b->config->document.text;
    const an__node *schedule = b->run.schedule_text ? &b->schedule_node : NULL;
    b->run.resolved_text = an__resolved(b->config, &b->run, &b->found, schedule, &b->texts);
    b->run.params =
        an__run_params(b->config, &b->run, &b->found, schedule, &b->texts, &b->run.param_count);
    if (!b->run.resolved_text || !b->run.params)
        return an__no_memory(b->err);
    return strlen(b->run.resolved_text) <= AN__MOST_TEXT ||
           AN__FAIL(b->config->root, b->err,
                    "with the numbers of the schedule's tables the configuration is above %d MiB; "
                    "write fewer, with every=",
                    AN__MOST_TEXT >> 20);
}

/* ------------------------------------------------------------------ a run */

static bool build(builder *b)
{
    an_context_options options = {.threads = (int)b->config->threads};
    const an__data *data = &b->config->data;
    b->run.data_path = data->at[data->at[AN__PATH].text ? AN__PATH : AN__X].text;
    b->run.context = an_context_new(&options, b->err);
    if (!b->run.context)
        return false;
    if (!describe_model(b) || !open_data(b) || !build_model(b) || !make_loaders(b) ||
        !make_optim(b))
        return false;
    fill_fit(b);
    return an__metrics_make(b->config, &b->run, &b->texts, b->err) && make_average(b) &&
           make_schedule(b) && make_steering(b) && make_resolved(b);
}

an_run *an_run_new(const an_config *config, an_error *err)
{
    an_allocator allocator = an_allocator_default();
    builder *b = an_alloc(&allocator, 1, sizeof *b, err);
    if (!b)
        return NULL;
    b->config = config;
    b->err = err;
    an_arena_init(&b->texts, allocator);
    if (build(b))
        return &b->run;
    an_run_free(&b->run);
    return NULL;
}

/* Whether the configuration's schedule, planned for the run that `schedule` was, is `text`. */
static bool says_the_same(builder *b, const an_lr_schedule *schedule, const char *text)
{
    const an_lr_run facts = an_lr_run_of(schedule);
    const size_t size = strlen(text) + 1;
    char *own = an_arena_alloc(&b->texts, size);
    an_lr_text *parsed =
        b->schedule_spec && own
            ? an_lr_parse(an_spec_where(b->schedule_spec), an_spec_root(b->schedule_spec), &facts,
                          an_context_allocator(b->run.context), NULL)
            : NULL;
    const bool same = parsed && an_lr_print(own, size, an_lr_text_desc(parsed)) + 1 == size &&
                      strcmp(own, text) == 0;
    an_lr_text_free(parsed);
    return same;
}

bool an_run_follow(an_run *run, const struct an_lr_schedule *schedule, an_interval interval,
                   an_error *err)
{
    builder *b = (builder *)run;
    char *text = NULL, *course = "";
    const char *before = run->schedule_text;
    const bool planned = run->fit.interval == interval && !run->course_text;
    b->err = err;
    run->fit.interval = interval;
    if (schedule && !print_schedule(b, schedule, &text, &course))
        return false;
    const bool same = text && before ? strcmp(text, before) == 0 : text == before;
    if (same && planned && !course[0])
        return true;
    if (text && !same && !says_the_same(b, schedule, text))
        b->schedule_node = (an__node){.source = {.text = text, .length = strlen(text)}};
    run->schedule_text = text;
    run->course_text = course[0] ? course : NULL;
    return look_again(b, schedule) && make_resolved(b);
}

an_loader *an_run_loader(const an_run *run, const an_dataset *data, an_error *err)
{
    return loader((const builder *)run, data, false, err);
}

bool an_run_save_resolved(const an_run *run, const char *path, an_error *err)
{
    an_durable file;
    if (!an__durable_open(&file, path, err))
        return false;
    an__durable_write(&file, run->resolved_text, strlen(run->resolved_text));
    return an__durable_finish(&file, err);
}

bool an_run_reads(const an_run *run, const char *path)
{
    const builder *b = (const builder *)run;
    return an__data_reads(b->config, &b->found, path);
}

void an_run_free(an_run *run)
{
    if (!run)
        return;
    builder *b = (builder *)run;
    an_early_stopping_free(&run->early_stopping);
    an__metrics_free(run);
    an_lr_free(run->schedule);
    an_lint_free(run->schedule_lint);
    an_lr_text_free(b->schedule_text);
    an_spec_free(b->schedule_spec);
    an_average_free(run->average);
    an_optim_free(run->optim);
    an_model_free(run->model);
    an_loader_free(run->train);
    an_loader_free(run->valid);
    an_loader_free(run->test);
    an_dataset_free(run->train_data);
    an_dataset_free(run->valid_data);
    an_dataset_free(run->test_data);
    an_dataset_free(b->learned);
    an_dataset_free(run->whole_data);
    an_context_free(run->context);
    an_arena_free(&b->texts);
    an_allocator allocator = an_allocator_default();
    an_release(&allocator, b, 1, sizeof *b);
}
