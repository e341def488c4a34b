/* alias.c - calls of other systems to canonical text: binds the arguments, fills the holes. */
#include "lr/alias.h"
#include "lr/expression.h"
#include "lr/text.h"
#include <math.h>
#include <string.h>

#define MAX_ARGUMENTS 24
#define MAX_VARIABLES 26
#define EXPRESSION_SIZE 1024

/* A piece of the row's text. */
typedef struct piece {
    const char *at, *end;
} piece;

/* One parameter and its argument; `value` is NULL where the default counts. */
typedef struct argument {
    piece name, fallback, choices;
    bool required, fixed, ignored, time;
    const an_spec_node *value;
} argument;

typedef struct expander {
    const an_spec_source *source;
    const an_spec_node *call;
    const an_lr_run *run;
    an_arena *arena;
    an_error *err;
    const an_lr_alias *alias;
    argument arguments[MAX_ARGUMENTS];
    size_t count;
    double variables[MAX_VARIABLES];
    const argument *list; /* whose elements {*e} goes through, and the present one */
    const an_spec_node *element;
    char *text;
    size_t used, size;
} expander;

static bool expand(expander *e, piece form);

/* ------------------------------------------------------------------ pieces */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t length_of(piece p)
{
    return (size_t)(p.end - p.at);
}

static bool is(piece p, const char *text)
{
    return length_of(p) == strlen(text) && memcmp(p.at, text, length_of(p)) == 0;
}

static bool same(piece a, piece b)
{
    return length_of(a) == length_of(b) && memcmp(a.at, b.at, length_of(a)) == 0;
}

static piece piece_of(const char *text)
{
    return (piece){text, text + strlen(text)};
}

/* The first `c` that stands in no braces, or the end. */
static const char *find(piece p, char c)
{
    int depth = 0;
    for (; p.at < p.end; p.at++) {
        if (*p.at == c && depth == 0)
            return p.at;
        depth += (*p.at == '{') - (*p.at == '}');
    }
    return p.end;
}

/* ------------------------------------------------------------------ errors */

static bool fail(expander *e, const an_spec_node *at, const char *what, piece detail)
{
    return an_spec_error(e->source, (at ? at : e->call)->offset, e->err, "%s: %s%.*s",
                         e->alias->name, what, (int)length_of(detail), detail.at);
}

/* No detail, nothing to write. */
static const char nowhere[] = "";
static const piece nothing = {nowhere, nowhere};

static bool out_of_memory(expander *e)
{
    return an_error_set(e->err, AN_ERROR_MEMORY, "memory ran out for a schedule");
}

/* ------------------------------------------------------------------ output */

static bool put(expander *e, piece p)
{
    size_t length = length_of(p);
    if (e->used + length + 1 > e->size) {
        size_t size = 2 * (e->used + length + 1);
        char *text = an_arena_alloc(e->arena, size);
        if (!text)
            return out_of_memory(e);
        if (e->used > 0)
            memcpy(text, e->text, e->used);
        e->text = text;
        e->size = size;
    }
    if (length > 0)
        memcpy(e->text + e->used, p.at, length);
    e->used += length;
    e->text[e->used] = '\0';
    return true;
}

static bool put_number(expander *e, double value)
{
    char number[40];
    if (!isfinite(value))
        return fail(e, NULL, "with these arguments a length or a factor is no finite number",
                    nothing);
    an_number_print_short(number, sizeof number, value);
    return put(e, piece_of(number));
}

/* ------------------------------------------------------------ the signature */

/* Takes what is up to one of `stops` off a piece. */
static piece take(piece *from, const char *stops)
{
    piece taken = {from->at, from->at};
    while (taken.end < from->end && !strchr(stops, *taken.end))
        taken.end++;
    from->at = taken.end;
    return taken;
}

static argument read_parameter(piece text)
{
    argument a = {.required = true};
    a.name = take(&text, "=|!~@");
    if (text.at < text.end && *text.at == '=') {
        text.at++;
        a.fallback = take(&text, "|!~@");
        a.required = false;
    }
    a.choices = take(&text, "!~@");
    for (; text.at < text.end; text.at++) {
        a.fixed = a.fixed || *text.at == '!';
        a.ignored = a.ignored || *text.at == '~';
        a.time = a.time || *text.at == '@';
    }
    return a;
}

