/* How samples are cut, drawn and changed: the keys stratify, sampling and augment. */
#include "world.h"

#include <math.h>

#define TABLE "data: {format: csv, path: t.csv, target: y, weight: w}\n"
#define TAIL "optimizer: SGD(lr=0.01)\nbatch_size: 4\nepochs: 2\n"
#define CLASSES TABLE "model: ['Linear(1, 2)']\n" TAIL

/* 60 rows: a from 0 to 59, y = 1 in every sixth, of weight 0 in the first 30. */
static int make_table(void **state)
{
    char path[256];
    if (make_data(state) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/t.csv", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("a,w,y\n", file);
    for (int i = 0; i < 60; i++)
        fprintf(file, "%d,%d,%d\n", i, i >= 30, i % 6 == 0);
    fclose(file);
    return 0;
}

static int remove_table(void **state)
{
    char path[256];
    snprintf(path, sizeof path, "%s/t.csv", folder);
    remove(path);
    return remove_data(state);
}

static int64_t ones(const an_dataset *set)
{
    int64_t count = 0;
    for (int64_t i = 0; i < an_dataset_count(set); i++)
        count += an_dataset_label(set, i);
    return count;
}

static void test_stratified(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(CLASSES "validation: 12\ntest: 0.2\nstratify: true\n", NULL, &config);
    assert_int_equal(an_dataset_count(run->test_data), 12);
    assert_int_equal(ones(run->test_data), 2);
    assert_int_equal(ones(run->valid_data), 2);
    assert_int_equal(ones(run->train_data), 6);
    assert_non_null(strstr(run->resolved_text, "stratify: true"));
    an_run_free(run);
    an_config_free(config);
    run = run_of(BODY "epochs: 1\nvalidation: 20\nstratify: true\n", NULL, &config);
    int64_t counts[10] = {0};
    for (int64_t i = 0; i < 20; i++)
        counts[an_dataset_label(run->valid_data, i)]++;
    for (int c = 0; c < 10; c++)
        assert_int_equal(counts[c], 2);
    an_run_free(run);
    an_config_free(config);
}

/* What the labels and the values of an epoch of training samples add up to. */
static void sums_of(an_run *run, int64_t *count, int64_t *labels, double *least)
{
    an_batch batch;
    *count = *labels = 0;
    *least = INFINITY;
    while (an_loader_next(run->train, &batch))
        for (int64_t i = 0; i < batch.size; i++) {
            ++*count;
            *labels += batch.y.data[i];
            *least = fmin(*least, (double)batch.x->data[i]);
        }
}

static void test_sampling(void **state)
{
    (void)state;
    static const char *const texts[] = {CLASSES, CLASSES "sampling: balanced\n",
                                        CLASSES "sampling: weighted\n",
                                        CLASSES "sampling: {weights: balanced, samples: 2000}\n"};
    for (size_t i = 0; i < 4; i++) {
        an_config *config;
        an_run *run = run_of(texts[i], NULL, &config);
        int64_t count, labels;
        double least;
        sums_of(run, &count, &labels, &least);
        assert_int_equal(count, i == 3 ? 2000 : 54);
        assert_true(i == 2 ? least >= 30 : least < 30);
        assert_true(i == 0 ? labels <= 10 : i == 3 ? labels > 850 && labels < 1150 : true);
        assert_int_equal(an_fit_steps_per_epoch(&run->fit), i == 3 ? 500 : 14);
        sums_of(run, &count, &labels, &least);
        assert_true(an_fit(&run->fit, NULL, NULL));
        an_run_free(run);
        an_config_free(config);
    }
}

static void test_augmented(void **state)
{
    (void)state;
    static const char *const texts[] = {
        BODY "epochs: 1\naugment:\n  - RandomCrop((3, 4), padding=1)\n  - RandomHorizontalFlip()\n",
        BODY "epochs: 1\naugment: ['transforms.RandomShift(1)', RandomHorizontalFlip(p=1/4)]\n",
        BODY "epochs: 1\naugment: RandomHorizontalFlip()\n"};
    for (size_t i = 0; i < 3; i++) {
        an_config *config;
        an_run *run = run_of(texts[i], NULL, &config);
        an_batch batch;
        /* The images are all alike, so that any other is a view; tests see them as they are. */
        float first[12];
        an_dataset_sample(run->test_data, 0, first);
        while (an_loader_next(run->test, &batch))
            for (int64_t k = 0; k < batch.size; k++) {
                float image[12];
                an_dataset_sample(run->test_data, batch.index * 16 + k, image);
                for (int p = 0; p < 12; p++)
                    assert_true(fabsf(batch.x->data[k * 12 + p] - image[p]) < 1e-6F);
            }
        int64_t changed = 0;
        an_dataset *train = run->train_data;
        const an_loader_options plain = {
            .batch_size = 16, .shuffle = true, .seed = 1, .deviation = 1};
        an_loader *loader = an_loader_new(run->context, train, &plain, NULL);
        for (an_batch other; an_loader_next(loader, &other);) {
            assert_true(an_loader_next(run->train, &batch));
            assert_int_equal(batch.y.data[0], other.y.data[0]);
            for (int64_t k = 0; k < batch.size; k++)
                changed +=
                    memcmp(batch.x->data + k * 12, other.x->data + k * 12, 12 * sizeof(float)) != 0;
        }
        an_loader_free(loader);
        assert_true(i == 2 ? changed > 25 && changed < 75 : changed > 75);
        assert_false(an_loader_next(run->train, &batch));
        assert_true(an_fit(&run->fit, NULL, NULL));
        an_run_free(run);
        an_config_free(config);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {CLASSES "stratify: maybe\n", "c.yaml:6", "stratify must be"},
        {BODY "epochs: 1\nstratify: true\n", "c.yaml:8", "nothing is cut off"},
        {TABLE "model: ['Linear(1, 1)']\nloss: MSELoss()\n" TAIL "stratify: true\n", "c.yaml:7",
         "numbers are predicted"},
        {TABLE "model: ['Linear(1, 1)']\nloss: MSELoss()\n" TAIL "sampling: balanced\n", "c.yaml:7",
         "sampling: balancing is by classes, but numbers are predicted"},
        {BODY "epochs: 1\nsampling: weighted\n", "c.yaml:8", "needs the key 'weight'"},
        {CLASSES "sampling: fair\n", "c.yaml:6", "must be balanced or weighted, got 'fair'"},
        {CLASSES "sampling: {samples: 5}\n", "c.yaml:6", "sampling needs the key 'weights'"},
        {CLASSES "sampling: {weights: balanced, samples: 0}\n", "c.yaml:6", "at least 1"},
        {CLASSES "sampling: {weights: balanced, samples: 100000001}\n", "c.yaml:6", "100000000"},
        {CLASSES "augment: RandomHorizontalFlip()\n", "c.yaml:6", "augment is for images"},
        {BODY "epochs: 1\naugment: RandomCrob(4)\n", "c.yaml:8",
         "there is no augmentation 'RandomCrob'; did you mean 'RandomCrop'?"},
        {BODY "epochs: 1\naugment: Mixup()\n", "c.yaml:8",
         "there is no augmentation 'Mixup'; there are RandomCrop, RandomHorizontalFlip and "
         "RandomShift"},
        {BODY "epochs: 1\naugment: []\n", "c.yaml:8", "takes a list of calls"},
        {BODY "epochs: 1\naugment: RandomCrop(32, padding=4)\n", "c.yaml:8", "3 x 4, got 32 x 32"},
        {BODY "epochs: 1\naugment: RandomShift(3)\n", "c.yaml:8", "cannot be moved by 3"},
        {BODY "epochs: 1\naugment: RandomShift(-1)\n", "c.yaml:8", "0 pixels or more"},
        {BODY "epochs: 1\naugment: RandomShift(2147483647)\n", "c.yaml:8",
         "by less than they are high and wide"},
        {BODY "epochs: 1\naugment: RandomHorizontalFlip(2)\n", "c.yaml:8", "from 0 to 1"},
        {BODY "epochs: 1\naugment: RandomCrop(3, pad=1)\n", "c.yaml:8", "padding"},
        {BODY "epochs: 1\naugment: ['RandomCrop((3, 4))', RandomShift(1)]\n", "c.yaml:8",
         "keep one of them"},
        {BODY "epochs: 1\naugment: [RandomHorizontalFlip(), RandomHorizontalFlip()]\n", "c.yaml:8",
         "there twice"},
        {"data: {path: set, weight: a}\n", "c.yaml:1", "format idx has no key 'weight'; csv has"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        an_config *config = parse(cases[i][0], NULL, &err);
        an_run *run = config ? an_run_new(config, &err) : NULL;
        assert_null(run);
        an_config_free(config);
        if (!strstr(err.message, cases[i][1]) || !strstr(err.message, cases[i][2]))
            fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err.message, cases[i][1], cases[i][2]);
        assert_int_equal(err.code, AN_ERROR_CONFIG);
    }
}

/* All that is left to learn from has weight 0. */
static void test_no_weight_left(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/t.csv", folder);
    FILE *file = fopen(path, "wb");
    fputs("a,w,y\n1,0,0\n2,0,1\n3,0,0\n4,0,1\n", file);
    fclose(file);
    refuse(CLASSES "test: 1\nsampling: weighted\n", NULL, AN_ERROR_CONFIG, "c.yaml:7",
           "the weights of all training samples are 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stratified),     cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_augmented),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_weight_left),
    };
    return cmocka_run_group_tests_name("samples", tests, make_table, remove_table);
}
