/* state_load.c - reading the bytes of a state, which state.c draws, into a schedule. */
#include "lr/numeric.h"

#include "lr/state.h"
#include <string.h>

#define OLD_VERSION 2u
#define COUNT_MAX ((uint64_t)1 << 53)
#define OLD_HEAD_SIZE 64
#define OLD_SLOT_SIZE 24
#define OLD_SLOTS 4
#define END_SIZE 8

AN__COLD_BEGIN

/* ----------------------------------------------------------------- reading */

/* Length and checksum first, so that nothing is read from damaged bytes. */
static bool check_bytes(const an__lr_source *source, bool *old, an_error *err)
{
    an__lr_source in = *source;
    size_t size = in.at ? (size_t)(in.end - in.at) : 0;
    if (size < OLD_HEAD_SIZE + END_SIZE || an__lr_get(&in, 4) != AN__STATE_MAGIC)
        return an_error_set(err, AN_ERROR_DATA, "these %zu bytes are not a schedule's state", size);
    unsigned version = (unsigned)an__lr_get(&in, 4);
    *old = version == OLD_VERSION;
    if (version != AN__STATE_VERSION && !*old)
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state has version %u; this library reads versions %u "
                            "and %u",
                            version, OLD_VERSION, AN__STATE_VERSION);
    in.at = in.end - END_SIZE;
    if (an__lr_get(&in, 8) != an__lr_checksum(source->at, size - END_SIZE))
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state is damaged: its checksum does not fit");
    return true;
}

/* An integer of the run's facts; as a count it is from 0 to 2^53. */
static int64_t get_fact(an__lr_source *source)
{
    uint64_t fact = an__lr_get(source, 8);
    source->broken |= fact > COUNT_MAX;
    return (int64_t)fact;
}

static void get_landing(an__lr_source *source, an__lr_landing *l)
{
    uint64_t active = an__lr_get(source, 8), tail = an__lr_get(source, 8);
    l->length.value = an__lr_get_real(source);
    uint64_t unit = an__lr_get(source, 8);
    l->begin = an__lr_get_real(source);
    l->end = an__lr_get_real(source);
    source->broken |= active > 1 || tail > AN_TAIL_SQUARE || unit >= AN__LR_CLOCKS;
    source->broken |= active && !(l->length.value > 0 && l->begin >= 0 && l->end >= 0);
    l->active = active != 0;
    l->tail = (an_lr_tail)tail;
    l->length.unit = (an_lr_unit)unit;
}

static void get_old_head(an__lr_source *source, an__lr_head *head)
{
    head->memory = *source;
    an__lr_take(source, 8);
    get_fact(source);
    get_fact(source);
    head->memory_count = 3;
    head->desc_size = an__lr_get(source, 8);
}

static void get_new_head(an__lr_source *source, an__lr_head *head)
{
    head->desc_size = an__lr_get(source, 8);
    head->memory_count = an__lr_get(source, 8);
    head->edit_count = an__lr_get(source, 8);
    head->run.total_steps = get_fact(source);
    head->run.epochs = get_fact(source);
    head->run.steps_per_epoch = get_fact(source);
    head->run.samples_per_step = an__lr_get_real(source);
    head->run.tokens_per_step = an__lr_get_real(source);
    head->run.seconds = an__lr_get_real(source);
    head->run.clocked = an__lr_get(source, 8) != 0;
    for (int u = 1; u < AN__LR_CLOCKS; u++) {
        head->now[u] = an__lr_get_real(source);
        source->broken |= !(head->now[u] >= 0 && isfinite(head->now[u]));
    }
    get_landing(source, &head->landing);
    if (head->memory_count > COUNT_MAX || head->edit_count > COUNT_MAX)
        source->broken = true;
    head->memory = *source;
    an__lr_take(source, source->broken ? 0 : head->memory_count * 8);
    head->edits = *source;
    an__lr_take(source, source->broken ? 0 : head->edit_count * 24);
}

/* Passes over the groups; false when they do not fill the rest. */
static bool groups_fit(an__lr_source source, const an__lr_head *head)
{
    for (uint64_t i = 0; i < head->groups && !source.broken; i++) {
        an__lr_take(&source, head->nodes * 8 + (head->old ? OLD_SLOTS * OLD_SLOT_SIZE : 8));
        uint64_t slots = head->old ? 0 : an__lr_get(&source, 8);
        source.broken |= slots > AN_SLOT_COUNT;
        for (uint64_t k = 0; k < slots && !source.broken; k++) {
            an__lr_take(&source, an__lr_get(&source, 4));
            an__lr_take(&source, 24);
        }
    }
    return !source.broken && source.at == source.end;
}

