/* The folder of a run: its name, its making, and the lock that says whether somebody is at it. */
#include "track/store_db.h"

#include "file/io_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BASE_MOST 80
#define NAME_TRIES 1000
#define LOCK_NAME "lock"
#define LOCK_TRIES 10
#define LOCK_PAUSE 10000000 /* nanoseconds */

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

bool an__run_name_is_safe(const char *name)
{
    size_t length = 0;
    for (; name[length]; length++)
        if (!is_plain(name[length]))
            return false;
    return length > 0 && length < AN_RUN_NAME_SIZE && name[0] != '.';
}

bool an__run_path(const an_store *store, const char *name, const char *file,
                  char path[AN_STORE_PATH_SIZE], an_error *err)
{
    if (!an__run_name_is_safe(name))
        return an_error_set(err, AN_ERROR_DATA, "'%s' is not the name of a run", name);
    size_t length = an_format(path, AN_STORE_PATH_SIZE, file ? "%s/%s/%s" : "%s/%s", store->folder,
                              name, file ? file : "");
    return length < AN_STORE_PATH_SIZE ||
           an_error_set(err, AN_ERROR_IO, "the path of run '%s' is too long", name);
}

/* The bits of a moment and a process, well mixed (splitmix64). */
static uint64_t arbitrary(int attempt)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t x = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    x ^= (uint64_t)getpid() << 40;
    x += (uint64_t)attempt * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* "mnist-mlp-3f2a"; the digits become more when four of them seem to be taken. */
static void make_name(const char *base, int attempt, char name[AN_RUN_NAME_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    uint64_t bits = arbitrary(attempt);
    for (; *base && used < BASE_MOST; base++)
        name[used++] = is_plain(*base) ? *base : '-';
    if (used == 0 || name[0] == '.')
        name[0] = 'r', used = used ? used : 1;
    name[used++] = '-';
    for (int i = 0; i < (attempt < NAME_TRIES / 2 ? 4 : 12); i++, bits >>= 4)
        name[used++] = hex[bits & 15];
    name[used] = '\0';
}

bool an__run_make_folder(an_store *store, const char *base, char name[AN_RUN_NAME_SIZE],
                         an_error *err)
{
    char path[AN_STORE_PATH_SIZE];
    for (int attempt = 0; attempt < NAME_TRIES; attempt++) {
        make_name(base, attempt, name);
        if (!an__run_path(store, name, NULL, path, err))
            return false;
        if (mkdir(path, 0777) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    return an__io_error("make a folder for a run in", store->folder, errno, err);
}

int an__run_lock(an_store *store, const char *name, an_error *err)
{
    char path[AN_STORE_PATH_SIZE];
    if (!an__run_path(store, name, LOCK_NAME, path, err))
        return -1;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (descriptor < 0) {
        an__io_error("open the lock of a run,", path, errno, err);
        return -1;
    }
    /* Who only looks whether it is held holds it for a moment. */
    const struct timespec pause = {0, LOCK_PAUSE};
    int reason = EWOULDBLOCK;
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            return descriptor;
        reason = errno;
        if (reason != EWOULDBLOCK && reason != EINTR)
            break;
        nanosleep(&pause, NULL);
    }
    if (reason == EWOULDBLOCK)
        an_error_set(err, AN_ERROR_STATE, "run '%s' is being trained by another process", name);
    else
        an__io_error("take the lock of a run,", path, reason, err);
    close(descriptor);
    return -1;
}

bool an__run_is_held(const an_store *store, const char *name)
{
    char path[AN_STORE_PATH_SIZE];
    if (!an__run_path(store, name, LOCK_NAME, path, NULL))
        return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return false;
    bool held = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(descriptor);
    return held;
}
