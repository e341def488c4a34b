/*
 * anneal/nn.h - layers and models.
 *
 * Intended usage
 *
 *   an_model *model = an_model_new(context, &err);
 *   an_model_flatten(model);      the same as an_model_add(model, "Flatten()", &err)
 *   an_model_linear(model, 784, 128, true);
 *   an_model_relu(model);
 *   an_model_linear(model, 128, 10, true);
 *   if (!an_model_build(model, an_shape_3(1, 28, 28), seed, &err)) ...
 *
 *   an_tensor *logits = an_forward(model, graph, batch.x);
 *
 * The calls between new and build return nothing to check: the model keeps the first error and
 * an_model_build delivers it. A model is a sequence of layers, some of which may hold layers
 * (an_model_begin); an_model_param declares further parameters of your own, for graphs that are
 * written out in C.
 */
#ifndef ANNEAL_NN_H
#define ANNEAL_NN_H

#include <anneal/autograd.h>
#include <anneal/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct an_model an_model;

AN_API an_model *an_model_new(an_context *context, an_error *err);
AN_API void an_model_free(an_model *model);

/* ------------------------------------------------------------ describing it */

/* Linear: x W^T + b; weight and bias start uniform in +-1/sqrt(in) (PyTorch's default). */
AN_API void an_model_linear(an_model *model, int64_t in, int64_t out, bool bias);
AN_API void an_model_relu(an_model *model);
AN_API void an_model_tanh(an_model *model);
AN_API void an_model_sigmoid(an_model *model);
/* Joins all dimensions after the first, which is the batch. */
AN_API void an_model_flatten(an_model *model);
/* Zeroes values with probability p while training; nothing in evaluation. 0 <= p <= 1. */
AN_API void an_model_dropout(an_model *model, double p);

/*
 * Layers of images (channels, height, width), with square kernels; other settings (dilation,
 * groups, kernels that are not square, no bias) are written as text. Conv2d and ConvTranspose2d
 * start their weights and biases uniform in +-1/sqrt(n), n being the values of one weight[0]
 * (PyTorch's default); the strides of pools are their kernels.
 */
AN_API void an_model_conv2d(an_model *model, int64_t in, int64_t out, int64_t kernel,
                            int64_t stride, int64_t padding);
AN_API void an_model_conv_transpose2d(an_model *model, int64_t in, int64_t out, int64_t kernel,
                                      int64_t stride, int64_t padding);
AN_API void an_model_max_pool2d(an_model *model, int64_t kernel);
AN_API void an_model_avg_pool2d(an_model *model, int64_t kernel);
AN_API void an_model_adaptive_avg_pool2d(an_model *model, int64_t height, int64_t width);

/*
 * Layers that hold layers: what is added between begin and end goes into the container `name`,
 * "Sequential" or "Residual". They nest.
 */
AN_API void an_model_begin(an_model *model, const char *name);
AN_API void an_model_end(an_model *model);

