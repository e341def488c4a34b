#include "train/folder.h"

#include "file/io_error.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MOST 999999999999
#define DIGITS_MOST 12

static const char *const prefixes[] = {
    [AN_CHECKPOINT_LAST] = "last-",
    [AN_CHECKPOINT_BEST] = "best-",
};

static const char WEIGHTS[] = ".safetensors", STATE[] = ".state";

static bool too_long(const char *path, an_error *err)
{
    return an_error_set(err, AN_ERROR_ARGUMENT, "the path of a checkpoint is too long: %.60s...",
                        path);
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t size = strlen(end);
    return length > size && memcmp(text + length - size, end, size) == 0;
}

bool an__paths_of(const char *checkpoint, an__paths *paths, an_error *err)
{
    size_t length = strlen(checkpoint);
    if (ends_with(checkpoint, length, WEIGHTS))
        length -= strlen(WEIGHTS);
    else if (ends_with(checkpoint, length, STATE))
        length -= strlen(STATE);
    if (length + sizeof WEIGHTS > sizeof paths->weights)
        return too_long(checkpoint, err);
    an_format(paths->weights, sizeof paths->weights, "%.*s%s", (int)length, checkpoint, WEIGHTS);
    an_format(paths->state, sizeof paths->state, "%.*s%s", (int)length, checkpoint, STATE);
    return true;
}

bool an__folder_path(const char *folder, an_checkpoint_kind kind, int64_t number, char *path,
                     size_t size, an_error *err)
{
    char digits[32];
    size_t used = an_format(digits, sizeof digits, "%lld", (long long)number);
    const char *zeros = &"000000"[used < 6 ? used : 6];
    return an_format(path, size, "%s/%s%s%s", folder, prefixes[kind], zeros, digits) < size ||
           too_long(folder, err);
}

/* --------------------------------------------------------------- file names */

/* A file's name taken apart: its checkpoint, and what follows the number. */
typedef struct entry {
    an_checkpoint_kind kind;
    int64_t number;
    const char *ending;
} entry;

/* False for a name that is not one of a checkpoint's. */
static bool read_name(const char *name, entry *out)
{
    for (int k = AN_CHECKPOINT_LAST; k <= AN_CHECKPOINT_BEST; k++) {
        size_t length = strlen(prefixes[k]);
        size_t digits =
            strspn(name + (strncmp(name, prefixes[k], length) == 0 ? length : 0), "0123456789");
        if (strncmp(name, prefixes[k], length) != 0 || digits < 6 || digits > DIGITS_MOST)
            continue;
        *out = (entry){.kind = (an_checkpoint_kind)k, .ending = name + length + digits};
        for (size_t i = 0; i < digits; i++)
            out->number = out->number * 10 + (name[length + i] - '0');
        return out->ending[0] == '.';
    }
    return false;
}

static DIR *open_folder(const char *folder, an_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        an__io_error("read the folder of checkpoints", folder, errno, err);
    return dir;
}

/* The next name of a checkpoint's file; NULL at the end. */
static const char *next_name(DIR *dir, entry *out)
{
    const struct dirent *found;
    while ((found = readdir(dir)) != NULL)
        if (read_name(found->d_name, out))
            return found->d_name;
    return NULL;
}

bool an__folder_newest(const char *folder, int64_t *number, an_error *err)
{
    entry e;
    DIR *dir = open_folder(folder, err);
    if (!dir)
        return false;
    *number = 0;
    while (next_name(dir, &e))
        *number = e.number > *number ? e.number : *number;
    closedir(dir);
    return *number < NUMBER_MOST ||
           an_error_set(err, AN_ERROR_STATE, "'%s' has a checkpoint numbered %lld, the highest",
                        folder, (long long)*number);
}

static bool is_there(const char *folder, const entry *e, const char *ending)
{
    char path[AN__PATH_SIZE];
    size_t size = sizeof path;
    if (!an__folder_path(folder, e->kind, e->number, path, size, NULL))
        return false;
    size_t length = strlen(path);
    return an_format(path + length, size - length, "%s", ending) < size - length &&
           access(path, F_OK) == 0;
}

bool an__folder_before(const char *folder, int64_t below, bool best_only, int64_t *number,
                       an_checkpoint_kind *kind, an_error *err)
{
    entry e;
    DIR *dir = open_folder(folder, err);
    if (!dir)
        return false;
    *number = 0;
    while (next_name(dir, &e)) {
        bool wanted = strcmp(e.ending, STATE) == 0 && e.number < below && e.number > *number &&
                      (!best_only || e.kind == AN_CHECKPOINT_BEST);
        if (wanted && is_there(folder, &e, WEIGHTS)) {
            *number = e.number;
            *kind = e.kind;
        }
    }
    closedir(dir);
    return true;
}

/* ------------------------------------------------------------------ pruning */

/* How many complete checkpoints, or of the best only, are newer, up to and with `number`. */
static int64_t newer(const char *folder, const entry *than, int64_t number, bool best_only)
{
    entry e;
    int64_t count = 0;
    DIR *dir = open_folder(folder, NULL);
    if (!dir)
        return 0; /* then nothing is removed */
    while (next_name(dir, &e))
        count += (!best_only || e.kind == AN_CHECKPOINT_BEST) && e.number > than->number &&
                 e.number <= number && strcmp(e.ending, STATE) == 0 &&
                 is_there(folder, &e, WEIGHTS);
    closedir(dir);
    return count;
}

/*
 * Whether a file is of no more use: of a checkpoint that is neither among the newest `keep` (0:
 * all) nor the newest of the best, or of a save that did not come to its end (a temporary file,
 * weights without a state).
 */
static bool is_obsolete(const char *folder, const entry *e, int64_t number, int64_t keep)
{
    bool state = strcmp(e->ending, STATE) == 0, weights = strcmp(e->ending, WEIGHTS) == 0;
    size_t length = strlen(e->ending);
    if (e->number >= number)
        return false;
    if (!state && !weights)
        return ends_with(e->ending, length, ".tmp");
    if (weights && !is_there(folder, e, STATE))
        return true;
    return keep > 0 && newer(folder, e, number, false) >= keep &&
           (e->kind != AN_CHECKPOINT_BEST || newer(folder, e, number, true) > 0);
}

/* One round; weights go only when their state is gone, so that a checkpoint goes as a whole. */
static void remove_round(const char *folder, int64_t number, int64_t keep, bool states)
{
    entry e;
    const char *name;
    char path[AN__PATH_SIZE];
    DIR *dir = open_folder(folder, NULL);
    if (!dir)
        return;
    while ((name = next_name(dir, &e)) != NULL) {
        bool state = strcmp(e.ending, STATE) == 0;
        if (state == states && is_obsolete(folder, &e, number, keep) &&
            an_format(path, sizeof path, "%s/%s", folder, name) < sizeof path)
            (void)unlink(path);
    }
    closedir(dir);
}

void an__folder_prune(const char *folder, int64_t number, int64_t keep)
{
    remove_round(folder, number, keep, true);
    remove_round(folder, number, keep, false);
}
