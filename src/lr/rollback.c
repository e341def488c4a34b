/* rollback.c - SpikeGuard's wish to go back to an earlier state, and doing it. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

static bool wants_rollback(const an__lr_node *node)
{
    if (node->desc.kind == AN_LR_SPIKE && an__lr_spike_asks(node))
        return true;
    for (size_t i = 0; i < node->child_count; i++)
        if (wants_rollback(node->children[i]))
            return true;
    return false;
}

bool an_lr_wants_rollback(const an_lr_schedule *schedule)
{
    return schedule->root->observes && wants_rollback(schedule->root);
}

/* What the guards remember is later than the state that is loaded: it is put aside, in the room
 * that each guard has for it, and then counts on. */
static void guards(const an__lr_node *node, void (*what)(const an__lr_node *guard))
{
    if (node->desc.kind == AN_LR_SPIKE)
        what(node);
    for (size_t i = 0; i < node->child_count; i++)
        guards(node->children[i], what);
}

AN__SMALL bool an_lr_roll_back(an_lr_schedule *schedule, const void *bytes, size_t size,
                               an_error *err)
{
    an_lr_schedule *s = schedule;
    guards(s->root, an__lr_spike_put_aside);
    if (!an_lr_state_load(s, bytes, size, AN_LR_REFUSE, NULL, err))
        return false;
    guards(s->root, an__lr_spike_take_up);
    an__lr_rewrite(s);
    return true;
}

AN__COLD_END
