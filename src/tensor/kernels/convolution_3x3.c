/*
 * Convolutions with windows of 3x3 that move by one, by minimal filtering (winograd.h), on all
 * threads.
 *
 * Forward, a block of tile rows of one image at a time stays in a core's cache from the planes to
 * the planes: pixels, transformed tiles, 16 products, tiles, pixels. dx is the same with dy for x
 * and the kernels turned. For dw a part of the batch collects 16 matrices (channels x features);
 * parts are added in order, and transformed once.
 */
#include "tensor/context.h"
#include "tensor/kernels/filtering.h"

enum {
    PARTS = 16,
    PARTS_FLOATS = 1 << 20,
    FEW_CHANNELS = 8,      /* fewer do not fill the vectors */
    IN_CACHE = 128 * 1024, /* floats that a block may take, if one row of tiles takes fewer */
};

/* The memory of a block of `rows` rows of tiles: see `memory`. */
static int64_t block_floats(const an_filtering *f, int64_t rows)
{
    const int64_t tiles = rows * f->columns;
    return (2 * rows + 2) * (2 * f->columns + 2) * f->in_pitch + 4 * tiles * f->out_pitch +
           AN_TILE_PLACES * (tiles * (f->in_pitch + f->out_pitch) + 2 * AN_TILES_APART);
}

static an_filtering filtering_of(const an_context *context, const an_conv *conv, bool backward)
{
    an_filtering f = an__filtering_of(context, conv, backward);
    int64_t block = f.rows;
    while (block > 1 && block_floats(&f, block) > IN_CACHE)
        block--;
    an__filtering_cut(&f, block);
    return f;
}

/* Whether the method takes this convolution, in the direction of `f`. */
static bool fits(const an_conv *conv, const an_filtering *f)
{
    for (int axis = 0; axis < 2; axis++)
        if (conv->kernel[axis] != 3 || conv->stride[axis] != 1 || conv->dilation[axis] != 1 ||
            conv->padding[axis] > 2 || f->out_size[axis] < 2)
            return false;
    return conv->channels >= FEW_CHANNELS && conv->features >= FEW_CHANNELS &&
           (an__conv_wide_fits(conv) || block_floats(f, 1) <= AN_CONV_SCRATCH);
}

/* The pieces of a thread's scratch. */
typedef struct memory {
    float *in_pixels, *out_pixels, *in_places, *out_places;
    an_tiles in, out;
} memory;

static memory memory_for(const an_filtering *f, int64_t rows, float *floats)
{
    const int64_t tiles = rows * f->columns;
    memory m = {.in_pixels = floats};
    m.in = (an_tiles){rows, f->columns, f->in_pitch, tiles * f->in_pitch + AN_TILES_APART};
    m.out = (an_tiles){rows, f->columns, f->out_pitch, tiles * f->out_pitch + AN_TILES_APART};
    m.out_pixels = m.in_pixels + (2 * rows + 2) * (2 * f->columns + 2) * f->in_pitch;
    m.in_places = m.out_pixels + 4 * tiles * f->out_pitch;
    m.out_places = m.in_places + AN_TILE_PLACES * m.in.step;
    return m;
}

typedef struct work {
    const an_context *context;
    const an_conv *conv;
    an_filtering f;
    const float *x, *y, *filters, *bias;
    float *out;
    bool relu, add;
    int64_t parts, channels, channel_blocks; /* of dw */
} work;

static void run(an_context *context, const work *w, int64_t items,
                void (*item)(const void *arg, int64_t item, float *gemm_scratch, float *memory))
{
    const an_filtering *f = &w->f;
    const double operations = (double)f->planes * (double)(f->rows * f->columns) * AN_TILE_PLACES *
                              (double)f->in * (double)f->out;
    const an_shares shares = {.context = context, .items = items, .run = item, .arg = w};
    an__conv_shares(context, &shares, operations);
}

/* ------------------------------------------------------------ forward, and dx */

