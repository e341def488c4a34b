#include "term/text.h"

#include <anneal/term.h>

#include <math.h>

#define HEIGHTS 8
#define MIDDLE 3

static const char *const blocks[HEIGHTS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const letters[HEIGHTS] = {"_", ".", "-", ":", "=", "+", "*", "#"};

typedef struct range {
    double least, greatest;
} range;

/* The range of the finite values; empty (least > greatest) when there are none. */
static range range_of(const double *values, size_t count)
{
    range r = {INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i])) {
            r.least = fmin(r.least, values[i]);
            r.greatest = fmax(r.greatest, values[i]);
        }
    }
    return r;
}

/* The range is cut into eight equal parts; halved first, since a difference can overflow. */
static int height_of(double value, range r)
{
    if (isinf(value))
        return value > 0 ? HEIGHTS - 1 : 0;
    double span = r.greatest / 2 - r.least / 2;
    if (!(span > 0))
        return MIDDLE;
    int height = (int)((value / 2 - r.least / 2) / span * HEIGHTS);
    return height < HEIGHTS ? height : HEIGHTS - 1;
}

/* The value shown in `cell`: the first cell shows the first value, the last cell the last. */
static size_t sample(size_t count, int cell, int columns)
{
    if (columns < 2)
        return count - 1;
    return (size_t)((double)(count - 1) * cell / (columns - 1) + 0.5);
}

size_t an_term_sparkline(char *buffer, size_t size, const double *values, size_t count, int columns,
                         bool unicode)
{
    range r = range_of(values, count);
    an_text text = an__term_text(buffer, size);
    for (int cell = 0; cell < columns; cell++) {
        double value = count > 0 ? values[sample(count, cell, columns)] : NAN;
        if (isnan(value))
            an__text_add(&text, " ");
        else
            an__text_add(&text, (unicode ? blocks : letters)[height_of(value, r)]);
    }
    return text.length;
}
