/* Reading a command line, and saying what is wrong with it. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 16
#define MAX_WORDS 8
#define HELP_COLUMN 22 /* where help begins to say what an option is for */

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

/* Of all commands. */
static const cli_option help = {"help", NULL, "this text", CLI_SETS_FLAG, .member = 0};

static const cli_option *option_at(const cli_usage *u, size_t i)
{
    return i < u->option_count ? &u->options[i] : &help;
}

/*
 * Whether several options begin with `word`, as "--s" of --seed and --save: says so, and lists
 * them.
 */
static bool is_ambiguous(const cli_usage *u, const char *word)
{
    char list[256] = "";
    size_t used = 0, found = 0;
    const size_t length = strcspn(word, "=");
    if (length <= 2 || strncmp(word, "--", 2) != 0)
        return false;
    for (size_t i = 0; i <= u->option_count; i++) {
        const char *name = option_at(u, i)->name;
        if (strncmp(name, word + 2, length - 2) != 0)
            continue;
        used += an_format(list + used, sizeof list - used, "%s--%s", found++ ? ", " : "", name);
    }
    if (found > 1)
        cli_wrong("%s: '%.*s' may be any of %s; write more of it", u->command, (int)length, word,
                  list);
    return found > 1;
}

static int unknown_option(const cli_usage *u, const char *word)
{
    const char *names[MAX_OPTIONS];
    const char *name = word + strspn(word, "-");
    for (size_t i = 0; i <= u->option_count; i++)
        names[i] = option_at(u, i)->name;
    const char *near = an_nearest(name, strcspn(name, "="), names, u->option_count + 1);
    int length = (int)strcspn(word, "=");
    if (near)
        cli_wrong("%s has no option '%.*s'; did you mean '--%s'?", u->command, length, word, near);
    else
        cli_wrong("%s has no option '%.*s'; '%s --help' lists them", u->command, length, word,
                  u->command);
    return BAD;
}

/* The option that getopt_long means: from 256 on by its place, below by its first letter. */
static int index_of(const cli_usage *u, int found)
{
    if (found >= 256)
        return found - 256;
    int i = 0;
    while (u->options[i].name[0] != found)
        i++;
    return i;
}

/* What getopt_long refused: a letter, maybe among others, a flag with a value, or a name. */
static int refused_option(const cli_usage *u, const char *word)
{
    if (optopt >= 256) {
        cli_wrong("--%s takes no value", option_at(u, (size_t)optopt - 256)->name);
        return BAD;
    }
    if (!optopt && is_ambiguous(u, word))
        return BAD;
    const char letter[] = {'-', (char)optopt, '\0'};
    return unknown_option(u, optopt ? letter : word);
}

/* The index of the next option; END when none is left, BAD after a message about a wrong one. */
static int next_option(const cli_usage *u, int argc, char **argv)
{
    struct option table[MAX_OPTIONS + 1] = {{0}};
    char letters[2 * MAX_OPTIONS + 2] = ":";
    for (size_t i = 0; i <= u->option_count; i++)
        table[i] =
            (struct option){.name = option_at(u, i)->name,
                            .has_arg = option_at(u, i)->argument ? required_argument : no_argument,
                            .val = 256 + (int)i};
    for (size_t i = 0, used = 1; u->letters && u->letters[i]; i++) {
        const cli_option *option = &u->options[index_of(u, u->letters[i])];
        used += an_format(letters + used, sizeof letters - used, option->argument ? "%c:" : "%c",
                          u->letters[i]);
    }
    opterr = 0;
    int found = getopt_long(argc, argv, letters, table, NULL);
    if (found == -1)
        return END;
    if (found == '?')
        return refused_option(u, argv[optind - 1]);
    if (found == ':') {
        const cli_option *option = option_at(u, (size_t)index_of(u, optopt));
        cli_wrong("--%s needs %s", option->name, option->argument);
        return BAD;
    }
    return index_of(u, found);
}

/* The words of "text|json|csv"; how many. */
static size_t split(char *words, const char *names[MAX_WORDS])
{
    size_t count = 0;
    for (char *word = strtok(words, "|"); word && count < MAX_WORDS; word = strtok(NULL, "|"))
        names[count++] = word;
    return count;
}

static bool take_choice(const cli_option *o, const char *value, int *out)
{
    char words[128];
    const char *names[MAX_WORDS];
    an_format(words, sizeof words, "%s", o->argument);
    *out = cli_choice(o->name, value, names, split(words, names));
    return *out >= 0;
}

static bool take(const cli_option *o, const char *value, void *request)
{
    void *member = (char *)request + o->member;
    switch (o->effect) {
    case CLI_SETS_FLAG:
        *(bool *)member = true;
        return true;
    case CLI_SETS_TEXT:
        *(const char **)member = value;
        return true;
    case CLI_SETS_INTEGER:
        return cli_integer(o->name, value, o->least, o->most, member);
    case CLI_SETS_NUMBER:
        return cli_number(o->name, value, o->low, o->high, member);
    case CLI_SETS_CHOICE:
        return take_choice(o, value, member);
    case CLI_SETS_BY:
        return o->take(member, value);
    }
    return false;
}

/* What an option is for stands beside its name, or below where that is too long. */
static void print_option(const cli_option *o)
{
    int used = printf("  --%s %s", o->name, o->argument ? o->argument : "");
    if (used >= HELP_COLUMN) {
        putchar('\n');
        used = 0;
    }
    printf("%*s%s\n", HELP_COLUMN - used, "", o->help);
}

static void print_help(const cli_usage *u)
{
    puts(u->about);
    for (size_t i = 0; i <= u->option_count; i++)
        print_option(option_at(u, i));
    puts(u->more);
}

int cli_take_options(const cli_usage *usage, int argc, char **argv, void *request,
                     cli_arguments *rest)
{
    bool wants_help = false;
    int i;
    while ((i = next_option(usage, argc, argv)) >= 0) {
        const cli_option *option = option_at(usage, (size_t)i);
        if (!take(option, optarg, option == &help ? (void *)&wants_help : request))
            return CLI_WRONG;
    }
    *rest = (cli_arguments){usage->command, argv + optind, argc - optind};
    if (i == BAD)
        return CLI_WRONG;
    if (wants_help)
        print_help(usage);
    return wants_help ? CLI_DONE : CLI_TAKEN;
}

int cli_take_one(const cli_usage *usage, int argc, char **argv, void *request, const char *what,
                 const char **one)
{
    cli_arguments rest;
    const int status = cli_take_options(usage, argc, argv, request, &rest);
    if (status == CLI_TAKEN && rest.count != 1)
        return cli_wrong("%s takes %s", usage->command, what);
    *one = status == CLI_TAKEN ? rest.each[0] : NULL;
    return status;
}

int cli_no_memory(void)
{
    an_error err = {0};
    an_error_set(&err, AN_ERROR_MEMORY, "memory ran out for the arguments");
    return cli_fail(&err);
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
    char list[128];
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return (int)i;
    an_names_print(list, sizeof list, names, count, " or ");
    cli_wrong("--%s takes %s, got '%s'", option, list, text);
    return -1;
}
