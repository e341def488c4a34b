/* The tables of the run store, and the views that show the blocks of rows as rows. */
#include "track/columns.h"
#include "track/store_block.h"

#define SCHEMA_VERSION 2
#define APPLICATION_ID 0x414e4e4c /* "ANNL" */
#define VIEW_SIZE 24576

static const char runs[] =
    "CREATE TABLE runs("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, status TEXT NOT NULL,"
    " started REAL NOT NULL, updated REAL NOT NULL, seconds REAL NOT NULL DEFAULT 0,"
    " step INTEGER NOT NULL DEFAULT 0, steps INTEGER NOT NULL DEFAULT 0,"
    " epoch INTEGER NOT NULL DEFAULT 0, epochs INTEGER NOT NULL DEFAULT 0,"
    " host TEXT NOT NULL, pid INTEGER NOT NULL, version TEXT NOT NULL, note TEXT);"
    "CREATE TABLE parameters("
    " run INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(run, name)) WITHOUT ROWID;"
    "CREATE TABLE results("
    " run INTEGER NOT NULL, name TEXT NOT NULL, value REAL,"
    " PRIMARY KEY(run, name)) WITHOUT ROWID;"
    "CREATE TABLE events("
    " id INTEGER PRIMARY KEY, run INTEGER AS (id >> 32) VIRTUAL, time REAL NOT NULL,"
    " step INTEGER NOT NULL, epoch INTEGER NOT NULL, seconds REAL NOT NULL,"
    " kind TEXT NOT NULL, text TEXT NOT NULL);";

static const char blocks[] =
    "CREATE TABLE metric_blocks("
    " id INTEGER PRIMARY KEY, run INTEGER AS (id >> 32) VIRTUAL, kind TEXT NOT NULL,"
    " time REAL NOT NULL, step INTEGER NOT NULL, epoch INTEGER, batch INTEGER, samples INTEGER,"
    " seconds REAL, epoch_seconds REAL, loss REAL, accuracy REAL, batch_loss REAL,"
    " valid_loss REAL, valid_accuracy REAL, lr REAL, momentum REAL, grad_norm REAL,"
    " samples_per_second REAL, memory INTEGER, count INTEGER NOT NULL DEFAULT 1);"
    "CREATE TABLE extra_blocks("
    " metric INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL, value REAL,"
    " PRIMARY KEY(metric, place)) WITHOUT ROWID;";

/* A store of version 1 has every row for itself: a block of one. */
static const char from_version_1[] =
    "ALTER TABLE metrics RENAME TO metric_blocks;"
    "ALTER TABLE metric_blocks ADD COLUMN count INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE extras RENAME TO extra_blocks;";

/*
 * What the views reckon with: the places in a block, and of a double's 11 bits of exponent what its
 * 53 bits, as a whole number, are to be multiplied by. Powers of two, so nothing is rounded.
 */
static const char numbers[] =
    "CREATE TABLE numbers(i INTEGER PRIMARY KEY, power REAL NOT NULL);"
    "INSERT INTO numbers WITH RECURSIVE up(i, power) AS"
    " (SELECT 1075, 1.0 UNION ALL SELECT i + 1, power * 2 FROM up WHERE i < 2047)"
    " SELECT i, iif(i = 2047, 9e999, power) FROM up;"
    "INSERT INTO numbers WITH RECURSIVE down(i, power) AS"
    " (SELECT 1074, 0.5 UNION ALL SELECT i - 1, power / 2 FROM down WHERE i > 1)"
    " SELECT i, power FROM down UNION ALL SELECT 0, power FROM down WHERE i = 1;";

/* -------------------------------------------------------------------- views */

typedef struct text {
    char bytes[VIEW_SIZE];
    size_t used;
} text;

static void put(text *sql, const char *piece)
{
    sql->used += an_format(sql->bytes + sql->used, VIEW_SIZE - sql->used, "%s", piece);
}

/* Hexadecimal digits of h, `count` from `first` (0: the highest) of a little-endian 8 bytes. */
static void put_digits(text *sql, int first, int count)
{
    for (int i = 0; i < count; i++) {
        const int digit = first + i, at = 2 * (7 - digit / 2) + digit % 2 + 1;
        sql->used += an_format(sql->bytes + sql->used, VIEW_SIZE - sql->used,
                               "%s(instr('123456789ABCDEF',substr(h,%d,1))<<%d)", i > 0 ? "|" : "",
                               at, 4 * (count - 1 - i));
    }
}

/*
 * The number of row n.i in this column of a block, as "name": e is a double's sign and exponent, m
 * the rest of it; exponents other than 0 stand for one bit more.
 */
