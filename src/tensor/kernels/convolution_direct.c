/*
 * Direct convolutions on all threads: the method for every size. See conv.h.
 *
 * The work is cut into items that write apart from each other: blocks of rows of one image and
 * group forward; for dw parts of the batch, whose results are added in order at the end. dx of
 * windows that move by one is a convolution of dy with the kernels turned by half a circle; that of
 * others is a product, columns = w^T dy, whose columns are added where they came from. The cut
 * depends on the sizes alone: the same bits for any number of threads.
 */
#include "tensor/kernels/convolution.h"

#include <string.h>

#include "tensor/context.h"
#include "tensor/kernels/winograd.h"

enum {
    TAPS = 256,             /* of a chunk of channels, so that its weights stay in cache */
    PLANES = 32 * 1024,     /* floats of a padded chunk, unless a row takes more */
    SUMS = 64 * 1024,       /* floats of y between two chunks */
    COLUMNS = 64 * 1024,    /* floats of a block of columns */
    ITEMS = 16,             /* at least so many, where that is possible */
    PARTS_FLOATS = 1 << 20, /* of all parts of dw, unless one has more */
    FEW_FEATURES = 2,       /* of a group, for dw: depthwise convolutions above all */
    SLACK = 16              /* floats that a vector may read beyond a plane */
};

/* ------------------------------------------------------------------- sizes */

static int64_t taps_of(const an_conv *conv)
{
    return conv->kernel[0] * conv->kernel[1];
}

/* The taps of all channels. */
static int64_t window(const an_conv *conv)
{
    return conv->channels * taps_of(conv);
}

static int64_t positions(const an_conv *conv)
{
    return conv->out_size[0] * conv->out_size[1];
}

static int64_t pixels(const an_conv *conv)
{
    return conv->size[0] * conv->size[1];
}

static double operations(const an_conv *conv)
{
    return (double)conv->images * (double)conv->groups * (double)conv->features *
           (double)window(conv) * (double)positions(conv);
}

/* The channels that are padded and summed at once. */
static int64_t chunk_of(const an_conv *conv)
{
    return an__at_most(an__at_least(TAPS / taps_of(conv), 1), conv->channels);
}

/* The form of `channels` padded channels for `rows` output rows. */
static an_padded padded_for(const an_conv *conv, int64_t channels, int64_t rows)
{
    const int64_t width =
        (conv->out_size[1] - 1) * conv->stride[1] + (conv->kernel[1] - 1) * conv->dilation[1] + 1;
    const int64_t phase = an__divide_up(width, conv->stride[1]);
    return (an_padded){.channels = channels,
                       .rows = (rows - 1) * conv->stride[0] +
                               (conv->kernel[0] - 1) * conv->dilation[0] + 1,
                       .pitch = phase * conv->stride[1],
                       .phase = phase};
}

static int64_t padded_floats(const an_conv *conv, int64_t rows)
{
    const an_padded form = padded_for(conv, chunk_of(conv), rows);
    return an__divide_up(form.channels * form.rows * form.pitch + SLACK, SLACK) * SLACK;
}

/* The offsets of a chunk's taps, as floats of memory. */
static int64_t offset_floats(const an_conv *conv)
{
    const int64_t bytes = chunk_of(conv) * taps_of(conv) * (int64_t)sizeof(int64_t);
    return an__divide_up(bytes, SLACK * (int64_t)sizeof(float)) * SLACK;
}

/* Where each tap of a chunk sees its pixel. */
static void fill_offsets(const an_conv *conv, const an_padded *form, int64_t *offset)
{
    const int64_t stride = conv->stride[1];
    for (int64_t c = 0; c < form->channels; c++)
        for (int64_t u = 0; u < conv->kernel[0]; u++) {
            const int64_t row = (c * form->rows + u * conv->dilation[0]) * form->pitch;
            for (int64_t v = 0; v < conv->kernel[1]; v++) {
                const int64_t column = v * conv->dilation[1];
                *offset++ = row + column % stride * form->phase + column / stride;
            }
        }
}

/*
 * Output rows of a block: as many as keep the padded chunk in cache, and `sums` floats a row, of
 * what is carried from chunk to chunk; fewer where there would not be ITEMS of them.
 */
static int64_t rows_of_block(const an_conv *conv, int64_t planes, int64_t sums)
{
    int64_t rows = conv->out_size[0];
    while (rows > 1 && (padded_floats(conv, rows) > PLANES || rows * sums > SUMS))
        rows = an__divide_up(rows, 2);
    const int64_t wanted = an__divide_up(ITEMS, an__at_least(planes, 1));
    return an__at_least(an__at_most(rows, an__divide_up(conv->out_size[0], wanted)), 1);
}

