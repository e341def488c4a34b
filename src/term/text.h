/* A text that grows in a caller's buffer and goes on counting when the buffer is full. */
#ifndef AN_TERM_TEXT_H
#define AN_TERM_TEXT_H

#include <anneal/base.h>

/* `length` is that of the whole text. Once a piece does not fit, `size` is 0: count, do not write.
 */
typedef struct an_text {
    char *buffer;
    size_t size, length;
} an_text;

an_text an__term_text(char *buffer, size_t size);
/* Appends `piece`, whole or not at all, so that no character of several bytes is cut. */
void an__text_add(an_text *text, const char *piece);

#endif
