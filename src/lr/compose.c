/*
 * compose.c - SequentialLR and ChainedScheduler, and what follows from nesting.
 *
 * PyTorch's composites drive schedulers that were already built on the same group, with side
 * effects on each other. Here they are functions of the step like every other node, so they nest to
 * any depth, and a later child of a sequence touches nothing before its turn. A composite of one
 * child is that child: it gets no node of its own, so there are at least two children here.
 */
#include "lr/numeric.h"

#include "lr/node.h"

/* ------------------------------------------------------------ SequentialLR */

size_t an__lr_sequential_child(const an__lr_node *node, int64_t e, int64_t *began)
{
    const an_lr_integers *milestones = &node->desc.sequential.milestones;
    size_t low = 0, high = milestones->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (milestones->each[middle] <= e)
            low = middle + 1;
        else
            high = middle;
    }
    *began = low > 0 ? milestones->each[low - 1] : 0;
    return low;
}

/* PyTorch puts the rate back to the initial one before the first child starts. */
static double sequential_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    (void)lr;
    return node->children[0]->class->start(node->children[0], m, an__lr_base(node, m));
}

static double sequential_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    int64_t began;
    const an__lr_node *child = node->children[an__lr_sequential_child(node, e, &began)];
    return e == began ? an__lr_restart(child, m, lr) : child->class->next(child, m, e - began, lr);
}

static double first_restart(const an__lr_node *node, const an__lr_member *m, double lr)
{
    return an__lr_restart(node->children[0], m, lr);
}

/* Whether the node, when its turn comes, goes on from the rate that it finds. */
static bool inherits(const an__lr_node *node)
{
    while (node->child_count > 0)
        node = node->children[0];
    return node->desc.kind == AN_MULTIPLICATIVE_LR || node->desc.kind == AN_SWA_LR;
}

static double sequential_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    int64_t began;
    size_t index = an__lr_sequential_child(node, e, &began);
    const an__lr_node *child = node->children[index];
    if (index == 0 || !inherits(child))
        return an__lr_value(child, m, e - began);
    double lr = an__lr_restart(child, m, sequential_value(node, m, began - 1));
    for (int64_t i = 1; i <= e - began; i++)
        lr = child->class->next(child, m, i, lr);
    return lr;
}

const an__lr_class an__lr_sequential_class = {
    .start = sequential_start,
    .next = sequential_next,
    .restart = first_restart,
    .value = sequential_value,
};

/* -------------------------------------------------------- ChainedScheduler */

/* The rate after the children that follow the first have met step e. */
static double followers(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    for (size_t i = 1; i < node->child_count; i++) {
        const an__lr_node *child = node->children[i];
        lr = e > 0 ? child->class->next(child, m, e, lr) : child->class->start(child, m, lr);
    }
    return lr;
}

static double chained_start(const an__lr_node *node, const an__lr_member *m, double lr)
{
    const an__lr_node *first = node->children[0];
    return followers(node, m, 0, first->class->start(first, m, lr));
}

static double chained_next(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr)
{
    const an__lr_node *first = node->children[0];
    return followers(node, m, e, first->class->next(first, m, e, lr));
}

static double chained_restart(const an__lr_node *node, const an__lr_member *m, double lr)
{
    return followers(node, m, 0, first_restart(node, m, lr));
}

static double chained_factor(const an__lr_node *node, size_t group, int64_t e)
{
    double factor = 1;
    for (size_t i = 0; i < node->child_count; i++)
        factor *= node->children[i]->class->factor(node->children[i], group, e);
    return factor;
}

/* Over a first child that ignores the rate, only the followers' step e counts; where all multiply,
 * the product; else every step. */
static double chained_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    const an__lr_node *first = node->children[0];
    if (first->form == AN__ABSOLUTE)
        return followers(node, m, e, an__lr_value(first, m, e));
    if (node->form == AN__MULTIPLIES && e <= node->product_until)
        return an__lr_base(node, m) * chained_factor(node, m->index, e);
    double lr = chained_restart(node, m, an__lr_base(node, m));
    for (int64_t i = 1; i <= e; i++)
        lr = chained_next(node, m, i, lr);
    return lr;
}

const an__lr_class an__lr_chained_class = {
    .start = chained_start,
    .next = chained_next,
    .restart = chained_restart,
    .factor = chained_factor,
    .value = chained_value,
};

AN__COLD_BEGIN

/* ------------------------------------------------------- what nesting means */

