/* The arguments of layers: defaults, ranges, from text and to text. */
#include "nn/layer.h"

#include <math.h>
#include <string.h>

an_layer an__layer_defaults(const an_layer_kind *kind)
{
    an_layer layer = {.kind = kind};
    for (size_t i = 0; i < kind->arg_count; i++) {
        layer.arg[i].number = kind->args[i].kind == AN_ARG_PAIR ? -1 : kind->args[i].initial;
    }
    return layer;
}

static bool in_range(const an_arg *arg, double value)
{
    return value >= arg->low && value < arg->below;
}

/* A list of sizes has at least one; 0 counts as out of range where -1 is in it. */
static bool sizes_in_range(const an_arg *arg, an_shape list, double *wrong)
{
    for (int i = 0; i < list.ndim; i++) {
        *wrong = (double)list.dim[i];
        if (!in_range(arg, *wrong) || *wrong == 0) {
            return false;
        }
    }
    return list.ndim > 0;
}

/* None is -1 and no value to check. */
static bool pair_in_range(const an_arg *arg, an_shape pair, double *wrong)
{
    for (int i = 0; i < pair.ndim; i++) {
        *wrong = (double)pair.dim[i];
        if (!in_range(arg, *wrong) && !(isnan(arg->initial) && pair.dim[i] == -1)) {
            return false;
        }
    }
    return true;
}

static bool arg_in_range(const an_arg *arg, const an_arg_value *given, double *wrong)
{
    *wrong = given->number;
    switch (arg->kind) {
    case AN_ARG_SIZES:
        return sizes_in_range(arg, given->list, wrong);
    case AN_ARG_PAIR:
        return pair_in_range(arg, given->list, wrong);
    case AN_ARG_OPTIONAL:
        return isnan(given->number) || in_range(arg, given->number);
    default:
        return in_range(arg, given->number);
    }
}

bool an__arg_check(const an_layer *layer, size_t index, char *message, size_t size)
{
    const an_arg *arg = &layer->kind->args[index];
    double value;
    if (arg_in_range(arg, &layer->arg[index], &value)) {
        return true;
    }
    char got[40];
    an_number_print_short(got, sizeof got, value);
    an_format(message, size, "%s: %s must be %s, got %s", layer->kind->name, arg->name, arg->range,
              got);
    return false;
}

/* ----------------------------------------------------------------- reading */

static bool read_sizes(const char *name, an_shape *list, const an_spec_source *source,
                       const an_spec_node *value, an_error *err)
{
    const an_spec_arg alone = {.value = value};
    const bool many = value->kind == AN_SPEC_LIST;
    const an_spec_arg *sizes = many ? value->args : &alone;
    size_t count = many ? value->arg_count : 1;
    if (count == 0 || count >= AN_MAX_DIMS) {
        return an_spec_error(source, value->offset, err, "'%s' must be a list of 1 to %d sizes",
                             name, AN_MAX_DIMS - 1);
    }
    list->ndim = (int)count;
    for (size_t i = 0; i < count; i++) {
        if (!an_spec_integer(source, name, sizes[i].value, &list->dim[i], err)) {
            return false;
        }
    }
    return true;
}

/* One value of a pair; None is -1. A number below 0 is told apart from it by the range. */
static bool read_of_pair(const an_arg *arg, int64_t *out, const an_spec_source *source,
                         const an_spec_node *value, an_error *err)
{
    if (value->kind == AN_SPEC_NONE && isnan(arg->initial)) {
        *out = -1;
        return true;
    }
    if (!an_spec_integer(source, arg->name, value, out, err)) {
        return false;
    }
    return *out >= 0 || an_spec_error(source, value->offset, err, "'%s' must be %s, got %lld",
                                      arg->name, arg->range, (long long)*out);
}

