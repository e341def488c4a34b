/* The table of an optimizer's state: a run that is cut and carried on there gives the same bits. */
#include <anneal/optim.h>

#include <string.h>

#include "../base/cmocka_all.h"

#define PARAMS 3
#define STEPS 12

static const char *const names[PARAMS] = {"0.weight", "0.bias", "2.weight"};

static an_context *context;

static int set_up(void **state)
{
    (void)state;
    an_context_options options = {.threads = 2};
    context = an_context_new(&options, NULL);
    return context ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    an_context_free(context);
    return 0;
}

static an_params *make_params(void)
{
    const an_shape shapes[PARAMS] = {an_shape_2(5, 7), an_shape_1(5), an_shape_2(3, 5)};
    an_params *params = an_params_new(context, NULL);
    for (size_t i = 0; i < PARAMS; i++) {
        assert_non_null(an_params_add(params, names[i], shapes[i], NULL));
    }
    assert_true(an_params_build(params, NULL));
    for (size_t i = 0; i < PARAMS; i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        for (int64_t k = 0; k < tensor->size; k++) {
            tensor->data[k] = (float)((k * 37 + (int64_t)i * 11) % 19) / 10 - 0.85f;
        }
    }
    return params;
}

/* Gradients that depend on the values; the bias has none in every third step. */
static void set_gradients(an_params *params, int step)
{
    for (size_t i = 0; i < PARAMS; i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        tensor->has_grad = i != 1 || step % 3 != 1;
        for (int64_t k = 0; k < tensor->size; k++) {
            float noise = (float)((k * 7919 + step * 31) % 101) / 100 - 0.5f;
            tensor->grad[k] = tensor->data[k] * 0.5f + noise;
        }
    }
}

typedef struct moment {
    an_params *params;
    int step;
} moment;

static bool closure(void *user, double *loss, an_error *err)
{
    (void)err;
    moment *now = user;
    set_gradients(now->params, now->step);
    *loss = 0;
    for (int64_t i = 0; i < an_params_length(now->params); i++) {
        double value = an_params_values(now->params)[i];
        *loss += value * value / 4;
    }
    return true;
}

static void steps(an_optim *optim, an_params *params, int from, int to)
{
    for (int step = from; step < to; step++) {
        moment now = {params, step};
        assert_true(an_optim_step_closure(optim, closure, &now, NULL, NULL));
    }
}

static size_t width(an_state_kind kind)
{
    return kind == AN_STATE_FLOAT ? sizeof(float) : sizeof(double);
}

/* Copies the whole state, entry by entry, as a checkpoint would. */
static void copy_state(an_optim *to, an_optim *from)
{
    size_t count = an_optim_state_count(from);
    assert_int_equal(an_optim_state_count(to), count);
    for (size_t i = 0; i < count; i++) {
        an_optim_state a = an_optim_state_get(from, i), b = an_optim_state_get(to, i);
        assert_string_equal(a.name, b.name);
        assert_true(a.layout == b.layout && a.kind == b.kind && a.count == b.count);
        assert_ptr_not_equal(a.data, b.data);
        memcpy(b.data, a.data, (size_t)a.count * width(a.kind));
    }
}

static size_t bytes(const an_params *params)
{
    return (size_t)an_params_length(params) * sizeof(float);
}

/* Half of the steps, the state copied into another optimizer, the other half: as in one go. */
static void cut_and_go_on(const char *text)
{
    an_params *whole = make_params(), *first = make_params(), *second = make_params();
    an_optim *a = an_optim_parse(whole, text, NULL), *b = an_optim_parse(first, text, NULL);
    an_optim *c = an_optim_parse(second, text, NULL);
    assert_true(a && b && c);
    steps(a, whole, 0, STEPS);
    steps(b, first, 0, STEPS / 2);
    copy_state(c, b);
    memcpy(an_params_values(second), an_params_values(first), bytes(first));
    steps(c, second, STEPS / 2, STEPS);
    if (memcmp(an_params_values(whole), an_params_values(second), bytes(whole)) != 0) {
        fail_msg("%s goes on elsewhere", text);
    }
    assert_int_equal(an_optim_step_count(c), STEPS);
    an_optim_free(a);
    an_optim_free(b);
    an_optim_free(c);
    an_params_free(whole);
    an_params_free(first);
    an_params_free(second);
}

static void a_copied_state_goes_on_exactly(void **state)
{
    (void)state;
    static const char *const more[] = {
        "SGD(lr=0.1, momentum=0.9, dampening=0.25)",
        "LBFGS(lr=0.5, max_iter=3, history_size=4, line_search_fn='strong_wolfe')",
        "Mechanic(NAdam([dict(params='*.bias', weight_decay=0.5)], lr=0.01))",
        "RMSprop(lr=0.01, momentum=0.5, centered=True)",
        "Adam([dict(params='*.bias', amsgrad=True)], lr=0.01)",
    };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        cut_and_go_on(more[i]);
    }
    for (const char *const *name = an_optim_names(); *name; name++) {
        char text[80];
        bool muon = strcmp(*name, "Muon") == 0, mechanic = strcmp(*name, "Mechanic") == 0;
        an_format(text, sizeof text,
                  muon       ? "%s([dict(params='*.bias', use_muon=False)], lr=0.01)"
                  : mechanic ? "%s(Adam(lr=0.01, amsgrad=True))"
                             : "%s(lr=0.01)",
                  *name);
        cut_and_go_on(text);
    }
}

static void the_table_says_what_is_there(void **state)
{
    (void)state;
    an_params *params = make_params();
    an_optim *optim = an_optim_parse(params, "Adam(amsgrad=True)", NULL);
    static const char *const want[] = {"step_count", "step", "exp_avg", "exp_avg_sq",
                                       "max_exp_avg_sq"};
    assert_int_equal(an_optim_state_count(optim), 5);
    for (size_t i = 0; i < 5; i++) {
        an_optim_state entry = an_optim_state_get(optim, i);
        assert_string_equal(entry.name, want[i]);
        assert_int_equal(entry.count, i == 0 ? 1 : i == 1 ? PARAMS : an_params_length(params));
        assert_int_equal(entry.layout, i == 0   ? AN_STATE_PLAIN
                                       : i == 1 ? AN_STATE_PER_PARAM
                                                : AN_STATE_PER_VALUE);
    }
    assert_null(an_optim_state_get(optim, 5).name);
    assert_null(an_optim_state_get(optim, 5).data);
    steps(optim, params, 0, 3);
    const int64_t *counts = an_optim_state_get(optim, 1).data;
    assert_true(counts[0] == 3 && counts[1] == 2 && counts[2] == 3);
    an_optim_free(optim);
    an_params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copied_state_goes_on_exactly),
        cmocka_unit_test(the_table_says_what_is_there),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
