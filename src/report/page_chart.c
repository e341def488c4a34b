/* A chart as SVG in the page: what is seen and printed without the script. */
#include "report/page.h"

#include <math.h>
#include <string.h>

#define WIDTH 520.0
#define HEIGHT 260.0
#define LEFT 54.0
#define RIGHT 12.0
#define ABOVE 30.0
#define BELOW 40.0
#define TICKS 6
/* Lines of no more points show each of them. */
#define DOTS_MOST 20
/* Lines of more points that go up and down are thinner. */
#define DENSE 300

typedef struct frame {
    an_page_span x;
    an_axis y;
} frame;

static double x_of(const frame *f, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (x - f->x.low) / (f->x.high - f->x.low);
}

static double y_of(const frame *f, double y)
{
    double up = (y - f->y.low) / (f->y.high - f->y.low);
    return ABOVE + (HEIGHT - ABOVE - BELOW) * (1 - up);
}

/* A place in pixels, to hundredths, as in ` x1="52.5"`, or bare where `name` is NULL. */
static void add_pixels(an_bytes *out, const char *name, double value)
{
    char number[40], text[80];
    an_number_print_short(number, sizeof number, round(value * 100) / 100);
    an_format(text, sizeof text, name ? " %s=\"%s\"" : "%s%s", name ? name : "", number);
    an__bytes_text(out, text);
}

/* class="line s1 r7 d2 again", or whatever `kind` is; `dash` 0 for marks and dots. */
static void add_class(an_bytes *out, const char *kind, size_t run, int dash)
{
    char text[96];
    an_format(text, sizeof text, " class=\"%s s%zu r%zu", kind, run % AN_PAGE_COLOURS, run);
    an__bytes_text(out, text);
    an_format(text, sizeof text, " d%d", dash % 4);
    an__bytes_text(out, dash > 0 ? text : "");
    an__bytes_text(out, run / AN_PAGE_COLOURS % 2 == 1 ? " again\"" : "\"");
}

static void add_rule(an_bytes *out, const char *kind, double x1, double y1, double x2, double y2)
{
    an__bytes_text(out, "<line class=\"");
    an__bytes_text(out, kind);
    an__bytes_text(out, "\"");
    add_pixels(out, "x1", x1);
    add_pixels(out, "y1", y1);
    add_pixels(out, "x2", x2);
    add_pixels(out, "y2", y2);
    an__bytes_text(out, "/>");
}

static void add_words(an_bytes *out, double x, double y, const char *anchor, const char *text)
{
    an__bytes_text(out, "<text");
    add_pixels(out, "x", x);
    add_pixels(out, "y", y);
    an__bytes_text(out, " text-anchor=\"");
    an__bytes_text(out, anchor);
    an__bytes_text(out, "\">");
    an__html_text(out, text);
    an__bytes_text(out, "</text>\n");
}

/* -------------------------------------------------------------------- axes */

static an_page_span values_of(const an_chart *chart)
{
    an_page_span span = {INFINITY, -INFINITY};
    for (size_t l = 0; l < chart->line_count; l++) {
        const an_chart_line *line = &chart->lines[l];
        for (size_t i = 0; i < line->count; i++) {
            if (isfinite(line->y[i])) {
                span.low = fmin(span.low, line->y[i]);
                span.high = fmax(span.high, line->y[i]);
            }
        }
    }
    return span;
}

static void add_y_axis(an_bytes *out, const frame *f, const char *name)
{
    char text[128];
    for (int i = 0; i < f->y.count; i++) {
        double at = y_of(f, an_axis_tick(&f->y, i));
        an_axis_label(text, sizeof text, &f->y, i);
        add_rule(out, "grid", LEFT, at, WIDTH - RIGHT, at);
        add_words(out, LEFT - 7, at + 4, "end", text);
    }
    an_axis_title(text, sizeof text, &f->y, name, true);
    add_words(out, 2, 14, "start", text);
}

/* Whole numbers within the span. */
static void add_x_axis(an_bytes *out, const frame *f, const char *name)
{
    char text[128];
    const double none[] = {0};
    bool countable = f->x.high >= 0 && f->x.high < 1e9;
    an_series series = {"", none, countable ? (size_t)f->x.high + 1 : 1};
    an_plot plot = {"", "", &series, 1};
    an_axis axis = an_axis_steps(&plot, 2 * TICKS);
    double bottom = HEIGHT - BELOW;
    add_rule(out, "axis", LEFT, bottom, WIDTH - RIGHT, bottom);
    for (int i = 0; countable && i < axis.count; i++) {
        double tick = an_axis_tick(&axis, i);
        if (tick < f->x.low || tick > f->x.high) {
            continue;
        }
        an_axis_label(text, sizeof text, &axis, i);
        add_rule(out, "axis", x_of(f, tick), bottom, x_of(f, tick), bottom + 4);
        add_words(out, x_of(f, tick), bottom + 18, "middle", text);
    }
    add_words(out, LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 5, "middle", name);
}

/* ------------------------------------------------------------------- lines */

static void add_dot(an_bytes *out, const frame *f, const an_chart_line *line, double x, double y)
{
    an__bytes_text(out, "<circle");
    add_class(out, "dot", line->run, 0);
    add_pixels(out, "cx", x_of(f, x));
    add_pixels(out, "cy", y_of(f, y));
    an__bytes_text(out, " r=\"3\"/>");
}

static bool is_point(const an_page_points *points, size_t i)
{
    return i < points->count && isfinite(points->x[i]) && isfinite(points->y[i]);
}

static bool is_dense(const an_page_points *points)
{
    const double *y = points->y;
    size_t turns = 0;
    for (size_t i = 2; i < points->count; i++) {
        turns += (y[i] - y[i - 1]) * (y[i - 1] - y[i - 2]) < 0;
    }
    return points->count > DENSE && turns > points->count / 4;
}

