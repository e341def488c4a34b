/* Matrix products of networks, by our kernels and by oneDNN's. */
#include <stdio.h>
#include <stdlib.h>

#include "onednn.h"
#include "tensor/kernels/gemm.h"

/* The three products of a linear layer, or of a square. */
typedef struct shape {
    const char *network;
    int64_t batch, in, out;
    bool relu; /* behind forward, with a bias */
} shape;

/* clang-format off */
static const shape shapes[] = {
    {"784-128",        64,  784, 128, true},
    {"128-10",         64,  128,  10, false},
    {"784-512",       128,  784, 512, true},
    {"512-512",       128,  512, 512, true},
    {"512-10",        128,  512,  10, false},
    {"9216-128",       64, 9216, 128, true},
    {"400-120",        64,  400, 120, true},
    {"128-384",       768,  128, 384, false},
    {"128-128",       768,  128, 128, false},
    {"128-512",       768,  128, 512, false},
    {"512-128",       768,  512, 128, false},
    {"128-65",        768,  128,  65, false},
    {"256-256",       256,  256, 256, false},
    {"512-512",       512,  512, 512, false},
    {"1024-1024",    1024, 1024, 1024, false},
    {"2048-2048",    2048, 2048, 2048, false},
};
/* clang-format on */

typedef struct product {
    subject subject;
    an_gemm call;
    float *a, *b, *bias;
} product;

static void ours(an_context *context, subject *self)
{
    an__gemm(context, &((product *)self)->call);
}

/* Columns of C are split, whole vectors of them. */
static int64_t first_column(const an_gemm *call, int share, int shares)
{
    const int64_t at = (call->n + 15) / 16 * share / shares * 16;
    return at < call->n ? at : call->n;
}

static bool add_product(subject *self, way how, int share, int shares, plan *p)
{
    const an_gemm *c = &((product *)self)->call;
    const int64_t begin = first_column(c, share, shares);
    const int64_t n = first_column(c, share + 1, shares) - begin;
    const int64_t a_dims[] = {c->m, c->k}, b_dims[] = {c->k, n}, c_dims[] = {c->m, n};
    const int64_t a_steps[] = {c->transpose_a ? 1 : c->lda, c->transpose_a ? c->lda : 1};
    const int64_t b_steps[] = {c->transpose_b ? 1 : c->ldb, c->transpose_b ? c->ldb : 1};
    const int64_t c_steps[] = {c->ldc, 1}, bias_dims[] = {1, n};
    if (n == 0)
        return true;
    if (how == WAY_WINOGRAD)
        return false;
    operand o[] = {
        {DNNL_ARG_SRC, (float *)c->a, plan_layout(p, 2, a_dims, a_steps), false},
        {DNNL_ARG_WEIGHTS, (float *)c->b + begin * b_steps[1], plan_layout(p, 2, b_dims, b_steps),
         false},
        {DNNL_ARG_DST, c->c + begin, plan_layout(p, 2, c_dims, c_steps), true},
        {DNNL_ARG_BIAS, NULL, NULL, false},
    };
    plan_form bias = NULL;
    if (c->bias) {
        bias = plan_rows(p, 2, bias_dims, false);
        o[3].data = (float *)c->bias + begin;
        o[3].form = bias;
    }
    const bool any = how == WAY_ANY;
    dnnl_primitive_desc_t d = plan_product(
        p, any ? plan_layout(p, 2, a_dims, NULL) : o[0].form,
        how != WAY_PLAIN ? plan_layout(p, 2, b_dims, NULL) : o[1].form, bias,
        any ? plan_layout(p, 2, c_dims, NULL) : o[2].form, c->epilogue == AN_EPILOGUE_RELU);
    return d && plan_add(p, d, o, c->bias ? 4 : 3);
}

static void free_product(subject *self)
{
    product *s = (product *)self;
    free(s->a);
    free(s->b);
    free(s->bias);
    free(self->result);
    free(self);
}

/* Shape index / 3: y = x W^T + bias, dx = dy W, dW = dy^T x. */
static an_gemm call_of(const shape *s, int which)
{
    if (which == 0)
        return (an_gemm){.transpose_b = true,
                         .m = s->batch,
                         .n = s->out,
                         .k = s->in,
                         .lda = s->in,
                         .ldb = s->in,
                         .ldc = s->out};
    if (which == 1)
        return (an_gemm){
            .m = s->batch, .n = s->in, .k = s->out, .lda = s->out, .ldb = s->in, .ldc = s->in};
    return (an_gemm){.transpose_a = true,
                     .m = s->out,
                     .n = s->in,
                     .k = s->batch,
                     .lda = s->out,
                     .ldb = s->in,
                     .ldc = s->in};
}

subject *product_subject(int index)
{
    static const char *const names[] = {"y ", "dx", "dW"};
    if (index / 3 >= (int)(sizeof shapes / sizeof *shapes))
        return NULL;
    const shape *s = &shapes[index / 3];
    product *p = bench_zeros(sizeof *p);
    p->call = call_of(s, index % 3);
    p->a = bench_floats(p->call.m * p->call.k, 0);
    p->b = bench_floats(p->call.k * p->call.n, 1);
    p->call.a = p->a;
    p->call.b = p->b;
    if (index % 3 == 0) {
        p->bias = bench_floats(p->call.n, 2);
        p->call.bias = p->bias;
        p->call.epilogue = s->relu ? AN_EPILOGUE_RELU : AN_EPILOGUE_IDENTITY;
    }
    subject *self = &p->subject;
    self->result_count = p->call.m * p->call.n;
    self->result = bench_floats(self->result_count, 3);
    p->call.c = self->result;
    self->operations = 2.0 * (double)p->call.m * (double)p->call.n * (double)p->call.k;
    self->ours = ours;
    self->plan = add_product;
    self->free = free_product;
    snprintf(self->name, sizeof self->name, "product %s %s batch %lld", names[index % 3],
             s->network, (long long)s->batch);
    return self;
}
