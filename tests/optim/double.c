/*
 * The whole room compiled for double (the build gives AN_REAL=double) follows float64 trajectories
 * on a badly conditioned quadratic and a small net: those of PyTorch (vectors.py), and those of
 * independent twins of what PyTorch 1.13 lacks (twins.py).
 */
#include "optim/muon.h"
#include "optim/rule.h"

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define VALUES 18
#define PARAMS 5

typedef struct trajectory {
    const char *text;
    int last; /* of the three steps at which values were kept */
    double after[3][VALUES];
} trajectory;

#include "trajectories.inc"
#include "twins.inc"

static const char *const names[PARAMS] = {"q", "w1", "b1", "w2", "b2"};
static const int sizes[PARAMS] = {5, 6, 3, 3, 1};

extern const an_update_table AN_KERNEL_NAME(an__update_table);

/* ------------------------------------------------------ products of doubles */

void an__muon_product(an_context *context, an_real *c, const an_real *a, const an_real *b,
                      int64_t m, int64_t n, int64_t k)
{
    (void)context;
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++) {
                sum += (double)a[i * k + l] * (double)b[l * n + j];
            }
            c[i * n + j] = (an_real)sum;
        }
    }
}

void an__muon_gram(an_context *context, an_real *a, const an_real *x, int64_t rows, int64_t columns,
                   bool tall)
{
    (void)context;
    int64_t side = tall ? columns : rows, other = tall ? rows : columns;
    for (int64_t i = 0; i < side; i++) {
        for (int64_t j = 0; j < side; j++) {
            double sum = 0;
            for (int64_t l = 0; l < other; l++) {
                sum += tall ? (double)x[l * columns + i] * (double)x[l * columns + j]
                            : (double)x[i * columns + l] * (double)x[j * columns + l];
            }
            a[i * side + j] = (an_real)sum;
        }
    }
}

/* ------------------------------------------------------------------ problem */

/* The loss of problem() of vectors.py, and its gradient. */
static double problem(const double p[VALUES], double g[VALUES])
{
    static const double curvature[5] = {1e-4, 1e-2, 0.1, 0.5, 1.0};
    static const double target[5] = {3.0, -2.0, 1.0, 0.5, -1.0};
    static const double x[6][2] = {{0.5, -1.0}, {-1.5, 0.25}, {2.0, 0.75},
                                   {-0.5, 1.5}, {0.25, -2.0}, {-1.0, -0.5}};
    static const double y[6] = {1.0, -0.5, 0.25, 0.75, -1.0, 0.5};
    const double *w1 = p + 5, *b1 = p + 11, *w2 = p + 14;
    double loss = 0;
    memset(g, 0, VALUES * sizeof *g);
    for (int i = 0; i < 5; i++) {
        g[i] = curvature[i] * (p[i] - target[i]);
        loss += g[i] * (p[i] - target[i]) / 2;
    }
    for (int k = 0; k < 6; k++) {
        double hidden[3], out = p[17];
        for (int j = 0; j < 3; j++) {
            hidden[j] = tanh(x[k][0] * w1[2 * j] + x[k][1] * w1[2 * j + 1] + b1[j]);
            out += w2[j] * hidden[j];
        }
        double error = out - y[k], slope = 2 * error / 6;
        loss += error * error / 6;
        for (int j = 0; j < 3; j++) {
            double back = slope * w2[j] * (1 - hidden[j] * hidden[j]);
            g[5 + 2 * j] += back * x[k][0];
            g[6 + 2 * j] += back * x[k][1];
            g[11 + j] += back;
            g[14 + j] += slope * hidden[j];
        }
        g[17] += slope;
    }
    return loss;
}

static const double start[VALUES] = {0.5, -0.25, 2.0, -1.0, 0.75, 0.5, -0.3, -0.2, 0.4,
                                     0.1, 0.6,   0.1, -0.2, 0.05, 0.7, -0.5, 0.3,  0.15};

/* ------------------------------------------------------- an object of doubles */

#define ROOM 512

typedef struct run {
    an_params *params;
    an_optim *optim;
    bool negative; /* who maximises is given the negative loss */
    double values[ROOM], grads[ROOM];
} run;

static void read_flat(const run *r, const double *flat, double out[VALUES])
{
    for (size_t i = 0; i < PARAMS; i++) {
        memcpy(out, flat + an_params_get(r->params, i)->offset, (size_t)sizes[i] * sizeof *out);
        out += sizes[i];
    }
}

