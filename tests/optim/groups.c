/* Parameter groups, steps that skip parameters, and gradients that add up. */
#include "optim/rule.h"

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

typedef struct fixture {
    an_context *context;
    an_params *params;
} fixture;

static const char *const names[] = {"0.weight", "0.bias", "2.weight", "2.bias"};
static const int64_t sizes[] = {6, 3, 40, 5};

static int set_up(void **state)
{
    static fixture f;
    an_context_options options = {.threads = 2};
    f.context = an_context_new(&options, NULL);
    f.params = an_params_new(f.context, NULL);
    for (size_t i = 0; i < 4; i++) {
        an_params_add(f.params, names[i], an_shape_1(sizes[i]), NULL);
    }
    an_params_build(f.params, NULL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    an_params_free(f->params);
    an_context_free(f->context);
    return 0;
}

/* All values of parameter `index` to `value`, and its gradient to `grad` (NaN: none). */
static void put(an_params *params, size_t index, float value, float grad)
{
    an_tensor *tensor = an_params_get(params, index)->tensor;
    tensor->has_grad = !isnan(grad);
    for (int64_t i = 0; i < tensor->size; i++) {
        tensor->data[i] = value;
        tensor->grad[i] = isnan(grad) ? 1e30f : grad;
    }
}

static void assert_all(an_params *params, size_t index, double value)
{
    const an_tensor *tensor = an_params_get(params, index)->tensor;
    for (int64_t i = 0; i < tensor->size; i++) {
        if (!(fabs(tensor->data[i] - value) <= 1e-6)) {
            fail_msg("%s[%d] is %g, not %g", names[index], (int)i, tensor->data[i], value);
        }
    }
}

static void patterns_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"", "", true},       {"", "a", false},           {"*", "", true},
        {"*", "abc", true},   {"a*", "abc", true},        {"*c", "abc", true},
        {"*b*", "abc", true}, {"a?c", "abc", true},       {"a?c", "ac", false},
        {"?", "", false},     {"*.bias", "0.bias", true}, {"*.bias", "0.bias2", false},
        {"**a", "bba", true}, {"a*b*c", "aXbXbc", true},  {"a*b*c", "aXbXb", false},
        {"abc", "ab", false}, {"ab", "abc", false},       {"*ab", "aab", true},
        {"a**", "a", true},   {"?*?", "a", false},        {"[ab]", "a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (an__name_matches(cases[i].pattern, cases[i].name) != cases[i].matches) {
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
        }
    }
}

static void groups_take_their_parameters(void **state)
{
    fixture *f = *state;
    an_optim *optim =
        an_optim_parse(f->params,
                       "SGD([dict(params='*.bias', weight_decay=0), dict(params='0.*', lr=0.5)], "
                       "lr=0.25, weight_decay=0.5)",
                       NULL);
    assert_int_equal(an_optim_group_count(optim), 3);
    assert_int_equal(an_optim_group_size(optim, 0), 8);
    assert_int_equal(an_optim_group_size(optim, 1), 6);
    assert_int_equal(an_optim_group_size(optim, 2), 40);
    assert_int_equal(an_optim_group_size(optim, 3), 0);
    assert_null(an_optim_group(optim, 3));
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(an_optim_groups(optim)[i], an_optim_group(optim, i));
    }
    for (size_t i = 0; i < 4; i++) {
        put(f->params, i, 1, 1);
    }
    an_optim_step(optim);
    assert_all(f->params, 0, 1 - 0.5 * 1.5);
    assert_all(f->params, 1, 1 - 0.25);
    assert_all(f->params, 2, 1 - 0.25 * 1.5);
    assert_all(f->params, 3, 1 - 0.25);
    an_optim_free(optim);
}

static void all_in_groups_leaves_no_rest(void **state)
{
    fixture *f = *state;
    an_error bare = {0};
    assert_null(an_optim_parse(f->params, "SGD(dict(params='*'), lr=0.25)", &bare));
    assert_non_null(strstr(bare.message, "parameter groups are a list, in brackets: SGD([dict("));
    an_optim *optim = an_optim_parse(f->params, "SGD([dict(params='*')], lr=0.25)", NULL);
    assert_int_equal(an_optim_group_count(optim), 1);
    assert_int_equal(an_optim_group_size(optim, 0), 54);
    an_optim_free(optim);
}

