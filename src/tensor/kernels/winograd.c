/* The transforms of F(2x2, 3x3). See winograd.h. */
#include "tensor/kernels/winograd.h"

#include "tensor/kernels/transpose.h"
#include "tensor/kernels/vector.h"
#include "tensor/kernels/whole.h"

/* ------------------------------------------------------- planes and pixels */

/* Floats of a plane that are asked for before they are needed: so many planes at once are more
 * than the processor foresees by itself. */
enum { FETCH_AHEAD = 4 * AN_LANES };

/* AN_LANES channels (`have` of them) of `count` neighbouring pixels, turned. */
AN_INLINE void turn_in(const float *planes, int64_t size, int have, int count, int64_t pitch,
                       float *pixels)
{
    an_vec r[AN_LANES];
    if (have == AN_LANES && count == AN_LANES) {
        AN_UNROLL
        for (int i = 0; i < AN_LANES; i++) {
            r[i] = an__vload(planes + i * size);
            __builtin_prefetch(planes + i * size + FETCH_AHEAD);
        }
        an__transpose(r);
        AN_UNROLL
        for (int i = 0; i < AN_LANES; i++)
            an__vstore(pixels + i * pitch, r[i]);
        return;
    }
    for (int i = 0; i < AN_LANES; i++)
        r[i] = i < have ? an__vload_part(planes + i * size, count) : (an_vec){0};
    an__transpose(r);
    for (int i = 0; i < count; i++)
        an__vstore(pixels + i * pitch, r[i]);
}

static void zero_pixels(float *pixels, int64_t floats)
{
    for (int64_t i = 0; i < floats; i += AN_LANES)
        an__vstore(pixels + i, (an_vec){0});
}

/* The columns of a rectangle that lie in the planes: low <= j < high. */
static void inside(const an_pixels *r, int64_t *low, int64_t *high)
{
    *low = an__at_most(an__at_least(-r->first_column, 0), r->columns);
    *high = an__at_least(an__at_most(r->width - r->first_column, r->columns), *low);
}

/* A rectangle over whole rows is one long row: fewer vectors are cut at its end. */
static an_pixels joined(const an_pixels *r)
{
    an_pixels whole = *r;
    if (r->first_column != 0 || r->columns != r->width)
        return whole;
    whole.first_column = r->first_row * r->width;
    whole.first_row = 0;
    whole.columns = r->rows * r->width;
    whole.width = r->height * r->width;
    whole.rows = whole.height = 1;
    return whole;
}

static void read_pixels(const an_pixels *rectangle, const float *planes, float *pixels)
{
    const an_pixels whole = joined(rectangle), *r = &whole;
    const int64_t size = r->height * r->width;
    int64_t low, high;
    inside(r, &low, &high);
    for (int64_t i = 0; i < r->rows; i++, pixels += r->columns * r->pitch) {
        const int64_t row = r->first_row + i;
        if (row < 0 || row >= r->height) {
            zero_pixels(pixels, r->columns * r->pitch);
            continue;
        }
        zero_pixels(pixels, low * r->pitch);
        zero_pixels(pixels + high * r->pitch, (r->columns - high) * r->pitch);
        for (int64_t c = 0; c < r->pitch; c += AN_LANES) {
            const float *from = planes + c * size + row * r->width + r->first_column;
            const int have = an__lanes(r->channels - c);
            for (int64_t j = low; j < high; j += AN_LANES)
                turn_in(from + j, size, have, an__lanes(high - j), r->pitch,
                        pixels + j * r->pitch + c);
        }
    }
}

/* How turned pixels are finished. */
typedef struct finish {
    const float *bias;
    bool relu, add;
} finish;

AN_INLINE void put(float *to, an_vec v, const finish *f, int channel, int count)
{
    if (f->add)
        v += an__vload_lanes(to, count);
    if (f->bias)
        v += an__vsplat(f->bias[channel]);
    if (f->relu)
        v = an__vmax((an_vec){0}, v);
    if (count == AN_LANES)
        an__vstore(to, v);
    else
        an__vstore_part(to, v, count);
}

AN_INLINE void turn_out(const float *pixels, int64_t pitch, const finish *f, int have, int count,
                        int64_t size, float *planes)
{
    an_vec r[AN_LANES];
    if (have == AN_LANES && count == AN_LANES) {
        AN_UNROLL
        for (int i = 0; i < AN_LANES; i++)
            r[i] = an__vload(pixels + i * pitch);
        an__transpose(r);
        AN_UNROLL
        for (int i = 0; i < AN_LANES; i++)
            put(planes + i * size, r[i], f, i, AN_LANES);
        return;
    }
    for (int i = 0; i < AN_LANES; i++)
        r[i] = i < count ? an__vload(pixels + i * pitch) : (an_vec){0};
    an__transpose(r);
    for (int i = 0; i < have; i++)
        put(planes + i * size, r[i], f, i, count);
}

