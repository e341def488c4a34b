/* Whole files as text. */
#include "cli/cli.h"

#include "file/io_error.h"
#include "file/regular.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Texts that people and programs write for the command. */
enum { LARGEST = 64 << 20 };

/* What is read, how, and what an error calls it: "read the schedule", "schedule 'FILE'". */
typedef struct reading {
    const char *doing, *what, *path;
    FILE *file;
    char *text; /* NULL: nothing was read */
    size_t used, room;
} reading;

/* Room for a byte and the zero behind it. */
static bool grow(reading *r, an_error *err)
{
    if (r->used > LARGEST)
        return an_error_set(err, AN_ERROR_DATA, "the %s '%s' is larger than %d MiB", r->what,
                            r->path, LARGEST >> 20);
    if (r->room - r->used >= 2)
        return true;
    const size_t room = r->room ? 2 * r->room : 65536;
    char *more = realloc(r->text, room);
    if (!more)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the %s '%s'", r->what,
                            r->path);
    r->text = more;
    r->room = room;
    return true;
}

static bool read_all(reading *r, an_error *err)
{
    for (size_t got = 1; got > 0; r->used += got) {
        if (!grow(r, err))
            return false;
        got = fread(r->text + r->used, 1, r->room - r->used - 1, r->file);
    }
    r->text[r->used] = '\0';
    return !ferror(r->file) || an__io_error(r->doing, r->path, errno, err);
}

/* The text of an open file, which may be NULL after an error of its own. */
static char *finish(reading *r, size_t *length, an_error *err)
{
    const bool good = r->file && read_all(r, err);
    *length = r->used;
    if (good)
        return r->text;
    free(r->text);
    return NULL;
}

char *cli_read_file(const char *path, const char *what, size_t *length, an_error *err)
{
    char doing[64];
    an_format(doing, sizeof doing, "read the %s", what);
    reading r = {.doing = doing, .what = what, .path = path};
    r.file = an__regular_open(doing, path, NULL, err);
    char *text = finish(&r, length, err);
    if (r.file)
        (void)fclose(r.file);
    return text;
}

char *cli_read_stdin(const char *what, size_t *length, an_error *err)
{
    char doing[64];
    an_format(doing, sizeof doing, "read the %s", what);
    reading r = {.doing = doing, .what = what, .path = "standard input", .file = stdin};
    return finish(&r, length, err);
}
