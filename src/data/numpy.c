/* From NumPy's arrays to datasets: what may be samples, labels, numbers to predict and weights. */
#include "data/coding.h"
#include "data/dataset.h"
#include "data/npy.h"
#include "data/zip.h"

#include <math.h>
#include <string.h>

#define NAME_SIZE 4200

/* Where arrays come from: files, or the members of an archive. */
typedef struct opener {
    const an_allocator *allocator;
    const char *archive; /* NULL: names are paths */
    const an_npy_options *options;
    an_error *err;
} opener;

/* An array that is being read; errors call it by `shown`. */
typedef struct array {
    an_source source;
    an_npy npy;
    char shown[NAME_SIZE];
} array;

static bool open_source(const opener *o, const char *name, array *a)
{
    if (!o->archive)
        return an__source_open(&a->source, o->allocator, name, o->err);
    if (!an__source_plain(&a->source, o->allocator, o->archive, o->err))
        return false;
    if (an__zip_enter(&a->source, name, o->err)) {
        an_format(a->shown, sizeof a->shown, "%s: '%.64s'", o->archive, name);
        a->source.name = a->shown;
        return true;
    }
    an__source_close(&a->source);
    return false;
}

/* Opens an array and reads its header. */
static bool open_array(const opener *o, const char *name, array *a)
{
    if (!open_source(o, name, a))
        return false;
    if (an__npy_begin(&a->source, &a->npy, o->err))
        return true;
    an__source_close(&a->source);
    return false;
}

static bool fail_shape(const opener *o, const array *a, const char *expected)
{
    char shape[96];
    an_shape_print(shape, sizeof shape, a->npy.shape);
    return an_error_set(o->err, AN_ERROR_DATA, "%s has shape %s, expected %s", a->source.name,
                        shape, expected);
}

/* ---------------------------------------------------------------------- samples */

static bool are_images(const an_npy *x)
{
    return x->kind == 'u' && x->size == 1 && x->shape.ndim >= 3;
}

/* The shape of a sample, and where each index of the array leads within all samples. */
static bool sample_shape(const opener *o, const array *x, an_shape *sample,
                         int64_t strides[AN_MAX_DIMS])
{
    const an_shape *all = &x->npy.shape;
    const bool last = o->options->channels_last;
    int order[AN_MAX_DIMS] = {0, 1, 2,
                              3, 4, 5}; /* of the result's dimensions, those of the array */
    if (all->ndim < 1)
        return fail_shape(o, x, "samples side by side, such as (count, features)");
    if (last && all->ndim != 4)
        return fail_shape(o, x, "(count, height, width, channels), as channels: last says");
    if (last)
        memcpy(order, (const int[]){0, 3, 1, 2}, 4 * sizeof *order);
    int64_t stride = 1;
    for (int i = all->ndim; i-- > 0; stride *= all->dim[order[i]])
        strides[order[i]] = stride;
    *sample = (an_shape){0};
    if (all->ndim == 1 || (all->ndim == 3 && are_images(&x->npy)))
        sample->dim[sample->ndim++] = 1;
    for (int i = 1; i < all->ndim; i++)
        sample->dim[sample->ndim++] = all->dim[order[i]];
    an_error why = {0};
    if (an__dataset_check_shape(all->dim[0], *sample, &why))
        return true;
    return an_error_set(o->err, AN_ERROR_DATA, "%s: %s", x->source.name, why.message);
}

/* Every value is a number that a float can be, or NaN where that is kept. */
static bool check_values(const opener *o, const array *x, const an_dataset *d)
{
    for (int64_t i = 0; i < d->rows * d->width; i++) {
        const float value = d->values[i];
        if (isfinite(value) || (isnan(value) && o->options->keep_missing))
            continue;
        return an_error_set(o->err, AN_ERROR_DATA, "%s: value %lld of sample %lld is %s; %s",
                            x->source.name, (long long)(i % d->width), (long long)(i / d->width),
                            isnan(value) ? "NaN" : "not finite as a float",
                            isnan(value) ? "fill what is missing (missing: mean, in a "
                                           "configuration), or leave the sample out"
                                         : "scale the array, or leave the sample out");
    }
    return true;
}

