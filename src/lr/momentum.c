/* momentum.c - the momentum that CyclicLR and OneCycleLR drive, wherever in a tree they stand. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

/* What the child whose turn it is writes or, with `hold`, what the last one before it has left. */
static bool sequential_momentum(const an__lr_node *node, size_t group, int64_t e, bool hold,
                                double *momentum)
{
    int64_t began;
    size_t i = an__lr_sequential_child(node, e, &began);
    while (!an__lr_momentum(node->children[i], group, &(an__lr_time){{(double)(e - began)}}, hold,
                            momentum)) {
        if (!hold || began == 0)
            return false;
        e = began - 1;
        i = an__lr_sequential_child(node, e, &began);
    }
    return true;
}

/* In a Sequence the children come one after the other, so that the last to write is the latest. */
static bool children_momentum(const an__lr_node *node, size_t group, const an__lr_time *t,
                              bool hold, double *momentum)
{
    bool wrote = false;
    for (size_t i = 0; i < node->child_count; i++) {
        an__lr_time local = *t;
        if (node->class->local && node->class->local(node, i, t, &local) == AN__COMING)
            continue;
        wrote |= an__lr_momentum(node->children[i], group, &local, hold, momentum);
    }
    return wrote;
}

bool an__lr_momentum(const an__lr_node *node, size_t group, const an__lr_time *t, bool hold,
                     double *momentum)
{
    const an__lr_class *class = node->inner ? node->inner : node->class;
    an__lr_time in = *t;
    an__lr_bring(node, &in);
    int64_t e = an__lr_whole(in.at[AN_STEPS]);
    if (node->desc.kind == AN_SEQUENTIAL_LR)
        return sequential_momentum(node, group, e, hold || node->inner, momentum);
    if (class->momentum)
        return class->momentum(node, group, e, NULL, momentum);
    return children_momentum(node, group, &in, hold, momentum);
}

bool an__lr_has_rate(const an__lr_node *node)
{
    if (node->class->rate)
        return true;
    for (size_t i = 0; i < node->child_count; i++)
        if (an__lr_has_rate(node->children[i]))
            return true;
    return false;
}

AN__COLD_END
