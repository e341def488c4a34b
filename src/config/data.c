#include "config/data.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------ finding */

static bool wants_folder(const an_config *c)
{
    return an__in_folder(c->data.format);
}

static bool is_there(const an_config *c, const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && !S_ISDIR(facts.st_mode) == !wants_folder(c);
}

/* Where the data are: as written, else beside the configuration. NULL with err (IO). */
static const char *find(const an_config *c, an_arena *texts, an_error *err)
{
    const char *path = c->data.path;
    size_t size = strlen(c->folder) + strlen(path) + 1;
    char *beside = an_arena_alloc(texts, size);
    if (!beside)
        return an__no_memory(err);
    an_format(beside, size, "%s%s", c->folder, path);
    if (is_there(c, path))
        return path;
    if (path[0] != '/' && is_there(c, beside))
        return beside;
    const char *what = wants_folder(c) ? "folder" : "file";
    AN__FAIL(c->data.path_node, err, "there is no %s '%s'%s; give it with --set data.path=%s", what,
             path, path[0] == '/' ? "" : ", neither here nor beside the configuration",
             wants_folder(c) ? "FOLDER" : "FILE");
    if (err)
        err->code = AN_ERROR_IO;
    return NULL;
}

/* ------------------------------------------------------------------ cutting */

/* How many samples a part of the data has: a fraction of `all`, or a count; -1 with err. */
static int64_t part_of(const an__node *node, const char *name, double part, int64_t all,
                       int64_t most, an_error *err)
{
    double wanted = part < 1 ? floor(part * (double)all + 0.5) : part;
    if (wanted >= 1 && wanted <= (double)most)
        return (int64_t)wanted;
    AN__FAIL(node, err, "%s must leave samples on both sides: %g of %lld is not between 1 and %lld",
             name, wanted, (long long)all, (long long)most);
    return -1;
}

/* The most that can be cut off: of a text, one sample between the parts is lost besides. */
static int64_t most_of(const an_dataset *data)
{
    return an_dataset_count(data) - (an_dataset_kind(data) == AN_DATA_TOKENS ? 2 : 1);
}

/* Cuts the test set off all data: what is left is learned from. */
static bool cut_test(const an_config *c, an_run *run, an_error *err)
{
    an_dataset *whole = run->whole_data;
    const an__node *node = c->data.test_node ? c->data.test_node : c->data.path_node;
    int64_t count =
        part_of(node, "test", c->data.test, an_dataset_count(whole), most_of(whole), err);
    return count > 0 && an_dataset_split(whole, count, (uint64_t)c->seed, &run->train_data,
                                         &run->test_data, err);
}

/* Cuts the validation set off the training set, which stays as `*learned`. */
static bool cut_validation(const an_config *c, an_run *run, an_dataset **learned, an_error *err)
{
    an_dataset *all = run->train_data;
    if (c->data.validation == 0)
        return true;
    int64_t count = part_of(c->data.validation_node, "validation", c->data.validation,
                            an_dataset_count(all), most_of(all), err);
    if (count < 0)
        return false;
    *learned = all;
    run->train_data = NULL;
    return an_dataset_split(all, count, (uint64_t)c->seed, &run->train_data, &run->valid_data, err);
}

/* ------------------------------------------------------------------ opening */

static an_dataset *open_images(const an_config *c, const an_run *run, const char *folder,
                               bool train, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(run->context);
    return c->data.format == AN__DATA_CIFAR ? an_cifar_open(allocator, folder, train, err)
                                            : an_mnist_open(allocator, folder, train, err);
}

/* The two parts of a set of images, alike in shape and classes. */
static bool open_folder(const an_config *c, an_run *run, const char *folder, an_error *err)
{
    run->train_data = open_images(c, run, folder, true, err);
    if (!run->train_data)
        return false;
    run->test_data = open_images(c, run, folder, false, err);
    if (!run->test_data)
        return false;
    an_shape train = an_dataset_shape(run->train_data);
    an_shape test = an_dataset_shape(run->test_data);
    int32_t train_classes = an_dataset_classes(run->train_data);
    int32_t test_classes = an_dataset_classes(run->test_data);
    if (train_classes != test_classes)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s: training samples have %d classes, test samples %d; keep one set "
                            "in the folder",
                            folder, (int)train_classes, (int)test_classes);
    if (an_shape_equal(train, test))
        return true;
    char a[64], t[64];
    an_shape_print(a, sizeof a, train);
    an_shape_print(t, sizeof t, test);
    return an_error_set(err, AN_ERROR_DATA, "%s: training samples have shape %s, test samples %s",
                        folder, a, t);
}

