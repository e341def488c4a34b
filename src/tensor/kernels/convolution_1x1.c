/*
 * Convolutions with windows of single pixels, one after the other: for every image and group the
 * matrix products
 *
 *   y = w x      (features x pixels)      m features, n pixels,   k channels
 *   dx = w^T dy  (channels x pixels)      m channels, n pixels,   k features
 *   dw = dy x^T  (features x channels)    m features, n channels, k pixels, summed over images
 *
 * Items are images or blocks of their pixels, each pixel by itself; for dw blocks of channels and
 * parts of the batch, which are added in order: that cut depends on the sizes alone.
 */
#include "tensor/context.h"
#include "tensor/kernels/convolution.h"

enum {
    FEW = 16,               /* fewer channels or features leave the direct sums ahead */
    LINE = 16,              /* floats */
    PIXELS = 768,           /* for so many, a block more */
    BLOCKS = 4,             /* for each thread, of all images, are enough */
    CHANNELS = 96,          /* of a block of dw */
    PARTS = 16,             /* of the batch, for dw */
    PARTS_FLOATS = 1 << 20, /* of all parts of dw, unless one has more */
};

typedef struct products {
    const an_context *context;
    const an_conv *conv;
    const float *w, *bias;
    const float *from, *other; /* x or dy; for dw dy and x */
    float *to, *space;
    an_epilogue epilogue;
    bool backward, add;
    int64_t blocks, parts;
} products;

static int64_t pixels_of(const an_conv *conv)
{
    return conv->size[0] * conv->size[1];
}

static double operations(const an_conv *conv)
{
    return (double)conv->images * (double)conv->groups * (double)conv->features *
           (double)conv->channels * (double)pixels_of(conv);
}

/* Where one of the blocks of `count` floats begins: at a whole line of the cache. The vectors of
 * others would lie across two of them. */
static int64_t block_begin(int64_t count, int64_t blocks, int64_t block)
{
    const int64_t lines = an__part_begin(an__divide_up(count, LINE), blocks, block);
    return an__at_most(lines * LINE, count);
}

bool an__conv_1x1_fits(const an_conv *conv)
{
    for (int axis = 0; axis < 2; axis++)
        if (conv->kernel[axis] != 1 || conv->stride[axis] != 1 || conv->padding[axis] != 0 ||
            conv->size[axis] != conv->out_size[axis])
            return false;
    return conv->channels >= FEW && conv->features >= FEW;
}

static void run(an_context *context, const products *p, int64_t items,
                void (*item)(const void *arg, int64_t item, float *gemm_scratch, float *memory))
{
    const an_shares shares = {.context = context, .items = items, .run = item, .arg = p};
    an__conv_shares(context, &shares, operations(p->conv));
}

/* ---------------------------------------------------------------- y and dx */

/* What the product is added to: each feature's bias, and what was there. */
static void start(const products *p, const float *bias, const an_gemm *call)
{
    for (int64_t f = 0; f < call->m; f++) {
        float *y = call->c + f * call->ldc;
        for (int64_t i = 0; i < call->n; i++)
            y[i] = p->add ? y[i] + bias[f] : bias[f];
    }
}

static void pixel_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const products *p = arg;
    const an_conv *conv = p->conv;
    const int64_t pixels = pixels_of(conv), plane = item / p->blocks, group = plane % conv->groups;
    const int64_t in = p->backward ? conv->features : conv->channels;
    const int64_t out = p->backward ? conv->channels : conv->features;
    const int64_t first = block_begin(pixels, p->blocks, item % p->blocks);
    const an_gemm call = {
        .transpose_a = p->backward,
        .m = out,
        .n = block_begin(pixels, p->blocks, item % p->blocks + 1) - first,
        .k = in,
        .a = p->w + group * conv->features * conv->channels,
        .lda = conv->channels,
        .b = p->from + plane * in * pixels + first,
        .ldb = pixels,
        .c = p->to + plane * out * pixels + first,
        .ldc = pixels,
        .accumulate = p->add || p->bias,
        .epilogue = p->epilogue,
    };
    (void)memory;
    if (p->bias)
        start(p, p->bias + group * out, &call);
    p->context->kernels->gemm->run(&call, gemm_scratch);
}

