#include "file/append.h"

#include "file/io_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_CAPACITY 4096

bool an__append_open(an_append *file, const char *path, an_error *err)
{
    struct stat status;
    file->name = path;
    /* A pipe that nobody reads must not hold the process up. */
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (descriptor < 0) {
        return an__io_error("open", path, errno, err);
    }
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(descriptor);
        return an_error_set(err, AN_ERROR_IO, "cannot append to '%s': it is no regular file", path);
    }
    file->descriptor = descriptor;
    file->size = status.st_size;
    file->open = true;
    return true;
}

static bool grow(an_append *file, size_t needed)
{
    size_t capacity = file->capacity > 0 ? file->capacity : FIRST_CAPACITY;
    while (capacity < needed) {
        capacity *= 2;
    }
    an_allocator memory = an_allocator_default();
    void *larger = memory.resize(memory.user, file->waiting, file->capacity, capacity);
    if (!larger) {
        return false;
    }
    file->waiting = larger;
    file->capacity = capacity;
    return true;
}

void *an__append_room(an_append *file, size_t count)
{
    if (count > AN_APPEND_MOST - file->used) {
        return NULL;
    }
    if (file->used + count > file->capacity && !grow(file, file->used + count)) {
        return NULL;
    }
    return file->waiting + file->used;
}

void an__append_added(an_append *file, size_t count)
{
    file->used += count;
}

bool an__append_add(an_append *file, const void *bytes, size_t count)
{
    void *room = an__append_room(file, count);
    if (!room) {
        return false;
    }
    memcpy(room, bytes, count);
    file->used += count;
    return true;
}

/* Writes at the end of the file as it should be; 0 or an errno. */
static int write_all(const an_append *file, const unsigned char *bytes, size_t count)
{
    size_t at = 0;
    while (at < count) {
        off_t offset = (off_t)(file->size + (int64_t)at);
        ssize_t wrote = pwrite(file->descriptor, bytes + at, count - at, offset);
        if (wrote > 0) {
            at += (size_t)wrote;
        } else if (wrote == 0) {
            return EIO;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* A file that has been deleted swallows what is written to it. */
static bool has_name(const an_append *file)
{
    struct stat status;
    return fstat(file->descriptor, &status) == 0 && status.st_nlink > 0;
}

bool an__append_write(an_append *file, const void *bytes, size_t count, an_error *err)
{
    if (!file->open) {
        return an_error_set(err, AN_ERROR_IO, "cannot write '%s': it is not open", file->name);
    }
    if (!has_name(file)) {
        return an_error_set(err, AN_ERROR_IO, "cannot write '%s': the file has been deleted",
                            file->name);
    }
    int failure = write_all(file, bytes, count);
    if (failure != 0) {
        /* If this fails too, the next write goes over the half row. */
        (void)!ftruncate(file->descriptor, (off_t)file->size);
        return an__io_error("write", file->name, failure, err);
    }
    file->size += (int64_t)count;
    return true;
}

bool an__append_flush(an_append *file, an_error *err)
{
    if (file->used > 0 && !an__append_write(file, file->waiting, file->used, err)) {
        return false;
    }
    file->used = 0;
    return true;
}

bool an__append_sync(an_append *file, an_error *err)
{
    if (!an__append_flush(file, err)) {
        return false;
    }
    bool synced = !file->open || fdatasync(file->descriptor) == 0 || errno == EINVAL;
    return synced || an__io_error("sync", file->name, errno, err);
}

void an__append_forget(an_append *file)
{
    file->used = 0;
}

bool an__append_cut(an_append *file, int64_t size, an_error *err)
{
    if (size >= file->size) {
        return true;
    }
    if (ftruncate(file->descriptor, (off_t)size) != 0) {
        return an__io_error("shorten", file->name, errno, err);
    }
    file->size = size;
    return true;
}

int64_t an__append_read(an_append *file, int64_t offset, void *bytes, size_t count, an_error *err)
{
    size_t got = 0;
    while (got < count) {
        ssize_t now = pread(file->descriptor, (unsigned char *)bytes + got, count - got,
                            (off_t)(offset + (int64_t)got));
        if (now == 0) {
            break;
        }
        if (now < 0 && errno != EINTR) {
            an__io_error("read", file->name, errno, err);
            return -1;
        }
        got += now > 0 ? (size_t)now : 0;
    }
    return (int64_t)got;
}

void an__append_close(an_append *file)
{
    if (file->open) {
        close(file->descriptor);
    }
    an_release(NULL, file->waiting, file->capacity, 1);
    *file = (an_append){0};
}
