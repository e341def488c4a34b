/*
 * Files that are there whole or not at all: links, permissions, what is refused, long names, and
 * that nothing is left behind. (tests/nn/safetensors.c has full disks.)
 */
#include "file/durable.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/cmocka_all.h"

static char folder[] = "/tmp/anneal-durable-XXXXXX";

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

static bool put(const char *path, const char *text, an_error *err)
{
    an_durable file;
    if (!an__durable_open(&file, path, err)) {
        return false;
    }
    an__durable_write(&file, text, strlen(text));
    return an__durable_finish(&file, err);
}

static void must_put(const char *path, const char *text)
{
    an_error err = {0};
    if (!an__durable_try(path, &err) || !put(path, text, &err)) {
        fail_msg("%s", err.message);
    }
}

/* Neither a trial nor the real thing may write there; the sentence holds `part`. */
static void refuse(const char *path, const char *part)
{
    an_error err = {0}, tried = {0};
    assert_false(put(path, "new", &err));
    assert_false(an__durable_try(path, &tried));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_string_equal(err.message, tried.message);
    if (!strstr(err.message, part) || !strstr(err.message, "cannot write")) {
        fail_msg("no '%s' in: %s", part, err.message);
    }
    assert_false(put(path, "new", NULL));
}

static void expect_text(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    (void)!fread(got, 1, sizeof got - 1, file);
    fclose(file);
    assert_string_equal(got, text);
}

static mode_t mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode;
}

static int files_in(const char *path)
{
    DIR *dir = opendir(path);
    int count = -2; /* . and .. */
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* -------------------------------------------------------------------- links */

static void a_link_stays_and_its_target_is_written(void **state)
{
    (void)state;
    assert_int_equal(mkdir("far", 0700), 0);
    must_put("far/w", "old");
    assert_int_equal(symlink("far/w", "first"), 0);
    assert_int_equal(symlink("first", "second"), 0);
    must_put("second", "new");
    expect_text("far/w", "new");
    assert_true(S_ISLNK(mode_of("first")) && S_ISLNK(mode_of("second")));
    assert_true(S_ISREG(mode_of("far/w")));
    assert_int_equal(files_in("far"), 1);
    assert_int_equal(files_in("."), 3);
}

static void links_are_relative_to_their_folder_or_absolute(void **state)
{
    (void)state;
    char target[128];
    assert_int_equal(mkdir("a", 0700) | mkdir("b", 0700), 0);
    assert_int_equal(symlink("../b/w", "a/relative"), 0);
    snprintf(target, sizeof target, "%s/b/v", folder);
    assert_int_equal(symlink(target, "a/absolute"), 0);
    assert_int_equal(symlink("b", "folder"), 0);
    must_put("a/relative", "w");
    must_put("a/absolute", "v");
    must_put("folder/u", "u");
    expect_text("b/w", "w");
    expect_text("b/v", "v");
    expect_text("b/u", "u");
    assert_true(S_ISLNK(mode_of("a/relative")) && S_ISLNK(mode_of("a/absolute")));
    assert_int_equal(files_in("a"), 2);
}

static void a_link_to_nothing_makes_its_target(void **state)
{
    (void)state;
    assert_int_equal(symlink("none", "link"), 0);
    assert_int_equal(symlink("no-folder/w", "far"), 0);
    must_put("link", "new");
    assert_true(S_ISREG(mode_of("none")));
    expect_text("link", "new");
    refuse("far", "No such file");
}

static void links_in_a_circle_are_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink("b", "a"), 0);
    assert_int_equal(symlink("a", "b"), 0);
    refuse("a", "symbolic links");
    assert_int_equal(files_in("."), 2);
}

/* ------------------------------------------------------------ what is no file */

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(symlink("pipe", "link"), 0);
    assert_int_equal(symlink("/dev/null", "null"), 0);
    refuse("pipe", "'pipe': it is a pipe");
    refuse("link", "'link': it is a pipe");
    refuse("/dev/null", "it is a device");
    refuse("null", "it is a device");
    refuse("socket", "it is a socket");
    refuse(".", "it is a folder");
    refuse("pipe/x", "Not a directory");
    refuse("", "without a name");
    assert_true(S_ISFIFO(mode_of("pipe")) && S_ISLNK(mode_of("null")));
    assert_int_equal(files_in("."), 4);
    close(s);
}

