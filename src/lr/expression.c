/*
 * expression.c - arithmetic of one variable, as Python writes it: the text form of lambdas.
 *
 *   test    := or ['if' or 'else' test]
 *   or      := and {'or' and}            and := not {'and' not}        not := 'not' not | compare
 *   compare := sum {('<' | '<=' | '>' | '>=' | '==' | '!=') sum}
 *   sum     := product {('+' | '-') product}
 *   product := unary {('*' | '/' | '//' | '%') unary}
 *   unary   := ('-' | '+') unary | power
 *   power   := atom ['**' unary]
 *   atom    := number | name | function '(' test {',' test} ')' | '(' test ')'
 *
 * Precedence and meaning are Python's (anneal/lr_text.h says where they end). A prefix `math.` is
 * dropped. The text is compiled once to instructions for a stack of fixed depth, so evaluating can
 * neither fail nor recurse.
 */
#include "lr/numeric.h"

#include "lr/expression_code.h"
#include <string.h>

#define NESTING_DEPTH 64

/* ----------------------------------------------------------------- reading */

/* `height` is the height of the stack when the instructions so far are done. */
typedef struct reader {
    const char *text;
    size_t length, at;
    const char *name;
    int depth;
    size_t height;
    an__lr_expression *out;
    size_t bad;
    an_error *err;
} reader;

static bool fail(reader *r, size_t at, const char *message)
{
    r->bad = at;
    return an_error_set(r->err, AN_ERROR_CONFIG, "%s", message);
}

static bool read_test(reader *r);
static bool read_unary(reader *r);

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(reader *r)
{
    while (r->at < r->length && is_space(r->text[r->at]))
        r->at++;
    return r->at < r->length ? r->text[r->at] : '\0';
}

/* Takes `symbol` if it is next. A `*` is not the beginning of a `**`, and so on. */
static bool take(reader *r, const char *symbol)
{
    size_t length = strlen(symbol);
    peek(r);
    if (r->length - r->at < length || memcmp(r->text + r->at, symbol, length) != 0)
        return false;
    char after = r->at + length < r->length ? r->text[r->at + length] : '\0';
    if (is_letter(symbol[0]) ? is_letter(after) || is_digit(after)
                             : length == 1 && strchr("*/", symbol[0]) && after == symbol[0])
        return false;
    r->at += length;
    return true;
}

static bool emit(reader *r, an__instruction code, ptrdiff_t change)
{
    r->height = (size_t)((ptrdiff_t)r->height + change);
    if (r->height > AN__STACK_DEPTH)
        return fail(
            r, r->at,
            "the expression is too deep: it keeps more than 64 values; write it in a simpler way");
    r->out->code[r->out->count++] = code;
    return true;
}

static bool enter(reader *r)
{
    return ++r->depth <= NESTING_DEPTH ||
           fail(r, r->at, "the expression nests more than 64 deep; write it in a simpler way");
}

/* ------------------------------------------------------------------- atoms */

static const struct {
    const char *name;
    an__op op;
    int least, most; /* how many arguments */
} functions[] = {
    {"min", AN__OP_MIN, 2, 1000}, {"max", AN__OP_MAX, 2, 1000}, {"abs", AN__OP_ABS, 1, 1},
    {"cos", AN__OP_COS, 1, 1},    {"sin", AN__OP_SIN, 1, 1},    {"sqrt", AN__OP_SQRT, 1, 1},
    {"exp", AN__OP_EXP, 1, 1},    {"log", AN__OP_LOG, 1, 1},    {"floor", AN__OP_FLOOR, 1, 1},
    {"int", AN__OP_INT, 1, 1},    {"pow", AN__OP_POWER, 2, 2},
};

/* min and max of several are taken two at a time, from the left. */
static bool read_arguments(reader *r, size_t f, size_t began)
{
    int count = 0;
    do {
        if (!read_test(r))
            return false;
        count++;
        if (count > 1 && !emit(r, (an__instruction){.op = functions[f].op}, -1))
            return false;
    } while (count < functions[f].most && take(r, ","));
    if (count < functions[f].least)
        return fail(r, began, "the function needs two arguments or more");
    if (!take(r, ")"))
        return fail(r, r->at, "expected ')' at the end of the function's arguments");
    return functions[f].most > 1 || emit(r, (an__instruction){.op = functions[f].op}, 0);
}

