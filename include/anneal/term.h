/*
 * anneal/term.h - drawing in characters: bars, sparklines, numbers for people, line plots.
 *
 * Every function writes text into a caller's buffer and returns its length in bytes as an_format
 * does; nothing here knows what is shown. `unicode` false gives plain ASCII.
 */
#ifndef ANNEAL_TERM_H
#define ANNEAL_TERM_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* True when file descriptor `fd` is a terminal; its width and height in cells, or `otherwise`. */
AN_API bool an_term_is_terminal(int fd);
AN_API int an_term_width(int fd, int otherwise);
AN_API int an_term_height(int fd, int otherwise);

/* A bar of `columns` cells of which `fraction` (0..1) is drawn full, to half a cell. */
AN_API size_t an_term_bar(char *buffer, size_t size, int columns, double fraction, bool unicode);

/*
 * A sparkline: `columns` cells of eight heights between the least and the greatest of `count`
 * values, sampled evenly; a constant is drawn at mid-height, NaN as a space.
 */
AN_API size_t an_term_sparkline(char *buffer, size_t size, const double *values, size_t count,
                                int columns, bool unicode);

/*
 * Three significant digits, whole from 100 on: 0.0712, 2.30, 1234, 1.00e-05. An accuracy of 0.979
 * as "97.9 %".
 */
AN_API size_t an_term_number(char *buffer, size_t size, double value);
AN_API size_t an_term_percent(char *buffer, size_t size, double fraction);

/* 60000 as "60,000". */
AN_API size_t an_term_count(char *buffer, size_t size, int64_t value);
/* 412345.0 as "412k", 1.2e6 as "1.2M". */
AN_API size_t an_term_rate(char *buffer, size_t size, double value);
/* 1.234 as "1.2 s", 75 as "1 min 15 s", 4000 as "1 h 7 min". */
AN_API size_t an_term_duration(char *buffer, size_t size, double seconds);
/* Columns that UTF-8 `text` takes, counting each code point as one. */
AN_API int an_term_columns(const char *text);

/* -------------------------------------------------------------------- plots */

/* A line of a plot: values[i] is what it is at step i. What is not finite leaves a gap. */
typedef struct an_series {
    const char *name;
    const double *values;
    size_t count;
} an_series;

/* A plot of one or several lines; drawn here in characters, by anneal/report.h to a file. */
typedef struct an_plot {
    const char *x_label, *y_label; /* "step", "lr" */
    const an_series *series;
    size_t series_count;
} an_plot;

/*
 * An axis from `low` to `high` with ticks at round numbers: tick i of `count` is at
 * (first + i * stride) * 10^power. Labels leave out the factor 10^scale, which is not 1 where the
 * numbers are all very small or very large: it belongs to the axis's name.
 */
typedef struct an_axis {
    double low, high;
    int64_t first, stride;
    int power, scale, count;
} an_axis;

/*
 * The axis of the plot's values, with at most `most` (3 or more) ticks, of which the first and the
 * last are its ends. It begins at 0 when the values come near it.
 */
AN_API an_axis an_axis_values(const an_plot *plot, int most);
/* The axis of the plot's steps, from 0 to the last, ticks at whole numbers; `most` likewise. */
AN_API an_axis an_axis_steps(const an_plot *plot, int most);
AN_API double an_axis_tick(const an_axis *axis, int i);
/* Tick i as "0.05" or "10,000"; all labels of an axis have the same number of decimals. */
AN_API size_t an_axis_label(char *buffer, size_t size, const an_axis *axis, int i);
/* The axis's name with its factor: "lr", "lr ×10⁻⁵" or, without Unicode, "lr x1e-5". */
AN_API size_t an_axis_title(char *buffer, size_t size, const an_axis *axis, const char *name,
                            bool unicode);

/*
 * How a plot is drawn. The whole of it takes at most `columns` (from 20 to 500 are heeded) and
 * `rows` lines (from 5 to 100): where these are few, names share lines and are cut, and then the
 * field gets lower. With `colour`, lines have the colours of the 256-colour terminals; without it,
 * several lines differ by their marks.
 */
typedef struct an_term_canvas {
    int columns, rows;
    bool unicode, colour;
} an_term_canvas;

/*
 * The plot as lines of text, each ended: the names, unless there is but one and it is the axis's
 * own; the field with its axes; the steps.
 */
AN_API size_t an_term_plot(char *buffer, size_t size, const an_plot *plot,
                           const an_term_canvas *canvas);

#ifdef __cplusplus
}
#endif
#endif
