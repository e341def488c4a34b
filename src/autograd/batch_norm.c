/*
 * Batch norm (Ioffe, Szegedy: Batch Normalization; ICML 2015): each channel by its mean and
 * variance over the batch, or by running ones.
 *
 * A channel of (n, channels, length) is n pieces of `length` values. Where these are short, x is
 * taken as a matrix of channels * length columns instead, whose moments are put together by
 * channel.
 */
#include <string.h>

#include "autograd/channels.h"
#include "autograd/ops.h"

/* Pieces below this length are handled as columns. */
enum { SHORT = 32, STRIP = 64 };

static bool running_fits(an_graph *graph, const an_node *node, int64_t channels)
{
    const an_batch_norm_options *o = &node->as.norm.batch;
    const an_tensor *running[] = {o->running_mean, o->running_variance};
    for (int i = 0; i < 2; i++)
        if (!running[i] != !running[0] ||
            (running[i] && (!running[i]->data || running[i]->size != channels)))
            return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                                "batch_norm: the running mean and variance must have one value for "
                                "each of the %lld channels, or both be NULL",
                                (long long)channels);
    return true;
}

/* Whether the batch's own statistics are taken. */
static bool by_batch(const an_node *node)
{
    return node->as.norm.batch.training || !node->as.norm.batch.running_mean;
}

static bool batch_shape(an_graph *graph, an_node *node, an_shape *shape)
{
    an_channels c = {0};
    *shape = node->inputs[0]->shape;
    if (!an__channels_fit(graph, node, &c) || !running_fits(graph, node, c.channels))
        return false;
    node->as.norm.parts = c.channels;
    node->as.norm.size = c.batch * c.length;
    if (by_batch(node) && node->as.norm.size < 2 && c.channels > 0)
        return an_error_set(an__failure(graph), AN_ERROR_SHAPE,
                            "batch_norm: training takes at least two values a channel, but %s has "
                            "%lld; a larger batch has more, evaluation needs none",
                            an__text(*shape).text, (long long)node->as.norm.size);
    return true;
}

typedef struct batch_pass {
    const an_norms_table *kernels;
    const float *x, *dy;
    float *y, *dx;
    an_channels is;
    bool columns; /* x is handled as columns */
    bool add;
    an_moments *moments;        /* of each channel or column */
    double *of_dy, *of_product; /* of each channel or column */
    float *mean, *a, *b, *c;    /* of each channel or column */
} batch_pass;

static int64_t pass_width(const batch_pass *pass)
{
    return pass->columns ? pass->is.channels * pass->is.length : pass->is.channels;
}

/* Memory for what the pass holds of each channel or column. */
static bool batch_plan(an_graph *graph, const an_node *node, batch_pass *pass)
{
    *pass = (batch_pass){
        .kernels = an__kernels(graph->context)->norms,
        .x = node->inputs[0]->data,
        .dy = node->output.grad,
        .y = node->output.data,
        .is = an__channels_of(node->output.shape),
    };
    pass->columns = pass->is.length < SHORT;
    const int64_t width = pass_width(pass);
    pass->moments = an__scratch(graph, width, sizeof *pass->moments);
    double *sums = an__scratch(graph, 2 * width, sizeof *sums);
    float *values = an__scratch(graph, 4 * width, sizeof *values);
    if (!pass->moments || !sums || !values)
        return false;
    pass->of_dy = sums;
    pass->of_product = sums + width;
    pass->mean = values;
    pass->a = values + width;
    pass->b = values + 2 * width;
    pass->c = values + 3 * width;
    return true;
}

/* Runs `task` over the channels, or over the columns in strips. */
static void run(an_graph *graph, batch_pass *pass, an_task task)
{
    const an_channels is = pass->is;
    int64_t grain = an__row_grain(pass->columns ? is.batch : is.batch * is.length);
    if (pass->columns)
        grain = an__divide_up(grain, STRIP) * STRIP;
    an__parallel(graph->context, pass_width(pass), grain, task, pass);
}

static an_pieces channel_pieces(const batch_pass *pass)
{
    return (an_pieces){pass->is.batch, pass->is.length, pass->is.channels * pass->is.length};
}

/* ----------------------------------------------------------------- forward */

