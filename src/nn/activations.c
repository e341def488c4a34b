/* Layers without parameters that work value by value: activations and Dropout. */
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
    .args = {{"inplace", AN_ARG_IN_PLACE, false, 0, 0, 2, "True or False", NULL}},
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

/* ----------------------------------------------------------------- Dropout */

enum { DROPOUT_P };

static an_tensor *dropout_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                  an_tensor *x)
{
    double p = layer->arg[DROPOUT_P].number;
    return model->training && p > 0 ? an_dropout(graph, x, p, an_model_rng(model)) : x;
}

const an_layer_kind an__layer_Dropout = {
    .name = "Dropout",
    .args = {{"p", AN_ARG_NUMBER, false, 0.5, 0, 1, "at least 0 and below 1", NULL},
             {"inplace", AN_ARG_IN_PLACE, false, 0, 0, 2, "True or False", NULL}},
    .arg_count = 2,
    .forward = dropout_forward,
};
