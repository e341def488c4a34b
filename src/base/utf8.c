#include "base/utf8.h"

#include <stdbool.h>

#include <anneal/base.h>

/* A second byte that makes the encoding too long, a surrogate, or more than U+10FFFF. */
static bool bad_second_byte(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second < 0xa0;
    case 0xed:
        return second > 0x9f;
    case 0xf0:
        return second < 0x90;
    case 0xf4:
        return second > 0x8f;
    default:
        return false;
    }
}

size_t an__utf8_length(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char first = bytes[0];
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t need = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length < need || bad_second_byte(first, bytes[1]))
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return need;
}

size_t an_utf8_put(char *out, uint32_t code)
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[length] | code);
    return length;
}
