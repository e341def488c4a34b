/* Expressions have Python's precedence and meaning; the values are what Python 3 prints. */
#include "schedule_of.h"
#include <string.h>

/* The value of an expression at `epoch`: a LambdaLR on a base rate of 1. */
static double value_of(const char *expression, int64_t epoch)
{
    char spec[600];
    an_format(spec, sizeof spec, "LambdaLR(\"%s\")", expression);
    bench b;
    bench_start(&b, spec, 1, 1);
    double value = an_lr_at_step(b.schedule, 0, epoch);
    bench_stop(&b);
    return value;
}

static const struct {
    const char *text;
    int64_t epoch;
    double value;
} values[] = {
    {"2 + 3 * 4", 0, 14},
    {"(2 + 3) * 4", 0, 20},
    {"2 - 3 - 4", 0, -5},
    {"2 ** 3 ** 2", 0, 512},
    {"-2 ** 2", 0, -4},
    {"2 ** -1", 0, 0.5},
    {"- -3", 0, 3},
    {"7 // 2 * 2", 0, 6},
    {"-7 // 2", 0, -4},
    {"-7 % 3", 0, 2},
    {"7 % -3", 0, -2},
    {"7.5 // -2", 0, -4},
    {"1 / 4", 0, 0.25},
    {"8 / 2 / 2", 0, 2},
    {"epoch", 5, 5},
    {"0.5 ** (epoch // 3)", 7, 0.25},
    {"1 < 2 < 3", 0, 1},
    {"1 < 2 > 3", 0, 0},
    {"3 > 2 > 1 > 0", 0, 1},
    {"3 > 2 > 2 > 0", 0, 0},
    {"1 == 1.0 != 2", 0, 1},
    {"2 <= 2 >= 3", 0, 0},
    {"not 1 == 2", 0, 1},
    {"not not 3", 0, 1},
    {"0 or 5", 0, 5},
    {"3 or 5", 0, 3},
    {"0 and 5", 0, 0},
    {"3 and 5", 0, 5},
    {"1 or 0 and 0", 0, 1},
    {"not 0 and 2", 0, 2},
    {"1 if epoch < 3 else 2", 2, 1},
    {"1 if epoch < 3 else 2 if epoch < 5 else 3", 4, 2},
    {"1 if epoch < 3 else 2 if epoch < 5 else 3", 5, 3},
    {"1 + 1 if 0 else 10 + 1", 0, 11},
    {"min(3, 1, 2)", 0, 1},
    {"max(3, 1, epoch)", 9, 9},
    {"min(1, 1 + epoch) * max(2, 3)", 0, 3},
    {"abs(-3) + floor(-1.5) + int(-1.5)", 0, 0},
    {"pow(2, 10)", 0, 1024},
    {"sqrt(16) + exp(0) + log(1)", 0, 5},
    {"math.cos(math.pi) + sin(0)", 0, -1},
    {"1e-3 * 1_000", 0, 1},
    {"True + False", 0, 1},
    {".5 + 1.", 0, 1.5},
    {"  ( ( 1 ) )  ", 0, 1},
    {"00 + 0_0 + 007.5", 0, 7.5},
    {"9007199254740992", 0, 9007199254740992.0},
    {"min(epoch, 2, 7 - epoch, 1.5)", 9, -2},
    {"floor(2.5) / 2", 0, 1},
};

static void values_are_pythons(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (value_of(values[i].text, values[i].epoch) != values[i].value)
            fail_msg("%s is %.17g, expected %.17g", values[i].text,
                     value_of(values[i].text, values[i].epoch), values[i].value);
}

static void dividing_by_zero_is_not_a_number_or_infinite(void **state)
{
    (void)state;
    assert_true(isinf(value_of("1 / epoch", 0)));
    assert_true(isnan(value_of("epoch % 0", 1)));
    assert_true(isnan(value_of("1 // epoch", 0)));
    assert_true(value_of("1 if epoch == 0 else 1 / epoch", 0) == 1);
}

