/*
 * Tables as datasets. A column of numbers is a feature; a column of texts is as many as it has
 * different ones, with a one at the row's own. What has some of both is an error at the first that
 * is different.
 */
#include "data/csv.h"

#include "data/dataset.h"
#include "data/source.h"

#include <math.h>
#include <string.h>

/* The different texts that a column may have as a feature, and as the classes. */
#define MOST_CATEGORIES 256
#define MOST_CLASSES 10000

typedef struct table {
    an__table fields;
    const an_csv_options *options;
    an__column *column;
    int64_t width; /* features */
} table;

/* ----------------------------------------------------------------- columns */

static int64_t find_column(const table *t, const char *name)
{
    for (int64_t i = 0; i < t->fields.columns; i++)
        if (t->fields.names[i].length == strlen(name) &&
            memcmp(t->fields.names[i].text, name, strlen(name)) == 0)
            return i;
    return -1;
}

static bool give_role(table *t, const char *const *names, size_t count, an__role as)
{
    const an__table *f = &t->fields;
    for (size_t i = 0; i < count; i++) {
        const int64_t at = find_column(t, names[i]);
        if (at < 0)
            return an_error_set(f->err, AN_ERROR_DATA,
                                "%s: there is no column '%.40s'; the first of %lld is '%.*s'",
                                f->path, names[i], (long long)f->columns,
                                an__cell_shown(&f->names[0]), f->names[0].text);
        if (t->column[at].role != AN__FEATURE)
            return an_error_set(f->err, AN_ERROR_ARGUMENT, "the column '%.40s' is named twice",
                                names[i]);
        t->column[at].role = as;
        if (as == AN__TARGET)
            t->column[at].first = (int64_t)i;
    }
    return true;
}

static bool wrong_cell(const table *t, int64_t row, int64_t column, const char *what)
{
    return an__table_blame(&t->fields, row, column, what);
}

static bool is_label(const table *t, int64_t column)
{
    return t->column[column].role == AN__TARGET && t->options->labels;
}

/* Room for the levels of a column, once it has one. */
static bool make_levels(const table *t, int64_t column)
{
    an__levels *l = &t->column[column].levels;
    const int64_t most = is_label(t, column) ? MOST_CLASSES : MOST_CATEGORIES;
    if (l->cells)
        return true;
    l->most = most < t->fields.rows ? most : t->fields.rows;
    l->cells = an_alloc(t->fields.allocator, (size_t)l->most, sizeof *l->cells, t->fields.err);
    return l->cells != NULL;
}

static bool add_level(const table *t, int64_t row, int64_t column)
{
    an__levels *l = &t->column[column].levels;
    const an__cell *c = an__table_cell(&t->fields, row, column);
    if (!make_levels(t, column))
        return false;
    if (an__level_find(l, c) >= 0)
        return true;
    if (l->count == l->most)
        return wrong_cell(t, row, column,
                          is_label(t, column)
                              ? "is one class too many: there may be 10000"
                              : "is one text too many: a column may have 256 different ones; "
                                "leave the column out");
    const int64_t at = an__level_place(l, c);
    memmove(l->cells + at + 1, l->cells + at, (size_t)(l->count - at) * sizeof *l->cells);
    l->cells[at] = *c;
    l->count++;
    return true;
}

/* What a field may not be, whatever its column. */
static bool check_cell(const table *t, int64_t row, int64_t column)
{
    const an__cell *c = an__table_cell(&t->fields, row, column);
    const bool target = t->column[column].role == AN__TARGET;
    const bool weight = t->column[column].role == AN__ROW_WEIGHT;
    const an__cell_kind kind = t->column[column].kind;
    if (weight && (c->kind != AN__CELL_NUMBER || !(c->number >= 0) || !isfinite((float)c->number)))
        return wrong_cell(t, row, column, "is no weight, a number from 0 on");
    if (c->kind == AN__CELL_MISSING)
        return (!target && t->options->missing == AN_CSV_KEEP) ||
               wrong_cell(t, row, column,
                          target ? "is no value, and what is to be predicted must be there"
                                 : "is no value; fill what is missing, or leave the column out");
    if (c->kind == AN__CELL_NUMBER && !isfinite((float)c->number))
        return wrong_cell(t, row, column, "is not finite");
    if (kind != AN__CELL_MISSING && c->kind != kind)
        return wrong_cell(t, row, column,
                          kind == AN__CELL_NUMBER ? "is not a number, but those before it are"
                                                  : "is a number, but those before it are texts");
    if (target && !t->options->labels && c->kind == AN__CELL_TEXT)
        return wrong_cell(t, row, column, "is not a number; texts are predicted as classes");
    if (target && t->options->labels && c->kind == AN__CELL_NUMBER && c->number != floor(c->number))
        return wrong_cell(t, row, column, "is not a whole number, as a class is");
    return true;
}