/* ----------------------------------------------------------------- forward */

typedef struct forward {
    const an_context *context;
    const an_conv *conv;
    const float *x, *w, *bias;
    an_epilogue epilogue;
    bool add;
    float *y;
    int64_t rows, blocks; /* of output rows, and how many */
} forward;

static void forward_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const forward *f = arg;
    const an_conv *conv = f->conv;
    const int64_t plane = item / f->blocks, group = plane % conv->groups;
    const int64_t first = item % f->blocks * f->rows, chunk = chunk_of(conv);
    const int64_t rows = an__at_most(f->rows, conv->out_size[0] - first);
    (void)gemm_scratch;
    if (rows <= 0)
        return;
    an_padded form = padded_for(conv, chunk, rows);
    form.first_row = first * conv->stride[0] - conv->padding[0];
    int64_t *offset = (int64_t *)memory;
    float *padded = memory + offset_floats(conv);
    fill_offsets(conv, &form, offset);
    an_direct direct = {.offset = offset,
                        .padded = padded,
                        .row_step = conv->stride[0] * form.pitch,
                        .rows = rows,
                        .columns = conv->out_size[1]};
    an_direct_sums sums = {.features = conv->features,
                           .w_step = window(conv),
                           .plane = positions(conv),
                           .y = f->y + plane * conv->features * positions(conv) +
                                first * conv->out_size[1]};
    for (int64_t c = 0; c < conv->channels; c += chunk) {
        const bool last = c + chunk >= conv->channels;
        form.channels = an__at_most(chunk, conv->channels - c);
        direct.taps = form.channels * taps_of(conv);
        f->context->kernels->conv->pad(conv, &form, c, f->x + plane * conv->channels * pixels(conv),
                                       padded);
        sums.w = f->w + group * conv->features * window(conv) + c * taps_of(conv);
        sums.add = f->add || c > 0;
        sums.bias = last && f->bias ? f->bias + group * conv->features : NULL;
        sums.epilogue = last ? f->epilogue : AN_EPILOGUE_IDENTITY;
        f->context->kernels->conv->sums(&direct, &sums);
    }
}

static int64_t forward_rows(const an_conv *conv)
{
    const bool chunks = chunk_of(conv) < conv->channels;
    return rows_of_block(conv, conv->images * conv->groups,
                         chunks ? conv->features * conv->out_size[1] : 0);
}

static int64_t forward_need(const an_conv *conv)
{
    return offset_floats(conv) + padded_floats(conv, forward_rows(conv));
}

static void run_forward(an_context *context, forward *f, float *space)
{
    const an_conv *conv = f->conv;
    if (positions(conv) == 0)
        return;
    f->context = context;
    f->rows = forward_rows(conv);
    f->blocks = an__divide_up(conv->out_size[0], f->rows);
    const an_shares shares = {.context = context,
                              .items = conv->images * conv->groups * f->blocks,
                              .run = forward_item,
                              .arg = f,
                              .need = forward_need(conv),
                              .space = space};
    an__conv_shares(context, &shares, operations(conv));
}

int64_t an__conv_forward_direct_space(const an_context *context, const an_conv *conv)
{
    return an__conv_shares_space(context, forward_need(conv));
}

void an__conv_forward_direct(an_context *context, const an_conv *conv, const float *x,
                             const float *w, const float *bias, an_epilogue epilogue, float *y,
                             bool add, float *space)
{
    forward f = {.conv = conv, .x = x, .w = w, .bias = bias, .epilogue = epilogue, .y = y};
    f.add = add;
    run_forward(context, &f, space);
}

/* ------------------------------------------------ dx of windows that move by one */

/* The convolution that takes dy to dx. */
static an_conv turned(const an_conv *conv)
{
    an_conv t = *conv;
    t.channels = conv->features;
    t.features = conv->channels;
    for (int axis = 0; axis < 2; axis++) {
        t.size[axis] = conv->out_size[axis];
        t.out_size[axis] = conv->size[axis];
        t.padding[axis] = (conv->kernel[axis] - 1) * conv->dilation[axis] - conv->padding[axis];
    }
    return t;
}

/* (groups, features, channels, taps) to (groups, channels, features, taps from last to first). */
static void turn_weights(const an_conv *conv, const float *w, float *to)
{
    const int64_t taps = taps_of(conv), features = conv->features, channels = conv->channels;
    for (int64_t g = 0; g < conv->groups; g++)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t f = 0; f < features; f++) {
                const float *from = w + ((g * features + f) * channels + c) * taps;
                for (int64_t k = taps - 1; k >= 0; k--)
                    *to++ = from[k];
            }
}

