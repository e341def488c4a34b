/* What the sources of the update table share: functions of AN_REAL, and sums. */
#ifndef AN_UPDATE_REAL_H
#define AN_UPDATE_REAL_H

#include <math.h>

#include "tensor/kernels/sums.h"
#include "tensor/kernels/update.h"

#define SQRT(x) _Generic((x), float : sqrtf, double : sqrt)(x)
#define ABS(x) _Generic((x), float : fabsf, double : fabs)(x)

/*
 * a * b + c, in one rounding where the processor can. Said in so many words because a compiler left
 * to choose also fuses the product that is c. PyTorch rounds AdamW's shrunk parameter by itself,
 * and a hundred steps of another rounding come to a relative difference above 1e-6.
 */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define FUSED(a, b, c) _Generic((c), float : __builtin_fmaf, double : __builtin_fma)(a, b, c)
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif

/* Every kernel of AN_UPDATE_MAP, to be defined in one of the sources under this name. */
#define KERNEL(name) AN_KERNEL_NAME(an__update_##name)
#define DECLARE_KERNEL(NAME, name) \
    void KERNEL(name)(const an_scalars *scalars, int64_t count, const an_vectors *x, double *sums);
AN_UPDATE_MAP(DECLARE_KERNEL)
#undef DECLARE_KERNEL

void AN_KERNEL_NAME(an__column_squares)(int64_t rows, int64_t columns, int64_t stride,
                                        const an_real *x, double *sum);
double AN_KERNEL_NAME(an__factored_squares)(const an_factors *f, int64_t begin, int64_t end,
                                            const an_real *g);
void AN_KERNEL_NAME(an__factored_apply)(const an_factors *f, int64_t begin, int64_t end, an_real *p,
                                        const an_real *g, double shrink, double rate);

/* The scalars of Adam's kind in the precision of the vectors. */
typedef struct adam_reals {
    an_real sign, decay, shrink, keep1, take1, keep2, take2, rate, correct, eps, direct, ahead;
} adam_reals;

static inline adam_reals adam_round(const an_adam_scalars *s)
{
    return (adam_reals){
        .sign = (an_real)s->slope.sign,
        .decay = (an_real)s->slope.decay,
        .shrink = (an_real)s->shrink,
        .keep1 = (an_real)s->keep1,
        .take1 = (an_real)s->take1,
        .keep2 = (an_real)s->keep2,
        .take2 = (an_real)s->take2,
        .rate = (an_real)s->rate,
        .correct = (an_real)s->correct,
        .eps = (an_real)s->eps,
        .direct = (an_real)s->direct,
        .ahead = (an_real)s->ahead,
    };
}

/* The head of a kernel. */
#define UPDATE(name)                                                                       \
    void KERNEL(name)(const an_scalars *scalars, int64_t count, const an_vectors *vectors, \
                      double *sums)

/* A sum in sixteen lanes, which an__lanes_total adds up. */
#define LANES AN_ACCUMULATORS

/*
 * for each i of count: BODY, with j = i % LANES; in blocks of LANES, which compilers turn into
 * vector code, and a rest.
 */
#define EACH_IN_LANES(i, j, count, ...)                    \
    do {                                                   \
        int64_t block = 0;                                 \
        for (; block + LANES <= (count); block += LANES) { \
            for (int j = 0; j < LANES; j++) {              \
                const int64_t i = block + j;               \
                __VA_ARGS__                                \
            }                                              \
        }                                                  \
        for (int j = 0; block + j < (count); j++) {        \
            const int64_t i = block + j;                   \
            __VA_ARGS__                                    \
        }                                                  \
    } while (0)

#endif