/* Looks through a column: its kind, and its levels where there are such. */
static bool read_column(table *t, int64_t column)
{
    an__column *c = &t->column[column];
    const bool label = is_label(t, column);
    for (int64_t row = 0; row < t->fields.rows; row++) {
        const an__cell_kind kind = an__table_cell(&t->fields, row, column)->kind;
        if (!check_cell(t, row, column))
            return false;
        c->kind = kind == AN__CELL_MISSING ? c->kind : kind;
        if ((kind == AN__CELL_TEXT || (kind == AN__CELL_NUMBER && label)) &&
            !add_level(t, row, column))
            return false;
    }
    if (c->role == AN__FEATURE) {
        c->first = t->width;
        t->width += c->kind == AN__CELL_TEXT ? c->levels.count : 1;
    }
    return true;
}

static bool read_columns(table *t)
{
    const an_csv_options *o = t->options;
    const an__table *f = &t->fields;
    t->column = an_alloc(f->allocator, (size_t)f->columns, sizeof *t->column, f->err);
    if (!t->column || !give_role(t, o->targets, o->target_count, AN__TARGET) ||
        !give_role(t, o->ignored, o->ignored_count, AN__IGNORED) ||
        !give_role(t, &o->weight, o->weight != NULL, AN__ROW_WEIGHT))
        return false;
    for (int64_t i = 0; i < f->columns; i++) {
        t->column[i].name = f->names[i];
        if (t->column[i].role != AN__IGNORED && !read_column(t, i))
            return false;
    }
    return t->width > 0 ||
           an_error_set(f->err, AN_ERROR_DATA, "%s: there is no column to predict from", f->path);
}

/* ----------------------------------------------------------------- samples */

/* A field's features, or what is to be predicted. */
static void put_cell(const table *t, an_dataset *d, int64_t row, int64_t column)
{
    const an__column *from = &t->column[column];
    const an__cell *c = an__table_cell(&t->fields, row, column);
    if (from->role == AN__FEATURE)
        an__column_put(from, c, d->values + row * t->width + from->first);
    else if (from->role == AN__ROW_WEIGHT)
        d->weights[row] = (float)c->number;
    else if (t->options->labels)
        d->labels[row] = (int32_t)an__level_find(&from->levels, c);
    else
        d->targets[row * d->target_count + from->first] = (float)c->number;
}

static bool make_coding(const table *t, an_dataset *d)
{
    d->coding = an__coding_new(&(an__coding){.allocator = *t->fields.allocator,
                                             .separator = t->options->separator,
                                             .labels = t->options->labels,
                                             .missing = t->options->missing,
                                             .columns = t->column,
                                             .count = t->fields.columns,
                                             .width = t->width},
                               t->fields.err);
    return d->coding != NULL;
}

static an_dataset *make_dataset(const table *t)
{
    const an__table *f = &t->fields;
    const int64_t targets = t->options->labels ? 0 : (int64_t)t->options->target_count;
    an_dataset *d =
        an__dataset_floats(f->allocator, f->rows, an_shape_1(t->width), targets, f->err);
    if (!d)
        return NULL;
    if (t->options->weight)
        d->weights = an_alloc(f->allocator, (size_t)f->rows, sizeof *d->weights, f->err);
    if ((t->options->weight && !d->weights) || !make_coding(t, d)) {
        an_dataset_free(d);
        return NULL;
    }
    for (int64_t row = 0; row < f->rows; row++)
        for (int64_t column = 0; column < f->columns; column++)
            if (t->column[column].role != AN__IGNORED)
                put_cell(t, d, row, column);
    for (int64_t i = 0; i < f->columns; i++)
        if (is_label(t, i))
            d->classes = (int32_t)t->column[i].levels.count;
    return d;
}

static void release(table *t)
{
    const an_allocator *a = t->fields.allocator;
    for (int64_t i = 0; t->column && i < t->fields.columns; i++) {
        an__levels *l = &t->column[i].levels;
        an_release(a, l->cells, (size_t)l->most, sizeof *l->cells);
    }
    an_release(a, t->column, (size_t)t->fields.columns, sizeof *t->column);
    an__table_release(&t->fields);
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
               .fields = {.path = name,
                          .allocator = allocator,
                          .separator = options->separator,
                          .text = text,
                          .length = length,
                          .err = err}};
    an_dataset *dataset = an__table_read(&t.fields) && read_columns(&t) ? make_dataset(&t) : NULL;
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
