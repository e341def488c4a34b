/*
 * L-BFGS (Liu, Nocedal: On the limited memory BFGS method for large scale optimization;
 * Mathematical Programming 1989) as torch.optim has it: up to max_iter directions in a step, each
 * of them the two-loop recursion over the last history_size changes of the gradient, followed for
 * lr or searched (wolfe.c). A step ends early when the gradient, the step or the change of the loss
 * is small.
 */
#include "optim/lbfgs.h"

#include <math.h>
#include <string.h>

#define ROW(name, ...) AN_OPTION(#name, an_lbfgs_options, name, __VA_ARGS__)

static const char *const searches[] = {"", "strong_wolfe", NULL};

static const an_option table[] = {
    ROW(lr, NUMBER, NOT_NEGATIVE, AN_LR, 1),
    ROW(max_iter, INTEGER, FROM_ONE, AN_NO_SLOT, 20),
    AN_OPTION_OR_NONE("max_eval", an_lbfgs_options, max_eval, INTEGER, FROM_ONE, 0),
    ROW(tolerance_grad, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-7),
    ROW(tolerance_change, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-9),
    ROW(history_size, INTEGER, FROM_ONE, AN_NO_SLOT, 100),
    AN_OPTION_CHOOSE("line_search_fn", an_lbfgs_options, line_search_fn, searches),
};

enum { LONGEST_HISTORY = 10000 };

static bool check(const an_options *options, char *message, size_t size)
{
    if (options->lbfgs.history_size <= LONGEST_HISTORY) {
        return true;
    }
    an_format(message, size, "LBFGS: history_size must be at most %d, got %lld", LONGEST_HISTORY,
              (long long)options->lbfgs.history_size);
    return false;
}

static bool fits(const an_optim *optim, an_error *err)
{
    return optim->group_count == 1 ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "LBFGS looks at all parameters at once and has one group only, not %zu",
                        optim->group_count);
}

/* ------------------------------------------------------------------ its state */

static void list_vector(an_optim *optim, const char *name, an_real *data)
{
    an__optim_list(optim, (an_optim_state){name, AN_STATE_PER_VALUE, AN_STATE_FLOAT,
                                           an_params_length(optim->params), data});
}

static void list_states(an_optim *optim, an_lbfgs *own, int64_t pairs)
{
    int64_t length = pairs * an_params_length(optim->params);
    list_vector(optim, "d", own->d);
    list_vector(optim, "prev_flat_grad", own->previous);
    an__optim_list(
        optim, (an_optim_state){"old_dirs", AN_STATE_PLAIN, AN_STATE_FLOAT, length, own->changes});
    an__optim_list(
        optim, (an_optim_state){"old_stps", AN_STATE_PLAIN, AN_STATE_FLOAT, length, own->steps});
    an__optim_list(optim, (an_optim_state){"ro", AN_STATE_PLAIN, AN_STATE_DOUBLE, pairs, own->ro});
    an__optim_list(optim, (an_optim_state){"t_and_H_diag", AN_STATE_PLAIN, AN_STATE_DOUBLE,
                                           AN_LBFGS_NUMBERS, own->number});
    an__optim_list(optim, (an_optim_state){"counts", AN_STATE_PLAIN, AN_STATE_INT64,
                                           AN_LBFGS_COUNTS, own->count});
}

static bool make(an_optim *optim, an_error *err)
{
    const an_lbfgs_options *o = &optim->group[0]->options.lbfgs;
    size_t length = (size_t)an_params_length(optim->params), pairs = (size_t)o->history_size + 1;
    if (length > SIZE_MAX / pairs) {
        return an_error_set(err, AN_ERROR_MEMORY, "LBFGS: no memory for a history of %zu", pairs);
    }
    an_lbfgs *own = an__optim_take(optim, 1, sizeof *own, err);
    optim->own = own;
    if (!own) {
        return false;
    }
    an_real **const single[] = {&own->d,        &own->previous, &own->g,       &own->x,
                                &own->trial[0], &own->trial[1], &own->trial[2]};
    int count = o->line_search_fn ? 7 : 3;
    for (int i = 0; i < count; i++) {
        if (!(*single[i] = an__optim_take(optim, length, sizeof(an_real), err))) {
            return false;
        }
    }
    if (!(own->changes = an__optim_take(optim, pairs * length, sizeof(an_real), err)) ||
        !(own->steps = an__optim_take(optim, pairs * length, sizeof(an_real), err)) ||
        !(own->ro = an__optim_take(optim, pairs, sizeof(double), err)) ||
        !(own->alpha = an__optim_take(optim, pairs, sizeof(double), err))) {
        return false;
    }
    list_states(optim, own, (int64_t)pairs);
    return true;
}

/* -------------------------------------------------------------------- vectors */

