/* node.c - what every node does: which of its class's functions answers, and on which clock. */
#include "lr/numeric.h"

#include "lr/node.h"

/* ---------------------------------------------------------- counting nodes */

double an__lr_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    if (node->class->rate)
        return an__lr_rate(node, m, &(an__lr_time){{(double)e}}, an__lr_base(node, m));
    if (!m->tracer && node->class->value)
        return node->class->value(node, m, e);
    double rate = node->class->value
                      ? node->class->value(node, m, e)
                      : an__lr_base(node, m) * node->class->factor(node, m->index, e);
    if (m->tracer)
        m->tracer->visit(m->tracer, node, &(an__lr_time){{(double)e}}, an__lr_base(node, m), rate);
    return rate;
}

double an__lr_restart(const an__lr_node *node, const an__lr_member *m, double lr)
{
    if (node->class->restart)
        return node->class->restart(node, m, lr);
    return an__lr_value(node, m, 0);
}

double an__lr_start_value(const an__lr_node *node, const an__lr_member *m, double lr)
{
    (void)lr;
    return an__lr_value(node, m, 0);
}

double an__lr_next_value(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    (void)lr;
    return an__lr_value(node, m, e);
}

double an__lr_start_same(const an__lr_node *node, const an__lr_member *m, double lr)
{
    (void)node;
    (void)m;
    return lr;
}

void an__lr_remember(an__lr_memo *memo, const an__lr_node *node, int64_t e,
                     double (*f)(const an__lr_node *node, int64_t e))
{
    if (memo->e == e)
        return;
    memo->before = memo->e == e - 1 ? memo->now : f(node, e - 1);
    memo->now = f(node, e);
    memo->e = e;
}

/* ------------------------------------------------------------ after the end */

void an__lr_move(an__lr_time *t, an_lr_unit unit, double to)
{
    double part = t->at[unit] != 0 ? to / t->at[unit] : 0;
    for (int u = 0; u < AN__LR_CLOCKS; u++)
        t->at[u] *= part;
    t->at[unit] = to;
}

/* The time within the length that stands for `x`, which is past it. */
static double within(an_lr_end end, double length, double x)
{
    if (end == AN_END_REPEAT && length > 0)
        return fmod(x, length);
    if (end != AN_END_MIRROR || !(length > 0))
        return length;
    x = fmod(x, 2 * length);
    return x > length ? 2 * length - x : x;
}

static bool past_end(const an__lr_node *node, an_lr_end end, const an__lr_time *t)
{
    if (node->length.unit >= AN__LR_CLOCKS)
        return false;
    double x = t->at[node->length.unit];
    return x > node->length.value || (end == AN_END_REPEAT && x == node->length.value);
}

void an__lr_bring(const an__lr_node *node, an__lr_time *t)
{
    an_lr_end end = node->desc.after_end;
    an__lr_span length = node->length;
    if (end != AN_END_DEFAULT && past_end(node, end, t))
        an__lr_move(t, length.unit, within(end, length.value, t->at[length.unit]));
}

bool an__lr_past_error(const an__lr_node *node, const an__lr_time *t)
{
    an__lr_time local = *t;
    if (node->desc.after_end == AN_END_ERROR && past_end(node, AN_END_ERROR, t))
        return true;
    for (size_t i = 0; i < node->child_count; i++)
        if ((!node->class->local || node->class->local(node, i, t, &local) == AN__NOW) &&
            an__lr_past_error(node->children[i], &local))
            return true;
    return false;
}

/* ---------------------------------------------------------------- own nodes */

static double plain_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    if (node->class->rate)
        return node->class->rate(node, m, t, base);
    an__lr_member given = *m;
    given.given = base;
    return an__lr_value(node, &given, an__lr_whole(t->at[AN_STEPS]));
}

/* The rate past the end. */
static double ended(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                    double base)
{
    an_lr_end end = node->desc.after_end;
    an__lr_span length = node->length;
    if (end == AN_END_ZERO || end == AN_END_ERROR)
        return end == AN_END_ZERO ? 0 : NAN;
    an__lr_time in = *t;
    an__lr_move(&in, length.unit, within(end, length.value, t->at[length.unit]));
    return plain_rate(node, m, &in, base);
}

double an__lr_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                   double base)
{
    /* A leaf of Anneal's own holds; what a composite does after its end, its children do. */
    an_lr_end end = node->desc.after_end;
    bool ends = end != AN_END_DEFAULT || (node->class->rate && node->child_count == 0);
    double rate =
        ends && past_end(node, end, t) ? ended(node, m, t, base) : plain_rate(node, m, t, base);
    if (m->tracer && node->class->rate)
        m->tracer->visit(m->tracer, node, t, base, rate);
    return rate;
}

/* --------------------------------------------- counting nodes with an after_end */

/*
 * An after_end makes a counting node one of Anneal's own: its closed form on a clock that
 * an__lr_rate has brought into the length.
 */
static double ended_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    an__lr_member given = *m;
    given.given = base;
    int64_t e = an__lr_whole(t->at[AN_STEPS]);
    if (node->inner->value)
        return node->inner->value(node, &given, e);
    return an__lr_base(node, &given) * node->inner->factor(node, m->index, e);
}

const an__lr_class an__lr_ended_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = ended_rate,
};
