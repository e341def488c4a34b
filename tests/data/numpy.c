/* NumPy's arrays: every type and order, what becomes of them, archives, and what is refused. */
#include "../base/cmocka_all.h"

#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORED NUMPY_FOLDER "/stored.npz"
#define DEFLATED NUMPY_FOLDER "/deflated.npz"

static an_dataset *open_npz(const char *path, const char *x, const char *y,
                            const an_npy_options *options)
{
    an_error err = {0};
    an_dataset *d = an_npz_open(NULL, path, x, y, options, &err);
    if (!d)
        fail_msg("%s", err.message);
    return d;
}

/* Samples of the numbers 0, 1, 2, ... in order, times `factor`. */
static void check_numbers(an_dataset *d, int64_t count, an_shape shape, double factor)
{
    assert_int_equal(an_dataset_count(d), count);
    assert_true(an_shape_equal(an_dataset_shape(d), shape));
    const int64_t width = an_shape_size(shape);
    float sample[64];
    for (int64_t i = 0; i < count; i++) {
        an_dataset_sample(d, i, sample);
        for (int64_t j = 0; j < width; j++)
            assert_true(sample[j] == (float)((double)(i * width + j) * factor));
    }
    an_dataset_free(d);
}

static void test_types(void **state)
{
    (void)state;
    static const char *const kinds[] = {"u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"};
    static const char *const orders[] = {"little-c", "little-f", "big-c", "big-f"};
    static const char *const files[] = {STORED, DEFLATED};
    for (size_t f = 0; f < 2; f++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            for (size_t o = 0; o < 4; o++) {
                char name[32];
                snprintf(name, sizeof name, "%s-%s", kinds[k], orders[o]);
                an_dataset *d = open_npz(files[f], name, NULL, NULL);
                assert_int_equal(an_dataset_kind(d), AN_DATA_FLOATS);
                check_numbers(d, 2, an_shape_2(3, 4), 1);
            }
    check_numbers(open_npz(STORED, "negative", NULL, NULL), 2, an_shape_2(3, 4), -100);
    an_dataset *d = open_npz(STORED, "b1-big-f.npy", NULL, NULL);
    float sample[12];
    an_dataset_sample(d, 0, sample);
    assert_true(sample[0] == 0 && sample[1] == 1 && sample[11] == 1);
    an_dataset_free(d);
}

static void test_images(void **state)
{
    (void)state;
    static const char *const orders[] = {"u1-little-c", "u1-little-f", "u1-big-f", "gray"};
    for (size_t o = 0; o < 4; o++) {
        an_dataset *d = open_npz(DEFLATED, orders[o], NULL, NULL);
        assert_int_equal(an_dataset_kind(d), AN_DATA_BYTES);
        check_numbers(d, 2, an_shape_3(1, 3, 4), 1.0 / 255);
    }
    check_numbers(open_npz(STORED, "colour", NULL, NULL), 2, an_shape_3(3, 4, 2), 1.0 / 255);
    /* (N, H, W, C) = (2, 3, 4, 2): channel c of pixel p is 2 * p + c. */
    an_npy_options options = an_npy_defaults();
    options.channels_last = true;
    an_dataset *d = open_npz(STORED, "colour", NULL, &options);
    assert_true(an_shape_equal(an_dataset_shape(d), an_shape_3(2, 3, 4)));
    float sample[24];
    an_dataset_sample(d, 1, sample);
    for (int c = 0; c < 2; c++)
        for (int p = 0; p < 12; p++)
            assert_true(sample[c * 12 + p] == (float)(24 + 2 * p + c) / 255.0F);
    an_dataset_free(d);
}

static void test_labels_and_targets(void **state)
{
    (void)state;
    an_dataset *d = open_npz(STORED, "rows", "classes", NULL);
    assert_int_equal(an_dataset_classes(d), 3);
    assert_int_equal(an_dataset_targets(d), 0);
    assert_int_equal(an_dataset_label(d, 0), 2);
    assert_int_equal(an_dataset_label(d, 1), 0);
    check_numbers(d, 4, an_shape_1(3), 0.25);
    d = open_npz(STORED, "rows", "column", &(an_npy_options){.labels = true, .classes = 6});
    assert_int_equal(an_dataset_classes(d), 6);
    assert_int_equal(an_dataset_label(d, 3), 3);
    an_dataset_free(d);
    d = open_npz(STORED, "rows", "pairs", &(an_npy_options){.weights = "weights"});
    assert_int_equal(an_dataset_targets(d), 2);
    assert_int_equal(an_dataset_classes(d), 0);
    double weights[4];
    assert_true(an_dataset_weights(d, weights, NULL));
    assert_true(weights[0] == 1 && weights[1] == 0 && weights[2] == 2.5 && weights[3] == 4);
    an_context *context = an_context_new(NULL, NULL);
    an_loader *loader = an_loader_new(context, d, &(an_loader_options){4, .deviation = 1}, NULL);
    an_batch batch;
    assert_true(an_loader_next(loader, &batch));
    for (int i = 0; i < 8; i++)
        assert_true(batch.target->data[i] == (float)(i + 1));
    an_loader_free(loader);
    an_context_free(context);
    an_dataset_free(d);
}

static void test_missing(void **state)
{
    (void)state;
    an_error err = {0};
    const an_npy_options keep = {.labels = true, .keep_missing = true};
    assert_null(an_npz_open(NULL, STORED, "holes", NULL, NULL, &err));
    assert_non_null(strstr(err.message, "value 1 of sample 0 is NaN"));
    assert_null(an_npz_open(NULL, STORED, "holes", NULL, &keep, &err));
    assert_non_null(strstr(err.message, "value 0 of sample 1 is not finite"));
}

static void test_files(void **state)
{
    (void)state;
    static const char *const files[] = {"v1.npy", "v2.npy", "v3.npy"};
    char path[PATH_LENGTH];
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, NUMPY_FOLDER "/%s", files[i]);
        check_numbers(an_npy_open(NULL, path, NULL, NULL, NULL), 4, an_shape_1(3), 0.25);
    }
    check_numbers(open_npz(NUMPY_FOLDER "/wide.npz", "rows", NULL, NULL), 4, an_shape_1(3), 0.25);
    uint8_t bytes[256], zip[512];
    FILE *file = fopen(path, "rb");
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    folder_write(&home, "x.npy.gz", zip, gzip_bytes(bytes, length, zip, sizeof zip));
    folder_path(&home, "x.npy.gz", path);
    check_numbers(an_npy_open(NULL, path, NULL, NULL, NULL), 4, an_shape_1(3), 0.25);
}

