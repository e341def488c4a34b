/* The run store: what it holds, several processes at once, resuming, what is refused. */
#include "fake_run.h"

#include <anneal/store.h>

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WRITERS 16

static an_store *open_store(void)
{
    an_error err = {0};
    an_store *store = an_store_open("runs", true, &err);
    if (!store)
        fail_msg("%s", err.message);
    return store;
}

static an_store_run *new_run(an_store *store, int64_t every, fake_run *fake)
{
    static const an_named_text params[] = {{"optimizer", "SGD(lr=0.1)"}, {"epochs", "15"}};
    an_error err = {0};
    an_store_run *run =
        an_store_run_new(store,
                         &(an_store_run_options){.base = "mnist-mlp",
                                                 .config = "epochs: 15\n",
                                                 .resolved = "epochs: 15\nseed: 1\n",
                                                 .params = params,
                                                 .param_count = 2,
                                                 .log = {.every = every}},
                         &err);
    if (!run)
        fail_msg("%s", err.message);
    fake_init(fake, an_store_run_callback(run));
    return run;
}

static an_store_run *again(an_store *store, const char *name, int64_t every, fake_run *fake)
{
    an_error err = {0};
    an_store_run *run = an_store_run_open(store, name, &(an_log_options){.every = every}, &err);
    if (!run)
        fail_msg("%s", err.message);
    fake_init(fake, an_store_run_callback(run));
    return run;
}

/* A number that SQL gives, asked through SQLite alone. */
static double ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open("runs/anneal.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    double value = sqlite3_column_type(statement, 0) == SQLITE_NULL
                       ? NAN
                       : sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void tell_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open("runs/anneal.db", &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* ------------------------------------------------------------------ contents */

static void a_run_has_a_name_a_folder_and_files(void **state)
{
    (void)state;
    fake_run fake;
    size_t size;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 0, &fake);
    const char *name = an_store_run_name(run);
    assert_true(strncmp(name, "mnist-mlp-", 10) == 0 && strlen(name) == 14);
    assert_int_equal(strspn(name + 10, "0123456789abcdef"), 4);
    char path[128];
    snprintf(path, sizeof path, "runs/%s", name);
    assert_string_equal(an_store_run_folder(run), path);
    snprintf(path, sizeof path, "runs/%s/config.yaml", name);
    char *text = read_file(path, &size);
    assert_string_equal(text, "epochs: 15\n");
    free(text);
    snprintf(path, sizeof path, "runs/%s/resolved.yaml", name);
    text = read_file(path, &size);
    assert_string_equal(text, "epochs: 15\nseed: 1\n");
    free(text);
    an_store_run_free(run);
    an_store_close(store);
}

static void the_tables_hold_the_records(void **state)
{
    (void)state;
    fake_run fake;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 1, &fake);
    fake.groups = 2;
    fake.metrics = 2;
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 16);
    fake_end(&fake, 16);
    assert_int_equal(fake.told, 0);
    assert_true(an_store_run_result(run, "test_accuracy", 0.983, NULL));
    an_record r = fake_record(&fake, 5);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='step'") == 16);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='epoch'") == 2);
    assert_true(ask("SELECT count(*) FROM metrics WHERE run=1") == 18);
    assert_true(ask("SELECT loss FROM metrics WHERE kind='step' AND step=5") == r.loss);
    assert_true(ask("SELECT batch_loss FROM metrics WHERE kind='step' AND step=5") == r.batch_loss);
    assert_true(ask("SELECT lr FROM metrics WHERE kind='step' AND step=5") == r.lr[0]);
    assert_true(ask("SELECT momentum FROM metrics WHERE kind='step' AND step=5") == 0.9);
    assert_true(ask("SELECT samples FROM metrics WHERE kind='step' AND step=5") == 320);
    assert_true(ask("SELECT grad_norm FROM metrics WHERE kind='step' AND step=5") == 1.0 / 3);
    assert_true(isnan(ask("SELECT grad_norm FROM metrics WHERE kind='step' AND step=6")));
    assert_true(ask("SELECT time FROM metrics WHERE step=5") > 1.6e9);
    assert_true(ask("SELECT value FROM extras, metrics WHERE extras.metric = metrics.id AND step=5 "
                    "AND name='lr1'") == r.lr[1]);
    assert_true(ask("SELECT value FROM extras, metrics WHERE extras.metric = metrics.id AND step=5 "
                    "AND name='valid,top5'") == r.metrics[1].value);
    assert_true(ask("SELECT valid_loss FROM metrics WHERE kind='epoch' AND step=14") ==
                fake_record(&fake, 14).loss * 1.125);
    assert_true(ask("SELECT value FROM results WHERE name='test_accuracy'") == 0.983);
    assert_true(ask("SELECT count(*) FROM parameters WHERE run=1") == 2);
    assert_true(ask("SELECT step FROM runs WHERE status='stopped'") == 16);
    an_store_run_free(run);
    an_store_close(store);
}

