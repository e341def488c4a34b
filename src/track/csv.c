/* The CSV log: rows become text, and the file sees whole batches of them. */
#include "file/io_error.h"
#include "track/columns.h"
#include "track/log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE 32
#define HEAD_SIZE (AN_COLUMNS_MOST * (2 * AN_COLUMN_NAME_SIZE + 3) + 2)

/* A number, and as what it was written; of length 0: none yet. */
typedef struct number_text {
    int64_t bits;
    size_t length;
    char text[NUMBER_SIZE];
} number_text;

struct an_csv {
    an_log log;
    an_columns columns;
    an_rows rows;                       /* not text yet */
    number_text texts[AN_COLUMNS_MOST]; /* the last of each column */
    int64_t every, last_step;
    bool grad_norm;
    char head[HEAD_SIZE];
    size_t head_size;
};

/* --------------------------------------------------------------------- rows */

/* In quotes, and theirs doubled, where a name would not be one field. */
static size_t put_name(char *text, const char *name)
{
    bool quoted = name[strcspn(name, ",\"\r\n")] != '\0';
    size_t used = 0;
    if (quoted)
        text[used++] = '"';
    for (const char *c = name; *c; c++) {
        if (*c == '"')
            text[used++] = '"';
        text[used++] = *c;
    }
    if (quoted)
        text[used++] = '"';
    return used;
}

static void make_head(an_csv *csv)
{
    csv->head_size = 0;
    for (size_t i = 0; i < csv->columns.count; i++) {
        if (i > 0)
            csv->head[csv->head_size++] = ',';
        csv->head_size += put_name(csv->head + csv->head_size, csv->columns.column[i].name);
    }
    csv->head[csv->head_size++] = '\n';
}

static size_t put_whole(char *text, int64_t value)
{
    char digits[NUMBER_SIZE];
    size_t count = 0, used = 0;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[count++] = (char)('0' + size % 10);
    while ((size /= 10) > 0);
    if (value < 0)
        text[used++] = '-';
    while (count > 0)
        text[used++] = digits[--count];
    return used;
}

/* A rate, or a gradient's norm that nobody wanted, is row after row the same. */
static size_t put_real(char *text, number_text *last, const an_cell *cell)
{
    if (last->length == 0 || last->bits != cell->whole) {
        last->bits = cell->whole;
        last->length = an_number_print(last->text, NUMBER_SIZE, cell->real);
    }
    memcpy(text, last->text, NUMBER_SIZE);
    return last->length;
}

static void put_row(an_csv *csv, const an_cell *cells)
{
    const an_columns *columns = &csv->columns;
    char *text = an__append_room(&csv->log.file, columns->count * (NUMBER_SIZE + 1));
    size_t used = 0;
    if (!text) {
        an__log_lose(&csv->log);
        return;
    }
    for (size_t i = 0; i < columns->count; i++) {
        used += columns->column[i].whole ? put_whole(text + used, cells[i].whole)
                                         : put_real(text + used, &csv->texts[i], &cells[i]);
        text[used++] = i + 1 < columns->count ? ',' : '\n';
    }
    an__append_added(&csv->log.file, used);
}

/* The rows become text, which waits for the file. */
static void put_rows(an_csv *csv)
{
    for (size_t i = 0; i < csv->rows.count; i++)
        put_row(csv, an__rows_at(&csv->rows, i) + 1);
    an__rows_clear(&csv->rows);
}

static void add_row(an_csv *csv, const an_record *record)
{
    if (!an__rows_add(&csv->rows, &csv->columns, record, 0))
        an__log_lose(&csv->log);
}

/* ----------------------------------------------------------------- the file */

static bool is_row_end(void *user, int64_t offset)
{
    an_append *file = &((an_csv *)user)->log.file;
    char last = 0;
    return offset > 0 && offset <= file->size &&
           an__append_read(file, offset - 1, &last, 1, NULL) == 1 && last == '\n';
}

/*
 * Rows are read from the top: where the first one with a later step begins, or the first that does
 * not end.
 */
