/* lint.c - what in a schedule is probably not meant: the findings, and how they come about. */
#include "lr/numeric.h"

#include "lr/lint.h"
#include <string.h>

/* The rate of a group of which nobody has said it. */
#define ASSUMED_RATE 0.1
#define MOST_FINDINGS 64

static bool out_of_memory(an_error *err)
{
    return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for looking a schedule through");
}

/* ---------------------------------------------------------------- findings */

bool an__lint_has(const an_lint *lint, an_lint_kind kind)
{
    for (size_t i = 0; i < lint->found_count; i++)
        if (lint->found[i].finding.kind == kind && !lint->found[i].finding.after_run &&
            lint->found[i].in[lint->group])
            return true;
    return false;
}

size_t an__lint_warnings(const an_lint *lint)
{
    size_t count = 0;
    for (size_t i = 0; i < lint->found_count; i++)
        count += !lint->found[i].finding.after_run;
    return count;
}

static char *path(an_lint *lint, size_t part, const char *name)
{
    const char *prefix = lint->parts[part].prefix;
    size_t length = strlen(prefix), size = length + strlen(name) + 1;
    char *text = an_arena_alloc(&lint->arena, size);
    if (!text)
        return NULL;
    an_format(text, size, "%s%s", prefix, name);
    if (name[0] == '\0' && length > 0)
        text[length - 1] = '\0'; /* the dot */
    return text;
}

/* The same finding in an earlier group; NULL if there is none. Jumps are the same at one step. */
static an__lint_found *found_before(an_lint *lint, const an__lint_about *about, const char *param)
{
    for (size_t i = 0; i < lint->found_count; i++) {
        an__lint_found *found = &lint->found[i];
        const an_lint_finding *f = &found->finding;
        if (f->kind == about->kind && f->after_run == about->after_run &&
            found->part == about->part && strcmp(f->param, param) == 0 &&
            (f->kind != AN_LINT_JUMP || f->step == (int64_t)about->step) && !found->in[lint->group])
            return found;
    }
    return NULL;
}

void an__lint_note(an_lint *lint, an__lint_about about)
{
    const char *param = path(lint, about.part, about.name);
    an__lint_found *found = param ? found_before(lint, &about, param) : NULL;
    if (found) {
        found->in[lint->group] = true;
        return;
    }
    const char *text = an_arena_text(&lint->arena, lint->text, strlen(lint->text));
    bool *in = an_arena_alloc(&lint->arena, lint->group_count * sizeof *in);
    if (!param || !text || !in) {
        lint->failed = true;
        return;
    }
    if (lint->found_count == MOST_FINDINGS)
        return;
    memset(in, 0, lint->group_count * sizeof *in);
    in[lint->group] = true;
    lint->found[lint->found_count++] = (an__lint_found){.part = about.part,
                                                        .in = in,
                                                        .finding = {.kind = about.kind,
                                                                    .after_run = about.after_run,
                                                                    .step = (int64_t)about.step,
                                                                    .group = (int64_t)lint->group,
                                                                    .param = param,
                                                                    .text = text}};
}

/* Adds "(group 1)", "(groups 0, 1 and 3)" or "(groups 2 and 7 more)", where it is found, if that is
 * not in all of them. */
static void name_groups(an_lint *lint, an__lint_found *found)
{
    char names[96] = "";
    size_t count = 0, used = 0, named = 0;
    for (size_t g = 0; g < lint->group_count; g++)
        count += found->in[g];
    for (size_t g = 0; count <= 4 && g < lint->group_count; g++)
        if (found->in[g])
            used += an_format(names + used, sizeof names - used, "%s%zu",
                              named++ == 0     ? ""
                              : named == count ? " and "
                                               : ", ",
                              g);
    if (count == lint->group_count) {
        found->finding.group = -1;
        return;
    }
    if (count > 4)
        an_format(names, sizeof names, "%lld and %zu more", (long long)found->finding.group,
                  count - 1);
    size_t size = strlen(found->finding.text) + sizeof names + 16;
    char *text = an_arena_alloc(&lint->arena, size);
    if (!text) {
        lint->failed = true;
        return;
    }
    an_format(text, size, "%s (group%s %s)", found->finding.text, count > 1 ? "s" : "", names);
    found->finding.text = text;
}

/* In the order of the kinds; those of one kind stay as they were found. */
static void sort(an_lint *lint)
{
    for (size_t i = 1; i < lint->found_count; i++) {
        an__lint_found moved = lint->found[i];
        size_t at = i;
        for (; at > 0 && lint->found[at - 1].finding.kind > moved.finding.kind; at--)
            lint->found[at] = lint->found[at - 1];
        lint->found[at] = moved;
    }
}

