/* The parameters of a model in two flat vectors, values and gradients; its buffers in one block. */
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
    an_buffer **buffers;
    size_t buffer_count, buffer_room;
    int64_t buffer_length; /* floats of all of them, gaps included */
    void *block;           /* of the buffers: counters, then values, each from a cache line on */
    size_t block_bytes;
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
    an_release(allocator, params->buffers, params->buffer_room, sizeof(an_buffer *));
    an_release(allocator, params, 1, sizeof *params);
}

/* A larger copy of a full table of `room` rows, of which it frees the old one; NULL with err. */
static void *grow(an_params *params, void *table, size_t *room, size_t size, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(params->context);
    size_t larger = *room ? 2 * *room : 16;
    void *copy = an_alloc(allocator, larger, size, err);
    if (!copy)
        return NULL;
    if (*room)
        memcpy(copy, table, *room * size);
    an_release(allocator, table, *room, size);
    *room = larger;
    return copy;
}

static bool make_room(an_params *params, an_error *err)
{
    if (params->count < params->room)
        return true;
    an_param *table = grow(params, params->table, &params->room, sizeof *table, err);
    params->table = table ? table : params->table;
    return table != NULL;
}

static bool may_add(an_params *params, const char *name, an_shape shape, an_error *err)
{
    if (!name || !*name)
        return an_error_set(err, AN_ERROR_ARGUMENT, "a parameter needs a name");
    if (params->built)
        return an_error_set(err, AN_ERROR_STATE,
                            "parameter '%s': the parameters are laid out already; declare all of "
                            "them before an_params_build",
                            name);
    if (an_params_find(params, name) || an_params_find_buffer(params, name))
        return an_error_set(err, AN_ERROR_ARGUMENT, "parameter '%s': the name is taken", name);
    int64_t size = an_shape_size(shape);
    if (size < 0 || size > (INT64_C(1) << 60) - params->length - params->buffer_length - ALIGN) {
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

/* A tensor without values yet and its name, in the arena. NULL with err. */
static an_tensor *new_tensor(an_params *params, const char **name, an_shape shape, an_error *err)
{
    an_tensor *tensor = an_arena_alloc(&params->arena, sizeof *tensor);
    char *text = an_arena_text(&params->arena, *name, strlen(*name));
    if (!tensor || !text) {
        an_error_set(err, AN_ERROR_MEMORY, "parameter '%s': memory ran out", *name);
        return NULL;
    }
    *tensor = (an_tensor){.shape = shape, .size = an_shape_size(shape)};
    *name = text;
    return tensor;
}

an_tensor *an_params_add(an_params *params, const char *name, an_shape shape, an_error *err)
{
    if (!may_add(params, name, shape, err) || !make_room(params, err))
        return NULL;
    const char *text = name;
    an_tensor *tensor = new_tensor(params, &text, shape, err);
    if (!tensor)
        return NULL;
    tensor->requires_grad = true;
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

/* Bytes up to the next cache line. */
static size_t padded(size_t bytes)
{
    const size_t line = ALIGN * sizeof(float);
    return (bytes + line - 1) / line * line;
}

/* The bytes of a buffer's values; their size is known to fit. */
static size_t value_bytes(const an_buffer *buffer)
{
    return buffer->tensor ? padded((size_t)buffer->tensor->size * sizeof(float)) : 0;
}

static bool lay_out_buffers(an_params *params, an_error *err)
{
    size_t head = padded(params->buffer_count * sizeof(int64_t)), bytes = head;
    for (size_t i = 0; i < params->buffer_count; i++)
        bytes += value_bytes(params->buffers[i]);
    char *block = an_arena_alloc(&params->arena, bytes ? bytes : 1);
    if (!block)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu buffers",
                            params->buffer_count);
    memset(block, 0, bytes);
    params->block = block;
    params->block_bytes = bytes;
    int64_t *counters = params->block;
    for (size_t i = 0; i < params->buffer_count; i++) {
        an_buffer *buffer = params->buffers[i];
        if (buffer->tensor)
            buffer->tensor->data = (float *)(void *)(block + head);
        else
            buffer->counter = &counters[i];
        head += value_bytes(buffer);
    }
    return true;
}

bool an_params_build(an_params *params, an_error *err)
{
    if (params->built)
        return true;
    if (!params->values && !(params->values = vector_new(params, err)))
        return false;
    if (!params->grads && !(params->grads = vector_new(params, err)))
        return false;
    if (!params->block && !lay_out_buffers(params, err))
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

/* ----------------------------------------------------------------- buffers */

/* A row of the table, of `shape` or a counter. NULL with err. */
static an_buffer *add_buffer(an_params *params, const char *name, const an_shape *shape,
                             an_error *err)
{
    const an_shape counter = an_shape_0();
    if (!may_add(params, name, shape ? *shape : counter, err))
        return NULL;
    if (params->buffer_count == params->buffer_room) {
        an_buffer **table =
            grow(params, params->buffers, &params->buffer_room, sizeof(an_buffer *), err);
        if (!table)
            return NULL;
        params->buffers = table;
    }
    const char *text = name;
    an_tensor *tensor = new_tensor(params, &text, shape ? *shape : counter, err);
    an_buffer *buffer = tensor ? an_arena_alloc(&params->arena, sizeof *buffer) : NULL;
    if (!buffer) {
        an_error_set(err, AN_ERROR_MEMORY, "buffer '%s': memory ran out", name);
        return NULL;
    }
    *buffer = (an_buffer){.name = text, .tensor = shape ? tensor : NULL};
    params->buffers[params->buffer_count++] = buffer;
    params->buffer_length += (tensor->size + ALIGN - 1) / ALIGN * ALIGN;
    return buffer;
}

an_tensor *an_params_add_buffer(an_params *params, const char *name, an_shape shape, an_error *err)
{
    an_buffer *buffer = add_buffer(params, name, &shape, err);
    return buffer ? buffer->tensor : NULL;
}

const an_buffer *an_params_add_counter(an_params *params, const char *name, an_error *err)
{
    return add_buffer(params, name, NULL, err);
}

size_t an_params_buffer_count(const an_params *params)
{
    return params->buffer_count;
}

const an_buffer *an_params_get_buffer(const an_params *params, size_t index)
{
    return index < params->buffer_count ? params->buffers[index] : NULL;
}

const an_buffer *an_params_find_buffer(const an_params *params, const char *name)
{
    for (size_t i = 0; i < params->buffer_count; i++)
        if (strcmp(params->buffers[i]->name, name) == 0)
            return params->buffers[i];
    return NULL;
}

void *an_params_buffer_block(const an_params *params, size_t *bytes)
{
    *bytes = params->built ? params->block_bytes : 0;
    return params->built ? params->block : NULL;
}
