/* One run being written: the callback, its state in checkpoints, new runs and old ones. */
#include "track/store_run.h"

#include "file/durable.h"
#include "file/little_endian.h"
#include "track/log.h"
#include "track/store_query.h"

#include <string.h>
#include <unistd.h>

#define STATE_SIZE 16
#define HOST_SIZE 256

/* ----------------------------------------------------------------- failures */

static void report(an_store_run *run, const an_error *failure, an_control *control)
{
    if (run->log.stop_on_failure)
        control->error = *failure;
    else if (!run->failed)
        an_tell(control, "log_failed", failure->message);
    run->failed = true;
}

static void report_recovery(an_store_run *run, an_control *control)
{
    char text[AN_ERROR_MESSAGE_SIZE];
    if (!run->failed)
        return;
    run->failed = false;
    an_format(text, sizeof text, "'%s/anneal.db' is written again; %lld rows are lost",
              run->store->folder, (long long)run->lost);
    run->lost = 0;
    an_tell(control, "log_recovered", text);
}

static void flush(an_store_run *run, const an_record *record, an_control *control)
{
    an_error err = {0};
    run->flushed_at = record->seconds;
    if (an__run_write(run, record, &err))
        report_recovery(run, control);
    else
        report(run, &err, control);
}

/* -------------------------------------------------------------- checkpoints */

static size_t save_state(void *user, void *bytes, size_t size)
{
    an_store_run *run = user;
    if (size >= STATE_SIZE) {
        an__put_64(bytes, (uint64_t)run->next_row);
        an__put_64((unsigned char *)bytes + 8, (uint64_t)run->next_event);
    }
    return STATE_SIZE;
}

/* Finds the numbers that follow those of the run's rows. */
static bool count_rows(an_store_run *run, an_error *err)
{
    static const char *const sql[] = {
        "SELECT ifnull(max(id + count) - ?1, 0) FROM metric_blocks WHERE id >= ?1 AND id < ?2",
        "SELECT ifnull(max(id) - ?1 + 1, 0) FROM events WHERE id >= ?1 AND id < ?2"};
    int64_t *const next[] = {&run->next_row, &run->next_event};
    bool ok = true;
    for (int i = 0; ok && i < 2; i++) {
        sqlite3_stmt *statement = an__query_of_run(run->store, sql[i], run->id, err);
        *next[i] = an__query_count(run->store, statement, err);
        ok = *next[i] >= 0;
    }
    return ok;
}

/* Takes back the rows of later steps. */
static bool cut_by_step(an_store_run *run, int64_t step, an_error *err)
{
    char sql[128];
    an_format(sql, sizeof sql, "DELETE FROM events WHERE id >= ? AND id < ? AND step > %lld",
              (long long)step);
    const int64_t row = an__block_after(run->store, run->id, step, err);
    return row >= 0 && an__block_cut(run->store, run->id, row, err) &&
           an__store_delete(run->store, sql, AN_ROW_ID(run->id, 0), AN_ROW_ID(run->id + 1, 0),
                            err) &&
           count_rows(run, err);
}

/* Takes back the rows from these numbers on. */
static bool cut_by_number(an_store_run *run, int64_t row, int64_t event, an_error *err)
{
    run->next_row = row;
    run->next_event = event;
    return an__block_cut(run->store, run->id, AN_ROW_ID(run->id, row), err) &&
           an__store_delete(run->store, "DELETE FROM events WHERE id >= ? AND id < ?",
                            AN_ROW_ID(run->id, event), AN_ROW_ID(run->id + 1, 0), err);
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_store_run *run = user;
    bool known = bytes && size == STATE_SIZE;
    uint64_t row = known ? an__get_64(bytes) : 0;
    uint64_t event = known ? an__get_64((const unsigned char *)bytes + 8) : 0;
    if (row > AN_ROW_LAST || event > AN_ROW_LAST)
        return an_error_set(err, AN_ERROR_DATA,
                            "the checkpoint's state of the run store is damaged: a row's number "
                            "is from 0 to %lld",
                            (long long)AN_ROW_LAST);
    an__run_forget(run, known ? (int64_t)row : 0, known ? (int64_t)event : 0);
    run->last_step = record->step;
    run->flushed_at = record->seconds;
    if (!an__store_begin(run->store, err))
        return false;
    bool ok = known ? cut_by_number(run, (int64_t)row, (int64_t)event, err)
                    : cut_by_step(run, record->step, err);
    return an__store_end(run->store, ok, err);
}