static void added_groups_copy_the_first(void **state)
{
    fixture *f = *state;
    an_sgd_options options = {.lr = 0.25, .momentum = 0};
    an_optim *optim = an_sgd_new(f->params, &options, NULL);
    an_lr_group *first = an_optim_group(optim, 0);
    first->slot[AN_WEIGHT_DECAY].value = 0.5;
    an_error err = {0};
    assert_int_equal(an_optim_add_group(optim, "x*", &err), -1);
    assert_string_equal(err.message, "SGD: no parameter is called 'x*'");
    assert_int_equal(an_optim_group_count(optim), 1);
    for (int i = 1; i <= 9; i++) {
        assert_int_equal(an_optim_add_group(optim, i % 2 ? "*.bias" : "0.*", NULL), i);
    }
    assert_ptr_equal(an_optim_group(optim, 0), first);
    assert_ptr_equal(an_optim_groups(optim)[0], first);
    assert_true(an_optim_group(optim, 9)->slot[AN_WEIGHT_DECAY].value == 0.5);
    assert_int_equal(an_optim_group_size(optim, 0), 40);
    assert_int_equal(an_optim_group_size(optim, 8), 6);
    assert_int_equal(an_optim_group_size(optim, 9), 8);
    an_optim_group(optim, 9)->slot[AN_LR].value = 1;
    for (size_t i = 0; i < 4; i++) {
        put(f->params, i, 1, 1);
    }
    an_optim_step(optim);
    assert_all(f->params, 0, 1 - 0.25 * 1.5);
    assert_all(f->params, 1, 1 - 1.5);
    assert_all(f->params, 2, 1 - 0.25 * 1.5);
    an_optim_free(optim);
}

static an_params *matrices(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    assert_non_null(an_params_add(params, "small", an_shape_2(2, 2), NULL));
    assert_non_null(an_params_add(params, "large", an_shape_2(40, 30), NULL));
    assert_non_null(an_params_add(params, "bias", an_shape_1(7), NULL));
    assert_true(an_params_build(params, NULL));
    for (size_t i = 0; i < 3; i++) {
        put(params, i, 1, 1);
    }
    return params;
}

/* Muon's scratch holds the matrices of its groups, also of those that come later. */
static void a_matrix_may_come_to_muon_later(void **state)
{
    fixture *f = *state;
    an_params *params = matrices(f->context);
    an_optim *optim = an_optim_parse(params,
                                     "Muon([dict(params='small'), dict(params='*', "
                                     "use_muon=False)], lr=0.5, weight_decay=0)",
                                     NULL);
    assert_true(an_optim_step(optim));
    assert_int_equal(an_optim_add_group(optim, "large", NULL), 2);
    const an_tensor *large = an_params_get(params, 1)->tensor;
    float before = large->data[0];
    assert_true(an_optim_step(optim));
    assert_true(isfinite(large->data[1199]) && large->data[0] < before);
    an_optim_free(optim);
    an_params_free(params);
}

/* A group that the rule cannot work on is not made, and every parameter stays where it was. */
static void a_refused_group_changes_nothing(void **state)
{
    fixture *f = *state;
    an_params *params = matrices(f->context);
    an_optim *optim = an_optim_parse(
        params, "Muon([dict(params='s*'), dict(params='*', use_muon=False)], lr=0.5)", NULL);
    an_error err = {0};
    assert_int_equal(an_optim_add_group(optim, "*", &err), -1);
    assert_string_equal(err.message, "Muon updates matrices, and 'bias' is (7,); put it into a "
                                     "group that AdamW updates: Muon([dict(params='bias', "
                                     "use_muon=False)])");
    assert_int_equal(an_optim_group_count(optim), 2);
    assert_int_equal(an_optim_group_size(optim, 0), 4);
    assert_int_equal(an_optim_group_size(optim, 1), 1207);
    assert_true(an_optim_step(optim));
    an_optim_free(optim);
    an_params_free(params);
}

static void no_gradient_no_change(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "AdamW(lr=0.5, weight_decay=0.5)", NULL);
    for (size_t i = 0; i < 4; i++) {
        put(f->params, i, 1, i == 2 ? 1 : NAN);
    }
    an_optim_step(optim);
    assert_all(f->params, 0, 1);
    assert_all(f->params, 1, 1);
    assert_all(f->params, 2, 0.75 - 0.5);
    assert_all(f->params, 3, 1);
    an_optim_zero_grad(optim);
    an_optim_step(optim);
    assert_all(f->params, 2, 0.25);
    assert_int_equal(an_optim_step_count(optim), 2);
    an_optim_free(optim);
}

/* A first Adam step moves by lr whatever the gradient, so a wrong step count shows at once. */
static void each_parameter_counts_its_own_steps(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "Adam(lr=0.125, eps=1e-12)", NULL);
    for (int step = 0; step < 10; step++) {
        put(f->params, 0, 0, step % 2 ? NAN : -3);
        put(f->params, 1, 0, -3);
        put(f->params, 2, 0, step == 9 ? 1e-6f : NAN);
        put(f->params, 3, 0, step < 5 ? 7 : -7);
        an_optim_step(optim);
        assert_all(f->params, 0, step % 2 ? 0 : 0.125);
        assert_all(f->params, 1, 0.125);
        assert_all(f->params, 2, step == 9 ? -0.125 : 0);
    }
    an_optim_free(optim);
}

