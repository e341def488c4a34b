/* The HTML page: what is in it, what is escaped, and pages of little or odd content. */
#include "report/page.h"
#include "../base/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/anneal-page-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    bool made = mkdtemp(folder) != NULL;
    an_format(path, sizeof path, "%s/page.html", folder);
    return made ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* Writes the page and reads it back; to be freed. */
static char *written(const an_page *page)
{
    an_error err = {0};
    if (!an_report_page(page, path, NULL, &err)) {
        fail_msg("%s", err.message);
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *text = calloc((size_t)length + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), length);
    fclose(file);
    return text;
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part)) {
        count++;
    }
    return count;
}

static const double epochs[] = {1, 2, 3, 4, 5};
static const double falling[] = {2.3, 1.1, 0.6, 0.4, 0.3};

static void has_what_it_is_given(void **state)
{
    (void)state;
    const an_chart_line lines[] = {{0, "training", 0, epochs, falling, 5},
                                   {0, "validation", 1, epochs, falling, 4},
                                   {1, "training", 0, epochs, falling, 3}};
    const an_chart charts[] = {{"Loss", "epoch", "loss", true, lines, 3},
                               {"Rate", "epoch", "lr", false, lines, 1}};
    const char *const runs[] = {"one", "two"}, *const heads[] = {"", "one", "two"};
    const char *const cells[] = {"lr", "0.1", NULL};
    const an_page_mark mark = {1, 2.5, "resumed", "at step 7"};
    const an_page_table table = {"Differences", "a note", heads, 3, 1, cells, false};
    const int64_t counts[] = {5, 1, 0, 4};
    const an_page_matrix matrix = {"one", 2, counts};
    const an_page_text text = {"configuration", "epochs: 5\n"};
    const an_page page = {"Two runs", "lead", runs, 2,       charts, 2,     &mark,
                          1,          &table, 1,    &matrix, 1,      &text, 1};
    char *html = written(&page);
    assert_int_equal(times(html, "<figure"), 2);
    assert_int_equal(times(html, "<svg viewBox=\"0 0 520 260\""), 2);
    assert_int_equal(times(html, "<path class=\"line s0 r0\""), 2);
    assert_int_equal(times(html, "<path class=\"line s0 r0 d1\""), 1);
    assert_int_equal(times(html, "<path class=\"line s1 r1\""), 1);
    assert_int_equal(times(html, "<input type=\"checkbox\" class=\"log\">"), 1);
    assert_int_equal(times(html, "<title>resumed: at step 7</title>"), 2);
    assert_int_equal(times(html, "id=\"run1\""), 1);
    assert_int_equal(times(html, "body:has(#run1:not(:checked)) .r1 { display: none; }"), 1);
    assert_non_null(strstr(html, "<th scope=\"row\">lr</th><td>0.1</td><td class=\"none\">"));
    assert_non_null(strstr(html, "<td class=\"full\" style=\"--share:0.867\">5</td>"));
    assert_non_null(strstr(html, "<pre>epochs: 5\n</pre>"));
    assert_non_null(strstr(html, "\"y\":[2.3,1.1,0.6,0.4]"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "href="));
    free(html);
}

