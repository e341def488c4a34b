#include "data/coding.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------ levels */

static int compare(const an__cell *a, const an__cell *b)
{
    if (a->kind == AN__CELL_NUMBER && b->kind == AN__CELL_NUMBER)
        return (a->number > b->number) - (a->number < b->number);
    const size_t least = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, least);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

int64_t an__level_place(const an__levels *levels, const an__cell *cell)
{
    int64_t low = 0, high = levels->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (compare(&levels->cells[middle], cell) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t an__level_find(const an__levels *levels, const an__cell *cell)
{
    const int64_t at = an__level_place(levels, cell);
    return at < levels->count && compare(&levels->cells[at], cell) == 0 ? at : -1;
}

void an__column_put(const an__column *column, const an__cell *cell, float *out)
{
    const bool missing = cell->kind == AN__CELL_MISSING;
    if (column->kind != AN__CELL_TEXT) {
        *out = missing ? NAN : (float)cell->number;
        return;
    }
    for (int64_t i = 0; i < column->levels.count; i++)
        out[i] = missing ? NAN : 0;
    if (!missing)
        out[an__level_find(&column->levels, cell)] = 1;
}

/* ------------------------------------------------------------------- copies */

static bool is_kept(const an__column *column)
{
    return column->role == AN__FEATURE || column->role == AN__TARGET;
}

/* How much of everything there is. */
static void measure(const an__coding *facts, an__coding *c)
{
    c->count = c->level_count = 0;
    c->length = 0;
    for (int64_t i = 0; i < facts->count; i++) {
        const an__column *column = &facts->columns[i];
        if (!is_kept(column))
            continue;
        c->count++;
        c->level_count += column->levels.count;
        c->length += column->name.length + 1;
        for (int64_t j = 0; j < column->levels.count; j++)
            c->length += column->levels.cells[j].length + 1;
    }
}

static bool make_room(an__coding *c, an_error *err)
{
    const an_allocator *a = &c->allocator;
    c->columns = an_alloc(a, (size_t)c->count, sizeof *c->columns, err);
    if (c->columns)
        c->levels = an_alloc(a, (size_t)c->level_count, sizeof *c->levels, err);
    if (c->levels)
        c->text = an_alloc(a, c->length, 1, err);
    if (c->text)
        c->fill = an_alloc(a, 3 * (size_t)c->width, sizeof *c->fill, err);
    return c->fill != NULL;
}

static void copy_cell(const an__cell *from, an__cell *to, char **text)
{
    *to = *from;
    to->text = *text;
    memcpy(*text, from->text, from->length);
    *text += from->length + 1;
}

static void copy_columns(const an__coding *facts, an__coding *c)
{
    char *text = c->text;
    an__cell *level = c->levels;
    an__column *to = c->columns;
    for (int64_t i = 0; i < facts->count; i++) {
        const an__column *from = &facts->columns[i];
        if (!is_kept(from))
            continue;
        *to = *from;
        to->levels.cells = level;
        copy_cell(&from->name, &to->name, &text);
        for (int64_t j = 0; j < from->levels.count; j++)
            copy_cell(&from->levels.cells[j], level++, &text);
        to++;
    }
}

an__coding *an__coding_new(const an__coding *facts, an_error *err)
{
    an__coding *c = an_alloc(&facts->allocator, 1, sizeof *c, err);
    if (!c)
        return NULL;
    *c = (an__coding){.allocator = facts->allocator,
                      .separator = facts->separator,
                      .labels = facts->labels,
                      .missing = facts->missing,
                      .width = facts->width};
    measure(facts, c);
    if (!make_room(c, err)) {
        an__coding_free(c);
        return NULL;
    }
    copy_columns(facts, c);
    c->mean = c->fill + c->width;
    c->deviation = c->mean + c->width;
    for (int64_t j = 0; j < c->width; j++) {
        c->fill[j] = NAN;
        c->deviation[j] = 1;
    }
    return c;
}

void an__coding_free(an__coding *c)
{
    if (!c)
        return;
    const an_allocator a = c->allocator;
    an_release(&a, c->fill, 3 * (size_t)c->width, sizeof *c->fill);
    an_release(&a, c->text, c->length, 1);
    an_release(&a, c->levels, (size_t)c->level_count, sizeof *c->levels);
    an_release(&a, c->columns, (size_t)c->count, sizeof *c->columns);
    an_release(&a, c, 1, sizeof *c);
}

/* ------------------------------------------------------------------ scaling */

/* What stands in the place of a missing value once stays there: in the units of before scaling. */
void an__coding_filled(an__coding *c, const double *values)
{
    for (int64_t j = 0; j < c->width; j++)
        if (isnan(c->fill[j]))
            c->fill[j] = values[j] * c->deviation[j] + c->mean[j];
}

/* ((x - m) / d - mean) / deviation = (x - (m + d mean)) / (d deviation). */
void an__coding_scaled(an__coding *c, const double *mean, const double *deviation)
{
    for (int64_t j = 0; j < c->width; j++) {
        c->mean[j] += mean[j] * c->deviation[j];
        c->deviation[j] *= deviation[j] > 0 ? deviation[j] : 1;
    }
}

void an__coding_apply(const an__coding *c, float *row)
{
    for (int64_t j = 0; j < c->width; j++) {
        const float value = isnan(row[j]) ? (float)c->fill[j] : row[j];
        row[j] = (float)(((double)value - c->mean[j]) / c->deviation[j]);
    }
}
