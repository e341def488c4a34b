/*
 * Direct convolutions on all threads: the method for every size. See conv.h.
 *
 * The work is cut into items that write apart from each other: blocks of rows of one image and
 * group. Neighbouring positions of a row are in the lanes of a vector, or features where these fill
 * the vectors better; then w is turned before, and y turned back behind the sums. dx of windows
 * that move by one is a convolution of dy with the kernels turned by half a circle; for others see
 * convolution_phases.c. The cut depends on the sizes alone: the same bits for any number of
 * threads.
 */
#include "tensor/kernels/convolution_direct.h"
#include "tensor/context.h"
#include "tensor/kernels/pointwise.h"

/* -------------------------------------------------------------------- bands */

/*
 * Whether features in the lanes see x where it lies: windows that leave nothing of it out, move by
 * one and need no padding, over so few planes that they stay in the first-level cache.
 */
static bool in_place(const an_conv *conv)
{
    enum { IN_CACHE = 8 * 1024 };
    for (int axis = 0; axis < 2; axis++)
        if (conv->stride[axis] != 1 || conv->padding[axis] != 0 ||
            conv->out_size[axis] + (conv->kernel[axis] - 1) * conv->dilation[axis] >
                conv->size[axis])
            return false;
    return an__conv_chunk(conv) * an__conv_pixels(conv) <= IN_CACHE;
}

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
    p.end = p.padded + (pitch > 0 && in_place(conv) ? 0 : an__conv_padded_floats(conv, rows));
    return p;
}

int64_t an__conv_band_floats(const an_conv *conv, int64_t rows, int64_t pitch)
{
    return pieces_of(conv, rows, pitch).end;
}

/* A band's padded channels, or those of x. */
static an_padded form_of(const an_band *b)
{
    const an_conv *conv = b->conv;
    an_padded form = an__conv_padded(conv, an__conv_chunk(conv), b->rows);
    form.first_row = b->first * conv->stride[0] - conv->padding[0];
    if (b->pitch > 0 && in_place(conv)) {
        form.rows = conv->size[0];
        form.pitch = form.phase = conv->size[1];
    }
    return form;
}

static void pad_chunk(const an_band *b, an_padded *form, int64_t channel, float *padded)
{
    b->context->kernels->conv->pad(b->conv, form, channel, b->x, padded);
}

/* Windows of 3x3 that move by one: each row of pixels is seen from three rows of positions. */
static bool has_windows(const an_conv *conv)
{
    for (int axis = 0; axis < 2; axis++)
        if (conv->kernel[axis] != 3 || conv->stride[axis] != 1 || conv->dilation[axis] != 1)
            return false;
    return true;
}

/* Positions in the lanes. */
static void sum_positions(const an_band *b, an_padded *form, const int64_t *taps, float *padded)
{
    const an_conv *conv = b->conv;
    const int64_t chunk = an__conv_chunk(conv);
    an_direct direct = {.offset = taps,
                        .padded = padded,
                        .row_step = conv->stride[0] * form->pitch,
                        .rows = b->rows,
                        .columns = conv->out_size[1],
                        .plane = has_windows(conv) ? form->rows * form->pitch : 0};
    an_direct_sums sums = {.features = conv->features,
                           .w_step = an__conv_window(conv),
                           .plane = b->height * conv->out_size[1],
                           .y = b->y + b->top * conv->out_size[1]};
    for (int64_t c = 0; c < conv->channels; c += chunk) {
        const bool last = c + chunk >= conv->channels;
        form->channels = an__at_most(chunk, conv->channels - c);
        pad_chunk(b, form, c, padded);
        direct.taps = form->channels * an__conv_taps(conv);
        sums.w = b->w + c * an__conv_taps(conv);
        sums.add = b->add || c > 0;
        sums.bias = last ? b->bias : NULL;
        sums.epilogue = last ? b->epilogue : AN_EPILOGUE_IDENTITY;
        b->context->kernels->conv->sums(&direct, &sums);
    }
}

/* Tanh or sigmoid of a band's features. */
static void apply_curve(const an_band *b)
{
    const an_unary map = b->epilogue == AN_EPILOGUE_TANH ? AN_UNARY_TANH : AN_UNARY_SIGMOID;
    const int64_t width = b->conv->out_size[1];
    for (int64_t i = 0; i < b->conv->features; i++) {
        float *row = b->y + (i * b->height + b->top) * width;
        b->context->kernels->pointwise->unary[map].forward(b->rows * width, row, row, 0, 0);
    }
}

/* Features in the lanes: y is turned back behind the sums. */
static void sum_features(const an_band *b, an_padded *form, float *memory, const pieces *p)
{
    const an_conv *conv = b->conv;
    const int64_t chunk = an__conv_chunk(conv);
    int64_t *places = (int64_t *)(memory + p->places);
    an_gathered gathered = {.rows = b->rows * conv->out_size[1],
                            .run = conv->out_size[1],
                            .row = places,
                            .step = (const int64_t *)memory,
                            .x = memory + p->padded};
    const bool padded = !in_place(conv);
    const an_pixels pixels = {.channels = conv->features,
                              .pitch = b->pitch,
                              .height = b->height,
                              .width = conv->out_size[1],
                              .first_row = b->top,
                              .rows = b->rows,
                              .columns = conv->out_size[1]};
    an__conv_position_offsets(conv, form, b->rows, places);
    for (int64_t c = 0; c < conv->channels; c += chunk) {
        form->channels = an__at_most(chunk, conv->channels - c);
        if (padded)
            pad_chunk(b, form, c, memory + p->padded);
        else
            gathered.x = b->x + (c * conv->size[0] + b->first) * conv->size[1];
        gathered.depth = form->channels * an__conv_taps(conv);
        b->context->kernels->conv->gathered(&gathered, b->pitch,
                                            b->w + c * an__conv_taps(conv) * b->pitch,
                                            memory + p->sums, c > 0);
    }
    b->context->kernels->winograd->write(&pixels, memory + p->sums, b->bias,
                                         b->epilogue == AN_EPILOGUE_RELU, b->add, b->y);
    if (b->epilogue > AN_EPILOGUE_RELU)
        apply_curve(b);
}

