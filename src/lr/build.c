/*
 * build.c - a schedule in memory that is given.
 *
 * The memory, from its start:
 *
 *   an_lr_schedule | nodes, children, lists, in the order of the description | members
 *
 * where a member is a group's record and one base rate per node. The part before the members is
 * laid out by the same code twice: once to count, once to fill.
 */
#include "lr/numeric.h"

#include "lr/node.h"
#include <string.h>

AN__COLD_BEGIN

/* ------------------------------------------------------------------- nodes */

/* With `memory` NULL it only counts. */
typedef struct layout {
    unsigned char *memory;
    size_t used, node_count;
    const an_lr_run *run;
} layout;

static void *carve(layout *l, size_t count, size_t size)
{
    void *block = l->memory ? l->memory + l->used : NULL;
    l->used += (count * size + 15) / 16 * 16;
    return block;
}

static const void *copy_of(layout *l, const void *list, size_t count, size_t size)
{
    void *copy = carve(l, count, size);
    if (!copy || count == 0)
        return list;
    memcpy(copy, list, count * size);
    return copy;
}

/* Gives the lists that the parameters of `desc` refer to a copy in the schedule's memory. */
static void copy_lists(layout *l, an_lr_desc *desc)
{
    size_t count;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++) {
        void *at = (unsigned char *)desc + params[i].offset;
        if (params[i].type == AN_LR_REALS) {
            an_lr_reals *p = at;
            p->each = copy_of(l, p->each, p->count, sizeof *p->each);
        } else if (params[i].type == AN_LR_INTEGERS) {
            an_lr_integers *p = at;
            p->each = copy_of(l, p->each, p->count, sizeof *p->each);
        } else if (params[i].type == AN_LR_FUNCTIONS) {
            an_lr_functions *p = at;
            p->each = copy_of(l, p->each, p->count, sizeof *p->each);
        } else if (params[i].type == AN_LR_NUMBERS) {
            an_lr_numbers *p = at;
            p->each = copy_of(l, p->each, p->count, sizeof *p->each);
        } else if (params[i].type == AN_LR_LENGTHS) {
            an_lr_lengths *p = at;
            p->each = copy_of(l, p->each, p->count, sizeof *p->each);
        } else if (params[i].type == AN_LR_CHILDREN) {
            an_lr_children *p = at;
            p->each = copy_of(l, p->each, p->count, sizeof(void *));
        } else if (params[i].type == AN_LR_NAME) {
            const char **name = at;
            *name = *name ? copy_of(l, *name, strlen(*name) + 1, 1) : NULL;
        }
    }
}

/* Shell's sort: no recursion, no memory. `values` are the schedule's own copy. */
static void sort(int64_t *values, size_t count)
{
    for (size_t gap = count / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < count; i++) {
            int64_t value = values[i];
            size_t j = i;
            for (; j >= gap && values[j - gap] > value; j -= gap)
                values[j] = values[j - gap];
            values[j] = value;
        }
}

const an__lr_class *an__lr_class_of(an_lr_kind kind)
{
    static const an__lr_class *const classes[] = {
#define CLASS(constant, name, member) &an__lr_##member##_class,
        AN_LR_KIND_MAP(CLASS)
#undef CLASS
    };
    return classes[kind];
}

static void make_node(an__lr_node *node, const an_lr_desc *desc, size_t index, bool later)
{
    *node = (an__lr_node){
        .class = an__lr_class_of(desc->kind), .desc = *desc, .index = index, .later = later};
    if (!node->class->rate && desc->after_end != AN_END_DEFAULT) {
        node->inner = node->class;
        node->class = &an__lr_ended_class;
    }
    if (desc->kind == AN_MULTI_STEP_LR)
        sort((int64_t *)desc->multi_step.milestones.each, desc->multi_step.milestones.count);
}

