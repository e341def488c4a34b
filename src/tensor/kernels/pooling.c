/*
 * Mean pooling by the kernels of one width, and the table of all pooling. Windows of 2x2 side by
 * side go a vector of them at a time. Of others that move by one or two columns (pooling_runs.h),
 * first what lies below each other is summed, then what lies beside; what is left goes window by
 * window. See pooling.h.
 */
#include "tensor/kernels/pooling_runs.h"

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

/* What the mean of a window divides by: the product of a part for each axis. */
static float divisor_part(const an_pooling *p, int axis, span s)
{
    if (p->divisor != 0)
        return axis == 0 ? (float)p->divisor : 1;
    return (float)(p->exclude_padding ? s.high - s.low : s.padded);
}

static float divisor_of(const an_pooling *p, span down, span across)
{
    return divisor_part(p, 0, down) * divisor_part(p, 1, across);
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

/* A run, where its values stand, and by what the means are divided. */
typedef struct mean_run {
    const an_pooling *form;
    run at;
    int64_t place[REACH];           /* of x */
    seers seers;                    /* of dx */
    int64_t begin;                  /* the first window of those below */
    float across[RUN + 3 * REACH];  /* what each one's columns do to its divisor */
    float down;                     /* what a row does to those of all of its windows */
    float divisor[RUN + 3 * REACH]; /* of such a row */
    float strip[STRIP];
} mean_run;

/* Windows begin.. up to `end`, some of which may not be there. */
static void start_divisors(mean_run *m, int64_t begin, int64_t end)
{
    const an_pooling *p = m->form;
    m->begin = begin;
    m->down = 0;
    for (int64_t j = begin; j < begin + m->at.phase; j++) {
        const bool there = j >= 0 && j < an__at_most(end, p->out_size[1]);
        m->across[j - begin] = there ? divisor_part(p, 1, span_of(p, 1, j)) : 1;
    }
}

/* Those of the windows that see the rows of `down`. */
static const float *divisors(mean_run *m, span down)
{
    const float part = divisor_part(m->form, 0, down);
    for (int64_t j = 0; j < m->at.phase && part != m->down; j++)
        m->divisor[j] = part * m->across[j];
    m->down = part;
    return m->divisor;
}

/* The windows of one row, whose columns are summed in the staged `row`. */
AN_INLINE void mean_row(const mean_run *m, int64_t kernel, const float *row, const float *divisor,
                        float *y)
{
    for (int64_t j = 0; j < m->at.count; j += AN_LANES) {
        an_vec total = an__vload(row + m->place[0] + j);
        for (int64_t v = 1; v < kernel; v++)
            total += an__vload(row + m->place[v] + j);
        an__vstore_lanes(y + j, total / an__vload(divisor + j), m->at.count - j);
    }
}

static void mean_run_plane(mean_run *m, const float *x, float *y)
{
    const an_pooling *p = m->form;
    const int64_t fit = STRIP / m->at.pitch, out = p->out_size[0];
    for (int64_t first = 0; first < out; first += fit) {
        const int64_t last = an__at_most(first + fit, out);
        float *row = m->strip;
        for (int64_t i = first; i < last; i++, row += m->at.pitch) {
            const span down = span_of(p, 0, i);
            stage(p, &m->at, x + (down.first + down.low) * p->size[1], down.high - down.low, row);
        }
        row = m->strip;
        for (int64_t i = first; i < last; i++, row += m->at.pitch) {
            const float *divisor = divisors(m, span_of(p, 0, i));
            mean_row(m, p->kernel[1], row, divisor, y + i * p->out_size[1] + m->at.first);
        }
    }
}

/* Windows of few values, of which each has some. */
static bool mean_in_runs(const an_pooling *p)
{
    return in_runs(p) && p->kernel[0] * p->kernel[1] <= FEW_VALUES &&
           p->padding[0] < p->kernel[0] &&
           (p->out_size[0] - 1) * p->stride[0] < p->size[0] + p->padding[0];
}

static void mean_runs(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    mean_run m;
    m.form = p;
    for (int64_t first = 0; first < p->out_size[1]; first += RUN) {
        m.at = run_at(first, p->out_size[1], p->stride[1]);
        for (int64_t v = 0; v < p->kernel[1]; v++)
            m.place[v] = place_of(p, &m.at, v);
        start_divisors(&m, first, first + m.at.count);
        fill_strip(m.strip, STRIP, 0);
        for (int64_t i = begin; i < end; i++)
            mean_run_plane(&m, x + i * in, y + i * out);
    }
}

static void mean_plane(const an_pooling *p, const float *x, float *y)
{
    for (int64_t i = 0; i < p->out_size[0]; i++, y += p->out_size[1]) {
        const span down = span_of(p, 0, i);
        for (int64_t j = 0; j < p->out_size[1]; j++) {
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

/* What the windows of a row give to each of their values. */
static void stage_shares(mean_run *m, span down, const float *dy, float *row)
{
    const int64_t begin = an__at_least(m->begin, 0);
    const int64_t end = an__at_most(m->form->out_size[1], m->at.first + m->at.count + REACH);
    const float *divisor = divisors(m, down) - m->begin;
    row -= m->begin;
    for (int64_t j = begin; j < end; j += AN_LANES) {
        const an_vec d = an__vload_lanes(dy + j, end - j);
        an__vstore_lanes(row + j, d / an__vload(divisor + j), end - j);
    }
}

/*
 * What a staged row gives to the rows of the image that its windows see. Of the windows, `evens`
 * and `odds` see an even and an odd column. The first `again` values from the top of a window lie
 * in rows that have got something before.
 */
AN_INLINE void shares_back(const mean_run *m, const float *row, span down, int64_t again,
                           int64_t stride, int evens, int odds, float *dx)
{
    const int counts[2] = {evens, odds};
    const int64_t width = m->form->size[1], left = width - m->at.first * stride;
    for (int64_t q = 0; q < m->at.count; q += AN_LANES) {
        an_vec sum[2] = {{0}, {0}};
        AN_UNROLL
        for (int b = 0; b < stride; b++)
            for (int k = 0; k < counts[b]; k++)
                sum[b] += an__vload(row + q + m->seers.place[b][k]);
        float *to = dx + (down.first + down.low) * width + (m->at.first + q) * stride;
        for (int64_t u = down.low; u < down.high; u++, to += width)
            put_columns(to, sum, stride, left - q * stride, u < again);
    }
}

static void mean_run_back(mean_run *m, const float *dy, float *dx, bool add)
{
    const an_pooling *p = m->form;
    const int64_t fit = STRIP / m->at.pitch, out = p->out_size[0];
    const int evens = m->seers.count[0], odds = m->seers.count[1];
    for (int64_t first = 0; first < out; first += fit) {
        const int64_t last = an__at_most(first + fit, out);
        float *row = m->strip;
        for (int64_t i = first; i < last; i++, row += m->at.pitch)
            stage_shares(m, span_of(p, 0, i), dy + i * p->out_size[1], row);
        row = m->strip;
        for (int64_t i = first; i < last; i++, row += m->at.pitch) {
            const span down = span_of(p, 0, i);
            const int64_t again = again_of(p, i, add);
            if (p->stride[1] == 1)
                shares_back(m, row, down, again, 1, evens, 0, dx);
            else
                shares_back(m, row, down, again, 2, evens, odds, dx);
        }
    }
}

static void mean_runs_backward(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                               float *dx, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const int64_t all = an__divide_up(p->size[1], p->stride[1]);
    mean_run m;
    m.form = p;
    m.seers = seers_of(p);
    for (int64_t first = 0; first < all; first += RUN) {
        m.at = run_at(first, all, 1);
        start_divisors(&m, first - REACH, first + m.at.count + REACH);
        fill_strip(m.strip, STRIP, 0);
        for (int64_t i = begin; i < end; i++)
            mean_run_back(&m, dy + i * out, dx + i * in, add);
    }
    for (int64_t i = begin; i < end && !add; i++)
        zero_below(p, dx + i * in);
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
        for (int64_t j = 0; j < p->out_size[1]; j++) {
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
    if (!halving && mean_in_runs(p)) {
        mean_runs(p, begin, end, x, y);
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
    if (!halving && back_in_runs(p)) {
        mean_runs_backward(p, begin, end, dy, dx, add);
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
