#include "file/io_error.h"

#include <string.h>

bool an__io_error(const char *doing, const char *path, int number, an_error *err)
{
    char reason[128] = "unknown error";
    strerror_r(number, reason, sizeof reason);
    return an_error_set(err, AN_ERROR_IO, "cannot %s '%s': %s", doing, path, reason);
}
