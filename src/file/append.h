/*
 * Files that grow by rows. Rows wait in memory until an__append_flush writes all of them or none:
 * what cannot be written (a full disk, a folder that is gone) stays waiting for the next flush, and
 * the file ends after the last flush that succeeded. Only a process that dies in the middle of one
 * leaves half a row, which whoever opens the file next finds and cuts.
 *
 * An all-zero an_append is one that is not open: add keeps rows for a later open.
 */
#ifndef AN_FILE_APPEND_H
#define AN_FILE_APPEND_H

#include <anneal/base.h>

#define AN_APPEND_MOST (8 * 1024 * 1024) /* bytes that may wait */

typedef struct an_append {
    const char *name; /* the path, which must live until the end */
    bool open;
    int descriptor;
    int64_t size; /* bytes in the file; rows go behind them */
    unsigned char *waiting;
    size_t used, capacity;
} an_append;

/* Makes the file if there is none. IO, also for what is no regular file. */
bool an__append_open(an_append *file, const char *path, an_error *err);

/* Room for `count` bytes that an__append_added takes up; NULL when too many wait, or no memory. */
void *an__append_room(an_append *file, size_t count);
void an__append_added(an_append *file, size_t count);
/* False when there is no room: nothing was added. */
bool an__append_add(an_append *file, const void *bytes, size_t count);

/* Writes what waits. IO: it waits still. */
bool an__append_flush(an_append *file, an_error *err);
/* Flushes, and makes the file survive a power cut. */
bool an__append_sync(an_append *file, an_error *err);
/* Writes these bytes at once, before what waits: the beginning of a new file. */
bool an__append_write(an_append *file, const void *bytes, size_t count, an_error *err);
/* Ends the file after `size` bytes, if it has more. What waits goes on waiting. */
bool an__append_cut(an_append *file, int64_t size, an_error *err);
void an__append_forget(an_append *file);
/* The bytes from `offset` on, at most `count`; fewer at the file's end, -1 with err. */
int64_t an__append_read(an_append *file, int64_t offset, void *bytes, size_t count, an_error *err);
/* Forgets what waits, frees and closes. */
void an__append_close(an_append *file);

#endif
