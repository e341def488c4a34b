/* Rows in blocks: every number as it was, cut anywhere, damaged, and from a store without them. */
#include "fake_run.h"

#include <anneal/store.h>

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    an_store *store;
    an_store_run *run;
    fake_run fake;
} fixture;

static void open_run(fixture *f, const char *name)
{
    an_error err = {0};
    const an_log_options log = {.every = 1};
    f->store = an_store_open("runs", true, &err);
    assert_non_null(f->store);
    f->run =
        name ? an_store_run_open(f->store, name, &log, &err)
             : an_store_run_new(f->store, &(an_store_run_options){.base = "x", .log = log}, &err);
    if (!f->run)
        fail_msg("%s", err.message);
    fake_init(&f->fake, an_store_run_callback(f->run));
    f->fake.seconds_per_step = 0; /* nothing is written before the end */
}

static void close_run(fixture *f)
{
    an_store_run_free(f->run);
    an_store_close(f->store);
}

/* Updates alone, which make one block after the other. */
static void train_updates(fixture *f, int64_t from, int64_t to)
{
    for (int64_t step = from + 1; step <= to; step++) {
        an_record r = fake_record(&f->fake, step);
        f->fake.callback.batch_end(f->fake.callback.user, &r, &f->fake.control);
    }
}

static sqlite3 *open_database(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open("runs/anneal.db", &db), SQLITE_OK);
    return db;
}

static void tell_sql(const char *sql)
{
    sqlite3 *db = open_database();
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t ask(const char *sql)
{
    sqlite3 *db = open_database();
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

/* ------------------------------------------------------------------- values */

#define MANY 3000

/* Everything that a double can be, and then bits by chance. */
static double odd_double(size_t i)
{
    static const double odd[] = {0.0,      -0.0,      1.0,     -1.0 / 3, INFINITY, -INFINITY, NAN,
                                 5e-324,   -5e-324,   DBL_MIN, DBL_MAX,  -DBL_MAX, 0.1,       1e300,
                                 1.5e-310, -1.5e-310, 1e-300,  2.5e15,   1e17,     0.3,       7.0};
    uint64_t bits = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    double value;
    bits ^= bits >> 29;
    memcpy(&value, &bits, sizeof value);
    return i < sizeof odd / sizeof *odd ? odd[i] : value;
}

static int64_t odd_whole(size_t i)
{
    static const int64_t odd[] = {0, -1, INT64_MAX, INT64_MIN, 1, 255, 256, INT64_C(1) << 53};
    return i < sizeof odd / sizeof *odd
               ? odd[i]
               : (int64_t)(i * i * UINT64_C(0xd1342543de82ef95) ^ (uint64_t)i << 20);
}

static void assert_same(double found, double expected)
{
    assert_true(found == expected || (isnan(found) && isnan(expected)));
}

/* In SQL alone, with any SQLite, and with the store's own reader. */
static void every_number_is_what_it_was(void **state)
{
    (void)state;
    fixture f;
    an_table table;
    sqlite3_stmt *row;
    size_t at = 0;
    open_run(&f, NULL);
    f.fake.metrics = 1;
    fake_begin(&f.fake, 0);
    for (size_t i = 0; i < MANY; i++) {
        an_record r = fake_record(&f.fake, (int64_t)i + 1);
        r.batch_loss = odd_double(i);
        r.metrics[0].value = odd_double(i + 1);
        r.samples = odd_whole(i);
        f.fake.callback.batch_end(f.fake.callback.user, &r, &f.fake.control);
    }
    fake_end(&f.fake, MANY);
    assert_true(an_store_rows(f.store, 1, false, &table, NULL));
    assert_int_equal(table.rows, MANY);
    sqlite3 *db = open_database();
    assert_int_equal(ask("SELECT count(*) FROM metric_blocks"), (MANY + 1023) / 1024);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT step, samples, batch_loss, momentum, value FROM "
                                        "metrics JOIN extras ON metric = id ORDER BY id",
                                        -1, &row, NULL),
                     SQLITE_OK);
    for (; sqlite3_step(row) == SQLITE_ROW; at++) {
        const double *values = table.values + at * table.columns;
        assert_int_equal(sqlite3_column_int64(row, 0), at + 1);
        assert_true(sqlite3_column_int64(row, 1) == odd_whole(at));
        assert_true(values[3] == (double)odd_whole(at));
        for (int c = 2; c <= 4; c += 2) {
            double expected = odd_double(c == 4 ? at + 1 : at);
            bool none = sqlite3_column_type(row, c) == SQLITE_NULL;
            assert_same(none ? NAN : sqlite3_column_double(row, c), expected);
            assert_same(values[c == 4 ? table.columns - 1 : 7], expected);
        }
        assert_true(sqlite3_column_double(row, 3) == 0.9);
    }
    assert_int_equal(at, MANY);
    assert_string_equal(table.names[3], "samples");
    assert_string_equal(table.names[7], "batch_loss");
    sqlite3_finalize(row);
    sqlite3_close(db);
    an_table_free(&table);
    close_run(&f);
}

