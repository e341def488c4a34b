/* A layer with PyTorch's values: the arrays of layers.h and sequence.h, and what is done with them.
 */
#ifndef AN_TESTS_NN_AS_PYTORCH_H
#define AN_TESTS_NN_AS_PYTORCH_H

#include "../autograd/world.h"
#include "../base/cmocka_all.h"

#include <anneal/nn.h>

#include <math.h>
#include <string.h>

typedef struct array {
    const char *name;
    an_shape shape;
    const float *data;
} array;

/* The shape of one sample. */
static inline an_shape sample_of(an_shape shape)
{
    for (int i = 1; i < shape.ndim; i++) {
        shape.dim[i - 1] = shape.dim[i];
    }
    shape.ndim--;
    return shape;
}

/* A model of one layer. */
static inline an_model *model_of(const char *text, an_shape sample)
{
    an_error err = {0};
    an_model *model = an_model_new(context, &err);
    assert_non_null(model);
    if (!an_model_add(model, text, &err) || !an_model_build(model, sample, 1, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    return model;
}

static inline void close_to(const char *text, const float *got, const array *want)
{
    double top = 0;
    const int64_t size = an_shape_size(want->shape);
    assert_non_null(got);
    for (int64_t i = 0; i < size; i++) {
        top = fmax(top, fabs((double)want->data[i]));
    }
    for (int64_t i = 0; i < size; i++) {
        if (!(fabs((double)got[i] - (double)want->data[i]) <= 2e-6 * (top + 0.1))) {
            fail_msg("%s: %s[%lld] is %.9g, PyTorch has %.9g", text, want->name, (long long)i,
                     (double)got[i], (double)want->data[i]);
        }
    }
}

/* Sets the parameters of layer 0, which have these names and shapes in this order. */
static inline void load(const array *values, int count, const an_params *params)
{
    assert_int_equal(an_params_count(params), count);
    for (int i = 0; i < count; i++) {
        const an_param *p = an_params_get(params, (size_t)i);
        assert_int_equal(strncmp(p->name, "0.", 2), 0);
        assert_string_equal(p->name + 2, values[i].name);
        assert_true(an_shape_equal(p->tensor->shape, values[i].shape));
        memcpy(p->tensor->data, values[i].data, (size_t)p->tensor->size * sizeof(float));
    }
}

static inline void gradients_close_to(const char *text, const an_params *params,
                                      const array *gradients)
{
    for (size_t i = 0; i < an_params_count(params); i++) {
        close_to(text, an_tensor_grad(an_params_get(params, i)->tensor), &gradients[i]);
    }
}

#endif
