/* Accumulators against formulas written out sample by sample, over batches of any sizes. */
#include <anneal/metric.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLASSES 7
#define SAMPLES 211

typedef struct answers {
    float scores[SAMPLES * CLASSES];
    int32_t labels[SAMPLES];
    float predicted[SAMPLES], targets[SAMPLES];
} answers;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Scores of few values, so that many are equal; class 6 is never a label. */
static answers *make(uint32_t seed)
{
    answers *a = malloc(sizeof *a);
    assert_non_null(a);
    for (int i = 0; i < SAMPLES * CLASSES; i++)
        a->scores[i] = (float)(next_random(&seed) % 9) / 4 - 1;
    for (int i = 0; i < SAMPLES; i++) {
        a->labels[i] = (int32_t)(next_random(&seed) % (CLASSES - 1));
        a->targets[i] = 1000 + (float)(next_random(&seed) % 100) / 8;
        a->predicted[i] = a->targets[i] + (float)(next_random(&seed) % 17) / 16 - 0.5F;
    }
    return a;
}

/* The answer: the class of the largest score, the lowest of several. */
static int answer_of(const answers *a, int i)
{
    int best = 0;
    for (int c = 0; c < CLASSES; c++)
        if (a->scores[i * CLASSES + c] > a->scores[i * CLASSES + best])
            best = c;
    return best;
}

/* Sorted from best to worst, equal ones by class: whether the label is among the first k. */
static bool among_first(const answers *a, int i, int k)
{
    bool taken[CLASSES] = {false};
    for (int place = 0; place < k && place < CLASSES; place++) {
        int best = -1;
        for (int c = 0; c < CLASSES; c++)
            if (!taken[c] &&
                (best < 0 || a->scores[i * CLASSES + c] > a->scores[i * CLASSES + best]))
                best = c;
        if (best == a->labels[i])
            return true;
        taken[best] = true;
    }
    return false;
}

/* Sizes of batches that come to SAMPLES, some of them 0 or 1. */
static int batch_size(int done, int round)
{
    int size = (done * 7 + round * 3) % 17;
    return size < SAMPLES - done ? size + (round % 3 == 0) : SAMPLES - done;
}

static void averages_weigh_by_samples(void **state)
{
    (void)state;
    an_running_mean mean = {0};
    assert_true(isnan(an_running_mean_value(&mean)) && isnan(an_running_mean_perplexity(&mean)));
    an_running_mean_add(&mean, 2.0, 64);
    an_running_mean_add(&mean, 100.0, 0);
    an_running_mean_add(&mean, 5.0, 1);
    assert_true(an_running_mean_value(&mean) == (2.0 * 64 + 5.0) / 65);
    assert_true(an_running_mean_perplexity(&mean) == exp((2.0 * 64 + 5.0) / 65));
}

static void top_k_is_the_share_among_the_best(void **state)
{
    (void)state;
    answers *a = make(1);
    for (int k = 1; k <= CLASSES + 1; k++) {
        an_top_k top = {.k = k};
        int expected = 0;
        for (int done = 0, round = 0; done < SAMPLES; round++) {
            int size = batch_size(done, round);
            an_top_k_add(&top, a->scores + (ptrdiff_t)done * CLASSES, a->labels + done, size,
                         CLASSES);
            done += size;
        }
        for (int i = 0; i < SAMPLES; i++)
            expected += among_first(a, i, k);
        assert_int_equal(top.samples, SAMPLES);
        assert_int_equal(top.correct, expected);
        assert_true(an_top_k_value(&top) == (double)expected / SAMPLES);
    }
    free(a);
}

static void odd_rows_are_wrong_answers(void **state)
{
    (void)state;
    const float scores[] = {1, 2, 3, NAN, 1, 9, 1, 1, 1};
    const int32_t labels[] = {3, 2, -1};
    an_top_k top = {.k = 99};
    assert_true(isnan(an_top_k_value(&top)));
    an_top_k_add(&top, scores, labels, 3, 3);
    assert_int_equal(top.correct, 0);
    assert_int_equal(top.samples, 3);
    an_top_k_add(&top, scores, (const int32_t[]){0}, 1, 3);
    assert_int_equal(top.correct, 1);
}

static an_confusion *fill(const answers *a)
{
    an_confusion *c = an_confusion_new(CLASSES, NULL);
    assert_non_null(c);
    for (int done = 0, round = 0; done < SAMPLES; round++) {
        int size = batch_size(done, round);
        assert_true(an_confusion_add(c, a->scores + (ptrdiff_t)done * CLASSES, a->labels + done,
                                     size, NULL));
        done += size;
    }
    return c;
}

static void check_class(const an_confusion *c, const answers *a, int label)
{
    double hits = 0, of_class = 0, answered = 0;
    for (int i = 0; i < SAMPLES; i++) {
        hits += a->labels[i] == label && answer_of(a, i) == label;
        of_class += a->labels[i] == label;
        answered += answer_of(a, i) == label;
    }
    assert_true(an_confusion_support(c, label) == (int64_t)of_class);
    double precision = an_confusion_precision(c, label), recall = an_confusion_recall(c, label);
    double f1 = an_confusion_f1(c, label);
    assert_true(answered > 0 ? precision == hits / answered : isnan(precision));
    assert_true(of_class > 0 ? recall == hits / of_class : isnan(recall));
    if (hits > 0)
        assert_true(fabs(f1 - 2 * precision * recall / (precision + recall)) < 1e-15);
    else
        assert_true(of_class + answered > 0 ? f1 == 0 : isnan(f1));
}

