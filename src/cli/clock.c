/*
 * The clock of a run that goes by the clock: the seconds of training after every update, one number
 * a line, in the run's folder. What stands there already, of a run that goes on, is what counts for
 * those updates again; so the run repeats what it did, however fast the machine is now.
 *
 *   0.0031 63ef8a20        after update 1
 *   0.0058 a9d687b7        after update 2
 *   - fbb2c498             not known: the run did not go by the clock then
 *
 * The second word is the CRC-32C (hexadecimal) of the update's number, a space and the first word:
 * a line that was altered, or stands at another place, is no time that counts.
 *
 * Updates that are made again after a rollback go on with the machine's clock and are not written:
 * a line stands for the first time that its update was made.
 */
#include "cli/training.h"

#include "file/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAST_LINE 11 /* bytes: "- fbb2c498\n" */
#define UNKNOWN "-"

size_t cli_clock_line(char *line, size_t size, int64_t step, const char *time)
{
    char text[CLI_CLOCK_LINE], check[9] = "";
    const uint32_t crc =
        an__crc32c(0, text, an_format(text, sizeof text, "%lld %s", (long long)step, time));
    for (int i = 0; i < 8; i++)
        check[i] = "0123456789abcdef"[crc >> (28 - 4 * i) & 15];
    return an_format(line, size, "%s %s", time, check);
}

/* ------------------------------------------------------------------ reading */

/* The number of update `step`'s line, NaN for one that is not known; false for what is neither. */
static bool read_line(const char *line, size_t size, int64_t step, double before, double *seconds)
{
    char time[CLI_CLOCK_TIME], expected[CLI_CLOCK_LINE];
    const char *space = memchr(line, ' ', size);
    const size_t length = space ? (size_t)(space - line) : 0;
    *seconds = NAN;
    if (length == 0 || length >= sizeof time)
        return false;
    memcpy(time, line, length);
    time[length] = '\0';
    if (cli_clock_line(expected, sizeof expected, step, time) != size ||
        memcmp(line, expected, size) != 0)
        return false;
    return strcmp(time, UNKNOWN) == 0 || (an_number_parse(time, length, seconds) == length &&
                                          *seconds >= before && *seconds < 1e15);
}

static bool fail_at(const cli_clock *clock, const char *path, const char *line, size_t size,
                    an_error *err)
{
    char shown[41];
    size_t used = 0;
    for (; used < size && used < sizeof shown - 1; used++)
        shown[used] = line[used] >= ' ' && line[used] <= '~' ? line[used] : '?';
    shown[used] = '\0';
    return an_error_set(
        err, AN_ERROR_DATA,
        "%s:%zu: '%s' is not a time that a run's clock can have shown: a line has a "
        "number, which never falls, and its check%s",
        path, clock->count, shown,
        clock->path[0] ? "; bring it back from a copy, or remove it: the run then "
                         "goes on by the machine's clock"
                       : "");
}

/* The numbers of a file's complete lines: the last one may have been cut off. */
static bool read_seconds(cli_clock *clock, const char *path, an_error *err)
{
    size_t length;
    char *text = cli_read_file(path, "clock", &length, err);
    if (!text)
        return false;
    clock->seconds = calloc(length / LEAST_LINE + 1, sizeof *clock->seconds);
    bool good = clock->seconds != NULL;
    if (!good)
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the clock '%s'", path);
    double before = 0;
    for (const char *line = text, *end; good && (end = memchr(line, '\n', length));
         line = end + 1) {
        const size_t size = (size_t)(end - line);
        double *seconds = &clock->seconds[clock->count++];
        good = read_line(line, size, (int64_t)clock->count, before, seconds);
        if (!good)
            fail_at(clock, path, line, size, err);
        before = isnan(*seconds) ? before : *seconds;
        length -= size + 1;
        clock->whole += (int64_t)size + 1;
    }
    free(text);
    return good;
}

/* ------------------------------------------------------------------ writing */

/* What cannot be written is told at the next moment; nothing is written from then on. */
static void give_up(cli_clock *clock, const char *reason)
{
    an_error_set(&clock->failure, AN_ERROR_IO,
                 "the clock '%s' cannot be written: %s; the run cannot be repeated by it",
                 clock->path, reason);
    if (clock->file)
        (void)fclose(clock->file);
    clock->file = NULL;
    clock->path[0] = '\0';
}

