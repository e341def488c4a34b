/* From a configuration to a run: paths, splits, lengths filled in, settings, and what is refused.
 */
#include "world.h"

static void test_defaults(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(BODY "epochs: 3\n", NULL, &config);
    assert_string_equal(run->data_path, "set");
    assert_int_equal(an_dataset_count(run->train_data), 100);
    assert_int_equal(an_dataset_count(run->test_data), 50);
    assert_null(run->valid_data);
    assert_null(run->schedule);
    assert_null(run->schedule_text);
    assert_int_equal(an_loader_batches(run->train), 7);
    assert_int_equal(an_loader_samples(run->test), 50);
    assert_int_equal(run->fit.loss.kind, AN_CROSS_ENTROPY_LOSS);
    assert_int_equal(run->fit.accumulate, 1);
    assert_int_equal(run->fit.interval, AN_INTERVAL_EPOCH);
    assert_int_equal(an_params_size(an_model_params(run->model)), 130);
    assert_true(an_fit(&run->fit, NULL, NULL));
    an_run_free(run);
    an_config_free(config);
    an_run_free(NULL);
}

/* Evaluation takes the batches of training, up to 512 samples. */
static void test_evaluation_batches(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 50}, {7, 8}, {16, 4}, {50, 1}, {512, 1}, {100000, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char set[32];
        snprintf(set, sizeof set, "batch_size=%d", sizes[i][0]);
        an_config *config;
        an_run *run = run_of(BODY "epochs: 1\nvalidation: 50\n", set, &config);
        assert_int_equal(an_loader_batches(run->test), sizes[i][1]);
        assert_int_equal(an_loader_batches(run->valid), sizes[i][1]);
        an_run_free(run);
        an_config_free(config);
    }
}

static void test_data_files_are_known(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(BODY "epochs: 1\n", NULL, &config);
    char path[256], link[256];
    snprintf(path, sizeof path, "%s/set/t10k-labels-idx1-ubyte", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink(path, link), 0);
    assert_true(an_run_reads(run, path));
    assert_true(an_run_reads(run, link));
    unlink(link);
    assert_false(an_run_reads(run, link));
    assert_false(an_run_reads(run, folder));
    an_run_free(run);
    an_config_free(config);
}

static void test_every_key(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(BODY "loss: MSELoss()\nschedule: StepLR(step_size=2)\ninterval: step\n"
                              "monitor: valid_accuracy\nvalidation: 0.25\nsteps: 9\n"
                              "accumulate: 2\nclip_grad_norm: 1.5\nseed: 4\nthreads: 1\n",
                         NULL, &config);
    assert_int_equal(run->fit.loss.kind, AN_MSE_LOSS);
    assert_int_equal(run->fit.interval, AN_INTERVAL_STEP);
    assert_int_equal(run->fit.monitor, AN_MONITOR_VALID_ACCURACY);
    assert_int_equal(an_dataset_count(run->train_data), 75);
    assert_int_equal(an_dataset_count(run->valid_data), 25);
    assert_non_null(run->fit.valid);
    assert_int_equal(run->fit.steps, 9);
    assert_int_equal(run->fit.epochs, 0);
    assert_int_equal(run->fit.accumulate, 2);
    assert_true(run->fit.clip_grad_norm == 1.5);
    assert_int_equal(an_context_threads(run->context), 1);
    assert_true(run->fit.schedule == run->schedule);
    assert_true(an_fit(&run->fit, NULL, NULL));
    an_run_free(run);
    an_config_free(config);
}

static void check_schedule(const char *keys, const char *part)
{
    char text[512];
    an_config *config;
    snprintf(text, sizeof text, "%s%s", BODY, keys);
    an_run *run = run_of(text, NULL, &config);
    if (!strstr(run->schedule_text, part))
        print_error("%s\n", run->schedule_text);
    assert_non_null(strstr(run->schedule_text, part));
    an_run_free(run);
    an_config_free(config);
}

/* Seven batches an epoch. */
static void test_lengths_filled_in(void **state)
{
    (void)state;
    const char *step = "schedule: OneCycleLR(max_lr=0.1)\ninterval: step\n";
    char text[256];
    snprintf(text, sizeof text, "%sepochs: 3\n", step);
    check_schedule(text, "total_steps=21");
    snprintf(text, sizeof text, "%sepochs: 3\naccumulate: 2\n", step);
    check_schedule(text, "total_steps=12");
    snprintf(text, sizeof text, "%ssteps: 10\n", step);
    check_schedule(text, "total_steps=10");
    check_schedule("schedule: OneCycleLR(max_lr=0.1)\ninterval: epoch\nepochs: 5\n",
                   "total_steps=5");
    check_schedule("schedule: OneCycleLR(max_lr=0.1)\nsteps: 15\n", "total_steps=3");
    check_schedule("schedule: OneCycleLR(max_lr=0.1, total_steps=8)\nepochs: 3\n", "total_steps=8");
}