static void escapes(void **state)
{
    (void)state;
    static const char wicked[] = "</script><b a='\"'>&\x01\xff\\";
    static const char inert[] =
        "&lt;/script&gt;&lt;b a=&#39;&quot;&#39;&gt;&amp;\xEF\xBF\xBD\xEF\xBF\xBD\\";
    static const char json[] =
        "\"\\u003c/script\\u003e\\u003cb a='\\u0022'\\u003e\\u0026\\u0001\xEF\xBF\xBD\\u005c\"";
    const char *const runs[] = {wicked}, *const heads[] = {wicked}, *const cells[] = {wicked};
    const an_chart_line line = {0, wicked, 0, epochs, falling, 5};
    const an_chart chart = {wicked, wicked, wicked, true, &line, 1};
    const an_page_mark mark = {0, 2, wicked, wicked};
    const an_page_table table = {wicked, wicked, heads, 1, 1, cells, false};
    const int64_t counts[] = {1};
    const an_page_matrix matrix = {wicked, 1, counts};
    const an_page_text text = {wicked, wicked};
    const an_page page = {wicked, wicked, runs, 1,       &chart, 1,     &mark,
                          1,      &table, 1,    &matrix, 1,      &text, 1};
    char *html = written(&page);
    assert_null(strstr(html, wicked));
    assert_null(strstr(html, "<b a"));
    assert_int_equal(times(html, "</script>"), 2);
    assert_int_equal(times(html, json), 7);
    assert_true(times(html, inert) >= 14);
    free(html);
}

static void little_is_enough(void **state)
{
    (void)state;
    const an_page nothing = {.title = "nothing"};
    char *html = written(&nothing);
    assert_int_equal(times(html, "<svg"), 0);
    assert_int_equal(times(html, "\"runs\":[]"), 1);
    assert_int_equal(times(html, "</html>"), 1);
    free(html);

    const char *const runs[] = {"a"};
    const an_chart_line none = {0, "loss", 0, epochs, falling, 0};
    const an_chart_line one = {0, "loss", 0, epochs, falling, 1};
    const an_chart charts[] = {{"Empty", "epoch", "y", false, NULL, 0},
                               {"None", "epoch", "y", false, &none, 1},
                               {"One", "epoch", "y", false, &one, 1}};
    const an_page page = {
        .title = "little", .runs = runs, .run_count = 1, .charts = charts, .chart_count = 3};
    html = written(&page);
    assert_int_equal(times(html, "no numbers yet"), 2);
    assert_int_equal(times(html, "<circle class=\"dot"), 1);
    assert_null(strstr(html, "nan"));
    assert_null(strstr(html, "inf"));
    free(html);
}

/* A gap parts the path; a point between gaps is a dot; no place is NaN. */
static void gaps(void **state)
{
    (void)state;
    double x[30], y[30];
    for (int i = 0; i < 30; i++) {
        x[i] = i;
        y[i] = i == 10 || i == 12 ? NAN : i == 20 ? INFINITY : 1.0 / (1 + i);
    }
    const char *const runs[] = {"a"};
    const an_chart_line line = {0, "loss", 0, x, y, 30};
    const an_chart chart = {"Loss", "epoch", "loss", true, &line, 1};
    const an_page page = {
        .title = "gaps", .runs = runs, .run_count = 1, .charts = &chart, .chart_count = 1};
    char *html = written(&page);
    const char *path_text = strstr(html, " d=\"M");
    assert_non_null(path_text);
    size_t length = strcspn(path_text + 4, "\"");
    size_t moves = 0;
    for (size_t i = 0; i < length; i++) {
        moves += path_text[4 + i] == 'M';
    }
    assert_int_equal(moves, 4);
    assert_int_equal(times(html, "<circle class=\"dot"), 1);
    assert_int_equal(times(html, "null"), 3 + times(an__page_js, "null"));
    free(html);
}

static void long_lines_keep_their_extremes(void **state)
{
    (void)state;
    enum { COUNT = 100003 };
    double *x = calloc(COUNT, sizeof *x), *y = calloc(COUNT, sizeof *y);
    an_page_points *points = malloc(sizeof *points);
    assert_true(x && y && points);
    for (int i = 0; i < COUNT; i++) {
        x[i] = i;
        y[i] = sin(i * 0.01) + (i == 777 ? 50 : 0) - (i == 90001 ? 60 : 0);
        y[i] = i >= 40000 && i < 41000 ? NAN : y[i];
    }
    const an_chart_line line = {0, "loss", 0, x, y, COUNT};
    an__page_thin(&line, points);
    bool high = false, low = false, gap = false;
    for (size_t i = 0; i < points->count; i++) {
        high = high || points->x[i] == 777;
        low = low || points->x[i] == 90001;
        gap = gap || (isnan(points->y[i]) && points->x[i] > 39000 && points->x[i] < 42000);
        assert_true(i == 0 || points->x[i] > points->x[i - 1]);
    }
    assert_true(high && low && gap);
    assert_true(points->x[0] == 0 && points->x[points->count - 1] == COUNT - 1);
    assert_in_range(points->count, 1000, AN_PAGE_POINTS);
    free(points);
    free(x);
    free(y);
}

