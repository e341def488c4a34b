/*
 * One list of fields serves writing and reading. Each is 8 bytes, little endian: integers in two's
 * complement, reals as IEEE doubles.
 */
#include "train/state.h"

#include "file/little_endian.h"
#include "train/folder.h"

#include <math.h>
#include <string.h>

an__state an__state_of(const an__fit *f)
{
    const an_fit_options *o = f->options;
    const an_rng *rng = an_model_rng(o->model);
    const an_context *context = an_params_context(an_model_params(o->model));
    return (an__state){
        .record = f->record,
        .epoch = f->epoch,
        .full = f->full,
        .in_epoch = f->in_epoch,
        .rate_scale = f->rate_scale,
        .epochs = o->epochs,
        .steps = o->steps,
        .accumulate = o->accumulate,
        .interval = (int64_t)f->interval, /* of the schedule, which may be kept */
        .data = (int64_t)an_loader_fingerprint(o->train),
        .threads = an_context_threads(context),
        .vector_bits = an_context_vector_bits(context),
        .random = {(int64_t)rng->seed, (int64_t)rng->stream, (int64_t)rng->counter},
    };
}

typedef struct cursor {
    unsigned char *at;
    size_t left;            /* when reading */
    bool reading, short_of; /* bytes are missing */
} cursor;

static void number(cursor *c, int64_t *value)
{
    c->short_of = c->reading && (c->short_of || c->left < 8);
    if (c->short_of)
        return;
    if (c->reading)
        *value = (int64_t)an__get_64(c->at);
    else
        an__put_64(c->at, (uint64_t)*value);
    c->at += 8;
    c->left -= c->reading ? 8 : 0;
}

static void real(cursor *c, double *value)
{
    int64_t bits;
    memcpy(&bits, value, sizeof bits);
    number(c, &bits);
    memcpy(value, &bits, sizeof bits);
}

static void exchange_rates(cursor *c, an_record *r)
{
    int64_t groups = (int64_t)r->groups;
    number(c, &groups);
    c->short_of = c->short_of || groups < 0 || groups > AN_RECORD_GROUPS;
    for (int64_t i = 0; i < groups && !c->short_of; i++) {
        real(c, &r->lr[i]);
        real(c, &r->momentum[i]);
    }
    r->groups = (size_t)groups;
}

static void exchange_record(cursor *c, an_record *r)
{
    int64_t *const numbers[] = {&r->step,  &r->steps,   &r->epoch,  &r->epochs,
                                &r->batch, &r->batches, &r->samples};
    double *const reals[] = {
        &r->seconds,   &r->epoch_seconds,     &r->batch_seconds, &r->loss,
        &r->accuracy,  &r->batch_loss,        &r->valid_loss,    &r->valid_accuracy,
        &r->grad_norm, &r->samples_per_second};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        number(c, numbers[i]);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        real(c, reals[i]);
    exchange_rates(c, r);
}

static void exchange(cursor *c, an__state *s)
{
    int64_t *const numbers[] = {
        &s->epoch.correct, &s->epoch.samples, &s->full,        &s->in_epoch,
        &s->epochs,        &s->steps,         &s->accumulate,  &s->interval,
        &s->data,          &s->threads,       &s->vector_bits, &s->weights_size,
        &s->weights_crc,   &s->random[0],     &s->random[1],   &s->random[2]};
    exchange_record(c, &s->record);
    real(c, &s->epoch.loss);
    real(c, &s->rate_scale);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        number(c, numbers[i]);
}

size_t an__state_encode(const an__state *state, unsigned char *bytes)
{
    an__state copy = *state;
    cursor c = {.at = bytes};
    exchange(&c, &copy);
    return (size_t)(c.at - bytes);
}

/* Positions that no run can be in; the rest is compared with the run that reads it. */
static bool is_possible(const an__state *s)
{
    const an_record *r = &s->record;
    return r->step >= 0 && r->epoch >= 0 && r->batch >= 0 && r->batches > 0 &&
           r->batch <= r->batches && r->samples >= 0 && s->full > 0 && s->epoch.samples >= 0 &&
           s->epoch.correct >= 0 && s->rate_scale > 0 && isfinite(s->rate_scale) &&
           r->seconds >= 0 && r->epoch_seconds >= 0;
}

bool an__state_decode(an__state *state, const unsigned char *bytes, size_t size)
{
    unsigned char copy[AN__STATE_SIZE];
    *state = (an__state){0};
    if (size > sizeof copy)
        return false;
    memcpy(copy, bytes, size);
    cursor c = {.at = copy, .left = size, .reading = true};
    exchange(&c, state);
    return !c.short_of && c.left == 0 && is_possible(state);
}

static bool check_weights(const char *path, const an__state *state, an_error *err)
{
    uint64_t size = 0;
    uint32_t crc = 0;
    if (!an__file_digest(path, &size, &crc, err))
        return false;
    return (size == (uint64_t)state->weights_size && crc == (uint32_t)state->weights_crc) ||
           an_error_set(err, AN_ERROR_DATA,
                        "%s is damaged, or not of this checkpoint: its length or checksum does "
                        "not fit",
                        path);
}

bool an__state_read(const char *path, an_arena *arena, an__container *container, an__state *state,
                    an_error *err)
{
    an__paths paths;
    if (!an__paths_of(path, &paths, err) || !an__container_read(paths.state, arena, container, err))
        return false;
    const an__section *run = an__container_find(container, "run");
    if (!run || !an__state_decode(state, run->bytes, run->size))
        return an_error_set(err, AN_ERROR_DATA,
                            "%s is damaged: its section 'run' is not what it should be",
                            paths.state);
    return check_weights(paths.weights, state, err);
}
