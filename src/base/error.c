#include "base/format.h"
#include "base/utf8.h"

#include <string.h>

/* An excerpt shows at most this many glyphs, so that with 4 bytes each it always fits. */
#define EXCERPT_GLYPHS 72
/* Of a longer line, this much stands before the caret. */
#define EXCERPT_LEAD 48

const char *an_error_text(an_error_code code)
{
    switch (code) {
#define TEXT_OF(name, text) \
    case AN_ERROR_##name:   \
        return text;
        AN_ERROR_MAP(TEXT_OF)
#undef TEXT_OF
    }
    return "an unknown error";
}

/* Makes a text that was cut at the end of `buffer` end in "...", at a whole code point. */
static void end_in_dots(char *buffer, size_t size)
{
    size_t at = size - 4;
    while (at > 0 && ((unsigned char)buffer[at] & 0xc0) == 0x80)
        at--;
    memcpy(buffer + at, "...", 4);
}

/* Bytes of the glyph at `at`: one for a byte that is not UTF-8. */
static size_t glyph_length(const char *line, size_t line_length, size_t at)
{
    size_t length = an__utf8_length(line + at, line_length - at);
    return length > 0 ? length : 1;
}

/* Copies one glyph; what a terminal could take for a command becomes '?'. Returns its bytes. */
static size_t copy_glyph(char *out, const char *line, size_t line_length, size_t at)
{
    size_t length = an__utf8_length(line + at, line_length - at);
    unsigned char first = (unsigned char)line[at];
    bool c1 = length == 2 && first == 0xc2 && (unsigned char)line[at + 1] < 0xa0;
    if (length == 0 || c1 || first == 0x7f || (first < ' ' && first != '\t')) {
        *out = '?';
        return 1;
    }
    memcpy(out, line + at, length);
    return length;
}

/* What becomes err->message: texts of the user's may hold anything, and stand in it harmless. */
static void set_message(an_error *err, const char *message)
{
    const size_t length = strlen(message);
    size_t written = 0;
    for (size_t at = 0; at < length; at += glyph_length(message, length, at))
        written += copy_glyph(err->message + written, message, length, at);
    err->message[written] = '\0';
}

bool an_error_set(an_error *err, an_error_code code, const char *format, ...)
{
    if (!err)
        return false;
    char message[AN_ERROR_MESSAGE_SIZE]; /* apart: an argument may be err->message */
    va_list args;
    va_start(args, format);
    size_t length = an__format_list(message, sizeof message, format, args);
    va_end(args);
    if (length >= sizeof message)
        end_in_dots(message, sizeof message);
    set_message(err, message);
    err->excerpt[0] = '\0';
    err->code = code;
    return false;
}

void an_error_prefix(an_error *err, const char *format, ...)
{
    if (!err)
        return;
    char message[AN_ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    size_t length = an__format_list(message, sizeof message, format, args);
    va_end(args);
    if (length < sizeof message)
        length += an_format(message + length, sizeof message - length, "%s", err->message);
    if (length >= sizeof message)
        end_in_dots(message, sizeof message);
    set_message(err, message);
}

static size_t count_glyphs(const char *line, size_t line_length)
{
    size_t count = 0;
    for (size_t at = 0; at < line_length; at += glyph_length(line, line_length, at))
        count++;
    return count;
}

/* The first glyph of a window of EXCERPT_GLYPHS that shows glyph `caret` of `count`. */
static size_t window_begin(size_t caret, size_t count)
{
    if (count <= EXCERPT_GLYPHS || caret < EXCERPT_LEAD)
        return 0;
    size_t begin = caret - EXCERPT_LEAD;
    return begin + EXCERPT_GLYPHS > count ? count - EXCERPT_GLYPHS : begin;
}

/* The line is written into `text`, and below each glyph before the caret a space into `pad`. */
void an_error_point(an_error *err, const char *line, size_t line_length, size_t column)
{
    if (!err)
        return;
    size_t caret_byte = column > 0 ? column - 1 : 0;
    size_t caret = count_glyphs(line, caret_byte < line_length ? caret_byte : line_length);
    size_t count = count_glyphs(line, line_length);
    size_t begin = window_begin(caret, count);
    size_t end = count - begin > EXCERPT_GLYPHS ? begin + EXCERPT_GLYPHS : count;

    char pad[EXCERPT_GLYPHS + 8];
    size_t padded = 0, length = 0, glyph = 0;
    char *text = err->excerpt;
    if (begin > 0) {
        memcpy(text, "...", 4);
        memset(pad, ' ', 3);
        padded = length = 3;
    }
    for (size_t at = 0; glyph < end; at += glyph_length(line, line_length, at), glyph++) {
        if (glyph < begin)
            continue;
        if (glyph < caret)
            pad[padded++] = line[at] == '\t' ? '\t' : ' ';
        length += copy_glyph(text + length, line, line_length, at);
    }
    if (end < count) {
        memcpy(text + length, "...", 4);
        length += 3;
    }
    text[length++] = '\n';
    memcpy(text + length, pad, padded);
    length += padded;
    memcpy(text + length, "^", 2);
}

/* 3 + 4 * 72 + 3 for the line, a newline, 3 + 72 for the spaces, the caret and the end. */
_Static_assert(AN_ERROR_EXCERPT_SIZE >= 3 + 4 * EXCERPT_GLYPHS + 3 + 1 + 3 + EXCERPT_GLYPHS + 2,
               "an excerpt must fit");