/* What goes up and down from point to point is drawn thinner than what is smooth. */
static void noise_is_thin(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    double x[COUNT], smooth[COUNT], noisy[COUNT];
    for (int i = 0; i < COUNT; i++) {
        x[i] = i;
        smooth[i] = i * i;
        noisy[i] = i % 2;
    }
    const char *const runs[] = {"a", "b"};
    const an_chart_line lines[] = {{0, "y", 0, x, smooth, COUNT}, {1, "y", 0, x, noisy, COUNT}};
    const an_chart chart = {"Y", "epoch", "y", false, lines, 2};
    const an_page page = {
        .title = "noise", .runs = runs, .run_count = 2, .charts = &chart, .chart_count = 1};
    char *html = written(&page);
    assert_int_equal(times(html, "<path class=\"line s0 r0\""), 1);
    assert_int_equal(times(html, "<path class=\"line dense s1 r1\""), 1);
    free(html);
}

static void many_classes_are_told_by_mistakes(void **state)
{
    (void)state;
    enum { CLASSES = 40 };
    int64_t counts[CLASSES * CLASSES] = {0};
    for (int i = 0; i < CLASSES; i++) {
        counts[i * CLASSES + i] = 100;
        counts[i * CLASSES + (i + 1) % CLASSES] = i;
    }
    const an_page_matrix matrix = {"many", CLASSES, counts};
    const an_page page = {.title = "many", .matrices = &matrix, .matrix_count = 1};
    char *html = written(&page);
    const char *first = strstr(html, "<th scope=\"row\">39</th><td>0</td><td>39</td>");
    const char *second = strstr(html, "<th scope=\"row\">38</th><td>39</td><td>38</td>");
    assert_true(first && second && first < second);
    assert_int_equal(times(html, "<th scope=\"row\">"), 20);
    assert_null(strstr(html, "<td>100</td>"));
    free(html);
}

/* ------------------------------------------------------------------ failures */

typedef struct budget {
    size_t calls;
} budget;

static void *limited(void *user, void *block, size_t old_size, size_t new_size)
{
    budget *b = user;
    an_allocator own = an_allocator_default();
    if (new_size > 0 && b->calls == 0) {
        return NULL;
    }
    b->calls -= new_size > 0;
    return own.resize(own.user, block, old_size, new_size);
}

static void fails_cleanly(void **state)
{
    (void)state;
    const an_page page = {.title = "x"};
    an_error err = {0};
    assert_false(an_report_page(&page, "/nowhere/at/all.html", NULL, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "/nowhere/at/all.html"));
    bool done = false;
    unlink(path);
    for (size_t calls = 0; !done && calls < 50; calls++) {
        budget b = {calls};
        an_allocator allocator = {limited, &b};
        err = (an_error){0};
        done = an_report_page(&page, path, &allocator, &err);
        assert_int_equal(err.code, done ? AN_ERROR_OK : AN_ERROR_MEMORY);
        assert_int_equal(access(path, F_OK), done ? 0 : -1);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_what_it_is_given),
        cmocka_unit_test(escapes),
        cmocka_unit_test(little_is_enough),
        cmocka_unit_test(gaps),
        cmocka_unit_test(long_lines_keep_their_extremes),
        cmocka_unit_test(noise_is_thin),
        cmocka_unit_test(many_classes_are_told_by_mistakes),
        cmocka_unit_test(fails_cleanly),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
