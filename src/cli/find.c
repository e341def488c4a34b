#include "cli/find.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MOST 4096

bool cli_join(char path[CLI_PATH], const char *folder, const char *name, an_error *err)
{
    return an_format(path, CLI_PATH, "%s/%s", folder, name) < CLI_PATH ||
           an_error_set(err, AN_ERROR_ARGUMENT, "the path '%.60s...' is too long", folder);
}

/* ------------------------------------------------------------------- runs */

static bool exists(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0;
}

/* A run's folder holds its resolved configuration. */
static bool is_run(const char *folder)
{
    char path[CLI_PATH];
    return cli_join(path, folder, "resolved.yaml", NULL) && exists(path);
}

/* The name of a run in `runs` that is nearest to `name`, to be freed; NULL without one. */
static char *nearest_run(const char *runs, const char *name)
{
    char *names[NAMES_MOST], folder[CLI_PATH];
    size_t count = 0;
    DIR *dir = opendir(runs);
    for (const struct dirent *e; dir && count < NAMES_MOST && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' && cli_join(folder, runs, e->d_name, NULL) && is_run(folder) &&
            (names[count] = strdup(e->d_name)) != NULL)
            count++;
    if (dir)
        closedir(dir);
    const char *near = an_nearest(name, strlen(name), (const char *const *)names, count);
    char *copy = near ? strdup(near) : NULL;
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    return copy;
}

/* A run's folder that lost its configuration, or another folder: it has no name to look for. */
static bool fail_unresolved(const char *folder, an_error *err)
{
    char checkpoints[CLI_PATH], weights[CLI_PATH];
    if (cli_join(checkpoints, folder, "checkpoints", NULL) && !exists(checkpoints) &&
        cli_join(weights, folder, "weights.safetensors", NULL) && !exists(weights))
        return an_error_set(err, AN_ERROR_IO,
                            "'%s' has no resolved.yaml, the configuration that a run goes by, and "
                            "has saved nothing: if it was killed as it began, train it anew and "
                            "delete the folder",
                            folder);
    return an_error_set(err, AN_ERROR_IO,
                        "'%s' has no resolved.yaml, the configuration that a run goes by; bring it "
                        "back from a copy, or name another run",
                        folder);
}

size_t cli_name_length(const char *name)
{
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        length--;
    return length;
}

bool cli_find_run(const char *runs, const char *given, char folder[CLI_PATH], an_error *err)
{
    char name[CLI_PATH];
    an_format(name, sizeof name, "%.*s", (int)cli_name_length(given), given);
    if (an_format(folder, CLI_PATH, "%s", name) < CLI_PATH && is_run(folder))
        return true;
    if (name[0] && !strchr(name, '/') && cli_join(folder, runs, name, NULL) && exists(folder))
        return is_run(folder) || fail_unresolved(folder, err);
    char *near = nearest_run(runs, name);
    an_error_set(err, AN_ERROR_IO, "there is no run '%s' in '%s'%s%s%s", name, runs,
                 near ? "; did you mean '" : "; a run is a folder in there, or a path to one",
                 near ? near : "", near ? "'?" : "");
    free(near);
    return false;
}

/* ---------------------------------------------------------------- weights */

/* Which of a run's weights: those that its training ended with, or a checkpoint's. */
static bool find_weights(const cli_wanted *wanted, const char *folder, char weights[CLI_PATH],
                         an_error *err)
{
    char path[CLI_PATH];
    an_checkpoint_info info;
    bool best = wanted->checkpoint && strcmp(wanted->checkpoint, "best") == 0;
    if (!cli_join(weights, folder, "weights.safetensors", err))
        return false;
    if (!wanted->checkpoint && exists(weights))
        return true;
    return cli_find_checkpoint(folder, best ? AN_CHECKPOINT_BEST : AN_CHECKPOINT_LAST, path, &info,
                               err) &&
           an_format(weights, CLI_PATH, "%s.safetensors", path) > 0;
}

