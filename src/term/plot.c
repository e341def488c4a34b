/*
 * Line plots in characters. One line (or several in colours) is drawn in braille cells of 2 x 4
 * dots; without colour or Unicode, a cell is one dot and each line has a mark of its own.
 *
 *   CosineAnnealingLR(T_max=100)            names
 *
 *     lr                                    title of the value axis
 *   0.10 ┤⠒⠢⢄⡀                              field: ticks fall on the middles of rows
 *        │   ⠈⠑⢄
 *   0.00 ┤      ⠑⠤⣀
 *        └┬───┬───┬ step                    axis of steps
 *         0  50  100
 *
 * Where lines are few, several names share one, then the names stand beside the title, and of the
 * field two rows are left.
 */
#include "term/text.h"

#include <anneal/term.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIN_COLUMNS 20
#define MAX_COLUMNS 500
#define MIN_ROWS 5
#define MAX_ROWS 100
#define LABEL_SIZE 64

/* Lines around the field: the title of the values, the axis of steps and its labels. */
#define FRAME_ROWS 3
/* The field has as many rows as this before names have to share lines. */
#define GOOD_FIELD_ROWS 6
/* From this height on the values have more than 6 ticks. */
#define HIGH_FIELD 25
/* Fewer columns than this are not worth a name, cut to them. */
#define LEAST_NAME 6

/* 256-colour numbers near Okabe and Ito's palette, which the colour-blind can tell apart. */
static const char *const colours[] = {"\033[38;5;32m",  "\033[38;5;166m", "\033[38;5;36m",
                                      "\033[38;5;214m", "\033[38;5;175m", "\033[38;5;117m"};
static const char *const unicode_marks[] = {"●", "▲", "■", "○", "△", "□"};
static const char *const ascii_marks[] = {"*", "o", "x", "#", "@", "%"};

#define LOOKS (sizeof colours / sizeof *colours)

/* One character of the field: which dots are set, and whose line gives mark and colour. */
typedef struct cell {
    unsigned char dots, owner;
} cell;

/*
 * All that the drawing knows. `sub_x` by `sub_y` dots make a cell. The whole is `width` columns
 * wide. The names take `name_rows` lines, or with 0 stand beside the title. Every `label_every`-th
 * tick of the values has a label, `rows_per_label` rows from the one before.
 */
typedef struct field {
    const an_plot *plot;
    an_axis values, steps;
    int width, columns, rows, label_columns, name_rows, label_every, rows_per_label;
    int sub_x, sub_y;
    bool unicode, colour;
    cell cells[MAX_ROWS][MAX_COLUMNS];
} field;

typedef struct dot {
    int x, y;
} dot;

/* ----------------------------------------------------------------- drawing */

