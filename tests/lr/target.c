/* Targets: which slot of which groups a schedule drives; names of the program's own; helpers. */
#include "schedule_of.h"

/* Three groups: lr, momentum and weight decay; lr and "temperature"; lr alone. */
static void make_groups(bench *b)
{
    for (size_t i = 0; i < 3; i++) {
        b->groups[i] = &b->group[i];
        an_lr_group_init(&b->group[i], 0.1 * (double)(i + 1));
    }
    an_lr_group_set(&b->group[0], AN_MOMENTUM, 0.9);
    an_lr_group_set(&b->group[0], AN_WEIGHT_DECAY, 0.01);
    an_lr_group_set(&b->group[2], AN_WEIGHT_DECAY, 0.02);
    assert_int_equal(an_lr_group_name(&b->group[1], "temperature", 5), AN_USER0);
}

static void names_find_slots(void **state)
{
    (void)state;
    an_lr_group group;
    an_lr_group_init(&group, 0.1);
    assert_int_equal(an_lr_group_find(&group, "lr"), AN_LR);
    assert_int_equal(an_lr_group_find(&group, "momentum"), AN_SLOT_COUNT);
    assert_int_equal(an_lr_group_name(&group, "a", 1), AN_USER0);
    assert_int_equal(an_lr_group_name(&group, "b", 2), AN_USER1);
    assert_int_equal(an_lr_group_name(&group, "a", 3), AN_USER0);
    assert_true(group.slot[AN_USER0].value == 3);
    assert_int_equal(an_lr_group_name(&group, "lr", 0.5), AN_LR);
    assert_int_equal(an_lr_group_name(&group, "c", 0), AN_USER2);
    assert_int_equal(an_lr_group_name(&group, "d", 0), AN_USER3);
    assert_int_equal(an_lr_group_name(&group, "e", 0), AN_SLOT_COUNT);
    assert_int_equal(an_lr_group_find(&group, "d"), AN_USER3);
    assert_int_equal(an_lr_group_find(&group, NULL), AN_SLOT_COUNT);
    assert_string_equal(an_slot_name(AN_USER3), "user3");
    assert_string_equal(an_slot_name(AN_CLIP_NORM), "clip_norm");
}

static void schedules_drive_their_slots(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 10};
    bench b;
    make_groups(&b);
    bench_make(&b,
               "Together([Linear(), Drive(Linear(start=0.85, end=0.95), 'momentum', base=1), "
               "Drive(Constant(2), 'weight_decay', [2]), Drive(StepLR(4), slot='temperature')])",
               &run, 3);
    assert_true(b.group[0].slot[AN_MOMENTUM].value == 0.85);
    assert_true(b.group[0].slot[AN_WEIGHT_DECAY].value == 0.01);
    assert_true(b.group[2].slot[AN_WEIGHT_DECAY].value == 0.04);
    for (int step = 0; step < 5; step++)
        an_lr_step(b.schedule);
    for (size_t g = 0; g < 3; g++)
        assert_true(bench_lr(&b, g) == 0.1 * (double)(g + 1) * 0.5);
    assert_true(fabs(b.group[0].slot[AN_MOMENTUM].value - 0.9) < 1e-15);
    assert_true(b.group[1].slot[AN_USER0].value == 0.5);
    assert_true(an_lr_at(b.schedule, 1, AN_USER0, 9) == 5 * pow(0.1, 2));
    assert_true(isnan(an_lr_at(b.schedule, 0, AN_USER0, 9)));
    assert_true(isnan(an_lr_at(b.schedule, 0, AN_WEIGHT_DECAY, 9)));
    assert_true(an_lr_drives(b.schedule, AN_WEIGHT_DECAY));
    assert_true(an_lr_drives(b.schedule, AN_LR));
    assert_false(an_lr_drives(b.schedule, AN_DROPOUT));
    assert_true(an_lr_step_to(b.schedule, 8, NULL));
    assert_true(fabs(b.group[0].slot[AN_MOMENTUM].value - 0.93) < 1e-15);
    bench_stop(&b);
}

static void a_drive_alone_leaves_the_rate(void **state)
{
    (void)state;
    bench b;
    make_groups(&b);
    bench_make(&b, "Drive(ExponentialLR(0.5), 'weight_decay')", NULL, 3);
    an_lr_step(b.schedule);
    assert_true(bench_lr(&b, 0) == 0.1 && !b.group[0].slot[AN_LR].has_initial);
    assert_true(b.group[0].slot[AN_WEIGHT_DECAY].value == 0.005);
    assert_true(b.group[2].slot[AN_WEIGHT_DECAY].value == 0.01);
    assert_false(an_lr_drives(b.schedule, AN_LR));
    double values[2];
    an_lr_values(b.schedule, 0, AN_WEIGHT_DECAY, 0, values, 2);
    assert_true(values[0] == 0.01 && values[1] == 0.005);
    bench_stop(&b);
}