static void refuse_npz(const char *x, const char *y, const an_npy_options *options,
                       const char *message)
{
    static const char *const files[] = {STORED, DEFLATED};
    for (size_t i = 0; i < 2; i++) {
        an_error err = {0};
        assert_null(an_npz_open(NULL, files[i], x, y, options, &err));
        if (!strstr(err.message, message) || !strstr(err.message, files[i]))
            fail_msg("\"%s\" lacks \"%s\"", err.message, message);
        assert_int_equal(err.code, AN_ERROR_DATA);
    }
}

static void test_refused(void **state)
{
    (void)state;
    const an_npy_options numbers = {0}, few = {.labels = true, .classes = 2},
                         last = {.labels = true, .channels_last = true},
                         debts = {.labels = true, .weights = "debts"},
                         table = {.labels = true, .weights = "pairs"};
    refuse_npz("nothing", NULL, NULL, "holds no array 'nothing'; it holds 'b1-little-c', ");
    refuse_npz("text", NULL, NULL, "'text' holds values of type '<U2', expected bool, integers");
    refuse_npz("half", NULL, NULL, "type '<f2'");
    refuse_npz("records", NULL, NULL, "holds records of several fields");
    refuse_npz("none", NULL, NULL, "holds no values: dimension 1 is 0");
    refuse_npz("deep", NULL, NULL, "more than 6 dimensions");
    refuse_npz("one", NULL, NULL, "has shape (), expected samples side by side");
    refuse_npz("large", NULL, NULL, "value 0 of sample 0 is not finite");
    refuse_npz("rows", "below", NULL, "'below': label -5 of sample 1 is outside 0..2147483646");
    refuse_npz("rows", "above", NULL, "label 18446744073709551615 of sample 3 is outside");
    refuse_npz("rows", "classes", &few, "label 2 of sample 0 is outside 0..1");
    refuse_npz("rows", "gray", NULL, "has shape (2, 3, 4), expected one number a sample");
    refuse_npz("rows", "large", &numbers, "has 2 entries for 4 samples");
    refuse_npz("rows", "weights", NULL, "holds float32, expected classes as integers");
    refuse_npz("large", "large", &numbers, "is not finite");
    refuse_npz("gray", "pairs", &numbers, "4 entries for 2 samples");
    refuse_npz("gray", NULL, &last, "as channels: last says");
    refuse_npz("rows", "classes", &debts, "the weight of sample 1 is below 0");
    refuse_npz("rows", "classes", &table, "expected one number a sample");
}

