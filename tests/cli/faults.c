/*
 * Loaded before the C library (LD_PRELOAD): lets writes fail. Counts every call that changes a
 * regular file or a folder, and has the one numbered FAULT_AT fail (from there on all of them, with
 * FAULT_LASTS): with the error FAULT_ERROR (EIO, ENOSPC, ...), or as a write that takes half of the
 * bytes where FAULT_ERROR is SHORT. The number of calls goes to the file FAULT_COUNT at the end.
 */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* it would make one name of open and open64 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static long calls;

/* The next function of this name, through a pointer of its type. */
static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    memcpy(function, &found, sizeof found);
}

static int error_number(void)
{
    const char *name = getenv("FAULT_ERROR");
    return !name || strcmp(name, "EIO") == 0 ? EIO
           : strcmp(name, "ENOSPC") == 0     ? ENOSPC
           : strcmp(name, "EROFS") == 0      ? EROFS
                                             : 0;
}

/* Counts a call; whether it is to fail. */
static int is_due(void)
{
    const char *at = getenv("FAULT_AT");
    long number = at ? strtol(at, NULL, 10) : -1, mine = calls++;
    return number >= 0 && (mine == number || (mine > number && getenv("FAULT_LASTS")));
}

/* Whether the call fails, with errno; a short write is none of these. */
static int fails(void)
{
    if (!is_due() || error_number() == 0)
        return 0;
    errno = error_number();
    return 1;
}

static int is_regular(int descriptor)
{
    struct stat facts;
    return fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
}

static int is_folder(int descriptor)
{
    struct stat facts;
    return fstat(descriptor, &facts) == 0 && S_ISDIR(facts.st_mode);
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", calls);
        fclose(file);
    }
}

/* How many of `count` bytes are written: fewer where that is the fault. -1: the write fails. */
static ssize_t allowed(size_t count)
{
    if (!is_due())
        return (ssize_t)count;
    if (error_number() == 0)
        return (ssize_t)(count > 1 ? count / 2 : count);
    errno = error_number();
    return -1;
}

EXPORT ssize_t write(int descriptor, const void *bytes, size_t count)
{
    ssize_t (*real)(int, const void *, size_t);
    find(&real, "write");
    ssize_t most = is_regular(descriptor) ? allowed(count) : (ssize_t)count;
    return most < 0 ? -1 : real(descriptor, bytes, (size_t)most);
}

EXPORT ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t at)
{
    ssize_t (*real)(int, const void *, size_t, off64_t);
    find(&real, "pwrite64");
    ssize_t most = allowed(count);
    return most < 0 ? -1 : real(descriptor, bytes, (size_t)most, at);
}

EXPORT int fsync(int descriptor)
{
    int (*real)(int);
    find(&real, "fsync");
    return (is_regular(descriptor) || is_folder(descriptor)) && fails() ? -1 : real(descriptor);
}

EXPORT int fdatasync(int descriptor)
{
    int (*real)(int);
    find(&real, "fdatasync");
    return fails() ? -1 : real(descriptor);
}

EXPORT int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *);
    find(&real, "rename");
    return fails() ? -1 : real(from, to);
}

EXPORT int unlink(const char *path)
{
    int (*real)(const char *);
    find(&real, "unlink");
    return fails() ? -1 : real(path);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    int (*real)(const char *, mode_t);
    find(&real, "mkdir");
    return fails() ? -1 : real(path, mode);
}

/* Opening to make a file. Both names are called, by what was built for large files and what not. */
static int open_by(const char *name, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...);
    find(&real, name);
    return (flags & O_CREAT) && strncmp(path, "/dev/", 5) != 0 && fails() ? -1
                                                                          : real(path, flags, mode);
}

#define OPEN(name)                                                \
    EXPORT int name(const char *path, int flags, ...)             \
    {                                                             \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                             \
        return open_by(#name, path, flags, mode);                 \
    }

OPEN(open)
OPEN(open64)
