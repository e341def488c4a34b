/* an_lr_bound_of: known cases, scaling, zeros, what is refused. */
#include <anneal/lr.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1000 };

static void one_update_by_hand(void **state)
{
    (void)state;
    const double rate = 0.25;
    an_lr_bound bound;
    assert_true(an_lr_bound_of(&rate, 1, 2, 3, &bound, NULL));
    /* D^2 / (2 S) + S G^2 / 2 */
    assert_true(fabs(bound.value - (4 / 0.5 + 0.25 * 9 / 2)) < 1e-14);
    assert_true(fabs(bound.best - 2 * 3) < 1e-14);
    assert_true(fabs(bound.best_scale * rate - 2.0 / 3) < 1e-14);
}

/* The best scale is where the bound is least, and the bound there is `best`. */
static void scaling(void **state)
{
    (void)state;
    double rates[MOST], scaled[MOST];
    an_lr_bound bound, there;
    for (int i = 0; i < MOST; i++)
        rates[i] = 0.1 * (1 - i / (double)MOST);
    assert_true(an_lr_bound_of(rates, MOST, 1, 1, &bound, NULL));
    for (double factor = 0.9; factor < 1.11; factor += 0.1) {
        for (int i = 0; i < MOST; i++)
            scaled[i] = rates[i] * bound.best_scale * factor;
        assert_true(an_lr_bound_of(scaled, MOST, 1, 1, &there, NULL));
        if (fabs(factor - 1) < 0.05)
            assert_true(fabs(there.value - bound.best) < 1e-12);
        else
            assert_true(there.value > bound.best);
    }
    assert_true(fabs(bound.best * sqrt(MOST) - 2.0060) < 5e-5); /* the published table */
}

static void zeros(void **state)
{
    (void)state;
    const double with[] = {0, 0.3, 0, 0.2, 0.1, 0, 0}, without[] = {0, 0.3, 0, 0.2, 0.1};
    an_lr_bound a, b;
    assert_true(an_lr_bound_of(with, 7, 1, 1, &a, NULL));
    assert_true(an_lr_bound_of(without, 5, 1, 1, &b, NULL));
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(isfinite(a.value) && isfinite(a.best));
}

static void refusals(void **state)
{
    (void)state;
    const double zero[] = {0, 0}, negative[] = {0.1, -0.1}, nan[] = {NAN}, good[] = {1};
    an_lr_bound bound = {.value = 7};
    an_error err = {0};
    assert_false(an_lr_bound_of(zero, 2, 1, 1, &bound, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_false(an_lr_bound_of(zero, 0, 1, 1, &bound, &err));
    assert_false(an_lr_bound_of(negative, 2, 1, 1, &bound, &err));
    assert_non_null(strstr(err.message, "update 1"));
    assert_false(an_lr_bound_of(nan, 1, 1, 1, &bound, &err));
    assert_false(an_lr_bound_of(good, 1, 0, 1, &bound, &err));
    assert_false(an_lr_bound_of(good, 1, 1, INFINITY, &bound, &err));
    assert_false(an_lr_bound_of(good, 1, NAN, 1, &bound, NULL));
    assert_true(bound.value == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_update_by_hand),
        cmocka_unit_test(scaling),
        cmocka_unit_test(zeros),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
