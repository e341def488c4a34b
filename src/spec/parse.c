/* Recursive descent: one function for each rule of the grammar in anneal/spec.h. */
#include "spec/scan.h"

#include <string.h>

struct an_spec {
    an_allocator allocator;
    an_spec_source source;
    an_arena arena;
    const an_spec_node *root;
};

/* The arguments read so far, before they become an array. */
typedef struct item {
    an_spec_arg arg;
    struct item *next;
} item;

typedef struct parser {
    an_scanner scanner;
    int depth;
} parser;

static bool parse_value(parser *p, an_spec_node *node);

static bool fail_at(parser *p, size_t offset, const char *sentence)
{
    return an_spec_error(p->scanner.source, offset, p->scanner.err, "%s", sentence);
}

static an_spec_node *new_node(parser *p)
{
    an_spec_node *node = an__scan_alloc(&p->scanner, sizeof *node);
    if (node)
        *node = (an_spec_node){.kind = AN_SPEC_NONE};
    return node;
}

/* ------------------------------------------------------------------ lambda */

/* The bracket that closes `open`; 0 for what is no opening bracket. */
static char closing(char open)
{
    switch (open) {
    case '(':
        return ')';
    case '[':
        return ']';
    case '{':
        return '}';
    default:
        return '\0';
    }
}

/* Skips a string inside of an expression. */
static bool skip_string(parser *p)
{
    an_scanner *in = &p->scanner;
    size_t begin = in->at;
    char quote = an__scan_peek(in, 0);
    for (in->at++; an__scan_peek(in, 0) != quote; in->at++) {
        if (an__scan_peek(in, 0) == '\\')
            in->at++;
        if (an__scan_peek(in, 0) == '\0')
            return fail_at(p, begin, "this string has no closing quote");
    }
    in->at++;
    return true;
}

/* Moves to the comma or bracket that ends the expression: the first one outside of its brackets. */
static bool skip_expression(parser *p)
{
    an_scanner *in = &p->scanner;
    char expected[AN_SPEC_MAX_DEPTH];
    int open = 0;
    while (in->at < in->source->length) {
        char c = an__scan_peek(in, 0);
        if (open == 0 && (c == ',' || c == ')' || c == ']' || c == '}'))
            return true;
        if (c == '\0')
            return an__scan_unexpected(in, "an expression");
        if (closing(c) != '\0') {
            if (open == AN_SPEC_MAX_DEPTH)
                return an_spec_error(in->source, in->at, in->err,
                                     "brackets are nested more than %d deep", AN_SPEC_MAX_DEPTH);
            expected[open++] = closing(c);
        } else if (c == ')' || c == ']' || c == '}') {
            if (expected[--open] != c)
                return fail_at(p, in->at, "this bracket closes none that is open");
        }
        if (c != '"' && c != '\'')
            in->at++;
        else if (!skip_string(p))
            return false;
    }
    if (open > 0)
        return fail_at(p, in->at, "the text ends inside of brackets of this expression");
    return true;
}

/* The word `lambda` has been read. */
static bool parse_lambda(parser *p, an_spec_node *node)
{
    an_scanner *in = &p->scanner;
    an__scan_blanks(in);
    an_span param = an__scan_word(in);
    if (param.length == 0)
        return an__scan_unexpected(in, "the name of the lambda's argument");
    if (!an__scan_char(in, ':'))
        return an__scan_unexpected(in, "':' (a lambda takes one argument here)");
    an__scan_blanks(in);
    an_span expression = {in->source->text + in->at, in->at, 0};
    if (!skip_expression(p))
        return false;
    while (in->at > expression.offset && strchr(" \t\r\n", in->source->text[in->at - 1]))
        in->at--;
    expression.length = in->at - expression.offset;
    if (expression.length == 0)
        return an__scan_unexpected(in, "an expression after 'lambda'");
    node->kind = AN_SPEC_LAMBDA;
    node->param = an__scan_keep(in, param);
    node->text = an__scan_keep(in, expression);
    return node->param && node->text;
}

/* --------------------------------------------------------------- arguments */

/* Reads the keyword and its '=', if they stand here. */
static an_span parse_keyword(parser *p)
{
    an_scanner ahead = p->scanner;
    an_span keyword = an__scan_word(&ahead);
    if (keyword.length > 0 && an__scan_char(&ahead, '=') && an__scan_peek(&ahead, 0) != '=') {
        p->scanner.at = ahead.at;
        return keyword;
    }
    keyword.length = 0;
    return keyword;
}

static bool parse_argument(parser *p, bool keywords, an_spec_arg *arg)
{
    an_scanner *in = &p->scanner;
    an__scan_blanks(in);
    an_span keyword = keywords ? parse_keyword(p) : (an_span){0};
    if (keyword.length > 0) {
        arg->keyword = an__scan_keep(in, keyword);
        arg->keyword_offset = keyword.offset;
        if (!arg->keyword)
            return false;
    }
    an_spec_node *value = new_node(p);
    arg->value = value;
    return value && parse_value(p, value);
}

