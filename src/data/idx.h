/* The parser of IDX files; the format is drawn in anneal/data.h. */
#ifndef AN_DATA_IDX_H
#define AN_DATA_IDX_H

#include "data/source.h"

#include <anneal/tensor.h>

/* The ranks of the two kinds of file that are read. */
#define AN_IDX_LABELS 1
#define AN_IDX_IMAGES 3

/* What a file holds: `size` values of one byte, the product of the dimensions. */
typedef struct an_idx {
    an_shape shape;
    size_t size;
    uint8_t *values;
} an_idx;

/*
 * Reads a whole IDX file of unsigned bytes whose rank must be `rank` (AN_IDX_LABELS or
 * AN_IDX_IMAGES), down to its last byte. Every dimension is at least 1 and the first below 2^31.
 * Memory is taken for what a file of this length can hold, however large its header says it is.
 */
bool an__idx_read(an_source *source, int rank, an_idx *idx, an_error *err);
void an__idx_free(const an_allocator *allocator, an_idx *idx);

#endif