/*
 * A layer as text, with PyTorch's names and defaults:
 *
 *   Linear(in_features, out_features, bias=True)
 *   Embedding(num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0,
 *             scale_grad_by_freq=False): takes ids as whole floats
 *   ReLU()    Tanh()    Sigmoid()    SiLU()    GELU(approximate='none')
 *   LeakyReLU(negative_slope=0.01)    ELU(alpha=1.0)    Softplus(beta=1.0, threshold=20.0)
 *   Softmax(dim)    LogSoftmax(dim): along the last dimension
 *   Flatten(start_dim=1, end_dim=-1)    Unflatten(dim, unflattened_size)
 *   Dropout(p=0.5)    Dropout2d(p=0.5): whole channels
 *   BatchNorm1d(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
 *   BatchNorm2d(...): likewise; momentum=None takes the mean over all batches
 *   LayerNorm(normalized_shape, eps=1e-05, elementwise_affine=True, bias=True)
 *   RMSNorm(normalized_shape, eps=None, elementwise_affine=True)
 *   GroupNorm(num_groups, num_channels, eps=1e-05, affine=True)
 *   MultiheadAttention(embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False,
 *     add_zero_attn=False, kdim=None, vdim=None, causal=False): of a sequence (batch, time,
 *     embed_dim) on itself; other keys and values, and masks, are an_multihead_attention's
 *   PositionalEmbedding(num_positions, embedding_dim, std=0.02): adds a learned vector to each
 *     position (no layer of PyTorch's; an Embedding of the positions there)
 *   LSTM(input_size, hidden_size, num_layers=1, bias=True, dropout=0.0, bidirectional=False,
 *        proj_size=0)
 *   GRU(...): likewise, without proj_size; both give the hidden states of all steps
 *   Select(dim, index): torch.select; Select(1, -1) is the last step of a sequence
 *   Conv2d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1,
 *          bias=True, padding_mode='zeros'); padding may be 'same' or 'valid', its mode also
 *          'reflect', 'replicate' or 'circular'
 *   ConvTranspose2d(in_channels, out_channels, kernel_size, stride=1, padding=0,
 *                   output_padding=0, groups=1, bias=True, dilation=1)
 *   MaxPool2d(kernel_size, stride=None, padding=0, dilation=1, return_indices=False,
 *             ceil_mode=False)
 *   AvgPool2d(kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True,
 *             divisor_override=None)
 *   AdaptiveAvgPool2d(output_size); sizes may be None, the image's
 *   Sequential(layer, ...), or a list of layers
 *   Residual(layer, ...): a Sequential that adds its input to its output
 *
 * The first dimension is the batch: batch_first=True is understood, False refused. Errors (CONFIG)
 * name the nearest layer or parameter; an_model_build delivers the first again.
 */
AN_API bool an_model_add(an_model *model, const char *text, an_error *err);
/* The same from a parsed call, for errors that point into a file. */
AN_API bool an_model_add_spec(an_model *model, const an_spec_source *source,
                              const an_spec_node *call, an_error *err);

/*
 * A parameter of your own, uniform in +-bound at build (bound 0: zeros). Its values exist after
 * an_model_build; use it in the graph yourself. NULL after an error, which an_model_build delivers.
 */
AN_API an_tensor *an_model_param(an_model *model, const char *name, an_shape shape, double bound);

/*
 * Checks that the shapes fit, layer by layer, for inputs of `sample` shape (without the batch
 * dimension), lays the parameters out and initialises them from `seed`. Each parameter has random
 * numbers of its own, so a layer more changes nothing in the others. Parameters are called as in
 * PyTorch's Sequential: "1.weight" is the weight of the second layer, "3.0.weight" that of the
 * first layer in the fourth, which holds some.
 *
 * The first error of the description arrives here. Errors (SHAPE) name the layer as its parameters
 * are, from 0, and both shapes: "layer 2, Linear(120, 10): takes (batch, ..., 120) but gets (batch,
 * 64, 128)" speaks of the layer of "2.weight", "layer 3.0" of that of "3.0.weight".
 */
AN_API bool an_model_build(an_model *model, an_shape sample, uint64_t seed, an_error *err);

/* ----------------------------------------------------------------- using it */

/*
 * Applies the layers to x (batch, sample...). Linear and Conv2d followed by an activation run
 * fused. A model that is not built, or shapes that do not fit, are errors of the graph.
 */
AN_API an_tensor *an_forward(an_model *model, an_graph *graph, an_tensor *x);
/* Training (the default) or evaluation mode: Dropout acts in the first only, and a batch norm takes
 * the batch's statistics there, else its running ones. Returns what it was. */
AN_API bool an_model_set_training(an_model *model, bool training);
/* Gives all Dropout and Dropout2d layers the probability p, 0 <= p <= 1, from here on. */
AN_API void an_model_set_dropout(an_model *model, double p);
/* Whether there is a batch norm with running statistics. */
AN_API bool an_model_has_statistics(const an_model *model);
/*
 * With true, all running statistics begin anew and, until it is called with false, are the mean
 * over all batches whatever the momentum. For weights that were not trained but computed, such as
 * an average: go through the training data once in training mode, as PyTorch's swa_utils.update_bn.
 */