static void read_signature(expander *e)
{
    piece rest = piece_of(e->alias->signature);
    for (e->count = 0; rest.at < rest.end && e->count < MAX_ARGUMENTS; e->count++) {
        e->arguments[e->count] = read_parameter(take(&rest, ","));
        rest.at += rest.end - rest.at < 2 ? rest.end - rest.at : 2;
    }
}

/* Matches the call to the signature; names are copied, as the signature does not end them. */
static bool bind(expander *e)
{
    an_spec_param params[MAX_ARGUMENTS];
    const an_spec_node *values[MAX_ARGUMENTS];
    for (size_t i = 0; i < e->count; i++) {
        argument *a = &e->arguments[i];
        params[i] =
            (an_spec_param){an_arena_text(e->arena, a->name.at, length_of(a->name)), a->required};
        if (!params[i].name)
            return out_of_memory(e);
    }
    if (!an_spec_bind(e->source, e->call, params, e->count, values, e->err))
        return false;
    for (size_t i = 0; i < e->count; i++)
        e->arguments[i].value = values[i];
    return true;
}

/* ------------------------------------------------------------------- words */

/* Words and None as numbers that nothing else is, so that expressions can compare them. */
static double code_of(piece word)
{
    uint32_t hash = 2166136261u;
    for (; word.at < word.end; word.at++)
        hash = (hash ^ (unsigned char)*word.at) * 16777619u;
    return -(4294967296.0 + hash) - 0.5;
}

static bool is_quoted(piece p)
{
    return p.at < p.end && *p.at == '\'';
}

static piece unquoted(piece p)
{
    return (piece){p.at + 1, p.end - 1};
}

/* Whether the parameter is one of several words. */
static bool has_choices(const argument *a)
{
    return !a->time && (is_quoted(a->fallback) || length_of(a->choices) > 0);
}

static bool is_choice(const argument *a, piece word)
{
    if (is_quoted(a->fallback) && same(unquoted(a->fallback), word))
        return true;
    for (piece rest = a->choices; rest.at < rest.end;) {
        rest.at++;
        if (same(unquoted(take(&rest, "|")), word))
            return true;
    }
    return false;
}

/* Only the parameters' default, or one of their words. */
static bool check(expander *e, const argument *a);

/* ------------------------------------------------------------------ values */

/* The value of a default, as a number. */
static double fallback_of(expander *e, const argument *a)
{
    size_t bad;
    if (is_quoted(a->fallback))
        return code_of(unquoted(a->fallback));
    if (is(a->fallback, "None"))
        return code_of(a->fallback);
    if (is(a->fallback, "True") || is(a->fallback, "False"))
        return is(a->fallback, "True");
    an__lr_expression *number =
        an__lr_expression_parse(a->fallback.at, length_of(a->fallback), "_", e->arena, &bad, NULL);
    return number ? an__lr_expression_value(number, 0) : NAN;
}

static bool node_value(expander *e, const argument *a, const an_spec_node *node, double *out)
{
    int64_t steps;
    switch (node->kind) {
    case AN_SPEC_NUMBER:
        *out = node->number;
        if (node->unit[0] == '\0')
            return true;
        if (!an__lr_read_steps(e->source, e->alias->name, node, e->run, &steps, e->err))
            return false;
        *out = (double)steps;
        return true;
    case AN_SPEC_BOOL:
        *out = node->number;
        return true;
    case AN_SPEC_NONE:
        *out = code_of(piece_of("None"));
        return true;
    case AN_SPEC_STRING:
    case AN_SPEC_NAME:
        *out = code_of(piece_of(node->text));
        return has_choices(a) || a->time || fail(e, node, "not a number: ", piece_of(node->text));
    case AN_SPEC_LIST:
    case AN_SPEC_CALL:
    case AN_SPEC_LAMBDA:
        break;
    }
    return fail(e, node, "this must be a number: ", a->name);
}

static bool value_of(expander *e, const argument *a, double *out)
{
    const an_spec_node *node = a == e->list ? e->element : a->value;
    if (node)
        return node_value(e, a, node, out);
    *out = fallback_of(e, a);
    return true;
}

