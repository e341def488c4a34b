/* Saving every so often: a callback that uses nothing but what any callback may. */
#include "train/watch.h"

#include <math.h>
#include <string.h>

an_checkpointer an_checkpointer_defaults(void)
{
    return (an_checkpointer){.minutes = 1, .monitor = AN_MONITOR_AUTO, .best_value = NAN};
}

/* A run that goes on saves at its usual distance from the checkpoint. */
static void train_begin(void *user, const an_record *record, an_control *control)
{
    an_checkpointer *c = user;
    if (c->best)
        an__check_watched(c->monitor, c->metric, record, control);
    c->saved_at = record->seconds;
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    const an_checkpointer *c = user;
    if (c->minutes > 0 && record->seconds - c->saved_at >= 60 * c->minutes)
        control->save = true;
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    an_checkpointer *c = user;
    double value = an__watched(c->monitor, c->metric, record);
    if (c->epochs > 0 && record->epoch % c->epochs == 0)
        control->save = true;
    if (c->best && an__is_better(c->monitor, value, c->best_value, 0)) {
        c->best_value = value;
        control->save = control->best = true;
    }
}

static void save_end(void *user, const an_record *record, an_control *control)
{
    an_checkpointer *c = user;
    (void)control;
    c->saved_at = record->seconds;
}

static size_t save_state(void *user, void *bytes, size_t size)
{
    const an_checkpointer *c = user;
    if (size >= sizeof c->best_value)
        memcpy(bytes, &c->best_value, sizeof c->best_value);
    return sizeof c->best_value;
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_checkpointer *c = user;
    (void)record;
    c->best_value = NAN;
    if (!bytes)
        return true;
    if (size != sizeof c->best_value)
        return an_error_set(err, AN_ERROR_DATA, "the checkpointer's state is not one of its own");
    memcpy(&c->best_value, bytes, sizeof c->best_value);
    return true;
}

an_callback an_checkpointer_callback(an_checkpointer *checkpointer)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = batch_end,
                         .epoch_end = epoch_end,
                         .save_end = save_end,
                         .name = "checkpointer",
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = checkpointer};
}
