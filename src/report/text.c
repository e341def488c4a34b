/* How wide words are. Widths are those of DejaVu Sans, wider than what most systems have. */
#include "base/utf8.h"
#include "report/canvas.h"

#include <string.h>

/* Of a glyph in a text, in parts of the font size. */
static double glyph_width(unsigned char c)
{
    if (strchr("ijlI|'", c)) {
        return 0.29;
    }
    if (strchr(" ,.:;()[]!-frt\"/", c)) {
        return 0.40;
    }
    if (strchr("mwMW%@+=<>", c)) {
        return 0.90;
    }
    return c >= 'A' && c <= 'Z' ? 0.70 : 0.62;
}

/* Every byte counts but the continuation bytes 10xxxxxx. */
double an__text_width(const char *text, double size)
{
    double width = 0;
    for (; *text; text++) {
        if (((unsigned char)*text & 0xC0) != 0x80) {
            width += glyph_width((unsigned char)*text);
        }
    }
    return width * size;
}

/* The glyph at `text` into `glyph` (5 bytes), made valid; returns the bytes taken. */
static size_t take_glyph(char *glyph, const char *text)
{
    size_t taken = an__utf8_length(text, strlen(text));
    bool control = (unsigned char)text[0] < 0x20 || text[0] == 0x7F;
    if (taken == 0 || taken > 4 || control) {
        memcpy(glyph, control ? " " : "?", 2);
        return taken > 0 ? taken : 1;
    }
    memcpy(glyph, text, taken);
    glyph[taken] = '\0';
    return taken;
}

void an__text_fit(char *buffer, size_t buffer_size, const char *text, double size, double width)
{
    static const char dots[] = "…";
    double dots_width = an__text_width(dots, size), used = 0;
    size_t length = 0, cut = 0; /* `cut`: how much may stay before dots */
    while (*text) {
        char glyph[5];
        text += take_glyph(glyph, text);
        used += an__text_width(glyph, size);
        if (used > width || length + strlen(glyph) + sizeof dots > buffer_size) {
            memcpy(buffer + cut, dots, sizeof dots);
            return;
        }
        memcpy(buffer + length, glyph, strlen(glyph));
        length += strlen(glyph);
        cut = used + dots_width <= width ? length : cut;
    }
    buffer[length] = '\0';
}

size_t an__text_break(const char *text, double size, double width)
{
    double used = 0;
    size_t blank = 0, length = 0;
    for (; text[length]; length++) {
        if (text[length] == ' ') {
            blank = length;
        }
        if (((unsigned char)text[length] & 0xC0) != 0x80) {
            used += glyph_width((unsigned char)text[length]) * size;
        }
        if (used > width) {
            return blank;
        }
    }
    return length;
}
