/*
 * Tables of separated values (RFC 4180), from text to samples:
 *
 *   age,colour,price        the names of the columns
 *   3,"dark ""red""",4.5    a field in quotes may hold separators, line ends and doubled quotes
 *   ,blue,1e3               nothing, or NA and the like: missing
 *
 * A column of numbers is a feature; a column of texts is as many as it has different ones, with a
 * one at the row's own. What has some of both is an error at the first that is different.
 */
#include "data/csv.h"

#include "data/dataset.h"
#include "data/source.h"

#include <math.h>
#include <string.h>

/* The different texts that a column may have as a feature, and as the classes. */
#define MOST_CATEGORIES 256
#define MOST_CLASSES 10000
/* The bytes of a text that a message shows. */
#define SHOWN 40

typedef enum cell_kind { MISSING, NUMBER, TEXT } cell_kind;

/* A field, its quotes undone, in the content's memory. */
typedef struct cell {
    const char *text;
    size_t length;
    double number;
    cell_kind kind;
} cell;

typedef enum role { FEATURE, TARGET, WEIGHT, IGNORED } role;

/* The different texts or numbers of a column, in rising order. */
typedef struct levels {
    const cell **cells;
    int64_t count, most;
} levels;

typedef struct table_column {
    role role;
    cell_kind kind; /* MISSING: of all its fields */
    int64_t first;  /* its place among the features or targets */
    levels levels;  /* of texts, and of labels */
} table_column;

/* `cells` has room for `room` of them, rows side by side; the header's names stand in `names`. */
typedef struct table {
    const an_csv_options *options;
    const char *path;
    const an_allocator *allocator;
    char *text;
    size_t length;
    cell *names, *cells;
    int64_t *lines; /* of each row, from 1 */
    size_t room, line_room;
    int64_t columns, rows;
    table_column *column;
    int64_t width; /* features */
    an_error *err;
} table;

static int shown(const cell *c)
{
    return (int)(c->length < SHOWN ? c->length : SHOWN);
}

/* ------------------------------------------------------------------ fields */

static bool is_missing(const char *text, size_t length)
{
    static const char *const marks[] = {"", "NA", "N/A", "NaN", "nan", "null", "?"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strlen(marks[i]) == length && memcmp(marks[i], text, length) == 0)
            return true;
    return false;
}

