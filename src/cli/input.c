/* Whole files as text. */
#include "cli/cli.h"

#include "file/io_error.h"
#include "file/regular.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Texts that people and programs write for the command. */
enum { LARGEST = 64 << 20 };

char *cli_read_file(const char *path, const char *what, size_t *length, an_error *err)
{
    an_error unwanted = {0};
    err = err ? err : &unwanted;
    char doing[64];
    an_format(doing, sizeof doing, "read the %s", what);
    FILE *file = an__regular_open(doing, path, NULL, err);
    char *text = NULL;
    size_t capacity = 0, used = 0, got = 1;
    while (file && got > 0) {
        if (used > LARGEST) {
            an_error_set(err, AN_ERROR_DATA, "the %s '%s' is larger than %d MiB", what, path,
                         LARGEST >> 20);
            break;
        }
        if (capacity - used < 2) {
            capacity = capacity ? 2 * capacity : 65536;
            char *more = realloc(text, capacity);
            if (!more) {
                an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the %s '%s'", what, path);
                break;
            }
            text = more;
        }
        got = fread(text + used, 1, capacity - used - 1, file);
        used += got;
    }
    bool good = file && got == 0 && !ferror(file);
    if (!good && !err->code)
        an__io_error(doing, path, errno, err);
    if (file)
        (void)fclose(file);
    if (!good) {
        free(text);
        return NULL;
    }
    text[used] = '\0';
    *length = used;
    return text;
}
