/* The arguments of layers: defaults, ranges, from text and to text. */
#include "nn/layer.h"

#include <string.h>

an_layer an__layer_defaults(const an_layer_kind *kind)
{
    an_layer layer = {.kind = kind};
    for (size_t i = 0; i < kind->arg_count; i++) {
        layer.arg[i] = kind->args[i].initial;
    }
    return layer;
}

bool an__arg_check(const an_layer *layer, size_t index, char *message, size_t size)
{
    const an_arg *arg = &layer->kind->args[index];
    double value = layer->arg[index];
    if (value >= arg->low && value < arg->below) {
        return true;
    }
    char got[40];
    an_number_print_short(got, sizeof got, value);
    an_format(message, size, "%s: %s must be %s, got %s", layer->kind->name, arg->name, arg->range,
              got);
    return false;
}

/* One argument, NULL where absent. */
static bool read_arg(an_layer *layer, size_t index, const an_spec_source *source,
                     const an_spec_node *value, an_error *err)
{
    const an_arg *arg = &layer->kind->args[index];
    int64_t integer = (int64_t)arg->initial;
    bool flag = arg->initial != 0;
    switch (arg->kind) {
    case AN_ARG_INTEGER:
        if (!an_spec_integer(source, arg->name, value, &integer, err)) {
            return false;
        }
        layer->arg[index] = (double)integer;
        return true;
    case AN_ARG_NUMBER:
        return an_spec_number(source, arg->name, value, &layer->arg[index], err);
    case AN_ARG_FLAG:
    case AN_ARG_IN_PLACE:
        if (!an_spec_bool(source, arg->name, value, &flag, err)) {
            return false;
        }
        layer->arg[index] = flag;
        return true;
    }
    return false;
}

bool an__layer_read(an_layer *layer, const an_spec_source *source, const an_spec_node *call,
                    an_error *err)
{
    const an_layer_kind *kind = layer->kind;
    an_spec_param params[AN_MAX_ARGS];
    const an_spec_node *values[AN_MAX_ARGS];
    for (size_t i = 0; i < kind->arg_count; i++) {
        params[i] = (an_spec_param){.name = kind->args[i].name, .required = kind->args[i].required};
    }
    if (!an_spec_bind(source, call, params, kind->arg_count, values, err)) {
        return false;
    }
    char message[160];
    for (size_t i = 0; i < kind->arg_count; i++) {
        if (!read_arg(layer, i, source, values[i], err)) {
            return false;
        }
        if (values[i] && !an__arg_check(layer, i, message, sizeof message)) {
            return an_spec_error(source, values[i]->offset, err, "%s", message);
        }
    }
    return true;
}

/* "784" or "bias=False"; the text of a layer fits its buffer by the number of arguments. */
static size_t print_arg(const an_layer *layer, size_t index, char *text, size_t size)
{
    const an_arg *arg = &layer->kind->args[index];
    char value[40];
    if (arg->kind == AN_ARG_FLAG) {
        an_format(value, sizeof value, "%s", layer->arg[index] != 0 ? "True" : "False");
    } else {
        an_number_print_short(value, sizeof value, layer->arg[index]);
    }
    return arg->required ? an_format(text, size, "%s", value)
                         : an_format(text, size, "%s=%s", arg->name, value);
}

void an__layer_print(an_layer *layer)
{
    const an_layer_kind *kind = layer->kind;
    const size_t size = sizeof layer->text;
    size_t at = an_format(layer->text, size, "%s(", kind->name);
    const char *separator = "";
    for (size_t i = 0; i < kind->arg_count; i++) {
        const an_arg *arg = &kind->args[i];
        bool same = layer->arg[i] == arg->initial || arg->kind == AN_ARG_IN_PLACE;
        if (same && !arg->required) {
            continue;
        }
        at += an_format(layer->text + at, size - at, "%s", separator);
        at += print_arg(layer, i, layer->text + at, size - at);
        separator = ", ";
    }
    an_format(layer->text + at, size - at, ")");
}
