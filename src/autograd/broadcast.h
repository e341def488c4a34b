/*
 * Broadcasting, reduced to few dimensions: neighbouring dimensions in which both operands behave
 * alike (both vary, or the same one repeats) are merged, dimensions of 1 vanish. Equal shapes
 * become one dimension, a matrix and its bias two.
 */
#ifndef AN_AUTOGRAD_BROADCAST_H
#define AN_AUTOGRAD_BROADCAST_H

#include "autograd/graph.h"

typedef struct an_broadcast {
    int ndim; /* at least 1 */
    int64_t dim[AN_MAX_DIMS];
    int64_t stride[2][AN_MAX_DIMS]; /* of each operand, in elements; 0 where it repeats */
} an_broadcast;

/* `out` is the broadcast of `a` and `b` (an_shape_broadcast). */
an_broadcast an__broadcast(an_shape a, an_shape b, an_shape out);

/* Where the operands of element `index` lie, counting over the first `ndim` merged dimensions. */
void an__broadcast_at(const an_broadcast *plan, int ndim, int64_t index, int64_t offset[2]);

/* The number of combinations of the merged dimensions before the last. */
int64_t an__broadcast_runs(const an_broadcast *plan);

/* True where operand `which` repeats in some dimension, so that its gradient is a sum. */
bool an__broadcast_repeats(const an_broadcast *plan, int which);

/*
 * dx = scale * the sum of `from`, which has the output's shape, over the dimensions in which
 * operand `which` repeats. `from` is left alone.
 */
void an__broadcast_sum(an_graph *graph, const an_broadcast *plan, int which, float *dx,
                       const float *from, double scale, bool add);

#endif
