#include "data/dataset.h"

#include <math.h>
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

static bool make_floats(an_dataset *d, int64_t targets, an_error *err)
{
    const size_t rows = (size_t)d->rows, width = (size_t)d->width;
    d->kind = AN_DATA_FLOATS;
    d->values = an_alloc(&d->allocator, rows * width, sizeof *d->values, err);
    if (!d->values || targets == 0)
        return d->values != NULL;
    d->target_count = targets;
    d->targets = an_alloc(&d->allocator, rows * (size_t)targets, sizeof *d->targets, err);
    return d->targets != NULL;
}

an_dataset *an__dataset_floats(const an_allocator *allocator, int64_t count, an_shape shape,
                               int64_t targets, an_error *err)
{
    an_dataset *dataset = an__dataset_check_shape(count, shape, err)
                              ? an__dataset_new(allocator, count, shape, err)
                              : NULL;
    if (!dataset || make_floats(dataset, targets, err))
        return dataset;
    an_dataset_free(dataset);
    return NULL;
}

static void release(const an_dataset *dataset, void *block, int64_t count, size_t size)
{
    an_release(&dataset->allocator, block, (size_t)count, size);
}

static void free_tables(an_dataset *dataset)
{
    const int64_t rows = dataset->rows, values = rows * dataset->width;
    release(dataset, dataset->pixels, values, 1);
    release(dataset, dataset->values, values, sizeof *dataset->values);
    release(dataset, dataset->labels, rows, sizeof *dataset->labels);
    release(dataset, dataset->targets, rows * dataset->target_count, sizeof *dataset->targets);
    release(dataset, dataset->weights, rows, sizeof *dataset->weights);
    release(dataset, dataset->tokens, dataset->token_count, sizeof *dataset->tokens);
    release(dataset, dataset->vocabulary.codes, dataset->vocabulary.count,
            sizeof *dataset->vocabulary.codes);
    an__coding_free(dataset->coding);
}

void an_dataset_free(an_dataset *dataset)
{
    if (dataset == NULL)
        return;
    an_allocator allocator = dataset->allocator;
    an_release(&allocator, dataset->index, (size_t)dataset->count, sizeof *dataset->index);
    if (!dataset->view)
        free_tables(dataset);
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

bool an__dataset_check_shape(int64_t count, an_shape shape, an_error *err)
{
    if (count < 1 || count > INT32_MAX) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "a dataset has between 1 and 2^31 - 1 samples, got %lld",
                            (long long)count);
    }
    int64_t width = shape.ndim >= 0 && shape.ndim < AN_MAX_DIMS ? an_shape_size(shape) : 0;
    if (width < 1 || width > INT64_MAX / count ||
        (uint64_t)(width * count) > SIZE_MAX / 2 / sizeof(float)) {
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
    if (pixels == NULL || labels == NULL) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "a dataset needs pixels and labels, got NULL; pass both arrays");
        return NULL;
    }
    if (!an__dataset_check_shape(count, shape, err))
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

static bool check_floats(const float *values, const int32_t *labels, const float *targets,
                         int64_t target_count, an_error *err)
{
    if (!values || !labels == !targets)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "a dataset of floats needs values, and either labels or targets");
    if (targets && (target_count < 1 || target_count > INT32_MAX))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "target_count must be between 1 and 2^31 - 1, got %lld",
                            (long long)target_count);
    return true;
}

an_dataset *an_dataset_from_floats(const an_allocator *allocator, const float *values,
                                   int64_t count, an_shape shape, const int32_t *labels,
                                   int32_t classes, const float *targets, int64_t target_count,
                                   an_error *err)
{
    if (!check_floats(values, labels, targets, target_count, err))
        return NULL;
    const an_allocator standard = an_allocator_default();
    an_dataset *dataset = an__dataset_floats(allocator ? allocator : &standard, count, shape,
                                             targets ? target_count : 0, err);
    if (dataset == NULL)
        return NULL;
    memcpy(dataset->values, values, (size_t)(count * dataset->width) * sizeof *values);
    if (targets) {
        memcpy(dataset->targets, targets, (size_t)(count * target_count) * sizeof *targets);
        return dataset;
    }
    memcpy(dataset->labels, labels, (size_t)count * sizeof *labels);
    if (an__dataset_check_labels(dataset, classes, "the dataset", err))
        return dataset;
    an_dataset_free(dataset);
    return NULL;
}

