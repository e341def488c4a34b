/* The learning-rate monitor: what it says of every step, and its state. */
#include "fake_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const an_rate_monitor *m, const fake_run *run, int64_t last)
{
    double lr, momentum;
    assert_int_equal(an_rate_monitor_step(m), last);
    for (int64_t step = 1; step <= last; step++) {
        an_record r = fake_record(run, step);
        for (size_t g = 0; g < run->groups; g++) {
            assert_true(an_rate_monitor_at(m, step, g, &lr, &momentum));
            assert_true(lr == r.lr[g]);
            assert_true(g == 0 ? momentum == 0.9 : isnan(momentum));
        }
        assert_false(an_rate_monitor_at(m, step, run->groups, &lr, NULL));
    }
    assert_false(an_rate_monitor_at(m, 0, 0, &lr, NULL));
    assert_false(an_rate_monitor_at(m, last + 1, 0, &lr, NULL));
}

static void every_step_is_known(void **state)
{
    (void)state;
    for (size_t groups = 1; groups <= 3; groups++) {
        fake_run run;
        an_rate_monitor *m = an_rate_monitor_new(NULL);
        fake_init(&run, an_rate_monitor_callback(m));
        run.groups = groups;
        fake_begin(&run, 0);
        check(m, &run, 0);
        fake_train(&run, 0, 400);
        check(m, &run, 400);
        an_rate_monitor_free(m);
    }
    an_rate_monitor_free(NULL);
}

/* A rate that changes every hundredth step makes so many entries, whose number the state tells. */
static void only_changes_are_kept(void **state)
{
    (void)state;
    fake_run run;
    an_rate_monitor *m = an_rate_monitor_new(NULL);
    an_callback c = an_rate_monitor_callback(m);
    fake_init(&run, c);
    fake_begin(&run, 0);
    for (int64_t step = 1; step <= 1000; step++) {
        an_record r = fake_record(&run, step);
        r.lr[0] = 1.0 / (double)((step - 1) / 100 + 1);
        c.batch_end(c.user, &r, &run.control);
        c.batch_end(c.user, &r, &run.control);
    }
    assert_int_equal(c.save_state(c.user, NULL, 0), 8 * (3 + 10 * 3));
    double lr, momentum;
    assert_true(an_rate_monitor_at(m, 500, 0, &lr, &momentum) && lr == 1.0 / 5 && momentum == 0.9);
    assert_true(an_rate_monitor_at(m, 501, 0, &lr, NULL) && lr == 1.0 / 6);
    assert_true(an_rate_monitor_at(m, 1000, 0, &lr, NULL) && lr == 1.0 / 10);
    an_rate_monitor_free(m);
}

static void the_state_restores_and_cuts(void **state)
{
    (void)state;
    fake_run run;
    fake_state checkpoint;
    an_rate_monitor *m = an_rate_monitor_new(NULL);
    fake_init(&run, an_rate_monitor_callback(m));
    assert_string_equal(run.callback.name, "rates");
    run.groups = 2;
    fake_begin(&run, 0);
    fake_train(&run, 0, 40);
    fake_save(&run, 40, &checkpoint);
    fake_train(&run, 40, 60);
    assert_true(fake_load(&run, &checkpoint, NULL)); /* rolled back */
    check(m, &run, 40);
    an_rate_monitor_free(m);
    m = an_rate_monitor_new(NULL); /* resumed */
    fake_init(&run, an_rate_monitor_callback(m));
    run.groups = 2;
    assert_true(fake_load(&run, &checkpoint, NULL));
    fake_begin(&run, 40);
    fake_train(&run, 40, 70);
    check(m, &run, 70);
    an_rate_monitor_free(m);
}

static void without_a_state_it_begins_there(void **state)
{
    (void)state;
    fake_run run;
    double lr;
    an_rate_monitor *m = an_rate_monitor_new(NULL);
    fake_init(&run, an_rate_monitor_callback(m));
    assert_true(fake_load(&run, &(fake_state){.step = 40}, NULL));
    fake_begin(&run, 40);
    fake_train(&run, 40, 50);
    assert_false(an_rate_monitor_at(m, 40, 0, &lr, NULL));
    assert_true(an_rate_monitor_at(m, 41, 0, &lr, NULL));
    assert_true(lr == fake_record(&run, 41).lr[0]);
    an_rate_monitor_free(m);
}

/* Any cut and any byte: it loads or is refused, and never reads outside. */
static void a_damaged_state_is_refused(void **state)
{
    (void)state;
    fake_run run;
    fake_state checkpoint;
    an_error err = {0};
    an_rate_monitor *m = an_rate_monitor_new(NULL);
    fake_init(&run, an_rate_monitor_callback(m));
    fake_begin(&run, 0);
    fake_train(&run, 0, 5);
    fake_save(&run, 5, &checkpoint);
    for (size_t size = 1; size < checkpoint.size; size++) {
        fake_state cut = checkpoint;
        cut.size = size;
        assert_false(fake_load(&run, &cut, &err));
        assert_int_equal(err.code, AN_ERROR_DATA);
    }
    for (size_t i = 0; i < checkpoint.size; i++) {
        fake_state wrong = checkpoint;
        wrong.bytes[i] ^= 0x81;
        bool loaded = fake_load(&run, &wrong, &err);
        assert_true(!loaded || (i >= 32 && (i - 24) % 24 >= 8)); /* a rate may be any number */
        double lr;
        for (int64_t step = -1; step < 8; step++)
            an_rate_monitor_at(m, step, 0, &lr, NULL);
    }
    an_rate_monitor_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_known),
        cmocka_unit_test(only_changes_are_kept),
        cmocka_unit_test(the_state_restores_and_cuts),
        cmocka_unit_test(without_a_state_it_begins_there),
        cmocka_unit_test(a_damaged_state_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
