/* Fused updates of the optimizers that need no schedule or no rate: Schedule-Free, Prodigy,
 * D-Adaptation, DoG and Mechanic. optim/free.c and optim/distance.c have the methods. */
#include "tensor/kernels/update_real.h"

static void copy(int64_t count, an_real *restrict to, const an_real *restrict from)
{
    for (int64_t i = 0; i < count; i++) {
        to[i] = from[i];
    }
}

UPDATE(free_sgd)
{
    (void)sums;
    const an_free_scalars *s = &scalars->free;
    const an_real decay = (an_real)s->decay, lr = (an_real)s->lr;
    const an_real pull = (an_real)s->pull, push = (an_real)s->push;
    an_real *restrict y = vectors->p, *restrict z = vectors->s[0];
    const an_real *restrict g = vectors->g;
    if (s->first) {
        copy(count, z, y);
    }
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(decay, y[i], g[i]);
        y[i] = FUSED(push, d, FUSED(pull, z[i] - y[i], y[i]));
        z[i] = FUSED(-lr, d, z[i]);
    }
}

UPDATE(free_adam)
{
    (void)sums;
    const an_free_scalars *s = &scalars->free;
    const an_real decay = (an_real)s->decay, lr = (an_real)s->lr, eps = (an_real)s->eps;
    const an_real keep = (an_real)s->keep, take = (an_real)s->take;
    const an_real pull = (an_real)s->pull, push = (an_real)s->push;
    an_real *restrict y = vectors->p, *restrict z = vectors->s[0], *restrict v = vectors->s[1];
    const an_real *restrict g = vectors->g;
    if (s->first) {
        copy(count, z, y);
    }
    for (int64_t i = 0; i < count; i++) {
        v[i] = FUSED(take * g[i], g[i], keep * v[i]);
        an_real d = FUSED(decay, y[i], g[i] / (SQRT(v[i]) + eps));
        y[i] = FUSED(push, d, FUSED(pull, z[i] - y[i], y[i]));
        z[i] = FUSED(-lr, d, z[i]);
    }
}

/* ------------------------------------------------------------------ distances */

typedef struct distance_reals {
    an_real sign, decay, shrink, keep1, take1, keep2, take2, keep3, take3, rate, eps;
} distance_reals;

static distance_reals distance_round(const an_distance_scalars *s)
{
    return (distance_reals){
        .sign = (an_real)s->slope.sign,
        .decay = (an_real)s->slope.decay,
        .shrink = (an_real)s->shrink,
        .keep1 = (an_real)s->keep1,
        .take1 = (an_real)s->take1,
        .keep2 = (an_real)s->keep2,
        .take2 = (an_real)s->take2,
        .keep3 = (an_real)s->keep3,
        .take3 = (an_real)s->take3,
        .rate = (an_real)s->rate,
        .eps = (an_real)s->eps,
    };
}

/*
 * Both gatherers go through blocks that stay in the nearest cache: one loop updates, another sums.
 * Compilers vectorise each; of both in one loop they make a slow tangle.
 */
enum { BLOCK = 1024 };

/* m, v and a take the slope in. */
static void gather(const distance_reals r, int64_t count, const an_real *restrict p,
                   const an_real *restrict g, an_real *restrict m, an_real *restrict v,
                   an_real *restrict a)
{
    for (int64_t i = 0; i < count; i++) {
        const an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        a[i] = FUSED(r.take3, d, r.keep3 * a[i]);
    }
}

static void add_sizes(int64_t count, const an_real *restrict a, double *restrict lane)
{
    EACH_IN_LANES(i, j, count, lane[j] += (double)ABS(a[i]););
}

UPDATE(prodigy)
{
    const distance_reals r = distance_round(&scalars->distance);
    double gain[LANES] = {0}, size[LANES] = {0};
    if (scalars->distance.first) {
        copy(count, vectors->s[3], vectors->p);
    }
    for (int64_t at = 0; at < count; at += BLOCK) {
        const int64_t n = count - at < BLOCK ? count - at : BLOCK;
        const an_real *restrict p = vectors->p + at, *restrict g = vectors->g + at;
        const an_real *restrict p0 = vectors->s[3] + at;
        EACH_IN_LANES(i, j, n, {
            const an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
            gain[j] += (double)d * ((double)p0[i] - (double)p[i]);
        });
        gather(r, n, p, g, vectors->s[0] + at, vectors->s[1] + at, vectors->s[2] + at);
        add_sizes(n, vectors->s[2] + at, size);
    }
    sums[0] += an__lanes_total(gain);
    sums[1] += an__lanes_total(size);
}