/*
 * True for what PyTorch wants first and Anneal knows by itself: a name that begins with `opt`,
 * `params`, `NAME.parameters()`; also by keyword, `optimizer=NAME` and `params=NAME.parameters()`.
 */
static bool is_implied(const an_spec_arg *arg, bool first)
{
    const an_spec_node *value = arg->value;
    bool name = value->kind == AN_SPEC_NAME;
    bool parameters = value->kind == AN_SPEC_CALL && value->arg_count == 0 &&
                      strcmp(value->text, "parameters") == 0;
    if (arg->keyword && strcmp(arg->keyword, "optimizer") == 0)
        return name;
    if (arg->keyword)
        return parameters && strcmp(arg->keyword, "params") == 0;
    bool known =
        name && (strncmp(value->text, "opt", 3) == 0 || strcmp(value->text, "params") == 0);
    return first && (known || parameters);
}

/* `model.fc.parameters()` is a part of the model: to take it for the whole would train too much. */
static bool names_a_part(const parser *p, const an_spec_node *value)
{
    if (value->kind != AN_SPEC_CALL)
        return false;
    const char *text = p->scanner.source->text + value->offset;
    size_t length = value->length, dots = 0;
    if (length > 5 && memcmp(text, "self.", 5) == 0) {
        text += 5;
        length -= 5;
    }
    for (size_t i = 0; i < length; i++)
        dots += text[i] == '.';
    return dots > 1;
}

static bool finish_arguments(parser *p, an_spec_node *node, const item *items, size_t count)
{
    an_spec_arg *args = an__scan_alloc(&p->scanner, count * sizeof *args);
    if (!args)
        return false;
    node->args = args;
    node->arg_count = count;
    for (; items; items = items->next)
        *args++ = items->arg;
    return true;
}

static bool unclosed(parser *p, size_t open, char close)
{
    an_scanner *in = &p->scanner;
    if (an__scan_blanks(in) == '\0' && in->at == in->source->length)
        return an_spec_error(in->source, open, in->err, "this '%c' is never closed by '%c'",
                             in->source->text[open], close);
    return an__scan_unexpected(in, close == ')' ? "',' or ')'" : "',' or ']'");
}

/* The arguments of a call, or a list's values, while they are read. */
typedef struct item_list {
    item *first, **tail;
    size_t count;
    bool keyword_seen;
} item_list;

/* Reads one more argument of `node`, and keeps it unless it is implied. */
static bool read_item(parser *p, const an_spec_node *node, item_list *list, bool first)
{
    const bool call = node->kind == AN_SPEC_CALL, drops = call && strcmp(node->text, "dict") != 0;
    item *next = an__scan_alloc(&p->scanner, sizeof *next);
    if (!next)
        return false;
    *next = (item){.next = NULL};
    if (!parse_argument(p, call, &next->arg))
        return false;
    const an_spec_node *value = next->arg.value;
    if (list->keyword_seen && !next->arg.keyword)
        return fail_at(p, value->offset,
                       "arguments without a name must stand before those with one");
    list->keyword_seen = next->arg.keyword != NULL;
    if (drops && is_implied(&next->arg, first))
        return !names_a_part(p, value) ||
               fail_at(p, value->offset,
                       "a part of the model cannot be named like this; write a parameter "
                       "group: [dict(params=\"fc.*\")]");
    *list->tail = next;
    list->tail = &next->next;
    list->count++;
    return true;
}

/*
 * Reads `value, value, ... close`; the opening bracket at `open` has been read. For a call,
 * arguments may have keywords, and implied ones are dropped. `*comma` says whether a comma was
 * seen.
 */
static bool parse_arguments(parser *p, an_spec_node *node, size_t open, char close, bool *comma)
{
    an_scanner *in = &p->scanner;
    item_list list = {.first = NULL};
    list.tail = &list.first;
    if (p->depth == AN_SPEC_MAX_DEPTH)
        return an_spec_error(in->source, open, in->err, "brackets are nested more than %d deep",
                             AN_SPEC_MAX_DEPTH);
    p->depth++;
    for (bool first = true; !an__scan_char(in, close); first = false) {
        if (in->at == in->source->length)
            return unclosed(p, open, close);
        if (!read_item(p, node, &list, first))
            return false;
        if (an__scan_char(in, ','))
            *comma = true;
        else if (an__scan_blanks(in) != close)
            return unclosed(p, open, close);
    }
    p->depth--;
    return finish_arguments(p, node, list.first, list.count);
}

/* ------------------------------------------------------------------ values */

