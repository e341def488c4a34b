/*
 * Rows wait in memory as plain numbers; one transaction writes all of them, in blocks, and the
 * events, or none.
 */
#include "track/grow.h"
#include "track/store_run.h"

#include <string.h>

#define MOST_WAITING (8 * 1024 * 1024)
#define EVENTS_MOST 4096
#define FIRST_CAPACITY 4096
#define SQL_SIZE 1024

/* A row waiting, its number within the run and its kind; so many cells as that has follow it. */
typedef struct waiting_row {
    int64_t number;
    double time;
    int64_t kind; /* an_row_kind - 1 */
} waiting_row;

void an__bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* ------------------------------------------------------------ waiting rows */

void an__run_add_row(an_store_run *run, const an_record *record, an_row_kind kind)
{
    const an_columns *columns = &run->kinds[kind - 1].all;
    size_t size = sizeof(waiting_row) + columns->count * sizeof(an_cell);
    void *block = run->rows;
    if (run->rows_size + size > MOST_WAITING ||
        !an__grow(&block, &run->rows_capacity, FIRST_CAPACITY, run->rows_size + size)) {
        run->lost++;
        return;
    }
    run->rows = block;
    waiting_row *row = (waiting_row *)(void *)(run->rows + run->rows_size);
    an_cell *cells = (an_cell *)(void *)(row + 1);
    *row = (waiting_row){run->next_row++, an__wall_time(), (int64_t)kind - 1};
    an__cells_of(cells, columns, record);
    run->rows_size += size;
    run->row_count++;
}

void an__run_add_event(an_store_run *run, const an_record *record, const an_event *event)
{
    void *block = run->events;
    if (run->event_count >= EVENTS_MOST ||
        !an__grow(&block, &run->event_capacity, FIRST_CAPACITY,
                  (run->event_count + 1) * sizeof *run->events)) {
        run->lost++;
        return;
    }
    run->events = block;
    an_waiting_event *waiting = &run->events[run->event_count++];
    *waiting = (an_waiting_event){.number = run->next_event++,
                                  .step = record->step,
                                  .epoch = record->epoch,
                                  .time = an__wall_time(),
                                  .seconds = record->seconds};
    an_format(waiting->kind, sizeof waiting->kind, "%s", event->kind);
    an_format(waiting->text, sizeof waiting->text, "%s", event->text);
}

static size_t row_size(const an_store_run *run, const waiting_row *row)
{
    return sizeof *row + run->kinds[row->kind].all.count * sizeof(an_cell);
}

void an__run_forget(an_store_run *run, int64_t row, int64_t event)
{
    size_t size = 0, count = 0;
    for (; count < run->row_count; count++) {
        const waiting_row *at = (const waiting_row *)(const void *)(run->rows + size);
        if (at->number >= row)
            break;
        size += row_size(run, at);
    }
    run->rows_size = size;
    run->row_count = count;
    while (run->event_count > 0 && run->events[run->event_count - 1].number >= event)
        run->event_count--;
}

/* ------------------------------------------------------------- writing them */

/* The cells of column `column` in these rows, which lie one behind the other. */
static an_cells column_of(const an_run_rows *kind, const waiting_row *rows, size_t count,
                          size_t column)
{
    const an_cell *cells = (const an_cell *)(const void *)(rows + 1);
    return (an_cells){cells + column, sizeof *rows + kind->all.count * sizeof *cells, count,
                      kind->all.column[column].whole};
}

static bool insert_extras(an_store_run *run, const waiting_row *rows, size_t count, an_error *err)
{
    const an_run_rows *kind = &run->kinds[rows->kind];
    for (size_t i = kind->in_table; i < kind->all.count; i++) {
        const an_cells cells = column_of(kind, rows, count, i);
        sqlite3_bind_int64(run->extra, 1, AN_ROW_ID(run->id, rows->number));
        sqlite3_bind_int64(run->extra, 2, (int64_t)(i - kind->in_table));
        an__bind_text(run->extra, 3, kind->all.column[i].name);
        an__block_bind(run->extra, 4, &cells, run->packed);
        if (!an__store_step(run->store, run->extra, err))
            return false;
    }
    return true;
}

/* Rows of one kind, one behind the other, as one of the database's. */
static bool insert_block(an_store_run *run, const waiting_row *rows, size_t count, an_error *err)
{
    const an_run_rows *kind = &run->kinds[rows->kind];
    const an_cells times = {&rows->time, row_size(run, rows), count, false};
    if (!an__grow(&run->packed, &run->packed_capacity, FIRST_CAPACITY,
                  (kind->in_table + 1) * count * AN_BLOCK_CELL))
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the rows of the run store");
    unsigned char *bytes = run->packed;
    sqlite3_bind_int64(kind->insert, 1, AN_ROW_ID(run->id, rows->number));
    an__bind_text(kind->insert, 2, kind->name);
    sqlite3_bind_int64(kind->insert, 3, (int64_t)count);
    an__block_bind(kind->insert, 4, &times, bytes);
    for (size_t i = 0; i < kind->in_table; i++) {
        const an_cells cells = column_of(kind, rows, count, i);
        an__block_bind(kind->insert, (int)i + 5, &cells, bytes += count * AN_BLOCK_CELL);
    }
    return an__store_step(run->store, kind->insert, err) && insert_extras(run, rows, count, err);
}