static void moments_task(void *arg, int64_t begin, int64_t end)
{
    const batch_pass *pass = arg;
    if (pass->columns)
        pass->kernels->column_moments(pass->is.batch, pass_width(pass), begin, end, pass->x,
                                      pass->moments);
    for (int64_t c = begin; !pass->columns && c < end; c++)
        pass->moments[c] =
            pass->kernels->moments(channel_pieces(pass), pass->x + c * pass->is.length);
}

/* The moments of a channel from those of its columns: squares around the common mean. */
static an_moments channel_moments(const batch_pass *pass, int64_t channel)
{
    if (!pass->columns)
        return pass->moments[channel];
    const int64_t n = pass->is.length;
    const an_moments *part = pass->moments + channel * n;
    an_moments all = {0, 0};
    for (int64_t i = 0; i < n; i++)
        all.mean += part[i].mean / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double away = part[i].mean - all.mean;
        all.squares += part[i].squares + away * away * (double)pass->is.batch;
    }
    return all;
}

/* Moves the running statistics towards the batch's. */
static void move_running(an_node *node, int64_t channel, const an_moments *m)
{
    const an_batch_norm_options *o = &node->as.norm.batch;
    const double n = (double)node->as.norm.size, keep = 1 - o->momentum;
    if (!o->training || !o->running_mean)
        return;
    float *mean = &o->running_mean->data[channel], *variance = &o->running_variance->data[channel];
    *mean = (float)(keep * (double)*mean + o->momentum * m->mean);
    *variance = (float)(keep * (double)*variance + o->momentum * m->squares / (n - 1));
}

/* Mean and rstd of each channel, from the batch or from the running statistics. */
static void choose_statistics(an_node *node, const batch_pass *pass)
{
    const an_batch_norm_options *o = &node->as.norm.batch;
    for (int64_t c = 0; c < pass->is.channels; c++) {
        if (by_batch(node)) {
            const an_moments m = channel_moments(pass, c);
            node->as.norm.mean[c] = (float)m.mean;
            node->as.norm.rstd[c] =
                (float)an__rstd(m.squares / (double)node->as.norm.size, node->as.norm.eps);
            move_running(node, c, &m);
        } else {
            node->as.norm.mean[c] = o->running_mean->data[c];
            node->as.norm.rstd[c] =
                (float)an__rstd((double)o->running_variance->data[c], node->as.norm.eps);
        }
    }
}

/* The values of column i, or of channel i, are those of this channel. */
static int64_t channel_of(const batch_pass *pass, int64_t i)
{
    return pass->columns ? i / pass->is.length : i;
}

static void normalise_task(void *arg, int64_t begin, int64_t end)
{
    const batch_pass *pass = arg;
    if (pass->columns)
        pass->kernels->column_normalise(pass->is.batch, pass_width(pass), begin, end, pass->y,
                                        pass->x, pass->mean, pass->a, pass->b);
    for (int64_t c = begin; !pass->columns && c < end; c++)
        pass->kernels->normalise(channel_pieces(pass), pass->y + c * pass->is.length,
                                 pass->x + c * pass->is.length, pass->mean[c], pass->a[c],
                                 pass->b[c]);
}

static bool batch_forward(an_graph *graph, an_node *node)
{
    batch_pass pass;
    node->as.norm.mean = an__scratch(graph, node->as.norm.parts, sizeof(float));
    node->as.norm.rstd = an__scratch(graph, node->as.norm.parts, sizeof(float));
    if (!node->as.norm.mean || !node->as.norm.rstd || !batch_plan(graph, node, &pass))
        return false;
    if (by_batch(node))
        run(graph, &pass, moments_task);
    choose_statistics(node, &pass);
    for (int64_t i = 0; i < pass_width(&pass); i++) {
        const int64_t c = channel_of(&pass, i);
        pass.mean[i] = node->as.norm.mean[c];
        pass.a[i] = node->as.norm.rstd[c] * (node->count > 1 ? node->inputs[1]->data[c] : 1.0f);
        pass.b[i] = node->count > 2 ? node->inputs[2]->data[c] : 0.0f;
    }
    run(graph, &pass, normalise_task);
    return true;
}

/* ---------------------------------------------------------------- backward */

