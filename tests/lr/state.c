/* State: saving and loading at every step continues bit for bit; damage is seen. */
#include "random_desc.h"
#include "schedule_of.h"
#include <stdlib.h>
#include <string.h>

static double metric_at(int step)
{
    return 1.0 / (1 + step % 11) + (step % 3 == 0 ? 0.1 : 0);
}

static void step_and_edit(bench *b, int step)
{
    if (step % 9 == 4)
        b->group[step % 2].slot[AN_LR].value *= 0.75;
    an_lr_step_metric(b->schedule, metric_at(step));
}

/* A run of `steps` steps that is saved after `cut` of them and goes on in other objects. */
static void expect_continues(const an_lr_desc *desc, const bench *whole, int cut, int steps)
{
    unsigned char bytes[16384];
    bench first, second;
    bench_groups(&first, 2, 0.3);
    first.schedule = an_lr_new(desc, first.groups, 2, NULL, NULL);
    for (int step = 0; step < cut; step++)
        step_and_edit(&first, step);
    size_t size = an_lr_state_size(first.schedule);
    assert_in_range(size, 1, sizeof bytes);
    assert_int_equal(an_lr_state_save(first.schedule, bytes, size - 1), 0);
    assert_int_equal(an_lr_state_save(first.schedule, bytes, size), size);
    an_lr_free(first.schedule);

    bench_groups(&second, 2, 7.5); /* other rates: the state brings its own */
    second.schedule = an_lr_new(desc, second.groups, 2, NULL, NULL);
    for (int step = 0; step < cut % 5; step++)
        an_lr_step_metric(second.schedule, 3);
    assert_true(an_lr_state_load(second.schedule, bytes, size, AN_LR_REFUSE, NULL, NULL));
    assert_int_equal(an_lr_step_count(second.schedule), cut);
    for (int step = cut; step < steps; step++)
        step_and_edit(&second, step);
    for (size_t g = 0; g < 2; g++)
        for (int id = 0; id < AN_SLOT_COUNT; id++)
            assert_true(second.group[g].slot[id].value == whole->group[g].slot[id].value);
    assert_true(an_lr_wants_metric(whole->schedule) ||
                an_lr_at_step(second.schedule, 1, 5) == an_lr_at_step(whole->schedule, 1, 5));
    an_lr_free(second.schedule);
}

static void loading_continues_bit_for_bit(void **state)
{
    (void)state;
    static random_desc draw;
    draw.metric = true;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        draw.state = seed;
        const an_lr_desc *desc = random_desc_draw(&draw, 2);
        bench whole;
        bench_groups(&whole, 2, 0.3);
        whole.schedule = an_lr_new(desc, whole.groups, 2, NULL, NULL);
        for (int step = 0; step < 40; step++)
            step_and_edit(&whole, step);
        for (int cut = 0; cut <= 40; cut++)
            expect_continues(desc, &whole, cut, 40);
        an_lr_free(whole.schedule);
    }
}

static void damage_is_seen(void **state)
{
    (void)state;
    unsigned char bytes[1024], copy[1024];
    bench b;
    bench_start(&b, "ReduceLROnPlateau()", 2, 0.1);
    size_t size = an_lr_state_save(b.schedule, bytes, sizeof bytes);
    b.group[0].slot[AN_LR].value = 0.7;
    for (size_t length = 0; length < size; length++)
        assert_false(an_lr_state_load(b.schedule, bytes, length, AN_LR_REFUSE, NULL, NULL));
    assert_false(an_lr_state_load(b.schedule, bytes, size + 1, AN_LR_REFUSE, NULL, NULL));
    assert_false(an_lr_state_load(b.schedule, NULL, size, AN_LR_REFUSE, NULL, NULL));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(copy, bytes, size);
        copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(an_lr_state_load(b.schedule, copy, size, AN_LR_REFUSE, NULL, NULL));
    }
    assert_true(bench_lr(&b, 0) == 0.7);
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_REFUSE, NULL, NULL));
    assert_true(bench_lr(&b, 0) == 0.1);
    bench_stop(&b);
}

