/* Opening the store, and its statements. */
#include "track/store_db.h"

#include "file/io_error.h"
#include "file/regular.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define BUSY_MILLISECONDS 10000
#define WAL_TRIES 400
#define WAL_PAUSE 10000000 /* nanoseconds */

/* --------------------------------------------------------------- statements */

bool an__store_fail(an_store *store, const char *doing, an_error *err)
{
    int code = sqlite3_errcode(store->db) & 0xff;
    if (code == SQLITE_NOMEM)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for '%s/anneal.db'",
                            store->folder);
    if (code == SQLITE_BUSY)
        return an_error_set(err, AN_ERROR_IO,
                            "cannot %s in '%s/anneal.db': another process has held it for %d s; "
                            "try again when that one is done, or end it",
                            doing, store->folder, BUSY_MILLISECONDS / 1000);
    an_error_code kind =
        code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? AN_ERROR_DATA : AN_ERROR_IO;
    return an_error_set(err, kind, "cannot %s in '%s/anneal.db': %s%s", doing, store->folder,
                        sqlite3_errmsg(store->db),
                        code == SQLITE_FULL ? "; make room on its disk" : "");
}

sqlite3_stmt *an__store_prepare(an_store *store, const char *sql, an_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) ==
        SQLITE_OK)
        return statement;
    an__store_fail(store, "read or write", err);
    return NULL;
}

bool an__store_execute(an_store *store, const char *sql, an_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           an__store_fail(store, "write", err);
}

bool an__store_step(an_store *store, sqlite3_stmt *statement, an_error *err)
{
    int code = sqlite3_step(statement);
    bool ok = code == SQLITE_DONE || code == SQLITE_ROW || an__store_fail(store, "write", err);
    sqlite3_reset(statement);
    return ok;
}

bool an__store_delete(an_store *store, const char *sql, int64_t first, int64_t end, an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(store, sql, err);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, first);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, end);
    bool ok = an__store_step(store, statement, err);
    sqlite3_finalize(statement);
    return ok;
}

/* A database that somebody deleted would swallow everything that is written to it. */
bool an__store_begin(an_store *store, an_error *err)
{
    int moved = 0;
    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        moved)
        return an_error_set(err, AN_ERROR_IO, "'%s/anneal.db' has been moved or deleted",
                            store->folder);
    return an__store_execute(store, "BEGIN IMMEDIATE", err);
}

bool an__store_end(an_store *store, bool ok, an_error *err)
{
    if (ok && an__store_execute(store, "COMMIT", err))
        return true;
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

int64_t an__store_ask(an_store *store, const char *sql)
{
    sqlite3_stmt *statement = an__store_prepare(store, sql, NULL);
    int64_t value = -1;
    if (statement && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* ------------------------------------------------------------------ opening */

/* Whether the database keeps a write-ahead log, which stays so for whoever opens it. */
static bool has_wal(an_store *store)
{
    sqlite3_stmt *statement = an__store_prepare(store, "PRAGMA journal_mode", NULL);
    bool wal = statement && sqlite3_step(statement) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    sqlite3_finalize(statement);
    return wal;
}

/*
 * Changing to it takes the database for oneself, and SQLite does not wait for that: of several
 * processes that begin at once, one does it and the others try again. File systems without shared
 * memory go on without.
 */
static void use_wal(an_store *store)
{
    const struct timespec pause = {0, WAL_PAUSE};
    for (int i = 0; i < WAL_TRIES && !has_wal(store); i++) {
        int code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (code != SQLITE_BUSY && code != SQLITE_LOCKED)
            return;
        nanosleep(&pause, NULL);
    }
}

static bool make_folder(const char *folder, an_error *err)
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        return true;
    return an__io_error("make the folder of runs", folder, errno, err);
}

static bool try_open(an_store *store, const char *path, int flags)
{
    sqlite3_close_v2(store->db);
    store->db = NULL;
    if (sqlite3_open_v2(path, &store->db, flags, NULL) != SQLITE_OK)
        return false;
    sqlite3_busy_timeout(store->db, BUSY_MILLISECONDS);
    return an__store_ask(store, "PRAGMA user_version") >= 0;
}

/* What may only be read is opened for that. */
static bool open_database(an_store *store, const char *path, bool create, an_error *err)
{
    /* A store belongs to one thread at a time, so the database needs no locks of its own. */
    int write = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    int read = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY;
    if (try_open(store, path, write) || (!create && try_open(store, path, read)))
        return true;
    if (!store->db)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for '%s'", path);
    return an__store_fail(store, "open the tables", err);
}

static bool set_up(an_store *store, bool create, an_error *err)
{
    char path[AN_STORE_PATH_SIZE + 16];
    struct stat status;
    an_format(path, sizeof path, "%s/anneal.db", store->folder);
    const bool there = stat(path, &status) == 0;
    if (there && an__irregular(status.st_mode))
        return an_error_set(err, AN_ERROR_IO, "cannot open '%s': %s", path,
                            an__irregular(status.st_mode));
    if (!create && !there)
        return an_error_set(err, AN_ERROR_IO,
                            "there are no runs in '%s': '%s' cannot be found; train something, or "
                            "name another folder",
                            store->folder, path);
    if ((create && !make_folder(store->folder, err)) || !open_database(store, path, create, err))
        return false;
    if (create) {
        /* Of a new database: a block of rows is larger than 4 KiB. */
        (void)sqlite3_exec(store->db, "PRAGMA page_size = 16384", NULL, NULL, NULL);
        use_wal(store);
        if (!an__store_make_tables(store, err))
            return false;
    }
    return an__store_check_tables(store, err) &&
           an__store_execute(store, "PRAGMA synchronous = NORMAL", err);
}

an_store *an_store_open(const char *folder, bool create, an_error *err)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length == 0 || length + AN_RUN_NAME_SIZE >= AN_STORE_PATH_SIZE) {
        an_error_set(err, AN_ERROR_ARGUMENT, "a folder for runs needs a name, of at most %d bytes",
                     AN_STORE_PATH_SIZE - AN_RUN_NAME_SIZE);
        return NULL;
    }
    an_store *store = an_alloc(NULL, 1, sizeof *store, err);
    if (!store)
        return NULL;
    memcpy(store->folder, folder, length);
    if (set_up(store, create, err))
        return store;
    an_store_close(store);
    return NULL;
}

void an_store_close(an_store *store)
{
    if (!store)
        return;
    sqlite3_close_v2(store->db);
    an_release(NULL, store, 1, sizeof *store);
}
