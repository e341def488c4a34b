/* Texts as data: the keys, the parts, what the model must give, and what is written down of it. */
#include "world.h"

#define HEAD "data: {format: text, path: abc.txt, context: 8}\n"
#define MODEL               \
    "model:\n"              \
    "  - Embedding(4, 6)\n" \
    "  - Linear(6, 4)\n"
#define TAIL "optimizer: SGD(lr=0.1)\nbatch_size: 4\n"
#define GOOD HEAD MODEL TAIL

/* 1608 characters, four different ones: 200 samples of 8. */
static int make_text(void **state)
{
    char path[256];
    if (make_data(state) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/abc.txt", folder);
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    for (int i = 0; i < 402; i++)
        fputs(i % 3 ? "abc\n" : "ab\nc", file);
    return fclose(file);
}

static int remove_text(void **state)
{
    char path[256];
    snprintf(path, sizeof path, "%s/abc.txt", folder);
    remove(path);
    return remove_data(state);
}

static void test_parts(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(GOOD "steps: 3\nvalidation: 0.1\n", NULL, &config);
    assert_int_equal(an_dataset_kind(run->train_data), AN_DATA_TOKENS);
    assert_int_equal(an_dataset_classes(run->train_data), 4);
    assert_int_equal(an_dataset_count(run->whole_data), 200);
    assert_int_equal(an_dataset_count(run->test_data), 20);
    assert_int_equal(an_dataset_count(run->valid_data), 18); /* a tenth of 179 */
    assert_int_equal(an_dataset_count(run->train_data), 160);
    float first[8], last[8];
    an_dataset_sample(run->test_data, 19, last);
    an_dataset_sample(run->whole_data, 199, first);
    assert_memory_equal(first, last, sizeof last);
    assert_true(an_fit(&run->fit, NULL, NULL));
    an_run_free(run);
    an_config_free(config);
    run = run_of(GOOD "steps: 3\ntest: 50\n", NULL, &config);
    assert_int_equal(an_dataset_count(run->test_data), 50);
    assert_int_equal(an_dataset_count(run->train_data), 149);
    assert_null(run->valid_data);
    an_run_free(run);
    an_config_free(config);
}

static void test_bytes(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of("data: {format: text, path: abc.txt, context: 8, unit: bytes}\n"
                         "model: ['Embedding(256, 2)', 'Linear(2, 256)']\n" TAIL "steps: 1\n",
                         NULL, &config);
    assert_int_equal(an_dataset_classes(run->train_data), 256);
    an_run_free(run);
    an_config_free(config);
}

/* A length in tokens: an update takes 4 samples of 8. */
static void test_tokens_of_a_step(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(GOOD "steps: 100\ninterval: step\nvalidation: 19\n"
                              "schedule: StepLR(step_size=64tok, gamma=0.5)\n",
                         NULL, &config);
    assert_true(an_lr_at_step(run->schedule, 0, 1) == 0.1);
    assert_true(an_lr_at_step(run->schedule, 0, 2) == 0.05);
    an_run_free(run);
    an_config_free(config);
}

/* The resolved configuration is read again, and gives the same parts. */
static void test_resolved(void **state)
{
    (void)state;
    an_config *config, *again;
    an_run *run = run_of(GOOD "steps: 3\n", NULL, &config);
    assert_non_null(strstr(run->resolved_text, "\ntest: 0.1\n"));
    assert_non_null(strstr(run->resolved_text, "/abc.txt, context: 8}"));
    an_run *second = run_of(run->resolved_text, NULL, &again);
    assert_int_equal(an_loader_fingerprint(run->train), an_loader_fingerprint(second->train));
    assert_int_equal(an_loader_fingerprint(run->test), an_loader_fingerprint(second->test));
    an_run_free(second);
    an_config_free(again);
    char path[256];
    snprintf(path, sizeof path, "%s/abc.txt", folder);
    assert_true(an_run_reads(run, path));
    assert_false(an_run_reads(run, folder));
    an_run_free(run);
    an_config_free(config);
}

static void test_refused(void **state)
{
    (void)state;
    const char *good = GOOD "steps: 1\n";
    refuse(good, "data.path=set", AN_ERROR_IO, "no file 'set'", "data.path=FILE");
    refuse(good, "data.context=0", AN_ERROR_CONFIG, "--set data.context=0: ", "at least 1");
    refuse(good, "data.context=1000", AN_ERROR_CONFIG, "--set data.context=1000: ", "804");
    refuse(good, "data.context=500", AN_ERROR_CONFIG, "c.yaml:1: test",
           "samples are too few to cut some off and leave some");
    refuse(good, "data.unit=words", AN_ERROR_CONFIG, "characters or bytes", "'words'");
    refuse(good, "data.normalize=[0, 1]", AN_ERROR_CONFIG, "format text has no key 'normalize'",
           "idx");
    refuse("data: {format: text, path: abc.txt}\n" MODEL TAIL "steps: 1\n", NULL, AN_ERROR_CONFIG,
           "c.yaml:1: ", "'context'");
    refuse(BODY "epochs: 1\n", "data.context=8", AN_ERROR_CONFIG, "format idx has no key 'context'",
           "text");
    refuse(BODY "epochs: 1\n", "test=0.5", AN_ERROR_CONFIG, "test", "of their own");
    refuse(good, "test=0", AN_ERROR_CONFIG, "--set test=0: ", "above 0");
    refuse(good, "test=1.5", AN_ERROR_CONFIG, "--set test=1.5: ", "a count");
    refuse(good, "test=199", AN_ERROR_CONFIG, "--set test=199: ", "1 and 198");
    refuse(good, "validation=178", AN_ERROR_CONFIG, "--set validation=178: ", "1 and 177");
    refuse(good, "model.1=Linear(6, 3)", AN_ERROR_CONFIG, "4 different tokens", "3 outputs");
    refuse(good, "model.1=Flatten()", AN_ERROR_CONFIG, "(48,)", "(8, 4)");
    refuse(good, "loss=MSELoss()", AN_ERROR_CONFIG, "--set loss=MSELoss(): ", "classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_resolved), cmocka_unit_test(test_tokens_of_a_step),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_text, remove_text);
}
