/* shape_cycle.c - Restarts, Stairs and Base: a schedule in cycles, in stairs, over another rate. */
#include "lr/numeric.h"

#include "lr/node.h"

#define PURE(rate_) .start = an__lr_start_value, .next = an__lr_next_value, .rate = (rate_)

/* ---------------------------------------------------------------- Restarts */

/* A cycle: its number, and in the unit of its length where it begins and how long it is. */
typedef struct cycle {
    double number, begin, length;
} cycle;

/* Cycle i is warmup + first g^i long, and the i before it are warmup i + first (g^i - 1) / (g - 1).
 */
static cycle cycle_number(const an__lr_node *node, double i)
{
    double warmup = node->spans[1].value, first = node->spans[0].value - warmup;
    double growth = node->desc.again.growth, factor = growth == 1 ? 1 : pow(growth, i);
    double before = growth == 1 ? i : (factor - 1) / (growth - 1);
    return (cycle){i, warmup * i + first * before, warmup + first * factor};
}

/* The last cycle that has begun at x: between none and as many as would have without warm-ups. */
static cycle cycle_at(const an__lr_node *node, double x)
{
    double length = node->spans[0].value, growth = node->desc.again.growth;
    double low = 0, high = floor(x / length) + 1;
    if (growth != 1) {
        double first = length - node->spans[1].value;
        high = fmin(high, floor(log(1 + x / first * (growth - 1)) / log(growth)) + 2);
    }
    while (high - low > 1) {
        double middle = floor((low + high) / 2);
        if (cycle_number(node, middle).begin <= x)
            low = middle;
        else
            high = middle;
    }
    return cycle_number(node, low);
}

/* The time on the schedule's clock in a cycle, `into` after the cycle's warm-up. */
static double stretched(const an__lr_node *node, const cycle *c, double into)
{
    double warmup = node->spans[1].value;
    return fmax(0, into) * (node->spans[0].value - warmup) / (c->length - warmup);
}

static cycle cycle_now(const an__lr_node *node, const an__lr_time *t)
{
    return cycle_at(node, t->at[node->spans[0].unit]);
}

static an__lr_turn again_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                               an__lr_time *local)
{
    (void)child;
    an__lr_span length = node->spans[0];
    cycle c = cycle_now(node, t);
    double into = t->at[length.unit] - c.begin - node->spans[1].value;
    *local = *t;
    an__lr_move(local, length.unit, stretched(node, &c, into));
    return AN__NOW;
}

/* The schedule at `x` of its own clock. */
static double rate_at(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                      double x, double base)
{
    an__lr_time local = *t;
    an__lr_move(&local, node->spans[0].unit, x);
    return an__lr_rate(node->children[0], m, &local, base);
}

static double again_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    an__lr_span length = node->spans[0];
    double warmup = node->spans[1].value, shrink = node->desc.again.shrink;
    cycle c = cycle_now(node, t);
    double into = t->at[length.unit] - c.begin;
    base *= shrink == 1 ? 1 : pow(shrink, c.number);
    double rate = rate_at(node, m, t, stretched(node, &c, into - warmup), base);
    if (into >= warmup)
        return rate;
    double end = rate_at(node, m, t, length.value - warmup, base);
    return end + (rate - end) * into / warmup;
}

static an__lr_span again_length(const an__lr_node *node)
{
    (void)node;
    return (an__lr_span){INFINITY, AN_STEPS};
}

/* A schedule without a length is as long as the first cycle after its warm-up. */
static an__lr_span again_leave(const an__lr_node *node, size_t child, an__lr_span available)
{
    (void)child;
    (void)available;
    return an__lr_left(node->spans[1], node->spans[0]);
}

const an__lr_class an__lr_again_class = {
    PURE(again_rate),
    .local = again_local,
    .length = again_length,
    .leave = again_leave,
};

/* ------------------------------------------------------------------ Stairs */

static an__lr_turn stairs_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                                an__lr_time *local)
{
    (void)child;
    an__lr_span every = node->spans[0];
    *local = *t;
    an__lr_move(local, every.unit, floor(t->at[every.unit] / every.value) * every.value);
    return AN__NOW;
}

static double stairs_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                          double base)
{
    an__lr_time local;
    stairs_local(node, 0, t, &local);
    return an__lr_rate(node->children[0], m, &local, base);
}

/* The first stair at which the schedule has arrived. */
static an__lr_span stairs_length(const an__lr_node *node)
{
    an__lr_span every = node->spans[0], length = node->children[0]->length;
    if (isinf(length.value) || length.unit != every.unit)
        return (an__lr_span){isinf(length.value) ? INFINITY : NAN,
                             isinf(length.value) ? AN_STEPS : AN_UNIT_COUNT};
    return (an__lr_span){-floor(-length.value / every.value) * every.value, every.unit};
}

const an__lr_class an__lr_stairs_class = {
    PURE(stairs_rate),
    .local = stairs_local,
    .length = stairs_length,
};

/* -------------------------------------------------------------------- Base */

static double own_base_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                            double base)
{
    (void)base;
    return an__lr_rate(node->children[0], m, t, an__lr_real(&node->desc.own_base.lr, m->index));
}

const an__lr_class an__lr_own_base_class = {PURE(own_base_rate)};
