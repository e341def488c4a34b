/* Numbers as people read them. */
#include <anneal/term.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct row {
    double value;
    const char *text;
} row;

static void check(size_t (*print)(char *, size_t, double), const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[64];
        size_t length = print(text, sizeof text, rows[i].value);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(length, strlen(rows[i].text));
    }
}

#define CHECK(print, rows) check(print, rows, sizeof(rows) / sizeof *(rows))

static void number(void **state)
{
    static const row rows[] = {
        {0.0712, "0.0712"},
        {0.07, "0.0700"},
        {2.302585, "2.30"},
        {1, "1.00"},
        {-0.5, "-0.500"},
        {0, "0"},
        {-0.0, "0"},
        {12.34, "12.3"},
        {99.96, "100"},
        {9.996, "10.0"},
        {0.99951, "1.00"},
        {123.4, "123"},
        {999.6, "1000"},
        {1234, "1234"},
        {1e-4, "0.000100"},
        {1e-5, "1.00e-05"},
        {-2.346e-7, "-2.35e-07"},
        {9.999e-5, "0.000100"},
        {1e9, "1.00e+09"},
        {1.5e300, "1.50e+300"},
        {1e-320, "1.00e-320"},
        {5e-324, "4.94e-324"},
        {NAN, "nan"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {1e22, "1.00e+22"},
        {123456789, "123456789"},
        {1.7976931348623157e308, "1.80e+308"},
    };
    (void)state;
    CHECK(an_term_number, rows);
}

static void percent(void **state)
{
    static const row rows[] = {
        {0.979, "97.9 %"}, {1, "100.0 %"}, {0, "0.0 %"},      {0.12345, "12.3 %"},
        {-0.5, "-50.0 %"}, {NAN, "nan"},   {INFINITY, "inf"}, {0.9996, "100.0 %"},
    };
    (void)state;
    CHECK(an_term_percent, rows);
}

static void rate(void **state)
{
    static const row rows[] = {
        {412345, "412k"},  {1.2e6, "1.2M"}, {0, "0"},       {7.25, "7.3"},    {42.4, "42"},
        {999.4, "999"},    {999.6, "1.0k"}, {9949, "9.9k"}, {9951, "10k"},    {999499, "999k"},
        {999500, "1.0M"},  {3.4e9, "3.4G"}, {5e12, "5.0T"}, {-2500, "-2.5k"}, {NAN, "nan"},
        {INFINITY, "inf"}, {9.96, "10"},    {1e300, "inf"},
    };
    (void)state;
    CHECK(an_term_rate, rows);
}

static void duration(void **state)
{
    static const row rows[] = {
        {1.234, "1.2 s"},      {75, "1 min 15 s"},  {4000, "1 h 7 min"},
        {0, "0.0 s"},          {0.0123, "12 ms"},   {0.0994, "99 ms"},
        {0.0996, "0.1 s"},     {9.94, "9.9 s"},     {9.96, "10 s"},
        {59.4, "59 s"},        {59.6, "1 min 0 s"}, {3599.4, "59 min 59 s"},
        {3599.6, "1 h 0 min"}, {172799, "2 d 0 h"}, {100000, "27 h 47 min"},
        {300000, "3 d 11 h"},  {-1, "?"},           {NAN, "?"},
        {INFINITY, "?"},       {1e300, "?"},
    };
    (void)state;
    CHECK(an_term_duration, rows);
}

static void count(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {999, "999"},
        {1000, "1,000"},
        {60000, "60,000"},
        {-1234567, "-1,234,567"},
        {-999, "-999"},
        {INT64_MAX, "9,223,372,036,854,775,807"},
        {INT64_MIN, "-9,223,372,036,854,775,808"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        assert_int_equal(an_term_count(text, sizeof text, rows[i].value), strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
    }
}

static void small_buffers_hold_the_beginning(void **state)
{
    (void)state;
    char text[8] = "xxxxxxx";
    assert_int_equal(an_term_count(text, 4, 60000), 6);
    assert_string_equal(text, "60,");
    assert_int_equal(text[4], 'x');
    assert_int_equal(an_term_number(NULL, 0, 0.0712), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number), cmocka_unit_test(percent),
        cmocka_unit_test(rate),   cmocka_unit_test(duration),
        cmocka_unit_test(count),  cmocka_unit_test(small_buffers_hold_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
