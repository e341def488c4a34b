/*
 * state.c - what a run keeps of a schedule, as bytes that are the same on every machine.
 *
 * All numbers are little-endian, doubles as their 64 bits, all of 8 bytes but the first two:
 *
 *   ANLR | version | groups | nodes | step | size of the description | M, numbers of feedback |
 *   E, edits | the run's total_steps, epochs, steps_per_epoch, samples_per_step, tokens_per_step,
 *   seconds, clocked | epochs, samples, tokens, seconds of now | the landing: active, tail, length,
 *   its unit, begin, end
 *   M reals | for each edit: begin, plan, speed | the description, which state_desc.c draws
 *   for each group: a base rate for each node | what a landing began at | S
 *       for each of S slots: length of the name: 4, name | value | initial | flags
 *   a checksum (FNV-1a) of everything before it
 *
 * Version 2, which is read too, ends the head with best, bad steps and cooldown of a plateau, has
 * no M and E, and for each group four slots without names, in the order of AN_SLOT_MAP.
 */
#include "lr/numeric.h"

#include "lr/state.h"
#include <string.h>

AN__COLD_BEGIN

#define MAGIC 0x524c4e41u /* "ANLR" */
#define VERSION 3u
#define OLD_VERSION 2u
#define COUNT_MAX ((uint64_t)1 << 53)
#define OLD_HEAD_SIZE 64
#define OLD_SLOT_SIZE 24
#define OLD_SLOTS 4
#define END_SIZE 8
#define FLAG_PRESENT 1u
#define FLAG_INITIAL 2u

/* ------------------------------------------------------------------- bytes */

static AN__SMALL uint64_t checksum(const unsigned char *bytes, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return h;
}

AN__SMALL void an__lr_put(an__lr_sink *sink, uint64_t value, int size)
{
    const unsigned char *saved = sink->saved ? an__lr_take(sink->saved, (uint64_t)size) : NULL;
    sink->differs |= sink->saved && !saved;
    for (int i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(value >> (8 * i));
        if (sink->out && (sink->room == 0 || sink->used < sink->room))
            sink->out[sink->used] = byte;
        sink->differs |= saved && saved[i] != byte;
        sink->used++;
    }
}

AN__SMALL void an__lr_put_real(an__lr_sink *sink, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    an__lr_put(sink, bits, 8);
}

const unsigned char *an__lr_take(an__lr_source *source, uint64_t size)
{
    const unsigned char *taken = source->at;
    if (source->broken || size > (uint64_t)(source->end - source->at)) {
        source->broken = true;
        return NULL;
    }
    source->at += size;
    return taken;
}

