/* What is read from: regular files, and nothing that would hold the process up. */
#include "../base/cmocka_all.h"

#include "file/regular.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each refusal comes at once: a test that hangs here is one that fails. */
static void what_is_no_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/anneal-regular-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"pipe", "cannot read the table 'pipe': it is a pipe; name a file"},
        {".", "cannot read the table '.': it is a folder; name a file"},
        {"/dev/zero", "cannot read the table '/dev/zero': it is a device; name a file"},
        {"none", "cannot read the table 'none': No such file or directory"},
        {"", "cannot read the table '': No such file or directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        assert_null(an__regular_open("read the table", cases[i].path, NULL, &err));
        assert_int_equal(err.code, AN_ERROR_IO);
        assert_string_equal(err.message, cases[i].message);
        assert_null(an__regular_open("read", cases[i].path, NULL, NULL));
    }
    assert_int_equal(unlink("pipe"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_file_and_its_size(void **state)
{
    (void)state;
    char path[] = "/tmp/anneal-regular-XXXXXX", text[8] = "";
    const int descriptor = mkstemp(path);
    assert_int_equal(write(descriptor, "seven b", 7), 7);
    close(descriptor);
    uint64_t size = 0;
    FILE *file = an__regular_open("read", path, &size, NULL);
    assert_non_null(file);
    assert_int_equal(size, 7);
    assert_int_equal(fread(text, 1, sizeof text, file), 7);
    assert_memory_equal(text, "seven b", 7);
    fclose(file);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_no_file),
                                       cmocka_unit_test(a_file_and_its_size)};
    return cmocka_run_group_tests_name("regular", tests, NULL, NULL);
}
