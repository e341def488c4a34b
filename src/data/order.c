#include "data/order.h"

#include <math.h>

double *an__weights_sum(const an_allocator *allocator, const double *weights, int64_t count,
                        an_error *err)
{
    double *sums = an_alloc(allocator, (size_t)count, sizeof *sums, err), sum = 0;
    if (!sums)
        return NULL;
    for (int64_t i = 0; i < count; i++) {
        sums[i] = sum += weights[i];
        if (weights[i] >= 0 && isfinite(sum))
            continue;
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "the weight of sample %lld is %g; weights, and their sum, must be finite, "
                     "from 0 on",
                     (long long)i, weights[i]);
        an_release(allocator, sums, (size_t)count, sizeof *sums);
        return NULL;
    }
    if (sum > 0)
        return sums;
    an_error_set(err, AN_ERROR_ARGUMENT, "all weights are 0; give some sample a weight above 0");
    an_release(allocator, sums, (size_t)count, sizeof *sums);
    return NULL;
}

/* The first sample whose sum is above `value`: one with weight 0 never is. */
static int32_t find(const double *sums, int64_t count, double value)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (sums[middle] > value)
            high = middle;
        else
            low = middle + 1;
    }
    return (int32_t)low;
}

void an__weights_draw(const double *sums, int64_t count, an_rng *rng, int32_t *order, int64_t drawn)
{
    const double total = sums[count - 1], most = nextafter(total, 0);
    for (int64_t i = 0; i < drawn; i++) {
        const double value = an_rng_double(rng) * total;
        order[i] = find(sums, count, value < most ? value : most);
    }
}
