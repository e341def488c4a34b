/* IDX files as they should be, and as they should not. */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Two files in a folder of their own, opened together. */
typedef struct pair {
    folder at;
    char images[PATH_LENGTH], labels[PATH_LENGTH];
    counter memory;
    an_error err;
} pair;

static void pair_make(pair *p)
{
    memset(p, 0, sizeof *p);
    folder_make(&p->at);
    folder_path(&p->at, "images", p->images);
    folder_path(&p->at, "labels", p->labels);
    folder_write(&p->at, "images", small_images, IMAGES_LENGTH);
    folder_write(&p->at, "labels", small_labels, LABELS_LENGTH);
}

static an_dataset *pair_open(pair *p, int32_t classes)
{
    an_allocator allocator = counting_allocator(&p->memory);
    return an_idx_open(&allocator, p->images, p->labels, classes, &p->err);
}

/* The pair is refused: the message has all of the `count` pieces, and no memory is left behind. */
static void refused(pair *p, int32_t classes, an_error_code code, size_t count, ...)
{
    p->err = (an_error){0};
    assert_null(pair_open(p, classes));
    va_list pieces;
    va_start(pieces, count);
    for (size_t i = 0; i < count; i++) {
        const char *piece = va_arg(pieces, const char *);
        if (strstr(p->err.message, piece) == NULL) {
            print_error("\"%s\" lacks \"%s\"\n", p->err.message, piece);
            fail();
        }
    }
    va_end(pieces);
    assert_int_equal(p->err.code, code);
    assert_int_equal(p->memory.live, 0);
}

static void check_small(an_dataset *set, int32_t classes)
{
    static const int32_t labels[3] = {0, 2, 1};
    assert_non_null(set);
    assert_int_equal(an_dataset_count(set), 3);
    assert_int_equal(an_dataset_classes(set), classes);
    assert_true(an_shape_equal(an_dataset_shape(set), an_shape_3(1, 2, 2)));
    for (int i = 0; i < 3; i++) {
        float values[4];
        an_dataset_sample(set, i, values);
        assert_int_equal(an_dataset_label(set, i), labels[i]);
        for (int j = 0; j < 4; j++)
            assert_true(values[j] == (float)(10 * (4 * i + j)) / 255.0F);
    }
}

static void reads_plain_and_gzip(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    an_dataset *set = pair_open(&p, 0);
    check_small(set, 3);
    an_dataset_free(set);
    uint8_t zip[256];
    folder_write(&p.at, "images", zip, gzip_bytes(small_images, IMAGES_LENGTH, zip, sizeof zip));
    set = pair_open(&p, 10);
    check_small(set, 10);
    an_dataset_free(set);
    folder_write(&p.at, "labels", zip, gzip_bytes(small_labels, LABELS_LENGTH, zip, sizeof zip));
    set = pair_open(&p, 3);
    check_small(set, 3);
    an_dataset_free(set);
    assert_int_equal(p.memory.live, 0);
    folder_remove(&p.at);
}

/* A gzip file of two members, cut in the middle of the header. */
static void reads_joined_gzip_members(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    uint8_t zip[512];
    size_t first = gzip_bytes(small_images, 6, zip, sizeof zip);
    size_t second = gzip_bytes(small_images + 6, IMAGES_LENGTH - 6, zip + first, 256);
    folder_write(&p.at, "images", zip, first + second);
    an_dataset *set = pair_open(&p, 0);
    check_small(set, 3);
    an_dataset_free(set);
    folder_remove(&p.at);
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    unlink(p.labels);
    refused(&p, 0, AN_ERROR_IO, 2, p.labels, "does not exist");
    mkdir(p.labels, 0700);
    refused(&p, 0, AN_ERROR_IO, 2, p.labels, "is a folder, expected a file");
    rmdir(p.labels);
    assert_int_equal(mkfifo(p.labels, 0600), 0);
    refused(&p, 0, AN_ERROR_IO, 2, p.labels, "pipe or a device");
    unlink(p.labels);
    folder_write(&p.at, "labels", small_labels, LABELS_LENGTH);
    snprintf(p.images, sizeof p.images, "%s/labels/images", p.at.path);
    refused(&p, 0, AN_ERROR_IO, 2, p.images, "does not exist");
    if (geteuid() != 0) {
        chmod(p.labels, 0);
        refused(&p, 0, AN_ERROR_IO, 2, p.labels, "permissions");
    }
    folder_remove(&p.at);
}