static void reading_gives_what_was_written(void **state)
{
    (void)state;
    fake_run fake;
    an_stored_runs list;
    an_table table;
    an_stored_events events;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 2, &fake);
    fake.groups = 2;
    fake.metrics = 1;
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 100);
    an_tell(&fake.control, "saved", "to 'x'");
    fake_end(&fake, 100);
    assert_true(an_store_run_result(run, "test_loss", 0.5, NULL));
    assert_true(an_store_list(store, &list, NULL));
    assert_int_equal(list.count, 1);
    const an_stored_run *r = &list.runs[0];
    assert_string_equal(r->name, an_store_run_name(run));
    assert_string_equal(r->folder, an_store_run_folder(run));
    assert_int_equal(r->status, AN_RUN_DONE);
    assert_int_equal(r->step, 100);
    assert_int_equal(r->steps, 100);
    assert_true(r->seconds == 1.0 && r->started > 1.6e9 && r->updated >= r->started);
    assert_string_equal(r->params[1].name, "optimizer");
    assert_string_equal(r->params[1].text, "SGD(lr=0.1)");
    double loss = 0, test = 0, top = 0;
    for (size_t i = 0; i < r->value_count; i++) {
        loss = strcmp(r->values[i].name, "loss") == 0 ? r->values[i].value : loss;
        test = strcmp(r->values[i].name, "test_loss") == 0 ? r->values[i].value : test;
        top = strcmp(r->values[i].name, "top5") == 0 ? r->values[i].value : top;
    }
    assert_true(loss == fake_record(&fake, 98).loss && test == 0.5 && top == 14);
    assert_true(an_store_rows(store, r->id, false, &table, NULL));
    assert_int_equal(table.rows, 50);
    an_record record = fake_record(&fake, 10);
    for (size_t c = 0; c < table.columns; c++) {
        double value = table.values[4 * table.columns + c];
        const char *name = table.names[c];
        double expected = strcmp(name, "step") == 0   ? 10
                          : strcmp(name, "loss") == 0 ? record.loss
                          : strcmp(name, "lr0") == 0  ? record.lr[0]
                          : strcmp(name, "lr1") == 0  ? record.lr[1]
                          : strcmp(name, "top5") == 0 ? record.metrics[0].value
                                                      : value;
        assert_true(value == expected || isnan(expected));
        assert_int_equal(table.whole[c], c < 4);
    }
    an_table_free(&table);
    assert_true(an_store_events(store, r->id, &events, NULL));
    assert_int_equal(events.count, 1);
    assert_string_equal(events.events[0].kind, "saved");
    assert_string_equal(events.events[0].text, "to 'x'");
    an_stored_events_free(&events);
    an_stored_runs_free(&list);
    an_store_run_free(run);
    an_store_close(store);
}

