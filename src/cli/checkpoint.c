/* The checkpoints of a run: which one is taken, and what it means that there is none. */
#include "cli/find.h"

#include <string.h>
#include <unistd.h>

bool cli_find_checkpoint(const char *folder, an_checkpoint_kind kind, char path[CLI_PATH],
                         an_checkpoint_info *info, an_error *err)
{
    char checkpoints[CLI_PATH];
    if (!cli_join(checkpoints, folder, "checkpoints", err) ||
        !an_checkpoint_find(checkpoints, kind, path, CLI_PATH - CLI_ENDING, info, err))
        return false;
    if (info->passed_over[0])
        fprintf(stderr, "anneal: %s; taken instead: '%s', of step %lld\n", info->passed_over, path,
                (long long)info->step);
    return true;
}

/* The run `name` of the store in `runs` as it stands there; false without it. */
static bool look_up(const char *runs, const char *name, int64_t *step, an_run_status *status)
{
    an_stored_runs list = {0};
    bool found = false;
    an_store *store = an_store_open(runs, false, NULL);
    if (store && an_store_list(store, &list, NULL))
        for (size_t i = 0; i < list.count; i++)
            if (strcmp(list.runs[i].name, name) == 0) {
                *step = list.runs[i].step;
                *status = list.runs[i].status;
                found = true;
            }
    an_stored_runs_free(&list);
    an_store_close(store);
    return found;
}

/*
 * A training saves at its end, and its folder is there before it begins: a run that came to either
 * and has no checkpoint lost it. One that was killed before its first save has nothing to lose.
 */
bool cli_may_begin_again(const char *runs, const char *name, an_error *err)
{
    char folder[CLI_PATH], weights[CLI_PATH], checkpoints[CLI_PATH];
    int64_t step = 0;
    an_run_status status = AN_RUN_RUNNING;
    if (!cli_join(folder, runs, name, err) || !cli_join(checkpoints, folder, "checkpoints", err) ||
        !cli_join(weights, folder, "weights.safetensors", err))
        return false;
    const bool known = look_up(runs, name, &step, &status);
    const bool ended = status == AN_RUN_DONE || status == AN_RUN_STOPPED;
    if (access(weights, F_OK) != 0 &&
        !(known && step > 0 && (ended || access(checkpoints, F_OK) != 0)))
        return true;
    return an_error_set(err, AN_ERROR_STATE,
                        "'%s' has no checkpoint any more, though it was trained to step %lld; it "
                        "would begin again, and write over what is left of it: bring '%s' back "
                        "from a copy, or train it anew as another run: anneal train "
                        "%s/resolved.yaml",
                        folder, (long long)step, checkpoints, folder);
}
