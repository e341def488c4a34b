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

typedef struct an_columns {
    an_column column[AN_COLUMNS_MOST];
    size_t count;
} an_columns;

/*
 * The columns of a record: those of the map, with several groups lr0, lr1, ... in place of lr, then
 * the metrics by name.
 */
void an__columns_of(an_columns *columns, const an_record *record, an_row_kind kind);

static inline int64_t an__column_whole(const an_column *column, const an_record *record)
{
    return *(const int64_t *)((const char *)record + column->offset);
}

static inline double an__column_real(const an_column *column, const an_record *record)
{
    return *(const double *)((const char *)record + column->offset);
}

/*
 * Whether a log that wants a row every `every` updates wants one of this record. `*last` is the
 * step of the row before; records of one step (gradient accumulation) make one row.
 */
bool an__row_due(const an_record *record, int64_t every, int64_t *last);

/* The file's name without its folder. */
const char *an__file_name(const char *path);

#endif
