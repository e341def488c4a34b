/* Text files that belong to a configuration: itself, and tables that its schedule names. */
#include "config/file.h"

#include "file/io_error.h"
#include "file/regular.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_ROOM 65536

/* What is left of `file`, at most one byte more than AN__MOST_TEXT. NULL: memory. */
static char *read_all(FILE *file, size_t *length, an_arena *arena)
{
    char *text = NULL;
    size_t room = 0;
    *length = 0;
    do {
        room = room > 0 ? 2 * room : FIRST_ROOM;
        char *more = an_arena_alloc(arena, room);
        if (!more)
            return NULL;
        if (*length > 0)
            memcpy(more, text, *length);
        text = more;
        *length += fread(text + *length, 1, room - *length, file);
    } while (*length == room && *length <= AN__MOST_TEXT);
    return text;
}

char *an__read_text(const char *path, const char *what, size_t *length, an_arena *arena,
                    an_error *err)
{
    char doing[64];
    an_format(doing, sizeof doing, "read the %s", what);
    FILE *file = an__regular_open(doing, path, NULL, err);
    if (!file)
        return NULL;
    char *text = read_all(file, length, arena);
    bool good = !ferror(file) || an__io_error(doing, path, errno, err);
    fclose(file);
    if (good && !text)
        return an__no_memory(err);
    if (good && *length > AN__MOST_TEXT)
        good = an_error_set(err, AN_ERROR_CONFIG, "%s: this is no %s: above %d MiB", path, what,
                            AN__MOST_TEXT >> 20);
    return good ? text : NULL;
}

bool an__read_table(void *user, const char *path, an_arena *arena, an_spec_source *file,
                    an_error *err)
{
    const an_config *config = user;
    size_t size = strlen(config->folder) + strlen(path) + 1, length = 0;
    char *beside = an_arena_alloc(arena, size), *kept = an_arena_text(arena, path, strlen(path));
    if (!beside || !kept)
        return an__no_memory(err);
    an_format(beside, size, "%s%s", config->folder, path);
    if (path[0] != '/' && access(kept, R_OK) != 0 && access(beside, R_OK) == 0)
        kept = beside;
    const char *text = an__read_text(kept, "table", &length, arena, err);
    *file = (an_spec_source){.file = kept, .text = text, .length = length};
    return text != NULL;
}
