/*
 * dx of windows that move by more than one, on all threads.
 *
 * Pixels r = s q + a of one direction, with stride s and 0 <= a < s, are seen by every so many taps
 * only, each at one position a pixel: for padding p and dilation d by the taps u with u d = a + p
 * (mod s), from position i = (r + p - u d) / s. So the pixels of one phase (a, b) are a convolution
 * of dy that moves by one, with a part of the kernel turned by half a circle; all phases together
 * have as many taps as the kernel. An item computes some rows of one vertical phase, horizontal
 * phase after horizontal phase, and weaves them to rows of dx. The cut depends on the sizes alone.
 */
#include <string.h>

#include "tensor/context.h"
#include "tensor/kernels/convolution_direct.h"

typedef struct phases {
    const an_context *context;
    const an_conv *conv;
    const float *dy, *w;
    float *weights, *dx; /* weights: turned, phase after phase */
    bool add;
    int64_t rows, blocks; /* of a phase's rows, and how many */
    int64_t pitch;
} phases;

/* ------------------------------------------------------------------ phases */

/* One direction of a phase: taps first, first + step.. of the kernel, `count` of them. */
typedef struct axis_taps {
    int64_t first, step, count;
    int64_t dilation, padding; /* of the convolution of dy */
    int64_t before;            /* taps of the phases before */
} axis_taps;

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b > 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static axis_taps taps_of(const an_conv *conv, int axis, int64_t phase)
{
    const int64_t stride = conv->stride[axis], kernel = conv->kernel[axis];
    const int64_t divisor = common_divisor(stride, conv->dilation[axis]);
    axis_taps t = {.step = stride / divisor, .dilation = conv->dilation[axis] / divisor};
    t.first = kernel;
    for (int64_t u = 0; u < kernel; u++) {
        const int64_t at = (u * conv->dilation[axis] - conv->padding[axis]) % stride;
        const int64_t of = at < 0 ? at + stride : at;
        t.before += of < phase;
        if (of == phase && t.count++ == 0)
            t.first = u;
    }
    t.padding = (t.count - 1) * t.dilation -
                (phase + conv->padding[axis] - t.first * conv->dilation[axis]) / stride;
    return t;
}

/* Phases of a direction that have pixels. */
static int64_t phases_of(const an_conv *conv, int axis)
{
    return an__at_most(conv->stride[axis], conv->size[axis]);
}

/* dy to one phase's pixels. Phases with a pixel less get one beyond the image. */
static an_conv phase_conv(const an_conv *conv, const axis_taps taps[2])
{
    an_conv c = *conv;
    c.channels = conv->features;
    c.features = conv->channels;
    for (int axis = 0; axis < 2; axis++) {
        c.size[axis] = conv->out_size[axis];
        c.out_size[axis] = an__divide_up(conv->size[axis], conv->stride[axis]);
        c.kernel[axis] = taps[axis].count;
        c.stride[axis] = 1;
        c.dilation[axis] = taps[axis].dilation;
        c.padding[axis] = taps[axis].padding;
    }
    return c;
}

/* The sizes of a phase with the most taps, or in each direction with one less, if that leaves one.
 */
static an_conv sized_conv(const an_conv *conv, int less)
{
    axis_taps taps[2];
    for (int axis = 0; axis < 2; axis++) {
        const int64_t divisor = common_divisor(conv->stride[axis], conv->dilation[axis]);
        const int64_t most = an__divide_up(conv->kernel[axis], conv->stride[axis] / divisor);
        taps[axis] = (axis_taps){.dilation = conv->dilation[axis] / divisor};
        taps[axis].count = an__at_least(most - (less >> axis & 1), 1);
    }
    return phase_conv(conv, taps);
}

/* ----------------------------------------------------------------- weights */

/* The taps of a phase among all, as rows of weights before it. */
static int64_t taps_before(const an_conv *conv, const axis_taps taps[2])
{
    return taps[0].before * conv->kernel[1] + taps[0].count * taps[1].before;
}

/* Where in the kernel the tap stands that is number `index` of the phase's turned ones. */
static int64_t kernel_place(const an_conv *conv, const axis_taps taps[2], int64_t index)
{
    const int64_t i = taps[0].count - 1 - index / taps[1].count;
    const int64_t j = taps[1].count - 1 - index % taps[1].count;
    return (taps[0].first + i * taps[0].step) * conv->kernel[1] + taps[1].first + j * taps[1].step;
}