static bool unknown_function(reader *r, const char *name, size_t length, size_t began)
{
    const char *names[sizeof functions / sizeof functions[0]];
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++)
        names[f] = functions[f].name;
    const char *near = an_nearest(name, length, names, sizeof names / sizeof names[0]);
    int shown = (int)(length < 40 ? length : 40);
    r->bad = began;
    if (near)
        return an_error_set(r->err, AN_ERROR_CONFIG,
                            "there is no function '%.*s'; did you mean '%s'?", shown, name, near);
    char list[120];
    an_names_print(list, sizeof list, names, sizeof names / sizeof names[0], " and ");
    return an_error_set(r->err, AN_ERROR_CONFIG, "there is no function '%.*s'; there are %s", shown,
                        name, list);
}

static bool read_function(reader *r, const char *name, size_t length, size_t began)
{
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++)
        if (strlen(functions[f].name) == length && !memcmp(functions[f].name, name, length))
            return read_arguments(r, f, began);
    return unknown_function(r, name, length, began);
}

static bool read_name(reader *r)
{
    if (take(r, "math") && !take(r, "."))
        return fail(r, r->at, "expected '.' after math");
    peek(r);
    size_t began = r->at;
    while (r->at < r->length && (is_letter(r->text[r->at]) || is_digit(r->text[r->at])))
        r->at++;
    const char *name = r->text + began;
    size_t length = r->at - began;
    if (take(r, "("))
        return read_function(r, name, length, began);
    if (strlen(r->name) == length && !memcmp(r->name, name, length))
        return emit(r, (an__instruction){.op = AN__OP_VARIABLE}, 1);
    if (length == 2 && !memcmp(name, "pi", 2))
        return emit(r, (an__instruction){.op = AN__OP_NUMBER, .number = AN__PI}, 1);
    if ((length == 4 && !memcmp(name, "True", 4)) || (length == 5 && !memcmp(name, "False", 5)))
        return emit(
            r, (an__instruction){.op = AN__OP_NUMBER, .integer = true, .number = name[0] == 'T'},
            1);
    r->bad = began;
    return an_error_set(r->err, AN_ERROR_CONFIG,
                        "unknown name '%.*s' in the expression; its variable is '%s'", (int)length,
                        name, r->name);
}

/* An integer that Python refuses, or of which a double would be another. */
static bool check_integer(reader *r, const char *text, size_t length)
{
    size_t zeros = 0;
    while (zeros < length && (text[zeros] == '0' || text[zeros] == '_'))
        zeros++;
    if (zeros > 0 && zeros < length) {
        r->bad = r->at;
        return an_error_set(r->err, AN_ERROR_CONFIG,
                            "an integer does not begin with 0, here as in Python; write %.*s",
                            (int)(length - zeros < 40 ? length - zeros : 40), text + zeros);
    }
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (is_digit(text[i]))
            value = value * 10 + (uint64_t)(text[i] - '0');
        if (value > (uint64_t)AN__LR_INTEGER_MAX)
            return fail(r, r->at,
                        "integers are exact up to 2^53 here; write a larger number with a point or "
                        "an exponent, such as 1e16");
    }
    return true;
}

static bool read_number(reader *r)
{
    const char *text = r->text + r->at;
    an__instruction code = {.op = AN__OP_NUMBER, .integer = true};
    size_t length = an_number_parse(text, r->length - r->at, &code.number);
    if (length == 0)
        return fail(r, r->at, "expected a number");
    for (size_t i = 0; i < length; i++)
        code.integer = code.integer && (is_digit(text[i]) || text[i] == '_');
    if (code.integer && !check_integer(r, text, length))
        return false;
    r->at += length;
    return emit(r, code, 1);
}

static bool read_atom(reader *r)
{
    char c = peek(r);
    if (is_digit(c) || c == '.')
        return read_number(r);
    if (is_letter(c))
        return read_name(r);
    if (c == '\0')
        return fail(r, r->at, "the expression ends where a value should be");
    if (!take(r, "("))
        return fail(r, r->at, "expected a number, a name or '('");
    if (!read_test(r))
        return false;
    return take(r, ")") || fail(r, r->at, "expected ')'");
}

/* --------------------------------------------------------------- operators */

/* The operators of one level, longest first, and what they mean. */
typedef struct symbol {
    const char *text;
    an__op op;
} symbol;

static const symbol sums[] = {{"+", AN__OP_ADD}, {"-", AN__OP_SUBTRACT}, {NULL, AN__OP_ADD}};
static const symbol products[] = {{"//", AN__OP_FLOOR_DIVIDE},
                                  {"*", AN__OP_MULTIPLY},
                                  {"/", AN__OP_DIVIDE},
                                  {"%", AN__OP_MODULO},
                                  {NULL, AN__OP_ADD}};