static bool read_pair(const an_arg *arg, an_arg_value *out, const an_spec_source *source,
                      const an_spec_node *value, an_error *err)
{
    for (int i = 0; value->kind == AN_SPEC_STRING && arg->words && arg->words[i]; i++) {
        if (strcmp(arg->words[i], value->text) == 0) {
            out->list.ndim = 0;
            out->number = i;
            return true;
        }
    }
    const bool two = value->kind == AN_SPEC_LIST;
    if (value->kind == AN_SPEC_STRING || (two && value->arg_count != 2)) {
        return an_spec_error(source, value->offset, err, "'%s' must be %s, or a pair of such",
                             arg->name, arg->range);
    }
    out->list.ndim = 2;
    for (int i = 0; i < 2; i++) {
        if (!read_of_pair(arg, &out->list.dim[i], source, two ? value->args[i].value : value,
                          err)) {
            return false;
        }
    }
    return true;
}

static bool read_choice(const an_arg *arg, double *out, const an_spec_source *source,
                        const an_spec_node *value, an_error *err)
{
    for (int i = 0; value->kind == AN_SPEC_STRING && arg->words[i]; i++) {
        if (strcmp(arg->words[i], value->text) == 0) {
            *out = i;
            return true;
        }
    }
    return an_spec_error(source, value->offset, err, "'%s' must be %s", arg->name, arg->range);
}

/* One argument that is there. */
static bool read_arg(an_layer *layer, size_t index, const an_spec_source *source,
                     const an_spec_node *value, an_error *err)
{
    const an_arg *arg = &layer->kind->args[index];
    double *number = &layer->arg[index].number;
    int64_t integer = 0;
    bool flag = false;
    switch (arg->kind) {
    case AN_ARG_INTEGER:
        if (!an_spec_integer(source, arg->name, value, &integer, err)) {
            return false;
        }
        *number = (double)integer;
        return true;
    case AN_ARG_OPTIONAL:
        if (value->kind == AN_SPEC_NONE) {
            *number = NAN;
            return true;
        }
        return an_spec_number(source, arg->name, value, number, err);
    case AN_ARG_NUMBER:
        return an_spec_number(source, arg->name, value, number, err);
    case AN_ARG_CHOICE:
        return read_choice(arg, number, source, value, err);
    case AN_ARG_SIZES:
        return read_sizes(arg->name, &layer->arg[index].list, source, value, err);
    case AN_ARG_PAIR:
        return read_pair(arg, &layer->arg[index], source, value, err);
    case AN_ARG_FLAG:
    case AN_ARG_IN_PLACE:
        if (!an_spec_bool(source, arg->name, value, &flag, err)) {
            return false;
        }
        *number = flag;
        return true;
    }
    return false;
}

