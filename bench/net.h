/*
 * bench/net.h - a multilayer perceptron trained by hand, for bound.c.
 *
 * Linear layers with ReLU between them, softmax cross-entropy, SGD with momentum; a fixed batch
 * size. Each layer's output features are divided among the workers; a worker's weights, momenta and
 * weight gradients are touched by nobody else, so there is no gradient to reduce.
 */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include "mnist.h"

#include <stdatomic.h>
#include <stddef.h>

#define MAX_LAYERS 4
#define MAX_WORKERS 2

/*
 * W is kept in panels of `width` output features: panel p holds (in + 1) x width floats, row `in`
 * being the bias, which meets a constant 1 that stands behind the inputs of every sample.
 */
typedef struct layer {
    int in, out;
    int width, panels;
    float *weight, *momentum; /* panels x (in + 1) x width */
    float *y;                 /* rows x stride: the outputs, then the constant 1 */
    int stride;
    float *delta;                /* panels x rows x width: gradient of the loss by the sums */
    float *delta_t;              /* out x columns: the same, transposed */
    float *partial[MAX_WORKERS]; /* in x columns: a worker's share of the inputs' gradient */
} layer;

typedef struct net {
    int layers, batch;
    int rows;    /* the batch size rounded up to ROW_BLOCK */
    int columns; /* the batch size rounded up to PANEL */
    layer layer[MAX_LAYERS];
    float *x[2]; /* rows x x_stride: this batch and the next */
    int x_stride;
    float rate, momentum;
    float mean, deviation; /* of the pixels, scaled to 0..1 */
    const mnist *data;
    void *arena;
    size_t arena_size;
    /* The barrier. */
    int workers;
    atomic_int waiting, generation;
} net;

/* Steps `first` to `last - 1` of an epoch; a step's samples are order[step * batch ...]. */
typedef struct span {
    const int *order;
    int count; /* samples in the order */
    int first, last;
} span;

/* `sizes` has layers + 1 entries: inputs, hidden widths, classes. Exits when memory runs out. */
void net_init(net *n, const int *sizes, int layers, int batch, int workers, random_state *random);
void net_free(net *n);
/* What worker `me` does; all workers must run it at once. Returns the worker's part of the summed
 * loss. */
double net_train(net *n, int me, span steps);
/* Alone, without other workers: the mean loss and the number of right answers on `data`. */
double net_evaluate(net *n, const mnist *data, int *right);

#endif
