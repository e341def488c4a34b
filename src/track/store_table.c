/* The logged rows of a run, as a table with the columns of a CSV log. */
#include "track/columns.h"
#include "track/store_block.h"
#include "track/store_query.h"

#include <math.h>
#include <string.h>

/* "lr1", "momentum12" */
static bool is_of_group(const char *name)
{
    size_t length = strncmp(name, "lr", 2) == 0 ? 2 : strncmp(name, "momentum", 8) == 0 ? 8 : 0;
    size_t digits = strspn(name + length, "0123456789");
    return length > 0 && digits > 0 && name[length + digits] == '\0';
}

/*
 * The columns in a CSV log's order: the table's, with lr and momentum called lr0 and momentum0
 * where there are further groups, those after them, and the named metrics last. `source` says where
 * each comes from: a column of the SELECT, or 0: the extra of this name.
 */
typedef struct layout {
    const char *names[2 * AN_COLUMNS_MOST];
    bool whole[2 * AN_COLUMNS_MOST];
    int source[2 * AN_COLUMNS_MOST];
    size_t count;
    char sql[1024];
} layout;

static void add_name(layout *l, const char *name, bool whole, int source)
{
    l->names[l->count] = name;
    l->whole[l->count] = whole;
    l->source[l->count++] = source;
}

typedef struct extra_names {
    const char *names[AN_COLUMNS_MOST];
    size_t count, groups; /* all, and those that are of groups, which come first */
} extra_names;

/* Names of groups go behind those of groups, before all others. */
static void add_extra(extra_names *extras, const char *name)
{
    size_t at = is_of_group(name) ? extras->groups++ : extras->count;
    memmove(extras->names + at + 1, extras->names + at,
            (extras->count++ - at) * sizeof *extras->names);
    extras->names[at] = name;
}

/* A run that was resumed with other groups or metrics has extras of one name at several places. */
static bool read_extra_names(an_store *store, int64_t run, const char *kind, extra_names *extras,
                             an_arena *arena, an_error *err)
{
    sqlite3_stmt *rows = an__query_of_run(
        store,
        "SELECT name FROM extra_blocks WHERE metric >= ? AND metric < ? AND "
        "metric IN (SELECT id FROM metric_blocks WHERE id >= ?1 AND id < ?2 AND kind = ?3) "
        "GROUP BY name ORDER BY min(place), name",
        run, err);
    bool failed = true;
    if (rows)
        sqlite3_bind_text(rows, 3, kind, -1, SQLITE_STATIC);
    extras->count = extras->groups = 0;
    while (rows && an__query_next(store, rows, &failed, err)) {
        const char *name = an__query_text(arena, rows, 0);
        if (!name) {
            failed = !an__query_no_memory(err);
            break;
        }
        if (extras->count >= AN_COLUMNS_MOST)
            break;
        add_extra(extras, name);
    }
    sqlite3_finalize(rows);
    return rows && !failed;
}

static void lay_out(layout *l, const extra_names *extras, bool epochs)
{
    static const struct {
        const char *name;
        bool whole;
        int kinds;
    } map[] = {
#define AN_COLUMN_ROW(field, whole, kinds) {#field, whole, kinds},
        AN_COLUMN_MAP(AN_COLUMN_ROW)
#undef AN_COLUMN_ROW
    };
    int source = 2;
    size_t used = an_format(l->sql, sizeof l->sql, "SELECT id,count");
    l->count = 0;
    for (size_t i = 0; i < sizeof map / sizeof *map; i++) {
        if (!(map[i].kinds & (epochs ? AN_ROW_EPOCH : AN_ROW_STEP)))
            continue;
        used += an_format(l->sql + used, sizeof l->sql - used, ",%s", map[i].name);
        bool lr = strcmp(map[i].name, "lr") == 0, momentum = strcmp(map[i].name, "momentum") == 0;
        bool several = extras->groups > 0;
        add_name(l,
                 lr && several         ? "lr0"
                 : momentum && several ? "momentum0"
                                       : map[i].name,
                 map[i].whole, source++);
        for (size_t e = 0; momentum && e < extras->groups; e++)
            add_name(l, extras->names[e], false, 0);
    }
    for (size_t e = extras->groups; e < extras->count; e++)
        add_name(l, extras->names[e], false, 0);
    an_format(l->sql + used, sizeof l->sql - used,
              " FROM metric_blocks WHERE id >= ? AND id < ? AND kind = '%s' ORDER BY id",
              epochs ? "epoch" : "step");
}

