/* Same seed, threads and width: the same bits; and most operations give them for any threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

static float *weight;

static int setup(void **state)
{
    (void)state;
    an_rng rng = an_rng_init(8, 0);
    weight = malloc(WEIGHTS * sizeof *weight);
    if (!weight)
        return 1;
    an_rng_fill_uniform(&rng, weight, WEIGHTS, -1, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(weight);
    return 0;
}

/* Output and gradients of one run, and the graph that holds them. */
typedef struct result {
    an_context *context;
    an_graph *graph;
    an_tensor *out, *leaves[MAX_INPUTS];
} result;

static void result_new(result *r, const sample *x, int mode, int threads)
{
    an_error err = {0};
    r->context = an_context_new(&(an_context_options){.threads = threads}, &err);
    r->graph = an_graph_new(r->context, &err);
    r->out = sample_run(x, mode, r->graph, weight, r->leaves, &err);
    if (!r->out)
        fail_msg("%s: %s", x->op->name, err.message);
}

static void result_free(result *r)
{
    an_graph_free(r->graph);
    an_context_free(r->context);
}

static void same_bits(const sample *x, const result *a, const result *b)
{
    if (memcmp(a->out->data, b->out->data, (size_t)a->out->size * sizeof(float)) != 0)
        fail_msg("%s: values differ", x->op->name);
    for (int i = 0; i < x->count; i++)
        if (memcmp(an_tensor_grad(a->leaves[i]), an_tensor_grad(b->leaves[i]),
                   (size_t)x->in[i].size * sizeof(float)) != 0)
            fail_msg("%s: gradients of input %d differ", x->op->name, i);
}

static void compare(int threads_a, int threads_b)
{
    an_rng rng = an_rng_init(9, 0);
    for (int i = 0; i < op_case_count; i++)
        for (int n = 0; n < 2; n++) {
            sample x;
            result a, b;
            sample_new(&x, &op_cases[i], &rng, true);
            result_new(&a, &x, n, threads_a);
            result_new(&b, &x, n, threads_b);
            same_bits(&x, &a, &b);
            result_free(&a);
            result_free(&b);
            sample_free(&x);
        }
}

static void test_repeated_runs(void **state)
{
    (void)state;
    compare(2, 2);
}

static void test_one_and_two_threads(void **state)
{
    (void)state;
    compare(1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeated_runs),
        cmocka_unit_test(test_one_and_two_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
