/* Softmax over attention scores, row by row, and its derivative. See attention.h. */
#include "tensor/kernels/attention.h"

#include "tensor/kernels/row_loops.h"
#include "tensor/kernels/vector.h"

/* scale * x - top up to `visible`, and what e^x makes 0 of up to `columns`. */
static void shift_row(int64_t columns, int64_t visible, float scale, float *x)
{
    const float lowest = -104.0f;
    float top = an__largest(visible, x) * scale;
    for (int64_t i = 0; i < visible; i++)
        x[i] = x[i] * scale - top;
    for (int64_t i = visible; i < columns; i++)
        x[i] = lowest;
}

static float row_total(int64_t columns, const float *x)
{
    an_vec sum = {0};
    for (int64_t i = 0; i < columns; i += AN_LANES)
        sum += an__vload_lanes(x + i, columns - i);
    return an__vsum(sum);
}

static void softmax(int64_t rows, int64_t columns, int64_t ld, int64_t visible, float scale,
                    float *s)
{
    for (int64_t r = 0; r < rows; r++, s += ld) {
        const int64_t seen = visible + r < columns ? visible + r : columns;
        /* Whole vectors of e^x, as far as there is anything to see. */
        const int64_t whole = (seen + AN_LANES - 1) / AN_LANES * AN_LANES;
        const int64_t used = whole < columns ? whole : columns;
        shift_row(used, seen, scale, s);
        an__exponentiate(used, s);
        an__scale_row(used, s, 1.0f / row_total(used, s));
        memset(s + seen, 0, (size_t)(columns - seen) * sizeof *s);
    }
}

static void drop(int64_t rows, int64_t columns, int64_t ld, float *out, const float *p,
                 const uint8_t *keep, float scale)
{
    for (int64_t r = 0; r < rows; r++, out += columns, p += ld, keep += ld)
        for (int64_t i = 0; i < columns; i++)
            out[i] = p[i] * ((float)keep[i] * scale);
}

static float row_dot(int64_t columns, const float *a, const float *b)
{
    an_vec sum = {0};
    for (int64_t i = 0; i < columns; i += AN_LANES)
        sum += an__vload_lanes(a + i, columns - i) * an__vload_lanes(b + i, columns - i);
    return an__vsum(sum);
}

static void backward(int64_t rows, int64_t columns, int64_t ld, float scale, float *d,
                     const float *p, const uint8_t *keep, float keep_scale)
{
    for (int64_t r = 0; r < rows; r++, d += columns, p += ld) {
        for (int64_t i = 0; keep && i < columns; i++)
            d[i] *= (float)keep[i] * keep_scale;
        const float sum = row_dot(columns, d, p);
        for (int64_t i = 0; i < columns; i++)
            d[i] = scale * p[i] * (d[i] - sum);
        keep = keep ? keep + ld : NULL;
    }
}

const an_scores_table AN_KERNEL_NAME(an__scores_table) = {
    .softmax = softmax, .drop = drop, .backward = backward};
