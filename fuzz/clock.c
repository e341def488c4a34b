/*
 * The record of a run's clock: any bytes as a clock.txt, as they are and with the check of every
 * line made to fit. Times that are taken never fall; what a run writes behind them is read back
 * with them.
 */
#include "cli/training.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MORE 3

static char folder[] = "/tmp/anneal-fuzz-XXXXXX", path[sizeof folder + 16];

static void remove_folder(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

/* Each line of `data` with the check of its place. */
static char *checked(const uint8_t *data, size_t size, size_t *length)
{
    const size_t room = 16 * size + 16;
    char *text = malloc(room);
    *length = 0;
    if (!text)
        return NULL;
    for (size_t at = 0, step = 1; at < size; step++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t count = end ? (size_t)(end - data) - at : size - at;
        char time[CLI_CLOCK_TIME];
        if (count >= sizeof time || memchr(data + at, '\0', count))
            break;
        memcpy(time, data + at, count);
        time[count] = '\0';
        *length += cli_clock_line(text + *length, room - *length, (int64_t)step, time);
        text[(*length)++] = '\n';
        at += count + 1;
    }
    return text;
}

/* A run goes on with an open clock for MORE updates; how many lines there are then. */
static size_t go_on(cli_clock *clock)
{
    const an_clock_source source = cli_clock_source(clock);
    const size_t count = clock->count + MORE;
    double last = 0;
    for (size_t step = 1; step <= count; step++) {
        const bool known = step <= clock->count && !isnan(clock->seconds[step - 1]);
        const double seconds = source.seconds(source.user, (int64_t)step, last);
        if (!(seconds >= 0) || (known && seconds < last))
            abort();
        last = seconds > last ? seconds : last;
    }
    return count;
}

static void check(const void *bytes, size_t size)
{
    cli_clock clock, again;
    an_error err = {0};
    write_file(bytes, size);
    const bool opened = cli_clock_open(&clock, NULL, folder, &err);
    const size_t count = opened ? go_on(&clock) : 0;
    cli_clock_close(&clock);
    if (!opened)
        return;
    if (!cli_clock_open(&again, path, NULL, &err) || again.count != count)
        abort();
    cli_clock_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!path[0]) {
        if (!mkdtemp(folder) || atexit(remove_folder) != 0)
            abort();
        an_format(path, sizeof path, "%s/clock.txt", folder);
    }
    check(data, size);
    size_t length;
    char *text = checked(data, size, &length);
    if (text)
        check(text, length);
    free(text);
    return 0;
}
