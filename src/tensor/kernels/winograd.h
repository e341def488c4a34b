/*
 * Minimal filtering F(2x2, 3x3): a tile of 2x2 outputs of a 3x3 convolution from a tile of 4x4
 * inputs by 16 multiplications instead of 36, and its derivatives. (S. Winograd: Arithmetic
 * Complexity of Computations, 1980; A. Lavin, S. Gray: Fast Algorithms for Convolutional Neural
 * Networks, CVPR 2016.) For an input tile d, a kernel g and an output tile y
 *
 *   y = A^T [(G g G^T) . (B^T d B)] A          . multiplies value by value
 *
 *         1  0 -1  0          1   0   0                1  0
 *   B^T = 0  1  1  0     G = 1/2 1/2 1/2          A =  1  1
 *         0 -1  1  0         1/2 -1/2 1/2              1 -1
 *         0  1  0 -1          0   0   1                0 -1
 *
 * and, the map being linear in d and in g, for the gradient dy of the output tile
 *
 *   dg = G^T [(A dy A^T) . (B^T d B)] G
 *
 * Summed over channels, or over tiles for dg, the middle is 16 products of matrices, one for each
 * place in a 4x4 tile. Everything between the images' planes has its channels in the lanes: a
 * pixel, or a place of a tile, is `pitch` floats, channels rounded up to whole vectors, zeros
 * beyond.
 */
#ifndef AN_WINOGRAD_H
#define AN_WINOGRAD_H

#include "tensor/kernels/kernels.h"

enum { AN_TILE_PLACES = 16 };

/* A rectangle of an image's planes that is turned to pixels or back. */
typedef struct an_pixels {
    int64_t channels, pitch;
    int64_t height, width;           /* of the planes */
    int64_t first_row, first_column; /* of the rectangle in the planes; negative in the padding */
    int64_t rows, columns;           /* of the rectangle: pixels are written for all of them */
} an_pixels;

/* `rows` x `columns` tiles; place q of tile t stands at q * step + t * pitch. */
typedef struct an_tiles {
    int64_t rows, columns, pitch, step;
} an_tiles;

struct an_winograd_table {
    /* Pixels of the rectangle, zeros outside of the planes. */
    void (*read)(const an_pixels *r, const float *planes, float *pixels);
    /* The part of the rectangle that lies in the planes: planes (+)= pixels + bias, then ReLU. */
    void (*write)(const an_pixels *r, const float *pixels, const float *bias, bool relu, bool add,
                  float *planes);
    /* B^T d B of tiles that overlap by two; pixels are 2 columns + 2 wide. */
    void (*input)(const an_tiles *tiles, const float *pixels, float *places);
    /* A^T m A; pixels are 2 columns wide. */
    void (*output)(const an_tiles *tiles, const float *places, float *pixels);
    /* A dy A^T */
    void (*gradient)(const an_tiles *tiles, const float *pixels, float *places);
    /*
     * G g G^T for kernels of `out` by `in` channels, to q * in * pitch + i * pitch + o, for rows
     * begin <= i < end. The kernel is w + o * out_step + i * in_step, read backwards if `turned`.
     */
    void (*filters)(int64_t out, int64_t pitch, int64_t in, int64_t begin, int64_t end,
                    const float *w, int64_t out_step, int64_t in_step, bool turned, float *places);
    /* dw (+)= G^T u G, with u as `filters` writes it and dw (out, in, 3, 3). */
    void (*filter_gradient)(int64_t out, int64_t pitch, int64_t in, int64_t begin, int64_t end,
                            const float *places, bool add, float *dw);
};

#endif
