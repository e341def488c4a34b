#include "cmocka_all.h"
#include "failing_allocator.h"

#include <anneal/base.h>

#include <string.h>

/* Sizes that fill, overfill and just fit blocks. */
static const size_t sizes[] = {0, 1, 63, 64, 65, 4000, 4096, 4097, 100, 20000, 1, 300000, 7};
enum { SIZE_COUNT = sizeof sizes / sizeof *sizes };

/* Takes all of the sizes, fills them, and checks that none overlaps another. False: no memory. */
static bool fill_and_check(an_arena *arena)
{
    char *blocks[SIZE_COUNT];
    for (int i = 0; i < SIZE_COUNT; i++) {
        blocks[i] = an_arena_alloc(arena, sizes[i]);
        if (!blocks[i])
            return false;
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        memset(blocks[i], i + 1, sizes[i]);
    }
    for (int i = 0; i < SIZE_COUNT; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            if (blocks[i][k] != i + 1)
                fail_msg("block %d is damaged at byte %zu", i, k);
    return true;
}

static void test_blocks_are_aligned_and_apart(void **state)
{
    (void)state;
    an_arena arena;
    an_arena_init(&arena, an_allocator_default());
    assert_true(fill_and_check(&arena));
    an_arena_free(&arena);
}

static void test_equal_rounds_allocate_at_first_only(void **state)
{
    (void)state;
    failing_allocator counting = {.fail_at = -1};
    an_arena arena;
    an_arena_init(&arena, failing_hooks(&counting));
    assert_true(fill_and_check(&arena));
    size_t used = arena.used;
    assert_int_equal(arena.peak, used);
    assert_true(counting.blocks > 1);
    an_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    assert_int_equal(counting.blocks, 1);
    long requests = counting.requests;
    for (int round = 0; round < 5; round++) {
        assert_true(fill_and_check(&arena));
        assert_int_equal(arena.used, used);
        an_arena_reset(&arena);
    }
    assert_int_equal(counting.requests, requests);
    assert_int_equal(arena.peak, used);
    an_arena_free(&arena);
    assert_int_equal(counting.blocks, 0);
    assert_int_equal(counting.bytes, 0);
}

static void test_text_is_copied_and_terminated(void **state)
{
    (void)state;
    an_arena arena;
    an_arena_init(&arena, an_allocator_default());
    const char *text = "abc";
    char *copy = an_arena_text(&arena, text, 2);
    assert_string_equal(copy, "ab");
    assert_string_equal(an_arena_text(&arena, NULL, 0), "");
    assert_string_equal(copy, "ab");
    an_arena_free(&arena);
}

static void test_huge_sizes_are_refused(void **state)
{
    (void)state;
    failing_allocator counting = {.fail_at = -1};
    an_arena arena;
    an_arena_init(&arena, failing_hooks(&counting));
    assert_null(an_arena_alloc(&arena, SIZE_MAX));
    assert_null(an_arena_alloc(&arena, SIZE_MAX - 64));
    assert_null(an_arena_alloc(&arena, PTRDIFF_MAX));
    assert_null(an_arena_text(&arena, "", SIZE_MAX));
    assert_int_equal(counting.requests, 0);
    an_arena_free(&arena);
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_arena arena;
        an_arena_init(&arena, failing_hooks(&failing));
        for (int round = 0; round < 3; round++) {
            if (!fill_and_check(&arena)) /* one failed: the next try works */
                assert_true(fill_and_check(&arena));
            an_arena_reset(&arena);
        }
        an_arena_free(&arena);
        assert_int_equal(failing.blocks, 0);
        assert_int_equal(failing.bytes, 0);
        if (failing.requests <= n)
            break;
        assert_true(n < 100);
    }
}

static void test_freed_arena_can_be_used_again(void **state)
{
    (void)state;
    an_arena arena;
    an_arena_init(&arena, an_allocator_default());
    an_arena_reset(&arena);
    an_arena_free(&arena);
    assert_non_null(an_arena_alloc(&arena, 10));
    an_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_aligned_and_apart),
        cmocka_unit_test(test_equal_rounds_allocate_at_first_only),
        cmocka_unit_test(test_text_is_copied_and_terminated),
        cmocka_unit_test(test_huge_sizes_are_refused),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_freed_arena_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
