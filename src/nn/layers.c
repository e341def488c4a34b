/* The table of layers, with what their kinds share. */
#include "nn/layer.h"

#include <string.h>

#include "autograd/graph.h"

an_batch_text an__batch_text(an_shape shape)
{
    an_batch_text out;
    size_t at = an_format(out.text, sizeof out.text, "(batch");
    for (int i = 1; i < shape.ndim && at < sizeof out.text; i++) {
        at += an_format(out.text + at, sizeof out.text - at, ", %lld", (long long)shape.dim[i]);
    }
    if (at < sizeof out.text) {
        an_format(out.text + at, sizeof out.text - at, ")");
    }
    return out;
}

bool an__takes_sequence(an_shape in, int64_t width, an_error *err)
{
    return (in.ndim == 3 && in.dim[2] == width) ||
           an_error_set(err, AN_ERROR_SHAPE, "takes (batch, time, %lld) but gets %s",
                        (long long)width, an__batch_text(in).text);
}

bool an__layer_blame(const an_layer *layer, an_error *err)
{
    /* A container's layers have named themselves. */
    if (!err || (layer->kind->holds && strncmp(err->message, "layer ", 6) == 0)) {
        return false;
    }
    an_error_prefix(err, "layer %s, %s: ", layer->name,
                    layer->kind->holds ? layer->kind->name : layer->text);
    return false;
}

an_tensor *an__layer_poison(an_graph *graph, const an_error *err)
{
    an_error *failure = an__failure(graph);
    if (failure) {
        *failure = *err;
    }
    return &graph->poison;
}

#define LAYER_ADDRESS(name) &an__layer_##name,
#define LAYER_NAME(name) #name,

static const an_layer_kind *const kinds[] = {AN_LAYER_MAP(LAYER_ADDRESS)};
static const char *const names[] = {AN_LAYER_MAP(LAYER_NAME) NULL};

const an_layer_kind *an__layer_find(const char *name)
{
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

const char *const *an_layer_names(void)
{
    return names;
}

bool an_layer_holds(const char *name)
{
    const an_layer_kind *kind = an__layer_find(name);
    return kind && kind->holds;
}
