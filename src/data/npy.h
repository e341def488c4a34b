/* The parser of NumPy's arrays; the format is drawn in npy.c. */
#ifndef AN_DATA_NPY_H
#define AN_DATA_NPY_H

#include "data/source.h"

#include <anneal/tensor.h>

/*
 * What a header says. `kind` is 'b' (bool), 'u', 'i' or 'f', `size` the bytes of a number. `count`
 * is the product of the dimensions, each of which is at least 1; of no dimensions it is 1.
 */
typedef struct an_npy {
    an_shape shape;
    int64_t count;
    char kind;
    int size;
    bool big;     /* the highest byte first */
    bool fortran; /* the first index runs fastest */
} an_npy;

/*
 * Reads the header. What it promises is no more than the source can give, and the dimensions'
 * product fits in memory as floats. False with err: DATA, IO.
 */
bool an__npy_begin(an_source *source, an_npy *array, an_error *err);

/*
 * What the numbers become. Bytes are of kind 'u' and size 1, and labels whole numbers: others are
 * the caller's error.
 */
typedef enum an_npy_form { AN_NPY_BYTES, AN_NPY_FLOATS, AN_NPY_LABELS } an_npy_form;

/*
 * Reads the numbers, all that there are, into `out`: as uint8_t, float, or int32_t. Number (i, j,
 * ...) of the array goes to out[i * strides[0] + j * strides[1] + ...]. A label is from 0 to 2^31 -
 * 2. False with err: DATA, IO, MEMORY.
 */
bool an__npy_read(an_source *source, const an_npy *array, const int64_t *strides, an_npy_form form,
                  void *out, an_error *err);

#endif
