/* What batch norm and group norm share: x (n, channels, ...) seen as (n, channels, length). */
#ifndef AN_AUTOGRAD_CHANNELS_H
#define AN_AUTOGRAD_CHANNELS_H

#include <math.h>

#include "autograd/graph.h"

typedef struct an_channels {
    int64_t batch, channels, length;
} an_channels;

/* Of a shape of at least two dimensions. */
static inline an_channels an__channels_of(an_shape x)
{
    an_channels c = {.batch = x.dim[0], .channels = x.dim[1], .length = 1};
    for (int i = 2; i < x.ndim; i++)
        c.length *= x.dim[i];
    return c;
}

/* False with the graph's error: x without channels, weight or bias of another shape, eps < 0. */
bool an__channels_fit(an_graph *graph, const an_node *node, an_channels *out);

static inline double an__rstd(double variance, double eps)
{
    return 1 / sqrt(variance + eps);
}

#endif
