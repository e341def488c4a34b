/* json.c - a JSON text as a tree: RFC 8259, nothing more and nothing less. */
#include "lr/json.h"

#include <string.h>

#define MAX_DEPTH 16

typedef struct reader {
    const an_spec_source *source;
    size_t at;
    int depth;
    an_arena *arena;
    an_error *err;
} reader;

bool an__json_error(const an_spec_source *source, size_t offset, an_error *err, const char *message)
{
    an_spec_error(source, offset, err, "%s", message);
    if (err)
        err->code = AN_ERROR_DATA;
    return false;
}

static bool fail(const reader *r, size_t offset, const char *message)
{
    return an__json_error(r->source, offset, r->err, message);
}

static void *room(const reader *r, size_t size)
{
    void *memory = an_arena_alloc(r->arena, size);
    if (!memory)
        an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a JSON text");
    return memory;
}

/* The next byte; 0 at the end, which no JSON text holds outside of an error. */
static char peek(const reader *r)
{
    return r->at < r->source->length ? r->source->text[r->at] : '\0';
}

static char next(reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r')
        r->at++;
    return peek(r);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ----------------------------------------------------------------- numbers */

static bool digits(reader *r)
{
    size_t began = r->at;
    while (is_digit(peek(r)))
        r->at++;
    return r->at > began;
}

#define WHOLE_MAX ((uint64_t)1 << 53)
/* An exponent beyond the length of any text that fits in memory. */
#define EXPONENT_MAX ((int64_t)1 << 56)

/* value * 10^count + digit; false beyond 2^53. */
static bool append(uint64_t *value, int64_t count, int digit)
{
    for (; count > 0 && *value > 0; count--) {
        *value *= 10;
        if (*value > WHOLE_MAX)
            return false;
    }
    *value += (uint64_t)digit;
    return *value <= WHOLE_MAX;
}

static int64_t exponent_of(const char *text, const char *end)
{
    int64_t value = 0;
    bool minus = text < end && *text == '-';
    for (; text < end; text++)
        if (is_digit(*text) && value < EXPONENT_MAX)
            value = value * 10 + (*text - '0');
    return minus ? -value : value;
}

/*
 * Whether the number, of JSON's form, is an integer within +-2^53. `value` are its digits down to
 * the last that is not 0, and `place` is that one's power of ten.
 */
static bool is_whole(const char *text, const char *end)
{
    uint64_t value = 0;
    int64_t zeros = 0, place = 0;
    bool after_point = false;
    for (; text < end && (*text | 0x20) != 'e'; text++) {
        after_point |= *text == '.';
        if (!is_digit(*text))
            continue;
        place -= after_point;
        zeros++;
        if (*text == '0')
            continue;
        if (!append(&value, zeros, *text - '0'))
            return false;
        zeros = 0;
    }
    place += zeros + (text < end ? exponent_of(text + 1, end) : 0);
    return value == 0 || (place >= 0 && append(&value, place, 0));
}

static bool read_number(reader *r, an__json *value)
{
    size_t began = r->at;
    r->at += peek(r) == '-';
    bool zero = peek(r) == '0';
    size_t whole = r->at;
    bool good = digits(r) && !(zero && r->at > whole + 1);
    if (good && peek(r) == '.') {
        r->at++;
        good = digits(r);
    }
    if (good && (peek(r) == 'e' || peek(r) == 'E')) {
        r->at++;
        r->at += peek(r) == '-' || peek(r) == '+';
        good = digits(r);
    }
    const char *text = r->source->text + began;
    size_t length = r->at - began;
    if (!good || an_number_parse(text, length, &value->number) != length)
        return fail(r, began, "this is not a JSON number");
    value->kind = AN__JSON_NUMBER;
    value->whole = is_whole(text, text + length);
    return true;
}

/* ----------------------------------------------------------------- strings */

static int hexadecimal(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u; -1 if they are not. */
static long read_unit(reader *r)
{
    long unit = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int digit = hexadecimal(peek(r));
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* \uXXXX, of which two make one character beyond the first 65536. */
static bool read_unicode(reader *r, char *out, size_t *length)
{
    size_t began = r->at;
    long code = read_unit(r);
    if (code >= 0xd800 && code < 0xdc00 && peek(r) == '\\') {
        r->at++;
        long low = peek(r) == 'u' ? (r->at++, read_unit(r)) : -1;
        code =
            low >= 0xdc00 && low < 0xe000 ? 0x10000 + (code - 0xd800) * 0x400 + low - 0xdc00 : -1;
    }
    if (code <= 0 || (code >= 0xd800 && code < 0xe000))
        return fail(r, began, "this is not a character that a text can hold");
    *length += an_utf8_put(out + *length, (uint32_t)code);
    return true;
}

static bool read_escape(reader *r, char *out, size_t *length)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = peek(r);
    const char *found = c != '\0' ? strchr(from, c) : NULL;
    r->at++;
    if (c == 'u')
        return read_unicode(r, out, length);
    if (!found)
        return fail(r, r->at - 1, "JSON has no such escape");
    out[(*length)++] = to[found - from];
    return true;
}

/* The text without its escapes is never longer than with them. */
static const char *read_string(reader *r)
{
    size_t began = r->at++, end = r->at, length = 0;
    while (end < r->source->length && r->source->text[end] != '"')
        end += r->source->text[end] == '\\' ? 2 : 1;
    if (end >= r->source->length) {
        fail(r, began, "this string does not end");
        return NULL;
    }
    char *out = room(r, end - began + 1);
    while (out && r->at < end) {
        char c = peek(r);
        r->at++;
        if ((unsigned char)c < 0x20) {
            fail(r, r->at - 1, "a JSON string holds no control characters; write \\n or \\u000a");
            return NULL;
        }
        if (c != '\\')
            out[length++] = c;
        else if (!read_escape(r, out, &length))
            return NULL;
    }
    if (out)
        out[length] = '\0';
    r->at = end + 1;
    return out;
}

/* ------------------------------------------------------------------ values */

static an__json *read_value(reader *r);

static bool read_key(reader *r, const char **key)
{
    if (next(r) != '"')
        return fail(r, r->at, "expected a key in double quotes");
    *key = read_string(r);
    if (!*key)
        return false;
    if (next(r) != ':')
        return fail(r, r->at, "expected ':' after the key");
    r->at++;
    return true;
}

static bool read_list(reader *r, an__json *list, char end)
{
    bool object = end == '}';
    an__json **last = &list->first;
    list->kind = object ? AN__JSON_OBJECT : AN__JSON_ARRAY;
    if (++r->depth > MAX_DEPTH)
        return fail(r, r->at, "this nests more than 16 deep");
    r->at++;
    for (bool more = next(r) != end; more;) {
        const char *key = NULL;
        if (object && !read_key(r, &key))
            return false;
        an__json *value = read_value(r);
        if (!value)
            return false;
        value->key = key;
        *last = value;
        last = &value->next;
        list->count++;
        more = next(r) == ',';
        if (!more && peek(r) != end)
            return fail(r, r->at, object ? "expected ',' or '}'" : "expected ',' or ']'");
        r->at += more;
    }
    r->at++;
    r->depth--;
    return true;
}

static bool read_word(reader *r, an__json *value)
{
    static const struct {
        const char *word;
        an__json_kind kind;
    } words[] = {{"null", AN__JSON_NULL}, {"true", AN__JSON_BOOL}, {"false", AN__JSON_BOOL}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i].word);
        if (r->source->length - r->at >= length &&
            memcmp(r->source->text + r->at, words[i].word, length) == 0) {
            value->kind = words[i].kind;
            value->number = i == 1;
            r->at += length;
            return true;
        }
    }
    return fail(r, r->at,
                peek(r) == '\0' ? "the text ends where a value should be"
                                : "expected a JSON value");
}

static an__json *read_value(reader *r)
{
    char c = next(r);
    an__json *value = room(r, sizeof *value);
    if (!value)
        return NULL;
    *value = (an__json){.offset = r->at};
    bool good;
    if (c == '{' || c == '[') {
        good = read_list(r, value, c == '{' ? '}' : ']');
    } else if (c == '"') {
        value->kind = AN__JSON_STRING;
        value->text = read_string(r);
        good = value->text != NULL;
    } else if (c == '-' || is_digit(c)) {
        good = read_number(r, value);
    } else {
        good = read_word(r, value);
    }
    return good ? value : NULL;
}

const an__json *an__json_parse(const an_spec_source *source, an_arena *arena, an_error *err)
{
    reader r = {.source = source, .arena = arena, .err = err};
    const an__json *value = read_value(&r);
    if (!value)
        return NULL;
    next(&r);
    if (r.at < source->length) {
        fail(&r, r.at, "the JSON text goes on where it should end");
        return NULL;
    }
    return value;
}
