/* feedback.c - what the feedback nodes of a tree see. */
#include "lr/numeric.h"

#include "lr/node.h"

/* The time on a child's clock; what it is the child's turn for. */
static an__lr_turn turn_of(const an__lr_node *node, size_t child, const an__lr_time *t,
                           an__lr_time *local)
{
    *local = *t;
    if (node->desc.kind == AN_SEQUENTIAL_LR) {
        int64_t began;
        size_t now = an__lr_sequential_child(node, an__lr_whole(t->at[AN_STEPS]), &began);
        local->at[AN_STEPS] -= (double)began;
        return child == now ? AN__NOW : AN__OVER;
    }
    return node->class->local ? node->class->local(node, child, t, local) : AN__NOW;
}

void an__lr_observe(an__lr_node *node, const an__lr_time *t, const an_lr_input *input)
{
    an__lr_time in = *t, local;
    if (!node->observes)
        return;
    node->acted = false;
    an__lr_bring(node, &in);
    if (node->class->feedback)
        node->acted = node->class->feedback->observe(node, input);
    for (size_t i = 0; i < node->child_count; i++) {
        node->children[i]->acted = false;
        if (turn_of(node, i, &in, &local) == AN__NOW)
            an__lr_observe(node->children[i], &local, input);
    }
}

void an__lr_record(an__lr_node *node, const an__lr_time *t)
{
    an__lr_time in = *t, local;
    an__lr_bring(node, &in);
    if (node->desc.kind == AN_LR_SEQUENCE)
        an__lr_hand_over(node, &in);
    for (size_t i = 0; i < node->child_count; i++)
        if (turn_of(node, i, &in, &local) == AN__NOW)
            an__lr_record(node->children[i], &local);
}