/* The table of a run as CSV is what the CSV log of the same run holds, to the byte. */
static void the_csv_log_agrees(void **state)
{
    (void)state;
    for (int epochs = 0; epochs <= 1; epochs++)
        for (size_t groups = 1; groups <= 3; groups++) {
            fake_run fake, csv_fake;
            an_table table;
            an_store *store = open_store();
            an_store_run *run = new_run(store, 1, &fake);
            unlink("log.csv");
            an_csv *csv = an_csv_new("log.csv", &(an_log_options){.every = !epochs}, NULL);
            fake_init(&csv_fake, an_csv_callback(csv));
            fake.groups = csv_fake.groups = groups;
            fake.metrics = csv_fake.metrics = groups - 1;
            fake_begin(&fake, 0), fake_begin(&csv_fake, 0);
            fake_train(&fake, 0, 30), fake_train(&csv_fake, 0, 30);
            fake_end(&fake, 30), fake_end(&csv_fake, 30);
            an_csv_free(csv);
            int64_t id = (int64_t)ask("SELECT max(id) FROM runs");
            assert_true(an_store_rows(store, id, epochs, &table, NULL));
            FILE *out = fopen("table.csv", "w");
            for (size_t c = 0; c < table.columns; c++)
                fprintf(out, strchr(table.names[c], ',') ? "%s\"%s\"" : "%s%s", c ? "," : "",
                        table.names[c]);
            for (size_t i = 0; i < table.rows * table.columns; i++)
                if (isnan(table.values[i]))
                    fprintf(out, "%snan", i % table.columns ? "," : "\n");
                else
                    fprintf(out, "%s%.17g", i % table.columns ? "," : "\n", table.values[i]);
            fputs("\n", out);
            fclose(out);
            assert_same_files("log.csv", "table.csv");
            an_table_free(&table);
            an_store_run_free(run);
            an_store_close(store);
        }
}

/* ------------------------------------------------------- several processes */

/* One process of many: everything from opening the store on. */
static int write_a_run(void)
{
    fake_run fake;
    an_store *store = an_store_open("runs", true, NULL);
    an_store_run *run =
        store ? an_store_run_new(store, &(an_store_run_options){.base = "x", .log = {.every = 1}},
                                 NULL)
              : NULL;
    if (!run)
        return 1;
    fake_init(&fake, an_store_run_callback(run));
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 300);
    an_tell(&fake.control, "saved", "the last");
    fake_end(&fake, 300);
    int told = fake.told;
    an_store_run_free(run);
    an_store_close(store);
    return told == 1 ? 0 : 2;
}

static void sixteen_processes_write_at_once(void **state)
{
    (void)state;
    pid_t children[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(write_a_run());
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_true(ask("SELECT count(DISTINCT name) FROM runs WHERE step=300") == WRITERS);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='step'") == WRITERS * 300);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='epoch'") ==
                WRITERS * (300.0 - 300 % FAKE_BATCHES) / FAKE_BATCHES);
    assert_true(ask("SELECT count(*) FROM (SELECT DISTINCT run, step FROM metrics WHERE "
                    "kind='step')") == WRITERS * 300);
    assert_true(ask("SELECT count(*) FROM events") == WRITERS);
    assert_true(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'") == 1);
}

/* ------------------------------------------------------------------ resuming */

/* What is in the tables but for times. */
static double digest(int64_t run)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT count(*) + total(id %% 4294967296 * (step + 2*epoch) * (loss + "
             "ifnull(batch_loss, 7) + ifnull(valid_loss, 3))) + total(length(kind)) + (SELECT "
             "total(value * (metric %% 4294967296 + 3 * place)) FROM extras WHERE metric / "
             "4294967296 = %d) FROM metrics WHERE run = %d",
             (int)run, (int)run);
    return ask(sql);
}

