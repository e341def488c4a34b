/* Group norm (Wu, He: Group Normalization; ECCV 2018), and the channels of norms. */
#include <string.h>

#include "autograd/channels.h"
#include "autograd/ops.h"

bool an__channels_fit(an_graph *graph, const an_node *node, an_channels *out)
{
    const an_shape x = node->inputs[0]->shape;
    if (x.ndim < 2)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "%s: needs (n, channels, ...) but gets %s", node->op->name,
                            an__text(x).text);
    *out = an__channels_of(x);
    for (int i = 1; i < node->count; i++)
        if (!an_shape_equal(node->inputs[i]->shape, an_shape_1(out->channels)))
            return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                                "%s: the %s must be (%lld,), one value a channel of %s, but is %s",
                                node->op->name, i == 1 ? "weight" : "bias",
                                (long long)out->channels, an__text(x).text,
                                an__text(node->inputs[i]->shape).text);
    return node->as.norm.eps >= 0 ||
           an_error_set(an__failure(graph), AN_ERROR_ARGUMENT, "%s: eps must be at least 0, got %g",
                        node->op->name, node->as.norm.eps);
}

static bool group_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    const int64_t groups = node->as.norm.groups;
    an_channels c = {0};
    *shape = node->inputs[0]->shape;
    if (!an__channels_fit(graph, node, &c))
        return false;
    if (groups < 1 || c.channels % groups != 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "group_norm: %lld channels cannot be cut into %lld groups of one size",
                            (long long)c.channels, (long long)groups);
    node->as.norm.parts = c.batch * groups;
    node->as.norm.size = c.channels / groups * c.length;
    return true;
}

typedef struct group_pass {
    const an_norms_table *kernels;
    const float *x, *dy, *weight, *bias;
    float *y, *dx, *mean, *rstd;
    double *of_dy, *of_product;       /* of each channel of each sample */
    int64_t groups, channels, length; /* channels of a group, and the values of each */
    double eps;
    bool add;
} group_pass;

static group_pass group_plan(an_graph *graph, const an_node *node)
{
    const an_shape shape = node->output.shape;
    const int64_t channels = shape.dim[1] / node->as.norm.groups;
    return (group_pass){
        .kernels = an__kernels(graph->context)->norms,
        .x = node->inputs[0]->data,
        .dy = node->output.grad,
        .weight = node->count > 1 ? node->inputs[1]->data : NULL,
        .bias = node->count > 2 ? node->inputs[2]->data : NULL,
        .y = node->output.data,
        .mean = node->as.norm.mean,
        .rstd = node->as.norm.rstd,
        .groups = node->as.norm.groups,
        .channels = channels,
        .length = channels > 0 ? node->as.norm.size / channels : 0,
        .eps = node->as.norm.eps,
    };
}

/* Part `part` is group part % groups of a sample. */
static an_norm_group group_of(const group_pass *pass, int64_t part)
{
    const int64_t channel = part % pass->groups * pass->channels;
    return (an_norm_group){
        .channels = pass->channels,
        .length = pass->length,
        .weight = pass->weight ? pass->weight + channel : NULL,
        .bias = pass->bias ? pass->bias + channel : NULL,
        .mean = pass->mean[part],
        .rstd = pass->rstd[part],
    };
}

static void forward_task(void *arg, int64_t begin, int64_t end)
{
    const group_pass *pass = arg;
    const int64_t size = pass->channels * pass->length;
    const an_pieces all = {1, size, size};
    for (int64_t part = begin; part < end; part++) {
        const float *x = pass->x + part * size;
        const an_moments m = pass->kernels->moments(all, x);
        pass->mean[part] = (float)m.mean;
        pass->rstd[part] = (float)an__rstd(m.squares / (double)size, pass->eps);
        const an_norm_group group = group_of(pass, part);
        pass->kernels->group_normalise(&group, pass->y + part * size, x);
    }
}

