#include "track/histogram.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define FIRST_LIMIT 1e-12
#define GROWTH 1.1
#define LOG2_GROWTH 0.13750352374993502

void an__histogram_init(an_histogram *h)
{
    double limit = FIRST_LIMIT;
    h->limit[AN_HISTOGRAM_SIDE] = 0;
    for (int i = 1; i <= AN_HISTOGRAM_SIDE; i++, limit *= GROWTH) {
        h->limit[AN_HISTOGRAM_SIDE + i] = limit;
        h->limit[AN_HISTOGRAM_SIDE - i] = -limit;
    }
    h->limit[AN_HISTOGRAM_BUCKETS - 1] = DBL_MAX;
}

/* log2 of a positive number to within 0.09: its bits are nearly that, but for scale and offset. */
static double rough_log2(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (double)(bits - ((int64_t)1023 << 52)) / 4503599627370496.0;
}

/* The first bucket whose limit is above the value: guessed by its logarithm, then put right. */
static int bucket_of(const an_histogram *h, double value)
{
    double size = fabs(value) / FIRST_LIMIT;
    int steps = size > 1 ? (int)(rough_log2(size) / LOG2_GROWTH) + 1 : 0;
    int i = AN_HISTOGRAM_SIDE + (value < 0 ? -steps : steps);
    i = i < 0 ? 0 : i > AN_HISTOGRAM_BUCKETS - 1 ? AN_HISTOGRAM_BUCKETS - 1 : i;
    while (i > 0 && h->limit[i - 1] > value)
        i--;
    while (i < AN_HISTOGRAM_BUCKETS - 1 && h->limit[i] <= value)
        i++;
    return i;
}

void an__histogram_fill(an_histogram *h, const float *values, int64_t count)
{
    memset(h->count, 0, sizeof h->count);
    h->number = h->sum = h->squares = h->least = h->most = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = (double)values[i];
        if (!isfinite(value))
            continue;
        h->least = h->number == 0 || value < h->least ? value : h->least;
        h->most = h->number == 0 || value > h->most ? value : h->most;
        h->number++;
        h->sum += value;
        h->squares += value * value;
        h->count[bucket_of(h, value)]++;
    }
}

void an__histogram_put(const an_histogram *h, an_proto *proto, unsigned field)
{
    int first = 0, end = AN_HISTOGRAM_BUCKETS;
    while (first < end && h->count[first] == 0)
        first++;
    while (end > first && h->count[end - 1] == 0)
        end--;
    size_t message = an__proto_begin(proto, field);
    an__proto_double(proto, 1, h->least);
    an__proto_double(proto, 2, h->most);
    an__proto_double(proto, 3, h->number);
    an__proto_double(proto, 4, h->sum);
    an__proto_double(proto, 5, h->squares);
    size_t part = an__proto_begin(proto, 6);
    for (int i = first; i < end; i++)
        an__proto_raw_double(proto, h->limit[i]);
    an__proto_end(proto, part);
    part = an__proto_begin(proto, 7);
    for (int i = first; i < end; i++)
        an__proto_raw_double(proto, h->count[i]);
    an__proto_end(proto, part);
    an__proto_end(proto, message);
}
