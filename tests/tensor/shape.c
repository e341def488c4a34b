/* Shapes and tensors that stand alone. */
#include <anneal/tensor.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_size(void **state)
{
    (void)state;
    assert_int_equal(an_shape_size(an_shape_0()), 1);
    assert_int_equal(an_shape_size(an_shape_1(7)), 7);
    assert_int_equal(an_shape_size(an_shape_2(64, 784)), 50176);
    assert_int_equal(an_shape_size(an_shape_3(2, 3, 4)), 24);
    assert_int_equal(an_shape_size(an_shape_4(2, 3, 4, 5)), 120);
    assert_int_equal(an_shape_size(an_shape_2(0, 5)), 0);
    assert_int_equal(an_shape_size(an_shape_2(-1, 5)), -1);
    assert_int_equal(an_shape_size(an_shape_2(0, -1)), -1);
    const int64_t huge = (int64_t)1 << 40;
    assert_int_equal(an_shape_size(an_shape_2(huge, huge)), -1);
    assert_int_equal(an_shape_size(an_shape_3(huge, huge, 0)), 0);
    assert_int_equal(an_shape_size(an_shape_2(huge, 1 << 20)), (int64_t)1 << 60);
    assert_int_equal(an_shape_size(an_shape_2(huge, (1 << 20) + 1)), -1);
    assert_int_equal(an_shape_size(an_shape_1(INT64_MAX)), -1);
    assert_int_equal(an_shape_size((an_shape){.ndim = -1}), -1);
    assert_int_equal(an_shape_size((an_shape){.ndim = AN_MAX_DIMS + 1}), -1);
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(an_shape_equal(an_shape_2(2, 3), an_shape_2(2, 3)));
    assert_false(an_shape_equal(an_shape_2(2, 3), an_shape_2(3, 2)));
    assert_false(an_shape_equal(an_shape_2(2, 1), an_shape_1(2)));
    assert_true(an_shape_equal(an_shape_0(), an_shape_0()));
    /* What lies beyond ndim does not count. */
    assert_true(an_shape_equal((an_shape){.ndim = 1, .dim = {4, 9}}, an_shape_1(4)));
}

static void check_text(an_shape shape, const char *expected)
{
    char text[200];
    assert_int_equal(an_shape_print(text, sizeof text, shape), strlen(expected));
    assert_string_equal(text, expected);
}

static void test_print(void **state)
{
    (void)state;
    check_text(an_shape_0(), "()");
    check_text(an_shape_1(3), "(3,)");
    check_text(an_shape_2(64, 784), "(64, 784)");
    check_text(an_shape_4(0, 1, -2, 3), "(0, 1, -2, 3)");
    const int64_t least = INT64_MIN;
    check_text((an_shape){.ndim = 6, .dim = {least, least, least, least, least, least}},
               "(-9223372036854775808, -9223372036854775808, -9223372036854775808, "
               "-9223372036854775808, -9223372036854775808, -9223372036854775808)");
    char small[5];
    assert_int_equal(an_shape_print(small, sizeof small, an_shape_2(64, 784)), 9);
    assert_true(memchr(small, 0, sizeof small) != NULL);
    assert_int_equal(an_shape_print(NULL, 0, an_shape_2(64, 784)), 9);
}

static void check_broadcast(an_shape a, an_shape b, an_shape expected)
{
    an_shape out;
    assert_true(an_shape_broadcast(a, b, &out));
    assert_true(an_shape_equal(out, expected));
    assert_true(an_shape_broadcast(b, a, &out));
    assert_true(an_shape_equal(out, expected));
}