static cell classify(const char *text, size_t length)
{
    cell c = {.text = text, .length = length, .kind = TEXT};
    if (is_missing(text, length))
        c.kind = MISSING;
    else if (an_number_parse(text, length, &c.number) == length)
        c.kind = NUMBER;
    return c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A field in quotes from `*at` on, undone in place. False where the quotes do not end. */
static bool read_quoted(table *t, size_t *at, int64_t *line, cell *out)
{
    char *to = t->text + *at;
    const char *begin = to;
    for (size_t i = *at + 1; i < t->length; i++) {
        if (t->text[i] == '"' && (i + 1 == t->length || t->text[i + 1] != '"')) {
            *out = classify(begin, (size_t)(to - begin));
            *at = i + 1;
            return true;
        }
        i += t->text[i] == '"';
        *line += t->text[i] == '\n';
        *to++ = t->text[i];
    }
    return an_error_set(t->err, AN_ERROR_DATA, "%s:%lld: a field in quotes does not end", t->path,
                        (long long)*line);
}

/* A field, without the blanks around it, and what sets it apart from the next one. */
static bool read_field(table *t, size_t *at, int64_t *line, cell *out)
{
    const char separator = t->options->separator;
    const int64_t began = *line;
    while (*at < t->length && t->text[*at] != separator && is_blank(t->text[*at]))
        ++*at;
    const bool quoted = *at < t->length && t->text[*at] == '"';
    if (quoted && !read_quoted(t, at, line, out))
        return false;
    size_t end = *at;
    while (end < t->length && t->text[end] != separator && t->text[end] != '\n')
        end++;
    size_t last = end;
    while (last > *at && is_blank(t->text[last - 1]))
        last--;
    if (quoted && last > *at)
        return an_error_set(t->err, AN_ERROR_DATA,
                            "%s:%lld: after a field in quotes there is more before the separator",
                            t->path, (long long)began);
    if (!quoted)
        *out = classify(t->text + *at, last - *at);
    *at = end;
    return true;
}

/* A line's fields into `out`, at most `room` of them; how many there are, or -1 with the error. */
static int64_t read_line(table *t, size_t *at, int64_t *line, cell *out, size_t room)
{
    for (size_t count = 0; count < room; count++) {
        if (!read_field(t, at, line, &out[count]))
            return -1;
        if (*at == t->length || t->text[*at] == '\n') {
            *line += *at < t->length;
            *at += *at < t->length;
            return (int64_t)count + 1;
        }
        ++*at;
    }
    an_error_set(t->err, AN_ERROR_DATA, "%s: too many fields", t->path);
    return -1;
}

static bool blank_line(const table *t, size_t *at)
{
    size_t i = *at;
    while (i < t->length && is_blank(t->text[i]) && t->text[i] != t->options->separator)
        i++;
    if (i < t->length && t->text[i] != '\n')
        return false;
    *at = i < t->length ? i + 1 : i;
    return true;
}

static bool read_rows(table *t, size_t at, int64_t line)
{
    while (at < t->length) {
        if (blank_line(t, &at)) {
            line++;
            continue;
        }
        const size_t used = (size_t)(t->rows * t->columns);
        const int64_t began = line;
        int64_t count = read_line(t, &at, &line, t->cells + used, t->room - used);
        if (count < 0)
            return false;
        if (count != t->columns)
            return an_error_set(t->err, AN_ERROR_DATA,
                                "%s:%lld: this line has %lld fields, but the header has %lld",
                                t->path, (long long)began, (long long)count, (long long)t->columns);
        t->lines[t->rows++] = began;
    }
    return t->rows > 0 || an_error_set(t->err, AN_ERROR_DATA, "%s: there is no row", t->path);
}

/* There are no more fields than separators and line ends, and one. */
static bool make_room(table *t)
{
    t->room = t->line_room = 2;
    for (size_t i = 0; i < t->length; i++) {
        t->room += t->text[i] == t->options->separator || t->text[i] == '\n';
        t->line_room += t->text[i] == '\n';
    }
    t->cells = an_alloc(t->allocator, t->room, sizeof *t->cells, t->err);
    if (t->cells)
        t->lines = an_alloc(t->allocator, t->line_room, sizeof *t->lines, t->err);
    return t->lines != NULL;
}

static bool read_table(table *t)
{
    size_t at = t->length >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    int64_t line = 1;
    if (!make_room(t))
        return false;
    while (at < t->length && blank_line(t, &at))
        line++;
    if (at == t->length) {
        an_error_set(t->err, AN_ERROR_DATA, "%s: the table is empty", t->path);
        return false;
    }
    t->columns = read_line(t, &at, &line, t->cells, t->room);
    if (t->columns < 0)
        return false;
    t->names = an_alloc(t->allocator, (size_t)t->columns, sizeof *t->names, t->err);
    if (!t->names)
        return false;
    memcpy(t->names, t->cells, (size_t)t->columns * sizeof *t->names);
    t->column = an_alloc(t->allocator, (size_t)t->columns, sizeof *t->column, t->err);
    return t->column && read_rows(t, at, line);
}

/* ----------------------------------------------------------------- columns */

static int64_t find_column(const table *t, const char *name)
{
    for (int64_t i = 0; i < t->columns; i++)
        if (t->names[i].length == strlen(name) &&
            memcmp(t->names[i].text, name, t->names[i].length) == 0)
            return i;
    return -1;
}

static bool give_role(table *t, const char *const *names, size_t count, role as)
{
    for (size_t i = 0; i < count; i++) {
        const int64_t at = find_column(t, names[i]);
        if (at < 0)
            return an_error_set(t->err, AN_ERROR_DATA,
                                "%s: there is no column '%.40s'; the first of %lld is '%.*s'",
                                t->path, names[i], (long long)t->columns, shown(&t->names[0]),
                                t->names[0].text);
        if (t->column[at].role != FEATURE)
            return an_error_set(t->err, AN_ERROR_ARGUMENT, "the column '%.40s' is named twice",
                                names[i]);
        t->column[at].role = as;
        if (as == TARGET)
            t->column[at].first = (int64_t)i;
    }
    return true;
}

static const cell *cell_at(const table *t, int64_t row, int64_t column)
{
    return &t->cells[row * t->columns + column];
}

static bool wrong_cell(const table *t, int64_t row, int64_t column, const char *what)
{
    const cell *c = cell_at(t, row, column), *name = &t->names[column];
    return an_error_set(t->err, AN_ERROR_DATA, "%s:%lld: column '%.*s': '%.*s' %s", t->path,
                        (long long)t->lines[row], shown(name), name->text, shown(c), c->text, what);
}

static int compare(const cell *a, const cell *b)
{
    if (a->kind == NUMBER && b->kind == NUMBER)
        return (a->number > b->number) - (a->number < b->number);
    const size_t least = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, least);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* The place of the first level that is not below `c`. */
static int64_t find_level(const levels *l, const cell *c)
{
    int64_t low = 0, high = l->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (compare(l->cells[middle], c) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add_level(table *t, int64_t row, int64_t column)
{
    levels *l = &t->column[column].levels;
    const cell *c = cell_at(t, row, column);
    const int64_t at = find_level(l, c);
    if (at < l->count && compare(l->cells[at], c) == 0)
        return true;
    if (l->count == l->most)
        return wrong_cell(t, row, column,
                          t->column[column].role == TARGET
                              ? "is one class too many: there may be 10000"
                              : "is one text too many: a column may have 256 different ones; "
                                "leave the column out");
    memmove(l->cells + at + 1, l->cells + at, (size_t)(l->count - at) * sizeof(const cell *));
    l->cells[at] = c;
    l->count++;
    return true;
}

/* What a field may not be, whatever its column. */
static bool check_cell(const table *t, int64_t row, int64_t column)
{
    const cell *c = cell_at(t, row, column);
    const bool target = t->column[column].role == TARGET;
    const bool weight = t->column[column].role == WEIGHT;
    const cell_kind kind = t->column[column].kind;
    if (weight && (c->kind != NUMBER || !(c->number >= 0) || !isfinite((float)c->number)))
        return wrong_cell(t, row, column, "is no weight, a number from 0 on");
    if (c->kind == MISSING)
        return (!target && t->options->missing == AN_CSV_KEEP) ||
               wrong_cell(t, row, column,
                          target ? "is no value, and what is to be predicted must be there"
                                 : "is no value; fill what is missing, or leave the column out");
    if (c->kind == NUMBER && !isfinite((float)c->number))
        return wrong_cell(t, row, column, "is not finite");
    if (kind != MISSING && c->kind != kind)
        return wrong_cell(t, row, column,
                          kind == NUMBER ? "is not a number, but those before it are"
                                         : "is a number, but those before it are texts");
    if (target && !t->options->labels && c->kind == TEXT)
        return wrong_cell(t, row, column, "is not a number; texts are predicted as classes");
    if (target && t->options->labels && c->kind == NUMBER && c->number != floor(c->number))
        return wrong_cell(t, row, column, "is not a whole number, as a class is");
    return true;
}

/* Looks through a column: its kind, and its levels where there are such. */
static bool read_column(table *t, int64_t column)
{
    table_column *c = &t->column[column];
    const bool label = c->role == TARGET && t->options->labels;
    const int64_t most = label ? MOST_CLASSES : MOST_CATEGORIES;
    c->levels.most = most < t->rows ? most : t->rows;
    c->levels.cells = an_alloc(t->allocator, (size_t)c->levels.most, sizeof(const cell *), t->err);
    if (!c->levels.cells)
        return false;
    for (int64_t row = 0; row < t->rows; row++) {
        const cell_kind kind = cell_at(t, row, column)->kind;
        if (!check_cell(t, row, column))
            return false;
        c->kind = kind == MISSING ? c->kind : kind;
        if ((kind == TEXT || (kind == NUMBER && label)) && !add_level(t, row, column))
            return false;
    }
    if (c->role == FEATURE) {
        c->first = t->width;
        t->width += c->kind == TEXT ? c->levels.count : 1;
    }
    return true;
}

static bool read_columns(table *t)
{
    const an_csv_options *o = t->options;
    if (!give_role(t, o->targets, o->target_count, TARGET) ||
        !give_role(t, o->ignored, o->ignored_count, IGNORED) ||
        !give_role(t, &o->weight, o->weight != NULL, WEIGHT))
        return false;
    for (int64_t i = 0; i < t->columns; i++)
        if (t->column[i].role != IGNORED && !read_column(t, i))
            return false;
    return t->width > 0 ||
           an_error_set(t->err, AN_ERROR_DATA, "%s: there is no column to predict from", t->path);
}

/* ----------------------------------------------------------------- samples */

/* A field's features: its number, or a one at the place of its text among the zeros of the others.
 */
static void put_feature(const table_column *from, const cell *c, float *out)
{
    const bool missing = c->kind == MISSING;
    if (from->kind != TEXT) {
        *out = missing ? NAN : (float)c->number;
        return;
    }
    for (int64_t i = 0; i < from->levels.count; i++)
        out[i] = missing ? NAN : 0;
    if (!missing)
        out[find_level(&from->levels, c)] = 1;
}

/* A field's features, or what is to be predicted. */
static void put_cell(const table *t, an_dataset *d, int64_t row, int64_t column)
{
    const table_column *from = &t->column[column];
    const cell *c = cell_at(t, row, column);
    if (from->role == FEATURE)
        put_feature(from, c, d->values + row * t->width + from->first);
    else if (from->role == WEIGHT)
        d->weights[row] = (float)c->number;
    else if (t->options->labels)
        d->labels[row] = (int32_t)find_level(&from->levels, c);
    else
        d->targets[row * d->target_count + from->first] = (float)c->number;
}

/* Room for the features, and for targets and weights where there are such. */
static bool make_tables(const table *t, an_dataset *d)
{
    const int64_t targets = t->options->labels ? 0 : (int64_t)t->options->target_count;
    d->kind = AN_DATA_FLOATS;
    d->values = an_alloc(t->allocator, (size_t)(t->rows * t->width), sizeof *d->values, t->err);
    if (!d->values)
        return false;
    if (targets > 0) {
        d->target_count = targets;
        d->targets =
            an_alloc(t->allocator, (size_t)(t->rows * targets), sizeof *d->targets, t->err);
        if (!d->targets)
            return false;
    }
    if (!t->options->weight)
        return true;
    d->weights = an_alloc(t->allocator, (size_t)t->rows, sizeof *d->weights, t->err);
    return d->weights != NULL;
}

static an_dataset *make_dataset(const table *t)
{
    if (!an__dataset_check_shape(t->rows, an_shape_1(t->width), t->err))
        return NULL;
    an_dataset *d = an__dataset_new(t->allocator, t->rows, an_shape_1(t->width), t->err);
    if (!d)
        return NULL;
    if (!make_tables(t, d)) {
        an_dataset_free(d);
        return NULL;
    }
    for (int64_t row = 0; row < t->rows; row++)
        for (int64_t column = 0; column < t->columns; column++)
            if (t->column[column].role != IGNORED)
                put_cell(t, d, row, column);
    for (int64_t i = 0; i < t->columns; i++)
        if (t->column[i].role == TARGET && t->options->labels)
            d->classes = (int32_t)t->column[i].levels.count;
    return d;
}

static void release(table *t)
{
    const an_allocator *a = t->allocator;
    for (int64_t i = 0; t->column && i < t->columns; i++) {
        levels *l = &t->column[i].levels;
        an_release(a, l->cells, (size_t)l->most, sizeof(const cell *));
    }
    an_release(a, t->column, (size_t)t->columns, sizeof *t->column);
    an_release(a, t->names, (size_t)t->columns, sizeof *t->names);
    an_release(a, t->lines, t->line_room, sizeof *t->lines);
    an_release(a, t->cells, t->room, sizeof *t->cells);
}

static bool check_options(const an_csv_options *o, an_error *err)
{
    if (!o || !o->targets || o->target_count < 1 || (o->labels && o->target_count != 1)) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "a table needs the names of the columns that are to be predicted: one where "
                     "it is a class");
        return false;
    }
    return (o->separator != '"' && o->separator != '\n' && o->separator != '\r' &&
            o->separator != '\0') ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "the separator of a table is a character such as ',' or ';'");
}

an_csv_options an_csv_defaults(void)
{
    return (an_csv_options){.separator = ','};
}

an_dataset *an__csv_read(const an_allocator *allocator, const char *name, char *text, size_t length,
                         const an_csv_options *options, an_error *err)
{
    table t = {.options = options,
               .path = name,
               .allocator = allocator,
               .text = text,
               .length = length,
               .err = err};
    an_dataset *dataset = read_table(&t) && read_columns(&t) ? make_dataset(&t) : NULL;
    release(&t);
    return dataset;
}

an_dataset *an_csv_open(const an_allocator *allocator, const char *path,
                        const an_csv_options *options, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    an_content content = {0};
    an_dataset *dataset = NULL;
    allocator = allocator ? allocator : &standard;
    if (check_options(options, err) && an__content_read(allocator, path, &content, err))
        dataset =
            an__csv_read(allocator, path, (char *)content.bytes, content.length, options, err);
    an_release(allocator, content.bytes, content.room, 1);
    return dataset;
}
