/* Whole numbers: least, largest, division rounded up, even parts. */
#ifndef AN_WHOLE_H
#define AN_WHOLE_H

#include <stdint.h>

static inline int64_t an__at_most(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t an__at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* a / b rounded up; b is positive, a may be negative. */
static inline int64_t an__divide_up(int64_t a, int64_t b)
{
    return a > 0 ? (a - 1) / b + 1 : -(-a / b);
}

/* Where part `part` of `parts` begins among `count` things: the parts differ by one at most. */
static inline int64_t an__part_begin(int64_t count, int64_t parts, int64_t part)
{
    return count / parts * part + count % parts * part / parts;
}

#endif
