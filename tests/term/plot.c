/* Plots in characters, compared whole. */
#include <anneal/term.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POINTS 101

static double ramp[POINTS], stairs[POINTS];

static int fill(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        ramp[i] = 0.001 * i;
        stairs[i] = i < 50 ? 0.1 : 0.02;
    }
    return 0;
}

static const an_series both[] = {{"LinearLR(total_iters=100)", ramp, POINTS},
                                 {"StepLR(step_size=50)", stairs, POINTS}};

static void check(const an_plot *plot, an_term_canvas canvas, const char *expected)
{
    char text[20000];
    size_t length = an_term_plot(text, sizeof text, plot, &canvas);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void one_line_is_braille(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 1};
    check(&plot, (an_term_canvas){50, 11, true, false},
          "LinearLR(total_iters=100)\n"
          "\n"
          "  lr\n"
          "0.10 ┤                                   ⣀⣠⠤⠤\n"
          "0.08 ┤                           ⣀⣀⡤⠤⠒⠒⠉⠉\n"
          "0.06 ┤                   ⢀⣀⡠⠤⠔⠒⠊⠉⠁\n"
          "0.04 ┤            ⣀⣀⠤⠤⠒⠚⠉⠉\n"
          "0.02 ┤    ⢀⣀⡠⠤⠖⠒⠋⠉\n"
          "0.00 ┤⠰⠒⠊⠉⠁\n"
          "     └┬───────┬──────┬───────┬──────┬───────┬ step\n"
          "      0       20     40      60     80     100\n");
}

static void a_lone_line_needs_no_name_but_the_axis(void **state)
{
    (void)state;
    an_series series[] = {{"loss", ramp, POINTS}, {"loss", stairs, POINTS}};
    an_plot plot = {"epoch", "loss", series, 1};
    char lone[4000], two[4000];
    for (int rows = 5; rows <= 12; rows++) {
        an_term_canvas canvas = {50, rows, true, false};
        an_term_plot(lone, sizeof lone, &plot, &canvas);
        char *title = strstr(lone, "loss");
        assert_non_null(title);
        assert_null(strstr(title + 4, "loss"));
        assert_null(strstr(lone, "\n\n"));
    }
    plot.series_count = 2;
    an_term_plot(two, sizeof two, &plot, &(an_term_canvas){50, 12, true, false});
    assert_int_equal(strncmp(two, "● loss\n▲ loss\n\n", strlen("● loss\n▲ loss\n\n")), 0);
}

static void ascii_has_marks(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 2};
    check(&plot, (an_term_canvas){50, 12, false, false},
          "* LinearLR(total_iters=100)\n"
          "o StepLR(step_size=50)\n"
          "\n"
          "  lr\n"
          "0.10 +oooooooooooooooooooo               ****\n"
          "0.08 +                   o       ********\n"
          "0.06 +                   o********\n"
          "0.04 +            *******o\n"
          "0.02 +    ********       oooooooooooooooooooo\n"
          "0.00 +*****\n"
          "     ++-------+------+-------+------+-------+ step\n"
          "      0       20     40      60     80     100\n");
}

static void several_lines_without_colour_have_marks(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 2};
    check(&plot, (an_term_canvas){50, 12, true, false},
          "● LinearLR(total_iters=100)\n"
          "▲ StepLR(step_size=50)\n"
          "\n"
          "  lr\n"
          "0.10 ┤▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲               ●●●●\n"
          "0.08 ┤                   ▲       ●●●●●●●●\n"
          "0.06 ┤                   ▲●●●●●●●●\n"
          "0.04 ┤            ●●●●●●●▲\n"
          "0.02 ┤    ●●●●●●●●       ▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲▲\n"
          "0.00 ┤●●●●●\n"
          "     └┬───────┬──────┬───────┬──────┬───────┬ step\n"
          "      0       20     40      60     80     100\n");
}

