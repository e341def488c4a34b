/* The callback that writes event files. */
#include "track/events.h"

#include "file/little_endian.h"
#include "track/columns.h"
#include "track/histogram.h"
#include "track/log.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define HEAD_SIZE 128
#define HEAD_STEP 16

/* A scalar as a Value up to its number: one key, length, tag and key, made once. */
typedef struct scalar {
    size_t cell; /* in a row of the columns */
    bool whole;
    unsigned char head[HEAD_SIZE];
    size_t head_size;
} scalar;

typedef struct scalars {
    an_columns columns;
    scalar scalar[AN_COLUMNS_MOST];
    size_t count;
} scalars;

struct an_events {
    an_log log;
    int64_t every, last_step;
    bool grad_norm, histograms;
    bool goes_on;          /* the file has this run's beginning */
    an_named_text *params; /* and their texts, in one block */
    size_t param_count, params_size;
    scalars of_steps, of_epochs;
    an_rows rows; /* of steps, not events yet */
    an_histogram histogram;
    an_proto proto;
};

static float as_float(double value)
{
    return value > (double)FLT_MAX ? INFINITY : value < -(double)FLT_MAX ? -INFINITY : (float)value;
}

/* ------------------------------------------------------------------ scalars */

/* What the axis of a plot is, or follows from it. */
static bool is_axis(const char *name)
{
    static const char *const names[] = {"step", "epoch", "batch", "samples", "seconds"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* "epoch/loss"; the tag is short enough for lengths of one byte. */
static void make_scalar(scalar *s, const an_columns *columns, size_t cell, const char *folder)
{
    const an_column *column = &columns->column[cell];
    unsigned char *head = s->head;
    s->cell = cell;
    s->whole = column->whole;
    size_t tag = an_format((char *)head + 4, HEAD_SIZE - 4, "%s/%s", folder, column->name);
    head[0] = AN_SUMMARY_VALUE << 3 | AN_WIRE_BYTES;
    head[1] = (unsigned char)(tag + 7);
    head[2] = AN_VALUE_TAG << 3 | AN_WIRE_BYTES;
    head[3] = (unsigned char)tag;
    head[4 + tag] = AN_VALUE_SCALAR << 3 | AN_WIRE_FOUR;
    s->head_size = tag + 5;
}

static void make_scalars(scalars *all, const an_record *record, an_row_kind kind)
{
    const an_columns *columns = &all->columns;
    an__columns_of(&all->columns, record, kind);
    all->count = 0;
    for (size_t i = 0; i < columns->count; i++)
        if (!is_axis(columns->column[i].name))
            make_scalar(&all->scalar[all->count++], columns, i,
                        kind == AN_ROW_STEP ? "step" : "epoch");
}

/* Writes a scalar, unless it is NaN; gives its bytes. There is room for HEAD_SIZE of them. */
static size_t put_scalar(unsigned char *to, const scalar *s, const an_cell *cells)
{
    double value = s->whole ? (double)cells[s->cell].whole : cells[s->cell].real;
    float number = as_float(value);
    uint32_t bits;
    if (isnan(value))
        return 0;
    memcpy(&bits, &number, sizeof bits);
    for (size_t i = 0; i < s->head_size; i += HEAD_STEP) /* the last one goes too far */
        memcpy(to + i, s->head + i, HEAD_STEP);
    an__put_32(to + s->head_size, bits);
    return s->head_size + sizeof bits;
}

/* ------------------------------------------------------------------- events */

/* Begins an event with its summary; gives what end_event wants. */
static size_t begin_event(an_events *e, double time, int64_t step)
{
    an__proto_reset(&e->proto);
    an__proto_double(&e->proto, AN_EVENT_TIME, time);
    an__proto_varint(&e->proto, AN_EVENT_STEP, (uint64_t)step);
    return an__proto_begin(&e->proto, AN_EVENT_SUMMARY);
}

static void end_event(an_events *e, size_t begun)
{
    an__proto_end(&e->proto, begun);
    if (e->proto.failed || !an__record_add(&e->log.file, e->proto.bytes, e->proto.size))
        an__log_lose(&e->log);
}

/* The first column is the step. */
static void put_scalars(an_events *e, const scalars *all, double time, const an_cell *cells)
{
    size_t summary = begin_event(e, time, cells[0].whole);
    unsigned char *to = an__proto_room(&e->proto, all->count * HEAD_SIZE), *begun = to;
    for (size_t i = 0; to && i < all->count; i++)
        to += put_scalar(to, &all->scalar[i], cells);
    e->proto.size += (size_t)(to - begun);
    end_event(e, summary);
}

/* The rows become events, which wait for the file; before any event that is later. */
static void put_rows(an_events *e)
{
    for (size_t i = 0; i < e->rows.count; i++) {
        const an_cell *row = an__rows_at(&e->rows, i);
        put_scalars(e, &e->of_steps, row[0].real, row + 1);
    }
    an__rows_clear(&e->rows);
}

static void put_histogram(an_events *e, const char *folder, const char *name, const float *values,
                          int64_t count)
{
    char tag[256];
    an_format(tag, sizeof tag, "%s/%s", folder, name);
    an__histogram_fill(&e->histogram, values, count);
    size_t value = an__proto_begin(&e->proto, AN_SUMMARY_VALUE);
    an__proto_text(&e->proto, AN_VALUE_TAG, tag);
    an__histogram_put(&e->histogram, &e->proto, AN_VALUE_HISTOGRAM);
    an__proto_end(&e->proto, value);
}

static void add_params(void *user, const an_record *record, const an_param_view *params,
                       size_t count)
{
    an_events *e = user;
    put_rows(e);
    for (size_t i = 0; i < count; i++) {
        size_t summary = begin_event(e, an__wall_time(), record->step);
        put_histogram(e, "params", params[i].name, params[i].values, params[i].count);
        if (params[i].gradient)
            put_histogram(e, "gradients", params[i].name, params[i].gradient, params[i].count);
        end_event(e, summary);
    }
}

/* --------------------------------------------------------- hyper-parameters */

/*
 * The HPARAMS page wants, in metadata (SummaryMetadata 1 plugin: 1 name, 2 content), a message that
 * says when a session began (3: SessionStartInfo 1 map of names to values, 5 seconds) and another
 * when it ended (4: SessionEndInfo 1 status, 2 seconds). Source: TensorBoard, plugins/hparams.
 */
enum { HPARAMS_BEGIN = 3, HPARAMS_END = 4 };

static void put_param(an_proto *proto, const an_named_text *param)
{
    double number;
    size_t length = strlen(param->text);
    size_t entry = an__proto_begin(proto, 1);
    an__proto_text(proto, 1, param->name);
    size_t value = an__proto_begin(proto, 2); /* google.protobuf.Value: 2 number, 3 text */
    if (length > 0 && an_number_parse(param->text, length, &number) == length)
        an__proto_double(proto, 2, number);
    else
        an__proto_text(proto, 3, param->text);
    an__proto_end(proto, value);
    an__proto_end(proto, entry);
}

static void add_session(an_events *e, int64_t step, unsigned which, const char *tag)
{
    an_proto *proto = &e->proto;
    if (e->param_count == 0)
        return;
    put_rows(e);
    size_t summary = begin_event(e, an__wall_time(), step),
           value = an__proto_begin(proto, AN_SUMMARY_VALUE);
    an__proto_text(proto, AN_VALUE_TAG, tag);
    size_t metadata = an__proto_begin(proto, AN_VALUE_METADATA);
    size_t plugin = an__proto_begin(proto, 1);
    an__proto_text(proto, 1, "hparams");
    size_t content = an__proto_begin(proto, 2), info = an__proto_begin(proto, which);
    for (size_t i = 0; which == HPARAMS_BEGIN && i < e->param_count; i++)
        put_param(proto, &e->params[i]);
    if (which == HPARAMS_END)
        an__proto_varint(proto, 1, 1); /* STATUS_SUCCESS */
    an__proto_double(proto, which == HPARAMS_BEGIN ? 5 : 2, an__wall_time());
    an__proto_end(proto, info);
    an__proto_end(proto, content);
    an__proto_end(proto, plugin);
    an__proto_end(proto, metadata);
    an__proto_end(proto, value);
    end_event(e, summary);
}

/* Copies a text to *at, which moves behind it. */
static const char *keep(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

/* One block: the table, then the texts. */
static bool copy_params(an_events *e, const an_events_options *options, an_error *err)
{
    size_t size = options->param_count * sizeof *e->params;
    for (size_t i = 0; i < options->param_count; i++)
        size += strlen(options->params[i].name) + strlen(options->params[i].text) + 2;
    e->params = an_alloc(NULL, size, 1, err);
    if (!e->params)
        return false;
    e->params_size = size;
    e->param_count = options->param_count;
    char *at = (char *)(e->params + e->param_count);
    for (size_t i = 0; i < e->param_count; i++) {
        e->params[i].name = keep(&at, options->params[i].name);
        e->params[i].text = keep(&at, options->params[i].text);
    }
    return true;
}

/* ----------------------------------------------------------------- the file */

static int64_t find_later(void *user, int64_t step, an_error *err)
{
    return an__records_walk(&((an_events *)user)->log.file, step, INT64_MAX, err);
}

static bool is_row_end(void *user, int64_t offset)
{
    return an__records_walk(&((an_events *)user)->log.file, INT64_MAX, offset, NULL) == offset;
}

/* The first record of a file, in memory to be freed with an__append_close. */
static bool make_version(an_append *record, an_error *err)
{
    an_proto message = {0};
    *record = (an_append){.name = ""};
    an__proto_double(&message, AN_EVENT_TIME, an__wall_time());
    an__proto_text(&message, AN_EVENT_VERSION, AN_EVENTS_VERSION);
    bool made = !message.failed && an__record_add(record, message.bytes, message.size);
    an__proto_free(&message);
    return made || an_error_set(err, AN_ERROR_MEMORY, "memory ran out for an event file");
}

/*
 * Whether the file begins as an event file does. One that a killed process left with a part of its
 * first record counts as empty.
 */
static bool check_version(an_append *file, const an_append *version, an_error *err)
{
    unsigned char found[64];
    const size_t text = sizeof AN_EVENTS_VERSION - 1;
    int64_t got = an__append_read(file, 0, found, sizeof found, err);
    if (got < 0)
        return false;
    size_t size = (size_t)got, head = size < AN_RECORD_HEAD ? size : AN_RECORD_HEAD;
    if (size < version->used && memcmp(found, version->waiting, head) == 0)
        return an__append_cut(file, 0, err);
    for (size_t i = AN_RECORD_HEAD; i + text <= size; i++)
        if (memcmp(found + i, AN_EVENTS_VERSION, text) == 0)
            return true;
    return an_error_set(err, AN_ERROR_DATA,
                        "'%s' is no event file; name another file, or move that one away",
                        file->name);
}

/* A new file gets its first record, before what waits; of an old one, half a record goes. */
static bool prepare_with(an_events *e, const an_append *version, an_error *err)
{
    an_append *file = &e->log.file;
    if (file->size > 0 && !check_version(file, version, err))
        return false;
    int64_t end = find_later(e, INT64_MAX, err);
    if (end < 0 || !an__append_cut(file, end, err))
        return false;
    return end > 0 || an__append_write(file, version->waiting, version->used, err);
}

static bool prepare(void *user, an_error *err)
{
    an_append version;
    bool ok = make_version(&version, err) && prepare_with(user, &version, err);
    an__append_close(&version);
    return ok;
}

/* ------------------------------------------------------------- the callback */

static void train_begin(void *user, const an_record *record, an_control *control)
{
    an_events *e = user;
    put_rows(e);
    make_scalars(&e->of_steps, record, AN_ROW_STEP);
    make_scalars(&e->of_epochs, record, AN_ROW_EPOCH);
    e->last_step = record->step;
    an__log_begin(&e->log, record, control);
    if (!e->goes_on)
        add_session(e, record->step, HPARAMS_BEGIN, "_hparams_/session_start_info");
}

static void flush(an_events *e, const an_record *record, an_control *control)
{
    put_rows(e);
    an__log_flush(&e->log, record, control);
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    an_events *e = user;
    if (!an__row_due(record, e->every, &e->last_step))
        return;
    if (!an__rows_add(&e->rows, &e->of_steps.columns, record, an__wall_time()))
        an__log_lose(&e->log);
    if (an__log_is_due(&e->log, record, &e->rows))
        flush(e, record, control);
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    an_events *e = user;
    an_cell cells[AN_COLUMNS_MOST];
    put_rows(e);
    an__cells_of(cells, &e->of_epochs.columns, record);
    put_scalars(e, &e->of_epochs, an__wall_time(), cells);
    if (e->every == 0 || an__log_is_due(&e->log, record, &e->rows))
        flush(e, record, control);
}

static void train_end(void *user, const an_record *record, an_control *control)
{
    an_events *e = user;
    add_session(e, record->step, HPARAMS_END, "_hparams_/session_end_info");
    flush(e, record, control);
}

static void sync_file(void *user, const an_record *record, an_control *control)
{
    an_events *e = user;
    put_rows(e);
    an__log_sync(&e->log, record, control);
}

static size_t save_state(void *user, void *bytes, size_t size)
{
    an_events *e = user;
    put_rows(e);
    return an__log_save_state(&e->log, bytes, size);
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_events *e = user;
    e->last_step = record->step;
    e->goes_on = bytes != NULL;
    an__rows_clear(&e->rows);
    return an__log_load_state(&e->log, record, bytes, size, err);
}

an_callback an_events_callback(an_events *events)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = events->every > 0 ? batch_end : NULL,
                         .epoch_end = epoch_end,
                         .train_end = train_end,
                         .params = events->histograms ? add_params : NULL,
                         .save_begin = sync_file,
                         .wants_grad_norm = events->grad_norm,
                         .name = events->log.state_name,
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = events};
}

an_events *an_events_new(const char *path, const an_events_options *options, an_error *err)
{
    an_events *e = an_alloc(NULL, 1, sizeof *e, err);
    if (!e)
        return NULL;
    e->log.prepare = prepare;
    e->log.find_later = find_later;
    e->log.is_row_end = is_row_end;
    e->log.user = e;
    e->every = options->log.every;
    e->grad_norm = options->log.grad_norm;
    e->histograms = options->histograms;
    an__histogram_init(&e->histogram);
    if (an__log_init(&e->log, "events", path, &options->log, err) && copy_params(e, options, err))
        return e;
    an_events_free(e);
    return NULL;
}

void an_events_free(an_events *events)
{
    if (!events)
        return;
    put_rows(events);
    an__log_free(&events->log);
    an__rows_free(&events->rows);
    an__proto_free(&events->proto);
    an_release(NULL, events->params, events->params_size, 1);
    an_release(NULL, events, 1, sizeof *events);
}
