/* Bars, sparklines and the width of UTF-8 text. */
#include <anneal/term.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void bar_is_drawn_to_half_a_cell(void **state)
{
    static const struct {
        double fraction;
        const char *unicode, *ascii;
    } rows[] = {
        {0.0, "    ", "    "},       {0.124, "    ", "    "}, {0.125, "╸   ", "-   "},
        {0.25, "━   ", "=   "},      {0.6, "━━  ", "==  "},   {0.625, "━━╸ ", "==- "},
        {0.99, "━━━╸", "===-"},      {1.0, "━━━━", "===="},   {7.0, "━━━━", "===="},
        {-3.0, "    ", "    "},      {NAN, "    ", "    "},   {INFINITY, "━━━━", "===="},
        {-INFINITY, "    ", "    "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[64];
        assert_int_equal(an_term_bar(text, sizeof text, 4, rows[i].fraction, true),
                         strlen(rows[i].unicode));
        assert_string_equal(text, rows[i].unicode);
        assert_int_equal(an_term_bar(text, sizeof text, 4, rows[i].fraction, false), 4);
        assert_string_equal(text, rows[i].ascii);
    }
}

static void bar_of_no_columns_is_empty(void **state)
{
    (void)state;
    char text[8] = "xxxxxxx";
    assert_int_equal(an_term_bar(text, sizeof text, 0, 0.5, true), 0);
    assert_string_equal(text, "");
    assert_int_equal(an_term_bar(text, sizeof text, -5, 0.5, true), 0);
    assert_string_equal(text, "");
}

/* Three bytes a cell: what does not fit is left out whole, never cut inside a character. */
static void small_buffers_are_not_overrun(void **state)
{
    (void)state;
    for (size_t size = 0; size < 16; size++) {
        char text[32];
        memset(text, 'x', sizeof text);
        assert_int_equal(an_term_bar(text, size, 4, 1, true), 12);
        assert_int_equal(text[size], 'x');
        if (size > 0)
            assert_int_equal(strlen(text), (size - 1 > 12 ? 12 : size - 1) / 3 * 3);
    }
    assert_int_equal(an_term_bar(NULL, 0, 4, 1, true), 12);
}

static void sparkline_spans_least_to_greatest(void **state)
{
    static const double ramp[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    (void)state;
    char text[64];
    an_term_sparkline(text, sizeof text, ramp, 8, 8, true);
    assert_string_equal(text, "▁▂▃▄▅▆▇█");
    an_term_sparkline(text, sizeof text, ramp, 8, 8, false);
    assert_string_equal(text, "_.-:=+*#");
    an_term_sparkline(text, sizeof text, ramp, 8, 2, true);
    assert_string_equal(text, "▁█");
    an_term_sparkline(text, sizeof text, ramp, 2, 5, true);
    assert_string_equal(text, "▁▁███");
    an_term_sparkline(text, sizeof text, ramp, 8, 1, true);
    assert_string_equal(text, "█");
}

static void sparkline_of_odd_values(void **state)
{
    static const double constant[3] = {2, 2, 2};
    static const double gaps[5] = {NAN, 0, INFINITY, -INFINITY, 1};
    static const double none[2] = {NAN, NAN};
    static const double wide[3] = {-1.7e308, 0, 1.7e308};
    (void)state;
    char text[64];
    an_term_sparkline(text, sizeof text, constant, 3, 3, true);
    assert_string_equal(text, "▄▄▄");
    an_term_sparkline(text, sizeof text, gaps, 5, 5, true);
    assert_string_equal(text, " ▁█▁█");
    an_term_sparkline(text, sizeof text, none, 2, 2, true);
    assert_string_equal(text, "  ");
    an_term_sparkline(text, sizeof text, wide, 3, 3, true);
    assert_string_equal(text, "▁▅█");
    an_term_sparkline(text, sizeof text, NULL, 0, 3, true);
    assert_string_equal(text, "   ");
    assert_int_equal(an_term_sparkline(text, sizeof text, wide, 3, 0, true), 0);
    assert_string_equal(text, "");
}

static void columns_count_code_points(void **state)
{
    (void)state;
    assert_int_equal(an_term_columns(""), 0);
    assert_int_equal(an_term_columns("abc"), 3);
    assert_int_equal(an_term_columns("━━╸ ×é"), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bar_is_drawn_to_half_a_cell),
        cmocka_unit_test(bar_of_no_columns_is_empty),
        cmocka_unit_test(small_buffers_are_not_overrun),
        cmocka_unit_test(sparkline_spans_least_to_greatest),
        cmocka_unit_test(sparkline_of_odd_values),
        cmocka_unit_test(columns_count_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
