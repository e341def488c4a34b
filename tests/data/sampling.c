/* Samples drawn by weights, and cuts that keep the classes' shares. */
#include "../base/cmocka_all.h"

#include "files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 200 };

/* One value a sample, its own number; 150 of class 0, 40 of class 1, 10 of class 3. */
static an_dataset *samples(const an_allocator *allocator)
{
    float values[COUNT];
    int32_t labels[COUNT];
    for (int i = 0; i < COUNT; i++) {
        values[i] = (float)i;
        labels[i] = i % 20 == 19 ? 3 : i % 5 == 1 ? 1 : 0;
    }
    return an_dataset_from_floats(allocator, values, COUNT, an_shape_1(1), labels, 0, NULL, 0,
                                  NULL);
}

static an_loader_options options_of(const double *weights, int64_t drawn)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = 32;
    options.seed = 9;
    options.weights = weights;
    options.samples = drawn;
    return options;
}

/* Each sample comes as often as its weight says; one without weight never. */
static void test_shares(void **state)
{
    (void)state;
    an_context *context = an_context_new(&(an_context_options){.threads = 2}, NULL);
    an_dataset *set = samples(NULL);
    double weights[COUNT], sum = 0;
    for (int i = 0; i < COUNT; i++)
        sum += weights[i] = i % 4 == 3 || i == COUNT - 1 || i == 0 ? 0 : i % 7;
    an_loader_options options = options_of(weights, 5000);
    an_loader *loader = an_loader_new(context, set, &options, NULL);
    memset(weights, 0, sizeof weights); /* no longer needed */
    int64_t seen[COUNT] = {0}, all = 0;
    an_batch batch;
    assert_int_equal(an_loader_samples(loader), 5000);
    assert_int_equal(an_loader_batches(loader), 157);
    for (int epoch = 0; epoch < 20; epoch++)
        while (an_loader_next(loader, &batch))
            for (int64_t i = 0; i < batch.size; i++, all++) {
                const int64_t sample = lroundf(batch.x->data[i]);
                assert_int_equal(batch.y.data[i], an_dataset_label(set, sample));
                seen[sample]++;
            }
    assert_int_equal(all, 100000);
    for (int i = 0; i < COUNT; i++) {
        const double weight = i % 4 == 3 || i == COUNT - 1 || i == 0 ? 0 : i % 7;
        const double expected = 100000 * weight / sum;
        assert_true(fabs((double)seen[i] - expected) <= 5 * sqrt(expected));
    }
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

static void test_balanced(void **state)
{
    (void)state;
    an_context *context = an_context_new(&(an_context_options){.threads = 1}, NULL);
    an_dataset *set = samples(NULL);
    double weights[COUNT];
    assert_true(an_dataset_balance(set, weights, NULL));
    const an_loader_options options = options_of(weights, 0);
    an_loader *loader = an_loader_new(context, set, &options, NULL);
    assert_int_equal(an_loader_samples(loader), COUNT);
    int64_t seen[4] = {0};
    an_batch batch;
    for (int epoch = 0; epoch < 60; epoch++)
        while (an_loader_next(loader, &batch))
            for (int64_t i = 0; i < batch.size; i++)
                seen[batch.y.data[i]]++;
    for (int c = 0; c < 4; c++)
        assert_true(llabs(seen[c] - (c == 2 ? 0 : 4000)) < 260);
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

/* Going to a place gives what would have come there, with any number of threads, also of a view. */
static void test_goes_on(void **state)
{
    (void)state;
    an_dataset *set = samples(NULL), *rest, *cut;
    double weights[COUNT];
    assert_true(an_dataset_split(set, 50, 2, &rest, &cut, NULL));
    assert_true(an_dataset_balance(rest, weights, NULL));
    const an_loader_options options = options_of(weights, 130);
    float expected[130];
    uint64_t fingerprint = 0;
    for (int threads = 1; threads <= 2; threads++) {
        an_context *context = an_context_new(&(an_context_options){.threads = threads}, NULL);
        an_loader *loader = an_loader_new(context, rest, &options, NULL);
        an_batch batch;
        if (threads == 1)
            for (an_loader_seek(loader, 4); an_loader_next(loader, &batch);)
                memcpy(expected + 32 * batch.index, batch.x->data,
                       (size_t)batch.size * sizeof *expected);
        for (int64_t at = 4; at >= 0; at--) {
            an_loader_seek_batch(loader, 4, at);
            assert_true(an_loader_next(loader, &batch));
            assert_int_equal(batch.size, at == 4 ? 2 : 32);
            assert_memory_equal(batch.x->data, expected + 32 * at,
                                (size_t)batch.size * sizeof *expected);
        }
        fingerprint = an_loader_fingerprint(loader);
        an_loader_free(loader);
        weights[7] *= 2;
        loader = an_loader_new(context, rest, &options, NULL);
        assert_true(an_loader_fingerprint(loader) != fingerprint);
        weights[7] /= 2;
        an_loader_free(loader);
        an_context_free(context);
    }
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(set);
}

static void test_refused(void **state)
{
    (void)state;
    an_context *context = an_context_new(&(an_context_options){.threads = 1}, NULL);
    an_dataset *set = samples(NULL);
    double weights[COUNT] = {0};
    static const struct {
        double weight;
        const char *message;
    } cases[] = {{0, "all weights are 0"},
                 {-1, "sample 5 is -1"},
                 {NAN, "sample 5 is "},
                 {INFINITY, "sample 5 is inf"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        weights[5] = cases[i].weight;
        const an_loader_options options = options_of(weights, 0);
        assert_null(an_loader_new(context, set, &options, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, cases[i].message));
    }
    an_error err = {0};
    an_loader_options options = options_of(NULL, 10);
    assert_null(an_loader_new(context, set, &options, &err));
    assert_non_null(strstr(err.message, "where weights say how they are drawn"));
    weights[5] = 1;
    options = options_of(weights, 10);
    options.drop_last = true;
    assert_null(an_loader_new(context, set, &options, &err));
    assert_non_null(strstr(err.message, "leaves no batch of 10 samples"));
    an_dataset_free(set);
    an_context_free(context);
}

/* ---------------------------------------------------------------- stratified cuts */

static void count_classes(const an_dataset *set, int64_t counts[4])
{
    memset(counts, 0, 4 * sizeof *counts);
    for (int64_t i = 0; i < an_dataset_count(set); i++)
        counts[an_dataset_label(set, i)]++;
}

static void test_stratified(void **state)
{
    (void)state;
    /* Shares of 150, 40 and 10 of 200: exact, or by largest remainders, the lower class first. */
    static const int64_t cases[][4] = {{20, 15, 4, 1},     {10, 8, 2, 0},  {1, 1, 0, 0},
                                       {199, 149, 40, 10}, {33, 25, 6, 2}, {7, 5, 2, 0}};
    an_dataset *set = samples(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 1; seed < 4; seed++) {
            an_dataset *rest, *cut, *again, *other;
            int64_t counts[4];
            bool seen[COUNT] = {false};
            assert_true(an_dataset_split_stratified(set, cases[i][0], seed, &rest, &cut, NULL));
            count_classes(cut, counts);
            assert_int_equal(counts[0], cases[i][1]);
            assert_int_equal(counts[1], cases[i][2]);
            assert_int_equal(counts[3], cases[i][3]);
            const an_dataset *parts[] = {rest, cut};
            for (int p = 0; p < 2; p++)
                for (int64_t k = 0; k < an_dataset_count(parts[p]); k++) {
                    float x;
                    an_dataset_sample(parts[p], k, &x);
                    assert_false(seen[(int)x]);
                    seen[(int)x] = true;
                }
            assert_int_equal(an_dataset_count(rest) + an_dataset_count(cut), COUNT);
            assert_true(an_dataset_split_stratified(set, cases[i][0], seed, &other, &again, NULL));
            for (int64_t k = 0; k < an_dataset_count(cut); k++) {
                float a, b;
                an_dataset_sample(cut, k, &a);
                an_dataset_sample(again, k, &b);
                assert_true(a == b);
            }
            an_dataset_free(again);
            an_dataset_free(other);
            an_dataset_free(rest);
            an_dataset_free(cut);
        }
    an_dataset_free(set);
}

/* A cut of what is left of a cut. */
static void test_stratified_view(void **state)
{
    (void)state;
    an_dataset *set = samples(NULL), *rest, *test, *train, *valid;
    int64_t counts[4];
    assert_true(an_dataset_split_stratified(set, 20, 1, &rest, &test, NULL));
    assert_true(an_dataset_split_stratified(rest, 18, 1, &train, &valid, NULL));
    count_classes(train, counts);
    assert_true(counts[0] == 122 && counts[1] == 32 && counts[3] == 8);
    count_classes(valid, counts);
    assert_true(counts[0] == 13 && counts[1] == 4 && counts[3] == 1);
    an_dataset_free(train);
    an_dataset_free(valid);
    an_dataset_free(rest);
    an_dataset_free(test);
    an_dataset_free(set);
}

/* Labels are any numbers: what a cut costs does not go by the greatest of them. */
static void test_stratified_by_great_labels(void **state)
{
    (void)state;
    enum { MOST = INT32_MAX - 1, MANY = 600 };
    float values[MANY];
    int32_t labels[MANY];
    int64_t counts[3] = {0};
    for (int i = 0; i < MANY; i++) {
        values[i] = (float)i;
        labels[i] = i < 3 ? 7 : i % 3 == 0 ? MOST : MOST - 1 - i; /* 3, 199, and 398 of one */
    }
    an_dataset *rest, *cut;
    an_dataset *set =
        an_dataset_from_floats(NULL, values, MANY, an_shape_1(1), labels, 0, NULL, 0, NULL);
    assert_true(an_dataset_split_stratified(set, 300, 1, &rest, &cut, NULL));
    for (int64_t i = 0; i < an_dataset_count(cut); i++) {
        const int32_t label = an_dataset_label(cut, i);
        counts[label == 7 ? 0 : label == MOST ? 1 : 2]++;
    }
    /* Rounded down, 1 + 99; the 200 that are missing go to the lowest of those that lost a half. */
    assert_int_equal(counts[0], 2);
    assert_int_equal(counts[1], 99);
    assert_int_equal(counts[2], 199);
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(set);
}

static void test_stratified_refuses(void **state)
{
    (void)state;
    const float values[4] = {1, 2, 3, 4};
    const int32_t tokens[] = {0, 1, 2, 3, 4, 5, 6, 7};
    an_error err = {0};
    an_dataset *rest, *cut, *set = samples(NULL);
    assert_false(an_dataset_split_stratified(set, COUNT, 1, &rest, &cut, &err));
    assert_non_null(strstr(err.message, "leave at least 1"));
    an_dataset_free(set);
    set = an_dataset_from_floats(NULL, values, 4, an_shape_1(1), NULL, 0, values, 1, NULL);
    assert_false(an_dataset_split_stratified(set, 2, 1, &rest, &cut, &err));
    assert_non_null(strstr(err.message, "numbers are predicted"));
    an_dataset_free(set);
    set = an_dataset_from_tokens(NULL, tokens, 8, 2, 0, NULL);
    assert_false(an_dataset_split_stratified(set, 1, 1, &rest, &cut, &err));
    assert_non_null(strstr(err.message, "a text's samples have none"));
    assert_true(rest == NULL && cut == NULL);
    an_dataset_free(set);
}

/* Every allocation fails once; nothing leaks, and epochs allocate nothing. */
static void test_memory(void **state)
{
    (void)state;
    bool done = false;
    for (size_t fail = 1; !done && fail < 200; fail++) {
        counter c = {.fail_at = fail};
        const an_context_options o = {.threads = 1, .allocator = counting_allocator(&c)};
        an_error err = {0};
        an_batch batch;
        an_dataset *rest = NULL, *cut = NULL, *set = samples(&o.allocator);
        double weights[COUNT];
        an_context *context = an_context_new(&o, NULL);
        an_loader *loader = NULL;
        if (set && context && an_dataset_split_stratified(set, 50, 1, &rest, &cut, &err) &&
            an_dataset_balance(rest, weights, &err)) {
            const an_loader_options options = options_of(weights, 100);
            loader = an_loader_new(context, rest, &options, &err);
        }
        done = loader != NULL;
        assert_true(done || !set || !context || err.code == AN_ERROR_MEMORY);
        const size_t calls = c.calls;
        for (int i = 0; loader && i < 20; i++)
            an_loader_next(loader, &batch);
        assert_int_equal(c.calls, calls);
        an_loader_free(loader);
        an_context_free(context);
        an_dataset_free(rest);
        an_dataset_free(cut);
        an_dataset_free(set);
        assert_int_equal(c.live, 0);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_balanced),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stratified),
        cmocka_unit_test(test_stratified_view),
        cmocka_unit_test(test_stratified_by_great_labels),
        cmocka_unit_test(test_stratified_refuses),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
