/* Groups of commands: finding one by its name, and the help that lists them. */
#include "cli/cli.h"

#include <string.h>

#define MAX_COMMANDS 16

static void print_help(FILE *stream, const cli_group *group)
{
    fprintf(stream, "%s\nCommands:\n", group->about);
    for (size_t i = 0; i < group->count; i++)
        fprintf(stream, "  %-12s%s\n", group->commands[i].name, group->commands[i].summary);
    fprintf(stream, "\n%s", group->more);
}

static int unknown(const cli_group *group, const char *word)
{
    const char *names[MAX_COMMANDS], *prefix = group->prefix;
    for (size_t i = 0; i < group->count; i++)
        names[i] = group->commands[i].name;
    const char *near = an_nearest(word, strlen(word), names, group->count);
    if (word[0] == '-')
        return cli_wrong("there is no option '%s'; 'anneal %s--help' lists what there is", word,
                         prefix);
    if (near)
        return cli_wrong("there is no command '%s%s'; did you mean '%s%s'?", prefix, word, prefix,
                         near);
    return cli_wrong("there is no command '%s%s'; 'anneal %s--help' lists what there is", prefix,
                     word, prefix);
}

int cli_run_group(const cli_group *group, int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr, group);
        return CLI_WRONG;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout, group);
        return CLI_DONE;
    }
    for (size_t i = 0; i < group->count; i++)
        if (strcmp(argv[1], group->commands[i].name) == 0)
            return group->commands[i].run(argc - 1, argv + 1);
    return unknown(group, argv[1]);
}