/* Loads a state of `saved` into `loaded`; the changes, or the error's sentence. */
static void load_into(const char *saved, const char *loaded, size_t groups, an_lr_policy policy,
                      bool expected, const char *says)
{
    unsigned char bytes[1024];
    an_error err = {0};
    an_lr_changes changes = {0};
    bench a, b;
    bench_start(&a, saved, 2, 0.1);
    bench_start(&b, loaded, groups, 0.1);
    for (int step = 0; step < 7; step++)
        an_lr_step_metric(a.schedule, 1);
    size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
    assert_in_range(size, 1, sizeof bytes);
    b.group[0].slot[AN_LR].value = 0.625;
    bool good = an_lr_state_load(b.schedule, bytes, size, policy, &changes, &err);
    const char *text = good ? changes.text : err.message;
    if (good != expected || !strstr(text, says) || (good && strcmp(text, says) != 0))
        fail_msg("%s into %s: %s\ninstead of %s", saved, loaded, text, says);
    assert_true(good || (err.code == AN_ERROR_STATE && bench_lr(&b, 0) == 0.625));
    assert_int_equal(an_lr_step_count(b.schedule), good ? 7 : 0);
    bench_stop(&a);
    bench_stop(&b);
}

static void expect_refused(const char *saved, const char *loaded, const char *says)
{
    load_into(saved, loaded, 2, AN_LR_REFUSE, false, says);
}

static void a_state_belongs_to_its_description(void **state)
{
    (void)state;
    load_into("StepLR(5)", "StepLR(5)", 2, AN_LR_REFUSE, true, "");
    load_into("StepLR(5)", "SequentialLR([StepLR(step_size=5)])", 2, AN_LR_REFUSE, true, "");
    load_into("StepLR(5)", "StepLR(5)", 3, AN_LR_REFUSE, false, "over 2 groups, this one has 3");
    expect_refused("StepLR(5)", "StepLR(6)", "other parameters (step_size 5 -> 6); AN_LR_ADOPT");
    expect_refused("StepLR(5)", "StepLR(5, gamma=0.2)", "(gamma 0.1 -> 0.2)");
    expect_refused("StepLR(5, 0.2)", "StepLR(6)", "(step_size 5 -> 6; gamma 0.2 -> 0.1)");
    expect_refused("StepLR(5)", "StepLR(5, gamma=0.10000000000000002)",
                   "(gamma 0.10000000000000001 -> 0.10000000000000002)");
    expect_refused("StepLR(5)", "ExponentialLR(5)", "another schedule (StepLR -> ExponentialLR)");
    expect_refused("MultiStepLR([5, 9])", "MultiStepLR([5])", "(milestones [5, 9] -> [5])");
    expect_refused("MultiStepLR([])", "MultiStepLR([5])", "(milestones [] -> [5])");
    expect_refused("SWALR([1, 2])", "SWALR([1, 3])", "(swa_lr [1, 2] -> [1, 3])");
    expect_refused("SWALR([1, 1])", "SWALR(1)", "(swa_lr [1, 1] -> 1)");
    expect_refused("ReduceLROnPlateau('min')", "ReduceLROnPlateau('max')", "(mode 'min' -> 'max')");
    expect_refused("LambdaLR('epoch')", "LambdaLR('epoch + 1')", "(lr_lambda a function -> ");
    expect_refused("CyclicLR(0.1, 1)", "CyclicLR(0.1, 1, scale_fn='1')", "(scale_fn None -> a ");
    expect_refused("CyclicLR(0.1, 1)", "CyclicLR(0.1, 1, step_size_down=5)", "_down None -> 5)");
    expect_refused("OneCycleLR(1, total_steps=9)", "OneCycleLR(1, total_steps=9, three_phase=True)",
                   "(three_phase False -> True)");
    expect_refused("SequentialLR([StepLR(5), StepLR(5)], [3])",
                   "SequentialLR([StepLR(5), StepLR(6)], [4])",
                   "(milestones [3] -> [4]; schedulers[1].step_size 5 -> 6)");
    expect_refused("ChainedScheduler([StepLR(5), StepLR(5)])",
                   "ChainedScheduler([StepLR(5), StepLR(5), StepLR(5)])",
                   "another schedule (ChainedScheduler of 2 schedulers -> of 3)");
}

static void many_changes_are_counted_and_cut(void **state)
{
    (void)state;
    load_into(
        "MultiStepLR([111111111, 222222222, 333333333, 444444444, 555555555, 666666666, "
        "777777777, 888888888, 999999999, 1111111111, 1222222222, 1333333333], 0.5)",
        "MultiStepLR([1], 0.25)", 2, AN_LR_ADOPT, true,
        "milestones [111111111, 222222222, 333333333, 444444444, 555555555, 666666666, "
        "777777777, 888888888, 999999999, 1111111111, 1222222222, 133 -> [1]; gamma 0.5 -> 0.25");
    load_into("SequentialLR([MultiStepLR([9, 99, 999, 9999]), MultiStepLR([9, 99, 999, 9999])], "
              "[3])",
              "SequentialLR([StepLR(5), StepLR(6)], [4])", 2, AN_LR_ADOPT, false, "another");
}

