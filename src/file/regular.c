#include "file/regular.h"

#include "file/io_error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

const char *an__irregular(mode_t mode)
{
    return S_ISREG(mode)    ? NULL
           : S_ISDIR(mode)  ? "it is a folder; name a file"
           : S_ISFIFO(mode) ? "it is a pipe; name a file"
           : S_ISSOCK(mode) ? "it is a socket; name a file"
                            : "it is a device; name a file";
}

/* A descriptor of a regular file; -1 with err. */
static int open_descriptor(const char *doing, const char *path, uint64_t *size, an_error *err)
{
    struct stat facts;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
        an__io_error(doing, path, errno, err);
    } else if (an__irregular(facts.st_mode)) {
        an_error_set(err, AN_ERROR_IO, "cannot %s '%s': %s", doing, path,
                     an__irregular(facts.st_mode));
    } else {
        if (size) {
            *size = (uint64_t)facts.st_size;
        }
        return descriptor;
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return -1;
}

FILE *an__regular_open(const char *doing, const char *path, uint64_t *size, an_error *err)
{
    const int descriptor = open_descriptor(doing, path, size, err);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
    if (descriptor >= 0 && !file) {
        an__io_error(doing, path, errno, err);
        close(descriptor);
    }
    return file;
}
