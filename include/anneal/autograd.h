/*
 * anneal/autograd.h - define-by-run reverse-mode differentiation.
 *
 * Intended usage
 *
 *   1. Make parameters once (an_params_add, or the layers of anneal/nn.h do it) and lay them out
 *      (an_params_build).
 *   2. In every step call operations on tensors. Each computes at once and records itself in the
 *      graph's arena; ordinary C control flow decides what the graph is.
 *   3. an_backward(g, loss, &err) walks the record in reverse. Gradients ADD UP in the parameters
 *      until an_params_zero_grad.
 *   4. an_graph_reset(g, &err): every tensor of the step goes at once. Nothing else is to be freed.
 *
 * Errors flow: an operation never returns NULL. On a mistake (shapes that do not fit, no memory) it
 * returns a poisoned tensor; operations on poisoned tensors give poisoned tensors; the graph keeps
 * the FIRST error, with the operation's name and the shapes, and an_backward, an_graph_error and
 * an_graph_reset deliver it. So an expression is written without checks and checked once.
 *
 * Broadcasting is PyTorch's: dimensions align from the right and are equal or 1.
 *
 * Gradients are kept for leaves: parameters and an_leaf. Those of intermediate tensors are gone
 * when an_backward returns. Labels and indices are copied into the graph; other inputs must stay as
 * they are until an_backward has returned.
 */
#ifndef ANNEAL_AUTOGRAD_H
#define ANNEAL_AUTOGRAD_H

#include <anneal/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------- parameters */

/*
 * The parameters of a model: all values in one flat, 64-byte aligned vector, all gradients in
 * another, so that an update or a norm is one pass; and a table that says where each one lies.
 * Alignment gaps hold zeros. A parameter's tensor never moves. Beside them stand buffers.
 */
typedef struct an_params an_params;

typedef struct an_param {
    const char *name; /* "0.weight": unique in its an_params */
    an_tensor *tensor;
    int64_t offset; /* in floats, into the flat vectors */
} an_param;

AN_API an_params *an_params_new(an_context *context, an_error *err);
AN_API void an_params_free(an_params *params);
/*
 * Declares a parameter. Its tensor is returned at once and stays; `data` is NULL until
 * an_params_build. Errors: ARGUMENT (name taken), STATE (already built), SHAPE, MEMORY.
 */
AN_API an_tensor *an_params_add(an_params *params, const char *name, an_shape shape, an_error *err);
/* Lays out the flat vectors, zeroed. Idempotent. */
AN_API bool an_params_build(an_params *params, an_error *err);
AN_API size_t an_params_count(const an_params *params);
AN_API const an_param *an_params_get(const an_params *params, size_t index);
/* The parameter called `name`, or NULL. */
AN_API const an_param *an_params_find(const an_params *params, const char *name);
/* The number of trainable values, without alignment gaps. */
AN_API int64_t an_params_size(const an_params *params);
/* The flat vectors and their length in floats, gaps included. NULL and 0 before an_params_build. */
AN_API float *an_params_values(const an_params *params);
AN_API float *an_params_grads(const an_params *params);
AN_API int64_t an_params_length(const an_params *params);
AN_API an_context *an_params_context(const an_params *params);
/* Forgets all gradients (PyTorch's set_to_none): the next backward writes instead of adding. */
AN_API void an_params_zero_grad(an_params *params);

/*
 * Buffers: what a model keeps beside its parameters and no gradient reaches, such as running
 * statistics. They are saved and loaded with the parameters; names are unique among both. A buffer
 * is a tensor of values or a counter, a whole number.
 */
typedef struct an_buffer {
    const char *name;  /* "1.running_mean" */
    an_tensor *tensor; /* NULL for a counter */
    int64_t *counter;  /* NULL for values, and before an_params_build */
} an_buffer;

/* Declares a buffer, as an_params_add does a parameter; zeros at build. NULL with err. */
AN_API an_tensor *an_params_add_buffer(an_params *params, const char *name, an_shape shape,
                                       an_error *err);
