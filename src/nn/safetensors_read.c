/* Weights out of a safetensors file. Nothing of the model changes unless the whole file is right.
 */
#include "nn/safetensors.h"

#include "file/io_error.h"
#include "file/little_endian.h"
#include "file/regular.h"

#include <anneal/nn.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    const char *path;
    FILE *file;
    uint64_t size, data; /* of the file; where the values begin */
    an__stored_table table;
    an_arena arena;
    an_error *err;
} reader;

static bool fail_io(const reader *r)
{
    if (errno == 0) {
        return an_error_set(r->err, AN_ERROR_DATA, "%s: the file ends too early", r->path);
    }
    return an__io_error("read", r->path, errno, r->err);
}

/* ------------------------------------------------------------------ the file */

static bool read_bytes(reader *r, void *out, size_t count)
{
    errno = 0;
    return fread(out, 1, count, r->file) == count || fail_io(r);
}

/* The header's length, which the file's must allow for. */
static bool read_length(reader *r, size_t *length)
{
    unsigned char bytes[8];
    if (r->size < 8) {
        return an_error_set(r->err, AN_ERROR_DATA,
                            "%s is no safetensors file: it has %llu bytes, at least 8 are expected",
                            r->path, (unsigned long long)r->size);
    }
    if (!read_bytes(r, bytes, sizeof bytes)) {
        return false;
    }
    const uint64_t value = an__get_64(bytes);
    if (value > r->size - 8 || value > AN__HEADER_MOST) {
        return an_error_set(r->err, AN_ERROR_DATA,
                            "%s is no safetensors file, or cut off: its first 8 bytes speak of a "
                            "header of %llu bytes, but %llu follow",
                            r->path, (unsigned long long)value, (unsigned long long)r->size - 8);
    }
    *length = (size_t)value;
    r->data = 8 + value;
    return true;
}

static bool read_header(reader *r)
{
    size_t length = 0;
    r->file = an__regular_open("read", r->path, &r->size, r->err);
    if (!r->file || !read_length(r, &length)) {
        return false;
    }
    char *text = an_arena_alloc(&r->arena, length + 1);
    if (!text) {
        return an_error_set(r->err, AN_ERROR_MEMORY, "%s: no memory for its header", r->path);
    }
    if (!read_bytes(r, text, length)) {
        return false;
    }
    if (an__stored_parse(text, length, r->size - r->data, &r->arena, &r->table, r->err)) {
        return true;
    }
    an_error_prefix(r->err, "%s: ", r->path);
    return false;
}

/* ----------------------------------------------------------------- the model */

/* The file's tensor `name`, of this type and shape; NULL with err. */
static const an__stored *find(const reader *r, const char *name, an_dtype type, an_shape shape)
{
    char want[96], got[96];
    const an__stored *stored = an__stored_find(&r->table, name);
    if (!stored) {
        an_error_set(r->err, AN_ERROR_STATE,
                     "%s has no '%s', which the model needs: it is another model's", r->path, name);
        return NULL;
    }
    if (stored->type != type) {
        an_error_set(r->err, AN_ERROR_STATE,
                     "%s: '%s' has dtype %s, expected %s; convert it when it is saved", r->path,
                     name, an__dtype_name(stored->type), an__dtype_name(type));
        return NULL;
    }
    if (an_shape_equal(stored->shape, shape)) {
        return stored;
    }
    an_shape_print(want, sizeof want, shape);
    an_shape_print(got, sizeof got, stored->shape);
    an_error_set(r->err, AN_ERROR_STATE,
                 "%s: '%s' has shape %s, but the model's has %s: it is another model's", r->path,
                 name, got, want);
    return NULL;
}

static const an__stored *find_buffer(const reader *r, const an_buffer *buffer)
{
    return find(r, buffer->name, buffer->tensor ? AN_DTYPE_F32 : AN_DTYPE_I64,
                buffer->tensor ? buffer->tensor->shape : an_shape_0());
}

/* All parameters and buffers are there, and nothing else is. */
static bool check_model(const reader *r, const an_params *params)
{
    for (size_t i = 0; i < an_params_count(params); i++) {
        const an_param *param = an_params_get(params, i);
        if (!find(r, param->name, AN_DTYPE_F32, param->tensor->shape)) {
            return false;
        }
    }
    for (size_t i = 0; i < an_params_buffer_count(params); i++) {
        if (!find_buffer(r, an_params_get_buffer(params, i))) {
            return false;
        }
    }
    for (size_t i = 0; i < r->table.count; i++) {
        const char *name = r->table.tensor[i].name;
        if (!an_params_find(params, name) && !an_params_find_buffer(params, name)) {
            return an_error_set(r->err, AN_ERROR_STATE,
                                "%s holds '%s', which the model does not have: it is another "
                                "model's",
                                r->path, name);
        }
    }
    return true;
}

/* ----------------------------------------------------------------- the values */

/* The bytes of `stored`, as they stand in the file, in the reader's arena. */
static unsigned char *read_stored(reader *r, const an__stored *stored)
{
    size_t bytes = (size_t)(stored->end - stored->begin);
    unsigned char *room = an_arena_alloc(&r->arena, bytes + 1);
    if (!room) {
        an_error_set(r->err, AN_ERROR_MEMORY, "%s: no memory for its values", r->path);
        return NULL;
    }
    if (fseeko(r->file, (off_t)(r->data + stored->begin), SEEK_SET) != 0) {
        fail_io(r);
        return NULL;
    }
    return read_bytes(r, room, bytes) ? room : NULL;
}

static void decode(const unsigned char *bytes, an_tensor *tensor)
{
    for (int64_t i = 0; i < tensor->size; i++, bytes += 4) {
        uint32_t bits = an__get_32(bytes);
        memcpy(&tensor->data[i], &bits, sizeof bits);
    }
}

/* Everything is read before anything is changed. */
static bool read_values(reader *r, const an_params *params)
{
    size_t count = an_params_count(params), buffers = an_params_buffer_count(params);
    unsigned char **bytes = an_arena_alloc(&r->arena, (count + buffers + 1) * sizeof *bytes);
    if (!bytes) {
        return an_error_set(r->err, AN_ERROR_MEMORY, "%s: no memory for its values", r->path);
    }
    for (size_t i = 0; i < count + buffers; i++) {
        const an__stored *stored = i < count
                                       ? an__stored_find(&r->table, an_params_get(params, i)->name)
                                       : find_buffer(r, an_params_get_buffer(params, i - count));
        bytes[i] = read_stored(r, stored);
        if (!bytes[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        decode(bytes[i], an_params_get(params, i)->tensor);
    }
    for (size_t i = 0; i < buffers; i++) {
        const an_buffer *buffer = an_params_get_buffer(params, i);
        if (buffer->tensor) {
            decode(bytes[count + i], buffer->tensor);
        } else {
            *buffer->counter = (int64_t)an__get_64(bytes[count + i]);
        }
    }
    return true;
}

bool an_params_load(an_params *params, const char *path, an_error *err)
{
    if (!an_params_values(params)) {
        return an_error_set(err, AN_ERROR_STATE,
                            "cannot load %s: the parameters have no place yet; build the model "
                            "first",
                            path);
    }
    reader r = {.path = path, .err = err};
    an_arena_init(&r.arena, *an_context_allocator(an_params_context(params)));
    bool loaded = read_header(&r) && check_model(&r, params) && read_values(&r, params);
    if (r.file) {
        fclose(r.file);
    }
    an_arena_free(&r.arena);
    return loaded;
}