/* Where Python raises an exception or gives a complex number. */
static void what_no_double_holds_is_infinite_or_not_a_number(void **state)
{
    (void)state;
    assert_true(value_of("0 ** -1", 0) == INFINITY);
    assert_true(value_of("-10 ** epoch", 400) == -INFINITY);
    assert_true(value_of("exp(epoch)", 1000) == INFINITY);
    assert_true(value_of("log(epoch)", 0) == -INFINITY);
    assert_true(isnan(value_of("log(-1)", 0)));
    assert_true(isnan(value_of("sqrt(-epoch)", 1)));
    assert_true(isnan(value_of("(-8) ** 0.5", 0)));
}

static void an_integer_zero_has_no_sign(void **state)
{
    (void)state;
    assert_false(signbit(value_of("-epoch", 0)));
    assert_false(signbit(value_of("epoch * -3", 0)));
    assert_false(signbit(value_of("floor(-0.0)", 0)));
    assert_false(signbit(value_of("6 % -3", 0)));
    assert_true(signbit(value_of("-0.0", 0)));
    assert_true(signbit(value_of("epoch * -3.0", 0)));
    assert_true(signbit(value_of("6.0 % -3", 0)));
}

static const char *const refused[] = {
    "",          "1 +",       "(1",          "1)",          "1 2",        "foo",
    "foo(1)",    "min(1)",    "cos(1, 2)",   "cos()",       "1 if 2",     "1 if 2 else",
    "a = 1",     "epoch = 1", "1 <> 2",      "1 & 2",       "epoch.real", "__import__(1)",
    "math",      "math.",     "math.foo(1)", "not",         "1 not 2",    "* 2",
    "2 ** ",     "[1]",       "1 if else 2", "epoch epoch", "0x10",       "1 === 2",
    "lambda: 1", "min(1, 2",  "1,",          "1 and",       "/ 2",        "epoch(1)",
};

static void nonsense_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char spec[100];
        an_error err = {0};
        an_format(spec, sizeof spec, "LambdaLR('%s')", refused[i]);
        an_lr_text *text = an_lr_parse_text(spec, NULL, NULL, &err);
        if (text)
            fail_msg("'%s' was accepted", refused[i]);
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        assert_non_null(strstr(err.message, "lr_lambda: "));
    }
}

/* `count` times `open`, a 1, `count` times `close`. */
static bool accepts(const char *open, const char *close, int count)
{
    static char spec[20100];
    size_t used = an_format(spec, sizeof spec, "LambdaLR('");
    for (int i = 0; i < count; i++)
        used += an_format(spec + used, sizeof spec - used, "%s", open);
    used += an_format(spec + used, sizeof spec - used, "1");
    for (int i = 0; i < count; i++)
        used += an_format(spec + used, sizeof spec - used, "%s", close);
    an_format(spec + used, sizeof spec - used, "')");
    an_lr_text *text = an_lr_parse_text(spec, NULL, NULL, NULL);
    an_lr_text_free(text);
    return text != NULL;
}

static void no_text_can_exhaust_the_stack(void **state)
{
    (void)state;
    assert_true(accepts("(", ")", 30));
    assert_false(accepts("(", ")", 3000));
    assert_false(accepts("not ", "", 2000));
    assert_false(accepts("- ", "", 4000));
    assert_false(accepts("2 ** ", "", 1500));
    assert_false(accepts("1 if 1 else ", "", 500));
    assert_true(accepts("", " + 1", 2000));
    assert_false(accepts("", " + 1", 3000));
    assert_false(accepts("", " < 1", 100));
    assert_true(accepts("", " < 1", 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_pythons),
        cmocka_unit_test(dividing_by_zero_is_not_a_number_or_infinite),
        cmocka_unit_test(what_no_double_holds_is_infinite_or_not_a_number),
        cmocka_unit_test(an_integer_zero_has_no_sign),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(no_text_can_exhaust_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