static void sums_task(void *arg, int64_t begin, int64_t end)
{
    const batch_pass *pass = arg;
    if (pass->columns)
        pass->kernels->column_sums(pass->is.batch, pass_width(pass), begin, end, pass->dy, pass->x,
                                   pass->mean, pass->of_dy, pass->of_product);
    for (int64_t c = begin; !pass->columns && c < end; c++)
        pass->kernels->sums(channel_pieces(pass), pass->dy + c * pass->is.length,
                            pass->x + c * pass->is.length, pass->mean[c], &pass->of_dy[c],
                            &pass->of_product[c]);
}

/* Puts the sums of a channel's columns in the channel's place. */
static void join_columns(const batch_pass *pass)
{
    for (int64_t c = 0; pass->columns && c < pass->is.channels; c++) {
        double of_dy = 0, of_product = 0;
        for (int64_t i = c * pass->is.length; i < (c + 1) * pass->is.length; i++) {
            of_dy += pass->of_dy[i];
            of_product += pass->of_product[i];
        }
        pass->of_dy[c] = of_dy;
        pass->of_product[c] = of_product;
    }
}

/* The gradients of weight and bias: the sums of dy (x - mean) rstd and of dy. */
static void parameter_gradients(an_graph *graph, an_node *node, const batch_pass *pass)
{
    for (int which = 1; which < node->count; which++) {
        bool fresh;
        float *d = an_grad_of(graph, node->inputs[which], &fresh);
        for (int64_t c = 0; d && c < pass->is.channels; c++) {
            const float sum = which == 1
                                  ? (float)(pass->of_product[c] * (double)node->as.norm.rstd[c])
                                  : (float)pass->of_dy[c];
            d[c] = fresh ? sum : d[c] + sum;
        }
    }
}

static void combine_task(void *arg, int64_t begin, int64_t end)
{
    const batch_pass *pass = arg;
    if (pass->columns)
        pass->kernels->column_combine(pass->is.batch, pass_width(pass), begin, end, pass->dx,
                                      pass->dy, pass->x, pass->mean, pass->a, pass->b, pass->c,
                                      pass->add);
    for (int64_t c = begin; !pass->columns && c < end; c++) {
        const float abc[3] = {pass->a[c], pass->b[c], pass->c[c]};
        const int64_t at = c * pass->is.length;
        pass->kernels->combine(channel_pieces(pass), pass->dx + at, pass->dy + at, pass->x + at,
                               pass->mean[c], abc, pass->add);
    }
}

/*
 * dx = a dy + b (x - mean) + c. By the batch: a = weight rstd, b = -a rstd^2 mean(dy (x - mean)),
 * c = -a mean(dy). By running statistics, which are constants: a alone.
 */
static void input_gradient(an_graph *graph, an_node *node, batch_pass *pass)
{
    const double n = (double)node->as.norm.size;
    bool fresh;
    pass->dx = an__grad_handed_on(graph, node, node->inputs[0], &fresh);
    pass->add = !fresh;
    for (int64_t i = 0; i < pass_width(pass); i++) {
        const int64_t c = channel_of(pass, i);
        const double rstd = (double)node->as.norm.rstd[c];
        const double a = rstd * (node->count > 1 ? (double)node->inputs[1]->data[c] : 1.0);
        pass->a[i] = (float)a;
        pass->b[i] = by_batch(node) ? (float)(-a * rstd * rstd * pass->of_product[c] / n) : 0.0f;
        pass->c[i] = by_batch(node) ? (float)(-a * pass->of_dy[c] / n) : 0.0f;
    }
    if (pass->dx)
        run(graph, pass, combine_task);
}

static void batch_backward(an_graph *graph, an_node *node)
{
    batch_pass pass;
    if (!batch_plan(graph, node, &pass))
        return;
    for (int64_t i = 0; i < pass_width(&pass); i++)
        pass.mean[i] = node->as.norm.mean[channel_of(&pass, i)];
    run(graph, &pass, sums_task);
    join_columns(&pass);
    parameter_gradients(graph, node, &pass);
    input_gradient(graph, node, &pass);
}

const an_op an__op_batch_norm = {"batch_norm", batch_shape, batch_forward, batch_backward};

an_tensor *an_batch_norm(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                         const an_batch_norm_options *options)
{
    an_attributes as = {.norm = {.eps = options->eps, .batch = *options}};
    const int count = bias ? 3 : weight ? 2 : 1;
    return an__record(graph, &an__op_batch_norm, (an_tensor *[]){x, weight, bias}, count, &as);
}
