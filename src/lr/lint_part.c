/* lint_part.c - a description taken apart: its schedules, when their turns are, their rates. */
#include "lr/numeric.h"

#include "lr/lint.h"
#include <string.h>

/* Rates that are kept, from step 0 on. */
#define MOST_RATES ((size_t)1 << 20)

double an__lint_turn(const an__lint_part *part)
{
    return part->end - part->begin;
}

/* -------------------------------------------------------------- parameters */

const an_lr_param *an__lint_param(const an_lr_desc *desc, const char *name)
{
    size_t count;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

void *an__lint_at(an_lr_desc *desc, const an_lr_param *param)
{
    return (unsigned char *)desc + param->offset;
}

const char *an__lint_length_name(const an_lr_desc *desc)
{
    static const char *const names[] = {"total_iters", "T_max", "total_steps", "anneal_epochs",
                                        "length"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (an__lint_param(desc, names[i]))
            return names[i];
    return NULL;
}

bool an__lint_is_written(an_lr_desc *desc, const char *name)
{
    const an_lr_param *param = an__lint_param(desc, name);
    const an_lr_length *length = param ? an__lint_at(desc, param) : NULL;
    return param && (param->type != AN_LR_LENGTH || !isnan(length->value));
}

/* -------------------------------------------------------------------- copy */

/* The children of a list get a list of their own. */
static bool copy_list(an_arena *arena, an_lr_desc *desc)
{
    size_t count;
    if (!an__lr_children_of(desc))
        return true;
    an_lr_children *list = an__lint_at(desc, an_lr_params(desc->kind, &count));
    const an_lr_desc **each = an_arena_alloc(arena, (list->count + 1) * sizeof(void *));
    if (!each)
        return false;
    for (size_t i = 0; i < list->count; i++)
        each[i] = list->each[i];
    list->each = each;
    return true;
}

an_lr_desc *an__lint_copy(an_arena *arena, const an_lr_desc *desc, an_lr_desc **nodes,
                          size_t *count)
{
    an_lr_desc *copy = an_arena_alloc(arena, sizeof *copy);
    if (!copy)
        return NULL;
    *copy = *desc;
    nodes[(*count)++] = copy;
    if (!copy_list(arena, copy))
        return NULL;
    for (size_t i = 0; i < an_lr_child_count(copy); i++) {
        const an_lr_desc **place = an__lr_child_place(copy, i);
        *place = an__lint_copy(arena, *place, nodes, count);
        if (!*place)
            return NULL;
    }
    return copy;
}

/* ------------------------------------------------------------------- parts */

/* The path of a child's parameters: "schedulers[1].", "schedule.", "end.". */
static const char *prefix_of(an_lint *lint, const an__lint_part *parent, size_t index)
{
    size_t count, used = 0;
    const an_lr_param *params = an_lr_params(parent->desc->kind, &count);
    const an_lr_param *param = params;
    char *text = an_arena_alloc(&lint->arena, strlen(parent->prefix) + 64);
    if (!text)
        return NULL;
    for (; param < params + count; param++) {
        const void *at = an__lint_at(parent->desc, param);
        size_t here = 0;
        if (param->type == AN_LR_CHILDREN)
            here = ((const an_lr_children *)at)->count;
        else if (param->type == AN_LR_CHILD)
            here = 1;
        else if (param->type == AN_LR_VALUE)
            here = ((const an_lr_value *)at)->schedule != NULL;
        if (index < used + here)
            break;
        used += here;
    }
    an_format(text, strlen(parent->prefix) + 64,
              param->type == AN_LR_CHILDREN ? "%s%s[%zu]." : "%s%s.", parent->prefix, param->name,
              index - used);
    return text;
}

/* Fills in the part of each node but for its times; `next` is the next free part, and its node. */
static bool add_part(an_lint *lint, an_lr_desc *const *nodes, size_t parent, size_t index,
                     size_t *next)
{
    size_t own = (*next)++;
    an_lr_desc *desc = nodes[own];
    an__lint_part *p = &lint->parts[own], *above = &lint->parts[parent];
    *p = (an__lint_part){.desc = desc, .parent = parent, .index = index, .prefix = ""};
    p->composed = an__lr_composed(desc);
    p->begin = p->end = p->length = NAN;
    if (own > 0) {
        p->prefix = prefix_of(lint, above, index);
        p->value = above->value || index >= above->composed;
    }
    if (!p->prefix)
        return false;
    for (size_t i = 0; i < an_lr_child_count(desc); i++)
        if (!add_part(lint, nodes, own, i, next))
            return false;
    return true;
}

static size_t count_of(const an_lr_desc *desc)
{
    size_t count = 1;
    for (size_t i = 0; i < an_lr_child_count(desc); i++)
        count += count_of(an_lr_child(desc, i));
    return count;
}

bool an__lint_take_apart(an_lint *lint, const an_lr_desc *desc)
{
    size_t count = 0, next = 0;
    desc = an__lr_unwrap(desc);
    size_t nodes_count = count_of(desc);
    an_lr_desc **nodes = an_arena_alloc(&lint->arena, nodes_count * sizeof(void *));
    lint->parts = an_arena_alloc(&lint->arena, nodes_count * sizeof *lint->parts);
    lint->part_count = nodes_count;
    return nodes && lint->parts && an__lint_copy(&lint->arena, desc, nodes, &count) &&
           add_part(lint, nodes, 0, 0, &next);
}

/* ------------------------------------------------------------------- turns */

typedef struct placing {
    an_lint *lint;
    size_t next;
} placing;

/* What an_lr_parts tells: the beginning and the length of each part, in the same order. */
static void place_part(void *user, const an_lr_part *found)
{
    placing *p = user;
    if (p->next >= p->lint->part_count)
        return;
    an__lint_part *part = &p->lint->parts[p->next++];
    bool steps = found->length.unit == AN_STEPS;
    part->seen = found->desc;
    part->begin = found->begin;
    part->length = steps || isinf(found->length.value) ? found->length.value : NAN;
}

/* The next child of a sequence begins, or the part above is at its end. */
static double end_of(const an_lint *lint, size_t index)
{
    const an__lint_part *part = &lint->parts[index], *above = &lint->parts[part->parent];
    bool takes_turns = above->desc->kind == AN_SEQUENTIAL_LR || above->desc->kind == AN_LR_SEQUENCE;
    if (index == 0)
        return lint->steps;
    for (size_t i = index + 1; takes_turns && !part->value && i < lint->part_count; i++)
        if (lint->parts[i].parent == part->parent && lint->parts[i].index == part->index + 1 &&
            part->index + 1 < above->composed && !isnan(lint->parts[i].begin))
            return fmin(above->end, lint->parts[i].begin);
    return above->end;
}

/* In a composite of one child the schedule has that child instead; here it is the same tree. */
bool an__lint_place(an_lint *lint)
{
    placing p = {.lint = lint};
    an_lr_parts(lint->schedule, place_part, &p);
    for (size_t i = 0; i < lint->part_count; i++) {
        an__lint_part *part = &lint->parts[i];
        if (p.next != lint->part_count)
            part->begin = part->length = NAN;
        part->end = isnan(part->begin) ? NAN : end_of(lint, i);
        if (isnan(lint->parts[part->parent].begin))
            part->begin = part->end = NAN;
    }
    lint->rate_count = lint->steps < (double)MOST_RATES ? (size_t)lint->steps : MOST_RATES;
    lint->rates = an_arena_alloc(&lint->arena, lint->rate_count * sizeof *lint->rates);
    if (!lint->rates)
        return false;
    lint->foreseen = an_lr_drives(lint->schedule, AN_LR) && !an_lr_wants_clock(lint->schedule);
    an__lint_select(lint, 0);
    return true;
}

static bool drives_rate_of(const an_lr_drive *drive, size_t group)
{
    bool named = drive->groups.count == 0;
    for (size_t i = 0; !named && i < drive->groups.count; i++)
        named = drive->groups.each[i] == (int64_t)group;
    return named && strcmp(drive->slot, "lr") == 0;
}

void an__lint_select(an_lint *lint, size_t group)
{
    lint->group = group;
    lint->base = lint->bases[group];
    for (size_t i = 0; i < lint->part_count; i++) {
        an__lint_part *part = &lint->parts[i];
        part->rate = i == 0 || lint->parts[part->parent].rate;
        if (part->desc->kind == AN_LR_DRIVE)
            part->rate = drives_rate_of(&part->desc->drive, group);
    }
    an_lr_values(lint->schedule, group, AN_LR, 0, lint->rates, lint->rate_count);
    lint->peak = 0;
    for (size_t i = 0; i < lint->rate_count; i++)
        if (isfinite(lint->rates[i]))
            lint->peak = fmax(lint->peak, fabs(lint->rates[i]));
}

double an__lint_rate(const an_lint *lint, int64_t step)
{
    if (step >= 0 && (size_t)step < lint->rate_count)
        return lint->rates[step];
    return an_lr_at_step(lint->schedule, lint->group, step);
}

/* --------------------------------------------------------- one schedule alone */

bool an__lint_ends(const an_lint *lint, const an__lint_part *part, double *first, double *last)
{
    an_lr_group group, *groups[1] = {&group};
    double turn = an__lint_turn(part), length = part->length;
    an_lr_run run = lint->options.run;
    run.total_steps = turn >= 1 ? (int64_t)turn : 1;
    run.seconds = 0;
    an_lr_group_init(&group, 1);
    if (!(length >= 0) || length > AN__LR_INTEGER_MAX)
        return false;
    an_lr_schedule *alone = an_lr_new_run(part->desc, &run, groups, 1, &lint->allocator, NULL);
    if (!alone)
        return false;
    *first = an_lr_at_step(alone, 0, 0);
    *last = an_lr_at_step(alone, 0, (int64_t)length);
    an_lr_free(alone);
    return !isnan(*first) && !isnan(*last);
}
