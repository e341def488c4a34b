/*
 * The layout of a plot, from the top: the names with their colours, the title of the value axis,
 * the field, the labels of the steps, the title of the step axis. Nothing lies over the lines.
 */
#include "report/canvas.h"

#include <math.h>
#include <string.h>

#define WIDTH 680.0
#define MARGIN 14.0
#define FIELD_HEIGHT 220.0
#define NAME_HEIGHT 20.0 /* from one name to the next */
#define ROW_HEIGHT 17.0  /* from one row of a long name to the next */
#define MOST_ROWS 3
#define ABOVE_FIELD 30.0
#define BELOW_FIELD 46.0

#define NAME_SIZE 13.0
#define LABEL_SIZE 11.5
#define SWATCH 20.0
#define GAP 7.0
#define TEXT_BYTES 512

#define WORD_COLOUR 0x222222u
#define LABEL_COLOUR 0x555555u
#define AXIS_COLOUR 0x8c8c8cu
#define GRID_COLOUR 0xe4e4e4u

/* Okabe and Ito's palette, the darker colours first. After six lines it begins again, in dashes. */
static const unsigned colours[] = {0x0072b2, 0xd55e00, 0x009e73, 0xe69f00, 0xcc79a7, 0x56b4e9};

#define COLOUR_COUNT (sizeof colours / sizeof *colours)

static an_ink ink_of(size_t series)
{
    return (an_ink){colours[series % COLOUR_COUNT], 2, series / COLOUR_COUNT % 2 == 1};
}

static void say(an_canvas *canvas, const char *text, double x, double y, an_anchor anchor)
{
    an_words words = {{x, y}, anchor, LABEL_SIZE, LABEL_COLOUR, text};
    canvas->class->words(canvas, &words);
}

static void draw(an_canvas *canvas, double x1, double y1, double x2, double y2, unsigned colour)
{
    an_point points[] = {{x1, y1}, {x2, y2}};
    canvas->class->line(canvas, points, 2, (an_ink){colour, 1, false});
}

/* ------------------------------------------------------------------- names */

/* Where the legend has got to: the end of the last name (a long one fills its last row), and the
 * baseline of its row. */
typedef struct legend {
    double end, y;
} legend;

/*
 * One row of a name into `piece`, as much of `name` as fits in `width`, up to a blank if there is
 * one; the last row takes all that is left, cut. Returns what is left after it.
 */
static const char *take_row(char *piece, const char *name, double width, bool last)
{
    size_t length = last ? 0 : an__text_break(name, NAME_SIZE, width);
    if (length == 0 || length >= TEXT_BYTES) {
        an__text_fit(piece, TEXT_BYTES, name, NAME_SIZE, width);
        return "";
    }
    char row[TEXT_BYTES];
    memcpy(row, name, length);
    row[length] = '\0';
    an__text_fit(piece, TEXT_BYTES, row, NAME_SIZE, width);
    return name + length + strspn(name + length, " ");
}

static void draw_swatch(an_canvas *canvas, double x, double y, size_t series)
{
    double middle = y - 0.35 * NAME_SIZE;
    an_point points[] = {{x, middle}, {x + SWATCH, middle}};
    canvas->class->line(canvas, points, 2, ink_of(series));
}

/* Draws name i after the one before it if it fits there, else from the left, in up to 3 rows. */
static void lay_name(an_canvas *canvas, const an_plot *plot, size_t i, legend *at)
{
    double swatch = plot->series_count > 1 ? SWATCH + GAP : 0;
    double room = WIDTH - 2 * MARGIN - swatch, x = at->end + (i > 0 ? 3 * GAP : 0) + swatch;
    const char *rest = plot->series[i].name;
    if (i > 0 && x + an__text_width(rest, NAME_SIZE) > WIDTH - MARGIN) {
        x = MARGIN + swatch;
        at->y += NAME_HEIGHT;
    }
    if (canvas && swatch > 0) {
        draw_swatch(canvas, x - swatch, at->y, i);
    }
    for (int row = 0; row < MOST_ROWS && (row == 0 || *rest); row++) {
        char piece[TEXT_BYTES];
        rest = take_row(piece, rest, room, row == MOST_ROWS - 1);
        at->y += row > 0 ? ROW_HEIGHT : 0;
        at->end = row > 0 ? WIDTH : x + an__text_width(piece, NAME_SIZE);
        if (canvas) {
            an_words words = {{x, at->y}, AN_ANCHOR_START, NAME_SIZE, WORD_COLOUR, piece};
            canvas->class->words(canvas, &words);
        }
    }
}

