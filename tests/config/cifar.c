/* CIFAR as data of a configuration. */
#include "world.h"

#define BODY_CIFAR                                               \
    "data: {format: cifar, path: set, normalize: [0.5, 0.25]}\n" \
    "model: ['Flatten()', 'Linear(3072, 100)']\n"                \
    "optimizer: SGD(lr=0.01)\nepochs: 1\nvalidation: 4\nbatch_size: 4\n"

static void write_part(const char *name, int count)
{
    char path[256];
    snprintf(path, sizeof path, "%s/set/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < count * 3074; i++)
        fputc(i % 3074 < 2 ? i / 3074 : i % 251, file);
    fclose(file);
}

static int make_cifar(void **state)
{
    if (make_data(state) != 0)
        return -1;
    write_part("train.bin", 12);
    write_part("test.bin", 6);
    return 0;
}

static int remove_cifar(void **state)
{
    char path[256];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/set/%s", folder, i ? "train.bin" : "test.bin");
        remove(path);
    }
    return remove_data(state);
}

static void test_cifar(void **state)
{
    (void)state;
    char path[256];
    an_config *config;
    an_run *run = run_of(BODY_CIFAR, NULL, &config);
    assert_int_equal(an_dataset_count(run->train_data), 8);
    assert_int_equal(an_dataset_count(run->valid_data), 4);
    assert_int_equal(an_dataset_count(run->test_data), 6);
    assert_int_equal(an_dataset_classes(run->train_data), 100);
    assert_true(an_fit(&run->fit, NULL, NULL));
    assert_null(strstr(run->resolved_text, "\ntest:"));
    snprintf(path, sizeof path, "%s/set/test.bin", folder);
    assert_true(an_run_reads(run, path));
    an_run_free(run);
    an_config_free(config);
}

static void test_refused(void **state)
{
    (void)state;
    refuse(BODY_CIFAR, "test=0.5", AN_ERROR_CONFIG, "format cifar", "of their own");
    refuse(BODY_CIFAR, "data.target=y", AN_ERROR_CONFIG, "format cifar has no key 'target'", "csv");
    refuse(BODY_CIFAR, "data.path=none", AN_ERROR_IO, "no folder 'none'", "FOLDER");
    refuse(BODY_CIFAR, "model.1=Linear(3072, 10)", AN_ERROR_CONFIG, "100 classes", "10 outputs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cifar),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_cifar, remove_cifar);
}
