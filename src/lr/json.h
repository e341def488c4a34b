/* json.h - a JSON text as a tree, strictly as RFC 8259 has it. */
#ifndef ANNEAL_LR_JSON_H
#define ANNEAL_LR_JSON_H

#include <anneal/spec.h>

typedef enum an__json_kind {
    AN__JSON_NULL,
    AN__JSON_BOOL,
    AN__JSON_NUMBER,
    AN__JSON_STRING,
    AN__JSON_ARRAY,
    AN__JSON_OBJECT
} an__json_kind;

/*
 * One value: where it begins in the text, its key if it stands in an object, and what it holds. A
 * string has its escapes removed and ends in a zero. The values of an array or object are a list
 * from `first` through `next`. A number is the nearest double, infinite beyond the largest; `whole`
 * says that as written it is an integer within +-2^53, and so `number` exactly.
 */
typedef struct an__json {
    an__json_kind kind;
    size_t offset, count;
    double number;
    bool whole;
    const char *key, *text;
    struct an__json *first, *next;
} an__json;

/* The tree of the whole text, in `arena`; NULL with err (DATA at the place, MEMORY). */
const an__json *an__json_parse(const an_spec_source *source, an_arena *arena, an_error *err);

/* An error (DATA) at byte `offset` of the text; returns false. */
bool an__json_error(const an_spec_source *source, size_t offset, an_error *err,
                    const char *message);

#endif
