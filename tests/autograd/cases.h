/*
 * How the tests call every operation: one entry an operation, held against the library's own list
 * by test_every_operation_has_a_case, so that a new one cannot be forgotten.
 */
#ifndef AN_TEST_CASES_H
#define AN_TEST_CASES_H

#include "twin.h"

typedef struct op_case {
    const char *name; /* as in the list of operations */
    /* Chooses shapes of `*count` inputs and the setting. Large: enough work for two threads. */
    void (*make)(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s);
    an_tensor *(*apply)(an_graph *graph, an_tensor **in, int count, const setting *s);
    twin_function *twin;
    double low, high; /* the inputs' range */
    double gap;       /* inputs keep this distance from 0, where the operation bends or ends */
} op_case;

/* Those of images.c. */
#define IMAGE_CASES(X) \
    X(conv2d) X(conv_transpose2d) X(pad2d) X(max_pool2d) X(avg_pool2d) X(adaptive_avg_pool2d)
#define DECLARE_CASE(name)                                                               \
    void make_##name(an_rng *rng, bool large, an_shape *shapes, int *count, setting *s); \
    an_tensor *call_##name(an_graph *graph, an_tensor **in, int count, const setting *s);
IMAGE_CASES(DECLARE_CASE)
#undef DECLARE_CASE

extern const op_case op_cases[];
extern const int op_case_count;

const op_case *op_case_find(const char *name);

/* Inputs and setting of one random case. The values are floats. Free with sample_free. */
typedef struct sample {
    const op_case *op;
    int count;
    setting s;
    twin in[MAX_INPUTS];
} sample;

void sample_new(sample *x, const op_case *op, an_rng *rng, bool large);
void sample_free(sample *x);

/* The length of `weight`, which no sample's output exceeds. */
enum { WEIGHTS = 1 << 21 };

/* How a sample runs: bits of a mode. */
enum {
    TWICE =
        1, /* apply the operation twice to the same inputs: gradients add up, to twice as much */
    BEHIND = 2, /* put an operation between leaves and inputs: gradients pass through */
    MODES = 4
};

/*
 * Runs the sample on `graph` with inputs as leaves: output, then backward of sum(output * weight).
 * Gives the output and the leaves, which hold their gradients.
 */
an_tensor *sample_run(const sample *x, int mode, an_graph *graph, const float *weight,
                      an_tensor **leaves, an_error *err);

#endif
