/*
 * CIFAR-10 and CIFAR-100 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images,
 * 2009), in their binary form: files of records without a header.
 *
 *   +-------+-----------+-----------+-----------+
 *   | label | 1024 red  | 1024 green| 1024 blue |   rows of 32 from the top
 *   +-------+-----------+-----------+-----------+
 *     CIFAR-100 has two labels: 20 coarse classes, then 100 fine ones, which are taken
 */
#include "data/dataset.h"
#include "data/source.h"

#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 4096
#define IMAGE 3072
#define MOST_FILES 5

/* A set: its files for training and for testing, and the labels of a record. */
typedef struct cifar {
    const char *files[2][MOST_FILES]; /* test, train */
    size_t counts[2], labels;
    int32_t classes;
} cifar;

static const cifar sets[] = {
    {{{"test_batch.bin"},
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
       "data_batch_5.bin"}},
     {1, 5},
     1,
     10},
    {{{"test.bin"}, {"train.bin"}}, {1, 1}, 2, 100},
};

#define SET_COUNT (sizeof sets / sizeof *sets)

/* What has been read: `count` records, their images and labels apart. */
typedef struct records {
    uint8_t *pixels, *labels;
    size_t count;
} records;

static bool path_in(const char *folder, const char *name, char path[PATH_SIZE], an_error *err)
{
    return an_format(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE ||
           an_error_set(err, AN_ERROR_ARGUMENT, "the path of the data folder is too long");
}

/* The set whose first file of this part lies in the folder. */
static const cifar *find_set(const char *folder, bool train, an_error *err)
{
    char path[PATH_SIZE];
    struct stat facts;
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (!path_in(folder, sets[i].files[train][0], path, err))
            return NULL;
        if (stat(path, &facts) == 0)
            return &sets[i];
    }
    an_error_set(err, AN_ERROR_IO,
                 "%s holds neither %s nor %s; put the binary version of CIFAR-10 or CIFAR-100 "
                 "there",
                 folder, sets[0].files[train][0], sets[1].files[train][0]);
    return NULL;
}

/* Makes room for `more` records. */
static bool grow(const an_allocator *allocator, records *r, size_t more, an_error *err)
{
    const size_t count = r->count + more;
    uint8_t *labels = allocator->resize(allocator->user, r->labels, r->count, count);
    r->labels = labels ? labels : r->labels;
    uint8_t *pixels =
        labels ? allocator->resize(allocator->user, r->pixels, r->count * IMAGE, count * IMAGE)
               : NULL;
    if (pixels) {
        r->pixels = pixels;
        return true;
    }
    if (labels) /* as many as images again; making it smaller does not fail */
        r->labels = allocator->resize(allocator->user, r->labels, count, r->count);
    an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu images", count);
    return false;
}

static bool add_file(const an_allocator *allocator, const cifar *set, const char *path, records *r,
                     an_error *err)
{
    an_content content = {0};
    const size_t size = set->labels + IMAGE;
    bool ok = an__content_read(allocator, path, &content, err);
    const size_t more = content.length / size;
    if (ok && (more == 0 || content.length % size != 0))
        ok = an_error_set(err, AN_ERROR_DATA,
                          "%s holds %zu bytes, expected records of %zu; the file is cut off or no "
                          "binary CIFAR-%d",
                          path, content.length, size, (int)set->classes);
    ok = ok && grow(allocator, r, more, err);
    for (size_t i = 0; ok && i < more; i++) {
        const unsigned char *record = content.bytes + i * size;
        r->labels[r->count] = record[set->labels - 1];
        memcpy(r->pixels + r->count++ * IMAGE, record + set->labels, IMAGE);
    }
    an_release(allocator, content.bytes, content.room, 1);
    return ok;
}

/* The dataset of what was read; the pixels move into it. */
static an_dataset *make(const an_allocator *allocator, const cifar *set, const char *folder,
                        records *r, an_error *err)
{
    if (!an__dataset_check_shape((int64_t)r->count, an_shape_3(3, 32, 32), err))
        return NULL;
    an_dataset *dataset = an__dataset_new(allocator, (int64_t)r->count, an_shape_3(3, 32, 32), err);
    for (size_t i = 0; dataset && i < r->count; i++)
        dataset->labels[i] = r->labels[i];
    if (!dataset || !an__dataset_check_labels(dataset, set->classes, folder, err)) {
        an_dataset_free(dataset);
        return NULL;
    }
    dataset->pixels = r->pixels;
    r->pixels = NULL;
    return dataset;
}

an_dataset *an_cifar_open(const an_allocator *allocator, const char *folder, bool train,
                          an_error *err)
{
    const an_allocator standard = an_allocator_default();
    allocator = allocator ? allocator : &standard;
    const cifar *set = find_set(folder, train, err);
    records r = {0};
    bool ok = set != NULL;
    for (size_t i = 0; ok && i < set->counts[train]; i++) {
        char path[PATH_SIZE];
        ok = path_in(folder, set->files[train][i], path, err) &&
             add_file(allocator, set, path, &r, err);
    }
    an_dataset *dataset = ok ? make(allocator, set, folder, &r, err) : NULL;
    an_release(allocator, r.pixels, r.count * IMAGE, 1);
    an_release(allocator, r.labels, r.count, 1);
    return dataset;
}

bool an_cifar_reads(const char *folder, const char *path)
{
    struct stat given, own;
    char name[PATH_SIZE];
    if (stat(path, &given) != 0)
        return false;
    for (size_t s = 0; s < SET_COUNT; s++)
        for (size_t train = 0; train < 2; train++)
            for (size_t i = 0; i < sets[s].counts[train]; i++)
                if (path_in(folder, sets[s].files[train][i], name, NULL) && stat(name, &own) == 0 &&
                    own.st_dev == given.st_dev && own.st_ino == given.st_ino)
                    return true;
    return false;
}
