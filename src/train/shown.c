/*
 * The weights that are evaluated and saved: those that are trained, or what the optimizer
 * (Schedule-Free) or an average has in their place. While those are in the model, running
 * statistics that were gathered with them are there too.
 */
#include "train/fit.h"

#include <string.h>

/* Where statistics are wanted: they belong to the weights that they were gathered with. */
static bool needs_statistics(const an_fit_options *o)
{
    return (o->average || an_optim_has_modes(o->optim)) && an_model_has_statistics(o->model);
}

bool an__shown_open(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    const an_params *params = an_model_params(o->model);
    f->shown = true; /* as an earlier fit may have left it */
    an__show(f, false);
    if (!needs_statistics(o))
        return true;
    an_params_buffer_block(params, &f->statistics_size);
    f->statistics =
        an_alloc(an_context_allocator(an_params_context(params)), f->statistics_size, 1, err);
    return f->statistics != NULL;
}

void an__shown_close(an__fit *f)
{
    const an_params *params = an_model_params(f->options->model);
    an_release(an_context_allocator(an_params_context(params)), f->statistics, f->statistics_size,
               1);
}

/* Exchanges the buffers in the model with those at f->statistics. */
static void swap_statistics(an__fit *f)
{
    size_t bytes;
    unsigned char *here = an_params_buffer_block(an_model_params(f->options->model), &bytes);
    unsigned char *there = f->statistics;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = here[i];
        here[i] = there[i];
        there[i] = byte;
    }
}

void an__show(an__fit *f, bool shown)
{
    const an_fit_options *o = f->options;
    if (f->shown == shown)
        return;
    f->shown = shown;
    if (shown)
        an_optim_eval(o->optim);
    else
        an_optim_train(o->optim);
    if (o->average && an_average_swapped(o->average) != shown)
        an_average_swap(o->average);
    if (f->gathered)
        swap_statistics(f);
}

void an__average(an__fit *f, bool epoch_ends)
{
    an_average *average = f->options->average;
    if (average && an_average_is_due(average, f->record.step, f->record.epoch, epoch_ends))
        an_average_update(average);
}

bool an__shows_others(const an__fit *f)
{
    const an_average *average = f->options->average;
    return an_optim_has_modes(f->options->optim) || (average && an_average_count(average) > 0);
}

/* ------------------------------------------------------- running statistics */

/* One pass over the training data, in the order of the epoch that has just been. */
static bool pass_over_data(const an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    bool ok = true;
    an_batch batch;
    an_loader_seek(o->train, f->record.epoch - 1);
    while (ok && an_loader_next(o->train, &batch)) {
        an_forward(o->model, f->graph, batch.x);
        ok = an_graph_reset(f->graph, err);
    }
    return ok;
}

static void seek_back(const an__fit *f)
{
    an_loader *loader = f->options->train;
    const an_record *r = &f->record;
    if (r->batch < r->batches)
        an_loader_seek_batch(loader, r->epoch - 1, r->batch);
    else
        an_loader_seek(loader, r->epoch);
}

/* Nothing but the statistics is different afterwards. */
static bool gather(an__fit *f, an_error *err)
{
    const an_fit_options *o = f->options;
    an_rng rng = *an_model_rng(o->model);
    bool recording = an_graph_set_grad(f->graph, false);
    bool training = an_model_set_training(o->model, true);
    an_model_gather_statistics(o->model, true);
    bool ok = pass_over_data(f, err);
    an_model_gather_statistics(o->model, false);
    an_model_set_training(o->model, training);
    an_graph_set_grad(f->graph, recording);
    *an_model_rng(o->model) = rng;
    seek_back(f);
    return ok;
}

bool an__gather_statistics(an__fit *f, an_error *err)
{
    size_t bytes;
    const void *here = an_params_buffer_block(an_model_params(f->options->model), &bytes);
    if (!f->statistics || !an__shows_others(f))
        return true;
    double begun = an__now();
    if (!f->gathered)
        memcpy(f->statistics, here, bytes);
    f->gathered = true;
    bool ok = gather(f, err);
    an__pause_since(f, begun);
    return ok;
}
