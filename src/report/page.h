/* What the files of the HTML page share. Everything is added to one text in memory. */
#ifndef AN_REPORT_PAGE_H
#define AN_REPORT_PAGE_H

#include "report/bytes.h"

#include <anneal/report.h>

/* page.css and page.js, made into C by embed.py. */
extern const char an__page_css[], an__page_js[];

/* Six colours; runs beyond take them again with thinner lines. */
#define AN_PAGE_COLOURS 6

/* ------------------------------------------------------------------- texts */

/* The text between tags or in an attribute's double quotes; what is no UTF-8 becomes U+FFFD. */
void an__html_text(an_bytes *out, const char *text);
/* The text as a string of JSON in quotes, without what could end a script element. */
void an__json_text(an_bytes *out, const char *text);
/* Nine significant digits; null of what is not finite. */
void an__json_number(an_bytes *out, double value);
/* A whole number. */
void an__page_count(an_bytes *out, int64_t value);

/* ------------------------------------------------------------------ charts */

#define AN_PAGE_POINTS 2000

/* A line's points, at most so many. */
typedef struct an_page_points {
    double x[AN_PAGE_POINTS], y[AN_PAGE_POINTS];
    size_t count;
} an_page_points;

/*
 * Of a line with more points, the first, least, greatest and last of equal shares of them; a share
 * without finite values leaves one gap.
 */
void an__page_thin(const an_chart_line *line, an_page_points *points);

/* The least and greatest of finite values; low > high where there are none. */
typedef struct an_page_span {
    double low, high;
} an_page_span;

/* The x of all charts, never empty. */
an_page_span an__page_span(const an_page *page);

/* Chart `index` over `x` with its title and the key of its lines' dashes. */
void an__page_chart(an_bytes *out, const an_page *page, size_t index, an_page_span x,
                    an_page_points *points);
/* What the script draws: runs, charts and marks as JSON. */
void an__page_data(an_bytes *out, const an_page *page, an_page_points *points);

/* ------------------------------------------------------------------ tables */

void an__page_table(an_bytes *out, const an_page_table *table);
void an__page_matrix(an_bytes *out, const an_page_matrix *matrix);

#endif
