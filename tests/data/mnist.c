/* The files of MNIST under all their names, and MNIST itself. */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_names(const char *images, const char *labels, bool train, bool gzip)
{
    folder f;
    folder_make(&f);
    uint8_t zip[256];
    if (gzip)
        folder_write(&f, images, zip, gzip_bytes(small_images, IMAGES_LENGTH, zip, sizeof zip));
    else
        folder_write(&f, images, small_images, IMAGES_LENGTH);
    folder_write(&f, labels, small_labels, LABELS_LENGTH);
    an_allocator allocator = an_allocator_default();
    an_error err = {0};
    an_dataset *set = an_mnist_open(&allocator, f.path, train, &err);
    assert_string_equal(err.message, "");
    assert_non_null(set);
    assert_int_equal(an_dataset_count(set), 3);
    assert_int_equal(an_dataset_classes(set), 10);
    assert_null(an_mnist_open(&allocator, f.path, !train, NULL));
    an_dataset_free(set);
    folder_remove(&f);
}

static void finds_all_names(void **state)
{
    (void)state;
    check_names("train-images-idx3-ubyte", "train-labels-idx1-ubyte", true, false);
    check_names("train-images.idx3-ubyte", "train-labels.idx1-ubyte", true, false);
    check_names("train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte", true, true);
    check_names("t10k-images.idx3-ubyte.gz", "t10k-labels-idx1-ubyte", false, true);
    /* Content decides: a plain file may be called .gz, and the other way round. */
    check_names("t10k-images-idx3-ubyte", "t10k-labels.idx1-ubyte.gz", false, true);
    check_names("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", false, false);
}

static void knows_its_files(void **state)
{
    (void)state;
    static const char *const names[] = {"train-images.idx3-ubyte", "train-labels-idx1-ubyte",
                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz"};
    folder f;
    folder_make(&f);
    char path[PATH_LENGTH];
    for (size_t i = 0; i < 4; i++) {
        folder_path(&f, names[i], path);
        assert_false(an_mnist_reads(f.path, path));
        folder_write(&f, names[i], small_labels, LABELS_LENGTH);
        assert_true(an_mnist_reads(f.path, path));
    }
    folder_write(&f, "other", small_labels, LABELS_LENGTH);
    folder_path(&f, "other", path);
    assert_false(an_mnist_reads(f.path, path));
    assert_false(an_mnist_reads(f.path, f.path));
    assert_false(an_mnist_reads(path, path));
    folder_remove(&f);
}

static void refused(const char *path, an_error_code code, const char *first, const char *second)
{
    an_allocator allocator = an_allocator_default();
    an_error err = {0};
    assert_null(an_mnist_open(&allocator, path, true, &err));
    assert_int_equal(err.code, code);
    if (strstr(err.message, first) == NULL || strstr(err.message, second) == NULL)
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.message, first, second);
}

static void says_what_is_missing(void **state)
{
    (void)state;
    folder f;
    folder_make(&f);
    refused(f.path, AN_ERROR_IO, f.path,
            "neither train-images-idx3-ubyte nor train-images.idx3-ubyte, plain or with .gz");
    folder_write(&f, "train-images-idx3-ubyte", small_images, IMAGES_LENGTH);
    refused(f.path, AN_ERROR_IO, "train-labels-idx1-ubyte", "train-labels.idx1-ubyte");
    folder_write(&f, "train-labels-idx1-ubyte", "\0\0\10\1\0\0\0\3\0\12\1", 11);
    refused(f.path, AN_ERROR_DATA, "train-labels-idx1-ubyte", "label 10 of sample 1");
    char path[PATH_LENGTH];
    folder_path(&f, "train-images-idx3-ubyte", path);
    refused(path, AN_ERROR_IO, path, "is a file, expected the folder");
    folder_path(&f, "nothing", path);
    refused(path, AN_ERROR_IO, path, "does not exist");
    folder_remove(&f);
    char *longest = malloc(5001);
    assert_non_null(longest);
    memset(longest, 'x', 5000);
    longest[5000] = '\0';
    refused(longest, AN_ERROR_ARGUMENT, "bytes too long", "shorter");
    free(longest);
}

/* The sum of all pixels and the first labels identify the two parts. */
static void check_part(bool train, int64_t count, const int32_t first[4], double pixel_mean)
{
    counter memory = {0};
    an_allocator allocator = counting_allocator(&memory);
    an_dataset *set = an_mnist_open(&allocator, MNIST_FOLDER, train, NULL);
    assert_non_null(set);
    assert_int_equal(an_dataset_count(set), count);
    assert_true(an_shape_equal(an_dataset_shape(set), an_shape_3(1, 28, 28)));
    assert_int_equal(an_dataset_classes(set), 10);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        float values[784];
        an_dataset_sample(set, i, values);
        for (int j = 0; j < 784; j++)
            sum += (double)values[j];
        assert_true(i >= 4 || an_dataset_label(set, i) == first[i]);
    }
    double mean = sum / (784.0 * (double)count);
    assert_true(mean > pixel_mean - 5e-5 && mean < pixel_mean + 5e-5);
    /* The peak is the dataset itself, its labels twice, and zlib's window. */
    assert_true(memory.peak < (size_t)count * (784 + 8) + 200000);
    an_dataset_free(set);
    assert_int_equal(memory.live, 0);
}

static void reads_mnist(void **state)
{
    static const int32_t train[4] = {5, 0, 4, 1};
    static const int32_t test[4] = {7, 2, 1, 0};
    (void)state;
    check_part(true, 60000, train, 0.13066);
    check_part(false, 10000, test, 0.13251);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_all_names),
        cmocka_unit_test(knows_its_files),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(reads_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
