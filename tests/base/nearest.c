#include "cmocka_all.h"

#include <anneal/base.h>

#include <string.h>

static const char *const names[] = {"lr",    "momentum", "dampening", "weight_decay",
                                    "T_max", "eta_min",  "ReLU",      "nesterov"};

static const char *nearest(const char *word)
{
    return an_nearest(word, strlen(word), names, sizeof names / sizeof *names);
}

static void test_near_names(void **state)
{
    (void)state;
    assert_string_equal(nearest("tmax"), "T_max");
    assert_string_equal(nearest("relu"), "ReLU");
    assert_string_equal(nearest("momentun"), "momentum");
    assert_string_equal(nearest("weightdecay"), "weight_decay");
    assert_string_equal(nearest("lr"), "lr");
    assert_string_equal(nearest("LR"), "lr");
    assert_string_equal(nearest("nestrov"), "nesterov");
}

static void test_far_names(void **state)
{
    (void)state;
    assert_null(nearest("gamma"));
    assert_null(nearest("l"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
    char longest[1000];
    memset(longest, 'a', sizeof longest);
    assert_null(an_nearest(longest, sizeof longest, names, 3));
    assert_null(an_nearest("lr", 2, names, 0));
}

/* Case counts half: of two names at one letter each, the one that differs in case is nearer. */
static void test_case_counts_half(void **state)
{
    (void)state;
    const char *const two[] = {"abcx", "abcD"};
    assert_string_equal(an_nearest("abcd", 4, two, 2), "abcD");
    const char *const equal[] = {"abcx", "abcy"};
    assert_string_equal(an_nearest("abcd", 4, equal, 2), "abcx");
}

/* Two neighbours that changed places are one mistake, not two. */
static void test_a_swap_is_one_letter(void **state)
{
    (void)state;
    assert_string_equal(nearest("nestervo"), "nesterov");
    const char *const commands[] = {"train", "schedule"};
    assert_string_equal(an_nearest("trian", 5, commands, 2), "train");
    assert_string_equal(an_nearest("rtain", 5, commands, 2), "train");
    assert_null(an_nearest("riant", 5, commands, 2));
}

static void test_only_length_bytes_count(void **state)
{
    (void)state;
    assert_string_equal(an_nearest("lr=0.1", 2, names, 8), "lr");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_near_names),
        cmocka_unit_test(test_far_names),
        cmocka_unit_test(test_case_counts_half),
        cmocka_unit_test(test_a_swap_is_one_letter),
        cmocka_unit_test(test_only_length_bytes_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
