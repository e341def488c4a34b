/* The numbers of a page: long lines made short, and everything as JSON for the script. */
#include "report/page.h"

#include <math.h>

#define SHARES (AN_PAGE_POINTS / 4)

static void push(an_page_points *points, const an_chart_line *line, size_t i)
{
    points->x[points->count] = line->x[i];
    points->y[points->count++] = line->y[i];
}

/* The first, least, greatest and last finite point of [from, to), each once and in order. */
static void push_share(an_page_points *points, const an_chart_line *line, size_t from, size_t to)
{
    size_t first = to, least = to, greatest = to, last = to;
    for (size_t i = from; i < to; i++) {
        if (!isfinite(line->y[i])) {
            continue;
        }
        first = first == to ? i : first;
        least = least == to || line->y[i] < line->y[least] ? i : least;
        greatest = greatest == to || line->y[i] > line->y[greatest] ? i : greatest;
        last = i;
    }
    if (first == to) {
        push(points, line, from);
        return;
    }
    size_t low = least < greatest ? least : greatest, high = least < greatest ? greatest : least;
    push(points, line, first);
    if (low != first) {
        push(points, line, low);
    }
    if (high != low && high != first) {
        push(points, line, high);
    }
    if (last != high && last != low && last != first) {
        push(points, line, last);
    }
}

void an__page_thin(const an_chart_line *line, an_page_points *points)
{
    points->count = 0;
    if (line->count <= AN_PAGE_POINTS) {
        for (size_t i = 0; i < line->count; i++) {
            push(points, line, i);
        }
        return;
    }
    for (size_t share = 0; share < SHARES; share++) {
        size_t each = line->count / SHARES, more = line->count % SHARES;
        size_t from = share * each + (share < more ? share : more);
        push_share(points, line, from, from + each + (share < more));
    }
}

an_page_span an__page_span(const an_page *page)
{
    an_page_span span = {INFINITY, -INFINITY};
    for (size_t c = 0; c < page->chart_count; c++) {
        for (size_t l = 0; l < page->charts[c].line_count; l++) {
            const an_chart_line *line = &page->charts[c].lines[l];
            for (size_t i = 0; i < line->count; i++) {
                if (isfinite(line->x[i])) {
                    span.low = fmin(span.low, line->x[i]);
                    span.high = fmax(span.high, line->x[i]);
                }
            }
        }
    }
    if (span.low > span.high) {
        return (an_page_span){0, 1};
    }
    if (span.low == span.high) {
        span = (an_page_span){span.low - 0.5, span.high + 0.5};
    }
    return span;
}

/* -------------------------------------------------------------------- JSON */

static void add_numbers(an_bytes *out, const char *name, const double *values, size_t count)
{
    an__bytes_text(out, ",\"");
    an__bytes_text(out, name);
    an__bytes_text(out, "\":[");
    for (size_t i = 0; i < count; i++) {
        an__bytes_text(out, i > 0 ? "," : "");
        an__json_number(out, values[i]);
    }
    an__bytes_text(out, "]");
}

static void add_line(an_bytes *out, const an_chart_line *line, an_page_points *points)
{
    an__bytes_text(out, "{\"run\":");
    an__page_count(out, (int64_t)line->run);
    an__bytes_text(out, ",\"dash\":");
    an__page_count(out, line->dash);
    an__bytes_text(out, ",\"name\":");
    an__json_text(out, line->name);
    an__page_thin(line, points);
    add_numbers(out, "x", points->x, points->count);
    add_numbers(out, "y", points->y, points->count);
    an__bytes_text(out, "}");
}

static void add_chart(an_bytes *out, const an_chart *chart, an_page_points *points)
{
    an__bytes_text(out, "{\"title\":");
    an__json_text(out, chart->title);
    an__bytes_text(out, ",\"x\":");
    an__json_text(out, chart->x_label);
    an__bytes_text(out, ",\"y\":");
    an__json_text(out, chart->y_label);
    an__bytes_text(out, ",\"lines\":[");
    for (size_t i = 0; i < chart->line_count; i++) {
        an__bytes_text(out, i > 0 ? ",\n" : "\n");
        add_line(out, &chart->lines[i], points);
    }
    an__bytes_text(out, "]}");
}

static void add_mark(an_bytes *out, const an_page_mark *mark)
{
    an__bytes_text(out, "{\"run\":");
    an__page_count(out, (int64_t)mark->run);
    an__bytes_text(out, ",\"x\":");
    an__json_number(out, mark->x);
    an__bytes_text(out, ",\"kind\":");
    an__json_text(out, mark->kind);
    an__bytes_text(out, ",\"text\":");
    an__json_text(out, mark->text);
    an__bytes_text(out, "}");
}

void an__page_data(an_bytes *out, const an_page *page, an_page_points *points)
{
    an__bytes_text(out, "{\"runs\":[");
    for (size_t i = 0; i < page->run_count; i++) {
        an__bytes_text(out, i > 0 ? "," : "");
        an__json_text(out, page->runs[i]);
    }
    an__bytes_text(out, "],\n\"charts\":[");
    for (size_t i = 0; i < page->chart_count; i++) {
        an__bytes_text(out, i > 0 ? ",\n" : "\n");
        add_chart(out, &page->charts[i], points);
    }
    an__bytes_text(out, "],\n\"marks\":[");
    for (size_t i = 0; i < page->mark_count; i++) {
        an__bytes_text(out, i > 0 ? ",\n" : "\n");
        add_mark(out, &page->marks[i]);
    }
    an__bytes_text(out, "]}");
}