/* The tree of `desc`; NULL while counting. A composite of one child is that child. */
static an__lr_node *build(layout *l, const an_lr_desc *desc, bool later);

/* The children's nodes; the node's own description comes to refer to theirs. */
static void build_children(layout *l, an__lr_node *node, const an_lr_desc *desc)
{
    size_t count = an_lr_child_count(desc), composed = an__lr_composed(desc);
    an__lr_node **made = carve(l, count, sizeof(an__lr_node *));
    for (size_t i = 0; i < count; i++) {
        an__lr_node *child =
            build(l, an_lr_child(desc, i), i > 0 && desc->kind == AN_SEQUENTIAL_LR);
        if (!node)
            continue;
        made[i] = child;
        *an__lr_child_place(&node->desc, i) = &child->desc;
        node->observes |= i < composed && child->observes;
    }
    if (!node)
        return;
    node->children = made;
    node->child_count = composed;
    node->value_count = count - composed;
    node->own_base = composed > 0 && made[0]->own_base;
}

size_t an__lr_memory_of(const an_lr_desc *desc, const an_lr_run *run)
{
    const an__lr_feedback *feedback = an__lr_class_of(desc->kind)->feedback;
    if (desc->kind == AN_LR_SEQUENCE && (run->clocked || run->seconds > 0))
        return desc->sequence.milestones.count * AN__LR_CLOCKS;
    return feedback ? feedback->room(desc) : 0;
}

static void give_memory(layout *l, an__lr_node *node, const an_lr_desc *desc)
{
    const an__lr_feedback *feedback = an__lr_class_of(desc->kind)->feedback;
    size_t count = an__lr_memory_of(desc, l->run), aside = feedback ? feedback->aside : 0;
    double *memory = carve(l, count + aside, sizeof *memory);
    size_t lengths = an__lr_span_count(desc);
    an__lr_span *spans = carve(l, lengths, sizeof *spans);
    if (!node)
        return;
    node->memory = memory;
    node->memory_count = count;
    node->spans = lengths > 0 ? spans : NULL;
    node->observes = feedback != NULL;
    for (size_t i = 0; i < count; i++)
        memory[i] = NAN;
    if (feedback)
        feedback->reset(node);
}

static an__lr_node *build(layout *l, const an_lr_desc *desc, bool later)
{
    desc = an__lr_unwrap(desc);
    an__lr_node *node = carve(l, 1, sizeof *node);
    size_t index = l->node_count++;
    an_lr_desc copy = *desc;
    copy_lists(l, &copy);
    if (node)
        make_node(node, &copy, index, later);
    give_memory(l, node, desc);
    build_children(l, node, desc);
    if (node && (desc->kind == AN_CYCLIC_LR || desc->kind == AN_ONE_CYCLE_LR))
        node->own_base = true;
    if (node)
        an__lr_classify(node);
    return node;
}

/* ------------------------------------------------------------------ groups */

static double initial_or(an_slot *slot, double initial)
{
    if (!slot->has_initial) {
        slot->initial = initial;
        slot->has_initial = true;
    }
    return slot->initial;
}

/*
 * The base rate of a leaf, and what its constructor in PyTorch does to the group's initial_lr:
 * OneCycleLR replaces it, CyclicLR sets it to its base_lr if nobody has set it. CyclicLR starts
 * from its base_lr in any case, where PyTorch would start from an older schedule's initial_lr.
 */
static double leaf_base(const an_lr_desc *desc, size_t group, an_slot *lr)
{
    if (desc->kind == AN_ONE_CYCLE_LR) {
        lr->has_initial = false;
        return initial_or(lr,
                          an__lr_real(&desc->one_cycle.max_lr, group) / desc->one_cycle.div_factor);
    }
    if (desc->kind == AN_CYCLIC_LR) {
        double base = an__lr_real(&desc->cyclic.base_lr, group);
        initial_or(lr, base);
        return base;
    }
    return desc->kind == AN_PLATEAU_LR ? lr->value : initial_or(lr, lr->value);
}

