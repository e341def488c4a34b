/* Layers without parameters: activations, Softmax, LogSoftmax, Dropout, Dropout2d. */
#include "nn/layer.h"

static an_tensor *relu_forward(const an_layer *layer, an_model *model, an_graph *graph,
                               an_tensor *x)
{
    (void)layer, (void)model;
    return an_relu(graph, x);
}

static an_tensor *tanh_forward(const an_layer *layer, an_model *model, an_graph *graph,
                               an_tensor *x)
{
    (void)layer, (void)model;
    return an_tanh(graph, x);
}

static an_tensor *sigmoid_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    (void)layer, (void)model;
    return an_sigmoid(graph, x);
}

const an_layer_kind an__layer_ReLU = {
    .name = "ReLU",
    .args = {AN_IN_PLACE},
    .arg_count = 1,
    .forward = relu_forward,
    .activation = AN_RELU,
};

const an_layer_kind an__layer_Tanh = {
    .name = "Tanh",
    .forward = tanh_forward,
    .activation = AN_TANH,
};

const an_layer_kind an__layer_Sigmoid = {
    .name = "Sigmoid",
    .forward = sigmoid_forward,
    .activation = AN_SIGMOID,
};

#define ANY_NUMBER -1e300, 1e300, "a number"

static an_tensor *gelu_forward(const an_layer *layer, an_model *model, an_graph *graph,
                               an_tensor *x)
{
    (void)model;
    return layer->arg[0].number != 0 ? an_gelu_tanh(graph, x) : an_gelu(graph, x);
}

static const char *const gelu_words[] = {"none", "tanh", NULL};

const an_layer_kind an__layer_GELU = {
    .name = "GELU",
    .args = {{"approximate", AN_ARG_CHOICE, false, 0, 0, 2, "'none' or 'tanh'", gelu_words}},
    .arg_count = 1,
    .forward = gelu_forward,
};

static an_tensor *silu_forward(const an_layer *layer, an_model *model, an_graph *graph,
                               an_tensor *x)
{
    (void)layer, (void)model;
    return an_silu(graph, x);
}

const an_layer_kind an__layer_SiLU = {
    .name = "SiLU",
    .args = {AN_IN_PLACE},
    .arg_count = 1,
    .forward = silu_forward,
};

static an_tensor *leaky_relu_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                     an_tensor *x)
{
    (void)model;
    return an_leaky_relu(graph, x, layer->arg[0].number);
}

const an_layer_kind an__layer_LeakyReLU = {
    .name = "LeakyReLU",
    .args = {{"negative_slope", AN_ARG_NUMBER, false, 0.01, ANY_NUMBER, NULL}, AN_IN_PLACE},
    .arg_count = 2,
    .forward = leaky_relu_forward,
};

static an_tensor *elu_forward(const an_layer *layer, an_model *model, an_graph *graph, an_tensor *x)
{
    (void)model;
    return an_elu(graph, x, layer->arg[0].number);
}

const an_layer_kind an__layer_ELU = {
    .name = "ELU",
    .args = {{"alpha", AN_ARG_NUMBER, false, 1, ANY_NUMBER, NULL}, AN_IN_PLACE},
    .arg_count = 2,
    .forward = elu_forward,
};

static an_tensor *softplus_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                   an_tensor *x)
{
    (void)model;
    return an_softplus(graph, x, layer->arg[0].number, layer->arg[1].number);
}

const an_layer_kind an__layer_Softplus = {
    .name = "Softplus",
    .args = {{"beta", AN_ARG_NUMBER, false, 1, 1e-30, 1e30, "above 0", NULL},
             {"threshold", AN_ARG_NUMBER, false, 20, ANY_NUMBER, NULL}},
    .arg_count = 2,
    .forward = softplus_forward,
};

/* -------------------------------------------------- Softmax and LogSoftmax */

/* PyTorch guesses where dim is absent, and warns; here it must be said. */
static bool softmax_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const int dim = an__layer_dim(layer, 0, in);
    *out = in;
    return (dim >= 1 && dim < in.ndim) ||
           an_error_set(err, AN_ERROR_SHAPE,
                        "works along dimension %d, but gets %s; the batch is dimension 0", dim,
                        an__batch_text(in).text);
}

static an_tensor *softmax_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    (void)model;
    return an_softmax_dim(graph, x, (int)layer->arg[0].number);
}

const an_layer_kind an__layer_Softmax = {
    .name = "Softmax",
    .args = {{"dim", AN_ARG_INTEGER, true, 0, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5", NULL}},
    .arg_count = 1,
    .shape = softmax_shape,
    .forward = softmax_forward,
};

static bool log_softmax_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    const int dim = an__layer_dim(layer, 0, in);
    *out = in;
    return (dim >= 1 && dim == in.ndim - 1) ||
           an_error_set(err, AN_ERROR_SHAPE,
                        "works along the last dimension of samples, dim=-1, not along dimension %d "
                        "of %s",
                        dim, an__batch_text(in).text);
}

static an_tensor *log_softmax_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                      an_tensor *x)
{
    (void)layer;
    (void)model;
    return an_log_softmax(graph, x);
}

/* What NLLLoss and KLDivLoss take; CrossEntropyLoss after logits is the same in one pass. */
const an_layer_kind an__layer_LogSoftmax = {
    .name = "LogSoftmax",
    .args = {{"dim", AN_ARG_INTEGER, true, 0, -AN_MAX_DIMS, AN_MAX_DIMS, "-6 to 5", NULL}},
    .arg_count = 1,
    .shape = log_softmax_shape,
    .forward = log_softmax_forward,
};

/* ----------------------------------------------------------------- Dropout */

enum { DROPOUT_P };

static an_tensor *dropout_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    double p = layer->arg[DROPOUT_P].number;
    return model->training && p > 0 ? an_dropout(graph, x, p, &model->rng) : x;
}

const an_layer_kind an__layer_Dropout = {
    .name = "Dropout",
    .args = {{"p", AN_ARG_NUMBER, false, 0.5, 0, AN_UNIT_BELOW, AN_UNIT_TEXT, NULL}, AN_IN_PLACE},
    .arg_count = 2,
    .forward = dropout_forward,
};

/* Whole channels are dropped: of (batch, channels, ...) each with all of its values. */
static bool channels_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    (void)layer;
    *out = in;
    return in.ndim >= 2 ||
           an_error_set(err, AN_ERROR_SHAPE, "takes (batch, channels, ...) but gets %s",
                        an__batch_text(in).text);
}

static an_tensor *dropout_2d_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                     an_tensor *x)
{
    double p = layer->arg[DROPOUT_P].number;
    return model->training && p > 0 ? an_dropout_channels(graph, x, p, &model->rng) : x;
}

const an_layer_kind an__layer_Dropout2d = {
    .name = "Dropout2d",
    .args = {{"p", AN_ARG_NUMBER, false, 0.5, 0, AN_UNIT_BELOW, AN_UNIT_TEXT, NULL}, AN_IN_PLACE},
    .arg_count = 2,
    .shape = channels_shape,
    .forward = dropout_2d_forward,
};