static void run_pixels(an_context *context, products *p)
{
    p->context = context;
    const int64_t planes = p->conv->images * p->conv->groups, threads = an_context_threads(context);
    const int64_t wanted = an__divide_up(BLOCKS * threads, an__at_least(planes, 1));
    p->blocks = an__at_most(wanted, an__divide_up(pixels_of(p->conv), PIXELS));
    run(context, p, planes * p->blocks, pixel_item);
}

void an__conv_forward_1x1(an_context *context, const an_conv *conv, const float *x, const float *w,
                          const float *bias, an_epilogue epilogue, float *y, bool add)
{
    products p = {.conv = conv, .w = w, .bias = bias, .from = x, .to = y, .epilogue = epilogue};
    p.add = add;
    run_pixels(context, &p);
}

void an__conv_data_1x1(an_context *context, const an_conv *conv, const float *dy, const float *w,
                       float *dx, bool add)
{
    products p = {.conv = conv, .w = w, .from = dy, .to = dx, .backward = true, .add = add};
    run_pixels(context, &p);
}

/* ---------------------------------------------------------------------- dw */

static int64_t weight_floats(const an_conv *conv)
{
    return conv->groups * conv->features * conv->channels;
}

static products weight_products(const an_conv *conv)
{
    products p = {.conv = conv, .blocks = an__divide_up(conv->channels, CHANNELS)};
    const int64_t wanted = an__divide_up(PARTS, p.blocks * conv->groups);
    const int64_t fit = an__at_least(PARTS_FLOATS / weight_floats(conv), 1);
    p.parts = an__at_least(an__at_most(an__at_most(wanted, fit), conv->images), 1);
    return p;
}

/* The first part is computed in dw itself, the others behind each other in the space. */
static float *part_of(const products *p, int64_t part)
{
    return part == 0 ? p->to : p->space + (part - 1) * weight_floats(p->conv);
}

static void weight_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const products *p = arg;
    const an_conv *conv = p->conv;
    const int64_t pixels = pixels_of(conv), block = item % p->blocks;
    const int64_t group = item / p->blocks % conv->groups, part = item / p->blocks / conv->groups;
    const int64_t first = block_begin(conv->channels, p->blocks, block);
    const int64_t end = conv->images * (part + 1) / p->parts;
    (void)memory;
    for (int64_t image = conv->images * part / p->parts, begin = image; image < end; image++) {
        const int64_t plane = image * conv->groups + group;
        const an_gemm call = {
            .transpose_b = true,
            .m = conv->features,
            .n = block_begin(conv->channels, p->blocks, block + 1) - first,
            .k = pixels,
            .a = p->from + plane * conv->features * pixels,
            .lda = pixels,
            .b = p->other + (plane * conv->channels + first) * pixels,
            .ldb = pixels,
            .c = part_of(p, part) + group * conv->features * conv->channels + first,
            .ldc = conv->channels,
            .accumulate = (p->add && part == 0) || image > begin,
        };
        p->context->kernels->gemm->run(&call, gemm_scratch);
    }
}

static void sum_task(void *arg, int64_t begin, int64_t end)
{
    const products *p = arg;
    for (int64_t part = 1; part < p->parts; part++) {
        const float *from = part_of(p, part);
        for (int64_t i = begin; i < end; i++)
            p->to[i] += from[i];
    }
}

int64_t an__conv_weight_1x1_space(const an_conv *conv)
{
    return (weight_products(conv).parts - 1) * weight_floats(conv);
}

void an__conv_weight_1x1(an_context *context, const an_conv *conv, const float *x, const float *dy,
                         float *dw, bool add, float *space)
{
    products p = weight_products(conv);
    p.context = context;
    p.from = dy;
    p.other = x;
    p.to = dw;
    p.space = space;
    p.add = add;
    run(context, &p, p.parts * conv->groups * p.blocks, weight_item);
    if (p.parts > 1)
        an__parallel(context, weight_floats(conv), 16384, sum_task, &p);
}
