/* alias.c - calls of other systems: which row it is, and whether the arguments fit its signature.
 */
#include "lr/alias_call.h"

/* ------------------------------------------------------------------ errors */

bool an__alias_fail(an__alias_call *e, const an_spec_node *at, const char *what, an__piece detail)
{
    return an_spec_error(e->source, (at ? at : e->call)->offset, e->err, "%s: %s%.*s",
                         e->alias->name, what, (int)an__piece_length(detail), detail.at);
}

bool an__alias_out_of_memory(an__alias_call *e)
{
    return an_error_set(e->err, AN_ERROR_MEMORY, "memory ran out for a schedule");
}

/* ------------------------------------------------------------ the signature */

static an__alias_argument read_parameter(an__piece text)
{
    an__alias_argument a = {.required = true};
    a.name = an__piece_take(&text, "=|!~@");
    if (text.at < text.end && *text.at == '=') {
        text.at++;
        a.fallback = an__piece_take(&text, "|!~@");
        a.required = false;
    }
    a.choices = an__piece_take(&text, "!~@");
    for (; text.at < text.end; text.at++) {
        a.fixed = a.fixed || *text.at == '!';
        a.ignored = a.ignored || *text.at == '~';
        a.time = a.time || *text.at == '@';
    }
    return a;
}

static void read_signature(an__alias_call *e)
{
    an__piece rest = an__piece_of(e->alias->signature);
    for (e->count = 0; rest.at < rest.end && e->count < AN__ALIAS_ARGUMENTS; e->count++) {
        e->arguments[e->count] = read_parameter(an__piece_take(&rest, ","));
        rest.at += rest.end - rest.at < 2 ? rest.end - rest.at : 2;
    }
}

/* Matches the call to the signature; names are copied, as the signature does not end them. */
static bool bind(an__alias_call *e)
{
    an_spec_param params[AN__ALIAS_ARGUMENTS];
    const an_spec_node *values[AN__ALIAS_ARGUMENTS];
    for (size_t i = 0; i < e->count; i++) {
        an__alias_argument *a = &e->arguments[i];
        params[i] = (an_spec_param){an_arena_text(e->arena, a->name.at, an__piece_length(a->name)),
                                    a->required};
        if (!params[i].name)
            return an__alias_out_of_memory(e);
    }
    if (!an_spec_bind(e->source, e->call, params, e->count, values, e->err))
        return false;
    for (size_t i = 0; i < e->count; i++)
        e->arguments[i].value = values[i];
    return true;
}

static bool is_choice(const an__alias_argument *a, an__piece word)
{
    if (an__piece_is_quoted(a->fallback) && an__piece_same(an__piece_unquoted(a->fallback), word))
        return true;
    for (an__piece rest = a->choices; rest.at < rest.end;) {
        rest.at++;
        if (an__piece_same(an__piece_unquoted(an__piece_take(&rest, "|")), word))
            return true;
    }
    return false;
}

/* Only the parameter's default, or one of its words. */
static bool check(an__alias_call *e, const an__alias_argument *a)
{
    double value, fallback;
    const an_spec_node *node = a->value;
    if (!node || a->ignored)
        return true;
    bool word = node->kind == AN_SPEC_STRING || node->kind == AN_SPEC_NAME;
    if (an__alias_has_choices(a) &&
        (word || node->kind != AN_SPEC_NONE || !an__piece_is(a->fallback, "None")) &&
        !(word && is_choice(a, an__piece_of(node->text)))) {
        an__piece choices = {a->fallback.at ? a->fallback.at : a->choices.at + 1, a->choices.end};
        return an__alias_fail(e, node, "this can only be ", choices);
    }
    if (!a->fixed)
        return true;
    if (!an__alias_node_value(e, a, node, &value) || !an__alias_fallback(e, a, &fallback))
        return false;
    return value == fallback || an__alias_fail(e, node, "this can only be ", a->fallback);
}

/* -------------------------------------------------------- which row it is */

/* Whether the call is written with the system's name before it: keras.ExponentialDecay. */
static bool names_system(const an_spec_source *source, const an_spec_node *call, const char *system)
{
    an__piece rest = {source->text + call->offset, source->text + call->offset + call->length};
    while (rest.at < rest.end) {
        an__piece part = an__piece_take(&rest, ".( \t\r\n");
        if (rest.at == rest.end || *rest.at != '.')
            return false;
        if (an__piece_is(part, system))
            return true;
        rest.at++;
    }
    return false;
}

/* The rows of that name: the first of them, and how many. */
static const an_lr_alias *rows_of(const char *name, size_t *count)
{
    size_t all, first = 0;
    const an_lr_alias *rows = an_lr_aliases(&all);
    while (first < all && strcmp(rows[first].name, name) != 0)
        first++;
    *count = 0;
    while (first + *count < all && strcmp(rows[first + *count].name, name) == 0)
        ++*count;
    return rows + first;
}

bool an__lr_is_alias(const an_spec_source *source, const an_spec_node *call, bool named)
{
    size_t count;
    const an_lr_alias *rows = rows_of(call->text, &count);
    for (size_t i = 0; i < count; i++)
        if (!named || names_system(source, call, rows[i].system))
            return true;
    return false;
}

/* The row that the call names, or the only one that there is. */
static const an_lr_alias *row_of(an__alias_call *e)
{
    size_t count;
    const char *name = e->call->text;
    const an_lr_alias *rows = rows_of(name, &count);
    for (size_t i = 0; i < count; i++)
        if (names_system(e->source, e->call, rows[i].system))
            return &rows[i];
    if (count == 1)
        return rows;
    an_spec_error(e->source, e->call->offset, e->err,
                  "%s is a schedule of %s and of %s; write %s.%s", name, rows[0].system,
                  rows[1].system, rows[0].system, name);
    return NULL;
}

const char *an__lr_alias_text(const an_spec_source *source, const an_spec_node *call,
                              const an_lr_run *run, an_arena *arena, an_error *err)
{
    an__alias_call e = {.source = source, .call = call, .run = run, .arena = arena, .err = err};
    e.alias = row_of(&e);
    if (!e.alias)
        return NULL;
    read_signature(&e);
    if (!bind(&e))
        return NULL;
    for (size_t i = 0; i < e.count; i++)
        if (!check(&e, &e.arguments[i]))
            return NULL;
    return an__alias_expand(&e, an__piece_of(e.alias->form)) ? e.text : NULL;
}
