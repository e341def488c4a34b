/* Finding a command by its name. */
#include "cli/cli.h"

#include <string.h>

#define MAX_COMMANDS 16

static int unknown(const cli_command *commands, size_t count, const char *prefix, const char *word)
{
    const char *names[MAX_COMMANDS];
    for (size_t i = 0; i < count; i++)
        names[i] = commands[i].name;
    const char *near = an_nearest(word, strlen(word), names, count);
    if (word[0] == '-')
        return cli_wrong("there is no option '%s'; 'anneal %s--help' lists what there is", word,
                         prefix);
    if (near)
        return cli_wrong("there is no command '%s%s'; did you mean '%s%s'?", prefix, word, prefix,
                         near);
    return cli_wrong("there is no command '%s%s'; 'anneal %s--help' lists what there is", prefix,
                     word, prefix);
}

int cli_run_command(const cli_command *commands, size_t count, const char *prefix, int argc,
                    char **argv)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown(commands, count, prefix, argv[1]);
}

void cli_print_commands(FILE *stream, const cli_command *commands, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "  %-12s%s\n", commands[i].name, commands[i].summary);
}