/* A version-1 array of this header, `padding` bytes after it; the message that it gives. */
static void refuse_header(const char *header, size_t padding, const char *message)
{
    char bytes[12000] = "\x93NUMPY\1\0", path[PATH_LENGTH];
    const size_t length = strlen(header);
    an_error err = {0};
    bytes[8] = (char)(length & 255);
    bytes[9] = (char)(length >> 8);
    memcpy(bytes + 10, header, length);
    folder_write(&home, "h.npy", bytes, 10 + length + padding);
    folder_path(&home, "h.npy", path);
    an_dataset *d = an_npy_open(NULL, path, NULL, NULL, &err);
    an_dataset_free(d);
    if (message ? d || !strstr(err.message, message) || !strstr(err.message, "h.npy") : !d)
        fail_msg("%s: \"%s\" lacks \"%s\"", header, err.message, message);
    assert_true(!message || err.code == AN_ERROR_DATA);
}

#define F4 "'descr': '<f4', "
#define C_ORDER "'fortran_order': False, "

static void test_headers(void **state)
{
    (void)state;
    static char long_one[10002];
    memset(long_one, ' ', sizeof long_one - 1);
    refuse_header("{" F4 C_ORDER "'shape': (2,)}", 8, NULL);
    refuse_header(" {\"shape\":(1L,2), 'fortran_order' : True,'descr':'|u1' } \n", 2, NULL);
    refuse_header("{" F4 C_ORDER "'shape': (2,)}", 7, "has 72 bytes, expected 73");
    refuse_header("{" F4 C_ORDER "'shape': (2,)}", 9, "has 74 bytes, expected 73");
    refuse_header("{" F4 C_ORDER "'shape': (2,)", 8, "damaged at byte 54: expected a comma or '}'");
    refuse_header("{" F4 C_ORDER "'shape': (2,)} x", 8, "nothing after");
    refuse_header("{" F4 C_ORDER "'shape': (-2,)}", 8, "expected a dimension");
    refuse_header("{" F4 C_ORDER "'shape': (2 2)}", 8, "a comma or the end of the dimensions");
    refuse_header("{" F4 C_ORDER "'shape': 2}", 8, "in parentheses");
    refuse_header("{" F4 C_ORDER "'shape': (99999999999999999999,)}", 8, "a smaller dimension");
    refuse_header("{" F4 C_ORDER "'shape': (4000000000, 4000000000)}", 8, "than any memory");
    refuse_header("{" F4 C_ORDER "'shape': (4000000000,)}", 8, "expected 16000000074");
    refuse_header("{" F4 F4 "'shape': (2,)}", 8, "each once");
    refuse_header("{" F4 "'shape': (2,)}", 8, "expected fortran_order");
    refuse_header("{" F4 "'fortran_order': 0, 'shape': (2,)}", 8, "True or False");
    refuse_header("{'descr': 'x', " C_ORDER "'shape': (2,)}", 8, "type 'x'");
    refuse_header("{'descr: 4", 8, "the end of a text in quotes");
    refuse_header("{'descr' 4", 8, "expected a colon");
    refuse_header("{4", 8, "expected a text in quotes");
    refuse_header("", 8, "expected '{'");
    refuse_header(long_one, 8, "a header of 10001 bytes, expected at most 10000");
}

