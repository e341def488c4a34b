/* The joint norm of all gradients, and clipping by it. */
#include <math.h>

#include "optim/rule.h"
#include "tensor/kernels/update.h"

typedef struct norm_work {
    const an_update_table *kernels;
    const float *grads;
    int64_t count, part; /* floats in all, and in each part but the last */
    double sum[AN_MOST_PARTS];
} norm_work;

static void norm_task(void *arg, int64_t begin, int64_t end)
{
    norm_work *work = arg;
    for (int64_t i = begin; i < end; i++) {
        int64_t at = i * work->part, left = work->count - at;
        work->sum[i] =
            work->kernels->square_sum(left < work->part ? left : work->part, work->grads + at);
    }
}

static double run_square_sum(an_context *context, const float *grads, int64_t count)
{
    const an_parts parts = an__parts_of(count);
    norm_work work = {.kernels = an__kernels(context)->update,
                      .grads = grads,
                      .count = count,
                      .part = parts.length};
    an__parallel(context, parts.count, 1, norm_task, &work);
    double sum = 0;
    for (int64_t i = 0; i < parts.count; i++) {
        sum += work.sum[i];
    }
    return sum;
}

typedef struct scale_work {
    const an_update_table *kernels;
    float *grads;
    double factor;
} scale_work;

static void scale_task(void *arg, int64_t begin, int64_t end)
{
    const scale_work *work = arg;
    work->kernels->scale(end - begin, work->grads + begin, work->factor);
}

static void scale_grads(an_params *params, double factor)
{
    an_context *context = an_params_context(params);
    an_param_run run = {0};
    while (an__run_next(params, &run, NULL, NULL)) {
        scale_work work = {an__kernels(context)->update, an_params_grads(params) + run.begin,
                           factor};
        an__parallel(context, run.count, AN_UPDATE_GRAIN, scale_task, &work);
    }
}

typedef struct clamp_work {
    const an_update_table *kernels;
    float *grads;
    an_scalars scalars;
} clamp_work;

static void clamp_task(void *arg, int64_t begin, int64_t end)
{
    const clamp_work *work = arg;
    const an_vectors vectors = {.p = work->grads + begin};
    work->kernels->run[AN_UPDATE_CLAMP](&work->scalars, end - begin, &vectors, NULL);
}

void an_clip_grad_value(an_params *params, double limit)
{
    an_context *context = an_params_context(params);
    an_param_run run = {0};
    while (limit >= 0 && an__run_next(params, &run, NULL, NULL)) {
        clamp_work work = {an__kernels(context)->update,
                           an_params_grads(params) + run.begin,
                           {.linear = {.pull = limit}}};
        an__parallel(context, run.count, AN_UPDATE_GRAIN, clamp_task, &work);
    }
}

double an_clip_grad_norm(an_params *params, double max_norm)
{
    an_context *context = an_params_context(params);
    double sum = 0;
    an_param_run run = {0};
    while (an__run_next(params, &run, NULL, NULL)) {
        sum += run_square_sum(context, an_params_grads(params) + run.begin, run.count);
    }
    double norm = sqrt(sum);
    double factor = max_norm / (norm + 1e-6);
    if (max_norm > 0 && isfinite(norm) && factor < 1) {
        scale_grads(params, factor);
    }
    return norm;
}