/* The configuration beside a file of weights, or above its folder of checkpoints. */
static bool find_config(const char *file, char config[CLI_PATH], an_error *err)
{
    static const char *const places[] = {"resolved.yaml", "../resolved.yaml"};
    const char *slash = strrchr(file, '/');
    int length = slash ? (int)(slash - file) : 1;
    for (size_t i = 0; i < 2; i++)
        if (an_format(config, CLI_PATH, "%.*s/%s", length, slash ? file : ".", places[i]) <
                CLI_PATH &&
            exists(config))
            return true;
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "there is no configuration beside '%s'; give the one that it was trained "
                        "with: --config FILE",
                        file);
}

static bool is_file(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

/* A checkpoint's state stands for its weights. */
static void weights_of_file(const char *file, char weights[CLI_PATH])
{
    size_t length = strlen(file), end = sizeof ".state" - 1;
    bool state = length > end && strcmp(file + length - end, ".state") == 0;
    an_format(weights, CLI_PATH, "%.*s%s", (int)(state ? length - end : length), file,
              state ? ".safetensors" : "");
}

static bool locate(const cli_wanted *wanted, char config[CLI_PATH], char weights[CLI_PATH],
                   an_error *err)
{
    char folder[CLI_PATH];
    bool given = wanted->config != NULL;
    if (given)
        an_format(config, CLI_PATH, "%s", wanted->config);
    if (is_file(wanted->what)) {
        weights_of_file(wanted->what, weights);
        return given || find_config(wanted->what, config, err);
    }
    if (!cli_find_run(wanted->runs, wanted->what, folder, err))
        return false;
    return find_weights(wanted, folder, weights, err) &&
           (given || cli_join(config, folder, "resolved.yaml", err));
}

/*
 * What a model's numbers mean comes from the data that it learned from: of a text the characters,
 * of a table the texts and the scaling. Other data would be read as if they meant the same.
 */
static bool may_replace_data(const cli_wanted *wanted, const an_run *run, an_error *err)
{
    char bytes[4];
    const an_dataset *data = run->test_data;
    const an_data_kind kind = an_dataset_kind(data);
    bool are_bytes = an_dataset_classes(data) == 256 && an_text_token(data, 255, bytes) == 1;
    if (!wanted->data || kind == AN_DATA_BYTES || are_bytes)
        return true;
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        kind == AN_DATA_TOKENS
                            ? "--data: another text numbers its characters otherwise; a model can "
                              "be tested on other texts when it was trained with 'unit: bytes'"
                            : "--data: another table is scaled and numbered otherwise; a table's "
                              "model is tested on the rows that were cut off for it");
}

bool cli_take_kind(void *member, const char *value)
{
    static const char *const kinds[] = {"last", "best"};
    *(const char **)member = value;
    return cli_choice("checkpoint", value, kinds, 2) >= 0;
}

bool cli_load(const cli_wanted *wanted, cli_loaded *loaded, an_error *err)
{
    char config[CLI_PATH], set[CLI_PATH + 16];
    const char *sets[] = {set};
    *loaded = (cli_loaded){0};
    if (!locate(wanted, config, loaded->weights, err))
        return false;
    an_format(set, sizeof set, "data.path=%s", wanted->data ? wanted->data : "");
    loaded->config = an_config_load(config, sets, wanted->data ? 1 : 0, err);
    if (loaded->config && wanted->threads >= 0)
        an_config_set_threads(loaded->config, (int)wanted->threads);
    loaded->run = loaded->config ? an_run_new(loaded->config, err) : NULL;
    return loaded->run && may_replace_data(wanted, loaded->run, err) &&
           an_params_load(an_model_params(loaded->run->model), loaded->weights, err);
}

void cli_unload(cli_loaded *loaded)
{
    an_run_free(loaded->run);
    an_config_free(loaded->config);
}