/* After adopting, everything is as if the new schedule had been asked for the saved step. */
static void expect_adopted(const char *saved, const char *loaded, const char *says)
{
    load_into(saved, loaded, 2, AN_LR_ADOPT, true, says);
    unsigned char bytes[1024];
    bench a, b, fresh;
    bench_start(&a, saved, 2, 0.1);
    bench_start(&b, loaded, 2, 0.7);
    bench_start(&fresh, loaded, 2, 0.1);
    for (int step = 0; step < 7; step++)
        step_and_edit(&a, step);
    size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_ADOPT, NULL, NULL));
    assert_true(an_lr_step_to(fresh.schedule, 7, NULL));
    for (int step = 7; step < 60; step++) {
        for (size_t g = 0; g < 2; g++) {
            if (bench_lr(&b, g) != bench_lr(&fresh, g))
                fail_msg("%s into %s: step %d: %.17g, fresh %.17g", saved, loaded, step,
                         bench_lr(&b, g), bench_lr(&fresh, g));
            assert_true(b.group[g].slot[AN_MOMENTUM].value ==
                        fresh.group[g].slot[AN_MOMENTUM].value);
            assert_true(b.group[g].slot[AN_LR].initial == fresh.group[g].slot[AN_LR].initial);
        }
        an_lr_step(b.schedule);
        an_lr_step(fresh.schedule);
    }
    bench_stop(&a);
    bench_stop(&b);
    bench_stop(&fresh);
}

static void new_parameters_are_adopted(void **state)
{
    (void)state;
    expect_adopted("CosineAnnealingLR(10)", "CosineAnnealingLR(50)", "T_max 10 -> 50");
    expect_adopted("StepLR(5)", "StepLR(3, gamma=0.5)", "step_size 5 -> 3; gamma 0.1 -> 0.5");
    expect_adopted("MultiStepLR([5])", "MultiStepLR([2, 9])", "milestones [5] -> [2, 9]");
    expect_adopted("OneCycleLR(1, total_steps=9)", "OneCycleLR(2, total_steps=90)",
                   "max_lr 1 -> 2; total_steps 9 -> 90");
    expect_adopted("CyclicLR(0.1, 1)", "CyclicLR(0.2, 1)", "base_lr 0.1 -> 0.2");
    expect_adopted("SequentialLR([LinearLR(total_iters=3), CosineAnnealingLR(20)], [3])",
                   "SequentialLR([LinearLR(total_iters=5), CosineAnnealingLR(40)], [5])",
                   "milestones [3] -> [5]; schedulers[0].total_iters 3 -> 5; "
                   "schedulers[1].T_max 20 -> 40");
    expect_adopted("SequentialLR([OneCycleLR(1, total_steps=9), ExponentialLR(0.9)], [5])",
                   "SequentialLR([OneCycleLR(3, total_steps=9), ExponentialLR(0.9)], [5])",
                   "schedulers[0].max_lr 1 -> 3");
}

/* A plateau keeps its memory and its rate, and goes on with the new patience. */
static void a_plateau_adopts_in_the_middle(void **state)
{
    (void)state;
    unsigned char bytes[1024];
    bench a, b;
    bench_start(&a, "ReduceLROnPlateau(patience=8)", 1, 0.1);
    bench_start(&b, "ReduceLROnPlateau(patience=5)", 1, 0.7);
    for (int step = 0; step < 5; step++)
        an_lr_step_metric(a.schedule, 1); /* the first is the best, four are bad */
    size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
    assert_true(an_lr_state_load(b.schedule, bytes, size, AN_LR_ADOPT, NULL, NULL));
    an_lr_step_metric(b.schedule, 1);
    assert_true(bench_lr(&b, 0) == 0.1);
    an_lr_step_metric(b.schedule, 1);
    assert_true(bench_lr(&b, 0) == 0.1 * 0.1);
    bench_stop(&a);
    bench_stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_continues_bit_for_bit),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(a_state_belongs_to_its_description),
        cmocka_unit_test(many_changes_are_counted_and_cut),
        cmocka_unit_test(new_parameters_are_adopted),
        cmocka_unit_test(a_plateau_adopts_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
