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

const an_bytes_table AN_KERNEL_NAME(an__bytes_table) = {.gather = gather};
