/*
 * Files that are there whole or not at all. What is written goes to a temporary file in the same
 * folder; an__durable_finish syncs it, gives it its name, and syncs the folder, so that a crash at
 * any instant leaves the old file or the new one. Usage:
 *
 *   an_durable file;
 *   if (!an__durable_open(&file, path, err))
 *       return false;
 *   an__durable_write(&file, bytes, count);     as often as wanted; the first failure is kept
 *   return an__durable_finish(&file, err);      or, to leave no trace, an__durable_abandon(&file)
 *
 * A symbolic link stays, and what it leads to is replaced. The new file takes over the permissions
 * of the old one, under root also its owner. A file that may not be written is refused, and so is
 * whatever is no regular file: folders, devices, pipes.
 */
#ifndef AN_FILE_DURABLE_H
#define AN_FILE_DURABLE_H

#include <anneal/base.h>

#define AN_DURABLE_PATH_SIZE 4096

typedef struct an_durable {
    const char *name; /* as the caller gave it, for messages: must live until the end */
    int descriptor;
    int failure; /* the errno of the first failed write, or 0 */
    size_t used; /* bytes in the buffer */
    char path[AN_DURABLE_PATH_SIZE], temporary[AN_DURABLE_PATH_SIZE];
    unsigned char buffer[65536];
} an_durable;

/* All errors are IO. */
bool an__durable_open(an_durable *file, const char *path, an_error *err);
void an__durable_write(an_durable *file, const void *bytes, size_t count);
bool an__durable_finish(an_durable *file, an_error *err);
void an__durable_abandon(an_durable *file);

/* Whether a file could be written to `path` now, found out by writing a temporary one. */
bool an__durable_try(const char *path, an_error *err);

#endif
