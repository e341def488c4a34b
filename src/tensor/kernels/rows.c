/*
 * Reductions and softmax. Plain loops over contiguous values, for the compiler to
 * turn into vectors; sums keep sixteen accumulators (one 512-bit vector of floats holds sixteen)
 * whatever the width, so that their order is the same everywhere.
 */
#include "tensor/kernels/rows.h"

#include <math.h>
#include <string.h>

#include "tensor/kernels/loops.h"
#include "tensor/kernels/row_loops.h"

enum {
    LANES = AN_ACCUMULATORS,
    STRIP = 64 /* columns that are summed together */
};

/* -------------------------------------------------------------------- sums */

static double sum(int64_t n, const float *x)
{
    return an__sum(n, x);
}

static double dot(int64_t n, const float *a, const float *b)
{
    double lane[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (double)a[i + j] * (double)b[i + j];
    for (int j = 0; i + j < n; j++)
        lane[j] += (double)a[i + j] * (double)b[i + j];
    return an__lanes_total(lane);
}

/* A strip of columns at a time, so that its sums stay in registers or the first-level cache. */
static void column_sums(an_block block, int64_t begin, int64_t end, float *y, const float *x,
                        double scale, bool add)
{
    if (block.inner == 1 && begin < end) {
        an__put(y, (float)(scale * sum(block.count, x)), add);
        return;
    }
    for (int64_t at = begin; at < end; at += STRIP) {
        int64_t width = end - at < STRIP ? end - at : STRIP;
        double total[STRIP] = {0};
        for (int64_t k = 0; k < block.count; k++)
            for (int64_t i = 0; i < width; i++)
                total[i] += (double)x[k * block.inner + at + i];
        for (int64_t i = 0; i < width; i++)
            an__put(&y[at + i], (float)(scale * total[i]), add);
    }
}

static void spread(an_block block, float *dx, const float *dy, float scale, bool add)
{
    if (block.inner == 1) {
        const float step = block.count > 0 ? scale * dy[0] : 0.0f;
        for (int64_t k = 0; k < block.count && add; k++)
            dx[k] += step;
        for (int64_t k = 0; k < block.count && !add; k++)
            dx[k] = step;
        return;
    }
    for (int64_t k = 0; k < block.count; k++, dx += block.inner)
        for (int64_t i = 0; i < block.inner; i++)
            an__put(&dx[i], scale * dy[i], add);
}

static void column_max(an_block block, float *y, int64_t *where, const float *x)
{
    for (int64_t i = 0; i < block.inner; i++) {
        y[i] = x[i];
        where[i] = 0;
    }
    for (int64_t k = 1; k < block.count; k++)
        for (int64_t i = 0; i < block.inner; i++) {
            float value = x[k * block.inner + i];
            if (!(value <= y[i]) && y[i] == y[i]) {
                y[i] = value;
                where[i] = k;
            }
        }
}

/* --------------------------------------------- the end of a fused product */

AN_INLINE void activation_strip(an_unary activation, int64_t rows, int64_t columns, int64_t width,
                                float *dz, const float *y, double *total)
{
    for (int64_t k = 0; k < rows; k++, dz += columns, y += columns)
        for (int64_t i = 0; i < width; i++) {
            float d = dz[i], v = y[i];
            if (activation == AN_UNARY_RELU)
                d = v <= 0.0f ? 0.0f : d;
            if (activation == AN_UNARY_TANH)
                d = d * (1.0f - v * v);
            if (activation == AN_UNARY_SIGMOID)
                d = d * v * (1.0f - v);
            if (activation != AN_UNARY_AFFINE)
                dz[i] = d;
            total[i] += (double)d;
        }
}

static void activation_sums(an_block block, int64_t begin, int64_t end, an_unary activation,
                            float *dz, const float *y, float *db, bool add)
{
    for (int64_t at = begin; at < end; at += STRIP) {
        int64_t width = end - at < STRIP ? end - at : STRIP;
        double total[STRIP] = {0};
        if (activation == AN_UNARY_RELU)
            activation_strip(AN_UNARY_RELU, block.count, block.inner, width, dz + at, y + at,
                             total);
        else if (activation == AN_UNARY_TANH)
            activation_strip(AN_UNARY_TANH, block.count, block.inner, width, dz + at, y + at,
                             total);
        else if (activation == AN_UNARY_SIGMOID)
            activation_strip(AN_UNARY_SIGMOID, block.count, block.inner, width, dz + at, y + at,
                             total);
        else
            activation_strip(AN_UNARY_AFFINE, block.count, block.inner, width, dz + at, y + at,
                             total);
        for (int64_t i = 0; db && i < width; i++)
            an__put(&db[at + i], (float)total[i], add);
    }
}

/* ----------------------------------------------------------------- softmax */

static void softmax(int64_t rows, int64_t columns, float *y, const float *x)
{
    const int64_t step = columns ? an__rows_at_once(columns) : rows;
    for (int64_t at = 0; at < rows && columns; at += step) {
        int64_t count = rows - at < step ? rows - at : step;
        float *part = y + at * columns;
        an__shift_rows(count, columns, part, x + at * columns);
        an__exponentiate(count * columns, part);
        for (int64_t r = 0; r < count; r++, part += columns)
            an__scale_row(columns, part, (float)(1.0 / sum(columns, part)));
    }
}

static void softmax_backward(int64_t rows, int64_t columns, float *dx, const float *dy,
                             const float *y, bool add)
{
    for (int64_t r = 0; r < rows; r++, dx += columns, dy += columns, y += columns) {
        float mean = (float)dot(columns, dy, y);
        for (int64_t i = 0; i < columns; i++)
            an__put(&dx[i], y[i] * (dy[i] - mean), add);
    }
}

static void softmax_strip(an_block block, int64_t width, float *y, const float *x)
{
    float top[STRIP], share[STRIP];
    double total[STRIP] = {0};
    memcpy(top, x, (size_t)width * sizeof *top);
    for (int64_t k = 1; k < block.count; k++)
        for (int64_t i = 0; i < width; i++)
            top[i] = x[k * block.inner + i] > top[i] ? x[k * block.inner + i] : top[i];
    for (int64_t k = 0; k < block.count; k++)
        for (int64_t i = 0; i < width; i++) {
            float power = an__exp(x[k * block.inner + i] - top[i]);
            y[k * block.inner + i] = power;
            total[i] += (double)power;
        }
    for (int64_t i = 0; i < width; i++)
        share[i] = (float)(1.0 / total[i]);
    for (int64_t k = 0; k < block.count; k++)
        for (int64_t i = 0; i < width; i++)
            y[k * block.inner + i] *= share[i];
}

static void softmax_columns(an_block block, float *y, const float *x)
{
    for (int64_t at = 0; at < block.inner && block.count > 0; at += STRIP)
        softmax_strip(block, block.inner - at < STRIP ? block.inner - at : STRIP, y + at, x + at);
}

static void softmax_columns_backward(an_block block, float *dx, const float *dy, const float *y,
                                     bool add)
{
    for (int64_t at = 0; at < block.inner; at += STRIP) {
        int64_t width = block.inner - at < STRIP ? block.inner - at : STRIP;
        double total[STRIP] = {0};
        for (int64_t k = 0; k < block.count; k++)
            for (int64_t i = at; i < at + width; i++)
                total[i - at] += (double)dy[k * block.inner + i] * (double)y[k * block.inner + i];
        for (int64_t k = 0; k < block.count; k++)
            for (int64_t i = at; i < at + width; i++)
                an__put(&dx[k * block.inner + i],
                        y[k * block.inner + i] * (dy[k * block.inner + i] - (float)total[i - at]),
                        add);
    }
}

/* The sum of e^x over a row, without storing the powers: chunk by chunk on the stack. */
static double power_sum(int64_t n, const float *x)
{
    float part[256];
    double total = 0;
    for (int64_t at = 0; at < n; at += 256) {
        int64_t width = n - at < 256 ? n - at : 256;
        for (int64_t i = 0; i < width; i++)
            part[i] = an__exp(x[at + i]);
        total += sum(width, part);
    }
    return total;
}

static void log_softmax(int64_t rows, int64_t columns, float *y, const float *x)
{
    for (int64_t r = 0; r < rows && columns; r++, x += columns, y += columns) {
        an__shift_rows(1, columns, y, x);
        float shift = (float)log(power_sum(columns, y));
        for (int64_t i = 0; i < columns; i++)
            y[i] -= shift;
    }
}

static void log_softmax_backward(int64_t rows, int64_t columns, float *dx, const float *dy,
                                 const float *y, bool add)
{
    for (int64_t r = 0; r < rows; r++, dx += columns, dy += columns, y += columns) {
        float total = (float)sum(columns, dy);
        for (int64_t i = 0; i < columns; i++)
            an__put(&dx[i], dy[i] - an__exp(y[i]) * total, add);
    }
}

/* --------------------------------------------------------------- transpose */

/* Tiles of 16 by 16, so that both sides use whole cache lines. */
static void transpose(int64_t rows, int64_t columns, float *y, const float *x, bool add)
{
    enum { TILE = 16 };
    for (int64_t r = 0; r < rows; r += TILE)
        for (int64_t c = 0; c < columns; c += TILE)
            for (int64_t i = c; i < c + TILE && i < columns; i++)
                for (int64_t j = r; j < r + TILE && j < rows; j++)
                    an__put(&y[i * rows + j], x[j * columns + i], add);
}

const an_rows_table AN_KERNEL_NAME(an__rows_table) = {
    .sum = sum,
    .column_sums = column_sums,
    .spread = spread,
    .column_max = column_max,
    .activation_sums = activation_sums,
    .softmax = softmax,
    .softmax_backward = softmax_backward,
    .softmax_columns = softmax_columns,
    .softmax_columns_backward = softmax_columns_backward,
    .log_softmax = log_softmax,
    .log_softmax_backward = log_softmax_backward,
    .transpose = transpose,
};