static void several_lines_with_colour_are_braille(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 2};
    check(&plot, (an_term_canvas){50, 12, true, true},
          "\033[38;5;32m━━\033[0m LinearLR(total_iters=100)\n"
          "\033[38;5;166m━━\033[0m StepLR(step_size=50)\n"
          "\n"
          "  lr\n"
          "0.10 ┤\033[38;5;166m⠠⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⡄               \033[38;5;32m⣀⣠⠤⠤\033[0m\n"
          "0.08 ┤                   \033[38;5;166m⡇       \033[38;5;32m⣀⣀⡤⠤⠒⠒⠉⠉\033[0m\n"
          "0.06 ┤                   \033[38;5;166m⢇\033[38;5;32m⣀⡠⠤⠔⠒⠊⠉⠁\033[0m\n"
          "0.04 ┤            \033[38;5;32m⣀⣀⠤⠤⠒⠚⠉\033[38;5;166m⢹\033[0m\n"
          "0.02 ┤    \033[38;5;32m⢀⣀⡠⠤⠖⠒⠋⠉       \033[38;5;166m⠸⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤\033[0m\n"
          "0.00 ┤\033[38;5;32m⠰⠒⠊⠉⠁\033[0m\n"
          "     └┬───────┬──────┬───────┬──────┬───────┬ step\n"
          "      0       20     40      60     80     100\n");
}

static void gaps_stay_empty(void **state)
{
    (void)state;
    double values[] = {1, NAN, 1, 1, INFINITY, 0, -INFINITY, NAN};
    an_series series = {"gaps", values, 8};
    an_plot plot = {"step", "lr", &series, 1};
    check(&plot, (an_term_canvas){40, 8, false, false},
          "  lr  gaps\n"
          "1.00 +*       *****\n"
          "0.75 +\n"
          "0.50 +\n"
          "0.25 +\n"
          "0.00 +                    *\n"
          "     ++-------+-------+-------+---- step\n"
          "      0       2       4       6\n");
}

/* The widest line of a text, in columns. */
static int widest(const char *text)
{
    int most = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        char line[4096] = {0};
        memcpy(line, text, length);
        int columns = an_term_columns(line);
        most = columns > most ? columns : most;
        text += length + 1;
    }
    return most;
}

static int lines_of(const char *text)
{
    int lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

/* Nothing stands out, whatever the size; from 40 columns on the width is used whole. */
static void every_size_is_kept(void **state)
{
    (void)state;
    static const char name[] = "SequentialLR([LinearLR(start_factor=0.1, total_iters=10), "
                               "CosineAnnealingLR(T_max=90, eta_min=0.001)], milestones=[10]) ☃☃☃";
    static char text[200000];
    static double tiny[POINTS];
    for (int i = 0; i < POINTS; i++)
        tiny[i] = 1e-7 * ramp[i];
    an_series series[20];
    for (int i = 0; i < 20; i++)
        series[i] = (an_series){i % 3 == 0 ? name : "b", i % 3 == 1 ? stairs : tiny, POINTS};
    static const size_t counts[] = {1, 1, 2, 2, 3, 20, 0};
    for (int columns = 20; columns <= 200; columns += columns < 60 ? 1 : 7)
        for (int rows = 5; rows <= 70; rows += rows < 30 ? 1 : 5)
            for (int look = 0; look < 7; look++) {
                an_plot plot = {"step", look % 4 ? "lr" : "momentum", series, counts[look]};
                an_term_canvas canvas = {columns, rows, look % 2 == 0, false};
                size_t length = an_term_plot(text, sizeof text, &plot, &canvas);
                assert_int_equal(length, strlen(text));
                assert_in_range(widest(text), columns < 40 ? 12 : columns - 1, columns);
                assert_in_range(lines_of(text), rows - rows / 4 - 1, rows);
                assert_null(strstr(text, " \n"));
            }
}

/* A window of 20 x 6 has room for this and a prompt. */
static void the_smallest_has_all_but_the_whole_name(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 1};
    check(&plot, (an_term_canvas){20, 5, true, false},
          "  lr  LinearLR(tota…\n"
          "0.10 ┤    ⢀⣀⣠⠤⠤\n"
          "0.00 ┤⠰⠒⠚⠉⠉\n"
          "     └┬───┬───┬ step\n"
          "      0   50 100\n");
    plot.series_count = 2;
    check(&plot, (an_term_canvas){30, 6, false, false},
          "  lr  * Linear...  o StepLR...\n"
          "0.10 +oooooooooo    *****\n"
          "0.05 +     ****o*****\n"
          "0.00 +******   oooooooooo\n"
          "     ++--------+--------+ step\n"
          "      0        50      100\n");
}

