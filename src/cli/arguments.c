/* Reading a command line, and saying what is wrong with it. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 16

int cli_fail(const an_error *err)
{
    fflush(stdout);
    fprintf(stderr, "anneal: %s\n", err->message);
    if (err->excerpt[0])
        fprintf(stderr, "%s\n", err->excerpt);
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
    va_list list;
    va_start(list, format);
    fputs("anneal: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return CLI_WRONG;
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
    return CLI_BAD;
}

int cli_next(const cli_arguments *a, const char **value, int *rest)
{
    struct option table[MAX_OPTIONS + 1] = {{0}};
    for (size_t i = 0; i < a->option_count; i++)
        table[i] =
            (struct option){.name = a->options[i].name,
                            .has_arg = a->options[i].argument ? required_argument : no_argument,
                            .val = 256 + (int)i};
    opterr = 0;
    int found = getopt_long(a->argc, a->argv, ":", table, NULL);
    *value = optarg;
    *rest = optind;
    if (found == -1)
        return CLI_END;
    if (found == '?')
        return unknown_option(a, a->argv[optind - 1]);
    if (found == ':') {
        const cli_option *option = &a->options[optopt - 256];
        cli_wrong("--%s needs %s", option->name, option->argument);
        return CLI_BAD;
    }
    return found - 256;
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
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == 0 && *out >= low && *out <= high)
        return true;
    cli_wrong("--%s takes a whole number from %lld to %lld, got '%s'", option, low, high, text);
    return false;
}
