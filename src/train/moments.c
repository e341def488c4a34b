/* Calling the callbacks. */
#include "train/fit.h"

static an_callback_function *function_of(const an_callback *c, an__moment when)
{
    switch (when) {
#define MOMENT_CASE(name) \
    case AN__##name:      \
        return c->name;
        AN_MOMENT_MAP(MOMENT_CASE)
#undef MOMENT_CASE
    }
    return NULL;
}

/* Batch moments come for every `every`th batch of the run; the others always. */
static bool is_due(const an__fit *f, const an_callback *c, an__moment when)
{
    const an_record *r = &f->record;
    if (when != AN__batch_begin && when != AN__batch_end)
        return true;
    int64_t done = (r->epoch - 1) * r->batches + r->batch + (when == AN__batch_begin);
    return c->every <= 1 || done % c->every == 0;
}

void an__call_back(an__fit *f, an__moment when)
{
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        an_callback_function *function = function_of(c, when);
        if (function && is_due(f, c, when))
            function(c->user, &f->record, &f->control);
    }
}

bool an__is_awaited(const an__fit *f, an__moment when)
{
    for (size_t i = 0; i < f->options->callback_count; i++)
        if (function_of(&f->options->callbacks[i], when))
            return true;
    return false;
}

void an__tell(void *host, const char *kind, const char *text)
{
    const an__fit *f = host;
    const an_event event = {kind, text};
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        if (c->event)
            c->event(c->user, &f->record, &event);
    }
}

bool an__norm_wanted(const an__fit *f)
{
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        if (c->wants_grad_norm && is_due(f, c, AN__batch_begin))
            return true;
    }
    return false;
}

/* The gradients of the last update are still there: zero_grad forgets that they are, no more. */
bool an__show_params(an__fit *f, an_error *err)
{
    const an_params *params = an_model_params(f->options->model);
    const an_allocator *allocator = an_context_allocator(an_params_context(params));
    size_t count = an_params_count(params);
    bool wanted = false;
    for (size_t i = 0; i < f->options->callback_count; i++)
        wanted = wanted || f->options->callbacks[i].params;
    if (!wanted)
        return true;
    an_param_view *views = an_alloc(allocator, count, sizeof *views, err);
    if (!views)
        return false;
    for (size_t i = 0; i < count; i++) {
        const an_param *p = an_params_get(params, i);
        views[i] = (an_param_view){p->name, p->tensor->data,
                                   f->record.step > 0 ? p->tensor->grad : NULL, p->tensor->size};
    }
    for (size_t i = 0; i < f->options->callback_count; i++) {
        const an_callback *c = &f->options->callbacks[i];
        if (c->params)
            c->params(c->user, &f->record, views, count);
    }
    an_release(allocator, views, count, sizeof *views);
    return true;
}
