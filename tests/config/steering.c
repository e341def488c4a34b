/* What is kept of a run and what steers it: the keys, their errors, and the resolved text. */
#include "world.h"

#define RUN BODY "epochs: 3\n"

static void what_is_left_out(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(RUN, NULL, &config);
    assert_string_equal(run->runs, "runs");
    assert_false(run->must_write || run->fit.must_save || run->stops_early || run->guarded);
    assert_int_equal(run->fit.keep, 2);
    assert_true(run->checkpointer.minutes == 1 && run->checkpointer.epochs == 0);
    assert_false(run->checkpointer.best);
    assert_null(run->early_stopping.weights);
    assert_true(run->log.every == 0 && !run->log.grad_norm && !run->log.stop_on_failure);
    assert_false(run->log_csv || run->log_tensorboard || run->log_histograms);
    assert_string_equal(run->config_text, RUN);
    an_run_free(run);
    an_config_free(config);
}

static void every_key_is_read(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(
        RUN "validation: 0.2\nruns: there\non_write_error: stop\n"
            "checkpoint: {epochs: 2, minutes: 0.5, best: true, monitor: valid_accuracy, keep: 0}\n"
            "early_stopping: {patience: 7, min_delta: 0.25, monitor: train_loss, restore: False}\n"
            "guard: {spike: 8, rollbacks: 3, rate_factor: 0.1}\n"
            "log: {every: 10, grad_norm: true, csv: true, tensorboard: true, histograms: true}\n",
        NULL, &config);
    assert_true(run->log.every == 10 && run->log.grad_norm && run->log.stop_on_failure);
    assert_true(run->log_csv && run->log_tensorboard && run->log_histograms);
    const an_checkpointer *c = &run->checkpointer;
    assert_string_equal(run->runs, "there");
    assert_true(run->must_write && run->fit.must_save && run->stops_early && run->guarded);
    assert_int_equal(run->fit.keep, 0);
    assert_true(c->epochs == 2 && c->minutes == 0.5 && c->best);
    assert_int_equal(c->monitor, AN_MONITOR_VALID_ACCURACY);
    assert_int_equal(run->early_stopping.patience, 7);
    assert_true(run->early_stopping.min_delta == 0.25 && !run->early_stopping.restore);
    assert_int_equal(run->early_stopping.monitor, AN_MONITOR_TRAIN_LOSS);
    assert_true(run->guard.spike == 8 && run->guard.rollbacks == 3);
    assert_true(run->guard.rate_factor == 0.1);
    an_run_free(run);
    an_config_free(config);
    run = run_of(RUN "runs: none\nearly_stopping: {}\n", NULL, &config);
    assert_null(run->runs);
    assert_int_equal(run->early_stopping.patience, 3);
    assert_true(run->early_stopping.restore);
    an_run_free(run);
    an_config_free(config);
}

static void what_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"runs: [a]\n", "name of a folder"},
        {"log: true\n", "log takes a map"},
        {"log: {every: -1}\n", "every"},
        {"log: {cvs: true}\n", "did you mean 'csv'?"},
        {"guard: {minutes: 3}\n", "guard has no key 'minutes'; it has spike, rollbacks and "
                                  "rate_factor"},
        {"quux: 3\n", "a configuration has no key 'quux'; it has data, model, loss, optimizer, "},
        {"log: {csv: maybe}\n", "'maybe'"},
        {"log: {histograms: true}\n", "add tensorboard: true"},
        {"on_write_error: ignore\n", "must be continue or stop, got 'ignore'"},
        {"checkpoint: 3\n", "checkpoint takes a map"},
        {"checkpoint: {epoch: 3}\n", "did you mean 'epochs'?"},
        {"checkpoint: {epochs: 0}\n", "epochs must be at least 1, got 0"},
        {"checkpoint: {minutes: 0}\n", "minutes must be above 0, got 0"},
        {"checkpoint: {best: perhaps}\n", "best must be true"},
        {"checkpoint: {keep: -1}\n", "keep must be at least 0, got -1"},
        {"checkpoint: {best: true, monitor: valid_loss}\n", "watches the validation"},
        {"early_stopping: yes\n", "early_stopping takes a map"},
        {"early_stopping: {patience: 0}\n", "patience must be at least 1"},
        {"early_stopping: {min_delta: -1}\n", "min_delta must be at least 0, got -1"},
        {"early_stopping: {monitor: test_loss}\n", "monitor must be"},
        {"early_stopping: {monitor: valid_loss}\n", "watches the validation"},
        {"guard: 10\n", "guard takes a map"},
        {"guard: {spike: 1}\n", "spike must be above 1"},
        {"guard: {rollbacks: -2}\n", "rollbacks must be at least 0"},
        {"guard: {rate_factor: 0}\n", "rate_factor must be above 0"},
        {"guard: {rate_factor: 1.5}\n", "rate_factor must be at most 1"},
        {"runs: none\nguard: {rollbacks: 1}\n", "rollbacks need checkpoints"},
        {"runs: none\nlog: {csv: true}\n", "runs: none keeps nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024], place[32];
        snprintf(text, sizeof text, "%s%s", RUN, cases[i][0]);
        int lines = 7;
        for (const char *c = cases[i][0]; *c; c++)
            lines += *c == '\n';
        snprintf(place, sizeof place, "c.yaml:%d: ", lines);
        refuse(text, NULL, AN_ERROR_CONFIG, cases[i][1], place);
    }
}