/* As before, two schedules of their own compose on one slot. */
static void two_on_one_slot_compose(void **state)
{
    (void)state;
    bench a, b;
    bench_start(&a, "ExponentialLR(0.5)", 1, 0.8);
    b = a;
    b.text = an_lr_parse_text("Drive(StepLR(2), 'lr')", NULL, NULL, NULL);
    b.schedule = an_lr_new(an_lr_text_desc(b.text), a.groups, 1, NULL, NULL);
    a.groups[0] = &a.group[0];
    for (int step = 0; step < 2; step++) {
        an_lr_step(a.schedule);
        an_lr_step(b.schedule);
    }
    assert_true(fabs(bench_lr(&a, 0) - 0.02) < 1e-15);
    bench_stop(&a);
    bench_stop(&b);
}

static void states_keep_slots_by_name(void **state)
{
    (void)state;
    static char text[4096];
    unsigned char bytes[4096];
    an_error err = {0};
    bench a, b;
    make_groups(&a);
    make_groups(&b);
    bench_make(&a, "Drive(ExponentialLR(0.5), 'temperature')", NULL, 3);
    an_lr_group_name(&a.group[0], "x", 7);
    an_lr_step(a.schedule);
    size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
    an_lr_state_print(text, sizeof text, a.schedule);
    assert_non_null(strstr(text, "\"temperature\": {\"value\": 2.5, \"initial\": 5}"));
    bench_make(&b, "Drive(ExponentialLR(0.5), 'temperature')", NULL, 3);
    assert_false(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, &err));
    assert_non_null(strstr(err.message, "a slot that group 0 does not know"));
    assert_false(an_lr_state_parse(b.schedule, text, strlen(text), AN_LR_REFUSE, NULL, NULL, &err));
    assert_true(b.group[1].slot[AN_USER0].value == 5);
    an_lr_group_name(&b.group[0], "y", 1); /* another order than in `a` */
    an_lr_group_name(&b.group[0], "x", 1);
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, &err));
    assert_true(b.group[1].slot[AN_USER0].value == 2.5);
    assert_true(b.group[0].slot[AN_USER1].value == 7 && b.group[0].slot[AN_USER0].value == 1);
    an_lr_group_set(&b.group[0], AN_USER1, 0);
    if (!an_lr_state_parse(b.schedule, text, strlen(text), AN_LR_REFUSE, NULL, NULL, &err))
        fail_msg("%s", err.message);
    assert_true(b.group[0].slot[AN_USER1].value == 7);
    bench_stop(&a);
    bench_stop(&b);
}

static void a_group_that_comes_later(void **state)
{
    (void)state;
    an_lr_run run = {.total_steps = 10};
    static _Alignas(16) unsigned char memory[8192];
    an_error err = {0};
    bench b;
    make_groups(&b);
    an_lr_text *text =
        an_lr_parse_text("Together([Linear(), Drive(Linear(), 'weight_decay')])", &run, NULL, &err);
    size_t size = an_lr_size_run(an_lr_text_desc(text), &run, 3);
    assert_true(size > 0 && size <= sizeof memory);
    an_lr_schedule *schedule =
        an_lr_init_run(memory, size, an_lr_text_desc(text), &run, b.groups, 2, &err);
    assert_non_null(schedule);
    for (int step = 0; step < 5; step++)
        an_lr_step(schedule);
    assert_true(an_lr_add_group(schedule, &b.group[2], &err));
    assert_true(fabs(bench_lr(&b, 2) - 0.15) < 1e-15);
    assert_true(b.group[2].slot[AN_WEIGHT_DECAY].value == 0.01);
    an_lr_free(schedule);
    an_lr_text_free(text);
}

static void layers_decay(void **state)
{
    (void)state;
    bench b;
    make_groups(&b);
    an_lr_layer_decay(b.groups, 3, 0.5, 0.3);
    assert_true(bench_lr(&b, 2) == 0.1 * 3);
    assert_true(bench_lr(&b, 1) == 0.1 * 2 * 0.5);
    assert_true(bench_lr(&b, 0) == 0.1 * 0.3); /* not the quarter */
}

/* ----------------------------------------------------------------- momentum */

/* A OneCycleLR keeps its momentum to itself and leaves it behind. */
static void momentum_goes_through_the_algebra(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "Sequence([Constant(), OneCycleLR(1, total_steps=10), Constant()], [5, 15])", 1,
                0.8);
    assert_true(b.group[0].slot[AN_MOMENTUM].value == 0.5);
    for (int step = 0; step <= 20; step++) {
        double momentum = b.group[0].slot[AN_MOMENTUM].value;
        assert_true(an_lr_at(b.schedule, 0, AN_MOMENTUM, step) == momentum);
        if (step == 5 || step >= 15)
            assert_true(momentum == 0.95);
        if (step < 5)
            assert_true(momentum == 0.5);
        an_lr_step(b.schedule);
    }
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_find_slots),
        cmocka_unit_test(schedules_drive_their_slots),
        cmocka_unit_test(a_drive_alone_leaves_the_rate),
        cmocka_unit_test(two_on_one_slot_compose),
        cmocka_unit_test(states_keep_slots_by_name),
        cmocka_unit_test(a_group_that_comes_later),
        cmocka_unit_test(layers_decay),
        cmocka_unit_test(momentum_goes_through_the_algebra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
