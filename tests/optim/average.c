/* Averages of the weights: against their formulas in double, from text, swapped in and out. */
#include <anneal/optim.h>

#include <math.h>
#include <string.h>

#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

#define SIZE 20011
#define UPDATES 30

static an_context *context;
static an_params *params;

static int set_up(void **state)
{
    (void)state;
    an_context_options options = {.threads = 2};
    context = an_context_new(&options, NULL);
    params = an_params_new(context, NULL);
    an_params_add(params, "a", an_shape_1(3), NULL);
    an_params_add(params, "b", an_shape_1(SIZE), NULL);
    return an_params_build(params, NULL) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    an_params_free(params);
    an_context_free(context);
    return 0;
}

/* The value of b[i] before update n, from 1. */
static double value(int64_t i, int n)
{
    return sin((double)i + 0.1 * n) + 2;
}

static void put(int n)
{
    an_tensor *b = an_params_get(params, 1)->tensor;
    for (int64_t i = 0; i < SIZE; i++) {
        b->data[i] = (float)value(i, n);
    }
}

static double mean_of(int64_t i)
{
    double sum = 0;
    for (int n = 1; n <= UPDATES; n++) {
        sum += value(i, n);
    }
    return sum / UPDATES;
}

static double ema_of(int64_t i)
{
    double mean = value(i, 1);
    for (int n = 2; n <= UPDATES; n++) {
        mean = 0.9 * mean + 0.1 * value(i, n);
    }
    return mean;
}

static double polynomial_of(int64_t i)
{
    double mean = 0;
    for (int n = 1; n <= UPDATES; n++) {
        mean = (1 - 4.0 / (3 + n)) * mean + 4.0 / (3 + n) * value(i, n);
    }
    return mean;
}

static void follows(const char *text, double (*formula)(int64_t i))
{
    an_average *average = an_average_parse(params, text, NULL);
    assert_non_null(average);
    assert_string_equal(an_average_text(average), text);
    put(0);
    an_average_swap(average);
    assert_false(an_average_swapped(average));
    for (int n = 1; n <= UPDATES; n++) {
        put(n);
        an_average_update(average);
    }
    assert_int_equal(an_average_count(average), UPDATES);
    const an_tensor *b = an_params_get(params, 1)->tensor;
    an_average_swap(average);
    assert_true(an_average_swapped(average));
    an_average_update(average); /* nothing: the parameters are the average */
    assert_int_equal(an_average_count(average), UPDATES);
    for (int64_t i = 0; i < SIZE; i++) {
        double want = formula(i);
        if (!(fabs(b->data[i] - want) <= 1e-6 * want)) {
            fail_msg("%s: %g, not %g", text, b->data[i], want);
        }
    }
    an_average_swap(average);
    assert_false(an_average_swapped(average));
    for (int64_t i = 0; i < SIZE; i++) {
        assert_true(b->data[i] == (float)value(i, UPDATES));
    }
    an_average_free(average);
}

static void averages_follow_their_formulas(void **state)
{
    (void)state;
    follows("SWA()", mean_of);
    follows("EMA(decay=0.9)", ema_of);
    follows("PolynomialDecay(gamma=3)", polynomial_of);
}

static void an_average_goes_on_from_its_state(void **state)
{
    (void)state;
    an_average *a = an_average_parse(params, "EMA(decay=0.5)", NULL);
    an_average *b = an_average_parse(params, "EMA(decay=0.5)", NULL);
    put(1);
    an_average_update(a);
    put(2);
    an_average_update(a);
    assert_int_equal(an_average_state_count(a), 3);
    for (size_t i = 0; i < 3; i++) {
        an_optim_state from = an_average_state_get(a, i), to = an_average_state_get(b, i);
        assert_string_equal(from.name, to.name);
        size_t width = from.kind == AN_STATE_FLOAT ? sizeof(float) : sizeof(int64_t);
        memcpy(to.data, from.data, (size_t)from.count * width);
    }
    assert_null(an_average_state_get(a, 3).name);
    put(3);
    an_average_update(a);
    an_average_update(b);
    assert_int_equal(an_average_count(b), 3);
    const an_optim_state x = an_average_state_get(a, 2), y = an_average_state_get(b, 2);
    assert_int_equal(x.layout, AN_STATE_PER_VALUE);
    assert_int_equal(x.count, an_params_length(params));
    assert_memory_equal(x.data, y.data, (size_t)x.count * sizeof(float));
    an_average_free(a);
    an_average_free(b);
    an_average_free(NULL);
}

