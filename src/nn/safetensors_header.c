/*
 * The JSON header of a safetensors file, read strictly: only what the format allows, so that two
 * readers never see two things in one file.
 */
#include "nn/safetensors.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint64_t bytes;
} dtypes[] = {
#define DTYPE_ROW(name, bytes) {#name, bytes},
    AN_DTYPE_MAP(DTYPE_ROW)
#undef DTYPE_ROW
};

#define DTYPE_COUNT (sizeof dtypes / sizeof *dtypes)

const char *an__dtype_name(an_dtype type)
{
    return dtypes[type].name;
}

typedef struct parser {
    const char *text;
    size_t length, at;
    an_arena *arena;
    an_error *err;
} parser;

static bool fail(parser *p, const char *what)
{
    return an_error_set(p->err, AN_ERROR_DATA, "the header is damaged: %s at byte %zu", what,
                        p->at);
}

static void *no_memory(an_error *err)
{
    an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the header of a weight file");
    return NULL;
}

/* ------------------------------------------------------------------- tokens */

static void skip_space(parser *p)
{
    while (p->at < p->length && strchr(" \t\n\r", p->text[p->at]) && p->text[p->at] != '\0') {
        p->at++;
    }
}

static bool next_is(parser *p, char c)
{
    skip_space(p);
    bool is = p->at < p->length && p->text[p->at] == c;
    p->at += is;
    return is;
}

static bool expect(parser *p, char c)
{
    const char what[] = {'\'', c, '\'', ' ', 'i', 's', ' ', 'm', 'i', 's', 's', 'i', 'n', 'g', 0};
    return next_is(p, c) || fail(p, what);
}

/* A number of at least 0, without sign, fraction or exponent, below 2^63. */
static bool read_integer(parser *p, uint64_t *out)
{
    skip_space(p);
    size_t begin = p->at;
    *out = 0;
    for (; p->at < p->length && p->text[p->at] >= '0' && p->text[p->at] <= '9'; p->at++) {
        uint64_t digit = (uint64_t)(p->text[p->at] - '0');
        if (*out > (INT64_MAX - digit) / 10) {
            return fail(p, "a number is too large");
        }
        *out = *out * 10 + digit;
    }
    size_t digits = p->at - begin;
    return (digits > 0 && (digits == 1 || p->text[begin] != '0')) ||
           fail(p, "a whole number of at least 0 is missing");
}

/* The four hexadecimal digits of a \u escape. */
static bool read_hex(parser *p, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        char c = p->at < p->length ? p->text[p->at] : '?';
        bool digit = c >= '0' && c <= '9', small = c >= 'a' && c <= 'f';
        if (!digit && !small && !(c >= 'A' && c <= 'F')) {
            return fail(p, "an escape lacks its four digits");
        }
        *out = *out << 4 | (uint32_t)(digit ? c - '0' : small ? c - 'a' + 10 : c - 'A' + 10);
    }
    return true;
}