/* ------------------------------------------------------------ resolved text */

/* The resolved text of a run, to be freed. */
static char *resolved(const char *text, const char *set)
{
    an_config *config;
    an_run *run = run_of(text, set, &config);
    char *copy = strdup(run->resolved_text);
    an_run_free(run);
    an_config_free(config);
    return copy;
}

static void resolved_texts_read_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        RUN,
        RUN "schedule: OneCycleLR(max_lr=0.1)\ninterval: step\n",
        RUN "schedule: 'LambdaLR(\"0.95 ** epoch\")'\n",
        RUN "schedule: \"SequentialLR([LinearLR(0.1, 1, 2), StepLR(1)], milestones=[2])\"\n",
        RUN "checkpoint: {best: true, keep: 3}\nearly_stopping: {patience: 2}\nruns: 'a: b # c'\n",
        RUN "runs: \"\\ttab \\\"quote\\\" \\u00e4\"\nmonitor: train_loss\n",
        ("data: {path: set, normalize: [0.1307, 0.3081]}\nmodel: ['Flatten()', \"Linear(12, "
         "10)\"]\n"
         "optimizer: SGD([dict(params='*.bias', weight_decay=0)], lr=0.1)\nsteps: 5\nthreads: 2\n"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *once = resolved(texts[i], "accumulate=2");
        char *twice = resolved(once, NULL);
        assert_string_equal(once, twice);
        assert_non_null(strstr(once, "accumulate: 2\n"));
        assert_non_null(strstr(once, "seed: 1\n"));
        assert_null(strstr(once, "path: set"));
        free(once);
        free(twice);
    }
}

static void what_came_to_the_same_is_not_written_twice(void **state)
{
    (void)state;
    char *same = resolved(RUN "schedule: CosineAnnealingLR(T_max=5)\n", NULL);
    assert_non_null(strstr(same, "\nschedule: CosineAnnealingLR(T_max=5)\n"));
    assert_null(strstr(same, "# schedule"));
    char *other = resolved(RUN "schedule: CosineAnnealingLR(5)\n", NULL);
    assert_non_null(strstr(other, "\n# schedule: CosineAnnealingLR(T_max=5)\n"));
    free(same);
    free(other);
}

static void the_length_is_not_fixed(void **state)
{
    (void)state;
    char *once = resolved(RUN "schedule: OneCycleLR(max_lr=0.1)\ninterval: step\n", NULL);
    assert_non_null(strstr(once, "\nschedule: OneCycleLR(max_lr=0.1)\n"));
    assert_non_null(strstr(once, "\n# schedule: OneCycleLR(max_lr=0.1, total_steps=21"));
    char *longer = resolved(once, "epochs=6");
    assert_non_null(strstr(longer, "total_steps=42"));
    free(once);
    free(longer);
}

/* The data are found from wherever the resolved text is read. */
static void the_data_are_found_from_elsewhere(void **state)
{
    (void)state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    char *once = resolved(RUN, NULL);
    assert_int_equal(chdir("/"), 0);
    an_error err = {0};
    an_config *config = an_config_parse("elsewhere.yaml", once, strlen(once), NULL, 0, &err);
    assert_non_null(config);
    an_run *run = an_run_new(config, &err);
    if (!run)
        fail_msg("%s", err.message);
    an_run_free(run);
    an_config_free(config);
    free(once);
    assert_int_equal(chdir(here), 0);
}

static void given_seeds_and_threads(void **state)
{
    (void)state;
    an_config *config = parse(RUN, NULL, NULL);
    assert_non_null(config);
    an_config_set_seed(config, 77);
    an_config_set_threads(config, 2);
    an_run *run = an_run_new(config, NULL);
    assert_non_null(run);
    assert_non_null(strstr(run->resolved_text, "\nseed: 77\nthreads: 2\n"));
    an_run_free(run);
    an_config_free(config);
}

static const char *param(const an_run *run, const char *name)
{
    for (size_t i = 0; i < run->param_count; i++)
        if (strcmp(run->params[i].name, name) == 0)
            return run->params[i].text;
    return "";
}

