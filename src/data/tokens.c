/* Texts as rows of tokens. */
#include "data/dataset.h"
#include "data/source.h"

#include <string.h>

#define MOST_CLASSES 65536

/*
 * With n tokens there are n / context - 1 samples: wherever within the first `context` tokens an
 * epoch begins, all samples and the label after the last one are there.
 */
static an_dataset *tokens_new(const an_allocator *allocator, int64_t count, int64_t context,
                              an_error *err)
{
    if (context < 1 || count < 2 || count / context < 2 || count / context - 1 > INT32_MAX) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     "%lld tokens make no samples of %lld; the context must be from 1 to %lld",
                     (long long)count, (long long)context, (long long)(count / 2));
        return NULL;
    }
    an_dataset *dataset = an_alloc(allocator, 1, sizeof *dataset, err);
    if (!dataset)
        return NULL;
    dataset->allocator = *allocator;
    dataset->kind = AN_DATA_TOKENS;
    dataset->shape = an_shape_1(context);
    dataset->width = context;
    dataset->count = dataset->rows = count / context - 1;
    dataset->token_count = count;
    dataset->tokens = an_alloc(allocator, (size_t)count, sizeof *dataset->tokens, err);
    if (dataset->tokens)
        return dataset;
    an_dataset_free(dataset);
    return NULL;
}

int64_t an__tokens_phase(const an_dataset *dataset, bool shuffle, an_rng *rng)
{
    if (dataset->kind != AN_DATA_TOKENS || !shuffle)
        return 0;
    return (int64_t)an_rng_below(rng, (uint64_t)dataset->width);
}

/* Copies and checks; takes the number of classes if it is not given. */
static bool take_tokens(an_dataset *dataset, const int32_t *tokens, int32_t classes, an_error *err)
{
    const int32_t limit = classes > 0 ? classes : MOST_CLASSES;
    int32_t largest = 0;
    for (int64_t i = 0; i < dataset->token_count; i++) {
        if (tokens[i] < 0 || tokens[i] >= limit)
            return an_error_set(err, AN_ERROR_DATA,
                                "token %d at place %lld is outside 0..%d; check the tokens or the "
                                "number of classes",
                                tokens[i], (long long)i, limit - 1);
        largest = tokens[i] > largest ? tokens[i] : largest;
        dataset->tokens[i] = (uint16_t)tokens[i];
    }
    dataset->classes = classes > 0 ? classes : largest + 1;
    return true;
}

an_dataset *an_dataset_from_tokens(const an_allocator *allocator, const int32_t *tokens,
                                   int64_t count, int64_t context, int32_t classes, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    if (!tokens || classes < 0 || classes > MOST_CLASSES) {
        an_error_set(err, AN_ERROR_ARGUMENT,
                     tokens ? "there may be up to 65536 different tokens, got %d"
                            : "a dataset of tokens needs tokens, got NULL",
                     classes);
        return NULL;
    }
    an_dataset *dataset = tokens_new(allocator ? allocator : &standard, count, context, err);
    if (dataset && !take_tokens(dataset, tokens, classes, err)) {
        an_dataset_free(dataset);
        return NULL;
    }
    return dataset;
}

/* -------------------------------------------------------------------- UTF-8 */

/* The code point at the start of `text`, and its length in bytes; 0 for what is no UTF-8. */
static int decode(const unsigned char *text, size_t length, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = text[0];
    const int size = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
    if ((size == 4 && first >> 3 != 30) || (size_t)size > length)
        return 0;
    *code = size == 1 ? first : first & (0x7Fu >> size);
    for (int i = 1; i < size; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (text[i] & 0x3Fu);
    }
    const bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return *code < least[size] || *code > 0x10FFFF || surrogate ? 0 : size;
}

static size_t encode(uint32_t code, char bytes[4])
{
    const size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80u | (code & 0x3Fu));
    bytes[0] = (char)(marks[size] | code);
    return size;
}

/* ---------------------------------------------------------------- vocabulary */

