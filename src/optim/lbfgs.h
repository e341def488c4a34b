/* What the two files of LBFGS share: its vectors, and evaluations along a direction. */
#ifndef AN_OPTIM_LBFGS_H
#define AN_OPTIM_LBFGS_H

#include "optim/rule.h"

/* Numbers that stay from step to step, and counts. */
enum { AN_LBFGS_T, AN_LBFGS_SCALE, AN_LBFGS_NUMBERS };
enum {
    AN_LBFGS_ITERATIONS,
    AN_LBFGS_EVALUATIONS,
    AN_LBFGS_OLDEST,
    AN_LBFGS_STORED,
    AN_LBFGS_COUNTS
};

/*
 * All vectors have the length of the flat vectors. The history is a ring of history_size + 1 pairs
 * (the changes of the gradient, and the steps that made them), one of which is always free.
 */
typedef struct an_lbfgs {
    an_real *d, *previous, *g; /* direction; gradients before and now */
    an_real *x;                /* where a line search began */
    an_real *trial[3];         /* gradients of a line search */
    an_real *changes, *steps;
    double *ro, *alpha; /* 1 / (change . step) of each pair; of the two-loop recursion */
    double number[AN_LBFGS_NUMBERS];
    int64_t count[AN_LBFGS_COUNTS];
} an_lbfgs;

/* A step's search: whom to ask, and where it goes. */
typedef struct an_search {
    an_optim *optim;
    an_lbfgs *own;
    an_closure closure;
    void *user;
    an_error *err;
    int64_t evaluations;
} an_search;

/* A point x + t d of a line: the loss, its slope along d, its gradient. */
typedef struct an_line_point {
    double t, loss, slope;
    an_real *g;
} an_line_point;

/* a . b over the flat vectors. */
double an__lbfgs_dot(const an_optim *optim, const an_real *a, const an_real *b);
/* The largest |a[i]|, and the sum of all. */
double an__lbfgs_largest(const an_optim *optim, const an_real *a, double *sum);
void an__lbfgs_copy(const an_optim *optim, an_real *to, const an_real *from);
/* Loss and gradient where the parameters are; false with err. */
bool an__lbfgs_evaluate(an_search *s, double *loss, an_real *g);
/* The same at x + t d, where the parameters are left. */
bool an__lbfgs_probe(an_search *s, double t, an_line_point *out);
/*
 * From `point` (t = 0) along d, beginning with length t, to a point that meets the strong Wolfe
 * conditions, or the best of 25. Its gradient is copied into own->g. False with err.
 */
bool an__lbfgs_line(an_search *s, double t, double tolerance_change, an_line_point *point);

#endif