AN__SMALL uint64_t an__lr_get(an__lr_source *source, int size)
{
    const unsigned char *bytes = an__lr_take(source, (uint64_t)size);
    uint64_t value = 0;
    for (int i = 0; bytes && i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

AN__SMALL double an__lr_get_real(an__lr_source *source)
{
    uint64_t bits = an__lr_get(source, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ------------------------------------------------------------------ saving */

static void put_head(an__lr_sink *sink, const an__lr_head *h, size_t desc_size)
{
    const uint64_t counts[] = {h->groups,
                               h->nodes,
                               h->clock,
                               desc_size,
                               h->memory_count,
                               h->edit_count,
                               (uint64_t)h->run.total_steps,
                               (uint64_t)h->run.epochs,
                               (uint64_t)h->run.steps_per_epoch};
    const double reals[] = {h->run.samples_per_step, h->run.tokens_per_step, h->run.seconds};
    an__lr_put(sink, MAGIC, 4);
    an__lr_put(sink, VERSION, 4);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        an__lr_put(sink, counts[i], 8);
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        an__lr_put_real(sink, reals[i]);
    an__lr_put(sink, h->run.clocked, 8);
    for (int u = 1; u < AN__LR_CLOCKS; u++)
        an__lr_put_real(sink, h->now[u]);
    an__lr_put(sink, h->landing.active, 8);
    an__lr_put(sink, h->landing.tail, 8);
    an__lr_put_real(sink, h->landing.length.value);
    an__lr_put(sink, h->landing.length.unit, 8);
    an__lr_put_real(sink, h->landing.begin);
    an__lr_put_real(sink, h->landing.end);
}

void an__lr_state_begin(an__lr_sink *sink, const an__lr_head *head, const an_lr_desc *desc)
{
    an__lr_sink counted = {0};
    an__lr_put_desc(&counted, desc);
    put_head(sink, head, counted.used);
}

const char *an__lr_slot_name(const an_lr_group *group, an_slot_id id)
{
    const char *own = id >= AN_USER0 ? group->user_name[id - AN_USER0] : NULL;
    return own ? own : an_slot_name(id);
}

void an__lr_put_slot(an__lr_sink *sink, const char *name, const an_slot *slot)
{
    an__lr_put_text(sink, name);
    an__lr_put_real(sink, slot->value);
    an__lr_put_real(sink, slot->initial);
    an__lr_put(sink, (slot->present ? FLAG_PRESENT : 0) | (slot->has_initial ? FLAG_INITIAL : 0),
               8);
}

void an__lr_state_end(an__lr_sink *sink)
{
    an__lr_put(sink, sink->out ? checksum(sink->out, sink->used) : 0, 8);
}

/* The memory of all nodes in their order: how much, and put or got. */
static size_t memory_count(const an__lr_node *node)
{
    size_t count = node->memory_count;
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        count += memory_count(node->children[i]);
    return count;
}

static void put_memory(an__lr_sink *sink, const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        an__lr_put_real(sink, node->memory[i]);
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        put_memory(sink, node->children[i]);
}

static void get_memory(an__lr_source *source, const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        node->memory[i] = an__lr_get_real(source);
    if (node->class->feedback && node->class->feedback->mend)
        node->class->feedback->mend(node);
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        get_memory(source, node->children[i]);
}

an__lr_head an__lr_head_of(const an_lr_schedule *s)
{
    an__lr_head head = {.groups = s->member_count,
                        .nodes = s->node_count,
                        .clock = (uint64_t)s->now.at[AN_STEPS],
                        .memory_count = memory_count(s->root),
                        .edit_count = (uint64_t)s->edit_count,
                        .run = s->run};
    for (int u = 1; u < AN__LR_CLOCKS; u++)
        head.now[u] = s->now.at[u];
    if (s->landing)
        head.landing = *s->landing;
    return head;
}

static void put_slots(an__lr_sink *sink, const an_lr_group *group)
{
    uint64_t count = 0;
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        count += group->slot[id].present;
    an__lr_put(sink, count, 8);
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        if (group->slot[id].present)
            an__lr_put_slot(sink, an__lr_slot_name(group, (an_slot_id)id), &group->slot[id]);
}

static size_t save(const an_lr_schedule *s, unsigned char *out)
{
    an__lr_sink sink = {.out = out};
    an__lr_head head = an__lr_head_of(s);
    an__lr_state_begin(&sink, &head, &s->root->desc);
    put_memory(&sink, s->root);
    for (int i = 0; i < s->edit_count; i++) {
        an__lr_put_real(&sink, s->edits[i].begin);
        an__lr_put_real(&sink, s->edits[i].plan);
        an__lr_put_real(&sink, s->edits[i].speed);
    }
    an__lr_put_desc(&sink, &s->root->desc);
    for (size_t i = 0; i < s->member_count; i++) {
        const an__lr_member *m = an__lr_member_at(s, i);
        for (size_t node = 0; node < s->node_count; node++)
            an__lr_put_real(&sink, m->base[node]);
        an__lr_put_real(&sink, m->from);
        put_slots(&sink, m->group);
    }
    an__lr_state_end(&sink);
    return sink.used;
}

size_t an_lr_state_size(const an_lr_schedule *schedule)
{
    return save(schedule, NULL);
}

size_t an_lr_state_save(const an_lr_schedule *schedule, void *bytes, size_t size)
{
    if (!bytes || size < an_lr_state_size(schedule))
        return 0;
    return save(schedule, bytes);
}

/* ----------------------------------------------------------------- reading */

/* Length and checksum first, so that nothing is read from damaged bytes. */
static bool check_bytes(const an__lr_source *source, bool *old, an_error *err)
{
    an__lr_source in = *source;
    size_t size = in.at ? (size_t)(in.end - in.at) : 0;
    if (size < OLD_HEAD_SIZE + END_SIZE || an__lr_get(&in, 4) != MAGIC)
        return an_error_set(err, AN_ERROR_DATA, "these %zu bytes are not a schedule's state", size);
    unsigned version = (unsigned)an__lr_get(&in, 4);
    *old = version == OLD_VERSION;
    if (version != VERSION && !*old)
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state has version %u; this library reads versions %u "
                            "and %u",
                            version, OLD_VERSION, VERSION);
    in.at = in.end - END_SIZE;
    if (an__lr_get(&in, 8) != checksum(source->at, size - END_SIZE))
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
    slot->present = (flags & FLAG_PRESENT) != 0;
    slot->has_initial = (flags & FLAG_INITIAL) != 0;
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
    if (head->old || head->memory_count == memory_count(s->root))
        return true;
    return an_error_set(err, AN_ERROR_STATE,
                        "the state remembers %llu numbers of feedback, this schedule %zu: windows "
                        "and whether there is a clock must be what they were",
                        (unsigned long long)head->memory_count, memory_count(s->root));
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
    run->edits = head.edit_count > 1000 ? 1000 : (int)head.edit_count;
    if (run->edits == 0 && head.landing.active)
        run->edits = 1;
    return true;
}

AN__COLD_END