/* What stands in the images' file, and what the error says about it. */
typedef struct bad_file {
    const char *bytes;
    size_t length;
    const char *found, *remedy;
} bad_file;

#define BYTES(text) text, sizeof(text) - 1

static const bad_file bad_images[] = {
    {BYTES(""), "is empty", "download"},
    {BYTES("\0"), "ends inside its header", "16 bytes"},
    {BYTES("\0\0\10\3\0\0\0\3\0\0\0"), "ends inside its header", "16 bytes"},
    {BYTES("\x89PNG\r\n"), "begins with the bytes 89 50 4e 47", "expected 00 00 08 03"},
    {BYTES("\0\0\0\0\0\0\0\0"), "begins with the bytes 00 00 00 00", "check the path"},
    {BYTES("<!DOCTYPE html><html>"), "holds a web page", "fetch the file itself"},
    {BYTES("\n  <html>"), "holds a web page", "fetch the file itself"},
    {BYTES("\xef\xbb\xbf<html>"), "holds a web page", "fetch the file itself"},
    {BYTES("\0\0\15\3\0\0\0\3"), "type code 13 (floats)", "convert"},
    {BYTES("\0\0\11\3\0\0\0\3"), "type code 9 (signed bytes)", "convert"},
    {BYTES("\0\0\13\3\0\0\0\3"), "type code 11 (16-bit integers)", "convert"},
    {BYTES("\0\0\14\3\0\0\0\3"), "type code 12 (32-bit integers)", "convert"},
    {BYTES("\0\0\16\3\0\0\0\3"), "type code 14 (doubles)", "convert"},
    {BYTES("\0\0\10\1\0\0\0\3\0\1\2"), "is an IDX file of labels", "swapped"},
    {BYTES("\0\0\10\2\0\0\0\3\0\0\0\3"), "rank 2, expected rank 3", "check the path"},
    {BYTES("\0\0\10\xff\0\0\0\3\0\0\0\3"), "rank 255, expected rank 3", "check the path"},
    {BYTES("\0\0\10\3\0\0\0\0\0\0\0\2\0\0\0\2"), "dimension 1 in its header is 0", "download"},
    {BYTES("\0\0\10\3\0\0\0\1\0\0\0\0\0\0\0\2"), "dimension 2 in its header is 0", "download"},
    {BYTES("\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\0"), "dimension 3 in its header is 0", "download"},
    {BYTES("\0\0\10\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), "larger than any data set",
     "(4294967295, 4294967295, 4294967295)"},
    {BYTES("\0\0\10\3\x80\0\0\0\0\0\0\1\0\0\0\1"), "larger than any data set", "2^31"},
    {BYTES("\0\0\10\3\x7f\xff\xff\xff\0\0\0\2\0\0\0\2zzzz"), "has 20 bytes",
     "expected 8589934604 by the dimensions (2147483647, 2, 2)"},
    {BYTES("\0\0\10\3\0\0\0\3\0\0\0\2\0\0\0\2elevenbytes"), "has 27 bytes", "expected 28"},
    {BYTES("\0\0\10\3\0\0\0\3\0\0\0\2\0\0\0\2thirteenbytes"), "has 29 bytes", "expected 28"},
};

static void refuses_bad_files(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    for (size_t i = 0; i < sizeof bad_images / sizeof *bad_images; i++) {
        const bad_file *bad = &bad_images[i];
        folder_write(&p.at, "images", bad->bytes, bad->length);
        refused(&p, 0, AN_ERROR_DATA, 3, p.images, bad->found, bad->remedy);
        assert_true(p.memory.peak < 100000);
    }
    folder_remove(&p.at);
}

/* The same within gzip, where the length is not known beforehand. */
static void refuses_bad_files_in_gzip(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    for (size_t i = 0; i < sizeof bad_images / sizeof *bad_images; i++) {
        const bad_file *bad = &bad_images[i];
        uint8_t zip[512];
        size_t length = gzip_bytes(bad->bytes, bad->length, zip, sizeof zip);
        folder_write(&p.at, "images", zip, length);
        p.memory = (counter){0};
        refused(&p, 0, AN_ERROR_DATA, 1, p.images);
        assert_true(p.memory.peak < 400000);
        if (strncmp(bad->found, "has ", 4) != 0 && bad->length > 0)
            refused(&p, 0, AN_ERROR_DATA, 2, bad->found, bad->remedy);
    }
    folder_remove(&p.at);
}

static void names_lengths_of_gzip(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    uint8_t zip[512];
    size_t length = gzip_bytes(small_images, IMAGES_LENGTH - 1, zip, sizeof zip);
    folder_write(&p.at, "images", zip, length);
    refused(&p, 0, AN_ERROR_DATA, 2, "unpacks to 27 bytes, expected 28", "(3, 2, 2)");
    uint8_t longer[IMAGES_LENGTH + 1] = {0};
    memcpy(longer, small_images, IMAGES_LENGTH);
    length = gzip_bytes(longer, sizeof longer, zip, sizeof zip);
    folder_write(&p.at, "images", zip, length);
    refused(&p, 0, AN_ERROR_DATA, 1, "goes on after 28 bytes, expected 28");
    length = gzip_bytes("", 0, zip, sizeof zip);
    folder_write(&p.at, "images", zip, length);
    refused(&p, 0, AN_ERROR_DATA, 1, "ends inside its header");
    folder_remove(&p.at);
}

/* However a gzip file is cut or damaged, it is refused. */
static void refuses_damaged_gzip(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    uint8_t zip[512];
    size_t length = gzip_bytes(small_images, IMAGES_LENGTH, zip, sizeof zip);
    for (size_t cut = 2; cut < length; cut++) {
        folder_write(&p.at, "images", zip, cut);
        refused(&p, 0, AN_ERROR_DATA, 2, p.images, "ends in the middle of its gzip data");
    }
    for (size_t at = length - 8; at < length; at++) { /* the checksum and the length */
        zip[at] ^= 0x10;
        folder_write(&p.at, "images", zip, length);
        refused(&p, 0, AN_ERROR_DATA, 3, p.images, "gzip data are damaged", "download");
        zip[at] ^= 0x10;
    }
    memset(zip + length, 0, 4);
    folder_write(&p.at, "images", zip, length + 4);
    refused(&p, 0, AN_ERROR_DATA, 2, p.images, "gzip data are damaged");
    folder_write(&p.at, "images", "\x1f\x8bgarbage", 9);
    refused(&p, 0, AN_ERROR_DATA, 2, p.images, "gzip data are damaged");
    folder_remove(&p.at);
}

/* Flipping any bit gives an error or a dataset, never a crash; ASan and UBSan watch. */
static void survives_flipped_bits(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    uint8_t zip[512];
    size_t length = gzip_bytes(small_images, IMAGES_LENGTH, zip, sizeof zip);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        zip[bit / 8] ^= (uint8_t)(1 << bit % 8);
        folder_write(&p.at, "images", zip, length);
        an_dataset_free(pair_open(&p, 0));
        assert_int_equal(p.memory.live, 0);
        zip[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    folder_remove(&p.at);
}

/*
 * A megabyte of gzip claims 3 x 16384 x 16384 bytes, no more than deflate could make of it: memory
 * follows the data, not the claim.
 */
static void a_lying_gzip_header_takes_no_memory(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    const size_t noise = 1 << 20;
    uint8_t *bytes = malloc(noise);
    uint8_t *zip = malloc(2 * noise);
    assert_non_null(bytes);
    assert_non_null(zip);
    an_rng rng = an_rng_init(1, 0);
    for (size_t i = 0; i < noise; i++)
        bytes[i] = (uint8_t)an_rng_u32(&rng);
    static const uint8_t header[16] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0x40, 0, 0, 0, 0x40, 0};
    memcpy(bytes, header, sizeof header);
    size_t length = gzip_bytes(bytes, noise, zip, 2 * noise);
    folder_write(&p.at, "images", zip, length);
    p.memory = (counter){0};
    refused(&p, 0, AN_ERROR_DATA, 2, "unpacks to 1048576 bytes", "(3, 16384, 16384)");
    assert_true(p.memory.peak < 16 * noise);
    free(bytes);
    free(zip);
    folder_remove(&p.at);
}

/* A file that unpacks to far more than eight times its length: memory doubles as data arrive. */
static void grows_with_what_arrives(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    const size_t size = 16 + 3 * 1000 * 1000;
    uint8_t *bytes = calloc(size, 1);
    uint8_t *zip = malloc(size);
    assert_non_null(bytes);
    assert_non_null(zip);
    static const uint8_t header[16] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 3, 0xe8, 0, 0, 3, 0xe8};
    memcpy(bytes, header, sizeof header);
    bytes[size - 1] = 255;
    folder_write(&p.at, "images", zip, gzip_bytes(bytes, size, zip, size));
    an_dataset *set = pair_open(&p, 0);
    assert_non_null(set);
    float *values = malloc(1000 * 1000 * sizeof *values);
    assert_non_null(values);
    an_dataset_sample(set, 2, values);
    assert_true(values[999998] == 0 && values[999999] == 1);
    an_dataset_free(set);
    assert_int_equal(p.memory.live, 0);
    assert_true(p.memory.peak < size + 200000);
    free(values);
    free(bytes);
    free(zip);
    folder_remove(&p.at);
}