static int64_t length_of(const an_optim *optim)
{
    return an_params_length(optim->params);
}

double an__lbfgs_dot(const an_optim *optim, const an_real *a, const an_real *b)
{
    double sums[AN_UPDATE_SUMS] = {0};
    const an_scalars s = {.linear = {0}};
    const an_vectors all = {.g = a, .s = {(an_real *)b}};
    an__update_sums(optim, AN_UPDATE_DOT, &s, &all, length_of(optim), sums);
    return sums[0];
}

double an__lbfgs_largest(const an_optim *optim, const an_real *a, double *sum)
{
    double sums[AN_UPDATE_SUMS] = {0};
    const an_scalars s = {.linear = {0}};
    const an_vectors all = {.g = a};
    an__update_sums(optim, AN_UPDATE_ABSOLUTE, &s, &all, length_of(optim), sums);
    *sum = sums[0];
    return sums[1];
}

void an__lbfgs_copy(const an_optim *optim, an_real *to, const an_real *from)
{
    memcpy(to, from, (size_t)length_of(optim) * sizeof *to);
}

/* to += factor * from */
static void add(const an_optim *optim, an_real *to, double factor, const an_real *from)
{
    const an_scalars s = {.linear = {.shrink = 1, .pull = factor}};
    const an_vectors all = {.p = to, .g = from};
    an__update(optim, AN_UPDATE_AXPY, &s, &all, length_of(optim));
}

static void scale(const an_optim *optim, an_real *x, double factor)
{
    optim->kernels->scale(length_of(optim), x, factor);
}

/* The gradients in one vector, with zeros where there is none. */
static void gather(const an_optim *optim, an_real *g)
{
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        const an_param *param = an_params_get(optim->params, i);
        size_t bytes = (size_t)param->tensor->size * sizeof *g;
        if (param->tensor->has_grad) {
            memcpy(g + param->offset, optim->grads + param->offset, bytes);
        } else {
            memset(g + param->offset, 0, bytes);
        }
    }
}

bool an__lbfgs_evaluate(an_search *s, double *loss, an_real *g)
{
    if (!s->closure(s->user, loss, s->err)) {
        return false;
    }
    s->evaluations++;
    gather(s->optim, g);
    return true;
}

bool an__lbfgs_probe(an_search *s, double t, an_line_point *out)
{
    an__lbfgs_copy(s->optim, s->optim->values, s->own->x);
    add(s->optim, s->optim->values, t, s->own->d);
    if (!an__lbfgs_evaluate(s, &out->loss, out->g)) {
        return false;
    }
    out->t = t;
    out->slope = an__lbfgs_dot(s->optim, out->g, s->own->d);
    return true;
}

/* ------------------------------------------------------------------ direction */

static an_real *pair_of(const an_optim *optim, an_real *ring, int64_t index)
{
    return ring + index * length_of(optim);
}

/* Takes the last change of the gradient and its step into the history, if they curve upwards. */
static void remember(an_optim *optim, an_lbfgs *own, int64_t history)
{
    int64_t *oldest = &own->count[AN_LBFGS_OLDEST], *stored = &own->count[AN_LBFGS_STORED];
    int64_t index = (*oldest + *stored) % (history + 1);
    an_real *change = pair_of(optim, own->changes, index);
    an_real *step = pair_of(optim, own->steps, index);
    an__lbfgs_copy(optim, change, own->g);
    add(optim, change, -1, own->previous);
    an__lbfgs_copy(optim, step, own->d);
    scale(optim, step, own->number[AN_LBFGS_T]);
    double curvature = an__lbfgs_dot(optim, change, step);
    if (!(curvature > 1e-10)) {
        return;
    }
    own->ro[index] = 1 / curvature;
    own->number[AN_LBFGS_SCALE] = curvature / an__lbfgs_dot(optim, change, change);
    if (*stored == history) {
        *oldest = (*oldest + 1) % (history + 1);
    } else {
        (*stored)++;
    }
}

/* d = - H g, by the two loops over the history, newest first and oldest first. */
static void aim(an_optim *optim, an_lbfgs *own, int64_t history)
{
    int64_t oldest = own->count[AN_LBFGS_OLDEST], stored = own->count[AN_LBFGS_STORED];
    an__lbfgs_copy(optim, own->d, own->g);
    scale(optim, own->d, -1);
    for (int64_t i = stored - 1; i >= 0; i--) {
        int64_t k = (oldest + i) % (history + 1);
        double along = an__lbfgs_dot(optim, pair_of(optim, own->steps, k), own->d);
        own->alpha[i] = along * own->ro[k];
        add(optim, own->d, -own->alpha[i], pair_of(optim, own->changes, k));
    }
    scale(optim, own->d, own->number[AN_LBFGS_SCALE]);
    for (int64_t i = 0; i < stored; i++) {
        int64_t k = (oldest + i) % (history + 1);
        double beta = an__lbfgs_dot(optim, pair_of(optim, own->changes, k), own->d) * own->ro[k];
        add(optim, own->d, own->alpha[i] - beta, pair_of(optim, own->steps, k));
    }
}

