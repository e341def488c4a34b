/*
 * The front of the convolutions: which method computes which sizes, and how work is shared out.
 * See conv.h.
 */
#include "tensor/kernels/convolution.h"

#include "tensor/context.h"
#include "tensor/kernels/pointwise.h"

/* ------------------------------------------------------------------ shares */

enum { ALIGNED = 16 }; /* floats, of a thread's memory */

typedef struct share_pass {
    const an_shares *shares;
    int64_t count;
} share_pass;

static void run_shares(void *arg, int64_t begin, int64_t end)
{
    const share_pass *pass = arg;
    const an_shares *s = pass->shares;
    const int64_t gemm = s->context->kernels->gemm->scratch_floats;
    for (int64_t share = begin; share < end; share++) {
        float *scratch = an__scratch_part(s->context, share);
        float *memory = s->need > AN_CONV_SCRATCH
                            ? s->space + share * an__divide_up(s->need, ALIGNED) * ALIGNED
                            : scratch + gemm;
        const int64_t last = s->items * (share + 1) / pass->count;
        for (int64_t item = s->items * share / pass->count; item < last; item++)
            s->run(s->arg, item, scratch, memory);
    }
}

void an__conv_shares(an_context *context, const an_shares *shares, double operations)
{
    if (shares->items <= 0)
        return;
    share_pass pass = {shares, an__worth_threads(context, shares->items, operations)};
    an__parallel(context, pass.count, 1, run_shares, &pass);
}

int64_t an__conv_shares_space(const an_context *context, int64_t need)
{
    return need > AN_CONV_SCRATCH
               ? an_context_threads(context) * an__divide_up(need, ALIGNED) * ALIGNED
               : 0;
}

/* -------------------------------------------------------------- the choice */

/*
 * The same convolution, easier to compute: where windows are single pixels, one after the other,
 * rows are joined to longer ones that fill the vectors.
 */
static an_conv simplified(const an_conv *conv)
{
    enum { LONG_ROW = 1024 };
    an_conv c = *conv;
    for (int axis = 0; axis < 2; axis++)
        if (c.kernel[axis] != 1 || c.stride[axis] != 1 || c.padding[axis] != 0 ||
            c.size[axis] != c.out_size[axis])
            return c;
    for (int64_t joined = c.size[0]; joined > 1; joined--)
        if (c.size[0] % joined == 0 && joined * c.size[1] <= LONG_ROW) {
            c.size[0] = c.out_size[0] = c.size[0] / joined;
            c.size[1] = c.out_size[1] = c.size[1] * joined;
            break;
        }
    return c;
}

int64_t an__conv_forward_space(const an_context *context, const an_conv *conv)
{
    const an_conv c = simplified(conv);
    if (an__conv_1x1_fits(&c))
        return 0;
    return an__conv_3x3_fits(context, &c, false) ? an__conv_filter_3x3_space(context, &c, false)
                                                 : an__conv_forward_direct_space(context, &c);
}

int64_t an__conv_data_space(const an_context *context, const an_conv *conv)
{
    const an_conv c = simplified(conv);
    if (an__conv_1x1_fits(&c))
        return 0;
    return an__conv_3x3_fits(context, &c, true) ? an__conv_filter_3x3_space(context, &c, true)
                                                : an__conv_data_direct_space(context, &c);
}

int64_t an__conv_weight_space(const an_context *context, const an_conv *conv)
{
    const an_conv c = simplified(conv);
    if (c.images > 0 && an__conv_1x1_fits(&c))
        return an__conv_weight_1x1_space(&c);
    return an__conv_3x3_fits(context, &c, false) ? an__conv_weight_3x3_space(context, &c)
                                                 : an__conv_weight_direct_space(context, &c);
}

typedef struct curve {
    void (*forward)(int64_t n, float *y, const float *x, float p, float q);
    float *y;
} curve;

static void curve_task(void *arg, int64_t begin, int64_t end)
{
    const curve *c = arg;
    c->forward(end - begin, c->y + begin, c->y + begin, 0, 0);
}

/* Tanh and sigmoid of what minimal filtering wrote. */
static void apply_curve(an_context *context, const an_conv *conv, an_epilogue epilogue, float *y)
{
    const an_unary map = epilogue == AN_EPILOGUE_TANH ? AN_UNARY_TANH : AN_UNARY_SIGMOID;
    curve c = {.forward = context->kernels->pointwise->unary[map].forward, .y = y};
    an__parallel(context,
                 conv->images * conv->groups * conv->features * conv->out_size[0] *
                     conv->out_size[1],
                 32768, curve_task, &c);
}

void an__conv_forward(an_context *context, const an_conv *conv, const float *x, const float *w,
                      const float *bias, an_epilogue epilogue, float *y, bool add, float *space)
{
    const an_conv c = simplified(conv);
    if (an__conv_1x1_fits(&c)) {
        an__conv_forward_1x1(context, &c, x, w, bias, epilogue, y, add);
        return;
    }
    if (!an__conv_3x3_fits(context, &c, false)) {
        an__conv_forward_direct(context, &c, x, w, bias, epilogue, y, add, space);
        return;
    }
    an__conv_forward_3x3(context, &c, x, w, bias, epilogue == AN_EPILOGUE_RELU, y, add, space);
    if (epilogue > AN_EPILOGUE_RELU)
        apply_curve(context, &c, epilogue, y);
}

void an__conv_data(an_context *context, const an_conv *conv, const float *dy, const float *w,
                   float *dx, bool add, float *space)
{
    const an_conv c = simplified(conv);
    if (an__conv_1x1_fits(&c))
        an__conv_data_1x1(context, &c, dy, w, dx, add);
    else if (an__conv_3x3_fits(context, &c, true))
        an__conv_data_3x3(context, &c, dy, w, dx, add, space);
    else
        an__conv_data_direct(context, &c, dy, w, dx, add, space);
}

void an__conv_weight(an_context *context, const an_conv *conv, const float *x, const float *dy,
                     float *dw, bool add, float *space)
{
    const an_conv c = simplified(conv);
    if (c.images > 0 && an__conv_1x1_fits(&c))
        an__conv_weight_1x1(context, &c, x, dy, dw, add, space);
    else if (c.images > 0 && an__conv_3x3_fits(context, &c, false))
        an__conv_weight_3x3(context, &c, x, dy, dw, add, space);
    else
        an__conv_weight_direct(context, &c, x, dy, dw, add, space);
}