static bool open_text(const an_allocator *allocator, const an_config *c, an_run *run,
                      const char *path, an_error *err)
{
    an_error why = {0};
    run->whole_data = an_text_open(allocator, path, c->data.unit, c->data.context, &why);
    if (run->whole_data)
        return true;
    if (why.code == AN_ERROR_ARGUMENT)
        return AN__FAIL(c->data.context_node, err, "%s", why.message);
    if (err)
        *err = why;
    return false;
}

/* Whether a loss compares scores with a class; others compare numbers. */
static bool wants_labels(an_loss loss)
{
    return loss.kind == AN_CROSS_ENTROPY_LOSS || loss.kind == AN_NLL_LOSS;
}

static bool open_table(const an_allocator *allocator, const an_config *c, an_run *run,
                       const char *path, an_error *err)
{
    an_csv_options options = c->data.table;
    options.labels = wants_labels(c->loss);
    options.missing = c->data.missing == AN__REFUSE ? AN_CSV_REFUSE : AN_CSV_KEEP;
    if (options.labels && options.target_count > 1)
        return AN__FAIL(c->data.target_node, err,
                        "%s takes one target, a class, got %zu; several targets are numbers, for "
                        "a loss such as MSELoss()",
                        an_loss_name(c->loss), options.target_count);
    an_error why = {0};
    run->whole_data = an_csv_open(allocator, path, &options, &why);
    if (run->whole_data)
        return true;
    if (why.code == AN_ERROR_ARGUMENT)
        return AN__FAIL(c->data.target_node, err, "%s", why.message);
    if (err)
        *err = why;
    return false;
}

/* Puts values in the place of missing ones; `values` and `deviation` are room to compute in. */
static bool fill_missing(const an_config *c, an_run *run, double *values, double *deviation,
                         an_error *err)
{
    const int64_t width = an_shape_size(an_dataset_shape(run->train_data));
    if (c->data.missing == AN__REFUSE)
        return true;
    if (c->data.missing == AN__FILL_MEAN &&
        !an_dataset_moments(run->train_data, values, deviation, err))
        return false;
    for (int64_t i = 0; i < width && c->data.missing == AN__FILL_VALUE; i++)
        values[i] = c->data.fill;
    return an_dataset_fill(run->whole_data, values, err);
}

/*
 * Fills what is missing and standardises, with the mean and deviation of the training set alone:
 * the other parts are not looked at. `mean` and `deviation` have room for each feature.
 */
static bool scale_table(const an_config *c, an_run *run, double *mean, double *deviation,
                        an_error *err)
{
    return fill_missing(c, run, mean, deviation, err) &&
           (!c->data.standardize || (an_dataset_moments(run->train_data, mean, deviation, err) &&
                                     an_dataset_scale(run->whole_data, mean, deviation, err)));
}

static bool finish_table(const an_config *c, an_run *run, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(run->context);
    const size_t width = (size_t)an_shape_size(an_dataset_shape(run->train_data));
    double *moments = an_alloc(allocator, 2 * width, sizeof *moments, err);
    if (!moments)
        return false;
    const bool ok = scale_table(c, run, moments, moments + width, err);
    an_release(allocator, moments, 2 * width, sizeof *moments);
    return ok;
}

/* The one file that all parts are cut from. */
static bool open_file(const an_config *c, an_run *run, const char *path, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(run->context);
    return c->data.format == AN__DATA_TEXT ? open_text(allocator, c, run, path, err)
                                           : open_table(allocator, c, run, path, err);
}

bool an__data_open(const an_config *config, an_run *run, an_arena *texts, const char **path,
                   an_dataset **learned, an_error *err)
{
    const char *found = *path = find(config, texts, err);
    if (!found)
        return false;
    if (wants_folder(config)) {
        if (!open_folder(config, run, found, err))
            return false;
    } else if (!open_file(config, run, found, err) || !cut_test(config, run, err)) {
        return false;
    }
    return cut_validation(config, run, learned, err) &&
           (config->data.format != AN__DATA_CSV || finish_table(config, run, err));
}

bool an__data_reads(const an_config *config, const char *data, const char *path)
{
    struct stat own, given;
    if (wants_folder(config))
        return config->data.format == AN__DATA_CIFAR ? an_cifar_reads(data, path)
                                                     : an_mnist_reads(data, path);
    return stat(data, &own) == 0 && stat(path, &given) == 0 && own.st_dev == given.st_dev &&
           own.st_ino == given.st_ino;
}