/* A block's end, and what stands on its either side. */
static void rows_go_in_by_blocks(void **state)
{
    (void)state;
    static const int64_t counts[] = {1, 2, 1023, 1024, 1025, 2100};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        fixture f;
        an_table table;
        open_run(&f, NULL);
        f.fake.groups = 1 + i % 2;
        fake_begin(&f.fake, 0);
        train_updates(&f, 0, counts[i]);
        fake_end(&f.fake, counts[i]);
        assert_int_equal(f.fake.told, 0);
        assert_true(an_store_rows(f.store, (int64_t)i + 1, false, &table, NULL));
        assert_int_equal(table.rows, counts[i]);
        assert_string_equal(table.names[8], i % 2 ? "lr0" : "lr");
        for (size_t row = 0; row < table.rows; row++) {
            an_record r = fake_record(&f.fake, (int64_t)row + 1);
            const double *values = table.values + row * table.columns;
            assert_true(values[0] == (double)r.step);
            assert_true(values[2] == (double)r.batch);
            assert_true(values[8] == r.lr[0]);
            if (i % 2)
                assert_true(values[10] == r.lr[1]);
        }
        an_table_free(&table);
        close_run(&f);
    }
}

/* ------------------------------------------------------------------ cutting */

/* A checkpoint that stands within a block, by its numbers and, where it has none, by its step. */
static void a_block_is_cut_anywhere(void **state)
{
    (void)state;
    for (int64_t kept = 0; kept <= 30; kept += 5)
        for (int known = 0; known <= 1; known++) {
            fixture f;
            char name[64], sql[256];
            fake_state saved = {.step = kept, .size = known ? 16 : 0};
            saved.bytes[0] = (unsigned char)kept; /* the number of the next row */
            open_run(&f, NULL);
            snprintf(name, sizeof name, "%s", an_store_run_name(f.run));
            f.fake.metrics = 2;
            fake_begin(&f.fake, 0);
            train_updates(&f, 0, 30);
            fake_end(&f.fake, 30);
            close_run(&f);
            open_run(&f, name);
            f.fake.metrics = 2;
            assert_true(fake_load(&f.fake, &saved, NULL));
            const int64_t id = ask("SELECT max(id) FROM runs");
            snprintf(sql, sizeof sql, "SELECT count(*) FROM metrics WHERE run = %d", (int)id);
            assert_int_equal(ask(sql), kept);
            fake_begin(&f.fake, kept);
            train_updates(&f, kept, 40);
            fake_end(&f.fake, 40);
            snprintf(sql, sizeof sql,
                     "SELECT sum(step = id %% 4294967296 + 1) + sum(value = step / 7.0 + place) "
                     "FROM metrics JOIN extras ON metric = id WHERE run = %d",
                     (int)id);
            assert_int_equal(ask(sql), 160);
            close_run(&f);
        }
}

/* -------------------------------------------------------------------- damage */

