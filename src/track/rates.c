/*
 * The learning-rate monitor. An entry holds what was used from its step on, all groups' rates and
 * momenta; a new one is made only when a bit of it changes.
 *
 * State in checkpoints: numbers of 8 bytes, little-endian: groups, the last step seen, entries;
 * then the entries, step and values.
 */
#include <anneal/track.h>

#include "file/little_endian.h"
#include "track/grow.h"
#include "track/line.h"

#include <string.h>

#define HEAD 3 /* numbers before the entries in the state */

struct an_rate_monitor {
    size_t groups;
    int64_t last_step;
    uint64_t *entries; /* 1 + 2 * groups numbers each: the step, and values as bits */
    size_t count, capacity;
};

static size_t entry_size(const an_rate_monitor *m)
{
    return 1 + 2 * m->groups;
}

static uint64_t *entry(const an_rate_monitor *m, size_t i)
{
    return m->entries + i * entry_size(m);
}

static bool reserve(an_rate_monitor *m, size_t count)
{
    void *block = m->entries;
    size_t bytes = m->capacity * sizeof *m->entries;
    const size_t least = 256 * sizeof *m->entries;
    if (!an__grow(&block, &bytes, least, count * entry_size(m) * sizeof *m->entries))
        return false;
    m->entries = block;
    m->capacity = bytes / sizeof *m->entries;
    return true;
}

static bool no_memory(an_error *err)
{
    return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the learning-rate monitor");
}

/* ----------------------------------------------------------------- recording */

static void train_begin(void *user, const an_record *record, an_control *control)
{
    an_rate_monitor *m = user;
    (void)control;
    if (m->groups == an__record_groups(record))
        return;
    m->groups = an__record_groups(record); /* another model: what was seen means nothing */
    m->count = 0;
    m->last_step = record->step;
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    an_rate_monitor *m = user;
    size_t size = m->groups * sizeof(double);
    if (record->step == m->last_step)
        return;
    m->last_step = record->step;
    const uint64_t *last = m->count > 0 ? entry(m, m->count - 1) : NULL;
    if (last && memcmp(last + 1, record->lr, size) == 0 &&
        memcmp(last + 1 + m->groups, record->momentum, size) == 0)
        return;
    if (!reserve(m, m->count + 1)) {
        no_memory(&control->error);
        return;
    }
    uint64_t *added = entry(m, m->count++);
    added[0] = (uint64_t)record->step;
    memcpy(added + 1, record->lr, size);
    memcpy(added + 1 + m->groups, record->momentum, size);
}

int64_t an_rate_monitor_step(const an_rate_monitor *monitor)
{
    return monitor->last_step;
}

bool an_rate_monitor_at(const an_rate_monitor *m, int64_t step, size_t group, double *lr,
                        double *momentum)
{
    if (m->count == 0 || group >= m->groups || step > m->last_step ||
        step < (int64_t)entry(m, 0)[0])
        return false;
    size_t low = 0, high = m->count; /* the entry is in low ... high - 1 */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if ((int64_t)entry(m, middle)[0] <= step)
            low = middle;
        else
            high = middle;
    }
    memcpy(lr, entry(m, low) + 1 + group, sizeof *lr);
    if (momentum)
        memcpy(momentum, entry(m, low) + 1 + m->groups + group, sizeof *momentum);
    return true;
}

/* -------------------------------------------------------------- checkpoints */

static size_t save_state(void *user, void *bytes, size_t size)
{
    const an_rate_monitor *m = user;
    const uint64_t head[HEAD] = {m->groups, (uint64_t)m->last_step, m->count};
    size_t numbers = HEAD + m->count * entry_size(m);
    if (size < 8 * numbers)
        return 8 * numbers;
    for (size_t i = 0; i < numbers; i++)
        an__put_64((unsigned char *)bytes + 8 * i, i < HEAD ? head[i] : m->entries[i - HEAD]);
    return 8 * numbers;
}

static bool damaged(an_error *err)
{
    return an_error_set(err, AN_ERROR_DATA,
                        "the checkpoint's state of the learning-rate monitor is damaged");
}

/* Steps must rise, and end at the last one. */
static bool has_order(const an_rate_monitor *m)
{
    for (size_t i = 0; i < m->count; i++) {
        uint64_t step = entry(m, i)[0];
        if (step > (uint64_t)m->last_step || (i > 0 && step <= entry(m, i - 1)[0]))
            return false;
    }
    return true;
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_rate_monitor *m = user;
    const unsigned char *at = bytes;
    m->count = 0;
    m->last_step = record->step;
    if (!bytes)
        return true;
    uint64_t groups = size >= 8 * HEAD ? an__get_64(at) : AN_RECORD_GROUPS + 1;
    if (groups > AN_RECORD_GROUPS || an__get_64(at + 8) != (uint64_t)record->step)
        return damaged(err);
    m->groups = (size_t)groups;
    uint64_t count = an__get_64(at + 16);
    if (size % 8 != 0 || count > size || size / 8 - HEAD != count * entry_size(m))
        return damaged(err);
    if (!reserve(m, (size_t)count))
        return no_memory(err);
    m->count = (size_t)count;
    for (size_t i = 0; i < m->count * entry_size(m); i++)
        m->entries[i] = an__get_64(at + 8 * (HEAD + i));
    if (has_order(m))
        return true;
    m->count = 0;
    return damaged(err);
}

/* ---------------------------------------------------------------- the object */

an_rate_monitor *an_rate_monitor_new(an_error *err)
{
    return an_alloc(NULL, 1, sizeof(an_rate_monitor), err);
}

an_callback an_rate_monitor_callback(an_rate_monitor *monitor)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = batch_end,
                         .name = "rates",
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = monitor};
}

void an_rate_monitor_free(an_rate_monitor *monitor)
{
    if (!monitor)
        return;
    an_release(NULL, monitor->entries, monitor->capacity * sizeof *monitor->entries, 1);
    an_release(NULL, monitor, 1, sizeof *monitor);
}
