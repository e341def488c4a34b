/* anneal runs list: the runs, filtered, sorted, with the columns that are asked for. */
#include "cli/runs.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MOST 64
#define KEY_SIZE 256

/* The usual columns; those that no run has are left out. */
static const char *const usual[] = {"name",           "status",    "started",      "epoch",
                                    "seconds",        "loss",      "accuracy",     "valid_loss",
                                    "valid_accuracy", "test_loss", "test_accuracy"};

#define USUAL_COUNT (sizeof usual / sizeof *usual)

typedef struct test {
    char key[KEY_SIZE];
    const char *relation, *value;
} test;

typedef struct request {
    test *tests;
    size_t test_count;
    char column_text[2048];
    size_t column_used;
    const char *columns[COLUMNS_MOST];
    size_t column_count;
    const char *sort, *folder;
    long long limit;
    int format;
} request;

/* --------------------------------------------------------------- arguments */

static bool take_test(void *member, const char *text)
{
    request *r = member;
    static const char *const relations[] = {"!=", "<=", ">=", "=", "<", ">", "~"};
    test *t = &r->tests[r->test_count];
    size_t length = strcspn(text, "!<>=~");
    for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
        if (length > 0 && length < KEY_SIZE &&
            strncmp(text + length, relations[i], strlen(relations[i])) == 0) {
            an_format(t->key, KEY_SIZE, "%.*s", (int)length, text);
            t->relation = relations[i];
            t->value = text + length + strlen(relations[i]);
            r->test_count++;
            return true;
        }
    cli_wrong("--where takes KEY=VALUE, or != < <= > >= ~ in place of =, got '%s'", text);
    return false;
}

/* The names between commas, in a copy of the list. */
static bool take_columns(void *member, const char *list)
{
    request *r = member;
    size_t space = sizeof r->column_text - r->column_used;
    char *at = r->column_text + r->column_used;
    if (an_format(at, space, "%s", list) >= space) {
        cli_wrong("--columns: the list is longer than %zu bytes", sizeof r->column_text);
        return false;
    }
    r->column_used += strlen(at) + 1;
    for (char *name = strtok(at, ","); name; name = strtok(NULL, ",")) {
        if (r->column_count == COLUMNS_MOST) {
            cli_wrong("--columns takes at most %d names", COLUMNS_MOST);
            return false;
        }
        r->columns[r->column_count++] = name;
    }
    if (r->column_count == 0)
        cli_wrong("--columns takes names with commas between, such as name,optimizer.lr");
    return r->column_count > 0;
}

static const cli_option options[] = {
    {"where", "TEST", "only runs with KEY=VALUE, != < <= > >=, or ~ (contains)",
     CLI_SET_BY(take_test)},
    {"sort", "KEY", "by KEY, upwards; -KEY: downwards (default: started)",
     CLI_SET_TEXT(request, sort)},
    {"columns", "KEY,...", "these columns instead of the usual ones", CLI_SET_BY(take_columns)},
    {"limit", "N", "at most the first N", CLI_SET_INTEGER(request, limit, 0, LLONG_MAX)},
    {"format", "text|json|csv", "default: text", CLI_SET_CHOICE(request, format)},
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, folder)},
};

static const cli_usage usage = {
    .command = "anneal runs list",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal runs list [OPTION]...\n"
        "Lists the runs. A KEY is a column (name, status, started, epoch, loss, test_accuracy,\n"
        "...), a parameter (batch_size, optimizer) or an argument of one (optimizer.lr).\n",
    .more =
        "\nExamples:\n"
        "  anneal runs list --where status=done --where 'optimizer.lr>0.01' --sort -test_accuracy\n"
        "  anneal runs list --columns name,schedule,optimizer.lr,test_loss --format csv",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count > 0)
        return cli_wrong("anneal runs list takes no argument, got '%s'; --where filters",
                         rest.each[0]);
    return CLI_TAKEN;
}

/* --------------------------------------------------------- filter and order */

/* Below 0, 0 or above: as numbers where both are, else as texts. */
static int compare_value(const cli_fact *fact, const char *value)
{
    double number;
    size_t length = strlen(value);
    if (fact->is_number && length > 0 && an_number_parse(value, length, &number) == length)
        return (fact->number > number) - (fact->number < number);
    return strcmp(fact->text, value);
}

