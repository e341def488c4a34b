/*
 * Construction where memory is scarce: each allocation of random schedules fails once, and a
 * schedule in exactly the bytes that it asked for takes as many groups as it was promised.
 */
#include "../base/failing_allocator.h"
#include "random_desc.h"
#include "schedule_of.h"
#include <string.h>

/* Parses and makes the schedule with `hooks`; false if memory ran out. */
static bool make_and_free(const char *text, const an_allocator *hooks)
{
    an_error err = {0};
    bench b = {0};
    bench_groups(&b, 2, 0.1);
    b.text = an_lr_parse_text(text, NULL, hooks, &err);
    if (b.text)
        b.schedule = an_lr_new(an_lr_text_desc(b.text), b.groups, 2, hooks, &err);
    bool made = b.schedule != NULL;
    if (!made) {
        if (err.code != AN_ERROR_MEMORY)
            fail_msg("%s: %s", text, err.message);
        assert_true(bench_lr(&b, 1) == 0.2 && !b.group[1].slot[AN_LR].has_initial);
    }
    bench_stop(&b);
    return made;
}

static void every_allocation_of_any_schedule_may_fail(void **state)
{
    (void)state;
    static random_desc draw;
    static char text[16384];
    draw.metric = true;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        draw.state = seed;
        assert_true(an_lr_print(text, sizeof text, random_desc_draw(&draw, 2)) < sizeof text);
        for (long n = 0;; n++) {
            failing_allocator failing = {.fail_at = n};
            an_allocator hooks = failing_hooks(&failing);
            bool made = make_and_free(text, &hooks);
            assert_int_equal(failing.blocks, 0);
            assert_int_equal(failing.bytes, 0);
            assert_true(made == (failing.requests <= n));
            if (made)
                break;
        }
    }
}

/* On the heap, so that a checker sees the first byte too many. */
static void the_size_holds_the_groups_that_it_was_asked_for(void **state)
{
    (void)state;
    static random_desc draw;
    size_t tried = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        draw.state = seed;
        const an_lr_desc *desc = random_desc_draw(&draw, 1);
        if (draw.real_lists > 0)
            continue; /* one value for each group: none can be added */
        tried++;
        an_error err = {0};
        bench b;
        bench_groups(&b, 4, 0.1);
        size_t size = an_lr_size(desc, 3);
        void *memory = malloc(size);
        an_lr_schedule *schedule = an_lr_init(memory, size, desc, b.groups, 1, &err);
        assert_non_null(schedule);
        an_lr_step(schedule);
        if (!an_lr_add_group(schedule, b.groups[1], &err))
            assert_non_null(strstr(err.message, "one value for each")); /* lists of functions */
        else {
            assert_true(an_lr_add_group(schedule, b.groups[2], &err));
            assert_false(an_lr_add_group(schedule, b.groups[3], &err));
            assert_int_equal(err.code, AN_ERROR_STATE);
            for (int step = 0; step < 20; step++)
                an_lr_step(schedule);
            assert_true(isfinite(bench_lr(&b, 2)));
        }
        free(memory);
    }
    assert_true(tried > 50);
}

static void the_library_says_its_version(void **state)
{
    (void)state;
    char text[32];
    an_format(text, sizeof text, "%d.%d.%d", AN_VERSION_MAJOR, AN_VERSION_MINOR, AN_VERSION_PATCH);
    assert_string_equal(an_version(), text);
    assert_string_equal(an_version(), AN_VERSION_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_any_schedule_may_fail),
        cmocka_unit_test(the_size_holds_the_groups_that_it_was_asked_for),
        cmocka_unit_test(the_library_says_its_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