static void resuming_leaves_no_gap_and_no_repeat(void **state)
{
    (void)state;
    fake_run fake;
    fake_state checkpoint;
    char name[64];
    an_store *store = open_store();
    an_store_run *run = new_run(store, 1, &fake);
    fake.metrics = 1;
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 30);
    fake_end(&fake, 30);
    an_store_run_free(run);
    for (int64_t saved = 0; saved <= 30; saved += 2) {
        for (int known = 0; known <= 1; known++) {
            run = new_run(store, 1, &fake);
            fake.metrics = 1;
            snprintf(name, sizeof name, "%s", an_store_run_name(run));
            fake_begin(&fake, 0);
            fake_train(&fake, 0, saved);
            fake_save(&fake, saved, &checkpoint);
            fake_train(&fake, saved, saved + saved % 11);
            an_tell(&fake.control, "told", "and forgotten");
            fake_end(&fake, saved + saved % 11);
            an_store_run_free(run);
            run = again(store, name, 1, &fake);
            fake.metrics = 1;
            /* Without the numbers an epoch's row of the same step is taken to be there already. */
            checkpoint.size = known || saved % FAKE_BATCHES == 0 ? checkpoint.size : 0;
            assert_true(fake_load(&fake, &checkpoint, NULL));
            fake_begin(&fake, saved);
            fake_train(&fake, saved, 30);
            fake_end(&fake, 30);
            assert_int_equal(fake.told, 0);
            an_store_run_free(run);
            int64_t id = (int64_t)ask("SELECT max(id) FROM runs");
            assert_true(digest(id) == digest(1));
        }
    }
    an_store_close(store);
}

/* Killed at any moment: the database is sound, and holds whole epochs. */
static void a_killed_process_leaves_a_sound_store(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (;;)
                write_a_run();
        }
        nanosleep(&(struct timespec){0, 30000000 + 17000000 * i}, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        an_stored_runs list;
        an_store *store = open_store();
        assert_true(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'") ==
                    1);
        assert_true(an_store_list(store, &list, NULL));
        for (size_t r = 0; r < list.count; r++)
            assert_true(list.runs[r].status != AN_RUN_RUNNING);
        an_stored_runs_free(&list);
        an_store_close(store);
    }
}

/* ------------------------------------------------------------------ failures */

static void one_process_at_a_run(void **state)
{
    (void)state;
    fake_run fake;
    an_error err = {0};
    an_stored_runs list;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 0, &fake);
    char name[64];
    snprintf(name, sizeof name, "%s", an_store_run_name(run));
    assert_null(an_store_run_open(store, name, &(an_log_options){.every = 0}, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_false(an_store_remove(store, name, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_true(an_store_list(store, &list, NULL));
    assert_int_equal(list.runs[0].status, AN_RUN_RUNNING);
    an_stored_runs_free(&list);
    an_store_run_free(run);
    assert_true(an_store_list(store, &list, NULL));
    assert_int_equal(list.runs[0].status, AN_RUN_KILLED);
    assert_string_equal(an_run_status_name(list.runs[0].status), "killed");
    an_stored_runs_free(&list);
    run = again(store, name, 0, &fake);
    assert_true(an_store_run_end(run, AN_RUN_FAILED, "the loss became nan", NULL));
    an_store_run_free(run);
    assert_true(an_store_list(store, &list, NULL));
    assert_int_equal(list.runs[0].status, AN_RUN_FAILED);
    assert_string_equal(list.runs[0].note, "the loss became nan");
    an_stored_runs_free(&list);
    an_store_close(store);
}

static void a_database_that_is_held_is_waited_for_later(void **state)
{
    (void)state;
    fake_run fake;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 1, &fake);
    fake.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 7);
    /* The table is gone for a while: every flush fails. */
    tell_sql("ALTER TABLE metric_blocks RENAME TO away");
    fake_train(&fake, 7, 21);
    assert_string_equal(fake.kinds, "log_failed ");
    tell_sql("ALTER TABLE away RENAME TO metric_blocks");
    fake_train(&fake, 21, 28);
    fake_end(&fake, 28);
    assert_string_equal(fake.kinds, "log_failed log_recovered ");
    assert_int_equal(fake.control.error.code, AN_ERROR_OK);
    an_store_run_free(run);
    an_store_close(store);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='step'") == 28);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='epoch'") == 4);
    assert_true(ask("SELECT count(*) FROM events") == 2);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Files cannot grow for a while: it is told once, nothing is harmed, nothing is lost. */
