/*
 * Attention, head by head: every thread takes whole heads, so that nothing has to be added up
 * between them. Queries go in blocks of AN_ATTENTION_ROWS; a causal block looks at the keys up to
 * its last position, which halves the work on long sequences.
 *
 * The weights are kept for the way back:
 *
 *   dv = weights'^T do          weights' = the weights that dropout left
 *   dw = do v^T                 through dropout and softmax in place: ds
 *   dq = ds k    dk = ds^T q    the scale is in ds
 *
 * Going back, the last block comes first: it sees all keys, and so writes all of dk and dv; the
 * others add to them.
 */
#include "tensor/kernels/attention.h"

#include "tensor/context.h"
#include "tensor/kernels/gemm.h"
#include "tensor/kernels/pointwise.h"

#include <string.h>

/* One thread's work: heads begin..end-1 of all samples, and room for a block of scores. */
typedef struct share {
    const an_attention_call *call;
    const an_context *context;
    int64_t begin, end;
    float *packed, *scores;
} share;

/* Rows `first`.. of one head: what the products take. */
typedef struct block {
    const share *share;
    int64_t sample, head, first, rows, keys;
    float *weights;      /* of its first row */
    const uint8_t *keep; /* likewise, or NULL */
} block;

static float *at(const block *b, an_heads view, int64_t position)
{
    return view.data + b->sample * view.sample_stride + position * view.stride +
           b->head * b->share->call->size;
}

static void multiply(const block *b, an_gemm call)
{
    if (call.m > 0 && call.n > 0)
        b->share->context->kernels->gemm->run(&call, b->share->packed);
}

/* The weights that dropout has left, `columns` keys a row; *ld is how far apart the rows are. */
static const float *dropped(const block *b, int64_t *ld)
{
    const an_attention_call *c = b->share->call;
    *ld = c->keys;
    if (!b->keep)
        return b->weights;
    *ld = b->keys;
    b->share->context->kernels->scores->drop(b->rows, b->keys, c->keys, b->share->scores,
                                             b->weights, b->keep, c->keep_scale);
    return b->share->scores;
}

static void add_to(const block *b, float *scores, const float *mask)
{
    const int64_t extra = b->share->call->extra;
    const an_run run = {b->keys - extra, scores + extra, mask, 1, 1};
    if (run.n > 0)
        b->share->context->kernels->pointwise->binary[AN_BINARY_ADD].forward(&run, scores + extra);
}

/* Scales the block's scores and adds the masks. */
static void add_masks(const block *b)
{
    const an_attention_call *c = b->share->call;
    const an_unary_kernel *affine = &b->share->context->kernels->pointwise->unary[AN_UNARY_AFFINE];
    const int64_t columns = c->keys - c->extra;
    for (int64_t r = 0; r < b->rows; r++) {
        float *scores = b->weights + r * c->keys;
        affine->forward(b->keys, scores, scores, c->scale, 0);
        if (c->mask)
            add_to(b, scores,
                   c->mask + (b->sample * c->heads + b->head) * c->mask_step +
                       (b->first + r) * columns);
        if (c->key_mask)
            add_to(b, scores, c->key_mask + b->sample * columns);
    }
}

static void forward(const block *b)
{
    const an_attention_call *c = b->share->call;
    const bool masked = c->mask || c->key_mask;
    int64_t ld;
    multiply(b, (an_gemm){.transpose_b = true,
                          .m = b->rows,
                          .n = b->keys,
                          .k = c->size,
                          .a = at(b, c->q, b->first),
                          .lda = c->q.stride,
                          .b = at(b, c->k, 0),
                          .ldb = c->k.stride,
                          .c = b->weights,
                          .ldc = c->keys});
    if (masked)
        add_masks(b);
    b->share->context->kernels->scores->softmax(b->rows, b->keys, c->keys,
                                                c->causal ? b->first + 1 + c->extra : b->keys,
                                                masked ? 1 : c->scale, b->weights);
    const float *weights = dropped(b, &ld);
    multiply(b, (an_gemm){.m = b->rows,
                          .n = c->size,
                          .k = b->keys,
                          .a = weights,
                          .lda = ld,
                          .b = at(b, c->v, 0),
                          .ldb = c->v.stride,
                          .c = at(b, c->o, b->first),
                          .ldc = c->o.stride});
}

static void backward_values(const block *b, bool add)
{
    const an_attention_call *c = b->share->call;
    int64_t ld;
    const float *weights = dropped(b, &ld);
    multiply(b, (an_gemm){.transpose_a = true,
                          .m = b->keys,
                          .n = c->size,
                          .k = b->rows,
                          .a = weights,
                          .lda = ld,
                          .b = at(b, c->d_o, b->first),
                          .ldb = c->d_o.stride,
                          .c = at(b, c->dv, 0),
                          .ldc = c->dv.stride,
                          .accumulate = add});
}