/*
 * Where no group has a part in it: a parameter that is a schedule, whose base is 1, and a group
 * that a track passes over.
 */
static void set_other_bases(const an__lr_node *node, an__lr_member *m, double base)
{
    an_slot slot = {.value = base, .initial = base, .has_initial = true};
    m->base[node->index] = leaf_base(&node->desc, m->index, &slot);
    for (size_t i = 0; i < node->child_count; i++)
        set_other_bases(node->children[i], m, base);
    for (size_t i = 0; i < node->value_count; i++)
        set_other_bases(node->children[node->child_count + i], m, 1);
    if (node->child_count > 0)
        m->base[node->index] = m->base[node->children[0]->index];
}

/* Sets the base rates of the tree, children in their order; a composite has its first child's. */
static void set_bases(const an__lr_node *node, an__lr_member *m, an_slot *slot)
{
    if (node->child_count == 0)
        m->base[node->index] = leaf_base(&node->desc, m->index, slot);
    for (size_t i = 0; i < node->child_count; i++)
        set_bases(node->children[i], m, slot);
    for (size_t i = 0; i < node->value_count; i++)
        set_other_bases(node->children[node->child_count + i], m, 1);
    if (node->child_count > 0)
        m->base[node->index] = m->base[node->children[0]->index];
}

static an__lr_member *take_group(an_lr_schedule *s, an_lr_group *group)
{
    an__lr_member *m = an__lr_member_at(s, s->member_count);
    *m = (an__lr_member){.group = group, .index = s->member_count++, .given = NAN};
    m->base = (double *)(void *)(m + 1);
    m->covered = an__lr_tracks_of(s, group, m->index);
    set_other_bases(s->root, m, 0);
    for (size_t i = 0; i < s->track_count; i++) {
        const an__lr_track *track = &s->tracks[i];
        if (!an__lr_covers(track, m))
            continue;
        set_bases(track->root, m, &group->slot[track->slot]);
        if (!isnan(track->base))
            set_other_bases(track->root, m, track->base);
        an_slot *momentum = track->drives_momentum ? an__lr_momentum_slot(group) : NULL;
        if (momentum)
            initial_or(momentum, momentum->value);
    }
    return m;
}

static void start_group(an_lr_schedule *s, an_lr_group *group)
{
    double found[AN_SLOT_COUNT];
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        found[id] = group->slot[id].value;
    an__lr_member *m = take_group(s, group);
    for (size_t i = 0; i < s->track_count; i++) {
        const an__lr_track *track = &s->tracks[i];
        double from = isnan(track->base) ? found[track->slot] : track->base;
        if (an__lr_covers(track, m))
            group->slot[track->slot].value = track->root->class->start(track->root, m, from);
    }
    an__lr_write_start(s, m, &(an__lr_time){{0}}, false);
}

/* -------------------------------------------------------------- validation */

/*
 * Two ways to compile show only here: x87 registers, and clang's -ffp-contract=fast, which
 * overrides the pragma of numeric.h. (1 + u)^2 = 1 + 2u + u^2 rounds to 1 + 2u for u = 2^-30.
 */
static bool check_arithmetic(an_error *err)
{
    volatile double x = 0x1.00000004p+0, y = 0x1.00000008p+0;
    if (x * x - y == 0)
        return true;
    return an_error_set(
        err, AN_ERROR_STATE,
        "the schedules were compiled so that a product and a sum are not rounded "
        "one by one; compile them with -ffp-contract=off, on x86 with -mfpmath=sse");
}