static void a_full_disk_is_told_once(void **state)
{
    (void)state;
    fake_run fake;
    struct stat status;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 1, &fake);
    fake.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 7);
    assert_int_equal(stat("runs/anneal.db-wal", &status), 0);
    limit_files((rlim_t)status.st_size);
    fake_train(&fake, 7, 28);
    bool once = fake.told == 1;
    limit_files(RLIM_INFINITY);
    assert_true(once);
    assert_string_equal(fake.kinds, "log_failed ");
    assert_non_null(strstr(fake.last_text, "runs/anneal.db"));
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='step'") == 7);
    fake_train(&fake, 28, 42);
    fake_end(&fake, 42);
    assert_string_equal(fake.kinds, "log_failed log_recovered ");
    an_store_run_free(run);
    an_store_close(store);
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='step'") == 42);
    assert_true(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check='ok'") == 1);
}

/* The folder of all runs disappears: it is told once, and again when it is back. */
static void a_vanished_folder_is_told(void **state)
{
    (void)state;
    fake_run fake;
    an_store *store = open_store();
    an_store_run *run = new_run(store, 1, &fake);
    fake.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&fake, 0);
    fake_train(&fake, 0, 7);
    assert_int_equal(rename("runs", "away"), 0);
    fake_train(&fake, 7, 21);
    assert_string_equal(fake.kinds, "log_failed ");
    assert_non_null(strstr(fake.last_text, "moved or deleted"));
    assert_int_equal(rename("away", "runs"), 0);
    fake_train(&fake, 21, 28);
    fake_end(&fake, 28);
    assert_string_equal(fake.kinds, "log_failed log_recovered ");
    assert_true(ask("SELECT count(*) FROM metrics WHERE kind='step'") == 28);
    an_store_run_free(run);
    an_store_close(store);
}

static void a_removed_run_is_told_or_ends(void **state)
{
    (void)state;
    fake_run fake;
    an_error err = {0};
    an_store *store = open_store();
    an_store_run *run = new_run(store, 1, &fake);
    fake.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&fake, 0);
    tell_sql("DELETE FROM runs");
    fake_train(&fake, 0, 14);
    assert_string_equal(fake.kinds, "log_failed ");
    assert_non_null(strstr(fake.last_text, "has been removed"));
    an_store_run_free(run);
    run = an_store_run_new(
        store, &(an_store_run_options){.base = "x", .log = {.every = 1, .stop_on_failure = true}},
        &err);
    fake_init(&fake, an_store_run_callback(run));
    fake.seconds_per_step = FAKE_FLUSHING;
    fake_begin(&fake, 0);
    tell_sql("DELETE FROM runs");
    fake_train(&fake, 0, 7);
    assert_int_equal(fake.control.error.code, AN_ERROR_IO);
    an_store_run_free(run);
    an_store_close(store);
}

static void removing_takes_everything_and_nothing_else(void **state)
{
    (void)state;
    fake_run fake;
    an_error err = {0};
    char name[2][64], path[256];
    an_store *store = open_store();
    for (int i = 0; i < 2; i++) {
        an_store_run *run = new_run(store, 1, &fake);
        fake.metrics = 1;
        fake_begin(&fake, 0);
        fake_train(&fake, 0, 14);
        an_tell(&fake.control, "saved", "x");
        fake_end(&fake, 14);
        an_store_run_result(run, "test_loss", 1, NULL);
        snprintf(name[i], sizeof name[i], "%s", an_store_run_name(run));
        an_store_run_free(run);
    }
    write_file("precious", "x", 1);
    assert_int_equal(mkdir("keep", 0700), 0);
    write_file("keep/precious", "x", 1);
    snprintf(path, sizeof path, "runs/%s/deep", name[0]);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "runs/%s/deep/link", name[0]);
    assert_int_equal(symlink("../../../keep", path), 0);
    snprintf(path, sizeof path, "runs/%s/deep/file", name[0]);
    write_file(path, "x", 1);
    assert_true(an_store_remove(store, name[0], &err));
    snprintf(path, sizeof path, "runs/%s", name[0]);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access("keep/precious", F_OK), 0);
    assert_true(ask("SELECT count(*) FROM runs") == 1);
    assert_true(ask("SELECT count(DISTINCT run) FROM metrics") == 1);
    assert_true(ask("SELECT count(DISTINCT metric / 4294967296) FROM extras") == 1);
    assert_true(ask("SELECT count(*) FROM events") == 1);
    assert_true(ask("SELECT count(*) FROM parameters") == 2);
    assert_true(ask("SELECT count(*) FROM results") == 1);
    assert_false(an_store_remove(store, name[0], &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, name[0]));
    /* A name that somebody else wrote into the database leads nowhere. */
    tell_sql("UPDATE runs SET name='../keep'");
    assert_false(an_store_remove(store, "../keep", &err));
    assert_int_equal(access("keep/precious", F_OK), 0);
    an_store_close(store);
}

