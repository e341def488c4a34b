/* Parameters: layout of the flat vectors, names, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <anneal/autograd.h>

#include "limited.h"

static an_context *context;

static int setup(void **state)
{
    (void)state;
    context = an_context_new(
        &(an_context_options){.threads = 1, .allocator = {limited_resize, NULL}}, NULL);
    return context ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    an_context_free(context);
    return 0;
}

static void test_layout(void **state)
{
    (void)state;
    an_error err = {0};
    an_params *params = an_params_new(context, &err);
    an_tensor *weight = an_params_add(params, "0.weight", an_shape_2(3, 7), &err);
    an_tensor *bias = an_params_add(params, "0.bias", an_shape_1(3), &err);
    an_tensor *none = an_params_add(params, "none", an_shape_2(0, 5), &err);
    an_tensor *scale = an_params_add(params, "scale", an_shape_0(), &err);
    assert_null(weight->data);
    assert_null(an_params_values(params));
    assert_null(an_params_grads(params));
    assert_int_equal(an_params_length(params), 0);
    assert_true(an_params_build(params, &err));
    assert_true(an_params_build(params, &err));

    assert_int_equal(an_params_count(params), 4);
    assert_int_equal(an_params_size(params), 25);
    assert_int_equal(an_params_length(params), 32 + 16 + 16);
    float *values = an_params_values(params), *grads = an_params_grads(params);
    assert_int_equal((uintptr_t)values % 64, 0);
    assert_int_equal((uintptr_t)grads % 64, 0);
    for (int64_t i = 0; i < an_params_length(params); i++)
        assert_true(values[i] == 0 && grads[i] == 0);
    assert_ptr_equal(weight->data, values);
    assert_ptr_equal(bias->data, values + 32);
    assert_ptr_equal(bias->grad, grads + 32);
    assert_ptr_equal(scale->data, values + 48);
    assert_non_null(none->data);
    assert_true(weight->requires_grad && !weight->has_grad);
    assert_ptr_equal(an_params_context(params), context);

    const an_param *found = an_params_find(params, "0.bias");
    assert_ptr_equal(found, an_params_get(params, 1));
    assert_ptr_equal(found->tensor, bias);
    assert_int_equal(found->offset, 32);
    assert_string_equal(found->name, "0.bias");
    assert_null(an_params_find(params, "1.bias"));
    assert_null(an_params_get(params, 4));
    an_params_free(params);
    an_params_free(NULL);
}

static void test_tensors_never_move(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    an_tensor *tensors[COUNT];
    an_params *params = an_params_new(context, NULL);
    char name[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "p%d", i);
        tensors[i] = an_params_add(params, name, an_shape_1(i), NULL);
        assert_non_null(tensors[i]);
    }
    assert_true(an_params_build(params, NULL));
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "p%d", i);
        const an_param *param = an_params_find(params, name);
        assert_ptr_equal(param->tensor, tensors[i]);
        assert_int_equal(param->tensor->size, i);
        assert_ptr_equal(param->tensor->data, an_params_values(params) + param->offset);
        assert_int_equal(param->offset % 16, 0);
    }
    an_params_free(params);
}

static void refused(an_params *params, const char *name, an_shape shape, an_error_code code,
                    const char *message)
{
    an_error err = {0};
    assert_null(an_params_add(params, name, shape, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.message, message))
        fail_msg("expected \"%s\", got \"%s\"", message, err.message);
    assert_null(an_params_add(params, name, shape, NULL));
}

static void test_errors(void **state)
{
    (void)state;
    an_params *params = an_params_new(context, NULL);
    const int64_t huge = (int64_t)1 << 59;
    assert_non_null(an_params_add(params, "w", an_shape_1(4), NULL));
    refused(params, "w", an_shape_1(4), AN_ERROR_ARGUMENT, "'w': the name is taken");
    refused(params, "", an_shape_1(4), AN_ERROR_ARGUMENT, "needs a name");
    refused(params, NULL, an_shape_1(4), AN_ERROR_ARGUMENT, "needs a name");
    refused(params, "v", an_shape_1(-4), AN_ERROR_SHAPE, "'v': a parameter of shape (-4,)");
    refused(params, "v", (an_shape){.ndim = 99}, AN_ERROR_SHAPE, "'v'");
    assert_non_null(an_params_add(params, "big", an_shape_1(huge), NULL));
    refused(params, "v", an_shape_1(huge), AN_ERROR_SHAPE, "'v'");
    an_error err = {0};
    assert_false(an_params_build(params, &err));
    assert_int_equal(err.code, AN_ERROR_MEMORY);
    an_params_free(params);

    params = an_params_new(context, NULL);
    assert_true(an_params_build(params, &err));
    assert_int_equal(an_params_size(params), 0);
    refused(params, "w", an_shape_1(4), AN_ERROR_STATE, "laid out already");
    an_params_zero_grad(params);
    an_params_free(params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_tensors_never_move),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
