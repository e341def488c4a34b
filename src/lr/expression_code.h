/*
 * expression_code.h - an expression as it is carried out: instructions for a stack of fixed depth.
 * expression.c reads text into them, expression_value.c computes.
 */
#ifndef ANNEAL_LR_EXPRESSION_CODE_H
#define ANNEAL_LR_EXPRESSION_CODE_H

#include "lr/expression.h"

#define AN__STACK_DEPTH 64

/* X(operation, operands that it takes). Each leaves one value. */
#define AN__OP_MAP(X)   \
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

typedef enum an__op {
#define AN__OP_ENUM(name, operands) AN__OP_##name,
    AN__OP_MAP(AN__OP_ENUM)
#undef AN__OP_ENUM
} an__op;

/*
 * `number` is that of AN__OP_NUMBER, `integer` whether it is one as Python has them. A comparison
 * with `keep` leaves its right side too: the first of a < b < c.
 */
typedef struct an__instruction {
    an__op op;
    bool keep, integer;
    double number;
} an__instruction;

struct an__lr_expression {
    size_t count;
    an__instruction code[];
};

#endif
