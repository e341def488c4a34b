/* The parameters of a run in the store: what it is made of, and what of that has changed. */
#include "track/store_db.h"
#include "track/store_run.h"

#include <string.h>

/* Adds "; NAME BEFORE -> NOW" to a text of at most `size` bytes; what finds no room is left out. */
static void note(char *changes, size_t size, const char *name, const char *before, const char *now)
{
    const size_t used = strlen(changes);
    an_format(changes + used, size - used, "%s%s %s -> %s", used > 0 ? "; " : "", name, before,
              now);
}

static const char *value_of(const an_named_text *params, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(params[i].name, name) == 0)
            return params[i].text;
    return "none";
}

/* What is in the store and is now otherwise, or gone; `known`: how many parameters it has. */
static bool compare(an_store_run *run, const an_named_text *params, size_t count, char *changes,
                    size_t size, size_t *known, an_error *err)
{
    sqlite3_stmt *rows = an__store_prepare(
        run->store, "SELECT name, value FROM parameters WHERE run=? ORDER BY name", err);
    if (!rows)
        return false;
    sqlite3_bind_int64(rows, 1, run->id);
    int got;
    while ((got = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(rows, 0);
        const char *before = (const char *)sqlite3_column_text(rows, 1);
        const char *now = value_of(params, count, name ? name : "");
        if (name && before && strcmp(before, now) != 0)
            note(changes, size, name, before, now);
        ++*known;
    }
    sqlite3_finalize(rows);
    return got == SQLITE_DONE || an__store_fail(run->store, "read", err);
}

/* What is not in the store yet. */
static bool compare_new(an_store_run *run, const an_named_text *params, size_t count, char *changes,
                        size_t size, an_error *err)
{
    sqlite3_stmt *row =
        an__store_prepare(run->store, "SELECT 1 FROM parameters WHERE run=? AND name=?", err);
    int got = SQLITE_DONE;
    if (!row)
        return false;
    sqlite3_bind_int64(row, 1, run->id);
    for (size_t i = 0; i < count && (got == SQLITE_DONE || got == SQLITE_ROW); i++) {
        an__bind_text(row, 2, params[i].name);
        got = sqlite3_step(row);
        if (got == SQLITE_DONE)
            note(changes, size, params[i].name, "none", params[i].text);
        sqlite3_reset(row);
    }
    sqlite3_finalize(row);
    return got == SQLITE_DONE || got == SQLITE_ROW || an__store_fail(run->store, "read", err);
}

bool an__run_insert_params(an_store_run *run, const an_named_text *params, size_t count,
                           an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(
        run->store, "INSERT OR REPLACE INTO parameters(run,name,value) VALUES(?,?,?)", err);
    bool ok = statement;
    for (size_t i = 0; ok && i < count; i++) {
        sqlite3_bind_int64(statement, 1, run->id);
        an__bind_text(statement, 2, params[i].name);
        an__bind_text(statement, 3, params[i].text);
        ok = an__store_step(run->store, statement, err);
    }
    sqlite3_finalize(statement);
    return ok;
}

bool an_store_run_params(an_store_run *run, const an_named_text *params, size_t count,
                         char *changes, size_t size, an_error *err)
{
    size_t known = 0;
    changes[0] = '\0';
    if (!an__store_begin(run->store, err))
        return false;
    bool ok =
        compare(run, params, count, changes, size, &known, err) &&
        (known == 0 || compare_new(run, params, count, changes, size, err)) &&
        an__store_delete(run->store, "DELETE FROM parameters WHERE run = ?", run->id, 0, err) &&
        an__run_insert_params(run, params, count, err);
    return an__store_end(run->store, ok, err);
}
