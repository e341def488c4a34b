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
    check(&plot, (an_term_canvas){50, 8, true, false},
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

static void ascii_has_marks(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 2};
    check(&plot, (an_term_canvas){50, 8, false, false},
          "* LinearLR(total_iters=100)\n"
          "+ StepLR(step_size=50)\n"
          "\n"
          "  lr\n"
          "0.10 +++++++++++++++++++++               ****\n"
          "0.08 +                   +       ********\n"
          "0.06 +                   +********\n"
          "0.04 +            *******+\n"
          "0.02 +    ********       ++++++++++++++++++++\n"
          "0.00 +*****\n"
          "     ++-------+------+-------+------+-------+ step\n"
          "      0       20     40      60     80     100\n");
}

static void several_lines_without_colour_have_marks(void **state)
{
    (void)state;
    an_plot plot = {"step", "lr", both, 2};
    check(&plot, (an_term_canvas){50, 8, true, false},
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
    check(&plot, (an_term_canvas){50, 8, true, true},
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
    check(&plot, (an_term_canvas){40, 5, false, false},
          "gaps\n"
          "\n"
          " lr\n"
          "1.0 +*       *****\n"
          "    |\n"
          "0.5 +\n"
          "    |\n"
          "0.0 +                     *\n"
          "    ++-------+--------+-------+---- step\n"
          "     0       2        4       6\n");
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

static void every_width_is_kept(void **state)
{
    (void)state;
    static const char name[] = "SequentialLR([LinearLR(start_factor=0.1, total_iters=10), "
                               "CosineAnnealingLR(T_max=90, eta_min=0.001)], milestones=[10]) ☃☃☃";
    static char text[200000];
    an_series series[] = {{name, ramp, POINTS}, {"b", stairs, POINTS}};
    for (int columns = 40; columns <= 240; columns++) {
        for (int look = 0; look < 4; look++) {
            an_plot plot = {"step", "momentum", series, look < 2 ? 1 : 2};
            an_term_canvas canvas = {columns, 5 + columns % 20, look % 2 == 0, false};
            size_t length = an_term_plot(text, sizeof text, &plot, &canvas);
            assert_int_equal(length, strlen(text));
            /* The last label may stand out under the axis's title by half its width. */
            assert_in_range(widest(text), columns - 1, columns);
        }
    }
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
    an_term_canvas canvas = {40, 5, false, false};
    an_term_plot(text, sizeof text, &plot, &canvas);
    assert_non_null(strstr(text, "1.0 +\n"));
    double one = 3;
    an_series series = {"one", &one, 1};
    plot = (an_plot){"step", "lr", &series, 1};
    an_term_plot(text, sizeof text, &plot, &canvas);
    assert_non_null(strstr(text, "|*\n"));
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
        cmocka_unit_test(ascii_has_marks),
        cmocka_unit_test(several_lines_without_colour_have_marks),
        cmocka_unit_test(several_lines_with_colour_are_braille),
        cmocka_unit_test(gaps_stay_empty),
        cmocka_unit_test(every_width_is_kept),
        cmocka_unit_test(odd_sizes_are_brought_into_range),
        cmocka_unit_test(nothing_to_draw_leaves_the_axes),
        cmocka_unit_test(small_buffers_are_not_overrun),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
