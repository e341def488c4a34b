/* What stdout can show, and whether it got everything. */
#include "cli/cli.h"

#include <anneal/term.h>

#include <errno.h>
#include <langinfo.h>
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

void cli_print_json_string(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            fprintf(stream, "\\u%04x", c);
        else
            fprintf(stream, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputc('"', stream);
}

bool cli_flush(an_error *err)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return an_error_set(err, AN_ERROR_IO, "cannot write to the standard output: %s",
                        errno ? strerror(errno) : "an earlier part of it was lost");
}
