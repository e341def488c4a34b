/*
 * Rows of the run store in blocks: one row of metric_blocks holds up to AN_BLOCK_ROWS rows of
 * updates, because SQLite takes as long for a row of one number a column as for one of a thousand.
 *
 *   a column      a number, where all rows have the same, else a blob with 8 bytes a row: the bits
 *                 of a double, NaN as 7ff8000000000000, or of a whole number, little-endian
 *   count         the rows; bytes behind theirs are of rows that have been cut off
 *
 * So a block of one row is a plain row, as epochs have. The views metrics and extras unpack blocks
 * for whoever reads the database (store_schema.c); the readers here do it themselves.
 */
#ifndef AN_TRACK_STORE_BLOCK_H
#define AN_TRACK_STORE_BLOCK_H

#include "track/store_db.h"

#include <stddef.h>

#define AN_BLOCK_ROWS 1024
#define AN_BLOCK_CELL 8

/* The cells of one column: the first, how many bytes to the next, how many. */
typedef struct an_cells {
    const void *first;
    size_t stride, count;
    bool whole; /* int64_t, else double */
} an_cells;

/*
 * Gives a statement's parameter a column; `bytes` is room for AN_BLOCK_CELL a cell, which must stay
 * until the statement has run. NaN is NULL where all are.
 */
void an__block_bind(sqlite3_stmt *statement, int at, const an_cells *cells, unsigned char *bytes);

/* Whether the columns of a result, from `from` on, hold numbers or `rows` cells; DATA. */
bool an__block_check(const an_store *store, sqlite3_stmt *row, int from, int64_t rows,
                     an_error *err);
/* The number of row `i` of a block in a column that has been checked; NaN: none. */
double an__block_value(sqlite3_stmt *row, int column, bool whole, int64_t i);

/*
 * Takes back the rows of metrics from this id to the end of the run, within a transaction; a block
 * that the id is in the middle of keeps those before.
 */
bool an__block_cut(an_store *store, int64_t run, int64_t id, an_error *err);
/* The id of the run's first row with a step after `step`, or the one after its last; -1 with err.
 */
int64_t an__block_after(an_store *store, int64_t run, int64_t step, an_error *err);

#endif
