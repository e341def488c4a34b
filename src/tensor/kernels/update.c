/*
 * Fused updates of SGD and Adam, norms, and the table of all updates. Each update reads and writes
 * every vector once, so it costs what its memory traffic costs (Adam: seven floats a value), and
 * the compilers turn loops as plain as these into vector code. Scalars are rounded to AN_REAL
 * before the loop, as PyTorch rounds them.
 */
#include "tensor/kernels/update_real.h"

static void sgd_plain(const an_sgd_scalars *s, int64_t count, an_real *restrict p,
                      const an_real *restrict g)
{
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real lr = (an_real)s->lr;
    for (int64_t i = 0; i < count; i++) {
        p[i] = FUSED(-lr, FUSED(decay, p[i], sign * g[i]), p[i]);
    }
}

static void sgd_momentum(const an_sgd_scalars *s, int64_t count, an_real *restrict p,
                         const an_real *restrict g, an_real *restrict b)
{
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real keep = (an_real)s->keep, take = (an_real)s->take, lr = (an_real)s->lr;
    for (int64_t i = 0; i < count; i++) {
        b[i] = FUSED(take, FUSED(decay, p[i], sign * g[i]), keep * b[i]);
        p[i] = FUSED(-lr, b[i], p[i]);
    }
}

static void sgd_nesterov(const an_sgd_scalars *s, int64_t count, an_real *restrict p,
                         const an_real *restrict g, an_real *restrict b)
{
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real keep = (an_real)s->keep, take = (an_real)s->take, lr = (an_real)s->lr;
    const an_real ahead = (an_real)s->nesterov;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(decay, p[i], sign * g[i]);
        b[i] = FUSED(take, d, keep * b[i]);
        p[i] = FUSED(-lr, FUSED(ahead, b[i], d), p[i]);
    }
}

UPDATE(sgd)
{
    (void)sums;
    const an_sgd_scalars *s = &scalars->sgd;
    if (!vectors->s[0]) {
        sgd_plain(s, count, vectors->p, vectors->g);
    } else if (s->nesterov != 0) {
        sgd_nesterov(s, count, vectors->p, vectors->g, vectors->s[0]);
    } else {
        sgd_momentum(s, count, vectors->p, vectors->g, vectors->s[0]);
    }
}

static void adam_plain(const adam_reals r, int64_t count, an_real *restrict p,
                       const an_real *restrict g, an_real *restrict m, an_real *restrict v)
{
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        p[i] = FUSED(-r.rate, m[i] / FUSED(SQRT(v[i]), r.correct, r.eps), r.shrink * p[i]);
    }
}

static void adam_amsgrad(const adam_reals r, int64_t count, an_real *restrict p,
                         const an_real *restrict g, an_real *restrict m, an_real *restrict v,
                         an_real *restrict largest)
{
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        largest[i] = largest[i] > v[i] ? largest[i] : v[i];
        p[i] = FUSED(-r.rate, m[i] / FUSED(SQRT(largest[i]), r.correct, r.eps), r.shrink * p[i]);
    }
}

UPDATE(adam)
{
    (void)sums;
    const adam_reals r = adam_round(&scalars->adam);
    an_real *const *s = vectors->s;
    if (s[2]) {
        adam_amsgrad(r, count, vectors->p, vectors->g, s[0], s[1], s[2]);
    } else {
        adam_plain(r, count, vectors->p, vectors->g, s[0], s[1]);
    }
}

/* ------------------------------------------------------------------- norms */

static double square_sum(int64_t count, const an_real *x)
{
    double lane[LANES] = {0};
    EACH_IN_LANES(i, j, count, lane[j] += (double)x[i] * (double)x[i];);
    return an__lanes_total(lane);
}

static void scale(int64_t count, an_real *x, double factor)
{
    const an_real f = (an_real)factor;
    for (int64_t i = 0; i < count; i++) {
        x[i] *= f;
    }
}

UPDATE(absolute)
{
    (void)scalars;
    const an_real *g = vectors->g;
    double sum[LANES] = {0}, most[LANES] = {0}, largest = sums[1];
    EACH_IN_LANES(i, j, count, {
        const double size = (double)ABS(g[i]);
        sum[j] += size;
        most[j] = most[j] >= size || most[j] != most[j] ? most[j] : size;
    });
    for (int j = 0; j < LANES; j++) {
        largest = largest >= most[j] || largest != largest ? largest : most[j];
    }
    sums[0] += an__lanes_total(sum);
    sums[1] = largest;
}

UPDATE(dot)
{
    (void)scalars;
    const an_real *g = vectors->g, *a = vectors->s[0];
    double product[LANES] = {0}, square[LANES] = {0};
    EACH_IN_LANES(i, j, count, {
        product[j] += (double)g[i] * (double)a[i];
        square[j] += (double)g[i] * (double)g[i];
    });
    sums[0] += an__lanes_total(product);
    sums[1] += an__lanes_total(square);
}

/* --------------------------------------------------------------- linear maps */

UPDATE(lerp)
{
    (void)sums;
    const an_real pull = (an_real)scalars->linear.pull;
    const an_real *restrict g = vectors->g;
    an_real *restrict a = vectors->s[0];
    for (int64_t i = 0; i < count; i++) {
        a[i] = pull == 1 ? g[i] : FUSED(pull, g[i] - a[i], a[i]);
    }
}

UPDATE(step)
{
    (void)sums;
    const an_real pull = (an_real)scalars->linear.pull;
    const an_real *restrict g = vectors->g;
    an_real *restrict p = vectors->p;
    for (int64_t i = 0; i < count; i++) {
        p[i] = FUSED(pull, g[i] - p[i], p[i]);
    }
}

UPDATE(axpy)
{
    (void)sums;
    const an_real pull = (an_real)scalars->linear.pull, shrink = (an_real)scalars->linear.shrink;
    const an_real *restrict g = vectors->g;
    an_real *restrict p = vectors->p;
    for (int64_t i = 0; i < count; i++) {
        p[i] = FUSED(pull, g[i], shrink * p[i]);
    }
}

UPDATE(clamp)
{
    (void)sums;
    const an_real limit = (an_real)scalars->linear.pull;
    an_real *restrict p = vectors->p;
    for (int64_t i = 0; i < count; i++) {
        p[i] = p[i] > limit ? limit : p[i] < -limit ? -limit : p[i];
    }
}

#define LIST_KERNEL(NAME, name) [AN_UPDATE_##NAME] = KERNEL(name),

const an_update_table AN_KERNEL_NAME(an__update_table) = {
    .run = {AN_UPDATE_MAP(LIST_KERNEL)},
    .square_sum = square_sum,
    .scale = scale,
    .column_squares = AN_KERNEL_NAME(an__column_squares),
    .factored_squares = AN_KERNEL_NAME(an__factored_squares),
    .factored_apply = AN_KERNEL_NAME(an__factored_apply),
};