/* Declares a counter, 0 at build. The buffer stays where it is. NULL with err. */
AN_API const an_buffer *an_params_add_counter(an_params *params, const char *name, an_error *err);
AN_API size_t an_params_buffer_count(const an_params *params);
AN_API const an_buffer *an_params_get_buffer(const an_params *params, size_t index);
AN_API const an_buffer *an_params_find_buffer(const an_params *params, const char *name);
/*
 * All buffers as one block of memory, whose bytes can be copied away and back: what an early stop
 * keeps beside the parameters' values. NULL and 0 before an_params_build.
 */
AN_API void *an_params_buffer_block(const an_params *params, size_t *bytes);

/* ------------------------------------------------------------------- graph */

typedef struct an_graph an_graph;

AN_API an_graph *an_graph_new(an_context *context, an_error *err);
AN_API void an_graph_free(an_graph *graph);
/* Ends the step: frees every tensor of the graph. Delivers the step's error, if any, as false. */
AN_API bool an_graph_reset(an_graph *graph, an_error *err);
/* True, and err filled, when an operation has failed since the last reset. */
AN_API bool an_graph_error(const an_graph *graph, an_error *err);
/* Recording on (the default) or off (PyTorch's no_grad); returns what it was. */
AN_API bool an_graph_set_grad(an_graph *graph, bool enabled);
AN_API bool an_graph_grad(const an_graph *graph);
AN_API an_context *an_graph_context(const an_graph *graph);
/* The most bytes that the graph's arena has held. */
AN_API size_t an_graph_peak_bytes(const an_graph *graph);

/*
 * Back-propagates from the scalar `loss` (one element). Gradients of leaves that require them are
 * added to. A graph can be walked once. False with err: any earlier error of this graph, a loss
 * that is not a scalar (SHAPE) or does not depend on a parameter (ARGUMENT), a second walk (STATE),
 * no memory (MEMORY; gradients are incomplete then, start over with an_params_zero_grad).
 */
AN_API bool an_backward(an_graph *graph, an_tensor *loss, an_error *err);

/* The value of a one-element tensor; NaN for a poisoned one or any other size. */
AN_API double an_item(const an_tensor *tensor);

/* ------------------------------------------------------------------ leaves */

/* A tensor of the graph, uninitialised: fill `data` before use. */
AN_API an_tensor *an_empty(an_graph *graph, an_shape shape);
/* Copies `shape` values in. */
AN_API an_tensor *an_from(an_graph *graph, const float *values, an_shape shape);
AN_API an_tensor *an_full(an_graph *graph, an_shape shape, float value);
AN_API an_tensor *an_scalar(an_graph *graph, float value);
/* The same values, cut from the graph: no gradient flows back. Shares memory. */
AN_API an_tensor *an_detach(an_graph *graph, an_tensor *x);
/* A leaf of the graph whose gradient can be read after an_backward (for tests and saliency maps).
 */
AN_API an_tensor *an_leaf(an_graph *graph, const float *values, an_shape shape);

/* ------------------------------------------------- arithmetic, broadcasting */

