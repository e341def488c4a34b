#include "file/durable.h"

#include "file/io_error.h"
#include "file/regular.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names tried for the temporary file; one is taken only while another process writes, or since it
 * died. */
#define MOST_NAMES 100
/* What a temporary name adds to a path, and what it takes of a long file name, which is limited. */
#define SUFFIX_SIZE 40
#define MOST_OF_NAME 200
/* Links on the way to a file; more than the kernel follows. */
#define MOST_LINKS 40

/* The bytes of a path up to and with its last slash. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* ----------------------------------------------------------------- the place */

/* Replaces a link's path by the one that the link holds. False with errno. */
static bool follow(char path[AN_DURABLE_PATH_SIZE], const char *target, size_t length)
{
    size_t folder = target[0] == '/' ? 0 : folder_length(path);
    if (folder + length + SUFFIX_SIZE > AN_DURABLE_PATH_SIZE) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path + folder, target, length);
    path[folder + length] = '\0';
    return true;
}

/* Puts where `name` leads to into file->path, which need not exist. False with errno. */
static bool resolve(an_durable *file)
{
    char target[AN_DURABLE_PATH_SIZE];
    size_t length = strlen(file->name);
    if (length + SUFFIX_SIZE > sizeof file->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(file->path, file->name, length + 1);
    for (int i = 0; i < MOST_LINKS; i++) {
        ssize_t got = readlink(file->path, target, sizeof target);
        if (got < 0) {
            return errno == EINVAL || errno == ENOENT;
        }
        if (!follow(file->path, target, (size_t)got)) {
            return false;
        }
    }
    errno = ELOOP;
    return false;
}

/* Whether the old file, found under the caller's name, may make room for a new one. */
static bool may_replace(const an_durable *file, const struct stat *old, an_error *err)
{
    struct stat same;
    const char *obstacle = an__irregular(old->st_mode);
    /* A name in /proc may lead to a file that has been deleted. */
    if (!obstacle && (stat(file->path, &same) != 0 || same.st_dev != old->st_dev ||
                      same.st_ino != old->st_ino)) {
        obstacle = "the file that it leads to has no name";
    }
    if (obstacle) {
        return an_error_set(err, AN_ERROR_IO, "cannot write '%s': %s", file->name, obstacle);
    }
    return access(file->path, W_OK) == 0 || an__io_error("write", file->name, errno, err);
}

/* Finds the place; *there says whether `old` is of a file that stands in it. */
static bool find_place(an_durable *file, struct stat *old, bool *there, an_error *err)
{
    if (file->name[0] == '\0') {
        return an_error_set(err, AN_ERROR_IO, "cannot write a file without a name");
    }
    bool resolved = resolve(file);
    int number = errno;
    *there = stat(file->name, old) == 0;
    if (*there && an__irregular(old->st_mode)) {
        return may_replace(file, old, err);
    }
    if (!resolved || (!*there && errno != ENOENT)) {
        return an__io_error("write", file->name, resolved ? errno : number, err);
    }
    return !*there || may_replace(file, old, err);
}

/* ------------------------------------------------------------------ writing */

/* False with errno. */
static bool make_temporary(an_durable *file)
{
    size_t folder = folder_length(file->path), length = strlen(file->path) - folder;
    int kept = (int)(folder + (length < MOST_OF_NAME ? length : MOST_OF_NAME));
    for (int i = 0; i < MOST_NAMES; i++) {
        an_format(file->temporary, sizeof file->temporary, "%.*s.%ld-%d.tmp", kept, file->path,
                  (long)getpid(), i);
        file->descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->descriptor >= 0) {
            return true;
        }
        if (errno != EEXIST) {
            return false;
        }
    }
    return false;
}

/* Hands permissions and owner on. Some file systems have neither, and only root gives away. */
static bool keep_rights(int descriptor, const struct stat *old)
{
    bool owner = fchown(descriptor, old->st_uid, old->st_gid) == 0;
    return fchmod(descriptor, old->st_mode & 0777) == 0 && owner;
}

bool an__durable_open(an_durable *file, const char *path, an_error *err)
{
    struct stat old;
    bool there = false;
    file->name = path;
    file->failure = 0;
    file->used = 0;
    if (!find_place(file, &old, &there, err)) {
        return false;
    }
    if (!make_temporary(file)) {
        return an__io_error("write to the folder of", path, errno, err);
    }
    if (there) {
        (void)keep_rights(file->descriptor, &old);
    }
    return true;
}

static void flush(an_durable *file)
{
    size_t at = 0;
    while (at < file->used && file->failure == 0) {
        ssize_t wrote = write(file->descriptor, file->buffer + at, file->used - at);
        if (wrote >= 0) {
            at += (size_t)wrote;
        } else if (errno != EINTR) {
            file->failure = errno;
        }
    }
    file->used = 0;
}

void an__durable_write(an_durable *file, const void *bytes, size_t count)
{
    const unsigned char *from = bytes;
    while (count > 0) {
        size_t space = sizeof file->buffer - file->used, now = count < space ? count : space;
        memcpy(file->buffer + file->used, from, now);
        file->used += now;
        from += now;
        count -= now;
        if (file->used == sizeof file->buffer) {
            flush(file);
        }
    }
}

/* ---------------------------------------------------------------- finishing */

/* Makes the new name itself survive a power cut. Some file systems cannot sync a folder: no error.
 */
static bool sync_folder(const char *path)
{
    char folder[AN_DURABLE_PATH_SIZE];
    size_t length = folder_length(path);
    memcpy(folder, path, length);
    folder[length] = '\0';
    int descriptor = open(length > 0 ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno == EACCES;
    }
    bool synced = fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP;
    int number = errno;
    close(descriptor);
    errno = number;
    return synced;
}

void an__durable_abandon(an_durable *file)
{
    close(file->descriptor);
    unlink(file->temporary);
}

bool an__durable_finish(an_durable *file, an_error *err)
{
    flush(file);
    if (file->failure == 0 && fsync(file->descriptor) != 0 && errno != EINVAL) {
        file->failure = errno;
    }
    if (file->failure != 0) {
        an__durable_abandon(file);
        return an__io_error("write", file->name, file->failure, err);
    }
    /* Network file systems report a full disk only here. */
    if (close(file->descriptor) != 0 || rename(file->temporary, file->path) != 0) {
        int number = errno;
        unlink(file->temporary);
        return an__io_error("write", file->name, number, err);
    }
    return sync_folder(file->path) || an__io_error("sync the folder of", file->name, errno, err);
}

bool an__durable_try(const char *path, an_error *err)
{
    an_durable file;
    if (!an__durable_open(&file, path, err)) {
        return false;
    }
    an__durable_write(&file, "?", 1); /* a full disk still makes empty files */
    flush(&file);
    an__durable_abandon(&file);
    return file.failure == 0 || an__io_error("write", path, file.failure, err);
}
