/* The rows of a table as features, by the coding of another: columns go by their names. */
#include "data/coding.h"
#include "data/csv.h"
#include "data/dataset.h"
#include "data/source.h"

#include <math.h>
#include <string.h>

typedef struct likeness {
    an__table fields;
    const an__coding *coding;
    const an__column **of; /* each column's; NULL: it is not asked for */
} likeness;

/* ----------------------------------------------------------------- columns */

static bool same_name(const an__cell *a, const an__cell *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

/* The first column of that name which has not been taken, or -1. */
static int64_t find_column(const likeness *l, const an__cell *name)
{
    for (int64_t i = 0; i < l->fields.columns; i++)
        if (!l->of[i] && same_name(&l->fields.names[i], name))
            return i;
    return -1;
}

static bool no_column(const likeness *l, const an__cell *name)
{
    const an__table *f = &l->fields;
    return an_error_set(f->err, AN_ERROR_DATA,
                        "%s: there is no column '%.*s', as there was in training; the first of "
                        "%lld, set apart by '%c', is '%.*s'",
                        f->path, an__cell_shown(name), name->text, (long long)f->columns,
                        f->separator, an__cell_shown(&f->names[0]), f->names[0].text);
}

/* Finds a column for every feature; of equal names, the first is taken for the first. */
static bool match_columns(likeness *l)
{
    const an__table *f = &l->fields;
    const an__coding *c = l->coding;
    l->of = an_alloc(f->allocator, (size_t)f->columns, sizeof(const an__column *), f->err);
    if (!l->of)
        return false;
    for (int64_t i = 0; i < c->count; i++) {
        const an__column *column = &c->columns[i];
        const int64_t at = column->role == AN__FEATURE ? find_column(l, &column->name) : 0;
        if (at < 0)
            return no_column(l, &column->name);
        if (column->role == AN__FEATURE)
            l->of[at] = column;
    }
    for (int64_t i = 0; i < c->count; i++) {
        const an__cell *name = &c->columns[i].name;
        if (c->columns[i].role == AN__FEATURE && find_column(l, name) >= 0)
            return an_error_set(f->err, AN_ERROR_DATA,
                                "%s: the column '%.*s' is there more often than in training; leave "
                                "one of them",
                                f->path, an__cell_shown(name), name->text);
    }
    return true;
}

/* ------------------------------------------------------------------- fields */

/* The known texts of a column, as many as a message has room for. */
static bool unknown_level(const likeness *l, int64_t row, int64_t column)
{
    const an__levels *levels = &l->of[column]->levels;
    char known[200] = "", what[320];
    size_t used = 0;
    int64_t i = 0;
    for (; i < levels->count && used + 44 < sizeof known; i++)
        used += an_format(known + used, sizeof known - used, "%s'%.*s'", i ? ", " : "",
                          an__cell_shown(&levels->cells[i]), levels->cells[i].text);
    an_format(what, sizeof what,
              "is not among the %lld texts of training, %s%s; correct it, or train with data that "
              "have it",
              (long long)levels->count, known, i < levels->count ? ", ..." : "");
    return an__table_blame(&l->fields, row, column, what);
}

static bool check_cell(const likeness *l, int64_t row, int64_t column)
{
    const an__table *f = &l->fields;
    const an__cell *c = an__table_cell(f, row, column);
    const an__column *of = l->of[column];
    if (c->kind == AN__CELL_MISSING)
        return l->coding->missing == AN_CSV_KEEP ||
               an__table_blame(f, row, column,
                               "is no value, and training did not fill missing ones; give one");
    if (of->kind == AN__CELL_TEXT)
        return an__level_find(&of->levels, c) >= 0 || unknown_level(l, row, column);
    if (c->kind != AN__CELL_NUMBER)
        return an__table_blame(f, row, column, "is not a number, as those of training are");
    return isfinite((float)c->number) || an__table_blame(f, row, column, "is not finite");
}

static bool put_rows(const likeness *l, an_dataset *d)
{
    for (int64_t row = 0; row < l->fields.rows; row++) {
        float *out = d->values + row * d->width;
        for (int64_t i = 0; i < l->fields.columns; i++) {
            if (!l->of[i])
                continue;
            if (!check_cell(l, row, i))
                return false;
            an__column_put(l->of[i], an__table_cell(&l->fields, row, i), out + l->of[i]->first);
        }
        an__coding_apply(l->coding, out);
    }
    return true;
}

/* ------------------------------------------------------------------ datasets */

static an_dataset *make_dataset(const likeness *l, const an_dataset *model)
{
    const an__table *f = &l->fields;
    an_dataset *d =
        an__dataset_floats(f->allocator, f->rows, model->shape, model->target_count, f->err);
    if (!d)
        return NULL;
    d->classes = model->classes;
    if (put_rows(l, d))
        return d;
    an_dataset_free(d);
    return NULL;
}

an_dataset *an__csv_read_like(const an_allocator *allocator, const char *name, char *text,
                              size_t length, const an_dataset *table, an_error *err)
{
    likeness l = {.coding = table->coding,
                  .fields = {.path = name,
                             .allocator = allocator,
                             .separator = table->coding->separator,
                             .text = text,
                             .length = length,
                             .err = err}};
    an_dataset *dataset =
        an__table_read(&l.fields) && match_columns(&l) ? make_dataset(&l, table) : NULL;
    an_release(allocator, l.of, (size_t)l.fields.columns, sizeof(const an__column *));
    an__table_release(&l.fields);
    return dataset;
}

an_dataset *an_csv_open_like(const an_allocator *allocator, const char *path,
                             const an_dataset *table, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    an_content content = {0};
    an_dataset *dataset = NULL;
    allocator = allocator ? allocator : &standard;
    if (!table || !table->coding || table->coding->count == 0) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "rows are read like those of a dataset from an_csv_open, which this is not");
        return NULL;
    }
    if (an__content_read(allocator, path, &content, err))
        dataset =
            an__csv_read_like(allocator, path, (char *)content.bytes, content.length, table, err);
    an_release(allocator, content.bytes, content.room, 1);
    return dataset;
}

const char *an_dataset_name(const an_dataset *dataset, int64_t index)
{
    const an__coding *c = dataset->coding;
    for (int64_t i = 0; c && i < c->count; i++) {
        const an__column *column = &c->columns[i];
        if (column->role == AN__TARGET && c->labels)
            return index >= 0 && index < column->levels.count ? column->levels.cells[index].text
                                                              : NULL;
        if (column->role == AN__TARGET && column->first == index)
            return column->name.text;
    }
    return NULL;
}
