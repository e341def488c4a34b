/* Where a text stands, and errors that point there. */
#include "base/format.h"

#include <anneal/spec.h>

#include <string.h>

an_spec_source an_spec_source_text(const char *text)
{
    return (an_spec_source){.text = text, .length = strlen(text)};
}

/* A place in a text: the line that holds it, and its column in bytes and in glyphs, from 1. */
typedef struct place {
    const char *line;
    size_t line_length, line_number, column, glyph;
    bool known, one_line;
} place;

static place place_in(const char *text, size_t length, size_t offset)
{
    place at = {.line_number = 1, .known = true};
    size_t begin = 0, glyph = 1;
    if (offset > length)
        offset = length;
    for (size_t i = 0; i < offset; i++) {
        glyph += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (text[i] == '\n') {
            begin = i + 1;
            glyph = 1;
            at.line_number++;
        }
    }
    size_t end = offset;
    while (end < length && text[end] != '\n')
        end++;
    at.one_line = at.line_number == 1 && end == length;
    if (end > offset && text[end - 1] == '\r')
        end--;
    at.line = text + begin;
    at.line_length = end - begin;
    at.column = offset - begin + 1;
    at.glyph = glyph;
    return at;
}

/* The place of `offset` in the origin, if there is one. An empty text has no place there. */
static place find(const an_spec_source *source, size_t offset)
{
    if (!source->map || !source->origin)
        return place_in(source->text, source->length, offset);
    if (source->length == 0)
        return (place){.known = false};
    bool past_end = offset >= source->length;
    size_t mapped = source->map[past_end ? source->length - 1 : offset] + (past_end ? 1 : 0);
    return place_in(source->origin, source->origin_length, mapped);
}

bool an_spec_error(const an_spec_source *source, size_t offset, an_error *err, const char *format,
                   ...)
{
    if (!err)
        return false;
    char sentence[AN_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    an__format_list(sentence, sizeof sentence, format, args);
    va_end(args);

    place at = find(source, offset);
    if (!at.known)
        return an_error_set(err, AN_ERROR_CONFIG, "%s%s%s", source->file ? source->file : "",
                            source->file ? ": " : "", sentence);
    if (source->file)
        an_error_set(err, AN_ERROR_CONFIG, "%s:%zu: %s", source->file, at.line_number, sentence);
    else if (at.one_line)
        an_error_set(err, AN_ERROR_CONFIG, "column %zu: %s", at.glyph, sentence);
    else
        an_error_set(err, AN_ERROR_CONFIG, "line %zu, column %zu: %s", at.line_number, at.glyph,
                     sentence);
    an_error_point(err, at.line, at.line_length, at.column);
    return false;
}
