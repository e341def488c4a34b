/* What the optimizers with Adam's two moments have in common. */
#ifndef AN_OPTIM_ADAM_H
#define AN_OPTIM_ADAM_H

#include "optim/rule.h"

typedef struct an_adam_moments {
    double lr, beta1, beta2, eps, weight_decay;
    bool maximize, decoupled; /* decoupled: AdamW's weight decay */
} an_adam_moments;

/* The scalars of Adam's update number `step`, from 1. */
an_adam_scalars an__adam_scalars(const an_adam_moments *o, int64_t step);

#endif