static void text_is_read_and_wrong_text_points(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"EMA()", "EMA(decay=0.999)"},
        {"EMA(0)", "EMA(decay=0)"},
        {"PolynomialDecay()", "PolynomialDecay(gamma=8)"},
        {"SWA()", "SWA()"},
        {"SWA(start=5)", "SWA(start=5ep)"},
        {"SWA(5, 2ep)", "SWA(start=5ep, every=2ep)"},
        {"SWA(every=10st)", "SWA(every=10st)"},
        {"EMA(0.5, start=1e3, every=1st)", "EMA(decay=0.5, start=1000st)"},
        {"EMA(start=2ep)", "EMA(decay=0.999, start=2ep)"},
        {"PolynomialDecay(every=1ep)", "PolynomialDecay(gamma=8, every=1ep)"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        an_average *average = an_average_parse(params, good[i][0], NULL);
        assert_string_equal(an_average_text(average), good[i][1]);
        an_average_free(average);
    }
    static const char *const bad[][2] = {
        {"EMA(decay=1.5)", "EMA: decay must be at least 0 and below 1, got 1.5"},
        {"EMA(decay=1)", "EMA: decay must be at least 0 and below 1, got 1"},
        {"EMA(decay=nan)", "EMA: decay must be"},
        {"EMA(gamma=1)", "gamma"},
        {"SWA(start=-1)", "SWA: start must be a whole number of epochs or updates from 0 on"},
        {"SWA(every=0)", "SWA: every must be a whole number of epochs or updates from 1 on"},
        {"EMA(start=1.5ep)", "such as 5ep or 100st"},
        {"EMA(start=10s)", "such as 5ep or 100st"},
        {"EMA(start=nan)", "such as 5ep or 100st"},
        {"EMA(every=1e300)", "such as 5ep or 100st"},
        {"EMA(every='1')", "such as 5ep or 100st"},
        {"PolynomialDecay(gamma=-1)", "gamma must be a finite number of at least 0"},
        {"Mean()", "SWA(), EMA(decay=0.999) or PolynomialDecay(gamma=8)"},
        {"3", "SWA(), EMA(decay=0.999)"},
        {"EMA(", "column"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        an_error err = {0};
        assert_null(an_average_parse(params, bad[i][0], &err));
        assert_int_equal(err.code, AN_ERROR_CONFIG);
        if (!strstr(err.message, bad[i][1])) {
            fail_msg("%s: %s", bad[i][0], err.message);
        }
    }
}

/* Where in a run of 3 epochs of 4 updates an average is due: epoch ends are E, updates digits. */
static void due(const char *text, const char *want)
{
    char got[64] = "";
    size_t used = 0;
    an_average *average = an_average_parse(params, text, NULL);
    assert_non_null(average);
    for (int64_t step = 1, epoch = 1; step <= 12; step++) {
        if (an_average_is_due(average, step, epoch, false)) {
            used += an_format(got + used, sizeof got - used, "%d ", (int)step);
        }
        if (step % 4 == 0) {
            if (an_average_is_due(average, step, epoch, true)) {
                used += an_format(got + used, sizeof got - used, "E%d ", (int)epoch);
            }
            epoch++;
        }
    }
    assert_string_equal(got, want);
    an_average_free(average);
}

static void an_average_knows_its_moments(void **state)
{
    (void)state;
    due("SWA()", "E1 E2 E3 ");
    due("SWA(start=1)", "E2 E3 ");
    due("SWA(start=1, every=2)", "E3 ");
    due("SWA(every=2)", "E2 ");
    due("SWA(start=4st)", "E2 E3 ");
    due("SWA(start=8st, every=2ep)", "");
    due("EMA()", "1 2 3 4 5 6 7 8 9 10 11 12 ");
    due("EMA(start=10)", "11 12 ");
    due("EMA(start=1, every=5)", "6 11 ");
    due("EMA(start=2ep)", "9 10 11 12 ");
    due("EMA(start=2ep, every=4st)", "12 ");
    due("EMA(start=100ep)", "");
    an_average *average = an_average_parse(params, "SWA(start=5, every=3st)", NULL);
    an_average_options options = an_average_options_of(average);
    assert_true(options.start.count == 5 && options.start.epochs);
    assert_true(options.every.count == 3 && !options.every.epochs);
    an_average_free(average);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    an_error err = {0};
    an_average_options options = an_average_defaults(AN_AVERAGE_EMA);
    assert_true(options.kind == AN_AVERAGE_EMA && options.decay == 0.999 && options.gamma == 8);
    options.decay = NAN;
    assert_null(an_average_new(params, &options, &err));
    assert_string_equal(err.message, "EMA: decay must be at least 0 and below 1, got nan");
    options.decay = 0.5;
    options.every.count = 0;
    assert_null(an_average_new(params, &options, &err));
    assert_string_equal(err.message, "EMA: every must be from 1 to 2^53, got 0");
    options.start.count = -3;
    assert_null(an_average_new(params, &options, &err));
    assert_string_equal(err.message, "EMA: start must be from 0 to 2^53, got -3");
    options.kind = (an_average_kind)7;
    assert_null(an_average_new(params, &options, &err));
    assert_string_equal(err.message, "an average's kind must be from 0 to 2, got 7");
    an_params *raw = an_params_new(context, NULL);
    an_params_add(raw, "w", an_shape_1(3), NULL);
    options = an_average_defaults(AN_AVERAGE_SWA);
    assert_null(an_average_new(raw, &options, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    an_params_free(raw);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = -1};
        an_context_options options = {.threads = 1, .allocator = failing_hooks(&failing)};
        an_context *own = an_context_new(&options, NULL);
        an_params *few = an_params_new(own, NULL);
        an_params_add(few, "w", an_shape_1(5), NULL);
        assert_true(an_params_build(few, NULL));
        failing.requests = 0;
        failing.fail_at = n;
        an_error err = {0};
        an_average *average = an_average_parse(few, "EMA(decay=0.5)", &err);
        bool all_came = failing.requests <= n;
        assert_true(average != NULL || err.code == AN_ERROR_MEMORY);
        if (average) {
            long before = failing.requests;
            an_average_update(average);
            an_average_swap(average);
            assert_int_equal(failing.requests, before);
        }
        an_average_free(average);
        an_params_free(few);
        an_context_free(own);
        assert_int_equal(failing.blocks, 0);
        if (all_came) {
            assert_true(average && n > 1);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_follow_their_formulas),
        cmocka_unit_test(an_average_goes_on_from_its_state),
        cmocka_unit_test(text_is_read_and_wrong_text_points),
        cmocka_unit_test(an_average_knows_its_moments),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
