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
    assert_true(an_lr_state_load(second.schedule, bytes, size, NULL));
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
        assert_false(an_lr_state_load(b.schedule, bytes, length, NULL));
    assert_false(an_lr_state_load(b.schedule, bytes, size + 1, NULL));
    assert_false(an_lr_state_load(b.schedule, NULL, size, NULL));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(copy, bytes, size);
        copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_false(an_lr_state_load(b.schedule, copy, size, NULL));
    }
    assert_true(bench_lr(&b, 0) == 0.7);
    assert_true(an_lr_state_load(b.schedule, bytes, size, NULL));
    assert_true(bench_lr(&b, 0) == 0.1);
    bench_stop(&b);
}

static void expect_refused(const char *saved, const char *loaded, size_t groups, const char *says)
{
    unsigned char bytes[1024];
    an_error err = {0};
    bench a, b;
    bench_start(&a, saved, 2, 0.1);
    bench_start(&b, loaded, groups, 0.1);
    size_t size = an_lr_state_save(a.schedule, bytes, sizeof bytes);
    assert_int_equal(an_lr_state_load(b.schedule, bytes, size, &err), says == NULL);
    if (says) {
        assert_int_equal(err.code, AN_ERROR_STATE);
        assert_non_null(strstr(err.message, says));
    }
    bench_stop(&a);
    bench_stop(&b);
}

static void a_state_belongs_to_its_description(void **state)
{
    (void)state;
    expect_refused("StepLR(5)", "StepLR(5)", 2, NULL);
    expect_refused("StepLR(5)", "SequentialLR([StepLR(step_size=5)])", 2, NULL);
    expect_refused("StepLR(5)", "StepLR(6)", 2, "other parameters");
    expect_refused("StepLR(5)", "StepLR(5, gamma=0.2)", 2, "other parameters");
    expect_refused("StepLR(5)", "ExponentialLR(5)", 2, "other parameters");
    expect_refused("MultiStepLR([5])", "MultiStepLR([6])", 2, "other parameters");
    expect_refused("SWALR([1, 2])", "SWALR([1, 3])", 2, "other parameters");
    expect_refused("ReduceLROnPlateau('min')", "ReduceLROnPlateau('max')", 2, "other parameters");
    expect_refused("OneCycleLR(1, total_steps=9)", "OneCycleLR(1, total_steps=9, three_phase=True)",
                   2, "other parameters");
    expect_refused("StepLR(5)", "StepLR(5)", 3, "over 2 groups, this one has 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_continues_bit_for_bit),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(a_state_belongs_to_its_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
