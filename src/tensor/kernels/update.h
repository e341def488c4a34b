/*
 * Kernels that pass once over flat vectors: optimizer updates, sums over them, scaling.
 *
 * They are written over AN_REAL, which is float in the library. Tests compile the same sources, and
 * the room optim, with AN_REAL=double to follow float64 trajectories. Whatever does not change from
 * value to value is computed by the caller, in double, and comes in a struct of scalars.
 *
 * Vectors do not overlap. An update works value by value, so a range may be cut anywhere without
 * changing a bit of the result. Sums run in double: sixteen sums of every sixteenth value, added in
 * order; cut ranges by a rule that does not know the threads.
 */
#ifndef AN_KERNELS_UPDATE_H
#define AN_KERNELS_UPDATE_H

#include "tensor/kernels/kernels.h"

#ifndef AN_REAL
#define AN_REAL float
#endif

typedef AN_REAL an_real;

/* The most state vectors that an update takes, and the most sums that it gives. */
#define AN_UPDATE_VECTORS 4
#define AN_UPDATE_SUMS 4

/*
 * What an update works on: the value p, its gradient g and the state s[0], s[1], ... In the
 * formulas below d = sign * g + decay * p, and all that is assigned stays in its vector.
 */
typedef struct an_vectors {
    an_real *p;
    const an_real *g;
    an_real *s[AN_UPDATE_VECTORS]; /* NULL where a formula says "without" */
} an_vectors;

/* The gradient as most updates take it: d = sign * g + decay * p. */
typedef struct an_slope {
    double sign; /* -1 to maximise, else 1 */
    double decay;
} an_slope;

/*
 * sgd, with the buffer b = s[0]:
 *
 *   b = keep * b + take * d
 *   p = p - lr * (d + nesterov * b)    where nesterov is not 0
 *   p = p - lr * b                     where it is
 *   p = p - lr * d                     without b
 */
typedef struct an_sgd_scalars {
    an_slope slope;
    double keep, take, nesterov, lr;
} an_sgd_scalars;

/*
 * Two running means, m = keep1 * m + take1 * d and v = keep2 * v + take2 * d * d, and a step by
 * them. adam, with s = m, v and, for amsgrad, the largest v so far (without: v itself):
 *
 *   largest = max(largest, v)
 *   p = shrink * p - rate * m / (sqrt(largest) * correct + eps)
 *
 * nadam, with s = m, v:
 *   p = shrink * p - rate * (ahead * m + direct * d) / (sqrt(v) * correct + eps)
 * momentum, with s = m, v:  p = shrink * p - rate * m
 * adamax, with s = m, u:  u = max(keep2 * u, |d| + eps), p = p - rate * m / u
 * lion, with s = m:  p = shrink * p - rate * sign(keep1 * m + take1 * d), m = keep2 * m + take2 * d
 */
typedef struct an_adam_scalars {
    an_slope slope; /* its decay is the one that goes through the means */
    double shrink;  /* decoupled decay: 1 - lr * weight_decay; 1 without */
    double keep1, take1, keep2, take2;
    double rate;    /* lr / (1 - beta1^t) */
    double correct; /* 1 / sqrt(1 - beta2^t) */
    double eps;
    double direct, ahead; /* nadam's parts of the gradient itself and of its mean */
} an_adam_scalars;

/*
 * adagrad, with s = sum of squares:  a = a + d * d, p = p - rate * d / (sqrt(a) + eps)
 * adadelta, with s = v, a:  v = keep * v + take * d * d, u = sqrt(a + eps) / sqrt(v + eps) * d,
 *   a = keep * a + take * u * u, p = p - rate * u
 * rmsprop, with s = v, buffer, mean, the last two only where wanted:
 *   v = keep * v + take * d * d, mean = keep * mean + take * d,
 *   u = d / (sqrt(max(0, v - mean * mean)) + eps), buffer = momentum * buffer + u, p = p - rate *
 * buffer
 */
typedef struct an_square_scalars {
    an_slope slope;
    double keep, take, rate, eps, momentum;
} an_square_scalars;

/*
 * rprop, with s = prev, step: by the sign of d * prev the step grows, shrinks, or stays, within
 * least..most; where it shrinks d = 0. Then p = p - sign(d) * step, prev = d. With first > 0 the
 * steps are set to it before.
 */
typedef struct an_rprop_scalars {
    an_slope slope;
    double shrink, grow, least, most, first;
} an_rprop_scalars;

/*
 * asgd, with s = ax:  p = shrink * p - eta * d, ax = ax + mu * (p - ax), or p where mu is 1
 */
typedef struct an_asgd_scalars {
    an_slope slope;
    double shrink, eta, mu;
} an_asgd_scalars;

/*
 * Schedule-Free (p is y). free_sgd, with s = z, and free_adam, with s = z, v:
 *
 *   z = y                                     where first
 *   d = g + decay * y                         of SGD
 *   v = keep * v + take * g * g, d = g / (sqrt(v) + eps) + decay * y    of AdamW
 *   y = y + pull * (z - y) + push * d
 *   z = z - lr * d
 */
typedef struct an_free_scalars {
    double decay, keep, take, eps, pull, push, lr;
    bool first;
} an_free_scalars;

