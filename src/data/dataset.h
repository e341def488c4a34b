/* What a dataset is made of, for the files of this room. */
#ifndef AN_DATA_DATASET_H
#define AN_DATA_DATASET_H

#include <anneal/data.h>

/*
 * Streams of random numbers under the user's seed: one for the cut of a split, and one an epoch,
 * AN_STREAM_ORDER + epoch, for the order of its samples.
 */
#define AN_STREAM_SPLIT ((uint64_t)1 << 60)
#define AN_STREAM_ORDER ((uint64_t)2 << 60)

/*
 * `pixels` and `labels` are tables of `rows` rows. A dataset that owns them (`index` NULL) has all
 * rows as its samples; a view has the rows index[0..count), owns its index, and borrows the rest.
 */
struct an_dataset {
    an_allocator allocator;
    an_shape shape;
    int64_t width; /* bytes a sample: the size of shape */
    int32_t classes;
    int64_t count, rows;
    uint8_t *pixels;
    int32_t *labels;
    int32_t *index;
};

/* The row of sample `i`. */
static inline int32_t an__dataset_row(const an_dataset *dataset, int64_t i)
{
    return dataset->index != NULL ? dataset->index[i] : (int32_t)i;
}

/*
 * A dataset of `count` samples without pixels, its labels allocated. The caller fills the labels,
 * has an__dataset_check_labels see them, and puts count x width bytes of the same allocator in
 * `pixels`.
 */
an_dataset *an__dataset_new(const an_allocator *allocator, int64_t count, an_shape shape,
                            an_error *err);
/* Takes or checks the number of classes; `name` is what an error calls the labels. */
bool an__dataset_check_labels(an_dataset *dataset, int32_t classes, const char *name,
                              an_error *err);

#endif
