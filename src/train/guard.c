/* The guard against losses that are not finite or leap: a callback that asks to roll back. */
#include "train/fit.h"

#include <math.h>
#include <string.h>

/* The running mean covers about so many batches; the first ones only fill it. */
#define SPAN 50
#define LEAST 20

an_guard an_guard_defaults(void)
{
    return (an_guard){.rate_factor = 0.5};
}

static void train_begin(void *user, const an_record *record, an_control *control)
{
    const an_guard *g = user;
    if (g->rollbacks > 0 && record->step == 0)
        control->save = true;
}

/* Why a loss is none to go on from; NULL where it is one. */
static const char *fault_of(const an_guard *g, double loss)
{
    if (!isfinite(loss))
        return "is not finite";
    bool leaps = g->spike > 0 && g->seen >= LEAST && loss > g->spike * g->mean;
    return leaps ? "has leapt above its running mean" : NULL;
}

static void act(an_guard *g, const an_record *record, const char *what, const char *fault,
                double loss, an_control *control)
{
    char text[200];
    an_format(text, sizeof text, "the %s of %g at step %lld %s", what, loss,
              (long long)record->step, fault);
    if (g->done < g->rollbacks) {
        g->done++;
        an_tell(control, "fault", text);
        control->roll_back = true;
        control->rate_factor *= g->rate_factor;
        return;
    }
    an_error_set(&control->error, AN_ERROR_NUMERIC,
                 "%s (epoch %lld, lr %g), after %lld rollbacks of at most %lld; try a lower "
                 "learning rate, a warmup or clip_grad_norm",
                 text, (long long)record->epoch, record->lr[0], (long long)g->done,
                 (long long)g->rollbacks);
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    an_guard *g = user;
    double loss = record->batch_loss;
    const char *fault = fault_of(g, loss);
    if (fault) {
        act(g, record, "loss", fault, loss, control);
        return;
    }
    g->seen++;
    double share = g->seen < SPAN ? 1 / (double)g->seen : 1.0 / SPAN;
    g->mean += (loss - g->mean) * share;
}

static void valid_end(void *user, const an_record *record, an_control *control)
{
    if (!isfinite(record->valid_loss))
        act(user, record, "validation loss", "is not finite", record->valid_loss, control);
}

typedef struct state_bytes {
    double mean;
    int64_t seen, done;
} state_bytes;

static size_t save_state(void *user, void *bytes, size_t size)
{
    const an_guard *g = user;
    const state_bytes state = {g->mean, g->seen, g->done};
    if (size >= sizeof state)
        memcpy(bytes, &state, sizeof state);
    return sizeof state;
}

/* What has been used up is not given back by going back. */
static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_guard *g = user;
    state_bytes state = {0};
    (void)record;
    if (bytes && size != sizeof state)
        return an_error_set(err, AN_ERROR_DATA, "the guard's state is not one of its own");
    if (bytes)
        memcpy(&state, bytes, sizeof state);
    g->mean = state.mean;
    g->seen = state.seen;
    g->done = state.done > g->done ? state.done : g->done;
    return true;
}

an_callback an_guard_callback(an_guard *guard)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = batch_end,
                         .valid_end = valid_end,
                         .name = "guard",
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = guard};
}