/*
 * Estimates of the distance. prodigy, with s = m, v, a, p0, after p0 = p where first:
 *   sums[0] += d * (p0 - p), m = keep1 * m + take1 * d, v = keep2 * v + take2 * d * d,
 *   a = keep3 * a + take3 * d, sums[1] += |a|
 * dadapt_adam, with s = m, v, a:
 *   sums[0] += d * a / (sqrt(v) + eps), then the same m, v, a and sums[1]
 * adam_apply, with s = m, v:  p = shrink * p - rate * m / (sqrt(v) + eps)
 * dadapt_sgd, with s = a, p0, after p0 = p where first:
 *   sums[0] += d * a, a = a + take3 * d, sums[1] += a * a
 * dadapt_apply, with s = a, p0:  p = p + rate * (p0 - a - p)
 * dog, with s = p0, after p0 = p where first:  sums[0] += (p - p0)^2, sums[1] += d * d
 */
typedef struct an_distance_scalars {
    an_slope slope;
    double shrink, keep1, take1, keep2, take2, keep3, take3, rate, eps;
    bool first;
} an_distance_scalars;

/*
 * mechanic, with s = x0, the start, and a, the sum of the inner updates (p = x0 - scale * a):
 *   a = a + (x0 - before * a) - p, p = x0 - scale * a
 */
typedef struct an_mechanic_scalars {
    double before, scale;
} an_mechanic_scalars;

/*
 * lamb, with s = m, v: the means of adam, u = rate * m / (sqrt(v) * correct + eps) + decay * p with
 *   rate and correct without lr; sums[0] += p * p, sums[1] += u * u. Here d = sign * g.
 * lamb_apply, with s = m, v: p = p - lr * u
 */
typedef struct an_lamb_scalars {
    an_adam_scalars adam;
    double decay, lr;
} an_lamb_scalars;

/*
 * lerp, with s = a:  a = a + pull * (g - a), or g where pull is 1
 * step:              p = p + pull * (g - p), the same of p
 * axpy:              p = shrink * p + pull * g
 * absolute:          sums[0] += |g|, sums[1] = max(sums[1], |g|); NaN counts as the largest
 * dot, with s = a:   sums[0] += g * a, sums[1] += g * g
 * clamp:             p within -pull..pull; NaN stays
 */
typedef struct an_linear_scalars {
    double shrink, pull;
} an_linear_scalars;

typedef union an_scalars {
    an_sgd_scalars sgd;
    an_adam_scalars adam;
    an_square_scalars square;
    an_rprop_scalars rprop;
    an_asgd_scalars asgd;
    an_free_scalars free;
    an_distance_scalars distance;
    an_mechanic_scalars mechanic;
    an_lamb_scalars lamb;
    an_linear_scalars linear;
} an_scalars;

/* Every update: X(NAME, name). */
#define AN_UPDATE_MAP(X)          \
    X(SGD, sgd)                   \
    X(ADAM, adam)                 \
    X(NADAM, nadam)               \
    X(MOMENTUM, momentum)         \
    X(ADAMAX, adamax)             \
    X(ADAGRAD, adagrad)           \
    X(ADADELTA, adadelta)         \
    X(RMSPROP, rmsprop)           \
    X(RPROP, rprop)               \
    X(ASGD, asgd)                 \
    X(LION, lion)                 \
    X(FREE_SGD, free_sgd)         \
    X(FREE_ADAM, free_adam)       \
    X(PRODIGY, prodigy)           \
    X(DADAPT_ADAM, dadapt_adam)   \
    X(ADAM_APPLY, adam_apply)     \
    X(DADAPT_SGD, dadapt_sgd)     \
    X(DADAPT_APPLY, dadapt_apply) \
    X(DOG, dog)                   \
    X(MECHANIC, mechanic)         \
    X(LAMB, lamb)                 \
    X(LAMB_APPLY, lamb_apply)     \
    X(LERP, lerp)                 \
    X(STEP, step)                 \
    X(AXPY, axpy)                 \
    X(ABSOLUTE, absolute)         \
    X(DOT, dot)                   \
    X(CLAMP, clamp)

typedef enum an_update_id {
#define AN_UPDATE_ENUM(NAME, name) AN_UPDATE_##NAME,
    AN_UPDATE_MAP(AN_UPDATE_ENUM)
#undef AN_UPDATE_ENUM
        AN_UPDATE_COUNT
} an_update_id;

/* `sums` (AN_UPDATE_SUMS of them, added to) may be NULL for updates that give none. */
typedef void (*an_update_kernel)(const an_scalars *s, int64_t count, const an_vectors *x,
                                 double *sums);

/*
 * Adafactor's factored second moment of a matrix of `columns` columns. A value's is
 * v = row[i] * column[j] * scale, its update u = g / sqrt(max(v, least)), NaN where v is. A vector
 * is a matrix of one row whose row[0] and scale are 1.
 */
typedef struct an_factors {
    int64_t columns;
    const an_real *row, *column;
    double scale, least;
} an_factors;

struct an_update_table {
    an_update_kernel run[AN_UPDATE_COUNT];
    /*
     * The sum of x[i]^2, in double. The square of a float is exact in double, so every vector width
     * gives the same bits.
     */
    double (*square_sum)(int64_t count, const an_real *x);
    /* x[i] = factor * x[i] */
    void (*scale)(int64_t count, an_real *x, double factor);
    /* sum[j] += x[i][j]^2 over `rows` rows, for `columns` of the `stride` columns. */
    void (*column_squares)(int64_t rows, int64_t columns, int64_t stride, const an_real *x,
                           double *sum);
    /* The sum of u^2 over rows begin <= i < end. */
    double (*factored_squares)(const an_factors *f, int64_t begin, int64_t end, const an_real *g);
    /* p = shrink * p - rate * u over rows begin <= i < end. */
    void (*factored_apply)(const an_factors *f, int64_t begin, int64_t end, an_real *p,
                           const an_real *g, double shrink, double rate);
};

extern const an_update_table an__update_table_128, an__update_table_256, an__update_table_512;

#endif
