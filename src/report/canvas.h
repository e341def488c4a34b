/*
 * What a plot is drawn on: lines and words at places in pixels, from the top left corner. One
 * canvas writes SVG, the other draws through cairo; the layout knows neither.
 */
#ifndef AN_REPORT_CANVAS_H
#define AN_REPORT_CANVAS_H

#include "report/bytes.h"

#include <anneal/report.h>

typedef struct an_point {
    double x, y;
} an_point;

/* Colour as 0xRRGGBB, width in pixels. */
typedef struct an_ink {
    unsigned colour;
    double width;
    bool dashed;
} an_ink;

typedef enum an_anchor { AN_ANCHOR_START, AN_ANCHOR_MIDDLE, AN_ANCHOR_END } an_anchor;

/* `at` is where the words' baseline starts, has its middle or ends. */
typedef struct an_words {
    an_point at;
    an_anchor anchor;
    double size;
    unsigned colour;
    const char *text; /* valid UTF-8 without control characters */
} an_words;

typedef struct an_canvas an_canvas;

/*
 * `begin` comes first, with the picture's size; `end` last: it writes what is not yet written and
 * lets go of what the canvas holds, also after an error.
 */
typedef struct an_canvas_class {
    void (*begin)(an_canvas *canvas, double width, double height);
    void (*line)(an_canvas *canvas, const an_point *points, size_t count, an_ink ink);
    void (*words)(an_canvas *canvas, const an_words *words);
    bool (*end)(an_canvas *canvas, an_error *err);
} an_canvas_class;

struct an_canvas {
    const an_canvas_class *class;
    an_bytes *out;
    an_picture kind;
    void *cairo, *surface; /* cairo's alone */
};

extern const an_canvas_class an__svg_canvas;
extern const an_canvas_class an__cairo_canvas; /* only with AN_WITH_CAIRO */

/* Draws the plot from begin to the last word, but not end. False with err (MEMORY). */
bool an__draw_plot(an_canvas *canvas, const an_plot *plot, const an_allocator *allocator,
                   an_error *err);

/*
 * The points of values[first..end), all finite, as few as show the same line: never more than
 * AN_PATH_MOST(width of the field). `points` has room for that many.
 */
typedef struct an_field {
    double left, top, width, height; /* in pixels */
    an_axis steps, values;
} an_field;

#define AN_PATH_MOST(width) (4 * ((size_t)(width) + 2))

size_t an__path(const an_field *field, const an_series *series, size_t first, size_t end,
                an_point *points);

/* The width in pixels of `text` at font size `size`, in a wide sans-serif font. */
double an__text_width(const char *text, double size);
/*
 * Copies `text` into `buffer`, at most `width` pixels of it: what is cut is replaced by "…", what
 * is no valid text by "?".
 */
void an__text_fit(char *buffer, size_t buffer_size, const char *text, double size, double width);

/*
 * How many bytes of `text` stand in a row of `width` pixels: all of them, or those up to the last
 * blank before its end; 0 if there is no such blank.
 */
size_t an__text_break(const char *text, double size, double width);

#endif
