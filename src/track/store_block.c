#include "track/store_block.h"

#include "file/little_endian.h"
#include "track/store_query.h"

#include <math.h>
#include <string.h>

#define NAN_BITS UINT64_C(0x7ff8000000000000)

static uint64_t bits_of(const unsigned char *cell, bool whole)
{
    uint64_t bits;
    double number;
    memcpy(&bits, cell, sizeof bits);
    memcpy(&number, cell, sizeof number);
    return !whole && isnan(number) ? NAN_BITS : bits;
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t bits, bool whole)
{
    double real;
    memcpy(&real, &bits, sizeof real);
    if (whole)
        sqlite3_bind_int64(statement, at, (int64_t)bits);
    else
        sqlite3_bind_double(statement, at, real); /* of NaN SQLite makes NULL */
}

void an__block_bind(sqlite3_stmt *statement, int at, const an_cells *cells, unsigned char *bytes)
{
    const uint64_t first = bits_of(cells->first, cells->whole);
    uint64_t differences = 0;
    for (size_t i = 0; i < cells->count; i++) {
        const unsigned char *cell = (const unsigned char *)cells->first + i * cells->stride;
        uint64_t bits = bits_of(cell, cells->whole);
        differences |= bits ^ first;
        an__put_64(bytes + i * AN_BLOCK_CELL, bits);
    }
    if (differences)
        sqlite3_bind_blob(statement, at, bytes, (int)(cells->count * AN_BLOCK_CELL), SQLITE_STATIC);
    else
        bind_number(statement, at, first, cells->whole);
}

bool an__block_check(const an_store *store, sqlite3_stmt *row, int from, int64_t rows,
                     an_error *err)
{
    bool ok = rows >= 1 && rows <= AN_BLOCK_ROWS;
    for (int c = from; ok && c < sqlite3_column_count(row); c++)
        ok = sqlite3_column_type(row, c) != SQLITE_BLOB ||
             sqlite3_column_bytes(row, c) >= rows * AN_BLOCK_CELL;
    return ok || an_error_set(err, AN_ERROR_DATA,
                              "'%s/anneal.db' is damaged: a block of rows does not hold what it "
                              "says; restore the file, or remove the run",
                              store->folder);
}

double an__block_value(sqlite3_stmt *row, int column, bool whole, int64_t i)
{
    double real;
    if (sqlite3_column_type(row, column) != SQLITE_BLOB)
        return an__query_real(row, column);
    const unsigned char *bytes = sqlite3_column_blob(row, column);
    uint64_t bits = bytes ? an__get_64(bytes + i * AN_BLOCK_CELL) : NAN_BITS;
    memcpy(&real, &bits, sizeof real);
    return whole ? (double)(int64_t)bits : real;
}

bool an__block_cut(an_store *store, int64_t run, int64_t id, an_error *err)
{
    const int64_t end = AN_ROW_ID(run + 1, 0);
    char sql[160];
    an_format(sql, sizeof sql,
              "UPDATE metric_blocks SET count = %lld - id WHERE id >= ? AND id < ? AND id + count "
              "> %lld",
              (long long)id, (long long)id);
    return an__store_delete(store, "DELETE FROM metric_blocks WHERE id >= ? AND id < ?", id, end,
                            err) &&
           an__store_delete(store, "DELETE FROM extra_blocks WHERE metric >= ? AND metric < ?", id,
                            end, err) &&
           an__store_delete(store, sql, AN_ROW_ID(run, 0), id, err);
}

int64_t an__block_after(an_store *store, int64_t run, int64_t step, an_error *err)
{
    int64_t after = AN_ROW_ID(run, 0);
    bool failed = true, found = false;
    sqlite3_stmt *row = an__query_of_run(
        store, "SELECT id, count, step FROM metric_blocks WHERE id >= ? AND id < ? ORDER BY id",
        run, err);
    while (row && !found && an__query_next(store, row, &failed, err)) {
        const int64_t id = sqlite3_column_int64(row, 0), count = sqlite3_column_int64(row, 1);
        failed = !an__block_check(store, row, 2, count, err);
        if (failed)
            break;
        for (int64_t i = 0; i < count && !found; i++) {
            found = an__block_value(row, 2, true, i) > (double)step;
            after = found ? id + i : id + i + 1;
        }
    }
    sqlite3_finalize(row);
    return row && !failed ? after : -1;
}
