/* Samples drawn with replacement, each as often as its weight says. */
#ifndef AN_DATA_ORDER_H
#define AN_DATA_ORDER_H

#include <anneal/data.h>

/* The sums of the first 1, 2, ..., count weights. NULL with err: ARGUMENT, MEMORY. */
double *an__weights_sum(const an_allocator *allocator, const double *weights, int64_t count,
                        an_error *err);
/* `drawn` of `count` samples, in the order in which they are drawn; O(log count) each. */
void an__weights_draw(const double *sums, int64_t count, an_rng *rng, int32_t *order,
                      int64_t drawn);

#endif
