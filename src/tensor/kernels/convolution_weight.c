/*
 * The weights' gradient of direct convolutions, on all threads: the method for every size. Parts of
 * the batch are summed apart, and added in order at the end: see convolution_direct.c.
 */
#include <string.h>

#include "tensor/context.h"
#include "tensor/kernels/convolution_direct.h"

enum {
    PARTS_FLOATS = 1 << 20, /* of all parts of dw, unless one has more */
    FEW_FEATURES = 2        /* of a group: depthwise convolutions above all */
};

typedef struct weight_job {
    const an_context *context;
    const an_conv *conv;
    const float *x, *dy;
    float *parts_of_dw, *dw;
    bool add;
    bool few;                   /* too few features for the lanes: positions are in them */
    int64_t rows, pitch, parts; /* output rows of a block; of features; of the batch */
    int64_t channels, blocks;   /* of a block, and how many */
} weight_job;

static int64_t weight_pitch(const an_context *context, const an_conv *conv)
{
    const int64_t lanes = context->kernels->gemm->lanes;
    return an__divide_up(conv->features, lanes) * lanes;
}

/* One part's dw, turned: (groups, taps of all channels, pitch); of few features, as it is. */
static int64_t part_floats(const weight_job *job)
{
    return job->conv->groups * an__conv_window(job->conv) * job->pitch;
}

static weight_job weight_job_of(const an_context *context, const an_conv *conv)
{
    weight_job job = {.context = context, .conv = conv, .pitch = weight_pitch(context, conv)};
    job.few = conv->features <= FEW_FEATURES;
    if (job.few)
        job.pitch = conv->features;
    const int64_t fit = an__at_least(PARTS_FLOATS / an__at_least(part_floats(&job), 1), 1);
    job.parts = an__at_least(an__at_most(an__at_most(AN_CONV_ITEMS, fit), conv->images), 1);
    job.rows = an__conv_block_rows(conv, AN_CONV_ITEMS, conv->out_size[1] * job.pitch);
    const int64_t wanted = an__divide_up(AN_CONV_ITEMS, job.parts * conv->groups),
                  chunk = an__conv_chunk(conv);
    job.channels = an__divide_up(an__divide_up(conv->channels, wanted), chunk) * chunk;
    job.blocks = an__divide_up(conv->channels, job.channels);
    return job;
}

static int64_t turned_floats(const weight_job *job)
{
    return job->few ? 0 : job->rows * job->conv->out_size[1] * job->pitch;
}

/* The offsets of a block's taps, and of its positions. */
static int64_t tap_floats(const weight_job *job)
{
    return an__conv_offset_floats(an__conv_chunk(job->conv) * an__conv_taps(job->conv));
}

static int64_t position_floats(const weight_job *job)
{
    return job->few ? 0 : an__conv_offset_floats(job->rows * job->conv->out_size[1]);
}

static int64_t weight_need(const weight_job *job)
{
    return turned_floats(job) + tap_floats(job) + position_floats(job) +
           an__conv_padded_floats(job->conv, job->rows);
}

/* Taps of a kernel's row that see neighbouring pixels. */
static int64_t neighbours(const an_conv *conv)
{
    return conv->stride[1] == 1 && conv->dilation[1] == 1 ? conv->kernel[1] : 1;
}

/* The padded channels of a chunk by few features: `dw` at the first feature's first tap. */
static void few_weights(const weight_job *job, const an_direct *direct, const float *dy, float *dw,
                        bool add)
{
    const an_conv *conv = job->conv;
    for (int64_t f = 0; f < conv->features; f++)
        job->context->kernels->conv->feature_weights(direct, dy + f * an__conv_positions(conv),
                                                     dw + f * an__conv_window(conv), add);
}

