/* The small pieces of the grammar: blanks, names, numbers, strings. */
#ifndef AN_SPEC_SCAN_H
#define AN_SPEC_SCAN_H

#include <anneal/spec.h>

/* A place in the source that moves on as it is read. Strings that must be kept go to `arena`. */
typedef struct an_scanner {
    const an_spec_source *source;
    size_t at;
    an_arena *arena;
    an_error *err;
} an_scanner;

/* A piece of the source. */
typedef struct an_span {
    const char *text;
    size_t offset, length;
} an_span;

bool an__is_letter(char c); /* a name's first: a-z A-Z _ */
bool an__is_digit(char c);

/* The byte `ahead` of the next; 0 past the end. */
char an__scan_peek(const an_scanner *scanner, size_t ahead);

/* Skips spaces, tabs and line ends; returns the byte that follows. */
char an__scan_blanks(an_scanner *scanner);

/* Skips blanks and then `c`, if that follows. */
bool an__scan_char(an_scanner *scanner, char c);

/* Reads letters, digits and underscores; an empty span if no letter stands here. */
an_span an__scan_word(an_scanner *scanner);

/*
 * Reads a dotted name; `*prefix` gets what stands before the last dot. False with an error if a
 * part is missing.
 */
bool an__scan_name(an_scanner *scanner, an_span *prefix, an_span *name);

/* Reads [sign] number [/ number] [unit] into `node`. */
bool an__scan_number(an_scanner *scanner, an_spec_node *node);

/* Reads a string in quotes into node->text. */
bool an__scan_string(an_scanner *scanner, an_spec_node *node);

/* A copy of the span for the tree; NULL with an error when memory ran out. */
const char *an__scan_keep(an_scanner *scanner, an_span span);

bool an__span_is(an_span span, const char *word);

/* Memory for the tree; NULL with an error. */
void *an__scan_alloc(an_scanner *scanner, size_t size);

/* "expected A, but here stands B" for what stands at the scanner, with a remedy where one is known.
 */
bool an__scan_unexpected(const an_scanner *scanner, const char *expected);

#endif