static void filter_item(const void *arg, int64_t item, float *gemm_scratch, float *floats)
{
    const work *w = arg;
    const an_filtering *f = &w->f;
    const an_winograd_table *kernels = w->context->kernels->winograd;
    const int64_t plane = item / f->blocks, first = item % f->blocks * f->block;
    const int64_t rows = an__at_most(f->block, f->rows - first);
    if (rows <= 0)
        return;
    const memory m = memory_for(f, rows, floats);
    const an_pixels in = an__filtering_input(f, first, rows),
                    out = an__filtering_output(f, first, rows);
    const int64_t group = plane % w->conv->groups, matrix = f->in * f->out_pitch;
    kernels->read(&in, w->x + plane * f->in * f->size[0] * f->size[1], m.in_pixels);
    kernels->input(&m.in, m.in_pixels, m.in_places);
    for (int64_t q = 0; q < AN_TILE_PLACES; q++) {
        const an_gemm call = {
            .m = rows * f->columns,
            .n = f->out_pitch,
            .k = f->in,
            .a = m.in_places + q * m.in.step,
            .lda = f->in_pitch,
            .b = w->filters + (group * AN_TILE_PLACES + q) * matrix,
            .ldb = f->out_pitch,
            .c = m.out_places + q * m.out.step,
            .ldc = f->out_pitch,
        };
        w->context->kernels->gemm->run(&call, gemm_scratch);
    }
    kernels->output(&m.out, m.out_places, m.out_pixels);
    kernels->write(&out, m.out_pixels, w->bias ? w->bias + group * f->out : NULL, w->relu, w->add,
                   w->out + plane * f->out * f->out_size[0] * f->out_size[1]);
}

/* x to y, or dy to dx. */
static void filter_images(an_context *context, work *job, const float *weights, bool backward,
                          float *space)
{
    an__filter_kernels(context, job->conv, &job->f, weights, backward, space);
    job->context = context;
    job->filters = space;
    run(context, job, job->f.planes * job->f.blocks, filter_item);
}

/* ---------------------------------------------------------------------- dw */

/* A part of the batch, a group and a block of channels: 16 matrices of channels x features. */
static void weight_block(const work *w, const an_filtering *f, int64_t first, const float *x,
                         const float *dy, float *out, bool add, float *gemm_scratch, float *floats)
{
    const an_winograd_table *kernels = w->context->kernels->winograd;
    const int64_t rows = an__at_most(f->block, f->rows - first);
    const memory m = memory_for(f, rows, floats);
    const an_pixels in = an__filtering_input(f, first, rows),
                    gradients = an__filtering_output(f, first, rows);
    kernels->read(&in, x, m.in_pixels);
    kernels->input(&m.in, m.in_pixels, m.in_places);
    kernels->read(&gradients, dy, m.out_pixels);
    kernels->gradient(&m.out, m.out_pixels, m.out_places);
    for (int64_t q = 0; q < AN_TILE_PLACES; q++) {
        const an_gemm call = {
            .transpose_a = true,
            .m = f->in,
            .n = f->out_pitch,
            .k = rows * f->columns,
            .a = m.in_places + q * m.in.step,
            .lda = f->in_pitch,
            .b = m.out_places + q * m.out.step,
            .ldb = f->out_pitch,
            .c = out + q * w->conv->channels * f->out_pitch,
            .ldc = f->out_pitch,
            .accumulate = add,
        };
        w->context->kernels->gemm->run(&call, gemm_scratch);
    }
}

