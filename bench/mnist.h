/*
 * bench/mnist.h - MNIST for bound.c: bytes in memory, a random order.
 */
#ifndef BENCH_MNIST_H
#define BENCH_MNIST_H

#include <stdint.h>

#define MNIST_PIXELS 784

/* count x 784 bytes and count labels. */
typedef struct mnist {
    int count;
    unsigned char *pixels, *labels;
} mnist;

/* Reads the part "train" or "t10k" from `folder`; says what is wrong and exits. */
mnist mnist_load(const char *folder, const char *part);
void mnist_free(mnist *data);

/* The state of xorshift64*; never zero. */
typedef uint64_t random_state;
uint32_t random_below(random_state *state, uint32_t n);
/* Uniform in [-1, 1). */
float random_float(random_state *state);
/* Fisher and Yates. */
void random_order(random_state *state, int *order, int count);

#endif
