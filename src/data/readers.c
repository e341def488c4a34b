/* From files to datasets. */
#include "data/dataset.h"
#include "data/idx.h"

#include <errno.h>
#include <sys/stat.h>

/* ----------------------------------------------------------------------------- IDX files */

static bool read_file(const an_allocator *allocator, const char *path, int rank, an_idx *idx,
                      an_error *err)
{
    an_source source;
    if (!an__source_open(&source, allocator, path, err))
        return false;
    bool read = an__idx_read(&source, rank, idx, err);
    an__source_close(&source);
    return read;
}

static bool check_counts(const char *images_path, const an_idx *images, const char *labels_path,
                         const an_idx *labels, an_error *err)
{
    return images->shape.dim[0] == labels->shape.dim[0] ||
           an_error_set(err, AN_ERROR_DATA,
                        "%s holds %lld images but %s holds %lld labels, expected one label an "
                        "image; take two files of one set",
                        images_path, (long long)images->shape.dim[0], labels_path,
                        (long long)labels->shape.dim[0]);
}

/* The dataset of what was read. The pixels move into it; the labels are copied. */
static an_dataset *join(const an_allocator *allocator, an_idx *images, const an_idx *labels,
                        const char *labels_path, int32_t classes, an_error *err)
{
    an_shape shape = an_shape_3(1, images->shape.dim[1], images->shape.dim[2]);
    an_dataset *dataset = an__dataset_new(allocator, images->shape.dim[0], shape, err);
    if (dataset == NULL)
        return NULL;
    for (size_t i = 0; i < labels->size; i++)
        dataset->labels[i] = labels->values[i];
    if (!an__dataset_check_labels(dataset, classes, labels_path, err)) {
        an_dataset_free(dataset);
        return NULL;
    }
    dataset->pixels = images->values;
    *images = (an_idx){0};
    return dataset;
}

/* The same of images alone: all labels are 0. */
static an_dataset *without_labels(const an_allocator *allocator, an_idx *images, int32_t classes,
                                  an_error *err)
{
    an_shape shape = an_shape_3(1, images->shape.dim[1], images->shape.dim[2]);
    an_dataset *dataset = an__dataset_new(allocator, images->shape.dim[0], shape, err);
    if (dataset == NULL)
        return NULL;
    dataset->classes = classes > 0 ? classes : 1;
    dataset->pixels = images->values;
    *images = (an_idx){0};
    return dataset;
}

/* The labels are read first: they are small, and tell early that a path is wrong. */
an_dataset *an_idx_open(const an_allocator *allocator, const char *images_path,
                        const char *labels_path, int32_t classes, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    if (!allocator)
        allocator = &standard;
    an_dataset *dataset = NULL;
    an_idx labels = {0};
    an_idx images = {0};
    if (labels_path == NULL) {
        if (read_file(allocator, images_path, AN_IDX_IMAGES, &images, err))
            dataset = without_labels(allocator, &images, classes, err);
        an__idx_free(allocator, &images);
        return dataset;
    }
    if (read_file(allocator, labels_path, AN_IDX_LABELS, &labels, err) &&
        read_file(allocator, images_path, AN_IDX_IMAGES, &images, err) &&
        check_counts(images_path, &images, labels_path, &labels, err))
        dataset = join(allocator, &images, &labels, labels_path, classes, err);
    an__idx_free(allocator, &images);
    an__idx_free(allocator, &labels);
    return dataset;
}

/* --------------------------------------------------------------------------------- MNIST */

#define PATH_SIZE 4096
#define MNIST_CLASSES 10

/* How the four names go on after "train-images" or "t10k-labels"; %s is "idx3" or "idx1". */
static const char *const name_forms[][2] = {
    {"-", "-ubyte"}, {".", "-ubyte"}, {"-", "-ubyte.gz"}, {".", "-ubyte.gz"}};

static bool fail_missing(const char *folder, const char *part, const char *type, an_error *err)
{
    struct stat facts;
    if (stat(folder, &facts) != 0) {
        return an_error_set(err, AN_ERROR_IO,
                            "the folder %s does not exist; check the path, or make it and put the "
                            "four files of MNIST there",
                            folder);
    }
    if (!S_ISDIR(facts.st_mode)) {
        return an_error_set(err, AN_ERROR_IO,
                            "%s is a file, expected the folder that holds the four files of MNIST",
                            folder);
    }
    return an_error_set(err, AN_ERROR_IO,
                        "%s holds neither %s-%s-ubyte nor %s.%s-ubyte, plain or with .gz; put the "
                        "four files of MNIST there",
                        folder, part, type, part, type);
}

/* The first of the names under which the file may stand. */
static bool find(const char *folder, const char *part, const char *type, char path[PATH_SIZE],
                 an_error *err)
{
    for (size_t i = 0; i < sizeof name_forms / sizeof *name_forms; i++) {
        struct stat facts;
        size_t length = an_format(path, PATH_SIZE, "%s/%s%s%s%s", folder, part, name_forms[i][0],
                                  type, name_forms[i][1]);
        if (length >= PATH_SIZE) {
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "the path of the data folder is %zu bytes too long; use a shorter",
                                length - PATH_SIZE + 1);
        }
        if (stat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR))
            return true;
    }
    return fail_missing(folder, part, type, err);
}

an_dataset *an_mnist_open(const an_allocator *allocator, const char *folder, bool train,
                          an_error *err)
{
    char images[PATH_SIZE];
    char labels[PATH_SIZE];
    if (!find(folder, train ? "train-images" : "t10k-images", "idx3", images, err) ||
        !find(folder, train ? "train-labels" : "t10k-labels", "idx1", labels, err))
        return NULL;
    return an_idx_open(allocator, images, labels, MNIST_CLASSES, err);
}

bool an_mnist_reads(const char *folder, const char *path)
{
    static const char *const files[][2] = {{"train-images", "idx3"},
                                           {"train-labels", "idx1"},
                                           {"t10k-images", "idx3"},
                                           {"t10k-labels", "idx1"}};
    struct stat given;
    if (stat(path, &given) != 0)
        return false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[PATH_SIZE];
        struct stat own;
        if (find(folder, files[i][0], files[i][1], name, NULL) && stat(name, &own) == 0 &&
            own.st_dev == given.st_dev && own.st_ino == given.st_ino)
            return true;
    }
    return false;
}