/* The next direction and the length to try along it; returns the slope. */
static double turn(an_optim *optim, an_lbfgs *own, const an_lbfgs_options *o)
{
    bool first = own->count[AN_LBFGS_ITERATIONS]++ == 0;
    if (first) {
        double sum;
        an__lbfgs_largest(optim, own->g, &sum);
        own->number[AN_LBFGS_SCALE] = 1;
        own->number[AN_LBFGS_T] = fmin(1, 1 / sum) * o->lr;
    } else {
        remember(optim, own, o->history_size);
        own->number[AN_LBFGS_T] = o->lr;
    }
    aim(optim, own, o->history_size);
    an__lbfgs_copy(optim, own->previous, own->g);
    return an__lbfgs_dot(optim, own->g, own->d);
}

/* ----------------------------------------------------------------------- step */

/* Moves along the direction; with `last` and no search the loss is not evaluated again. */
static bool advance(an_search *s, const an_lbfgs_options *o, double slope, bool last, double *loss)
{
    an_lbfgs *own = s->own;
    double *t = &own->number[AN_LBFGS_T];
    if (!o->line_search_fn) {
        add(s->optim, s->optim->values, *t, own->d);
        return last || an__lbfgs_evaluate(s, loss, own->g);
    }
    an_line_point point = {0, *loss, slope, own->g};
    an__lbfgs_copy(s->optim, own->x, s->optim->values);
    if (!an__lbfgs_line(s, *t, o->tolerance_change, &point)) {
        return false;
    }
    *t = point.t;
    *loss = point.loss;
    an__lbfgs_copy(s->optim, s->optim->values, own->x);
    add(s->optim, s->optim->values, *t, own->d);
    return true;
}

static int64_t most_evaluations(const an_lbfgs_options *o)
{
    int64_t limit = o->max_iter > INT64_MAX / 5 ? INT64_MAX : o->max_iter * 5 / 4;
    return o->max_eval > 0 ? o->max_eval : limit;
}

/* Directions until the step is over. */
static bool descend(an_search *s, const an_lbfgs_options *o, double loss)
{
    an_lbfgs *own = s->own;
    int64_t most = most_evaluations(o);
    double sum;
    for (int64_t i = 1; i <= o->max_iter; i++) {
        double slope = turn(s->optim, own, o), before = loss;
        if (slope > -o->tolerance_change) {
            return true;
        }
        if (!advance(s, o, slope, i == o->max_iter, &loss)) {
            return false;
        }
        bool flat = an__lbfgs_largest(s->optim, own->g, &sum) <= o->tolerance_grad;
        double moved = fabs(own->number[AN_LBFGS_T]) * an__lbfgs_largest(s->optim, own->d, &sum);
        if (s->evaluations >= most || flat || moved <= o->tolerance_change ||
            fabs(loss - before) < o->tolerance_change) {
            return true;
        }
    }
    return true;
}

/* Counts that index the ring may come from a file. */
static bool is_history(const an_lbfgs *own, int64_t history)
{
    int64_t oldest = own->count[AN_LBFGS_OLDEST], stored = own->count[AN_LBFGS_STORED];
    return oldest >= 0 && oldest <= history && stored >= 0 && stored <= history;
}

static void begin_anew(an_lbfgs *own)
{
    own->count[AN_LBFGS_ITERATIONS] = 0;
    own->count[AN_LBFGS_OLDEST] = own->count[AN_LBFGS_STORED] = 0;
}

static bool search(an_optim *optim, an_closure closure, void *user, double *loss, an_error *err)
{
    an_options options = an__group_options(optim, 0);
    an_lbfgs *own = optim->own;
    an_search s = {optim, own, closure, user, err, 0};
    double sum;
    if (!is_history(own, options.lbfgs.history_size)) {
        begin_anew(own);
    }
    if (!an__lbfgs_evaluate(&s, loss, own->g)) {
        return false;
    }
    bool done = an__lbfgs_largest(optim, own->g, &sum) <= options.lbfgs.tolerance_grad ||
                descend(&s, &options.lbfgs, *loss);
    own->count[AN_LBFGS_EVALUATIONS] += s.evaluations;
    if (!done) {
        begin_anew(own);
    }
    return done;
}

const an_rule an__rule_LBFGS = {
    .name = "LBFGS",
    AN_RULE_OPTIONS(table),
    .own_rate = true,
    .check = check,
    .fits = fits,
    .make = make,
    .search = search,
};

AN_RULE_DOOR(lbfgs, an_lbfgs_options, LBFGS, lbfgs)
