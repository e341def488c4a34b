/* The sentence about a file that cannot be read or written. */
#include "../base/cmocka_all.h"

#include "file/io_error.h"

#include <errno.h>
#include <string.h>

static void test_sentence(void **state)
{
    (void)state;
    an_error err = {0};
    assert_false(an__io_error("sync the folder of", "a/b", ENOSPC, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_string_equal(err.message, "cannot sync the folder of 'a/b': No space left on device");
    assert_false(an__io_error("read", "c", -1, &err));
    assert_non_null(strstr(err.message, "cannot read 'c': Unknown error"));
    assert_false(an__io_error("read", "c", EIO, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentence)};
    return cmocka_run_group_tests_name("io_error", tests, NULL, NULL);
}