UPDATE(dadapt_adam)
{
    const distance_reals r = distance_round(&scalars->distance);
    double gain[LANES] = {0}, size[LANES] = {0};
    for (int64_t at = 0; at < count; at += BLOCK) {
        const int64_t n = count - at < BLOCK ? count - at : BLOCK;
        const an_real *restrict p = vectors->p + at, *restrict g = vectors->g + at;
        const an_real *restrict v = vectors->s[1] + at, *restrict a = vectors->s[2] + at;
        EACH_IN_LANES(i, j, n, {
            const an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
            gain[j] += (double)d * (double)a[i] / ((double)SQRT(v[i]) + (double)r.eps);
        });
        gather(r, n, p, g, vectors->s[0] + at, vectors->s[1] + at, vectors->s[2] + at);
        add_sizes(n, a, size);
    }
    sums[0] += an__lanes_total(gain);
    sums[1] += an__lanes_total(size);
}

UPDATE(adam_apply)
{
    (void)sums;
    const distance_reals r = distance_round(&scalars->distance);
    an_real *restrict p = vectors->p;
    const an_real *restrict m = vectors->s[0], *restrict v = vectors->s[1];
    for (int64_t i = 0; i < count; i++) {
        an_real u = m[i] == 0 ? 0 : m[i] / (SQRT(v[i]) + r.eps);
        p[i] = FUSED(-r.rate, u, r.shrink * p[i]);
    }
}

UPDATE(dadapt_sgd)
{
    const distance_reals r = distance_round(&scalars->distance);
    const an_real *restrict p = vectors->p, *restrict g = vectors->g;
    an_real *restrict a = vectors->s[0], *restrict p0 = vectors->s[1];
    if (scalars->distance.first) {
        copy(count, p0, p);
    }
    double gain[LANES] = {0}, size[LANES] = {0};
    EACH_IN_LANES(i, j, count, {
        const an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        gain[j] += (double)d * (double)a[i];
        a[i] = FUSED(r.take3, d, a[i]);
        size[j] += (double)a[i] * (double)a[i];
    });
    sums[0] += an__lanes_total(gain);
    sums[1] += an__lanes_total(size);
}

UPDATE(dadapt_apply)
{
    (void)sums;
    const an_real rate = (an_real)scalars->distance.rate;
    an_real *restrict p = vectors->p;
    const an_real *restrict a = vectors->s[0], *restrict p0 = vectors->s[1];
    for (int64_t i = 0; i < count; i++) {
        p[i] = FUSED(rate, (p0[i] - a[i]) - p[i], p[i]);
    }
}

UPDATE(dog)
{
    const an_real sign = (an_real)scalars->distance.slope.sign;
    const an_real decay = (an_real)scalars->distance.slope.decay;
    const an_real *restrict p = vectors->p, *restrict g = vectors->g;
    an_real *restrict p0 = vectors->s[0];
    if (scalars->distance.first) {
        copy(count, p0, p);
    }
    double away[LANES] = {0}, size[LANES] = {0};
    EACH_IN_LANES(i, j, count, {
        const double moved = (double)p[i] - (double)p0[i];
        const an_real d = FUSED(decay, p[i], sign * g[i]);
        away[j] += moved * moved;
        size[j] += (double)d * (double)d;
    });
    sums[0] += an__lanes_total(away);
    sums[1] += an__lanes_total(size);
}

/* ------------------------------------------------------------------- mechanic */

UPDATE(mechanic)
{
    (void)sums;
    const an_real before = (an_real)scalars->mechanic.before,
                  scale = (an_real)scalars->mechanic.scale;
    an_real *restrict p = vectors->p, *restrict a = vectors->s[1];
    const an_real *restrict x0 = vectors->s[0];
    for (int64_t i = 0; i < count; i++) {
        a[i] += FUSED(-before, a[i], x0[i]) - p[i];
        p[i] = FUSED(-scale, a[i], x0[i]);
    }
}
