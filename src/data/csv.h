/* The parser of tables; the format is drawn in csv.c. */
#ifndef AN_DATA_CSV_H
#define AN_DATA_CSV_H

#include <anneal/data.h>

/* A table from a text, in which quotes are undone in place. The options have been checked. */
an_dataset *an__csv_read(const an_allocator *allocator, const char *name, char *text, size_t length,
                         const an_csv_options *options, an_error *err);

#endif
