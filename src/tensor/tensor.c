/* Tensors that stand alone: made, copied and freed by hand. */
#include "tensor/context.h"

#include <string.h>

/* Struct and values lie in one block; the values start on a 64-byte boundary. */
enum { ALIGNMENT = 64 };

static size_t block_bytes(int64_t size)
{
    return sizeof(an_tensor) + ALIGNMENT + (size_t)size * sizeof(float);
}

an_tensor *an_tensor_new(an_context *context, an_shape shape, an_error *err)
{
    const int64_t size = an_shape_size(shape);
    if (size < 0) {
        char text[160];
        an_shape_print(text, sizeof text, shape);
        an_error_set(err, AN_ERROR_SHAPE,
                     "a tensor of shape %s cannot be made: every dimension must be at least 0, "
                     "their product at most 2^60 and their number at most %d",
                     text, AN_MAX_DIMS);
        return NULL;
    }
    an_tensor *tensor = an_alloc(&context->allocator, block_bytes(size), 1, err);
    if (!tensor)
        return NULL;
    const uintptr_t behind = (uintptr_t)(tensor + 1) % ALIGNMENT;
    tensor->data = (float *)((char *)(tensor + 1) + (ALIGNMENT - behind) % ALIGNMENT);
    tensor->shape = shape;
    tensor->size = size;
    return tensor;
}

void an_tensor_free(an_context *context, an_tensor *tensor)
{
    if (tensor)
        an_release(&context->allocator, tensor, block_bytes(tensor->size), 1);
}

an_tensor *an_tensor_keep(an_context *context, const an_tensor *tensor, an_error *err)
{
    an_tensor *copy = an_tensor_new(context, tensor->shape, err);
    if (copy && copy->size > 0)
        memcpy(copy->data, tensor->data, (size_t)copy->size * sizeof(float));
    return copy;
}

const float *an_tensor_grad(const an_tensor *tensor)
{
    return tensor->has_grad ? tensor->grad : NULL;
}
