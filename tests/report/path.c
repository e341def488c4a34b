/* Long series to short lines: what is left out lies near the line. */
#include "report/canvas.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 20001
#define WIDTH 600

static double values[COUNT];
static an_point points[AN_PATH_MOST(WIDTH)];

static an_field field_for(const an_series *series)
{
    an_plot plot = {"step", "lr", series, 1};
    return (an_field){.left = 40,
                      .top = 20,
                      .width = WIDTH,
                      .height = 200,
                      .steps = an_axis_steps(&plot, 5),
                      .values = an_axis_values(&plot, 5)};
}

static an_point exact(const an_field *f, size_t i)
{
    double up = (values[i] - f->values.low) / (f->values.high - f->values.low);
    return (an_point){f->left + f->width * (double)i / f->steps.high,
                      f->top + f->height * (1 - up)};
}

/* The distance, downwards, of each value's point from the line; the greatest of them. */
static double error_of(const an_field *f, size_t value_count, size_t count)
{
    double most = 0;
    size_t piece = 0;
    for (size_t i = 0; i < value_count; i++) {
        an_point p = exact(f, i);
        while (piece + 2 < count && points[piece + 1].x < p.x) {
            piece++;
        }
        an_point a = points[piece], b = points[piece + 1];
        double y = a.y + (b.y - a.y) * (p.x - a.x) / (b.x - a.x);
        most = fmax(most, fabs(y - p.y));
    }
    return most;
}

static void a_straight_line_is_two_points(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        values[i] = 0.5 - 1e-5 * i;
    }
    an_series series = {"", values, COUNT};
    an_field f = field_for(&series);
    assert_int_equal(an__path(&f, &series, 0, COUNT, points), 2);
    assert_true(points[0].x == 40 && points[1].x == 640);
}

/* Fewer values than pixels, so that each has its own place: all lie near the line. */
static void a_curve_stays_within_the_tolerance(void **state)
{
    (void)state;
    size_t count = 501;
    for (size_t i = 0; i < count; i++) {
        values[i] = 0.1 * cos((double)i / 80) + (i % 100 == 0 ? 0.02 : 0);
    }
    an_series series = {"", values, count};
    an_field f = field_for(&series);
    size_t kept = an__path(&f, &series, 0, count, points);
    assert_in_range(kept, 20, 150);
    assert_true(error_of(&f, count, kept) <= 0.2);
    assert_true(points[0].x == exact(&f, 0).x && points[0].y == exact(&f, 0).y);
    assert_true(points[kept - 1].x == exact(&f, count - 1).x);
}

/* More values than pixels: a lone peak survives, and places never go backwards. */
static void peaks_survive(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        values[i] = i == 7777 ? 1 : i == 7790 ? -1 : 0;
    }
    an_series series = {"", values, COUNT};
    an_field f = field_for(&series);
    size_t kept = an__path(&f, &series, 0, COUNT, points);
    assert_in_range(kept, 4, 12);
    double least = 1000, greatest = 0;
    for (size_t i = 0; i < kept; i++) {
        least = fmin(least, points[i].y);
        greatest = fmax(greatest, points[i].y);
        assert_true(i == 0 || points[i].x > points[i - 1].x);
    }
    assert_true(least == 20 && greatest == 220);
}

static void noise_fits_the_room(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        values[i] = (double)(seed >> 40);
    }
    an_series series = {"", values, COUNT};
    an_field f = field_for(&series);
    assert_in_range(an__path(&f, &series, 0, COUNT, points), WIDTH, AN_PATH_MOST(WIDTH));
}

static void parts_of_a_series_stand_alone(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        values[i] = i;
    }
    an_series series = {"", values, 11};
    an_field f = field_for(&series);
    assert_int_equal(an__path(&f, &series, 3, 4, points), 1);
    assert_true(points[0].x == exact(&f, 3).x);
    assert_int_equal(an__path(&f, &series, 3, 8, points), 2);
    assert_true(points[1].x == exact(&f, 7).x && points[1].y == exact(&f, 7).y);
}

static void words_are_cut_to_a_width(void **state)
{
    (void)state;
    char text[64];
    an__text_fit(text, sizeof text, "StepLR", 10, 1000);
    assert_string_equal(text, "StepLR");
    for (int width = 12; width < 60; width++) {
        an__text_fit(text, sizeof text, "größere Schrittweite", 10, width);
        assert_true(an__text_width(text, 10) <= width + 1e-9);
        assert_string_equal(text + strlen(text) - 3, "…");
    }
    an__text_fit(text, 16, "größere Schrittweite", 10, 1000);
    assert_true(strlen(text) < 16);
    an__text_fit(text, 5, "größere", 10, 1000);
    assert_string_equal(text, "g…");
}

static void rows_end_at_blanks(void **state)
{
    (void)state;
    static const char text[] = "one two three";
    assert_int_equal(an__text_break(text, 10, 1000), 13);
    assert_int_equal(an__text_break(text, 10, an__text_width("one two", 10) + 5), 7);
    assert_int_equal(an__text_break(text, 10, an__text_width("one tw", 10)), 3);
    assert_int_equal(an__text_break(text, 10, 10), 0);
    assert_int_equal(an__text_break("", 10, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_straight_line_is_two_points),
        cmocka_unit_test(a_curve_stays_within_the_tolerance),
        cmocka_unit_test(peaks_survive),
        cmocka_unit_test(noise_fits_the_room),
        cmocka_unit_test(parts_of_a_series_stand_alone),
        cmocka_unit_test(words_are_cut_to_a_width),
        cmocka_unit_test(rows_end_at_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
