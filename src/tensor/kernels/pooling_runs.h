/*
 * Runs of neighbouring windows that move by one or two columns, what pooling.c and pooling_max.c
 * share. What the windows of a run see, or what goes back to its columns, is first copied into the
 * rows of a strip, with as much beside the image as a window reaches out, and with even and odd
 * columns apart where windows move by two. Then value v of a vector of windows is one load, and
 * windows at the edge of the image are like all others. A strip has many rows, so that nothing is
 * read right after it was written, half of a vector by one store and half by another, which
 * would wait for both. Included by kernel sources only.
 */
#ifndef AN_POOLING_RUNS_H
#define AN_POOLING_RUNS_H

#include "tensor/kernels/pooling_windows.h"

enum {
    REACH = 16, /* columns, and of a maximum rows, that a window spans at most */
    RUN = 128,  /* windows */
    STRIP = REACH * 2 * (RUN + 3 * REACH) /* floats: REACH rows of the widest run */
};
_Static_assert((int)AN_LANES <= (int)REACH, "a vector beside the image");

/* `count` windows from `first` on; backward as many columns, or pairs of them. */
typedef struct run {
    int64_t first, count;
    int64_t phase; /* of a staged row: the even columns, or all; then come the odd ones */
    int64_t pitch; /* from one staged row to the next */
} run;

/* Whether the windows go in runs. */
static inline bool in_runs(const an_pooling *p)
{
    return !p->adaptive && p->stride[1] <= 2 && p->padding[1] < REACH &&
           (p->kernel[1] - 1) * p->dilation[1] < REACH;
}

/* The run from `first` on, of `all`, in rows of `phases` phases. */
static inline run run_at(int64_t first, int64_t all, int64_t phases)
{
    const int64_t count = an__at_most(all - first, RUN);
    const int64_t phase = an__divide_up(count, AN_LANES) * AN_LANES + 3 * REACH;
    return (run){first, count, phase, phases * phase};
}

/* Where in a staged row value v of the run's first window stands; those of the others follow. */
static inline int64_t place_of(const an_pooling *p, const run *r, int64_t v)
{
    const int64_t column = v * p->dilation[1] - p->padding[1];
    const int64_t odd = p->stride[1] == 2 ? column & 1 : 0;
    return REACH + odd * r->phase + (column - odd) / p->stride[1];
}

/* All of a strip: what staging leaves of it stands beside the image. */
AN_SHARED void fill_strip(float *strip, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        strip[i] = value;
}

/* A vector of columns, `height` rows of them added up. */
AN_INLINE an_vec sum_down(const float *x, int64_t width, int64_t height, int64_t lanes)
{
    an_vec total = an__vload_lanes(x, lanes);
    for (int64_t u = 1; u < height; u++)
        total += an__vload_lanes(x + u * width, lanes);
    return total;
}

/* Columns of which a staged row has the even and the odd ones apart: the next 2 * AN_LANES. */
AN_INLINE an_ivec stage_pairs(const float *x, int64_t width, int64_t height, float *even,
                              float *odd)
{
    const an_vec a = sum_down(x, width, height, AN_LANES);
    const an_vec b = sum_down(x + AN_LANES, width, height, AN_LANES);
    an__vstore(even, EVENS(a, b));
    an__vstore(odd, ODDS(a, b));
    return is_nan(a) | is_nan(b);
}

/* The last of them, `left` columns. */
AN_INLINE an_ivec stage_last_pairs(const float *x, int64_t width, int64_t height, int left,
                                   float *even, float *odd)
{
    const bool more = left > AN_LANES;
    const an_vec a = sum_down(x, width, height, left);
    const an_vec b = more ? sum_down(x + AN_LANES, width, height, left - AN_LANES) : (an_vec){0};
    an__vstore_part(even, EVENS(a, b), (left + 1) / 2);
    an__vstore_part(odd, ODDS(a, b), left / 2);
    return is_nan(a) | is_nan(b);
}

