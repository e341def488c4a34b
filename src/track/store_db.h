/* What the files of the run store share: the database, names and folders of runs, their locks. */
#ifndef AN_TRACK_STORE_DB_H
#define AN_TRACK_STORE_DB_H

#include <anneal/store.h>

#include <sqlite3.h>

#define AN_STORE_PATH_SIZE 4096
#define AN_RUN_NAME_SIZE 128

/*
 * Rows of metrics and events are numbered within their run: an id is run * 2^32 + number. So a
 * run's rows lie together without an index, and none can be there twice.
 */
#define AN_ROW_ID(run, number) ((run)*4294967296 + (number))
#define AN_ROW_LAST INT64_C(4294967295) /* the greatest number */

struct an_store {
    sqlite3 *db;
    char folder[AN_STORE_PATH_SIZE];
};

/* The error of the statement that just failed: "cannot `doing` in 'runs/anneal.db': ...". */
bool an__store_fail(an_store *store, const char *doing, an_error *err);
/* A statement, to be finalized; NULL with err. */
sqlite3_stmt *an__store_prepare(an_store *store, const char *sql, an_error *err);
/* Statements without results. */
bool an__store_execute(an_store *store, const char *sql, an_error *err);
/* Runs a statement to its end and resets it. */
bool an__store_step(an_store *store, sqlite3_stmt *statement, an_error *err);
/* Runs "DELETE ..." or "UPDATE ..." with one number or two. */
bool an__store_delete(an_store *store, const char *sql, int64_t first, int64_t end, an_error *err);
/* A write transaction; ends in commit or, if `ok` is false, is taken back. Gives whether it held.
 */
bool an__store_begin(an_store *store, an_error *err);
bool an__store_end(an_store *store, bool ok, an_error *err);

/* Makes the tables in an empty database, in one piece with finding it empty. */
bool an__store_make_tables(an_store *store, an_error *err);
/* Whether the tables are there, and ours; those of an older version become this one's. DATA, IO. */
bool an__store_check_tables(an_store *store, an_error *err);
/* A number that a statement gives; -1 when it gives none. */
int64_t an__store_ask(an_store *store, const char *sql);

/* The id of the run of this name; ARGUMENT with the nearest name when there is none. */
bool an__store_find(an_store *store, const char *name, int64_t *id, an_error *err);

/* Whether a name is one that the store gave: nothing in it leads out of the folder. */
bool an__run_name_is_safe(const char *name);
/* "runs/mnist-mlp-3f2a" and, with `file`, "runs/mnist-mlp-3f2a/config.yaml". False: too long. */
bool an__run_path(const an_store *store, const char *name, const char *file,
                  char path[AN_STORE_PATH_SIZE], an_error *err);
/* Makes the folder of a new run, under a name that is not taken yet. */
bool an__run_make_folder(an_store *store, const char *base, char name[AN_RUN_NAME_SIZE],
                         an_error *err);
/*
 * Takes the run for this process, until the descriptor is closed or the process dies; -1 with err,
 * STATE when another one has it.
 */
int an__run_lock(an_store *store, const char *name, an_error *err);
/* Whether a process has the run. */
bool an__run_is_held(const an_store *store, const char *name);

#endif
