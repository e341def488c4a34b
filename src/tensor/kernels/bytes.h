/* Kernels that turn bytes into floats, for the batch loader. */
#ifndef AN_KERNELS_BYTES_H
#define AN_KERNELS_BYTES_H

#include "tensor/kernels/kernels.h"

/*
 * One call's worth of rows. Row i of the result, `width` floats, is made from row rows[i] of
 * `pixels`:
 *
 *   out[i * width + j] = pixels[rows[i] * width + j] * scale + shift
 *
 * While row i is converted, row rows[i + ahead] is asked from memory: `rows` goes on for `ahead`
 * entries after those that a call converts (0: no prefetch).
 */
typedef struct an_bytes_gather {
    const uint8_t *pixels;
    const int32_t *rows;
    int64_t width, ahead;
    float scale, shift;
    float *out;
} an_bytes_gather;

struct an_bytes_table {
    /* Rows begin..end-1 of the result. */
    void (*gather)(const an_bytes_gather *work, int64_t begin, int64_t end);
};

extern const an_bytes_table an__bytes_table_128, an__bytes_table_256, an__bytes_table_512;

#endif
