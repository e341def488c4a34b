/* Text put together in a buffer that may be too short, as with snprintf: the length counts on. */
#ifndef AN_OPTIM_PRINT_H
#define AN_OPTIM_PRINT_H

#include <stddef.h>

/* Puts `text` at `at` of `buffer` (size bytes) as far as it fits; returns where it ends. */
size_t an__put(char *buffer, size_t size, size_t at, const char *text);
/* The same for a number, in the shortest form that reads back as the same double. */
size_t an__put_number(char *buffer, size_t size, size_t at, double value);
/* The same for a string of the call grammar: in single quotes, with escapes. */
size_t an__put_quoted(char *buffer, size_t size, size_t at, const char *text);

#endif
