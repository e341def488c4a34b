/*
 * Direct convolutions on all threads: the method for every size. See conv.h.
 *
 * The work is cut into items that write apart from each other: blocks of rows of one image and
 * group. Neighbouring positions of a row are in the lanes of a vector, or features where these fill
 * the vectors better; then w is turned before, and y turned back behind the sums. dx of
 * windows that move by one is a convolution of dy with the kernels turned by half a circle; that of
 * others is a product, columns = w^T dy, whose columns are added where they came from. The cut
 * depends on the sizes alone: the same bits for any number of threads.
 */
#include <string.h>

#include "tensor/context.h"
#include "tensor/kernels/convolution_direct.h"
#include "tensor/kernels/pointwise.h"
#include "tensor/kernels/winograd.h"

enum { COLUMNS = 64 * 1024 }; /* floats of a block of columns */

/* ----------------------------------------------------------------- forward */

typedef struct forward {
    const an_context *context;
    const an_conv *conv;
    const float *x, *w, *bias;
    an_epilogue epilogue;
    bool add;
    float *y;
    int64_t rows, blocks; /* of output rows, and how many */
    int64_t pitch;        /* of features in the lanes; 0: positions are */
} forward;

/* Pieces of a thread's memory, in floats from its begin. */
typedef struct pieces {
    int64_t taps, places, sums, padded, end;
} pieces;

static pieces pieces_of(const an_conv *conv, int64_t rows, int64_t pitch)
{
    const int64_t places = pitch > 0 ? rows * conv->out_size[1] : 0;
    pieces p = {.places = an__conv_offset_floats(an__conv_chunk(conv) * an__conv_taps(conv))};
    p.sums = p.places + an__conv_offset_floats(places);
    p.padded = p.sums + places * pitch;
    p.end = p.padded + an__conv_padded_floats(conv, rows);
    return p;
}

/* Some rows of a plane's y. */
typedef struct band {
    int64_t plane, first, rows;
    an_padded form;
} band;

static void pad_chunk(const forward *f, band *b, int64_t channel, float *padded)
{
    const an_conv *conv = f->conv;
    b->form.channels = an__at_most(an__conv_chunk(conv), conv->channels - channel);
    f->context->kernels->conv->pad(
        conv, &b->form, channel, f->x + b->plane * conv->channels * an__conv_pixels(conv), padded);
}

/* Positions in the lanes. */
static void sum_positions(const forward *f, band *b, const int64_t *taps, float *padded)
{
    const an_conv *conv = f->conv;
    const int64_t group = b->plane % conv->groups, chunk = an__conv_chunk(conv);
    an_direct direct = {.offset = taps,
                        .padded = padded,
                        .row_step = conv->stride[0] * b->form.pitch,
                        .rows = b->rows,
                        .columns = conv->out_size[1]};
    an_direct_sums sums = {.features = conv->features,
                           .w_step = an__conv_window(conv),
                           .plane = an__conv_positions(conv),
                           .y = f->y + b->plane * conv->features * an__conv_positions(conv) +
                                b->first * conv->out_size[1]};
    for (int64_t c = 0; c < conv->channels; c += chunk) {
        const bool last = c + chunk >= conv->channels;
        pad_chunk(f, b, c, padded);
        direct.taps = b->form.channels * an__conv_taps(conv);
        sums.w = f->w + group * conv->features * an__conv_window(conv) + c * an__conv_taps(conv);
        sums.add = f->add || c > 0;
        sums.bias = last && f->bias ? f->bias + group * conv->features : NULL;
        sums.epilogue = last ? f->epilogue : AN_EPILOGUE_IDENTITY;
        f->context->kernels->conv->sums(&direct, &sums);
    }
}

/* Tanh or sigmoid of a band's features. */
static void apply_curve(const forward *f, const band *b, float *y)
{
    const an_conv *conv = f->conv;
    const an_unary map = f->epilogue == AN_EPILOGUE_TANH ? AN_UNARY_TANH : AN_UNARY_SIGMOID;
    const int64_t count = b->rows * conv->out_size[1];
    for (int64_t i = 0; i < conv->features; i++) {
        float *row = y + i * an__conv_positions(conv) + b->first * conv->out_size[1];
        f->context->kernels->pointwise->unary[map].forward(count, row, row, 0, 0);
    }
}