static void put_column(text *sql, const char *table, const char *name, bool whole)
{
    char cell[192];
    an_format(cell, sizeof cell, "CASE typeof(%s.%s) WHEN 'blob' THEN (SELECT ", table, name);
    put(sql, cell);
    if (whole) {
        put_digits(sql, 0, 16);
        put(sql, " FROM (");
    } else {
        put(sql, "CASE h WHEN '000000000000F87F' THEN NULL ELSE "
                 "(1-2*(e>>11))*(m|(((e&2047)>0)<<52))*"
                 "(SELECT power FROM numbers WHERE i=e&2047) END FROM (SELECT h,");
        put_digits(sql, 0, 3);
        put(sql, " AS e,");
        put_digits(sql, 3, 13);
        put(sql, " AS m FROM (");
    }
    an_format(cell, sizeof cell,
              "SELECT hex(substr(%s.%s,8*n.i+1,8)) AS h LIMIT 1)%s) ELSE %s.%s END AS %s", table,
              name, whole ? "" : ")", table, name, name);
    put(sql, cell);
}

/* Gives false where the room did not do: one column more must not end in half a view. */
static bool make_metrics(text *sql)
{
    sql->used = 0;
    put(sql, "CREATE VIEW metrics AS SELECT b.id+n.i AS id,b.run AS run,b.kind AS kind,");
    put_column(sql, "b", "time", false);
#define AN_COLUMN_VIEW(field, whole, kinds) \
    put(sql, ",");                          \
    put_column(sql, "b", #field, whole);
    AN_COLUMN_MAP(AN_COLUMN_VIEW)
#undef AN_COLUMN_VIEW
    put(sql, " FROM metric_blocks b CROSS JOIN numbers n ON n.i<b.count");
    return sql->used < VIEW_SIZE - 1;
}

static void make_extras(text *sql)
{
    sql->used = 0;
    put(sql,
        "CREATE VIEW extras AS SELECT e.metric+n.i AS metric,e.place AS place,e.name AS name,");
    put_column(sql, "e", "value", false);
    put(sql, " FROM extra_blocks e CROSS JOIN metric_blocks b ON b.id=e.metric "
             "CROSS JOIN numbers n ON n.i<b.count");
}

static bool make_views(an_store *store, an_error *err)
{
    text sql;
    if (!make_metrics(&sql))
        return an_error_set(err, AN_ERROR_MEMORY, "the run store's view of metrics has no room");
    if (!an__store_execute(store, sql.bytes, err))
        return false;
    make_extras(&sql);
    an_format(sql.bytes + sql.used, VIEW_SIZE - sql.used,
              ";PRAGMA application_id=%d;PRAGMA user_version=%d", APPLICATION_ID, SCHEMA_VERSION);
    return an__store_execute(store, sql.bytes, err);
}

/* ------------------------------------------------------------------- tables */

bool an__store_make_tables(an_store *store, an_error *err)
{
    if (!an__store_begin(store, err))
        return false;
    bool ok = an__store_ask(store, "SELECT count(*) FROM sqlite_master") != 0 ||
              (an__store_execute(store, runs, err) && an__store_execute(store, blocks, err) &&
               an__store_execute(store, numbers, err) && make_views(store, err));
    return an__store_end(store, ok, err);
}

/* Of several processes one does it. */
static bool make_new(an_store *store, an_error *err)
{
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return an_error_set(err, AN_ERROR_IO,
                            "'%s/anneal.db' was made by an older version of Anneal, and has to be "
                            "brought up to date, but may not be written; make it writable",
                            store->folder);
    if (!an__store_begin(store, err))
        return false;
    bool ok = an__store_ask(store, "PRAGMA user_version") != 1 ||
              (an__store_execute(store, from_version_1, err) &&
               an__store_execute(store, numbers, err) && make_views(store, err));
    return an__store_end(store, ok, err);
}

bool an__store_check_tables(an_store *store, an_error *err)
{
    int64_t id = an__store_ask(store, "PRAGMA application_id"),
            version = an__store_ask(store, "PRAGMA user_version");
    if (id < 0)
        return an__store_fail(store, "read", err);
    if (id != APPLICATION_ID)
        return an_error_set(err, AN_ERROR_DATA,
                            "'%s/anneal.db' is a database, but no run store; name another folder",
                            store->folder);
    if (version == 1)
        return make_new(store, err);
    return version == SCHEMA_VERSION ||
           an_error_set(err, AN_ERROR_DATA,
                        "'%s/anneal.db' was made by another version of Anneal (its tables have "
                        "version %lld, this program knows %d); update the program",
                        store->folder, (long long)version, SCHEMA_VERSION);
}
