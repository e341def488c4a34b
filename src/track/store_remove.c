/* Deleting a run: its folder first, so that what could not be removed can be tried again. */
#include "track/store_block.h"

#include "file/io_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MOST_DEPTH 32

/* Empties the folder that `descriptor` is, and closes it. Links are removed, not followed. */
static bool empty_folder(int descriptor, int depth)
{
    DIR *folder = depth > 0 ? fdopendir(descriptor) : NULL;
    if (!folder) {
        close(descriptor);
        return false;
    }
    bool ok = true;
    const struct dirent *entry;
    while (ok && (errno = 0, entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        int inner =
            openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (inner >= 0)
            ok = empty_folder(inner, depth - 1) && unlinkat(descriptor, name, AT_REMOVEDIR) == 0;
        else
            ok = unlinkat(descriptor, name, 0) == 0;
    }
    int number = errno;
    closedir(folder);
    errno = number;
    return ok && number == 0;
}

static bool remove_folder(an_store *store, const char *name, an_error *err)
{
    char path[AN_STORE_PATH_SIZE];
    if (!an__run_path(store, name, NULL, path, err))
        return false;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT)
        return true;
    if (descriptor >= 0 && empty_folder(descriptor, MOST_DEPTH) && rmdir(path) == 0)
        return true;
    return an__io_error("remove the folder", path, errno, err);
}

static bool delete_run(an_store *store, int64_t id, an_error *err)
{
    int64_t first = AN_ROW_ID(id, 0), end = AN_ROW_ID(id + 1, 0);
    return an__block_cut(store, id, first, err) &&
           an__store_delete(store, "DELETE FROM events WHERE id >= ? AND id < ?", first, end,
                            err) &&
           an__store_delete(store, "DELETE FROM parameters WHERE run = ?", id, 0, err) &&
           an__store_delete(store, "DELETE FROM results WHERE run = ?", id, 0, err) &&
           an__store_delete(store, "DELETE FROM runs WHERE id = ?", id, 0, err);
}

bool an_store_remove(an_store *store, const char *name, an_error *err)
{
    int64_t id;
    if (!an__store_find(store, name, &id, err))
        return false;
    if (an__run_is_held(store, name))
        return an_error_set(err, AN_ERROR_STATE,
                            "run '%s' is being trained; stop it first, then remove it", name);
    if (!remove_folder(store, name, err) || !an__store_begin(store, err))
        return false;
    return an__store_end(store, delete_run(store, id, err), err);
}
