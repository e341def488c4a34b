/*
 * Runs: stretches of the flat vectors that one kernel call can do. Neighbouring parameters that
 * have a gradient and belong together form one run, alignment gaps between them included (they hold
 * zeros in all vectors, and zero stays zero). Most models are a single run.
 */
#ifndef AN_OPTIM_RUN_H
#define AN_OPTIM_RUN_H

#include <anneal/autograd.h>

typedef struct an_param_run {
    size_t first, end;    /* parameters first..end-1 */
    int64_t begin, count; /* floats begin..begin+count-1 of the flat vectors */
} an_param_run;

/* Whether parameters a and b = a + 1 may be in one run. */
typedef bool (*an_param_run_joins)(const void *user, size_t a, size_t b);

/*
 * Moves `run` (all zero at first) to the next run; false when there is none. `joins` NULL: having a
 * gradient is enough.
 */
bool an__run_next(const an_params *params, an_param_run *run, an_param_run_joins joins,
                  const void *user);

/*
 * A sum over many floats is cut in at most AN_MOST_PARTS parts, by its length alone, so that it is
 * the same whatever the threads. Each has `length` floats, but the last, which may have fewer.
 */
#define AN_MOST_PARTS 64

typedef struct an_parts {
    int64_t length, count;
} an_parts;

an_parts an__parts_of(int64_t floats);

#endif
