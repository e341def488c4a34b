/*
 * What the logs that are files have in common: when they are written, what happens when they cannot
 * be, and how they are taken back to a checkpoint.
 */
#ifndef AN_TRACK_LOG_H
#define AN_TRACK_LOG_H

#include "file/append.h"
#include "track/columns.h"

#include <anneal/track.h>

typedef struct an_log {
    char *path, *state_name; /* "csv:steps.csv" */
    size_t path_size, state_name_size;
    bool stop_on_failure;
    /* Finds the file good for this run, or writes its beginning; false with err. */
    bool (*prepare)(void *user, an_error *err);
    /* Where the rows after step `step` begin; -1 with err. */
    int64_t (*find_later)(void *user, int64_t step, an_error *err);
    /* Whether a row ends at `offset`. */
    bool (*is_row_end)(void *user, int64_t offset);
    void *user;

    an_append file;
    bool prepared;
    bool failed;                        /* and told so */
    int64_t lost;                       /* rows that found no room */
    double flushed_at;                  /* in seconds of training */
    char notice[AN_ERROR_MESSAGE_SIZE]; /* to tell as soon as somebody listens; "" none */
} an_log;

/* Whether the options can be; false with err (ARGUMENT). */
bool an__log_check(const an_log_options *options, an_error *err);
/*
 * Whether it is time to write: many numbers wait, or a second of training has passed since
 * `flushed_at`. A log that failed is tried again by the clock alone.
 */
bool an__log_time(const an_record *record, double flushed_at, size_t cells, bool failed);

/* Copies `path`; `kind` is "csv". The functions and `user` are the caller's to set. */
bool an__log_init(an_log *log, const char *kind, const char *path, const an_log_options *options,
                  an_error *err);

/* train_begin: opens the file. One that is not this run's ends the run, whatever the options. */
void an__log_begin(an_log *log, const an_record *record, an_control *control);
/* A row found no room. */
void an__log_lose(an_log *log);
/* Writes what waits; also if only little time has passed. */
void an__log_flush(an_log *log, const an_record *record, an_control *control);
/* an__log_time of this log; text that has been made of rows counts too. */
bool an__log_is_due(const an_log *log, const an_record *record, const an_rows *rows);
/* save_begin: what was written survives a power cut. */
void an__log_sync(an_log *log, const an_record *record, an_control *control);

/* The state in checkpoints: 8 bytes, the file's size, little-endian. */
size_t an__log_save_state(an_log *log, void *bytes, size_t size);
bool an__log_load_state(an_log *log, const an_record *record, const void *bytes, size_t size,
                        an_error *err);

/* Writes what waits, as well as it can. */
void an__log_free(an_log *log);

#endif
