/* The metric file: one number a line. */
#include "cli/schedule.h"

#include <stdlib.h>
#include <string.h>

/* The number that fills the line from `at` on; points `*next` at the line after it. */
static bool read_line(const an_spec_source *source, size_t at, size_t *next, double *value,
                      an_error *err)
{
    const char *line = source->text + at;
    const char *end = memchr(line, '\n', source->length - at);
    size_t length = end ? (size_t)(end - line) : source->length - at;
    *next = at + length + (end ? 1 : 0);
    while (length > 0 &&
           (line[length - 1] == ' ' || line[length - 1] == '\t' || line[length - 1] == '\r'))
        length--;
    size_t blank = strspn(line, " \t");
    blank = blank < length ? blank : length;
    size_t used = an_number_parse(line + blank, length - blank, value);
    if (used > 0 && blank + used == length)
        return true;
    if (blank == length) {
        an_spec_error(source, at, err, "this line is blank; a metric file has one number a line");
        err->excerpt[0] = '\0'; /* there is nothing to show */
    } else {
        an_spec_error(source, at + blank, err,
                      "'%.*s' is not a number; a metric file has one a line",
                      length - blank < 40 ? (int)(length - blank) : 40, line + blank);
    }
    err->code = AN_ERROR_DATA;
    return false;
}

double *cli_read_metrics(const char *path, size_t count, an_error *err)
{
    size_t length, at = 0, lines = 0;
    char *text = cli_read_file(path, "metric file", &length, err);
    if (!text)
        return NULL;
    double *metrics = calloc(count + 1, sizeof *metrics);
    if (!metrics)
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu metrics", count);
    an_spec_source source = {.file = path, .text = text, .length = length};
    bool good = metrics != NULL;
    while (good && lines < count && at < length)
        good = read_line(&source, at, &at, &metrics[lines++], err);
    if (good && lines < count)
        good = an_error_set(err, AN_ERROR_DATA,
                            "'%s' has %zu number%s; as many as steps are needed, %zu", path, lines,
                            lines == 1 ? "" : "s", count);
    free(text);
    if (good)
        return metrics;
    free(metrics);
    return NULL;
}