/* Bit of each dot in a braille character, row by row; a cell of one dot has the first. */
static const unsigned char braille_bits[4][2] = {
    {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

/* Where lines share cells, they take turns from column to column, so that each stays visible. */
static void set_dot(field *f, dot d, size_t series)
{
    int column = d.x / f->sub_x, row = d.y / f->sub_y;
    cell *c = &f->cells[row][column];
    bool own_turn = (size_t)column % f->plot->series_count == series;
    if (c->dots == 0 || own_turn)
        c->owner = (unsigned char)(series % LOOKS);
    c->dots |= braille_bits[d.y % f->sub_y][d.x % f->sub_x];
}

/* Bresenham's line. */
static void draw_segment(field *f, dot from, dot to, size_t series)
{
    int across = abs(to.x - from.x), down = abs(to.y - from.y);
    int step_x = from.x < to.x ? 1 : -1, step_y = from.y < to.y ? 1 : -1;
    int rest = across - down;
    for (;;) {
        set_dot(f, from, series);
        if (from.x == to.x && from.y == to.y)
            return;
        int twice = 2 * rest;
        if (twice > -down) {
            rest -= down;
            from.x += step_x;
        }
        if (twice < across) {
            rest += across;
            from.y += step_y;
        }
    }
}

static int limit(int value, int low, int high)
{
    return value < low ? low : value < high ? value : high;
}

/* The dot that is nearest to part `share` of the way between the middles of the end cells. */
static int place(double share, int cells, int sub)
{
    double at = (share * (cells - 1) + 0.5) * sub - 0.5;
    return limit((int)floor(at + 0.5), 0, cells * sub - 1);
}

static dot dot_of(const field *f, size_t step, double value)
{
    double x = (double)step / f->steps.high;
    double y = (f->values.high - value) / (f->values.high - f->values.low);
    y = fmin(fmax(y, 0), 1);
    return (dot){place(x, f->columns, f->sub_x), place(y, f->rows, f->sub_y)};
}

static void draw_series(field *f, size_t index)
{
    const an_series *series = &f->plot->series[index];
    dot last = {0, 0};
    bool connected = false;
    for (size_t i = 0; i < series->count; i++) {
        if (!isfinite(series->values[i])) {
            connected = false;
            continue;
        }
        dot next = dot_of(f, i, series->values[i]);
        draw_segment(f, connected ? last : next, next, index);
        last = next;
        connected = true;
    }
}

/* ------------------------------------------------------------------ layout */

static int label_columns(const an_axis *axis)
{
    int widest = 0;
    for (int i = 0; i < axis->count; i++) {
        char label[LABEL_SIZE];
        an_axis_label(label, sizeof label, axis, i);
        int columns = an_term_columns(label);
        widest = columns > widest ? columns : widest;
    }
    return widest;
}

/* As many ticks of steps as leave room for the labels, from 3 to 9. */
static an_axis choose_steps(const an_plot *plot, int columns)
{
    for (int most = 9; most > 3; most--) {
        an_axis axis = an_axis_steps(plot, most);
        if (axis.count * (label_columns(&axis) + 3) <= columns)
            return axis;
    }
    return an_axis_steps(plot, 3);
}

/* Rows of the field that `count` ticks at equal distances can use, of `rows`. */
static int rows_for(int count, int rows)
{
    int intervals = limit(count - 1, 1, rows - 1);
    return (rows - 1) / intervals * intervals + 1;
}

/* As many ticks as leave at most a fifth of `rows` unused, else those that leave the fewest. */
static void choose_values(field *f, int rows)
{
    int best = 0, many = rows < HIGH_FIELD ? 6 : 11;
    for (int most = limit(rows, 3, many); most >= 3 && rows - best > rows / 5; most--) {
        an_axis axis = an_axis_values(f->plot, most);
        int used = rows_for(axis.count, rows);
        if (used <= best)
            continue;
        best = used;
        f->values = axis;
    }
    int intervals = f->values.count - 1;
    bool each = intervals < rows;
    f->rows = each ? best : rows;
    f->label_every = each ? 1 : intervals;
    f->rows_per_label = each && intervals > 0 ? (best - 1) / intervals : rows - 1;
}

/* A lone line that is called as the axis is needs no name beside it. */
static size_t name_count(const an_plot *plot)
{
    size_t count = plot->series_count;
    return count == 1 && strcmp(plot->series[0].name, plot->y_label) == 0 ? 0 : count;
}

/*
 * One name a line, with an empty line after them; several where the field would be too low, as many
 * in each but the last. 0 where they have to stand beside the title.
 */
static int choose_name_rows(const field *f, int rows)
{
    size_t count = name_count(f->plot);
    size_t room = (size_t)limit(rows - FRAME_ROWS - GOOD_FIELD_ROWS - 1, 0, MAX_ROWS);
    if (room == 0 || count == 0)
        return 0;
    size_t each = (count + room - 1) / room;
    return (int)((count + each - 1) / each);
}

static void lay_out(field *f, const an_term_canvas *canvas)
{
    int rows = limit(canvas->rows, MIN_ROWS, MAX_ROWS);
    f->width = limit(canvas->columns, MIN_COLUMNS, MAX_COLUMNS);
    f->name_rows = choose_name_rows(f, rows);
    choose_values(f, rows - FRAME_ROWS - (f->name_rows > 0 ? f->name_rows + 1 : 0));
    f->label_columns = label_columns(&f->values);
    int title = 1 + an_term_columns(f->plot->x_label);
    f->columns = limit(f->width - f->label_columns - 2 - title, 2, MAX_COLUMNS);
    f->steps = choose_steps(f->plot, f->columns);
    f->unicode = canvas->unicode;
    f->colour = canvas->colour;
    bool braille = canvas->unicode && (canvas->colour || f->plot->series_count == 1);
    f->sub_x = braille ? 2 : 1;
    f->sub_y = braille ? 4 : 1;
}

/* ----------------------------------------------------------------- writing */

static void add_repeated(an_text *text, const char *piece, int times)
{
    for (int i = 0; i < times; i++)
        an__text_add(text, piece);
}

/* The character of a lone cell; the legend shows a braille line as a full one. */
static void add_mark(an_text *text, const field *f, size_t look)
{
    an__text_add(text, f->unicode ? unicode_marks[look] : ascii_marks[look]);
}

static void add_cell(an_text *text, const field *f, cell c)
{
    if (f->sub_x == 1) {
        add_mark(text, f, c.owner);
        return;
    }
    char braille[4] = {(char)0xE2, (char)(0xA0 | (c.dots >> 6)), (char)(0x80 | (c.dots & 0x3F)), 0};
    an__text_add(text, braille);
}

/* A row up to its last set cell; colours are switched only where they change. */
static void add_row(an_text *text, const field *f, int row)
{
    int end = f->columns, colour = -1;
    while (end > 0 && f->cells[row][end - 1].dots == 0)
        end--;
    for (int i = 0; i < end; i++) {
        cell c = f->cells[row][i];
        if (c.dots == 0) {
            an__text_add(text, " ");
            continue;
        }
        if (f->colour && c.owner != colour) {
            colour = c.owner;
            an__text_add(text, colours[colour]);
        }
        add_cell(text, f, c);
    }
    if (colour >= 0)
        an__text_add(text, "\033[0m");
    an__text_add(text, "\n");
}

/* `text` in at most `columns` columns, the rest replaced by dots; gives the columns taken. */
static int add_cut(an_text *text, const char *name, int columns, bool unicode)
{
    int dots = unicode ? 1 : 3, whole = an_term_columns(name);
    int left = whole <= columns ? columns : columns - dots;
    for (const char *at = name; *at != '\0' && left > 0; left--) {
        char glyph[8] = {0};
        size_t length = 0;
        do {
            glyph[length++] = *at++;
        } while (((unsigned char)*at & 0xC0) == 0x80 && length < sizeof glyph - 1);
        an__text_add(text, glyph);
    }
    if (whole <= columns)
        return whole;
    an__text_add(text, unicode ? "…" : "...");
    return columns;
}

/* A name, of several with the mark of its line before it; gives the columns taken. */
static int add_name(an_text *text, const field *f, size_t i, int columns)
{
    int mark = 0;
    if (f->plot->series_count > 1) {
        an__text_add(text, f->colour ? colours[i % LOOKS] : "");
        if (f->sub_x == 2)
            an__text_add(text, "━━");
        else
            add_mark(text, f, i % LOOKS);
        an__text_add(text, f->colour ? "\033[0m " : " ");
        mark = 1 + (f->sub_x == 2 ? 2 : 1);
    }
    return mark + add_cut(text, f->plot->series[i].name, columns - mark, f->unicode);
}

/*
 * Names i to end - 1 in one line, the first after `gap` blanks; what does not fit is left out. Each
 * gets its part of the columns, and what those before it leave.
 */
static void add_name_line(an_text *text, const field *f, size_t i, size_t end, int columns, int gap)
{
    for (; i < end && columns >= gap + LEAST_NAME; gap = 2) {
        int share = columns / (int)(end - i) - gap;
        add_repeated(text, " ", gap);
        columns -= gap + add_name(text, f, i++, share < LEAST_NAME ? LEAST_NAME : share);
    }
    an__text_add(text, "\n");
}

static void add_names(an_text *text, const field *f)
{
    size_t count = name_count(f->plot), lines = (size_t)f->name_rows;
    if (lines == 0)
        return;
    size_t each = (count + lines - 1) / lines;
    for (size_t i = 0; i < count; i += each)
        add_name_line(text, f, i, i + each < count ? i + each : count, f->width, 0);
    an__text_add(text, "\n");
}

/* The value axis's name ends where its labels end, or begins at the left edge if it is longer. */
static void add_value_title(an_text *text, const field *f)
{
    char title[LABEL_SIZE];
    an_axis_title(title, sizeof title, &f->values, f->plot->y_label, f->unicode);
    int columns = an_term_columns(title);
    add_repeated(text, " ", f->label_columns - columns);
    an__text_add(text, title);
    columns = columns > f->label_columns ? columns : f->label_columns;
    size_t names = f->name_rows > 0 ? 0 : name_count(f->plot);
    add_name_line(text, f, 0, names, f->width - columns, 2);
}

static void add_field(an_text *text, const field *f)
{
    for (int row = 0; row < f->rows; row++) {
        char label[LABEL_SIZE] = "";
        bool tick = row % f->rows_per_label == 0;
        int i = f->values.count - 1 - row / f->rows_per_label * f->label_every;
        if (tick)
            an_axis_label(label, sizeof label, &f->values, i);
        add_repeated(text, " ", f->label_columns - an_term_columns(label));
        an__text_add(text, label);
        an__text_add(text, f->unicode ? (tick ? " ┤" : " │") : (tick ? " +" : " |"));
        add_row(text, f, row);
    }
}

static int tick_column(const field *f, int i)
{
    return place(an_axis_tick(&f->steps, i) / f->steps.high, f->columns, 1);
}

/* The line under the field, with a mark at each tick and the axis's name at its end. */
static void add_step_line(an_text *text, const field *f)
{
    add_repeated(text, " ", f->label_columns + 1);
    an__text_add(text, f->unicode ? "└" : "+");
    for (int column = 0, i = 0; column < f->columns; column++) {
        bool tick = i < f->steps.count && tick_column(f, i) == column;
        an__text_add(text, f->unicode ? (tick ? "┬" : "─") : (tick ? "+" : "-"));
        i += tick;
    }
    an__text_add(text, " ");
    an__text_add(text, f->plot->x_label);
    an__text_add(text, "\n");
}

/*
 * The labels, each centred under its tick; near the left edge no further left than the axis. What
 * would touch the label before it or leave the plot is left out.
 */
static void add_step_labels(an_text *text, const field *f)
{
    int used = 0, margin = f->label_columns + 2;
    for (int i = 0; i < f->steps.count; i++) {
        char label[LABEL_SIZE];
        an_axis_label(label, sizeof label, &f->steps, i);
        int columns = an_term_columns(label);
        int at = margin + tick_column(f, i) - (columns - 1) / 2;
        if (i > 0 && (at <= used || at + columns > f->width))
            continue;
        add_repeated(text, " ", at - used);
        an__text_add(text, label);
        used = at + columns;
    }
    an__text_add(text, "\n");
}

size_t an_term_plot(char *buffer, size_t size, const an_plot *plot, const an_term_canvas *canvas)
{
    field f = {.plot = plot};
    lay_out(&f, canvas);
    for (size_t i = 0; i < plot->series_count; i++)
        draw_series(&f, i);
    an_text text = an__term_text(buffer, size);
    add_names(&text, &f);
    add_value_title(&text, &f);
    add_field(&text, &f);
    add_step_line(&text, &f);
    add_step_labels(&text, &f);
    return text.length;
}
