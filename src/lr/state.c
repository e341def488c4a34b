/*
 * state.c - what a run keeps of a schedule, as bytes that are the same on every machine.
 *
 * All numbers are little-endian, doubles as their 64 bits:
 *
 *   +------+---------+-------------+--------+-------+-------+------+-----+----------+
 *   | ANLR | version | description | groups | nodes | clock | best | bad | cooldown |
 *   | 4    | 4       | 8           | 8      | 8     | 8     | 8    | 8   | 8        |
 *   +------+---------+-------------+--------+-------+-------+------+-----+----------+
 *   for each group: a base rate for each node; for each slot: value, initial, flags
 *   a checksum of everything before it
 *
 * `description` is a hash of the kinds and parameters of the tree. A function of the user's counts
 * only as being there: what it computes is his business.
 */
#include "lr/node.h"
#include <string.h>

#define MAGIC 0x524c4e41u /* "ANLR" */
#define VERSION 1u
#define COUNT_MAX ((uint64_t)1 << 53)
#define HEAD_SIZE 64
#define SLOT_SIZE 24
#define FLAG_PRESENT 1u
#define FLAG_INITIAL 2u

/* ------------------------------------------------------------------- bytes */

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        h = (h ^ at[i]) * 0x100000001b3u;
    return h;
}

#define HASH_START 0xcbf29ce484222325u

static unsigned char *put(unsigned char *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        at[i] = (unsigned char)(value >> (8 * i));
    return at + size;
}

static uint64_t get(const unsigned char **at, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint64_t)(*at)[i] << (8 * i);
    *at += size;
    return value;
}

static unsigned char *put_real(unsigned char *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return put(at, bits, 8);
}

static double get_real(const unsigned char **at)
{
    uint64_t bits = get(at, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ------------------------------------------------------------- description */

static uint64_t hash_number(uint64_t h, uint64_t value)
{
    unsigned char bytes[8];
    put(bytes, value, 8);
    return hash(h, bytes, 8);
}

static uint64_t hash_real(uint64_t h, double value)
{
    unsigned char bytes[8];
    put_real(bytes, value == 0 ? 0 : value);
    return hash(h, bytes, 8);
}

static uint64_t hash_reals(uint64_t h, const an_lr_reals *reals)
{
    h = hash_number(h, reals->count);
    if (reals->count == 0)
        return hash_real(h, reals->value);
    for (size_t i = 0; i < reals->count; i++)
        h = hash_real(h, reals->each[i]);
    return h;
}

static uint64_t hash_integers(uint64_t h, const an_lr_integers *integers)
{
    h = hash_number(h, integers->count);
    for (size_t i = 0; i < integers->count; i++)
        h = hash_number(h, (uint64_t)integers->each[i]);
    return h;
}

static uint64_t hash_param(uint64_t h, const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        return hash_number(h, (uint64_t) * (const int64_t *)at);
    case AN_LR_REAL:
        return hash_real(h, *(const double *)at);
    case AN_LR_BOOL:
        return hash_number(h, *(const bool *)at);
    case AN_LR_CHOICE:
        return hash_number(h, (uint64_t)an__lr_choice(desc, param));
    case AN_LR_REALS:
        return hash_reals(h, at);
    case AN_LR_INTEGERS:
        return hash_integers(h, at);
    case AN_LR_FUNCTION:
        return hash_number(h, ((const an_lr_function *)at)->call != NULL);
    case AN_LR_FUNCTIONS:
        return hash_number(h, ((const an_lr_functions *)at)->count);
    case AN_LR_CHILDREN:
        break;
    }
    return h;
}

static uint64_t hash_tree(uint64_t h, const an__lr_node *node)
{
    size_t count;
    const an_lr_param *params = an_lr_params(node->desc.kind, &count);
    const char *name = an_lr_name(node->desc.kind);
    h = hash(h, name, strlen(name) + 1);
    for (size_t i = 0; i < count; i++)
        h = hash_param(h, &node->desc, &params[i]);
    h = hash_number(h, node->child_count);
    for (size_t i = 0; i < node->child_count; i++)
        h = hash_tree(h, node->children[i]);
    return h;
}

/* ------------------------------------------------------------------ saving */

size_t an_lr_state_size(const an_lr_schedule *schedule)
{
    size_t group = schedule->node_count * 8 + AN_SLOT_COUNT * SLOT_SIZE;
    return HEAD_SIZE + schedule->member_count * group + 8;
}

static unsigned char *put_member(unsigned char *at, const an__lr_member *m, size_t node_count)
{
    for (size_t i = 0; i < node_count; i++)
        at = put_real(at, m->base[i]);
    for (int id = 0; id < AN_SLOT_COUNT; id++) {
        const an_slot *slot = &m->group->slot[id];
        at = put_real(at, slot->value);
        at = put_real(at, slot->initial);
        at = put(at, (slot->present ? FLAG_PRESENT : 0u) | (slot->has_initial ? FLAG_INITIAL : 0u),
                 8);
    }
    return at;
}

size_t an_lr_state_save(const an_lr_schedule *schedule, void *bytes, size_t size)
{
    const an_lr_schedule *s = schedule;
    size_t needed = an_lr_state_size(s);
    if (!bytes || size < needed)
        return 0;
    unsigned char *begin = bytes, *at = begin;
    at = put(at, MAGIC, 4);
    at = put(at, VERSION, 4);
    at = put(at, hash_tree(HASH_START, s->root), 8);
    at = put(at, s->member_count, 8);
    at = put(at, s->node_count, 8);
    at = put(at, (uint64_t)s->clock, 8);
    at = put_real(at, s->plateau.best);
    at = put(at, (uint64_t)s->plateau.bad, 8);
    at = put(at, (uint64_t)s->plateau.cooldown, 8);
    for (size_t i = 0; i < s->member_count; i++)
        at = put_member(at, an__lr_member_at(s, i), s->node_count);
    put(at, hash(HASH_START, begin, (size_t)(at - begin)), 8);
    return needed;
}

/* ----------------------------------------------------------------- loading */

/* Length and checksum first, so that nothing is read from damaged bytes. */
static bool check_bytes(const void *bytes, size_t size, an_error *err)
{
    const unsigned char *at = bytes;
    if (!bytes || size < HEAD_SIZE + 8 || get(&at, 4) != MAGIC)
        return an_error_set(err, AN_ERROR_DATA, "these %zu bytes are not a schedule's state",
                            bytes ? size : 0);
    unsigned version = (unsigned)get(&at, 4);
    if (version != VERSION)
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state has version %u; this library reads version %u",
                            version, VERSION);
    at = (const unsigned char *)bytes + size - 8;
    if (get(&at, 8) != hash(HASH_START, bytes, size - 8))
        return an_error_set(err, AN_ERROR_DATA,
                            "the schedule's state is damaged: its checksum does not fit");
    return true;
}