/* Features in the lanes: w is turned, and y turned back. */
static void sum_features(const forward *f, band *b, float *memory, const pieces *p)
{
    const an_conv *conv = f->conv;
    const int64_t group = b->plane % conv->groups, chunk = an__conv_chunk(conv);
    int64_t *places = (int64_t *)(memory + p->places);
    float *y = f->y + b->plane * conv->features * an__conv_positions(conv);
    an_gathered gathered = {.rows = b->rows * conv->out_size[1],
                            .row = places,
                            .step = (const int64_t *)memory,
                            .x = memory + p->padded};
    const an_pixels turned = {.channels = conv->features,
                              .pitch = f->pitch,
                              .height = conv->out_size[0],
                              .width = conv->out_size[1],
                              .first_row = b->first,
                              .rows = b->rows,
                              .columns = conv->out_size[1]};
    an__conv_position_offsets(conv, &b->form, b->rows, places);
    for (int64_t c = 0; c < conv->channels; c += chunk) {
        const int64_t tap = group * an__conv_window(conv) + c * an__conv_taps(conv);
        pad_chunk(f, b, c, memory + p->padded);
        gathered.depth = b->form.channels * an__conv_taps(conv);
        f->context->kernels->conv->gathered(&gathered, f->pitch, f->w + tap * f->pitch,
                                            memory + p->sums, c > 0);
    }
    f->context->kernels->winograd->write(&turned, memory + p->sums,
                                         f->bias ? f->bias + group * conv->features : NULL,
                                         f->epilogue == AN_EPILOGUE_RELU, f->add, y);
    if (f->epilogue > AN_EPILOGUE_RELU)
        apply_curve(f, b, y);
}

static void forward_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const forward *f = arg;
    const an_conv *conv = f->conv;
    const pieces p = pieces_of(conv, f->rows, f->pitch);
    band b = {.plane = item / f->blocks, .first = item % f->blocks * f->rows};
    b.rows = an__at_most(f->rows, conv->out_size[0] - b.first);
    (void)gemm_scratch;
    if (b.rows <= 0)
        return;
    b.form = an__conv_padded(conv, an__conv_chunk(conv), b.rows);
    b.form.first_row = b.first * conv->stride[0] - conv->padding[0];
    an__conv_tap_offsets(conv, &b.form, (int64_t *)memory);
    if (f->pitch > 0)
        sum_features(f, &b, memory, &p);
    else
        sum_positions(f, &b, (const int64_t *)memory, memory + p.padded);
}

/* How much of whole vectors `count` values fill. */
static double filled(int64_t count, int64_t lanes)
{
    return (double)count / (double)(an__divide_up(count, lanes) * lanes);
}

/*
 * The pitch of features in the lanes, where they fill the vectors better than the positions of a
 * row, and enough taps repay turning them; 0 where positions are to be in the lanes.
 */
static int64_t pitch_of(const an_context *context, const an_conv *conv)
{
    enum { FEW_TAPS = 32 };
    const int64_t lanes = context->kernels->gemm->lanes;
    if (an__conv_window(conv) < FEW_TAPS || conv->out_size[1] < 1 ||
        filled(conv->features, lanes) <= filled(conv->out_size[1], lanes))
        return 0;
    return an__divide_up(conv->features, lanes) * lanes;
}

static int64_t forward_rows(const an_conv *conv, int64_t pitch)
{
    const bool chunks = an__conv_chunk(conv) < conv->channels;
    const int64_t sums = pitch > 0 ? pitch : chunks ? conv->features : 0;
    return an__conv_block_rows(conv, conv->images * conv->groups, sums * conv->out_size[1]);
}

/* The turned weights: (groups, taps of all channels, pitch). */
static int64_t turned_floats(const an_conv *conv, int64_t pitch)
{
    return conv->groups * an__conv_window(conv) * pitch;
}

/* Rows begin <= row < end of the turned weights. */
typedef struct turning {
    const an_context *context;
    const an_conv *conv;
    const float *w;
    float *turned;
    int64_t pitch;
} turning;

