/* What stdout can show, and whether it got everything. */
#include "cli/cli.h"

#include <anneal/term.h>

#include <errno.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool cli_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool cli_colour(void)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return an_term_is_terminal(STDOUT_FILENO) && (!refused || !*refused) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

void cli_put_json(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            printf("\\u%04x", c);
        else
            printf(c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    putchar('"');
}

void cli_put_json_member(const char *name, double value)
{
    char text[40];
    an_number_print_short(text, sizeof text, value);
    printf("\"%s\": %s, ", name, isfinite(value) ? text : "null");
}

void cli_put_csv(const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

/* Past the list of numbers that begins at `text`, with its commas counted; NULL if it holds more
 * than numbers. */
static const char *end_of_numbers(const char *text, size_t *commas)
{
    *commas = 0;
    for (text++; *text && *text != ']'; text++) {
        if (strchr("[(\"'", *text))
            return NULL;
        *commas += *text == ',';
    }
    return *text ? text + 1 : NULL;
}

char *cli_shortened(const char *call)
{
    enum { MOST = 8, FIRST = 3 };
    char *copy = malloc(strlen(call) + 1), *to = copy;
    size_t commas = 0;
    while (to && *call) {
        const char *end = *call == '[' ? end_of_numbers(call, &commas) : NULL;
        if (end && commas >= MOST) {
            for (int shown = 0; shown < FIRST; *to++ = *call++)
                shown += call[1] == ',';
            memcpy(to, ", ...", 5);
            to += 5;
            for (call = end - 1; *call != ',';)
                call--;
        }
        if (end)
            while (call < end)
                *to++ = *call++;
        else
            *to++ = *call++;
    }
    if (to)
        *to = '\0';
    return copy;
}

bool cli_flush(an_error *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return an_error_set(err, AN_ERROR_IO, "cannot write to the standard output: %s",
                        errno ? strerror(errno) : "an earlier part of it was lost");
}
