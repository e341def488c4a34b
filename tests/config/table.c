/* Tables as data: classes and numbers by the loss, what is missing, scaling, and what is refused.
 */
#include "world.h"

#include <math.h>

#define HEAD "data: {format: csv, path: t.csv, target: y}\n"
#define TAIL "optimizer: SGD(lr=0.01)\nbatch_size: 4\nepochs: 2\n"
#define CLASSES HEAD "model: ['Linear(3, 2)']\n" TAIL
#define NUMBERS HEAD "model: ['Linear(3, 1)']\nloss: MSELoss()\n" TAIL

static void path_of(char path[256])
{
    snprintf(path, 256, "%s/t.csv", folder);
}

/* 50 rows: a from 0 to 49, a text of two, y = a % 2; in every tenth row a is missing with `holes`.
 */
static void write_table(bool holes)
{
    char path[256];
    path_of(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("a,c,y\n", file);
    for (int i = 0; i < 50; i++) {
        if (!holes || i % 10)
            fprintf(file, "%d", i);
        fprintf(file, ",%s,%d\n", i % 3 ? "u" : "v", i % 2);
    }
    fclose(file);
}

static int make_table(void **state)
{
    if (make_data(state) != 0)
        return -1;
    write_table(false);
    return 0;
}

static int remove_table(void **state)
{
    char path[256];
    path_of(path);
    remove(path);
    return remove_data(state);
}

static void test_classes(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(CLASSES "validation: 0.2\ntest: 10\n", NULL, &config);
    assert_int_equal(an_dataset_kind(run->train_data), AN_DATA_FLOATS);
    assert_int_equal(an_dataset_classes(run->train_data), 2);
    assert_int_equal(an_dataset_count(run->test_data), 10);
    assert_int_equal(an_dataset_count(run->valid_data), 8);
    assert_int_equal(an_dataset_count(run->train_data), 32);
    bool seen[50] = {false};
    const an_dataset *parts[] = {run->train_data, run->valid_data, run->test_data};
    for (size_t p = 0; p < 3; p++)
        for (int64_t i = 0; i < an_dataset_count(parts[p]); i++) {
            float x[3];
            an_dataset_sample(parts[p], i, x);
            assert_false(seen[(int)x[0]]);
            seen[(int)x[0]] = true;
            assert_int_equal(an_dataset_label(parts[p], i), (int)x[0] % 2);
            assert_true(x[1] == ((int)x[0] % 3 ? 1 : 0) && x[2] == 1 - x[1]);
        }
    assert_true(an_fit(&run->fit, NULL, NULL));
    an_run_free(run);
    an_config_free(config);
}

static void test_numbers(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(NUMBERS, "optimizer.lr=0.0001", &config);
    an_fit_result result;
    assert_int_equal(an_dataset_targets(run->train_data), 1);
    assert_true(an_fit(&run->fit, &result, NULL));
    assert_true(isnan(result.last.accuracy) && isfinite(result.last.loss));
    an_run_free(run);
    an_config_free(config);
    run = run_of("data: {format: csv, path: t.csv, target: [y, a]}\n"
                 "model: ['Linear(2, 2)']\nloss: MSELoss()\n" TAIL,
                 NULL, &config);
    assert_int_equal(an_dataset_targets(run->train_data), 2);
    an_run_free(run);
    an_config_free(config);
    run = run_of("data: {format: csv, path: t.csv, target: y, ignore: [c]}\n"
                 "model: ['Linear(1, 1)']\nloss: MSELoss()\n" TAIL,
                 NULL, &config);
    an_run_free(run);
    an_config_free(config);
}

/* The mean and deviation of a feature over the training set. */
static void moments_of(const char *set, double *mean, double *deviation)
{
    an_config *config;
    an_run *run = run_of(CLASSES, set, &config);
    double means[3], deviations[3];
    assert_true(an_dataset_moments(run->train_data, means, deviations, NULL));
    *mean = means[0];
    *deviation = deviations[0];
    for (int64_t i = 0; i < an_dataset_count(run->whole_data); i++) {
        float x[3];
        an_dataset_sample(run->whole_data, i, x);
        assert_true(isfinite(x[0]) && isfinite(x[1]) && isfinite(x[2]));
    }
    an_run_free(run);
    an_config_free(config);
}

static void test_scaled_by_the_training_set(void **state)
{
    (void)state;
    double mean, deviation;
    moments_of("data.standardize=true", &mean, &deviation);
    assert_true(fabs(mean) < 1e-6 && fabs(deviation - 1) < 1e-6);
    moments_of("data.standardize=false", &mean, &deviation);
    assert_true(fabs(mean) > 10);
}

static void test_missing(void **state)
{
    (void)state;
    double mean, deviation, filled, wider;
    write_table(true);
    refuse(CLASSES, NULL, AN_ERROR_DATA, "t.csv:2: column 'a': ''", "fill");
    moments_of("data.missing=mean", &mean, &deviation);
    moments_of("data.missing=-1000", &filled, &wider);
    assert_true(mean > 10 && mean < 40 && filled < 0 && wider > deviation);
    write_table(false);
}

static void test_resolved(void **state)
{
    (void)state;
    an_config *config, *again;
    an_run *run = run_of(CLASSES, "data.standardize=true", &config);
    an_run *second = run_of(run->resolved_text, NULL, &again);
    assert_int_equal(an_loader_fingerprint(run->train), an_loader_fingerprint(second->train));
    assert_int_equal(an_loader_fingerprint(run->test), an_loader_fingerprint(second->test));
    an_run_free(second);
    an_config_free(again);
    an_run_free(run);
    an_config_free(config);
}

static void test_refused(void **state)
{
    (void)state;
    refuse("data: {format: csv, path: t.csv}\nmodel: ['Linear(3, 2)']\n" TAIL, NULL,
           AN_ERROR_CONFIG, "c.yaml:1: ", "'target'");
    refuse(CLASSES, "data.target=z", AN_ERROR_DATA, "no column 'z'", "'a'");
    refuse(CLASSES, "data.target=[y, a]", AN_ERROR_CONFIG, "one target", "MSELoss");
    refuse(CLASSES, "data.ignore=y", AN_ERROR_CONFIG, "'y'", "twice");
    refuse(CLASSES, "data.target=[]", AN_ERROR_CONFIG,
           "--set data.target=[]: ", "name of a column");
    refuse(CLASSES, "data.missing=median", AN_ERROR_CONFIG, "refuse or mean", "'median'");
    refuse(CLASSES, "data.missing=1x", AN_ERROR_CONFIG, "--set data.missing=1x: ", "missing");
    refuse(CLASSES, "data.standardize=1", AN_ERROR_CONFIG, "standardize", "true");
    refuse(CLASSES, "data.separator=ab", AN_ERROR_CONFIG, "separator", "one character");
    refuse(CLASSES, "data.context=4", AN_ERROR_CONFIG, "format csv has no key 'context'", "text");
    refuse(CLASSES, "model.0=Linear(3, 1)", AN_ERROR_CONFIG, "2 classes", "1 outputs");
    refuse(NUMBERS, "model.0=Linear(3, 2)", AN_ERROR_CONFIG, "(2,)", "1 number is");
    refuse(NUMBERS, "monitor=valid_accuracy", AN_ERROR_CONFIG, "monitor watches", "valid_loss");
    refuse(NUMBERS "validation: 5\n", "early_stopping={patience: 1, monitor: valid_accuracy}",
           AN_ERROR_CONFIG, "early_stopping watches", "classes");
    refuse(NUMBERS "validation: 5\n", "checkpoint={best: true, monitor: train_accuracy}",
           AN_ERROR_CONFIG, "checkpoint watches", "classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),  cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_missing),  cmocka_unit_test(test_scaled_by_the_training_set),
        cmocka_unit_test(test_resolved), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_table, remove_table);
}