static void a_deleted_file_has_no_name(void **state)
{
    (void)state;
    char path[64];
    int d = open("gone", O_RDWR | O_CREAT, 0600);
    unlink("gone");
    snprintf(path, sizeof path, "/proc/self/fd/%d", d);
    if (access(path, F_OK) != 0) {
        close(d);
        skip();
    }
    refuse(path, "no name");
    close(d);
    assert_int_equal(files_in("."), 0);
}

/* -------------------------------------------------------------- permissions */

static void permissions_are_kept(void **state)
{
    (void)state;
    static const mode_t modes[] = {0600, 0644, 0660, 0666};
    mode_t old = umask(027);
    must_put("w", "first");
    assert_int_equal(mode_of("w") & 07777, 0640);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod("w", modes[i]), 0);
        must_put("w", "new");
        assert_int_equal(mode_of("w") & 07777, modes[i]);
    }
    umask(old);
}

static void root_leaves_the_owner(void **state)
{
    (void)state;
    struct stat info;
    must_put("w", "old");
    if (geteuid() != 0 || chown("w", 12345, 54321) != 0) {
        skip();
    }
    must_put("w", "new");
    assert_int_equal(stat("w", &info), 0);
    assert_int_equal(info.st_uid, 12345);
    assert_int_equal(info.st_gid, 54321);
}

static void a_file_that_may_not_be_written_is_refused(void **state)
{
    (void)state;
    must_put("w", "old");
    assert_int_equal(chmod("w", 0444), 0);
    if (access("w", W_OK) == 0) {
        skip(); /* root may */
    }
    refuse("w", "Permission denied");
    expect_text("w", "old");
}

static void a_folder_that_may_not_be_written_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("closed", 0500), 0);
    if (access("closed", W_OK) == 0) {
        skip(); /* root may */
    }
    refuse("closed/w", "folder of 'closed/w': Permission denied");
}

/* --------------------------------------------------------- names and trials */

static void names_up_to_the_limit_work(void **state)
{
    (void)state;
    char name[258];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    must_put(name, "long");
    expect_text(name, "long");
    name[255] = 'n';
    name[256] = '\0';
    refuse(name, "too long");
    assert_int_equal(files_in("."), 1);
}

static void a_trial_leaves_everything_as_it_was(void **state)
{
    (void)state;
    assert_true(an__durable_try("w", NULL));
    assert_int_equal(files_in("."), 0);
    must_put("w", "old");
    struct stat before, after;
    stat("w", &before);
    assert_true(an__durable_try("w", NULL));
    stat("w", &after);
    assert_int_equal(before.st_ino, after.st_ino);
    expect_text("w", "old");
    assert_int_equal(files_in("."), 1);
}

/* A limit on file sizes stands in for a full disk, which still makes empty files. */
static void a_trial_finds_a_full_disk(void **state)
{
    (void)state;
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    small = old;
    small.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    an_error err = {0};
    bool possible = an__durable_try("w", &err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    assert_false(possible);
    assert_non_null(strstr(err.message, "'w': File too large"));
    assert_int_equal(files_in("."), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_link_stays_and_its_target_is_written),
        TEST(links_are_relative_to_their_folder_or_absolute),
        TEST(a_link_to_nothing_makes_its_target),
        TEST(links_in_a_circle_are_refused),
        TEST(what_is_no_regular_file_is_refused),
        TEST(a_deleted_file_has_no_name),
        TEST(permissions_are_kept),
        TEST(root_leaves_the_owner),
        TEST(a_file_that_may_not_be_written_is_refused),
        TEST(a_folder_that_may_not_be_written_is_refused),
        TEST(names_up_to_the_limit_work),
        TEST(a_trial_leaves_everything_as_it_was),
        TEST(a_trial_finds_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