static bool group_forward(an_graph *graph, an_node *node)
{
    node->as.norm.mean = an__scratch(graph, node->as.norm.parts, sizeof(float));
    node->as.norm.rstd = an__scratch(graph, node->as.norm.parts, sizeof(float));
    if (!node->as.norm.mean || !node->as.norm.rstd)
        return false;
    group_pass pass = group_plan(graph, node);
    an__parallel(graph->context, node->as.norm.parts, an__row_grain(node->as.norm.size),
                 forward_task, &pass);
    return true;
}

/*
 * With g = dy weight: dx = rstd (g - mean(g) - z mean(g z)), z = (x - mean) rstd, the means over
 * the group.
 */
static void backward_part(const group_pass *pass, int64_t part)
{
    const an_norm_group group = group_of(pass, part);
    const int64_t size = pass->channels * pass->length, at = part * size;
    double *of_dy = pass->of_dy + part * pass->channels;
    double *of_product = pass->of_product + part * pass->channels;
    const double rstd = (double)group.rstd, over = rstd / (double)size;
    double g = 0, product = 0;
    pass->kernels->group_sums(&group, pass->dy + at, pass->x + at, of_dy, of_product);
    for (int64_t k = 0; k < pass->channels; k++) {
        const double weight = group.weight ? (double)group.weight[k] : 1.0;
        g += weight * of_dy[k];
        product += weight * of_product[k];
    }
    if (pass->dx)
        pass->kernels->group_combine(&group, pass->dx + at, pass->dy + at, pass->x + at,
                                     (float)(-product * rstd * rstd * over), (float)(-g * over),
                                     pass->add);
}

static void backward_task(void *arg, int64_t begin, int64_t end)
{
    for (int64_t part = begin; part < end; part++)
        backward_part(arg, part);
}

/* The gradients of weight (which 1) and bias (2): the channels' sums over the samples. */
static void group_sums(an_graph *graph, an_node *node, const group_pass *pass, int which)
{
    const int64_t channels = pass->groups * pass->channels, batch = node->output.shape.dim[0];
    bool fresh;
    float *d = an_grad_of(graph, node->inputs[which], &fresh);
    double *total = d ? an__scratch(graph, channels, sizeof *total) : NULL;
    if (!total)
        return;
    memset(total, 0, (size_t)channels * sizeof *total);
    for (int64_t i = 0; i < batch * pass->groups; i++) {
        const double scale = which == 1 ? (double)pass->rstd[i] : 1.0;
        const double *of = (which == 1 ? pass->of_product : pass->of_dy) + i * pass->channels;
        double *to = total + i % pass->groups * pass->channels;
        for (int64_t k = 0; k < pass->channels; k++)
            to[k] += of[k] * scale;
    }
    for (int64_t c = 0; c < channels; c++)
        d[c] = fresh ? (float)total[c] : d[c] + (float)total[c];
}

static void group_backward(an_graph *graph, an_node *node)
{
    group_pass pass = group_plan(graph, node);
    const int64_t sums = node->as.norm.parts * pass.channels;
    pass.of_dy = an__scratch(graph, sums, sizeof(double));
    pass.of_product = an__scratch(graph, sums, sizeof(double));
    if (!pass.of_dy || !pass.of_product)
        return;
    bool fresh;
    pass.dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    pass.add = !fresh;
    an__parallel(graph->context, node->as.norm.parts, an__row_grain(node->as.norm.size),
                 backward_task, &pass);
    for (int which = 1; which < node->count; which++)
        group_sums(graph, node, &pass, which);
}

const an_op an__op_group_norm = {"group_norm", group_shape, group_forward, group_backward};

an_tensor *an_group_norm(an_graph *graph, an_tensor *x, int64_t groups, an_tensor *weight,
                         an_tensor *bias, double eps)
{
    an_attributes as = {.norm = {.eps = eps, .groups = groups}};
    const int count = bias ? 3 : weight ? 2 : 1;
    return an__record(graph, &an__op_group_norm, (an_tensor *[]){x, weight, bias}, count, &as);
}
