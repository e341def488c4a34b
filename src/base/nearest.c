#include <anneal/base.h>

#include <string.h>

/* Names longer than this are never near. */
#define LENGTH_MAX 64

/* Distances are counted in halves: 2 for a letter too many, too few or another, 1 for its case. */
#define LETTER 2
#define CASE 1

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned letter_distance(char a, char b)
{
    if (a == b)
        return 0;
    return lower(a) == lower(b) ? CASE : LETTER;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool swapped(const char *a, const char *b)
{
    return lower(a[0]) == lower(b[-1]) && lower(a[-1]) == lower(b[0]);
}

/*
 * The optimal string alignment distance: Levenshtein's, where two neighbours that changed places
 * count as one letter. row[j] is the distance of a's first i and b's first j letters; only the last
 * three rows are kept.
 */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LENGTH_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j * LETTER;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i * LETTER;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(above[j] + LETTER, row[j - 1] + LETTER,
                           above[j - 1] + letter_distance(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && swapped(a + i - 1, b + j - 1))
                row[j] = least(row[j], row[j], two_above[j - 2] + LETTER);
        }
    }
    return rows[a_length % 3][b_length];
}

static bool equal_but_for_case(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length != b_length)
        return false;
    for (size_t i = 0; i < a_length; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

const char *an_nearest(const char *word, size_t length, const char *const *names, size_t count)
{
    const char *best = NULL;
    unsigned best_distance = 0;
    if (length == 0 || length > LENGTH_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name_length = strlen(names[i]);
        if (name_length > LENGTH_MAX)
            continue;
        unsigned d = distance(word, length, names[i], name_length);
        size_t longest = length > name_length ? length : name_length;
        bool near =
            3 * d <= LETTER * longest || equal_but_for_case(word, length, names[i], name_length);
        if (near && (!best || d < best_distance)) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