/* A list, a tuple, or a value in parentheses, which is just that value. */
static bool parse_list(parser *p, an_spec_node *node, char close)
{
    size_t open = p->scanner.at++;
    bool comma = false;
    node->kind = AN_SPEC_LIST;
    if (!parse_arguments(p, node, open, close, &comma))
        return false;
    if (close == ')' && node->arg_count == 1 && !comma)
        *node = *node->args[0].value;
    return true;
}

static bool parse_call(parser *p, an_spec_node *node)
{
    size_t open = p->scanner.at++;
    bool comma = false;
    node->kind = AN_SPEC_CALL;
    return parse_arguments(p, node, open, ')', &comma);
}

/* Words of other notations for what Python writes as None, True, False. */
static const char *python_word(an_span word)
{
    static const struct {
        const char *other, *python;
    } words[] = {{"true", "True"}, {"TRUE", "True"}, {"false", "False"}, {"FALSE", "False"},
                 {"null", "None"}, {"none", "None"}, {"NULL", "None"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (an__span_is(word, words[i].other))
            return words[i].python;
    return NULL;
}

/* A word that is no call: None, True, False, inf, nan, or a name. */
static bool parse_word(parser *p, an_spec_node *node, an_span word)
{
    const char *python = python_word(word);
    if (python)
        return an_spec_error(p->scanner.source, word.offset, p->scanner.err,
                             "write %s instead of %.*s", python, (int)word.length, word.text);
    node->kind = AN_SPEC_NAME;
    if (an__span_is(word, "None")) {
        node->kind = AN_SPEC_NONE;
    } else if (an__span_is(word, "True") || an__span_is(word, "False")) {
        node->kind = AN_SPEC_BOOL;
        node->number = word.text[0] == 'T' ? 1.0 : 0.0;
    } else if (an__span_is(word, "inf") || an__span_is(word, "nan")) {
        node->kind = AN_SPEC_NUMBER;
        node->unit = "";
        an_number_parse(word.text, word.length, &node->number);
    }
    return true;
}

static bool parse_name(parser *p, an_spec_node *node)
{
    an_scanner *in = &p->scanner;
    an_span prefix, name;
    if (!an__scan_name(in, &prefix, &name))
        return false;
    if (prefix.length == 0 && an__span_is(name, "lambda"))
        return parse_lambda(p, node);
    node->text = an__scan_keep(in, name);
    if (!node->text)
        return false;
    size_t end = in->at;
    if (an__scan_blanks(in) == '(')
        return parse_call(p, node);
    in->at = end;
    return parse_word(p, node, name);
}

static bool parse_value(parser *p, an_spec_node *node)
{
    an_scanner *in = &p->scanner;
    char c = an__scan_blanks(in);
    size_t begin = in->at;
    bool ok;
    if (c == '(' || c == '[')
        ok = parse_list(p, node, closing(c));
    else if (c == '"' || c == '\'')
        ok = an__scan_string(in, node);
    else if (c == '-' || c == '+' || c == '.' || an__is_digit(c))
        ok = an__scan_number(in, node);
    else if (an__is_letter(c))
        ok = parse_name(p, node);
    else
        ok = an__scan_unexpected(in, "a value");
    if (node->length == 0) { /* a value in parentheses has kept its own place */
        node->offset = begin;
        node->length = in->at - begin;
    }
    return ok;
}

/* ---------------------------------------------------------------- the tree */

static bool parse_all(an_spec *spec, an_error *err)
{
    parser p = {.scanner = {&spec->source, 0, &spec->arena, err}};
    an_spec_node *root = new_node(&p);
    spec->root = root;
    if (!root || !parse_value(&p, root))
        return false;
    an__scan_blanks(&p.scanner);
    if (p.scanner.at < spec->source.length)
        return an__scan_unexpected(&p.scanner, "the end of the text");
    return true;
}

an_spec *an_spec_parse(const an_spec_source *source, const an_allocator *allocator, an_error *err)
{
    an_allocator use = allocator ? *allocator : an_allocator_default();
    an_spec *spec = an_alloc(&use, 1, sizeof *spec, err);
    if (!spec)
        return NULL;
    spec->allocator = use;
    spec->source = *source;
    an_arena_init(&spec->arena, use);
    if (parse_all(spec, err))
        return spec;
    an_spec_free(spec);
    return NULL;
}

const an_spec_node *an_spec_root(const an_spec *spec)
{
    return spec->root;
}

const an_spec_source *an_spec_where(const an_spec *spec)
{
    return &spec->source;
}

void an_spec_free(an_spec *spec)
{
    if (!spec)
        return;
    an_allocator allocator = spec->allocator;
    an_arena_free(&spec->arena);
    an_release(&allocator, spec, 1, sizeof *spec);
}
