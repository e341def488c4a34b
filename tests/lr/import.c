/* Importing: memory that runs out, lengths of input, and what JSON may hold. */
#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"
#include <anneal/lr_text.h>
#include <string.h>

static const char *const nested =
    " {\"_target_\": \"SequentialLR\", \"milestones\": [5], \"schedulers\": "
    "[{\"name\": \"LinearLR\", \"start_factor\": 0.5}, {\"type\": \"StepLR\", \"step_size\": 3}]}";

static void expect(const char *input, const char *expected)
{
    char text[256] = "";
    an_error err = {0};
    an_lr_text *read = an_lr_import(input, strlen(input), NULL, NULL, &err);
    if (!read)
        fail_msg("%s: %s", input, err.message);
    an_lr_print(text, sizeof text, an_lr_text_desc(read));
    assert_string_equal(text, expected);
    an_lr_text_free(read);
}

static void expect_refused(const char *input, size_t length, an_error_code code)
{
    an_error err = {0};
    an_lr_text *read = an_lr_import(input, length, NULL, NULL, &err);
    assert_null(read);
    assert_int_equal(err.code, code);
    assert_true(err.message[0] != '\0');
}

static void calls_and_objects(void **state)
{
    (void)state;
    expect("  StepLR(30)", "StepLR(step_size=30)");
    expect(nested, "SequentialLR([LinearLR(start_factor=0.5), StepLR(step_size=3)], "
                   "milestones=[5])");
    expect("{\"type\": \"StepLR\", \"step_size\": 3, \"by_epoch\": true, \"begin\": 5}",
           "Sequence([Constant(), StepLR(step_size=3)], milestones=[5])");
    expect("{\"_target_\": \"ignite.PiecewiseLinear\", \"param_name\": \"lr\", "
           "\"milestones_values\": [[10, 0.5], [20, 0.1]]}",
           "Base(Interpolate(at=[10, 20], values=[0.5, 0.1]), lr=1)");
    expect("{\"name\": \"LambdaLR\", \"lr_lambda\": \"0.5 ** epoch\"}",
           "LambdaLR(\"0.5 ** epoch\")");
}

/* The input need not end in a zero, and may be empty. */
static void the_length_counts(void **state)
{
    (void)state;
    an_lr_text *read = an_lr_import("StepLR(30)0", 10, NULL, NULL, NULL);
    assert_non_null(read);
    assert_int_equal(an_lr_text_desc(read)->step.step_size, 30);
    an_lr_text_free(read);
    expect_refused("", 0, AN_ERROR_CONFIG);
    expect_refused("StepLR(30)\0", 11, AN_ERROR_DATA);
    expect_refused("{}", 2, AN_ERROR_DATA);
    expect_refused("{}", 1, AN_ERROR_DATA);
    for (size_t length = 1; length < strlen(nested); length++) {
        an_error err = {0};
        assert_null(an_lr_import(nested, length, NULL, NULL, &err));
        assert_true(err.message[0] != '\0');
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_allocator hooks = failing_hooks(&failing);
        an_error err = {0};
        an_lr_text *read = an_lr_import(nested, strlen(nested), NULL, &hooks, &err);
        if (!read)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_lr_text_free(read);
        assert_int_equal(failing.blocks, 0);
        if (read && failing.requests <= n)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_and_objects),
        cmocka_unit_test(the_length_counts),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
