/* Passes of the optimizers that look at a whole tensor before they move it: LAMB and Adafactor. */
#include "tensor/kernels/update_real.h"

UPDATE(lamb)
{
    const adam_reals r = adam_round(&scalars->lamb.adam);
    const an_real weight = (an_real)scalars->lamb.decay;
    const an_real *restrict p = vectors->p, *restrict g = vectors->g;
    an_real *restrict m = vectors->s[0], *restrict v = vectors->s[1];
    double values[LANES] = {0}, updates[LANES] = {0};
    EACH_IN_LANES(i, j, count, {
        const an_real d = r.sign * g[i];
        m[i] = FUSED(r.take1, d, r.keep1 * m[i]);
        v[i] = FUSED(r.take2 * d, d, r.keep2 * v[i]);
        const an_real mean = r.rate * m[i], root = FUSED(SQRT(v[i]), r.correct, r.eps);
        const an_real u = FUSED(weight, p[i], m[i] == 0 ? 0 : mean / root);
        values[j] += (double)p[i] * (double)p[i];
        updates[j] += (double)u * (double)u;
    });
    sums[0] += an__lanes_total(values);
    sums[1] += an__lanes_total(updates);
}

UPDATE(lamb_apply)
{
    (void)sums;
    const adam_reals r = adam_round(&scalars->lamb.adam);
    const an_real weight = (an_real)scalars->lamb.decay, lr = (an_real)scalars->lamb.lr;
    an_real *restrict p = vectors->p;
    const an_real *restrict m = vectors->s[0], *restrict v = vectors->s[1];
    for (int64_t i = 0; i < count; i++) {
        const an_real mean = r.rate * m[i], root = FUSED(SQRT(v[i]), r.correct, r.eps);
        const an_real u = FUSED(weight, p[i], m[i] == 0 ? 0 : mean / root);
        p[i] = FUSED(-lr, u, p[i]);
    }
}

void AN_KERNEL_NAME(an__column_squares)(int64_t rows, int64_t columns, int64_t stride,
                                        const an_real *x, double *restrict sum)
{
    for (int64_t i = 0; i < rows; i++) {
        const an_real *restrict row = x + i * stride;
        for (int64_t j = 0; j < columns; j++) {
            sum[j] += (double)row[j] * (double)row[j];
        }
    }
}

double AN_KERNEL_NAME(an__factored_squares)(const an_factors *f, int64_t begin, int64_t end,
                                            const an_real *g)
{
    const an_real *column = f->column;
    const an_real least = (an_real)f->least;
    double lane[LANES] = {0};
    for (int64_t row = begin; row < end; row++) {
        const an_real *x = g + row * f->columns;
        const an_real height = (an_real)((double)f->row[row] * f->scale);
        EACH_IN_LANES(i, j, f->columns, {
            const an_real v = height * column[i];
            const an_real u = x[i] / SQRT(v < least ? least : v);
            lane[j] += (double)u * (double)u;
        });
    }
    return an__lanes_total(lane);
}

void AN_KERNEL_NAME(an__factored_apply)(const an_factors *f, int64_t begin, int64_t end,
                                        an_real *restrict p, const an_real *restrict g,
                                        double shrink, double rate)
{
    const an_real *restrict column = f->column;
    const an_real least = (an_real)f->least, step = (an_real)rate, kept = (an_real)shrink;
    for (int64_t row = begin; row < end; row++) {
        an_real *restrict to = p + row * f->columns;
        const an_real *restrict x = g + row * f->columns;
        const an_real height = (an_real)((double)f->row[row] * f->scale);
        for (int64_t i = 0; i < f->columns; i++) {
            const an_real v = height * column[i];
            const an_real u = x[i] / SQRT(v < least ? least : v);
            to[i] = FUSED(-step, u, kept * to[i]);
        }
    }
}
