/* What a dataset is made of, for the files of this room. */
#ifndef AN_DATA_DATASET_H
#define AN_DATA_DATASET_H

#include "data/coding.h"

/*
 * Streams of random numbers under the user's seed: one for the cut of a split, and two an epoch,
 * AN_STREAM_ORDER + epoch for the order of its samples, AN_STREAM_AUGMENT + epoch for what happens
 * to its images.
 */
#define AN_STREAM_SPLIT ((uint64_t)1 << 60)
#define AN_STREAM_ORDER ((uint64_t)2 << 60)
#define AN_STREAM_AUGMENT ((uint64_t)3 << 60)

/* The characters of a text, in the order of their code points; count 0: bytes are the tokens. */
typedef struct an_vocabulary {
    uint32_t *codes;
    int32_t count;
} an_vocabulary;

/*
 * `pixels`, `values`, `labels`, `targets` and `weights` are tables of `rows` rows, of which a
 * dataset has those that its kind asks for. One that owns them has all rows as its samples; a view
 * borrows them, and has the rows index[0..count), which it owns.
 *
 * `coding` is that of a table's columns, or NULL; views borrow it too.
 *
 * Of tokens, a row is `width` tokens, the first of which is tokens[row * width]. A view has the
 * rows from first_row on and no index.
 */
struct an_dataset {
    an_allocator allocator;
    an_data_kind kind;
    an_shape shape;
    int64_t width; /* values a sample: the size of shape */
    int32_t classes;
    int64_t count, rows;
    uint8_t *pixels;
    float *values;
    int32_t *labels;
    float *targets;
    int64_t target_count; /* a row */
    float *weights;       /* one a row, or NULL */
    uint16_t *tokens;
    int64_t token_count, first_row;
    an_vocabulary vocabulary;
    an__coding *coding;
    bool view;
    int32_t *index;
};

/* The row of sample `i`. */
static inline int32_t an__dataset_row(const an_dataset *dataset, int64_t i)
{
    return dataset->index != NULL ? dataset->index[i] : (int32_t)(dataset->first_row + i);
}

/* Samples have classes, as `what` needs them: ARGUMENT where they have none. */
bool an__dataset_check_classes(const an_dataset *dataset, const char *what, an_error *err);
/* How far into its first row an epoch of tokens begins: nowhere, or by the epoch's own numbers. */
int64_t an__tokens_phase(const an_dataset *dataset, bool shuffle, an_rng *rng);
/* Checks what comes from memory: the number of samples and their shape. */
bool an__dataset_check_shape(int64_t count, an_shape shape, an_error *err);

/*
 * A dataset of `count` samples without pixels, its labels allocated. The caller fills the labels,
 * has an__dataset_check_labels see them, and puts count x width bytes of the same allocator in
 * `pixels`.
 */
an_dataset *an__dataset_new(const an_allocator *allocator, int64_t count, an_shape shape,
                            an_error *err);
/* The same of floats, checked, with room for values and, where there are some, targets. */
an_dataset *an__dataset_floats(const an_allocator *allocator, int64_t count, an_shape shape,
                               int64_t targets, an_error *err);
/* Takes or checks the number of classes; `name` is what an error calls the labels. */
bool an__dataset_check_labels(an_dataset *dataset, int32_t classes, const char *name,
                              an_error *err);

#endif