static void test_settings(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(BODY "epochs: 3\n", "optimizer.lr=0.025", &config);
    assert_true(an_optim_group(run->optim, 0)->slot[AN_LR].value == 0.025);
    assert_true(an_optim_group(run->optim, 0)->slot[AN_MOMENTUM].value == 0.9);
    an_run_free(run);
    an_config_free(config);
    run = run_of(BODY "epochs: 3\n", "model.1=Linear(12, 11, bias=False)", &config);
    assert_int_equal(an_params_size(an_model_params(run->model)), 132);
    an_run_free(run);
    an_config_free(config);
    run = run_of(BODY "epochs: 3\n", "model.1.bias=False", &config);
    assert_int_equal(an_params_size(an_model_params(run->model)), 120);
    an_run_free(run);
    an_config_free(config);
    run = run_of(BODY "epochs: 3\n", "clip_grad_norm=2", &config);
    assert_true(run->fit.clip_grad_norm == 2);
    an_run_free(run);
    an_config_free(config);
    run = run_of(BODY "epochs: 3\n", "schedule=LambdaLR(lambda epoch: 0.5 ** epoch)", &config);
    assert_true(an_lr_at_step(run->schedule, 0, 1) == 0.05);
    an_run_free(run);
    an_config_free(config);
}

/* A length that is set takes the place of the file's, of either kind. */
static void test_length_set(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(BODY "epochs: 3\n", "steps=5", &config);
    assert_int_equal(run->fit.steps, 5);
    assert_int_equal(run->fit.epochs, 0);
    an_run_free(run);
    an_config_free(config);
    run = run_of("steps: 5\n" BODY, "epochs=3", &config);
    assert_int_equal(run->fit.steps, 0);
    assert_int_equal(run->fit.epochs, 3);
    an_run_free(run);
    an_config_free(config);
    refuse(BODY "epochs: 3\nsteps: 5\n", "seed=1", AN_ERROR_CONFIG, "c.yaml:8: ", "both");
    refuse(BODY "epochs: 3\n", "steps=0", AN_ERROR_CONFIG, "--set steps=0: ", "at least 1");
}

static void test_monitor(void **state)
{
    (void)state;
    an_config *config;
    const char *none = BODY "epochs: 2\nmonitor: valid_loss\nschedule: ReduceLROnPlateau()\n";
    const char *step = BODY "epochs: 2\nmonitor: valid_accuracy\ninterval: step\n"
                            "validation: 20\nschedule: ReduceLROnPlateau()\n";
    refuse(none, NULL, AN_ERROR_CONFIG, "c.yaml:8: monitor", "'validation'");
    refuse(step, NULL, AN_ERROR_CONFIG, "c.yaml:8: monitor", "interval epoch");
    refuse(none, "monitor=los", AN_ERROR_CONFIG, "train_accuracy or accuracy", "'loss'?");
    refuse(step, "monitor=valid_loss", AN_ERROR_CONFIG, "--set monitor=valid_loss: ", "monitor");
    static const char *const right[] = {"validation=0.2", "monitor=train_loss",
                                        "monitor=loss",   "monitor=accuracy",
                                        "monitor=auto",   "schedule=StepLR(3)"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        an_run *run = run_of(none, right[i], &config);
        assert_true(an_fit(&run->fit, NULL, NULL));
        an_run_free(run);
        an_config_free(config);
    }
}

/* The average of a run is what is evaluated and what the run is left with. */
static void test_average(void **state)
{
    (void)state;
    an_config *config;
    const char *text = BODY "epochs: 3\naverage: SWA(start=1ep)\n";
    an_run *run = run_of(text, "average.every=1ep", &config);
    assert_ptr_equal(run->fit.average, run->average);
    assert_string_equal(an_average_text(run->average), "SWA(start=1ep)");
    assert_non_null(strstr(run->resolved_text, "average: SWA(start=1ep"));
    assert_true(an_fit(&run->fit, NULL, NULL));
    assert_int_equal(an_average_count(run->average), 2);
    assert_true(an_average_swapped(run->average));
    an_run_free(run);
    an_config_free(config);
    refuse(text, "average.start=3ep", AN_ERROR_CONFIG,
           "--set average.start=3ep: ", "begins after epoch 3, and the run ends with 3");
    refuse(text, "average=EMA(start=21)", AN_ERROR_CONFIG, "average",
           "begins after update 21, and the run ends with 21");
    refuse(text, "average=Mean()", AN_ERROR_CONFIG, "average", "SWA(), EMA(decay=0.999)");
    refuse(text, "average.decay=2", AN_ERROR_CONFIG, "--set average.decay=2: ", "decay");
    refuse(text, "optimizer=SGDScheduleFree()", AN_ERROR_CONFIG, "c.yaml:8: average",
           "an average of its own");
}

