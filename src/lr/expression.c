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
 * Precedence and meaning are Python's; numbers are doubles throughout. A prefix `math.` is dropped.
 * The text is compiled once to instructions for a stack of fixed depth, so evaluating can neither
 * fail nor recurse. Both sides of `and`, `or` and `if` are evaluated, which nothing can observe:
 * there are no side effects, and dividing by 0 gives infinity or NaN instead of an exception.
 */
#include "lr/numeric.h"

#include "lr/expression.h"
#include <string.h>

#define STACK_DEPTH 64
#define NESTING_DEPTH 64

/* X(operation, operands that it takes). Each leaves one value. */
#define OP_MAP(X)       \
    X(NUMBER, 0)        \
    X(VARIABLE, 0)      \
    X(ADD, 2)           \
    X(SUBTRACT, 2)      \
    X(MULTIPLY, 2)      \
    X(DIVIDE, 2)        \
    X(FLOOR_DIVIDE, 2)  \
    X(MODULO, 2)        \
    X(POWER, 2)         \
    X(LESS, 2)          \
    X(LESS_EQUAL, 2)    \
    X(GREATER, 2)       \
    X(GREATER_EQUAL, 2) \
    X(EQUAL, 2)         \
    X(UNEQUAL, 2)       \
    X(AND, 2)           \
    X(OR, 2)            \
    X(MIN, 2)           \
    X(MAX, 2)           \
    X(NEGATE, 1)        \
    X(NOT, 1)           \
    X(ABS, 1)           \
    X(COS, 1)           \
    X(SIN, 1)           \
    X(SQRT, 1)          \
    X(EXP, 1)           \
    X(LOG, 1)           \
    X(FLOOR, 1)         \
    X(INT, 1)           \
    X(SELECT, 3)

typedef enum op {
#define OP_ENUM(name, operands) OP_##name,
    OP_MAP(OP_ENUM)
#undef OP_ENUM
} op;

typedef struct instruction {
    op op;
    bool keep;     /* a comparison that leaves its right side too: the first of a < b < c */
    double number; /* of OP_NUMBER */
} instruction;

struct an__lr_expression {
    size_t count;
    instruction code[];
};

/* -------------------------------------------------------------- evaluation */

/* Python's a // b and a % b for floats: the remainder has the sign of the divisor. */
static double modulo(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0)
        return copysign(0.0, b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

static double floor_divide(double a, double b)
{
    double rest = fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0))
        quotient -= 1.0;
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

static double apply_two(op code, double a, double b)
{
    switch (code) {
    case OP_ADD:
        return a + b;
    case OP_SUBTRACT:
        return a - b;
    case OP_MULTIPLY:
        return a * b;
    case OP_DIVIDE:
        return a / b;
    case OP_FLOOR_DIVIDE:
        return floor_divide(a, b);
    case OP_MODULO:
        return modulo(a, b);
    case OP_POWER:
        return pow(a, b);
    case OP_LESS:
        return a < b;
    case OP_LESS_EQUAL:
        return a <= b;
    case OP_GREATER:
        return a > b;
    case OP_GREATER_EQUAL:
        return a >= b;
    case OP_EQUAL:
        return a == b;
    case OP_UNEQUAL:
        return a != b;
    case OP_AND:
        return a != 0 ? b : a;
    case OP_OR:
        return a != 0 ? a : b;
    case OP_MIN:
        return b < a ? b : a;
    default: /* OP_MAX */
        return b > a ? b : a;
    }
}

static double apply_one(op code, double a)
{
    switch (code) {
    case OP_NEGATE:
        return -a;
    case OP_NOT:
        return a == 0;
    case OP_ABS:
        return fabs(a);
    case OP_COS:
        return cos(a);
    case OP_SIN:
        return sin(a);
    case OP_SQRT:
        return sqrt(a);
    case OP_EXP:
        return exp(a);
    case OP_LOG:
        return log(a);
    case OP_FLOOR:
        return floor(a);
    default: /* OP_INT */
        return trunc(a);
    }
}

/* Carries out one instruction on the stack of `top` values and returns the new height. OP_SELECT
 * takes value, condition and other, in the order of the text. */
static size_t execute(const instruction *at, double variable, double *stack, size_t top)
{
    static const unsigned char operands[] = {
#define OP_OPERANDS(name, operands) operands,
        OP_MAP(OP_OPERANDS)
#undef OP_OPERANDS
    };
    double *a = stack + top - operands[at->op];
    switch (operands[at->op]) {
    case 0:
        *a = at->op == OP_NUMBER ? at->number : variable;
        return top + 1;
    case 1:
        *a = apply_one(at->op, *a);
        return top;
    case 2:
        *a = apply_two(at->op, a[0], a[1]);
        return at->keep ? top : top - 1;
    default:
        *a = a[1] != 0 ? a[0] : a[2];
        return top - 2;
    }
}

double an__lr_expression_value(void *expression, double variable)
{
    const an__lr_expression *e = expression;
    double stack[STACK_DEPTH] = {0};
    size_t top = 0;
    for (size_t i = 0; i < e->count; i++)
        top = execute(&e->code[i], variable, stack, top);
    return stack[0];
}

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