/* Weights of one group: (channels, features, taps), or (features, taps, pitch). */
static void turn_phase(const phases *p, const axis_taps taps[2], int64_t group, float *to)
{
    const an_conv *conv = p->conv;
    const int64_t count = taps[0].count * taps[1].count, all = an__conv_taps(conv);
    for (int64_t f = 0; f < conv->features; f++)
        for (int64_t t = 0; t < count; t++) {
            const float *w = p->w + (group * conv->features + f) * an__conv_window(conv) +
                             kernel_place(conv, taps, t);
            float *row = to + (f * count + t) * (p->pitch > 0 ? p->pitch : 1);
            const int64_t step = p->pitch > 0 ? 1 : conv->features * count;
            for (int64_t c = 0; c < conv->channels; c++)
                row[c * step] = w[c * all];
            for (int64_t c = conv->channels; c < p->pitch; c++)
                row[c] = 0;
        }
}

/* Floats of a tap's weights, of all groups and of one. */
static int64_t tap_floats(const phases *p)
{
    return p->conv->features * an__at_least(p->pitch, p->conv->channels);
}

static void turn_task(void *arg, int64_t begin, int64_t end)
{
    const phases *p = arg;
    const an_conv *conv = p->conv;
    const int64_t across = phases_of(conv, 1);
    for (int64_t i = begin; i < end; i++) {
        const int64_t group = i % conv->groups, phase = i / conv->groups;
        const axis_taps taps[] = {taps_of(conv, 0, phase / across),
                                  taps_of(conv, 1, phase % across)};
        const int64_t count = taps[0].count * taps[1].count;
        turn_phase(p, taps, group,
                   p->weights +
                       (taps_before(conv, taps) * conv->groups + group * count) * tap_floats(p));
    }
}

static int64_t weight_floats(const phases *p)
{
    const int64_t all = an__conv_taps(p->conv) * p->conv->groups * tap_floats(p);
    return an__divide_up(all, AN_CONV_SLACK) * AN_CONV_SLACK;
}

/* ------------------------------------------------------------------- items */

/* Floats of an item's rows of one horizontal phase. */
static int64_t woven_floats(const phases *p)
{
    const int64_t columns = an__divide_up(p->conv->size[1], p->conv->stride[1]);
    return an__divide_up(p->conv->channels * p->rows * columns, AN_CONV_SLACK) * AN_CONV_SLACK;
}

/* Windows of single pixels are all in the first phase, whose pixels are w^T dy. */
static bool is_product(const an_conv *conv)
{
    return an__conv_taps(conv) == 1 && conv->padding[0] == 0 && conv->padding[1] == 0;
}

static void product_rows(const phases *p, int64_t plane, int64_t first, int64_t rows, float *out,
                         float *gemm_scratch)
{
    const an_conv *conv = p->conv;
    const int64_t group = plane % conv->groups, columns = conv->out_size[1];
    const an_gemm call = {
        .transpose_a = true,
        .m = conv->channels,
        .n = rows * columns,
        .k = conv->features,
        .a = p->w + group * conv->features * conv->channels,
        .lda = conv->channels,
        .b = p->dy + plane * conv->features * an__conv_positions(conv) + first * columns,
        .ldb = an__conv_positions(conv),
        .c = out,
        .ldc = rows * columns,
    };
    p->context->kernels->gemm->run(&call, gemm_scratch);
}

/* Some rows of one phase to `out`, from row `first` on. */
static void phase_rows(const phases *p, int64_t plane, const axis_taps taps[2], int64_t first,
                       int64_t rows, float *out, float *memory)
{
    const an_conv *conv = p->conv, c = phase_conv(conv, taps);
    const int64_t count = an__conv_taps(&c), group = plane % conv->groups;
    const an_band band = {
        .context = p->context,
        .conv = &c,
        .x = p->dy + plane * conv->features * an__conv_positions(conv),
        .w = p->weights + (taps_before(conv, taps) * conv->groups + group * count) * tap_floats(p),
        .y = out,
        .height = rows,
        .first = first,
        .rows = rows,
        .pitch = p->pitch};
    if (count > 0)
        an__conv_band(&band, memory);
    else
        memset(out, 0, (size_t)(c.features * rows * c.out_size[1]) * sizeof *out);
}

