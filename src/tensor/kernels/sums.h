/* Sums in double over interleaved accumulators: the same order whatever the width. */
#ifndef AN_SUMS_H
#define AN_SUMS_H

#include <stdint.h>

/* One 512-bit vector of floats holds so many. */
enum { AN_ACCUMULATORS = 16 };

/* The sum of the accumulators, halves first. */
static inline double an__lanes_total(const double *lane)
{
    double part[8];
    for (int i = 0; i < 8; i++)
        part[i] = lane[i] + lane[i + 8];
    return ((part[0] + part[4]) + (part[2] + part[6])) +
           ((part[1] + part[5]) + (part[3] + part[7]));
}

/* The sum of n values: sixteen interleaved sums whatever the width. */
static inline double an__sum(int64_t n, const float *x)
{
    double lane[AN_ACCUMULATORS] = {0};
    int64_t i = 0;
    for (; i + AN_ACCUMULATORS <= n; i += AN_ACCUMULATORS)
        for (int j = 0; j < AN_ACCUMULATORS; j++)
            lane[j] += (double)x[i + j];
    for (int j = 0; i + j < n; j++)
        lane[j] += (double)x[i + j];
    return an__lanes_total(lane);
}

#endif