/* ------------------------------------------------------------- the callback */

static bool set_status(an_store_run *run, an_run_status status, const char *note, an_error *err)
{
    char host[HOST_SIZE] = "";
    sqlite3_stmt *statement =
        an__store_prepare(run->store,
                          "UPDATE runs SET status=?, updated=?, note=?, host=?, pid=?, version=? "
                          "WHERE id=?",
                          err);
    if (!statement)
        return false;
    (void)gethostname(host, sizeof host - 1);
    an__bind_text(statement, 1, an_run_status_name(status));
    sqlite3_bind_double(statement, 2, an__wall_time());
    an__bind_text(statement, 3, note);
    an__bind_text(statement, 4, host);
    sqlite3_bind_int64(statement, 5, (int64_t)getpid());
    an__bind_text(statement, 6, an_version());
    sqlite3_bind_int64(statement, 7, run->id);
    bool ok = an__store_step(run->store, statement, err);
    sqlite3_finalize(statement);
    return ok;
}

static void train_begin(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    an_error err = {0};
    run->last_step = record->step;
    if (run->row_count > 0 && !an__run_write(run, NULL, &err)) {
        run->lost += (int64_t)run->row_count; /* their columns may not be this training's */
        an__run_forget(run, 0, 0);
    }
    if (!an__run_prepare_rows(run, record, &err)) {
        control->error = err;
        return;
    }
    if (!set_status(run, AN_RUN_RUNNING, NULL, &err))
        report(run, &err, control);
    else
        flush(run, record, control);
}

static bool is_due(const an_store_run *run, const an_record *record)
{
    size_t waiting = run->rows_size + run->event_count * sizeof *run->events;
    return an__log_time(record, run->flushed_at, waiting / sizeof(an_cell), run->failed);
}

static void batch_end(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    if (!an__row_due(record, run->log.every, &run->last_step))
        return;
    an__run_add_row(run, record, AN_ROW_STEP);
    if (is_due(run, record))
        flush(run, record, control);
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    an__run_add_row(run, record, AN_ROW_EPOCH);
    if (run->log.every == 0 || is_due(run, record))
        flush(run, record, control);
}

static void train_end(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    an_error err = {0};
    flush(run, record, control);
    bool done = record->step >= record->steps;
    if (!run->ended && !set_status(run, done ? AN_RUN_DONE : AN_RUN_STOPPED, NULL, &err))
        report(run, &err, control);
}

static void event(void *user, const an_record *record, const an_event *event)
{
    an__run_add_event(user, record, event);
}

