/*
 * Random valid descriptions, drawn from the one table, so that a new schedule is in every property
 * test as soon as it is in the table.
 *
 *     random_desc draw = {.state = seed};
 *     const an_lr_desc *desc = random_desc_draw(&draw, group_count);    lives in `draw`
 */
#ifndef AN_TESTS_RANDOM_DESC_H
#define AN_TESTS_RANDOM_DESC_H

#include <anneal/lr.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#define RANDOM_NODES 64
#define RANDOM_LIST 8

typedef struct random_desc {
    uint64_t state;
    size_t nodes, groups;
    bool metric; /* whether feedback may come */
    an_lr_desc desc[RANDOM_NODES];
    const an_lr_desc *children[RANDOM_NODES][RANDOM_LIST];
    double reals[RANDOM_NODES * 4][RANDOM_LIST];
    int64_t integers[RANDOM_NODES][RANDOM_LIST];
    an_lr_length lengths[RANDOM_NODES][RANDOM_LIST];
    an_lr_function functions[RANDOM_NODES][RANDOM_LIST];
    size_t real_lists;
} random_desc;

/* splitmix64 */
static inline uint64_t random_bits(random_desc *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline size_t random_below(random_desc *r, size_t n)
{
    return n > 0 ? (size_t)(random_bits(r) % n) : 0;
}

static inline double random_unit(random_desc *r)
{
    return (double)(random_bits(r) >> 11) * 0x1p-53;
}

static inline double random_decay(void *user, double epoch)
{
    (void)user;
    return 0.25 + 0.75 / (1 + 0.1 * epoch);
}

static inline double random_wave(void *user, double epoch)
{
    (void)user;
    return 0.95 + 0.05 * cos(epoch);
}

static inline an_lr_function random_function(random_desc *r)
{
    if (random_below(r, 2) == 0)
        return (an_lr_function){random_decay, NULL, "0.25 + 0.75 / (1 + 0.1 * epoch)"};
    return (an_lr_function){random_wave, NULL, "lambda e: 0.95 + 0.05 * cos(e)"};
}

/* Within the parameter's range, and never far above 1. */
static inline double random_real(random_desc *r, const an_lr_param *p)
{
    double low = p->low < 0 || isinf(p->low) ? 0 : p->low;
    double high = p->high > 1 ? low + 1.05 : p->high;
    double value = low + (high - low) * random_unit(r);
    return value <= low ? (low + high) / 2 : value;
}

static inline int64_t random_integer(random_desc *r, const an_lr_param *p)
{
    size_t span = p->high < 1000 ? (size_t)(p->high - p->low) : 5;
    if (p->high >= 1000 && random_below(r, 2) == 0)
        span = p->high > 1e6 ? 90 : 4;
    return (int64_t)p->low + (int64_t)random_below(r, span + 1);
}

/* Steps, or a part of the run; now and then not whole. */
static inline an_lr_length random_length(random_desc *r, const an_lr_param *p)
{
    (void)p;
    double steps = (double)random_below(r, 60) + (random_below(r, 4) == 0 ? random_unit(r) : 0);
    if (random_below(r, 4) == 0)
        return (an_lr_length){steps / 200, AN_RUNS};
    return (an_lr_length){steps, random_below(r, 4) == 0 ? AN_EPOCHS : AN_STEPS};
}

static inline const an_lr_desc *random_node(random_desc *r, int depth);

static inline void random_param(random_desc *r, size_t node, const an_lr_param *p, int depth)
{
    void *at = (unsigned char *)&r->desc[node] + p->offset;
    size_t count = 1 + random_below(r, depth < 2 ? 3 : 2);
    switch (p->type) {
    case AN_LR_INTEGER:
        *(int64_t *)at = random_integer(r, p);
        break;
    case AN_LR_REAL:
        *(double *)at = random_real(r, p);
        break;
    case AN_LR_BOOL:
        *(bool *)at = random_below(r, 2);
        break;
    case AN_LR_CHOICE: {
        size_t choices = 0;
        while (p->choices[choices])
            choices++;
        *(an_cyclic_mode *)at = (an_cyclic_mode)random_below(r, choices);
        break;
    }
    case AN_LR_REALS: {
        an_lr_reals *reals = at;
        double *each = r->reals[r->real_lists++ % (RANDOM_NODES * 4)];
        reals->value = random_real(r, p);
        reals->count = random_below(r, 2) ? r->groups : 0;
        for (size_t i = 0; i < reals->count; i++)
            each[i] = random_real(r, p);
        reals->each = each;
        break;
    }
    case AN_LR_INTEGERS: {
        an_lr_integers *integers = at;
        integers->count = random_below(r, 5);
        for (size_t i = 0; i < integers->count; i++)
            r->integers[node][i] = random_integer(r, p);
        integers->each = r->integers[node];
        break;
    }
    case AN_LR_FUNCTION:
        *(an_lr_function *)at = random_below(r, 2) ? random_function(r) : (an_lr_function){0};
        break;
    case AN_LR_FUNCTIONS: {
        an_lr_functions *functions = at;
        functions->count = random_below(r, 2) ? r->groups : 0;
        functions->function = random_function(r);
        for (size_t i = 0; i < functions->count; i++)
            r->functions[node][i] = random_function(r);
        functions->each = r->functions[node];
        break;
    }
    case AN_LR_VALUE:
        *(an_lr_value *)at = (an_lr_value){random_real(r, p), NULL};
        if (depth < 2 && random_below(r, 4) == 0)
            ((an_lr_value *)at)->schedule = random_node(r, depth + 1);
        break;
    case AN_LR_NUMBERS: {
        an_lr_numbers *numbers = at;
        double *each = r->reals[r->real_lists++ % (RANDOM_NODES * 4)];
        numbers->count = 1 + random_below(r, RANDOM_LIST - 1);
        for (size_t i = 0; i < numbers->count; i++)
            each[i] = random_real(r, p);
        numbers->each = each;
        break;
    }
    case AN_LR_LENGTH:
        *(an_lr_length *)at = random_length(r, p);
        break;
    case AN_LR_LENGTHS: {
        an_lr_lengths *lengths = at;
        lengths->count = 1 + random_below(r, RANDOM_LIST - 1);
        for (size_t i = 0; i < lengths->count; i++)
            r->lengths[node][i] = random_length(r, p);
        lengths->each = r->lengths[node];
        break;
    }
    case AN_LR_NAME:
        *(const char **)at = "lr";
        break;
    case AN_LR_CHILD:
        *(const an_lr_desc **)at = random_node(r, depth + 1);
        break;
    case AN_LR_CHILDREN: {
        an_lr_children *children = at;
        children->count = count;
        for (size_t i = 0; i < count; i++)
            r->children[node][i] = random_node(r, depth + 1);
        children->each = r->children[node];
        break;
    }
    }
}

/* `count` moments that increase, the first at `least` or later. */
static inline void random_moments(random_desc *r, size_t node, size_t count, double least,
                                  an_lr_lengths *out)
{
    for (size_t i = 0; i < RANDOM_LIST; i++) {
        double before = i > 0 ? r->lengths[node][i - 1].value : least;
        double more = i > 0 ? 1 + (double)random_below(r, 40) : (double)random_below(r, 20);
        r->lengths[node][i] = (an_lr_length){before + more, AN_STEPS};
    }
    *out = (an_lr_lengths){r->lengths[node], count};
}

/* Milestones that suit the children; a length where there is none. */
static inline void random_repair(random_desc *r, size_t node)
{
    an_lr_desc *desc = &r->desc[node];
    if (desc->kind == AN_LR_DRIVE)
        desc->drive.groups.count = 0;
    if (desc->after_end == AN_END_ERROR)
        desc->after_end = AN_END_MIRROR;
    if (desc->kind == AN_ONE_CYCLE_LR && desc->one_cycle.three_phase)
        desc->one_cycle.pct_start /= 2;
    if (desc->kind == AN_LR_SEQUENCE)
        random_moments(r, node, desc->sequence.schedules.count - 1, 1, &desc->sequence.milestones);
    if (desc->kind == AN_LR_INTERPOLATE)
        random_moments(r, node, desc->interpolate.values.count, 0, &desc->interpolate.at);
    if (desc->kind == AN_LR_CLAMP && desc->clamp.min.value > desc->clamp.max.value)
        desc->clamp.max = desc->clamp.min;
    if (desc->kind != AN_SEQUENTIAL_LR)
        return;
    desc->sequential.milestones.count = desc->sequential.schedulers.count - 1;
    for (size_t i = 0; i < RANDOM_LIST; i++)
        r->integers[node][i] =
            (i > 0 ? r->integers[node][i - 1] : 0) + 1 + (int64_t)random_below(r, 40);
}

static inline bool random_is_feedback(an_lr_kind kind)
{
    return kind == AN_PLATEAU_LR || kind == AN_LR_SLOPE || kind == AN_LR_GREEDY ||
           kind == AN_LR_SPIKE;
}

static inline bool random_composes(an_lr_kind kind)
{
    size_t count;
    const an_lr_param *params = an_lr_params(kind, &count);
    return params[0].type == AN_LR_CHILDREN || params[0].type == AN_LR_CHILD;
}

static inline const an_lr_desc *random_node(random_desc *r, int depth)
{
    size_t node = r->nodes++, count;
    an_lr_kind kind;
    do
        kind = (an_lr_kind)random_below(r, AN_LR_KIND_COUNT);
    while ((random_is_feedback(kind) && !r->metric) || (depth > 2 && random_composes(kind)));
    r->desc[node] = an_lr_defaults(kind);
    const an_lr_param *params = an_lr_params(kind, &count);
    for (size_t i = 0; i < count; i++)
        if (params[i].required || isnan(params[i].fallback) || random_below(r, 3) > 0)
            random_param(r, node, &params[i], depth);
    random_repair(r, node);
    return &r->desc[node];
}

/* The run that the lengths are of. */
static inline an_lr_run random_run(void)
{
    return (an_lr_run){.total_steps = 200, .epochs = 10, .steps_per_epoch = 20};
}

/* Whether a schedule can be made of it: what is known of the run may not be enough. */
static inline bool random_fits(const an_lr_desc *desc, size_t groups, const an_lr_run *run)
{
    an_lr_group group[8], *each[8];
    for (size_t i = 0; i < groups; i++) {
        each[i] = &group[i];
        an_lr_group_init(&group[i], 0.1);
        an_lr_group_set(&group[i], AN_MOMENTUM, 0.9);
    }
    an_lr_schedule *schedule = an_lr_new_run(desc, run, each, groups, NULL, NULL);
    an_lr_free(schedule);
    return schedule != NULL;
}

/* A description for schedules of random_run(). */
static inline const an_lr_desc *random_desc_for_run(random_desc *r, size_t groups)
{
    an_lr_run run = random_run();
    const an_lr_desc *desc;
    do {
        r->nodes = r->real_lists = 0;
        r->groups = groups;
        desc = random_node(r, 0);
    } while (!random_fits(desc, groups, &run));
    return desc;
}

/* A description that needs to know nothing of the run. */
static inline const an_lr_desc *random_desc_draw(random_desc *r, size_t groups)
{
    const an_lr_desc *desc;
    do {
        desc = random_desc_for_run(r, groups);
    } while (!random_fits(desc, groups, NULL));
    return desc;
}

#endif
