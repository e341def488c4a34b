#include "track/columns.h"

#include "track/grow.h"
#include "track/line.h"

#include <string.h>
#include <time.h>

void an__columns_append(an_columns *columns, const an_column *column)
{
    columns->offset[columns->count] = (uint16_t)column->offset;
    columns->column[columns->count++] = *column;
}

static void add(an_columns *columns, const char *name, size_t offset, bool whole, bool extra)
{
    an_column column = {.offset = offset, .whole = whole, .extra = extra};
    an_format(column.name, sizeof column.name, "%s", name);
    an__columns_append(columns, &column);
}

/* "lr0" and "momentum0", "lr1" and "momentum1", ... */
static void add_groups(an_columns *columns, size_t groups)
{
    char name[AN_COLUMN_NAME_SIZE];
    for (size_t i = 0; i < groups; i++) {
        an_format(name, sizeof name, "lr%zu", i);
        add(columns, name, offsetof(an_record, lr) + i * sizeof(double), false, i > 0);
        an_format(name, sizeof name, "momentum%zu", i);
        add(columns, name, offsetof(an_record, momentum) + i * sizeof(double), false, i > 0);
    }
}

void an__columns_of(an_columns *columns, const an_record *record, an_row_kind kind)
{
    static const struct {
        const char *name;
        size_t offset;
        bool whole;
        int kinds;
    } map[] = {
#define AN_COLUMN_ROW(field, whole, kinds) {#field, offsetof(an_record, field), whole, kinds},
        AN_COLUMN_MAP(AN_COLUMN_ROW)
#undef AN_COLUMN_ROW
    };
    const size_t groups = an__record_groups(record);
    columns->count = 0;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        bool of_group = map[i].offset == offsetof(an_record, lr) ||
                        map[i].offset == offsetof(an_record, momentum);
        if (!(map[i].kinds & (int)kind))
            continue;
        if (of_group && groups > 1) {
            if (map[i].offset == offsetof(an_record, lr))
                add_groups(columns, groups);
        } else {
            add(columns, map[i].name, map[i].offset, map[i].whole, false);
        }
    }
    for (size_t i = 0; i < an__record_metrics(record); i++)
        add(columns, record->metrics[i].name,
            offsetof(an_record, metrics) + i * sizeof(an_named_value) +
                offsetof(an_named_value, value),
            false, true);
}

/* "lr" or "momentum", with a group's number or without one. */
static bool is_of_groups(const char *name)
{
    size_t begin = strncmp(name, "lr", 2) == 0 ? 2 : strncmp(name, "momentum", 8) == 0 ? 8 : 0;
    return begin > 0 && strspn(name + begin, "0123456789") == strlen(name + begin);
}

bool an_is_log_column(const char *name)
{
#define AN_COLUMN_NAME(field, whole, kinds) #field,
    static const char *const names[] = {AN_COLUMN_MAP(AN_COLUMN_NAME)};
#undef AN_COLUMN_NAME
    bool found = is_of_groups(name);
    for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++)
        found = strcmp(name, names[i]) == 0;
    return found;
}

double an__wall_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --------------------------------------------------------------------- rows */

void an__cells_of(an_cell *cells, const an_columns *columns, const an_record *record)
{
    for (size_t i = 0; i < columns->count; i++)
        memcpy(&cells[i], (const char *)record + columns->offset[i], sizeof *cells);
}

static bool reserve(an_rows *rows, size_t needed)
{
    void *block = rows->cells;
    size_t bytes = rows->capacity * sizeof *rows->cells;
    if (!an__grow(&block, &bytes, 1024 * sizeof *rows->cells, needed * sizeof *rows->cells))
        return false;
    rows->cells = block;
    rows->capacity = bytes / sizeof *rows->cells;
    return true;
}

bool an__rows_add(an_rows *rows, const an_columns *columns, const an_record *record, double time)
{
    rows->width = columns->count + 1;
    if (!reserve(rows, (rows->count + 1) * rows->width))
        return false;
    an_cell *cells = rows->cells + rows->count++ * rows->width;
    cells[0].real = time;
    an__cells_of(cells + 1, columns, record);
    return true;
}

const an_cell *an__rows_at(const an_rows *rows, size_t i)
{
    return rows->cells + i * rows->width;
}

void an__rows_clear(an_rows *rows)
{
    rows->count = 0;
}

void an__rows_free(an_rows *rows)
{
    an_release(NULL, rows->cells, rows->capacity * sizeof *rows->cells, 1);
    *rows = (an_rows){0};
}

/* ------------------------------------------------------------------- others */

bool an__row_due(const an_record *record, int64_t every, int64_t *last)
{
    bool due = every > 0 && record->step != *last && record->step % every == 0;
    *last = record->step;
    return due;
}
