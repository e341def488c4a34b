/*
 * The update kernels compiled for double (the build gives AN_REAL=double) with the scalars of the
 * optimizers follow PyTorch's float64 trajectories on two small problems: a badly conditioned
 * quadratic and a logistic regression. vectors.py recorded them.
 */
#include "optim/rule.h"
#include "optim/scalars.h"

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define STEPS 100
#define VALUES 8

typedef struct trajectory {
    const char *text;
    double after[3][VALUES];
} trajectory;

#include "trajectories.inc"

static const int snapshots[] = {1, 10, 100};

extern const an_update_table AN_KERNEL_NAME(an__update_table);
static const an_update_table *const kernels = &AN_KERNEL_NAME(an__update_table);

/* problem_gradient of vectors.py. */
static void gradient(const double *p, double *g)
{
    static const double curvature[5] = {1e-4, 1e-2, 0.1, 0.5, 1.0};
    static const double target[5] = {3.0, -2.0, 1.0, 0.5, -1.0};
    static const double x[6][3] = {{1.0, 0.5, -1.0}, {1.0, -1.5, 0.25}, {1.0, 2.0, 0.75},
                                   {1.0, -0.5, 1.5}, {1.0, 0.25, -2.0}, {1.0, -1.0, -0.5}};
    static const double y[6] = {1, 0, 1, 0, 1, 0};
    for (int i = 0; i < 5; i++) {
        g[i] = curvature[i] * (p[i] - target[i]);
    }
    g[5] = g[6] = g[7] = 0;
    for (int i = 0; i < 6; i++) {
        double z = x[i][0] * p[5] + x[i][1] * p[6] + x[i][2] * p[7];
        double error = 1 / (1 + exp(-z)) - y[i];
        for (int j = 0; j < 3; j++) {
            g[5 + j] += error * x[i][j] / 6;
        }
    }
}

/* drive of vectors.py: what a schedule might do before `step`. */
static void drive(an_lr_group *group, double lr, int step)
{
    group->slot[AN_LR].value = lr * (1 + step % 10) / 10;
    if (step == 40) {
        group->slot[AN_WEIGHT_DECAY].value *= 2;
    }
    if (step == 60) {
        group->slot[AN_MOMENTUM].value *= 0.5;
        group->slot[AN_BETA1].value *= 0.5;
    }
}

/* One update as sgd.c and adam.c dispatch it, on vectors of doubles. */
static void update(const an_optim *optim, int step, double *p, double state[3][VALUES])
{
    double g[VALUES];
    an_options options = an__group_options(optim, 0);
    gradient(p, g);
    if (optim->rule == &an__rule_SGD) {
        an_sgd_scalars s = an__sgd_scalars(&options.sgd, step == 0);
        kernels->sgd(&s, VALUES, p, g, options.sgd.momentum != 0 ? state[0] : NULL);
    } else {
        an_adam_scalars s =
            an__adam_scalars(&options.adam, step + 1, optim->rule == &an__rule_AdamW);
        kernels->adam(&s, VALUES, p, g, state[0], state[1], options.adam.amsgrad ? state[2] : NULL);
    }
}

static void compare(const trajectory *want, int snapshot, const double *p)
{
    for (int i = 0; i < VALUES; i++) {
        double expected = want->after[snapshot][i];
        if (!(fabs(p[i] - expected) <= 1e-10 * fmax(1, fabs(expected)))) {
            fail_msg("%s: value %d after %d steps is %.17g, PyTorch has %.17g", want->text, i,
                     snapshots[snapshot], p[i], expected);
        }
    }
}

static void follow(an_params *params, const trajectory *want)
{
    double p[VALUES] = {0.5, -0.25, 2.0, -1.0, 0.75, 0.1, -0.2, 0.3};
    double state[3][VALUES] = {{0}};
    an_error err = {0};
    an_optim *optim = an_optim_parse(params, want->text, &err);
    if (!optim) {
        fail_msg("%s", err.message);
        return;
    }
    double lr = an_optim_group(optim, 0)->slot[AN_LR].value;
    int snapshot = 0;
    for (int step = 0; step < STEPS; step++) {
        drive(an_optim_group(optim, 0), lr, step);
        update(optim, step, p, state);
        if (step + 1 == snapshots[snapshot]) {
            compare(want, snapshot++, p);
        }
    }
    assert_int_equal(snapshot, 3);
    an_optim_free(optim);
}

static void doubles_follow_pytorch(void **state)
{
    (void)state;
    an_context *context = an_context_new(NULL, NULL);
    an_params *params = an_params_new(context, NULL);
    an_params_add(params, "p", an_shape_1(VALUES), NULL);
    assert_true(an_params_build(params, NULL));
    size_t count = sizeof cases / sizeof cases[0];
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        follow(params, &cases[i]);
    }
    an_params_free(params);
    an_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(doubles_follow_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
