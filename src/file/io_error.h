/* The error of a file that cannot be opened, read, written, ... */
#ifndef AN_FILE_IO_ERROR_H
#define AN_FILE_IO_ERROR_H

#include <anneal/base.h>

/* False, with err (IO): "cannot DOING 'PATH': " and what errno `number` means. */
bool an__io_error(const char *doing, const char *path, int number, an_error *err);

#endif
