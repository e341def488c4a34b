/* What `anneal runs`'s commands share: the runs of a store with what is known of each, and tables.
 */
#ifndef AN_CLI_RUNS_H
#define AN_CLI_RUNS_H

#include "cli/cli.h"

#include <anneal/store.h>

int cli_runs_list(int argc, char **argv);
int cli_runs_show(int argc, char **argv);
int cli_runs_compare(int argc, char **argv);
int cli_runs_export(int argc, char **argv);
int cli_runs_rm(int argc, char **argv);

/* -------------------------------------------------------------------- facts */

typedef enum cli_fact_kind {
    CLI_FACT_RUN,     /* name, status, started, ... */
    CLI_FACT_VALUE,   /* the last epoch's metrics, and results */
    CLI_FACT_PARAM,   /* what the run is made of; "config.loss" where "loss" is taken */
    CLI_FACT_ARGUMENT /* of a parameter that is a call: optimizer.lr */
} cli_fact_kind;

/* One thing known of a run. */
typedef struct cli_fact {
    cli_fact_kind kind;
    const char *name;
    const char *text; /* exact: numbers as an_number_print has them */
    const char *head; /* of a call its name alone, else the text */
    bool is_number;
    double number; /* NaN of what is none */
} cli_fact;

typedef struct cli_known {
    const an_stored_run *run;
    const cli_fact *facts;
    size_t count;
} cli_known;

typedef struct cli_runs {
    an_store *store;
    an_stored_runs list;
    cli_known *known; /* of each run, in the list's order */
    an_arena arena;   /* for everything that lives as long */
} cli_runs;

/* Reads the store in `folder`. To be closed also after a failure. */
bool cli_runs_open(cli_runs *runs, const char *folder, an_error *err);
void cli_runs_close(cli_runs *runs);
/* A run by its name or the path of its folder; NULL with err (ARGUMENT) and the nearest name. */
const cli_known *cli_runs_find(const cli_runs *runs, const char *name, an_error *err);
const cli_fact *cli_fact_of(const cli_known *known, const char *name);
bool cli_is_listed(const char *const *names, size_t count, const char *name);
/* Whether some run has a fact of this name; false with err (ARGUMENT) and the nearest name. */
bool cli_runs_know(const cli_runs *runs, const char *name, an_error *err);

/*
 * The names of facts that differ between runs, given or measured, at most so many, in the order in
 * which runs have them. What says which run it is, when it was or how fast is left out.
 */
size_t cli_runs_differences(const cli_known *const *known, size_t runs, bool given,
                            const char **names, size_t most);

/* ------------------------------------------------------------------- tables */

/* A fact as people want it: rates and times shortened. Gives `buffer` or the fact's text. */
const char *cli_fact_shown(const cli_fact *fact, char *buffer, size_t size);

/* One cell: its fact, NULL where there is none. */
typedef struct cli_table {
    const char *const *names;
    size_t columns, rows;
    const cli_fact *const *cells; /* [row * columns + column] */
} cli_table;

/* Whether a fact is of the configuration, and not measured. */
bool cli_fact_is_given(const cli_fact *fact);
/* The name of a parameter as the configuration has it. */
const char *cli_fact_key(const cli_fact *fact);

/* The table in one of the formats; JSON is a list of objects, one a row. */
void cli_table_print(const cli_table *table, int format);

/* "2026-11-22 19:30:12" in local time. */
void cli_time_text(char *buffer, size_t size, double seconds);

/* The column of logged rows that is called `name`; their number of columns without one. */
size_t cli_column_of(const an_table *table, const char *name);
/* Logged rows; missing numbers are null in JSON, nan in CSV, as a CSV log has them. */
void cli_rows_print(const an_table *table, int format);

#endif
