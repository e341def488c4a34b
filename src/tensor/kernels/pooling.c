/*
 * Pooling by the kernels of one width. Windows of 2x2 side by side, the common ones, go a vector of
 * them at a time: two loads of each row are sorted into even and odd columns. So do others that
 * move by one or two columns and lie inside of the row; what is left goes window by window. See
 * pooling.h.
 */
#include "tensor/kernels/pooling.h"

#include "tensor/kernels/vector.h"
#include "tensor/kernels/whole.h"

/* Even and odd lanes of a and b, one after the other. */
#if AN_KERNEL_BITS == 512
#define EVENS(a, b) \
    __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODDS(a, b) \
    __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define LOWS(a, b) \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGHS(a, b) \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif AN_KERNEL_BITS == 256
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define LOWS(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGHS(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define EVENS(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODDS(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define LOWS(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGHS(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

/* Which of a window's values, one a lane. */
typedef uint16_t choice __attribute__((vector_size(2 * AN_LANES)));

/* ----------------------------------------------------------------- windows */

/* Values low <= u < high of a window lie in the plane, at first + u * step. */
typedef struct span {
    int64_t first, low, high, step;
    int64_t padded; /* how many values there are with the padding */
} span;

static span span_of(const an_pooling *p, int axis, int64_t place)
{
    const int64_t size = p->size[axis], out = p->out_size[axis];
    if (p->adaptive) {
        const int64_t first = place * size / out;
        const int64_t count = ((place + 1) * size + out - 1) / out - first;
        return (span){first, 0, count, 1, count};
    }
    const int64_t step = p->dilation[axis];
    span s = {.first = place * p->stride[axis] - p->padding[axis], .step = step};
    s.low = s.first < 0 ? (-s.first + step - 1) / step : 0;
    s.high = s.first < size ? an__at_most((size - s.first + step - 1) / step, p->kernel[axis]) : 0;
    s.high = an__at_least(s.high, s.low);
    /* A window of ceil_mode ends with the padding. */
    s.padded = an__at_most(s.first + p->kernel[axis], size + p->padding[axis]) - s.first;
    return s;
}

/* What the mean of a window divides by. */
static float divisor_of(const an_pooling *p, span down, span across)
{
    if (p->divisor != 0)
        return (float)p->divisor;
    if (p->exclude_padding)
        return (float)((down.high - down.low) * (across.high - across.low));
    return (float)(down.padded * across.padded);
}

/* Windows of 2x2 side by side that lie in the plane. */
static bool is_halving(const an_pooling *p)
{
    for (int axis = 0; axis < 2; axis++)
        if (p->adaptive || p->kernel[axis] != 2 || p->stride[axis] != 2 || p->padding[axis] != 0 ||
            p->dilation[axis] != 1 || p->out_size[axis] * 2 > p->size[axis])
            return false;
    return true;
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

/* Columns first <= j < last whose windows lie inside of their rows and move by one or two. */
typedef struct inside {
    int64_t first, last;
} inside;

static inside inside_of(const an_pooling *p)
{
    const int64_t stride = p->stride[1], out = p->out_size[1];
    if (p->adaptive || stride > 2)
        return (inside){out, out};
    const int64_t room = p->size[1] + p->padding[1] - (p->kernel[1] - 1) * p->dilation[1];
    const int64_t last = room > 0 ? an__at_most((room - 1) / stride + 1, out) : 0;
    const int64_t first = (p->padding[1] + stride - 1) / stride;
    return first < last ? (inside){first, last} : (inside){out, out};
}

/* The same for a row whose windows see the rows of `down`: none where it is empty. */
static inside inside_row(const an_pooling *p, span down)
{
    const inside none = {p->out_size[1], p->out_size[1]};
    return down.low < down.high ? inside_of(p) : none;
}

/* The columns that are not inside: the first of them, and the one after j. */
static int64_t first_outside(inside in)
{
    return in.first > 0 ? 0 : in.last;
}

static int64_t next_outside(inside in, int64_t j)
{
    return j + 1 == in.first ? in.last : j + 1;
}

/* x, or every other value of it: reads nothing beyond the last that is taken. */
AN_INLINE an_vec load_stepped(const float *x, int64_t stride, int lanes)
{
    if (stride == 1)
        return an__vload_lanes(x, lanes);
    const int count = 2 * lanes - 1;
    const an_vec a = count >= AN_LANES ? an__vload(x) : an__vload_part(x, count);
    const an_vec b =
        count > AN_LANES ? an__vload_part(x + AN_LANES, count - AN_LANES) : (an_vec){0};
    return EVENS(a, b);
}

/* Adds v to what load_stepped reads. */
AN_INLINE void add_stepped(float *x, an_vec v, int64_t stride, int lanes)
{
    if (stride == 1) {
        an__vstore_part(x, an__vload_part(x, lanes) + v, lanes);
        return;
    }
    const int count = 2 * lanes - 1, first = count < AN_LANES ? count : AN_LANES;
    const an_vec none = {0};
    an__vstore_part(x, an__vload_part(x, first) + LOWS(v, none), first);
    if (count > first) {
        const an_vec b = an__vload_part(x + AN_LANES, count - first) + HIGHS(v, none);
        an__vstore_part(x + AN_LANES, b, count - first);
    }
}

static void fill_zero(float *x, int64_t count)
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
static void zero_edges(const an_pooling *p, float *dx)
{
    const int64_t width = p->size[1], used = 2 * p->out_size[1], rows = 2 * p->out_size[0];
    for (int64_t i = 0; i < rows && used < width; i++)
        fill_zero(dx + i * width + used, width - used);
    fill_zero(dx + rows * width, (p->size[0] - rows) * width);
}

/* ----------------------------------------------------------------- maximum */

/* NaN wins, then the first of the greatest. */
AN_INLINE bool wins(float x, float best)
{
    return x > best || x != x;
}

AN_INLINE an_ivec is_nan(an_vec v)
{
    return (an_ivec)((an_ivec)an__vabs(v) > 0x7f800000);
}

static void max_halving(const an_pooling *p, const float *x, float *y, uint16_t *where)
{
    const int64_t width = p->size[1], across = p->out_size[1];
    for (int64_t i = 0; i < p->out_size[0]; i++, x += 2 * width, y += across) {
        fetch_ahead(x, 2 * width);
        for (int64_t j = 0; j < across; j += AN_LANES) {
            const int lanes = an__lanes(across - j);
            const quad q = load_quad(x + 2 * j, width, lanes);
            an_vec best = q.v[0];
            an_ivec at = {0};
            AN_UNROLL
            for (int k = 1; k < 4; k++) {
                const an_ivec wins = (an_ivec)(q.v[k] > best) | is_nan(q.v[k]);
                best = an__vselect(wins, q.v[k], best);
                at = (wins & k) | (~wins & at);
            }
            an__vstore_lanes(y + j, best, lanes);
            if (where) {
                const choice chosen = __builtin_convertvector(at, choice);
                memcpy(where + i * across + j, &chosen, (size_t)lanes * sizeof *where);
            }
        }
    }
}

/* The maximum of one window; the first value if all are -infinity. */
static float max_of(const an_pooling *p, span down, span across, const float *x, uint16_t *where)
{
    float best = -INFINITY;
    int64_t at = down.low * p->kernel[1] + across.low;
    for (int64_t u = down.low; u < down.high; u++)
        for (int64_t v = across.low; v < across.high; v++) {
            const float value =
                x[(down.first + u * down.step) * p->size[1] + across.first + v * across.step];
            if (wins(value, best)) {
                best = value;
                at = u * p->kernel[1] + v;
            }
        }
    if (where)
        *where = (uint16_t)at;
    return best;
}

/* The maxima of `lanes` windows from column j on; `down` is not empty. */
static void max_inside(const an_pooling *p, span down, int64_t j, int lanes, const float *x,
                       float *y, uint16_t *where)
{
    const int64_t width = p->size[1], stride = p->stride[1];
    const float *row = x + j * stride - p->padding[1] + (down.first + down.low * down.step) * width;
    an_vec best = load_stepped(row, stride, lanes);
    an_ivec at = (an_ivec){0} + (int32_t)(down.low * p->kernel[1]);
    for (int64_t u = down.low; u < down.high; u++, row += down.step * width)
        for (int64_t v = 0; v < p->kernel[1]; v++) {
            const an_vec value = load_stepped(row + v * p->dilation[1], stride, lanes);
            const an_ivec wins = (an_ivec)(value > best) | is_nan(value);
            best = an__vselect(wins, value, best);
            at = (wins & (int32_t)(u * p->kernel[1] + v)) | (~wins & at);
        }
    an__vstore_lanes(y, best, lanes);
    if (where) {
        const choice chosen = __builtin_convertvector(at, choice);
        memcpy(where, &chosen, (size_t)lanes * sizeof *where);
    }
}

static void max_plane(const an_pooling *p, const float *x, float *y, uint16_t *where)
{
    const int64_t across = p->out_size[1];
    for (int64_t i = 0; i < p->out_size[0]; i++, y += across) {
        const span down = span_of(p, 0, i);
        const inside in = inside_row(p, down);
        uint16_t *places = where ? where + i * across : NULL;
        for (int64_t j = in.first; j < in.last; j += AN_LANES)
            max_inside(p, down, j, an__lanes(in.last - j), x, y + j, places ? places + j : NULL);
        for (int64_t j = first_outside(in); j < across; j = next_outside(in, j))
            y[j] = max_of(p, down, span_of(p, 1, j), x, places ? places + j : NULL);
    }
}

static void max_forward(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y,
                        uint16_t *where)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    for (int64_t i = begin; i < end; i++)
        (halving ? max_halving : max_plane)(p, x + i * in, y + i * out,
                                            where ? where + i * out : NULL);
}

static void max_halving_backward(const an_pooling *p, const float *dy, const uint16_t *where,
                                 float *dx, bool add)
{
    const int64_t width = p->size[1], across = p->out_size[1];
    if (!add)
        zero_edges(p, dx);
    for (int64_t i = 0; i < p->out_size[0]; i++, dx += 2 * width)
        for (int64_t j = 0; j < across; j += AN_LANES) {
            const int lanes = an__lanes(across - j);
            const int64_t first = i * across + j;
            const an_vec d = an__vload_lanes(dy + first, lanes);
            choice chosen = {0};
            memcpy(&chosen, where + first, (size_t)lanes * sizeof *where);
            const an_ivec at = __builtin_convertvector(chosen, an_ivec);
            an_vec v[4];
            AN_UNROLL
            for (int k = 0; k < 4; k++)
                v[k] = an__vselect((an_ivec)(at == k), d, (an_vec){0});
            store_row(dx + 2 * j, v[0], v[1], lanes, add);
            store_row(dx + width + 2 * j, v[2], v[3], lanes, add);
        }
}

static void max_plane_backward(const an_pooling *p, const float *dy, const uint16_t *where,
                               float *dx, bool add)
{
    /* where / kernel[1] without a division: exact below AN_POOLING_MAX_KERNEL */
    const uint64_t inverse = (UINT64_C(1) << 32) / (uint64_t)p->kernel[1] + 1;
    if (!add)
        fill_zero(dx, p->size[0] * p->size[1]);
    for (int64_t i = 0; i < p->out_size[0]; i++)
        for (int64_t j = 0; j < p->out_size[1]; j++, dy++, where++) {
            const int64_t u = (int64_t)(*where * inverse >> 32), v = *where - u * p->kernel[1];
            const int64_t row = i * p->stride[0] - p->padding[0] + u * p->dilation[0];
            const int64_t column = j * p->stride[1] - p->padding[1] + v * p->dilation[1];
            if (row < p->size[0] && column < p->size[1])
                dx[row * p->size[1] + column] += *dy;
        }
}

static void max_backward(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                         const uint16_t *where, float *dx, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    for (int64_t i = begin; i < end; i++)
        (halving ? max_halving_backward : max_plane_backward)(p, dy + i * out, where + i * out,
                                                              dx + i * in, add);
}

/* -------------------------------------------------------------------- mean */

static void mean_halving(const an_pooling *p, float scale, const float *x, float *y)
{
    const int64_t width = p->size[1], across = p->out_size[1];
    for (int64_t i = 0; i < p->out_size[0]; i++, x += 2 * width, y += across) {
        fetch_ahead(x, 2 * width);
        for (int64_t j = 0; j < across; j += AN_LANES) {
            const int lanes = an__lanes(across - j);
            const quad q = load_quad(x + 2 * j, width, lanes);
            an__vstore_lanes(y + j, ((q.v[0] + q.v[1]) + (q.v[2] + q.v[3])) * scale, lanes);
        }
    }
}

/* The rows of a window: as one where nothing lies between them. */
typedef struct rows {
    int64_t count, length;
} rows;

static rows rows_of(const an_pooling *p, span down, span across)
{
    const rows r = {down.high - down.low, across.high - across.low};
    return r.length == p->size[1] ? (rows){1, r.count * r.length} : r;
}

/* Up to MOST vectors in float, then in double. */
static double window_sum(const an_pooling *p, span down, span across, const float *x)
{
    enum { MOST = 16 };
    const rows r = rows_of(p, down, across);
    const float *row = x + (down.first + down.low) * p->size[1] + across.first + across.low;
    double sum = 0;
    an_vec part = {0};
    int held = 0;
    for (int64_t u = 0; u < r.count; u++, row += p->size[1])
        for (int64_t v = 0; v < r.length; v += AN_LANES) {
            part += an__vload_part(row + v, an__lanes(r.length - v));
            if (++held == MOST) {
                sum += (double)an__vsum(part);
                part = (an_vec){0};
                held = 0;
            }
        }
    return sum + (double)an__vsum(part);
}

/* Windows of more values than this are summed in double. */
enum { FEW_VALUES = 64 };

static inside inside_mean(const an_pooling *p, span down)
{
    const inside none = {p->out_size[1], p->out_size[1]};
    return p->kernel[0] * p->kernel[1] <= FEW_VALUES ? inside_row(p, down) : none;
}

/* The first pixel that the window of column j sees. */
static int64_t first_pixel(const an_pooling *p, span down, int64_t j)
{
    return (down.first + down.low) * p->size[1] + j * p->stride[1] - p->padding[1];
}

/* The means of `lanes` windows from column j on. */
static void mean_inside(const an_pooling *p, span down, int64_t j, int lanes, const float *x,
                        float *y)
{
    const float *row = x + first_pixel(p, down, j);
    an_vec sum = {0};
    for (int64_t u = down.low; u < down.high; u++, row += p->size[1])
        for (int64_t v = 0; v < p->kernel[1]; v++)
            sum += load_stepped(row + v, p->stride[1], lanes);
    an__vstore_lanes(y, sum / divisor_of(p, down, span_of(p, 1, j)), lanes);
}

static void mean_plane(const an_pooling *p, const float *x, float *y)
{
    for (int64_t i = 0; i < p->out_size[0]; i++, y += p->out_size[1]) {
        const span down = span_of(p, 0, i);
        const inside in = inside_mean(p, down);
        for (int64_t j = in.first; j < in.last; j += AN_LANES)
            mean_inside(p, down, j, an__lanes(in.last - j), x, y + j);
        for (int64_t j = first_outside(in); j < p->out_size[1]; j = next_outside(in, j)) {
            const span across = span_of(p, 1, j);
            y[j] = (float)(window_sum(p, down, across, x) / (double)divisor_of(p, down, across));
        }
    }
}

static void mean_forward(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    for (int64_t i = begin; i < end; i++)
        if (halving)
            mean_halving(p, 1.0f / (p->divisor ? (float)p->divisor : 4.0f), x + i * in,
                         y + i * out);
        else
            mean_plane(p, x + i * in, y + i * out);
}

static void mean_halving_backward(const an_pooling *p, float scale, const float *dy, float *dx,
                                  bool add)
{
    const int64_t width = p->size[1], across = p->out_size[1];
    if (!add)
        zero_edges(p, dx);
    for (int64_t i = 0; i < p->out_size[0]; i++, dx += 2 * width, dy += across)
        for (int64_t j = 0; j < across; j += AN_LANES) {
            const int lanes = an__lanes(across - j);
            const an_vec d = scale * an__vload_lanes(dy + j, lanes);
            store_row(dx + 2 * j, d, d, lanes, add);
            store_row(dx + width + 2 * j, d, d, lanes, add);
        }
}

/* All windows inside of one row. What follows each other adds to different pixels, and need not
 * wait. */
static void mean_inside_backward(const an_pooling *p, span down, inside in, const float *dy,
                                 float *dx)
{
    const float scale = 1.0f / divisor_of(p, down, span_of(p, 1, in.first));
    float *corner = dx + first_pixel(p, down, in.first);
    for (int64_t v = 0; v < p->kernel[1]; v++)
        for (int64_t u = 0; u < down.high - down.low; u++)
            for (int64_t j = in.first; j < in.last; j += AN_LANES) {
                const int lanes = an__lanes(in.last - j);
                add_stepped(corner + u * p->size[1] + v + (j - in.first) * p->stride[1],
                            scale * an__vload_part(dy + j, lanes), p->stride[1], lanes);
            }
}

/* One window, whose pixels get d each. */
static void spread(const an_pooling *p, span down, span across, float d, float *dx)
{
    const rows r = rows_of(p, down, across);
    float *row = dx + (down.first + down.low) * p->size[1] + across.first + across.low;
    for (int64_t u = 0; u < r.count; u++, row += p->size[1])
        for (int64_t v = 0; v < r.length; v += AN_LANES)
            add_stepped(row + v, an__vsplat(d), 1, an__lanes(r.length - v));
}

static void mean_plane_backward(const an_pooling *p, const float *dy, float *dx, bool add)
{
    if (!add)
        fill_zero(dx, p->size[0] * p->size[1]);
    for (int64_t i = 0; i < p->out_size[0]; i++, dy += p->out_size[1]) {
        const span down = span_of(p, 0, i);
        const inside in = inside_row(p, down);
        if (in.first < in.last)
            mean_inside_backward(p, down, in, dy, dx);
        for (int64_t j = first_outside(in); j < p->out_size[1]; j = next_outside(in, j)) {
            const span across = span_of(p, 1, j);
            spread(p, down, across, dy[j] / divisor_of(p, down, across), dx);
        }
    }
}

static void mean_backward(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                          float *dx, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    for (int64_t i = begin; i < end; i++)
        if (halving)
            mean_halving_backward(p, 1.0f / (p->divisor ? (float)p->divisor : 4.0f), dy + i * out,
                                  dx + i * in, add);
        else
            mean_plane_backward(p, dy + i * out, dx + i * in, add);
}

const an_pooling_table AN_KERNEL_NAME(an__pooling_table) = {max_forward, max_backward, mean_forward,
                                                            mean_backward};
