/* The threaded front of the matrix products: who computes which part of C. */
#include "tensor/context.h"
#include "tensor/kernels/conv.h"

_Static_assert((int)AN_GEMM_SPACE <= (int)AN_CONV_SCRATCH,
               "products borrow the memory of convolutions");

/*
 * Where the rows of a weight's gradient are split: so many a thread fill its tiles well, and so
 * many values of B, which every thread then reads, leave room in the second-level cache.
 */
enum { GRADIENT_ROWS = 32, GRADIENT_INPUTS = 131072 };

typedef struct product {
    const an_gemm *call;
    const an_context *context;
    int parts;
    bool by_columns;
} product;

/* The part'th of `parts` shares of `count`, in whole multiples of `unit`. */
static int64_t share(int64_t count, int64_t unit, int parts, int part)
{
    const int64_t units = (count + unit - 1) / unit;
    const int64_t begin = units * part / parts * unit;
    return begin < count ? begin : count;
}

static void run_part(const product *job, int part)
{
    const an_gemm_table *gemm = job->context->kernels->gemm;
    an_gemm call = *job->call;
    if (job->by_columns) {
        const int64_t begin = share(call.n, gemm->lanes, job->parts, part);
        call.n = share(call.n, gemm->lanes, job->parts, part + 1) - begin;
        call.b += call.transpose_b ? begin * call.ldb : begin;
        call.bias = call.bias ? call.bias + begin : NULL;
        call.c += begin;
    } else {
        const int64_t begin = share(call.m, 1, job->parts, part);
        call.m = share(call.m, 1, job->parts, part + 1) - begin;
        call.a += call.transpose_a ? begin : begin * call.lda;
        call.c += begin * call.ldc;
    }
    /* Behind it lies the memory of convolutions, of which none runs now. */
    float *scratch = an__scratch_part(job->context, part);
    call.space = scratch + gemm->scratch_floats;
    gemm->run(&call, scratch);
}

static void run_parts(void *arg, int64_t begin, int64_t end)
{
    for (int64_t part = begin; part < end; part++)
        run_part(arg, (int)part);
}

/*
 * Columns of C (output features) are split where there are enough, so that no part of B is packed
 * twice; else rows. But C of a transposed A is the gradient of a weight, whose rows are the output
 * features: there rows are split where B is small, so that a thread finds the weights of the
 * features that it computed forward, their gradients and what the update keeps of them in its own
 * cache.
 */
static bool splits_columns(const an_gemm *call, int64_t lanes, int64_t parts)
{
    const int64_t columns = (call->n - 1) / lanes + 1;
    if (call->transpose_a && call->m >= GRADIENT_ROWS * parts &&
        (double)call->n * (double)call->k <= GRADIENT_INPUTS)
        return false;
    return columns >= 2 * parts || columns >= call->m;
}

void an__gemm(an_context *context, const an_gemm *call)
{
    if (call->m <= 0 || call->n <= 0)
        return;
    an_gemm whole = *call;
    if (call->k <= 0)
        whole.a = whole.b = call->c; /* not read, but no offset may be taken from NULL */
    const double operations = (double)call->m * (double)call->n * (double)call->k;
    product job = {.call = &whole,
                   .context = context,
                   .parts = an__worth_threads(context, INT64_MAX, operations)};
    job.by_columns = splits_columns(call, context->kernels->gemm->lanes, job.parts);
    an__parallel(context, job.parts, 1, run_parts, &job);
}