/* The buffer starts undampened at a parameter's first gradient, also where momentum comes later. */
static void momentum_starts_at_the_first_gradient(void **state)
{
    fixture *f = *state;
    an_optim *optim = an_optim_parse(f->params, "SGD(lr=1, momentum=0.5, dampening=0.75)", NULL);
    an_slot *momentum = &an_optim_group(optim, 0)->slot[AN_MOMENTUM];
    momentum->value = 0;
    for (size_t i = 0; i < 4; i++) {
        put(f->params, i, 0, 1);
    }
    an_optim_step(optim);
    assert_all(f->params, 0, -1);
    momentum->value = 0.5;
    put(f->params, 1, 0, NAN);
    an_optim_step(optim);
    assert_all(f->params, 0, -2);
    assert_all(f->params, 1, 0);
    put(f->params, 1, 0, 1);
    an_optim_step(optim);
    assert_all(f->params, 0, -2 - (0.5 + 0.25));
    assert_all(f->params, 1, -1);
    momentum->value = 0;
    an_optim_step(optim);
    assert_all(f->params, 0, -2.75 - 1);
    an_optim_free(optim);
}

/* A call of every optimizer for a model with "0.bias" and "2.bias", so that it can make a step. */
static void call_of(const char *name, char *text, size_t size)
{
    bool muon = strcmp(name, "Muon") == 0, mechanic = strcmp(name, "Mechanic") == 0;
    an_format(text, size,
              muon       ? "%s([dict(params='*', use_muon=False)], lr=0.01)"
              : mechanic ? "%s(SGD(lr=0.01, momentum=0.9))"
                         : "%s(lr=0.01)",
              name);
}

static bool no_closure(void *user, double *loss, an_error *err)
{
    (void)user;
    (void)err;
    *loss = 1;
    return true;
}

static void assert_gaps_zero(const fixture *f, const char *text)
{
    for (int step = 0; step < 3; step++) {
        for (size_t i = 0; i < 4; i++) {
            put(f->params, i, 1, (float)i - 1.5f);
        }
        an_optim *optim = an_optim_parse(f->params, text, NULL);
        assert_non_null(optim);
        for (int k = 0; k < 3; k++) {
            assert_true(an_optim_step_closure(optim, no_closure, NULL, NULL, NULL));
            an_optim_eval(optim);
            an_optim_train(optim);
        }
        an_optim_free(optim);
        for (size_t i = 0; i < 4; i++) {
            put(f->params, i, 0, 0);
        }
        const float *values = an_params_values(f->params);
        for (int64_t i = 0; i < an_params_length(f->params); i++) {
            if (values[i] != 0) {
                fail_msg("%s: a gap holds %g", text, (double)values[i]);
            }
        }
    }
}

static void gaps_stay_zero(void **state)
{
    const fixture *f = *state;
    static const char *const texts[] = {"Adam(eps=0)",
                                        "AdamW(amsgrad=True, maximize=True)",
                                        "SGD(momentum=0.9, weight_decay=0.1)",
                                        "NAdam(eps=0)",
                                        "RAdam(eps=0, betas=(0.5, 0.5))",
                                        "Adamax(eps=0)",
                                        "Adagrad(eps=0)",
                                        "Adadelta(eps=0)",
                                        "RMSprop(eps=0, centered=True)",
                                        "LAMB(eps=0)",
                                        "AdamWScheduleFree(eps=0)",
                                        "Adagrad(initial_accumulator_value=1)",
                                        "Adam(eps=1e-60)",
                                        "RMSprop(eps=1e-60)"};
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        assert_gaps_zero(f, texts[k]);
    }
    for (const char *const *name = an_optim_names(); *name; name++) {
        char text[80];
        call_of(*name, text, sizeof text);
        assert_gaps_zero(f, text);
    }
}

enum { SIDE = 317, SIZE = SIDE * SIDE };

/* The values after five steps on `threads` threads. */
static void step_on(int threads, const char *text, float *result)
{
    an_context_options options = {.threads = threads};
    an_context *context = an_context_new(&options, NULL);
    an_params *params = an_params_new(context, NULL);
    an_tensor *w = an_params_add(params, "w", an_shape_2(SIDE, SIDE), NULL);
    assert_true(an_params_build(params, NULL));
    an_optim *optim = an_optim_parse(params, text, NULL);
    assert_non_null(optim);
    for (int step = 0; step < 5; step++) {
        for (int64_t i = 0; i < SIZE; i++) {
            w->grad[i] = (float)((i * 7919 + step * 31) % 1001) / 500 - 1;
        }
        w->has_grad = true;
        assert_true(an_optim_step_closure(optim, no_closure, NULL, NULL, NULL));
    }
    memcpy(result, w->data, SIZE * sizeof *result);
    an_optim_free(optim);
    an_params_free(params);
    an_context_free(context);
}

