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

/* ------------------------------------------------------------------- bytes */

AN__SMALL uint64_t an__lr_checksum(const unsigned char *bytes, size_t size)
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
    an__lr_put(sink, AN__STATE_MAGIC, 4);
    an__lr_put(sink, AN__STATE_VERSION, 4);
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
    an__lr_put(sink,
               (slot->present ? AN__STATE_FLAG_PRESENT : 0) |
                   (slot->has_initial ? AN__STATE_FLAG_INITIAL : 0),
               8);
}

void an__lr_state_end(an__lr_sink *sink)
{
    an__lr_put(sink, sink->out ? an__lr_checksum(sink->out, sink->used) : 0, 8);
}

size_t an__lr_memory_count(const an__lr_node *node)
{
    size_t count = node->memory_count;
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        count += an__lr_memory_count(node->children[i]);
    return count;
}

static void put_memory(an__lr_sink *sink, const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        an__lr_put_real(sink, node->memory[i]);
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        put_memory(sink, node->children[i]);
}

an__lr_head an__lr_head_of(const an_lr_schedule *s)
{
    an__lr_head head = {.groups = s->member_count,
                        .nodes = s->node_count,
                        .clock = (uint64_t)s->now.at[AN_STEPS],
                        .memory_count = an__lr_memory_count(s->root),
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

AN__COLD_END