/* A run that does not have the key passes no test of it. */
static bool passes(const cli_known *known, const test *t)
{
    const cli_fact *fact = cli_fact_of(known, t->key);
    if (!fact)
        return false;
    int order = compare_value(fact, t->value);
    switch (t->relation[0]) {
    case '=':
        return order == 0 || strcmp(fact->head, t->value) == 0;
    case '!':
        return order != 0 && strcmp(fact->head, t->value) != 0;
    case '<':
        return t->relation[1] ? order <= 0 : order < 0;
    case '>':
        return t->relation[1] ? order >= 0 : order > 0;
    default:
        return strstr(fact->text, t->value) != NULL;
    }
}

/* What stands first, upwards: numbers, then texts, then nothing. */
static int compare_facts(const cli_fact *a, const cli_fact *b)
{
    if (!a || !b)
        return (a == NULL) - (b == NULL);
    if (a->is_number != b->is_number)
        return a->is_number ? -1 : 1;
    return a->is_number ? (a->number > b->number) - (a->number < b->number)
                        : strcmp(a->text, b->text);
}

/* Insertion: what is equal keeps its order, and runs are few. Runs without the key come last. */
static void sort(const cli_known **rows, size_t count, const char *key, bool down)
{
    for (size_t i = 1; i < count; i++) {
        const cli_known *row = rows[i];
        const cli_fact *fact = cli_fact_of(row, key);
        size_t at = i;
        for (; at > 0; at--) {
            const cli_fact *before = cli_fact_of(rows[at - 1], key);
            int order = compare_facts(before, fact);
            if ((down && before && fact ? -order : order) <= 0)
                break;
            rows[at] = rows[at - 1];
        }
        rows[at] = row;
    }
}

static size_t choose(const cli_runs *runs, const request *r, const cli_known **rows)
{
    size_t count = 0;
    for (size_t i = 0; i < runs->list.count; i++) {
        bool passed = true;
        for (size_t t = 0; passed && t < r->test_count; t++)
            passed = passes(&runs->known[i], &r->tests[t]);
        if (passed)
            rows[count++] = &runs->known[i];
    }
    bool down = r->sort[0] == '-';
    sort(rows, count, r->sort + down, down);
    return (long long)count < r->limit ? count : (size_t)r->limit;
}

/* ----------------------------------------------------------------- printing */

static bool any_has(const cli_known **rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (cli_fact_of(rows[i], name))
            return true;
    return count == 0;
}

static bool print(cli_runs *runs, request *r, const cli_known **rows, size_t count, an_error *err)
{
    const char *names[COLUMNS_MOST];
    size_t columns = r->column_count;
    for (size_t i = 0; i < columns; i++)
        names[i] = r->columns[i];
    for (size_t i = 0; r->column_count == 0 && i < USUAL_COUNT; i++)
        if (any_has(rows, count, usual[i]))
            names[columns++] = usual[i];
    const cli_fact **cells =
        an_arena_alloc(&runs->arena, (count * columns + 1) * sizeof(const cli_fact *));
    if (!cells)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a table of runs");
    for (size_t i = 0; i < count * columns; i++)
        cells[i] = cli_fact_of(rows[i / columns], names[i % columns]);
    cli_table table = {names, columns, count, cells};
    cli_table_print(&table, r->format);
    return cli_flush(err);
}

/* Where there are runs, a key that none of them has is a mistake. */
static bool check_keys(const cli_runs *runs, const request *r, an_error *err)
{
    bool ok = cli_runs_know(runs, r->sort + (r->sort[0] == '-'), err);
    for (size_t i = 0; ok && i < r->test_count; i++)
        ok = cli_runs_know(runs, r->tests[i].key, err);
    for (size_t i = 0; ok && i < r->column_count; i++)
        ok = cli_runs_know(runs, r->columns[i], err);
    return ok;
}

static bool list(request *r, an_error *err)
{
    cli_runs runs;
    bool ok =
        cli_runs_open(&runs, r->folder, err) && (runs.list.count == 0 || check_keys(&runs, r, err));
    if (ok) {
        const cli_known **rows =
            an_arena_alloc(&runs.arena, (runs.list.count + 1) * sizeof(const cli_known *));
        ok = rows ? print(&runs, r, rows, choose(&runs, r, rows), err)
                  : an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a table of runs");
    }
    cli_runs_close(&runs);
    return ok;
}

int cli_runs_list(int argc, char **argv)
{
    an_error err = {0};
    request r = {.folder = "runs", .sort = "started", .limit = LLONG_MAX};
    r.tests = calloc((size_t)argc + 1, sizeof *r.tests);
    if (!r.tests)
        return cli_no_memory();
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = list(&r, &err) ? CLI_DONE : cli_fail(&err);
    free(r.tests);
    return status;
}
