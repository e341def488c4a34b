/* at.c - what a schedule gives at a step or a clock, without touching anything. */
#include "lr/numeric.h"

#include "lr/node.h"

static const double nothing = NAN;

/* The track that drives slot `id` of a group; momentum may be driven beside a rate. */
static const an__lr_track *track_of(const an_lr_schedule *s, const an__lr_member *m, an_slot_id id,
                                    bool *beside)
{
    *beside = false;
    for (size_t i = 0; i < s->track_count; i++)
        if (s->tracks[i].slot == id && an__lr_covers(&s->tracks[i], m))
            return &s->tracks[i];
    *beside = true;
    for (size_t i = 0; i < s->track_count; i++)
        if (s->tracks[i].drives_momentum && an__lr_covers(&s->tracks[i], m) &&
            an__lr_momentum_slot(m->group) == &m->group->slot[id])
            return &s->tracks[i];
    return NULL;
}

bool an_lr_drives(const an_lr_schedule *schedule, an_slot_id id)
{
    bool beside;
    for (size_t i = 0; (unsigned)id < AN_SLOT_COUNT && i < schedule->member_count; i++)
        if (track_of(schedule, an__lr_member_at(schedule, i), id, &beside))
            return true;
    return false;
}

static double rate_at(const an__lr_node *root, const an__lr_member *m, const an__lr_time *t)
{
    if (root->class->rate)
        return an__lr_rate(root, m, t, an__lr_base(root, m));
    return an__lr_value(root, m, an__lr_whole(t->at[AN_STEPS]));
}

/* What a landing that is still to come will begin at. */
static double landing_from(const an_lr_schedule *s, const an__lr_node *root, const an__lr_member *m,
                           const an__lr_time *t)
{
    an__lr_time begin = *t;
    begin.at[s->landing->length.unit] = s->landing->begin;
    return rate_at(root, m, &begin);
}

/* The value of a slot at a time on the plan; before the first write it is what was found. */
static double value_at(const an_lr_schedule *s, const an__lr_member *m, an_slot_id id,
                       const an__lr_time *t)
{
    bool beside;
    const an__lr_track *track = track_of(s, m, id, &beside);
    double value = m->group->slot[id].initial;
    if (!track)
        return nothing;
    if (beside) {
        an__lr_momentum(track->root, m->index, t, true, &value);
        return value;
    }
    double share;
    if (id != AN_LR || !an__lr_landing_at(s, t, &share))
        return rate_at(track->root, m, t);
    return share * (isnan(m->from) ? landing_from(s, track->root, m, t) : m->from);
}

static bool exists(const an_lr_schedule *s, size_t group, an_slot_id id)
{
    return group < s->member_count && (unsigned)id < AN_SLOT_COUNT && !an_lr_wants_metric(s);
}

double an_lr_at(const an_lr_schedule *schedule, size_t group, an_slot_id id, int64_t step)
{
    const an_lr_schedule *s = schedule;
    if (!exists(s, group, id) || step < 0 || (double)step > AN__LR_INTEGER_MAX || s->counts_clock)
        return nothing;
    an__lr_time t = {{(double)step}};
    if (s->edit_count > 0 && !an__lr_is_budget(s))
        t.at[AN_STEPS] = an__lr_edited(s, t.at[AN_STEPS]);
    return value_at(s, an__lr_member_at(s, group), id, &t);
}

double an_lr_at_step(const an_lr_schedule *schedule, size_t group, int64_t step)
{
    return an_lr_at(schedule, group, AN_LR, step);
}

double an__lr_ask(const an_lr_schedule *s, size_t group, an_slot_id id, const an_lr_clock *clock,
                  const an__lr_tracer *tracer)
{
    if (!exists(s, group, id) || !an__lr_is_clock(clock))
        return nothing;
    an__lr_time t = an__lr_plan(s, clock);
    an__lr_member m = *an__lr_member_at(s, group);
    m.tracer = tracer;
    return value_at(s, &m, id, &t);
}

double an_lr_at_clock(const an_lr_schedule *schedule, size_t group, an_slot_id id,
                      const an_lr_clock *clock)
{
    return an__lr_ask(schedule, group, id, clock, NULL);
}

void an__lr_write_values(an_lr_schedule *s)
{
    an__lr_time t = an__lr_plan_now(s);
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_member *m = an__lr_member_at(s, i);
        for (int id = 0; id < AN_SLOT_COUNT; id++) {
            bool beside;
            if (track_of(s, m, (an_slot_id)id, &beside))
                m->group->slot[id].value = value_at(s, m, (an_slot_id)id, &t);
        }
    }
}

bool an_lr_replays(const an_lr_schedule *schedule)
{
    for (size_t i = 0; i < schedule->track_count; i++)
        if (an__lr_replays(schedule->tracks[i].root))
            return true;
    return false;
}

/* A counting schedule that replays is replayed once, not once for every value. */
void an_lr_values(const an_lr_schedule *schedule, size_t group, an_slot_id id, int64_t first,
                  double *out, size_t count)
{
    const an_lr_schedule *s = schedule;
    const an__lr_node *root = s->tracks[0].root;
    bool plain = exists(s, group, id) && id == s->tracks[0].slot && s->track_count == 1 &&
                 first >= 0 && (double)first + (double)count < AN__LR_INTEGER_MAX &&
                 s->run.edits == 0 && !root->class->rate && !s->counts_clock &&
                 an__lr_covers(&s->tracks[0], an__lr_member_at(s, group));
    bool replays = plain && an__lr_replays(root);
    for (size_t i = 0; i < count; i++) {
        int64_t e = first > INT64_MAX - (int64_t)i ? -1 : first + (int64_t)i;
        if (replays && i > 0)
            out[i] = root->class->next(root, an__lr_member_at(s, group), e, out[i - 1]);
        else if (plain)
            out[i] = an__lr_value(root, an__lr_member_at(s, group), e);
        else
            out[i] = an_lr_at(s, group, id, e);
    }
}
