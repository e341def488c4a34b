/*
 * Files to read from. A name that a user gives may be that of a pipe, which holds up whoever opens
 * it until somebody writes, or of a device, which may never end: they are refused, at once.
 */
#ifndef AN_FILE_REGULAR_H
#define AN_FILE_REGULAR_H

#include <anneal/base.h>

#include <stdio.h>
#include <sys/types.h>

/*
 * Opens a regular file. NULL with err (IO), "cannot DOING 'PATH': ...", for whatever else it is.
 * `size` (NULL: not wanted) gets its bytes.
 */
FILE *an__regular_open(const char *doing, const char *path, uint64_t *size, an_error *err);

/* Why something of this kind is no file, "it is a pipe; name a file"; NULL for a regular file. */
const char *an__irregular(mode_t mode);

#endif