static void add_path(an_bytes *out, const frame *f, const an_chart_line *line,
                     const an_page_points *points)
{
    bool begun = false, drawing = false;
    for (size_t i = 0; i < points->count; i++) {
        if (!is_point(points, i)) {
            drawing = false;
            continue;
        }
        if (!begun) {
            an__bytes_text(out, "<path");
            add_class(out, is_dense(points) ? "line dense" : "line", line->run, line->dash);
            an__bytes_text(out, " d=\"");
        }
        an__bytes_text(out, drawing ? "L" : "M");
        add_pixels(out, NULL, x_of(f, points->x[i]));
        an__bytes_text(out, " ");
        add_pixels(out, NULL, y_of(f, points->y[i]));
        begun = drawing = true;
    }
    an__bytes_text(out, begun ? "\"/>\n" : "");
}

/* A point without neighbours is no line. */
static void add_dots(an_bytes *out, const frame *f, const an_chart_line *line,
                     const an_page_points *points)
{
    for (size_t i = 0; i < points->count; i++) {
        bool alone = (i == 0 || !is_point(points, i - 1)) && !is_point(points, i + 1);
        if (is_point(points, i) && (alone || points->count <= DOTS_MOST)) {
            add_dot(out, f, line, points->x[i], points->y[i]);
        }
    }
}

static void add_mark(an_bytes *out, const frame *f, const an_page_mark *mark)
{
    if (!(mark->x >= f->x.low && mark->x <= f->x.high)) {
        return;
    }
    double x = x_of(f, mark->x);
    an__bytes_text(out, "<g");
    add_class(out, "event", mark->run, 0);
    an__bytes_text(out, "><title>");
    an__html_text(out, mark->kind);
    an__bytes_text(out, ": ");
    an__html_text(out, mark->text);
    an__bytes_text(out, "</title>");
    add_rule(out, "mark", x, ABOVE, x, HEIGHT - BELOW);
    an__bytes_text(out, "<path class=\"flag\" d=\"M");
    add_pixels(out, NULL, x);
    an__bytes_text(out, " 30l-4 -7h8z\"/></g>\n");
}

static void add_svg(an_bytes *out, const an_page *page, const an_chart *chart, an_page_span x,
                    an_page_points *points)
{
    an_page_span span = values_of(chart);
    double ends[] = {span.low, span.high};
    an_series series = {"", ends, 2};
    an_plot plot = {"", "", &series, 1};
    frame f = {x, {.count = 0}};
    an__bytes_text(out, "<svg viewBox=\"0 0 520 260\" role=\"img\" aria-label=\"");
    an__html_text(out, chart->title);
    an__bytes_text(out, "\">\n");
    if (span.low > span.high) {
        add_words(out, WIDTH / 2, HEIGHT / 2, "middle", "no numbers yet");
        an__bytes_text(out, "</svg>");
        return;
    }
    f.y = an_axis_values(&plot, TICKS);
    add_y_axis(out, &f, chart->y_label);
    add_x_axis(out, &f, chart->x_label);
    for (size_t i = 0; i < page->mark_count; i++) {
        add_mark(out, &f, &page->marks[i]);
    }
    for (size_t i = 0; i < chart->line_count; i++) {
        an__page_thin(&chart->lines[i], points);
        add_path(out, &f, &chart->lines[i], points);
        add_dots(out, &f, &chart->lines[i], points);
    }
    an__bytes_text(out, "</svg>");
}

/* --------------------------------------------------------------------- key */

/* Whether an earlier line has the same name. */
static bool is_known(const an_chart *chart, size_t line)
{
    for (size_t i = 0; i < line; i++) {
        if (strcmp(chart->lines[i].name, chart->lines[line].name) == 0) {
            return true;
        }
    }
    return false;
}

/* What the dashes mean, where lines have different names. */
static void add_key(an_bytes *out, const an_chart *chart)
{
    size_t names = 0;
    char text[96];
    for (size_t i = 0; i < chart->line_count; i++) {
        names += !is_known(chart, i);
    }
    if (names < 2) {
        return;
    }
    an__bytes_text(out, "<div class=\"styles\">");
    for (size_t i = 0; i < chart->line_count; i++) {
        if (is_known(chart, i)) {
            continue;
        }
        an_format(text, sizeof text,
                  "<span><svg viewBox=\"0 0 28 6\"><line class=\"d%d\" x1=\"1\" y1=\"3\" x2=\"27\" "
                  "y2=\"3\"/></svg>",
                  chart->lines[i].dash % 4);
        an__bytes_text(out, text);
        an__html_text(out, chart->lines[i].name);
        an__bytes_text(out, "</span>");
    }
    an__bytes_text(out, "</div>\n");
}

void an__page_chart(an_bytes *out, const an_page *page, size_t index, an_page_span x,
                    an_page_points *points)
{
    const an_chart *chart = &page->charts[index];
    an__bytes_text(out, "<figure class=\"chart\"><figcaption><h2>");
    an__html_text(out, chart->title);
    an__bytes_text(out, "</h2><span class=\"tools\">");
    if (chart->may_be_log) {
        an__bytes_text(out, "<label><input type=\"checkbox\" class=\"log\">log scale</label>");
    }
    an__bytes_text(out, "<button type=\"button\" class=\"reset\" hidden>whole range</button>"
                        "</span></figcaption>\n");
    add_key(out, chart);
    an__bytes_text(out, "<div class=\"plot\">");
    add_svg(out, page, chart, x, points);
    an__bytes_text(out, "</div></figure>\n");
}
