/* The fields of a table of separated values; the format is drawn in table.c. */
#ifndef AN_DATA_TABLE_H
#define AN_DATA_TABLE_H

#include <anneal/base.h>

typedef enum an__cell_kind { AN__CELL_MISSING, AN__CELL_NUMBER, AN__CELL_TEXT } an__cell_kind;

/* A field, its quotes undone, in the text's memory. */
typedef struct an__cell {
    const char *text;
    size_t length;
    double number;
    an__cell_kind kind;
} an__cell;

/*
 * The caller gives what stands above `names`. `cells` has room for `room` of them, rows side by
 * side; the header's names stand in `names`.
 */
typedef struct an__table {
    const char *path; /* what errors call it */
    const an_allocator *allocator;
    char separator;
    char *text; /* quotes are undone in it */
    size_t length;
    an_error *err;
    an__cell *names, *cells;
    int64_t *lines; /* of each row, from 1 */
    size_t room, line_room;
    int64_t columns, rows;
} an__table;

/* Reads all rows, at least one. To be released also when this fails. */
bool an__table_read(an__table *table);
void an__table_release(an__table *table);

static inline const an__cell *an__table_cell(const an__table *t, int64_t row, int64_t column)
{
    return &t->cells[row * t->columns + column];
}

/* How many bytes of its text a message shows. */
int an__cell_shown(const an__cell *cell);
/* The error (DATA) that a field is: "FILE:LINE: column 'NAME': 'FIELD' what". Gives false. */
bool an__table_blame(const an__table *table, int64_t row, int64_t column, const char *what);

#endif
