/* Axes: round ticks that cover the values, whole ticks for steps, labels without noise. */
#include <anneal/term.h>

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* All labels of an axis, separated by blanks, and its title. */
static const char *labels(const an_axis *axis, char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < axis->count; i++) {
        char label[64];
        an_axis_label(label, sizeof label, axis, i);
        used += an_format(text + used, size - used, i > 0 ? " %s" : "%s", label);
    }
    return text;
}

static an_axis axis_of(double low, double high, int most)
{
    double values[] = {low, high};
    an_series series = {"", values, 2};
    an_plot plot = {"step", "lr", &series, 1};
    return an_axis_values(&plot, most);
}

static void values_get_round_ticks(void **state)
{
    static const struct {
        double low, high;
        const char *labels, *title;
    } rows[] = {
        {0, 0.1, "0.00 0.02 0.04 0.06 0.08 0.10", "lr"},
        {0.004, 0.1, "0.00 0.02 0.04 0.06 0.08 0.10", "lr"},
        {0, 1, "0.0 0.2 0.4 0.6 0.8 1.0", "lr"},
        {0, 5e-5, "0 1 2 3 4 5", "lr ×10⁻⁵"},
        {0, 3e12, "0 1 2 3", "lr ×10¹²"},
        {0, 25000, "0 5,000 10,000 15,000 20,000 25,000", "lr"},
        {0.85, 0.95, "0.850 0.875 0.900 0.925 0.950", "lr"},
        {-0.3, 0.5, "-0.4 -0.2 0.0 0.2 0.4 0.6", "lr"},
        {-3, -2, "-3.0 -2.8 -2.6 -2.4 -2.2 -2.0", "lr"},
        {0.1, 0.1, "0.00 0.02 0.04 0.06 0.08 0.10", "lr"},
        {-0.1, -0.1, "-0.10 -0.08 -0.06 -0.04 -0.02 0.00", "lr"},
        {0, 0, "0.0 0.2 0.4 0.6 0.8 1.0", "lr"},
        {NAN, INFINITY, "0.0 0.2 0.4 0.6 0.8 1.0", "lr"},
        {0, 1e-300, "0.0 0.2 0.4 0.6 0.8 1.0", "lr"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[400], title[64];
        an_axis axis = axis_of(rows[i].low, rows[i].high, 6);
        assert_string_equal(labels(&axis, text, sizeof text), rows[i].labels);
        an_axis_title(title, sizeof title, &axis, "lr", true);
        assert_string_equal(title, rows[i].title);
    }
}

/* Whatever the range: the ends are the first and last tick, they cover the values, few ticks. */
static void ticks_cover_the_values(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        double ends[2];
        for (int i = 0; i < 2; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            double part = (double)(seed >> 11) / 9007199254740992.0 - 0.5;
            ends[i] = part * pow(10, (double)(round % 400) - 200 + i);
        }
        int most = 3 + round % 9;
        an_axis axis = axis_of(ends[0], ends[1], most);
        double slack = 1e-7 * (axis.high - axis.low);
        assert_in_range(axis.count, 2, (uintmax_t)most);
        assert_true(axis.low <= fmin(ends[0], ends[1]) + slack);
        assert_true(axis.high >= fmax(ends[0], ends[1]) - slack);
        assert_true(an_axis_tick(&axis, 0) == axis.low);
        assert_true(an_axis_tick(&axis, axis.count - 1) == axis.high);
    }
}

static void extreme_values_keep_the_axis_finite(void **state)
{
    static const double ends[] = {DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324,  -5e-324,
                                  0,       1e290,    NAN,     INFINITY};
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        for (size_t j = 0; j < COUNT(ends); j++) {
            char text[800];
            an_axis axis = axis_of(ends[i], ends[j], 6);
            assert_true(isfinite(axis.low) && isfinite(axis.high) && axis.low < axis.high);
            assert_in_range(axis.count, 2, 6);
            assert_true(strlen(labels(&axis, text, sizeof text)) < 200);
        }
    }
}

static void labels_tell_neighbours_apart(void **state)
{
    (void)state;
    char text[400];
    an_axis axis = axis_of(0.1, 0.1000001, 3);
    labels(&axis, text, sizeof text);
    assert_string_equal(text, "0.10000000 0.10000005 0.10000010");
}

static an_axis steps_of(size_t last, int most)
{
    /* Values are not read for the axis of steps. */
    an_series series = {"", NULL, last + 1};
    an_plot plot = {"step", "lr", &series, 1};
    return an_axis_steps(&plot, most);
}

static void steps_are_whole(void **state)
{
    static const struct {
        size_t last;
        int most;
        const char *labels;
    } rows[] = {
        {1, 9, "0 1"},
        {3, 9, "0 1 2 3"},
        {5, 3, "0 2 4"},
        {4, 2, "0 2 4"},
        {100, 6, "0 20 40 60 80 100"},
        {100, 5, "0 25 50 75 100"},
        {9380, 6, "0 2,000 4,000 6,000 8,000"},
        {1000000, 3, "0 500,000 1,000,000"},
        {0, 5, "0 1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[400];
        an_axis axis = steps_of(rows[i].last, rows[i].most);
        assert_string_equal(labels(&axis, text, sizeof text), rows[i].labels);
        assert_true(axis.low == 0);
        assert_true(axis.high == (rows[i].last > 0 ? (double)rows[i].last : 1));
    }
}

static void steps_span_the_longest_series(void **state)
{
    (void)state;
    an_series series[] = {{"", NULL, 0}, {"", NULL, 11}, {"", NULL, 4}};
    an_plot plot = {"step", "lr", series, 3};
    assert_true(an_axis_steps(&plot, 9).high == 10);
    an_plot nothing = {"step", "lr", NULL, 0};
    assert_true(an_axis_steps(&nothing, 9).high == 1);
}

static void titles_carry_the_factor(void **state)
{
    (void)state;
    char text[64];
    an_axis axis = axis_of(0, 5e-123, 6);
    an_axis_title(text, sizeof text, &axis, "lr", true);
    assert_string_equal(text, "lr ×10⁻¹²³");
    an_axis_title(text, sizeof text, &axis, "lr", false);
    assert_string_equal(text, "lr x1e-123");
    axis = axis_of(0, 1e7, 6);
    an_axis_title(text, sizeof text, &axis, "lr", false);
    assert_string_equal(text, "lr x1e7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_get_round_ticks),
        cmocka_unit_test(ticks_cover_the_values),
        cmocka_unit_test(extreme_values_keep_the_axis_finite),
        cmocka_unit_test(labels_tell_neighbours_apart),
        cmocka_unit_test(steps_are_whole),
        cmocka_unit_test(steps_span_the_longest_series),
        cmocka_unit_test(titles_carry_the_factor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