/*
 * A row of the image, or the sum of `height` rows, into the staged row `to`. Lanes of the result
 * that are not 0: there was a NaN.
 */
AN_INLINE an_ivec stage(const an_pooling *p, const run *r, const float *x, int64_t height,
                        float *to)
{
    const int64_t width = p->size[1], stride = p->stride[1];
    const int64_t begin = an__at_least(r->first - REACH, 0) * stride;
    const int64_t end = an__at_most(width, (r->first + r->count + REACH) * stride);
    float *even = to + begin / stride - r->first + REACH, *odd = even + r->phase;
    an_ivec nan = {0};
    int64_t i = begin;
    if (stride == 1) {
        for (; i < end; i += AN_LANES, even += AN_LANES) {
            const an_vec a = sum_down(x + i, width, height, end - i);
            nan |= is_nan(a);
            an__vstore_lanes(even, a, end - i);
        }
        return nan;
    }
    for (; i + 2 * AN_LANES <= end; i += 2 * AN_LANES, even += AN_LANES, odd += AN_LANES)
        nan |= stage_pairs(x + i, width, height, even, odd);
    if (i < end)
        nan |= stage_last_pairs(x + i, width, height, (int)(end - i), even, odd);
    return nan;
}

/* Written or added to a row, of which `left` floats are left. */
AN_INLINE void put(float *row, an_vec v, int64_t left, bool add)
{
    if (left >= AN_LANES)
        an__vstore(row, add ? v + an__vload(row) : v);
    else if (left > 0)
        an__vstore_part(row, v + an__vload_part(row, add ? (int)left : 0), (int)left);
}

/* What goes to a vector of columns, or of pairs of them, even and odd: written or added. */
AN_INLINE void put_columns(float *row, const an_vec *v, int64_t stride, int64_t left, bool add)
{
    if (stride == 1) {
        put(row, v[0], left, add);
        return;
    }
    put(row, LOWS(v[0], v[1]), left, add);
    put(row + AN_LANES, HIGHS(v[0], v[1]), left - AN_LANES, add);
}

/*
 * The windows that see a column, or an even and an odd one, in their order: which of its values the
 * column is, and where in a staged row of windows it stands for the run's first column or pair.
 */
typedef struct seers {
    int count[2];
    int32_t value[2][REACH];
    int64_t place[2][REACH];
} seers;

/* Of windows without dilation. */
AN_SHARED seers seers_of(const an_pooling *p)
{
    seers s = {{0}, {{0}}, {{0}}};
    const int64_t stride = p->stride[1];
    for (int64_t b = 0; b < stride; b++)
        for (int64_t v = p->kernel[1] - 1; v >= 0; v--)
            if ((b + p->padding[1] - v) % stride == 0) {
                s.value[b][s.count[b]] = (int32_t)v;
                s.place[b][s.count[b]++] = REACH + (b + p->padding[1] - v) / stride;
            }
    return s;
}

/* Whether gradients go back in runs: no rows between the windows. */
static inline bool back_in_runs(const an_pooling *p)
{
    return in_runs(p) && p->stride[0] <= p->kernel[0] && p->dilation[0] == 1 && p->dilation[1] == 1;
}

/* How many of the values below each other of a window in row i lie in rows that have got something
 * before. */
static inline int64_t again_of(const an_pooling *p, int64_t i, bool add)
{
    if (add)
        return p->kernel[0];
    return i > 0 ? p->kernel[0] - p->stride[0] : 0;
}

/* The rows of a plane below all windows. */
static inline void zero_below(const an_pooling *p, float *dx)
{
    const int64_t end = (p->out_size[0] - 1) * p->stride[0] - p->padding[0] + p->kernel[0];
    const int64_t first = an__at_least(an__at_most(end, p->size[0]), 0);
    fill_zero(dx + first * p->size[1], (p->size[0] - first) * p->size[1]);
}

#endif
