/* The CSV log: what a row holds, what is refused, and that resuming leaves neither gap nor repeat.
 */
#include "fake_run.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define EPOCH_HEAD                                                                         \
    "step,epoch,samples,seconds,epoch_seconds,loss,accuracy,valid_loss,valid_accuracy,lr," \
    "momentum,"                                                                            \
    "grad_norm,samples_per_second,memory"
#define STEP_HEAD                                                                      \
    "step,epoch,batch,samples,seconds,loss,accuracy,batch_loss,lr,momentum,grad_norm," \
    "samples_per_second"

static an_csv *make(const char *path, int64_t every, fake_run *run)
{
    an_error err = {0};
    an_csv *csv = an_csv_new(path, &(an_log_options){.every = every}, &err);
    if (!csv)
        fail_msg("%s", err.message);
    fake_init(run, an_csv_callback(csv));
    return csv;
}

/* An undisturbed run of `steps` updates, each of `seconds`; 0: the usual ones. */
static void whole_run_at(const char *path, int64_t every, int64_t steps, double seconds)
{
    fake_run run;
    an_csv *csv = make(path, every, &run);
    if (seconds > 0)
        run.seconds_per_step = seconds;
    fake_begin(&run, 0);
    fake_train(&run, 0, steps);
    fake_end(&run, steps);
    assert_int_equal(run.told, 0);
    assert_int_equal(run.control.error.code, AN_ERROR_OK);
    an_csv_free(csv);
}

static void whole_run(const char *path, int64_t every, int64_t steps)
{
    whole_run_at(path, every, steps, 0);
}

static void rows_of_epochs(void **state)
{
    (void)state;
    size_t size;
    whole_run("log.csv", 0, 16);
    char *text = read_file("log.csv", &size), expected[2048];
    an_record r = fake_record(&(fake_run){.groups = 1, .seconds_per_step = 0.01}, 7);
    int head = snprintf(expected, sizeof expected,
                        EPOCH_HEAD "\n7,1,448,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,"
                                   "%.17g,6400,1048576\n14,2,",
                        r.seconds, r.epoch_seconds, r.loss, r.accuracy, r.loss * 1.125,
                        r.accuracy * 0.875, r.lr[0], r.momentum[0], r.grad_norm);
    assert_true(strncmp(text, expected, (size_t)head) == 0);
    int lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 3);
    free(text);
}

static void rows_of_updates(void **state)
{
    (void)state;
    size_t size;
    whole_run("log.csv", 3, 16);
    char *text = read_file("log.csv", &size);
    char *line = strtok(text, "\n");
    assert_string_equal(line, STEP_HEAD);
    for (int64_t step = 3; step <= 15; step += 3) {
        char expected[512];
        an_record r = fake_record(&(fake_run){.groups = 1, .seconds_per_step = 0.01}, step);
        int used = snprintf(expected, sizeof expected, "%d,%d,%d,%d,%.17g,%.17g,%.17g,%.17g,",
                            (int)step, (int)r.epoch, (int)r.batch, (int)r.samples, r.seconds,
                            r.loss, r.accuracy, r.batch_loss);
        used += snprintf(expected + used, sizeof expected - (size_t)used, "%.17g,%.17g,", r.lr[0],
                         r.momentum[0]);
        if (isnan(r.grad_norm))
            snprintf(expected + used, sizeof expected - (size_t)used, "nan,6400");
        else
            snprintf(expected + used, sizeof expected - (size_t)used, "%.17g,6400", r.grad_norm);
        assert_string_equal(strtok(NULL, "\n"), expected);
    }
    assert_null(strtok(NULL, "\n"));
    free(text);
}

static void groups_and_metrics_have_columns(void **state)
{
    (void)state;
    fake_run run;
    size_t size;
    an_csv *csv = make("log.csv", 1, &run);
    run.groups = 2;
    run.metrics = 2;
    fake_begin(&run, 0);
    fake_train(&run, 0, 1);
    fake_end(&run, 1);
    an_csv_free(csv);
    char *text = read_file("log.csv", &size);
    assert_non_null(strstr(text, "lr0,momentum0,lr1,momentum1,grad_norm,samples_per_second,top5,"
                                 "\"valid,top5\"\n"));
    assert_non_null(strstr(text, ",0.10000000000000001,0.90000000000000002,0.050000000000000003,"
                                 "nan,0.33333333333333331,6400,0.14285714285714285,"
                                 "1.1428571428571428\n"));
    free(text);
}

