#include "train/sections.h"

#include <anneal/lr.h>

#include <string.h>

size_t an__entry_size(const an_optim_state *entry)
{
    return (size_t)entry->count * (entry->kind == AN_STATE_FLOAT ? 4 : 8);
}

size_t an__entry_count(const an_fit_options *o)
{
    return an_optim_state_count(o->optim) + (o->average ? an_average_state_count(o->average) : 0);
}

an__entry an__entry_get(const an_fit_options *o, size_t index)
{
    const size_t own = an_optim_state_count(o->optim);
    if (index < own)
        return (an__entry){"optimizer/", an_optim_state_get(o->optim, index)};
    return (an__entry){"average/", an_average_state_get(o->average, index - own)};
}

static const an__section *section_of(const an__container *container, const an__entry *entry,
                                     an_arena *arena)
{
    const char *name = an__section_name(entry->prefix, entry->state.name, arena);
    return name ? an__container_find(container, name) : NULL;
}

bool an__entries_fit(const an_fit_options *o, const an__container *container, an_arena *arena)
{
    size_t found = 0, count = an__entry_count(o);
    for (size_t i = 0; i < container->count; i++) {
        const char *name = container->sections[i].name;
        found += strncmp(name, "optimizer/", 10) == 0 || strncmp(name, "average/", 8) == 0;
    }
    bool same = found == count;
    for (size_t i = 0; same && i < count; i++) {
        an__entry entry = an__entry_get(o, i);
        const an__section *s = section_of(container, &entry, arena);
        same = s && s->size == an__entry_size(&entry.state);
    }
    return same;
}

bool an__entries_load(const an_fit_options *o, const an__container *container, an_arena *arena,
                      an_error *err)
{
    for (size_t i = 0; i < an__entry_count(o); i++) {
        an__entry entry = an__entry_get(o, i);
        const an__section *s = section_of(container, &entry, arena);
        if (!s)
            return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a checkpoint");
        if (s->size > 0)
            memcpy(entry.state.data, s->bytes, s->size);
    }
    return true;
}

const char *an__section_name(const char *prefix, const char *name, an_arena *arena)
{
    size_t size = strlen(prefix) + strlen(name) + 1;
    char *text = an_arena_alloc(arena, size);
    if (text)
        an_format(text, size, "%s%s", prefix, name);
    return text;
}

/* ------------------------------------------------------------------- groups */

#define SLOT_SIZE 24

size_t an__slots_size(const an_optim *optim)
{
    return an_optim_group_count(optim) * AN_SLOT_COUNT * SLOT_SIZE;
}

void an__slots_save(an_optim *optim, unsigned char *bytes)
{
    for (size_t g = 0; g < an_optim_group_count(optim); g++) {
        for (int s = 0; s < AN_SLOT_COUNT; s++, bytes += SLOT_SIZE) {
            const an_slot *slot = &an_optim_group(optim, g)->slot[s];
            int64_t flags = slot->present + 2 * slot->has_initial;
            memcpy(bytes, &slot->value, 8);
            memcpy(bytes + 8, &slot->initial, 8);
            memcpy(bytes + 16, &flags, 8);
        }
    }
}

void an__slots_load(an_optim *optim, const unsigned char *bytes)
{
    for (size_t g = 0; g < an_optim_group_count(optim); g++) {
        for (int s = 0; s < AN_SLOT_COUNT; s++, bytes += SLOT_SIZE) {
            an_slot *slot = &an_optim_group(optim, g)->slot[s];
            int64_t flags;
            memcpy(&slot->value, bytes, 8);
            memcpy(&slot->initial, bytes + 8, 8);
            memcpy(&flags, bytes + 16, 8);
            slot->present = (flags & 1) != 0;
            slot->has_initial = (flags & 2) != 0;
        }
    }
}

/* ------------------------------------------------------------------ metrics */

/* What a metric is called in checkpoints. */
static const char *key_of(const an_metric *metric)
{
    return metric->name ? metric->name : metric->valid;
}

static void save_metric(const an__fit *f, size_t index, unsigned char *bytes)
{
    memcpy(bytes, &f->epoch.metrics[index], 16);
    memcpy(bytes + 16, &f->valid_metrics[index], 8);
}

void an__metric_load(an__fit *f, size_t index, const unsigned char *bytes)
{
    memcpy(&f->epoch.metrics[index], bytes, 16);
    memcpy(&f->valid_metrics[index], bytes + 16, 8);
}

