/*
 * Layers that hold layers. Each is a sequence; the model itself is one too.
 *
 * Sequential is PyTorch's. Residual adds its input to what its layers give (He, Zhang, Ren, Sun:
 * Deep Residual Learning for Image Recognition; CVPR 2016). In PyTorch it would be
 *
 *   class Residual(nn.Sequential):
 *       def forward(self, x):
 *           return x + super().forward(x)
 *
 * and so are the names of its parameters.
 */
#include "autograd/graph.h"
#include "nn/layer.h"

bool an__sequence_shape(const an_layer *sequence, an_shape in, an_shape *out, an_error *err)
{
    *out = in;
    for (size_t i = 0; i < sequence->count; i++) {
        const an_layer *layer = sequence->children[i];
        const an_shape before = *out;
        an_error error = {0};
        bool fits = !layer->kind->shape || layer->kind->shape(layer, before, out, &error);
        if (fits && an_shape_size(*out) < 0) {
            fits = an_error_set(&error, AN_ERROR_SHAPE, "gives more than 2^60 values");
        }
        if (!fits) {
            an__layer_blame(layer, &error);
            if (err) {
                *err = error;
            }
            return false;
        }
    }
    return true;
}

/* The activation that can be fused into layer `i`: that of the layer behind it. */
static an_activation next_activation(const an_layer *sequence, size_t i)
{
    return i + 1 < sequence->count ? sequence->children[i + 1]->kind->activation : AN_IDENTITY;
}

an_tensor *an__sequence_forward(const an_layer *sequence, an_model *model, an_graph *graph,
                                an_tensor *x)
{
    for (size_t i = 0; i < sequence->count; i++) {
        const an_layer *layer = sequence->children[i];
        const an_layer_kind *kind = layer->kind;
        const bool failed = graph->error.code != AN_ERROR_OK;
        if (kind->forward_fused) {
            an_activation next = next_activation(sequence, i);
            x = kind->forward_fused(layer, model, graph, x, next);
            i += next != AN_IDENTITY;
        } else {
            x = kind->forward(layer, model, graph, x);
        }
        if (!failed && graph->error.code != AN_ERROR_OK) {
            an__layer_blame(layer, &graph->error);
        }
    }
    return x;
}

const an_layer_kind an__layer_Sequential = {
    .name = "Sequential",
    .holds = true,
    .shape = an__sequence_shape,
    .forward = an__sequence_forward,
};

static bool residual_shape(const an_layer *layer, an_shape in, an_shape *out, an_error *err)
{
    if (!an__sequence_shape(layer, in, out, err)) {
        return false;
    }
    return an_shape_equal(in, *out) ||
           an_error_set(err, AN_ERROR_SHAPE,
                        "adds its input %s to what its layers make of it, %s; the two must be "
                        "equal",
                        an__batch_text(in).text, an__batch_text(*out).text);
}

static an_tensor *residual_forward(const an_layer *layer, an_model *model, an_graph *graph,
                                   an_tensor *x)
{
    return an_add(graph, x, an__sequence_forward(layer, model, graph, x));
}

const an_layer_kind an__layer_Residual = {
    .name = "Residual",
    .holds = true,
    .shape = residual_shape,
    .forward = residual_forward,
};