/* Whether a column of the row is this text. */
static bool is_column(sqlite3_stmt *row, int column, const char *text)
{
    const unsigned char *found = sqlite3_column_text(row, column);
    return found && strcmp((const char *)found, text) == 0;
}

/* The extras of a block into the table's rows from `values` on. */
static bool read_extras(an_store *store, sqlite3_stmt *extras, int64_t id, int64_t rows,
                        const layout *l, double *values, an_error *err)
{
    bool failed = true;
    sqlite3_bind_int64(extras, 1, id);
    while (an__query_next(store, extras, &failed, err)) {
        failed = !an__block_check(store, extras, 1, rows, err);
        for (size_t c = 0; !failed && c < l->count; c++)
            for (int64_t i = 0; l->source[c] == 0 && is_column(extras, 0, l->names[c]) && i < rows;
                 i++)
                values[(size_t)i * l->count + c] = an__block_value(extras, 1, false, i);
        if (failed)
            break;
    }
    sqlite3_reset(extras);
    return !failed;
}

/* The rows of a block as the table's, from `values` on. */
static void read_block(sqlite3_stmt *block, int64_t rows, const layout *l, double *values)
{
    for (size_t c = 0; c < l->count; c++)
        for (int64_t i = 0; i < rows; i++)
            values[(size_t)i * l->count + c] =
                l->source[c] > 0 ? an__block_value(block, l->source[c], l->whole[c], i) : NAN;
}

/* `most` is what the counts of sound blocks come to at most. */
static bool read_rows(an_store *store, sqlite3_stmt *block, const layout *l, bool has_extras,
                      an_table *table, int64_t most, an_error *err)
{
    sqlite3_stmt *extras =
        an__store_prepare(store, "SELECT name, value FROM extra_blocks WHERE metric=?", err);
    bool failed = true;
    while (extras && an__query_next(store, block, &failed, err)) {
        const int64_t id = sqlite3_column_int64(block, 0), rows = sqlite3_column_int64(block, 1);
        double *values = table->values + table->rows * table->columns;
        failed = !an__block_check(store, block, 2, rows, err) || rows > most;
        if (failed)
            break;
        read_block(block, rows, l, values);
        failed = has_extras && !read_extras(store, extras, id, rows, l, values, err);
        if (failed)
            break;
        most -= rows;
        table->rows += (size_t)rows;
    }
    sqlite3_finalize(extras);
    return extras && !failed;
}

static bool read_table(an_store *store, int64_t run, bool epochs, an_table *table, an_error *err)
{
    const char *kind = epochs ? "epoch" : "step";
    extra_names extras;
    layout l;
    if (!read_extra_names(store, run, kind, &extras, table->arena, err))
        return false;
    lay_out(&l, &extras, epochs);
    sqlite3_stmt *counting =
        an__query_of_run(store,
                         "SELECT ifnull(sum(min(count, 1024)), 0) FROM metric_blocks WHERE id >= ? "
                         "AND id < ? AND kind = ? AND "
                         "count > 0",
                         run, err);
    if (counting)
        sqlite3_bind_text(counting, 3, kind, -1, SQLITE_STATIC);
    int64_t count = an__query_count(store, counting, err);
    table->columns = l.count;
    table->names = an__query_take(table->arena, l.count, sizeof *table->names, err);
    table->whole = an__query_take(table->arena, l.count, sizeof *table->whole, err);
    table->values = count >= 0
                        ? an__query_take(table->arena, (size_t)count, l.count * sizeof(double), err)
                        : NULL;
    if (!table->names || !table->whole || !table->values)
        return false;
    memcpy(table->names, l.names, l.count * sizeof *l.names);
    memcpy(table->whole, l.whole, l.count * sizeof *l.whole);
    sqlite3_stmt *rows = an__query_of_run(store, l.sql, run, err);
    bool ok = rows && read_rows(store, rows, &l, extras.count > 0, table, count, err);
    sqlite3_finalize(rows);
    return ok;
}

bool an_store_rows(an_store *store, int64_t run, bool epochs, an_table *table, an_error *err)
{
    *table = (an_table){.arena = an__query_arena(err)};
    if (!table->arena || !an__query_begin(store, err))
        return false;
    bool ok = read_table(store, run, epochs, table, err);
    an__query_end(store);
    return ok;
}

void an_table_free(an_table *table)
{
    an__query_free(table->arena);
    *table = (an_table){0};
}
