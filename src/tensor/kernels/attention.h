/*
 * Scaled dot-product attention over many heads: the threaded front (scores.c has its loops).
 *
 *     weights = softmax(scale q k^T)      (queries, keys), row by row
 *     o = weights v                       (queries, size)
 *
 * for each head of each sample. q, k, v and o are views: sample b, position t, head h begins at
 * data + b * sample_stride + t * stride + h * size. With `causal`, position t sees keys 0..t, and
 * the extra ones before them.
 */
#ifndef AN_ATTENTION_H
#define AN_ATTENTION_H

#include "tensor/kernels/kernels.h"

typedef struct an_heads {
    float *data;
    int64_t sample_stride, stride;
} an_heads;

typedef struct an_attention_call {
    int64_t samples, heads, queries, keys, size;
    bool causal;
    float scale;
    /*
     * Added to the scores (scale q k^T), -INFINITY hides: `mask` of (queries, keys - extra), for
     * each head mask_step floats behind the last one's, and `key_mask` of (samples, keys - extra).
     * Either may be NULL. The first `extra` keys are not in them, and each position sees them.
     */
    const float *mask, *key_mask;
    int64_t mask_step, extra;
    an_heads q, k, v, o;
    /*
     * (samples, heads, queries, keys): written by forward, read by backward. What a causal position
     * does not see is 0 up to the next multiple of AN_ATTENTION_ROWS keys, and not written beyond.
     */
    float *weights;
    const uint8_t *keep; /* of dropout on the weights, in their shape, or NULL */
    float keep_scale;    /* 1 / (1 - p) */
    /* Of an__attention_scratch floats. */
    float *scratch;
    /* Backward: the gradients. Those of k and v, and of q, are written, or added to. */
    an_heads dq, dk, dv, d_o;
    bool add_q, add_k, add_v;
} an_attention_call;

/* Queries that are worked on together. */
enum { AN_ATTENTION_ROWS = 64 };

int64_t an__attention_scratch(const an_context *context, const an_attention_call *call);
void an__attention(an_context *context, const an_attention_call *call);
/* Any of dq, dk, dv may have data NULL: not wanted. */
void an__attention_backward(an_context *context, const an_attention_call *call);

/* The loops over a block of scores, by the kernels of one width. */
struct an_scores_table {
    /*
     * In place, for rows 0..rows-1 of `columns` scores, ld apart: softmax(scale s) of the first
     * visible + r of row r (all, if there are fewer), zeros behind.
     */
    void (*softmax)(int64_t rows, int64_t columns, int64_t ld, int64_t visible, float scale,
                    float *s);
    /* out = p * keep * scale; `out` rows are `columns` apart, the others ld. */
    void (*drop)(int64_t rows, int64_t columns, int64_t ld, float *out, const float *p,
                 const uint8_t *keep, float scale);
    /*
     * In place on d, whose rows are `columns` apart: d = scale p (d' - the row's sum of d' p), with
     * d' = d, or d * keep * keep_scale. keep may be NULL.
     */
    void (*backward)(int64_t rows, int64_t columns, int64_t ld, float scale, float *d,
                     const float *p, const uint8_t *keep, float keep_scale);
};

extern const an_scores_table an__scores_table_128, an__scores_table_256, an__scores_table_512;

#endif
