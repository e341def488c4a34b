/*
 * Max pooling by the kernels of one width. Windows of 2x2 side by side, the common ones, go a
 * vector of them at a time: two loads of each row are sorted into even and odd columns. So do
 * others that move by one or two columns and lie inside of the row; what is left goes window by
 * window.
 */
#include "tensor/kernels/pooling_windows.h"

/* Which of a window's values, one a lane. */
typedef uint16_t choice __attribute__((vector_size(2 * AN_LANES)));

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

void AN_KERNEL_NAME(an__pooling_max)(const an_pooling *p, int64_t begin, int64_t end,
                                     const float *x, float *y, uint16_t *where)
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

void AN_KERNEL_NAME(an__pooling_max_backward)(const an_pooling *p, int64_t begin, int64_t end,
                                              const float *dy, const uint16_t *where, float *dx,
                                              bool add)
{
    const int64_t in = p->size[0] * p->size[1], out = p->out_size[0] * p->out_size[1];
    const bool halving = is_halving(p);
    for (int64_t i = begin; i < end; i++)
        (halving ? max_halving_backward : max_plane_backward)(p, dy + i * out, where + i * out,
                                                              dx + i * in, add);
}
