/*
 * Optimizers fed with recorded gradients against PyTorch's parameters (vectors.py): every
 * combination of options, several groups, gradients missing at times, slots changed between steps.
 */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"

#define STEPS 200
#define VALUES 19

typedef struct update_case {
    const char *text;
    float after[3][VALUES];
} update_case;

#include "updates.inc"

#define CASES (sizeof cases / sizeof cases[0])
#define PARAMS 4

static const int snapshots[] = {1, 10, 200};
static const char *const names[PARAMS] = {"a.weight", "a.bias", "b.weight", "b.bias"};
static const int sizes[PARAMS] = {7, 3, 8, 1};

static an_params *make_params(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    for (int i = 0; i < PARAMS; i++) {
        assert_non_null(an_params_add(params, names[i], an_shape_1(sizes[i]), NULL));
    }
    assert_true(an_params_build(params, NULL));
    const float *next = initial;
    for (size_t i = 0; i < PARAMS; i++) {
        memcpy(an_params_get(params, i)->tensor->data, next, (size_t)sizes[i] * sizeof *next);
        next += sizes[i];
    }
    return params;
}

/* Puts the recorded gradients of `step` in, as a backward pass would. */
static void set_gradients(an_params *params, int step)
{
    const short *next = gradients[step];
    for (size_t i = 0; i < PARAMS; i++) {
        const an_param *param = an_params_get(params, i);
        float *grad = an_params_grads(params) + param->offset;
        param->tensor->has_grad = !(absent[step] >> i & 1);
        for (int k = 0; k < sizes[i]; k++) {
            grad[k] = param->tensor->has_grad ? (float)*next / 8192 : 1e30f;
            next++;
        }
    }
}

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

static void compare(const update_case *want, int snapshot, const an_params *params)
{
    const float *expected = want->after[snapshot];
    for (size_t i = 0; i < PARAMS; i++) {
        for (int k = 0; k < sizes[i]; k++, expected++) {
            double got = an_params_get(params, i)->tensor->data[k];
            if (!(fabs(got - *expected) <= 1e-6 * fabs((double)*expected))) {
                fail_msg("%s: %s[%d] after %d steps is %.9g, PyTorch has %.9g", want->text,
                         names[i], k, snapshots[snapshot], got, *expected);
            }
        }
    }
}

static void follow(an_context *context, const update_case *want)
{
    an_error err = {0};
    an_params *params = make_params(context);
    an_optim *optim = an_optim_parse(params, want->text, &err);
    if (!optim) {
        fail_msg("%s", err.message);
    }
    size_t groups = an_optim_group_count(optim);
    double lr[PARAMS] = {0};
    for (size_t i = 0; i < groups; i++) {
        lr[i] = an_optim_group(optim, i)->slot[AN_LR].value;
    }
    int snapshot = 0;
    for (int step = 0; step < STEPS; step++) {
        for (size_t i = 0; i < groups; i++) {
            drive(an_optim_group(optim, i), lr[i], step);
        }
        set_gradients(params, step);
        an_optim_step(optim);
        if (step + 1 == snapshots[snapshot]) {
            compare(want, snapshot++, params);
        }
    }
    assert_int_equal(an_optim_step_count(optim), STEPS);
    assert_string_equal(an_optim_text(optim), want->text);
    an_optim_free(optim);
    an_params_free(params);
}

static void floats_equal_pytorch(void **state)
{
    (void)state;
    static const int widths[] = {128, 256, 512};
    assert_true(CASES > 30);
    for (size_t w = 0; w < 3; w++) {
        an_context_options options = {.threads = 2, .vector_bits = widths[w]};
        an_context *context = an_context_new(&options, NULL);
        for (size_t i = 0; context && i < CASES; i++) {
            follow(context, &cases[i]);
        }
        an_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(floats_equal_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
