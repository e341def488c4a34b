/* Layers from text: "Linear(784, 128)", "nn.ReLU()". */
#include <string.h>

#include "nn/layer.h"
#include "nn/name.h"

static bool add_call(an_model *model, const an_spec_source *source, const an_spec_node *call,
                     an_error *err);

/* The layers that a container's call lists. */
static bool add_held(an_model *model, const an_layer_kind *kind, const an_spec_source *source,
                     const an_spec_node *call, an_error *err)
{
    if (!an__model_open(model, kind, err)) {
        return false;
    }
    for (size_t i = 0; i < call->arg_count; i++) {
        const an_spec_arg *arg = &call->args[i];
        if (arg->keyword) {
            return an_spec_error(
                source, arg->keyword_offset, err,
                "%s takes layers alone, as in %s(Linear(8, 8), ReLU()), not '%.40s'", kind->name,
                kind->name, arg->keyword);
        }
        if (!add_call(model, source, arg->value, err)) {
            return false;
        }
    }
    return an__model_close(model, err);
}

/* A layer's call; a list in its place is a Sequential. */
static bool add_call(an_model *model, const an_spec_source *source, const an_spec_node *call,
                     an_error *err)
{
    if (call->kind == AN_SPEC_LIST) {
        return add_held(model, &an__layer_Sequential, source, call, err);
    }
    if (!an__name_call(source, call, "layer", "ReLU()", err)) {
        return false;
    }
    const an_layer_kind *kind = an__layer_find(call->text);
    if (!kind) {
        return an_spec_unknown(source, call, "layer", an_layer_names(), err);
    }
    if (kind->holds) {
        return add_held(model, kind, source, call, err);
    }
    an_layer layer = an__layer_defaults(kind);
    return an__layer_read(&layer, source, call, err) && an__model_append(model, &layer, err);
}

bool an_model_add_spec(an_model *model, const an_spec_source *source, const an_spec_node *call,
                       an_error *err)
{
    an_error error = {0};
    if (add_call(model, source, call, &error)) {
        return true;
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
