/* alias_fill.c - fills the holes of a form from a call's arguments. */
#include "lr/alias_call.h"
#include "lr/expression.h"
#include "lr/node.h"
#include "lr/text.h"
#include <math.h>

#define EXPRESSION_SIZE 1024

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ------------------------------------------------------------------ output */

static bool put(an__alias_call *e, an__piece p)
{
    size_t length = an__piece_length(p);
    if (e->used + length + 1 > e->size) {
        size_t size = 2 * (e->used + length + 1);
        char *text = an_arena_alloc(e->arena, size);
        if (!text)
            return an__alias_out_of_memory(e);
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

static bool put_number(an__alias_call *e, double value)
{
    char number[40];
    if (!isfinite(value))
        return an__alias_fail(e, NULL,
                              "with these arguments a length or a factor is no finite number",
                              an__piece_of(""));
    an_number_print_short(number, sizeof number, value);
    return put(e, an__piece_of(number));
}

/* ------------------------------------------------------------------ values */

/* Words and None as numbers that nothing else is, so that expressions can compare them. */
static double code_of(an__piece word)
{
    uint32_t hash = 2166136261u;
    for (; word.at < word.end; word.at++)
        hash = (hash ^ (unsigned char)*word.at) * 16777619u;
    return -(4294967296.0 + hash) - 0.5;
}

bool an__alias_fallback(an__alias_call *e, const an__alias_argument *a, double *out)
{
    size_t bad;
    if (an__piece_is_quoted(a->fallback)) {
        *out = code_of(an__piece_unquoted(a->fallback));
        return true;
    }
    if (an__piece_is(a->fallback, "None")) {
        *out = code_of(a->fallback);
        return true;
    }
    an__lr_expression *number = an__lr_expression_parse(
        a->fallback.at, an__piece_length(a->fallback), "_", e->arena, &bad, e->err);
    if (number)
        *out = an__lr_expression_value(number, 0);
    return number != NULL;
}

bool an__alias_node_value(an__alias_call *e, const an__alias_argument *a, const an_spec_node *node,
                          double *out)
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
        *out = code_of(an__piece_of("None"));
        return true;
    case AN_SPEC_STRING:
    case AN_SPEC_NAME:
        *out = code_of(an__piece_of(node->text));
        return an__alias_has_choices(a) || a->time ||
               an__alias_fail(e, node, "not a number: ", an__piece_of(node->text));
    case AN_SPEC_LIST:
    case AN_SPEC_CALL:
    case AN_SPEC_LAMBDA:
        break;
    }
    return an__alias_fail(e, node, "this must be a number: ", a->name);
}

static bool value_of(an__alias_call *e, const an__alias_argument *a, double *out)
{
    const an_spec_node *node = a == e->list ? e->element : a->value;
    return node ? an__alias_node_value(e, a, node, out) : an__alias_fallback(e, a, out);
}

/* ------------------------------------------------------------- expressions */

static const an__alias_argument *argument_of(const an__alias_call *e, an__piece name)
{
    for (size_t i = 0; i < e->count; i++)
        if (an__piece_same(e->arguments[i].name, name))
            return &e->arguments[i];
    return NULL;
}

/* The value of a name of the form's; false where it is a word of the expression's own. */
static bool name_value(an__alias_call *e, an__piece name, double *out, bool *failed)
{
    const an__alias_argument *a = argument_of(e, name);
    if (a) {
        *failed = !value_of(e, a, out);
        return !*failed;
    }
    if (an__piece_length(name) == 1 && *name.at >= 'A' && *name.at <= 'Z')
        *out = e->variables[*name.at - 'A'];
    else if (an__piece_is(name, "None"))
        *out = code_of(name);
    else if (an__piece_is(name, "run_steps"))
        *out = e->run ? an__lr_steps_of(e->run, AN_RUNS) : 0;
    else
        return false;
    return true;
}