/* The gradient of the scores, into the thread's room. */
static void backward_scores(const block *b)
{
    const an_attention_call *c = b->share->call;
    multiply(b, (an_gemm){.transpose_b = true,
                          .m = b->rows,
                          .n = b->keys,
                          .k = c->size,
                          .a = at(b, c->d_o, b->first),
                          .lda = c->d_o.stride,
                          .b = at(b, c->v, 0),
                          .ldb = c->v.stride,
                          .c = b->share->scores,
                          .ldc = b->keys});
    b->share->context->kernels->scores->backward(
        b->rows, b->keys, c->keys, c->scale, b->share->scores, b->weights, b->keep, c->keep_scale);
}

static void backward(const block *b, bool last)
{
    const an_attention_call *c = b->share->call;
    if (c->dv.data)
        backward_values(b, c->add_v || !last);
    if (!c->dq.data && !c->dk.data)
        return;
    backward_scores(b);
    if (c->dq.data)
        multiply(b, (an_gemm){.m = b->rows,
                              .n = c->size,
                              .k = b->keys,
                              .a = b->share->scores,
                              .lda = b->keys,
                              .b = at(b, c->k, 0),
                              .ldb = c->k.stride,
                              .c = at(b, c->dq, b->first),
                              .ldc = c->dq.stride,
                              .accumulate = c->add_q});
    if (c->dk.data)
        multiply(b, (an_gemm){.transpose_a = true,
                              .m = b->keys,
                              .n = c->size,
                              .k = b->rows,
                              .a = b->share->scores,
                              .lda = b->keys,
                              .b = at(b, c->q, b->first),
                              .ldb = c->q.stride,
                              .c = at(b, c->dk, 0),
                              .ldc = c->dk.stride,
                              .accumulate = c->add_k || !last});
}

/* The block of head `index` that begins at query `first`. */
static block block_at(const share *s, int64_t index, int64_t first)
{
    const an_attention_call *c = s->call;
    const int64_t left = c->queries - first, row = index * c->queries + first;
    block b = {.share = s,
               .sample = index / c->heads,
               .head = index % c->heads,
               .first = first,
               .rows = left < AN_ATTENTION_ROWS ? left : AN_ATTENTION_ROWS,
               .keys = c->keys,
               .weights = c->weights + row * c->keys,
               .keep = c->keep ? c->keep + row * c->keys : NULL};
    if (c->causal && first + b.rows + c->extra < c->keys)
        b.keys = first + b.rows + c->extra;
    return b;
}

static void forward_heads(const share *s)
{
    for (int64_t index = s->begin; index < s->end; index++)
        for (int64_t first = 0; first < s->call->queries; first += AN_ATTENTION_ROWS) {
            const block b = block_at(s, index, first);
            forward(&b);
        }
}

/* Keys that no query sees get the gradient 0. */
static void clear_unseen(const block *last, an_heads gradient)
{
    for (int64_t key = last->keys; key < last->share->call->keys; key++)
        memset(at(last, gradient, key), 0, (size_t)last->share->call->size * sizeof(float));
}

static void backward_heads(const share *s)
{
    const an_attention_call *c = s->call;
    const int64_t top = (c->queries - 1) / AN_ATTENTION_ROWS * AN_ATTENTION_ROWS;
    for (int64_t index = s->begin; index < s->end; index++)
        for (int64_t first = top; first >= 0; first -= AN_ATTENTION_ROWS) {
            const block b = block_at(s, index, first);
            backward(&b, first == top);
            if (first == top && c->dk.data && !c->add_k)
                clear_unseen(&b, c->dk);
            if (first == top && c->dv.data && !c->add_v)
                clear_unseen(&b, c->dv);
        }
}

typedef struct job {
    an_context *context;
    const an_attention_call *call;
    void (*heads)(const share *s);
    int parts;
} job;

static void run_parts(void *arg, int64_t begin, int64_t end)
{
    const job *j = arg;
    const int64_t count = j->call->samples * j->call->heads;
    const int64_t room = AN_ATTENTION_ROWS * j->call->keys;
    for (int64_t part = begin; part < end; part++) {
        const share s = {.call = j->call,
                         .context = j->context,
                         .begin = count * part / j->parts,
                         .end = count * (part + 1) / j->parts,
                         .packed = an__scratch_part(j->context, part),
                         .scores = j->call->scratch + part * room};
        j->heads(&s);
    }
}

static void run(an_context *context, const an_attention_call *call, void (*heads)(const share *s))
{
    const int64_t count = call->samples * call->heads;
    const double operations =
        2 * (double)count * (double)call->queries * (double)call->keys * (double)call->size;
    job j = {context, call, heads, an__worth_threads(context, count, operations)};
    if (call->queries > 0 && call->keys > 0)
        an__parallel(context, j.parts, 1, run_parts, &j);
}

int64_t an__attention_scratch(const an_context *context, const an_attention_call *call)
{
    return (int64_t)an_context_threads(context) * AN_ATTENTION_ROWS * call->keys;
}

void an__attention(an_context *context, const an_attention_call *call)
{
    run(context, call, forward_heads);
}

void an__attention_backward(an_context *context, const an_attention_call *call)
{
    run(context, call, backward_heads);
}
