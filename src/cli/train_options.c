/* What train and resume have in common on the command line: --set and --save. */
#include "cli/training.h"

#include <stdlib.h>
#include <sys/stat.h>

bool cli_sets_init(cli_sets *sets, int argc)
{
    *sets = (cli_sets){.each = calloc((size_t)argc + 1, sizeof(const char *))};
    return sets->each;
}

bool cli_take_set(void *member, const char *value)
{
    cli_sets *sets = member;
    sets->each[sets->count++] = value;
    return true;
}

void cli_sets_free(cli_sets *sets)
{
    free(sets->each);
}

bool cli_take_save(void *member, const char *value)
{
    *(const char **)member = value;
    if (*value)
        return true;
    cli_wrong("--save needs the name of a file, got ''");
    return false;
}

bool cli_can_save(const char *path, an_error *err)
{
    if (!path)
        return true;
    cli_enter(CLI_SAVING);
    const bool can = an_params_can_save(path, err);
    cli_enter(CLI_FREE);
    if (!can)
        an_error_prefix(err, "--save: ");
    return can;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat s, t;
    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

bool cli_spares_inputs(const char *path, const char *config, const an_run *run, an_error *err)
{
    if (!path)
        return true;
    const char *what = is_same_file(path, config)          ? "is the configuration"
                       : is_same_file(path, "/dev/stdout") ? "is where the output goes"
                       : an_run_reads(run, path)           ? "is a file of the data set"
                                                           : NULL;
    return !what ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "--save: '%s' %s; name a file of its own for the weights", path, what);
}
