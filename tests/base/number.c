/* Numbers to and from text, with the C library's correctly rounding functions as the oracle. */
#include "cmocka_all.h"

#include <anneal/base.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_bits(double a, double b)
{
    uint64_t a_bits, b_bits;
    memcpy(&a_bits, &a, sizeof a_bits);
    memcpy(&b_bits, &b, sizeof b_bits);
    return a_bits == b_bits;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Reads `text` as a whole and compares with strtod. */
static void assert_reads_as_strtod(const char *text)
{
    double got = 7.0, want = strtod(text, NULL);
    size_t took = an_number_parse(text, strlen(text), &got);
    if (took != strlen(text) || !same_bits(got, want))
        fail_msg("%s: %zu bytes, %a instead of %a", text, took, got, want);
}

/* Prints `value` both ways and reads it back. */
static void assert_prints_and_reads(double value)
{
    char got[64], want[64];
    snprintf(want, sizeof want, "%.17g", value);
    assert_int_equal(an_number_print(got, sizeof got, value), strlen(want));
    assert_string_equal(got, want);
    assert_reads_as_strtod(got);
    an_number_print_short(got, sizeof got, value);
    assert_true(strlen(got) <= strlen(want) || strchr(got, 'e') != NULL);
    double back = 0.0;
    assert_int_equal(an_number_parse(got, strlen(got), &back), strlen(got));
    assert_true(same_bits(back, value));
}

static void test_any_double_prints_and_reads(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 1000; i++) {
        double any = from_bits(next_random(&random));
        if (isfinite(any))
            assert_prints_and_reads(any);
        double usual = (double)(next_random(&random) >> 40) / 1000.0;
        assert_prints_and_reads(usual);
        double subnormal = from_bits(next_random(&random) >> (12 + i % 40));
        assert_prints_and_reads(subnormal);
    }
}

/* Where the short cut begins and ends, powers of ten and of two, and what rounds up to them. */
static void test_seventeen_digits(void **state)
{
    (void)state;
    for (int power = -14; power <= 19; power++) {
        double ten = strtod((char[]){'1', 'e', power < 0 ? '-' : '+', (char)('0' + abs(power) / 10),
                                     (char)('0' + abs(power) % 10), 0},
                            NULL);
        double value = ten;
        for (int i = 0; i < 40; i++, value = nextafter(value, INFINITY))
            assert_prints_and_reads(value);
        value = ten;
        for (int i = 0; i < 40; i++, value = nextafter(value, 0))
            assert_prints_and_reads(-value);
    }
    for (int power = -45; power <= 62; power++) {
        assert_prints_and_reads(ldexp(1, power));
        assert_prints_and_reads(nextafter(ldexp(1, power), 0));
    }
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 20000; i++)
        assert_prints_and_reads(ldexp((double)(next_random(&random) >> 11), i % 110 - 100));
}

static void test_any_digits_read(void **state)
{
    (void)state;
    uint64_t random = 1234567;
    char text[64];
    for (int i = 0; i < 2000; i++) {
        long long digits = (long long)(next_random(&random) >> (next_random(&random) % 60));
        int exponent = (int)(next_random(&random) % 700) - 350;
        snprintf(text, sizeof text, "%llde%d", digits, exponent);
        assert_reads_as_strtod(text);
        snprintf(text, sizeof text, "0.%03llde%d", digits < 0 ? 0 : digits, exponent / 20);
        assert_reads_as_strtod(text);
    }
}

/* Half way between two doubles the even one wins; a hair more, however far down, and it is the
 * upper. */
static void test_ties(void **state)
{
    (void)state;
    uint64_t random = 99;
    char text[1200];
    for (int i = 0; i < 200; i++) {
        uint64_t bits = next_random(&random) >> 1;
        if (i % 4 == 0)
            bits >>= 11; /* subnormal and small */
        if (!isfinite(from_bits(bits + 1)))
            continue;
        /* The tie as mantissa * 2^exponent in long double, which prints exactly. */
        long double tie = ((long double)from_bits(bits) + (long double)from_bits(bits + 1)) / 2;
        int length = snprintf(text, sizeof text, "%.1000Lg", tie);
        if (sizeof tie == sizeof(double) || strchr(text, 'e') == NULL)
            continue;
        assert_true(length < 1100);
        assert_reads_as_strtod(text);
        char *exponent = strchr(text, 'e'), tail[16], longer[1400];
        memcpy(tail, exponent, strlen(exponent) + 1);
        *exponent = '\0';
        if (strchr(text, '.') == NULL)
            continue;
        snprintf(longer, sizeof longer, "%s%0100d1%s", text, 0, tail);
        assert_reads_as_strtod(longer);
    }
    assert_reads_as_strtod("9007199254740993");
    assert_reads_as_strtod("9007199254740995");
    assert_reads_as_strtod("2.2250738585072011e-308");
    assert_reads_as_strtod("2.2250738585072014e-308");
    assert_reads_as_strtod("4.9406564584124654e-324");
    assert_reads_as_strtod("2.4703282292062327e-324");
    assert_reads_as_strtod("2.4703282292062328e-324");
    assert_reads_as_strtod("1.7976931348623158e308");
    assert_reads_as_strtod("1.7976931348623159e308");
    assert_reads_as_strtod("179769313486231580793e289");
}