bool an__lr_state_open(an__lr_source *source, an__lr_head *head, an_error *err)
{
    *head = (an__lr_head){0};
    if (!check_bytes(source, &head->old, err))
        return false;
    source->end -= END_SIZE;
    an__lr_take(source, 8);
    head->groups = an__lr_get(source, 8);
    head->nodes = an__lr_get(source, 8);
    head->clock = an__lr_get(source, 8);
    (head->old ? get_old_head : get_new_head)(source, head);
    an__lr_source groups = *source;
    an__lr_take(&groups, head->desc_size);
    if (head->clock > COUNT_MAX || (head->old && source->broken))
        return an_error_set(err, AN_ERROR_DATA, "the schedule's state counts impossible steps");
    if (source->broken || head->groups > AN__LR_MAX_GROUPS || head->nodes > AN__LR_MAX_NODES ||
        groups.broken || !groups_fit(groups, head))
        return an_error_set(err, AN_ERROR_DATA, "the schedule's state has a wrong length");
    return true;
}

/* ----------------------------------------------------------------- loading */

/* The memory of all nodes in their order. */
static void get_memory(an__lr_source *source, const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        node->memory[i] = an__lr_get_real(source);
    if (node->class->feedback && node->class->feedback->mend)
        node->class->feedback->mend(node);
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        get_memory(source, node->children[i]);
}

/* The slot of a group that a state means; AN_SLOT_COUNT if there is none. */
static an_slot_id slot_of(an__lr_source *source, const an_lr_group *group)
{
    uint64_t length = an__lr_get(source, 4);
    const unsigned char *text = an__lr_take(source, length);
    for (int id = 0; text && id < AN_SLOT_COUNT; id++) {
        const char *name = an__lr_slot_name(group, (an_slot_id)id);
        if (strlen(name) == length && memcmp(name, text, length) == 0)
            return (an_slot_id)id;
    }
    return AN_SLOT_COUNT;
}

static void get_slot(an__lr_source *source, an_slot *slot)
{
    slot->value = an__lr_get_real(source);
    slot->initial = an__lr_get_real(source);
    uint64_t flags = an__lr_get(source, 8);
    slot->present = (flags & AN__STATE_FLAG_PRESENT) != 0;
    slot->has_initial = (flags & AN__STATE_FLAG_INITIAL) != 0;
}

static void get_member(an__lr_source *source, an__lr_member *m, size_t node_count, bool old)
{
    for (size_t i = 0; i < node_count; i++)
        m->base[i] = an__lr_get_real(source);
    m->from = old ? m->group->slot[AN_LR].value : an__lr_get_real(source);
    uint64_t slots = old ? OLD_SLOTS : an__lr_get(source, 8);
    for (uint64_t i = 0; i < slots; i++) {
        an_slot_id id = old ? (an_slot_id)i : slot_of(source, m->group);
        get_slot(source, &m->group->slot[id]);
    }
}

/* Slots with names of the program's own must be known before they are filled. */
static bool check_slots(const an_lr_schedule *s, an__lr_source source, const an__lr_head *head,
                        an_error *err)
{
    for (size_t i = 0; i < s->member_count && !head->old; i++) {
        an__lr_take(&source, head->nodes * 8 + 8);
        uint64_t slots = an__lr_get(&source, 8);
        for (uint64_t k = 0; k < slots; k++) {
            if (slot_of(&source, an__lr_member_at(s, i)->group) == AN_SLOT_COUNT)
                return an_error_set(err, AN_ERROR_STATE,
                                    "the state has a slot that group %zu does not know; name the "
                                    "program's own slots with an_lr_group_name first",
                                    i);
            an__lr_take(&source, 24);
        }
    }
    return true;
}

/* The base rate that a leaf has from its parameters; `saved` where it has it from the group. */
static double own_base(const an_lr_desc *desc, size_t group, double saved)
{
    if (desc->kind == AN_ONE_CYCLE_LR)
        return an__lr_real(&desc->one_cycle.max_lr, group) / desc->one_cycle.div_factor;
    return desc->kind == AN_CYCLIC_LR ? an__lr_real(&desc->cyclic.base_lr, group) : saved;
}

/*
 * Base rates that come from parameters are the new ones. Leaves after it and the group may have
 * taken such a rate as the initial one: *from is what it was, *to what it is now.
 */
static AN__SMALL void adopt_bases(const an__lr_node *node, an__lr_member *m, double *from,
                                  double *to)
{
    double *base = &m->base[node->index], saved = *base;
    for (size_t i = 0; i < node->child_count; i++)
        adopt_bases(node->children[i], m, from, to);
    if (node->child_count > 0) {
        *base = m->base[node->children[0]->index];
        return;
    }
    *base = own_base(&node->desc, m->index, saved == *from ? *to : saved);
    if (*base != saved) {
        *from = saved;
        *to = *base;
    }
}

static void adopt(an_lr_schedule *s)
{
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_member *m = an__lr_member_at(s, i);
        an_slot *lr = &m->group->slot[AN_LR];
        double from = NAN, to = NAN;
        adopt_bases(s->root, m, &from, &to);
        if (lr->initial == from)
            lr->initial = to;
    }
    if (!an_lr_wants_metric(s))
        an__lr_write_values(s);
}

