/* Every operation against its double twin: values, and gradients by central differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autograd/ops.h"
#include "cases.h"

enum { CASES = 32, CONTEXTS = 4 };

static an_context *contexts[CONTEXTS];
static an_graph *graphs[CONTEXTS];
static int context_count;

static int setup(void **state)
{
    (void)state;
    const an_context_options options[] = {
        {.threads = 1, .vector_bits = 128},
        {.threads = 1, .vector_bits = 256},
        {.threads = 1, .vector_bits = 512},
        {.threads = 2},
    };
    for (int i = 0; i < CONTEXTS; i++) {
        an_context *context = an_context_new(&options[i], NULL);
        if (!context) /* this processor lacks the width */
            continue;
        contexts[context_count] = context;
        graphs[context_count++] = an_graph_new(context, NULL);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < context_count; i++) {
        an_graph_free(graphs[i]);
        an_context_free(contexts[i]);
    }
    return 0;
}

static void test_every_operation_has_a_case(void **state)
{
    (void)state;
#define NAME(op) an__op_##op.name,
    const char *const names[] = {AN_OP_MAP(NAME)};
#undef NAME
    const int count = sizeof names / sizeof *names;
    for (int i = 0; i < count; i++)
        if (!op_case_find(names[i]))
            fail_msg("operation '%s' has no case in cases.c", names[i]);
    assert_int_equal(count, op_case_count);
}

static double weighted(const sample *x, const float *weight)
{
    twin out;
    double sum = 0;
    x->op->twin(&x->s, x->in, x->count, &out);
    for (int64_t i = 0; i < out.size; i++)
        sum += (double)weight[i] * out.data[i];
    twin_free(&out);
    return sum;
}

/* The derivatives of `times` the weighted sum of the twin's output by every input value. */
static void differences(sample *x, int times, const float *weight, twin *gradient)
{
    const double h = 1e-6;
    for (int i = 0; i < x->count; i++) {
        twin_new(&gradient[i], x->in[i].shape);
        for (int64_t j = 0; j < x->in[i].size; j++) {
            const double at = x->in[i].data[j];
            x->in[i].data[j] = at + h;
            const double above = weighted(x, weight);
            x->in[i].data[j] = at - h;
            const double under = weighted(x, weight);
            x->in[i].data[j] = at;
            gradient[i].data[j] = times * (above - under) / (2 * h);
        }
    }
}

/* Differences count relative to the largest value around, at least 1. */
static void close_to(const char *what, const sample *x, const float *got, const twin *want,
                     double tolerance)
{
    double size = 1;
    for (int64_t i = 0; i < want->size; i++)
        size = fabs(want->data[i]) > size ? fabs(want->data[i]) : size;
    for (int64_t i = 0; i < want->size; i++)
        if (!(fabs((double)got[i] - want->data[i]) <= tolerance * size))
            fail_msg("%s: %s[%lld] of %lld is %.9g, not %.9g", x->op->name, what, (long long)i,
                     (long long)want->size, (double)got[i], want->data[i]);
}

/* Against the twin in one of the modes of sample_run. */
static void check(sample *x, int mode, const float *weight, bool gradients)
{
    twin want, gradient[MAX_INPUTS];
    x->op->twin(&x->s, x->in, x->count, &want);
    if (gradients)
        differences(x, mode & TWICE ? 2 : 1, weight, gradient);
    for (int c = 0; c < context_count; c++) {
        an_error err = {0};
        an_tensor *leaves[MAX_INPUTS], *out = sample_run(x, mode, graphs[c], weight, leaves, &err);
        if (!out) {
            fail_msg("%s: %s", x->op->name, err.message);
            break;
        }
        assert_true(an_shape_equal(out->shape, want.shape));
        close_to("value", x, out->data, &want, 2e-6);
        for (int i = 0; gradients && i < x->count; i++) {
            assert_non_null(an_tensor_grad(leaves[i]));
            close_to("gradient", x, an_tensor_grad(leaves[i]), &gradient[i], 4e-6);
        }
        assert_true(an_graph_reset(graphs[c], &err));
    }
    for (int i = 0; gradients && i < x->count; i++)
        twin_free(&gradient[i]);
    twin_free(&want);
}

static float *weights(an_rng *rng, int64_t count)
{
    float *weight = malloc((size_t)count * sizeof *weight);
    assert_non_null(weight);
    an_rng_fill_uniform(rng, weight, count, -1, 1);
    return weight;
}

static void test_against_twins(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(1, 0);
    float *weight = weights(&rng, WEIGHTS);
    for (int i = 0; i < op_case_count; i++)
        for (int n = 0; n < CASES; n++) {
            sample x;
            sample_new(&x, &op_cases[i], &rng, false);
            check(&x, n % MODES, weight, true);
            sample_free(&x);
        }
    free(weight);
}

/* Sizes at which threads share the work; gradients are compared between threads in bits.c. */
static void test_large_against_twins(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(2, 0);
    float *weight = weights(&rng, WEIGHTS);
    for (int i = 0; i < op_case_count; i++) {
        sample x;
        sample_new(&x, &op_cases[i], &rng, true);
        check(&x, i % MODES, weight, false);
        sample_free(&x);
    }
    free(weight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation_has_a_case),
        cmocka_unit_test(test_against_twins),
        cmocka_unit_test(test_large_against_twins),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