static void damaged_blocks_are_refused(void **state)
{
    (void)state;
    static const char *const damage[] = {
        "UPDATE metric_blocks SET loss = x'00112233'", "UPDATE metric_blocks SET step = x''",
        "UPDATE metric_blocks SET count = 1000000000", "UPDATE metric_blocks SET count = 1025",
        "UPDATE extra_blocks SET value = x'0011'"};
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        fixture f;
        an_table table;
        an_error err = {0};
        open_run(&f, NULL);
        f.fake.metrics = 1;
        fake_begin(&f.fake, 0);
        train_updates(&f, 0, 20);
        fake_end(&f.fake, 20);
        tell_sql(damage[i]);
        assert_false(an_store_rows(f.store, (int64_t)i + 1, false, &table, &err));
        assert_int_equal(err.code, AN_ERROR_DATA);
        assert_non_null(strstr(err.message, "'runs/anneal.db' is damaged"));
        an_table_free(&table);
        close_run(&f);
    }
}

/* ---------------------------------------------------------------- version 1 */

/* A store as the first version made it: every row for itself. */
static void a_store_of_version_1_goes_on(void **state)
{
    (void)state;
    fixture f;
    an_table table;
    an_stored_runs list;
    an_store_close(an_store_open("runs", true, NULL)); /* the folder, runs, parameters, ... */
    tell_sql(
        "DROP VIEW metrics; DROP VIEW extras; DROP TABLE numbers; DROP TABLE metric_blocks;"
        "DROP TABLE extra_blocks; PRAGMA user_version = 1;"
        "CREATE TABLE metrics(id INTEGER PRIMARY KEY, run INTEGER AS (id >> 32) VIRTUAL, kind TEXT "
        "NOT NULL, time REAL NOT NULL, step INTEGER NOT NULL, epoch INTEGER, batch INTEGER, "
        "samples INTEGER, seconds REAL, epoch_seconds REAL, loss REAL, accuracy REAL, batch_loss "
        "REAL, valid_loss REAL, valid_accuracy REAL, lr REAL, momentum REAL, grad_norm REAL, "
        "samples_per_second REAL, memory INTEGER);"
        "CREATE TABLE extras(metric INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, "
        "value REAL, PRIMARY KEY(metric, place)) WITHOUT ROWID;"
        "INSERT INTO runs(name,status,started,updated,host,pid,version) "
        "VALUES('old','done',1,2,'',0,'');"
        "INSERT INTO metrics(id,kind,time,step,loss) VALUES(4294967296,'step',5,1,0.5),"
        "(4294967297,'step',6,2,0.25),(4294967298,'epoch',7,2,0.375);"
        "INSERT INTO extras VALUES(4294967296,0,'top5',0.75),(4294967298,0,'top5',0.875)");
    open_run(&f, NULL);
    assert_int_equal(ask("PRAGMA user_version"), 2);
    assert_int_equal(ask("SELECT count(*) FROM metrics"), 3);
    assert_int_equal(ask("SELECT sum(value * 8) FROM metrics JOIN extras ON metric = id"), 13);
    assert_true(an_store_rows(f.store, 1, false, &table, NULL));
    assert_int_equal(table.rows, 2);
    assert_string_equal(table.names[table.columns - 1], "top5");
    assert_true(table.values[table.columns - 1] == 0.75);
    assert_true(table.values[table.columns] == 2);
    an_table_free(&table);
    assert_true(an_store_list(f.store, &list, NULL));
    assert_string_equal(list.runs[0].values[list.runs[0].value_count - 1].name, "top5");
    an_stored_runs_free(&list);
    fake_begin(&f.fake, 0);
    train_updates(&f, 0, 20);
    fake_end(&f.fake, 20);
    assert_int_equal(f.fake.told, 0);
    assert_int_equal(ask("SELECT sum(step) FROM metrics WHERE run = 2"), 210);
    close_run(&f);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_number_is_what_it_was),  CASE(rows_go_in_by_blocks),
        CASE(a_block_is_cut_anywhere),      CASE(damaged_blocks_are_refused),
        CASE(a_store_of_version_1_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
