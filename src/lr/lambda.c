/* lambda.c - LambdaLR and MultiplicativeLR: the user's function of the step. */
#include "lr/numeric.h"

#include "lr/node.h"

static double call(const an_lr_functions *functions, size_t group, int64_t e)
{
    const an_lr_function *f = functions->count > 0 ? &functions->each[group] : &functions->function;
    return f->call(f->user, (double)e);
}

static double lambda_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    return an__lr_base(node, m) * call(&node->desc.lambda.lr_lambda, m->index, e);
}

const an__lr_class an__lr_lambda_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .value = lambda_value,
};

static double multiplicative_next(const an__lr_node *node, const an__lr_member *m, int64_t e,
                                  double lr)
{
    return lr * call(&node->desc.multiplicative.lr_lambda, m->index, e);
}

static double multiplicative_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    double lr = an__lr_base(node, m);
    for (int64_t i = 1; i <= e; i++)
        lr = multiplicative_next(node, m, i, lr);
    return lr;
}

/* As a later child of a SequentialLR it goes on from the rate it finds; epoch 0 multiplies nothing
 * (PyTorch up to 2.7). */
const an__lr_class an__lr_multiplicative_class = {
    .start = an__lr_start_same,
    .next = multiplicative_next,
    .restart = an__lr_start_same,
    .value = multiplicative_value,
};
