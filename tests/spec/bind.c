#include "../base/cmocka_all.h"

#include <anneal/spec.h>

#include <string.h>

static const an_spec_param params[] = {{"step_size", true}, {"gamma", false}, {"T_max", false}};
enum { PARAM_COUNT = 3 };

static an_spec *parse(const char *text)
{
    an_spec_source source = an_spec_source_text(text);
    an_error err = {0};
    an_spec *spec = an_spec_parse(&source, NULL, &err);
    if (!spec)
        fail_msg("%s: %s", text, err.message);
    return spec;
}

static void test_positions_and_names(void **state)
{
    (void)state;
    an_spec *spec = parse("StepLR(optimizer, 30, T_max=None)");
    const an_spec_node *values[PARAM_COUNT];
    assert_true(
        an_spec_bind(an_spec_where(spec), an_spec_root(spec), params, PARAM_COUNT, values, NULL));
    assert_true(values[0]->number == 30.0);
    assert_null(values[1]);
    assert_int_equal(values[2]->kind, AN_SPEC_NONE);
    an_spec_free(spec);
}

static void test_what_does_not_bind(void **state)
{
    (void)state;
    const struct {
        const char *text, *message;
        size_t count;
    } cases[] = {
        {"C(step_size=1, tmax=10)", "column 16: C has no parameter 'tmax'; did you mean 'T_max'?",
         3},
        {"C(1, x=1)", "column 6: C has no parameter 'x'; it has step_size, gamma, T_max", 3},
        {"C(x=1)", "column 3: C has no parameter 'x'; it has none", 0},
        {"C(1, gamma=1, gamma=2)", "column 15: C is given 'gamma' twice", 3},
        {"C(1, step_size=2)", "column 6: C is given 'step_size' twice", 3},
        {"C(1, 2, 3, 4)", "column 12: C takes at most 3 arguments: step_size, gamma, T_max", 3},
        {"C(1, 2)", "column 6: C takes at most 1 argument: step_size", 1},
        {"C(1)", "column 3: C takes no arguments", 0},
        {" C(gamma=2)", "column 2: C needs 'step_size'", 3},
        {"C", "column 1: 'C' must be called: write C()", 3},
        {"[1]", "column 1: expected a call, Name(argument, name=value)", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_spec *spec = parse(cases[i].text);
        const an_spec_node *values[PARAM_COUNT];
        an_error err = {0};
        assert_false(an_spec_bind(an_spec_where(spec), an_spec_root(spec), params, cases[i].count,
                                  values, &err));
        assert_string_equal(err.message, cases[i].message);
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        an_spec_free(spec);
    }
}

/* Reads `text` with all three readers; NULL messages mean that it is accepted. */
static void check_reads(const char *text, const char *number, const char *integer,
                        const char *truth)
{
    an_spec *spec = parse(text);
    const an_spec_source *source = an_spec_where(spec);
    const an_spec_node *value = an_spec_root(spec);
    double d = 0.0;
    int64_t n = 0;
    bool b = false;
    an_error err = {0};
    assert_int_equal(an_spec_number(source, "k", value, &d, &err), number == NULL);
    assert_string_equal(err.message, number ? number : "");
    err = (an_error){0};
    assert_int_equal(an_spec_integer(source, "k", value, &n, &err), integer == NULL);
    assert_string_equal(err.message, integer ? integer : "");
    err = (an_error){0};
    assert_int_equal(an_spec_bool(source, "k", value, &b, &err), truth == NULL);
    assert_string_equal(err.message, truth ? truth : "");
    an_spec_free(spec);
}

static void test_typed_reads(void **state)
{
    (void)state;
    check_reads("3", NULL, NULL, "column 1: 'k' must be True or False, not 3");
    check_reads("1e3", NULL, NULL, "column 1: 'k' must be True or False, not 1e3");
    check_reads("1/2", NULL, "column 1: 'k' must be a whole number, not 1/2",
                "column 1: 'k' must be True or False, not 1/2");
    check_reads("1e30", NULL, "column 1: 'k' must be a whole number of at most 2^53, not 1e30",
                "column 1: 'k' must be True or False, not 1e30");
    check_reads("nan", NULL, "column 1: 'k' must be a whole number of at most 2^53, not nan",
                "column 1: 'k' must be True or False, not nan");
    check_reads("5ep", "column 1: 'k' must be a number without a unit, not 5ep",
                "column 1: 'k' must be a whole number without a unit, not 5ep",
                "column 1: 'k' must be True or False, not 5ep");
    check_reads(" True", "column 2: 'k' must be a number, not True",
                "column 2: 'k' must be a whole number, not True", NULL);
    check_reads("'0.1'", "column 1: 'k' must be a number, not '0.1'",
                "column 1: 'k' must be a whole number, not '0.1'",
                "column 1: 'k' must be True or False, not '0.1'");
}

static void test_values(void **state)
{
    (void)state;
    double d = 0.0;
    int64_t n = 0;
    bool b = true;
    an_spec *spec = parse("[-9007199254740992, False]");
    const an_spec_source *source = an_spec_where(spec);
    const an_spec_arg *args = an_spec_root(spec)->args;
    assert_true(an_spec_integer(source, "n", args[0].value, &n, NULL));
    assert_true(n == -9007199254740992);
    assert_true(an_spec_number(source, "d", args[0].value, &d, NULL));
    assert_true(d == -9007199254740992.0);
    assert_true(an_spec_bool(source, "b", args[1].value, &b, NULL));
    assert_false(b);
    /* absent: what was there stays */
    assert_true(an_spec_integer(source, "n", NULL, &n, NULL));
    assert_true(an_spec_number(source, "d", NULL, &d, NULL));
    assert_true(an_spec_bool(source, "b", NULL, &b, NULL));
    assert_true(n == -9007199254740992 && d == -9007199254740992.0 && !b);
    an_spec_free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions_and_names),
        cmocka_unit_test(test_what_does_not_bind),
        cmocka_unit_test(test_typed_reads),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
