/*
 * The whole MultiheadAttention as PyTorch computes it (multihead.h, written by multihead.py): other
 * keys and values, masks, keys that are added. And masks by hand.
 */
#include "world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct array {
    an_shape shape;
    const float *data;
} array;

/* Query, key, value; then the weights in the order of an_multihead_weights. */
enum { TENSORS = 12, WEIGHTS = 3 };

typedef struct multihead_case {
    bool zero_attention;
    array in[TENSORS], gradient[TENSORS];
    array mask, key_mask, y, weight;
} multihead_case;

#include "multihead.h"

enum { CASES = sizeof cases / sizeof *cases };

static void close_to(int index, int tensor, const float *got, const array *want)
{
    const int64_t size = an_shape_size(want->shape);
    double top = 0;
    assert_non_null(got);
    for (int64_t i = 0; i < size; i++)
        top = fmax(top, fabs((double)want->data[i]));
    for (int64_t i = 0; i < size; i++)
        if (!(fabs((double)got[i] - (double)want->data[i]) <= 1e-6 * (top + 0.1)))
            fail_msg("case %d, tensor %d: value %lld is %.9g, PyTorch has %.9g", index, tensor,
                     (long long)i, (double)got[i], (double)want->data[i]);
}

static an_tensor *tensor_of(const array *a, bool leaf)
{
    if (!a->data)
        return NULL;
    return leaf ? an_leaf(graph, a->data, a->shape) : an_from(graph, a->data, a->shape);
}

static void as_pytorch(void **state)
{
    (void)state;
    for (int k = 0; k < CASES; k++) {
        const multihead_case *c = &cases[k];
        an_tensor *in[TENSORS];
        an_error err = {0};
        for (int i = 0; i < TENSORS; i++)
            in[i] = tensor_of(&c->in[i], true);
        an_multihead_weights weights;
        memcpy(&weights, in + WEIGHTS, sizeof weights);
        const an_attention_options options = {.heads = 2,
                                              .mask = tensor_of(&c->mask, false),
                                              .key_mask = tensor_of(&c->key_mask, false)};
        an_tensor *y =
            an_multihead_attention(graph, in[0], in[1], in[2], weights, c->zero_attention, options);
        an_tensor *weight = tensor_of(&c->weight, false);
        if (!an_backward(graph, an_sum(graph, an_mul(graph, y, weight)), &err))
            fail_msg("case %d: %s", k, err.message);
        close_to(k, -1, y->data, &c->y);
        for (int i = 0; i < TENSORS; i++)
            if (in[i])
                close_to(k, i, an_tensor_grad(in[i]), &c->gradient[i]);
        assert_true(an_graph_reset(graph, NULL));
    }
}

/* What a mask of booleans hides changes nothing, and one that hides all gives NaN. */
static void hidden_keys_do_not_count(void **state)
{
    (void)state;
    static const bool last[3] = {false, false, true}, all[3] = {true, true, true};
    float keys[2][6] = {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, -50, 60}};
    float out[2][2];
    an_attention_options options = {.heads = 1};
    for (int i = 0; i < 2; i++) {
        options.key_mask = an_mask(graph, last, an_shape_2(1, 3));
        an_tensor *k = an_from(graph, keys[i], an_shape_3(1, 3, 2));
        an_tensor *q = an_from(graph, keys[0], an_shape_3(1, 1, 2));
        memcpy(out[i], an_attention(graph, q, k, k, options)->data, sizeof out[i]);
        options.key_mask = an_mask(graph, all, an_shape_2(1, 3));
        assert_true(isnan(an_attention(graph, q, k, k, options)->data[0]));
    }
    assert_memory_equal(out[0], out[1], sizeof out[0]);
    assert_true(an_graph_reset(graph, NULL));
}

static void expect(an_tensor *tensor, const char *part)
{
    an_error err = {0};
    assert_int_equal(tensor->size, 0);
    assert_false(an_graph_reset(graph, &err));
    if (!strstr(err.message, part))
        fail_msg("'%s' is not in '%s'", part, err.message);
}

static an_tensor *ones(int64_t a, int64_t b, int64_t c)
{
    return an_full(graph, an_shape_3(a, b, c), 1);
}

static void masks_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    an_attention_options options = {.heads = 2};
    options.mask = ones(4, 3, 5);
    expect(an_attention(graph, ones(2, 3, 4), ones(2, 4, 4), ones(2, 4, 4), options),
           "attention: the mask must be (3, 4) but has shape (4, 3, 5)");
    options = (an_attention_options){.heads = 2, .key_mask = ones(2, 4, 1)};
    expect(an_attention(graph, ones(2, 3, 4), ones(2, 4, 4), ones(2, 4, 4), options),
           "attention: the mask of the keys must be (2, 4) but has shape (2, 4, 1)");
    options = (an_attention_options){.heads = 2, .extra = 5};
    expect(an_attention(graph, ones(2, 3, 4), ones(2, 4, 4), ones(2, 4, 4), options),
           "extra must be 0 to 4, the keys, got 5");
    an_multihead_weights none = {0};
    an_tensor *x = ones(2, 3, 4);
    expect(an_multihead_attention(graph, x, x, x, none, false, (an_attention_options){.heads = 2}),
           "multihead_attention: takes out_weight");
    expect(an_mask(graph, NULL, an_shape_1(2)), "mask: the booleans are NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pytorch),
        cmocka_unit_test(hidden_keys_do_not_count),
        cmocka_unit_test(masks_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
