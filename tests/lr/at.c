/* Values at a step equal stepping, for random schedules of every kind, and change nothing. */
#include "../base/cmocka_all.h"
#include "random_desc.h"
#include <stdio.h>
#include <string.h>

#define GROUPS 2
#define STEPS 2000

static void make_groups(random_desc *draw, an_lr_group *group, an_lr_group **groups)
{
    for (size_t g = 0; g < GROUPS; g++) {
        groups[g] = &group[g];
        an_lr_group_init(&group[g], 0.01 + random_unit(draw));
        an_lr_group_set(&group[g], g == 0 ? AN_MOMENTUM : AN_BETA1, 0.9);
    }
}

/* The base rate, or whatever the schedule rises to: the scale of its rounding. */
static void expect_near(double at, double stepped, double *scale, uint64_t seed, int step)
{
    if (fabs(stepped) > *scale)
        *scale = fabs(stepped);
    if (fabs(at - stepped) > 1e-12 * *scale || isnan(at))
        fail_msg("seed %llu, step %d: at gives %.17g, stepping %.17g", (unsigned long long)seed,
                 step, at, stepped);
}

static void at_equals_stepping(void **state)
{
    (void)state;
    static random_desc draw;
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        an_lr_group group[GROUPS], *groups[GROUPS];
        double scale[GROUPS];
        draw.state = seed;
        make_groups(&draw, group, groups);
        for (size_t g = 0; g < GROUPS; g++)
            scale[g] = group[g].slot[AN_LR].value;
        an_lr_schedule *schedule =
            an_lr_new(random_desc_draw(&draw, GROUPS), groups, GROUPS, NULL, NULL);
        assert_non_null(schedule);
        for (int step = 0; step < STEPS; step++) {
            for (size_t g = 0; g < GROUPS; g++) {
                an_slot_id id = g == 0 ? AN_MOMENTUM : AN_BETA1;
                if (an_lr_replays(schedule) && step % 23 != 0)
                    continue;
                expect_near(an_lr_at_step(schedule, g, step), group[g].slot[AN_LR].value, &scale[g],
                            seed, step);
                if (an_lr_drives(schedule, id))
                    assert_true(an_lr_at(schedule, g, id, step) == group[g].slot[id].value);
            }
            an_lr_step(schedule);
        }
        an_lr_free(schedule);
    }
}

static void at_changes_nothing(void **state)
{
    (void)state;
    static random_desc draw;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        an_lr_group group[GROUPS], *groups[GROUPS], before[GROUPS];
        draw.state = seed;
        make_groups(&draw, group, groups);
        an_lr_schedule *schedule =
            an_lr_new(random_desc_draw(&draw, GROUPS), groups, GROUPS, NULL, NULL);
        memcpy(before, group, sizeof group);
        double later = an_lr_at_step(schedule, 0, 77), first = an_lr_at_step(schedule, 0, 3);
        assert_true(an_lr_at_step(schedule, 0, 77) == later);
        assert_true(an_lr_at_step(schedule, 0, 3) == first);
        assert_int_equal(an_lr_step_count(schedule), 0);
        for (size_t g = 0; g < GROUPS; g++)
            for (int id = 0; id < AN_SLOT_COUNT; id++)
                assert_true(group[g].slot[id].value == before[g].slot[id].value);
        an_lr_free(schedule);
    }
}

static void ranges_equal_single_values(void **state)
{
    (void)state;
    static random_desc draw;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        an_lr_group group[GROUPS], *groups[GROUPS];
        double values[60];
        draw.state = seed;
        make_groups(&draw, group, groups);
        an_lr_schedule *schedule =
            an_lr_new(random_desc_draw(&draw, GROUPS), groups, GROUPS, NULL, NULL);
        an_lr_values(schedule, 1, AN_LR, 17, values, 60);
        for (int i = 0; i < 60; i++) {
            double one = an_lr_at_step(schedule, 1, 17 + i);
            assert_true(fabs(values[i] - one) <= 1e-12 * fmax(1, fabs(one)));
        }
        an_lr_free(schedule);
    }
}

static void what_does_not_exist_is_nan(void **state)
{
    (void)state;
    an_lr_group group, *groups[] = {&group};
    an_lr_group_init(&group, 0.1);
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR);
    desc.exponential.gamma = 0.5;
    an_lr_schedule *schedule = an_lr_new(&desc, groups, 1, NULL, NULL);
    assert_true(an_lr_at_step(schedule, 0, 2) == 0.025);
    assert_true(isnan(an_lr_at_step(schedule, 1, 2)));
    assert_true(isnan(an_lr_at_step(schedule, 0, -1)));
    assert_true(isnan(an_lr_at_step(schedule, 0, INT64_MAX)));
    assert_true(isnan(an_lr_at(schedule, 0, AN_MOMENTUM, 2)));
    assert_true(isnan(an_lr_at(schedule, 0, AN_SLOT_COUNT, 2)));
    assert_false(an_lr_drives(schedule, AN_MOMENTUM));
    assert_false(an_lr_replays(schedule));
    double values[3] = {0};
    an_lr_values(schedule, 0, AN_LR, INT64_MAX - 1, values, 3);
    assert_true(isnan(values[0]) && isnan(values[2]));
    an_lr_values(schedule, 0, AN_LR, -1, values, 2);
    assert_true(isnan(values[0]) && values[1] == 0.1);
    an_lr_free(schedule);
    desc = an_lr_defaults(AN_PLATEAU_LR);
    schedule = an_lr_new(&desc, groups, 1, NULL, NULL);
    assert_true(isnan(an_lr_at_step(schedule, 0, 0)));
    an_lr_free(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_equals_stepping),
        cmocka_unit_test(at_changes_nothing),
        cmocka_unit_test(ranges_equal_single_values),
        cmocka_unit_test(what_does_not_exist_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