static void names_are_made_safe(void **state)
{
    (void)state;
    an_error err = {0};
    an_store *store = open_store();
    const char *bases[] = {
        "../../etc/passwd",
        "",
        ".hidden",
        "a b\tc",
        "größe",
        ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        an_store_run *run =
            an_store_run_new(store, &(an_store_run_options){.base = bases[i]}, &err);
        if (!run)
            fail_msg("%s", err.message);
        const char *name = an_store_run_name(run);
        assert_null(strchr(name, '/'));
        assert_true(name[0] != '.' && strlen(name) < 128);
        assert_int_equal(access(an_store_run_folder(run), F_OK), 0);
        an_store_run_free(run);
    }
    assert_null(
        an_store_run_new(store, &(an_store_run_options){.base = "x", .log = {.every = -1}}, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    an_store_close(store);
}

static void what_is_no_store_is_refused(void **state)
{
    (void)state;
    an_error err = {0};
    assert_null(an_store_open("nowhere", false, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "no runs in 'nowhere'"));
    assert_int_equal(access("nowhere", F_OK), -1);
    assert_null(an_store_open("no/such/folder", true, &err));
    assert_non_null(strstr(err.message, "No such file"));
    assert_null(an_store_open("", true, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);

    assert_int_equal(mkdir("runs", 0700), 0);
    write_file("runs/anneal.db", "this is a text, and was here first, and stays here\n", 51);
    for (int create = 0; create <= 1; create++) {
        assert_null(an_store_open("runs", create, &err));
        assert_int_equal(err.code, AN_ERROR_DATA);
    }
    assert_int_equal(unlink("runs/anneal.db"), 0);
    tell_sql("CREATE TABLE recipes(name)");
    for (int create = 0; create <= 1; create++) {
        assert_null(an_store_open("runs", create, &err));
        assert_int_equal(err.code, AN_ERROR_DATA);
        assert_non_null(strstr(err.message, "no run store"));
    }
    assert_int_equal(unlink("runs/anneal.db"), 0);
    unlink("runs/anneal.db-wal"), unlink("runs/anneal.db-shm");
    an_store_close(open_store());
    tell_sql("PRAGMA user_version = 7");
    assert_null(an_store_open("runs/", true, &err));
    assert_non_null(strstr(err.message, "version 7"));
    an_store_close(NULL);
    an_store_run_free(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_run_has_a_name_a_folder_and_files),
        CASE(the_tables_hold_the_records),
        CASE(reading_gives_what_was_written),
        CASE(the_csv_log_agrees),
        CASE(sixteen_processes_write_at_once),
        CASE(resuming_leaves_no_gap_and_no_repeat),
        CASE(a_killed_process_leaves_a_sound_store),
        CASE(one_process_at_a_run),
        CASE(a_database_that_is_held_is_waited_for_later),
        CASE(a_full_disk_is_told_once),
        CASE(a_vanished_folder_is_told),
        CASE(a_removed_run_is_told_or_ends),
        CASE(removing_takes_everything_and_nothing_else),
        CASE(names_are_made_safe),
        CASE(what_is_no_store_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
