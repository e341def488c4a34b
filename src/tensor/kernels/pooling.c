/*
 * Mean pooling by the kernels of one width, and the table of all pooling. Windows of 2x2 side by
 * side go a vector of them at a time. Of others that move by one or two columns and lie inside of
 * the row, first what lies below each other is summed, then what lies beside; what is left goes
 * window by window. See pooling.h.
 */
#include "tensor/kernels/pooling_windows.h"

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

/* Where a window's first value stands in the plane. */
static int64_t corner_of(const an_pooling *p, span down, span across)
{
    return (down.first + down.low) * p->size[1] + across.first + across.low;
}

/* The values of a window, its rows `width` apart: up to MOST vectors in float, then in double. */
static double window_sum(rows r, int64_t width, const float *row)
{
    enum { MOST = 16 };
    double sum = 0;
    an_vec part = {0};
    int held = 0;
    for (int64_t u = 0; u < r.count; u++, row += width)
        for (int64_t v = 0; v < r.length; v += AN_LANES) {
            part += an__vload_lanes(row + v, r.length - v);
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

/* Windows of a row that are summed at once, and the columns that they see at most. */
enum { RUN = 256, SEEN = 2 * RUN + FEW_VALUES };

/* Each of `count` columns: the sum of `height` values below each other, `width` apart. */
static void sum_columns(const float *x, int64_t width, int64_t height, int64_t count, float *sum)
{
    for (int64_t i = 0; i < count; i += AN_LANES) {
        const int lanes = an__lanes(count - i);
        an_vec total = an__vload_lanes(x + i, lanes);
        for (int64_t u = 1; u < height; u++)
            total += an__vload_lanes(x + u * width + i, lanes);
        an__vstore_lanes(sum + i, total, lanes);
    }
}

/* The means of the windows inside of one row: what lies below each other is summed once. */
static void mean_inside(const an_pooling *p, span down, inside in, const float *x, float *y)
{
    const float divisor = divisor_of(p, down, span_of(p, 1, in.first));
    const int64_t stride = p->stride[1], kernel = p->kernel[1];
    float sum[SEEN];
    for (int64_t first = in.first; first < in.last; first += RUN) {
        const int64_t count = an__at_most(in.last - first, RUN);
        sum_columns(x + first_pixel(p, down, first), p->size[1], down.high - down.low,
                    (count - 1) * stride + kernel, sum);
        for (int64_t j = 0; j < count; j += AN_LANES) {
            const int lanes = an__lanes(count - j);
            an_vec total = load_stepped(sum + j * stride, stride, lanes);
            for (int64_t v = 1; v < kernel; v++)
                total += load_stepped(sum + j * stride + v, stride, lanes);
            an__vstore_lanes(y + first + j, total / divisor, lanes);
        }
    }
}

static void mean_plane(const an_pooling *p, const float *x, float *y)
{
    for (int64_t i = 0; i < p->out_size[0]; i++, y += p->out_size[1]) {
        const span down = span_of(p, 0, i);
        const inside in = inside_mean(p, down);
        if (in.first < in.last)
            mean_inside(p, down, in, x, y);
        for (int64_t j = first_outside(in); j < p->out_size[1]; j = next_outside(in, j)) {
            const span across = span_of(p, 1, j);
            const double sum =
                window_sum(rows_of(p, down, across), p->size[1], x + corner_of(p, down, across));
            y[j] = (float)(sum / (double)divisor_of(p, down, across));
        }
    }
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

/* Each of `count` columns: adds to `height` values below each other, `width` apart. */
static void add_columns(const float *sum, int64_t width, int64_t height, int64_t count, float *dx)
{
    for (int64_t u = 0; u < height; u++, dx += width)
        for (int64_t i = 0; i < count; i += AN_LANES) {
            const int lanes = an__lanes(count - i);
            const an_vec v = an__vload_lanes(sum + i, lanes);
            an__vstore_lanes(dx + i, an__vload_lanes(dx + i, lanes) + v, lanes);
        }
}

/*
 * What the columns under `count` windows get, d one value a window: d[j] goes to columns
 * j * stride + v, v < kernel. Before d and behind it stand kernel / stride zeros at least. Writes
 * up to two vectors more than the columns.
 */
static void widen(const float *d, int64_t stride, int64_t kernel, int64_t columns, float *sum)
{
    for (int64_t j = 0; j * stride < columns; j += AN_LANES, sum += stride * AN_LANES) {
        an_vec even = {0}, odd = {0};
        for (int64_t v = 0; v < kernel; v += stride)
            even += an__vload(d + j - v / stride);
        if (stride == 1) {
            an__vstore(sum, even);
            continue;
        }
        for (int64_t v = 1; v < kernel; v += 2)
            odd += an__vload(d + j - v / 2);
        an__vstore(sum, LOWS(even, odd));
        an__vstore(sum + AN_LANES, HIGHS(even, odd));
    }
}

/* The windows inside of one row: what all their rows get is summed once. */
static void mean_inside_backward(const an_pooling *p, span down, inside in, const float *dy,
                                 float *dx)
{
    enum { ZEROS = FEW_VALUES + AN_LANES };
    const float factor = 1.0f / divisor_of(p, down, span_of(p, 1, in.first));
    float d[RUN + 2 * ZEROS], sum[SEEN + 2 * AN_LANES];
    fill_zero(d, ZEROS);
    for (int64_t first = in.first; first < in.last; first += RUN) {
        const int64_t count = an__at_most(in.last - first, RUN);
        const int64_t columns = (count - 1) * p->stride[1] + p->kernel[1];
        for (int64_t j = 0; j < count; j += AN_LANES)
            an__vstore(d + ZEROS + j, factor * an__vload_lanes(dy + first + j, count - j));
        fill_zero(d + ZEROS + count, ZEROS);
        widen(d + ZEROS, p->stride[1], p->kernel[1], columns, sum);
        add_columns(sum, p->size[1], down.high - down.low, columns,
                    dx + first_pixel(p, down, first));
    }
}

/* One window, whose pixels get d each; its rows are `width` apart. */
static void spread(rows r, int64_t width, float d, bool add, float *row)
{
    for (int64_t u = 0; u < r.count; u++, row += width)
        for (int64_t v = 0; v < r.length; v += AN_LANES) {
            const an_vec before = add ? an__vload_lanes(row + v, r.length - v) : (an_vec){0};
            an__vstore_lanes(row + v, before + an__vsplat(d), r.length - v);
        }
}

static void mean_plane_backward(const an_pooling *p, const float *dy, float *dx, bool add)
{
    if (!add)
        fill_zero(dx, p->size[0] * p->size[1]);
    for (int64_t i = 0; i < p->out_size[0]; i++, dy += p->out_size[1]) {
        const span down = span_of(p, 0, i);
        const inside in = inside_mean(p, down);
        if (in.first < in.last)
            mean_inside_backward(p, down, in, dy, dx);
        for (int64_t j = first_outside(in); j < p->out_size[1]; j = next_outside(in, j)) {
            const span across = span_of(p, 1, j);
            spread(rows_of(p, down, across), p->size[1], dy[j] / divisor_of(p, down, across), true,
                   dx + corner_of(p, down, across));
        }
    }
}

/* Planes of one window each: the same one, which often is all of the plane. */
typedef struct only {
    rows rows;
    int64_t corner;
    float divisor;
} only;

static bool is_only(const an_pooling *p)
{
    return p->out_size[0] == 1 && p->out_size[1] == 1;
}

static only only_of(const an_pooling *p)
{
    const span down = span_of(p, 0, 0), across = span_of(p, 1, 0);
    return (only){rows_of(p, down, across), corner_of(p, down, across),
                  divisor_of(p, down, across)};
}

static void mean_only(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y)
{
    const only w = only_of(p);
    x += w.corner;
    for (int64_t i = begin; i < end; i++)
        y[i] = (float)(window_sum(w.rows, p->size[1], x + i * p->size[0] * p->size[1]) /
                       (double)w.divisor);
}

static void mean_only_backward(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                               float *dx, bool add)
{
    const only w = only_of(p);
    const int64_t in = p->size[0] * p->size[1];
    const bool all = w.rows.count * w.rows.length == in;
    for (int64_t i = begin; i < end; i++) {
        if (!all && !add)
            fill_zero(dx + i * in, in);
        spread(w.rows, p->size[1], dy[i] / w.divisor, add || !all, dx + i * in + w.corner);
    }
}

static void mean_forward(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    if (is_only(p)) {
        mean_only(p, begin, end, x, y);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        if (halving)
            mean_halving(p, 1.0f / (p->divisor ? (float)p->divisor : 4.0f), x + i * in,
                         y + i * out);
        else
            mean_plane(p, x + i * in, y + i * out);
}

static void mean_backward(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                          float *dx, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    if (is_only(p)) {
        mean_only_backward(p, begin, end, dy, dx, add);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        if (halving)
            mean_halving_backward(p, 1.0f / (p->divisor ? (float)p->divisor : 4.0f), dy + i * out,
                                  dx + i * in, add);
        else
            mean_plane_backward(p, dy + i * out, dx + i * in, add);
}

const an_pooling_table AN_KERNEL_NAME(an__pooling_table) = {
    AN_KERNEL_NAME(an__pooling_max), AN_KERNEL_NAME(an__pooling_max_backward), mean_forward,
    mean_backward};