/* The rest of an escape that began with \u, both halves of a surrogate pair. */
static bool read_code(parser *p, uint32_t *out)
{
    uint32_t low;
    if (!read_hex(p, out)) {
        return false;
    }
    if (*out == 0) {
        return fail(p, "a name holds a zero");
    }
    if (*out < 0xd800 || *out > 0xdfff) {
        return true;
    }
    if (*out > 0xdbff || p->length - p->at < 2 || p->text[p->at] != '\\' ||
        p->text[p->at + 1] != 'u') {
        return fail(p, "half of a surrogate pair stands alone");
    }
    p->at += 2;
    if (!read_hex(p, &low)) {
        return false;
    }
    if (low < 0xdc00 || low > 0xdfff) {
        return fail(p, "half of a surrogate pair stands alone");
    }
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool read_escape(parser *p, char *out, size_t *used)
{
    static const char codes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = p->at < p->length ? p->text[p->at++] : '\0';
    const char *code = c != '\0' ? strchr(codes, c) : NULL;
    uint32_t unicode;
    if (code) {
        out[(*used)++] = values[code - codes];
        return true;
    }
    if (c != 'u') {
        return fail(p, "an escape is not one of JSON's");
    }
    if (!read_code(p, &unicode)) {
        return false;
    }
    *used += an_utf8_put(out + *used, unicode);
    return true;
}

/* Takes one character of a string as it stands. */
static bool read_plain(parser *p, char *out, size_t *used)
{
    size_t length = an__utf8_length(p->text + p->at, p->length - p->at);
    if (length == 0 || (unsigned char)p->text[p->at] < 0x20) {
        return fail(p, "a string holds what is no UTF-8");
    }
    memcpy(out + *used, p->text + p->at, length);
    *used += length;
    p->at += length;
    return true;
}

/* The end of the string that begins at p->at, or what is left: no more than its value takes. */
static size_t string_room(const parser *p)
{
    size_t i = p->at;
    while (i < p->length && p->text[i] != '"') {
        i += p->text[i] == '\\' ? 2 : 1;
    }
    return (i < p->length ? i : p->length) - p->at;
}

static char *read_string(parser *p)
{
    size_t used = 0;
    if (!expect(p, '"')) {
        return NULL;
    }
    char *out = an_arena_alloc(p->arena, string_room(p) + 1);
    if (!out) {
        return no_memory(p->err);
    }
    while (p->at < p->length && p->text[p->at] != '"') {
        bool escaped = p->text[p->at] == '\\';
        p->at += escaped;
        if (escaped ? !read_escape(p, out, &used) : !read_plain(p, out, &used)) {
            return NULL;
        }
    }
    out[used] = '\0';
    return expect(p, '"') ? out : NULL;
}

/* ------------------------------------------------------------------- tensors */

static bool read_type(parser *p, an_dtype *type)
{
    const char *name = read_string(p);
    for (size_t i = 0; name && i < DTYPE_COUNT; i++) {
        if (strcmp(dtypes[i].name, name) == 0) {
            *type = (an_dtype)i;
            return true;
        }
    }
    return name && an_error_set(p->err, AN_ERROR_DATA, "there is no dtype '%s'", name);
}

static bool read_shape(parser *p, an_shape *shape)
{
    uint64_t dim;
    *shape = (an_shape){0};
    if (!expect(p, '[')) {
        return false;
    }
    while (!next_is(p, ']')) {
        if (shape->ndim > 0 && !expect(p, ',')) {
            return false;
        }
        if (shape->ndim == AN_MAX_DIMS) {
            return fail(p, "a tensor has more than 6 dimensions");
        }
        if (!read_integer(p, &dim)) {
            return false;
        }
        shape->dim[shape->ndim++] = (int64_t)dim;
    }
    return true;
}

static bool read_offsets(parser *p, uint64_t *begin, uint64_t *end)
{
    return expect(p, '[') && read_integer(p, begin) && expect(p, ',') && read_integer(p, end) &&
           expect(p, ']');
}

enum { HAS_TYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4, HAS_ALL = 7 };

/* One of a tensor's three keys with its value; `seen` says which have been there. */
static bool read_field(parser *p, an__stored *t, int *seen)
{
    const char *key = read_string(p);
    if (!key || !expect(p, ':')) {
        return false;
    }
    int field = strcmp(key, "dtype") == 0          ? HAS_TYPE
                : strcmp(key, "shape") == 0        ? HAS_SHAPE
                : strcmp(key, "data_offsets") == 0 ? HAS_OFFSETS
                                                   : 0;
    if (field == 0 || (*seen & field)) {
        return fail(p, "a tensor has dtype, shape and data_offsets, each once; another key ends");
    }
    *seen |= field;
    return field == HAS_TYPE    ? read_type(p, &t->type)
           : field == HAS_SHAPE ? read_shape(p, &t->shape)
                                : read_offsets(p, &t->begin, &t->end);
}

static bool read_tensor(parser *p, an__stored *t)
{
    int seen = 0;
    if (!expect(p, '{')) {
        return false;
    }
    for (bool first = true; !next_is(p, '}'); first = false) {
        if ((!first && !expect(p, ',')) || !read_field(p, t, &seen)) {
            return false;
        }
    }
    if (seen != HAS_ALL) {
        return fail(p, "a tensor lacks its dtype, shape or data_offsets");
    }
    int64_t size = an_shape_size(t->shape);
    if (size < 0 || t->end < t->begin ||
        t->end - t->begin != (uint64_t)size * dtypes[t->type].bytes) {
        return fail(p, "a tensor's data_offsets do not suit its shape and dtype");
    }
    return true;
}

/* The texts that a writer may add, which say nothing of the weights. */
static bool skip_metadata(parser *p)
{
    if (!expect(p, '{')) {
        return false;
    }
    for (bool first = true; !next_is(p, '}'); first = false) {
        if ((!first && !expect(p, ',')) || !read_string(p) || !expect(p, ':') || !read_string(p)) {
            return false;
        }
    }
    return true;
}

/* ----------------------------------------------------------------- the table */

typedef struct entry {
    an__stored tensor;
    struct entry *next;
} entry;

/* All tensors of the object, the last first. */
static bool read_entries(parser *p, entry **list, size_t *count)
{
    bool metadata = false;
    if (!expect(p, '{')) {
        return false;
    }
    for (bool first = true; !next_is(p, '}'); first = false) {
        if (!first && !expect(p, ',')) {
            return false;
        }
        const char *name = read_string(p);
        if (!name || !expect(p, ':')) {
            return false;
        }
        if (strcmp(name, "__metadata__") == 0) {
            if (metadata || !skip_metadata(p)) {
                return metadata ? fail(p, "__metadata__ is there twice") : false;
            }
            metadata = true;
            continue;
        }
        entry *e = an_arena_alloc(p->arena, sizeof *e);
        if (!e) {
            return no_memory(p->err);
        }
        *e = (entry){.tensor.name = name, .next = *list};
        if (!read_tensor(p, &e->tensor)) {
            return false;
        }
        *list = e;
        ++*count;
    }
    skip_space(p);
    return p->at == p->length || fail(p, "something follows the last bracket");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const an__stored *)a)->name, ((const an__stored *)b)->name);
}

