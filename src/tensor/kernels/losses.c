/*
 * Losses. Each formula of losses.h is written once, as a plain loop over a short part, which the
 * compiler turns into vector code; its values go to a buffer, which is summed in double, or scaled
 * and put into a gradient. One loop a formula keeps the library small: whether there is one setting
 * for all, or whether a gradient is added, is settled outside of it.
 */
#include "tensor/kernels/losses.h"

#include <math.h>
#include <string.h>

#include "tensor/kernels/loops.h"
#include "tensor/kernels/row_loops.h"

enum { PART = 256 };

/* -1, 0 or 1; NaN stays NaN. */
AN_INLINE float sign(float e)
{
    return e > 0.0f ? 1.0f : e < 0.0f ? -1.0f : e;
}

/* ---------------------------------------------------------- value by value */

typedef void part_function(int64_t n, float *restrict out, const float *restrict xs,
                           const float *restrict ts, const float *restrict ps,
                           const float *restrict ws);

/* The settings as parts see them: those of a run, or PART copies of the ones for all. */
typedef struct settings {
    const float *p, *w;
    float all_p[PART], all_w[PART];
} settings;

static void begin_settings(settings *s, const an_loss_run *run)
{
    s->p = run->p, s->w = run->w;
    if (run->each)
        return;
    for (int i = 0; i < PART; i++)
        s->all_p[i] = *run->p, s->all_w[i] = *run->w;
    s->p = s->all_p, s->w = s->all_w;
}

/* Puts the formula's values of the part that begins at `at` into `out`; returns how many. */
static int64_t compute_part(part_function *formula, const an_loss_run *run, const settings *s,
                            int64_t at, float *out)
{
    const int64_t n = run->n - at < PART ? run->n - at : PART, own = run->each ? at : 0;
    formula(n, out, run->x + at, run->t + at, s->p + own, s->w + own);
    return n;
}

static double sum_of(part_function *formula, const an_loss_run *run)
{
    settings s;
    float part[PART];
    double total = 0;
    begin_settings(&s, run);
    for (int64_t at = 0; at < run->n; at += PART)
        total += an__sum(compute_part(formula, run, &s, at, part), part);
    return total;
}

static void gradient_of(part_function *formula, const an_loss_run *run, float *d, float scale,
                        bool add)
{
    settings s;
    float part[PART];
    begin_settings(&s, run);
    for (int64_t at = 0; at < run->n; at += PART, d += PART) {
        int64_t n = compute_part(formula, run, &s, at, part);
        if (add)
            for (int64_t i = 0; i < n; i++)
                an__put(&d[i], scale * part[i], true);
        else
            for (int64_t i = 0; i < n; i++)
                an__put(&d[i], scale * part[i], false);
    }
}

/* clang-format off */
#define PART_LOOP(name, formula)                                                     \
    static void name(int64_t n, float *restrict out, const float *restrict xs,       \
                     const float *restrict ts, const float *restrict ps,             \
                     const float *restrict ws)                                       \
    {                                                                                \
        for (int64_t i = 0; i < n; i++) {                                            \
            float x = xs[i], t = ts[i], e = x - t, p = ps[i], w = ws[i];             \
            (void)x, (void)t, (void)e, (void)p, (void)w;                             \
            out[i] = formula;                                                        \
        }                                                                            \
    }

