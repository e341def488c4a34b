#include "lr/numeric.h"

#include "lr/node.h"

double an__lr_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    if (node->class->value)
        return node->class->value(node, m, e);
    return an__lr_base(node, m) * node->class->factor(node, m->index, e);
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
