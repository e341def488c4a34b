#include "nn/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Names tried for the temporary file; one is taken only while another process writes, or since it
 * died. */
#define MOST_NAMES 100

static bool fail(const char *doing, const char *path, int number, an_error *err)
{
    char reason[128] = "unknown error";
    strerror_r(number, reason, sizeof reason);
    return an_error_set(err, AN_ERROR_IO, "cannot %s %s: %s", doing, path, reason);
}

bool an__durable_open(an_durable *file, const char *path, an_error *err)
{
    file->failure = 0;
    file->used = 0;
    size_t length = strlen(path);
    if (length == 0 || length + 32 > sizeof file->path) {
        return fail("write", length == 0 ? "a file without a name" : path,
                    length == 0 ? ENOENT : ENAMETOOLONG, err);
    }
    memcpy(file->path, path, length + 1);
    for (int i = 0; i < MOST_NAMES; i++) {
        an_format(file->temporary, sizeof file->temporary, "%s.%ld-%d.tmp", path, (long)getpid(),
                  i);
        file->descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file->descriptor >= 0) {
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return fail("write", path, errno, err);
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

/* Makes the new name itself survive a power cut. Some file systems cannot sync a folder: no error.
 */
static bool sync_folder(const char *path)
{
    char folder[AN_DURABLE_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
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
        return fail("write", file->path, file->failure, err);
    }
    /* Network file systems report a full disk only here. */
    if (close(file->descriptor) != 0 || rename(file->temporary, file->path) != 0) {
        int number = errno;
        unlink(file->temporary);
        return fail("write", file->path, number, err);
    }
    return sync_folder(file->path) || fail("sync the folder of", file->path, errno, err);
}
