/* Histograms as TensorBoard draws them. */
#ifndef AN_TRACK_HISTOGRAM_H
#define AN_TRACK_HISTOGRAM_H

#include "track/proto.h"

/*
 * Bucket limits grow by a tenth from 1e-12 to 1e20, either sign, with 0 between and the largest
 * double last, as TensorFlow's do. Bucket i holds what is below limit i and not below limit i - 1.
 */
#define AN_HISTOGRAM_SIDE 774
#define AN_HISTOGRAM_BUCKETS (2 * AN_HISTOGRAM_SIDE + 2)

typedef struct an_histogram {
    double limit[AN_HISTOGRAM_BUCKETS];
    double count[AN_HISTOGRAM_BUCKETS];
    double least, most, number, sum, squares;
} an_histogram;

void an__histogram_init(an_histogram *histogram);
/* Replaces what it holds. NaN and infinity are left out. */
void an__histogram_fill(an_histogram *histogram, const float *values, int64_t count);
/* As the message HistogramProto, without the empty buckets at both ends. */
void an__histogram_put(const an_histogram *histogram, an_proto *proto, unsigned field);

#endif