static void write_pixels(const an_pixels *rectangle, const float *pixels, const float *bias,
                         bool relu, bool add, float *planes)
{
    const an_pixels whole = joined(rectangle), *r = &whole;
    const int64_t size = r->height * r->width;
    int64_t low, high;
    inside(r, &low, &high);
    for (int64_t i = 0; i < r->rows; i++, pixels += r->columns * r->pitch) {
        const int64_t row = r->first_row + i;
        if (row < 0 || row >= r->height)
            continue;
        for (int64_t c = 0; c < r->channels; c += AN_LANES) {
            const finish f = {bias ? bias + c : NULL, relu, add};
            float *to = planes + c * size + row * r->width + r->first_column;
            const int have = an__lanes(r->channels - c);
            for (int64_t j = low; j < high; j += AN_LANES)
                turn_out(pixels + j * r->pitch + c, r->pitch, &f, have, an__lanes(high - j), size,
                         to + j);
        }
    }
}

/* ------------------------------------------------------------------- tiles */

/* B^T by a column of four pixels, `row` floats apart. */
AN_INLINE void input_column(const float *p, int64_t row, an_vec t[4])
{
    const an_vec a = an__vload(p), b = an__vload(p + row);
    const an_vec c = an__vload(p + 2 * row), d = an__vload(p + 3 * row);
    t[0] = a - c;
    t[1] = b + c;
    t[2] = c - b;
    t[3] = b - d;
}

static void input(const an_tiles *tiles, const float *pixels, float *places)
{
    const int64_t pitch = tiles->pitch, row = (2 * tiles->columns + 2) * pitch, step = tiles->step;
    for (int64_t i = 0; i < tiles->rows; i++)
        for (int64_t c = 0; c < pitch; c += AN_LANES) {
            const float *p = pixels + 2 * i * row + c;
            float *to = places + i * tiles->columns * pitch + c;
            an_vec s[4][4]; /* by column, then by row of the tile */
            input_column(p, row, s[0]);
            input_column(p + pitch, row, s[1]);
            for (int64_t j = 0; j < tiles->columns; j++, to += pitch) {
                p += 2 * pitch;
                input_column(p, row, s[2]);
                input_column(p + pitch, row, s[3]);
                AN_UNROLL
                for (int u = 0; u < 4; u++) {
                    an__vstore(to + (4 * u) * step, s[0][u] - s[2][u]);
                    an__vstore(to + (4 * u + 1) * step, s[1][u] + s[2][u]);
                    an__vstore(to + (4 * u + 2) * step, s[2][u] - s[1][u]);
                    an__vstore(to + (4 * u + 3) * step, s[1][u] - s[3][u]);
                    s[0][u] = s[2][u];
                    s[1][u] = s[3][u];
                }
            }
        }
}

/* A^T by the columns of a tile of 4x4: two rows of four. */
AN_INLINE void output_rows(const float *m, int64_t step, an_vec q[2][4])
{
    AN_UNROLL
    for (int s = 0; s < 4; s++) {
        const an_vec a = an__vload(m + s * step), b = an__vload(m + (4 + s) * step);
        const an_vec c = an__vload(m + (8 + s) * step), d = an__vload(m + (12 + s) * step);
        q[0][s] = a + b + c;
        q[1][s] = b - c - d;
    }
}

static void output(const an_tiles *tiles, const float *places, float *pixels)
{
    const int64_t pitch = tiles->pitch, row = 2 * tiles->columns * pitch;
    for (int64_t i = 0; i < tiles->rows; i++)
        for (int64_t j = 0; j < tiles->columns; j++)
            for (int64_t c = 0; c < pitch; c += AN_LANES) {
                an_vec q[2][4];
                output_rows(places + (i * tiles->columns + j) * pitch + c, tiles->step, q);
                float *to = pixels + 2 * i * row + 2 * j * pitch + c;
                AN_UNROLL
                for (int a = 0; a < 2; a++) {
                    an__vstore(to + a * row, q[a][0] + q[a][1] + q[a][2]);
                    an__vstore(to + a * row + pitch, q[a][1] - q[a][2] - q[a][3]);
                }
            }
}

/* One row of A dy A^T from two values of A dy. */
AN_INLINE void gradient_row(float *to, int64_t step, an_vec p, an_vec q)
{
    an__vstore(to, p);
    an__vstore(to + step, p + q);
    an__vstore(to + 2 * step, p - q);
    an__vstore(to + 3 * step, -q);
}