static bool refuse(const an_lr_changes *changes, bool kinds, an_error *err)
{
    if (kinds)
        return an_error_set(err, AN_ERROR_STATE,
                            "the state is of another schedule (%s); make the schedule that was "
                            "saved",
                            changes->text);
    return an_error_set(err, AN_ERROR_STATE,
                        "the state was saved with other parameters (%s); AN_LR_ADOPT goes on with "
                        "the schedule's own, a schedule from an_lr_state_desc with the saved ones",
                        changes->text);
}

/* What has changed while the run trained must have room. */
static bool check_edits(const an_lr_schedule *s, const an__lr_head *head, an_error *err)
{
    bool room = s->run.edits > 0 && head->edit_count <= (uint64_t)s->run.edits;
    if ((head->edit_count == 0 && !head->landing.active) || room)
        return true;
    return an_error_set(err, AN_ERROR_STATE,
                        "the state was extended or landed %llu times, but the schedule has room "
                        "for %d; make it with more an_lr_run.edits",
                        (unsigned long long)head->edit_count + head->landing.active, s->run.edits);
}

static void load_feedback(an_lr_schedule *s, const an__lr_head *head)
{
    an__lr_source memory = head->memory;
    double *plateau = s->root->memory;
    if (!head->old) {
        get_memory(&memory, s->root);
    } else if (s->root->desc.kind == AN_PLATEAU_LR) {
        plateau[0] = an__lr_get_real(&memory);
        plateau[1] = (double)an__lr_get(&memory, 8);
        plateau[2] = (double)an__lr_get(&memory, 8);
        plateau[3] = 0;
    }
}

static void load_course(an_lr_schedule *s, const an__lr_head *head)
{
    an__lr_source edits = head->edits;
    s->now = (an__lr_time){{(double)head->clock}};
    for (int u = 1; u < AN__LR_CLOCKS; u++)
        s->now.at[u] = head->now[u];
    s->edit_count = (int)head->edit_count;
    for (int i = 0; i < s->edit_count; i++) {
        s->edits[i].begin = an__lr_get_real(&edits);
        s->edits[i].plan = an__lr_get_real(&edits);
        s->edits[i].speed = an__lr_get_real(&edits);
    }
    if (s->landing)
        *s->landing = head->landing;
}

/* Whether the state's description fits the schedule's, and its feedback the schedule's room. */
static bool check_desc(const an_lr_schedule *s, const an__lr_source *source,
                       const an__lr_head *head, an_lr_policy policy, an__lr_relation *relation,
                       an_lr_changes *changes, an_error *err)
{
    an__lr_source desc = {.at = source->at, .end = source->at + head->desc_size};
    *relation = an__lr_compare_desc(desc, &s->root->desc, &head->run, &s->run, changes);
    if (*relation == AN__NO_DESC || (*relation < AN__OTHER_KINDS && head->nodes != s->node_count))
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state describes no schedule that this library knows");
    if (*relation == AN__OTHER_KINDS || (*relation == AN__OTHER_PARAMS && policy != AN_LR_ADOPT))
        return refuse(changes, *relation == AN__OTHER_KINDS, err);
    if (head->old || head->memory_count == an__lr_memory_count(s->root))
        return true;
    return an_error_set(err, AN_ERROR_STATE,
                        "the state remembers %llu numbers of feedback, this schedule %zu: windows "
                        "and whether there is a clock must be what they were",
                        (unsigned long long)head->memory_count, an__lr_memory_count(s->root));
}

bool an_lr_state_load(an_lr_schedule *schedule, const void *bytes, size_t size, an_lr_policy policy,
                      an_lr_changes *changes, an_error *err)
{
    an_lr_schedule *s = schedule;
    an__lr_source source = {.at = bytes, .end = bytes ? (const unsigned char *)bytes + size : NULL};
    an__lr_head head;
    an__lr_relation relation;
    an_lr_changes own;
    if (!an__lr_state_open(&source, &head, err))
        return false;
    if (head.groups != s->member_count)
        return an_error_set(err, AN_ERROR_STATE,
                            "the state is of a schedule over %llu groups, this one has %zu",
                            (unsigned long long)head.groups, s->member_count);
    if (!check_desc(s, &source, &head, policy, &relation, changes ? changes : &own, err) ||
        !check_edits(s, &head, err))
        return false;
    an__lr_take(&source, head.desc_size);
    if (!check_slots(s, source, &head, err))
        return false;
    load_course(s, &head);
    load_feedback(s, &head);
    for (size_t i = 0; i < s->member_count; i++)
        get_member(&source, an__lr_member_at(s, i), s->node_count, head.old);
    if (relation == AN__OTHER_PARAMS)
        adopt(s);
    return true;
}

bool an_lr_state_run(const void *bytes, size_t size, an_lr_run *run, an_error *err)
{
    an__lr_source source = {.at = bytes, .end = bytes ? (const unsigned char *)bytes + size : NULL};
    an__lr_head head;
    if (!an__lr_state_open(&source, &head, err))
        return false;
    *run = head.run;
    run->edits = head.edit_count > AN_LR_MOST_EDITS ? AN_LR_MOST_EDITS : (int)head.edit_count;
    if (run->edits == 0 && head.landing.active)
        run->edits = 1;
    return true;
}

AN__COLD_END
