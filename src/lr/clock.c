/*
 * clock.c - from what the run has done to the time on the schedule's plan.
 *
 * One unit drives the plan: seconds where there is a time budget or nothing else is known of the
 * run's length, else steps. What an_lr_extend has changed bends that unit. Under a budget with a
 * known number of steps, the part of the budget that is spent then makes the plan's steps.
 */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

bool an__lr_is_budget(const an_lr_schedule *s)
{
    return s->run.seconds > 0 && an__lr_steps_of(&s->run, AN_RUNS) > 0;
}

an_lr_unit an__lr_driver(const an_lr_schedule *s)
{
    bool seconds = s->run.seconds > 0;
    return seconds ? AN_SECONDS : AN_STEPS;
}

double an__lr_edited(const an_lr_schedule *s, double x)
{
    for (int i = s->edit_count - 1; i >= 0; i--)
        if (x >= s->edits[i].begin)
            return s->edits[i].plan + (x - s->edits[i].begin) * s->edits[i].speed;
    return x;
}

static an__lr_time plan(const an_lr_schedule *s, an__lr_time t)
{
    an_lr_unit driver = an__lr_driver(s);
    double x = s->edit_count > 0 ? an__lr_edited(s, t.at[driver]) : t.at[driver];
    if (an__lr_is_budget(s))
        t.at[AN_STEPS] = fmin(1, x / s->run.seconds) * an__lr_steps_of(&s->run, AN_RUNS);
    else
        t.at[driver] = x;
    return t;
}

an__lr_time an__lr_plan_now(const an_lr_schedule *s)
{
    if (!s->counts_clock && s->edit_count == 0 && !(s->run.seconds > 0))
        return s->now;
    return plan(s, s->now);
}

an__lr_time an__lr_plan(const an_lr_schedule *s, const an_lr_clock *c)
{
    return plan(s, (an__lr_time){{c->steps, c->epochs, c->samples, c->tokens, c->seconds}});
}

bool an__lr_is_clock(const an_lr_clock *c)
{
    return c->steps >= 0 && c->steps <= AN__LR_INTEGER_MAX && c->epochs >= 0 &&
           isfinite(c->epochs) && c->samples >= 0 && isfinite(c->samples) && c->tokens >= 0 &&
           isfinite(c->tokens) && c->seconds >= 0 && isfinite(c->seconds);
}

/* What is not a clock is left out; time does not go backwards. */
void an__lr_set_clock(an_lr_schedule *s, const an_lr_clock *c)
{
    if (!an__lr_is_clock(c))
        return;
    const double to[AN__LR_CLOCKS] = {c->steps, c->epochs, c->samples, c->tokens, c->seconds};
    for (int u = 0; u < AN__LR_CLOCKS; u++)
        s->now.at[u] = fmax(s->now.at[u], to[u]);
}

/* Units that nobody has given follow from the steps where the run's facts have it. */
an_lr_clock an_lr_now(const an_lr_schedule *schedule)
{
    an__lr_time t = schedule->now;
    for (int u = AN_EPOCHS; u < AN_SECONDS; u++) {
        double steps = an__lr_steps_of(&schedule->run, (an_lr_unit)u);
        if (t.at[u] == 0 && steps > 0)
            t.at[u] = t.at[AN_STEPS] / steps;
    }
    return (an_lr_clock){t.at[AN_STEPS], t.at[AN_EPOCHS], t.at[AN_SAMPLES], t.at[AN_TOKENS],
                         t.at[AN_SECONDS]};
}

bool an_lr_wants_clock(const an_lr_schedule *schedule)
{
    const an__lr_landing *l = schedule->landing;
    return schedule->counts_clock || schedule->run.seconds > 0 ||
           (l && l->active && l->length.unit != AN_STEPS);
}

an_lr_run an_lr_run_of(const an_lr_schedule *schedule)
{
    return schedule->run;
}

double an_lr_plan_at(const an_lr_schedule *schedule, const an_lr_clock *clock)
{
    return an__lr_plan(schedule, clock).at[AN_STEPS];
}

AN__COLD_END
