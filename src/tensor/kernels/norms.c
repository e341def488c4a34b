/*
 * Normalisation. Means and squares are taken around a first estimate k of the mean, that of the
 * first values: s = the sum of x - k and q that of (x - k)^2 in one pass; then the mean is k + s /
 * n and the squares are q - s^2 / n, where little cancels since k is close.
 */
#include "tensor/kernels/norms.h"

#include <math.h>

#include "tensor/kernels/transpose.h"
#include "tensor/kernels/vector.h"
#include "tensor/kernels/whole.h"

enum {
    BLOCK = 4096, /* values that are summed in float */
    STRIP = 64    /* columns that are handled together */
};

/* `v` in the first `count` lanes, 0 in the others. */
AN_INLINE an_vec first_lanes(an_vec v, int count)
{
    static const int32_t index[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    an_ivec lane;
    memcpy(&lane, index, sizeof lane);
    return an__vselect(lane < count, v, an__vsplat(0.0f));
}

/* Two sums that grow together, lane by lane. */
typedef struct two {
    an_vec a, b;
} two;

AN_INLINE two two_zero(void)
{
    return (two){an__vsplat(0.0f), an__vsplat(0.0f)};
}

/* ------------------------------------------------------------------- sums */

static float plain_sum(int64_t n, const float *x)
{
    an_vec a = an__vsplat(0.0f), b = a;
    int64_t i = 0;
    for (; i + 2 * AN_LANES <= n; i += 2 * AN_LANES) {
        a += an__vload(x + i);
        b += an__vload(x + i + AN_LANES);
    }
    for (; i < n; i += AN_LANES)
        a += an__vload_part(x + i, an__lanes(n - i));
    return an__vsum(a + b);
}

/* Adds x - k and its squares. */
AN_INLINE two add_moments(two sum, int64_t n, const float *x, an_vec k)
{
    an_vec c = an__vsplat(0.0f), d = c;
    int64_t i = 0;
    for (; i + 2 * AN_LANES <= n; i += 2 * AN_LANES) {
        an_vec u = an__vload(x + i) - k, v = an__vload(x + i + AN_LANES) - k;
        sum.a += u;
        sum.b += u * u;
        c += v;
        d += v * v;
    }
    for (; i < n; i += AN_LANES) {
        int count = an__lanes(n - i);
        an_vec u = first_lanes(an__vload_part(x + i, count) - k, count);
        sum.a += u;
        sum.b += u * u;
    }
    return (two){sum.a + c, sum.b + d};
}

/* Adds dy and dy (x - mean). */
AN_INLINE two add_products(two sum, int64_t n, const float *dy, const float *x, an_vec mean)
{
    an_vec c = an__vsplat(0.0f), d = c;
    int64_t i = 0;
    for (; i + 2 * AN_LANES <= n; i += 2 * AN_LANES) {
        an_vec u = an__vload(dy + i), v = an__vload(dy + i + AN_LANES);
        sum.a += u;
        sum.b += u * (an__vload(x + i) - mean);
        c += v;
        d += v * (an__vload(x + i + AN_LANES) - mean);
    }
    for (; i < n; i += AN_LANES) {
        int count = an__lanes(n - i);
        an_vec u = an__vload_part(dy + i, count);
        sum.a += u;
        sum.b += u * (an__vload_part(x + i, count) - mean);
    }
    return (two){sum.a + c, sum.b + d};
}

/* Sums over all pieces: of x - k and its squares, or with dy of dy and dy (x - k). */
typedef struct totals {
    double a, b;
} totals;

AN_INLINE void flush(totals *total, two *sum)
{
    total->a += (double)an__vsum(sum->a);
    total->b += (double)an__vsum(sum->b);
    *sum = two_zero();
}

AN_INLINE totals over_pieces(an_pieces pieces, const float *dy, const float *x, float k)
{
    const an_vec around = an__vsplat(k);
    totals total = {0, 0};
    two sum = two_zero();
    int64_t since = 0; /* values in `sum` */
    for (int64_t piece = 0; piece < pieces.count; piece++)
        for (int64_t from = 0; from < pieces.length; from += BLOCK) {
            const int64_t n = an__at_most(pieces.length - from, BLOCK);
            const int64_t at = piece * pieces.step + from;
            if (since + n > BLOCK) {
                flush(&total, &sum);
                since = 0;
            }
            sum = dy ? add_products(sum, n, dy + at, x + at, around)
                     : add_moments(sum, n, x + at, around);
            since += n;
        }
    flush(&total, &sum);
    return total;
}

AN_INLINE an_moments moments_of(an_pieces pieces, const float *x)
{
    const int64_t first = an__at_most(pieces.length, BLOCK);
    const double n = (double)(pieces.count * pieces.length);
    if (n == 0)
        return (an_moments){0, 0};
    const float k = plain_sum(first, x) / (float)first;
    const totals t = over_pieces(pieces, NULL, x, k);
    const double squares = t.b - t.a * t.a / n;
    return (an_moments){(double)k + t.a / n, squares < 0 ? 0 : squares};
}

static an_moments moments(an_pieces pieces, const float *x)
{
    return moments_of(pieces, x);
}

static void sums(an_pieces pieces, const float *dy, const float *x, float mean, double *of_dy,
                 double *of_product)
{
    const totals t = over_pieces(pieces, dy, x, mean);
    *of_dy = t.a;
    *of_product = t.b;
}

/* ------------------------------------------------------------------ pieces */

static void normalise(an_pieces pieces, float *y, const float *x, float mean, float scale,
                      float shift)
{
    for (int64_t k = 0; k < pieces.count; k++, x += pieces.step, y += pieces.step)
        for (int64_t i = 0; i < pieces.length; i++)
            y[i] = (x[i] - mean) * scale + shift;
}

AN_INLINE void combine_loop(an_pieces pieces, float *dx, const float *dy, const float *x,
                            float mean, const float *abc, bool add)
{
    const float a = abc[0], b = abc[1], c = abc[2];
    for (int64_t k = 0; k < pieces.count; k++) {
        AN_INDEPENDENT
        for (int64_t i = 0; i < pieces.length; i++)
            an__put(&dx[i], a * dy[i] + (b * (x[i] - mean) + c), add);
        dx += pieces.step;
        dy += pieces.step;
        x += pieces.step;
    }
}

static void combine(an_pieces pieces, float *dx, const float *dy, const float *x, float mean,
                    const float *abc, bool add)
{
    if (add)
        combine_loop(pieces, dx, dy, x, mean, abc, true);
    else
        combine_loop(pieces, dx, dy, x, mean, abc, false);
}

/* ------------------------------------------------------------------ groups */

/* Channels are often short, 49 values or so: whole vectors, and the rest as a part of one. */
static void group_normalise(const an_norm_group *g, float *y, const float *x)
{
    const an_vec mean = an__vsplat(g->mean);
    for (int64_t k = 0; k < g->channels; k++, x += g->length, y += g->length) {
        const an_vec scale = an__vsplat(g->weight ? g->weight[k] * g->rstd : g->rstd);
        const an_vec shift = an__vsplat(g->bias ? g->bias[k] : 0.0f);
        int64_t i = 0;
        for (; i + AN_LANES <= g->length; i += AN_LANES)
            an__vstore(y + i, (an__vload(x + i) - mean) * scale + shift);
        if (i < g->length) {
            const int count = an__lanes(g->length - i);
            an__vstore_part(y + i, (an__vload_part(x + i, count) - mean) * scale + shift, count);
        }
    }
}

/* The sums of the lanes of each vector, one a lane. */
AN_INLINE an_vec lane_sums(an_vec v[AN_LANES])
{
    an__transpose(v);
    AN_UNROLL
    for (int half = AN_LANES / 2; half > 0; half /= 2) {
        AN_UNROLL
        for (int i = 0; i < half; i++)
            v[i] += v[i + half];
    }
    return v[0];
}

/* Those of up to AN_LANES short channels, a lane each. */
static void short_sums(int64_t channels, int64_t length, const float *dy, const float *x,
                       float mean, double *of_dy, double *of_product)
{
    const an_vec around = an__vsplat(mean);
    an_vec a[AN_LANES], b[AN_LANES];
    for (int64_t k = 0; k < AN_LANES; k++) {
        const int64_t n = k < channels ? length : 0;
        const two sum = add_products(two_zero(), n, dy, x, around);
        a[k] = sum.a;
        b[k] = sum.b;
        dy += n;
        x += n;
    }
    const an_vec u = lane_sums(a), v = lane_sums(b);
    for (int k = 0; k < channels; k++) {
        of_dy[k] = (double)u[k];
        of_product[k] = (double)v[k];
    }
}

static void group_sums(const an_norm_group *g, const float *dy, const float *x, double *of_dy,
                       double *of_product)
{
    const bool together = g->length <= BLOCK && g->channels > 1;
    const int64_t step = together ? AN_LANES : 1;
    for (int64_t k = 0; k < g->channels; k += step) {
        const int64_t at = k * g->length;
        if (together)
            short_sums(an__lanes(g->channels - k), g->length, dy + at, x + at, g->mean, of_dy + k,
                       of_product + k);
        else
            sums((an_pieces){1, g->length, g->length}, dy + at, x + at, g->mean, of_dy + k,
                 of_product + k);
    }
}

AN_INLINE void combine_group(const an_norm_group *g, float *dx, const float *dy, const float *x,
                             float b, float c, bool add)
{
    const an_vec mean = an__vsplat(g->mean), slope = an__vsplat(b), shift = an__vsplat(c);
    for (int64_t k = 0; k < g->channels; k++) {
        const an_vec scale = an__vsplat(g->weight ? g->weight[k] * g->rstd : g->rstd);
        for (int64_t i = 0; i < g->length; i += AN_LANES) {
            const int64_t left = g->length - i;
            an_vec d = slope * (an__vload_lanes(x + i, left) - mean) + shift;
            d += scale * an__vload_lanes(dy + i, left);
            an__vstore_lanes(dx + i, add ? d + an__vload_lanes(dx + i, left) : d, left);
        }
        dx += g->length;
        dy += g->length;
        x += g->length;
    }
}

static void group_combine(const an_norm_group *g, float *dx, const float *dy, const float *x,
                          float b, float c, bool add)
{
    if (add)
        combine_group(g, dx, dy, x, b, c, true);
    else
        combine_group(g, dx, dy, x, b, c, false);
}

/* -------------------------------------------------------------------- rows */

AN_INLINE void finish_row(const an_norm_rows *s, float *y, const float *x, float mean, float rstd)
{
    const float *weight = s->weight, *bias = s->bias;
    const int64_t n = s->columns;
    if (weight && bias)
        for (int64_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * rstd * weight[i] + bias[i];
    else if (weight)
        for (int64_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * rstd * weight[i];
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = (x[i] - mean) * rstd;
}

static void rows_forward(const an_norm_rows *s, int64_t rows, float *y, const float *x, float *mean,
                         float *rstd)
{
    const int64_t n = s->columns;
    for (int64_t r = 0; r < rows; r++, x += n, y += n) {
        const an_pieces row = {1, n, n};
        const an_moments m =
            s->centred ? moments_of(row, x) : (an_moments){0, over_pieces(row, NULL, x, 0.0f).b};
        mean[r] = (float)m.mean;
        rstd[r] = (float)(1 / sqrt(m.squares / (double)n + s->eps));
        finish_row(s, y, x, mean[r], rstd[r]);
    }
}

/* The sums of g = dy weight and of g (x - mean), adding to those of weight and bias. */
AN_INLINE two row_sums(int64_t n, const float *dy, const float *x, const float *weight, float mean,
                       float rstd, const an_norm_sums *sums)
{
    const an_vec m = an__vsplat(mean), r = an__vsplat(rstd);
    two sum = two_zero();
    for (int64_t i = 0; i < n; i += AN_LANES) {
        const int count = an__lanes(n - i);
        const an_vec up = an__vload_part(dy + i, count);
        const an_vec away = an__vload_part(x + i, count) - m;
        const an_vec g = weight ? up * an__vload_part(weight + i, count) : up;
        sum.a += g;
        sum.b += g * away;
        if (sums->weight)
            an__vstore_part(sums->weight + i,
                            an__vload_part(sums->weight + i, count) + up * away * r, count);
        if (sums->bias)
            an__vstore_part(sums->bias + i, an__vload_part(sums->bias + i, count) + up, count);
    }
    return sum;
}

AN_INLINE void row_gradient(int64_t n, float *dx, const float *dy, const float *x,
                            const float *weight, const float *abc, float mean, bool add)
{
    const float a = abc[0], b = abc[1], c = abc[2];
    if (weight) {
        AN_INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            an__put(&dx[i], a * (dy[i] * weight[i]) + (b * (x[i] - mean) + c), add);
    } else {
        AN_INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            an__put(&dx[i], a * dy[i] + (b * (x[i] - mean) + c), add);
    }
}

static void rows_backward(const an_norm_rows *s, int64_t rows, float *dx, const float *dy,
                          const float *x, const float *mean, const float *rstd,
                          const an_norm_sums *sums, bool add)
{
    const int64_t n = s->columns;
    for (int64_t r = 0; r < rows; r++, x += n, dy += n) {
        double g = 0, product = 0;
        for (int64_t at = 0; at < n; at += BLOCK) {
            const an_norm_sums part = {sums->weight ? sums->weight + at : NULL,
                                       sums->bias ? sums->bias + at : NULL};
            const two sum = row_sums(an__at_most(n - at, BLOCK), dy + at, x + at,
                                     s->weight ? s->weight + at : NULL, mean[r], rstd[r], &part);
            g += (double)an__vsum(sum.a);
            product += (double)an__vsum(sum.b);
        }
        const double scale = (double)rstd[r], over = scale / (double)n;
        const float abc[3] = {rstd[r], (float)(-product * scale * scale * over),
                              s->centred ? (float)(-g * over) : 0.0f};
        float *out = dx ? dx + r * n : NULL;
        if (out && add)
            row_gradient(n, out, dy, x, s->weight, abc, mean[r], true);
        else if (out)
            row_gradient(n, out, dy, x, s->weight, abc, mean[r], false);
    }
}

/* ----------------------------------------------------------------- columns */

/* Goes over strips of the columns begin..end: declares `at` and `width`. */
/* NOLINTBEGIN(bugprone-macro-parentheses): names that are declared take no parentheses */
#define OVER_STRIPS(at, width)                             \
    for (int64_t at = begin, width; at < end; at += STRIP) \
        if ((width = an__at_most(end - at, STRIP)) > 0)
/* NOLINTEND(bugprone-macro-parentheses) */

static void column_moments(int64_t rows, int64_t columns, int64_t begin, int64_t end,
                           const float *x, an_moments *out)
{
    OVER_STRIPS(at, width)
    {
        double s[STRIP] = {0}, q[STRIP] = {0};
        float k[STRIP];
        for (int64_t i = 0; i < width; i++)
            k[i] = x[at + i];
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < width; i++)
                s[i] += (double)(x[r * columns + at + i] - k[i]);
        for (int64_t i = 0; i < width; i++)
            out[at + i].mean = (double)k[i] + s[i] / (double)rows;
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < width; i++) {
                double away = (double)x[r * columns + at + i] - out[at + i].mean;
                q[i] += away * away;
            }
        for (int64_t i = 0; i < width; i++)
            out[at + i].squares = q[i];
    }
}

static void column_normalise(int64_t rows, int64_t columns, int64_t begin, int64_t end, float *y,
                             const float *x, const float *mean, const float *scale,
                             const float *shift)
{
    for (int64_t r = 0; r < rows; r++, x += columns, y += columns)
        for (int64_t i = begin; i < end; i++)
            y[i] = (x[i] - mean[i]) * scale[i] + shift[i];
}

static void column_sums(int64_t rows, int64_t columns, int64_t begin, int64_t end, const float *dy,
                        const float *x, const float *mean, double *of_dy, double *of_product)
{
    OVER_STRIPS(at, width)
    {
        double s[STRIP] = {0}, q[STRIP] = {0};
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < width; i++) {
                float up = dy[r * columns + at + i];
                s[i] += (double)up;
                q[i] += (double)(up * (x[r * columns + at + i] - mean[at + i]));
            }
        for (int64_t i = 0; i < width; i++) {
            of_dy[at + i] = s[i];
            of_product[at + i] = q[i];
        }
    }
}

static void column_combine(int64_t rows, int64_t columns, int64_t begin, int64_t end, float *dx,
                           const float *dy, const float *x, const float *mean, const float *a,
                           const float *b, const float *c, bool add)
{
    for (int64_t r = 0; r < rows; r++, x += columns, dy += columns, dx += columns) {
        if (add) {
            AN_INDEPENDENT
            for (int64_t i = begin; i < end; i++)
                dx[i] += a[i] * dy[i] + (b[i] * (x[i] - mean[i]) + c[i]);
        } else {
            AN_INDEPENDENT
            for (int64_t i = begin; i < end; i++)
                dx[i] = a[i] * dy[i] + (b[i] * (x[i] - mean[i]) + c[i]);
        }
    }
}

const an_norms_table AN_KERNEL_NAME(an__norms_table) = {
    .rows = rows_forward,
    .rows_backward = rows_backward,
    .moments = moments,
    .normalise = normalise,
    .sums = sums,
    .combine = combine,
    .group_normalise = group_normalise,
    .group_sums = group_sums,
    .group_combine = group_combine,
    .column_moments = column_moments,
    .column_normalise = column_normalise,
    .column_sums = column_sums,
    .column_combine = column_combine,
};