#define GRADIENT(name, which, formula)                                               \
    PART_LOOP(name##_##which##_part, formula)                                        \
    static void name##_##which(const an_loss_run *run, float *d, float scale, bool add) \
    {                                                                                \
        gradient_of(name##_##which##_part, run, d, scale, add);                      \
    }

#define VALUE_LOSS(NAME, name, value, derivative_x, derivative_t)                    \
    PART_LOOP(name##_part, value)                                                    \
    static double name##_total(const an_loss_run *run)                               \
    {                                                                                \
        return sum_of(name##_part, run);                                             \
    }                                                                                \
    GRADIENT(name, dx, derivative_x)                                                 \
    GRADIENT(name, dt, derivative_t)
AN_VALUE_LOSS_MAP(VALUE_LOSS)
/* clang-format on */

/* ----------------------------------------------------------- cross-entropy */

/*
 * With z = x - max, l[c] = log T - z[c], T the sum of e^z: the loss is
 * a log T - (1 - s) w[y] z[y] - s / columns * (the sum of w z), where a is the sum of the factors
 * of log T. This gives the terms with z; *all gets a.
 */
static double shifted_terms(const an_class_loss *c, const float *z, int32_t label, double *all)
{
    double near = (1 - c->smoothing) * (c->weight ? (double)c->weight[label] : 1.0);
    double loss = -near * (double)z[label];
    *all = near;
    if (c->smoothing == 0)
        return loss;
    double each = c->smoothing / (double)c->columns, sum = 0;
    if (c->weight)
        for (int64_t i = 0; i < c->columns; i++)
            sum += (double)c->weight[i] * (double)z[i];
    else
        sum = an__sum(c->columns, z);
    *all += each * c->weight_sum;
    return loss - each * sum;
}

/* `kept` holds e^z and becomes a e^z / T. */
static double finish_row(int64_t columns, float *kept, double all)
{
    double total = an__sum(columns, kept);
    an__scale_row(columns, kept, (float)(all / total));
    return all * log(total);
}

static void cross_entropy(const an_class_loss *c, int64_t rows, float *kept, double *loss,
                          const float *x, const int32_t *label)
{
    const int64_t columns = c->columns, step = an__rows_at_once(columns);
    for (int64_t at = 0; at < rows; at += step) {
        int64_t count = rows - at < step ? rows - at : step;
        float *part = kept + at * columns;
        double all[AN_CHUNK];
        an__shift_rows(count, columns, part, x + at * columns);
        for (int64_t r = 0; r < count; r++) {
            all[r] = 0;
            if (label[at + r] != c->ignored)
                loss[at + r] = shifted_terms(c, part + r * columns, label[at + r], &all[r]);
        }
        an__exponentiate(count * columns, part);
        for (int64_t r = 0; r < count; r++, part += columns) {
            if (label[at + r] != c->ignored) {
                loss[at + r] += finish_row(columns, part, all[r]);
            } else {
                loss[at + r] = 0;
                memset(part, 0, (size_t)columns * sizeof(float));
            }
        }
    }
}

static void smooth_row(const an_class_loss *c, float *dx, float each)
{
    if (c->weight)
        for (int64_t i = 0; i < c->columns; i++)
            dx[i] -= each * c->weight[i];
    else
        for (int64_t i = 0; i < c->columns; i++)
            dx[i] -= each;
}

static void cross_entropy_backward(const an_class_loss *c, int64_t rows, float *dx,
                                   const float *kept, const int32_t *label, float scale, bool add)
{
    const float each = (float)((double)scale * c->smoothing / (double)c->columns);
    const float near = (float)((double)scale * (1 - c->smoothing));
    if (add)
        for (int64_t i = 0; i < rows * c->columns; i++)
            an__put(&dx[i], scale * kept[i], true);
    else
        for (int64_t i = 0; i < rows * c->columns; i++)
            an__put(&dx[i], scale * kept[i], false);
    for (int64_t r = 0; r < rows; r++, dx += c->columns) {
        if (label[r] == c->ignored)
            continue;
        dx[label[r]] -= near * (c->weight ? c->weight[label[r]] : 1.0f);
        if (c->smoothing != 0)
            smooth_row(c, dx, each);
    }
}

#define VALUE_LOSS_ENTRY(NAME, name, value, dx, dt) \
    [AN_VALUE_LOSS_##NAME] = {name##_total, {name##_dx, name##_dt}},

const an_losses_table AN_KERNEL_NAME(an__losses_table) = {
    .value = {AN_VALUE_LOSS_MAP(VALUE_LOSS_ENTRY)},
    .cross_entropy = cross_entropy,
    .cross_entropy_backward = cross_entropy_backward,
};