static void names_share_lines_where_there_are_many(void **state)
{
    (void)state;
    an_series series[8];
    for (int i = 0; i < 8; i++)
        series[i] = both[i % 2];
    an_plot plot = {"step", "lr", series, 8};
    check(&plot, (an_term_canvas){70, 13, false, false},
          "* LinearLR(total_ite...  o StepLR(step_size...  x LinearLR(total_it...\n"
          "# StepLR(step_size=50)  @ LinearLR(total_it...  % StepLR(step_size=50)\n"
          "* LinearLR(total_iters=100)  o StepLR(step_size=50)\n"
          "\n"
          "  lr\n"
          "0.10 +ooo#o%ooooo#o%ooooo#o%ooooo#o                        *****x\n"
          "0.08 +                            o            *x*@*****x*@\n"
          "0.06 +                            o ****x*@*****\n"
          "0.04 +                  x*@*****x*@%\n"
          "0.02 +      ****x*@*****           %ooooo#o%ooooo#o%ooooo#o%ooooo\n"
          "0.00 +**x*@**\n"
          "     ++-----------+----------+-----------+----------+-----------+ step\n"
          "      0           20         40          60         80         100\n");
}

/* Labels that would touch are left out, and so is one that would leave the plot. */
static void long_labels_keep_apart(void **state)
{
    (void)state;
    static double long_ramp[1000001];
    for (int i = 0; i <= 1000000; i++)
        long_ramp[i] = 1e-6 * i;
    an_series series = {"a", long_ramp, 1000001};
    an_plot plot = {"step", "lr", &series, 1};
    check(&plot, (an_term_canvas){20, 5, true, false},
          " lr  a\n"
          "1.0 ┤     ⣀⣀⡤⠤⠤\n"
          "0.0 ┤⠰⠒⠚⠉⠉⠁\n"
          "    └┬────┬───┬ step\n"
          "     0 500,000\n");
}

static void odd_sizes_are_brought_into_range(void **state)
{
    (void)state;
    static char text[200000];
    static const int sizes[] = {-1000000, 0, 1, 39, 1000, 2000000000};
    an_plot plot = {"step", "lr", both, 2};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            an_term_canvas canvas = {sizes[i], sizes[j], true, true};
            assert_in_range(an_term_plot(text, sizeof text, &plot, &canvas), 100, sizeof text - 1);
        }
    }
}

static void nothing_to_draw_leaves_the_axes(void **state)
{
    (void)state;
    char text[4000];
    an_plot plot = {"step", "lr", NULL, 0};
    an_term_canvas canvas = {40, 10, false, false};
    an_term_plot(text, sizeof text, &plot, &canvas);
    assert_non_null(strstr(text, "1.0 +\n"));
    double one = 3;
    an_series series = {"one", &one, 1};
    plot = (an_plot){"step", "lr", &series, 1};
    an_term_plot(text, sizeof text, &plot, &canvas);
    assert_non_null(strstr(text, "+*\n"));
}

static void small_buffers_are_not_overrun(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 2};
    an_term_canvas canvas = {60, 10, true, true};
    size_t whole = an_term_plot(NULL, 0, &plot, &canvas);
    for (size_t size = 1; size <= whole + 1; size += 7) {
        char *text = malloc(size);
        assert_non_null(text);
        assert_int_equal(an_term_plot(text, size, &plot, &canvas), whole);
        assert_true(strlen(text) < size);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_is_braille),
        cmocka_unit_test(a_lone_line_needs_no_name_but_the_axis),
        cmocka_unit_test(ascii_has_marks),
        cmocka_unit_test(several_lines_without_colour_have_marks),
        cmocka_unit_test(several_lines_with_colour_are_braille),
        cmocka_unit_test(gaps_stay_empty),
        cmocka_unit_test(every_size_is_kept),
        cmocka_unit_test(the_smallest_has_all_but_the_whole_name),
        cmocka_unit_test(names_share_lines_where_there_are_many),
        cmocka_unit_test(long_labels_keep_apart),
        cmocka_unit_test(odd_sizes_are_brought_into_range),
        cmocka_unit_test(nothing_to_draw_leaves_the_axes),
        cmocka_unit_test(small_buffers_are_not_overrun),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