static bool check_owner(const an_lr_schedule *s, const unsigned char *at, size_t size,
                        an_error *err)
{
    uint64_t description = get(&at, 8), groups = get(&at, 8);
    if (groups != s->member_count)
        return an_error_set(err, AN_ERROR_STATE,
                            "the state is of a schedule over %llu groups, this one has %zu",
                            (unsigned long long)groups, s->member_count);
    if (description != hash_tree(HASH_START, s->root) || get(&at, 8) != s->node_count ||
        size != an_lr_state_size(s))
        return an_error_set(err, AN_ERROR_STATE,
                            "the state is of a schedule with other parameters; make the schedule "
                            "with those it was saved with");
    return true;
}

static void get_member(const unsigned char **at, an__lr_member *m, size_t node_count)
{
    for (size_t i = 0; i < node_count; i++)
        m->base[i] = get_real(at);
    for (int id = 0; id < AN_SLOT_COUNT; id++) {
        an_slot *slot = &m->group->slot[id];
        slot->value = get_real(at);
        slot->initial = get_real(at);
        uint64_t flags = get(at, 8);
        slot->present = (flags & FLAG_PRESENT) != 0;
        slot->has_initial = (flags & FLAG_INITIAL) != 0;
    }
}

bool an_lr_state_load(an_lr_schedule *schedule, const void *bytes, size_t size, an_error *err)
{
    an_lr_schedule *s = schedule;
    const unsigned char *at = bytes;
    if (!check_bytes(bytes, size, err) || !check_owner(s, at + 8, size, err))
        return false;
    at += 32;
    uint64_t clock = get(&at, 8);
    an__lr_plateau plateau = {.best = get_real(&at)};
    uint64_t bad = get(&at, 8), cooldown = get(&at, 8);
    if (clock > COUNT_MAX || bad > COUNT_MAX || cooldown > COUNT_MAX)
        return an_error_set(err, AN_ERROR_DATA, "the schedule's state counts impossible steps");
    plateau.bad = (int64_t)bad;
    plateau.cooldown = (int64_t)cooldown;
    s->clock = (int64_t)clock;
    s->plateau = plateau;
    for (size_t i = 0; i < s->member_count; i++)
        get_member(&at, an__lr_member_at(s, i), s->node_count);
    return true;
}
