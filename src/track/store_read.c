/* The runs and events that stand in the store. Everything of an answer lies in one arena. */
#include "track/columns.h"
#include "track/store_query.h"

#include <math.h>
#include <string.h>

bool an__store_find(an_store *store, const char *name, int64_t *id, an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(store, "SELECT id FROM runs WHERE name=?", err);
    bool failed = true, found = false;
    if (statement) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        found = an__query_next(store, statement, &failed, err);
    }
    if (found)
        *id = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return found || failed ? found
                           : an_error_set(err, AN_ERROR_ARGUMENT,
                                          "there is no run '%s' in '%s'; 'anneal runs list' names "
                                          "them",
                                          name, store->folder);
}

/* --------------------------------------------------------------------- runs */

static const char *const status_names[] = {"running", "done", "stopped", "failed", "killed"};

const char *an_run_status_name(an_run_status status)
{
    return status_names[status];
}

static an_run_status status_of(const an_store *store, const char *text, const char *name)
{
    for (int i = AN_RUN_DONE; i <= AN_RUN_FAILED; i++)
        if (strcmp(text, status_names[i]) == 0)
            return (an_run_status)i;
    return an__run_is_held(store, name) ? AN_RUN_RUNNING : AN_RUN_KILLED;
}

static bool read_run(an_store *store, sqlite3_stmt *row, an_stored_run *run, an_arena *arena,
                     an_error *err)
{
    char path[AN_STORE_PATH_SIZE] = "";
    *run = (an_stored_run){
        .id = sqlite3_column_int64(row, 0),
        .name = an__query_text(arena, row, 1),
        .started = sqlite3_column_double(row, 3),
        .updated = sqlite3_column_double(row, 4),
        .seconds = sqlite3_column_double(row, 5),
        .step = sqlite3_column_int64(row, 6),
        .steps = sqlite3_column_int64(row, 7),
        .epoch = sqlite3_column_int64(row, 8),
        .epochs = sqlite3_column_int64(row, 9),
        .host = an__query_text(arena, row, 10),
        .version = an__query_text(arena, row, 12),
        .note = an__query_text(arena, row, 13),
    };
    if (!run->name || !run->host || !run->version || !run->note)
        return an__query_no_memory(err);
    if (!an__run_path(store, run->name, NULL, path, err))
        return false;
    run->folder = an_arena_text(arena, path, strlen(path));
    const unsigned char *status = sqlite3_column_text(row, 2);
    run->status = status_of(store, status ? (const char *)status : "", run->name);
    return run->folder || an__query_no_memory(err);
}

static bool read_params(an_store *store, an_stored_run *run, an_arena *arena, an_error *err)
{
    sqlite3_stmt *rows = an__store_prepare(
        store, "SELECT name, value FROM parameters WHERE run=? ORDER BY name", err);
    sqlite3_stmt *counting =
        rows ? an__store_prepare(store, "SELECT count(*) FROM parameters WHERE run=?", err) : NULL;
    bool failed = true;
    if (counting) {
        sqlite3_bind_int64(rows, 1, run->id);
        sqlite3_bind_int64(counting, 1, run->id);
    }
    int64_t count = an__query_count(store, counting, err);
    an_named_text *params =
        count >= 0 ? an__query_take(arena, (size_t)count, sizeof *params, err) : NULL;
    while (params && an__query_next(store, rows, &failed, err)) {
        an_named_text *param = &params[run->param_count++];
        param->name = an__query_text(arena, rows, 0);
        param->text = an__query_text(arena, rows, 1);
        failed = !param->name || !param->text;
        if (failed) {
            an__query_no_memory(err);
            break;
        }
    }
    run->params = params;
    sqlite3_finalize(rows);
    return params && !failed;
}

/* Adds the numbers of a statement of names and values; NULL ones are left out. */
static bool read_values(an_store *store, sqlite3_stmt *rows, an_named_value *values, size_t most,
                        size_t *count, an_arena *arena, an_error *err)
{
    bool failed = true;
    while (rows && an__query_next(store, rows, &failed, err)) {
        double value = an__query_real(rows, 1);
        if (isnan(value) || *count >= most)
            continue;
        const char *name = an__query_text(arena, rows, 0);
        failed = !name && !an__query_no_memory(err);
        if (failed)
            break;
        values[(*count)++] = (an_named_value){name, value};
    }
    sqlite3_finalize(rows);
    return rows && !failed;
}

