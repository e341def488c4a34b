/*
 * Kernels that pass once over flat vectors: optimizer updates, sums of squares, scaling.
 *
 * They are written over AN_REAL, which is float in the library. A test compiles the same source
 * with AN_REAL=double to follow PyTorch's float64 trajectories. Whatever does not change from value
 * to value is computed by the caller, in double (optim/sgd.c, optim/adam.c), and comes in a struct.
 *
 * Vectors do not overlap. An update works value by value, so a range may be cut anywhere without
 * changing a bit of the result.
 */
#ifndef AN_KERNELS_UPDATE_H
#define AN_KERNELS_UPDATE_H

#include "tensor/kernels/kernels.h"

#ifndef AN_REAL
#define AN_REAL float
#endif

/*
 * One SGD update of value p with gradient g and momentum buffer b:
 *
 *   d = sign * g + decay * p
 *   b = keep * b + take * d
 *   p = p - lr * (d + nesterov * b)    where nesterov is not 0
 *   p = p - lr * b                     where it is
 *   p = p - lr * d                     without a buffer (b NULL)
 */
typedef struct an_sgd_scalars {
    double sign; /* -1 to maximise, else 1 */
    double decay, keep, take, nesterov, lr;
} an_sgd_scalars;

/*
 * One Adam update of value p with gradient g, moments m and v and, for amsgrad, the largest v so
 * far (`largest` NULL without):
 *
 *   d = sign * g + decay * p
 *   m = keep1 * m + take1 * d
 *   v = keep2 * v + take2 * d * d
 *   largest = max(largest, v)
 *   p = shrink * p - rate * m / (sqrt(v or largest) * correct + eps)
 */
typedef struct an_adam_scalars {
    double sign;   /* -1 to maximise, else 1 */
    double decay;  /* Adam's weight decay, which goes through the moments */
    double shrink; /* AdamW's, which does not: 1 - lr * weight_decay; 1 for Adam */
    double keep1, take1, keep2, take2;
    double rate;    /* lr / (1 - beta1^t) */
    double correct; /* 1 / sqrt(1 - beta2^t) */
    double eps;
} an_adam_scalars;

struct an_update_table {
    void (*sgd)(const an_sgd_scalars *s, int64_t count, AN_REAL *p, const AN_REAL *g, AN_REAL *b);
    void (*adam)(const an_adam_scalars *s, int64_t count, AN_REAL *p, const AN_REAL *g, AN_REAL *m,
                 AN_REAL *v, AN_REAL *largest);
    /*
     * The sum of x[i]^2, in double: sixteen sums of every sixteenth value, added in order. The
     * square of a float is exact in double, so every vector width gives the same bits.
     */
    double (*square_sum)(int64_t count, const AN_REAL *x);
    /* x[i] = factor * x[i] */
    void (*scale)(int64_t count, AN_REAL *x, double factor);
};

extern const an_update_table an__update_table_128, an__update_table_256, an__update_table_512;

#endif