/* Room for what will be done to the features, so that those of another array get the same. */
static bool make_coding(const opener *o, an_dataset *d)
{
    d->coding = an__coding_new(
        &(an__coding){.allocator = *o->allocator,
                      .missing = o->options->keep_missing ? AN_CSV_KEEP : AN_CSV_REFUSE,
                      .width = d->width},
        o->err);
    return d->coding != NULL;
}

/* The samples of an opened array; labels, targets and weights are not there yet. */
static an_dataset *read_samples(const opener *o, array *x)
{
    an_shape sample = {0};
    int64_t strides[AN_MAX_DIMS];
    if (!sample_shape(o, x, &sample, strides))
        return NULL;
    an_dataset *d = an__dataset_new(o->allocator, x->npy.shape.dim[0], sample, o->err);
    if (!d)
        return NULL;
    const size_t size = (size_t)(d->rows * d->width);
    bool ok;
    if (are_images(&x->npy)) {
        d->pixels = an_alloc(o->allocator, size, 1, o->err);
        ok = d->pixels &&
             an__npy_read(&x->source, &x->npy, strides, AN_NPY_BYTES, d->pixels, o->err);
    } else {
        d->kind = AN_DATA_FLOATS;
        d->values = an_alloc(o->allocator, size, sizeof *d->values, o->err);
        ok = d->values && make_coding(o, d) &&
             an__npy_read(&x->source, &x->npy, strides, AN_NPY_FLOATS, d->values, o->err) &&
             check_values(o, x, d);
    }
    if (ok)
        return d;
    an_dataset_free(d);
    return NULL;
}

/* ------------------------------------------------------------- what belongs to them */

/* `width` numbers for each sample: (count), or (count, width). */
static bool check_count(const opener *o, const array *a, const an_dataset *d, int64_t width)
{
    const an_shape *shape = &a->npy.shape;
    const bool fits = shape->ndim == 1 ? width == 1 : shape->ndim == 2 && shape->dim[1] == width;
    if (!fits)
        return fail_shape(o, a,
                          width == 1 ? "one number a sample: (count)"
                                     : "some numbers a sample: (count, numbers)");
    return shape->dim[0] == d->rows ||
           an_error_set(o->err, AN_ERROR_DATA,
                        "%s has %lld entries for %lld samples; save the two for the same samples",
                        a->source.name, (long long)shape->dim[0], (long long)d->rows);
}

static bool take_labels(const opener *o, array *y, an_dataset *d)
{
    if (y->npy.kind == 'f')
        return an_error_set(o->err, AN_ERROR_DATA,
                            "%s holds float%d, expected classes as integers; convert it with "
                            "astype(int), or predict numbers with a loss such as MSELoss()",
                            y->source.name, 8 * y->npy.size);
    return check_count(o, y, d, 1) &&
           an__npy_read(&y->source, &y->npy, (int64_t[AN_MAX_DIMS]){1, 1}, AN_NPY_LABELS, d->labels,
                        o->err) &&
           an__dataset_check_labels(d, o->options->classes, y->source.name, o->err);
}

/* One number a sample, or a row of them, into `out`, which is made. */
static bool take_numbers(const opener *o, array *a, const an_dataset *d, int64_t width, float **out)
{
    const size_t size = (size_t)(d->rows * width);
    if (!check_count(o, a, d, width))
        return false;
    *out = an_alloc(o->allocator, size, sizeof **out, o->err);
    if (!*out || !an__npy_read(&a->source, &a->npy, (int64_t[AN_MAX_DIMS]){width, 1}, AN_NPY_FLOATS,
                               *out, o->err))
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isfinite((*out)[i]))
            return an_error_set(o->err, AN_ERROR_DATA,
                                "%s: the number of sample %lld is not finite; leave the sample out",
                                a->source.name, (long long)(i / (size_t)width));
    return true;
}

static bool take_targets(const opener *o, array *y, an_dataset *d)
{
    d->target_count = y->npy.shape.ndim == 2 ? y->npy.shape.dim[1] : 1;
    return take_numbers(o, y, d, d->target_count, &d->targets);
}

