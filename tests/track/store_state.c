/* The run store against odd checkpoints, locks that fail, and runs that change their columns. */
#define _DEFAULT_SOURCE /* syscall */
#include "fake_run.h"

#include <anneal/store.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* Takes the C library's place: what flock answers, 0 what the system does. */
static int lock_failure;

int flock(int fd, int operation)
{
    if (lock_failure == 0)
        return (int)syscall(SYS_flock, fd, operation);
    errno = lock_failure;
    return -1;
}

typedef struct fixture {
    an_store *store;
    an_store_run *run;
    fake_run fake;
} fixture;

static void open_run(fixture *f)
{
    an_error err = {0};
    f->store = an_store_open("runs", true, &err);
    const an_store_run_options options = {.base = "x", .log = {.every = 1}};
    f->run = f->store ? an_store_run_new(f->store, &options, &err) : NULL;
    if (!f->run)
        fail_msg("%s", err.message);
    fake_init(&f->fake, an_store_run_callback(f->run));
}

static void close_run(fixture *f)
{
    an_store_run_free(f->run);
    an_store_close(f->store);
}

static void numbers_of_rows_are_checked(void **state)
{
    (void)state;
    static const uint64_t bad[] = {UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    fixture f;
    open_run(&f);
    fake_begin(&f.fake, 0);
    fake_train(&f.fake, 0, 5);
    fake_state saved, damaged;
    an_error err = {0};
    fake_save(&f.fake, 5, &saved);
    assert_int_equal(saved.size, 16);
    for (size_t place = 0; place < 2; place++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            damaged = saved;
            for (size_t b = 0; b < 8; b++)
                damaged.bytes[8 * place + b] = (unsigned char)(bad[i] >> 8 * b);
            assert_false(fake_load(&f.fake, &damaged, &err));
            assert_int_equal(err.code, AN_ERROR_DATA);
            assert_non_null(strstr(err.message, "damaged"));
        }
    assert_true(fake_load(&f.fake, &saved, &err));
    close_run(&f);
}

/* What was not written yet when the state was taken is not lost with what came after it. */
static void rolling_back_keeps_rows_that_wait(void **state)
{
    (void)state;
    fixture f;
    an_table table;
    open_run(&f);
    fake_begin(&f.fake, 0);
    fake_train(&f.fake, 0, 3);
    an_tell(&f.fake.control, "kept", "before");
    fake_state saved;
    saved.size = f.fake.callback.save_state(f.fake.callback.user, saved.bytes, sizeof saved.bytes);
    saved.step = 3;
    fake_train(&f.fake, 3, 6);
    an_tell(&f.fake.control, "dropped", "after");
    assert_true(fake_load(&f.fake, &saved, NULL));
    fake_train(&f.fake, 3, 5);
    fake_end(&f.fake, 5);
    assert_true(an_store_rows(f.store, 1, false, &table, NULL));
    assert_int_equal(table.rows, 5);
    for (size_t i = 0; i < table.rows; i++)
        assert_true(table.values[i * table.columns] == (double)i + 1);
    an_table_free(&table);
    an_stored_events events;
    assert_true(an_store_events(f.store, 1, &events, NULL));
    assert_int_equal(events.count, 1);
    assert_string_equal(events.events[0].kind, "kept");
    an_stored_events_free(&events);
    close_run(&f);
}

static void a_lock_that_fails_is_no_other_process(void **state)
{
    (void)state;
    fixture f;
    an_error err = {0};
    char name[64];
    open_run(&f);
    snprintf(name, sizeof name, "%s", an_store_run_name(f.run));
    an_store_run_free(f.run);
    lock_failure = ENOLCK;
    assert_null(an_store_run_open(f.store, name, &(an_log_options){.every = 0}, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, strerror(ENOLCK)));
    lock_failure = EWOULDBLOCK;
    assert_null(an_store_run_open(f.store, name, &(an_log_options){.every = 0}, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    lock_failure = 0;
    an_store_close(f.store);
}

static double value_of(const an_table *table, size_t row, const char *name)
{
    for (size_t c = 0; c < table->columns; c++)
        if (strcmp(table->names[c], name) == 0)
            return table->values[row * table->columns + c];
    fail_msg("no column %s", name);
    return NAN;
}

/* A metric is found by its name, wherever it stood in the record of each part. */
static void columns_go_by_name(void **state)
{
    (void)state;
    fixture f;
    an_table table;
    open_run(&f);
    f.fake.metrics = 2; /* top5; valid,top5 */
    fake_begin(&f.fake, 0);
    fake_train(&f.fake, 0, 2);
    f.fake.groups = 2; /* lr1 and momentum1 stand before them */
    fake_begin(&f.fake, 2);
    fake_train(&f.fake, 2, 4);
    fake_end(&f.fake, 4);
    assert_true(an_store_rows(f.store, 1, false, &table, NULL));
    assert_int_equal(table.rows, 4);
    assert_string_equal(table.names[table.columns - 2], "top5");
    assert_string_equal(table.names[table.columns - 1], "valid,top5");
    for (size_t i = 0; i < 4; i++) {
        an_record r = fake_record(&f.fake, (int64_t)i + 1);
        assert_true(value_of(&table, i, "top5") == r.metrics[0].value);
        assert_true(value_of(&table, i, "valid,top5") == r.metrics[1].value);
        assert_true(value_of(&table, i, "lr0") == r.lr[0]);
        double lr1 = value_of(&table, i, "lr1");
        assert_true(i < 2 ? isnan(lr1) : lr1 == r.lr[1]);
    }
    for (size_t c = 0; c < table.columns; c++)
        for (size_t other = 0; other < c; other++)
            assert_string_not_equal(table.names[c], table.names[other]);
    an_table_free(&table);
    close_run(&f);
}

/* ---------------------------------------------------------------- parameters */

static void set_params(fixture *f, const an_named_text *params, size_t count, char *changes,
                       size_t size)
{
    an_error err = {0};
    if (!an_store_run_params(f->run, params, count, changes, size, &err))
        fail_msg("%s", err.message);
}

/* What a run of the store is made of, as "a=1 b=2 ". */
static const char *stored_params(an_store *store, size_t run, char *text, size_t size)
{
    an_stored_runs list;
    assert_true(an_store_list(store, &list, NULL));
    assert_true(run < list.count);
    text[0] = '\0';
    for (size_t i = 0; i < list.runs[run].param_count; i++) {
        const an_named_text *p = &list.runs[run].params[i];
        snprintf(text + strlen(text), size - strlen(text), "%s=%s ", p->name, p->text);
    }
    an_stored_runs_free(&list);
    return text;
}

static void parameters_are_those_of_now(void **state)
{
    (void)state;
    static const an_named_text first[] = {{"size", "16"}, {"clip", "1"}, {"lr", "0.1"}};
    static const an_named_text then[] = {{"lr", "0.1"}, {"size", "32"}, {"new", "x"}};
    char changes[80], text[64];
    fixture f, other;
    open_run(&f);
    open_run(&other);
    set_params(&other, first, 2, changes, sizeof changes);
    set_params(&f, first, 3, changes, sizeof changes);
    assert_string_equal(changes, "");
    assert_string_equal(stored_params(f.store, 0, text, sizeof text), "clip=1 lr=0.1 size=16 ");
    set_params(&f, first, 3, changes, sizeof changes);
    assert_string_equal(changes, "");
    set_params(&f, then, 3, changes, sizeof changes);
    assert_string_equal(changes, "clip 1 -> none; size 16 -> 32; new none -> x");
    assert_string_equal(stored_params(f.store, 0, text, sizeof text), "lr=0.1 new=x size=32 ");
    assert_string_equal(stored_params(f.store, 1, text, sizeof text), "clip=1 size=16 ");
    set_params(&f, NULL, 0, changes, sizeof changes);
    assert_string_equal(changes, "lr 0.1 -> none; new x -> none; size 32 -> none");
    assert_string_equal(stored_params(f.store, 0, text, sizeof text), "");
    close_run(&other);
    close_run(&f);
}

static void changes_end_where_the_room_does(void **state)
{
    (void)state;
    static const an_named_text first[] = {{"a", "1"}, {"b", "1"}};
    static const an_named_text then[] = {{"a", "2"}, {"b", "2"}};
    static const char whole[] = "a 1 -> 2; b 1 -> 2";
    for (size_t size = 1; size <= sizeof whole + 1; size++) {
        char changes[sizeof whole + 2];
        fixture f;
        open_run(&f);
        set_params(&f, first, 2, changes, sizeof changes);
        memset(changes, '#', sizeof changes);
        set_params(&f, then, 2, changes, size);
        size_t fits = size - 1 < strlen(whole) ? size - 1 : strlen(whole);
        assert_int_equal(strlen(changes), fits);
        assert_memory_equal(changes, whole, fits);
        for (size_t i = size; i < sizeof changes; i++)
            assert_int_equal(changes[i], '#');
        close_run(&f);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_of_rows_are_checked),           CASE(rolling_back_keeps_rows_that_wait),
        CASE(a_lock_that_fails_is_no_other_process), CASE(columns_go_by_name),
        CASE(parameters_are_those_of_now),           CASE(changes_end_where_the_room_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
