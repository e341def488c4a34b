/*
 * Fused updates of optimizers. Each reads and writes every vector once, so it costs what its memory
 * traffic costs (Adam: seven floats a value), and the compilers turn loops as plain as these into
 * vector code. Scalars are rounded to AN_REAL before the loop, as PyTorch rounds them.
 */
#include "tensor/kernels/update.h"

#include <math.h>

#define SQRT(x) _Generic((x), float : sqrtf, double : sqrt)(x)

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

static void sgd_plain(const an_sgd_scalars *s, int64_t count, AN_REAL *restrict p,
                      const AN_REAL *restrict g)
{
    AN_REAL sign = (AN_REAL)s->sign, decay = (AN_REAL)s->decay, lr = (AN_REAL)s->lr;
    for (int64_t i = 0; i < count; i++) {
        p[i] = FUSED(-lr, FUSED(decay, p[i], sign * g[i]), p[i]);
    }
}

static void sgd_momentum(const an_sgd_scalars *s, int64_t count, AN_REAL *restrict p,
                         const AN_REAL *restrict g, AN_REAL *restrict b)
{
    AN_REAL sign = (AN_REAL)s->sign, decay = (AN_REAL)s->decay, lr = (AN_REAL)s->lr;
    AN_REAL keep = (AN_REAL)s->keep, take = (AN_REAL)s->take;
    for (int64_t i = 0; i < count; i++) {
        b[i] = FUSED(take, FUSED(decay, p[i], sign * g[i]), keep * b[i]);
        p[i] = FUSED(-lr, b[i], p[i]);
    }
}

static void sgd_nesterov(const an_sgd_scalars *s, int64_t count, AN_REAL *restrict p,
                         const AN_REAL *restrict g, AN_REAL *restrict b)
{
    AN_REAL sign = (AN_REAL)s->sign, decay = (AN_REAL)s->decay, lr = (AN_REAL)s->lr;
    AN_REAL keep = (AN_REAL)s->keep, take = (AN_REAL)s->take, ahead = (AN_REAL)s->nesterov;
    for (int64_t i = 0; i < count; i++) {
        AN_REAL d = FUSED(decay, p[i], sign * g[i]);
        b[i] = FUSED(take, d, keep * b[i]);
        p[i] = FUSED(-lr, FUSED(ahead, b[i], d), p[i]);
    }
}

static void sgd(const an_sgd_scalars *s, int64_t count, AN_REAL *p, const AN_REAL *g, AN_REAL *b)
{
    if (!b) {
        sgd_plain(s, count, p, g);
    } else if (s->nesterov != 0) {
        sgd_nesterov(s, count, p, g, b);
    } else {
        sgd_momentum(s, count, p, g, b);
    }
}

/* The scalars of Adam in the precision of the vectors. */
typedef struct adam_reals {
    AN_REAL sign, decay, shrink, keep1, take1, keep2, take2, rate, correct, eps;
} adam_reals;

static adam_reals adam_round(const an_adam_scalars *s)
{
    return (adam_reals){
        .sign = (AN_REAL)s->sign,
        .decay = (AN_REAL)s->decay,
        .shrink = (AN_REAL)s->shrink,
        .keep1 = (AN_REAL)s->keep1,
        .take1 = (AN_REAL)s->take1,
        .keep2 = (AN_REAL)s->keep2,
        .take2 = (AN_REAL)s->take2,
        .rate = (AN_REAL)s->rate,
        .correct = (AN_REAL)s->correct,
        .eps = (AN_REAL)s->eps,
    };
}

static void adam_plain(const an_adam_scalars *s, int64_t count, AN_REAL *restrict p,
                       const AN_REAL *restrict g, AN_REAL *restrict m, AN_REAL *restrict v)
{
    const adam_reals r = adam_round(s);
    for (int64_t i = 0; i < count; i++) {
        AN_REAL d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        p[i] = FUSED(-r.rate, m[i] / FUSED(SQRT(v[i]), r.correct, r.eps), r.shrink * p[i]);
    }
}

static void adam_amsgrad(const an_adam_scalars *s, int64_t count, AN_REAL *restrict p,
                         const AN_REAL *restrict g, AN_REAL *restrict m, AN_REAL *restrict v,
                         AN_REAL *restrict largest)
{
    const adam_reals r = adam_round(s);
    for (int64_t i = 0; i < count; i++) {
        AN_REAL d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        largest[i] = largest[i] > v[i] ? largest[i] : v[i];
        p[i] = FUSED(-r.rate, m[i] / FUSED(SQRT(largest[i]), r.correct, r.eps), r.shrink * p[i]);
    }
}

static void adam(const an_adam_scalars *s, int64_t count, AN_REAL *p, const AN_REAL *g, AN_REAL *m,
                 AN_REAL *v, AN_REAL *largest)
{
    if (largest) {
        adam_amsgrad(s, count, p, g, m, v, largest);
    } else {
        adam_plain(s, count, p, g, m, v);
    }
}

#define LANES 16

static double square_sum(int64_t count, const AN_REAL *x)
{
    double lane[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        for (int j = 0; j < LANES; j++) {
            lane[j] += (double)x[i + j] * (double)x[i + j];
        }
    }
    for (; i < count; i++) {
        lane[i % LANES] += (double)x[i] * (double)x[i];
    }
    double sum = 0;
    for (int j = 0; j < LANES; j++) {
        sum += lane[j];
    }
    return sum;
}

static void scale(int64_t count, AN_REAL *x, double factor)
{
    AN_REAL f = (AN_REAL)factor;
    for (int64_t i = 0; i < count; i++) {
        x[i] *= f;
    }
}

const an_update_table AN_KERNEL_NAME(an__update_table) = {
    .sgd = sgd,
    .adam = adam,
    .square_sum = square_sum,
    .scale = scale,
};