/* NaN is None and cannot be written as a number. */
static bool check_arg(an_layer *layer, size_t index, const an_spec_source *source,
                      const an_spec_node *value, an_error *err)
{
    char message[160];
    if (value->kind == AN_SPEC_NUMBER && isnan(value->number)) {
        return an_spec_error(source, value->offset, err, "%s: %s must be %s, got nan",
                             layer->kind->name, layer->kind->args[index].name,
                             layer->kind->args[index].range);
    }
    return an__arg_check(layer, index, message, sizeof message) ||
           an_spec_error(source, value->offset, err, "%s", message);
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
    for (size_t i = 0; i < kind->arg_count; i++) {
        if (values[i] && (!read_arg(layer, i, source, values[i], err) ||
                          !check_arg(layer, i, source, values[i], err))) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- printing */

/* What follows the first `at` characters of a text of `size`; an_format counts beyond the end. */
static size_t put(char *text, size_t size, size_t at, const char *part)
{
    return an_format(at < size ? text + at : NULL, at < size ? size - at : 0, "%s", part);
}

int an__pair(const an_layer *layer, size_t index, int64_t pair[2])
{
    const an_arg *arg = &layer->kind->args[index];
    const an_arg_value *value = &layer->arg[index];
    const bool word = arg->words && value->list.ndim == 0 && value->number >= 0;
    for (int i = 0; i < 2; i++) {
        pair[i] = value->list.ndim == 2 ? value->list.dim[i]
                                        : (isnan(arg->initial) ? -1 : (int64_t)arg->initial);
    }
    return word ? (int)value->number : -1;
}

/* "3", "(3, 2)", "(None, 2)", "'same'" */
static void print_pair(const an_layer *layer, size_t index, char *text, size_t size)
{
    int64_t pair[2];
    char each[2][24];
    const int word = an__pair(layer, index, pair);
    if (word >= 0) {
        an_format(text, size, "'%s'", layer->kind->args[index].words[word]);
        return;
    }
    for (int i = 0; i < 2; i++) {
        an_format(each[i], sizeof each[i], pair[i] == -1 ? "None" : "%lld", (long long)pair[i]);
    }
    an_format(text, size, pair[0] == pair[1] ? "%s" : "(%s, %s)", each[0], each[1]);
}

static bool is_default_pair(const an_layer *layer, size_t index)
{
    const double initial = layer->kind->args[index].initial;
    const int64_t usual = isnan(initial) ? -1 : (int64_t)initial;
    int64_t pair[2];
    return an__pair(layer, index, pair) < 0 && pair[0] == usual && pair[1] == usual;
}

/* "784", "(8, 8)", "'tanh'", "None", "False" */
static void print_value(const an_arg *arg, const an_arg_value *value, char *text, size_t size)
{
    const double number = value->number;
    if (arg->kind == AN_ARG_FLAG || arg->kind == AN_ARG_IN_PLACE) {
        an_format(text, size, "%s", number != 0 ? "True" : "False");
    } else if (arg->kind == AN_ARG_CHOICE) {
        an_format(text, size, "'%s'", arg->words[(int)number]);
    } else if (arg->kind == AN_ARG_OPTIONAL && isnan(number)) {
        an_format(text, size, "None");
    } else if (arg->kind == AN_ARG_SIZES && value->list.ndim > 1) {
        an_shape_print(text, size, value->list);
    } else {
        an_number_print_short(text, size,
                              arg->kind == AN_ARG_SIZES ? (double)value->list.dim[0] : number);
    }
}

/* Whether an argument is the default, which the text leaves out. */
static bool is_default(const an_layer *layer, size_t index)
{
    const an_arg *arg = &layer->kind->args[index];
    const double value = layer->arg[index].number;
    if (arg->kind == AN_ARG_SIZES) {
        return layer->arg[index].list.ndim == 0;
    }
    if (arg->kind == AN_ARG_PAIR) {
        return is_default_pair(layer, index);
    }
    return arg->kind == AN_ARG_IN_PLACE || value == arg->initial ||
           (isnan(value) && isnan(arg->initial));
}

size_t an_layer_signature(const char *name, char *text, size_t size)
{
    const an_layer_kind *kind = an__layer_find(name);
    if (!kind) {
        return put(text, size, 0, "");
    }
    const an_layer layer = an__layer_defaults(kind);
    size_t at = put(text, size, 0, name);
    at += put(text, size, at, kind->holds ? "(layer, ..." : "(");
    for (size_t i = 0; i < kind->arg_count; i++) {
        const an_arg *arg = &kind->args[i];
        char value[160];
        at += put(text, size, at, i > 0 ? ", " : "");
        at += put(text, size, at, arg->name);
        if (arg->required) {
            continue;
        }
        if (arg->kind == AN_ARG_PAIR) {
            print_pair(&layer, i, value, sizeof value);
        } else {
            print_value(arg, &layer.arg[i], value, sizeof value);
        }
        at += put(text, size, at, "=");
        at += put(text, size, at, value);
    }
    return at + put(text, size, at, ")");
}

size_t an__layer_print(const an_layer *layer, char *text, size_t size)
{
    const an_layer_kind *kind = layer->kind;
    size_t at = put(text, size, 0, kind->name);
    at += put(text, size, at, "(");
    const char *separator = "";
    for (size_t i = 0; i < kind->arg_count; i++) {
        const an_arg *arg = &kind->args[i];
        char value[160];
        if (!arg->required && is_default(layer, i)) {
            continue;
        }
        at += put(text, size, at, separator);
        at += arg->required ? 0 : put(text, size, at, arg->name);
        at += arg->required ? 0 : put(text, size, at, "=");
        if (arg->kind == AN_ARG_PAIR) {
            print_pair(layer, i, value, sizeof value);
        } else {
            print_value(arg, &layer->arg[i], value, sizeof value);
        }
        at += put(text, size, at, value);
        separator = ", ";
    }
    for (size_t i = 0; i < layer->count; i++) {
        at += put(text, size, at, i > 0 ? ", " : "");
        at += put(text, size, at, layer->children[i]->text);
    }
    return at + put(text, size, at, ")");
}
