/*
 * Max pooling by the kernels of one width. Windows of 2x2 side by side, the common ones, go a
 * vector of them at a time: two loads of each row are sorted into even and odd columns. So do
 * others that move by one or two columns (pooling_runs.h); what is left goes window by window.
 */
#include "tensor/kernels/pooling_runs.h"

/* Which of a window's values, one a lane. */
typedef uint16_t choice __attribute__((vector_size(2 * AN_LANES)));

AN_INLINE void store_choice(uint16_t *where, an_ivec at, int lanes)
{
    const choice chosen = __builtin_convertvector(at, choice);
#if defined(__x86_64__) && AN_KERNEL_BITS == 512
    _mm256_mask_storeu_epi16(where, (__mmask16)((1u << lanes) - 1u), (__m256i)chosen);
#else
    if (lanes == AN_LANES)
        memcpy(where, &chosen, sizeof chosen);
    else
        for (int i = 0; i < lanes; i++)
            where[i] = chosen[i];
#endif
}

AN_INLINE an_ivec load_choice(const uint16_t *where, int lanes)
{
#if defined(__x86_64__) && AN_KERNEL_BITS == 512
    return (an_ivec)_mm512_cvtepu16_epi32(
        _mm256_maskz_loadu_epi16((__mmask16)((1u << lanes) - 1u), where));
#else
    choice chosen = {0};
    if (lanes == AN_LANES)
        memcpy(&chosen, where, sizeof chosen);
    else
        for (int i = 0; i < lanes; i++)
            chosen[i] = where[i];
    return __builtin_convertvector(chosen, an_ivec);
#endif
}

/* Value number k of the windows, where it is greater than the best. */
AN_INLINE void take_greater(an_vec value, an_ivec k, an_vec *best, an_ivec *at)
{
#if defined(__x86_64__) && AN_KERNEL_BITS == 512
    const __mmask16 wins = _mm512_cmp_ps_mask(value, *best, _CMP_GT_OQ);
    *at = (an_ivec)_mm512_mask_mov_epi32((__m512i)*at, wins, (__m512i)k);
#else
    *at = (an_ivec)an__vselect((an_ivec)(value > *best), (an_vec)k, (an_vec)*at);
#endif
    *best = an__vmax(value, *best);
}

