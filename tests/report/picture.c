/* Pictures: the right bytes for each ending, names that cannot be, files that cannot, memory. */
#include "../base/failing_allocator.h"

#include <anneal/report.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define POINTS 1001
#define FILE_SIZE 1000000

static double cosine[POINTS], stairs[POINTS];
static char folder[] = "/tmp/anneal-report-XXXXXX";
static char bytes[FILE_SIZE];

static int make_folder(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        cosine[i] = 0.05 + 0.05 * cos(3.14159265358979 * i / 1000);
        stairs[i] = i < 300 ? 0.1 : i < 600 ? 0.01 : 0.001;
    }
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *path_of(const char *name)
{
    static char path[200];
    an_format(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Reads the file into `bytes`, ended by a zero, and removes it; -1 if there is none. */
static long take(const char *name)
{
    FILE *file = fopen(path_of(name), "rb");
    if (!file) {
        return -1;
    }
    size_t length = fread(bytes, 1, FILE_SIZE - 1, file);
    bytes[length] = '\0';
    fclose(file);
    unlink(path_of(name));
    return (long)length;
}

static const an_series both[] = {{"CosineAnnealingLR(T_max=1000)", cosine, POINTS},
                                 {"MultiStepLR(milestones=[300, 600])", stairs, POINTS}};
static const an_plot plot = {"step", "lr", both, 2};

static long draw(const an_plot *p, const char *name)
{
    an_error err = {0};
    if (!an_report_plot(p, path_of(name), NULL, &err)) {
        print_error("%s\n", err.message);
        return -1;
    }
    return take(name);
}

static size_t count_of(const char *part)
{
    size_t count = 0;
    for (const char *at = bytes; (at = strstr(at, part)); at++) {
        count++;
    }
    return count;
}

static void svg_is_small_and_holds_the_names(void **state)
{
    (void)state;
    assert_in_range(draw(&plot, "a.svg"), 1000, 8000);
    assert_int_equal(strncmp(bytes, "<svg ", 5), 0);
    assert_int_equal(strcmp(bytes + strlen(bytes) - 7, "</svg>\n"), 0);
    assert_int_equal(count_of(">CosineAnnealingLR(T_max=1000)<"), 1);
    assert_int_equal(count_of(">MultiStepLR(milestones=[300, 600])<"), 1);
    assert_int_equal(count_of("stroke=\"#0072b2\""), 2); /* the line and its swatch */
    assert_int_equal(count_of("stroke=\"#d55e00\""), 2);
    assert_int_equal(count_of(">0.10<"), 1);
    assert_int_equal(count_of(">1,000<"), 1);
    assert_int_equal(count_of(">lr<"), 1);
    assert_int_equal(count_of(">step<"), 1);
}

static void one_line_needs_no_swatch(void **state)
{
    (void)state;
    an_plot one = {"step", "lr", both, 1};
    assert_true(draw(&one, "a.svg") > 0);
    assert_int_equal(count_of("stroke=\"#0072b2\""), 1);
}

static void the_same_plot_gives_the_same_svg(void **state)
{
    (void)state;
    static char first[FILE_SIZE];
    long length = draw(&plot, "a.svg");
    memcpy(first, bytes, (size_t)length);
    assert_int_equal(draw(&plot, "b.svg"), length);
    assert_memory_equal(first, bytes, (size_t)length);
}

static void names_are_escaped_and_made_valid(void **state)
{
    (void)state;
    an_series odd = {"a<b && c>d \xff\xc3(\x01\xf0\x9f", stairs, POINTS};
    an_plot p = {"step", "lr", &odd, 1};
    assert_true(draw(&p, "a.svg") > 0);
    assert_int_equal(count_of(">a&lt;b &amp;&amp; c&gt;d ?"
                              "?( ??"
                              "<"),
                     1);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    static char name[3000];
    memset(name, 'n', sizeof name - 1);
    an_series many[3] = {{name, stairs, POINTS}, {"short", cosine, POINTS}, {"", cosine, POINTS}};
    an_plot p = {"step", name, many, 3};
    assert_in_range(draw(&p, "a.svg"), 1000, 8000);
    assert_int_equal(count_of("n…<"), 2);
}

static void long_names_with_blanks_take_up_to_three_rows(void **state)
{
    (void)state;
    static char name[2000];
    for (size_t i = 0; i + 1 < sizeof name; i++) {
        name[i] = "abcdefghi "[i % 10];
    }
    an_series many[] = {{name, stairs, POINTS}, {"short", cosine, POINTS}};
    an_plot p = {"step", "lr", many, 2};
    assert_true(draw(&p, "a.svg") > 0);
    assert_int_equal(count_of(">abcdefghi abcdefghi "), 3);
    assert_int_equal(count_of("abcdefghi</text>"), 2);
    assert_int_equal(count_of("…</text>"), 1);
    assert_int_equal(count_of(">short</text>"), 1);
}

static void values_that_are_not_finite_are_gaps(void **state)
{
    (void)state;
    double values[] = {NAN, 1, NAN, 2, 3, INFINITY, -INFINITY};
    an_series series = {"gaps", values, 7};
    an_plot p = {"step", "lr", &series, 1};
    assert_true(draw(&p, "a.svg") > 0);
    assert_int_equal(count_of("stroke=\"#0072b2\""), 2); /* a dot and a piece */
    assert_null(strstr(bytes, "nan"));
    assert_null(strstr(bytes, "inf"));
}

static void nothing_to_draw_is_a_picture_too(void **state)
{
    (void)state;
    an_plot none = {"step", "lr", NULL, 0};
    assert_true(draw(&none, "a.svg") > 0);
    assert_int_equal(count_of(">1.0<"), 1);
}

/* A million values, none on a line with its neighbours: still four points to the pixel. */
static void size_is_bounded(void **state)
{
    (void)state;
    size_t count = 1000001;
    double *noise = malloc(count * sizeof *noise);
    assert_non_null(noise);
    uint64_t seed = 1;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        noise[i] = (double)(seed >> 40);
    }
    an_series series = {"noise", noise, count};
    an_plot p = {"step", "lr", &series, 1};
    assert_in_range(draw(&p, "a.svg"), 1000, 40000);
    free(noise);
}

static void endings_are_checked(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a", "a.jpg", ".svg", "svg", "a.svg.gz", "", "a.pngg"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        an_error err = {0};
        an_picture kind;
        assert_false(an_picture_of(wrong[i], &kind, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, ".svg, .png or .pdf"));
        assert_false(an_report_plot(&plot, wrong[i], NULL, &err));
    }
    an_picture kind;
    assert_true(an_picture_of("A.SVG", &kind, NULL));
    assert_int_equal(kind, AN_PICTURE_SVG);
}