/* Empty tensors first, where several begin at one byte. */
static int by_place(const void *a, const void *b)
{
    const an__stored *s = a, *t = b;
    uint64_t x = s->begin != t->begin ? s->begin : s->end;
    uint64_t y = s->begin != t->begin ? t->begin : t->end;
    return (x > y) - (x < y);
}

static bool check_table(an__stored_table *table, uint64_t data_size, an_error *err)
{
    uint64_t at = 0;
    qsort(table->tensor, table->count, sizeof *table->tensor, by_name);
    for (size_t i = 1; i < table->count; i++) {
        if (by_name(&table->tensor[i - 1], &table->tensor[i]) == 0) {
            return an_error_set(err, AN_ERROR_DATA, "the tensor '%s' is there twice",
                                table->tensor[i].name);
        }
    }
    qsort(table->tensor, table->count, sizeof *table->tensor, by_place);
    for (size_t i = 0; i < table->count; i++) {
        const an__stored *t = &table->tensor[i];
        if (t->begin != at) {
            return an_error_set(err, AN_ERROR_DATA,
                                "the values of '%s' begin at byte %llu, expected %llu: tensors "
                                "must neither overlap nor leave holes",
                                t->name, (unsigned long long)t->begin, (unsigned long long)at);
        }
        at = t->end;
    }
    return at == data_size || an_error_set(err, AN_ERROR_DATA,
                                           "the file has %llu bytes of values, but its header "
                                           "speaks of %llu; it is cut off or damaged",
                                           (unsigned long long)data_size, (unsigned long long)at);
}

bool an__stored_parse(const char *header, size_t length, uint64_t data_size, an_arena *arena,
                      an__stored_table *table, an_error *err)
{
    parser p = {.text = header, .length = length, .arena = arena, .err = err};
    entry *list = NULL;
    *table = (an__stored_table){0};
    if (!read_entries(&p, &list, &table->count)) {
        return false;
    }
    table->tensor = an_arena_alloc(arena, (table->count + 1) * sizeof *table->tensor);
    if (!table->tensor) {
        return no_memory(err);
    }
    size_t i = 0;
    for (const entry *e = list; e; e = e->next) {
        table->tensor[i++] = e->tensor;
    }
    return check_table(table, data_size, err);
}

const an__stored *an__stored_find(const an__stored_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->tensor[i].name, name) == 0) {
            return &table->tensor[i];
        }
    }
    return NULL;
}
