/* What callbacks ask the trainer for, and when it does that. */
#include "train/fit.h"

bool an__deliver(const an_error *failure, an_error *err)
{
    if (err)
        *err = *failure;
    return false;
}

/* A checkpoint waits until the update that is under way is complete. */
static bool save_if_possible(an__fit *f, an_error *err)
{
    an_control *c = &f->control;
    bool best = c->best;
    if (f->window.samples > 0)
        return true;
    c->save = c->best = false;
    return !f->options->checkpoints || an__save(f, best, err);
}

bool an__obey(an__fit *f, an_error *err)
{
    an_control *c = &f->control;
    double factor = c->rate_factor;
    if (c->error.code != AN_ERROR_OK)
        return an__deliver(&c->error, err);
    c->rate_factor = 1;
    if (c->roll_back) {
        c->roll_back = c->save = c->best = false;
        return an__roll_back(f, factor, err);
    }
    return !c->save || save_if_possible(f, err);
}

bool an__reach(an__fit *f, an__moment when, an_error *err)
{
    an__call_back(f, when);
    return an__obey(f, err);
}

bool an__rescue(an__fit *f, an__moment when, const an_error *failure, an_error *err)
{
    an_graph_reset(f->graph, NULL);
    if (failure->code != AN_ERROR_NUMERIC)
        return an__deliver(failure, err);
    an__call_back(f, when);
    bool goes_back = f->control.roll_back && f->control.error.code == AN_ERROR_OK;
    if (!goes_back && f->control.error.code == AN_ERROR_OK)
        return an__deliver(failure, err);
    return an__obey(f, err);
}

bool an__stop_wanted(const an__fit *f)
{
    return f->control.stop || (f->options->stop && *f->options->stop);
}