const an__section *an__metric_section(const an_fit_options *o, size_t index,
                                      const an__container *container)
{
    char name[80]; /* a metric's has at most 63 bytes */
    an_format(name, sizeof name, "metric/%s", key_of(&o->metrics[index]));
    return an__container_find(container, name);
}

/* ------------------------------------------------------------- all sections */

typedef struct list {
    an__section *sections;
    size_t count;
    an_arena *arena;
    bool failed; /* memory ran out */
} list;

static void add(list *l, const char *name, const void *bytes, size_t size)
{
    l->failed = l->failed || !name || !bytes;
    if (!l->failed)
        l->sections[l->count++] = (an__section){name, bytes, size};
}

static unsigned char *room(list *l, size_t size)
{
    return an_arena_alloc(l->arena, size > 0 ? size : 1);
}

static void add_run(list *l, const an__state *state)
{
    unsigned char *bytes = room(l, AN__STATE_SIZE);
    add(l, "run", bytes, bytes ? an__state_encode(state, bytes) : 0);
}

static void add_optimizer(list *l, an_optim *optim)
{
    const char *text = an_optim_text(optim);
    size_t size = an__slots_size(optim);
    unsigned char *slots = room(l, size);
    if (slots)
        an__slots_save(optim, slots);
    add(l, "optimizer", text, strlen(text));
    add(l, "groups", slots, size);
}

/* The tables of states of the optimizer and of the average. */
static void add_entries(list *l, const an_fit_options *o)
{
    const char *average = o->average ? an_average_text(o->average) : NULL;
    if (average)
        add(l, "average", average, strlen(average));
    for (size_t i = 0; i < an__entry_count(o); i++) {
        an__entry entry = an__entry_get(o, i);
        size_t bytes = an__entry_size(&entry.state);
        add(l, an__section_name(entry.prefix, entry.state.name, l->arena),
            bytes > 0 ? entry.state.data : "", bytes);
    }
}

/* What is trained, where the file of weights has others: parameters, and their statistics. */
static void add_trained(list *l, const an__fit *f)
{
    int64_t count = an_params_length(an_model_params(f->options->model));
    if (f->trained)
        add(l, "trained", f->trained, (size_t)count * sizeof *f->trained);
    if (f->gathered)
        add(l, "statistics", f->statistics, f->statistics_size);
}

static void add_metrics(list *l, const an__fit *f)
{
    for (size_t i = 0; i < f->options->metric_count; i++) {
        unsigned char *bytes = room(l, AN__METRIC_SIZE);
        if (bytes)
            save_metric(f, i, bytes);
        add(l, an__section_name("metric/", key_of(&f->options->metrics[i]), l->arena), bytes,
            AN__METRIC_SIZE);
    }
}

static void add_schedule(list *l, const struct an_lr_schedule *schedule)
{
    size_t size = schedule ? an_lr_state_size(schedule) : 0;
    if (!schedule)
        return;
    unsigned char *bytes = room(l, size);
    if (bytes)
        an_lr_state_save(schedule, bytes, size);
    add(l, "schedule", bytes, size);
}

static void add_callback(list *l, const an_callback *callback)
{
    if (!callback->name || !callback->save_state)
        return;
    size_t size = callback->save_state(callback->user, NULL, 0);
    unsigned char *bytes = room(l, size);
    if (bytes)
        callback->save_state(callback->user, bytes, size);
    add(l, an__section_name("callback/", callback->name, l->arena), bytes, size);
}

an__section *an__sections_of(an__fit *f, const an__state *state, an_arena *arena, size_t *count,
                             an_error *err)
{
    const an_fit_options *o = f->options;
    size_t most = 7 + an__entry_count(o) + o->metric_count + o->callback_count;
    list l = {.arena = arena, .sections = an_arena_alloc(arena, most * sizeof *l.sections)};
    l.failed = !l.sections;
    if (!l.failed) {
        add_run(&l, state);
        add_optimizer(&l, o->optim);
        add_entries(&l, o);
        add_trained(&l, f);
        add_metrics(&l, f);
        add_schedule(&l, f->schedule);
        for (size_t i = 0; i < o->callback_count; i++)
            add_callback(&l, &o->callbacks[i]);
    }
    *count = l.count;
    if (!l.failed)
        return l.sections;
    an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a checkpoint");
    return NULL;
}