static bool check(expander *e, const argument *a)
{
    double value;
    const an_spec_node *node = a->value;
    if (!node || a->ignored)
        return true;
    bool word = node->kind == AN_SPEC_STRING || node->kind == AN_SPEC_NAME;
    if (has_choices(a) && (word || node->kind != AN_SPEC_NONE || !is(a->fallback, "None")) &&
        !(word && is_choice(a, piece_of(node->text)))) {
        piece choices = {a->fallback.at ? a->fallback.at : a->choices.at + 1, a->choices.end};
        return fail(e, node, "this can only be ", choices);
    }
    if (!a->fixed)
        return true;
    if (!node_value(e, a, node, &value))
        return false;
    return value == fallback_of(e, a) || fail(e, node, "this can only be ", a->fallback);
}

/* ------------------------------------------------------------- expressions */

static const argument *argument_of(const expander *e, piece name)
{
    for (size_t i = 0; i < e->count; i++)
        if (same(e->arguments[i].name, name))
            return &e->arguments[i];
    return NULL;
}

/* The value of a name of the form's; false where it is a word of the expression's own. */
static bool name_value(expander *e, piece name, double *out, bool *failed)
{
    const argument *a = argument_of(e, name);
    if (a) {
        *failed = !value_of(e, a, out);
        return !*failed;
    }
    if (length_of(name) == 1 && *name.at >= 'A' && *name.at <= 'Z')
        *out = e->variables[*name.at - 'A'];
    else if (is(name, "None"))
        *out = code_of(name);
    else if (is(name, "run_steps"))
        *out = e->run && e->run->total_steps > 0
                   ? (double)e->run->total_steps
                   : (e->run ? (double)(e->run->epochs * e->run->steps_per_epoch) : 0);
    else
        return false;
    return true;
}

/* The next word, number, word in quotes or sign of an expression. */
static piece token(piece *rest)
{
    piece t = {rest->at, rest->at + 1};
    if (*t.at == '\'') {
        t.end = t.at + 1;
        while (t.end < rest->end && *t.end != '\'')
            t.end++;
        t.end++;
    } else if (is_letter(*t.at) || is_digit(*t.at)) {
        while (t.end < rest->end && (is_letter(*t.end) || is_digit(*t.end) || *t.end == '.' ||
                                     (is_digit(*t.at) && *t.end == '-' && t.end[-1] == 'e')))
            t.end++;
    }
    rest->at = t.end;
    return t;
}

/* The expression with numbers in place of the form's names. */
static bool substitute(expander *e, piece expression, char *plain)
{
    size_t used = 0;
    while (expression.at < expression.end) {
        piece t = token(&expression);
        double value;
        bool failed = false, known = is_quoted(t);
        if (known)
            value = code_of(unquoted(t));
        else if (is_letter(*t.at))
            known = name_value(e, t, &value, &failed);
        if (failed)
            return false;
        size_t room = EXPRESSION_SIZE - used;
        used += known ? an_format(plain + used, room, "(%.17g)", value)
                      : an_format(plain + used, room, "%.*s", (int)length_of(t), t.at);
        if (used >= EXPRESSION_SIZE)
            return fail(e, NULL, "the arguments are too long", nothing);
    }
    return true;
}

static bool evaluate(expander *e, piece expression, double *out)
{
    char plain[EXPRESSION_SIZE];
    size_t bad;
    if (!substitute(e, expression, plain))
        return false;
    an__lr_expression *code =
        an__lr_expression_parse(plain, strlen(plain), "_", e->arena, &bad, e->err);
    if (!code)
        return false;
    *out = an__lr_expression_value(code, 0);
    return true;
}

/* ------------------------------------------------------------------- holes */

/* '10ep' and the like, as Composer writes times, as a length. */
static bool put_time(expander *e, const an_spec_node *at, piece text)
{
    static const char *const units[][2] = {{"ep", "ep"},   {"ba", "st"}, {"iter", "st"},
                                           {"tok", "tok"}, {"sp", "sa"}, {"sec", "s"},
                                           {"dur", "run"}};
    piece unit = text;
    while (unit.at < unit.end &&
           (is_digit(*unit.at) || strchr("._", *unit.at) ||
            (*unit.at == 'e' && unit.at + 1 < unit.end && is_digit(unit.at[1]))))
        unit.at++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (unit.at > text.at && is(unit, units[i][0]))
            return put(e, (piece){text.at, unit.at}) && put(e, piece_of(units[i][1]));
    return fail(e, at, "a time is written '10ep', '500ba', '1e6tok', '100sp' or '0.5dur', not ",
                text);
}

