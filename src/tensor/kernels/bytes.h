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

/*
 * How an image is seen: row y of the result is row y + down, and column x is column x + right, or
 * width - 1 - x + right where it is mirrored. What lies outside the image is 0.
 */
typedef struct an_view {
    int32_t down, right;
    bool mirrored;
} an_view;

/* Rows that are images: `channels` of `height` rows of `width` values each. */
typedef struct an_image {
    int64_t channels, height, width;
} an_image;

/* The columns of the result to which the image has something: *begin..*end-1, maybe none. */
static inline void an__view_columns(const an_view *view, int64_t width, int64_t *begin,
                                    int64_t *end)
{
    const int64_t right = view->mirrored ? -view->right : view->right;
    *begin = right < 0 ? -right : 0;
    *end = right < 0 ? width : width - right;
    *begin = *begin < width ? *begin : width;
    *end = *end > *begin ? *end : *begin;
}

struct an_bytes_table {
    /* Rows begin..end-1 of the result. */
    void (*gather)(const an_bytes_gather *work, int64_t begin, int64_t end);
    /* The same of images; row i is seen as views[i - begin] says. */
    void (*gather_views)(const an_bytes_gather *work, const an_image *image, const an_view *views,
                         int64_t begin, int64_t end);
};

extern const an_bytes_table an__bytes_table_128, an__bytes_table_256, an__bytes_table_512;

#endif
