/* Reading a command line, and saying what is wrong with it. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 16

enum { END = -1, BAD = -2 };

/* The excerpt and the line with its caret, two spaces in. */
static void print_excerpt(const char *excerpt)
{
    const char *caret = strchr(excerpt, '\n');
    int length = (int)strcspn(excerpt, "\n");
    fprintf(stderr, "  %.*s\n", length, excerpt);
    if (caret)
        fprintf(stderr, "  %s\n", caret + 1);
}

/* An error that points into a text begins with its place, so that editors can jump there. */
int cli_fail(const an_error *err)
{
    fflush(stdout);
    fprintf(stderr, "%s%s\n", err->excerpt[0] ? "" : "anneal: ", err->message);
    if (err->excerpt[0])
        print_excerpt(err->excerpt);
    switch (err->code) {
    case AN_ERROR_ARGUMENT:
    case AN_ERROR_CONFIG:
    case AN_ERROR_SHAPE:
        return CLI_WRONG;
    default:
        return CLI_FAILED;
    }
}

int cli_wrong(const char *format, ...)
{
    char text[AN_ERROR_MESSAGE_SIZE];
    an_error err = {0};
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    an_error_set(&err, AN_ERROR_ARGUMENT, "%s", text);
    return cli_fail(&err);
}

static int unknown_option(const cli_arguments *a, const char *word)
{
    const char *names[MAX_OPTIONS];
    const char *name = word + strspn(word, "-");
    for (size_t i = 0; i < a->option_count; i++)
        names[i] = a->options[i].name;
    const char *near = an_nearest(name, strcspn(name, "="), names, a->option_count);
    int length = (int)strcspn(word, "=");
    if (near)
        cli_wrong("%s has no option '%.*s'; did you mean '--%s'?", a->command, length, word, near);
    else
        cli_wrong("%s has no option '%.*s'; '%s --help' lists them", a->command, length, word,
                  a->command);
    return BAD;
}

/* The option that getopt_long means: from 256 on by its place, below by its first letter. */
static int index_of(const cli_arguments *a, int found)
{
    if (found >= 256)
        return found - 256;
    int i = 0;
    while (a->options[i].name[0] != found)
        i++;
    return i;
}

/* The index of the next option; END when none is left, BAD after a message about a wrong one. */
static int next_option(const cli_arguments *a, const char **value, int *rest)
{
    struct option table[MAX_OPTIONS + 1] = {{0}};
    char letters[2 * MAX_OPTIONS + 2] = ":";
    for (size_t i = 0; i < a->option_count; i++)
        table[i] =
            (struct option){.name = a->options[i].name,
                            .has_arg = a->options[i].argument ? required_argument : no_argument,
                            .val = 256 + (int)i};
    for (size_t i = 0, used = 1; a->letters[i]; i++) {
        const cli_option *option = &a->options[index_of(a, a->letters[i])];
        used += an_format(letters + used, sizeof letters - used, option->argument ? "%c:" : "%c",
                          a->letters[i]);
    }
    opterr = 0;
    int found = getopt_long(a->argc, a->argv, letters, table, NULL);
    *value = optarg;
    *rest = optind;
    if (found == -1)
        return END;
    if (found == '?')
        return unknown_option(a, a->argv[optind - 1]);
    if (found == ':') {
        const cli_option *option = &a->options[index_of(a, optopt)];
        cli_wrong("--%s needs %s", option->name, option->argument);
        return BAD;
    }
    return index_of(a, found);
}

bool cli_take_options(const cli_arguments *arguments, cli_take *take, void *user, int *rest)
{
    const char *value;
    int option;
    while ((option = next_option(arguments, &value, rest)) >= 0)
        if (!take(user, option, value))
            return false;
    return option == END;
}

void cli_print_options(FILE *stream, const cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *argument = options[i].argument ? options[i].argument : "";
        int used = fprintf(stream, "  --%s %s", options[i].name, argument);
        fprintf(stream, "%*s%s\n", used < 22 ? 22 - used : 1, "", options[i].help);
    }
}

bool cli_integer(const char *option, const char *text, long long low, long long high,
                 long long *out)
{
    char *end;
    const char first = text[text[0] == '-'];
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno == 0 && first >= '0' && first <= '9' && *end == 0 && *out >= low && *out <= high)
        return true;
    cli_wrong("--%s takes a whole number from %lld to %lld, got '%s'", option, low, high, text);
    return false;
}

bool cli_number(const char *option, const char *text, double low, double high, double *out)
{
    size_t length = strlen(text);
    if (length > 0 && an_number_parse(text, length, out) == length && isfinite(*out) &&
        *out >= low && *out <= high)
        return true;
    char range[64];
    an_format(range, sizeof range, isinf(high) ? "of %g or more" : "from %g to %g", low, high);
    cli_wrong("--%s takes a number %s, got '%s'", option, range, text);
    return false;
}

int cli_choice(const char *option, const char *text, const char *const *names, size_t count)
{
    char list[128] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return (int)i;
        const char *before = i == 0 ? "" : i + 1 < count ? ", " : " or ";
        used += an_format(list + used, sizeof list - used, "%s%s", before, names[i]);
    }
    cli_wrong("--%s takes %s, got '%s'", option, list, text);
    return -1;
}
