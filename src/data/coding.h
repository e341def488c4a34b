/*
 * How the columns of a table became features, and what was then done to those: kept with the
 * dataset, so that the rows of another table become features in the same way.
 */
#ifndef AN_DATA_CODING_H
#define AN_DATA_CODING_H

#include "data/table.h"

#include <anneal/data.h>

typedef enum an__role { AN__FEATURE, AN__TARGET, AN__ROW_WEIGHT, AN__IGNORED } an__role;

/* The different texts or numbers of a column, in rising order; room for `most` of them. */
typedef struct an__levels {
    an__cell *cells;
    int64_t count, most;
} an__levels;

typedef struct an__column {
    an__cell name;
    an__role role;
    an__cell_kind kind; /* AN__CELL_MISSING: of all its fields */
    int64_t first;      /* its place among the features or targets */
    an__levels levels;  /* of texts, and of labels */
} an__column;

/* The features and targets of a table, whose names and levels end in '\0' and stand in `text`. */
typedef struct an__coding {
    an_allocator allocator;
    char separator;
    bool labels;
    an_csv_missing missing;
    an__column *columns;
    int64_t count, width; /* columns; features */
    an__cell *levels;     /* of all columns, side by side */
    int64_t level_count;
    char *text;
    size_t length;
    double *fill, *mean, *deviation; /* of each feature, side by side; fill NaN: nothing */
} an__coding;

/* The place of the first level that is not below `cell`, or -1 where it is another one. */
int64_t an__level_place(const an__levels *levels, const an__cell *cell);
int64_t an__level_find(const an__levels *levels, const an__cell *cell);

/* A field's features: its number, or a one at the place of its text, which is among the levels,
 * among the zeros of the others; NaN where it is missing. */
void an__column_put(const an__column *column, const an__cell *cell, float *out);

/* A copy of what `facts` has of columns (`count`, with their names), and of the values above them.
 * The allocator is that of `facts`. */
an__coding *an__coding_new(const an__coding *facts, an_error *err);
void an__coding_free(an__coding *coding);

/* Notes that features are filled and scaled; does the same to the features of a row. */
void an__coding_filled(an__coding *coding, const double *values);
void an__coding_scaled(an__coding *coding, const double *mean, const double *deviation);
void an__coding_apply(const an__coding *coding, float *row);

#endif
