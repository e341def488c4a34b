#include "optim/print.h"

#include <anneal/base.h>

static size_t put_char(char *buffer, size_t size, size_t at, char c)
{
    if (at + 1 < size) {
        buffer[at] = c;
        buffer[at + 1] = '\0';
    }
    return at + 1;
}

size_t an__put(char *buffer, size_t size, size_t at, const char *text)
{
    for (; *text; text++) {
        at = put_char(buffer, size, at, *text);
    }
    return at;
}

size_t an__put_number(char *buffer, size_t size, size_t at, double value)
{
    char text[40];
    an_number_print_short(text, sizeof text, value);
    return an__put(buffer, size, at, text);
}

size_t an__put_quoted(char *buffer, size_t size, size_t at, const char *text)
{
    at = put_char(buffer, size, at, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') {
            at = put_char(buffer, size, at, '\\');
        }
        at = put_char(buffer, size, at, *text);
    }
    return put_char(buffer, size, at, '\'');
}
