/* The formatter against the C library's. */
#include "cmocka_all.h"

#include <anneal/base.h>

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Formats with both and compares text and length. */
#define SAME(...)                                                          \
    do {                                                                   \
        char want[256], got[256];                                          \
        int length = snprintf(want, sizeof want, __VA_ARGS__);             \
        assert_int_equal(an_format(got, sizeof got, __VA_ARGS__), length); \
        assert_string_equal(got, want);                                    \
    } while (0)

static void test_strings_and_characters(void **state)
{
    (void)state;
    SAME("plain");
    SAME("%s and %s", "one", "");
    SAME("%.*s|%.3s|%.0s|%.*s", 2, "abc", "abcdef", "x", 99, "short");
    SAME("%c%c 100%%", 'a', 'z');
    const char unterminated[3] = {'a', 'b', 'c'};
    SAME("%.*s", 3, unterminated);
}

static void test_integers(void **state)
{
    (void)state;
    SAME("%d %i %d %d", 0, -1, INT_MAX, INT_MIN);
    SAME("%u %u", 0u, UINT_MAX);
    SAME("%ld %ld %lu", LONG_MIN, LONG_MAX, ULONG_MAX);
    SAME("%lld %lld %llu", LLONG_MIN, LLONG_MAX, ULLONG_MAX);
    SAME("%zu %zu", (size_t)0, SIZE_MAX);
}

static void test_doubles(void **state)
{
    (void)state;
    const double values[] = {0.0,     -0.0,    1.0,      -1.5,     0.1,      1e-3,         1e-4,
                             1e-5,    123456., 999999.5, 1e6,      1234567., 0.05,         100.0,
                             DBL_MAX, DBL_MIN, 5e-324,   INFINITY, 2.5e-5,   0.0009999995, 1e100};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        SAME("%g", values[i]);
        SAME("[%.3g] [%.17g] [%.*g]", values[i], values[i], 1, values[i]);
    }
    SAME("%g", -INFINITY);
    char text[8];
    an_format(text, sizeof text, "%g", (double)-NAN);
    assert_string_equal(text, "nan");
}

static void test_a_small_buffer_is_cut_and_terminated(void **state)
{
    (void)state;
    char text[4] = "zzz";
    assert_int_equal(an_format(text, sizeof text, "%s", "abcdef"), 6);
    assert_string_equal(text, "abc");
    assert_int_equal(an_format(text, sizeof text, "%d", 123), 3);
    assert_string_equal(text, "123");
    assert_int_equal(an_format(text, 1, "%d", 123), 3);
    assert_string_equal(text, "");
    assert_int_equal(an_format(NULL, 0, "%d", 12345), 5);
}

static void test_an_unknown_conversion_shows(void **state)
{
    (void)state;
    char text[64];
    const char *format = "a %d b %x c %d"; /* not a literal, so that the compiler lets it pass */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    an_format(text, sizeof text, format, 1, 2, 3);
    assert_string_equal(text, "a 1 b %x c %d");
    format = "end %";
    an_format(text, sizeof text, format, 1);
    assert_string_equal(text, "end %");
#pragma GCC diagnostic pop
}

static void test_null_is_a_text(void **state)
{
    (void)state;
    char text[64];
    const char *volatile nothing = NULL;
    an_format(text, sizeof text, "<%s>", nothing);
    assert_string_equal(text, "<(null)>");
}

static void test_code_points_as_utf8(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        const char *bytes;
    } cases[] = {{0x24, "$"},
                 {0x7f, "\x7f"},
                 {0x80, "\xc2\x80"},
                 {0x7ff, "\xdf\xbf"},
                 {0x800, "\xe0\xa0\x80"},
                 {0x20ac, "\xe2\x82\xac"},
                 {0xffff, "\xef\xbf\xbf"},
                 {0x10000, "\xf0\x90\x80\x80"},
                 {0x10ffff, "\xf4\x8f\xbf\xbf"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[5] = "";
        assert_int_equal(an_utf8_put(out, cases[i].code), strlen(cases[i].bytes));
        assert_string_equal(out, cases[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_and_characters),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_a_small_buffer_is_cut_and_terminated),
        cmocka_unit_test(test_an_unknown_conversion_shows),
        cmocka_unit_test(test_null_is_a_text),
        cmocka_unit_test(test_code_points_as_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
