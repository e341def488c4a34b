/*
 * edit.c - another end while the run trains: landing, and arriving earlier or later.
 *
 * A plan that is to arrive later runs slower from now on: time x on the driving clock (clock.c)
 * stands for plan + (x - begin) speed. So the rate is continuous, and what is left of the schedule
 * keeps its shape: it falls wherever it would have fallen. Each change is one such piece.
 *
 * A landing takes the place of the schedule for the learning rate: from what a group had then, to
 * `end` of it.
 */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

static bool check_room(const an_lr_schedule *s, bool full, const char *what, an_error *err)
{
    if (full && s->run.edits >= AN_LR_MOST_EDITS)
        return an_error_set(err, AN_ERROR_STATE,
                            "the schedule was %s %d times, which is the most; let it end, or begin "
                            "another one",
                            what, s->run.edits);
    if (s->run.edits <= 0 || full)
        return an_error_set(err, AN_ERROR_STATE,
                            "the schedule has no room to be %s%s; make it with an_lr_run.edits, "
                            "now %d, as often as that may happen",
                            what, full && s->run.edits > 0 ? " once more" : "", s->run.edits);
    return true;
}

/* A length in the unit that the schedule's plan counts it in. */
static bool turned(const an_lr_schedule *s, const char *what, an_lr_length length, an__lr_span *out,
                   an_error *err)
{
    double steps = an__lr_steps_of(&s->run, length.unit);
    if (!(length.value > 0) || !isfinite(length.value))
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s must be above 0, got %g", what,
                            length.value);
    if (steps > 0)
        *out = (an__lr_span){length.value * steps, AN_STEPS};
    else if (length.unit == AN_RUNS && s->run.seconds > 0)
        *out = (an__lr_span){length.value * s->run.seconds, AN_SECONDS};
    else if (length.unit < AN_RUNS && (s->run.clocked || s->run.seconds > 0))
        *out = (an__lr_span){length.value, length.unit};
    else
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "%s is %g%s, but the an_lr_run of the schedule does not say what that "
                            "is in steps, nor that there is a clock",
                            what, length.value, an__lr_unit_text(length.unit));
    return true;
}

AN__SMALL bool an_lr_land(an_lr_schedule *schedule, an_lr_length length, an_lr_tail tail,
                          double end, an_error *err)
{
    an_lr_schedule *s = schedule;
    an__lr_span span = {0};
    if (!check_room(s, false, "landed", err) ||
        !turned(s, "the length of a landing", length, &span, err))
        return false;
    if (!(end >= 0 && end <= 1))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the end of a landing must be from 0 to 1 of the rate, got %g", end);
    if ((unsigned)tail > AN_TAIL_SQUARE)
        return an_error_set(err, AN_ERROR_ARGUMENT, "there is no tail %d", (int)tail);
    an__lr_time now = an__lr_plan_now(s);
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_member *m = an__lr_member_at(s, i);
        m->from = m->group->slot[AN_LR].value;
    }
    *s->landing = (an__lr_landing){
        .active = true, .tail = tail, .length = span, .begin = now.at[span.unit], .end = end};
    return true;
}

/* Where the plan ends on the driving clock's plan. */
static double plan_end(const an_lr_schedule *s, an_lr_unit driver)
{
    const an__lr_landing *l = s->landing;
    if (l && l->active && l->length.unit == driver)
        return l->begin + l->length.value;
    if (driver == AN_SECONDS)
        return s->run.seconds;
    return s->root->length.unit == driver ? s->root->length.value : NAN;
}

AN__SMALL bool an_lr_extend(an_lr_schedule *schedule, an_lr_length total, an_error *err)
{
    an_lr_schedule *s = schedule;
    an_lr_unit driver = an__lr_driver(s);
    an__lr_span span = {0};
    if (!check_room(s, s->edit_count == s->run.edits, "extended", err))
        return false;
    double x = s->now.at[driver], now = an__lr_edited(s, x), end = plan_end(s, driver);
    /* A part of the run is of the driving clock. */
    if (driver == AN_SECONDS && total.unit == AN_RUNS)
        total = (an_lr_length){total.value * s->run.seconds, AN_SECONDS};
    if (total.unit == AN_SECONDS && driver == AN_SECONDS)
        span = (an__lr_span){total.value, AN_SECONDS};
    else if (!turned(s, "the new end", total, &span, err))
        return false;
    if (span.unit != driver)
        return an_error_set(
            err, AN_ERROR_ARGUMENT, "the new end of this schedule must be in %s, got %g%s",
            driver == AN_STEPS ? "steps" : "seconds", total.value, an__lr_unit_text(total.unit));
    if (!isfinite(end) || now >= end)
        return an_error_set(err, AN_ERROR_STATE,
                            isfinite(end) ? "the schedule has arrived at its end already: there "
                                            "is nothing left to stretch"
                                          : "the schedule has no end that could be moved");
    if (!(span.value > x))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the new end must be later than now, %g%s, got %g", x,
                            an__lr_unit_text(driver), span.value);
    s->edits[s->edit_count++] =
        (an__lr_edit){.begin = x, .plan = now, .speed = (end - now) / (span.value - x)};
    return true;
}

AN__COLD_END
