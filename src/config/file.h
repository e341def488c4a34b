#ifndef AN_CONFIG_FILE_H
#define AN_CONFIG_FILE_H

#include "config/config.h"

/* More than any configuration, or any table, that makes sense. */
#define AN__MOST_TEXT (16 * 1024 * 1024)

/* The whole file, which is a `what`, in `arena`, not ended by a zero. NULL with err: IO, CONFIG
 * when it is longer than AN__MOST_TEXT, MEMORY. */
char *an__read_text(const char *path, const char *what, size_t *length, an_arena *arena,
                    an_error *err);

/* An an_lr_read_file whose user is the configuration: as written, else beside the configuration. */
bool an__read_table(void *user, const char *path, an_arena *arena, an_spec_source *file,
                    an_error *err);

#endif
