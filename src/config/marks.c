/*
 * From the text of a YAML scalar back to the bytes it was written with.
 *
 * libyaml gives a scalar's text after quotes, escapes, folding and indentation are undone. Errors
 * must point into the file, so the two are aligned again: both hold the same characters in the same
 * order, but for white space (folding), escapes (double quotes) and doubled quotes (single quotes).
 */
#include "config/tree.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Past the opening quote, or the header line of a block scalar. */
static size_t content_begin(const char *origin, size_t begin, size_t end)
{
    if (begin == end)
        return begin;
    char c = origin[begin];
    if (c == '"' || c == '\'')
        return begin + 1;
    if (c == '|' || c == '>')
        while (begin < end && origin[begin] != '\n')
            begin++;
    return begin;
}

/* Bytes of the escape sequence at `at`, which holds a backslash. */
static size_t escape_length(const char *origin, size_t at, size_t end)
{
    if (at + 1 >= end)
        return 1;
    char c = origin[at + 1];
    size_t length = c == 'x' ? 4 : c == 'u' ? 6 : c == 'U' ? 10 : 2;
    return length < end - at ? length : end - at;
}

/* Bytes of the UTF-8 character that begins with `c`. */
static size_t character_length(char c)
{
    unsigned char u = (unsigned char)c;
    return u < 0xc0 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* A backslash before a line's end joins the lines and stands for nothing. */
static size_t skip_joins(const char *origin, size_t at, size_t end)
{
    while (at + 1 < end && origin[at] == '\\' &&
           (origin[at + 1] == '\n' || origin[at + 1] == '\r')) {
        at++;
        while (at < end && is_space(origin[at]))
            at++;
    }
    return at;
}

size_t *an__tree_map(const an__document *document, size_t begin, size_t end, const char *text,
                     size_t length, an_arena *arena)
{
    const char *origin = document->text;
    if (length >= SIZE_MAX / sizeof(size_t))
        return NULL;
    size_t *map = an_arena_alloc(arena, (length + 1) * sizeof *map);
    if (!map)
        return NULL;
    char style = begin < end ? origin[begin] : 0;
    size_t at = content_begin(origin, begin, end);
    for (size_t i = 0; i < length;) {
        if (style == '"')
            at = skip_joins(origin, at, end);
        if (!is_space(text[i]))
            while (at < end && is_space(origin[at]))
                at++;
        if (style == '"' && at < end && origin[at] == '\\') {
            size_t bytes = character_length(text[i]);
            for (; bytes > 0 && i < length; bytes--)
                map[i++] = at;
            at += escape_length(origin, at, end);
            continue;
        }
        map[i] = at;
        if (at < end && origin[at] == text[i])
            at += style == '\'' && text[i] == '\'' ? 2 : 1;
        if (at > end)
            at = end;
        i++;
    }
    map[length] = at;
    return map;
}