/* Many values, so that several threads share a run: the same bits as on one. */
static void threads_change_no_bit(void **state)
{
    (void)state;
    static float result[2][SIZE];
    static const char *const more[] = {"AdamW(lr=0.01, amsgrad=True)",
                                       "SGD(lr=0.01, momentum=0.9, nesterov=True)"};
    for (size_t k = 0; k < 2; k++) {
        step_on(1, more[k], result[0]);
        step_on(3, more[k], result[1]);
        assert_memory_equal(result[0], result[1], sizeof result[0]);
    }
    for (const char *const *name = an_optim_names(); *name; name++) {
        char text[80];
        call_of(*name, text, sizeof text);
        step_on(1, text, result[0]);
        step_on(3, text, result[1]);
        for (int i = 0; i < SIZE; i++) {
            if (result[0][i] != result[1][i]) {
                fail_msg("%s depends on the threads", text);
            }
        }
    }
}

static void gradients_add_up_until_zero_grad(void **state)
{
    fixture *f = *state;
    an_params *params = an_params_new(f->context, NULL);
    an_tensor *w = an_params_add(params, "w", an_shape_1(3), NULL);
    assert_true(an_params_build(params, NULL));
    an_graph *graph = an_graph_new(f->context, NULL);
    an_sgd_options options = {.lr = 1};
    an_optim *optim = an_sgd_new(params, &options, NULL);
    for (int update = 0; update < 2; update++) {
        for (int micro = 1; micro <= 3; micro++) {
            const float x[3] = {1, (float)micro, -1};
            an_tensor *loss = an_sum(graph, an_mul(graph, w, an_from(graph, x, an_shape_1(3))));
            assert_true(an_backward(graph, loss, NULL));
            assert_true(an_graph_reset(graph, NULL));
        }
        an_optim_step(optim);
        an_optim_zero_grad(optim);
        assert_null(an_tensor_grad(w));
    }
    assert_true(w->data[0] == -6 && w->data[1] == -12 && w->data[2] == 6);
    an_optim_free(optim);
    an_graph_free(graph);
    an_params_free(params);
}

/* Makes and steps the optimizer with request `n` failing; true when all came. */
static bool make_with_failure(const char *text, bool add, long n)
{
    failing_allocator failing = {.fail_at = -1};
    an_context_options options = {.threads = 1, .allocator = failing_hooks(&failing)};
    an_context *context = an_context_new(&options, NULL);
    an_params *params = an_params_new(context, NULL);
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(an_params_add(params, names[i], an_shape_1(sizes[i]), NULL));
    }
    assert_true(an_params_build(params, NULL));
    failing.requests = 0;
    failing.fail_at = n;
    an_error err = {0};
    an_optim *optim = an_optim_parse(params, text, &err);
    bool made = optim && (!add || an_optim_add_group(optim, "2.*", &err) > 0);
    bool all_came = failing.requests <= n;
    assert_true(made || err.code == AN_ERROR_MEMORY);
    assert_true(made || !all_came);
    long before = failing.requests;
    for (size_t i = 0; optim && i < 4; i++) {
        put(params, i, 1, 1);
    }
    if (optim) {
        assert_true(an_optim_step_closure(optim, no_closure, NULL, NULL, NULL));
        an_clip_grad_norm(params, 1);
        an_clip_grad_value(params, 1);
        assert_int_equal(failing.requests, before);
    }
    an_optim_free(optim);
    an_params_free(params);
    an_context_free(context);
    assert_int_equal(failing.blocks, 0);
    assert_int_equal(failing.bytes, 0);
    return all_came;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const char grouped[] =
        "Adam([dict(params='*.bias', amsgrad=True), dict(params='0.*')], lr=0.5)";
    long n = 0;
    while (!make_with_failure(grouped, true, n)) {
        n++;
    }
    assert_true(n > 2);
    for (const char *const *name = an_optim_names(); *name; name++) {
        char text[80];
        call_of(*name, text, sizeof text);
        for (n = 0; !make_with_failure(text, false, n); n++) {
        }
        assert_true(n > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(groups_take_their_parameters),
        cmocka_unit_test(all_in_groups_leaves_no_rest),
        cmocka_unit_test(added_groups_copy_the_first),
        cmocka_unit_test(a_matrix_may_come_to_muon_later),
        cmocka_unit_test(a_refused_group_changes_nothing),
        cmocka_unit_test(no_gradient_no_change),
        cmocka_unit_test(each_parameter_counts_its_own_steps),
        cmocka_unit_test(momentum_starts_at_the_first_gradient),
        cmocka_unit_test(gaps_stay_zero),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(gradients_add_up_until_zero_grad),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
