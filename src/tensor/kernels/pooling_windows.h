/*
 * Windows of pooling, what pooling.c and pooling_max.c share: which values of a plane a window
 * sees, and vectors of neighbouring windows. Included by kernel sources only.
 */
#ifndef AN_POOLING_WINDOWS_H
#define AN_POOLING_WINDOWS_H

#include "tensor/kernels/interleave.h"
#include "tensor/kernels/pooling.h"
#include "tensor/kernels/whole.h"

/* The maxima, as the table of pooling.h says. */
void AN_KERNEL_NAME(an__pooling_max)(const an_pooling *p, int64_t begin, int64_t end,
                                     const float *x, float *y, uint16_t *where);
void AN_KERNEL_NAME(an__pooling_max_backward)(const an_pooling *p, int64_t begin, int64_t end,
                                              const float *dy, const uint16_t *where, float *dx,
                                              bool add);

/* Values low <= u < high of a window lie in the plane, at first + u * step. */
typedef struct span {
    int64_t first, low, high, step;
    int64_t padded; /* how many values there are with the padding */
} span;

/* Steps that reach as far as `distance`; a division takes as long as a vector of windows. */
static inline int64_t steps_of(int64_t distance, int64_t step)
{
    return step == 1 ? distance : (distance + step - 1) / step;
}

AN_SHARED span span_of(const an_pooling *p, int axis, int64_t place)
{
    const int64_t size = p->size[axis], out = p->out_size[axis];
    if (p->adaptive) {
        const int64_t first = place * size / out;
        const int64_t count = ((place + 1) * size + out - 1) / out - first;
        return (span){first, 0, count, 1, count};
    }
    const int64_t step = p->dilation[axis];
    span s = {.first = place * p->stride[axis] - p->padding[axis], .step = step};
    s.low = s.first < 0 ? steps_of(-s.first, step) : 0;
    s.high = s.first < size ? an__at_most(steps_of(size - s.first, step), p->kernel[axis]) : 0;
    s.high = an__at_least(s.high, s.low);
    /* A window of ceil_mode ends with the padding. */
    s.padded = an__at_most(s.first + p->kernel[axis], size + p->padding[axis]) - s.first;
    return s;
}

/* Windows of 2x2 side by side that lie in the plane. */
static inline bool is_halving(const an_pooling *p)
{
    for (int axis = 0; axis < 2; axis++)
        if (p->adaptive || p->kernel[axis] != 2 || p->stride[axis] != 2 || p->padding[axis] != 0 ||
            p->dilation[axis] != 1 || p->out_size[axis] * 2 > p->size[axis])
            return false;
    return true;
}

AN_INLINE an_ivec is_nan(an_vec v)
{
    return (an_ivec)((an_ivec)an__vabs(v) > 0x7f800000);
}

/* The four values of up to AN_LANES windows of 2x2: rows of 2 * lanes floats. */
typedef struct quad {
    an_vec v[4];
} quad;

AN_INLINE quad load_quad(const float *row, int64_t width, int lanes)
{
    quad q;
    const int first = 2 * lanes < AN_LANES ? 2 * lanes : AN_LANES, second = 2 * lanes - first;
    AN_UNROLL
    for (int i = 0; i < 2; i++, row += width) {
        const bool whole = lanes == AN_LANES;
        const an_vec a = whole ? an__vload(row) : an__vload_part(row, first);
        const an_vec b = whole
                             ? an__vload(row + AN_LANES)
                             : (second > 0 ? an__vload_part(row + AN_LANES, second) : (an_vec){0});
        q.v[2 * i] = EVENS(a, b);
        q.v[2 * i + 1] = ODDS(a, b);
    }
    return q;
}

AN_INLINE void store_row(float *row, an_vec even, an_vec odd, int lanes, bool add)
{
    const int first = 2 * lanes < AN_LANES ? 2 * lanes : AN_LANES, second = 2 * lanes - first;
    an_vec a = LOWS(even, odd), b = HIGHS(even, odd);
    if (add) {
        a += an__vload_part(row, first);
        b += second > 0 ? an__vload_part(row + AN_LANES, second) : (an_vec){0};
    }
    an__vstore_part(row, a, first);
    if (second > 0)
        an__vstore_part(row + AN_LANES, b, second);
}

static inline void fill_zero(float *x, int64_t count)
{
    memset(x, 0, (size_t)an__at_least(count, 0) * sizeof *x);
}

/* Rows that will be read some windows later; beyond the end nothing is touched. */
AN_INLINE void fetch_ahead(const float *x, int64_t count)
{
    enum { AHEAD = 512, LINE = 16 }; /* floats */
    for (int64_t i = 0; i < count; i += LINE)
        __builtin_prefetch(x + AHEAD + i);
}

/* What a backward of halving leaves out: the last row or column of an odd size. */
static inline void zero_edges(const an_pooling *p, float *dx)
{
    const int64_t width = p->size[1], used = 2 * p->out_size[1], rows = 2 * p->out_size[0];
    for (int64_t i = 0; i < rows && used < width; i++)
        fill_zero(dx + i * width + used, width - used);
    fill_zero(dx + rows * width, (p->size[0] - rows) * width);
}

#endif
