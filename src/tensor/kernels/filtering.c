/* See filtering.h. */
#include "tensor/kernels/filtering.h"

#include "tensor/context.h"

an_filtering an__filtering_of(const an_context *context, const an_conv *conv, bool backward)
{
    const int64_t lanes = context->kernels->gemm->lanes;
    an_filtering f = {.planes = conv->images * conv->groups,
                      .in = backward ? conv->features : conv->channels,
                      .out = backward ? conv->channels : conv->features};
    f.in_pitch = an__divide_up(f.in, lanes) * lanes;
    f.out_pitch = an__divide_up(f.out, lanes) * lanes;
    for (int axis = 0; axis < 2; axis++) {
        f.size[axis] = backward ? conv->out_size[axis] : conv->size[axis];
        f.out_size[axis] = backward ? conv->size[axis] : conv->out_size[axis];
        f.padding[axis] = backward ? 2 - conv->padding[axis] : conv->padding[axis];
    }
    f.rows = an__divide_up(f.out_size[0], 2);
    f.columns = an__divide_up(f.out_size[1], 2);
    an__filtering_cut(&f, f.rows);
    return f;
}

void an__filtering_cut(an_filtering *f, int64_t most)
{
    f->blocks = an__divide_up(f->rows, an__at_least(most, 1));
    f->block = f->blocks > 0 ? an__divide_up(f->rows, f->blocks) : 1;
}

an_pixels an__filtering_input(const an_filtering *f, int64_t first, int64_t rows)
{
    return (an_pixels){.channels = f->in,
                       .pitch = f->in_pitch,
                       .height = f->size[0],
                       .width = f->size[1],
                       .first_row = 2 * first - f->padding[0],
                       .first_column = -f->padding[1],
                       .rows = 2 * rows + 2,
                       .columns = 2 * f->columns + 2};
}

an_pixels an__filtering_output(const an_filtering *f, int64_t first, int64_t rows)
{
    return (an_pixels){.channels = f->out,
                       .pitch = f->out_pitch,
                       .height = f->out_size[0],
                       .width = f->out_size[1],
                       .first_row = 2 * first,
                       .rows = 2 * rows,
                       .columns = 2 * f->columns};
}

/* ----------------------------------------------------------------- kernels */

typedef struct filter_job {
    const an_context *context;
    const an_conv *conv;
    const an_filtering *f;
    const float *w;
    bool backward;
    int64_t parts;
    float *places, *dw;
    bool add;
} filter_job;

/* Kernels of all groups, row by row: `begin` and `end` count groups * in. */
static void filter_task(void *arg, int64_t begin, int64_t end)
{
    const filter_job *job = arg;
    const an_filtering *f = job->f;
    const int64_t per_feature = job->conv->channels * 9;
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / f->in, row = i % f->in;
        job->context->kernels->winograd->filters(
            f->out, f->out_pitch, f->in, row, row + 1,
            job->w + group * job->conv->features * per_feature, job->backward ? 9 : per_feature,
            job->backward ? per_feature : 9, job->backward,
            job->places + group * AN_TILE_PLACES * f->in * f->out_pitch);
    }
}

int64_t an__filter_floats(const an_conv *conv, const an_filtering *f)
{
    return conv->groups * AN_TILE_PLACES * f->in * f->out_pitch;
}

/* Rows of matrices that a thread is given at once. */
static int64_t row_grain(const an_filtering *f)
{
    return an__at_least(16384 / (AN_TILE_PLACES * f->out_pitch), 1);
}

void an__filter_kernels(an_context *context, const an_conv *conv, const an_filtering *f,
                        const float *w, bool backward, float *places)
{
    filter_job job = {.context = context, .conv = conv, .f = f, .w = w, .places = places};
    job.backward = backward;
    an__parallel(context, conv->groups * f->in, row_grain(f), filter_task, &job);
}

static void sum_task(void *arg, int64_t begin, int64_t end)
{
    const filter_job *job = arg;
    job->context->kernels->conv->sum_parts(job->parts, an__filter_floats(job->conv, job->f), begin,
                                           end, job->places, job->places);
}

static void gradient_task(void *arg, int64_t begin, int64_t end)
{
    const filter_job *job = arg;
    const an_filtering *f = job->f;
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i / f->in, row = i % f->in;
        job->context->kernels->winograd->filter_gradient(
            f->out, f->out_pitch, f->in, row, row + 1,
            job->places + group * AN_TILE_PLACES * f->in * f->out_pitch, job->add,
            job->dw + group * f->out * f->in * 9);
    }
}

void an__filter_gradient(an_context *context, const an_conv *conv, const an_filtering *f,
                         int64_t parts, float *places, bool add, float *dw)
{
    filter_job job = {.context = context, .conv = conv, .f = f, .parts = parts, .places = places};
    job.add = add;
    job.dw = dw;
    if (parts > 1)
        an__parallel(context, an__filter_floats(conv, f), 16384, sum_task, &job);
    an__parallel(context, conv->groups * f->in, row_grain(f), gradient_task, &job);
}