static void a_record_of_the_same_step_is_no_row(void **state)
{
    (void)state;
    fake_run run;
    size_t size;
    an_csv *csv = make("log.csv", 1, &run);
    fake_begin(&run, 0);
    for (int i = 0; i < 6; i++) {
        an_record record = fake_record(&run, i / 2);
        run.callback.batch_end(run.callback.user, &record, &run.control);
    }
    fake_end(&run, 2);
    an_csv_free(csv);
    char *text = read_file("log.csv", &size);
    assert_non_null(strstr(text, "samples_per_second\n1,1,1,"));
    assert_non_null(strstr(text, "\n2,1,2,"));
    assert_null(strstr(strstr(text, "\n2,") + 1, "\n2,"));
    free(text);
}

static void a_file_with_other_columns_is_refused(void **state)
{
    (void)state;
    fake_run run;
    write_file("log.csv", "step,loss\n1,2\n", 14);
    an_csv *csv = make("log.csv", 0, &run);
    fake_begin(&run, 0);
    assert_int_equal(run.control.error.code, AN_ERROR_DATA);
    assert_non_null(strstr(run.control.error.message, "'log.csv'"));
    assert_non_null(strstr(run.control.error.message, "'step,loss'"));
    an_csv_free(csv);
    write_file("same.csv", "step,loss\n1,2\n", 14);
    assert_same_files("log.csv", "same.csv");
}

static void a_second_run_is_appended(void **state)
{
    (void)state;
    size_t once, twice;
    whole_run("log.csv", 0, 14);
    char *first = read_file("log.csv", &once);
    whole_run("log.csv", 0, 14);
    char *both = read_file("log.csv", &twice);
    size_t head = strlen(EPOCH_HEAD) + 1;
    assert_int_equal(twice, 2 * once - head);
    assert_memory_equal(both, first, once);
    assert_memory_equal(both + once, first + head, once - head);
    free(first);
    free(both);
}

/* As a process leaves it that is killed in the middle of a write. */
static void half_a_row_is_removed(void **state)
{
    (void)state;
    size_t size;
    whole_run("whole.csv", 1, 9);
    char *text = read_file("whole.csv", &size);
    for (size_t cut = 0; cut < size; cut += 13) {
        write_file("log.csv", text, cut);
        size_t kept = cut;
        while (kept > 0 && text[kept - 1] != '\n')
            kept--;
        whole_run("log.csv", 1, 0);
        size_t got;
        char *after = read_file("log.csv", &got);
        size_t head = strlen(STEP_HEAD) + 1;
        assert_int_equal(got, kept > head ? kept : head);
        assert_memory_equal(after, text, got);
        free(after);
    }
    free(text);
}

/* Saved at every step, killed a little later, resumed: the same bytes. */
static void resuming_leaves_no_gap_and_no_repeat(void **state)
{
    (void)state;
    for (int64_t every = 0; every <= 2; every++) {
        unlink("whole.csv");
        whole_run("whole.csv", every, 30);
        for (int64_t saved = 0; saved <= 30; saved++) {
            fake_run run;
            fake_state checkpoint;
            unlink("log.csv");
            an_csv *csv = make("log.csv", every, &run);
            fake_begin(&run, 0);
            fake_train(&run, 0, saved);
            fake_save(&run, saved, &checkpoint);
            fake_train(&run, saved, saved + saved % 11);
            an_csv_free(csv);

            csv = make("log.csv", every, &run);
            assert_string_equal(run.callback.name, "csv:log.csv");
            assert_true(fake_load(&run, &checkpoint, NULL));
            fake_begin(&run, saved);
            fake_train(&run, saved, 30);
            fake_end(&run, 30);
            assert_int_equal(run.told, 0);
            an_csv_free(csv);
            assert_same_files("log.csv", "whole.csv");
        }
    }
}

