/* landing.c - the rate while a schedule lands; edit.c says when it does. */
#include "lr/numeric.h"

#include "lr/node.h"

/* 1 at p = 0, 0 at p = 1. */
static double tail_at(an_lr_tail tail, double p)
{
    switch (tail) {
    case AN_TAIL_COSINE:
        return (1 + cos(AN__PI * p)) / 2;
    case AN_TAIL_SQRT:
        return 1 - sqrt(p);
    case AN_TAIL_SQUARE:
        return 1 - p * p;
    case AN_TAIL_LINEAR:
        break;
    }
    return 1 - p;
}

bool an__lr_landed(const an_lr_schedule *s, const an__lr_member *m, const an__lr_time *t,
                   double *rate)
{
    double share;
    if (isnan(m->from) || !an__lr_landing_at(s, t, &share))
        return false;
    *rate = m->from * share;
    return true;
}

bool an__lr_landing_at(const an_lr_schedule *s, const an__lr_time *t, double *share)
{
    const an__lr_landing *l = s->landing;
    if (!l || !l->active || t->at[l->length.unit] < l->begin)
        return false;
    double p = fmin(1, (t->at[l->length.unit] - l->begin) / l->length.value);
    *share = l->end + (1 - l->end) * tail_at(l->tail, p);
    return true;
}

void an__lr_begin_landing(const an_lr_schedule *s, an__lr_member *m, const an__lr_time *t)
{
    double *rate = &m->group->slot[AN_LR].value, share;
    if (!isnan(m->from) || !an__lr_landing_at(s, t, &share))
        return;
    m->from = *rate;
    *rate *= share;
}

bool an_lr_has_landed(const an_lr_schedule *schedule)
{
    const an__lr_landing *l = schedule->landing;
    const an__lr_time now = an__lr_plan_now(schedule);
    return l && l->active && l->end == 0 && now.at[l->length.unit] - l->begin >= l->length.value;
}

bool an_lr_is_landing(const an_lr_schedule *schedule)
{
    return schedule->landing && schedule->landing->active;
}
