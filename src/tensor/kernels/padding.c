/* Planes with their padding, and phases of a row apart and together, by the kernels of one width.
 * See conv.h. */
#include "tensor/kernels/padding.h"

#include "tensor/kernels/interleave.h"
#include "tensor/kernels/sums.h"
#include "tensor/kernels/whole.h"

/* Whole vectors: what they write beyond is written later, or slack. */
static void zero(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i += AN_LANES, y += AN_LANES) {
        __asm__("" : "+r"(y)); /* or compilers call memset, which is slow for so few */
        an__vstore(y, (an_vec){0});
    }
}

/* Columns of two phases: x[0], x[2].. and x[1], x[3].. of `count` pixels. */
static void sort_row(const float *x, int64_t count, float *even, float *odd)
{
    for (int64_t i = 0; i < count; i += 2 * AN_LANES, even += AN_LANES, odd += AN_LANES) {
        const int64_t left = count - i;
        const an_vec a = an__vload_lanes(x + i, left);
        const an_vec b =
            left > AN_LANES ? an__vload_lanes(x + i + AN_LANES, left - AN_LANES) : (an_vec){0};
        an__vstore_lanes(even, EVENS(a, b), (left + 1) / 2);
        an__vstore_lanes(odd, ODDS(a, b), left / 2);
    }
}

/* What all rows of an image have in common: `count` pixels from `skipped` on, behind zeros. */
typedef struct line {
    int64_t start, skipped, count, stride, phase, pitch;
} line;

static line line_of(const an_conv *conv, const an_padded *form)
{
    const int64_t left = conv->padding[1];
    line l = {.stride = conv->stride[1], .phase = form->phase, .pitch = form->pitch};
    l.skipped = an__at_least(-left, 0);
    l.start = an__at_most(left + l.skipped, form->pitch);
    l.count = an__at_least(an__at_most(conv->size[1] - l.skipped, form->pitch - l.start), 0);
    return l;
}

/* One row to its phases. */
static void pad_row(const line *l, const float *x, float *out)
{
    x += l->skipped;
    if (l->stride == 1) {
        zero(out, l->start);
        out += l->start;
        int64_t i = 0;
        for (; i < l->count; i += AN_LANES)
            an__vstore(out + i, an__vload_lanes(x + i, l->count - i));
        zero(out + i, l->pitch - l->start - i);
        return;
    }
    zero(out, l->pitch);
    const int64_t half = l->start / 2;
    if (l->stride == 2 && l->start % 2 == 0)
        sort_row(x, l->count, out + half, out + l->phase + half);
    else if (l->stride == 2)
        sort_row(x, l->count, out + l->phase + half, out + half + 1);
    else
        for (int64_t i = l->start; i < l->start + l->count; i++)
            out[i % l->stride * l->phase + i / l->stride] = x[i - l->start];
}

void AN_KERNEL_NAME(an__conv_pad)(const an_conv *conv, const an_padded *form, int64_t channel,
                                  const float *x, float *padded)
{
    const int64_t height = conv->size[0], width = conv->size[1];
    const int64_t seen = conv->kernel[0] == 1 ? conv->stride[0] : 1; /* every so many rows */
    const line l = line_of(conv, form);
    for (int64_t c = channel; c < channel + form->channels; c++, padded += form->rows * form->pitch)
        for (int64_t i = 0; i < form->rows; i += seen) {
            const int64_t row = form->first_row + i;
            if (row < 0 || row >= height)
                zero(padded + i * form->pitch, form->pitch);
            else
                pad_row(&l, x + (c * height + row) * width, padded + i * form->pitch);
        }
}

void AN_KERNEL_NAME(an__conv_weave)(int64_t stride, int64_t width, const float *phases,
                                    int64_t step, bool add, float *row)
{
    int64_t j = 0;
    for (; stride == 2 && j < width; j += 2 * AN_LANES) {
        const int64_t left = width - j;
        const an_vec even = an__vload_lanes(phases + j / 2, (left + 1) / 2);
        const an_vec odd = an__vload_lanes(phases + step + j / 2, left / 2);
        an_vec a = LOWS(even, odd), b = HIGHS(even, odd);
        if (add)
            a += an__vload_lanes(row + j, left);
        an__vstore_lanes(row + j, a, left);
        if (left <= AN_LANES)
            continue;
        if (add)
            b += an__vload_lanes(row + j + AN_LANES, left - AN_LANES);
        an__vstore_lanes(row + j + AN_LANES, b, left - AN_LANES);
    }
    for (; j < width; j++)
        an__put(row + j, phases[j % stride * step + j / stride], add);
}