static const symbol comparisons[] = {{"<=", AN__OP_LESS_EQUAL}, {">=", AN__OP_GREATER_EQUAL},
                                     {"==", AN__OP_EQUAL},      {"!=", AN__OP_UNEQUAL},
                                     {"<", AN__OP_LESS},        {">", AN__OP_GREATER},
                                     {NULL, AN__OP_ADD}};
static const symbol ands[] = {{"and", AN__OP_AND}, {NULL, AN__OP_ADD}};
static const symbol ors[] = {{"or", AN__OP_OR}, {NULL, AN__OP_ADD}};

static const symbol *take_one(reader *r, const symbol *symbols)
{
    for (; symbols->text; symbols++)
        if (take(r, symbols->text))
            return symbols;
    return NULL;
}

/* operand {symbol operand}, from the left. */
static bool read_level(reader *r, const symbol *symbols, bool (*operand)(reader *))
{
    if (!operand(r))
        return false;
    const symbol *found;
    while ((found = take_one(r, symbols)))
        if (!operand(r) || !emit(r, (an__instruction){.op = found->op}, -1))
            return false;
    return true;
}

static bool read_power(reader *r)
{
    if (!read_atom(r))
        return false;
    return !take(r, "**") || (read_unary(r) && emit(r, (an__instruction){.op = AN__OP_POWER}, -1));
}

static bool read_unary(reader *r)
{
    bool minus = peek(r) == '-';
    if (!minus && peek(r) != '+')
        return read_power(r);
    r->at++;
    if (!enter(r) || !read_unary(r))
        return false;
    r->depth--;
    return !minus || emit(r, (an__instruction){.op = AN__OP_NEGATE}, 0);
}

static bool read_product(reader *r)
{
    return read_level(r, products, read_unary);
}

static bool read_sum(reader *r)
{
    return read_level(r, sums, read_product);
}

/* A comparison that another follows keeps its right side for it; `and` joins their results. */
static bool read_compare(reader *r)
{
    if (!read_sum(r))
        return false;
    const symbol *found = take_one(r, comparisons);
    size_t joins = 0;
    while (found) {
        if (!read_sum(r))
            return false;
        const symbol *next = take_one(r, comparisons);
        if (!emit(r, (an__instruction){.op = found->op, .keep = next != NULL}, next ? 0 : -1))
            return false;
        joins += next != NULL;
        found = next;
    }
    for (; joins > 0; joins--)
        if (!emit(r, (an__instruction){.op = AN__OP_AND}, -1))
            return false;
    return true;
}

static bool read_not(reader *r)
{
    if (!take(r, "not"))
        return read_compare(r);
    if (!enter(r) || !read_not(r))
        return false;
    r->depth--;
    return emit(r, (an__instruction){.op = AN__OP_NOT}, 0);
}

static bool read_and(reader *r)
{
    return read_level(r, ands, read_not);
}

static bool read_or(reader *r)
{
    return read_level(r, ors, read_and);
}

static bool read_test(reader *r)
{
    if (!enter(r) || !read_or(r))
        return false;
    if (take(r, "if")) {
        if (!read_or(r))
            return false;
        if (!take(r, "else"))
            return fail(r, r->at, "expected 'else': the form is `value if condition else other`");
        if (!read_test(r) || !emit(r, (an__instruction){.op = AN__OP_SELECT}, -2))
            return false;
    }
    r->depth--;
    return true;
}

/* An instruction stands for a byte of the text or more, except that a comparison may bring an `and`
 * and a sign-free name its call: twice the length is enough. */
an__lr_expression *an__lr_expression_parse(const char *text, size_t length, const char *name,
                                           an_arena *arena, size_t *bad, an_error *err)
{
    reader r = {.text = text, .length = length, .name = name, .err = err};
    *bad = 0;
    if (length > 10000) {
        an_error_set(err, AN_ERROR_CONFIG, "the expression is longer than 10000 bytes");
        return NULL;
    }
    r.out = an_arena_alloc(arena,
                           sizeof(an__lr_expression) + (2 * length + 1) * sizeof(an__instruction));
    if (!r.out) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for an expression");
        return NULL;
    }
    r.out->count = 0;
    bool good = read_test(&r);
    peek(&r);
    if (good && r.at < length)
        good = fail(&r, r.at, "the expression goes on where it should end");
    *bad = r.bad;
    return good ? r.out : NULL;
}