static bool take_weights(const opener *o, array *w, an_dataset *d)
{
    if (!take_numbers(o, w, d, 1, &d->weights))
        return false;
    for (int64_t i = 0; i < d->rows; i++)
        if (d->weights[i] < 0)
            return an_error_set(o->err, AN_ERROR_DATA, "%s: the weight of sample %lld is below 0",
                                w->source.name, (long long)i);
    return true;
}

/* Reads the array `name` by one of these; without a name there is nothing to read. */
static bool add(const opener *o, const char *name, an_dataset *d,
                bool (*take)(const opener *, array *, an_dataset *))
{
    array a;
    if (!name)
        return true;
    if (!open_array(o, name, &a))
        return false;
    const bool ok = take(o, &a, d);
    an__source_close(&a.source);
    return ok;
}

static an_dataset *open_dataset(const opener *o, const char *x, const char *y)
{
    array samples;
    if (!open_array(o, x, &samples))
        return NULL;
    an_dataset *d = read_samples(o, &samples);
    an__source_close(&samples.source);
    if (!d)
        return NULL;
    d->classes = o->options->classes > 0 ? o->options->classes : 1;
    if (y && !o->options->labels)
        d->classes = 0;
    if (add(o, y, d, o->options->labels ? take_labels : take_targets) &&
        add(o, o->options->weights, d, take_weights))
        return d;
    an_dataset_free(d);
    return NULL;
}

an_npy_options an_npy_defaults(void)
{
    return (an_npy_options){.labels = true};
}

an_dataset *an_npy_open(const an_allocator *allocator, const char *x, const char *y,
                        const an_npy_options *options, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    const an_npy_options usual = an_npy_defaults();
    const opener o = {allocator ? allocator : &standard, NULL, options ? options : &usual, err};
    return open_dataset(&o, x, y);
}

/* The array's samples of this shape, with its indices as they are or turned. */
static an_dataset *open_shape(const opener *o, const char *path, an_shape shape)
{
    char want[64], got[64];
    an_npy_options turned = *o->options;
    an_dataset *d = open_dataset(o, path, NULL);
    if (!d || an_shape_equal(d->shape, shape))
        return d;
    turned.channels_last = true;
    an_dataset *other = open_dataset(&(opener){o->allocator, NULL, &turned, NULL}, path, NULL);
    if (!other || !an_shape_equal(other->shape, shape)) {
        an_shape_print(want, sizeof want, shape);
        an_shape_print(got, sizeof got, d->shape);
        an_error_set(o->err, AN_ERROR_DATA, "%s: its samples have shape %s, but the model takes %s",
                     path, got, want);
        an_dataset_free(other);
        other = NULL;
    }
    an_dataset_free(d);
    return other;
}

an_dataset *an_npy_open_like(const an_allocator *allocator, const char *path,
                             const an_dataset *like, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    if (!like || !like->coding || like->coding->count > 0) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "an array is read like those of a dataset of floats from an_npy_open or "
                     "an_npz_open, which this is not");
        return NULL;
    }
    const an_npy_options options = {.labels = true,
                                    .classes = like->classes,
                                    .keep_missing = like->coding->missing == AN_CSV_KEEP};
    const opener o = {allocator ? allocator : &standard, NULL, &options, err};
    an_dataset *d = open_shape(&o, path, like->shape);
    if (d && d->kind != AN_DATA_FLOATS) {
        an_error_set(err, AN_ERROR_DATA,
                     "%s holds images, as uint8, but the model learned from floats; save it as "
                     "float32",
                     path);
        an_dataset_free(d);
        return NULL;
    }
    for (int64_t i = 0; d && i < d->rows; i++)
        an__coding_apply(like->coding, d->values + i * d->width);
    return d;
}

an_dataset *an_npz_open(const an_allocator *allocator, const char *path, const char *x,
                        const char *y, const an_npy_options *options, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    const an_npy_options usual = an_npy_defaults();
    const opener o = {allocator ? allocator : &standard, path, options ? options : &usual, err};
    return open_dataset(&o, x, y);
}