static int64_t weight_floats(const an_conv *conv)
{
    return an__divide_up(conv->groups * conv->features * window(conv), SLACK) * SLACK;
}

/* ------------------------------------------------------------ dx by columns */

typedef struct columns_job {
    const an_context *context;
    const an_conv *conv;
    const float *dy, *w;
    float *dx;
    bool add;
    int64_t channels, blocks; /* of a block, and how many */
} columns_job;

/* Positions that `rows` columns take at once. */
static int64_t column_step(const an_conv *conv, int64_t rows)
{
    return an__at_least(an__at_most(COLUMNS / rows / 16 * 16, positions(conv)), 16);
}

static void columns_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const columns_job *job = arg;
    const an_conv *conv = job->conv;
    const int64_t plane = item / job->blocks, group = plane % conv->groups;
    const float *dy = job->dy + plane * conv->features * positions(conv);
    float *dx = job->dx + plane * conv->channels * pixels(conv);
    an_columns block = {.begin = item % job->blocks * job->channels};
    block.end = an__at_most(block.begin + job->channels, conv->channels);
    const int64_t rows = (block.end - block.begin) * taps_of(conv);
    block.ld = column_step(conv, job->channels * taps_of(conv));
    if (!job->add)
        memset(dx + block.begin * pixels(conv), 0,
               (size_t)((block.end - block.begin) * pixels(conv)) * sizeof(float));
    for (int64_t p = 0; p < positions(conv); p += block.ld) {
        block.first = p;
        block.last = an__at_most(p + block.ld, positions(conv));
        const an_gemm call = {
            .transpose_a = true,
            .m = rows,
            .n = block.last - p,
            .k = conv->features,
            .a = job->w + group * conv->features * window(conv) + block.begin * taps_of(conv),
            .lda = window(conv),
            .b = dy + p,
            .ldb = positions(conv),
            .c = memory,
            .ldc = block.ld,
        };
        job->context->kernels->gemm->run(&call, gemm_scratch);
        job->context->kernels->conv->scatter(conv, &block, memory, dx);
    }
}

/* Channels of a block: fewer where there are few images, so that all threads have some. */
static int64_t column_channels(const an_conv *conv)
{
    const int64_t planes = an__at_least(conv->images * conv->groups, 1);
    const int64_t spread = an__divide_up(conv->channels, an__divide_up(ITEMS, planes));
    return an__at_least(an__at_most(spread, 1024 / taps_of(conv)), 1);
}

static int64_t columns_need(const an_conv *conv)
{
    const int64_t rows = column_channels(conv) * taps_of(conv);
    return rows * column_step(conv, rows);
}

static void data_by_columns(an_context *context, const an_conv *conv, const float *dy,
                            const float *w, float *dx, bool add, float *space)
{
    columns_job job = {.context = context, .conv = conv, .dy = dy, .w = w, .dx = dx, .add = add};
    job.channels = column_channels(conv);
    job.blocks = an__divide_up(conv->channels, job.channels);
    const an_shares shares = {.context = context,
                              .items = conv->images * conv->groups * job.blocks,
                              .run = columns_item,
                              .arg = &job,
                              .need = columns_need(conv),
                              .space = space};
    an__conv_shares(context, &shares, operations(conv));
}

static bool moves_by_one(const an_conv *conv)
{
    return conv->stride[0] == 1 && conv->stride[1] == 1;
}

int64_t an__conv_data_direct_space(const an_context *context, const an_conv *conv)
{
    if (!moves_by_one(conv))
        return an__conv_shares_space(context, columns_need(conv));
    const an_conv back = turned(conv);
    return weight_floats(conv) + an__conv_forward_direct_space(context, &back);
}

void an__conv_data_direct(an_context *context, const an_conv *conv, const float *dy, const float *w,
                          float *dx, bool add, float *space)
{
    if (!moves_by_one(conv)) {
        data_by_columns(context, conv, dy, w, dx, add, space);
        return;
    }
    const an_conv back = turned(conv);
    forward f = {.conv = &back, .x = dy, .w = space, .add = add, .y = dx};
    turn_weights(conv, w, space);
    run_forward(context, &f, space + weight_floats(conv));
}

/* ---------------------------------------------------------------------- dw */

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
    return job->conv->groups * window(job->conv) * job->pitch;
}

