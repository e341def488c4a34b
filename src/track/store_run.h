/* A run being written: its rows in memory, and what puts them into the database. */
#ifndef AN_TRACK_STORE_RUN_H
#define AN_TRACK_STORE_RUN_H

#include "track/columns.h"
#include "track/store_block.h"

/* The columns of a kind of rows: those of the table, and the extras. */
typedef struct an_run_rows {
    const char *name;
    an_columns all;
    size_t in_table;
    sqlite3_stmt *insert; /* of a block */
} an_run_rows;

typedef struct an_waiting_event {
    int64_t number, step, epoch;
    double time, seconds;
    char kind[48];
    char text[AN_ERROR_MESSAGE_SIZE];
} an_waiting_event;

struct an_store_run {
    an_store *store;
    an_log_options log;
    int64_t id;
    char name[AN_RUN_NAME_SIZE], folder[AN_STORE_PATH_SIZE];
    int lock;

    an_run_rows kinds[2];
    sqlite3_stmt *extra, *event, *progress;
    int64_t last_step, next_row, next_event; /* the next numbers */
    unsigned char *rows;                     /* waiting: waiting_row, cells, ... */
    size_t rows_size, rows_capacity, row_count;
    void *packed; /* room for one block */
    size_t packed_capacity;
    an_waiting_event *events;
    size_t event_count, event_capacity;
    double flushed_at;
    bool failed;  /* and told so */
    int64_t lost; /* rows that found no room */
    bool ended;   /* by an_store_run_end */
};

void an__bind_text(sqlite3_stmt *statement, int at, const char *text);

/* Within a transaction. */
bool an__run_insert_params(an_store_run *run, const an_named_text *params, size_t count,
                           an_error *err);

/* Rows and events that wait; what finds no room is counted in `lost`. */
void an__run_add_row(an_store_run *run, const an_record *record, an_row_kind kind);
void an__run_add_event(an_store_run *run, const an_record *record, const an_event *event);
/* Forgets of what waits the rows and events from these numbers on. */
void an__run_forget(an_store_run *run, int64_t row, int64_t event);

/*
 * Everything that waits, in one transaction; where it fails, everything goes on waiting. `record`
 * says how far the run has come; NULL: no further.
 */
bool an__run_write(an_store_run *run, const an_record *record, an_error *err);

/* The statements that depend on the record's columns, and the others. */
bool an__run_prepare_rows(an_store_run *run, const an_record *record, an_error *err);
bool an__run_prepare(an_store_run *run, an_error *err);

#endif