/* ------------------------------------------------------------------ groups */

/* As many groups as the longest list of values has. */
static size_t groups_of(const an_lr_desc *desc)
{
    size_t count, most = 1;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const unsigned char *)desc + params[i].offset;
        size_t here = 1;
        if (params[i].type == AN_LR_REALS)
            here = ((const an_lr_reals *)at)->count;
        if (params[i].type == AN_LR_FUNCTIONS)
            here = ((const an_lr_functions *)at)->count;
        most = here > most ? here : most;
    }
    for (size_t i = 0; i < an_lr_child_count(desc); i++) {
        size_t here = groups_of(an_lr_child(desc, i));
        most = here > most ? here : most;
    }
    return most;
}

/* Whether some schedule drives chosen groups. */
static bool names_groups(const an_lr_desc *desc)
{
    bool named = desc->kind == AN_LR_DRIVE && desc->drive.groups.count > 0;
    for (size_t i = 0; !named && i < an_lr_child_count(desc); i++)
        named = names_groups(an_lr_child(desc, i));
    return named;
}

/* The first group that has what group `g` has: the same is found in both, where the schedule does
 * not tell them apart. */
static size_t alike(const an_lint *lint, size_t g)
{
    size_t first = 0;
    for (; first < g; first++) {
        bool same = lint->bases[first] == lint->bases[g];
        for (int id = 0; same && id < AN_SLOT_COUNT; id++) {
            const an_slot *a = &lint->groups[first].slot[id], *b = &lint->groups[g].slot[id];
            same = a->present == b->present && (!a->present || a->value == b->value);
        }
        if (same)
            return first;
    }
    return g;
}

/* Whether a schedule drives the rate of the group that is looked at. */
static bool is_driven(const an_lint *lint)
{
    for (size_t i = 0; i < lint->part_count; i++)
        if (lint->parts[i].rate && !lint->parts[i].value && lint->parts[i].composed == 0)
            return true;
    return false;
}

/* Looks at all groups, at one of those that are alike. */
static void check_groups(an_lint *lint)
{
    const an_lr_desc *desc = lint->parts[0].desc;
    bool one = groups_of(desc) == 1 && !names_groups(desc);
    for (size_t g = 0; g < lint->group_count; g++) {
        if (one && alike(lint, g) < g)
            continue;
        if (g > 0)
            an__lint_select(lint, g);
        if (is_driven(lint))
            an__lint_check(lint);
    }
    for (size_t g = 1; one && g < lint->group_count; g++)
        for (size_t i = 0; i < lint->found_count; i++)
            lint->found[i].in[g] = lint->found[i].in[alike(lint, g)];
    an__lint_check_effect(lint);
}

/* A group as it was before any schedule. */
static void copy_group(an_lr_group *to, const an_lr_group *from)
{
    *to = *from;
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        to->slot[id].has_initial = false;
    if (!to->slot[AN_LR].present)
        an_lr_group_set(to, AN_LR, ASSUMED_RATE);
}

static bool make_groups(an_lint *lint, const an_lr_desc *desc)
{
    const an_lint_options *o = &lint->options;
    size_t count = o->groups ? o->group_count : groups_of(desc);
    lint->groups = an_arena_alloc(&lint->arena, (count + 1) * sizeof *lint->groups);
    lint->group_list = an_arena_alloc(&lint->arena, (count + 1) * sizeof(void *));
    lint->bases = an_arena_alloc(&lint->arena, (count + 1) * sizeof *lint->bases);
    lint->group_count = count;
    if (!lint->groups || !lint->group_list || !lint->bases)
        return false;
    for (size_t i = 0; i < count; i++) {
        lint->group_list[i] = &lint->groups[i];
        if (o->groups)
            copy_group(&lint->groups[i], o->groups[i]);
        else
            an_lr_group_init(&lint->groups[i], ASSUMED_RATE);
        lint->bases[i] = lint->groups[i].slot[AN_LR].value;
    }
    return true;
}

/* ------------------------------------------------------- one look at a schedule */

static bool is_feedback(an_lr_kind kind)
{
    return kind == AN_PLATEAU_LR || kind == AN_LR_SLOPE || kind == AN_LR_GREEDY ||
           kind == AN_LR_SPIKE;
}

