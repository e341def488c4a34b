#include "term/text.h"

#include <anneal/term.h>

size_t an_term_bar(char *buffer, size_t size, int columns, double fraction, bool unicode)
{
    const char *full = unicode ? "━" : "=";
    const char *half = unicode ? "╸" : "-";
    double share = fraction > 0 ? fraction : 0; /* NaN is empty */
    share = share < 1 ? share : 1;
    double halves = 2.0 * columns * share;
    an_text text = an__term_text(buffer, size);
    for (int cell = 0; cell < columns; cell++) {
        double left = halves - 2.0 * cell;
        an__text_add(&text, left >= 2 ? full : left >= 1 ? half : " ");
    }
    return text.length;
}