/* The write-ahead log is synced with this one transaction, and what came before it. */
static void sync_store(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    sqlite3_exec(run->store->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    flush(run, record, control);
    sqlite3_exec(run->store->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
}

an_callback an_store_run_callback(an_store_run *run)
{
    return (an_callback){.train_begin = train_begin,
                         .batch_end = run->log.every > 0 ? batch_end : NULL,
                         .epoch_end = epoch_end,
                         .train_end = train_end,
                         .event = event,
                         .save_begin = sync_store,
                         .wants_grad_norm = run->log.grad_norm,
                         .name = "store",
                         .save_state = save_state,
                         .load_state = load_state,
                         .user = run};
}

/* ------------------------------------------------------------ new and again */

static an_store_run *allocate(an_store *store, const an_log_options *log, an_error *err)
{
    if (!an__log_check(log, err))
        return NULL;
    an_store_run *run = an_alloc(NULL, 1, sizeof *run, err);
    if (!run)
        return NULL;
    run->store = store;
    run->log = *log;
    run->lock = -1;
    return run;
}

static bool write_text(an_store_run *run, const char *file, const char *text, an_error *err)
{
    char path[AN_STORE_PATH_SIZE];
    an_durable durable;
    if (!text)
        return true;
    if (!an__run_path(run->store, run->name, file, path, err) ||
        !an__durable_open(&durable, path, err))
        return false;
    an__durable_write(&durable, text, strlen(text));
    return an__durable_finish(&durable, err);
}

static bool insert_run(an_store_run *run, an_error *err)
{
    sqlite3_stmt *statement =
        an__store_prepare(run->store,
                          "INSERT INTO runs(name,status,started,updated,host,pid,version) "
                          "VALUES(?,'running',?,?,'',0,'')",
                          err);
    if (!statement)
        return false;
    an__bind_text(statement, 1, run->name);
    sqlite3_bind_double(statement, 2, an__wall_time());
    sqlite3_bind_double(statement, 3, an__wall_time());
    bool ok = an__store_step(run->store, statement, err);
    sqlite3_finalize(statement);
    run->id = sqlite3_last_insert_rowid(run->store->db);
    return ok && set_status(run, AN_RUN_RUNNING, NULL, err);
}

static bool make_run(an_store_run *run, const an_store_run_options *options, an_error *err)
{
    an_store *store = run->store;
    if (!an__run_make_folder(store, options->base, run->name, err))
        return false;
    run->lock = an__run_lock(store, run->name, err);
    if (run->lock < 0 || !an__run_path(store, run->name, NULL, run->folder, err) ||
        !write_text(run, "config.yaml", options->config, err) ||
        !write_text(run, "resolved.yaml", options->resolved, err) || !an__store_begin(store, err))
        return false;
    return an__store_end(store,
                         insert_run(run, err) &&
                             an__run_insert_params(run, options->params, options->param_count, err),
                         err) &&
           an__run_prepare(run, err);
}

an_store_run *an_store_run_new(an_store *store, const an_store_run_options *options, an_error *err)
{
    an_store_run *run = allocate(store, &options->log, err);
    if (run && !make_run(run, options, err)) {
        an_store_run_free(run);
        return NULL;
    }
    return run;
}

an_store_run *an_store_run_open(an_store *store, const char *name, const an_log_options *log,
                                an_error *err)
{
    an_store_run *run = allocate(store, log, err);
    if (!run)
        return NULL;
    bool ok = an__store_find(store, name, &run->id, err) &&
              an__run_path(store, name, NULL, run->folder, err);
    if (ok)
        an_format(run->name, sizeof run->name, "%s", name);
    run->lock = ok ? an__run_lock(store, name, err) : -1;
    if (run->lock >= 0 && count_rows(run, err) && an__run_prepare(run, err))
        return run;
    an_store_run_free(run);
    return NULL;
}

const char *an_store_run_name(const an_store_run *run)
{
    return run->name;
}

const char *an_store_run_folder(const an_store_run *run)
{
    return run->folder;
}

bool an_store_run_result(an_store_run *run, const char *name, double value, an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(
        run->store, "INSERT OR REPLACE INTO results(run,name,value) VALUES(?,?,?)", err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, run->id);
    an__bind_text(statement, 2, name);
    sqlite3_bind_double(statement, 3, value);
    bool ok = an__store_step(run->store, statement, err);
    sqlite3_finalize(statement);
    return ok;
}

bool an_store_run_end(an_store_run *run, an_run_status status, const char *note, an_error *err)
{
    run->ended = true;
    return an__run_write(run, NULL, err) && set_status(run, status, note, err);
}

void an_store_run_free(an_store_run *run)
{
    if (!run)
        return;
    if (run->event)
        (void)an__run_write(run, NULL, NULL);
    for (int i = 0; i < 2; i++)
        sqlite3_finalize(run->kinds[i].insert);
    sqlite3_finalize(run->extra);
    sqlite3_finalize(run->event);
    sqlite3_finalize(run->progress);
    if (run->lock >= 0)
        close(run->lock);
    an_release(NULL, run->rows, run->rows_capacity, 1);
    an_release(NULL, run->packed, run->packed_capacity, 1);
    an_release(NULL, run->events, run->event_capacity, 1);
    an_release(NULL, run, 1, sizeof *run);
}
