/* The operations on images against PyTorch's results and gradients (image_vectors.py). */
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

typedef struct vector {
    const char *op;
    int count;
    struct {
        an_conv2d_options conv;
        an_conv_transpose2d_options conv_transpose;
        an_pool2d_options pool;
        an_pad2d_options pad;
        int64_t out_size[2];
        int64_t count;
    } s;
    array in[MAX_INPUTS], gradient[MAX_INPUTS];
    array out, weight;
} vector;

#include "image_vectors.h"

enum { VECTORS = sizeof vectors / sizeof *vectors };

static void close_to(const char *op, int index, const char *what, const float *got,
                     const array *want)
{
    const int64_t size = an_shape_size(want->shape);
    double top = 0;
    for (int64_t i = 0; i < size; i++)
        top = fmax(top, fabs((double)want->data[i]));
    for (int64_t i = 0; i < size; i++)
        if (!(fabs((double)got[i] - (double)want->data[i]) <= 1e-6 * (top + 0.1)))
            fail_msg("%s, vector %d: %s[%lld] is %.9g, PyTorch has %.9g", op, index, what,
                     (long long)i, (double)got[i], (double)want->data[i]);
}

static void check(an_graph *graph, int index)
{
    static setting s;
    const vector *v = &vectors[index];
    an_error err = {0};
    an_tensor *leaves[MAX_INPUTS];
    s.conv = v->s.conv;
    s.conv_transpose = v->s.conv_transpose;
    s.pool = v->s.pool;
    s.pad = v->s.pad;
    memcpy(s.out_size, v->s.out_size, sizeof s.out_size);
    for (int i = 0; i < v->count; i++)
        leaves[i] = an_leaf(graph, v->in[i].data, v->in[i].shape);
    an_tensor *out = op_case_find(v->op)->apply(graph, leaves, v->count, &s);
    an_tensor *weight = an_from(graph, v->weight.data, v->weight.shape);
    if (!an_backward(graph, an_sum(graph, an_mul(graph, out, weight)), &err))
        fail_msg("%s: %s", v->op, err.message);
    assert_true(an_shape_equal(out->shape, v->out.shape));
    close_to(v->op, index, "value", out->data, &v->out);
    for (int i = 0; i < v->count; i++)
        close_to(v->op, index, "gradient", an_tensor_grad(leaves[i]), &v->gradient[i]);
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
            check(graph, i);
        an_graph_free(graph);
        an_context_free(context);
    }
}

static void test_every_operation_has_a_vector(void **state)
{
    (void)state;
#define NAME(name) #name,
    const char *const names[] = {IMAGE_CASES(NAME)};
#undef NAME
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool found = false;
        for (int k = 0; k < VECTORS; k++)
            found = found || strcmp(vectors[k].op, names[i]) == 0;
        if (!found)
            fail_msg("operation '%s' has no vector", names[i]);
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
