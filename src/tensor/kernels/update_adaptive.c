/* Fused updates of the optimizers that scale each value by its own history: one pass each. */
#include "tensor/kernels/update_real.h"

UPDATE(nadam)
{
    (void)sums;
    const adam_reals r = adam_round(&scalars->adam);
    an_real *restrict p = vectors->p, *restrict m = vectors->s[0], *restrict v = vectors->s[1];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        an_real u = FUSED(r.ahead, m[i], r.direct * d) / FUSED(SQRT(v[i]), r.correct, r.eps);
        p[i] = FUSED(-r.rate, u, r.shrink * p[i]);
    }
}

UPDATE(momentum)
{
    (void)sums;
    const adam_reals r = adam_round(&scalars->adam);
    an_real *restrict p = vectors->p, *restrict m = vectors->s[0], *restrict v = vectors->s[1];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        p[i] = FUSED(-r.rate, m[i], r.shrink * p[i]);
    }
}

UPDATE(adamax)
{
    (void)sums;
    const adam_reals r = adam_round(&scalars->adam);
    an_real *restrict p = vectors->p, *restrict m = vectors->s[0], *restrict u = vectors->s[1];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        an_real kept = r.keep2 * u[i], size = ABS(d) + r.eps;
        u[i] = kept > size ? kept : size;
        p[i] = FUSED(-r.rate, m[i] / u[i], p[i]);
    }
}

UPDATE(lion)
{
    (void)sums;
    const adam_reals r = adam_round(&scalars->adam);
    an_real *restrict p = vectors->p, *restrict m = vectors->s[0];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(r.decay, p[i], r.sign * g[i]);
        an_real way = FUSED(r.take1, d, r.keep1 * m[i]);
        m[i] = FUSED(r.take2, d, r.keep2 * m[i]);
        an_real sign = way > 0 ? 1 : way < 0 ? -1 : way;
        p[i] = FUSED(-r.rate, sign, r.shrink * p[i]);
    }
}

UPDATE(adagrad)
{
    (void)sums;
    const an_square_scalars *s = &scalars->square;
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real rate = (an_real)s->rate, eps = (an_real)s->eps;
    an_real *restrict p = vectors->p, *restrict a = vectors->s[0];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(decay, p[i], sign * g[i]);
        a[i] = FUSED(d, d, a[i]);
        p[i] = FUSED(-rate, d / (SQRT(a[i]) + eps), p[i]);
    }
}

UPDATE(adadelta)
{
    (void)sums;
    const an_square_scalars *s = &scalars->square;
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real keep = (an_real)s->keep, take = (an_real)s->take;
    const an_real rate = (an_real)s->rate, eps = (an_real)s->eps;
    an_real *restrict p = vectors->p, *restrict v = vectors->s[0], *restrict a = vectors->s[1];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(decay, p[i], sign * g[i]);
        v[i] = FUSED(take * d, d, keep * v[i]);
        an_real u = SQRT(a[i] + eps) / SQRT(v[i] + eps) * d;
        a[i] = FUSED(take * u, u, keep * a[i]);
        p[i] = FUSED(-rate, u, p[i]);
    }
}

/* `mean` and `buffer` may be NULL; inlined once for each case. */
static inline __attribute__((always_inline)) void
rmsprop_of(const an_square_scalars *s, int64_t count, an_real *restrict p,
           const an_real *restrict g, an_real *restrict v, an_real *restrict mean,
           an_real *restrict buffer)
{
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real keep = (an_real)s->keep, take = (an_real)s->take;
    const an_real rate = (an_real)s->rate, eps = (an_real)s->eps;
    const an_real momentum = (an_real)s->momentum;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(decay, p[i], sign * g[i]);
        an_real spread = v[i] = FUSED(take * d, d, keep * v[i]);
        if (mean) {
            mean[i] = FUSED(take, d, keep * mean[i]);
            spread = FUSED(-mean[i], mean[i], spread);
            spread = spread < 0 ? 0 : spread;
        }
        an_real u = d / (SQRT(spread) + eps);
        if (buffer) {
            u = buffer[i] = FUSED(momentum, buffer[i], u);
        }
        p[i] = FUSED(-rate, u, p[i]);
    }
}

UPDATE(rmsprop)
{
    (void)sums;
    const an_square_scalars *s = &scalars->square;
    an_real *p = vectors->p, *v = vectors->s[0], *buffer = vectors->s[1], *mean = vectors->s[2];
    const an_real *g = vectors->g;
    if (mean && buffer) {
        rmsprop_of(s, count, p, g, v, mean, buffer);
    } else if (mean) {
        rmsprop_of(s, count, p, g, v, mean, NULL);
    } else if (buffer) {
        rmsprop_of(s, count, p, g, v, NULL, buffer);
    } else {
        rmsprop_of(s, count, p, g, v, NULL, NULL);
    }
}

UPDATE(rprop)
{
    (void)sums;
    const an_rprop_scalars *s = &scalars->rprop;
    const an_real sign = (an_real)s->slope.sign, first = (an_real)s->first;
    const an_real shrink = (an_real)s->shrink, grow = (an_real)s->grow;
    const an_real least = (an_real)s->least, most = (an_real)s->most;
    an_real *restrict p = vectors->p, *restrict prev = vectors->s[0];
    an_real *restrict step = vectors->s[1];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = sign * g[i], way = d * prev[i];
        an_real size = first > 0 ? first : step[i];
        size *= way > 0 ? grow : way < 0 ? shrink : 1;
        size = size < least ? least : size > most ? most : size;
        d = way < 0 ? 0 : d;
        p[i] -= d > 0 ? size : d < 0 ? -size : d;
        step[i] = size;
        prev[i] = d;
    }
}

UPDATE(asgd)
{
    (void)sums;
    const an_asgd_scalars *s = &scalars->asgd;
    const an_real sign = (an_real)s->slope.sign, decay = (an_real)s->slope.decay;
    const an_real shrink = (an_real)s->shrink, eta = (an_real)s->eta, mu = (an_real)s->mu;
    an_real *restrict p = vectors->p, *restrict ax = vectors->s[0];
    const an_real *restrict g = vectors->g;
    for (int64_t i = 0; i < count; i++) {
        an_real d = FUSED(decay, p[i], sign * g[i]);
        p[i] = FUSED(-eta, d, shrink * p[i]);
        ax[i] = mu == 1 ? p[i] : FUSED(mu, p[i] - ax[i], ax[i]);
    }
}