AN_API an_tensor *an_add(an_graph *graph, an_tensor *a, an_tensor *b);
AN_API an_tensor *an_sub(an_graph *graph, an_tensor *a, an_tensor *b);
AN_API an_tensor *an_mul(an_graph *graph, an_tensor *a, an_tensor *b);
AN_API an_tensor *an_div(an_graph *graph, an_tensor *a, an_tensor *b);
/* a * x + b with constants a and b. */
AN_API an_tensor *an_affine(an_graph *graph, an_tensor *x, double a, double b);
AN_API an_tensor *an_neg(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_exp(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_log(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_sqrt(an_graph *graph, an_tensor *x);
/* |x|; the derivative at 0 is 0. */
AN_API an_tensor *an_abs(an_graph *graph, an_tensor *x);
/* x to the constant power. */
AN_API an_tensor *an_pow(an_graph *graph, an_tensor *x, double power);

/* --------------------------------------------------------- non-linearities */

/* max(x, 0); the derivative at 0 is 0. NaN stays NaN. */
AN_API an_tensor *an_relu(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_tanh(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_sigmoid(an_graph *graph, an_tensor *x);
/* x times the normal distribution function of x, exactly and by PyTorch's 'tanh' formula. */
AN_API an_tensor *an_gelu(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_gelu_tanh(an_graph *graph, an_tensor *x);
/* x times the logistic function of x. */
AN_API an_tensor *an_silu(an_graph *graph, an_tensor *x);
/* x where it is above 0, else slope * x; alpha * (e^x - 1). */
AN_API an_tensor *an_leaky_relu(an_graph *graph, an_tensor *x, double slope);
AN_API an_tensor *an_elu(an_graph *graph, an_tensor *x, double alpha);
/* log(1 + e^(beta * x)) / beta, and x itself where beta * x is above the threshold. */
AN_API an_tensor *an_softplus(an_graph *graph, an_tensor *x, double beta, double threshold);
/* Over the last dimension, computed after subtracting each row's maximum. */
AN_API an_tensor *an_softmax(an_graph *graph, an_tensor *x);
/* Over dimension `dim`; negative ones count from the end. */
AN_API an_tensor *an_softmax_dim(an_graph *graph, an_tensor *x, int dim);
AN_API an_tensor *an_log_softmax(an_graph *graph, an_tensor *x);
/* Inverted dropout: each value is zero with probability p, from 0 to 1, else x / (1 - p).
 * Draws from `rng`. */
AN_API an_tensor *an_dropout(an_graph *graph, an_tensor *x, double p, an_rng *rng);
/* The same with one draw for each channel of x (n, channels, ...), for all of its values. */
AN_API an_tensor *an_dropout_channels(an_graph *graph, an_tensor *x, double p, an_rng *rng);

/* ---------------------------------------------------------------- products */

/*
 * The matrix product over the last two dimensions: (..., m, k) by (..., k, n) gives (..., m, n).
 * Leading dimensions broadcast. Both operands need at least two dimensions.
 */
AN_API an_tensor *an_matmul(an_graph *graph, an_tensor *a, an_tensor *b);
/* Swaps the last two dimensions (copies). */
AN_API an_tensor *an_transpose(an_graph *graph, an_tensor *x);

/* An activation that a product applies to its result while it is still in cache. */
typedef enum an_activation { AN_IDENTITY, AN_RELU, AN_TANH, AN_SIGMOID } an_activation;

/*
 * x W^T + b, then the activation: x (..., in), weight (out, in), bias (out) or NULL; the result is
 * (..., out). One fused operation, forward and backward.
 */
AN_API an_tensor *an_linear(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                            an_activation activation);

/* ------------------------------------------------------------------ images */

/*
 * Images are (n, channels, height, width). Pairs are {vertical, horizontal}. In the options zero
 * means PyTorch's default, so that NULL or all zero is PyTorch's call without further arguments.
 *
 * A window of `kernel` values that lie `dilation` apart begins `padding` outside of the image and
 * moves by `stride`: along a dimension of size s there are
 *
 *   (s + 2 padding - dilation (kernel - 1) - 1) / stride + 1
 *
 * places for it, rounded down. That there is none, or that a kernel has more than 65536 values, is
 * an error.
 */
/*
 * What stands outside of an image: zeros; the image mirrored at its first and last value, which are
 * not repeated; its first and last value again; the image from its other end.
 */
typedef enum an_padding_mode {
    AN_PAD_ZEROS,
    AN_PAD_REFLECT,
    AN_PAD_REPLICATE,
    AN_PAD_CIRCULAR
} an_padding_mode;

/* On each side at most 65536, reflected below the image's size and circular at most that. */
typedef struct an_pad2d_options {
    int64_t before[2]; /* {above, left} */
    int64_t after[2];  /* {below, right} */
    an_padding_mode mode;
} an_pad2d_options;

AN_API an_tensor *an_pad2d(an_graph *graph, an_tensor *x, an_pad2d_options options);

typedef struct an_conv2d_options {
    int64_t stride[2];   /* 0: 1 */
    int64_t padding[2];  /* on either side */
    int64_t dilation[2]; /* 0: 1 */
    int64_t groups;      /* 0: 1; channels and features are cut into so many, each for itself */
    /* padding='same': the result has the image's size; an odd rest of the padding goes below and
     * to the right. Strides must be 1, `padding` 0. */
    bool same;
    an_padding_mode padding_mode; /* other than of zeros: an_pad2d goes first */
    an_activation activation;     /* applied to the result in the same operation */
} an_conv2d_options;

/*
 * Convolution (without turning the kernel, as everywhere in this field): x (n, channels, h, w),
 * weight (features, channels / groups, kernel height, kernel width), bias (features) or NULL; the
 * result is (n, features, h', w').
 */
AN_API an_tensor *an_conv2d(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                            const an_conv2d_options *options);

typedef struct an_conv_transpose2d_options {
    int64_t stride[2];         /* 0: 1 */
    int64_t padding[2];        /* cut off on either side */
    int64_t output_padding[2]; /* more at the bottom and right; below stride or dilation */
    int64_t dilation[2];       /* 0: 1 */
    int64_t groups;            /* 0: 1 */
} an_conv_transpose2d_options;

/*
 * The transposed convolution, the derivative of an_conv2d by its image: x (n, channels, h, w),
 * weight (channels, features / groups, kernel height, kernel width), bias (features) or NULL; the
 * result is (n, features, h', w') with
 *
 *   h' = (h - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
 */
AN_API an_tensor *an_conv_transpose2d(an_graph *graph, an_tensor *x, an_tensor *weight,
                                      an_tensor *bias, const an_conv_transpose2d_options *options);

typedef struct an_pool2d_options {
    int64_t kernel[2];   /* at least 1 */
    int64_t stride[2];   /* 0: the kernel */
    int64_t padding[2];  /* at most half of the kernel */
    int64_t dilation[2]; /* 0: 1; of max_pool2d alone */
    /* The number of places is rounded up, but no window begins beyond image and upper padding. */
    bool ceil_mode;
    /* Of avg_pool2d alone: divide by the pixels of the image instead of those of the window, with
     * its padding (count_include_pad=False); or by a number of your own, unless 0. */
    bool exclude_padding;
    int64_t divisor;
} an_pool2d_options;

/* The maximum of each window, NaN if there is one; padding never wins. The gradient goes to the
 * first pixel that has it. */
AN_API an_tensor *an_max_pool2d(an_graph *graph, an_tensor *x, const an_pool2d_options *options);
/* The mean of each window; padding counts as zeros. */
AN_API an_tensor *an_avg_pool2d(an_graph *graph, an_tensor *x, const an_pool2d_options *options);
/*
 * Means that give (n, channels, height, width) from any size, 0 keeping the image's: row i is the
 * mean of rows i h / height to (i + 1) h / height, the first rounded down, the end rounded up.
 */
AN_API an_tensor *an_adaptive_avg_pool2d(an_graph *graph, an_tensor *x, int64_t height,
                                         int64_t width);
/* --------------------------------------------------------------- attention */

/* `heads` divides the width. `dropout` is of the weights, from 0 to 1, and draws from `rng`. */
typedef struct an_attention_options {
    int64_t heads;
    bool causal; /* position t of the queries sees positions 0..t of the keys */
    double dropout;
    an_rng *rng; /* NULL without dropout */
    /*
     * Added to the scores before the softmax; -INFINITY hides a key (an_mask makes such a mask of
     * booleans). `mask` is (time, positions) or (batch * heads, time, positions), `key_mask` is
     * (batch, positions); NULL: none. No gradient flows to them. A position that sees nothing gets
     * NaN, as in PyTorch.
     */
    const an_tensor *mask, *key_mask;
    /* The first `extra` keys are seen from everywhere; masks and `causal` count without them. */
    int64_t extra;
} an_attention_options;

/* 0 where `hidden` is false, -INFINITY where it is true: a boolean mask of PyTorch's. */
AN_API an_tensor *an_mask(an_graph *graph, const bool *hidden, an_shape shape);

/*
 * Scaled dot-product attention (arXiv 1706.03762): queries (batch, time, width), keys and values
 * (batch, positions, width), each with its heads side by side in the last dimension. Every head
 * gives softmax(q k^T / sqrt(width / heads)) v; the result is (batch, time, width). One fused
 * operation; it keeps the weights, (batch, heads, time, positions) floats.
 */
AN_API an_tensor *an_attention(an_graph *graph, an_tensor *queries, an_tensor *keys,
                               an_tensor *values, an_attention_options options);
/* The same with queries, keys and values side by side in one tensor (batch, time, 3 width), as one
 * an_linear makes them. */
AN_API an_tensor *an_self_attention(an_graph *graph, an_tensor *qkv, an_attention_options options);

/*
 * The weights of PyTorch's MultiheadAttention: in_weight (3 width, width), or q_weight (width,
 * width), k_weight (width, kdim) and v_weight (width, vdim) in its place; in_bias (3 width);
 * bias_k and bias_v (1, 1, width), a key and a value more (add_bias_kv); out_weight (width, width);
 * out_bias (width). The biases may be NULL, bias_k and bias_v together.
 */
typedef struct an_multihead_weights {
    an_tensor *in_weight, *q_weight, *k_weight, *v_weight, *in_bias;
    an_tensor *bias_k, *bias_v, *out_weight, *out_bias;
} an_multihead_weights;

/*
 * The whole layer: projections, an_attention, the projection of its result. query (batch, time,
 * width), key (batch, positions, kdim), value (batch, positions, vdim); where all three are the
 * same tensor, one product projects them. `zero_attention` (add_zero_attn) puts a key and a value
 * of zeros to the others. Masks are those of the keys that are given; `extra` is 0.
 */
AN_API an_tensor *an_multihead_attention(an_graph *graph, an_tensor *query, an_tensor *key,
                                         an_tensor *value, an_multihead_weights weights,
                                         bool zero_attention, an_attention_options options);

/* --------------------------------------------------------------- recurrent */

/*
 * PyTorch's weights of one layer, in its order of the gates (LSTM i, f, g, o; GRU r, z, n):
 * weight_ih (gates * hidden, features), weight_hh (gates * hidden, hidden), biases (gates * hidden)
 * or both NULL. An LSTM whose hidden states are projected (proj_size) has weight_hr (out, hidden),
 * out below hidden, and its weight_hh is (4 hidden, out); else weight_hr is NULL.
 */
typedef struct an_recurrent_weights {
    an_tensor *weight_ih, *weight_hh, *bias_ih, *bias_hh, *weight_hr;
} an_recurrent_weights;

/*
 * A layer over whole sequences: x (batch, time, features) gives the hidden states (batch, time,
 * hidden or out), from a state of zeros. `reverse` goes from the last step to the first, for the
 * second half of a bidirectional layer.
 */
AN_API an_tensor *an_lstm(an_graph *graph, an_tensor *x, an_recurrent_weights weights,
                          bool reverse);
AN_API an_tensor *an_gru(an_graph *graph, an_tensor *x, an_recurrent_weights weights, bool reverse);

/* -------------------------------------------------------------- reductions */

/* Over all elements, to a scalar. The mean of no elements is NaN. */
AN_API an_tensor *an_sum(an_graph *graph, an_tensor *x);
AN_API an_tensor *an_mean(an_graph *graph, an_tensor *x);
/* Over dimension `dim` (negative counts from the end); `keep` leaves it with size 1. */
AN_API an_tensor *an_sum_dim(an_graph *graph, an_tensor *x, int dim, bool keep);
AN_API an_tensor *an_mean_dim(an_graph *graph, an_tensor *x, int dim, bool keep);
/* The maximum, NaN if there is one; the gradient goes to the first position that has it. */
AN_API an_tensor *an_max_dim(an_graph *graph, an_tensor *x, int dim, bool keep);

/* ------------------------------------------------------ shape and indexing */

/* The same values under a shape of the same size; one dimension may be -1. Shares memory. */
AN_API an_tensor *an_reshape(an_graph *graph, an_tensor *x, an_shape shape);
/* Joins the dimensions from `first` to the last into one. PyTorch's Flatten has first = 1. */
AN_API an_tensor *an_flatten(an_graph *graph, an_tensor *x, int first);
/* Elements start..start+count-1 of dimension `dim`. */
AN_API an_tensor *an_slice(an_graph *graph, an_tensor *x, int dim, int64_t start, int64_t count);
/* Rows of the first dimension, in the order of `index`; a row may come several times. */
AN_API an_tensor *an_index_rows(an_graph *graph, an_tensor *x, an_labels index);
/*
 * Rows of `weight` (count, features) by `ids`, a tensor of whole numbers 0..count-1 of any shape:
 * the result has that shape and the features behind it. Count is at most 2^24, up to which floats
 * hold every whole number. The row `padding` (-1: none) gets no gradient. A batch of text is thus
 * a tensor like any other, and training a language model reads
 *
 *   an_tensor *x = an_ids(g, text, an_shape_2(batch, context));
 *   an_tensor *scores = an_forward(model, g, x);          (batch, context, vocabulary)
 *   an_tensor *loss = an_cross_entropy(g, scores, next);  batch * context labels
 */
AN_API an_tensor *an_embedding(an_graph *graph, an_tensor *weight, an_tensor *ids, int64_t padding);

/* What else PyTorch's embedding knows. */
typedef struct an_embedding_options {
    int64_t padding; /* the row without a gradient; -1: none */
    /*
     * Above 0: a row that is looked up and whose norm is more is scaled down to it first, in
     * `weight` itself (the parameter changes, in evaluation too). 0: none.
     */
    double max_norm;
    double norm_type;        /* which norm: the p-th root of the sum of |w|^p; 0: 2 */
    bool scale_grad_by_freq; /* divides a row's gradient by how often it is among the ids */
} an_embedding_options;

AN_API an_tensor *an_embedding_with(an_graph *graph, an_tensor *weight, an_tensor *ids,
                                    an_embedding_options options);
/* Integers as a tensor of `shape`, each from 0 to 2^24 - 1. */
AN_API an_tensor *an_ids(an_graph *graph, an_labels ids, an_shape shape);
/* Joins along `dim`; the other dimensions are equal. */
AN_API an_tensor *an_concat(an_graph *graph, an_tensor *const *parts, int count, int dim);

/* ----------------------------------------------------------- normalisation */

/*
 * All of them give (x - mean) / sqrt(variance + eps) * weight + bias, where mean and (biased)
 * variance are taken over different parts of x. weight and bias may be NULL: 1 and 0; a bias needs
 * a weight.
 */

/* Over the last `dims` dimensions, of whose shape weight and bias are. */
AN_API an_tensor *an_layer_norm(an_graph *graph, an_tensor *x, int dims, an_tensor *weight,
                                an_tensor *bias, double eps);
/* The same with 0 for the mean (Zhang, Sennrich: Root Mean Square Layer Normalization; 2019). */
AN_API an_tensor *an_rms_norm(an_graph *graph, an_tensor *x, int dims, an_tensor *weight,
                              double eps);
/* x (n, channels, ...): over each sample's `groups` groups of channels; weight (channels). */
AN_API an_tensor *an_group_norm(an_graph *graph, an_tensor *x, int64_t groups, an_tensor *weight,
                                an_tensor *bias, double eps);

/*
 * Running statistics of a batch norm, (channels) each, or both NULL. In training they move at once:
 * running = (1 - momentum) running + momentum * the batch's, the variance's with n / (n - 1).
 */
typedef struct an_batch_norm_options {
    an_tensor *running_mean, *running_variance;
    bool training; /* normalise by the batch, not by the running statistics */
    double momentum;
    double eps;
} an_batch_norm_options;

/*
 * x (n, channels, ...): over all values of a channel; weight (channels). Without running statistics
 * the batch's are always used; they take at least two values a channel.
 */
AN_API an_tensor *an_batch_norm(an_graph *graph, an_tensor *x, an_tensor *weight, an_tensor *bias,
                                const an_batch_norm_options *options);

/* ------------------------------------------------------------------ losses */

/* Mean negative log-likelihood of log-probabilities (..., classes); there is at least one row. */
AN_API an_tensor *an_nll_loss(an_graph *graph, an_tensor *log_probabilities, an_labels target);
/*
 * log_softmax and nll_loss in one pass over logits (..., classes), mean over the rows. A label
 * outside 0..classes-1 is an error that names the row.
 */
AN_API an_tensor *an_cross_entropy(an_graph *graph, an_tensor *logits, an_labels target);
/* mean((x - target)^2); shapes are equal and not empty. */
AN_API an_tensor *an_mse_loss(an_graph *graph, an_tensor *x, an_tensor *target);

/*
 * Those three and the others of PyTorch, with their settings, are a plain struct:
 *
 *   an_loss loss = an_loss_defaults(AN_HUBER_LOSS);
 *   loss.delta = 0.5;
 *   an_tensor *l = an_loss_between(loss, graph, output, target);
 *
 * Of x = output and t = target, value by value:
 *
 *   MSE              (x - t)^2
 *   L1               |x - t|
 *   SMOOTH_L1        (x - t)^2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2
 *   HUBER            (x - t)^2 / 2 where |x - t| <= delta, else delta (|x - t| - delta / 2)
 *   BCE_WITH_LOGITS  -w (p t log s(x) + (1 - t) log(1 - s(x))), s the logistic function, w the
 *                    weight and p the pos_weight of the column
 *   KL_DIV           t (log t - x), x log-probabilities; with log_target e^t (t - x)
 *
 * and of class labels, row by row (NLL of log-probabilities, CROSS_ENTROPY of logits):
 *
 *   NLL              -w[label] x[label]
 *   CROSS_ENTROPY    the same of log_softmax(x), (1 - s) of it plus s times the mean over the
 *                    classes of -w[c] x[c], s the label_smoothing
 */
typedef enum an_loss_kind {
    AN_CROSS_ENTROPY_LOSS,
    AN_NLL_LOSS,
    AN_MSE_LOSS,
    AN_L1_LOSS,
    AN_SMOOTH_L1_LOSS,
    AN_HUBER_LOSS,
    AN_BCE_WITH_LOGITS_LOSS,
    AN_KL_DIV_LOSS
} an_loss_kind;

/*
 * How values become one. The mean of labels with weights is divided by the sum of their weights;
 * rows of ignore_index count in neither and get no gradient; where all are, the mean is NaN.
 * BATCHMEAN, for KL_DIV alone, is the sum over the batch size, the first dimension. NONE keeps
 * them: one loss a row of labels (0 where it is ignored), in the shape of the output without its
 * classes, and one a value between tensors, in their shape.
 */
typedef enum an_reduction {
    AN_REDUCE_MEAN,
    AN_REDUCE_SUM,
    AN_REDUCE_BATCHMEAN,
    AN_REDUCE_NONE
} an_reduction;

/* Start from an_loss_defaults. A loss reads the fields of its kind alone. */
typedef struct an_loss {
    an_loss_kind kind;
    an_reduction reduction;
    const float *weight; /* of each class (column), at least 0; NULL: all 1 */
    int64_t weight_count;
    const float *pos_weight; /* BCE_WITH_LOGITS: of each column, or one for all; NULL: 1 */
    int64_t pos_weight_count;
    int32_t ignore_index;   /* the label of rows that do not count; default -100 */
    double label_smoothing; /* from 0, the default, to 1 */
    double beta;            /* SMOOTH_L1: at least 0 (where it is L1); default 1 */
    double delta;           /* HUBER: above 0; default 1 */
    bool log_target;        /* KL_DIV: the target is log-probabilities too */
} an_loss;

/* PyTorch's defaults. */
AN_API an_loss an_loss_defaults(an_loss_kind kind);

/*
 * The loss of `output` (..., classes) against one class label a row, and against a tensor of its
 * shape: a scalar, or with AN_REDUCE_NONE all of them. A loss between tensors takes labels as rows
 * with a one at the label, and BCE_WITH_LOGITS over a single column takes the labels 0 and 1
 * themselves; CROSS_ENTROPY takes a tensor as the probabilities of the classes; NLL takes labels
 * alone. Weights are copied into the graph. Gradients flow to the target too, except
 * CROSS_ENTROPY's.
 *
 * Errors of the graph: SHAPE (not equal, empty, one weight too few), ARGUMENT (a setting outside
 * its range, a label outside 0..classes-1).
 */
AN_API an_tensor *an_loss_apply(an_loss loss, an_graph *graph, an_tensor *output, an_labels target);
AN_API an_tensor *an_loss_between(an_loss loss, an_graph *graph, an_tensor *output,
                                  an_tensor *target);

/*
 * The number of rows of (..., classes) whose first maximum is at the label; rows with a NaN do not
 * count. Records nothing. -1 when there are not n labels or `logits` has not two dimensions.
 */
AN_API int64_t an_count_correct(const an_tensor *logits, an_labels target);

/* ---------------------------------------------------------- own operations */

/*
 * An operation of your own: `forward` fills output->data from the inputs; `backward` reads
 * output->grad and calls an_grad_of(graph, input, &fresh) for each input: the buffer to write to if
 * `fresh`, else to add to; NULL where no gradient is wanted. An input that stands twice among the
 * inputs gets one call for each. `forward` cannot fail: check sizes before an_apply. The square:
 *
 *   static void square(an_tensor *y, an_tensor *const *x, int count, void *user)
 *   {
 *       for (int64_t i = 0; i < y->size; i++)
 *           y->data[i] = x[0]->data[i] * x[0]->data[i];
 *   }
 *   static void square_back(an_graph *g, an_tensor *y, an_tensor *const *x, int count, void *user)
 *   {
 *       bool fresh;
 *       float *dx = an_grad_of(g, x[0], &fresh);
 *       for (int64_t i = 0; dx && i < y->size; i++)
 *           dx[i] = (fresh ? 0 : dx[i]) + y->grad[i] * 2 * x[0]->data[i];
 *   }
 *   static const an_operation square_op = {"square", square, square_back};
 *   an_tensor *y = an_apply(g, &square_op, x->shape, &x, 1, NULL);
 */
typedef struct an_operation {
    const char *name;
    void (*forward)(an_tensor *output, an_tensor *const *inputs, int count, void *user);
    void (*backward)(an_graph *graph, an_tensor *output, an_tensor *const *inputs, int count,
                     void *user);
} an_operation;

/*
 * Applies `operation`, giving a tensor of `shape`. `inputs` is copied; `operation` and `user` must
 * live until the graph's reset. Without a `backward` the result is cut from the graph, like that of
 * an_detach.
 */
AN_API an_tensor *an_apply(an_graph *graph, const an_operation *operation, an_shape shape,
                           an_tensor *const *inputs, int count, void *user);
AN_API float *an_grad_of(an_graph *graph, an_tensor *input, bool *fresh);

#ifdef __cplusplus
}
#endif
#endif
