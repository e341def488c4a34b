/* How much samples weigh: as the data say, or so that all classes count alike. */
#include "data/dataset.h"

bool an_dataset_weights(const an_dataset *dataset, double *weights, an_error *err)
{
    if (!dataset->weights)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the data have no weights; name a column or an array of them when they "
                            "are opened");
    for (int64_t i = 0; i < dataset->count; i++)
        weights[i] = (double)dataset->weights[an__dataset_row(dataset, i)];
    return true;
}

bool an__dataset_check_classes(const an_dataset *dataset, const char *what, an_error *err)
{
    return (dataset->kind != AN_DATA_TOKENS && dataset->target_count == 0) ||
           an_error_set(err, AN_ERROR_ARGUMENT, "%s is by classes, but %s", what,
                        dataset->kind == AN_DATA_TOKENS ? "a text's samples have none"
                                                        : "numbers are predicted");
}

bool an_dataset_balance(const an_dataset *dataset, double *weights, an_error *err)
{
    const size_t classes = (size_t)dataset->classes;
    if (!an__dataset_check_classes(dataset, "balancing", err))
        return false;
    int64_t *counts = an_alloc(&dataset->allocator, classes, sizeof *counts, err);
    if (!counts)
        return false;
    for (int64_t i = 0; i < dataset->count; i++)
        counts[dataset->labels[an__dataset_row(dataset, i)]]++;
    for (int64_t i = 0; i < dataset->count; i++)
        weights[i] = 1 / (double)counts[dataset->labels[an__dataset_row(dataset, i)]];
    an_release(&dataset->allocator, counts, classes, sizeof *counts);
    return true;
}