/* Row r of a channel's dx. */
static float *row_of(const phases *p, int64_t plane, int64_t channel, int64_t r)
{
    const an_conv *conv = p->conv;
    return p->dx + ((plane * conv->channels + channel) * conv->size[0] + r) * conv->size[1];
}

/* Rows r, r + stride.. that no tap sees: begin <= i < end of them. */
static void clear_rows(const phases *p, int64_t plane, int64_t r, int64_t begin, int64_t end)
{
    const an_conv *conv = p->conv;
    for (int64_t c = 0; c < conv->channels && !p->add; c++)
        for (int64_t i = begin; i < end; i++)
            memset(row_of(p, plane, c, r + i * conv->stride[0]), 0,
                   (size_t)conv->size[1] * sizeof(float));
}

static void phase_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const phases *p = arg;
    const an_conv *conv = p->conv;
    const int64_t down = phases_of(conv, 0), across = phases_of(conv, 1);
    const int64_t plane = item / p->blocks / down, phase = item / p->blocks % down;
    const int64_t first = item % p->blocks * p->rows, step = woven_floats(p);
    const int64_t have = an__divide_up(conv->size[0] - phase, conv->stride[0]);
    const int64_t rows = an__at_most(p->rows, have - first);
    const int64_t columns = an__divide_up(conv->size[1], conv->stride[1]);
    axis_taps taps[2] = {taps_of(conv, 0, phase)};
    if (taps[0].count == 0)
        clear_rows(p, plane, phase, first, first + rows);
    if (rows <= 0 || taps[0].count == 0)
        return;
    for (int64_t i = 0; i < across; i++) {
        taps[1] = taps_of(conv, 1, i);
        if (is_product(conv) && i == 0)
            product_rows(p, plane, first, rows, memory, gemm_scratch);
        else
            phase_rows(p, plane, taps, first, rows, memory + i * step, memory + across * step);
    }
    for (int64_t c = 0; c < conv->channels; c++)
        for (int64_t i = 0; i < rows; i++)
            p->context->kernels->conv->weave(
                conv->stride[1], conv->size[1], memory + (c * rows + i) * columns, step, p->add,
                row_of(p, plane, c, phase + (first + i) * conv->stride[0]));
}

/* -------------------------------------------------------------------- door */

static phases plan(const an_context *context, const an_conv *conv)
{
    const an_conv most = sized_conv(conv, 0);
    phases p = {.context = context, .conv = conv, .pitch = an__conv_pitch(context, &most)};
    const int64_t floats = phases_of(conv, 1) * an__at_least(p.pitch, conv->channels);
    p.rows = an__conv_block_rows(&most, conv->images * conv->groups * phases_of(conv, 0),
                                 floats * most.out_size[1]);
    p.blocks = an__divide_up(most.out_size[0], p.rows);
    return p;
}

static int64_t need(const phases *p)
{
    int64_t most = 0;
    for (int less = 0; less < 4; less++) {
        const an_conv c = sized_conv(p->conv, less);
        most = an__at_least(most, an__conv_band_floats(&c, p->rows, p->pitch));
    }
    return phases_of(p->conv, 1) * woven_floats(p) + most;
}

int64_t an__conv_data_phases_space(const an_context *context, const an_conv *conv)
{
    const phases p = plan(context, conv);
    return weight_floats(&p) + an__conv_shares_space(context, need(&p));
}

void an__conv_data_phases(an_context *context, const an_conv *conv, const float *dy, const float *w,
                          float *dx, bool add, float *space)
{
    phases p = plan(context, conv);
    p.dy = dy;
    p.w = w;
    p.weights = space;
    p.dx = dx;
    p.add = add;
    an__parallel(context, phases_of(conv, 0) * phases_of(conv, 1) * conv->groups, 1, turn_task, &p);
    const an_shares shares = {.context = context,
                              .items = conv->images * conv->groups * phases_of(conv, 0) * p.blocks,
                              .run = phase_item,
                              .arg = &p,
                              .need = need(&p),
                              .space = space + weight_floats(&p)};
    an__conv_shares(context, &shares, an__conv_operations(conv));
}