/* More digits than are kept: the lost ones still break the tie. */
static void test_thousands_of_digits(void **state)
{
    (void)state;
    char text[3000];
    size_t length = (size_t)snprintf(text, sizeof text, "9007199254740993.");
    memset(text + length, '0', 2000);
    memcpy(text + length + 2000, "1", sizeof "1");
    assert_reads_as_strtod(text);
    text[length + 2000] = '0';
    assert_reads_as_strtod(text);
    memset(text, '0', 2500);
    memcpy(text + 2500, "12", sizeof "12");
    assert_reads_as_strtod(text);
    text[1] = '.';
    memcpy(text + 2500, "12e2500", sizeof "12e2500");
    assert_reads_as_strtod(text);
    memset(text, '9', 2900);
    memcpy(text + 2900, "e-2890", sizeof "e-2890");
    assert_reads_as_strtod(text);
}

/* Text, bytes taken, value. */
static void test_what_is_a_number(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t took;
        double value;
    } cases[] = {
        {"1e-3", 4, 1e-3},
        {"-0.5", 4, -0.5},
        {"30_000", 6, 30000},
        {".5", 2, 0.5},
        {"5.", 2, 5},
        {"+7", 2, 7},
        {"1E5", 3, 1e5},
        {"1e+05", 5, 1e5},
        {"5ep", 1, 5},
        {"2e9tok", 3, 2e9},
        {"1e", 1, 1},
        {"1e-", 1, 1},
        {"1e-x", 1, 1},
        {"1__0", 1, 1},
        {"1_", 1, 1},
        {"1_000.000_5", 11, 1000.0005},
        {"1e999", 5, INFINITY},
        {"-1e999", 6, -INFINITY},
        {"1e-999", 6, 0},
        {"0e999999999999999999999", 23, 0},
        {"1e-99999999999999999999", 23, 0},
        {"1e99999999999999999999", 22, INFINITY},
        {"inf", 3, INFINITY},
        {"-inf", 4, -INFINITY},
        {"Infinity", 8, INFINITY},
        {"1.2.3", 3, 1.2},
        {"0x10", 1, 0},
        {"1 2", 1, 1},
        {"007", 3, 7},
        {"", 0, 0},
        {"-", 0, 0},
        {".", 0, 0},
        {"_1", 0, 0},
        {"e5", 0, 0},
        {"inform", 0, 0},
        {"nano", 0, 0},
        {"--1", 0, 0},
        {" 1", 0, 0},
        {"+-1", 0, 0},
        {"-.e1", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 0.0;
        size_t took = an_number_parse(cases[i].text, strlen(cases[i].text), &value);
        if (took != cases[i].took || value != cases[i].value)
            fail_msg("\"%s\": %zu bytes, %g", cases[i].text, took, value);
    }
    double value = 0.0;
    assert_int_equal(an_number_parse("nan", 3, &value), 3);
    assert_true(isnan(value));
    assert_int_equal(an_number_parse("-0", 2, &value), 2);
    assert_true(same_bits(value, -0.0));
    assert_int_equal(an_number_parse("123456", 3, &value), 3); /* no byte past the length */
    assert_true(value == 123.0);
    assert_int_equal(an_number_parse("info", 3, &value), 3);
}

static void test_short_text(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.1, "0.1"},
        {1e-5, "1e-05"},
        {3.0, "3"},
        {9380.0, "9380"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {-0.0, "-0"},
        {0.0, "0"},
        {1.0 / 3, "0.3333333333333333"},
        {0.0001, "0.0001"},
        {123456.789, "123456.789"},
        {5e-324, "5e-324"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {(double)NAN, "nan"},
        {100.0, "100"},
        {0.30000000000000004, "0.30000000000000004"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(an_number_print_short(text, sizeof text, cases[i].value),
                         strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
    assert_int_equal(an_number_print(text, 4, 0.1), strlen("0.10000000000000001"));
    assert_string_equal(text, "0.1");
}

/* Makes a German locale in a folder of its own and turns it on; false where that cannot be done. */
static bool enter_german_locale(char *folder)
{
    char command[256];
    if (!mkdtemp(folder))
        return false;
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 2>/dev/null",
             folder);
    if (system(command) != 0 || setenv("LOCPATH", folder, 1) != 0)
        return false;
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

static void leave_german_locale(const char *folder)
{
    char command[256];
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void test_a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    char folder[] = "/tmp/anneal-locale-XXXXXX";
    if (!enter_german_locale(folder)) {
        leave_german_locale(folder);
        print_message("de_DE.UTF-8 cannot be made here (package locales): skipped\n");
        skip();
    }
    char text[64], libc[64];
    double value = 0.0;
    snprintf(libc, sizeof libc, "%g", 0.5);
    an_number_print(text, sizeof text, 0.5);
    size_t took = an_number_parse("0.25,0", 6, &value);
    leave_german_locale(folder);
    assert_string_equal(libc, "0,5"); /* the locale was really on */
    assert_string_equal(text, "0.5");
    assert_int_equal(took, 4);
    assert_true(value == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_double_prints_and_reads),
        cmocka_unit_test(test_seventeen_digits),
        cmocka_unit_test(test_any_digits_read),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_thousands_of_digits),
        cmocka_unit_test(test_what_is_a_number),
        cmocka_unit_test(test_short_text),
        cmocka_unit_test(test_a_decimal_comma_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
