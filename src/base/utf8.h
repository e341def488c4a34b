/* Steps through UTF-8 text that need not be valid. */
#ifndef AN_BASE_UTF8_H
#define AN_BASE_UTF8_H

#include <stddef.h>

/*
 * The number of bytes of the code point at the start of `text` (`length` >= 1 bytes are there), or
 * 0 where the bytes are no valid UTF-8; a caller then takes one byte as one unknown glyph.
 */
size_t an__utf8_length(const char *text, size_t length);

#endif