/* NaN wins, then the first of the greatest. */
AN_INLINE bool wins(float x, float best)
{
    return x > best || x != x;
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
            if (where)
                store_choice(where + i * across + j, at, lanes);
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

/* Window by window: those of row i of the output, from `first` to `last`. */
static void max_windows(const an_pooling *p, int64_t i, int64_t first, int64_t last, const float *x,
                        float *y, uint16_t *where)
{
    const span down = span_of(p, 0, i);
    const int64_t at = i * p->out_size[1];
    for (int64_t j = first; j < last; j++)
        y[at + j] = max_of(p, down, span_of(p, 1, j), x, where ? where + at + j : NULL);
}

static void max_plane(const an_pooling *p, const float *x, float *y, uint16_t *where)
{
    for (int64_t i = 0; i < p->out_size[0]; i++)
        max_windows(p, i, 0, p->out_size[1], x, y, where);
}

/* A run, where its values stand, and the first column in the image of each of its windows. */
typedef struct max_run {
    const an_pooling *form;
    run at;
    int64_t place[REACH];
    int32_t low[RUN + AN_LANES];
} max_run;

static max_run max_run_at(const an_pooling *p, int64_t first)
{
    max_run m = {.form = p, .at = run_at(first, p->out_size[1], p->stride[1])};
    for (int64_t v = 0; v < p->kernel[1]; v++)
        m.place[v] = place_of(p, &m.at, v);
    for (int64_t j = 0; j < m.at.count; j++)
        m.low[j] = (int32_t)span_of(p, 1, first + j).low;
    return m;
}

/* The windows of one row, which see staged rows from `rows` on. No NaN is among the values. */
static void max_row(const max_run *m, span down, const float *rows, float *y, uint16_t *where)
{
    const int64_t kernel = m->form->kernel[1];
    for (int64_t j = 0; j < m->at.count; j += AN_LANES) {
        const int lanes = an__lanes(m->at.count - j);
        const float *row = rows + j;
        an_vec best = an__vsplat(-INFINITY);
        an_ivec at;
        memcpy(&at, m->low + j, sizeof at);
        an_ivec k = (an_ivec){0} + (int32_t)(down.low * kernel);
        at += k;
        for (int64_t u = down.low; u < down.high; u++, row += down.step * m->at.pitch)
            for (int64_t v = 0; v < kernel; v++, k += 1)
                take_greater(an__vload(row + m->place[v]), k, &best, &at);
        an__vstore_lanes(y + j, best, lanes);
        if (where)
            store_choice(where + j, at, lanes);
    }
}

/* Rows first <= i < last of the output, whose windows' rows from `top` on are staged. */
static void max_strip(const max_run *m, int64_t first, int64_t last, int64_t top,
                      const float *strip, float *y, uint16_t *where)
{
    const an_pooling *p = m->form;
    for (int64_t i = first; i < last; i++) {
        const span down = span_of(p, 0, i);
        const float *rows = strip + (down.first + down.low * down.step - top) * m->at.pitch;
        const int64_t at = i * p->out_size[1] + m->at.first;
        uint16_t *places = where ? where + at : NULL;
        max_row(m, down, rows, y + at, places);
    }
}

/* Whether there is a NaN among the rows first <= i < last of the image, which it stages. */
static bool stage_rows(const max_run *m, int64_t first, int64_t last, const float *x, float *strip)
{
    const int64_t width = m->form->size[1];
    an_ivec nan = {0};
    for (int64_t i = first; i < last; i++, strip += m->at.pitch)
        nan |= stage(m->form, &m->at, x + i * width, 1, strip);
    int32_t any = 0;
    for (int lane = 0; lane < AN_LANES; lane++)
        any |= nan[lane];
    return any != 0;
}

/* As many rows of the output at a time as a strip has room for. */
static void max_run_plane(const max_run *m, const float *x, float *strip, float *y, uint16_t *where)
{
    const an_pooling *p = m->form;
    const int64_t stride = p->stride[0], seen = (p->kernel[0] - 1) * p->dilation[0] + 1;
    const int64_t rows = (STRIP / m->at.pitch - seen) / stride + 1;
    for (int64_t i = 0; i < p->out_size[0]; i += rows) {
        const int64_t last = an__at_most(i + rows, p->out_size[0]);
        const int64_t top = an__at_least(i * stride - p->padding[0], 0);
        const int64_t bottom = an__at_most((last - 1) * stride - p->padding[0] + seen, p->size[0]);
        if (!stage_rows(m, top, bottom, x, strip))
            max_strip(m, i, last, top, strip, y, where);
        else
            for (int64_t row = i; row < last; row++)
                max_windows(p, row, m->at.first, m->at.first + m->at.count, x, y, where);
    }
}

static void max_runs(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y,
                     uint16_t *where)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    float strip[STRIP];
    for (int64_t first = 0; first < p->out_size[1]; first += RUN) {
        const max_run m = max_run_at(p, first);
        fill_strip(strip, STRIP, -INFINITY);
        for (int64_t i = begin; i < end; i++)
            max_run_plane(&m, x + i * in, strip, y + i * out, where ? where + i * out : NULL);
    }
}

void AN_KERNEL_NAME(an__pooling_max)(const an_pooling *p, int64_t begin, int64_t end,
                                     const float *x, float *y, uint16_t *where)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    if (!halving && in_runs(p) && (p->kernel[0] - 1) * p->dilation[0] < REACH) {
        max_runs(p, begin, end, x, y, where);
        return;
    }
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
            const an_ivec at = load_choice(where + first, lanes);
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

/*
 * Windows of other widths or of more rows take less time one by one, and so do few of them, or any
 * in vectors of four.
 */
enum { WIDE = 3, HIGH = 3, FEW = 128 };

static bool max_back_in_runs(const an_pooling *p)
{
    return AN_LANES > 4 && back_in_runs(p) && p->kernel[1] == WIDE && p->kernel[0] <= HIGH &&
           p->out_size[1] * AN_LANES >= FEW;
}

/* Rows first <= i < last of the output, staged: what was chosen, and what goes back to it. */
typedef struct max_back {
    const an_pooling *form;
    run at;
    seers seers;
    float d[STRIP / 2];
    int32_t chosen[STRIP / 2];
} max_back;

