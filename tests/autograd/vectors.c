/* Every operation against PyTorch's results and gradients (vectors.h, written by vectors.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"

typedef struct array {
    an_shape shape;
    const float *data;
} array;

/* What a vector sets of `setting`. */
typedef struct small_setting {
    double p, q;
    int dim;
    bool keep;
    an_shape shape;
    int64_t start, count;
    an_activation activation;
    int32_t labels[4];
    int64_t label_count;
    int64_t heads;
    bool causal, reverse;
    an_loss loss;
    double eps;
    int64_t groups;
    bool training, running;
    float weights[4], pos_weights[4];
} small_setting;

typedef struct vector {
    const char *op;
    int count;
    small_setting s;
    array in[MAX_INPUTS], gradient[MAX_INPUTS];
    array out, weight;
} vector;

#include "vectors.h"

enum { VECTORS = sizeof vectors / sizeof *vectors };

static void fill(setting *to, const small_setting *from)
{
    to->p = from->p;
    to->q = from->q;
    to->dim = from->dim;
    to->keep = from->keep;
    to->shape = from->shape;
    to->start = from->start;
    to->count = from->count;
    to->activation = from->activation;
    to->label_count = from->label_count;
    memcpy(to->labels, from->labels, sizeof from->labels);
    to->heads = from->heads;
    to->causal = from->causal;
    to->reverse = from->reverse;
    to->loss = from->loss;
    to->eps = from->eps;
    to->groups = from->groups;
    to->training = from->training;
    to->running = from->running;
    memcpy(to->weights, from->weights, sizeof from->weights);
    memcpy(to->pos_weights, from->pos_weights, sizeof from->pos_weights);
}

static void close_to(const char *op, const char *what, const float *got, const array *want)
{
    const int64_t size = an_shape_size(want->shape);
    double top = 0;
    for (int64_t i = 0; i < size; i++)
        top = fmax(top, fabs((double)want->data[i]));
    for (int64_t i = 0; i < size; i++)
        if (!(fabs((double)got[i] - (double)want->data[i]) <= 1e-6 * (top + 0.1)))
            fail_msg("%s: %s[%lld] is %.9g, PyTorch has %.9g", op, what, (long long)i,
                     (double)got[i], (double)want->data[i]);
}

static void check(an_graph *graph, const vector *v)
{
    static setting s;
    an_error err = {0};
    an_tensor *leaves[MAX_INPUTS];
    fill(&s, &v->s);
    for (int i = 0; i < v->count; i++)
        leaves[i] = an_leaf(graph, v->in[i].data, v->in[i].shape);
    an_tensor *out = op_case_find(v->op)->apply(graph, leaves, v->count, &s);
    an_tensor *weight = an_from(graph, v->weight.data, v->weight.shape);
    if (!an_backward(graph, an_sum(graph, an_mul(graph, out, weight)), &err))
        fail_msg("%s: %s", v->op, err.message);
    assert_true(an_shape_equal(out->shape, v->out.shape));
    close_to(v->op, "value", out->data, &v->out);
    for (int i = 0; i < v->count; i++)
        close_to(v->op, "gradient", an_tensor_grad(leaves[i]), &v->gradient[i]);
    assert_true(an_graph_reset(graph, NULL));
}

static void test_vectors(void **state)
{
    (void)state;
    for (int bits = 128; bits <= 512; bits *= 2) {
        an_context *context =
            an_context_new(&(an_context_options){.threads = 1, .vector_bits = bits}, NULL);
        if (!context) /* this processor lacks the width */
            continue;
        an_graph *graph = an_graph_new(context, NULL);
        for (int i = 0; i < VECTORS; i++)
            check(graph, &vectors[i]);
        an_graph_free(graph);
        an_context_free(context);
    }
}

/* Dropout draws its own numbers, an own operation has no counterpart, and those on images have
 * vectors of their own (image_vectors.c). */
static void test_every_operation_has_a_vector(void **state)
{
    (void)state;
    for (int i = 0; i < op_case_count; i++) {
        const char *op = op_cases[i].name;
        bool found = strcmp(op, "dropout") == 0 || strcmp(op, "apply") == 0;
#define IS_IMAGE_CASE(name) found = found || strcmp(op, #name) == 0;
        IMAGE_CASES(IS_IMAGE_CASE)
#undef IS_IMAGE_CASE
        for (int k = 0; k < VECTORS; k++)
            found = found || strcmp(vectors[k].op, op) == 0;
        if (!found)
            fail_msg("operation '%s' has no vector", op);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_operation_has_a_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
