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
    bool integer;
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

static double apply_two(an__op code, double a, double b)
{
    switch (code) {
    case AN__OP_ADD:
        return a + b;
    case AN__OP_SUBTRACT:
        return a - b;
    case AN__OP_MULTIPLY:
        return a * b;
    case AN__OP_DIVIDE:
        return a / b;
    case AN__OP_FLOOR_DIVIDE:
        return floor_divide(a, b);
    case AN__OP_MODULO:
        return modulo(a, b);
    case AN__OP_POWER:
        return pow(a, b);
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

static operand compute_one(an__op code, operand a)
{
    bool keeps = code == AN__OP_NEGATE || code == AN__OP_ABS;
    bool makes = code == AN__OP_NOT || code == AN__OP_FLOOR || code == AN__OP_INT;
    return settle(apply_one(code, a.number), makes || (keeps && a.integer));
}

/* `and`, `or`, min and max give one of their operands, comparisons an integer. */
static operand compute_two(an__op code, operand a, operand b)
{
    bool integer = a.integer && b.integer;
    switch (code) {
    case AN__OP_AND:
        return a.number != 0 ? b : a;
    case AN__OP_OR:
        return a.number != 0 ? a : b;
    case AN__OP_MIN:
        return b.number < a.number ? b : a;
    case AN__OP_MAX:
        return b.number > a.number ? b : a;
    case AN__OP_DIVIDE:
        integer = false;
        break;
    case AN__OP_POWER:
        integer = integer && b.number >= 0;
        break;
    case AN__OP_LESS:
    case AN__OP_LESS_EQUAL:
    case AN__OP_GREATER:
    case AN__OP_GREATER_EQUAL:
    case AN__OP_EQUAL:
    case AN__OP_UNEQUAL:
        integer = true;
        break;
    default:
        break;
    }
    return settle(apply_two(code, a.number, b.number), integer);
}

/* Carries out one instruction on the stack of `top` values and returns the new height.
 * AN__OP_SELECT takes value, condition and other, in the order of the text. */
static size_t execute(const an__instruction *at, double variable, operand *stack, size_t top)
{
    static const unsigned char operands[] = {
#define OPERANDS(name, operands) operands,
        AN__OP_MAP(OPERANDS)
#undef OPERANDS
    };
    operand *a = stack + top - operands[at->op];
    switch (operands[at->op]) {
    case 0:
        *a = at->op == AN__OP_NUMBER ? (operand){at->number, at->integer}
                                     : (operand){variable, true};
        return top + 1;
    case 1:
        *a = compute_one(at->op, *a);
        return top;
    case 2:
        *a = compute_two(at->op, a[0], a[1]);
        return at->keep ? top : top - 1;
    default:
        *a = a[1].number != 0 ? a[0] : a[2];
        return top - 2;
    }
}

/* What may be read is cleared, not the whole stack: that would take as long as a value. */
double an__lr_expression_value(void *expression, double variable)
{
    const an__lr_expression *e = expression;
    operand stack[AN__STACK_DEPTH];
    size_t top = 0;
    for (size_t i = 0; i < AN__STACK_DEPTH && (i == 0 || i < e->count); i++)
        stack[i] = (operand){0};
    for (size_t i = 0; i < e->count; i++)
        top = execute(&e->code[i], variable, stack, top);
    return stack[0].number;
}
