/*
 * anneal/store.h - the run store: what every run was, is and came to, for looking up afterwards.
 *
 * One folder holds an SQLite database, anneal.db, and a folder for each run:
 *
 *   runs/anneal.db                    runs, parameters, metrics, events: open it with any SQLite
 *   runs/mnist-mlp-3f2a/config.yaml   the configuration as given
 *   runs/mnist-mlp-3f2a/resolved.yaml the configuration as used, everything filled in
 *   runs/mnist-mlp-3f2a/...           whatever else belongs to the run: checkpoints, logs
 *
 * Several processes may write and read at once (SQLite's write-ahead log). Rows of updates wait in
 * memory and are written in one transaction after a second of training (or 65,536 numbers), before
 * a checkpoint is saved, and at the end, so that a row costs a fifth of a microsecond and nobody
 * holds the database for long. Without rows of updates, every epoch's row is written at
 * once.
 *
 * Tables and views, which are part of the interface (user_version 2; a store of version 1 is
 * brought up to date by whoever opens it first):
 *
 *   runs        id, name, status, started, updated, seconds, step, steps, epoch, epochs, host, pid,
 *               version, note
 *   parameters  run, name, value
 *   metrics     id, run, kind ('epoch' or 'step'), time, and the columns of a CSV log:
 *               step, epoch, batch, samples, seconds, epoch_seconds, loss, accuracy, batch_loss,
 *               valid_loss, valid_accuracy, lr, momentum, grad_norm, samples_per_second, memory
 *   extras      metric (an id of metrics), place, name, value: lr1, momentum1, ... of further
 *               groups, and the metrics by name
 *   results     run, name, value: what is found at the end, such as test_accuracy
 *   events      id, run, time, step, epoch, seconds, kind, text
 *
 * metrics and extras are views: rows of updates are stored in blocks of up to 1024, which costs a
 * fifth (metric_blocks, extra_blocks, and numbers to reckon with: track/store_block.h has the
 * format). The views unpack them in SQL, exactly, at some ten microseconds a number;
 * `anneal runs export --steps` and an_store_rows do it at once.
 *
 * Times are seconds since 1970, `seconds` those of training. NaN is NULL.
 */
#ifndef ANNEAL_STORE_H
#define ANNEAL_STORE_H

#include <anneal/track.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct an_store an_store;

/*
 * Opens the store in `folder`; with `create`, makes it where there is none, else that is an error
 * (IO). A database that is no store or of a later version is refused (DATA).
 */
AN_API an_store *an_store_open(const char *folder, bool create, an_error *err);
AN_API void an_store_close(an_store *store);

/* ----------------------------------------------------------- writing a run */

typedef struct an_store_run an_store_run;

typedef struct an_store_run_options {
    const char *base;              /* "mnist-mlp" of the name mnist-mlp-3f2a */
    const char *config, *resolved; /* texts; NULL: none */
    const an_named_text *params;   /* what the run is made of, by name */
    size_t param_count;
    an_log_options log; /* `every` is of updates; epochs are always logged */
} an_store_run_options;

/*
 * A new run, under a new name, with its folder. What is no letter, digit, dot, dash or underscore
 * in `base` becomes a dash. The store must outlive the run.
 */
AN_API an_store_run *an_store_run_new(an_store *store, const an_store_run_options *options,
                                      an_error *err);
/*
 * A run to go on with. STATE when a process that is still alive has it open, ARGUMENT when there is
 * none of this name.
 */
AN_API an_store_run *an_store_run_open(an_store *store, const char *name, const an_log_options *log,
                                       an_error *err);
AN_API const char *an_store_run_name(const an_store_run *run);
/* "runs/mnist-mlp-3f2a" */
AN_API const char *an_store_run_folder(const an_store_run *run);
/* Logs the run; its name in checkpoints is "store". */
AN_API an_callback an_store_run_callback(an_store_run *run);
/*
 * What the run is made of from now on, in the place of what it was. `changes`, of `size` bytes (1
 * or more), gets what has another value or none any more, by name, and then what is new: "clip 1 ->
 * none; size 16 -> 32; steps none -> 70", cut where the room ends; "" where there is nothing, and
 * where the run had no parameters. Errors (IO, MEMORY, DATA) leave the parameters as they were.
 */
AN_API bool an_store_run_params(an_store_run *run, const an_named_text *params, size_t count,
                                char *changes, size_t size, an_error *err);
/* Something found at the end; replaces an earlier value of the name. */
AN_API bool an_store_run_result(an_store_run *run, const char *name, double value, an_error *err);

typedef enum an_run_status {
    AN_RUN_RUNNING,
    AN_RUN_DONE,    /* trained to the end */
    AN_RUN_STOPPED, /* ended early, by a signal or a callback */
    AN_RUN_FAILED,  /* ended by an error */
    AN_RUN_KILLED   /* found running with no process alive */
} an_run_status;

/* "running", "done", ... */
AN_API const char *an_run_status_name(an_run_status status);

/*
 * Ends the run with a status and a note (NULL: none; an error's message). Without it, train_end
 * says done or stopped.
 */
AN_API bool an_store_run_end(an_store_run *run, an_run_status status, const char *note,
                             an_error *err);
/* Writes what waits, and lets go of the run. NULL allowed. */
AN_API void an_store_run_free(an_store_run *run);

/* ----------------------------------------------------------------- reading */

/* A run as it stands in the database. Times in seconds since 1970. */
typedef struct an_stored_run {
    int64_t id;
    const char *name, *folder, *note, *host, *version;
    an_run_status status;
    double started, updated, seconds;
    int64_t step, steps, epoch, epochs;
    const an_named_text *params;
    size_t param_count;
    /* The last epoch's metrics by their columns' names, then the results. NaN ones are left out. */
    const an_named_value *values;
    size_t value_count;
} an_stored_run;

typedef struct an_stored_runs {
    an_stored_run *runs;
    size_t count;
    struct an_arena *arena; /* holds everything */
} an_stored_runs;

/* All runs, oldest first. an_stored_runs_free in any case. */
AN_API bool an_store_list(an_store *store, an_stored_runs *list, an_error *err);
AN_API void an_stored_runs_free(an_stored_runs *list);

/* Logged rows of a run: values[row * columns + column], NaN where there is none. */
typedef struct an_table {
    size_t columns, rows;
    const char **names;
    bool *whole; /* a column of whole numbers */
    double *values;
    struct an_arena *arena;
} an_table;

/* The rows of its epochs, or of its updates. The columns are a CSV log's. */
AN_API bool an_store_rows(an_store *store, int64_t run, bool epochs, an_table *table,
                          an_error *err);
AN_API void an_table_free(an_table *table);

typedef struct an_stored_event {
    double time, seconds;
    int64_t step, epoch;
    const char *kind, *text;
} an_stored_event;

typedef struct an_stored_events {
    an_stored_event *events;
    size_t count;
    struct an_arena *arena;
} an_stored_events;

AN_API bool an_store_events(an_store *store, int64_t run, an_stored_events *events, an_error *err);
AN_API void an_stored_events_free(an_stored_events *events);

/*
 * Deletes a run: its rows, and its folder with everything in it (links are removed, not followed).
 * STATE while a process has it open.
 */
AN_API bool an_store_remove(an_store *store, const char *name, an_error *err);

#ifdef __cplusplus
}
#endif
#endif