/* Rolled back in the same process, once more. */
static void rolling_back_cuts_too(void **state)
{
    (void)state;
    fake_run run;
    fake_state checkpoint;
    whole_run("whole.csv", 1, 30);
    an_csv *csv = make("log.csv", 1, &run);
    fake_begin(&run, 0);
    fake_train(&run, 0, 12);
    fake_save(&run, 12, &checkpoint);
    fake_train(&run, 12, 25);
    assert_true(fake_load(&run, &checkpoint, NULL));
    fake_train(&run, 12, 30);
    fake_end(&run, 30);
    an_csv_free(csv);
    assert_same_files("log.csv", "whole.csv");
}

/* Nothing in the checkpoint, or an offset within a row: the steps in the file decide. */
static void rows_are_cut_by_their_step(void **state)
{
    (void)state;
    whole_run("whole.csv", 1, 30);
    fake_state states[] = {{.step = 12, .size = 0},
                           {.step = 12, .size = 8, .bytes = {117}},
                           {.step = 12, .size = 3, .bytes = {1, 2, 3}}};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        fake_run run;
        unlink("log.csv");
        whole_run("log.csv", 1, 20);
        an_csv *csv = make("log.csv", 1, &run);
        assert_true(fake_load(&run, &states[i], NULL));
        fake_begin(&run, 12);
        fake_train(&run, 12, 30);
        fake_end(&run, 30);
        an_csv_free(csv);
        assert_same_files("log.csv", "whole.csv");
    }
}

static void a_file_that_became_shorter_is_told(void **state)
{
    (void)state;
    fake_run run;
    fake_state checkpoint;
    an_csv *csv = make("log.csv", 1, &run);
    fake_begin(&run, 0);
    fake_train(&run, 0, 12);
    fake_save(&run, 12, &checkpoint);
    an_csv_free(csv);
    assert_int_equal(truncate("log.csv", 100), 0);
    csv = make("log.csv", 1, &run);
    assert_true(fake_load(&run, &checkpoint, NULL));
    fake_begin(&run, 12);
    assert_string_equal(run.kinds, "log_failed ");
    assert_non_null(strstr(run.last_text, "shorter"));
    an_csv_free(csv);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The rows wait, and come when there is room again. */
static void a_full_disk_is_told_once(void **state)
{
    (void)state;
    fake_run run;
    whole_run_at("whole.csv", 1, 30, FAKE_FLUSHING);
    an_csv *csv = make("log.csv", 1, &run);
    run.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&run, 0);
    fake_train(&run, 0, 7);
    limit_files(700);
    fake_train(&run, 7, 21);
    bool once = run.told == 1;
    limit_files(RLIM_INFINITY);
    assert_true(once);
    assert_string_equal(run.kinds, "log_failed ");
    assert_non_null(strstr(run.last_text, "cannot write 'log.csv': File too large"));
    fake_train(&run, 21, 30);
    fake_end(&run, 30);
    assert_string_equal(run.kinds, "log_failed log_recovered ");
    assert_non_null(strstr(run.last_text, "nothing is lost"));
    assert_int_equal(run.control.error.code, AN_ERROR_OK);
    an_csv_free(csv);
    assert_same_files("log.csv", "whole.csv");
}

static void a_full_disk_may_end_the_run(void **state)
{
    (void)state;
    fake_run run;
    an_error err = {0};
    an_csv *csv =
        an_csv_new("log.csv", &(an_log_options){.every = 1, .stop_on_failure = true}, &err);
    fake_init(&run, an_csv_callback(csv));
    run.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&run, 0);
    limit_files(500);
    fake_train(&run, 0, 7);
    limit_files(RLIM_INFINITY);
    assert_int_equal(run.control.error.code, AN_ERROR_IO);
    assert_int_equal(run.told, 0);
    an_csv_free(csv);
}

/* The folder appears only after a while: nothing is lost. */
static void a_missing_folder_is_waited_for(void **state)
{
    (void)state;
    fake_run run;
    whole_run("whole.csv", 1, 21);
    an_csv *csv = make("later/log.csv", 1, &run);
    fake_begin(&run, 0);
    assert_string_equal(run.kinds, "log_failed ");
    fake_train(&run, 0, 10);
    assert_int_equal(mkdir("later", 0700), 0);
    fake_train(&run, 10, 21);
    fake_end(&run, 21);
    assert_string_equal(run.kinds, "log_failed log_recovered ");
    an_csv_free(csv);
    assert_same_files("later/log.csv", "whole.csv");
}

