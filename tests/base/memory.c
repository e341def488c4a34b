#include "cmocka_all.h"
#include "failing_allocator.h"

#include <anneal/base.h>

#include <string.h>

static void test_memory_is_zeroed_and_comes_back(void **state)
{
    (void)state;
    failing_allocator counting = {.fail_at = -1};
    an_allocator hooks = failing_hooks(&counting);
    double *numbers = an_alloc(&hooks, 1000, sizeof *numbers, NULL);
    assert_non_null(numbers);
    assert_int_equal(counting.bytes, 1000 * sizeof *numbers);
    for (int i = 0; i < 1000; i++)
        assert_true(numbers[i] == 0.0);
    an_release(&hooks, numbers, 1000, sizeof *numbers);
    assert_int_equal(counting.blocks, 0);
    assert_int_equal(counting.bytes, 0);
}

static void test_nothing_is_a_block_too(void **state)
{
    (void)state;
    failing_allocator counting = {.fail_at = -1};
    an_allocator hooks = failing_hooks(&counting);
    void *a = an_alloc(&hooks, 0, 8, NULL), *b = an_alloc(&hooks, 8, 0, NULL);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    an_release(&hooks, a, 0, 8);
    an_release(&hooks, b, 8, 0);
    an_release(&hooks, NULL, 8, 8);
    assert_int_equal(counting.blocks, 0);
    assert_int_equal(counting.bytes, 0);
}

static void test_overflow_and_failure_are_errors(void **state)
{
    (void)state;
    failing_allocator counting = {.fail_at = -1};
    an_allocator hooks = failing_hooks(&counting);
    an_error err = {0};
    assert_null(an_alloc(&hooks, SIZE_MAX / 2, 4, &err));
    assert_int_equal(err.code, AN_ERROR_MEMORY);
    assert_null(an_alloc(&hooks, SIZE_MAX, 1, NULL));
    assert_int_equal(counting.requests, 0);

    counting.fail_at = 0;
    err = (an_error){0};
    assert_null(an_alloc(&hooks, 3, 7, &err));
    assert_int_equal(err.code, AN_ERROR_MEMORY);
    assert_non_null(strstr(err.message, "3 times 7 bytes"));
}

static void test_null_is_the_default_allocator(void **state)
{
    (void)state;
    void *block = an_alloc(NULL, 10, 10, NULL);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % 16, 0);
    an_release(NULL, block, 10, 10);
}

static void test_default_allocator_resizes(void **state)
{
    (void)state;
    an_allocator hooks = an_allocator_default();
    char *block = hooks.resize(hooks.user, NULL, 0, 4);
    assert_non_null(block);
    memcpy(block, "abc", 4);
    block = hooks.resize(hooks.user, block, 4, 10000);
    assert_non_null(block);
    assert_string_equal(block, "abc");
    assert_null(hooks.resize(hooks.user, block, 10000, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_and_comes_back),
        cmocka_unit_test(test_nothing_is_a_block_too),
        cmocka_unit_test(test_overflow_and_failure_are_errors),
        cmocka_unit_test(test_null_is_the_default_allocator),
        cmocka_unit_test(test_default_allocator_resizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
