/*
 * Bytes to floats. A loop as plain as this one is turned into vector code by the compilers alone
 * (widen, convert, multiply and add, store), which is why it has no vector types. Rows in random
 * order come from main memory, 100 ns away: the prefetch hides most of that behind the arithmetic
 * of the rows before.
 */
#include "tensor/kernels/bytes.h"

#define CACHE_LINE 64

static void prefetch(const uint8_t *row, int64_t width)
{
    for (int64_t at = 0; at < width; at += CACHE_LINE) {
        __builtin_prefetch(row + at);
    }
}

static void convert(const uint8_t *restrict in, float *restrict out, int64_t width, float scale,
                    float shift)
{
    for (int64_t i = 0; i < width; i++) {
        out[i] = (float)in[i] * scale + shift;
    }
}

static void gather(const an_bytes_gather *work, int64_t begin, int64_t end)
{
    int64_t width = work->width;
    for (int64_t i = begin; i < end; i++) {
        if (work->ahead > 0) {
            prefetch(work->pixels + work->rows[i + work->ahead] * width, width);
        }
        convert(work->pixels + work->rows[i] * width, work->out + i * width, width, work->scale,
                work->shift);
    }
}

static void fill(float *out, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++) {
        out[i] = value;
    }
}

/* From the last byte to the first. */
static void convert_mirrored(const uint8_t *restrict in, float *restrict out, int64_t width,
                             float scale, float shift)
{
    for (int64_t i = 0; i < width; i++) {
        out[i] = (float)in[width - 1 - i] * scale + shift;
    }
}

/* A row of an image, whose columns begin..end-1 are those that it has something to. */
static void convert_row(const uint8_t *in, float *out, int64_t width, const an_view *view,
                        int64_t begin, int64_t end, float scale, float shift)
{
    fill(out, begin, shift);
    if (view->mirrored) {
        convert_mirrored(in + width - end + view->right, out + begin, end - begin, scale, shift);
    } else {
        convert(in + begin + view->right, out + begin, end - begin, scale, shift);
    }
    fill(out + end, width - end, shift);
}

static void convert_view(const uint8_t *in, float *out, const an_image *image, const an_view *view,
                         float scale, float shift)
{
    const int64_t height = image->height, width = image->width;
    int64_t begin, end;
    an__view_columns(view, width, &begin, &end);
    for (int64_t c = 0; c < image->channels; c++) {
        for (int64_t y = 0; y < height; y++, out += width) {
            const int64_t from = y + view->down;
            if (from < 0 || from >= height || begin == end) {
                fill(out, width, shift);
            } else {
                convert_row(in + (c * height + from) * width, out, width, view, begin, end, scale,
                            shift);
            }
        }
    }
}

static void gather_views(const an_bytes_gather *work, const an_image *image, const an_view *views,
                         int64_t begin, int64_t end)
{
    const int64_t width = work->width;
    for (int64_t i = begin; i < end; i++) {
        if (work->ahead > 0) {
            prefetch(work->pixels + work->rows[i + work->ahead] * width, width);
        }
        convert_view(work->pixels + work->rows[i] * width, work->out + i * width, image,
                     &views[i - begin], work->scale, work->shift);
    }
}

const an_bytes_table AN_KERNEL_NAME(an__bytes_table) = {.gather = gather,
                                                        .gather_views = gather_views};
