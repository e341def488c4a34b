#include "term/text.h"

#include <anneal/term.h>

#include <string.h>

an_text an__term_text(char *buffer, size_t size)
{
    if (size > 0)
        buffer[0] = '\0';
    return (an_text){buffer, size, 0};
}

void an__text_add(an_text *text, const char *piece)
{
    size_t length = strlen(piece);
    if (text->length + length < text->size)
        memcpy(text->buffer + text->length, piece, length + 1);
    else
        text->size = 0;
    text->length += length;
}

/* Every byte counts but the continuation bytes 10xxxxxx. */
int an_term_columns(const char *text)
{
    int columns = 0;
    for (; *text != '\0'; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}