/* Goes on behind the whole lines that are there. */
static void start_writing(cli_clock *clock)
{
    struct stat facts;
    const int descriptor = open(clock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    errno = descriptor >= 0 ? 0 : errno;
    if (descriptor >= 0 && fstat(descriptor, &facts) == 0 && !S_ISREG(facts.st_mode))
        errno = EINVAL;
    if (errno == 0 && ftruncate(descriptor, (off_t)clock->whole) == 0 &&
        lseek(descriptor, 0, SEEK_END) >= 0)
        clock->file = fdopen(descriptor, "r+");
    if (clock->file)
        return;
    give_up(clock, strerror(errno));
    if (descriptor >= 0)
        (void)close(descriptor);
}

/* Of update `step`; NaN is not known. */
static void put_line(cli_clock *clock, int64_t step, double seconds)
{
    char time[CLI_CLOCK_TIME] = UNKNOWN, line[CLI_CLOCK_LINE];
    if (!isnan(seconds))
        an_number_print(time, sizeof time, seconds);
    cli_clock_line(line, sizeof line, step, time);
    fprintf(clock->file, "%s\n", line);
}

/* The line of update `step`, and lines for those before it that have none. */
static void write_line(cli_clock *clock, int64_t step, double seconds)
{
    while (++clock->written < step)
        put_line(clock, clock->written,
                 clock->written == clock->begun_step ? clock->begun_seconds : NAN);
    put_line(clock, step, seconds);
    if (ferror(clock->file))
        give_up(clock, strerror(errno));
}

/* ------------------------------------------------------------------ the clock */

bool cli_clock_open(cli_clock *clock, const char *replay, const char *folder, an_error *err)
{
    *clock = (cli_clock){0};
    if (replay && !read_seconds(clock, replay, err))
        return false;
    clock->whole = 0;
    if (!folder)
        return true;
    if (an_format(clock->path, sizeof clock->path, "%s/clock.txt", folder) >= sizeof clock->path)
        return an_error_set(err, AN_ERROR_ARGUMENT, "the path of '%.60s...' is too long", folder);
    struct stat facts;
    an_error failure = {0};
    if (replay || stat(clock->path, &facts) != 0 || !S_ISREG(facts.st_mode))
        return true;
    if (read_seconds(clock, clock->path, &failure)) {
        clock->written = (int64_t)clock->count;
        return true;
    }
    if (failure.code == AN_ERROR_IO) {
        clock->path[0] = '\0';
        clock->failure = failure;
        return true;
    }
    *err = failure;
    return false;
}

/*
 * The time after update `step`. Where it is not known it is before the next one that is, however
 * slow the machine: what began then, a landing, does not begin earlier.
 */
static double seconds_after(cli_clock *clock, int64_t step, double measured)
{
    if (step < 1 || (uint64_t)step > clock->count)
        return measured;
    const size_t at = (size_t)step - 1;
    if (!isnan(clock->seconds[at]))
        return clock->seconds[at];
    clock->next = clock->next > at ? clock->next : at;
    while (clock->next < clock->count && isnan(clock->seconds[clock->next]))
        clock->next++;
    return clock->next < clock->count ? fmin(measured, nextafter(clock->seconds[clock->next], 0))
                                      : measured;
}

static double show_seconds(void *user, int64_t step, double measured)
{
    cli_clock *clock = user;
    const double seconds = seconds_after(clock, step, measured);
    if (step <= clock->written || !clock->path[0])
        return seconds;
    if (!clock->file)
        start_writing(clock);
    if (clock->file)
        write_line(clock, step, seconds);
    return seconds;
}

an_clock_source cli_clock_source(cli_clock *clock)
{
    return (an_clock_source){show_seconds, clock};
}

static void tell_failure(void *user, const an_record *record, an_control *control)
{
    cli_clock *clock = user;
    (void)record;
    if (clock->failure.code == AN_ERROR_OK)
        return;
    if (clock->must_write)
        control->error = clock->failure;
    else
        an_tell(control, "log_failed", clock->failure.message);
    clock->failure = (an_error){0};
}

/* A run that goes by the clock from now on knows from its checkpoint what time it is. */
static void begin(void *user, const an_record *record, an_control *control)
{
    cli_clock *clock = user;
    clock->begun_step = record->step;
    clock->begun_seconds = record->seconds;
    tell_failure(user, record, control);
}

/* What a checkpoint stands on is on the disk before it is. */
static void sync_clock(void *user, const an_record *record, an_control *control)
{
    cli_clock *clock = user;
    if (clock->file && (fflush(clock->file) != 0 || fsync(fileno(clock->file)) != 0))
        give_up(clock, strerror(errno));
    tell_failure(user, record, control);
}

an_callback cli_clock_callback(cli_clock *clock)
{
    return (an_callback){
        .train_begin = begin, .batch_end = tell_failure, .save_begin = sync_clock, .user = clock};
}

void cli_clock_close(cli_clock *clock)
{
    if (clock->file && fclose(clock->file) != 0)
        fprintf(stderr, "anneal: the end of the clock '%s' was not written: %s\n", clock->path,
                strerror(errno));
    free(clock->seconds);
    *clock = (cli_clock){0};
}