/* Anneal's own ignore it too. */
static bool ignores_rate(const an_lr_desc *desc)
{
    an_lr_kind kind = desc->kind;
    return kind == AN_LAMBDA_LR || kind == AN_WARM_RESTARTS_LR || kind == AN_CYCLIC_LR ||
           kind == AN_ONE_CYCLE_LR || kind >= AN_LR_CONSTANT || desc->after_end != AN_END_DEFAULT;
}

bool an__lr_erases(const an_lr_desc *desc)
{
    const an_lr_children *children;
    while (!ignores_rate(desc) && (children = an__lr_children_of(desc))) {
        if (desc->kind == AN_SEQUENTIAL_LR && children->count > 1)
            return true;
        desc = children->each[0];
    }
    return ignores_rate(desc);
}

static void classify_leaf(an__lr_node *node)
{
    const an_lr_desc *desc = &node->desc;
    node->form = node->class->factor ? AN__MULTIPLIES : AN__DEPENDS;
    node->product_until = INT64_MAX;
    if (ignores_rate(desc))
        node->form = AN__ABSOLUTE;
    if (desc->kind == AN_CONSTANT_LR && desc->constant.factor == 0)
        node->form = AN__DEPENDS;
    if (desc->kind == AN_COSINE_ANNEALING_LR &&
        node->form != AN__ABSOLUTE) { /* after its bottom the recursion adds */
        node->form = desc->cosine.eta_min == 0 ? AN__MULTIPLIES : AN__DEPENDS;
        node->product_until = desc->cosine.T_max;
    }
}

static bool all_children(const an__lr_node *node, an__lr_form form)
{
    for (size_t i = 0; i < node->child_count; i++)
        if (node->children[i]->form != form)
            return false;
    return true;
}

void an__lr_classify(an__lr_node *node)
{
    if (node->child_count == 0 || node->class->rate) {
        classify_leaf(node);
        return;
    }
    const an__lr_node *first = node->children[0];
    bool chain = node->desc.kind == AN_CHAINED_LR;
    node->form = AN__DEPENDS;
    if (chain ? first->form == AN__ABSOLUTE : all_children(node, AN__ABSOLUTE))
        node->form = AN__ABSOLUTE;
    else if (chain && all_children(node, AN__MULTIPLIES))
        node->form = AN__MULTIPLIES;
    node->product_until = INT64_MAX;
    for (size_t i = 0; i < node->child_count; i++)
        if (node->children[i]->product_until < node->product_until)
            node->product_until = node->children[i]->product_until;
}

bool an__lr_replays(const an__lr_node *node)
{
    if (node->desc.kind == AN_MULTIPLICATIVE_LR)
        return true;
    if (node->class->rate) {
        for (size_t i = 0; i < node->child_count + node->value_count; i++)
            if (an__lr_replays(node->children[i]))
                return true;
        return false;
    }
    if (node->child_count == 0)
        return false;
    if (node->desc.kind == AN_CHAINED_LR) {
        if (node->form == AN__ABSOLUTE)
            return an__lr_replays(node->children[0]);
        return node->form != AN__MULTIPLIES || node->product_until < INT64_MAX;
    }
    for (size_t i = 0; i < node->child_count; i++)
        if (an__lr_replays(node->children[i]) || (i > 0 && inherits(node->children[i])))
            return true;
    return false;
}

bool an__lr_has_momentum(const an__lr_node *node)
{
    const an_lr_desc *desc = &node->desc;
    if ((desc->kind == AN_CYCLIC_LR && desc->cyclic.cycle_momentum) ||
        (desc->kind == AN_ONE_CYCLE_LR && desc->one_cycle.cycle_momentum))
        return true;
    for (size_t i = 0; i < node->child_count; i++)
        if (an__lr_has_momentum(node->children[i]))
            return true;
    return false;
}

AN__SMALL bool an__lr_has_lists(const an__lr_node *node)
{
    size_t count;
    const an_lr_param *params = an_lr_params(node->desc.kind, &count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const unsigned char *)&node->desc + params[i].offset;
        if (params[i].type == AN_LR_REALS && ((const an_lr_reals *)at)->count > 0)
            return true;
        if (params[i].type == AN_LR_FUNCTIONS && ((const an_lr_functions *)at)->count > 0)
            return true;
    }
    for (size_t i = 0; i < node->child_count; i++)
        if (an__lr_has_lists(node->children[i]))
            return true;
    return false;
}

AN__COLD_END
