/*
 * A YAML document as a tree of nodes that know where they stand.
 *
 * Only what a configuration needs: maps with distinct scalar keys, lists and scalars. Anchors,
 * aliases, tags and further documents are refused with their place. A scalar is text; what the text
 * means is decided by who reads it.
 */
#ifndef AN_CONFIG_TREE_H
#define AN_CONFIG_TREE_H

#include <anneal/spec.h>

/* A text that nodes come from: the file, or the value of a --set. */
typedef struct an__document {
    const char *file; /* NULL for a --set */
    const char *set;  /* NULL, or "--set optimizer.lr=x": put before errors */
    const char *text;
    size_t length;
} an__document;

typedef enum an__node_kind { AN__SCALAR, AN__LIST, AN__MAP } an__node_kind;

typedef struct an__node an__node;

struct an__node {
    an__node_kind kind;
    const an__document *document;
    size_t begin, end;      /* bytes of the document */
    an_spec_source source;  /* a scalar's text and its way back to the document */
    an__node *key;          /* in a map: a scalar */
    an__node *first, *next; /* children, in order; the next sibling */
    size_t count;           /* of children */
};

/* The nesting that a configuration may have. */
#define AN__TREE_DEPTH 32
/* The keys that a map may have: each is compared with all before it. */
#define AN__MAP_KEYS 1000

/* Parses a document. The tree lives in `arena`, the document's texts must live as long. */
an__node *an__tree_parse(const an__document *document, an_arena *arena, an_error *err);

/* A scalar whose text is the whole of `document`. */
an__node *an__tree_scalar(const an__document *document, an_arena *arena, an_error *err);

/* Replaces `*slot` by `fresh`, which takes over its key and place among the siblings. */
void an__tree_replace(an__node **slot, an__node *fresh);

/* Whether `node` is the scalar `text`. */
bool an__tree_is(const an__node *node, const char *text);

/* The place of the child called `key`, or `index`; NULL where there is none. */
an__node **an__tree_child(an__node *map, const char *key, size_t length);
an__node **an__tree_element(an__node *list, size_t index);

/*
 * For every byte of a scalar's text, and for its end, the offset in the document that it was
 * written at. `begin` and `end` bound the scalar with its quotes or block indicator. NULL: memory.
 */
size_t *an__tree_map(const an__document *document, size_t begin, size_t end, const char *text,
                     size_t length, an_arena *arena);

/* `ok`, after putting the document's --set before the message in `err`. Wrap every failing call. */
bool an__blame(const an__node *node, bool ok, an_error *err);

/* Applies "path=value". */
bool an__tree_set(an__node *root, const char *set, an_arena *arena, an_error *err);

/* MEMORY; returns NULL, which suits every pointer. */
void *an__no_memory(an_error *err);

#endif
