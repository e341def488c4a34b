/* trace.c - the nodes of a schedule as a linter and an explanation want them. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

/* ------------------------------------------------------------------- parts */

typedef struct walk {
    an_lr_visit visit;
    void *user;
} walk;

/* When a child's clock begins, on the clock of the whole; a NaN where it has no one beginning. */
static double begin_of(const an__lr_node *node, size_t child, double begin)
{
    const an_lr_desc *desc = &node->desc;
    if (desc->kind == AN_SEQUENTIAL_LR && child > 0 && child < node->child_count)
        return begin + (double)desc->sequential.milestones.each[child - 1];
    if (desc->kind == AN_LR_SEQUENCE && child > 0 && child < node->child_count)
        return begin + node->spans[child - 1].value;
    if (desc->kind == AN_LR_SHIFT && child == 0)
        return begin + node->spans[0].value;
    if (desc->kind == AN_LR_LOOP || desc->kind == AN_LR_REVERSE || desc->kind == AN_LR_STRETCH)
        return NAN;
    return begin;
}

static void walk_node(const walk *w, const an__lr_node *node, int depth, double begin)
{
    an_lr_part part = {.desc = &node->desc,
                       .depth = depth,
                       .begin = begin,
                       .length = {node->length.value, node->length.unit},
                       .time = NAN,
                       .base = NAN,
                       .rate = NAN};
    w->visit(w->user, &part);
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        walk_node(w, node->children[i], depth + 1, begin_of(node, i, begin));
}

void an_lr_parts(const an_lr_schedule *schedule, an_lr_visit visit, void *user)
{
    walk w = {visit, user};
    walk_node(&w, schedule->root, 0, 0);
}

an_lr_length an_lr_length_of(const an_lr_schedule *schedule)
{
    an__lr_span length = schedule->root->length;
    return (an_lr_length){length.value, length.unit};
}

/* ------------------------------------------------------------------- trace */

/* How deep a node stands below another; -1 when it does not. */
static int depth_below(const an__lr_node *above, const an__lr_node *node)
{
    if (above == node)
        return 0;
    for (size_t i = 0; i < above->child_count + above->value_count; i++) {
        int depth = depth_below(above->children[i], node);
        if (depth >= 0)
            return depth + 1;
    }
    return -1;
}

/* The node that was asked, for its depth. */
typedef struct trace {
    an__lr_tracer tracer;
    const an__lr_node *root;
} trace;

static void visit_node(const an__lr_tracer *tracer, const an__lr_node *node, const an__lr_time *t,
                       double base, double rate)
{
    const trace *own = (const trace *)(const void *)tracer;
    an_lr_unit unit = node->length.unit < AN__LR_CLOCKS ? node->length.unit : AN_STEPS;
    an_lr_part part = {.desc = &node->desc,
                       .depth = depth_below(own->root, node),
                       .begin = NAN,
                       .length = {node->length.value, node->length.unit},
                       .time = t->at[unit],
                       .base = base,
                       .rate = rate};
    tracer->user_visit(tracer->user, &part);
}

double an_lr_trace(const an_lr_schedule *schedule, size_t group, an_slot_id id,
                   const an_lr_clock *clock, an_lr_visit visit, void *user)
{
    trace own = {.tracer = {.visit = visit_node, .user_visit = visit, .user = user},
                 .root = schedule->root};
    return an__lr_ask(schedule, group, id, clock, &own.tracer);
}

AN__COLD_END
