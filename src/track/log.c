#include "track/log.h"

#include "file/little_endian.h"

#include <string.h>

#define FLUSH_CELLS 65536
#define FLUSH_BYTES (1024 * 1024)
#define FLUSH_SECONDS 1.0
#define STATE_SIZE 8

/* The file's name without its folder. */
static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool an__log_check(const an_log_options *options, an_error *err)
{
    return options->every >= 0 ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "a log's `every` must be 0 (epochs) or a number of updates, got %lld",
                        (long long)options->every);
}

bool an__log_init(an_log *log, const char *kind, const char *path, const an_log_options *options,
                  an_error *err)
{
    const char *name = file_name(path);
    if (*name == '\0')
        return an_error_set(err, AN_ERROR_ARGUMENT, "a log needs the name of a file, got '%s'",
                            path);
    if (!an__log_check(options, err))
        return false;
    log->path_size = strlen(path) + 1;
    log->state_name_size = strlen(kind) + 1 + strlen(name) + 1;
    log->path = an_alloc(NULL, log->path_size, 1, err);
    log->state_name = log->path ? an_alloc(NULL, log->state_name_size, 1, err) : NULL;
    if (!log->state_name)
        return false;
    memcpy(log->path, path, log->path_size);
    an_format(log->state_name, log->state_name_size, "%s:%s", kind, name);
    log->stop_on_failure = options->stop_on_failure;
    log->file.name = log->path;
    return true;
}

/* ---------------------------------------------------------------- failures */

static void report(an_log *log, const an_error *failure, an_control *control)
{
    if (log->stop_on_failure) {
        control->error = *failure;
        return;
    }
    if (!log->failed)
        an_tell(control, "log_failed", failure->message);
    log->failed = true;
}

static void report_recovery(an_log *log, an_control *control)
{
    char text[AN_ERROR_MESSAGE_SIZE];
    if (!log->failed)
        return;
    if (log->lost > 0)
        an_format(text, sizeof text, "'%s' is written again; %lld rows are lost", log->path,
                  (long long)log->lost);
    else
        an_format(text, sizeof text, "'%s' is written again; nothing is lost", log->path);
    an_tell(control, "log_recovered", text);
    log->failed = false;
    log->lost = 0;
}

void an__log_lose(an_log *log)
{
    log->lost++;
}

/* --------------------------------------------------------------- the file */

static bool make_ready(an_log *log, an_error *err)
{
    if (log->prepared)
        return true;
    if (!log->file.open && !an__append_open(&log->file, log->path, err))
        return false;
    log->prepared = log->prepare(log->user, err);
    return log->prepared;
}

void an__log_begin(an_log *log, const an_record *record, an_control *control)
{
    an_error err = {0};
    log->flushed_at = record->seconds;
    const bool ready = make_ready(log, &err);
    if (ready && log->notice[0]) /* else there is worse to tell, or the same */
        an_tell(control, "log_failed", log->notice);
    log->notice[0] = '\0';
    if (ready)
        return;
    if (err.code == AN_ERROR_IO)
        report(log, &err, control);
    else
        control->error = err;
}

static void write_out(an_log *log, const an_record *record, an_control *control,
                      bool (*write)(an_append *, an_error *))
{
    an_error err = {0};
    log->flushed_at = record->seconds;
    if (make_ready(log, &err) && write(&log->file, &err))
        report_recovery(log, control);
    else
        report(log, &err, control);
}

void an__log_flush(an_log *log, const an_record *record, an_control *control)
{
    write_out(log, record, control, an__append_flush);
}

bool an__log_time(const an_record *record, double flushed_at, size_t cells, bool failed)
{
    return (cells >= FLUSH_CELLS && !failed) || record->seconds - flushed_at >= FLUSH_SECONDS;
}

bool an__log_is_due(const an_log *log, const an_record *record, const an_rows *rows)
{
    return an__log_time(record, log->flushed_at, rows->count * rows->width, log->failed) ||
           (log->file.used >= FLUSH_BYTES && !log->failed);
}

void an__log_sync(an_log *log, const an_record *record, an_control *control)
{
    write_out(log, record, control, an__append_sync);
}

void an__log_free(an_log *log)
{
    an_error err = {0};
    if (log->file.used > 0 && make_ready(log, &err))
        (void)an__append_flush(&log->file, NULL);
    an__append_close(&log->file);
    an_release(NULL, log->path, log->path_size, 1);
    an_release(NULL, log->state_name, log->state_name_size, 1);
}

/* -------------------------------------------------------------- checkpoints */

size_t an__log_save_state(an_log *log, void *bytes, size_t size)
{
    an_error err = {0};
    if (make_ready(log, &err))
        (void)an__append_flush(&log->file, NULL);
    if (size >= STATE_SIZE)
        an__put_64(bytes, (uint64_t)log->file.size);
    return STATE_SIZE;
}

/* Ends the file where it ended at the checkpoint, or, if that is unknown, before later rows. */
static bool cut(an_log *log, int64_t step, const unsigned char *bytes, size_t size, an_error *err)
{
    uint64_t offset = bytes && size == STATE_SIZE ? an__get_64(bytes) : UINT64_MAX;
    bool known = offset <= INT64_MAX;
    if (known && (int64_t)offset > log->file.size)
        an_format(log->notice, sizeof log->notice,
                  "'%s' is shorter than it was at the checkpoint: some rows are missing",
                  log->path);
    if (!known || (offset > 0 && !log->is_row_end(log->user, (int64_t)offset))) {
        int64_t later = log->find_later(log->user, step, err);
        return later >= 0 && an__append_cut(&log->file, later, err);
    }
    return an__append_cut(&log->file, (int64_t)offset, err);
}

bool an__log_load_state(an_log *log, const an_record *record, const void *bytes, size_t size,
                        an_error *err)
{
    an_error failure = {0};
    log->flushed_at = record->seconds;
    an__append_forget(&log->file);
    bool open = log->file.open || an__append_open(&log->file, log->path, &failure);
    if (open && cut(log, record->step, bytes, size, &failure))
        return true;
    if (log->stop_on_failure) {
        if (err)
            *err = failure;
        return false;
    }
    an_format(log->notice, sizeof log->notice, "%s", failure.message);
    return true;
}
