/* Long series to short lines. */
#include "report/canvas.h"

#include <math.h>

/* How far in pixels a point that is left out may lie from the line. */
#define TOLERANCE 0.15

/* A column of pixels: the points that the line can be told by. */
typedef struct bucket {
    an_point first, last, least, greatest;
    bool used;
} bucket;

static an_point point_of(const an_field *f, size_t step, double value)
{
    double up = (value - f->values.low) / (f->values.high - f->values.low);
    up = fmin(fmax(up, 0), 1);
    return (an_point){f->left + f->width * ((double)step / f->steps.high),
                      f->top + f->height * (1 - up)};
}

static void push(an_point *points, size_t *count, an_point p)
{
    if (*count == 0 || points[*count - 1].x != p.x) {
        points[(*count)++] = p;
    }
}

static void flush(const bucket *b, an_point *points, size_t *count)
{
    if (!b->used) {
        return;
    }
    bool least_first = b->least.x <= b->greatest.x;
    push(points, count, b->first);
    push(points, count, least_first ? b->least : b->greatest);
    push(points, count, least_first ? b->greatest : b->least);
    push(points, count, b->last);
}

/* First, last, least and greatest of each column of pixels. */
static size_t reduce(const an_field *field, const an_series *series, size_t first, size_t end,
                     an_point *points)
{
    bucket b = {.used = false};
    size_t count = 0;
    for (size_t i = first; i < end; i++) {
        an_point p = point_of(field, i, series->values[i]);
        if (!b.used || floor(p.x) != floor(b.first.x)) {
            flush(&b, points, &count);
            b = (bucket){p, p, p, p, true};
        }
        b.last = p;
        b.least = p.y < b.least.y ? p : b.least;
        b.greatest = p.y > b.greatest.y ? p : b.greatest;
    }
    flush(&b, points, &count);
    return count;
}

/*
 * Leaves out points along straight pieces, in place. From the last point kept, the slopes that pass
 * all points since within TOLERANCE form a cone, which narrows; the first point outside of it ends
 * the piece at the point before.
 */
static size_t straighten(an_point *points, size_t count)
{
    if (count < 3) {
        return count;
    }
    size_t kept = 1;
    an_point anchor = points[0];
    double low = -INFINITY, high = INFINITY;
    for (size_t i = 1; i < count; i++) {
        an_point p = points[i];
        double slope = (p.y - anchor.y) / (p.x - anchor.x);
        if (slope < low || slope > high) {
            anchor = points[kept++] = points[i - 1];
            low = -INFINITY;
            high = INFINITY;
        }
        double run = p.x - anchor.x;
        low = fmax(low, (p.y - TOLERANCE - anchor.y) / run);
        high = fmin(high, (p.y + TOLERANCE - anchor.y) / run);
    }
    points[kept++] = points[count - 1];
    return kept;
}

size_t an__path(const an_field *field, const an_series *series, size_t first, size_t end,
                an_point *points)
{
    return straighten(points, reduce(field, series, first, end, points));
}
