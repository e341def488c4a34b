/*
 * Weight files in the safetensors format (https://github.com/huggingface/safetensors):
 *
 *   +----------------+---------------------------------------+--------------------------------+
 *   | 8 bytes        | N bytes                               | the rest                       |
 *   | N, unsigned,   | JSON object in UTF-8, filled up with  | values of all tensors, one     |
 *   | little endian  | spaces to a multiple of 8             | after the other, little endian |
 *   +----------------+---------------------------------------+--------------------------------+
 *
 *   {"0.weight":{"dtype":"F32","shape":[128,784],"data_offsets":[0,401408]}, ...}
 *
 * data_offsets count bytes from the end of the header: begin and end, without holes. Parameters
 * stand in the order in which the model declares them, then its buffers; values are row-major. A
 * counter is a scalar of dtype I64.
 */
#include <string.h>

#include <anneal/nn.h>

#include "base/utf8.h"
#include "file/durable.h"
#include "file/little_endian.h"

/* Text that grows in an arena: the header. */
typedef struct header {
    char *text;
    size_t length, room;
    an_arena arena;
    bool failed; /* memory ran out */
} header;

static bool reserve(header *h, size_t more)
{
    if (h->failed || more <= h->room - h->length) {
        return !h->failed;
    }
    size_t room = (h->room + more) * 2;
    char *text = an_arena_alloc(&h->arena, room);
    if (!text) {
        h->failed = true;
        return false;
    }
    if (h->length > 0) {
        memcpy(text, h->text, h->length);
    }
    h->text = text;
    h->room = room;
    return true;
}

static void put(header *h, const char *text)
{
    size_t length = strlen(text);
    if (reserve(h, length)) {
        memcpy(h->text + h->length, text, length);
        h->length += length;
    }
}

static void put_integer(header *h, int64_t value)
{
    char text[32];
    an_format(text, sizeof text, "%lld", (long long)value);
    put(h, text);
}

/* `text` as a JSON string. */
static void put_string(header *h, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    put(h, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char plain[2] = {*text, '\0'};
        char quoted[3] = {'\\', *text, '\0'};
        char code[7] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15], '\0'};
        put(h, c < 0x20 ? code : c == '"' || c == '\\' ? quoted : plain);
    }
    put(h, "\"");
}

/* The entry of a tensor, or of a counter (NULL), from byte `begin` on; returns where it ends. */
static int64_t put_tensor(header *h, const char *name, const an_tensor *tensor, int64_t begin)
{
    int64_t end = begin + (tensor ? tensor->size * 4 : 8);
    put(h, h->length > 1 ? "," : "");
    put_string(h, name);
    put(h, tensor ? ":{\"dtype\":\"F32\",\"shape\":[" : ":{\"dtype\":\"I64\",\"shape\":[");
    for (int i = 0; tensor && i < tensor->shape.ndim; i++) {
        put(h, i > 0 ? "," : "");
        put_integer(h, tensor->shape.dim[i]);
    }
    put(h, "],\"data_offsets\":[");
    put_integer(h, begin);
    put(h, ",");
    put_integer(h, end);
    put(h, "]}");
    return end;
}

static bool make_header(header *h, const an_params *params, an_error *err)
{
    int64_t at = 0;
    put(h, "{");
    for (size_t i = 0; i < an_params_count(params); i++) {
        const an_param *param = an_params_get(params, i);
        at = put_tensor(h, param->name, param->tensor, at);
    }
    for (size_t i = 0; i < an_params_buffer_count(params); i++) {
        const an_buffer *buffer = an_params_get_buffer(params, i);
        at = put_tensor(h, buffer->name, buffer->tensor, at);
    }
    put(h, "}");
    while (!h->failed && h->length % 8 != 0) {
        put(h, " ");
    }
    return !h->failed || an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a file's header");
}

/* ------------------------------------------------------------------- checks */

static bool is_utf8(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t length = an__utf8_length(text, left);
        if (length == 0) {
            return false;
        }
        text += length;
        left -= length;
    }
    return true;
}

/* The format keeps one name for itself, and its JSON is UTF-8. */
static bool check_name(const char *name, const char *path, an_error *err)
{
    return (strcmp(name, "__metadata__") != 0 && is_utf8(name)) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "cannot write %s: safetensors allows no parameter called '%s'; names are "
                        "UTF-8, and __metadata__ is taken",
                        path, name);
}

static bool check(const an_params *params, const char *path, an_error *err)
{
    if (!an_params_values(params)) {
        return an_error_set(err, AN_ERROR_STATE,
                            "cannot write %s: the parameters have no values yet; build the model "
                            "first",
                            path);
    }
    for (size_t i = 0; i < an_params_count(params); i++) {
        if (!check_name(an_params_get(params, i)->name, path, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < an_params_buffer_count(params); i++) {
        if (!check_name(an_params_get_buffer(params, i)->name, path, err)) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ writing */

static void write_64(an_durable *file, uint64_t value)
{
    unsigned char bytes[8];
    an__put_64(bytes, value);
    an__durable_write(file, bytes, sizeof bytes);
}

static void write_values(an_durable *file, const an_tensor *tensor)
{
    for (int64_t i = 0; i < tensor->size; i++) {
        uint32_t bits;
        unsigned char bytes[4];
        memcpy(&bits, &tensor->data[i], sizeof bits);
        an__put_32(bytes, bits);
        an__durable_write(file, bytes, sizeof bytes);
    }
}

static bool write_file(const an_params *params, const header *h, const char *path, an_error *err)
{
    an_durable file;
    if (!an__durable_open(&file, path, err)) {
        return false;
    }
    write_64(&file, h->length);
    an__durable_write(&file, h->text, h->length);
    for (size_t i = 0; i < an_params_count(params); i++) {
        write_values(&file, an_params_get(params, i)->tensor);
    }
    for (size_t i = 0; i < an_params_buffer_count(params); i++) {
        const an_buffer *buffer = an_params_get_buffer(params, i);
        if (buffer->tensor) {
            write_values(&file, buffer->tensor);
        } else {
            write_64(&file, (uint64_t)*buffer->counter);
        }
    }
    return an__durable_finish(&file, err);
}

bool an_params_save(const an_params *params, const char *path, an_error *err)
{
    if (!check(params, path, err)) {
        return false;
    }
    header h = {0};
    an_arena_init(&h.arena, *an_context_allocator(an_params_context(params)));
    bool saved = make_header(&h, params, err) && write_file(params, &h, path, err);
    an_arena_free(&h.arena);
    return saved;
}

bool an_params_can_save(const char *path, an_error *err)
{
    return an__durable_try(path, err);
}
