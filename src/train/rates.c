/* The rates of the groups: recorded, scaled by what rollbacks have left of them, announced. */
#include "train/fit.h"

#include <math.h>

void an__record_rates(an__fit *f)
{
    size_t count = an_optim_group_count(f->options->optim);
    f->record.groups = count < AN_RECORD_GROUPS ? count : AN_RECORD_GROUPS;
    for (size_t i = 0; i < f->record.groups; i++) {
        const an_slot *slot = an_optim_group(f->options->optim, i)->slot;
        f->record.lr[i] = slot[AN_LR].value * f->rate_scale;
        f->record.momentum[i] = slot[AN_MOMENTUM].present ? slot[AN_MOMENTUM].value
                                : slot[AN_BETA1].present  ? slot[AN_BETA1].value
                                                          : NAN;
    }
}

/* A momentum that there is not is NaN in both. */
static bool has_rates_of(const an_record *a, const an_record *b)
{
    for (size_t i = 0; i < a->groups; i++) {
        bool none = isnan(a->momentum[i]) && isnan(b->momentum[i]);
        if (a->lr[i] != b->lr[i] || (!none && a->momentum[i] != b->momentum[i]))
            return false;
    }
    return true;
}

void an__announce_rates(an__fit *f)
{
    if (!an__is_awaited(f, AN__rate_begin) && !an__is_awaited(f, AN__rate_end))
        return;
    an_record *r = &f->record;
    const an_record used = *r;
    an__record_rates(f);
    if (has_rates_of(r, &used))
        return;
    const an_record next = *r;
    *r = used;
    an__call_back(f, AN__rate_begin);
    *r = next;
    an__call_back(f, AN__rate_end);
    *r = used;
}

/* The slots themselves stay as the schedule wrote them, which may go on from there. */
bool an__step_optimizer(an__fit *f, an_error *err)
{
    an_optim *optim = f->options->optim;
    size_t count = f->rate_scale != 1 ? an_optim_group_count(optim) : 0;
    for (size_t i = 0; i < count; i++) {
        f->rates[i] = an_optim_group(optim, i)->slot[AN_LR].value;
        an_optim_group(optim, i)->slot[AN_LR].value *= f->rate_scale;
    }
    bool ok = an_optim_step(optim);
    for (size_t i = 0; i < count; i++)
        an_optim_group(optim, i)->slot[AN_LR].value = f->rates[i];
    return ok || !an_optim_error(optim, err);
}