static void weight_item(const void *arg, int64_t item, float *gemm_scratch, float *floats)
{
    const work *w = arg;
    const an_conv *conv = w->conv;
    const int64_t group = item / w->channel_blocks % conv->groups;
    const int64_t part = item / w->channel_blocks / conv->groups;
    const int64_t channel = item % w->channel_blocks * w->channels;
    const int64_t pixels = conv->size[0] * conv->size[1];
    const int64_t positions = conv->out_size[0] * conv->out_size[1];
    const int64_t begin = conv->images * part / w->parts;
    const int64_t end = conv->images * (part + 1) / w->parts;
    const int64_t lanes = w->context->kernels->gemm->lanes;
    an_filtering f = w->f;
    f.in = an__at_most(w->channels, conv->channels - channel);
    f.in_pitch = an__divide_up(f.in, lanes) * lanes;
    float *out = w->out +
                 (part * conv->groups + group) * AN_TILE_PLACES * conv->channels * f.out_pitch +
                 channel * f.out_pitch;
    for (int64_t image = begin; image < end; image++)
        for (int64_t first = 0; first < f.rows; first += f.block) {
            const int64_t plane = image * conv->groups + group;
            weight_block(w, &f, first, w->x + (plane * conv->channels + channel) * pixels,
                         w->y + plane * conv->features * positions, out, image > begin || first > 0,
                         gemm_scratch, floats);
        }
}

static int64_t weight_parts(const an_conv *conv, const an_filtering *f)
{
    const int64_t fit = an__at_least(PARTS_FLOATS / an__filter_floats(conv, f), 1);
    return an__at_least(an__at_most(an__at_most(PARTS, fit), conv->images), 1);
}

static void weight_images(an_context *context, work *job, float *dw, bool add, float *space)
{
    const an_conv *conv = job->conv;
    const int64_t lanes = context->kernels->gemm->lanes;
    job->context = context;
    job->out = space;
    job->parts = weight_parts(conv, &job->f);
    const int64_t wanted = an__divide_up(PARTS, job->parts * conv->groups);
    job->channels = an__divide_up(an__divide_up(conv->channels, wanted), lanes) * lanes;
    job->channel_blocks = an__divide_up(conv->channels, job->channels);
    run(context, job, job->parts * conv->groups * job->channel_blocks, weight_item);
    an__filter_gradient(context, conv, &job->f, job->parts, space, add, dw);
}

/* -------------------------------------------------------------------- door */

bool an__conv_3x3_fits(const an_context *context, const an_conv *conv, bool backward)
{
    const an_filtering f = filtering_of(context, conv, backward);
    return fits(conv, &f);
}

int64_t an__conv_filter_3x3_space(const an_context *context, const an_conv *conv, bool backward)
{
    if (an__conv_wide_fits(conv))
        return an__conv_filter_wide_space(context, conv, backward);
    const an_filtering f = filtering_of(context, conv, backward);
    return an__filter_floats(conv, &f);
}

int64_t an__conv_weight_3x3_space(const an_context *context, const an_conv *conv)
{
    if (an__conv_wide_fits(conv))
        return an__conv_weight_wide_space(context, conv);
    const an_filtering f = filtering_of(context, conv, false);
    return weight_parts(conv, &f) * an__filter_floats(conv, &f);
}

void an__conv_forward_3x3(an_context *context, const an_conv *conv, const float *x, const float *w,
                          const float *bias, bool relu, float *y, bool add, float *space)
{
    if (an__conv_wide_fits(conv)) {
        an__conv_forward_wide(context, conv, x, w, bias, relu, y, add, space);
        return;
    }
    work job = {.conv = conv, .f = filtering_of(context, conv, false), .x = x};
    job.bias = bias;
    job.relu = relu;
    job.add = add;
    job.out = y;
    filter_images(context, &job, w, false, space);
}

void an__conv_data_3x3(an_context *context, const an_conv *conv, const float *dy, const float *w,
                       float *dx, bool add, float *space)
{
    if (an__conv_wide_fits(conv)) {
        an__conv_data_wide(context, conv, dy, w, dx, add, space);
        return;
    }
    work job = {.conv = conv, .f = filtering_of(context, conv, true), .x = dy};
    job.out = dx;
    job.add = add;
    filter_images(context, &job, w, true, space);
}

void an__conv_weight_3x3(an_context *context, const an_conv *conv, const float *x, const float *dy,
                         float *dw, bool add, float *space)
{
    if (an__conv_wide_fits(conv)) {
        an__conv_weight_wide(context, conv, x, dy, dw, add, space);
        return;
    }
    work job = {.conv = conv, .f = filtering_of(context, conv, false), .x = x, .y = dy};
    weight_images(context, &job, dw, add, space);
}
