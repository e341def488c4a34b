/* The making of a batch from the rows of a dataset's tables: what threads do. */
#ifndef AN_DATA_GATHER_H
#define AN_DATA_GATHER_H

#include "tensor/kernels/bytes.h"

#include <anneal/data.h>

/* `first` is the place in the epoch of the batch's first sample. */
typedef struct an_gather {
    const an_dataset *dataset;
    const an_bytes_table *kernel;
    an_bytes_gather work; /* of bytes; rows, out, scale and shift of the other kinds too */
    float *target;
    int32_t *labels; /* of tokens */
    int64_t phase;
    an_augment augment;
    an_rng chance;
    int64_t first;
} an_gather;

/* Samples begin..end-1 of the batch; `arg` is an an_gather. A task for an__parallel. */
void an__gather(void *arg, int64_t begin, int64_t end);

/* Whether that can be done to these samples: ARGUMENT. */
bool an__augment_check(const an_augment *augment, const an_dataset *dataset, an_error *err);
/* The numbers that an epoch's views are drawn from, and the view of the sample at `place` in it. */
an_rng an__augment_chance(uint64_t seed, int64_t epoch);
an_view an__augment_draw(const an_augment *augment, an_rng chance, int64_t place);

#endif
