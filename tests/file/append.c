/* Files that grow by rows: all of them or none, also when there is no room or no file any more. */
#include "file/append.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cmocka_all.h"

static char folder[] = "/tmp/anneal-append-XXXXXX";

/* Each test begins in an empty folder. */
static int set_up(void **state)
{
    (void)state;
    memset(folder + strlen(folder) - 6, 'X', 6);
    assert_non_null(mkdtemp(folder));
    return chdir(folder);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(chdir("/"), 0);
    return system(command); /* NOLINT(cert-env33-c): the text is ours */
}

static void add(an_append *file, const char *text)
{
    assert_true(an__append_add(file, text, strlen(text)));
}

static void holds(const char *path, const char *expected)
{
    char text[256] = "";
    int descriptor = open(path, O_RDONLY);
    assert_true(descriptor >= 0);
    ssize_t got = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    assert_true(got >= 0);
    assert_string_equal(text, expected);
}

static void rows_are_written_by_a_flush(void **state)
{
    (void)state;
    an_append file = {0};
    an_error err = {0};
    assert_true(an__append_open(&file, "log", &err));
    add(&file, "one\n");
    add(&file, "two\n");
    holds("log", "");
    assert_true(an__append_flush(&file, &err));
    assert_true(an__append_flush(&file, &err));
    holds("log", "one\ntwo\n");
    assert_int_equal(file.size, 8);
    add(&file, "three\n");
    an__append_close(&file);
    holds("log", "one\ntwo\n");
}

static void what_is_there_stays(void **state)
{
    (void)state;
    an_append file = {0};
    an_error err = {0};
    assert_true(an__append_open(&file, "log", &err));
    add(&file, "one\n");
    assert_true(an__append_sync(&file, &err));
    an__append_close(&file);
    assert_true(an__append_open(&file, "log", &err));
    assert_int_equal(file.size, 4);
    add(&file, "two\n");
    assert_true(an__append_flush(&file, &err));
    char text[8] = "";
    assert_int_equal(an__append_read(&file, 2, text, 4, &err), 4);
    assert_string_equal(text, "e\ntw");
    assert_int_equal(an__append_read(&file, 6, text, 7, &err), 2);
    assert_int_equal(an__append_read(&file, 100, text, 7, &err), 0);
    an__append_close(&file);
    holds("log", "one\ntwo\n");
}

static void rows_may_come_before_the_file(void **state)
{
    (void)state;
    an_append file = {.name = "log"};
    an_error err = {0};
    add(&file, "one\n");
    assert_false(an__append_flush(&file, &err));
    assert_non_null(strstr(err.message, "'log'"));
    assert_true(an__append_open(&file, "log", &err));
    assert_true(an__append_flush(&file, &err));
    an__append_close(&file);
    holds("log", "one\n");
}

static void a_cut_leaves_what_waits(void **state)
{
    (void)state;
    an_append file = {0};
    an_error err = {0};
    assert_true(an__append_open(&file, "log", &err));
    add(&file, "one\ntwo\n");
    assert_true(an__append_flush(&file, &err));
    add(&file, "three\n");
    assert_true(an__append_cut(&file, 100, &err));
    an__append_forget(&file);
    assert_true(an__append_flush(&file, &err));
    holds("log", "one\ntwo\n");
    add(&file, "2\n");
    assert_true(an__append_cut(&file, 4, &err));
    assert_true(an__append_flush(&file, &err));
    holds("log", "one\n2\n");
    an__append_close(&file);
}

static void a_beginning_comes_before_what_waits(void **state)
{
    (void)state;
    an_append file = {.name = "log"};
    an_error err = {0};
    add(&file, "one\n");
    assert_false(an__append_write(&file, "head\n", 5, &err));
    assert_true(an__append_open(&file, "log", &err));
    assert_true(an__append_write(&file, "head\n", 5, &err));
    holds("log", "head\n");
    assert_true(an__append_flush(&file, &err));
    holds("log", "head\none\n");
    an__append_close(&file);
}

/* A limit on file sizes cuts a write short in the middle of a row. */
static void a_full_disk_leaves_whole_rows(void **state)
{
    (void)state;
    an_append file = {0};
    an_error err = {0};
    struct rlimit before, tight;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(an__append_open(&file, "log", &err));
    add(&file, "one\n");
    assert_true(an__append_flush(&file, &err));
    tight = before;
    tight.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    add(&file, "two\nthree\nfour\n");
    bool first = an__append_flush(&file, &err);
    add(&file, "five\n");
    bool second = an__append_flush(&file, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(first || second);
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "cannot write 'log': File too large"));
    holds("log", "one\n");
    assert_true(an__append_flush(&file, &err));
    holds("log", "one\ntwo\nthree\nfour\nfive\n");
    an__append_close(&file);
}

static void a_deleted_file_is_noticed(void **state)
{
    (void)state;
    an_append file = {0};
    an_error err = {0};
    assert_true(an__append_open(&file, "log", &err));
    assert_int_equal(unlink("log"), 0);
    assert_true(an__append_flush(&file, &err)); /* nothing waits */
    add(&file, "one\n");
    assert_false(an__append_flush(&file, &err));
    assert_non_null(strstr(err.message, "has been deleted"));
    an__append_close(&file);
}

static void only_regular_files(void **state)
{
    (void)state;
    an_append file = {0};
    an_error err = {0};
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_false(an__append_open(&file, "pipe", &err));
    assert_non_null(strstr(err.message, "'pipe'"));
    assert_false(an__append_open(&file, "/dev/full", &err));
    assert_false(an__append_open(&file, ".", &err));
    assert_false(an__append_open(&file, "no/such/folder", &err));
    assert_non_null(strstr(err.message, "No such file"));
    assert_false(file.open);
    an__append_close(&file);
}

static void too_much_does_not_wait(void **state)
{
    (void)state;
    an_append file = {.name = "log"};
    static const char block[65536];
    size_t added = 0;
    while (an__append_add(&file, block, sizeof block)) {
        added += sizeof block;
    }
    assert_int_equal(added, AN_APPEND_MOST);
    assert_null(an__append_room(&file, 1));
    assert_non_null(an__append_room(&file, 0));
    an__append_close(&file);
    assert_int_equal(file.used, 0);
    assert_null(an__append_room(&file, SIZE_MAX));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_are_written_by_a_flush),
        CASE(what_is_there_stays),
        CASE(rows_may_come_before_the_file),
        CASE(a_cut_leaves_what_waits),
        CASE(a_beginning_comes_before_what_waits),
        CASE(a_full_disk_leaves_whole_rows),
        CASE(a_deleted_file_is_noticed),
        CASE(only_regular_files),
        CASE(too_much_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