static void a_vanished_file_is_told(void **state)
{
    (void)state;
    fake_run run;
    an_csv *csv = make("log.csv", 1, &run);
    fake_begin(&run, 0);
    assert_int_equal(unlink("log.csv"), 0);
    fake_train(&run, 0, 30);
    fake_end(&run, 30);
    assert_string_equal(run.kinds, "log_failed ");
    assert_non_null(strstr(run.last_text, "deleted"));
    an_csv_free(csv);
}

static void wrong_options(void **state)
{
    (void)state;
    an_error err = {0};
    assert_null(an_csv_new("log.csv", &(an_log_options){.every = -1}, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_null(an_csv_new("folder/", &(an_log_options){.every = 0}, &err));
    assert_null(an_csv_new("", &(an_log_options){.every = 0}, NULL));
    an_csv_free(NULL);
}

/* A record that nobody reads: rows are written after a second of training, not before. */
static void rows_do_not_wait_long(void **state)
{
    (void)state;
    fake_run run;
    struct stat status;
    an_csv *csv = make("log.csv", 1, &run);
    run.seconds_per_step = 0.4;
    fake_begin(&run, 0);
    fake_train(&run, 0, 2);
    assert_int_equal(stat("log.csv", &status), 0);
    assert_int_equal(status.st_size, strlen(STEP_HEAD) + 1);
    fake_train(&run, 2, 3);
    assert_int_equal(stat("log.csv", &status), 0);
    assert_true(status.st_size > 200);
    an_csv_free(csv);
}

/* Rows of updates wait beyond an epoch's end, those of epochs do not. */
static void epochs_are_written_at_once(void **state)
{
    (void)state;
    for (int64_t every = 0; every <= 1; every++) {
        fake_run run;
        struct stat begun, status;
        an_csv *csv = make(every ? "steps.csv" : "epochs.csv", every, &run);
        fake_begin(&run, 0);
        assert_int_equal(stat(every ? "steps.csv" : "epochs.csv", &begun), 0);
        fake_train(&run, 0, FAKE_BATCHES);
        assert_int_equal(stat(every ? "steps.csv" : "epochs.csv", &status), 0);
        assert_int_equal(status.st_size > begun.st_size, every == 0);
        an_csv_free(csv);
    }
}

/* However many updates a second has, what waits has a bound. */
static void many_rows_do_not_wait_for_the_clock(void **state)
{
    (void)state;
    fake_run run;
    struct stat status;
    an_csv *csv = make("log.csv", 1, &run);
    run.seconds_per_step = 0;
    fake_begin(&run, 0);
    fake_train(&run, 0, 20000);
    assert_int_equal(stat("log.csv", &status), 0);
    assert_true(status.st_size > 1024 * 1024);
    assert_int_equal(run.told, 0);
    an_csv_free(csv);
}

static void names_of_columns_are_known(void **state)
{
    (void)state;
    static const char *const columns[] = {"step",           "batch",    "batch_loss", "memory",
                                          "valid_accuracy", "lr",       "lr0",        "lr15",
                                          "momentum",       "momentum3"};
    static const char *const others[] = {"", "top5", "lr_x", "lrs", "l", "momentum0x", "Loss"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        assert_true(an_is_log_column(columns[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(an_is_log_column(others[i]));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_of_epochs),
        CASE(names_of_columns_are_known),
        CASE(rows_of_updates),
        CASE(groups_and_metrics_have_columns),
        CASE(a_record_of_the_same_step_is_no_row),
        CASE(a_file_with_other_columns_is_refused),
        CASE(a_second_run_is_appended),
        CASE(half_a_row_is_removed),
        CASE(resuming_leaves_no_gap_and_no_repeat),
        CASE(rolling_back_cuts_too),
        CASE(rows_are_cut_by_their_step),
        CASE(a_file_that_became_shorter_is_told),
        CASE(a_full_disk_is_told_once),
        CASE(a_full_disk_may_end_the_run),
        CASE(a_missing_folder_is_waited_for),
        CASE(a_vanished_file_is_told),
        CASE(wrong_options),
        CASE(rows_do_not_wait_long),
        CASE(epochs_are_written_at_once),
        CASE(many_rows_do_not_wait_for_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
