/* One run being written: the callback, its state in checkpoints, new runs and old ones. */
#include "track/store_run.h"

#include "file/durable.h"

#include <string.h>
#include <unistd.h>

#define FLUSH_ROWS 2048
#define FLUSH_SECONDS 1.0
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
    const int64_t numbers[] = {run->next_row, run->next_event};
    for (size_t i = 0; i < STATE_SIZE && i < size; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)((uint64_t)numbers[i / 8] >> 8 * (i % 8));
    return STATE_SIZE;
}

/* Runs "DELETE ..." with two numbers. */
static bool delete_where(an_store *store, const char *sql, int64_t first, int64_t second,
                         an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(store, sql, err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, first);
    sqlite3_bind_int64(statement, 2, second);
    bool ok = an__store_step(store, statement, err);
    sqlite3_finalize(statement);
    return ok;
}

/* The numbers that follow the rows that are there. */
static bool count_rows(an_store_run *run, an_error *err)
{
    static const char *const tables[] = {"metrics", "events"};
    int64_t *next[] = {&run->next_row, &run->next_event};
    for (int i = 0; i < 2; i++) {
        char sql[128];
        an_format(sql, sizeof sql, "SELECT max(id) FROM %s WHERE id >= ? AND id < ?", tables[i]);
        sqlite3_stmt *statement = an__store_prepare(run->store, sql, err);
        if (!statement)
            return false;
        sqlite3_bind_int64(statement, 1, AN_ROW_ID(run->id, 0));
        sqlite3_bind_int64(statement, 2, AN_ROW_ID(run->id + 1, 0));
        bool read = sqlite3_step(statement) == SQLITE_ROW;
        bool none = read && sqlite3_column_type(statement, 0) == SQLITE_NULL;
        *next[i] = none ? 0 : AN_ROW_NUMBER(sqlite3_column_int64(statement, 0)) + 1;
        sqlite3_finalize(statement);
        if (!read)
            return an__store_fail(run->store, "read", err);
    }
    return true;
}

/* Takes rows back: by their numbers, or, where those are unknown, those of later steps. */
static bool cut(an_store_run *run, const an_record *record, const int64_t *numbers, an_error *err)
{
    an_store *store = run->store;
    int64_t end = AN_ROW_ID(run->id + 1, 0);
    if (!numbers) {
        char sql[160];
        static const char *const tables[] = {"metrics", "events"};
        for (int i = 0; i < 2; i++) {
            an_format(sql, sizeof sql, "DELETE FROM %s WHERE id >= ? AND id < ? AND step > %lld",
                      tables[i], (long long)record->step);
            if (!delete_where(store, sql, AN_ROW_ID(run->id, 0), end, err))
                return false;
        }
        return delete_where(store,
                            "DELETE FROM extras WHERE metric >= ? AND metric < ? AND metric NOT IN "
                            "(SELECT id FROM metrics)",
                            AN_ROW_ID(run->id, 0), end, err) &&
               count_rows(run, err);
    }
    int64_t row = AN_ROW_ID(run->id, numbers[0]), event = AN_ROW_ID(run->id, numbers[1]);
    run->next_row = numbers[0];
    run->next_event = numbers[1];
    return delete_where(store, "DELETE FROM metrics WHERE id >= ? AND id < ?", row, end, err) &&
           delete_where(store, "DELETE FROM extras WHERE metric >= ? AND metric < ?", row, end,
                        err) &&
           delete_where(store, "DELETE FROM events WHERE id >= ? AND id < ?", event, end, err);
}

static bool load_state(void *user, const an_record *record, const void *bytes, size_t size,
                       an_error *err)
{
    an_store_run *run = user;
    int64_t numbers[2] = {0, 0};
    bool known = bytes && size == STATE_SIZE;
    for (size_t i = 0; known && i < STATE_SIZE; i++)
        numbers[i / 8] |= (int64_t)((uint64_t)((const unsigned char *)bytes)[i] << 8 * (i % 8));
    an__run_forget(run);
    run->last_step = record->step;
    if (!an__store_begin(run->store, err))
        return false;
    return an__store_end(run->store, cut(run, record, known ? numbers : NULL, err), err);
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
        an__run_forget(run);
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

static void batch_end(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    if (!an__row_due(record, run->log.every, &run->last_step))
        return;
    an__run_add_row(run, record, AN_ROW_STEP);
    if ((run->row_count >= FLUSH_ROWS && !run->failed) ||
        record->seconds - run->flushed_at >= FLUSH_SECONDS)
        flush(run, record, control);
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    an_store_run *run = user;
    an__run_add_row(run, record, AN_ROW_EPOCH);
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
    if (log->every < 0) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "a log's `every` must be 0 (epochs) or a number of updates, got %lld",
                     (long long)log->every);
        return NULL;
    }
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

static bool insert_params(an_store_run *run, const an_store_run_options *options, an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(
        run->store, "INSERT OR REPLACE INTO parameters(run,name,value) VALUES(?,?,?)", err);
    bool ok = statement;
    for (size_t i = 0; ok && i < options->param_count; i++) {
        sqlite3_bind_int64(statement, 1, run->id);
        an__bind_text(statement, 2, options->params[i].name);
        an__bind_text(statement, 3, options->params[i].text);
        ok = an__store_step(run->store, statement, err);
    }
    sqlite3_finalize(statement);
    return ok;
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
    return an__store_end(store, insert_run(run, err) && insert_params(run, options, err), err) &&
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
    sqlite3_finalize(run->kinds[0].insert);
    sqlite3_finalize(run->kinds[1].insert);
    sqlite3_finalize(run->extra);
    sqlite3_finalize(run->event);
    sqlite3_finalize(run->progress);
    if (run->lock >= 0)
        close(run->lock);
    an_release(NULL, run->rows, run->rows_capacity, 1);
    an_release(NULL, run->events, run->event_capacity, 1);
    an_release(NULL, run, 1, sizeof *run);
}