static void gradient(const an_tiles *tiles, const float *pixels, float *places)
{
    const int64_t pitch = tiles->pitch, row = 2 * tiles->columns * pitch, step = tiles->step;
    for (int64_t i = 0; i < tiles->rows; i++)
        for (int64_t j = 0; j < tiles->columns; j++)
            for (int64_t c = 0; c < pitch; c += AN_LANES) {
                const float *p = pixels + 2 * i * row + 2 * j * pitch + c;
                const an_vec a = an__vload(p), b = an__vload(p + pitch);
                const an_vec d = an__vload(p + row), e = an__vload(p + row + pitch);
                float *to = places + (i * tiles->columns + j) * pitch + c;
                gradient_row(to, step, a, b);
                gradient_row(to + 4 * step, step, a + d, b + e);
                gradient_row(to + 8 * step, step, a - d, b - e);
                gradient_row(to + 12 * step, step, -d, -e);
            }
}

/* ----------------------------------------------------------------- kernels */

/* Nine values of each of AN_LANES kernels (`have` of them), `step` floats apart: value k of all in
 * g[k]. */
AN_INLINE void load_kernels(const float *w, int64_t step, int have, an_vec g[9])
{
    AN_UNROLL
    for (int k = 0; k < 9; k += AN_LANES) {
        an_vec r[AN_LANES];
        const int count = an__lanes(9 - k);
        AN_UNROLL
        for (int o = 0; o < AN_LANES; o++)
            r[o] = o < have ? an__vload_part(w + o * step + k, count) : (an_vec){0};
        an__transpose(r);
        AN_UNROLL
        for (int i = 0; i < count; i++)
            g[k + i] = r[i];
    }
}

/* The same back: w = g, or w += g. */
AN_INLINE void store_kernels(float *w, int64_t step, int have, const an_vec g[9], bool add)
{
    for (int k = 0; k < 9; k += AN_LANES) {
        an_vec r[AN_LANES] = {{0}};
        const int count = an__lanes(9 - k);
        for (int i = 0; i < count; i++)
            r[i] = g[k + i];
        an__transpose(r);
        for (int o = 0; o < have; o++) {
            float *to = w + o * step + k;
            an__vstore_part(to, add ? an__vload_part(to, count) + r[o] : r[o], count);
        }
    }
}

/* G by three values. */
AN_INLINE void kernel_column(an_vec a, an_vec b, an_vec c, an_vec to[4])
{
    const an_vec ends = 0.5f * (a + c), middle = 0.5f * b;
    to[0] = a;
    to[1] = ends + middle;
    to[2] = ends - middle;
    to[3] = c;
}

static void filters(int64_t out, int64_t pitch, int64_t in, int64_t begin, int64_t end,
                    const float *w, int64_t out_step, int64_t in_step, bool turned, float *places)
{
    const int64_t place = in * pitch;
    for (int64_t i = begin; i < end; i++)
        for (int64_t o = 0; o < pitch; o += AN_LANES) {
            an_vec g[9], half[3][4], whole[4];
            load_kernels(w + o * out_step + i * in_step, out_step, an__lanes(out - o), g);
            AN_UNROLL
            for (int s = 0; s < 3; s++) /* kernels are turned by reading them backwards */
                if (turned)
                    kernel_column(g[8 - s], g[5 - s], g[2 - s], half[s]);
                else
                    kernel_column(g[s], g[3 + s], g[6 + s], half[s]);
            AN_UNROLL
            for (int u = 0; u < 4; u++) {
                kernel_column(half[0][u], half[1][u], half[2][u], whole);
                AN_UNROLL
                for (int v = 0; v < 4; v++)
                    an__vstore(places + (4 * u + v) * place + i * pitch + o, whole[v]);
            }
        }
}

/* G^T by four values. */
AN_INLINE void gradient_column(const an_vec u[4], an_vec to[3])
{
    const an_vec sum = 0.5f * (u[1] + u[2]);
    to[0] = u[0] + sum;
    to[1] = 0.5f * (u[1] - u[2]);
    to[2] = sum + u[3];
}

static void filter_gradient(int64_t out, int64_t pitch, int64_t in, int64_t begin, int64_t end,
                            const float *places, bool add, float *dw)
{
    const int64_t place = in * pitch;
    for (int64_t i = begin; i < end; i++)
        for (int64_t o = 0; o < out; o += AN_LANES) {
            an_vec half[3][4], g[9];
            AN_UNROLL
            for (int v = 0; v < 4; v++) {
                an_vec column[4], three[3];
                AN_UNROLL
                for (int u = 0; u < 4; u++)
                    column[u] = an__vload(places + (4 * u + v) * place + i * pitch + o);
                gradient_column(column, three);
                AN_UNROLL
                for (int r = 0; r < 3; r++)
                    half[r][v] = three[r];
            }
            AN_UNROLL
            for (int r = 0; r < 3; r++)
                gradient_column(half[r], g + 3 * r);
            store_kernels(dw + (o * in + i) * 9, in * 9, an__lanes(out - o), g, add);
        }
}

const an_winograd_table AN_KERNEL_NAME(an__winograd_table) = {
    read_pixels, write_pixels, input, output, gradient, filters, filter_gradient};