/* How many rows from `at` on make one block: updates, as many as go into it; an epoch's alone. */
static size_t block_rows(const an_store_run *run, const unsigned char *at)
{
    const waiting_row *row = (const waiting_row *)(const void *)at;
    const unsigned char *end = run->rows + run->rows_size;
    const size_t size = row_size(run, row);
    size_t count = 1;
    if (row->kind == AN_ROW_EPOCH - 1)
        return 1;
    while ((at += size) < end && count < AN_BLOCK_ROWS &&
           ((const waiting_row *)(const void *)at)->kind == row->kind)
        count++;
    return count;
}

static bool insert_rows(an_store_run *run, an_error *err)
{
    if (run->rows_size == 0) /* and there may be no memory for any yet: no place to count from */
        return true;
    for (const unsigned char *at = run->rows; at < run->rows + run->rows_size;) {
        const waiting_row *rows = (const waiting_row *)(const void *)at;
        size_t count = block_rows(run, at);
        if (!insert_block(run, rows, count, err))
            return false;
        at += count * row_size(run, rows);
    }
    return true;
}

static bool insert_events(an_store_run *run, an_error *err)
{
    for (size_t i = 0; i < run->event_count; i++) {
        const an_waiting_event *event = &run->events[i];
        sqlite3_bind_int64(run->event, 1, AN_ROW_ID(run->id, event->number));
        sqlite3_bind_double(run->event, 2, event->time);
        sqlite3_bind_int64(run->event, 3, event->step);
        sqlite3_bind_int64(run->event, 4, event->epoch);
        sqlite3_bind_double(run->event, 5, event->seconds);
        an__bind_text(run->event, 6, event->kind);
        an__bind_text(run->event, 7, event->text);
        if (!an__store_step(run->store, run->event, err))
            return false;
    }
    return true;
}

static bool update_progress(an_store_run *run, const an_record *record, an_error *err)
{
    sqlite3_bind_double(run->progress, 1, an__wall_time());
    sqlite3_bind_double(run->progress, 2, record->seconds);
    sqlite3_bind_int64(run->progress, 3, record->step);
    sqlite3_bind_int64(run->progress, 4, record->steps);
    sqlite3_bind_int64(run->progress, 5, record->epoch);
    sqlite3_bind_int64(run->progress, 6, record->epochs);
    sqlite3_bind_int64(run->progress, 7, run->id);
    return an__store_step(run->store, run->progress, err);
}

/* A run that has been removed meanwhile gets no more rows. */
static bool still_there(an_store_run *run, an_error *err)
{
    return sqlite3_changes(run->store->db) == 1 ||
           an_error_set(err, AN_ERROR_IO, "run '%s' has been removed from the store", run->name);
}

bool an__run_write(an_store_run *run, const an_record *record, an_error *err)
{
    if (!record && run->row_count == 0 && run->event_count == 0)
        return true;
    if (!an__store_begin(run->store, err))
        return false;
    bool ok = (!record || (update_progress(run, record, err) && still_there(run, err))) &&
              insert_rows(run, err) && insert_events(run, err);
    if (!an__store_end(run->store, ok, err))
        return false;
    an__run_forget(run, 0, 0);
    return true;
}

/* --------------------------------------------------------------- statements */

/* "INSERT INTO metric_blocks(id,kind,count,time,step,...) VALUES(?,?,...)" */
static bool prepare_insert(an_store_run *run, an_run_rows *kind, an_error *err)
{
    char sql[SQL_SIZE];
    size_t used = an_format(sql, sizeof sql, "INSERT INTO metric_blocks(id,kind,count,time");
    for (size_t i = 0; i < kind->in_table; i++)
        used += an_format(sql + used, sizeof sql - used, ",%s", kind->all.column[i].name);
    used += an_format(sql + used, sizeof sql - used, ") VALUES(?,?,?,?");
    for (size_t i = 0; i < kind->in_table; i++)
        used += an_format(sql + used, sizeof sql - used, ",?");
    an_format(sql + used, sizeof sql - used, ")");
    sqlite3_finalize(kind->insert);
    kind->insert = an__store_prepare(run->store, sql, err);
    return kind->insert;
}

/* The table has the columns of one group; further groups and named metrics are extras. */
static bool prepare_kind(an_store_run *run, an_row_kind which, const an_record *record,
                         an_error *err)
{
    an_run_rows *kind = &run->kinds[which - 1];
    an_record plain = *record;
    an_columns all;
    plain.groups = 1;
    plain.metric_count = 0;
    kind->name = which == AN_ROW_EPOCH ? "epoch" : "step";
    an__columns_of(&kind->all, &plain, which);
    kind->in_table = kind->all.count;
    an__columns_of(&all, record, which);
    for (size_t i = 0; i < all.count; i++)
        if (all.column[i].extra)
            an__columns_append(&kind->all, &all.column[i]);
    return prepare_insert(run, kind, err);
}

bool an__run_prepare(an_store_run *run, an_error *err)
{
    run->extra = an__store_prepare(
        run->store, "INSERT INTO extra_blocks(metric,place,name,value) VALUES(?,?,?,?)", err);
    run->event = run->extra ? an__store_prepare(run->store,
                                                "INSERT INTO events(id,time,step,epoch,seconds,"
                                                "kind,text) VALUES(?,?,?,?,?,?,?)",
                                                err)
                            : NULL;
    run->progress = run->event ? an__store_prepare(run->store,
                                                   "UPDATE runs SET updated=?, seconds=?, step=?, "
                                                   "steps=?, epoch=?, epochs=? WHERE id=?",
                                                   err)
                               : NULL;
    return run->progress;
}

bool an__run_prepare_rows(an_store_run *run, const an_record *record, an_error *err)
{
    return prepare_kind(run, AN_ROW_EPOCH, record, err) &&
           prepare_kind(run, AN_ROW_STEP, record, err);
}
