/* Buffers: declared beside parameters, copied as one block, saved and loaded with PyTorch's types.
 */
#include <anneal/nn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"

static const char path[] = "test-nn-buffers.safetensors";

static int set_up(void **state)
{
    *state = an_context_new(&(an_context_options){.threads = 1}, NULL);
    return *state ? 0 : 1;
}

static int tear_down(void **state)
{
    unlink(path);
    an_context_free(*state);
    return 0;
}

/* What a BatchNorm1d(2) has in PyTorch. */
static an_params *norm_of(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    assert_non_null(an_params_add(params, "weight", an_shape_1(2), NULL));
    assert_non_null(an_params_add_buffer(params, "running_mean", an_shape_1(2), NULL));
    assert_non_null(an_params_add_counter(params, "num_batches_tracked", NULL));
    assert_null(an_params_get_buffer(params, 1)->counter);
    assert_true(an_params_build(params, NULL));
    return params;
}

static void buffers_are_declared_like_parameters(void **state)
{
    an_params *params = norm_of(*state);
    an_error err = {0};
    assert_int_equal(an_params_count(params), 1);
    assert_int_equal(an_params_size(params), 2);
    assert_int_equal(an_params_buffer_count(params), 2);
    const an_buffer *mean = an_params_find_buffer(params, "running_mean");
    const an_buffer *count = an_params_find_buffer(params, "num_batches_tracked");
    assert_ptr_equal(mean, an_params_get_buffer(params, 0));
    assert_true(mean->tensor && !mean->counter && !mean->tensor->requires_grad);
    assert_true(mean->tensor->data[0] == 0 && mean->tensor->data[1] == 0);
    assert_true(!count->tensor && count->counter && *count->counter == 0);
    assert_int_equal((uintptr_t)mean->tensor->data % 64, 0);
    assert_null(an_params_find_buffer(params, "weight"));
    assert_null(an_params_find(params, "running_mean"));
    assert_null(an_params_get_buffer(params, 2));
    assert_null(an_params_add_buffer(params, "late", an_shape_1(1), &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    an_params_free(params);
}

static void names_are_taken_once(void **state)
{
    an_params *params = an_params_new(*state, NULL);
    an_error err = {0};
    assert_non_null(an_params_add(params, "a", an_shape_0(), NULL));
    assert_non_null(an_params_add_buffer(params, "b", an_shape_0(), NULL));
    assert_null(an_params_add_buffer(params, "a", an_shape_0(), &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_null(an_params_add_counter(params, "b", &err));
    assert_null(an_params_add(params, "b", an_shape_0(), &err));
    assert_null(an_params_add_counter(params, "", &err));
    assert_null(an_params_add_buffer(params, "c", an_shape_1(-1), &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    size_t bytes = 1;
    assert_null(an_params_buffer_block(params, &bytes));
    assert_int_equal(bytes, 0);
    an_params_free(params);
}

static void the_block_holds_all_of_them(void **state)
{
    an_params *params = norm_of(*state);
    size_t bytes;
    void *block = an_params_buffer_block(params, &bytes);
    an_tensor *mean = an_params_get_buffer(params, 0)->tensor;
    int64_t *count = an_params_get_buffer(params, 1)->counter;
    void *copy = malloc(bytes);
    assert_non_null(copy);
    mean->data[0] = 1.5f;
    mean->data[1] = -2.5f;
    *count = INT64_C(1) << 40;
    memcpy(copy, block, bytes);
    mean->data[0] = mean->data[1] = 7;
    *count = 7;
    memcpy(block, copy, bytes);
    assert_true(mean->data[0] == 1.5f && mean->data[1] == -2.5f && *count == INT64_C(1) << 40);
    free(copy);
    an_params_free(params);
}

static void files_hold_them(void **state)
{
    static const char want[] =
        "{\"weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
        "\"running_mean\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
        "\"num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[16,24]}}";
    an_params *params = norm_of(*state), *other = norm_of(*state);
    an_params_get(params, 0)->tensor->data[1] = 3;
    an_params_get_buffer(params, 0)->tensor->data[0] = 0.25f;
    *an_params_get_buffer(params, 1)->counter = INT64_C(0x0102030405060708);
    assert_true(an_params_save(params, path, NULL));
    char bytes[512] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_memory_equal(bytes + 8, want, strlen(want));
    assert_memory_equal(bytes + size - 8, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
    an_error err = {0};
    if (!an_params_load(other, path, &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(an_params_get(other, 0)->tensor->data[1] == 3);
    assert_true(an_params_get_buffer(other, 0)->tensor->data[0] == 0.25f);
    assert_true(*an_params_get_buffer(other, 1)->counter == INT64_C(0x0102030405060708));
    an_params_free(params);
    an_params_free(other);
}

/* A file without the buffer, with it as another type, and with one too many. */
static void other_models_files_are_refused(void **state)
{
    static const char *const parts[] = {"num_batches_tracked", "dtype F32, expected I64",
                                        "shape (3,)", "holds 'extra'"};
    for (int k = 0; k < 4; k++) {
        an_params *params = an_params_new(*state, NULL), *norm = norm_of(*state);
        an_error err = {0};
        an_params_add(params, "weight", an_shape_1(2), NULL);
        an_params_add_buffer(params, "running_mean", an_shape_1(k == 2 ? 3 : 2), NULL);
        if (k == 1) {
            an_params_add_buffer(params, "num_batches_tracked", an_shape_0(), NULL);
        } else if (k > 1) {
            an_params_add_counter(params, "num_batches_tracked", NULL);
        }
        if (k == 3) {
            an_params_add_counter(params, "extra", NULL);
        }
        assert_true(an_params_build(params, NULL));
        assert_true(an_params_save(params, path, NULL));
        *an_params_get_buffer(norm, 1)->counter = 5;
        assert_false(an_params_load(norm, path, &err));
        assert_int_equal(err.code, AN_ERROR_STATE);
        if (!strstr(err.message, parts[k])) {
            fail_msg("'%s' is not in '%s'", parts[k], err.message);
        }
        assert_int_equal(*an_params_get_buffer(norm, 1)->counter, 5);
        an_params_free(params);
        an_params_free(norm);
    }
}

static bool declare_all(an_context *context, an_error *err)
{
    an_params *params = an_params_new(context, err);
    bool done = params != NULL;
    for (int i = 0; done && i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "b%d", i);
        done = an_params_add_buffer(params, name, an_shape_1(100), err);
        snprintf(name, sizeof name, "c%d", i);
        done = done && an_params_add_counter(params, name, err);
    }
    done = done && an_params_build(params, err);
    an_params_free(params);
    return done;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    every_allocation_fails(declare_all, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_are_declared_like_parameters),
        cmocka_unit_test(names_are_taken_once),
        cmocka_unit_test(the_block_holds_all_of_them),
        cmocka_unit_test(files_hold_them),
        cmocka_unit_test(other_models_files_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
