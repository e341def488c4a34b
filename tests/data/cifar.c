/* CIFAR's binary files: which set it is, order of records and channels, and what is refused. */
#include "../base/cmocka_all.h"

#include "files.h"

#include <stdio.h>
#include <string.h>

#define IMAGE 3072

/* `count` records of `labels` labels; image i of the file has the bytes i, i + 1, ... */
static size_t records(uint8_t *out, int count, int labels, int first)
{
    uint8_t *at = out;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < labels; k++)
            *at++ = (uint8_t)(first + i + 50 * (labels - 1 - k));
        for (int k = 0; k < IMAGE; k++)
            *at++ = (uint8_t)(i + k);
    }
    return (size_t)(at - out);
}

static uint8_t bytes[3 * (IMAGE + 2) + 1];

static void write_ten(void)
{
    for (int i = 1; i <= 5; i++) {
        char name[32];
        an_format(name, sizeof name, "data_batch_%d.bin", i);
        folder_write(&home, name, bytes, records(bytes, 2, 1, i));
    }
    folder_write(&home, "test_batch.bin", bytes, records(bytes, 3, 1, 7));
}

static void test_ten(void **state)
{
    (void)state;
    float x[IMAGE];
    char path[PATH_LENGTH];
    write_ten();
    an_dataset *d = an_cifar_open(NULL, home.path, true, NULL);
    assert_non_null(d);
    assert_int_equal(an_dataset_count(d), 10);
    assert_int_equal(an_dataset_classes(d), 10);
    assert_true(an_shape_equal(an_dataset_shape(d), an_shape_3(3, 32, 32)));
    assert_int_equal(an_dataset_label(d, 0), 1);
    assert_int_equal(an_dataset_label(d, 9), 6);
    an_dataset_sample(d, 9, x);
    assert_true(x[0] == 1 / 255.0F && x[1] == 2 / 255.0F && x[1024] == 1 / 255.0F);
    an_dataset_free(d);
    d = an_cifar_open(NULL, home.path, false, NULL);
    assert_int_equal(an_dataset_count(d), 3);
    assert_int_equal(an_dataset_label(d, 2), 9);
    an_dataset_free(d);
    folder_path(&home, "data_batch_3.bin", path);
    assert_true(an_cifar_reads(home.path, path));
    assert_false(an_cifar_reads(home.path, home.path));
}

static void refuse(const char *name, size_t length, an_error_code code, const char *part)
{
    an_error err = {0};
    folder_write(&home, name, bytes, length);
    assert_null(an_cifar_open(NULL, home.path, true, &err));
    if (err.code != code || !strstr(err.message, part))
        print_error("%s\n", err.message);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, part));
    write_ten();
}

static void test_refused(void **state)
{
    (void)state;
    an_error err = {0};
    write_ten();
    const size_t whole = records(bytes, 2, 1, 9);
    refuse("data_batch_1.bin", whole, AN_ERROR_DATA, "label 10 of sample 1");
    refuse("data_batch_2.bin", whole - 1, AN_ERROR_DATA, "data_batch_2.bin holds 6145 bytes");
    refuse("data_batch_5.bin", 0, AN_ERROR_DATA, "records of 3073");
    assert_null(an_cifar_open(NULL, "/none", true, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "/none holds neither data_batch_1.bin nor train.bin"));
    char path[PATH_LENGTH];
    folder_path(&home, "data_batch_4.bin", path);
    assert_int_equal(remove(path), 0);
    assert_null(an_cifar_open(NULL, home.path, true, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "data_batch_4.bin"));
}

static void test_hundred(void **state)
{
    (void)state;
    folder other;
    folder_make(&other);
    uint8_t packed[16384];
    size_t length = records(bytes, 3, 2, 5);
    folder_write(&other, "train.bin", packed, gzip_bytes(bytes, length, packed, sizeof packed));
    an_dataset *d = an_cifar_open(NULL, other.path, true, NULL);
    assert_non_null(d);
    assert_int_equal(an_dataset_classes(d), 100);
    assert_int_equal(an_dataset_label(d, 2), 7); /* the second label; the first is 57 */
    an_dataset_free(d);
    assert_null(an_cifar_open(NULL, other.path, false, NULL));
    folder_remove(&other);
}

/* Every allocation fails once; nothing leaks. */
static void test_memory(void **state)
{
    (void)state;
    bool done = false;
    write_ten();
    for (size_t fail = 1; !done && fail < 100; fail++) {
        counter c = {.fail_at = fail};
        an_error err = {0};
        an_allocator allocator = counting_allocator(&c);
        an_dataset *d = an_cifar_open(&allocator, home.path, true, &err);
        done = d != NULL;
        if (!done)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_dataset_free(d);
        assert_int_equal(c.live, 0);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_hundred),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, home_make, home_remove);
}