/* The next word, number, word in quotes or sign of an expression. */
static an__piece token(an__piece *rest)
{
    an__piece t = {rest->at, rest->at + 1};
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
static bool substitute(an__alias_call *e, an__piece expression, char *plain)
{
    size_t used = 0;
    while (expression.at < expression.end) {
        an__piece t = token(&expression);
        double value;
        bool failed = false, known = an__piece_is_quoted(t);
        if (known)
            value = code_of(an__piece_unquoted(t));
        else if (is_letter(*t.at))
            known = name_value(e, t, &value, &failed);
        if (failed)
            return false;
        size_t room = EXPRESSION_SIZE - used;
        used += known ? an_format(plain + used, room, "(%.17g)", value)
                      : an_format(plain + used, room, "%.*s", (int)an__piece_length(t), t.at);
        if (used >= EXPRESSION_SIZE)
            return an__alias_fail(e, NULL, "the arguments are too long", an__piece_of(""));
    }
    return true;
}

static bool evaluate(an__alias_call *e, an__piece expression, double *out)
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
static bool put_time(an__alias_call *e, const an_spec_node *at, an__piece text)
{
    static const char *const units[][2] = {{"ep", "ep"},   {"ba", "st"}, {"iter", "st"},
                                           {"tok", "tok"}, {"sp", "sa"}, {"sec", "s"},
                                           {"dur", "run"}};
    an__piece unit = text;
    while (unit.at < unit.end &&
           (is_digit(*unit.at) || strchr("._", *unit.at) ||
            (*unit.at == 'e' && unit.at + 1 < unit.end && is_digit(unit.at[1]))))
        unit.at++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (unit.at > text.at && an__piece_is(unit, units[i][0]))
            return put(e, (an__piece){text.at, unit.at}) && put(e, an__piece_of(units[i][1]));
    return an__alias_fail(
        e, at, "a time is written '10ep', '500ba', '1e6tok', '100sp' or '0.5dur', not ", text);
}

/* A parameter alone: as it was written, or its default. */
static bool put_argument(an__alias_call *e, const an__alias_argument *a)
{
    const an_spec_node *node = a == e->list ? e->element : a->value;
    double value;
    if (!node && a->time)
        return put_time(e, NULL, an__piece_unquoted(a->fallback));
    if (node && a->time && node->kind == AN_SPEC_STRING)
        return put_time(e, node, an__piece_of(node->text));
    if (node && (node->kind == AN_SPEC_LIST || node->kind == AN_SPEC_CALL ||
                 (node->kind == AN_SPEC_NUMBER && node->unit[0] != '\0'))) {
        const char *text = e->source->text + node->offset;
        return put(e, (an__piece){text, text + node->length});
    }
    return value_of(e, a, &value) && put_number(e, value);
}

static bool put_expression(an__alias_call *e, an__piece expression)
{
    double value;
    const an__alias_argument *a = argument_of(e, expression);
    if (a)
        return put_argument(e, a);
    return evaluate(e, expression, &value) && put_number(e, value);
}

/* The next product or sum, at an element of the list. */
static bool put_next(an__alias_call *e, char sort, double *so_far)
{
    double value;
    if (!value_of(e, e->list, &value))
        return false;
    *so_far = sort == '%' ? *so_far * value : *so_far + value;
    return put_number(e, *so_far);
}

/* The element of a list at a place, or of what is no list, which has one. */
static const an_spec_node *element_of(const an_spec_node *list, size_t place)
{
    return list->kind == AN_SPEC_LIST ? list->args[place].value : list;
}

static size_t length_of(const an_spec_node *list)
{
    return list->kind == AN_SPEC_LIST ? list->arg_count : 1;
}

/* Goes through the list that the expression begins with; `sort` is the hole's sign. */
static bool put_list(an__alias_call *e, an__piece expression, char sort)
{
    an__piece rest = expression;
    const an__alias_argument *a = argument_of(e, an__piece_take(&rest, " +-*/"));
    const an_spec_node *list = a ? a->value : NULL;
    double so_far = sort == '%' ? 1 : 0;
    size_t count = list ? length_of(list) : 0;
    count -= sort == '<' && count > 0;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        e->list = a;
        e->element = element_of(list, i);
        if (i > 0)
            good = put(e, an__piece_of(", "));
        if (good)
            good = sort == '*' ? put_expression(e, expression) : put_next(e, sort, &so_far);
    }
    e->list = NULL;
    return good;
}