static void refuse_bytes(const void *bytes, size_t length, bool archive, const char *message)
{
    char path[PATH_LENGTH];
    an_error err = {0};
    folder_write(&home, "b", bytes, length);
    folder_path(&home, "b", path);
    assert_null(archive ? an_npz_open(NULL, path, "rows", NULL, NULL, &err)
                        : an_npy_open(NULL, path, NULL, NULL, &err));
    if (!strstr(err.message, message) || !strstr(err.message, path))
        fail_msg("\"%s\" lacks \"%s\"", err.message, message);
    assert_int_equal(err.code, AN_ERROR_DATA);
}

static size_t read_bytes(const char *path, uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t length = fread(bytes, 1, size, file);
    fclose(file);
    return length;
}

static void test_damaged(void **state)
{
    (void)state;
    static uint8_t bytes[32768];
    refuse_bytes("", 0, false, "ends inside its header, or is empty");
    refuse_bytes("no array at all", 15, false, "does not begin as a NumPy array does");
    refuse_bytes("\x93NUMPY\4\0\0\0", 10, false, "version 4");
    refuse_bytes("", 0, true, "it is too short");
    refuse_bytes("no archive, but text of some length", 35, true, "no directory at its end");
    size_t length = read_bytes(STORED, bytes, sizeof bytes);
    refuse_bytes(bytes, length - 1, true, "no directory at its end");
    refuse_bytes(bytes + 100, length - 100, true, "a damaged one");
    /* A bit of the numbers of "rows", which its checksum tells. */
    for (size_t i = 0; i + 8 < length; i++)
        if (memcmp(bytes + i, "rows.npy", 8) == 0) {
            bytes[i + 8 + 20 + 200] ^= 1;
            break;
        }
    refuse_bytes(bytes, length, true, "'rows' is damaged: its checksum");
}

/* Whatever is cut off or changed, it is an error or an array, and nothing leaks. */
static void test_any_damage(void **state)
{
    (void)state;
    uint8_t bytes[1024], changed[1024];
    char path[PATH_LENGTH];
    const size_t length = read_bytes(NUMPY_FOLDER "/wide.npz", bytes, sizeof bytes);
    folder_path(&home, "d", path);
    for (size_t i = 0; i < length; i += 7) {
        an_error err = {0};
        memcpy(changed, bytes, length);
        changed[i] ^= 0xFF;
        folder_write(&home, "d", changed, length);
        an_dataset *d = an_npz_open(NULL, path, "rows", NULL, NULL, &err);
        assert_true(!d == (err.code != AN_ERROR_OK));
        an_dataset_free(d);
        folder_write(&home, "d", bytes, i);
        assert_null(an_npz_open(NULL, path, "rows", NULL, NULL, &err));
    }
}

/* Every allocation fails once; nothing leaks. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const targets[] = {"classes", "pairs"};
    for (size_t t = 0; t < 2; t++) {
        bool done = false;
        const an_npy_options options = {.labels = t == 0, .weights = "weights"};
        for (size_t fail = 1; !done && fail < 100; fail++) {
            counter c = {.fail_at = fail};
            an_error err = {0};
            an_allocator allocator = counting_allocator(&c);
            an_dataset *d = an_npz_open(&allocator, DEFLATED, "rows", targets[t], &options, &err);
            done = d != NULL;
            assert_true(done || err.code == AN_ERROR_MEMORY);
            an_dataset_free(d);
            assert_int_equal(c.live, 0);
        }
        assert_true(done);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),   cmocka_unit_test(test_images),
        cmocka_unit_test(test_missing), cmocka_unit_test(test_labels_and_targets),
        cmocka_unit_test(test_files),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_headers), cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_any_damage),
    };
    return cmocka_run_group_tests(tests, home_make, home_remove);
}