/* ----------------------------------------------------------------------------- reading */

an_data_kind an_dataset_kind(const an_dataset *dataset)
{
    return dataset->kind;
}

int64_t an_dataset_targets(const an_dataset *dataset)
{
    return dataset->target_count;
}

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
    if (index < 0 || index >= dataset->count || dataset->target_count > 0)
        return -1;
    const int64_t row = an__dataset_row(dataset, index);
    return dataset->kind == AN_DATA_TOKENS ? dataset->tokens[(row + 1) * dataset->width]
                                           : dataset->labels[row];
}

void an_dataset_sample(const an_dataset *dataset, int64_t index, float *out)
{
    if (index < 0 || index >= dataset->count)
        return;
    const int64_t at = (int64_t)an__dataset_row(dataset, index) * dataset->width;
    for (int64_t i = 0; i < dataset->width; i++)
        out[i] = dataset->kind == AN_DATA_BYTES    ? (float)dataset->pixels[at + i] / 255.0F
                 : dataset->kind == AN_DATA_FLOATS ? dataset->values[at + i]
                                                   : (float)dataset->tokens[at + i];
}

/* --------------------------------------------------------------------------- scaling */

static bool check_scaling(const an_dataset *dataset, bool whole, an_error *err)
{
    if (dataset->kind != AN_DATA_FLOATS)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "only a dataset of floats is scaled; of images, mean and deviation are "
                            "options of the loader");
    return !whole || !dataset->view ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "a view cannot be scaled; scale the dataset that it looks at");
}

static double feature(const an_dataset *dataset, int64_t sample, int64_t j)
{
    return (double)dataset->values[an__dataset_row(dataset, sample) * dataset->width + j];
}

/* Of feature j, without what is NaN. */
static void feature_moments(const an_dataset *dataset, int64_t j, double *mean, double *deviation)
{
    double sum = 0, squares = 0, count = 0;
    for (int64_t i = 0; i < dataset->count; i++) {
        const double value = feature(dataset, i, j);
        sum += isnan(value) ? 0 : value;
        count += !isnan(value);
    }
    *mean = sum / count;
    for (int64_t i = 0; i < dataset->count; i++) {
        const double d = feature(dataset, i, j) - *mean;
        squares += isnan(d) ? 0 : d * d;
    }
    *deviation = sqrt(squares / count);
}

bool an_dataset_moments(const an_dataset *dataset, double *mean, double *deviation, an_error *err)
{
    if (!check_scaling(dataset, false, err))
        return false;
    for (int64_t j = 0; j < dataset->width; j++)
        feature_moments(dataset, j, &mean[j], &deviation[j]);
    return true;
}

bool an_dataset_scale(an_dataset *dataset, const double *mean, const double *deviation,
                      an_error *err)
{
    if (!check_scaling(dataset, true, err))
        return false;
    for (int64_t i = 0; i < dataset->rows; i++)
        for (int64_t j = 0; j < dataset->width; j++) {
            float *value = &dataset->values[i * dataset->width + j];
            *value = (float)(((double)*value - mean[j]) / (deviation[j] > 0 ? deviation[j] : 1));
        }
    if (dataset->coding)
        an__coding_scaled(dataset->coding, mean, deviation);
    return true;
}

bool an_dataset_fill(an_dataset *dataset, const double *values, an_error *err)
{
    if (!check_scaling(dataset, true, err))
        return false;
    for (int64_t i = 0; i < dataset->rows * dataset->width; i++) {
        if (!isnan(dataset->values[i]))
            continue;
        const double value = values[i % dataset->width];
        if (!isfinite(value))
            return an_error_set(err, AN_ERROR_DATA,
                                "feature %lld has missing values, and nothing to fill them with",
                                (long long)(i % dataset->width));
        dataset->values[i] = (float)value;
    }
    if (dataset->coding)
        an__coding_filled(dataset->coding, values);
    return true;
}