static void test_groups(void **state)
{
    (void)state;
    an_config *config;
    const char *text = "data: {path: set}\nmodel: ['Flatten()', 'Linear(12, 10)']\nepochs: 1\n"
                       "optimizer: SGD([dict(params='*.bias', weight_decay=0)], lr=0.1, "
                       "weight_decay=0.5)\nschedule: ExponentialLR(0.5)\n";
    an_run *run = run_of(text, "optimizer.0.weight_decay=0.25", &config);
    assert_int_equal(an_optim_group_count(run->optim), 2);
    assert_true(an_optim_group(run->optim, 0)->slot[AN_WEIGHT_DECAY].value == 0.25);
    assert_true(an_optim_group(run->optim, 1)->slot[AN_WEIGHT_DECAY].value == 0.5);
    an_run_free(run);
    an_config_free(config);
}

static void test_refused(void **state)
{
    (void)state;
    const char *good = BODY "epochs: 1\n";
    refuse(good, "data.path=none", AN_ERROR_IO, "--set data.path=none: ", "'none'");
    refuse(good, "data.path=/none", AN_ERROR_IO, "'/none'", "--set data.path=FOLDER");
    refuse(good, "optimizer.lr=-1", AN_ERROR_CONFIG, "--set optimizer.lr=-1: ", "lr");
    refuse(good, "optimizer.lr=nan", AN_ERROR_CONFIG, "--set optimizer.lr=nan: ", "lr");
    refuse(good, "optimizer.lr=x", AN_ERROR_CONFIG, "--set optimizer.lr=x: ", "lr");
    refuse(good, "optimizer=SDG()", AN_ERROR_CONFIG, "SDG", "SGD");
    refuse(good, "optimizer=SGD(lr=0.1", AN_ERROR_CONFIG, "--set optimizer=SGD(lr=0.1: ", "");
    refuse(good, "model.0=Flaten()", AN_ERROR_CONFIG, "Flaten", "Flatten");
    refuse(good, "model.9=ReLU()", AN_ERROR_CONFIG, "0 to 1", "9");
    refuse(good, "schedule=StepLR()", AN_ERROR_CONFIG, "--set schedule=StepLR(): ", "step_size");
    refuse(good, "schedule=StepLR(step_size=0)", AN_ERROR_CONFIG, "step_size", "0");
    refuse(good, "validation=100", AN_ERROR_CONFIG, "validation", "99");
    refuse(good, "validation=0.001", AN_ERROR_CONFIG, "validation", "both sides");
    refuse(good, "model.1=Linear(12, 9)", AN_ERROR_CONFIG,
           "--set model.1=Linear(12, 9): ", "9 outputs");
    refuse(good, "model.1=Linear(13, 10)", AN_ERROR_SHAPE,
           "--set model.1=Linear(13, 10): ", "layer 1");
    refuse(good, "x", AN_ERROR_CONFIG, "KEY=VALUE", "");
    refuse(good, "a.b=1", AN_ERROR_CONFIG, "--set a.b=1: ", "key");
    refuse(good, "epocs=1", AN_ERROR_CONFIG, "--set epocs=1: ", "'epochs'");
    refuse(good, "data={path: a, path: b}", AN_ERROR_CONFIG, "--set data=", "twice");
    refuse(good, "data=[", AN_ERROR_CONFIG, "--set data=[: ", "YAML");
}

/* Two settings of one call are both named. */
static void test_settings_add_up(void **state)
{
    (void)state;
    const char *sets[] = {"optimizer.lr=x", "optimizer.momentum=0.5"};
    const char *text = BODY "epochs: 1\n";
    an_error err = {0};
    char name[256];
    snprintf(name, sizeof name, "%s/c.yaml", folder);
    an_config *config = an_config_parse(name, text, strlen(text), sets, 2, &err);
    if (config)
        assert_null(an_run_new(config, &err));
    an_config_free(config);
    assert_non_null(strstr(err.message, "--set optimizer.lr=x --set optimizer.momentum=0.5: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_evaluation_batches),
        cmocka_unit_test(test_data_files_are_known),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_lengths_filled_in),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_length_set),
        cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_settings_add_up),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