/* The place of `code` in the vocabulary, or where it would stand. */
static int32_t find(const an_vocabulary *v, uint32_t code)
{
    int32_t low = 0, high = v->count;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (v->codes[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool knows(const an_vocabulary *v, uint32_t code)
{
    const int32_t at = find(v, code);
    return v->codes && at < v->count && v->codes[at] == code;
}

/* `room` is for how many codes there is memory; `v` keeps exactly its count at the end. */
static bool add_code(const an_allocator *allocator, an_vocabulary *v, int32_t *room, uint32_t code,
                     an_error *err)
{
    if (v->count == *room) {
        const size_t old = (size_t)*room * sizeof *v->codes, new = 2 * old + 256;
        uint32_t *more = allocator->resize(allocator->user, v->codes, old, new);
        if (!more)
            return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for a vocabulary");
        v->codes = more;
        *room = (int32_t)(new / sizeof *v->codes);
    }
    const int32_t at = find(v, code);
    memmove(v->codes + at + 1, v->codes + at, (size_t)(v->count - at) * sizeof *v->codes);
    v->codes[at] = code;
    v->count++;
    return true;
}

/* ------------------------------------------------------------------- reading */

/* Counts the characters and collects the different ones. */
static bool collect(const an_allocator *allocator, const char *path, const an_content *c,
                    an_vocabulary *v, int32_t *room, int64_t *count, an_error *err)
{
    int64_t line = 1;
    *count = 0;
    for (size_t at = 0; at < c->length; ++*count) {
        uint32_t code;
        const int size = decode(c->bytes + at, c->length - at, &code);
        if (size == 0)
            return an_error_set(err, AN_ERROR_DATA,
                                "%s:%lld: byte %zu of the file is no UTF-8; convert the file, or "
                                "read it as bytes",
                                path, (long long)line, at + 1);
        line += code == '\n';
        if (!knows(v, code) && !add_code(allocator, v, room, code, err))
            return false;
        if (v->count > MOST_CLASSES)
            return an_error_set(err, AN_ERROR_DATA,
                                "%s has more than 65536 different characters; read it as bytes",
                                path);
        at += (size_t)size;
    }
    return true;
}

static void number_characters(an_dataset *dataset, const an_content *c)
{
    int64_t i = 0;
    for (size_t at = 0; at < c->length; i++) {
        uint32_t code;
        at += (size_t)decode(c->bytes + at, c->length - at, &code);
        dataset->tokens[i] = (uint16_t)find(&dataset->vocabulary, code);
    }
}

static an_dataset *of_characters(const an_allocator *allocator, const char *path,
                                 const an_content *c, int64_t context, an_error *err)
{
    an_vocabulary v = {0};
    int32_t room = 0;
    int64_t count;
    an_dataset *dataset = NULL;
    if (collect(allocator, path, c, &v, &room, &count, err))
        dataset = tokens_new(allocator, count, context, err);
    if (dataset) {
        dataset->vocabulary.codes = an_alloc(allocator, (size_t)v.count, sizeof *v.codes, err);
        if (dataset->vocabulary.codes && v.codes) {
            memcpy(dataset->vocabulary.codes, v.codes, (size_t)v.count * sizeof *v.codes);
            dataset->vocabulary.count = dataset->classes = v.count;
            number_characters(dataset, c);
        } else {
            an_dataset_free(dataset);
            dataset = NULL;
        }
    }
    an_release(allocator, v.codes, (size_t)room, sizeof *v.codes);
    return dataset;
}

static an_dataset *of_bytes(const an_allocator *allocator, const an_content *c, int64_t context,
                            an_error *err)
{
    an_dataset *dataset = tokens_new(allocator, (int64_t)c->length, context, err);
    if (!dataset)
        return NULL;
    dataset->classes = 256;
    for (size_t i = 0; i < c->length; i++)
        dataset->tokens[i] = c->bytes[i];
    return dataset;
}

an_dataset *an_text_open(const an_allocator *allocator, const char *path, an_text_unit unit,
                         int64_t context, an_error *err)
{
    const an_allocator standard = an_allocator_default();
    if (!allocator)
        allocator = &standard;
    an_content c = {0};
    an_error why = {0};
    an_dataset *dataset = NULL;
    if (an__content_read(allocator, path, &c, &why))
        dataset = unit == AN_TEXT_BYTES ? of_bytes(allocator, &c, context, &why)
                                        : of_characters(allocator, path, &c, context, &why);
    if (!dataset && why.code == AN_ERROR_ARGUMENT)
        an_error_prefix(&why, "%s: ", path);
    if (!dataset && err)
        *err = why;
    an_release(allocator, c.bytes, c.room, 1);
    return dataset;
}

/* ------------------------------------------------------------ to and from text */

size_t an_text_token(const an_dataset *dataset, int32_t token, char bytes[4])
{
    if (dataset->kind != AN_DATA_TOKENS || token < 0 || token >= dataset->classes)
        return 0;
    if (dataset->vocabulary.count > 0)
        return encode(dataset->vocabulary.codes[token], bytes);
    bytes[0] = (char)token;
    return dataset->classes == 256;
}

int64_t an_text_encode(const an_dataset *dataset, const char *text, size_t length, int32_t *tokens,
                       int64_t room, an_error *err)
{
    const an_vocabulary *v = &dataset->vocabulary;
    int64_t count = 0;
    for (size_t at = 0; at < length; count++) {
        uint32_t code = (unsigned char)text[at];
        int size = 1;
        if (v->count > 0)
            size = decode((const unsigned char *)text + at, length - at, &code);
        if (size == 0 || (v->count > 0 && !knows(v, code))) {
            an_error_set(err, AN_ERROR_DATA,
                         "'%.*s' does not occur in the text that the model was trained on",
                         size > 0 ? size : 1, text + at);
            return -1;
        }
        if (tokens && count < room)
            tokens[count] = v->count > 0 ? find(v, code) : (int32_t)code;
        at += (size_t)size;
    }
    return count;
}