static bool emit(reader *r, instruction code, ptrdiff_t change)
{
    r->height = (size_t)((ptrdiff_t)r->height + change);
    if (r->height > STACK_DEPTH)
        return fail(r, r->at, "the expression is too deep; write it in a simpler way");
    r->out->code[r->out->count++] = code;
    return true;
}

static bool enter(reader *r)
{
    return ++r->depth <= NESTING_DEPTH ||
           fail(r, r->at, "the expression is nested too deep; write it in a simpler way");
}

/* ------------------------------------------------------------------- atoms */

static const struct {
    const char *name;
    op op;
    int least, most; /* how many arguments */
} functions[] = {
    {"min", OP_MIN, 2, 1000}, {"max", OP_MAX, 2, 1000}, {"abs", OP_ABS, 1, 1},
    {"cos", OP_COS, 1, 1},    {"sin", OP_SIN, 1, 1},    {"sqrt", OP_SQRT, 1, 1},
    {"exp", OP_EXP, 1, 1},    {"log", OP_LOG, 1, 1},    {"floor", OP_FLOOR, 1, 1},
    {"int", OP_INT, 1, 1},    {"pow", OP_POWER, 2, 2},
};

/* min and max of several are taken two at a time, from the left. */
static bool read_arguments(reader *r, size_t f, size_t began)
{
    int count = 0;
    do {
        if (!read_test(r))
            return false;
        count++;
        if (count > 1 && !emit(r, (instruction){.op = functions[f].op}, -1))
            return false;
    } while (count < functions[f].most && take(r, ","));
    if (count < functions[f].least)
        return fail(r, began, "the function needs two arguments or more");
    if (!take(r, ")"))
        return fail(r, r->at, "expected ')' at the end of the function's arguments");
    return functions[f].most > 1 || emit(r, (instruction){.op = functions[f].op}, 0);
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
    return an_error_set(r->err, AN_ERROR_CONFIG,
                        "there is no function '%.*s'; there are min, max, abs, cos, sin, sqrt, "
                        "exp, log, floor, int and pow",
                        shown, name);
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
        return emit(r, (instruction){.op = OP_VARIABLE}, 1);
    if (length == 2 && !memcmp(name, "pi", 2))
        return emit(r, (instruction){.op = OP_NUMBER, .number = AN__PI}, 1);
    if ((length == 4 && !memcmp(name, "True", 4)) || (length == 5 && !memcmp(name, "False", 5)))
        return emit(r, (instruction){.op = OP_NUMBER, .number = name[0] == 'T'}, 1);
    r->bad = began;
    return an_error_set(r->err, AN_ERROR_CONFIG,
                        "unknown name '%.*s' in the expression; its variable is '%s'", (int)length,
                        name, r->name);
}

static bool read_number(reader *r)
{
    double value;
    size_t length = an_number_parse(r->text + r->at, r->length - r->at, &value);
    if (length == 0)
        return fail(r, r->at, "expected a number");
    r->at += length;
    return emit(r, (instruction){.op = OP_NUMBER, .number = value}, 1);
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
    op op;
} symbol;

static const symbol sums[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}, {NULL, OP_ADD}};
static const symbol products[] = {{"//", OP_FLOOR_DIVIDE},
                                  {"*", OP_MULTIPLY},
                                  {"/", OP_DIVIDE},
                                  {"%", OP_MODULO},
                                  {NULL, OP_ADD}};
static const symbol comparisons[] = {
    {"<=", OP_LESS_EQUAL}, {">=", OP_GREATER_EQUAL}, {"==", OP_EQUAL}, {"!=", OP_UNEQUAL},
    {"<", OP_LESS},        {">", OP_GREATER},        {NULL, OP_ADD}};
static const symbol ands[] = {{"and", OP_AND}, {NULL, OP_ADD}};
static const symbol ors[] = {{"or", OP_OR}, {NULL, OP_ADD}};

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
        if (!operand(r) || !emit(r, (instruction){.op = found->op}, -1))
            return false;
    return true;
}

static bool read_power(reader *r)
{
    if (!read_atom(r))
        return false;
    return !take(r, "**") || (read_unary(r) && emit(r, (instruction){.op = OP_POWER}, -1));
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
    return !minus || emit(r, (instruction){.op = OP_NEGATE}, 0);
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
        if (!emit(r, (instruction){.op = found->op, .keep = next != NULL}, next ? 0 : -1))
            return false;
        joins += next != NULL;
        found = next;
    }
    for (; joins > 0; joins--)
        if (!emit(r, (instruction){.op = OP_AND}, -1))
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
    return emit(r, (instruction){.op = OP_NOT}, 0);
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
        if (!read_test(r) || !emit(r, (instruction){.op = OP_SELECT}, -2))
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
    r.out =
        an_arena_alloc(arena, sizeof(an__lr_expression) + (2 * length + 1) * sizeof(instruction));
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
