/*
 * Elementwise kernels. The loops are plain: compilers turn them into vector code, since the
 * functions of elementary.h have neither branches nor calls; pow alone calls libm. Each formula of
 * pointwise.h is written once and specialised here by constants (a step of 0 or 1, write or add).
 */
#include "tensor/kernels/pointwise.h"

#include <math.h>

#include "tensor/kernels/elementary.h"
#include "tensor/kernels/loops.h"

/* ------------------------------------------------------------- one operand */

/* clang-format off */
#define UNARY(NAME, name, value, derivative)                                                 \
    static void name##_forward(int64_t n, float *out, const float *in, float p, float q)     \
    {                                                                                        \
        (void)p, (void)q;                                                                    \
        AN_INDEPENDENT                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                    \
            float x = in[i];                                                                 \
            out[i] = value;                                                                  \
        }                                                                                    \
    }                                                                                        \
    AN_INLINE void name##_gradient(int64_t n, float *dx, const float *upper, const float *in,   \
                                const float *out, float p, float q, bool add)                \
    {                                                                                        \
        (void)p, (void)q;                                                                          \
        AN_INDEPENDENT                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                    \
            float dy = upper[i], x = in[i], y = out[i];                                      \
            (void)x, (void)y;                                                                \
            an__put(&dx[i], derivative, add);                                                    \
        }                                                                                    \
    }                                                                                        \
    static void name##_backward(int64_t n, float *dx, const float *dy, const float *x,       \
                                const float *y, float p, float q, bool add)                  \
    {                                                                                        \
        if (add)                                                                             \
            name##_gradient(n, dx, dy, x, y, p, q, true);                                    \
        else                                                                                 \
            name##_gradient(n, dx, dy, x, y, p, q, false);                                   \
    }
AN_UNARY_MAP(UNARY)

/* ------------------------------------------------------------ two operands */

/* Calls `loop` with constant steps, so that each pattern becomes a loop of its own. */
#define BY_STEPS(loop, run, ...)                        \
    do {                                                \
        if ((run)->step_a && (run)->step_b)             \
            loop(run, 1, 1, __VA_ARGS__);               \
        else if ((run)->step_a)                         \
            loop(run, 1, 0, __VA_ARGS__);               \
        else if ((run)->step_b)                         \
            loop(run, 0, 1, __VA_ARGS__);               \
        else                                            \
            loop(run, 0, 0, __VA_ARGS__);               \
    } while (0)

#define BINARY_GRADIENT(name, which, derivative)                                             \
    AN_INLINE void name##_##which##_loop(const an_run *run, int64_t step_a, int64_t step_b,     \
                                      float *dx, const float *upper, bool add)               \
    {                                                                                        \
        const float *in_a = run->a, *in_b = run->b;                                          \
        AN_INDEPENDENT                                                                          \
        for (int64_t i = 0, n = run->n; i < n; i++) {                                        \
            float dy = upper[i], a = in_a[i * step_a], b = in_b[i * step_b];                 \
            (void)a, (void)b;                                                                \
            an__put(&dx[i], derivative, add);                                                    \
        }                                                                                    \
    }                                                                                        \
    static void name##_##which(const an_run *run, float *dx, const float *dy, bool add)      \
    {                                                                                        \
        if (add)                                                                             \
            BY_STEPS(name##_##which##_loop, run, dx, dy, true);                              \
        else                                                                                 \
            BY_STEPS(name##_##which##_loop, run, dx, dy, false);                             \
    }

#define BINARY(NAME, name, value, derivative_a, derivative_b)                                \
    AN_INLINE void name##_loop(const an_run *run, int64_t step_a, int64_t step_b, float *out)   \
    {                                                                                        \
        const float *in_a = run->a, *in_b = run->b;                                          \
        AN_INDEPENDENT                                                                          \
        for (int64_t i = 0, n = run->n; i < n; i++) {                                        \
            float a = in_a[i * step_a], b = in_b[i * step_b];                                \
            out[i] = value;                                                                  \
        }                                                                                    \
    }                                                                                        \
    static void name##_forward_2(const an_run *run, float *y)                                \
    {                                                                                        \
        BY_STEPS(name##_loop, run, y);                                                       \
    }                                                                                        \
    BINARY_GRADIENT(name, da, derivative_a)                                                  \
    BINARY_GRADIENT(name, db, derivative_b)
AN_BINARY_MAP(BINARY)
/* clang-format on */

/* ------------------------------------------------------------------ others */

static void dropout(int64_t n, float *y, uint8_t *keep, const float *x, float p, float scale)
{
    for (int64_t i = 0; i < n; i++) {
        bool kept = y[i] >= p;
        keep[i] = kept;
        y[i] = kept ? scale * x[i] : 0.0f;
    }
}

static void dropout_backward(int64_t n, float *dx, const float *dy, const uint8_t *keep,
                             float scale, bool add)
{
    if (add)
        for (int64_t i = 0; i < n; i++)
            an__put(&dx[i], keep[i] ? scale * dy[i] : 0.0f, true);
    else
        for (int64_t i = 0; i < n; i++)
            an__put(&dx[i], keep[i] ? scale * dy[i] : 0.0f, false);
}

#define UNARY_ENTRY(NAME, name, y, dx) [AN_UNARY_##NAME] = {name##_forward, name##_backward},
#define BINARY_ENTRY(NAME, name, y, a, b) \
    [AN_BINARY_##NAME] = {name##_forward_2, {name##_da, name##_db}},

const an_pointwise_table AN_KERNEL_NAME(an__pointwise_table) = {
    .unary = {AN_UNARY_MAP(UNARY_ENTRY)},
    .binary = {AN_BINARY_MAP(BINARY_ENTRY)},
    .dropout = dropout,
    .dropout_backward = dropout_backward,
};