AN_API void an_model_gather_statistics(an_model *model, bool gather);
AN_API an_params *an_model_params(const an_model *model);
AN_API size_t an_model_layer_count(const an_model *model);
/* Layer `index` as canonical text, "Linear(784, 128)"; owned by the model. */
AN_API const char *an_model_layer_text(const an_model *model, size_t index);
/* The shape after the last layer, without the batch dimension. Valid after build. */
AN_API an_shape an_model_output_shape(const an_model *model);
/* The generator that Dropout draws from, started by an_model_build; save and restore it to repeat a
 * run. */
AN_API an_rng *an_model_rng(an_model *model);

/* The names of all layers, for help and documentation; NULL-terminated. */
AN_API const char *const *an_layer_names(void);
/*
 * How a layer is called, with its defaults: "Linear(in_features, out_features, bias=True)", into
 * `text` of `size` bytes, cut off at its end. Returns the whole length; 0 for an unknown name.
 */
AN_API size_t an_layer_signature(const char *name, char *text, size_t size);
/* Whether a layer of this name holds layers (Sequential, Residual). */
AN_API bool an_layer_holds(const char *name);

/* ------------------------------------------------------------------- losses */

/*
 * A loss as text, with PyTorch's names, order of parameters and defaults; `reduction` is 'mean',
 * 'sum' or 'none':
 *
 *   CrossEntropyLoss(weight=None, ignore_index=-100, reduction='mean', label_smoothing=0.0)
 *   NLLLoss(weight=None, ignore_index=-100, reduction='mean')
 *   MSELoss(reduction='mean')    L1Loss(reduction='mean')
 *   SmoothL1Loss(reduction='mean', beta=1.0)    HuberLoss(reduction='mean', delta=1.0)
 *   BCEWithLogitsLoss(weight=None, reduction='mean', pos_weight=None)
 *   KLDivLoss(reduction='mean', log_target=False)    its reduction may be 'batchmean'
 *
 * Weights are lists, [0.5, 2]; they are put into `arena`. Errors (CONFIG) point at the place.
 */
AN_API bool an_loss_parse(const an_spec_source *source, const an_spec_node *call, an_arena *arena,
                          an_loss *loss, an_error *err);
/* How a loss is called, as an_layer_signature tells it of a layer. */
AN_API size_t an_loss_signature(an_loss_kind kind, char *text, size_t size);
/* "CrossEntropyLoss" */
AN_API const char *an_loss_name(an_loss loss);

/* -------------------------------------------------------------- weight files */

/*
 * Writes all parameters and buffers as safetensors (https://github.com/huggingface/safetensors; the
 * format is drawn in src/nn/safetensors.c), with PyTorch's names and shapes. Goes to a temporary
 * file in the same folder, which is synced and renamed: a crash or an error leaves the old file or
 * the new one.
 * A symbolic link stays and its target is replaced; an old file's permissions are kept; what is no
 * regular file (a device, a pipe) is refused.
 * Errors: IO, STATE (not built), ARGUMENT (a name that the format does not allow), MEMORY.
 */
AN_API bool an_params_save(const an_params *params, const char *path, an_error *err);

/*
 * Reads what an_params_save or the Python library of that name wrote. The file must hold exactly
 * the parameters and buffers, each with its name, its shape and dtype F32 (a counter I64);
 * otherwise, and when it is damaged, nothing changes. Errors: IO, DATA (no such file format, or
 * damaged), STATE (another model's weights, naming the parameter; not built), MEMORY.
 */
AN_API bool an_params_load(an_params *params, const char *path, an_error *err);

/*
 * Whether a file could be written to `path` now, found out by writing and removing a temporary one:
 * worth asking before a long training. False with err (IO), as an_params_save would give it.
 */
AN_API bool an_params_can_save(const char *path, an_error *err);

#ifdef __cplusplus
}
#endif
#endif
