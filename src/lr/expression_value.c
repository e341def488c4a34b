/*
 * expression_value.c - the value of an expression, as Python has it.
 *
 * Numbers are doubles that know whether Python would have an integer there. That decides one thing:
 * an integer 0 has no sign. Both sides of `and`, `or` and `if` are evaluated, which nothing can
 * observe: there are no side effects, and where Python raises an exception IEEE arithmetic gives
 * infinity or NaN.
 */
#include "lr/numeric.h"

#include "lr/expression_code.h"

typedef struct operand {
    double number;
    uint64_t integer; /* 0 or 1; as wide as the number, so that the two are copied at once */
} operand;

/* Python's a % b: the remainder has the sign of the divisor. */
static double modulo(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0)
        return copysign(0.0, b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

/* Python's a // b for floats: by the exact remainder, not by rounding the quotient down. */
static double floor_divide(double a, double b)
{
    double rest = fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0))
        quotient -= 1.0;
    if (quotient == 0)
        return copysign(0.0, a / b);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

static bool compare(an__op code, double a, double b)
{
    switch (code) {
    case AN__OP_LESS:
        return a < b;
    case AN__OP_LESS_EQUAL:
        return a <= b;
    case AN__OP_GREATER:
        return a > b;
    case AN__OP_GREATER_EQUAL:
        return a >= b;
    case AN__OP_EQUAL:
        return a == b;
    default: /* AN__OP_UNEQUAL */
        return a != b;
    }
}

static double apply_one(an__op code, double a)
{
    switch (code) {
    case AN__OP_NEGATE:
        return -a;
    case AN__OP_NOT:
        return a == 0;
    case AN__OP_ABS:
        return fabs(a);
    case AN__OP_COS:
        return cos(a);
    case AN__OP_SIN:
        return sin(a);
    case AN__OP_SQRT:
        return sqrt(a);
    case AN__OP_EXP:
        return exp(a);
    case AN__OP_LOG:
        return log(a);
    case AN__OP_FLOOR:
        return floor(a);
    default: /* AN__OP_INT */
        return trunc(a);
    }
}

static operand settle(double number, bool integer)
{
    return (operand){integer && number == 0 ? 0.0 : number, integer};
}

/* The reader made sure that the stack holds what an operation takes, which no analyzer can see. */
/* NOLINTBEGIN(clang-analyzer-core.*) */

static operand compute_one(an__op code, operand a)
{
    bool keeps = code == AN__OP_NEGATE || code == AN__OP_ABS;
    bool makes = code == AN__OP_NOT || code == AN__OP_FLOOR || code == AN__OP_INT;
    return settle(apply_one(code, a.number), makes || (keeps && a.integer));
}

/* `and`, `or`, min and max give one of their operands, comparisons an integer. */
static operand compute_two(an__op code, operand x, operand y)
{
    double a = x.number, b = y.number;
    bool integer = x.integer && y.integer;
    switch (code) {
    case AN__OP_ADD:
        return settle(a + b, integer);
    case AN__OP_SUBTRACT:
        return settle(a - b, integer);
    case AN__OP_MULTIPLY:
        return settle(a * b, integer);
    case AN__OP_DIVIDE:
        return (operand){a / b, false};
    case AN__OP_FLOOR_DIVIDE:
        return settle(floor_divide(a, b), integer);
    case AN__OP_MODULO:
        return settle(modulo(a, b), integer);
    case AN__OP_POWER:
        return settle(pow(a, b), integer && b >= 0);
    case AN__OP_AND:
        return a != 0 ? y : x;
    case AN__OP_OR:
        return a != 0 ? x : y;
    case AN__OP_MIN:
        return b < a ? y : x;
    case AN__OP_MAX:
        return b > a ? y : x;
    default:
        return (operand){compare(code, a, b), true};
    }
}

/* `condition` stands between the two in the text. */
static operand choose(operand value, operand condition, operand other)
{
    return condition.number != 0 ? value : other;
}

/* The last value is kept apart from the stack. */
double an__lr_expression_value(void *expression, double variable)
{
    const an__lr_expression *e = expression;
    operand stack[AN__STACK_DEPTH + 1], *top = stack, last = {0};
    for (const an__instruction *at = e->code, *end = at + e->count; at < end; at++) {
        if (at->op <= AN__OP_VARIABLE) {
            *top++ = last;
            last = at->op == AN__OP_NUMBER ? (operand){at->number, at->integer}
                                           : (operand){variable, true};
        } else if (at->op < AN__OP_NEGATE) {
            operand result = compute_two(at->op, top[-1], last);
            if (at->keep) {
                top[-1] = result;
            } else {
                top--;
                last = result;
            }
        } else if (at->op < AN__OP_SELECT) {
            last = compute_one(at->op, last);
        } else {
            top -= 2;
            last = choose(top[0], top[1], last);
        }
    }
    return last.number;
}

/* NOLINTEND(clang-analyzer-core.*) */
