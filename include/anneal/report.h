/*
 * anneal/report.h - plots as pictures: SVG by itself, PNG and PDF through cairo; a page on runs.
 *
 *   an_series lines[] = {{"StepLR(step_size=30)", values, 101}};
 *   an_plot plot = {"step", "lr", lines, 1};           (anneal/term.h describes plots)
 *   an_report_plot(&plot, "step.svg", NULL, &err);
 *
 * A picture is as high as its legend needs and otherwise of one size. The lines' colours are ones
 * that the colour-blind can tell apart. Lines of any number of values are drawn as few points: what
 * is left out lies within a fifth of a pixel of the line, so an SVG takes a few kilobytes.
 */
#ifndef ANNEAL_REPORT_H
#define ANNEAL_REPORT_H

#include <anneal/term.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum an_picture { AN_PICTURE_SVG, AN_PICTURE_PNG, AN_PICTURE_PDF } an_picture;

/*
 * The kind of picture that a file's name asks for by its ending (.svg, .png, .pdf, in any case).
 * False with err (ARGUMENT) for another ending, (STATE) for one that this build cannot draw.
 */
AN_API bool an_picture_of(const char *path, an_picture *out, an_error *err);

/*
 * Draws `plot` and writes it to the file `path`: the old file or the new one is there, whole, at
 * any instant. A symbolic link stays and its target is replaced; an old file's permissions are
 * kept; what is no regular file (a device, a pipe) is refused. `allocator` NULL: the default. False
 * with err (ARGUMENT, STATE, MEMORY, IO).
 */
AN_API bool an_report_plot(const an_plot *plot, const char *path, const an_allocator *allocator,
                           an_error *err);

/* --------------------------------------------------------------- the page */

/*
 * A report on runs as one HTML file that needs no other and no network. It is whole without
 * JavaScript; with it, the charts zoom together and tell their values. Texts may be anything: they
 * are escaped.
 *
 *   an_chart_line lines[] = {{.run = 0, .name = "training", .x = epochs, .y = loss, .count = 10}};
 *   an_chart charts[] = {{"Loss", "epoch", "loss", true, lines, 1}};
 *   const char *runs[] = {"mnist-mlp-3f2a"};
 *   an_page page = {.title = "mnist-mlp-3f2a", .runs = runs, .run_count = 1,
 *                   .charts = charts, .chart_count = 1};
 *   an_report_page(&page, "report.html", NULL, &err);
 */

/* A line of a chart, in its run's colour. What is not finite leaves a gap; x must not fall. */
typedef struct an_chart_line {
    size_t run;       /* an index in the page's runs */
    const char *name; /* "validation" */
    int dash;         /* 0: drawn through; 1, 2, 3: dashed, dotted, both */
    const double *x, *y;
    size_t count;
} an_chart_line;

/* Lines over a common x, which all charts of a page share. */
typedef struct an_chart {
    const char *title, *x_label, *y_label;
    bool may_be_log; /* offers a logarithmic axis */
    const an_chart_line *lines;
    size_t line_count;
} an_chart;

/* Something that happened in a run: a mark on every chart. */
typedef struct an_page_mark {
    size_t run;
    double x;
    const char *kind, *text;
} an_page_mark;

/* cells[row * columns + column], NULL: empty. The first column is the rows' names. */
typedef struct an_page_table {
    const char *title, *note; /* note NULL: none */
    const char *const *heads;
    size_t columns, rows;
    const char *const *cells;
    bool folded; /* shown on a click */
} an_page_table;

/* counts[label * classes + answer]; the greater ones of many classes' mistakes become a list. */
typedef struct an_page_matrix {
    const char *title;
    size_t classes;
    const int64_t *counts;
} an_page_matrix;

/* A text as it is, shown on a click: a configuration. */
typedef struct an_page_text {
    const char *title, *text;
} an_page_text;

typedef struct an_page {
    const char *title, *lead;
    const char *const *runs;
    size_t run_count;
    const an_chart *charts;
    size_t chart_count;
    const an_page_mark *marks;
    size_t mark_count;
    const an_page_table *tables;
    size_t table_count;
    const an_page_matrix *matrices;
    size_t matrix_count;
    const an_page_text *texts;
    size_t text_count;
} an_page;

/* Writes the page as an_report_plot writes pictures. False with err (MEMORY, IO). */
AN_API bool an_report_page(const an_page *page, const char *path, const an_allocator *allocator,
                           an_error *err);

#ifdef __cplusplus
}
#endif
#endif