static void a_confusion_matrix_counts_pairs(void **state)
{
    (void)state;
    answers *a = make(2);
    an_confusion *c = fill(a);
    int right = 0;
    double f1 = 0;
    for (int label = 0; label < CLASSES; label++) {
        for (int answer = 0; answer < CLASSES; answer++) {
            int64_t expected = 0;
            for (int i = 0; i < SAMPLES; i++)
                expected += a->labels[i] == label && answer_of(a, i) == answer;
            assert_int_equal(an_confusion_count(c, label, answer), expected);
            right += label == answer ? (int)expected : 0;
        }
        check_class(c, a, label);
        f1 += an_confusion_f1(c, label);
    }
    assert_true(an_confusion_accuracy(c) == (double)right / SAMPLES);
    assert_true(fabs(an_confusion_macro_f1(c) - f1 / CLASSES) < 1e-15);
    assert_int_equal(an_confusion_support(c, 6), 0);
    assert_true(isnan(an_confusion_recall(c, 6)));
    assert_int_equal(an_confusion_classes(c), CLASSES);
    an_confusion_reset(c);
    assert_true(isnan(an_confusion_accuracy(c)) && isnan(an_confusion_macro_f1(c)));
    assert_int_equal(an_confusion_count(c, 0, 0), 0);
    an_confusion_free(c);
    free(a);
}

static void a_confusion_matrix_refuses(void **state)
{
    (void)state;
    an_error err = {0};
    assert_null(an_confusion_new(0, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_null(an_confusion_new(10001, &err));
    an_confusion *c = an_confusion_new(2, &err);
    const float scores[] = {0, 1, NAN, 1, 1, 0};
    assert_false(an_confusion_add(c, scores, (const int32_t[]){0, 2, 0}, 3, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, "label 2 of sample 1"));
    assert_false(an_confusion_add(c, scores, (const int32_t[]){0, -1, 0}, 3, NULL));
    assert_true(isnan(an_confusion_accuracy(c)));
    /* The row with a NaN is of its class, and has no answer. */
    assert_true(an_confusion_add(c, scores, (const int32_t[]){1, 1, 1}, 3, &err));
    assert_int_equal(an_confusion_support(c, 1), 3);
    assert_true(an_confusion_accuracy(c) == 1.0 / 3);
    assert_true(an_confusion_precision(c, 1) == 1);
    assert_true(an_confusion_precision(c, 0) == 0);
    assert_true(an_confusion_f1(c, 1) == 2.0 / (3 + 1));
    assert_int_equal(an_confusion_count(c, -1, 0) + an_confusion_count(c, 0, 2), 0);
    assert_true(isnan(an_confusion_precision(c, 2)) && isnan(an_confusion_recall(c, -1)));
    assert_true(isnan(an_confusion_f1(c, 7)));
    an_confusion_free(c);
    an_confusion_free(NULL);
}

/* Targets lie far from 0, where sums of squares would cancel. */
static void r2_is_the_formula(void **state)
{
    (void)state;
    answers *a = make(3);
    an_r2 r2 = {0};
    assert_true(isnan(an_r2_value(&r2)));
    long double mean = 0, spread = 0, residual = 0;
    for (int i = 0; i < SAMPLES; i++)
        mean += (long double)a->targets[i] / SAMPLES;
    for (int i = 0; i < SAMPLES; i++) {
        long double off = a->targets[i] - mean;
        long double wrong = (long double)a->targets[i] - a->predicted[i];
        spread += off * off;
        residual += wrong * wrong;
    }
    for (int done = 0, round = 0; done < SAMPLES; round++) {
        int size = batch_size(done, round);
        an_r2_add(&r2, a->predicted + done, a->targets + done, size);
        done += size;
    }
    assert_int_equal(r2.count, SAMPLES);
    assert_true(fabs(an_r2_value(&r2) - (double)(1 - residual / spread)) < 1e-12);
    free(a);
}

static void r2_of_edge_cases(void **state)
{
    (void)state;
    const float one[] = {1, 1, 1}, rising[] = {1, 2, 3}, falling[] = {3, 2, 1}, twos[] = {2, 2, 2};
    an_r2 perfect = {0}, mean = {0}, worse = {0}, constant = {0}, single = {0};
    an_r2_add(&perfect, rising, rising, 3);
    an_r2_add(&mean, twos, rising, 3);
    an_r2_add(&worse, falling, rising, 3);
    an_r2_add(&constant, rising, one, 3);
    an_r2_add(&single, rising, rising, 1);
    assert_true(an_r2_value(&perfect) == 1 && an_r2_value(&mean) == 0);
    assert_true(an_r2_value(&worse) == -3);
    assert_true(isnan(an_r2_value(&constant)) && isnan(an_r2_value(&single)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_weigh_by_samples),
        cmocka_unit_test(top_k_is_the_share_among_the_best),
        cmocka_unit_test(odd_rows_are_wrong_answers),
        cmocka_unit_test(a_confusion_matrix_counts_pairs),
        cmocka_unit_test(a_confusion_matrix_refuses),
        cmocka_unit_test(r2_is_the_formula),
        cmocka_unit_test(r2_of_edge_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