static void parameters_by_name(void **state)
{
    (void)state;
    an_config *config;
    an_run *run = run_of(RUN "checkpoint: {epochs: 1}\n", "optimizer.lr=0.5", &config);
    assert_string_equal(param(run, "model"), "Flatten() -> Linear(12, 10)");
    assert_string_equal(param(run, "optimizer"), "SGD(lr=0.5, momentum=0.9)");
    assert_string_equal(param(run, "epochs"), "3");
    assert_string_equal(param(run, "seed"), "1");
    assert_string_equal(param(run, "checkpoint"), "{epochs: 1}");
    assert_non_null(strstr(param(run, "data"), "/set}"));
    an_run_free(run);
    an_config_free(config);
}

/* What a run says of its schedule is made to say what another, extended one does. */
static void a_run_follows_a_schedule(void **state)
{
    (void)state;
    an_config *config;
    an_error err = {0};
    an_run *run = run_of(RUN "schedule: Cosine()\ninterval: step\n", NULL, &config);
    const int64_t steps = an_fit_total_steps(&run->fit);
    const an_lr_run facts = {.total_steps = steps / 3, .epochs = 1, .edits = 1};
    an_lr_text *text = an_lr_parse_text("Linear()", &facts, NULL, NULL);
    an_lr_group group, *groups[] = {&group};
    an_lr_group_init(&group, 0.1);
    an_lr_schedule *schedule = an_lr_new_run(an_lr_text_desc(text), &facts, groups, 1, NULL, NULL);
    assert_true(an_run_follow(run, run->schedule, AN_INTERVAL_STEP, &err));
    assert_string_equal(run->schedule_text, "Cosine()");
    assert_null(run->course_text);
    assert_true(an_lr_extend(schedule, (an_lr_length){(double)steps, AN_STEPS}, &err));
    assert_true(an_run_follow(run, schedule, AN_INTERVAL_EPOCH, &err));
    assert_string_equal(run->schedule_text, "Linear()");
    assert_non_null(strstr(run->course_text, "extended=[[0, 0, 0.3"));
    assert_string_equal(param(run, "schedule"), "Linear()");
    assert_string_equal(param(run, "course"), run->course_text);
    assert_string_equal(param(run, "interval"), "epoch");
    assert_non_null(strstr(run->resolved_text, "\nschedule: Linear()\n"));
    assert_non_null(strstr(run->resolved_text, "\ninterval: epoch\n"));
    assert_non_null(strstr(run->resolved_text, "\ncourse: Course("));
    assert_true(an_run_follow(run, NULL, AN_INTERVAL_EPOCH, &err));
    assert_null(strstr(run->resolved_text, "schedule"));
    assert_null(run->schedule_lint);
    an_lr_free(schedule);
    an_lr_text_free(text);
    an_run_free(run);
    an_config_free(config);
}

static void other_data_are_loaded_alike(void **state)
{
    (void)state;
    an_config *config;
    an_batch batch, own;
    an_run *run = run_of("data: {path: set, normalize: [0.5, 0.25]}\nmodel: ['Flatten()', "
                         "'Linear(12, 10)']\noptimizer: SGD(lr=0.1)\nepochs: 1\n",
                         NULL, &config);
    an_loader *loader = an_run_loader(run, run->test_data, NULL);
    assert_non_null(loader);
    assert_true(an_loader_next(loader, &batch) && an_loader_next(run->test, &own));
    assert_int_equal(batch.x->size, own.x->size);
    assert_memory_equal(batch.x->data, own.x->data, (size_t)own.x->size * sizeof(float));
    an_loader_free(loader);
    an_run_free(run);
    an_config_free(config);
}

static void a_resolved_text_is_saved(void **state)
{
    (void)state;
    char path[64];
    char text[4096] = "";
    an_config *config;
    an_error err = {0};
    an_run *run = run_of(RUN, NULL, &config);
    snprintf(path, sizeof path, "%s/resolved.yaml", folder);
    assert_true(an_run_save_resolved(run, path, &err));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    unlink(path);
    assert_string_equal(text, run->resolved_text);
    assert_false(an_run_save_resolved(run, "/no/such/folder/r.yaml", &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    an_run_free(run);
    an_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(resolved_texts_read_back),
        cmocka_unit_test(what_came_to_the_same_is_not_written_twice),
        cmocka_unit_test(the_length_is_not_fixed),
        cmocka_unit_test(the_data_are_found_from_elsewhere),
        cmocka_unit_test(given_seeds_and_threads),
        cmocka_unit_test(parameters_by_name),
        cmocka_unit_test(a_run_follows_a_schedule),
        cmocka_unit_test(other_data_are_loaded_alike),
        cmocka_unit_test(a_resolved_text_is_saved),
    };
    return cmocka_run_group_tests(tests, make_data, remove_data);
}