static weight_job weight_job_of(const an_context *context, const an_conv *conv)
{
    weight_job job = {.context = context, .conv = conv, .pitch = weight_pitch(context, conv)};
    job.few = conv->features <= FEW_FEATURES;
    if (job.few)
        job.pitch = conv->features;
    const int64_t fit = an__at_least(PARTS_FLOATS / an__at_least(part_floats(&job), 1), 1);
    job.parts = an__at_least(an__at_most(an__at_most(ITEMS, fit), conv->images), 1);
    job.rows = rows_of_block(conv, ITEMS, conv->out_size[1] * job.pitch);
    const int64_t wanted = an__divide_up(ITEMS, job.parts * conv->groups), chunk = chunk_of(conv);
    job.channels = an__divide_up(an__divide_up(conv->channels, wanted), chunk) * chunk;
    job.blocks = an__divide_up(conv->channels, job.channels);
    return job;
}

static int64_t turned_floats(const weight_job *job)
{
    return job->few ? 0 : job->rows * job->conv->out_size[1] * job->pitch;
}

static int64_t weight_need(const weight_job *job)
{
    return turned_floats(job) + offset_floats(job->conv) + padded_floats(job->conv, job->rows);
}

/* The padded channels of a chunk by few features: `dw` at the first feature's first tap. */
static void few_weights(const weight_job *job, const an_direct *direct, const float *dy, float *dw,
                        bool add)
{
    const an_conv *conv = job->conv;
    for (int64_t f = 0; f < conv->features; f++)
        job->context->kernels->conv->feature_weights(direct, dy + f * positions(conv),
                                                     dw + f * window(conv), add);
}

/* Some output rows of one image: adds to dw for channels begin <= c < end, or writes it. */
static void weight_rows(const weight_job *job, int64_t plane, int64_t first, int64_t begin,
                        int64_t end, float *dw, bool add, float *memory)
{
    const an_conv *conv = job->conv;
    const int64_t rows = an__at_most(job->rows, conv->out_size[0] - first);
    const int64_t chunk = chunk_of(conv);
    int64_t *offset = (int64_t *)(memory + turned_floats(job));
    float *padded = memory + turned_floats(job) + offset_floats(conv);
    const an_pixels gradients = {.channels = conv->features,
                                 .pitch = job->pitch,
                                 .height = conv->out_size[0],
                                 .width = conv->out_size[1],
                                 .first_row = first,
                                 .rows = rows,
                                 .columns = conv->out_size[1]};
    an_padded form = padded_for(conv, chunk, rows);
    form.first_row = first * conv->stride[0] - conv->padding[0];
    an_direct direct = {.offset = offset,
                        .padded = padded,
                        .row_step = conv->stride[0] * form.pitch,
                        .rows = rows,
                        .columns = conv->out_size[1]};
    fill_offsets(conv, &form, offset);
    const float *dy = job->dy + plane * conv->features * positions(conv);
    if (!job->few)
        job->context->kernels->winograd->read(&gradients, dy, memory);
    for (int64_t c = begin; c < end; c += chunk) {
        form.channels = an__at_most(chunk, end - c);
        direct.taps = form.channels * taps_of(conv);
        job->context->kernels->conv->pad(conv, &form, c,
                                         job->x + plane * conv->channels * pixels(conv), padded);
        if (job->few)
            few_weights(job, &direct, dy + first * conv->out_size[1], dw + c * taps_of(conv), add);
        else
            job->context->kernels->conv->weights(&direct, job->pitch, memory,
                                                 dw + c * taps_of(conv) * job->pitch, add);
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
    float *dw = job->parts_of_dw + part * part_floats(job) + group * window(conv) * job->pitch;
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
    const int64_t taps = window(job->conv), features = job->conv->features;
    for (int64_t row = begin; row < end;) {
        const int64_t group = row / taps, first = row % taps;
        const an_pixels part = {.channels = features,
                                .pitch = job->pitch,
                                .height = 1,
                                .width = taps,
                                .first_column = first,
                                .rows = 1,
                                .columns = an__at_most(taps - first, end - row)};
        job->context->kernels->winograd->write(&part, job->parts_of_dw + row * job->pitch, NULL,
                                               false, job->add, job->dw + group * features * taps);
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
    if (conv->images == 0 || positions(conv) == 0) {
        const int64_t size = conv->groups * conv->features * window(conv);
        memset(dw, 0, add ? 0 : (size_t)size * sizeof(float));
        return;
    }
    const an_shares shares = {.context = context,
                              .items = job.parts * conv->groups * job.blocks,
                              .run = weight_item,
                              .arg = &job,
                              .need = weight_need(&job),
                              .space = space + job.parts * part_floats(&job)};
    an__conv_shares(context, &shares, operations(conv));
    if (job.parts > 1)
        an__parallel(context, part_floats(&job), 16384, sum_task, &job);
    an__parallel(context, conv->groups * window(conv),
                 an__at_least(16384 / job.pitch, SLACK) / SLACK * SLACK, turn_task, &job);
}