static void files_that_cannot_be_written_are_errors(void **state)
{
    (void)state;
    an_error err = {0};
    assert_false(an_report_plot(&plot, path_of("none/a.svg"), NULL, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "none/a.svg"));
    assert_non_null(strstr(err.message, "No such file"));
}

static void png_and_pdf_come_with_cairo(void **state)
{
    (void)state;
    an_error err = {0};
    an_picture kind;
    if (!an_picture_of("a.png", &kind, &err)) {
        assert_int_equal(err.code, AN_ERROR_STATE);
        assert_non_null(strstr(err.message, "libcairo2-dev"));
        skip();
    }
    assert_int_equal(kind, AN_PICTURE_PNG);
    assert_true(draw(&plot, "a.png") > 5000);
    assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n", 8);
    assert_memory_equal(bytes + 16, "\0\0\x05\x50", 4); /* 1360 wide */
    assert_true(draw(&plot, "a.pdf") > 1000);
    assert_memory_equal(bytes, "%PDF-1.", 7);
}

/* ------------------------------------------------------------------ memory */

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char *const names[] = {"a.svg", "a.png", "a.pdf"};
    for (size_t i = 0; i < 3; i++) {
        an_picture kind;
        if (!an_picture_of(names[i], &kind, NULL)) {
            continue;
        }
        bool done = false;
        for (long fail_at = 0; !done; fail_at++) {
            failing_allocator failing = {.fail_at = fail_at};
            an_allocator allocator = failing_hooks(&failing);
            an_error err = {0};
            done = an_report_plot(&plot, path_of(names[i]), &allocator, &err);
            assert_int_equal(failing.blocks, 0);
            assert_int_equal(failing.bytes, 0);
            if (!done) {
                assert_int_equal(err.code, AN_ERROR_MEMORY);
                assert_int_equal(take(names[i]), -1);
            }
            assert_true(fail_at < 100);
        }
        assert_true(take(names[i]) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(svg_is_small_and_holds_the_names),
        cmocka_unit_test(one_line_needs_no_swatch),
        cmocka_unit_test(the_same_plot_gives_the_same_svg),
        cmocka_unit_test(names_are_escaped_and_made_valid),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(long_names_with_blanks_take_up_to_three_rows),
        cmocka_unit_test(values_that_are_not_finite_are_gaps),
        cmocka_unit_test(nothing_to_draw_is_a_picture_too),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(endings_are_checked),
        cmocka_unit_test(files_that_cannot_be_written_are_errors),
        cmocka_unit_test(png_and_pdf_come_with_cairo),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
