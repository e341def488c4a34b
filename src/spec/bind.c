/* A call's arguments to a signature, and typed values out of them. */
#include <anneal/spec.h>

#include <string.h>

/* More parameters than any signature has; only "did you mean" would overlook those after them. */
#define NAMES_MAX 64

/* The parameter's place in the signature; `count` if it has none of that name. */
static size_t find(const an_spec_param *params, size_t count, const char *name)
{
    size_t at = 0;
    while (at < count && strcmp(params[at].name, name) != 0)
        at++;
    return at;
}

/* The first parameters' names, at most NAMES_MAX; returns how many. */
static size_t names_of(const an_spec_param *params, size_t count, const char **names)
{
    const size_t known = count < NAMES_MAX ? count : NAMES_MAX;
    for (size_t i = 0; i < known; i++)
        names[i] = params[i].name;
    return known;
}

static bool unknown_name(const an_spec_source *source, const an_spec_node *call,
                         const an_spec_arg *arg, const an_spec_param *params, size_t count,
                         an_error *err)
{
    const char *names[NAMES_MAX] = {NULL}, *keyword = arg->keyword;
    const size_t known = names_of(params, count, names);
    const char *nearest = an_nearest(keyword, strlen(keyword), names, known);
    if (nearest)
        return an_spec_error(source, arg->keyword_offset, err,
                             "%s has no parameter '%.40s'; did you mean '%s'?", call->text, keyword,
                             nearest);
    char list[256] = "none";
    if (count > 0)
        an_names_print(list, sizeof list, names, known, ", ");
    return an_spec_error(source, arg->keyword_offset, err, "%s has no parameter '%.40s'; it has %s",
                         call->text, keyword, list);
}

static bool surplus(const an_spec_source *source, const an_spec_node *call, size_t offset,
                    const an_spec_param *params, size_t count, an_error *err)
{
    if (count == 0)
        return an_spec_error(source, offset, err, "%s takes no arguments", call->text);
    const char *names[NAMES_MAX] = {NULL};
    char list[256];
    an_names_print(list, sizeof list, names, names_of(params, count, names), ", ");
    return an_spec_error(source, offset, err, "%s takes at most %zu argument%s: %s", call->text,
                         count, count > 1 ? "s" : "", list);
}

static bool not_a_call(const an_spec_source *source, const an_spec_node *node, an_error *err)
{
    if (node->kind == AN_SPEC_NAME)
        return an_spec_error(source, node->offset, err, "'%.40s' must be called: write %.40s()",
                             node->text, node->text);
    return an_spec_error(source, node->offset, err, "expected a call, Name(argument, name=value)");
}

bool an_spec_bind(const an_spec_source *source, const an_spec_node *call,
                  const an_spec_param *params, size_t param_count, const an_spec_node **values,
                  an_error *err)
{
    if (call->kind != AN_SPEC_CALL)
        return not_a_call(source, call, err);
    for (size_t i = 0; i < param_count; i++)
        values[i] = NULL;
    for (size_t i = 0; i < call->arg_count; i++) {
        const an_spec_arg *arg = &call->args[i];
        size_t offset = arg->keyword ? arg->keyword_offset : arg->value->offset;
        size_t at = arg->keyword ? find(params, param_count, arg->keyword) : i;
        if (at >= param_count)
            return arg->keyword ? unknown_name(source, call, arg, params, param_count, err)
                                : surplus(source, call, offset, params, param_count, err);
        if (values[at])
            return an_spec_error(source, offset, err, "%s is given '%s' twice", call->text,
                                 params[at].name);
        values[at] = arg->value;
    }
    for (size_t i = 0; i < param_count; i++)
        if (params[i].required && !values[i])
            return an_spec_error(source, call->offset, err, "%s needs '%s'", call->text,
                                 params[i].name);
    return true;
}

/* "'lr' must be KIND, not VALUE", at the value, which is shown as written. */
static bool wrong_kind(const an_spec_source *source, const char *name, const an_spec_node *value,
                       const char *kind, an_error *err)
{
    size_t length = 0;
    while (length < value->length && length < 40 && source->text[value->offset + length] != '\n')
        length++;
    return an_spec_error(source, value->offset, err, "'%s' must be %s, not %.*s", name, kind,
                         (int)length, source->text + value->offset);
}

bool an_spec_number(const an_spec_source *source, const char *name, const an_spec_node *value,
                    double *out, an_error *err)
{
    if (!value)
        return true;
    if (value->kind != AN_SPEC_NUMBER)
        return wrong_kind(source, name, value, "a number", err);
    if (value->unit[0] != '\0')
        return wrong_kind(source, name, value, "a number without a unit", err);
    *out = value->number;
    return true;
}

bool an_spec_integer(const an_spec_source *source, const char *name, const an_spec_node *value,
                     int64_t *out, an_error *err)
{
    const double exact = 9007199254740992.0; /* 2^53: up to here every integer is a double */
    if (!value)
        return true;
    if (value->kind != AN_SPEC_NUMBER)
        return wrong_kind(source, name, value, "a whole number", err);
    if (value->unit[0] != '\0')
        return wrong_kind(source, name, value, "a whole number without a unit", err);
    double number = value->number;
    if (!(number >= -exact && number <= exact))
        return wrong_kind(source, name, value, "a whole number of at most 2^53", err);
    if ((double)(int64_t)number != number)
        return wrong_kind(source, name, value, "a whole number", err);
    *out = (int64_t)number;
    return true;
}

bool an_spec_bool(const an_spec_source *source, const char *name, const an_spec_node *value,
                  bool *out, an_error *err)
{
    if (!value)
        return true;
    if (value->kind != AN_SPEC_BOOL)
        return wrong_kind(source, name, value, "True or False", err);
    *out = value->number != 0.0;
    return true;
}