/* The last epoch's row as names and values. */
static bool read_last_epoch(an_store *store, an_stored_run *run, an_named_value *values,
                            size_t most, an_arena *arena, an_error *err)
{
    sqlite3_stmt *row =
        an__query_of_run(store,
                         "SELECT * FROM metric_blocks WHERE id >= ? AND id < ? AND kind='epoch' "
                         "ORDER BY id DESC LIMIT 1",
                         run->id, err);
    bool failed = true;
    int64_t id = -1;
    if (row && an__query_next(store, row, &failed, err)) {
        id = sqlite3_column_int64(row, 0);
        for (int i = 0; i < sqlite3_column_count(row); i++) {
            const char *name = sqlite3_column_name(row, i);
            bool about = strcmp(name, "id") == 0 || strcmp(name, "run") == 0 ||
                         strcmp(name, "kind") == 0 || strcmp(name, "time") == 0 ||
                         strcmp(name, "count") == 0;
            double value = about ? NAN : an__query_real(row, i);
            if (isnan(value) || run->value_count >= most)
                continue;
            name = an_arena_text(arena, name, strlen(name));
            failed = failed || (!name && !an__query_no_memory(err));
            values[run->value_count++] = (an_named_value){name, value};
        }
    }
    sqlite3_finalize(row);
    if (failed || id < 0)
        return !failed;
    sqlite3_stmt *extras = an__store_prepare(
        store, "SELECT name, value FROM extra_blocks WHERE metric=? ORDER BY place", err);
    if (extras)
        sqlite3_bind_int64(extras, 1, id);
    return read_values(store, extras, values, most, &run->value_count, arena, err);
}

static bool read_results(an_store *store, an_stored_run *run, an_arena *arena, an_error *err)
{
    sqlite3_stmt *counting =
        an__store_prepare(store, "SELECT count(*) FROM results WHERE run=?", err);
    if (counting)
        sqlite3_bind_int64(counting, 1, run->id);
    int64_t results = an__query_count(store, counting, err);
    if (results < 0)
        return false;
    size_t most = (size_t)results + AN_COLUMNS_MOST + 8;
    an_named_value *values = an__query_take(arena, most, sizeof *values, err);
    run->values = values;
    if (!values || !read_last_epoch(store, run, values, most, arena, err))
        return false;
    sqlite3_stmt *rows =
        an__store_prepare(store, "SELECT name, value FROM results WHERE run=? ORDER BY name", err);
    if (rows)
        sqlite3_bind_int64(rows, 1, run->id);
    return read_values(store, rows, values, most, &run->value_count, arena, err);
}

static bool read_list(an_store *store, an_stored_runs *list, an_error *err)
{
    int64_t count =
        an__query_count(store, an__store_prepare(store, "SELECT count(*) FROM runs", err), err);
    list->runs =
        count >= 0 ? an__query_take(list->arena, (size_t)count, sizeof *list->runs, err) : NULL;
    sqlite3_stmt *rows =
        list->runs ? an__store_prepare(store,
                                       "SELECT id, name, status, started, updated, seconds, step, "
                                       "steps, epoch, epochs, host, pid, version, note FROM runs "
                                       "ORDER BY started, id",
                                       err)
                   : NULL;
    bool failed = true;
    while (rows && an__query_next(store, rows, &failed, err)) {
        an_stored_run *run = &list->runs[list->count++];
        failed = !read_run(store, rows, run, list->arena, err) ||
                 !read_params(store, run, list->arena, err) ||
                 !read_results(store, run, list->arena, err);
        if (failed)
            break;
    }
    sqlite3_finalize(rows);
    return rows && !failed;
}

bool an_store_list(an_store *store, an_stored_runs *list, an_error *err)
{
    *list = (an_stored_runs){.arena = an__query_arena(err)};
    if (!list->arena || !an__query_begin(store, err))
        return false;
    bool ok = read_list(store, list, err);
    an__query_end(store);
    return ok;
}

void an_stored_runs_free(an_stored_runs *list)
{
    an__query_free(list->arena);
    *list = (an_stored_runs){0};
}

/* ------------------------------------------------------------------- events */

static bool read_events(an_store *store, int64_t run, an_stored_events *events, an_error *err)
{
    int64_t count = an__query_count(
        store,
        an__query_of_run(store, "SELECT count(*) FROM events WHERE id >= ? AND id < ?", run, err),
        err);
    events->events = count >= 0
                         ? an__query_take(events->arena, (size_t)count, sizeof *events->events, err)
                         : NULL;
    sqlite3_stmt *rows =
        events->events
            ? an__query_of_run(store,
                               "SELECT time, seconds, step, epoch, kind, text FROM events "
                               "WHERE id >= ? AND id < ? ORDER BY id",
                               run, err)
            : NULL;
    bool failed = true;
    while (rows && an__query_next(store, rows, &failed, err)) {
        an_stored_event *event = &events->events[events->count++];
        *event = (an_stored_event){.time = sqlite3_column_double(rows, 0),
                                   .seconds = sqlite3_column_double(rows, 1),
                                   .step = sqlite3_column_int64(rows, 2),
                                   .epoch = sqlite3_column_int64(rows, 3),
                                   .kind = an__query_text(events->arena, rows, 4),
                                   .text = an__query_text(events->arena, rows, 5)};
        failed = (!event->kind || !event->text) && !an__query_no_memory(err);
        if (failed)
            break;
    }
    sqlite3_finalize(rows);
    return rows && !failed;
}

bool an_store_events(an_store *store, int64_t run, an_stored_events *events, an_error *err)
{
    *events = (an_stored_events){.arena = an__query_arena(err)};
    if (!events->arena || !an__query_begin(store, err))
        return false;
    bool ok = read_events(store, run, events, err);
    an__query_end(store);
    return ok;
}

void an_stored_events_free(an_stored_events *events)
{
    an__query_free(events->arena);
    *events = (an_stored_events){0};
}
