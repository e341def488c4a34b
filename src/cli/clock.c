/*
 * The clock of a run that goes by the clock: the seconds of training after every update, one number
 * a line, in the run's folder. What stands there already, of a run that goes on, is what counts for
 * those updates again; so the run repeats what it did, however fast the machine is now.
 */
#include "cli/training.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST_LINE 2 /* bytes: "0\n" */

/* The numbers of a file's complete lines: the last one may have been cut off. */
static bool read_seconds(cli_clock *clock, const char *path, an_error *err)
{
    size_t length;
    char *text = cli_read_file(path, "clock", &length, err);
    if (!text)
        return false;
    clock->seconds = calloc(length / LEAST_LINE + 1, sizeof *clock->seconds);
    if (!clock->seconds) {
        free(text);
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the clock '%s'", path);
    }
    bool good = true;
    for (const char *line = text, *end; good && (end = memchr(line, '\n', length));
         line = end + 1) {
        const size_t size = (size_t)(end - line);
        double *seconds = &clock->seconds[clock->count];
        const double before = clock->count ? seconds[-1] : 0;
        good = size > 0 && an_number_parse(line, size, seconds) == size && *seconds >= before &&
               *seconds < 1e15;
        if (!good)
            an_error_set(err, AN_ERROR_DATA,
                         "%s:%zu: '%.*s' is not a time that a run's clock can have shown; it has "
                         "one number a line, which never falls",
                         path, clock->count + 1, size < 40 ? (int)size : 40, line);
        clock->count++;
        length -= size + 1;
    }
    free(text);
    return good;
}

static bool start_writing(cli_clock *clock, const char *path, bool again, an_error *err)
{
    clock->file = fopen(path, "w");
    if (!clock->file)
        return an_error_set(err, AN_ERROR_IO, "the clock '%s' cannot be written: %s", path,
                            strerror(errno));
    /* What was read is written again: whole lines, and nothing behind them. */
    char text[40];
    for (size_t i = 0; again && i < clock->count; i++) {
        an_number_print(text, sizeof text, clock->seconds[i]);
        fprintf(clock->file, "%s\n", text);
    }
    clock->written = again ? (int64_t)clock->count : 0;
    return fflush(clock->file) == 0 ||
           an_error_set(err, AN_ERROR_IO, "the clock '%s' cannot be written: %s", path,
                        strerror(errno));
}

bool cli_clock_open(cli_clock *clock, const char *replay, const char *folder, an_error *err)
{
    char path[CLI_PATH];
    *clock = (cli_clock){0};
    if (replay && !read_seconds(clock, replay, err))
        return false;
    if (!folder)
        return true;
    if (an_format(path, sizeof path, "%s/clock.txt", folder) >= sizeof path)
        return an_error_set(err, AN_ERROR_ARGUMENT, "the path of '%.60s...' is too long", folder);
    FILE *old = replay ? NULL : fopen(path, "r");
    if (old)
        fclose(old);
    return (!old || read_seconds(clock, path, err)) && start_writing(clock, path, !replay, err);
}

/* A disk that is full takes the record, not the run. */
static double show_seconds(void *user, int64_t step, double measured)
{
    cli_clock *clock = user;
    char text[40];
    const bool known = step >= 1 && (uint64_t)step <= clock->count;
    const double seconds = known ? clock->seconds[step - 1] : measured;
    if (clock->file && step == clock->written + 1) {
        an_number_print(text, sizeof text, seconds);
        fprintf(clock->file, "%s\n", text);
        clock->written = step;
    }
    return seconds;
}

an_clock_source cli_clock_source(cli_clock *clock)
{
    return (an_clock_source){show_seconds, clock};
}

/* What a checkpoint stands on is on the disk before it is. */
static void sync_clock(void *user, const an_record *record, an_control *control)
{
    cli_clock *clock = user;
    (void)record;
    (void)control;
    if (clock->file && fflush(clock->file) == 0)
        (void)fsync(fileno(clock->file));
}

an_callback cli_clock_callback(cli_clock *clock)
{
    return (an_callback){.save_begin = sync_clock, .user = clock};
}

void cli_clock_close(cli_clock *clock)
{
    if (clock->file)
        fclose(clock->file);
    free(clock->seconds);
    *clock = (cli_clock){0};
}