static void test_broadcast(void **state)
{
    (void)state;
    check_broadcast(an_shape_0(), an_shape_0(), an_shape_0());
    check_broadcast(an_shape_2(64, 10), an_shape_1(10), an_shape_2(64, 10));
    check_broadcast(an_shape_2(64, 1), an_shape_2(1, 10), an_shape_2(64, 10));
    check_broadcast(an_shape_3(5, 1, 4), an_shape_2(3, 1), an_shape_3(5, 3, 4));
    check_broadcast(an_shape_2(0, 3), an_shape_1(1), an_shape_2(0, 3));
    check_broadcast(an_shape_1(1), an_shape_1(0), an_shape_1(0));
    check_broadcast(an_shape_2(2, 3), an_shape_0(), an_shape_2(2, 3));
    an_shape out = an_shape_1(77);
    assert_false(an_shape_broadcast(an_shape_2(2, 3), an_shape_2(3, 2), &out));
    assert_false(an_shape_broadcast(an_shape_1(0), an_shape_1(2), &out));
    assert_true(an_shape_equal(out, an_shape_1(77)));
}

static void test_tensor(void **state)
{
    (void)state;
    an_context *context = an_context_new(&(an_context_options){.threads = 1}, NULL);
    assert_non_null(context);
    an_tensor *tensor = an_tensor_new(context, an_shape_2(3, 5), NULL);
    assert_non_null(tensor);
    assert_int_equal(tensor->size, 15);
    assert_int_equal((uintptr_t)tensor->data % 64, 0);
    assert_false(tensor->requires_grad);
    assert_null(tensor->node);
    assert_null(an_tensor_grad(tensor));
    for (int i = 0; i < 15; i++) {
        assert_true(tensor->data[i] == 0.0f);
        tensor->data[i] = (float)i;
    }
    an_tensor *copy = an_tensor_keep(context, tensor, NULL);
    assert_non_null(copy);
    assert_true(copy->data != tensor->data && an_shape_equal(copy->shape, tensor->shape));
    assert_memory_equal(copy->data, tensor->data, 15 * sizeof(float));

    float grad[15] = {0};
    tensor->grad = grad;
    assert_null(an_tensor_grad(tensor));
    tensor->has_grad = true;
    assert_ptr_equal(an_tensor_grad(tensor), grad);
    an_tensor_free(context, tensor);
    an_tensor_free(context, copy);
    an_tensor_free(context, NULL);
    an_context_free(context);
}

/* Memory up to 64 megabytes a block. */
static void *resize_modestly(void *user, void *block, size_t old_size, size_t new_size)
{
    const an_allocator *allocator = user;
    return new_size > 64000000 ? NULL
                               : allocator->resize(allocator->user, block, old_size, new_size);
}

static void test_tensor_edges(void **state)
{
    (void)state;
    an_allocator allocator = an_allocator_default();
    const an_context_options options = {
        .threads = 1, .allocator = {.resize = resize_modestly, .user = &allocator}};
    an_context *context = an_context_new(&options, NULL);
    assert_non_null(context);
    an_tensor *scalar = an_tensor_new(context, an_shape_0(), NULL);
    an_tensor *empty = an_tensor_new(context, an_shape_2(0, 4), NULL);
    assert_int_equal(scalar->size, 1);
    assert_int_equal(empty->size, 0);
    an_tensor *copy = an_tensor_keep(context, empty, NULL);
    assert_int_equal(copy->size, 0);
    an_tensor_free(context, scalar);
    an_tensor_free(context, empty);
    an_tensor_free(context, copy);

    an_error err = {0};
    assert_null(an_tensor_new(context, an_shape_2(3, -4), &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_non_null(strstr(err.message, "(3, -4)"));
    err = (an_error){0};
    assert_null(an_tensor_new(context, an_shape_1((int64_t)1 << 60), &err));
    assert_int_equal(err.code, AN_ERROR_MEMORY);
    an_context_free(context);
}

/* A shape of a caller's own making may have more dimensions than there is room for. */
static void test_too_many_dimensions(void **state)
{
    (void)state;
    const an_shape wild = {.ndim = 1000}, scalar = an_shape_0();
    an_shape out;
    assert_int_equal(an_shape_size(wild), -1);
    assert_false(an_shape_equal(wild, wild));
    assert_false(an_shape_broadcast(wild, scalar, &out));
    assert_false(an_shape_broadcast(scalar, wild, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_tensor),
        cmocka_unit_test(test_tensor_edges),
        cmocka_unit_test(test_too_many_dimensions),
    };
    return cmocka_run_group_tests_name("shape", tests, NULL, NULL);
}
