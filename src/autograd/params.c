/* The parameters of a model in two flat vectors, values and gradients. */
#include <anneal/autograd.h>

#include <string.h>

/* Each parameter starts on a cache line: 16 floats. */
enum { ALIGN = 16 };

struct an_params {
    an_context *context;
    an_arena arena; /* tensors, names and the flat vectors: none of them moves */
    an_param *table;
    size_t count, room;
    int64_t size, length; /* without and with alignment gaps */
    float *values, *grads;
    bool built;
};

an_params *an_params_new(an_context *context, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(context);
    an_params *params = an_alloc(allocator, 1, sizeof *params, err);
    if (!params)
        return NULL;
    params->context = context;
    an_arena_init(&params->arena, *allocator);
    return params;
}

void an_params_free(an_params *params)
{
    if (!params)
        return;
    const an_allocator *allocator = an_context_allocator(params->context);
    an_arena_free(&params->arena);
    an_release(allocator, params->table, params->room, sizeof *params->table);
    an_release(allocator, params, 1, sizeof *params);
}

static bool make_room(an_params *params, an_error *err)
{
    if (params->count < params->room)
        return true;
    const an_allocator *allocator = an_context_allocator(params->context);
    size_t room = params->room ? 2 * params->room : 16;
    an_param *table = an_alloc(allocator, room, sizeof *table, err);
    if (!table)
        return false;
    if (params->count)
        memcpy(table, params->table, params->count * sizeof *table);
    an_release(allocator, params->table, params->room, sizeof *table);
    params->table = table;
    params->room = room;
    return true;
}

static bool may_add(an_params *params, const char *name, an_shape shape, an_error *err)
{
    if (params->built)
        return an_error_set(err, AN_ERROR_STATE,
                            "parameter '%s': the parameters are laid out already; declare all of "
                            "them before an_params_build",
                            name);
    if (an_params_find(params, name))
        return an_error_set(err, AN_ERROR_ARGUMENT, "parameter '%s': the name is taken", name);
    int64_t size = an_shape_size(shape);
    if (size < 0 || size > (INT64_C(1) << 60) - params->length - ALIGN) {
        char text[160];
        an_shape_print(text, sizeof text, shape);
        return an_error_set(err, AN_ERROR_SHAPE,
                            "'%s': a parameter of shape %s cannot be made: every dimension must "
                            "be at least 0, their number at most %d and all parameters together "
                            "at most 2^60 values",
                            name, text, AN_MAX_DIMS);
    }
    return true;
}

an_tensor *an_params_add(an_params *params, const char *name, an_shape shape, an_error *err)
{
    if (!name || !*name) {
        an_error_set(err, AN_ERROR_ARGUMENT, "a parameter needs a name");
        return NULL;
    }
    if (!may_add(params, name, shape, err) || !make_room(params, err))
        return NULL;
    an_tensor *tensor = an_arena_alloc(&params->arena, sizeof *tensor);
    char *text = an_arena_text(&params->arena, name, strlen(name));
    if (!tensor || !text) {
        an_error_set(err, AN_ERROR_MEMORY, "parameter '%s': memory ran out", name);
        return NULL;
    }
    *tensor = (an_tensor){.shape = shape, .size = an_shape_size(shape), .requires_grad = true};
    params->table[params->count++] =
        (an_param){.name = text, .tensor = tensor, .offset = params->length};
    params->size += tensor->size;
    params->length += (tensor->size + ALIGN - 1) / ALIGN * ALIGN;
    return tensor;
}

static float *vector_new(an_params *params, an_error *err)
{
    float *vector = NULL;
    size_t bytes = (size_t)params->length * sizeof(float);
    if ((uint64_t)params->length <= SIZE_MAX / 2 / sizeof(float))
        vector = an_arena_alloc(&params->arena, bytes ? bytes : 1);
    if (!vector) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %lld parameters",
                     (long long)params->size);
        return NULL;
    }
    memset(vector, 0, bytes);
    return vector;
}

bool an_params_build(an_params *params, an_error *err)
{
    if (params->built)
        return true;
    if (!params->values && !(params->values = vector_new(params, err)))
        return false;
    if (!params->grads && !(params->grads = vector_new(params, err)))
        return false;
    for (size_t i = 0; i < params->count; i++) {
        an_param *param = &params->table[i];
        param->tensor->data = params->values + param->offset;
        param->tensor->grad = params->grads + param->offset;
    }
    params->built = true;
    return true;
}

size_t an_params_count(const an_params *params)
{
    return params->count;
}

const an_param *an_params_get(const an_params *params, size_t index)
{
    return index < params->count ? &params->table[index] : NULL;
}

const an_param *an_params_find(const an_params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->table[i].name, name) == 0)
            return &params->table[i];
    return NULL;
}

int64_t an_params_size(const an_params *params)
{
    return params->size;
}

float *an_params_values(const an_params *params)
{
    return params->built ? params->values : NULL;
}

float *an_params_grads(const an_params *params)
{
    return params->built ? params->grads : NULL;
}

int64_t an_params_length(const an_params *params)
{
    return params->built ? params->length : 0;
}

an_context *an_params_context(const an_params *params)
{
    return params->context;
}

void an_params_zero_grad(an_params *params)
{
    for (size_t i = 0; i < params->count; i++)
        params->table[i].tensor->has_grad = false;
}