static void stage_choices(max_back *m, int64_t first, int64_t last, const float *dy,
                          const uint16_t *where)
{
    const int64_t out = m->form->out_size[1], begin = an__at_least(m->at.first - REACH, 0);
    const int64_t end = an__at_most(out, m->at.first + m->at.count + REACH);
    for (int64_t i = first; i < last; i++) {
        const int64_t row = (i - first) * m->at.pitch + REACH - m->at.first;
        for (int64_t j = begin; j < end; j += AN_LANES) {
            const int lanes = an__lanes(end - j);
            const an_ivec at = load_choice(where + i * out + j, lanes);
            an__vstore_lanes(m->d + (row + j), an__vload_lanes(dy + i * out + j, lanes), lanes);
            memcpy(m->chosen + (row + j), &at, sizeof at);
        }
    }
}

/*
 * What row `row` of those staged gives to the rows of the image that its windows see. The first
 * `again` values from the top of a window lie in rows that have got something before. The columns
 * that one window sees come before those that two see, unless `swap`.
 */
AN_INLINE void choices_back(const max_back *m, int64_t row, span down, int64_t again,
                            int64_t stride, bool swap, float *dx)
{
    const int counts[2] = {stride == 1 ? 3 : 1, 2};
    const int64_t width = m->form->size[1], left = width - m->at.first * stride;
    for (int64_t q = 0; q < m->at.count; q += AN_LANES) {
        an_vec d[2][WIDE];
        an_ivec chosen[2][WIDE];
        AN_UNROLL
        for (int b = 0; b < stride; b++)
            AN_UNROLL
        for (int k = 0; k < counts[b]; k++) {
            const int64_t place = row * m->at.pitch + q + m->seers.place[b ^ swap][k];
            d[b][k] = an__vload(m->d + place);
            memcpy(&chosen[b][k], m->chosen + place, sizeof chosen[b][k]);
            chosen[b][k] -= m->seers.value[b ^ swap][k];
        }
        float *to = dx + (down.first + down.low) * width + (m->at.first + q) * stride;
        for (int64_t u = down.low; u < down.high; u++, to += width) {
            an_vec sum[2] = {{0}, {0}};
            AN_UNROLL
            for (int b = 0; b < stride; b++)
                AN_UNROLL
            for (int k = 0; k < counts[b]; k++)
                sum[b] +=
                    an__vselect((an_ivec)(chosen[b][k] == (int32_t)u * WIDE), d[b][k], (an_vec){0});
            const an_vec columns[2] = {swap ? sum[1] : sum[0], swap ? sum[0] : sum[1]};
            put_columns(to, columns, stride, left - q * stride, u < again);
        }
    }
}

static void max_run_back(max_back *m, const float *dy, const uint16_t *where, float *dx, bool add)
{
    const an_pooling *p = m->form;
    const int64_t rows = STRIP / 2 / m->at.pitch, out = p->out_size[0];
    for (int64_t first = 0; first < out; first += rows) {
        const int64_t last = an__at_most(first + rows, out);
        stage_choices(m, first, last, dy, where);
        for (int64_t i = first; i < last; i++) {
            const span down = span_of(p, 0, i);
            const int64_t again = again_of(p, i, add);
            if (p->stride[1] == 1)
                choices_back(m, i - first, down, again, 1, false, dx);
            else
                choices_back(m, i - first, down, again, 2, p->padding[1] % 2 == 0, dx);
        }
    }
}

static void max_runs_backward(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                              const uint16_t *where, float *dx, bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const int64_t all = an__divide_up(p->size[1], p->stride[1]);
    max_back m;
    m.form = p;
    m.seers = seers_of(p);
    memset(m.chosen, 0, sizeof m.chosen);
    for (int64_t first = 0; first < all; first += RUN) {
        m.at = run_at(first, all, 1);
        fill_strip(m.d, STRIP / 2, 0);
        for (int64_t i = begin; i < end; i++)
            max_run_back(&m, dy + i * out, where + i * out, dx + i * in, add);
    }
    for (int64_t i = begin; i < end && !add; i++)
        zero_below(p, dx + i * in);
}

void AN_KERNEL_NAME(an__pooling_max_backward)(const an_pooling *p, int64_t begin, int64_t end,
                                              const float *dy, const uint16_t *where, float *dx,
                                              bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    if (!halving && max_back_in_runs(p)) {
        max_runs_backward(p, begin, end, dy, where, dx, add);
        return;
    }
    for (int64_t i = begin; i < end; i++)
        (halving ? max_halving_backward : max_plane_backward)(p, dy + i * out, where + i * out,
                                                              dx + i * in, add);
}
