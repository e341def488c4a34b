#include "config/data.h"

#include "config/errors.h"

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

/* Where a file is: as written, else beside the configuration. NULL with err (IO). */
static const char *find(const an_config *c, an__spot place, an_arena *texts, an_error *err)
{
    const char *path = c->data.at[place].text, *name = an__spot_name(place);
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
    AN__FAIL(c->data.at[place].node, err, "there is no %s '%s'%s; give it with --set data.%s=%s",
             what, path, path[0] == '/' ? "" : ", neither here nor beside the configuration", name,
             wants_folder(c) ? "FOLDER" : "FILE");
    if (err)
        err->code = AN_ERROR_IO;
    return NULL;
}

/* All that are named. */
static bool find_all(const an_config *c, an_arena *texts, an__found *found, an_error *err)
{
    *found = (an__found){0};
    for (int i = 0; i < AN__SPOTS; i++) {
        const an__spot place = (an__spot)i;
        if (!c->data.at[i].text || !an__is_path(c->data.format, place))
            continue;
        found->path[i] = find(c, place, texts, err);
        if (!found->path[i])
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------ cutting */

/* How many samples a part of the data has: a fraction of `all`, or a count; -1 with err. */
static int64_t part_of(const an__node *node, const char *name, double part, int64_t all,
                       int64_t most, an_error *err)
{
    double wanted = part < 1 ? floor(part * (double)all + 0.5) : part;
    if (wanted >= 1 && wanted <= (double)most)
        return (int64_t)wanted;
    if (most < 1)
        AN__FAIL(node, err, "%s: %lld samples are too few to cut some off and leave some", name,
                 (long long)all);
    else
        AN__FAIL(node, err,
                 "%s must leave samples on both sides: %g of %lld is not between 1 and %lld", name,
                 wanted, (long long)all, (long long)most);
    return -1;
}

/* The most that can be cut off: of a text, one sample between the parts is lost besides. */
static int64_t most_of(const an_dataset *data)
{
    return an_dataset_count(data) - (an_dataset_kind(data) == AN_DATA_TOKENS ? 2 : 1);
}

static bool cut(const an_config *c, const an_dataset *whole, int64_t count, an_dataset **rest,
                an_dataset **part, an_error *err)
{
    const uint64_t seed = (uint64_t)c->seed;
    an_error why = {0};
    if (!c->data.stratify)
        return an_dataset_split(whole, count, seed, rest, part, err);
    return an_dataset_split_stratified(whole, count, seed, rest, part, &why) ||
           an__hand_on(c->data.stratify_node->key, "stratify: ", &why, err);
}

/* Cuts the test set off all data: what is left is learned from. */
static bool cut_test(const an_config *c, an_run *run, an_error *err)
{
    an_dataset *whole = run->whole_data;
    const an__node *node = c->data.test_node           ? c->data.test_node
                           : c->data.at[AN__PATH].node ? c->data.at[AN__PATH].node
                                                       : c->data.at[AN__X].node;
    int64_t count =
        part_of(node, "test", c->data.test, an_dataset_count(whole), most_of(whole), err);
    return count > 0 && cut(c, whole, count, &run->train_data, &run->test_data, err);
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
    return cut(c, all, count, &run->train_data, &run->valid_data, err);
}

/* ------------------------------------------------------------------ opening */

static an_dataset *open_images(const an_config *c, const an_run *run, const char *folder,
                               bool train, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(run->context);
    return c->data.format == AN__DATA_CIFAR ? an_cifar_open(allocator, folder, train, err)
                                            : an_mnist_open(allocator, folder, train, err);
}

/* The two parts of a set are alike in what a sample is and in what is predicted. */
static bool check_parts(const an_run *run, const char *where, an_error *err)
{
    const an_dataset *train = run->train_data, *test = run->test_data;
    char a[64], t[64];
    if (an_dataset_classes(train) != an_dataset_classes(test))
        return an_error_set(err, AN_ERROR_DATA,
                            "%s: training samples have %d classes, test samples %d; keep one set "
                            "there",
                            where, (int)an_dataset_classes(train), (int)an_dataset_classes(test));
    if (an_dataset_targets(train) != an_dataset_targets(test))
        return an_error_set(
            err, AN_ERROR_DATA,
            "%s: training samples have %lld targets, test samples %lld; save both with the same "
            "columns",
            where, (long long)an_dataset_targets(train), (long long)an_dataset_targets(test));
    if (an_dataset_kind(train) != an_dataset_kind(test))
        return an_error_set(err, AN_ERROR_DATA,
                            "%s: of training and test samples one part is images, as uint8, the "
                            "other is not; save both as the same type",
                            where);
    if (an_shape_equal(an_dataset_shape(train), an_dataset_shape(test)))
        return true;
    an_shape_print(a, sizeof a, an_dataset_shape(train));
    an_shape_print(t, sizeof t, an_dataset_shape(test));
    return an_error_set(err, AN_ERROR_DATA,
                        "%s: training samples have shape %s, test samples %s; keep one set there",
                        where, a, t);
}

/* The two parts of a set of images. */
static bool open_folder(const an_config *c, an_run *run, const char *folder, an_error *err)
{
    run->train_data = open_images(c, run, folder, true, err);
    if (run->train_data)
        run->test_data = open_images(c, run, folder, false, err);
    return run->test_data && check_parts(run, folder, err);
}

static bool open_text(const an_allocator *allocator, const an_config *c, an_run *run,
                      const char *path, an_error *err)
{
    an_error why = {0};
    run->whole_data = an_text_open(allocator, path, c->data.unit, c->data.context, &why);
    return run->whole_data || an__hand_on(c->data.context_node, "", &why, err);
}

bool an__wants_labels(an_loss loss)
{
    return loss.kind == AN_CROSS_ENTROPY_LOSS || loss.kind == AN_NLL_LOSS;
}

static bool open_table(const an_allocator *allocator, const an_config *c, an_run *run,
                       const char *path, an_error *err)
{
    an_csv_options options = c->data.table;
    options.weight = c->data.at[AN__WEIGHT].text;
    options.labels = an__wants_labels(c->loss);
    options.missing = c->data.missing == AN__REFUSE ? AN_CSV_REFUSE : AN_CSV_KEEP;
    if (options.labels && options.target_count > 1)
        return AN__FAIL(c->data.target_node, err,
                        "%s takes one target, a class, got %zu; several targets are numbers, for "
                        "a loss such as MSELoss()",
                        an_loss_name(c->loss), options.target_count);
    an_error why = {0};
    run->whole_data = an_csv_open(allocator, path, &options, &why);
    return run->whole_data || an__hand_on(c->data.target_node, "", &why, err);
}

/* ------------------------------------------------------------------- arrays */

/* The samples of `x` and what is in `y`; only the training set is drawn from by weights. */
static an_dataset *open_arrays(const an_config *c, const an_run *run, const an__found *found,
                               bool train, int32_t classes, an_error *err)
{
    const an__spot x = train ? AN__X : AN__TEST_X, y = train ? AN__Y : AN__TEST_Y;
    const an_allocator *allocator = an_context_allocator(run->context);
    const an_npy_options options = {.labels = an__wants_labels(c->loss),
                                    .classes = classes,
                                    .channels_last = c->data.channels_last,
                                    .keep_missing = c->data.missing != AN__REFUSE,
                                    .weights = !train ? NULL
                                               : found->path[AN__WEIGHT]
                                                   ? found->path[AN__WEIGHT]
                                                   : c->data.at[AN__WEIGHT].text};
    if (c->data.format == AN__DATA_NPY)
        return an_npy_open(allocator, found->path[x], found->path[y], &options, err);
    return an_npz_open(allocator, found->path[AN__PATH], c->data.at[x].text, c->data.at[y].text,
                       &options, err);
}

/* One set that the test set is cut from, or two. */
static bool open_numpy(const an_config *c, an_run *run, const an__found *found, an_error *err)
{
    an_dataset *all = open_arrays(c, run, found, true, 0, err);
    if (!an__has_test(c)) {
        run->whole_data = all;
        return all != NULL;
    }
    run->train_data = all;
    if (all)
        run->test_data = open_arrays(c, run, found, false, an_dataset_classes(all), err);
    return run->test_data && check_parts(run, c->data.at[AN__TEST_X].text, err);
}

/* ------------------------------------------------------------------ scaling */

/* The sets that all parts look at: one, or that of the training and that of the test. */
typedef struct owners {
    an_dataset *set[2];
} owners;

/* Puts values in the place of missing ones; `values` and `deviation` are room to compute in. */
static bool fill_missing(const an_config *c, const an_run *run, const owners *all, double *values,
                         double *deviation, an_error *err)
{
    const int64_t width = an_shape_size(an_dataset_shape(run->train_data));
    if (c->data.missing == AN__REFUSE)
        return true;
    if (c->data.missing == AN__FILL_MEAN &&
        !an_dataset_moments(run->train_data, values, deviation, err))
        return false;
    for (int64_t i = 0; i < width && c->data.missing == AN__FILL_VALUE; i++)
        values[i] = c->data.fill;
    return an_dataset_fill(all->set[0], values, err) &&
           (!all->set[1] || an_dataset_fill(all->set[1], values, err));
}

/*
 * Fills what is missing and standardises, with the mean and deviation of the training set alone:
 * the other parts are not looked at. `mean` and `deviation` have room for each feature.
 */
static bool scale(const an_config *c, const an_run *run, const owners *all, double *mean,
                  double *deviation, an_error *err)
{
    if (!fill_missing(c, run, all, mean, deviation, err))
        return false;
    return !c->data.standardize ||
           (an_dataset_moments(run->train_data, mean, deviation, err) &&
            an_dataset_scale(all->set[0], mean, deviation, err) &&
            (!all->set[1] || an_dataset_scale(all->set[1], mean, deviation, err)));
}

static bool finish_floats(const an_config *c, const an_run *run, an_dataset *learned, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(run->context);
    const size_t width = (size_t)an_shape_size(an_dataset_shape(run->train_data));
    const owners all = {{run->whole_data ? run->whole_data
                         : learned       ? learned
                                         : run->train_data,
                         run->whole_data ? NULL : run->test_data}};
    if (!c->data.scaling_node)
        return true;
    if (an_dataset_kind(run->train_data) != AN_DATA_FLOATS)
        return AN__FAIL(c->data.scaling_node->key, err,
                        "%s is for features, but x holds images, as uint8; scale them with "
                        "normalize",
                        c->data.scaling_node->key->source.text);
    double *moments = an_alloc(allocator, 2 * width, sizeof *moments, err);
    if (!moments)
        return false;
    const bool ok = scale(c, run, &all, moments, moments + width, err);
    an_release(allocator, moments, 2 * width, sizeof *moments);
    return ok;
}

/* ------------------------------------------------------------------ all of it */

/* Opens both parts, or the one that all are cut from. */
static bool open_format(const an_config *c, an_run *run, const an__found *found, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(run->context);
    const char *path = found->path[AN__PATH];
    switch (c->data.format) {
    case AN__DATA_TEXT:
        return open_text(allocator, c, run, path, err);
    case AN__DATA_CSV:
        return open_table(allocator, c, run, path, err);
    case AN__DATA_NPY:
    case AN__DATA_NPZ:
        return open_numpy(c, run, found, err);
    default:
        return open_folder(c, run, path, err);
    }
}

bool an__predicts_numbers(const an_config *config)
{
    const an__data_format format = config->data.format;
    const bool any = format == AN__DATA_CSV || format == AN__DATA_NPY || format == AN__DATA_NPZ;
    return any && !an__wants_labels(config->loss);
}

bool an__data_open(const an_config *config, an_run *run, an_arena *texts, an__found *found,
                   an_dataset **learned, an_error *err)
{
    return find_all(config, texts, found, err) && open_format(config, run, found, err) &&
           (an__has_test(config) || cut_test(config, run, err)) &&
           cut_validation(config, run, learned, err) && finish_floats(config, run, *learned, err);
}

bool an__data_reads(const an_config *config, const an__found *found, const char *path)
{
    struct stat own, given;
    if (wants_folder(config))
        return config->data.format == AN__DATA_CIFAR ? an_cifar_reads(found->path[AN__PATH], path)
                                                     : an_mnist_reads(found->path[AN__PATH], path);
    if (stat(path, &given) != 0)
        return false;
    for (int i = 0; i < AN__SPOTS; i++)
        if (found->path[i] && stat(found->path[i], &own) == 0 && own.st_dev == given.st_dev &&
            own.st_ino == given.st_ino)
            return true;
    return false;
}
