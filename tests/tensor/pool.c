/* an__parallel: every item once, the split by rule, from one thread to more than the cores. */
#include "tensor/kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MOST = 1000 };

typedef struct record {
    int visits[MOST];
    int64_t begin_of[MOST]; /* where the range that holds an item begins */
    int64_t grain, count;
    bool misaligned;
} record;

static void visit(void *arg, int64_t begin, int64_t end)
{
    record *r = arg;
    if (begin >= end || begin % r->grain != 0 || (end % r->grain != 0 && end != r->count))
        r->misaligned = true; /* written only on failure */
    for (int64_t i = begin; i < end; i++) {
        r->visits[i]++;
        r->begin_of[i] = begin;
    }
}

static int count_ranges(const record *r)
{
    int ranges = r->count > 0;
    for (int64_t i = 1; i < r->count; i++)
        ranges += r->begin_of[i] != r->begin_of[i - 1];
    return ranges;
}

static an_context *context_of(int threads)
{
    const an_context_options options = {.threads = threads};
    an_context *context = an_context_new(&options, NULL);
    assert_non_null(context);
    return context;
}

static void check_cover(an_context *context, int64_t count, int64_t grain)
{
    record *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->count = count;
    r->grain = grain;
    an__parallel(context, count, grain, visit, r);
    assert_false(r->misaligned);
    for (int64_t i = 0; i < MOST; i++)
        assert_int_equal(r->visits[i], i < count);
    const int64_t grains = (count + grain - 1) / grain;
    const int threads = an_context_threads(context);
    const int64_t expected = count == 0          ? 0
                             : count < 2 * grain ? 1
                             : grains < threads  ? grains
                                                 : threads;
    assert_int_equal(count_ranges(r), expected);
    free(r);
}

static void test_every_item_once(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 5, 16};
    static const int64_t counts[] = {0, 1, 2, 3, 7, 16, 31, 100, 997, 1000};
    static const int64_t grains[] = {1, 2, 3, 16, 64, 1000, 5000};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        an_context *context = context_of(threads[t]);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (size_t g = 0; g < sizeof grains / sizeof *grains; g++)
                check_cover(context, counts[c], grains[g]);
        an_context_free(context);
    }
}

static void test_same_split(void **state)
{
    (void)state;
    static record first, again;
    an_context *context = context_of(3);
    first.count = again.count = 997;
    first.grain = again.grain = 16;
    an__parallel(context, 997, 16, visit, &first);
    an__parallel(context, 997, 16, visit, &again);
    assert_memory_equal(first.begin_of, again.begin_of, sizeof first.begin_of);
    an_context_free(context);
}

static void add_up(void *arg, int64_t begin, int64_t end)
{
    int64_t *sums = arg;
    for (int64_t i = begin; i < end; i++)
        sums[i] += i;
}

/* Many rounds in a row, some after the workers have gone to sleep: none is lost, none runs twice.
 */
static void test_many_rounds(void **state)
{
    (void)state;
    const struct timespec nap = {.tv_nsec = 2000000};
    for (int threads = 2; threads <= 4; threads++) {
        int64_t sums[64] = {0};
        an_context *context = context_of(threads);
        for (int round = 0; round < 3000; round++) {
            an__parallel(context, 64, 1, add_up, sums);
            if (round % 300 == 0)
                nanosleep(&nap, NULL);
        }
        for (int64_t i = 0; i < 64; i++)
            assert_int_equal(sums[i], i * 3000);
        an_context_free(context);
    }
}

/* Contexts are independent of one another, and may be made and freed without having worked. */
static void test_two_contexts(void **state)
{
    (void)state;
    an_context *one = context_of(2), *two = context_of(3);
    check_cover(one, 100, 1);
    check_cover(two, 100, 1);
    an_context_free(one);
    check_cover(two, 50, 7);
    an_context_free(two);
    an_context_free(context_of(8));
}

/* Pieces of work for later: each once, whoever computes it, beside other work or alone. */
static void check_later(an_context *context, int64_t count, int64_t grain, bool busy)
{
    record *later = calloc(1, sizeof *later), *now = calloc(1, sizeof *now);
    assert_non_null(later);
    assert_non_null(now);
    later->count = count;
    later->grain = grain;
    now->count = MOST;
    now->grain = 1;
    const bool posted = an__later(context, count, grain, visit, later);
    assert_int_equal(posted, an_context_threads(context) > 1 && count > 0);
    if (posted)
        assert_false(an__later(context, count, grain, visit, later));
    for (int i = 0; busy && i < 5; i++)
        an__parallel(context, MOST, 1, visit, now);
    an__later_finish(context);
    assert_false(later->misaligned);
    for (int64_t i = 0; i < MOST; i++) {
        assert_int_equal(later->visits[i], posted && i < count);
        assert_int_equal(now->visits[i], busy ? 5 : 0);
        assert_true(!posted || i >= count || later->begin_of[i] == i / grain * grain);
    }
    free(now);
    free(later);
}

static void test_later(void **state)
{
    (void)state;
    static const int64_t counts[] = {0, 1, 2, 63, 64, 65, MOST};
    for (int threads = 1; threads <= 5; threads++) {
        an_context *context = context_of(threads);
        an__later_finish(context); /* nothing posted: nothing happens */
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (int64_t grain = 1; grain <= 64; grain *= 8)
                for (int round = 0; round < 20; round++)
                    check_later(context, counts[c], grain, round % 2 == 1);
        an_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_item_once), cmocka_unit_test(test_same_split),
        cmocka_unit_test(test_many_rounds),     cmocka_unit_test(test_two_contexts),
        cmocka_unit_test(test_later),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
