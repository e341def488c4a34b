/*
 * What an update needs besides the vectors, computed in double once a step and run. Apart from the
 * rules because a test feeds the same scalars to kernels compiled for double.
 */
#ifndef AN_OPTIM_SCALARS_H
#define AN_OPTIM_SCALARS_H

#include <anneal/optim.h>

#include "tensor/kernels/update.h"

/* `first`: no momentum has been gathered yet, so the buffer becomes the gradient, undampened. */
an_sgd_scalars an__sgd_scalars(const an_sgd_options *options, bool first);
/* Step `step` (from 1); `decoupled`: AdamW's weight decay. */
an_adam_scalars an__adam_scalars(const an_adam_options *options, int64_t step, bool decoupled);

#endif
