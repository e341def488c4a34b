/* Datasets given in memory, and their splits. */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Sample i has the pixels i % 256, i / 256 and the label i % 7. */
static an_dataset *numbered(int64_t count)
{
    an_allocator allocator = an_allocator_default();
    uint8_t *pixels = malloc(2 * (size_t)count);
    int32_t *labels = malloc((size_t)count * sizeof *labels);
    assert_non_null(pixels);
    assert_non_null(labels);
    for (int64_t i = 0; i < count; i++) {
        pixels[2 * i] = (uint8_t)(i % 256);
        pixels[2 * i + 1] = (uint8_t)(i / 256);
        labels[i] = (int32_t)(i % 7);
    }
    an_dataset *set =
        an_dataset_from_bytes(&allocator, pixels, labels, count, an_shape_1(2), 0, NULL);
    assert_non_null(set);
    free(pixels);
    free(labels);
    return set;
}

/* The number of sample `index`, from its pixels; its label must agree. */
static int64_t number_of(const an_dataset *set, int64_t index)
{
    float values[2];
    an_dataset_sample(set, index, values);
    int64_t number = (int64_t)(values[0] * 255 + 0.5F) + 256 * (int64_t)(values[1] * 255 + 0.5F);
    assert_int_equal(an_dataset_label(set, index), number % 7);
    return number;
}

static void copies_what_it_is_given(void **state)
{
    (void)state;
    an_dataset *set = numbered(600);
    assert_int_equal(an_dataset_count(set), 600);
    assert_int_equal(an_dataset_classes(set), 7);
    assert_true(an_shape_equal(an_dataset_shape(set), an_shape_1(2)));
    for (int64_t i = 0; i < 600; i++)
        assert_int_equal(number_of(set, i), i);
    an_dataset_free(set);
}

static void outside_there_is_nothing(void **state)
{
    (void)state;
    an_dataset *set = numbered(5);
    float values[2] = {7, 8};
    assert_int_equal(an_dataset_label(set, -1), -1);
    assert_int_equal(an_dataset_label(set, 5), -1);
    an_dataset_sample(set, 5, values);
    an_dataset_sample(set, INT64_MIN, values);
    assert_true(values[0] == 7 && values[1] == 8);
    an_dataset_free(set);
    an_dataset_free(NULL);
}

static void refused(const uint8_t *pixels, const int32_t *labels, int64_t count, an_shape shape,
                    int32_t classes, an_error_code code, const char *piece)
{
    counter memory = {0};
    an_allocator allocator = counting_allocator(&memory);
    an_error err = {0};
    assert_null(an_dataset_from_bytes(&allocator, pixels, labels, count, shape, classes, &err));
    assert_int_equal(err.code, code);
    if (strstr(err.message, piece) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, piece);
    assert_int_equal(memory.live, 0);
}

static void refuses_bad_arguments(void **state)
{
    (void)state;
    const uint8_t pixels[4] = {0};
    const int32_t labels[2] = {0, 3};
    const int32_t negative[2] = {0, -1};
    an_shape two = an_shape_1(2);
    an_shape deep = {.ndim = AN_MAX_DIMS, .dim = {1, 1, 1, 1, 1, 1}};
    an_shape below = {.ndim = -1};
    refused(NULL, labels, 2, two, 0, AN_ERROR_ARGUMENT, "NULL");
    refused(pixels, NULL, 2, two, 0, AN_ERROR_ARGUMENT, "NULL");
    refused(pixels, labels, 0, two, 0, AN_ERROR_ARGUMENT, "got 0");
    refused(pixels, labels, -4, two, 0, AN_ERROR_ARGUMENT, "got -4");
    refused(pixels, labels, (int64_t)1 << 31, two, 0, AN_ERROR_ARGUMENT, "got 2147483648");
    refused(pixels, labels, 2, an_shape_1(0), 0, AN_ERROR_SHAPE, "at least 1");
    refused(pixels, labels, 2, an_shape_2(2, -1), 0, AN_ERROR_SHAPE, "at least 1");
    refused(pixels, labels, 2, an_shape_2(-2, -1), 0, AN_ERROR_SHAPE, "at least 1");
    refused(pixels, labels, 2, deep, 0, AN_ERROR_SHAPE, "up to 5 dimensions");
    refused(pixels, labels, 2, below, 0, AN_ERROR_SHAPE, "up to 5 dimensions");
    refused(pixels, labels, 1000, an_shape_1((int64_t)1 << 60), 0, AN_ERROR_SHAPE, "2^63");
    refused(pixels, labels, 2, two, 3, AN_ERROR_DATA, "label 3 of sample 1 is outside 0..2");
    refused(pixels, negative, 2, two, 0, AN_ERROR_DATA, "label -1 of sample 1");
}

