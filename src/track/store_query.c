#include "track/store_query.h"

#include <math.h>

/* ------------------------------------------------------------------ memory */

bool an__query_no_memory(an_error *err)
{
    return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for what the run store holds");
}

struct an_arena *an__query_arena(an_error *err)
{
    an_arena *arena = an_alloc(NULL, 1, sizeof *arena, err);
    if (arena)
        an_arena_init(arena, an_allocator_default());
    return arena;
}

void an__query_free(an_arena *arena)
{
    if (arena)
        an_arena_free(arena);
    an_release(NULL, arena, 1, sizeof *arena);
}

void *an__query_take(an_arena *arena, size_t count, size_t size, an_error *err)
{
    void *block =
        count <= PTRDIFF_MAX / size ? an_arena_alloc(arena, count * size + (count == 0)) : NULL;
    if (!block)
        an__query_no_memory(err);
    return block;
}

const char *an__query_text(an_arena *arena, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return an_arena_text(arena, text ? (const char *)text : "",
                         (size_t)sqlite3_column_bytes(statement, column));
}

double an__query_real(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(statement, column);
}

/* --------------------------------------------------------------- statements */

sqlite3_stmt *an__query_of_run(an_store *store, const char *sql, int64_t run, an_error *err)
{
    sqlite3_stmt *statement = an__store_prepare(store, sql, err);
    if (statement) {
        sqlite3_bind_int64(statement, 1, AN_ROW_ID(run, 0));
        sqlite3_bind_int64(statement, 2, AN_ROW_ID(run + 1, 0));
    }
    return statement;
}

bool an__query_next(an_store *store, sqlite3_stmt *statement, bool *failed, an_error *err)
{
    int code = sqlite3_step(statement);
    *failed = code != SQLITE_ROW && code != SQLITE_DONE;
    if (*failed)
        an__store_fail(store, "read", err);
    return code == SQLITE_ROW;
}

int64_t an__query_count(an_store *store, sqlite3_stmt *statement, an_error *err)
{
    bool failed;
    int64_t count = -1;
    if (statement && an__query_next(store, statement, &failed, err))
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

bool an__query_begin(an_store *store, an_error *err)
{
    return an__store_execute(store, "BEGIN", err);
}

void an__query_end(an_store *store)
{
    sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}
