/*
 * Naive twins of all operations: forward only, in double, one plain loop over output elements each.
 * They are the oracle of the tests, so they are written for the eye, not for speed, and share
 * nothing with the library but an_shape.
 */
#ifndef AN_TEST_TWIN_H
#define AN_TEST_TWIN_H

#include <anneal/autograd.h>

enum { MAX_INPUTS = 6, MAX_LABELS = 4096, MAX_WEIGHTS = 64 };

/* A tensor in double. */
typedef struct twin {
    an_shape shape;
    int64_t size;
    double *data;
} twin;

/* Everything beside the inputs that any operation takes. */
typedef struct setting {
    double p, q; /* affine's constants, pow's power, dropout's probability */
    int dim;
    bool keep;
    an_shape shape;
    int64_t start, count;
    an_activation activation;
    int32_t labels[MAX_LABELS];
    int64_t label_count;
    uint64_t seed; /* of dropout */
    int64_t heads; /* of attention */
    bool causal;
    int mask; /* of attention: 0 none, 1 for all heads, 2 for each */
    bool key_mask;
    int64_t extra;
    bool reverse; /* of LSTM and GRU */
    double eps;   /* of norms */
    int64_t groups;
    bool training, running; /* of batch_norm; the running statistics are the weights below */
    an_loss loss;
    an_conv2d_options conv;
    an_conv_transpose2d_options conv_transpose;
    an_pool2d_options pool;
    an_pad2d_options pad;
    int64_t out_size[2];                                  /* of adaptive pooling */
    float weights[MAX_WEIGHTS], pos_weights[MAX_WEIGHTS]; /* what the loss points to */
} setting;

/* Value i of a mask, none of which hides column 0. */
float mask_value(int64_t i, int64_t column);

typedef void twin_function(const setting *s, const twin *in, int count, twin *out);

void twin_new(twin *t, an_shape shape);
void twin_free(twin *t);

twin_function twin_pad2d, twin_add, twin_sub, twin_mul, twin_div, twin_affine, twin_neg, twin_exp,
    twin_log, twin_sqrt, twin_abs, twin_pow, twin_relu, twin_tanh, twin_sigmoid, twin_gelu,
    twin_gelu_tanh, twin_silu, twin_leaky_relu, twin_elu, twin_softplus, twin_softmax_dim,
    twin_softmax, twin_log_softmax, twin_dropout, twin_matmul, twin_transpose, twin_linear,
    twin_sum, twin_mean, twin_sum_dim, twin_mean_dim, twin_max_dim, twin_reshape, twin_flatten,
    twin_slice, twin_index_rows, twin_concat, twin_attention, twin_self_attention, twin_lstm,
    twin_gru, twin_nll_loss, twin_cross_entropy, twin_value_loss, twin_apply, twin_conv2d,
    twin_conv_transpose2d, twin_max_pool2d, twin_avg_pool2d, twin_adaptive_avg_pool2d,
    twin_embedding, twin_layer_norm, twin_rms_norm, twin_group_norm, twin_batch_norm;

#endif