static bool check_group(an_lr_group *const *groups, size_t index, an_error *err)
{
    if (!groups[index])
        return an_error_set(err, AN_ERROR_ARGUMENT, "group %zu of the schedule is NULL", index);
    const an_slot *lr = &groups[index]->slot[AN_LR];
    if (!lr->present)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "group %zu has no learning rate; start it with an_lr_group_init",
                            index);
    if (!isfinite(lr->value))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the learning rate of group %zu must be a finite number, got %g", index,
                            lr->value);
    /* What an earlier schedule has made of the base rate may be below 0. */
    if (lr->value < 0 && !lr->has_initial)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the learning rate of group %zu must be 0 or more, got %g", index,
                            lr->value);
    return true;
}

static bool check_groups(an_lr_group *const *groups, size_t count, an_error *err)
{
    if (count == 0 || !groups)
        return an_error_set(err, AN_ERROR_ARGUMENT, "a schedule needs at least one group");
    if (count > AN__LR_MAX_GROUPS)
        return an_error_set(err, AN_ERROR_ARGUMENT, "a schedule can have up to %zu groups, got %zu",
                            AN__LR_MAX_GROUPS, count);
    for (size_t i = 0; i < count; i++) {
        if (!check_group(groups, i, err))
            return false;
        for (size_t j = 0; j < i; j++)
            if (groups[j] == groups[i])
                return an_error_set(err, AN_ERROR_ARGUMENT,
                                    "groups %zu and %zu of the schedule are the same", j, i);
    }
    return true;
}

/* ------------------------------------------------------------ construction */

/* The parts that are there once; NULL while counting. */
static an_lr_schedule *lay_out(layout *l, const an_lr_desc *desc)
{
    an_lr_schedule *s = carve(l, 1, sizeof *s);
    size_t tracks = an__lr_track_count(desc), edits = l->run->edits > 0 ? (size_t)l->run->edits : 0;
    an__lr_track *track = carve(l, tracks, sizeof *track);
    an__lr_edit *edit = carve(l, edits, sizeof *edit);
    an__lr_landing *landing = carve(l, edits > 0, sizeof *landing);
    an__lr_node *root = build(l, desc, false);
    if (!s)
        return NULL;
    *s = (an_lr_schedule){.run = *l->run,
                          .root = root,
                          .node_count = l->node_count,
                          .tracks = track,
                          .track_count = tracks,
                          .edits = edit,
                          .landing = edits > 0 ? landing : NULL};
    if (s->landing)
        *s->landing = (an__lr_landing){0};
    return s;
}

/* The bytes before the members; *stride is the size of one member. */
static size_t measure(const an_lr_desc *desc, const an_lr_run *run, size_t *stride)
{
    layout l = {.run = run};
    lay_out(&l, desc);
    *stride = sizeof(an__lr_member) + l.node_count * sizeof(double);
    return l.used;
}

static const an_lr_run nothing_known = {0};

static bool check_fact(const char *name, double value, double most, an_error *err)
{
    return (value >= 0 && value <= most) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "an_lr_run: %s must be from 0, which means unknown, to %g, got %g", name,
                        most, value);
}

static bool check_run(const an_lr_run *run, an_error *err)
{
    const double most = AN__LR_INTEGER_MAX;
    return check_fact("total_steps", (double)run->total_steps, most, err) &&
           check_fact("epochs", (double)run->epochs, most, err) &&
           check_fact("steps_per_epoch", (double)run->steps_per_epoch, most, err) &&
           check_fact("samples_per_step", run->samples_per_step, most, err) &&
           check_fact("tokens_per_step", run->tokens_per_step, most, err) &&
           check_fact("seconds", run->seconds, most, err) &&
           check_fact("edits", run->edits, AN_LR_MOST_EDITS, err);
}

size_t an_lr_size_run(const an_lr_desc *desc, const an_lr_run *run, size_t capacity)
{
    size_t stride;
    run = run ? run : &nothing_known;
    if (capacity > AN__LR_MAX_GROUPS || !check_run(run, NULL) || !an_lr_check(desc, 0, NULL))
        return 0;
    size_t fixed = measure(desc, run, &stride);
    return fixed + capacity * stride;
}