/* Together the views have every sample once, each view in the order of the whole. */
static void check_split(const an_dataset *whole, int64_t count, uint64_t seed)
{
    int64_t total = an_dataset_count(whole);
    an_dataset *views[2];
    assert_true(an_dataset_split(whole, count, seed, &views[0], &views[1], NULL));
    assert_int_equal(an_dataset_count(views[0]), total - count);
    assert_int_equal(an_dataset_count(views[1]), count);
    int *seen = calloc((size_t)(number_of(whole, total - 1) + 1), sizeof *seen);
    assert_non_null(seen);
    for (int v = 0; v < 2; v++) {
        int64_t last = -1;
        for (int64_t i = 0; i < an_dataset_count(views[v]); i++) {
            int64_t number = number_of(views[v], i);
            assert_true(number > last);
            seen[number]++;
            last = number;
        }
        assert_int_equal(an_dataset_classes(views[v]), an_dataset_classes(whole));
        assert_true(an_shape_equal(an_dataset_shape(views[v]), an_dataset_shape(whole)));
    }
    for (int64_t i = 0; i < total; i++)
        assert_int_equal(seen[number_of(whole, i)], 1);
    free(seen);
    an_dataset_free(views[0]);
    an_dataset_free(views[1]);
}

static void splits_are_disjoint_and_complete(void **state)
{
    (void)state;
    an_dataset *whole = numbered(1000);
    check_split(whole, 1, 1);
    check_split(whole, 100, 2);
    check_split(whole, 999, 3);
    an_dataset_free(whole);
    whole = numbered(2);
    check_split(whole, 1, 1);
    an_dataset_free(whole);
}

static void a_split_can_be_split(void **state)
{
    (void)state;
    an_dataset *whole = numbered(1000);
    an_dataset *rest;
    an_dataset *cut;
    assert_true(an_dataset_split(whole, 300, 5, &rest, &cut, NULL));
    check_split(rest, 200, 5);
    check_split(cut, 299, 6);
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(whole);
}

static bool same_cut(const an_dataset *whole, uint64_t a, uint64_t b)
{
    an_dataset *rest[2];
    an_dataset *cut[2];
    assert_true(an_dataset_split(whole, 50, a, &rest[0], &cut[0], NULL));
    assert_true(an_dataset_split(whole, 50, b, &rest[1], &cut[1], NULL));
    bool same = true;
    for (int64_t i = 0; i < 50; i++)
        same = same && number_of(cut[0], i) == number_of(cut[1], i);
    for (int i = 0; i < 2; i++) {
        an_dataset_free(rest[i]);
        an_dataset_free(cut[i]);
    }
    return same;
}

static void the_seed_decides_the_split(void **state)
{
    (void)state;
    an_dataset *whole = numbered(1000);
    assert_true(same_cut(whole, 7, 7));
    assert_false(same_cut(whole, 7, 8));
    an_dataset_free(whole);
}

static void refuses_empty_splits(void **state)
{
    (void)state;
    static const int64_t counts[] = {0, -1, 10, 11, INT64_MAX, INT64_MIN};
    an_dataset *whole = numbered(10);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        an_error err = {0};
        an_dataset *rest = whole;
        an_dataset *cut = whole;
        assert_false(an_dataset_split(whole, counts[i], 1, &rest, &cut, &err));
        assert_null(rest);
        assert_null(cut);
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, "of 10 samples"));
    }
    an_dataset_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_what_it_is_given),
        cmocka_unit_test(outside_there_is_nothing),
        cmocka_unit_test(refuses_bad_arguments),
        cmocka_unit_test(splits_are_disjoint_and_complete),
        cmocka_unit_test(a_split_can_be_split),
        cmocka_unit_test(the_seed_decides_the_split),
        cmocka_unit_test(refuses_empty_splits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
