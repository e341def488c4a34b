/* Layers from text: "Linear(784, 128)", "nn.ReLU()". */
#include <string.h>

#include "nn/layer.h"
#include "nn/name.h"

static bool read_layer(const an_spec_source *source, const an_spec_node *call, an_layer *layer,
                       an_error *err)
{
    if (!an__name_call(source, call, "layer", "ReLU()", err)) {
        return false;
    }
    const an_layer_kind *kind = an__layer_find(call->text);
    if (!kind) {
        return an__name_unknown(source, call, "layer", an_layer_names(), err);
    }
    *layer = an__layer_defaults(kind);
    return an__layer_read(layer, source, call, err);
}

bool an_model_add_spec(an_model *model, const an_spec_source *source, const an_spec_node *call,
                       an_error *err)
{
    an_error error = {0};
    an_layer layer;
    if (read_layer(source, call, &layer, &error)) {
        return an__model_append(model, &layer, err);
    }
    if (err) {
        *err = error;
    }
    return an__model_fail(model, &error);
}

bool an_model_add(an_model *model, const char *text, an_error *err)
{
    an_error error = {0};
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, an_context_allocator(model->context), &error);
    if (!spec) {
        if (err) {
            *err = error;
        }
        return an__model_fail(model, &error);
    }
    bool added = an_model_add_spec(model, an_spec_where(spec), an_spec_root(spec), err);
    an_spec_free(spec);
    return added;
}
