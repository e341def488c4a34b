/* What batch norm and group norm share: x (n, channels, ...) seen as (n, channels, length). */
#ifndef AN_AUTOGRAD_CHANNELS_H
#define AN_AUTOGRAD_CHANNELS_H

#include <math.h>

#include "autograd/graph.h"

typedef struct an_channels {
    int64_t batch, channels, length;
} an_channels;

/* False with the graph's error: x without channels, weight or bias of another shape, eps < 0. */
bool an__channels(an_graph *graph, const an_node *node, an_channels *out);

static inline double an__rstd(double variance, double eps)
{
    return 1 / sqrt(variance + eps);
}

#endif
