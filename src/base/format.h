/* The formatter behind an_format and the errors. */
#ifndef AN_BASE_FORMAT_H
#define AN_BASE_FORMAT_H

#include <anneal/base.h>

#include <stdarg.h>

/* an_format with its arguments in a list. `size` 0 writes nothing. */
size_t an__format_list(char *buffer, size_t size, const char *format, va_list args) AN_PRINTF(3, 0);

#endif
