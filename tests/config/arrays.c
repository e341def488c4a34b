/* NumPy's arrays as data: files and archives, test sets of their own or cut off, and refusals. */
#include "world.h"

#include <math.h>

#define TAIL "optimizer: SGD(lr=0.01)\nbatch_size: 8\nepochs: 1\n"
#define IMAGES "model: ['Flatten()', 'Linear(12, 4)']\n" TAIL
#define FILES "data: {format: npy, x: x.npy, y: y.npy"
#define TWO FILES ", test_x: tx.npy, test_y: ty.npy}\n"

static const char *const names[] = {"x.npy", "y.npy", "tx.npy", "ty.npy",
                                    "f.npy", "w.npy", "ff.npy"};

static void path_of(const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", folder, name);
}

static void write_array(const char *name, const char *descr, const char *shape, const void *values,
                        size_t size)
{
    char path[256], header[118];
    path_of(name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s}", descr,
             shape);
    fprintf(file, "\x93NUMPY%c%c%c%c%-118s", 1, 0, 118, 0, header);
    fwrite(values, 1, size, file);
    fclose(file);
}

/* 40 images and 20 for testing; the same as floats, one of which is missing; labels 0 to 3. */
static int make_arrays(void **state)
{
    static unsigned char images[40 * 12], labels[40];
    static float numbers[40 * 3], weights[40];
    if (make_data(state) != 0)
        return -1;
    for (size_t i = 0; i < sizeof images; i++)
        images[i] = (unsigned char)(i / 12);
    for (int i = 0; i < 40; i++) {
        labels[i] = (unsigned char)(i % 4);
        weights[i] = (float)i;
        for (int j = 0; j < 3; j++)
            numbers[3 * i + j] = (float)(i + 10 * j);
    }
    write_array("x.npy", "|u1", "(40, 3, 4)", images, sizeof images);
    write_array("y.npy", "|u1", "(40,)", labels, sizeof labels);
    write_array("tx.npy", "|u1", "(20, 3, 4)", images, 20 * 12);
    write_array("ty.npy", "|u1", "(20, 1)", labels, 20);
    write_array("w.npy", "<f4", "(40,)", weights, sizeof weights);
    write_array("f.npy", "<f4", "(40, 3)", numbers, sizeof numbers);
    write_array("ff.npy", "<f4", "(20, 3)", numbers, 20 * 3 * sizeof *numbers);
    return 0;
}

static int remove_arrays(void **state)
{
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(names[i], path);
        remove(path);
    }
    return remove_data(state);
}

static void test_cut_off(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(FILES "}\nvalidation: 6\ntest: 0.25\n" IMAGES, NULL, &config);
    assert_int_equal(an_dataset_kind(run->train_data), AN_DATA_BYTES);
    assert_true(an_shape_equal(an_dataset_shape(run->train_data), an_shape_3(1, 3, 4)));
    assert_int_equal(an_dataset_count(run->test_data), 10);
    assert_int_equal(an_dataset_count(run->valid_data), 6);
    assert_int_equal(an_dataset_count(run->train_data), 24);
    assert_true(an_fit(&run->fit, NULL, NULL));
    char path[256];
    for (size_t i = 0; i < 2; i++) {
        path_of(names[i], path);
        assert_true(an_run_reads(run, path));
        assert_non_null(strstr(run->resolved_text, path));
    }
    path_of("tx.npy", path);
    assert_false(an_run_reads(run, path));
    assert_non_null(strstr(run->resolved_text, "test: 0.25"));
    an_run_free(run);
    an_config_free(config);
}

static void test_of_its_own(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(TWO "validation: 0.1\n" IMAGES, NULL, &config);
    assert_int_equal(an_dataset_count(run->train_data), 36);
    assert_int_equal(an_dataset_count(run->test_data), 20);
    assert_null(strstr(run->resolved_text, "\ntest:"));
    char path[256];
    path_of("ty.npy", path);
    assert_non_null(strstr(run->resolved_text, path));
    an_run_free(run);
    an_config_free(config);
}

/* Moments are the training set's, and both sets are scaled with them. */
static void test_standardized(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of("data: {format: npy, x: f.npy, y: w.npy, test_x: ff.npy, test_y: ty.npy, "
                         "standardize: true}\nloss: MSELoss()\nmodel: ['Linear(3, 1)']\n" TAIL,
                         NULL, &config);
    double mean[3], deviation[3];
    assert_int_equal(an_dataset_targets(run->train_data), 1);
    assert_true(an_dataset_moments(run->train_data, mean, deviation, NULL));
    assert_true(fabs(mean[1]) < 1e-6 && fabs(deviation[1] - 1) < 1e-6);
    assert_true(an_dataset_moments(run->test_data, mean, deviation, NULL));
    assert_true(fabs(mean[1] + 10 / sqrt(1599.0 / 12)) < 1e-5);
    an_run_free(run);
    an_config_free(config);
}

static void test_archive(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of("data: {format: npz, path: " NUMPY_FOLDER "/stored.npz, x: rows, "
                         "y: classes}\ntest: 1\nmodel: ['Linear(3, 3)']\n" TAIL,
                         NULL, &config);
    assert_int_equal(an_dataset_classes(run->train_data), 3);
    assert_int_equal(an_dataset_count(run->train_data), 3);
    assert_true(an_run_reads(run, NUMPY_FOLDER "/stored.npz"));
    assert_non_null(strstr(run->resolved_text, "x: rows, y: classes"));
    an_run_free(run);
    an_config_free(config);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"data: {format: npy, x: x.npy}\n" IMAGES, "1:", "format npy needs the key 'y'"},
        {FILES ", path: set}\n" IMAGES, "1:", "format npy has no key 'path'; idx has"},
        {FILES ", test_x: tx.npy}\n" IMAGES, "1: ", "add test_y"},
        {TWO "test: 0.1\n" IMAGES, "2: ", "test_x names a test set"},
        {FILES ", target: y}\n" IMAGES, "1:", "format npy has no key 'target'; csv has"},
        {FILES ", channels: middle}\n" IMAGES, "1:", "channels must be first or last"},
        {FILES ", standardize: true}\n" IMAGES, "1: ", "scale them with normalize"},
        {"data: {format: npy, x: [x], y: y.npy}\n" IMAGES, "1:", "x takes the name of a file"},
        {"data: {format: npy, x: gone.npy, y: y.npy}\n" IMAGES, "1:", "--set data.x=FILE"},
        {"data: {format: npz, x: x, y: y}\n" IMAGES, "1:", "format npz needs the key 'path'"},
        {"data: {format: npz, path: x.npy, x: x, y: y}\n" IMAGES, "x.npy", "no zip archive"},
        {"data: {format: npy, x: x.npy, y: w.npy}\n" IMAGES, "w.npy", "expected classes"},
        {"data: {format: npy, x: x.npy, y: y.npy, test_x: ff.npy, test_y: ty.npy}\n" IMAGES, "ff",
         "images, as uint8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        an_config *config = parse(cases[i][0], NULL, &err);
        an_run *run = config ? an_run_new(config, &err) : NULL;
        an_config_free(config);
        assert_null(run);
        if (!strstr(err.message, cases[i][1]) || !strstr(err.message, cases[i][2]))
            fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.message, cases[i][1], cases[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_of_its_own),
        cmocka_unit_test(test_archive), cmocka_unit_test(test_standardized),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("arrays", tests, make_arrays, remove_arrays);
}