/* A copy without feedback: what the schedule does when nothing happens. */
static an_lr_desc *without_feedback(an_lint *lint, const an_lr_desc *desc)
{
    size_t count = 0;
    an_lr_desc **nodes = an_arena_alloc(&lint->arena, lint->part_count * sizeof(void *));
    an_lr_desc *copy = nodes ? an__lint_copy(&lint->arena, desc, nodes, &count) : NULL;
    for (size_t i = 0; copy && i < count; i++) {
        if (!is_feedback(nodes[i]->kind))
            continue;
        *nodes[i] = an_lr_defaults(AN_LR_CONSTANT);
        lint->feedback = true;
    }
    return copy;
}

static int64_t steps_of(const an_lint_options *options)
{
    return options->steps != 0 ? options->steps : options->run.total_steps;
}

static bool look(an_lint *lint, const an_lr_desc *desc, an_error *err)
{
    an_arena_init(&lint->arena, lint->allocator);
    lint->steps = (double)steps_of(&lint->options);
    if (!make_groups(lint, desc) || !an__lint_take_apart(lint, desc))
        return out_of_memory(err);
    if (!an_lr_check(desc, lint->group_count, err))
        return false;
    const an_lr_desc *pure = without_feedback(lint, lint->parts[0].desc);
    lint->found = an_arena_alloc(&lint->arena, MOST_FINDINGS * sizeof *lint->found);
    if (!pure || !lint->found)
        return out_of_memory(err);
    lint->schedule = an_lr_new_run(pure, &lint->options.run, lint->group_list, lint->group_count,
                                   &lint->allocator, err);
    return lint->schedule && (an__lint_place(lint) || out_of_memory(err));
}

static void let_go(an_lint *lint)
{
    an_lr_free(lint->schedule);
    an_arena_free(&lint->arena);
}

static bool finds(const an_lint *lint, const an_lint_finding *as)
{
    for (size_t i = 0; i < lint->found_count; i++) {
        const an_lint_finding *f = &lint->found[i].finding;
        if (f->kind == as->kind && f->after_run == as->after_run &&
            strcmp(f->param, as->param) == 0)
            return true;
    }
    return false;
}

size_t an__lint_again(an_lint *lint, const char *text, const an_lint_finding *as)
{
    an_lint again = {.options = lint->options, .allocator = lint->allocator};
    an_error err = {0};
    size_t count = SIZE_MAX;
    an_lr_text *parsed = an_lr_parse_text(text, &lint->options.run, &lint->allocator, &err);
    if (parsed && look(&again, an_lr_text_desc(parsed), &err)) {
        check_groups(&again);
        if (!again.failed && !finds(&again, as))
            count = an__lint_warnings(&again);
    }
    if (again.failed || err.code == AN_ERROR_MEMORY)
        lint->failed = true;
    let_go(&again);
    an_lr_text_free(parsed);
    return count;
}

/* -------------------------------------------------------------------- door */

an_lint *an_lint_new(const an_lr_desc *desc, const an_lint_options *options,
                     const an_allocator *allocator, an_error *err)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    if (steps_of(options) < 1 || (double)steps_of(options) > AN__LR_INTEGER_MAX) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "total_steps must be from 1 to 2^53 to look a schedule through, got %lld",
                     (long long)steps_of(options));
        return NULL;
    }
    an_lint *lint = an_alloc(&own, 1, sizeof *lint, err);
    if (!lint)
        return NULL;
    *lint = (an_lint){.options = *options, .allocator = own};
    bool good = look(lint, desc, err);
    if (good) {
        check_groups(lint);
        sort(lint);
        for (size_t i = 0; i < lint->found_count; i++) {
            an__lint_found *found = &lint->found[i];
            if ((size_t)found->finding.group != lint->group)
                an__lint_select(lint, (size_t)found->finding.group);
            found->finding.fix = an__lint_fix(lint, found);
            name_groups(lint, found);
        }
        good = !lint->failed || out_of_memory(err);
    }
    if (good)
        return lint;
    an_lint_free(lint);
    return NULL;
}

size_t an_lint_count(const an_lint *lint)
{
    return lint->found_count;
}

const an_lint_finding *an_lint_get(const an_lint *lint, size_t index)
{
    return index < lint->found_count ? &lint->found[index].finding : NULL;
}

void an_lint_free(an_lint *lint)
{
    if (!lint)
        return;
    an_allocator allocator = lint->allocator;
    let_go(lint);
    an_release(&allocator, lint, 1, sizeof *lint);
}

const char *an_lint_name(an_lint_kind kind)
{
    static const char *const names[] = {
#define NAME(constant, name, text) #name,
        AN_LINT_MAP(NAME)
#undef NAME
    };
    return (unsigned)kind < AN_LINT_COUNT ? names[kind] : "?";
}