static int64_t find_later(void *user, int64_t step, an_error *err)
{
    const an_csv *csv = user;
    FILE *stream = fopen(csv->log.path, "r");
    char *line = NULL;
    size_t capacity = 0;
    int64_t offset = 0;
    ssize_t length;
    if (!stream) {
        an__io_error("read", csv->log.path, errno, err);
        return -1;
    }
    while ((length = getline(&line, &capacity, stream)) > 0 && line[length - 1] == '\n') {
        double found;
        if (an_number_parse(line, (size_t)length, &found) > 0 && found > (double)step)
            break;
        offset += length;
    }
    free(line);
    fclose(stream);
    return offset;
}

/* Cuts a half row, of a process that was killed, off the end. */
static bool cut_half_row(an_csv *csv, an_error *err)
{
    an_append *file = &csv->log.file;
    if (file->size == 0 || is_row_end(csv, file->size))
        return true;
    int64_t end = find_later(csv, INT64_MAX, err);
    return end >= 0 && an__append_cut(file, end, err);
}

/* Writes the head to an empty file, or finds it in one that is not. */
static bool prepare(void *user, an_error *err)
{
    an_csv *csv = user;
    an_append *file = &csv->log.file;
    char found[HEAD_SIZE];
    if (!cut_half_row(csv, err))
        return false;
    if (file->size == 0)
        return an__append_write(file, csv->head, csv->head_size, err);
    int64_t got = an__append_read(file, 0, found, csv->head_size, err);
    if (got < 0)
        return false;
    if (got == (int64_t)csv->head_size && memcmp(found, csv->head, csv->head_size) == 0)
        return true;
    int shown = 0, most = got < 120 ? (int)got : 120;
    while (shown < most && found[shown] != '\n')
        shown++;
    return an_error_set(err, AN_ERROR_DATA,
                        "'%s' has other columns than this run's log (it begins with '%.*s'); name "
                        "another file, or move that one away",
                        file->name, shown, found);
}

/* ------------------------------------------------------------ the callback */

static void train_begin(void *user, const an_record *record, an_control *control)
{
    an_csv *csv = user;
    put_rows(csv);
    an__columns_of(&csv->columns, record, csv->every > 0 ? AN_ROW_STEP : AN_ROW_EPOCH);
    make_head(csv);
    csv->last_step = record->step;
    an__log_begin(&csv->log, record, control);
}

static void flush(void *user, const an_record *record, an_control *control)
{
    an_csv *csv = user;
    put_rows(csv);
    an__log_flush(&csv->log, record, control);
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    an_csv *csv = user;
    if (!an__row_due(record, csv->every, &csv->last_step))
        return;
    add_row(csv, record);
    if (an__log_is_due(&csv->log, record, &csv->rows))
        flush(csv, record, control);
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    an_csv *csv = user;
    if (csv->every == 0)
        add_row(csv, record);
    if (csv->every == 0 || an__log_is_due(&csv->log, record, &csv->rows))
        flush(csv, record, control);
}

static void sync_file(void *user, const an_record *record, an_control *control)
{
    an_csv *csv = user;
    put_rows(csv);
    an__log_sync(&csv->log, record, control);
}

static size_t save_state(void *user, void *bytes, size_t size)
{
    an_csv *csv = user;
    put_rows(csv);
    return an__log_save_state(&csv->log, bytes, size);
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_csv *csv = user;
    csv->last_step = record->step;
    an__rows_clear(&csv->rows);
    return an__log_load_state(&csv->log, record, bytes, size, err);
}

an_callback an_csv_callback(an_csv *csv)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = csv->every > 0 ? batch_end : NULL,
                         .epoch_end = epoch_end,
                         .train_end = flush,
                         .save_begin = sync_file,
                         .wants_grad_norm = csv->grad_norm,
                         .name = csv->log.state_name,
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = csv};
}

an_csv *an_csv_new(const char *path, const an_log_options *options, an_error *err)
{
    an_csv *csv = an_alloc(NULL, 1, sizeof *csv, err);
    if (!csv)
        return NULL;
    csv->log.prepare = prepare;
    csv->log.find_later = find_later;
    csv->log.is_row_end = is_row_end;
    csv->log.user = csv;
    csv->every = options->every;
    csv->grad_norm = options->grad_norm;
    if (an__log_init(&csv->log, "csv", path, options, err))
        return csv;
    an_csv_free(csv);
    return NULL;
}

void an_csv_free(an_csv *csv)
{
    if (!csv)
        return;
    put_rows(csv);
    an__log_free(&csv->log);
    an__rows_free(&csv->rows);
    an_release(NULL, csv, 1, sizeof *csv);
}
