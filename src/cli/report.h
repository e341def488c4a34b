/* What the files of `anneal report` share: what is read of the runs, and the page that grows. */
#ifndef AN_CLI_REPORT_H
#define AN_CLI_REPORT_H

#include "cli/runs.h"

#include <anneal/report.h>

#define CLI_REPORT_RUNS 64
#define CLI_REPORT_CHARTS 32

/* One run with its logged rows. */
typedef struct cli_report_run {
    const cli_known *known;
    an_table epochs, steps;
    an_stored_events events;
} cli_report_run;

/* Everything that is made for the page lies in the arena. */
typedef struct cli_report {
    cli_runs runs;
    an_arena arena;
    cli_report_run run[CLI_REPORT_RUNS];
    const char
        *names[CLI_REPORT_RUNS + 1]; /* an empty one, for the tables' corners, and the runs' */
    size_t count;
    an_chart charts[CLI_REPORT_CHARTS];
    an_page_mark *marks;
    an_page_table tables[CLI_REPORT_RUNS + 8]; /* five, and one of each run's classes */
    an_page_matrix matrices[CLI_REPORT_RUNS];
    an_page_text texts[CLI_REPORT_RUNS];
    an_page page; /* points to the above */
} cli_report;

/* False with err (MEMORY); says so. */
bool cli_report_no_memory(an_error *err);
/* A copy in the arena; NULL without memory. */
char *cli_report_text(cli_report *report, const char *text);

/*
 * Where update `step` of a run lies among its epochs: 2.5 is the middle of the third. Between the
 * ends of epochs, and beyond the last one, updates count alike.
 */
double cli_report_epoch(const cli_report_run *run, double step);

/* Adds the charts and the marks of events. */
bool cli_report_charts(cli_report *report, an_error *err);
/* Adds the tables: results, what differs, events, times; and the configurations. */
bool cli_report_tables(cli_report *report, an_error *err);
/*
 * Tests every run's weights on its test set, or on that in the folder `data` (NULL: none is given),
 * and adds confusion matrices and what each class came to. `folder` is where the runs lie. A run
 * that cannot be tested is left out, which the page and stderr say; err where none can.
 */
bool cli_report_confusion(cli_report *report, const char *folder, const char *data, an_error *err);

#endif