/* One half of each pair in a list: "0 name" or "1 name". */
static bool put_halves(an__alias_call *e, an__piece hole)
{
    const an__alias_argument *a = argument_of(e, (an__piece){hole.at + 2, hole.end});
    const an_spec_node *list = a ? a->value : NULL;
    bool good = list && list->kind == AN_SPEC_LIST;
    for (size_t i = 0; good && i < list->arg_count; i++) {
        const an_spec_node *pair = list->args[i].value;
        good = pair->kind == AN_SPEC_LIST && pair->arg_count == 2;
        if (!good)
            break;
        e->list = a;
        e->element = pair->args[*hole.at - '0'].value;
        if ((i > 0 && !put(e, an__piece_of(", "))) || !put_argument(e, a))
            return false;
    }
    e->list = NULL;
    return good || an__alias_fail(e, list, "this must be a list of pairs, such as [(10, 0.5)]",
                                  an__piece_of(""));
}

/* A form for each element of a list, and of another one beside it: "AB list other|form". */
static bool repeat(an__alias_call *e, an__piece hole)
{
    double *first = &e->variables[hole.at[0] - 'A'], *second = &e->variables[hole.at[1] - 'A'];
    an__piece form = {an__piece_find(hole, '|') + 1, hole.end};
    an__piece names = {hole.at + 3, form.at - 1};
    const an__alias_argument *a = argument_of(e, an__piece_take(&names, " "));
    names.at++;
    const an__alias_argument *b = argument_of(e, names);
    if (!a || !a->value || !b || length_of(a->value) == 0)
        return an__alias_fail(e, NULL, "this has no elements: ", a ? a->name : names);
    const bool paired = b->value && b->value->kind != AN_SPEC_NONE;
    if (paired && length_of(b->value) != length_of(a->value))
        return an__alias_fail(e, b->value, "this must have as many elements as ", a->name);
    *second = 1;
    for (size_t i = 0; i < length_of(a->value); i++)
        if ((i > 0 && !put(e, an__piece_of(", "))) ||
            !an__alias_node_value(e, a, element_of(a->value, i), first) ||
            (paired && !an__alias_node_value(e, b, element_of(b->value, i), second)) ||
            !an__alias_expand(e, form))
            return false;
    return true;
}

static bool choose(an__alias_call *e, an__piece hole)
{
    an__piece condition = {hole.at, an__piece_find(hole, '|')};
    an__piece yes = {condition.end + 1, hole.end};
    yes.end = an__piece_find(yes, '|');
    an__piece no = {yes.end + 1, hole.end};
    double value;
    return evaluate(e, condition, &value) && an__alias_expand(e, value != 0 ? yes : no);
}

static bool fill(an__alias_call *e, an__piece hole)
{
    char sort = *hole.at;
    an__piece rest = {hole.at + 1, hole.end};
    if (sort == '?')
        return choose(e, rest);
    if (strchr("*%+<", sort))
        return put_list(e, rest, sort);
    if (sort == '#')
        return put_halves(e, rest);
    if (sort == '@')
        return repeat(e, rest);
    if (sort == '!')
        return an__alias_fail(e, NULL, "", rest);
    if (sort == '=')
        return evaluate(e, (an__piece){rest.at + 2, rest.end}, &e->variables[*rest.at - 'A']);
    return put_expression(e, hole);
}

bool an__alias_expand(an__alias_call *e, an__piece form)
{
    while (form.at < form.end) {
        an__piece plain = {form.at, form.at};
        while (plain.end < form.end && *plain.end != '{')
            plain.end++;
        if (!put(e, plain))
            return false;
        if (plain.end == form.end)
            return true;
        an__piece hole = {plain.end + 1, form.end};
        hole.end = an__piece_find(hole, '}');
        if (!fill(e, hole))
            return false;
        form.at = hole.end + 1;
    }
    return true;
}
