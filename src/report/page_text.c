/* Texts and numbers in HTML and JSON. */
#include "base/utf8.h"
#include "report/page.h"

#include <math.h>
#include <string.h>

#define UNKNOWN "\xEF\xBF\xBD" /* U+FFFD */

/* What a byte is written as in HTML; NULL: as it is. Control bytes but tab and newline go. */
static const char *html_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
    case '\n':
        return NULL;
    default:
        return (unsigned char)c < 0x20 || c == 0x7F ? UNKNOWN : NULL;
    }
}

void an__html_text(an_bytes *out, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t taken = an__utf8_length(text, left);
        const char *instead = taken == 0 ? UNKNOWN : html_of(*text);
        taken = taken > 0 ? taken : 1;
        if (instead) {
            an__bytes_text(out, instead);
        } else {
            an__bytes_add(out, text, taken);
        }
        text += taken;
        left -= taken;
    }
}

void an__json_text(an_bytes *out, const char *text)
{
    char escape[16];
    size_t left = strlen(text);
    an__bytes_text(out, "\"");
    while (left > 0) {
        size_t taken = an__utf8_length(text, left);
        unsigned char c = (unsigned char)*text;
        if (taken == 0) {
            an__bytes_text(out, UNKNOWN);
            taken = 1;
        } else if (c < 0x20 || c == 0x7F || strchr("\"\\<>&", c)) {
            static const char hex[] = "0123456789abcdef";
            an_format(escape, sizeof escape, "\\u00%c%c", hex[c / 16], hex[c % 16]);
            an__bytes_text(out, escape);
        } else {
            an__bytes_add(out, text, taken);
        }
        text += taken;
        left -= taken;
    }
    an__bytes_text(out, "\"");
}

void an__json_number(an_bytes *out, double value)
{
    char text[40];
    an_format(text, sizeof text, "%.9g", value);
    an__bytes_text(out, isfinite(value) ? text : "null");
}

void an__page_count(an_bytes *out, int64_t value)
{
    char text[32];
    an_format(text, sizeof text, "%lld", (long long)value);
    an__bytes_text(out, text);
}
