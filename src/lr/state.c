/*
 * state.c - what a run keeps of a schedule, as bytes that are the same on every machine.
 *
 * All numbers are little-endian, doubles as their 64 bits:
 *
 *   +------+---------+--------+-------+-------+------+-----+----------+-----------+-------------+
 *   | ANLR | version | groups | nodes | clock | best | bad | cooldown | desc size | description |
 *   | 4    | 4       | 8      | 8     | 8     | 8    | 8   | 8        | 8         | desc size   |
 *   +------+---------+--------+-------+-------+------+-----+----------+-----------+-------------+
 *   for each group: a base rate for each node; for each slot: value, initial, flags
 *   a checksum (FNV-1a, 8 bytes) of everything before it
 *
 * best, bad and cooldown are a plateau's memory. state_desc.c draws the description.
 */
#include "lr/numeric.h"

#include "lr/state.h"
#include <string.h>

#define MAGIC 0x524c4e41u /* "ANLR" */
#define VERSION 2u
#define COUNT_MAX ((uint64_t)1 << 53)
#define HEAD_SIZE 64
#define SLOT_SIZE 24
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

void an__lr_state_begin(an__lr_sink *sink, an__lr_head head, const an_lr_desc *desc)
{
    an__lr_sink counted = {0};
    an__lr_put_desc(&counted, desc);
    an__lr_put(sink, MAGIC, 4);
    an__lr_put(sink, VERSION, 4);
    an__lr_put(sink, head.groups, 8);
    an__lr_put(sink, head.nodes, 8);
    an__lr_put(sink, head.clock, 8);
    an__lr_put_real(sink, head.best);
    an__lr_put(sink, head.bad, 8);
    an__lr_put(sink, head.cooldown, 8);
    an__lr_put(sink, counted.used, 8);
    an__lr_put_desc(sink, desc);
}

void an__lr_put_slot(an__lr_sink *sink, const an_slot *slot)
{
    an__lr_put_real(sink, slot->value);
    an__lr_put_real(sink, slot->initial);
    an__lr_put(sink, (slot->present ? FLAG_PRESENT : 0) | (slot->has_initial ? FLAG_INITIAL : 0),
               8);
}

void an__lr_state_end(an__lr_sink *sink)
{
    an__lr_put(sink, sink->out ? checksum(sink->out, sink->used) : 0, 8);
}

static AN__SMALL size_t save(const an_lr_schedule *s, unsigned char *out)
{
    an__lr_sink sink = {.out = out};
    an__lr_head head = {.groups = s->member_count,
                        .nodes = s->node_count,
                        .clock = (uint64_t)s->clock,
                        .best = s->plateau.best,
                        .bad = (uint64_t)s->plateau.bad,
                        .cooldown = (uint64_t)s->plateau.cooldown};
    an__lr_state_begin(&sink, head, &s->root->desc);
    for (size_t i = 0; i < s->member_count; i++) {
        const an__lr_member *m = an__lr_member_at(s, i);
        for (size_t node = 0; node < s->node_count; node++)
            an__lr_put_real(&sink, m->base[node]);
        for (int id = 0; id < AN_SLOT_COUNT; id++)
            an__lr_put_slot(&sink, &m->group->slot[id]);
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
static bool check_bytes(const an__lr_source *source, an_error *err)
{
    an__lr_source in = *source;
    size_t size = in.at ? (size_t)(in.end - in.at) : 0;
    if (size < HEAD_SIZE + END_SIZE || an__lr_get(&in, 4) != MAGIC)
        return an_error_set(err, AN_ERROR_DATA, "these %zu bytes are not a schedule's state", size);
    unsigned version = (unsigned)an__lr_get(&in, 4);
    if (version != VERSION)
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state has version %u; this library reads version %u",
                            version, VERSION);
    in.at = in.end - END_SIZE;
    if (an__lr_get(&in, 8) != checksum(source->at, size - END_SIZE))
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state is damaged: its checksum does not fit");
    return true;
}

bool an__lr_state_open(an__lr_source *source, an__lr_head *head, an_error *err)
{
    if (!check_bytes(source, err))
        return false;
    an__lr_take(source, 8);
    head->groups = an__lr_get(source, 8);
    head->nodes = an__lr_get(source, 8);
    head->clock = an__lr_get(source, 8);
    head->best = an__lr_get_real(source);
    head->bad = an__lr_get(source, 8);
    head->cooldown = an__lr_get(source, 8);
    head->desc_size = an__lr_get(source, 8);
    source->end -= END_SIZE;
    uint64_t left = (uint64_t)(source->end - source->at);
    if (head->groups > AN__LR_MAX_GROUPS || head->nodes > AN__LR_MAX_NODES ||
        head->desc_size > left ||
        left - head->desc_size != head->groups * (head->nodes * 8 + AN_SLOT_COUNT * SLOT_SIZE))
        return an_error_set(err, AN_ERROR_DATA, "the schedule's state has a wrong length");
    if (head->clock > COUNT_MAX || head->bad > COUNT_MAX || head->cooldown > COUNT_MAX)
        return an_error_set(err, AN_ERROR_DATA, "the schedule's state counts impossible steps");
    return true;
}

/* ----------------------------------------------------------------- loading */

static void get_member(an__lr_source *source, an__lr_member *m, size_t node_count)
{
    for (size_t i = 0; i < node_count; i++)
        m->base[i] = an__lr_get_real(source);
    for (int id = 0; id < AN_SLOT_COUNT; id++) {
        an_slot *slot = &m->group->slot[id];
        slot->value = an__lr_get_real(source);
        slot->initial = an__lr_get_real(source);
        uint64_t flags = an__lr_get(source, 8);
        slot->present = (flags & FLAG_PRESENT) != 0;
        slot->has_initial = (flags & FLAG_INITIAL) != 0;
    }
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
        an_lr_step_to(s, s->clock, NULL);
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

bool an_lr_state_load(an_lr_schedule *schedule, const void *bytes, size_t size, an_lr_policy policy,
                      an_lr_changes *changes, an_error *err)
{
    an_lr_schedule *s = schedule;
    an__lr_source source = {.at = bytes, .end = bytes ? (const unsigned char *)bytes + size : NULL};
    an__lr_head head;
    if (!an__lr_state_open(&source, &head, err))
        return false;
    if (head.groups != s->member_count)
        return an_error_set(err, AN_ERROR_STATE,
                            "the state is of a schedule over %llu groups, this one has %zu",
                            (unsigned long long)head.groups, s->member_count);
    an_lr_changes own;
    changes = changes ? changes : &own;
    an__lr_source desc = {.at = source.at, .end = source.at + head.desc_size};
    an__lr_relation relation = an__lr_compare_desc(desc, &s->root->desc, changes);
    if (relation == AN__NO_DESC || (relation < AN__OTHER_KINDS && head.nodes != s->node_count))
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state describes no schedule that this library knows");
    if (relation == AN__OTHER_KINDS || (relation == AN__OTHER_PARAMS && policy != AN_LR_ADOPT))
        return refuse(changes, relation == AN__OTHER_KINDS, err);
    an__lr_take(&source, head.desc_size);
    s->clock = (int64_t)head.clock;
    s->plateau = (an__lr_plateau){head.best, (int64_t)head.bad, (int64_t)head.cooldown};
    for (size_t i = 0; i < s->member_count; i++)
        get_member(&source, an__lr_member_at(s, i), s->node_count);
    if (relation == AN__OTHER_PARAMS)
        adopt(s);
    return true;
}