/* A parameter alone: as it was written, or its default. */
static bool put_argument(expander *e, const argument *a)
{
    const an_spec_node *node = a == e->list ? e->element : a->value;
    double value;
    if (!node && a->time)
        return put_time(e, NULL, unquoted(a->fallback));
    if (node && a->time && node->kind == AN_SPEC_STRING)
        return put_time(e, node, piece_of(node->text));
    if (node && (node->kind == AN_SPEC_LIST || node->kind == AN_SPEC_CALL ||
                 (node->kind == AN_SPEC_NUMBER && node->unit[0] != '\0'))) {
        const char *text = e->source->text + node->offset;
        return put(e, (piece){text, text + node->length});
    }
    return value_of(e, a, &value) && put_number(e, value);
}

static bool put_expression(expander *e, piece expression)
{
    double value;
    const argument *a = argument_of(e, expression);
    if (a)
        return put_argument(e, a);
    return evaluate(e, expression, &value) && put_number(e, value);
}

/* Goes through the list that the expression begins with. */
static bool put_list(expander *e, piece expression, bool products)
{
    piece rest = expression;
    const argument *a = argument_of(e, take(&rest, " +-*/"));
    const an_spec_node *list = a ? a->value : NULL;
    double product = 1, value;
    size_t count = !list ? 0 : list->kind == AN_SPEC_LIST ? list->arg_count : 1;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        e->list = a;
        e->element = list->kind == AN_SPEC_LIST ? list->args[i].value : list;
        if (i > 0)
            good = put(e, piece_of(", "));
        if (good && products)
            good = value_of(e, a, &value) && put_number(e, product *= value);
        else if (good)
            good = put_expression(e, expression);
    }
    e->list = NULL;
    return good;
}

static bool choose(expander *e, piece hole)
{
    piece condition = {hole.at, find(hole, '|')};
    piece yes = {condition.end + 1, hole.end};
    yes.end = find(yes, '|');
    piece no = {yes.end + 1, hole.end};
    double value;
    return evaluate(e, condition, &value) && expand(e, value != 0 ? yes : no);
}

static bool fill(expander *e, piece hole)
{
    char sort = *hole.at;
    piece rest = {hole.at + 1, hole.end};
    if (sort == '?')
        return choose(e, rest);
    if (sort == '*' || sort == '%')
        return put_list(e, rest, sort == '%');
    if (sort == '!')
        return fail(e, NULL, "", rest);
    if (sort == '=')
        return evaluate(e, (piece){rest.at + 2, rest.end}, &e->variables[*rest.at - 'A']);
    return put_expression(e, hole);
}

static bool expand(expander *e, piece form)
{
    while (form.at < form.end) {
        piece plain = {form.at, form.at};
        while (plain.end < form.end && *plain.end != '{')
            plain.end++;
        if (!put(e, plain) || plain.end == form.end)
            return plain.end == form.end && put(e, nothing);
        piece hole = {plain.end + 1, form.end};
        hole.end = find(hole, '}');
        if (!fill(e, hole))
            return false;
        form.at = hole.end + 1;
    }
    return true;
}

/* -------------------------------------------------------- which row it is */

/* Whether the call is written with the system's name before it: keras.ExponentialDecay. */
static bool names_system(const an_spec_source *source, const an_spec_node *call, const char *system)
{
    piece rest = {source->text + call->offset, source->text + call->offset + call->length};
    while (rest.at < rest.end) {
        piece part = take(&rest, ".( \t\r\n");
        if (rest.at == rest.end || *rest.at != '.')
            return false;
        if (is(part, system))
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

bool an__lr_is_alias(const char *name)
{
    size_t count;
    rows_of(name, &count);
    return count > 0;
}

/* The row that the call names, or the only one that there is. */
static const an_lr_alias *row_of(expander *e)
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
    expander e = {.source = source, .call = call, .run = run, .arena = arena, .err = err};
    e.alias = row_of(&e);
    if (!e.alias)
        return NULL;
    read_signature(&e);
    if (!bind(&e))
        return NULL;
    for (size_t i = 0; i < e.count; i++)
        if (!check(&e, &e.arguments[i]))
            return NULL;
    return expand(&e, piece_of(e.alias->form)) ? e.text : NULL;
}