size_t an_lr_size(const an_lr_desc *desc, size_t capacity)
{
    return an_lr_size_run(desc, NULL, capacity);
}

static bool check_memory(const void *memory, size_t size, size_t needed, size_t groups,
                         an_error *err)
{
    if (!memory || size < needed)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the schedule needs %zu bytes of memory for %zu groups, got %zu",
                            needed, groups, memory ? size : 0);
    if ((uintptr_t)memory % 16 != 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the memory of a schedule must be aligned to 16 bytes");
    return true;
}

an_lr_schedule *an_lr_init_run(void *memory, size_t size, const an_lr_desc *desc,
                               const an_lr_run *run, an_lr_group *const *groups, size_t group_count,
                               an_error *err)
{
    run = run ? run : &nothing_known;
    if (!check_arithmetic(err) || !check_run(run, err) || !check_groups(groups, group_count, err) ||
        !an_lr_check(desc, group_count, err))
        return NULL;
    size_t stride, fixed = measure(desc, run, &stride);
    if (!check_memory(memory, size, fixed + group_count * stride, group_count, err))
        return NULL;
    layout l = {.memory = memory, .run = run};
    an_lr_schedule *s = lay_out(&l, desc);
    if (!an__lr_resolve(s->root, run, an__lr_run_span(run), err) ||
        !an__lr_make_tracks(s, groups, group_count, err))
        return NULL;
    s->members = l.memory + l.used;
    s->counts_clock = an__lr_counts_clock(s->root);
    s->may_end = an__lr_may_end(s->root);
    s->plain = s->track_count == 1 && s->tracks[0].root == s->root && !s->may_end &&
               (!s->root->observes || s->root->desc.kind == AN_PLATEAU_LR) && !s->counts_clock &&
               !(run->seconds > 0);
    s->stride = stride;
    s->capacity = (size - fixed) / stride;
    for (size_t i = 0; i < group_count; i++)
        start_group(s, groups[i]);
    return s;
}

an_lr_schedule *an_lr_init(void *memory, size_t size, const an_lr_desc *desc,
                           an_lr_group *const *groups, size_t group_count, an_error *err)
{
    return an_lr_init_run(memory, size, desc, NULL, groups, group_count, err);
}

/* Gives a group that came later the values of now. */
static void join(const an_lr_schedule *s, an__lr_member *m)
{
    an__lr_time now = an__lr_plan_now(s);
    m->from = m->group->slot[AN_LR].value;
    for (size_t i = 0; i < s->track_count; i++) {
        const an__lr_node *root = s->tracks[i].root;
        double *value = &m->group->slot[s->tracks[i].slot].value;
        if (!an__lr_covers(&s->tracks[i], m) || root->desc.kind == AN_PLATEAU_LR)
            continue;
        if (root->class->rate)
            *value = an__lr_rate(root, m, &now, an__lr_base(root, m));
        else
            *value = an__lr_value(root, m, an__lr_whole(now.at[AN_STEPS]));
    }
    an__lr_write_start(s, m, &now, true);
}

bool an_lr_add_group(an_lr_schedule *schedule, an_lr_group *group, an_error *err)
{
    an_lr_schedule *s = schedule;
    if (!check_group(&group, 0, err))
        return false;
    for (size_t i = 0; i < s->member_count; i++)
        if (an__lr_member_at(s, i)->group == group)
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "the schedule has this group already, as %zu", i);
    if (s->member_count == s->capacity)
        return an_error_set(err, AN_ERROR_STATE,
                            "the schedule's memory holds %zu groups and is full; give an_lr_init "
                            "memory for more",
                            s->capacity);
    if (an__lr_has_lists(s->root))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the schedule has a parameter with one value for each of its %zu "
                            "groups, so no group can be added",
                            s->member_count);
    join(s, take_group(s, group));
    return true;
}

AN__COLD_END
