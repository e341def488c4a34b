/*
 * Losses. Each formula of losses.h is written once; plain loops put its values into a short buffer,
 * which the compiler turns into vector code, and the buffer is summed in double.
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

/* Calls `loop` with a constant step, so that each becomes a loop of its own. */
#define BY_STEP(loop, run, ...)        \
    do {                               \
        if ((run)->each)               \
            loop(run, 1, __VA_ARGS__); \
        else                           \
            loop(run, 0, __VA_ARGS__); \
    } while (0)

/* clang-format off */
#define OPERANDS(run, i, step)                                                       \
    float x = (run)->x[i], t = (run)->t[i], e = x - t;                               \
    float p = (run)->p[(i) * (step)], w = (run)->w[(i) * (step)];                    \
    (void)x, (void)t, (void)e, (void)p, (void)w

#define TOTAL(name, formula)                                                         \
    AN_INLINE void name##_part(const an_loss_run *run, int64_t step, int64_t begin,     \
                            int64_t n, float *out)                                   \
    {                                                                                \
        for (int64_t i = 0; i < n; i++) {                                            \
            OPERANDS(run, begin + i, step);                                          \
            out[i] = formula;                                                        \
        }                                                                            \
    }                                                                                \
    static double name##_total(const an_loss_run *run)                               \
    {                                                                                \
        float part[PART];                                                            \
        double total = 0;                                                            \
        for (int64_t at = 0; at < run->n; at += PART) {                              \
            int64_t n = run->n - at < PART ? run->n - at : PART;                     \
            BY_STEP(name##_part, run, at, n, part);                                  \
            total += an__sum(n, part);                                               \
        }                                                                            \
        return total;                                                                \
    }

#define GRADIENT(name, which, formula)                                               \
    AN_INLINE void name##_##which##_loop(const an_loss_run *run, int64_t step, float *d, \
                                      float scale, bool add)                         \
    {                                                                                \
        for (int64_t i = 0, n = run->n; i < n; i++) {                                \
            OPERANDS(run, i, step);                                                  \
            an__put(&d[i], scale * (formula), add);                                      \
        }                                                                            \
    }                                                                                \
    static void name##_##which(const an_loss_run *run, float *d, float scale, bool add) \
    {                                                                                \
        if (add)                                                                     \
            BY_STEP(name##_##which##_loop, run, d, scale, true);                     \
        else                                                                         \
            BY_STEP(name##_##which##_loop, run, d, scale, false);                    \
    }

#define VALUE_LOSS(NAME, name, value, derivative_x, derivative_t)                    \
    TOTAL(name, value)                                                               \
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
