/* Tables from texts; their format is drawn in table.c. */
#ifndef AN_DATA_CSV_H
#define AN_DATA_CSV_H

#include <anneal/data.h>

/* A table from a text, in which quotes are undone in place. The options have been checked. */
an_dataset *an__csv_read(const an_allocator *allocator, const char *name, char *text, size_t length,
                         const an_csv_options *options, an_error *err);

/* The same by the coding of `table`, which has one. */
an_dataset *an__csv_read_like(const an_allocator *allocator, const char *name, char *text,
                              size_t length, const an_dataset *table, an_error *err);

#endif