void an__conv_band(const an_band *b, float *memory)
{
    const an_conv *conv = b->conv;
    const pieces p = pieces_of(conv, b->rows, b->pitch);
    an_padded form = form_of(b);
    an__conv_tap_offsets(conv, &form, (int64_t *)memory);
    if (b->pitch > 0)
        sum_features(b, &form, memory, &p);
    else
        sum_positions(b, &form, (const int64_t *)memory, memory + p.padded);
}

/* How much of whole vectors `count` values fill. */
static double filled(int64_t count, int64_t lanes)
{
    return (double)count / (double)(an__divide_up(count, lanes) * lanes);
}

int64_t an__conv_pitch(const an_context *context, const an_conv *conv)
{
    enum { FEW_TAPS = 32 };
    const int64_t lanes = context->kernels->gemm->lanes;
    if (an__conv_window(conv) < FEW_TAPS || conv->out_size[1] < 1 ||
        filled(conv->features, lanes) <= filled(conv->out_size[1], lanes))
        return 0;
    return an__divide_up(conv->features, lanes) * lanes;
}

/* ----------------------------------------------------------------- forward */

typedef struct forward {
    const an_context *context;
    const an_conv *conv;
    const float *x, *w, *bias; /* w turned where features are in the lanes */
    an_epilogue epilogue;
    bool add;
    float *y;
    int64_t rows, blocks; /* of output rows, and how many */
    int64_t pitch;
} forward;

static void forward_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const forward *f = arg;
    const an_conv *conv = f->conv;
    const int64_t plane = item / f->blocks, first = item % f->blocks * f->rows;
    const int64_t group = plane % conv->groups, width = f->pitch > 0 ? f->pitch : conv->features;
    const an_band b = {.context = f->context,
                       .conv = conv,
                       .x = f->x + plane * conv->channels * an__conv_pixels(conv),
                       .w = f->w + group * width * an__conv_window(conv),
                       .bias = f->bias ? f->bias + group * conv->features : NULL,
                       .epilogue = f->epilogue,
                       .add = f->add,
                       .y = f->y + plane * conv->features * an__conv_positions(conv),
                       .height = conv->out_size[0],
                       .top = first,
                       .first = first,
                       .rows = an__at_most(f->rows, conv->out_size[0] - first),
                       .pitch = f->pitch};
    (void)gemm_scratch;
    if (b.rows > 0)
        an__conv_band(&b, memory);
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
    const int64_t taps = an__conv_window(t->conv), group = an__conv_group_weights(t->conv);
    for (int64_t row = begin; row < end;) {
        const an_pixels part = an__conv_stretch(t->conv, t->pitch, row, end);
        t->context->kernels->winograd->read(&part, t->w + row / taps * group,
                                            t->turned + row * t->pitch);
        row += part.columns;
    }
}

int64_t an__conv_forward_direct_space(const an_context *context, const an_conv *conv)
{
    const int64_t pitch = an__conv_pitch(context, conv);
    return turned_floats(conv, pitch) +
           an__conv_shares_space(context,
                                 an__conv_band_floats(conv, forward_rows(conv, pitch), pitch));
}

static void run_forward(an_context *context, forward *f, float *space)
{
    const an_conv *conv = f->conv;
    if (an__conv_positions(conv) == 0)
        return;
    f->context = context;
    f->pitch = an__conv_pitch(context, conv);
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
                              .need = an__conv_band_floats(conv, f->rows, f->pitch),
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
    const int64_t all = conv->groups * an__conv_group_weights(conv);
    return an__divide_up(all, AN_CONV_SLACK) * AN_CONV_SLACK;
}

static bool moves_by_one(const an_conv *conv)
{
    return conv->stride[0] == 1 && conv->stride[1] == 1;
}

int64_t an__conv_data_direct_space(const an_context *context, const an_conv *conv)
{
    if (!moves_by_one(conv))
        return an__conv_data_phases_space(context, conv);
    const an_conv back = turned(conv);
    return weight_floats(conv) + an__conv_forward_direct_space(context, &back);
}

void an__conv_data_direct(an_context *context, const an_conv *conv, const float *dy, const float *w,
                          float *dx, bool add, float *space)
{
    if (!moves_by_one(conv)) {
        an__conv_data_phases(context, conv, dy, w, dx, add, space);
        return;
    }
    const an_conv back = turned(conv);
    forward f = {.conv = &back, .x = dy, .w = space, .add = add, .y = dx};
    turn_weights(conv, w, space);
    run_forward(context, &f, space + weight_floats(conv));
}
