/* Questions to the database, and arenas for the answers. */
#ifndef AN_TRACK_STORE_QUERY_H
#define AN_TRACK_STORE_QUERY_H

#include "track/store_db.h"

/* A new arena, to be freed with an__query_free (NULL allowed). */
struct an_arena *an__query_arena(an_error *err);
void an__query_free(an_arena *arena);
/* Room for `count` things of `size`; NULL with err. */
void *an__query_take(an_arena *arena, size_t count, size_t size, an_error *err);
/* Gives false. */
bool an__query_no_memory(an_error *err);

/* A column's text, "" for NULL; NULL when there is no memory. */
const char *an__query_text(an_arena *arena, sqlite3_stmt *statement, int column);
/* A column's number, NaN for NULL. */
double an__query_real(sqlite3_stmt *statement, int column);

/* A statement with the ids of a run's rows, first and end, bound to its first two places. */
sqlite3_stmt *an__query_of_run(an_store *store, const char *sql, int64_t run, an_error *err);
/* True for each row; false at the end, or with *failed and err. */
bool an__query_next(an_store *store, sqlite3_stmt *statement, bool *failed, an_error *err);
/* The number that a statement gives, which is finalized (NULL allowed); -1 with err. */
int64_t an__query_count(an_store *store, sqlite3_stmt *statement, an_error *err);

/* One view of everything, whatever others write meanwhile. */
bool an__query_begin(an_store *store, an_error *err);
void an__query_end(an_store *store);

#endif
