/* warp.c - Shift, Loop, Reverse, Stretch: one schedule on another clock. */
#include "lr/numeric.h"

#include "lr/node.h"

static const an__lr_span endless = {INFINITY, AN_STEPS};

/* What all of them do: the child's rate at its own time. */
static double warped_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                          double base)
{
    an__lr_time local = *t;
    node->class->local(node, 0, t, &local);
    return an__lr_rate(node->children[0], m, &local, base);
}

#define WARP(name)                                                               \
    .start = an__lr_start_value, .next = an__lr_next_value, .rate = warped_rate, \
    .local = name##_local, .length = name##_length, .leave = name##_leave

/* ------------------------------------------------------------------- Shift */

static an__lr_turn shift_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                               an__lr_time *local)
{
    (void)child;
    an__lr_span by = node->spans[0];
    an__lr_move(local, by.unit, fmax(0, t->at[by.unit] - by.value));
    return AN__NOW;
}

static an__lr_span shift_length(const an__lr_node *node)
{
    return an__lr_after(node->spans[0], node->children[0]->length);
}

static an__lr_span shift_leave(const an__lr_node *node, size_t child, an__lr_span available)
{
    (void)child;
    return an__lr_left(node->spans[0], available);
}

const an__lr_class an__lr_shift_class = {WARP(shift)};

/* -------------------------------------------------------------------- Loop */

static an__lr_turn loop_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                              an__lr_time *local)
{
    (void)child;
    an__lr_span length = node->spans[0];
    an__lr_move(local, length.unit, length.value > 0 ? fmod(t->at[length.unit], length.value) : 0);
    return AN__NOW;
}

static an__lr_span loop_length(const an__lr_node *node)
{
    (void)node;
    return endless;
}

/* A child without a length is as long as the loop. */
static an__lr_span loop_leave(const an__lr_node *node, size_t child, an__lr_span available)
{
    (void)child;
    return isnan(node->spans[0].value) ? available : node->spans[0];
}

const an__lr_class an__lr_loop_class = {WARP(loop)};

/* ----------------------------------------------------------------- Reverse */

static an__lr_turn reverse_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                                 an__lr_time *local)
{
    (void)child;
    an__lr_span length = node->spans[0];
    an__lr_move(local, length.unit, fmax(0, length.value - t->at[length.unit]));
    return AN__NOW;
}

static an__lr_span reverse_length(const an__lr_node *node)
{
    return node->spans[0];
}

#define reverse_leave loop_leave

const an__lr_class an__lr_reverse_class = {WARP(reverse)};

/* ----------------------------------------------------------------- Stretch */

/* Within one unit the whole clock runs faster or slower; else `length` alone follows `to`. */
static an__lr_turn stretch_local(const an__lr_node *node, size_t child, const an__lr_time *t,
                                 an__lr_time *local)
{
    (void)child;
    an__lr_span to = node->spans[0], length = node->spans[1];
    double at = to.value > 0 ? t->at[to.unit] * length.value / to.value : length.value;
    if (to.unit == length.unit)
        an__lr_move(local, length.unit, at);
    else
        local->at[length.unit] = at;
    return AN__NOW;
}

static an__lr_span stretch_length(const an__lr_node *node)
{
    an__lr_span to = node->spans[0], length = node->spans[1], child = node->children[0]->length;
    if (isinf(child.value))
        return endless;
    if (child.unit != length.unit)
        return (an__lr_span){NAN, AN_UNIT_COUNT};
    return length.value > 0 ? (an__lr_span){child.value * to.value / length.value, to.unit} : to;
}

/* A child without a length has that of the stretch, which then changes nothing. */
static an__lr_span stretch_leave(const an__lr_node *node, size_t child, an__lr_span available)
{
    (void)child;
    (void)available;
    return isnan(node->spans[1].value) ? node->spans[0] : node->spans[1];
}

const an__lr_class an__lr_stretch_class = {WARP(stretch)};