static void turn_task(void *arg, int64_t begin, int64_t end)
{
    const turning *t = arg;
    const int64_t taps = an__conv_window(t->conv), features = t->conv->features;
    for (int64_t row = begin; row < end;) {
        const int64_t group = row / taps, first = row % taps;
        const an_pixels part = {.channels = features,
                                .pitch = t->pitch,
                                .height = 1,
                                .width = taps,
                                .first_column = first,
                                .rows = 1,
                                .columns = an__at_most(taps - first, end - row)};
        t->context->kernels->winograd->read(&part, t->w + group * features * taps,
                                            t->turned + row * t->pitch);
        row += part.columns;
    }
}

int64_t an__conv_forward_direct_space(const an_context *context, const an_conv *conv)
{
    const int64_t pitch = pitch_of(context, conv);
    return turned_floats(conv, pitch) +
           an__conv_shares_space(context, pieces_of(conv, forward_rows(conv, pitch), pitch).end);
}

static void run_forward(an_context *context, forward *f, float *space)
{
    const an_conv *conv = f->conv;
    if (an__conv_positions(conv) == 0)
        return;
    f->context = context;
    f->pitch = pitch_of(context, conv);
    f->rows = forward_rows(conv, f->pitch);
    f->blocks = an__divide_up(conv->out_size[0], f->rows);
    if (f->pitch > 0) {
        turning t = {context, conv, f->w, space, f->pitch};
        an__parallel(context, conv->groups * an__conv_window(conv),
                     an__at_least(16384 / f->pitch, AN_CONV_SLACK), turn_task, &t);
        f->w = space;
    }
    const an_shares shares = {.context = context,
                              .items = conv->images * conv->groups * f->blocks,
                              .run = forward_item,
                              .arg = f,
                              .need = pieces_of(conv, f->rows, f->pitch).end,
                              .space = space + turned_floats(conv, f->pitch)};
    an__conv_shares(context, &shares, an__conv_operations(conv));
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
    const int64_t taps = an__conv_taps(conv), features = conv->features, channels = conv->channels;
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
    return an__divide_up(conv->groups * conv->features * an__conv_window(conv), AN_CONV_SLACK) *
           AN_CONV_SLACK;
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
    return an__at_least(an__at_most(COLUMNS / rows / 16 * 16, an__conv_positions(conv)), 16);
}

static void columns_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const columns_job *job = arg;
    const an_conv *conv = job->conv;
    const int64_t plane = item / job->blocks, group = plane % conv->groups;
    const float *dy = job->dy + plane * conv->features * an__conv_positions(conv);
    float *dx = job->dx + plane * conv->channels * an__conv_pixels(conv);
    an_columns block = {.begin = item % job->blocks * job->channels};
    block.end = an__at_most(block.begin + job->channels, conv->channels);
    const int64_t rows = (block.end - block.begin) * an__conv_taps(conv);
    block.ld = column_step(conv, job->channels * an__conv_taps(conv));
    if (!job->add)
        memset(dx + block.begin * an__conv_pixels(conv), 0,
               (size_t)((block.end - block.begin) * an__conv_pixels(conv)) * sizeof(float));
    for (int64_t p = 0; p < an__conv_positions(conv); p += block.ld) {
        block.first = p;
        block.last = an__at_most(p + block.ld, an__conv_positions(conv));
        const an_gemm call = {
            .transpose_a = true,
            .m = rows,
            .n = block.last - p,
            .k = conv->features,
            .a = job->w + group * conv->features * an__conv_window(conv) +
                 block.begin * an__conv_taps(conv),
            .lda = an__conv_window(conv),
            .b = dy + p,
            .ldb = an__conv_positions(conv),
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
    const int64_t spread = an__divide_up(conv->channels, an__divide_up(AN_CONV_ITEMS, planes));
    return an__at_least(an__at_most(spread, 1024 / an__conv_taps(conv)), 1);
}

static int64_t columns_need(const an_conv *conv)
{
    const int64_t rows = column_channels(conv) * an__conv_taps(conv);
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
    an__conv_shares(context, &shares, an__conv_operations(conv));
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
