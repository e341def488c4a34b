/* Memory: every allocation failing once, the caller's own memory, and what a schedule copies. */
#include "../base/failing_allocator.h"
#include "random_desc.h"
#include "schedule_of.h"
#include <string.h>

static const char *const nested =
    "SequentialLR([ChainedScheduler([LambdaLR(['1 - epoch / 10', lambda e: 0.5]), "
    "MultiStepLR(milestones=[5, 2, 9])]), OneCycleLR(max_lr=[0.5, 0.25], total_steps=20)], "
    "milestones=[4])";

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_allocator hooks = failing_hooks(&failing);
        an_error err = {0};
        bench b = {0};
        bench_groups(&b, 2, 0.1);
        b.text = an_lr_parse_text(nested, NULL, &hooks, &err);
        if (b.text)
            b.schedule = an_lr_new(an_lr_text_desc(b.text), b.groups, 2, &hooks, &err);
        bool made = b.schedule != NULL;
        if (!made) {
            assert_int_equal(err.code, AN_ERROR_MEMORY);
            assert_true(bench_lr(&b, 0) == 0.1 && !b.group[0].slot[AN_LR].has_initial);
        }
        bench_stop(&b);
        assert_int_equal(failing.blocks, 0);
        assert_int_equal(failing.bytes, 0);
        if (made && failing.requests <= n)
            break;
    }
}

/* Exactly as many bytes as an_lr_size says, on the heap so that one too many is seen. */
static void schedules_fit_the_size_that_is_asked(void **state)
{
    (void)state;
    static random_desc draw;
    draw.metric = true;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        draw.state = seed;
        const an_lr_desc *desc = random_desc_draw(&draw, 2);
        bench a, b;
        bench_groups(&a, 2, 0.1);
        bench_groups(&b, 2, 0.1);
        size_t size = an_lr_size(desc, 2);
        void *memory = malloc(size);
        assert_null(an_lr_init(memory, size - 1, desc, a.groups, 2, NULL));
        assert_null(an_lr_init(NULL, size, desc, a.groups, 2, NULL));
        a.schedule = an_lr_init(memory, size, desc, a.groups, 2, NULL);
        b.schedule = an_lr_new(desc, b.groups, 2, NULL, NULL);
        for (int step = 0; step < 30; step++) {
            an_lr_step_metric(a.schedule, 1);
            an_lr_step_metric(b.schedule, 1);
            assert_true(bench_lr(&a, 1) == bench_lr(&b, 1));
        }
        an_lr_free(a.schedule); /* does nothing to the caller's memory */
        free(memory);
        an_lr_free(b.schedule);
    }
    an_lr_free(NULL);
    an_lr_text_free(NULL);
}

static void a_description_may_go(void **state)
{
    (void)state;
    bench b, kept;
    bench_start(&b, "SequentialLR([MultiStepLR([2, 4]), SWALR(swa_lr=[0.5, 0.25])], [9])", 2, 1);
    bench_start(&kept, "SequentialLR([MultiStepLR([2, 4]), SWALR(swa_lr=[0.5, 0.25])], [9])", 2, 1);
    an_lr_text_free(b.text);
    b.text = NULL;
    for (int step = 0; step < 20; step++) {
        an_lr_step(b.schedule);
        an_lr_step(kept.schedule);
        assert_true(bench_lr(&b, 1) == bench_lr(&kept, 1));
    }
    bench_stop(&b);
    bench_stop(&kept);
}

static void memory_must_be_aligned(void **state)
{
    (void)state;
    _Alignas(16) unsigned char memory[4096];
    an_error err = {0};
    bench b;
    bench_groups(&b, 1, 1);
    an_lr_desc desc = an_lr_defaults(AN_PLATEAU_LR);
    assert_null(an_lr_init(memory + 8, sizeof memory - 8, &desc, b.groups, 1, &err));
    assert_string_equal(err.message, "the memory of a schedule must be aligned to 16 bytes");
    assert_int_equal(an_lr_size(&desc, (size_t)1 << 40), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(schedules_fit_the_size_that_is_asked),
        cmocka_unit_test(a_description_may_go),
        cmocka_unit_test(memory_must_be_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
