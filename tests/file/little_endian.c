/* Numbers of fixed size, there and back. */
#include "file/little_endian.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_lowest_byte_comes_first(void **state)
{
    (void)state;
    static const unsigned char four[] = {0x78, 0x56, 0x34, 0x92};
    static const unsigned char eight[] = {0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x81};
    unsigned char bytes[8];
    an__put_32(bytes, 0x92345678u);
    assert_memory_equal(bytes, four, sizeof four);
    assert_true(an__get_32(four) == 0x92345678u);
    an__put_64(bytes, 0x8123456789abcdefu);
    assert_memory_equal(bytes, eight, sizeof eight);
    assert_true(an__get_64(eight) == 0x8123456789abcdefu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_lowest_byte_comes_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