static void refuses_files_that_do_not_fit_together(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    refused(&p, 2, AN_ERROR_DATA, 2, p.labels, "label 2 of sample 1 is outside 0..1");
    folder_write(&p.at, "labels", "\0\0\10\1\0\0\0\2\0\1", 10);
    refused(&p, 0, AN_ERROR_DATA, 3, p.images, "holds 3 images", "holds 2 labels");
    folder_write(&p.at, "labels", small_images, IMAGES_LENGTH);
    refused(&p, 0, AN_ERROR_DATA, 3, p.labels, "is an IDX file of images (rank 3)", "swapped");
    folder_remove(&p.at);
}

/* Images alone are a set too: their labels are 0. */
static void labels_may_be_missing(void **state)
{
    (void)state;
    pair p;
    pair_make(&p);
    an_allocator allocator = counting_allocator(&p.memory);
    an_dataset *set = an_idx_open(&allocator, p.images, NULL, 7, &p.err);
    assert_non_null(set);
    assert_int_equal(an_dataset_count(set), 3);
    assert_int_equal(an_dataset_classes(set), 7);
    float values[4];
    an_dataset_sample(set, 2, values);
    assert_true(values[3] == 110.0F / 255.0F);
    assert_int_equal(an_dataset_label(set, 2), 0);
    an_dataset_free(set);
    assert_null(an_idx_open(&allocator, p.labels, NULL, 7, &p.err));
    assert_non_null(strstr(p.err.message, "labels"));
    assert_int_equal(p.memory.live, 0);
    folder_remove(&p.at);
}

/* The error is optional. */
static void errors_may_be_ignored(void **state)
{
    (void)state;
    an_allocator allocator = an_allocator_default();
    assert_null(an_idx_open(&allocator, "/nowhere/images", "/nowhere/labels", 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_plain_and_gzip),
        cmocka_unit_test(reads_joined_gzip_members),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(refuses_bad_files_in_gzip),
        cmocka_unit_test(names_lengths_of_gzip),
        cmocka_unit_test(refuses_damaged_gzip),
        cmocka_unit_test(survives_flipped_bits),
        cmocka_unit_test(a_lying_gzip_header_takes_no_memory),
        cmocka_unit_test(grows_with_what_arrives),
        cmocka_unit_test(refuses_files_that_do_not_fit_together),
        cmocka_unit_test(labels_may_be_missing),
        cmocka_unit_test(errors_may_be_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
