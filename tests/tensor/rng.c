/* Random numbers: known answers, ranges, moments, independence of how they are drawn. */
#include "tensor/philox.h"

#include <anneal/tensor.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The known-answer vectors that the authors publish with Random123. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        an__philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].answer, sizeof out);
    }
}

/* Number n is word n % 4 of block n / 4; seed, stream and counter are the whole state. */
static void test_layout(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(0x299f31d0a4093822, 0x0370734413198a2e);
    rng.counter = (0x85a308d3243f6a88 & 0x3fffffffffffffff) * 4 + 2;
    const uint64_t block = rng.counter / 4;
    uint32_t out[4];
    an__philox((uint32_t[]){(uint32_t)block, (uint32_t)(block >> 32), 0x13198a2e, 0x03707344},
               (uint32_t[]){0xa4093822, 0x299f31d0}, out);
    assert_int_equal(an_rng_u32(&rng), out[2]);
    assert_int_equal(an_rng_u32(&rng), out[3]);
    an_rng zero = an_rng_init(0, 0);
    assert_int_equal(an_rng_u32(&zero), 0x6627e8d5);
    an_rng other = an_rng_init(0, 1);
    assert_int_not_equal(an_rng_u32(&other), 0x6627e8d5);
}

static void test_below(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(1, 2);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        const uint64_t value = an_rng_below(&rng, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++) /* 10000 +- 5 deviations of 92.6 */
        assert_in_range(seen[i], 9537, 10463);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(an_rng_below(&rng, 1), 0);
        assert_true(an_rng_below(&rng, (uint64_t)1 << 32) < (uint64_t)1 << 32);
        assert_true(an_rng_below(&rng, 0xffffffff) < 0xffffffff);
    }
    /* n = 3 * 2^30: without the rejection, a third of the results would be twice as likely. */
    int low = 0;
    for (int i = 0; i < 30000; i++)
        low += an_rng_below(&rng, 3u << 30) % 3 == 0;
    assert_in_range(low, 9592, 10408);
}

static void test_uniform_moments(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(3, 0);
    const int count = 100000;
    double sum_float = 0, sum_double = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        const float f = an_rng_float(&rng);
        const double d = an_rng_double(&rng);
        assert_true(f >= 0.0f && f < 1.0f && d >= 0.0 && d < 1.0);
        sum_float += (double)f;
        sum_double += d;
        squares += d * d;
    }
    assert_true(fabs(sum_float / count - 0.5) < 0.0046); /* 5 deviations of the mean */
    assert_true(fabs(sum_double / count - 0.5) < 0.0046);
    assert_true(fabs(squares / count - 1.0 / 3.0) < 0.0048);
}

static void test_normal_moments(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(4, 0);
    const int count = 100000;
    double power[5] = {0};
    for (int i = 0; i < count; i++) {
        const double x = an_rng_normal(&rng);
        assert_true(isfinite(x));
        for (int p = 1; p <= 4; p++)
            power[p] += pow(x, p) / count;
    }
    assert_true(fabs(power[1]) < 0.016);
    assert_true(fabs(power[2] - 1.0) < 0.023);
    assert_true(fabs(power[3]) < 0.062);
    assert_true(fabs(power[4] - 3.0) < 0.16);
}

/* Filling in pieces gives what filling at once gives, from any counter. */
static void test_fill_uniform(void **state)
{
    (void)state;
    float once[103], pieces[103];
    an_rng a = an_rng_init(5, 9), b = a;
    a.counter = b.counter = 3;
    an_rng_fill_uniform(&a, once, 103, -0.25f, 0.5f);
    an_rng_fill_uniform(&b, pieces, 1, -0.25f, 0.5f);
    an_rng_fill_uniform(&b, pieces + 1, 6, -0.25f, 0.5f);
    an_rng_fill_uniform(&b, pieces + 7, 0, -0.25f, 0.5f);
    an_rng_fill_uniform(&b, pieces + 7, 96, -0.25f, 0.5f);
    assert_memory_equal(once, pieces, sizeof once);
    assert_int_equal(a.counter, 106);
    assert_int_equal(b.counter, 106);
    b.counter = 3;
    for (int i = 0; i < 103; i++) {
        assert_true(once[i] >= -0.25f && once[i] < 0.5f);
        assert_true(once[i] == -0.25f + 0.75f * an_rng_float(&b));
    }
    /* Rounding must not reach the excluded end. */
    const float low = 16777216.0f, high = 16777218.0f;
    for (int i = 0; i < 100; i++) {
        an_rng_fill_uniform(&a, once, 103, low, high);
        for (int j = 0; j < 103; j++)
            assert_true(once[j] == low);
    }
    an_rng_fill_uniform(&a, once, 2, 1.5f, 1.5f);
    assert_true(once[0] == 1.5f && once[1] == 1.5f);
}

static void test_fill_normal(void **state)
{
    (void)state;
    float values[50];
    an_rng a = an_rng_init(6, 0), b = a;
    an_rng_fill_normal(&a, values, 50, 2.0f, 0.5f);
    for (int i = 0; i < 50; i++)
        assert_true(values[i] == (float)(2.0 + 0.5 * an_rng_normal(&b)));
}

static void test_permutation(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    int32_t order[COUNT];
    bool seen[COUNT] = {false};
    an_rng rng = an_rng_init(7, 0);
    an_rng_permutation(&rng, order, COUNT);
    int fixed = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_in_range(order[i], 0, COUNT - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == i;
    }
    assert_true(fixed < 10); /* one is expected */
    /* All six orders of three are equally likely. */
    int count[27] = {0};
    for (int i = 0; i < 6000; i++) {
        an_rng_permutation(&rng, order, 3);
        count[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    static const int orders[6] = {5, 7, 11, 15, 19, 21};
    for (int i = 0; i < 6; i++)
        assert_in_range(count[orders[i]], 856, 1144);
    an_rng_permutation(&rng, order, 0);
    an_rng_permutation(&rng, order, 1);
    assert_int_equal(order[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),  cmocka_unit_test(test_layout),
        cmocka_unit_test(test_below),          cmocka_unit_test(test_uniform_moments),
        cmocka_unit_test(test_normal_moments), cmocka_unit_test(test_fill_uniform),
        cmocka_unit_test(test_fill_normal),    cmocka_unit_test(test_permutation),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