static void write_flat(const run *r, const double *in, double *flat)
{
    for (size_t i = 0; i < PARAMS; i++) {
        memcpy(flat + an_params_get(r->params, i)->offset, in, (size_t)sizes[i] * sizeof *in);
        in += sizes[i];
    }
}

/* Loss and gradient where the parameters are. */
static bool closure(void *user, double *loss, an_error *err)
{
    (void)err;
    run *r = user;
    double p[VALUES], g[VALUES];
    read_flat(r, r->values, p);
    *loss = problem(p, g);
    *loss = r->negative ? -*loss : *loss;
    for (int i = 0; i < VALUES; i++) {
        g[i] = r->negative ? -g[i] : g[i];
    }
    write_flat(r, g, r->grads);
    for (size_t i = 0; i < PARAMS; i++) {
        an_params_get(r->params, i)->tensor->has_grad = true;
    }
    return true;
}

/* An optimizer from text, which then works on the doubles of `r`. */
static void begin(run *r, an_params *params, const char *text)
{
    an_error err = {0};
    memset(r, 0, sizeof *r);
    r->params = params;
    r->negative = strstr(text, "maximize") != NULL;
    r->optim = an_optim_parse(params, text, &err);
    if (!r->optim) {
        fail_msg("%s: %s", text, err.message);
        return;
    }
    assert_true(an_params_length(params) <= ROOM);
    r->optim->kernels = &AN_KERNEL_NAME(an__update_table);
    r->optim->values = r->values;
    r->optim->grads = r->grads;
    write_flat(r, start, r->values);
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

static void compare(const run *r, const trajectory *want, int snapshot, int steps)
{
    double p[VALUES];
    read_flat(r, r->values, p);
    for (int i = 0; i < VALUES; i++) {
        double expected = want->after[snapshot][i];
        if (!(fabs(p[i] - expected) <= 1e-10 * fmax(1, fabs(expected)))) {
            fail_msg("%s: value %d after %d steps is %.17g, not %.17g", want->text, i, steps, p[i],
                     expected);
        }
    }
}

static void follow(an_params *params, const trajectory *want)
{
    static run r;
    begin(&r, params, want->text);
    bool searches = an_optim_needs_closure(r.optim);
    const int snapshots[3] = {1, searches ? 2 : 10, want->last};
    double lr[PARAMS] = {0};
    for (size_t i = 0; i < an_optim_group_count(r.optim); i++) {
        lr[i] = an_optim_group(r.optim, i)->slot[AN_LR].value;
    }
    int snapshot = 0;
    for (int step = 0; step < want->last; step++) {
        for (size_t i = 0; !searches && i < an_optim_group_count(r.optim); i++) {
            drive(an_optim_group(r.optim, i), lr[i], step);
        }
        assert_true(an_optim_step_closure(r.optim, closure, &r, NULL, NULL));
        if (step + 1 == snapshots[snapshot]) {
            compare(&r, want, snapshot++, step + 1);
        }
    }
    assert_int_equal(snapshot, 3);
    assert_string_equal(an_optim_text(r.optim), want->text);
    an_optim_free(r.optim);
}

static void follow_all(const trajectory *cases, size_t count)
{
    const an_shape shapes[PARAMS] = {an_shape_1(5), an_shape_2(3, 2), an_shape_1(3),
                                     an_shape_2(1, 3), an_shape_1(1)};
    an_context_options options = {.threads = 1};
    an_context *context = an_context_new(&options, NULL);
    an_params *params = an_params_new(context, NULL);
    for (size_t i = 0; i < PARAMS; i++) {
        an_params_add(params, names[i], shapes[i], NULL);
    }
    assert_true(an_params_build(params, NULL));
    for (size_t i = 0; i < count; i++) {
        follow(params, &cases[i]);
    }
    an_params_free(params);
    an_context_free(context);
}

static void doubles_follow_pytorch(void **state)
{
    (void)state;
    assert_true(sizeof torch_cases / sizeof torch_cases[0] > 80);
    follow_all(torch_cases, sizeof torch_cases / sizeof torch_cases[0]);
}

static void doubles_follow_their_twins(void **state)
{
    (void)state;
    assert_true(sizeof twin_cases / sizeof twin_cases[0] > 30);
    follow_all(twin_cases, sizeof twin_cases / sizeof twin_cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_follow_pytorch),
        cmocka_unit_test(doubles_follow_their_twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
