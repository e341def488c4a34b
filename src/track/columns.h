/*
 * What the logs hold: the columns of a record. One list drives the CSV's head, the event files'
 * tags and the database's columns, so that they agree.
 */
#ifndef AN_TRACK_COLUMNS_H
#define AN_TRACK_COLUMNS_H

#include <anneal/track.h>

/* A log has a row for every epoch or for every so many updates. */
typedef enum an_row_kind { AN_ROW_EPOCH = 1, AN_ROW_STEP = 2 } an_row_kind;

/* X(field of an_record, whether it is a whole number, the kinds of rows that have it) */
#define AN_COLUMN_MAP(X)                                     \
    X(step, true, AN_ROW_EPOCH | AN_ROW_STEP)                \
    X(epoch, true, AN_ROW_EPOCH | AN_ROW_STEP)               \
    X(batch, true, AN_ROW_STEP)                              \
    X(samples, true, AN_ROW_EPOCH | AN_ROW_STEP)             \
    X(seconds, false, AN_ROW_EPOCH | AN_ROW_STEP)            \
    X(epoch_seconds, false, AN_ROW_EPOCH)                    \
    X(loss, false, AN_ROW_EPOCH | AN_ROW_STEP)               \
    X(accuracy, false, AN_ROW_EPOCH | AN_ROW_STEP)           \
    X(batch_loss, false, AN_ROW_STEP)                        \
    X(valid_loss, false, AN_ROW_EPOCH)                       \
    X(valid_accuracy, false, AN_ROW_EPOCH)                   \
    X(lr, false, AN_ROW_EPOCH | AN_ROW_STEP)                 \
    X(momentum, false, AN_ROW_EPOCH | AN_ROW_STEP)           \
    X(grad_norm, false, AN_ROW_EPOCH | AN_ROW_STEP)          \
    X(samples_per_second, false, AN_ROW_EPOCH | AN_ROW_STEP) \
    X(memory, true, AN_ROW_EPOCH)

#define AN_COLUMNS_MOST (16 + 2 * AN_RECORD_GROUPS + AN_RECORD_METRICS)
#define AN_COLUMN_NAME_SIZE 64

typedef struct an_column {
    char name[AN_COLUMN_NAME_SIZE];
    size_t offset; /* in an_record */
    bool whole;    /* an int64_t, else a double */
    bool extra;    /* of a further group, or a metric by name: not one of the map's */
} an_column;

/* The offsets stand once more, close together: after every update they alone are read. */
typedef struct an_columns {
    size_t count;
    uint16_t offset[AN_COLUMNS_MOST];
    an_column column[AN_COLUMNS_MOST];
} an_columns;

/*
 * The columns of a record: those of the map, with several groups lr0, lr1, ... in place of lr, then
 * the metrics by name.
 */
void an__columns_of(an_columns *columns, const an_record *record, an_row_kind kind);
void an__columns_append(an_columns *columns, const an_column *column);

/* The value of a column in one row: a whole number or not, as the column says. */
typedef union an_cell {
    int64_t whole;
    double real;
} an_cell;

/*
 * Rows as plain numbers. A log keeps those of updates so until it writes them all in one go: what
 * is done after every update must be next to nothing, and a tight loop costs half of the same work
 * between the batches, where the caches are full of weights.
 */
typedef struct an_rows {
    an_cell *cells; /* of each row the time that it was given, then the columns */
    size_t count, width, capacity;
} an_rows;

/* False when there is no memory. All rows between two calls of an__rows_clear have one width. */
bool an__rows_add(an_rows *rows, const an_columns *columns, const an_record *record, double time);
const an_cell *an__rows_at(const an_rows *rows, size_t i);
void an__rows_clear(an_rows *rows);
void an__rows_free(an_rows *rows);
/* The cells of one record, without a time. */
void an__cells_of(an_cell *cells, const an_columns *columns, const an_record *record);

/* Seconds since 1970. */
double an__wall_time(void);

/*
 * Whether a log that wants a row every `every` updates wants one of this record. `*last` is the
 * step of the row before; records of one step (gradient accumulation) make one row.
 */
bool an__row_due(const an_record *record, int64_t every, int64_t *last);

#endif
