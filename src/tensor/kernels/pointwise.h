/*
 * Elementwise kernels: maps of one value and of two, with their derivatives.
 *
 * Every function works value by value on `n` contiguous floats, so a range may be cut anywhere
 * without changing a bit of the result. Functions that produce a gradient take `add`: false writes
 * dx, true adds to it. A result may be the same vector as an input (in place), never overlap it
 * otherwise.
 */
#ifndef AN_KERNELS_POINTWISE_H
#define AN_KERNELS_POINTWISE_H

#include "tensor/kernels/kernels.h"

/* clang-format off */
/*
 * Maps of one value: X(NAME, name, y of x, dx of dy, x and y), with two constants p and q. The
 * derivatives of relu, tanh and sigmoid need only y: a product can apply them in place.
 * relu: NaN stays NaN, and the derivative at 0 is 0; so is that of abs.
 */
#define AN_UNARY_MAP(X)                                                            \
    X(AFFINE, affine, p * x + q, p * dy)                                           \
    X(EXP, exp, an__exp(x), dy * y)                                                \
    X(LOG, log, an__log(x), dy / x)                                                \
    X(SQRT, sqrt, sqrtf(x), 0.5f * dy / y)                                         \
    X(ABS, abs, fabsf(x), dy * (x > 0.0f ? 1.0f : (x < 0.0f ? -1.0f : x)))         \
    X(SQUARE, square, x * x, 2.0f * dy * x)                                        \
    X(POW, pow, powf(x, p), p == 0.0f ? 0.0f : dy * p * powf(x, p - 1.0f))         \
    X(RELU, relu, x <= 0.0f ? 0.0f : x, y <= 0.0f ? 0.0f : dy)                     \
    X(TANH, tanh, an__tanh(x), dy * (1.0f - y * y))                                \
    X(SIGMOID, sigmoid, an__logistic(x), dy * y * (1.0f - y))                      \
    X(GELU, gelu, an__gelu(x), dy * an__gelu_slope(x))                             \
    X(GELU_TANH, gelu_tanh, an__gelu_tanh(x), dy * an__gelu_tanh_slope(x))         \
    X(SILU, silu, x * an__logistic(x),                                             \
      dy * an__logistic(x) * (1.0f + x * an__logistic(-x)))                        \
    X(LEAKY_RELU, leaky_relu, x > 0.0f ? x : p * x, x > 0.0f ? dy : p * dy)        \
    X(ELU, elu, x > 0.0f ? x : p * an__expm1(x), x > 0.0f ? dy : dy * (p * an__exp(x))) \
    X(SOFTPLUS, softplus, p * x > q ? x : an__softplus(p * x) / p,                 \
      p * x > q ? dy : dy * an__logistic(p * x))

/* Maps of two values: X(NAME, name, y of a and b, da, db). */
#define AN_BINARY_MAP(X)             \
    X(ADD, add, a + b, dy, dy)       \
    X(SUB, sub, a - b, dy, -dy)      \
    X(MUL, mul, a * b, dy * b, dy * a) \
    X(DIV, div, a / b, dy / b, -(a / b) * (dy / b))
/* clang-format on */

typedef enum an_unary {
#define AN_UNARY_ENUM(NAME, name, y, dx) AN_UNARY_##NAME,
    AN_UNARY_MAP(AN_UNARY_ENUM)
#undef AN_UNARY_ENUM
        AN_UNARY_COUNT
} an_unary;

typedef enum an_binary {
#define AN_BINARY_ENUM(NAME, name, y, da, db) AN_BINARY_##NAME,
    AN_BINARY_MAP(AN_BINARY_ENUM)
#undef AN_BINARY_ENUM
        AN_BINARY_COUNT
} an_binary;

/* The operands of a run of `n` values; a step is 1, or 0 for an operand that is one value. */
typedef struct an_run {
    int64_t n;
    const float *a, *b;
    int step_a, step_b;
} an_run;

typedef struct an_unary_kernel {
    void (*forward)(int64_t n, float *y, const float *x, float p, float q);
    /* A derivative that uses y alone may be given y for x. */
    void (*backward)(int64_t n, float *dx, const float *dy, const float *x, const float *y, float p,
                     float q, bool add);
} an_unary_kernel;

typedef struct an_binary_kernel {
    void (*forward)(const an_run *run, float *y);
    /* [0] gives da, [1] gives db: n values each, also for an operand of step 0. */
    void (*backward[2])(const an_run *run, float *dx, const float *dy, bool add);
} an_binary_kernel;

struct an_pointwise_table {
    an_unary_kernel unary[AN_UNARY_COUNT];
    an_binary_kernel binary[AN_BINARY_COUNT];
    /*
     * Inverted dropout in place on `y`, which comes in with numbers uniform in [0, 1):
     * keep[i] = y[i] >= p; y[i] = keep[i] ? scale * x[i] : 0.
     */
    void (*dropout)(int64_t n, float *y, uint8_t *keep, const float *x, float p, float scale);
    /* dx = keep[i] ? scale * dy : 0 */
    void (*dropout_backward)(int64_t n, float *dx, const float *dy, const uint8_t *keep,
                             float scale, bool add);
};

extern const an_pointwise_table an__pointwise_table_128, an__pointwise_table_256,
    an__pointwise_table_512;

#endif