/* Some output rows of one image: adds to dw for channels begin <= c < end, or writes it. */
static void weight_rows(const weight_job *job, int64_t plane, int64_t first, int64_t begin,
                        int64_t end, float *dw, bool add, float *memory)
{
    const an_conv *conv = job->conv;
    const int64_t rows = an__at_most(job->rows, conv->out_size[0] - first);
    const int64_t chunk = an__conv_chunk(conv);
    int64_t *taps = (int64_t *)(memory + turned_floats(job));
    int64_t *places = (int64_t *)(memory + turned_floats(job) + tap_floats(job));
    float *padded = (float *)places + position_floats(job);
    const an_pixels gradients = {.channels = conv->features,
                                 .pitch = job->pitch,
                                 .height = conv->out_size[0],
                                 .width = conv->out_size[1],
                                 .first_row = first,
                                 .rows = rows,
                                 .columns = conv->out_size[1]};
    an_padded form = an__conv_padded(conv, chunk, rows);
    form.first_row = first * conv->stride[0] - conv->padding[0];
    an_direct direct = {.offset = taps,
                        .padded = padded,
                        .row_step = conv->stride[0] * form.pitch,
                        .rows = rows,
                        .columns = conv->out_size[1]};
    an_gathered gathered = {.row = taps, .step = places, .x = padded};
    gathered.depth = rows * conv->out_size[1];
    gathered.run = neighbours(conv);
    an__conv_tap_offsets(conv, &form, taps);
    const float *dy = job->dy + plane * conv->features * an__conv_positions(conv);
    if (!job->few) {
        an__conv_position_offsets(conv, &form, rows, places);
        job->context->kernels->winograd->read(&gradients, dy, memory);
    }
    for (int64_t c = begin; c < end; c += chunk) {
        form.channels = an__at_most(chunk, end - c);
        direct.taps = gathered.rows = form.channels * an__conv_taps(conv);
        job->context->kernels->conv->pad(
            conv, &form, c, job->x + plane * conv->channels * an__conv_pixels(conv), padded);
        if (job->few)
            few_weights(job, &direct, dy + first * conv->out_size[1], dw + c * an__conv_taps(conv),
                        add);
        else
            job->context->kernels->conv->gathered(&gathered, job->pitch, memory,
                                                  dw + c * an__conv_taps(conv) * job->pitch, add);
    }
}

static void weight_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const weight_job *job = arg;
    const an_conv *conv = job->conv;
    const int64_t group = item / job->blocks % conv->groups;
    const int64_t part = item / job->blocks / conv->groups;
    const int64_t begin = item % job->blocks * job->channels;
    const int64_t end = an__at_most(begin + job->channels, conv->channels);
    const int64_t image = conv->images * part / job->parts;
    const int64_t last = conv->images * (part + 1) / job->parts;
    float *dw =
        job->parts_of_dw + part * part_floats(job) + group * an__conv_window(conv) * job->pitch;
    (void)gemm_scratch;
    for (int64_t i = image; i < last; i++)
        for (int64_t row = 0; row < conv->out_size[0]; row += job->rows)
            weight_rows(job, i * conv->groups + group, row, begin, end, dw, i > image || row > 0,
                        memory);
}

static void sum_task(void *arg, int64_t begin, int64_t end)
{
    const weight_job *job = arg;
    job->context->kernels->conv->sum_parts(job->parts, part_floats(job), begin, end,
                                           job->parts_of_dw, job->parts_of_dw);
}

/* From (taps, pitch) to (features, taps), for rows begin <= row < end of all groups' taps; of few
 * features, as they are. */
static void turn_task(void *arg, int64_t begin, int64_t end)
{
    const weight_job *job = arg;
    for (int64_t i = begin * job->pitch; job->few && i < end * job->pitch; i++)
        job->dw[i] = (job->add ? job->dw[i] : 0) + job->parts_of_dw[i];
    if (job->few)
        return;
    const int64_t taps = an__conv_window(job->conv), group = an__conv_group_weights(job->conv);
    for (int64_t row = begin; row < end;) {
        const an_pixels part = an__conv_stretch(job->conv, job->pitch, row, end);
        job->context->kernels->winograd->write(&part, job->parts_of_dw + row * job->pitch, NULL,
                                               false, job->add, job->dw + row / taps * group);
        row += part.columns;
    }
}

int64_t an__conv_weight_direct_space(const an_context *context, const an_conv *conv)
{
    const weight_job job = weight_job_of(context, conv);
    return job.parts * part_floats(&job) + an__conv_shares_space(context, weight_need(&job));
}

void an__conv_weight_direct(an_context *context, const an_conv *conv, const float *x,
                            const float *dy, float *dw, bool add, float *space)
{
    weight_job job = weight_job_of(context, conv);
    job.x = x;
    job.dy = dy;
    job.dw = dw;
    job.add = add;
    job.parts_of_dw = space;
    if (conv->images == 0 || an__conv_positions(conv) == 0) {
        const int64_t size = conv->groups * an__conv_group_weights(conv);
        memset(dw, 0, add ? 0 : (size_t)size * sizeof(float));
        return;
    }
    const an_shares shares = {.context = context,
                              .items = job.parts * conv->groups * job.blocks,
                              .run = weight_item,
                              .arg = &job,
                              .need = weight_need(&job),
                              .space = space + job.parts * part_floats(&job)};
    an__conv_shares(context, &shares, an__conv_operations(conv));
    if (job.parts > 1)
        an__parallel(context, part_floats(&job), 16384, sum_task, &job);
    an__parallel(context, conv->groups * an__conv_window(conv),
                 an__at_least(16384 / job.pitch, AN_CONV_SLACK) / AN_CONV_SLACK * AN_CONV_SLACK,
                 turn_task, &job);
}
