/* sequence.c - Sequence: schedules one after the other, each on its own clock. */
#include "lr/numeric.h"

#include "lr/node.h"

/* How many milestones are passed: the child whose turn it is. */
static size_t turn(const an__lr_node *node, const an__lr_time *t)
{
    size_t i = 0;
    while (i + 1 < node->child_count && t->at[node->spans[i].unit] >= node->spans[i].value)
        i++;
    return i;
}

/*
 * The moment at which child `child` > 0 took its turn, when it is `t` now. In the milestone's unit
 * that is known; in others as it was recorded, and before that as if everything had gone at one
 * speed.
 */
static an__lr_time handed_over(const an__lr_node *node, size_t child, const an__lr_time *t)
{
    an__lr_span milestone = node->spans[child - 1];
    an__lr_time moment = *t;
    const double *recorded = node->memory + (child - 1) * AN__LR_CLOCKS;
    if (node->memory_count > 0 && !isnan(recorded[0]))
        for (int u = 0; u < AN__LR_CLOCKS; u++)
            moment.at[u] = recorded[u];
    else
        an__lr_move(&moment, milestone.unit, milestone.value);
    return moment;
}

void an__lr_hand_over(const an__lr_node *node, const an__lr_time *t)
{
    size_t now = turn(node, t);
    for (size_t i = 0; node->memory_count > 0 && i + 1 < node->child_count; i++) {
        double *recorded = node->memory + i * AN__LR_CLOCKS;
        an__lr_span milestone = node->spans[i];
        if (i < now && !isnan(recorded[0]))
            continue;
        for (int u = 0; u < AN__LR_CLOCKS; u++)
            recorded[u] = i < now ? t->at[u] : NAN;
        if (i < now)
            recorded[milestone.unit] = milestone.value;
    }
}

static an__lr_turn sequence_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                                  an__lr_time *local)
{
    size_t now = turn(node, t);
    *local = child < now ? handed_over(node, child + 1, t) : *t;
    if (child > 0) {
        an__lr_time moment = handed_over(node, child, t);
        for (int u = 0; u < AN__LR_CLOCKS; u++)
            local->at[u] -= moment.at[u];
    }
    return child == now ? AN__NOW : child < now ? AN__OVER : AN__COMING;
}

/* Whether the node goes on from the rate that it finds: feedback does, or what is made of it. */
static bool goes_on(const an__lr_node *node)
{
    while (node->child_count > 0 && node->class->rate)
        node = node->children[0];
    return node->class->feedback != NULL;
}

/* The base rate of a child: the sequence's, or for feedback where the child before it arrives. */
static double base_of(const an__lr_node *node, size_t child, const an__lr_member *m,
                      const an__lr_time *t, double base)
{
    if (child == 0 || !goes_on(node->children[child]))
        return base;
    an__lr_time local;
    sequence_local(node, child - 1, t, &local);
    base = base_of(node, child - 1, m, t, base);
    return an__lr_rate(node->children[child - 1], m, &local, base);
}

static double sequence_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                            double base)
{
    size_t child = turn(node, t);
    an__lr_time local;
    sequence_local(node, child, t, &local);
    return an__lr_rate(node->children[child], m, &local, base_of(node, child, m, t, base));
}

static an__lr_span sequence_length(const an__lr_node *node)
{
    size_t last = node->child_count - 1;
    an__lr_span length = node->children[last]->length;
    return last > 0 ? an__lr_after(node->spans[last - 1], length) : length;
}

/* Up to the next milestone, or the end. */
static an__lr_span sequence_leave(const an__lr_node *node, size_t child, an__lr_span available)
{
    an__lr_span end = child + 1 < node->child_count ? node->spans[child] : available;
    return child > 0 ? an__lr_left(node->spans[child - 1], end) : end;
}

const an__lr_class an__lr_sequence_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = sequence_rate,
    .local = sequence_local,
    .length = sequence_length,
    .leave = sequence_leave,
};
