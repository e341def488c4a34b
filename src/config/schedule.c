/*
 * The schedule of a run: read for the run's length, looked through for what is probably not meant,
 * made to write the slots of the optimizer, and said as text. At the end what an_run_follow does,
 * when another schedule has come from a checkpoint, or the run's has landed or been extended.
 */
#include "config/build.h"
#include "config/errors.h"
#include "config/file.h"

#include <anneal/lr_text.h>

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------- the run */

/* The run's length as the schedule counts it: in updates, or in epochs. */
static an_lr_run facts_of(const an_run *run)
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

/* What a schedule may drive besides what the optimizer has: see anneal/train.h. */
static void offer_slots(an__build *b)
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

/* ------------------------------------------------------------- reading it */

/* Whether a schedule within `desc` drives slot `slot`. */
static bool drives(const an_lr_desc *desc, const char *slot)
{
    bool found = desc->kind == AN_LR_DRIVE && strcmp(desc->drive.slot, slot) == 0;
    for (size_t i = 0; !found && i < an_lr_child_count(desc); i++)
        found = drives(an_lr_child(desc, i), slot);
    return found;
}

/* The call with the numbers of each '@FILE' in it. */
static bool expand(an__build *b)
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

static bool parse(an__build *b, const an_lr_run *facts)
{
    const an_allocator *allocator = an_context_allocator(b->run.context);
    an_lr_text_free(b->schedule_text);
    b->schedule_text = an_lr_parse(an_spec_where(b->schedule_spec), an_spec_root(b->schedule_spec),
                                   facts, allocator, b->err);
    return an__blame(&b->schedule_node, b->schedule_text != NULL, b->err);
}

/* The facts of the run that the schedule was planned for: another, where it has a course. */
static bool plan(an__build *b, an_lr_run *facts)
{
    const an__call *course = &b->config->course;
    *facts = facts_of(&b->run);
    return !course->node ||
           an__blame(course->node,
                     an_lr_course_run(&course->node->source, course->call, facts, b->err), b->err);
}

/* Makes schedule_node, schedule_spec and schedule_text, and the facts that it was read for. */
static bool read_schedule(an__build *b, an_lr_run *facts)
{
    if (!plan(b, facts) || !expand(b) || !parse(b, facts))
        return false;
    if (!drives(an_lr_text_desc(b->schedule_text), "batch_size"))
        return true;
    /* Then no step is worth a fixed number of samples: the clock counts them. */
    facts->steps_per_epoch = 0;
    facts->samples_per_step = 0;
    return parse(b, facts);
}

/* -------------------------------------------------------- looking through */

/* Looks through `desc` of a run with these facts, of whose plan it goes through `steps`; 0: all.
 * What cannot be made is refused where it is made. */
static bool look_through(an__build *b, const an_lr_desc *desc, const an_lr_run *facts,
                         int64_t steps, an_lr_group *const *groups)
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
static an_lr_group **groups_before(an__build *b)
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
static int64_t end_on_plan(const an__build *b, const an_lr_schedule *schedule)
{
    const an_lr_run facts = facts_of(&b->run);
    const an_lr_clock end = {.steps = (double)facts.total_steps, .seconds = facts.seconds};
    const double steps = ceil(an_lr_plan_at(schedule, &end) - 1e-6);
    return steps >= 1 ? (int64_t)steps : 1;
}

/* The same of a schedule that has a course. Of one that lands nothing else comes to pass. */
static bool look_again(an__build *b, const an_lr_schedule *schedule)
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

/* ----------------------------------------------------------------- saying */

/* The description as text, and what became of the schedule: NULL is nothing. */
static bool print_schedule(an__build *b, const an_lr_schedule *schedule, const char **text,
                           const char **course)
{
    const an_lr_run facts = facts_of(&b->run);
    const an_lr_desc *desc = an_lr_desc_of(schedule);
    const size_t size = an_lr_print(NULL, 0, desc) + 1;
    const size_t course_size = an_lr_course_print(NULL, 0, schedule, &facts) + 1;
    char *description = an_arena_alloc(&b->texts, size);
    char *becomes = an_arena_alloc(&b->texts, course_size);
    if (!description || !becomes)
        return an__no_memory(b->err);
    an_lr_print(description, size, desc);
    an_lr_course_print(becomes, course_size, schedule, &facts);
    *text = description;
    *course = becomes[0] ? becomes : NULL;
    return true;
}

/* ----------------------------------------------------------------- making */

/* A run without a schedule has no course, and under a budget it steps after every update. */
static bool check_keys(const an__build *b)
{
    const an_config *c = b->config;
    if (!c->schedule.node)
        return !c->course.node ||
               AN__FAIL(c->course.node, b->err,
                        "course says what became of a schedule, but there is none; leave it out");
    return c->budget <= 0 || c->interval != AN_INTERVAL_EPOCH ||
           AN__FAIL(c->budget_node, b->err,
                    "under a budget the schedule is stepped after every update; add the key "
                    "'interval: step'");
}

/* What the configuration says became of the schedule. */
static bool take_course(an__build *b, an_lr_schedule *schedule)
{
    const an__call *course = &b->config->course;
    return !course->node ||
           (an__blame(course->node,
                      an_lr_course_take(schedule, &course->node->source, course->call, b->err),
                      b->err) &&
            look_again(b, schedule));
}

bool an__build_schedule(an__build *b)
{
    an_run *run = &b->run;
    an_lr_run facts;
    if (!check_keys(b))
        return false;
    if (!b->config->schedule.node)
        return true;
    offer_slots(b);
    if (!read_schedule(b, &facts))
        return false;
    const an_lr_desc *desc = an_lr_text_desc(b->schedule_text);
    an_lr_group *const *groups = an_optim_groups(run->optim);
    if (!look_through(b, desc, &facts, 0, groups))
        return false;
    run->schedule = an_lr_new_run(desc, &facts, groups, an_optim_group_count(run->optim),
                                  an_context_allocator(run->context), b->err);
    if (!run->schedule)
        return an__place(b->config->schedule.node, b->err);
    run->fit.schedule = run->schedule;
    return take_course(b, run->schedule) &&
           print_schedule(b, run->schedule, &run->schedule_text, &run->course_text);
}

/* -------------------------------------------------------------- following */

/* Whether the configuration's schedule, planned for the run that `schedule` was, is `text`. */
static bool says_the_same(an__build *b, const an_lr_schedule *schedule, const char *text)
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
    an__build *b = (an__build *)run;
    const char *text = NULL, *course = NULL, *before = run->schedule_text;
    const bool planned = run->fit.interval == interval && !run->course_text;
    b->err = err;
    run->fit.interval = interval;
    if (schedule && !print_schedule(b, schedule, &text, &course))
        return false;
    const bool same = text && before ? strcmp(text, before) == 0 : text == before;
    if (same && planned && !course)
        return true;
    if (text && !same && !says_the_same(b, schedule, text))
        b->schedule_node = (an__node){.source = {.text = text, .length = strlen(text)}};
    run->schedule_text = text;
    run->course_text = course;
    return look_again(b, schedule) && an__build_resolved(b);
}
