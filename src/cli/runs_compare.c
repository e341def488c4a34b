/* anneal runs compare: what differs between runs, one column a run. */
#include "cli/runs.h"

#include <string.h>

#define RUNS_MOST 64
#define NAMES_MOST 1024

typedef struct request {
    const char *names[RUNS_MOST];
    size_t count;
    const char *folder;
    int format;
} request;

static const cli_option options[] = {
    {"format", "text|json|csv", "default: text", CLI_SET_CHOICE(request, format)},
    {"runs", "FOLDER", "where the runs lie (default: runs)", CLI_SET_TEXT(request, folder)},
};

static const cli_usage usage = {
    .command = "anneal runs compare",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal runs compare RUN RUN... [OPTION]...\n"
        "Shows what differs: parameters, and what the runs came to. Of calls only the arguments\n"
        "that differ.\n",
    .more = "\nExample:\n  anneal runs compare mnist-mlp-3f2a mnist-mlp-81c0",
};

static int parse(request *r, int argc, char **argv)
{
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, r, &rest);
    if (status != CLI_TAKEN)
        return status;
    r->count = (size_t)rest.count;
    if (r->count < 2 || r->count > RUNS_MOST)
        return cli_wrong("anneal runs compare takes 2 to %d runs, got %zu; 'anneal runs list' "
                         "names them",
                         RUNS_MOST, r->count);
    for (size_t i = 0; i < r->count; i++)
        r->names[i] = rest.each[i];
    return CLI_TAKEN;
}

/* -------------------------------------------------------------- differences */

/* What says which run it is, where, when or how fast, and would always differ. */
static bool is_compared(const cli_fact *fact)
{
    static const char *const left_out[] = {
        "name",  "started", "updated",       "folder",
        "host",  "samples", "epoch_seconds", "samples_per_second",
        "memory"};
    return !cli_is_listed(left_out, sizeof left_out / sizeof *left_out, fact->name);
}

static bool same(const cli_fact *a, const cli_fact *b)
{
    if (!a || !b)
        return a == b;
    return a->is_number && b->is_number ? a->number == b->number : strcmp(a->head, b->head) == 0;
}

static bool differs(const cli_known *const *known, size_t count, const char *name)
{
    for (size_t i = 1; i < count; i++)
        if (!same(cli_fact_of(known[0], name), cli_fact_of(known[i], name)))
            return true;
    return false;
}

size_t cli_runs_differences(const cli_known *const *known, size_t runs, bool given,
                            const char **names, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < runs; i++)
        for (size_t f = 0; f < known[i]->count && count < most; f++) {
            const cli_fact *fact = &known[i]->facts[f];
            if (cli_fact_is_given(fact) == given && is_compared(fact) &&
                !cli_is_listed(names, count, fact->name) && differs(known, runs, fact->name))
                names[count++] = fact->name;
        }
    return count;
}

/* A row's name as a fact, for the first column. */
static cli_fact *name_fact(cli_runs *runs, const char *name)
{
    cli_fact *fact = an_arena_alloc(&runs->arena, sizeof *fact);
    if (fact)
        *fact = (cli_fact){.kind = CLI_FACT_RUN, .name = "", .text = name, .head = name};
    return fact;
}

static bool print(cli_runs *runs, const cli_known *const *known, const request *r, an_error *err)
{
    const char *names[NAMES_MOST], *heads[RUNS_MOST + 1] = {"differs"};
    size_t count = cli_runs_differences(known, r->count, true, names, NAMES_MOST);
    count += cli_runs_differences(known, r->count, false, names + count, NAMES_MOST - count);
    size_t columns = r->count + 1;
    const cli_fact **cells =
        an_arena_alloc(&runs->arena, (count * columns + 1) * sizeof(const cli_fact *));
    for (size_t i = 0; cells && i < count; i++) {
        cells[i * columns] = name_fact(runs, names[i]);
        for (size_t k = 0; k < r->count; k++)
            cells[i * columns + 1 + k] = cli_fact_of(known[k], names[i]);
        if (!cells[i * columns])
            cells = NULL;
    }
    if (!cells)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a comparison");
    for (size_t k = 0; k < r->count; k++)
        heads[k + 1] = known[k]->run->name;
    cli_table table = {heads, columns, count, cells};
    if (count == 0 && r->format == CLI_TEXT)
        puts("nothing differs");
    else
        cli_table_print(&table, r->format);
    return cli_flush(err);
}

static bool compare(const request *r, an_error *err)
{
    cli_runs runs;
    const cli_known *known[RUNS_MOST];
    bool ok = cli_runs_open(&runs, r->folder, err);
    for (size_t i = 0; ok && i < r->count; i++) {
        known[i] = cli_runs_find(&runs, r->names[i], err);
        ok = known[i];
    }
    ok = ok && print(&runs, known, r, err);
    cli_runs_close(&runs);
    return ok;
}

int cli_runs_compare(int argc, char **argv)
{
    an_error err = {0};
    request r = {.folder = "runs", .format = CLI_TEXT};
    int status = parse(&r, argc, argv);
    if (status == CLI_TAKEN)
        status = compare(&r, &err) ? CLI_DONE : cli_fail(&err);
    return status;
}