/* Draws the names, or with `canvas` NULL only measures; returns where they end. */
static double lay_names(an_canvas *canvas, const an_plot *plot)
{
    legend at = {MARGIN, MARGIN + NAME_SIZE};
    for (size_t i = 0; i < plot->series_count; i++) {
        lay_name(canvas, plot, i, &at);
    }
    return at.y + 4;
}

/* -------------------------------------------------------------------- axes */

static double widest_label(const an_axis *axis)
{
    double widest = 0;
    for (int i = 0; i < axis->count; i++) {
        char label[64];
        an_axis_label(label, sizeof label, axis, i);
        widest = fmax(widest, an__text_width(label, LABEL_SIZE));
    }
    return widest;
}

static an_field lay_field(const an_plot *plot)
{
    an_field f = {.values = an_axis_values(plot, 6), .height = FIELD_HEIGHT};
    f.left = MARGIN + widest_label(&f.values) + GAP;
    f.top = lay_names(NULL, plot) + ABOVE_FIELD;
    f.width = WIDTH - f.left - 2 * MARGIN;
    for (int most = 11; most >= 3; most--) {
        f.steps = an_axis_steps(plot, most);
        if (f.steps.count * (widest_label(&f.steps) + 3 * GAP) <= f.width) {
            break;
        }
    }
    return f;
}

static void draw_values(an_canvas *canvas, const an_field *f, const an_plot *plot)
{
    char text[TEXT_BYTES], title[TEXT_BYTES];
    an_axis_title(text, sizeof text, &f->values, plot->y_label, true);
    an__text_fit(title, sizeof title, text, LABEL_SIZE, f->width);
    say(canvas, title, MARGIN, f->top - 12, AN_ANCHOR_START);
    for (int i = 0; i < f->values.count; i++) {
        double y = f->top + f->height * (1 - (double)i / (f->values.count - 1));
        char label[64];
        an_axis_label(label, sizeof label, &f->values, i);
        say(canvas, label, f->left - GAP, y + 0.36 * LABEL_SIZE, AN_ANCHOR_END);
        if (i > 0) {
            draw(canvas, f->left, y, f->left + f->width, y, GRID_COLOUR);
        }
    }
}

static void draw_steps(an_canvas *canvas, const an_field *f, const an_plot *plot)
{
    char title[TEXT_BYTES];
    double bottom = f->top + f->height;
    draw(canvas, f->left, bottom, f->left + f->width, bottom, AXIS_COLOUR);
    for (int i = 0; i < f->steps.count; i++) {
        double x = f->left + f->width * an_axis_tick(&f->steps, i) / f->steps.high;
        char label[64];
        an_axis_label(label, sizeof label, &f->steps, i);
        draw(canvas, x, bottom, x, bottom + 4, AXIS_COLOUR);
        say(canvas, label, x, bottom + 17, AN_ANCHOR_MIDDLE);
    }
    an__text_fit(title, sizeof title, plot->x_label, LABEL_SIZE, f->width);
    say(canvas, title, f->left + f->width / 2, bottom + 35, AN_ANCHOR_MIDDLE);
}

/* ------------------------------------------------------------------- lines */

/* The series' pieces between the gaps; a lone value is a dot, a line of no length. */
static void draw_series(an_canvas *canvas, const an_field *f, const an_plot *plot, size_t index,
                        an_point *points)
{
    const an_series *series = &plot->series[index];
    for (size_t first = 0, end; first < series->count; first = end + 1) {
        for (end = first; end < series->count && isfinite(series->values[end]);) {
            end++;
        }
        if (end == first) {
            continue;
        }
        size_t count = an__path(f, series, first, end, points);
        if (count == 1) {
            points[count++] = points[0];
        }
        canvas->class->line(canvas, points, count, ink_of(index));
    }
}

bool an__draw_plot(an_canvas *canvas, const an_plot *plot, const an_allocator *allocator,
                   an_error *err)
{
    an_field f = lay_field(plot);
    size_t room = AN_PATH_MOST(f.width);
    an_point *points = an_alloc(allocator, room, sizeof *points, err);
    canvas->class->begin(canvas, WIDTH, f.top + f.height + BELOW_FIELD);
    if (!points) {
        return false;
    }
    lay_names(canvas, plot);
    draw_values(canvas, &f, plot);
    draw_steps(canvas, &f, plot);
    for (size_t i = 0; i < plot->series_count; i++) {
        draw_series(canvas, &f, plot, i, points);
    }
    an_release(allocator, points, room, sizeof *points);
    return true;
}
