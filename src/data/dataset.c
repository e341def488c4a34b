#include "data/dataset.h"

#include <string.h>

an_dataset *an__dataset_new(const an_allocator *allocator, int64_t count, an_shape shape,
                            an_error *err)
{
    an_dataset *dataset = an_alloc(allocator, 1, sizeof *dataset, err);
    if (dataset == NULL)
        return NULL;
    dataset->allocator = *allocator;
    dataset->shape = shape;
    dataset->width = an_shape_size(shape);
    dataset->count = dataset->rows = count;
    dataset->labels = an_alloc(allocator, (size_t)count, sizeof *dataset->labels, err);
    if (dataset->labels == NULL) {
        an_release(allocator, dataset, 1, sizeof *dataset);
        return NULL;
    }
    return dataset;
}

void an_dataset_free(an_dataset *dataset)
{
    if (dataset == NULL)
        return;
    an_allocator allocator = dataset->allocator;
    if (dataset->index != NULL) {
        an_release(&allocator, dataset->index, (size_t)dataset->count, sizeof *dataset->index);
    } else {
        size_t rows = (size_t)dataset->rows;
        an_release(&allocator, dataset->pixels, rows * (size_t)dataset->width, 1);
        an_release(&allocator, dataset->labels, rows, sizeof *dataset->labels);
    }
    an_release(&allocator, dataset, 1, sizeof *dataset);
}

bool an__dataset_check_labels(an_dataset *dataset, int32_t classes, const char *name, an_error *err)
{
    int32_t largest = classes > 0 ? classes - 1 : INT32_MAX - 1;
    int32_t seen = 0;
    for (int64_t i = 0; i < dataset->count; i++) {
        int32_t label = dataset->labels[i];
        if (label < 0 || label > largest) {
            return an_error_set(err, AN_ERROR_DATA,
                                "%s: label %d of sample %lld is outside 0..%d; check the labels "
                                "or the number of classes",
                                name, label, (long long)i, largest);
        }
        seen = label > seen ? label : seen;
    }
    dataset->classes = classes > 0 ? classes : seen + 1;
    return true;
}

/* ------------------------------------------------------------------------- from memory */

static bool check_memory(const uint8_t *pixels, const int32_t *labels, int64_t count,
                         an_shape shape, an_error *err)
{
    if (pixels == NULL || labels == NULL) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "a dataset needs pixels and labels, got NULL; pass both arrays");
    }
    if (count < 1 || count > INT32_MAX) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "a dataset has between 1 and 2^31 - 1 samples, got %lld",
                            (long long)count);
    }
    int64_t width = shape.ndim >= 0 && shape.ndim < AN_MAX_DIMS ? an_shape_size(shape) : 0;
    if (width < 1 || width > INT64_MAX / count || (uint64_t)(width * count) > SIZE_MAX / 2) {
        return an_error_set(err, AN_ERROR_SHAPE,
                            "the shape of a sample has up to %d dimensions, each at least 1, and "
                            "all samples together less than 2^63 bytes; check the shape",
                            AN_MAX_DIMS - 1);
    }
    return true;
}

an_dataset *an_dataset_from_bytes(const an_allocator *allocator, const uint8_t *pixels,
                                  const int32_t *labels, int64_t count, an_shape shape,
                                  int32_t classes, an_error *err)
{
    if (!check_memory(pixels, labels, count, shape, err))
        return NULL;
    const an_allocator standard = an_allocator_default();
    if (!allocator)
        allocator = &standard;
    an_dataset *dataset = an__dataset_new(allocator, count, shape, err);
    if (dataset == NULL)
        return NULL;
    memcpy(dataset->labels, labels, (size_t)count * sizeof *labels);
    size_t bytes = (size_t)count * (size_t)dataset->width;
    if (!an__dataset_check_labels(dataset, classes, "the dataset", err) ||
        (dataset->pixels = an_alloc(allocator, bytes, 1, err)) == NULL) {
        an_dataset_free(dataset);
        return NULL;
    }
    memcpy(dataset->pixels, pixels, bytes);
    return dataset;
}

/* ----------------------------------------------------------------------------- reading */

int64_t an_dataset_count(const an_dataset *dataset)
{
    return dataset->count;
}

an_shape an_dataset_shape(const an_dataset *dataset)
{
    return dataset->shape;
}

int32_t an_dataset_classes(const an_dataset *dataset)
{
    return dataset->classes;
}

int32_t an_dataset_label(const an_dataset *dataset, int64_t index)
{
    if (index < 0 || index >= dataset->count)
        return -1;
    return dataset->labels[an__dataset_row(dataset, index)];
}

void an_dataset_sample(const an_dataset *dataset, int64_t index, float *out)
{
    if (index < 0 || index >= dataset->count)
        return;
    const uint8_t *pixels = dataset->pixels + an__dataset_row(dataset, index) * dataset->width;
    for (int64_t i = 0; i < dataset->width; i++)
        out[i] = (float)pixels[i] / 255.0F;
}
