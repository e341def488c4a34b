/*
 * --set: changes of the tree before it is read.
 *
 * "epochs=3" replaces a key's value, "data.path=x" one of a map, "model.1=Tanh()" an element of a
 * list (counted from 0), and what is left of the path inside a call edits its text:
 * "optimizer.lr=0.1", "optimizer.0.weight_decay=0", "model.1.bias=False".
 */
#include "config/tree.h"

#include <string.h>

/* As many keys of a map as "did you mean" looks at. */
#define MAX_NAMES 32

/* Whether the scalar `node` has these bytes. */
static bool has_text(const an__node *node, const char *text, size_t length)
{
    return node->source.length == length && memcmp(node->source.text, text, length) == 0;
}

bool an__tree_is(const an__node *node, const char *text)
{
    return node->kind == AN__SCALAR && has_text(node, text, strlen(text));
}

an__node **an__tree_child(an__node *map, const char *key, size_t length)
{
    for (an__node **slot = &map->first; *slot; slot = &(*slot)->next)
        if (has_text((*slot)->key, key, length))
            return slot;
    return NULL;
}

an__node **an__tree_element(an__node *list, size_t index)
{
    for (an__node **slot = &list->first; *slot; slot = &(*slot)->next)
        if (index-- == 0)
            return slot;
    return NULL;
}

void an__tree_replace(an__node **slot, an__node *fresh)
{
    fresh->key = (*slot)->key;
    fresh->next = (*slot)->next;
    *slot = fresh;
}

an__node *an__tree_scalar(const an__document *document, an_arena *arena, an_error *err)
{
    an__node *node = an_arena_alloc(arena, sizeof *node);
    if (!node)
        return an__no_memory(err);
    *node = (an__node){.kind = AN__SCALAR, .document = document, .end = document->length};
    node->source = (an_spec_source){
        .file = document->file, .text = document->text, .length = document->length};
    return node;
}

/* What is being set, for the messages, and where to. */
typedef struct setting {
    const char *set;   /* the whole, "optimizer.lr=x" */
    const char *value; /* after the equals sign */
    an_arena *arena;
    an_error *err;
} setting;

static bool fail(const setting *s, const char *message)
{
    return an_error_set(s->err, AN_ERROR_CONFIG, "--set %s: %s", s->set, message);
}

/* "--set optimizer.lr=x", after those that have changed the same text before. */
static const char *label(const setting *s, const char *before)
{
    size_t size = strlen(s->set) + (before ? strlen(before) : 0) + sizeof " --set ";
    char *text = an_arena_alloc(s->arena, size);
    if (text)
        an_format(text, size, "%s%s--set %s", before ? before : "", before ? " " : "", s->set);
    return text;
}

static an__document *document_new(const setting *s, const char *text, const char *before)
{
    an__document *document = an_arena_alloc(s->arena, sizeof *document);
    const char *set = label(s, before);
    if (!document || !set)
        return an__no_memory(s->err);
    *document = (an__document){.set = set, .text = text, .length = strlen(text)};
    return document;
}

/* A value in brackets is YAML; anything else is text as it stands, colons and all. */
static an__node *value_node(const setting *s)
{
    const an__document *document = document_new(s, s->value, NULL);
    if (!document)
        return NULL;
    bool yaml = s->value[0] == '[' || s->value[0] == '{';
    return yaml ? an__tree_parse(document, s->arena, s->err)
                : an__tree_scalar(document, s->arena, s->err);
}

/* Edits an argument of the call in a scalar. */
static an__node *edited_node(const setting *s, const an__node *call, const char *path)
{
    char *text = an_spec_edit(call->source.text, path, s->value, s->arena, s->err);
    if (!text) {
        an_error_prefix(s->err, "--set %s: ", s->set);
        return NULL;
    }
    const an__document *document = document_new(s, text, call->document->set);
    return document ? an__tree_scalar(document, s->arena, s->err) : NULL;
}

static bool replace(an__node **slot, an__node *fresh)
{
    if (fresh)
        an__tree_replace(slot, fresh);
    return fresh != NULL;
}

/* A key that is not there yet goes to the end of its map. */
static bool append(const setting *s, an__node *map, const char *key, size_t length)
{
    an__node *node = value_node(s);
    if (!node)
        return false;
    char *name = an_arena_text(s->arena, key, length);
    if (!name)
        return an__no_memory(s->err);
    const an__document *document = document_new(s, name, NULL);
    node->key = document ? an__tree_scalar(document, s->arena, s->err) : NULL;
    if (!node->key)
        return false;
    an__node **tail = &map->first;
    while (*tail)
        tail = &(*tail)->next;
    *tail = node;
    map->count++;
    return true;
}

/* The list's element that a path's part counts to, or NULL with err. */
static an__node **element(const setting *s, an__node *list, const char *part, size_t length)
{
    double index = 0;
    char text[128];
    if (length > 0 && length < 8 && an_number_parse(part, length, &index) == length && index >= 0) {
        an__node **slot = an__tree_element(list, (size_t)index);
        if (slot && (double)(size_t)index == index)
            return slot;
    }
    an_format(text, sizeof text, "the list has elements 0 to %zu, got '%.*s'",
              list->count ? list->count - 1 : 0, (int)(length < 32 ? length : 32), part);
    fail(s, text);
    return NULL;
}

/* Of a dotted path's part that is no key of `map`. */
static bool unknown_key(const setting *s, const an__node *map, const char *part, size_t length)
{
    const char *names[MAX_NAMES];
    char text[256];
    size_t count = 0;
    for (const an__node *child = map->first; child && count < MAX_NAMES; child = child->next)
        names[count++] = child->key->source.text;
    const char *near = an_nearest(part, length, names, count);
    int shown = (int)(length < 64 ? length : 64);
    if (near)
        an_format(text, sizeof text, "there is no key '%.*s'; did you mean '%.64s'?", shown, part,
                  near);
    else
        an_format(text, sizeof text, "there is no key '%.*s' before the dot", shown, part);
    return fail(s, text);
}

/* Follows `path` (not empty) from a map or list. */
static bool apply(const setting *s, an__node *node, const char *path)
{
    size_t length = strcspn(path, ".=");
    bool last = path[length] == '=';
    if (length == 0)
        return fail(s, "a part of the path is empty");
    an__node **slot = node->kind == AN__LIST ? element(s, node, path, length)
                                             : an__tree_child(node, path, length);
    if (!slot && node->kind == AN__LIST)
        return false;
    if (!slot)
        return last ? append(s, node, path, length) : unknown_key(s, node, path, length);
    if (last)
        return replace(slot, value_node(s));
    const char *rest = path + length + 1;
    if ((*slot)->kind != AN__SCALAR)
        return apply(s, *slot, rest);
    size_t inside = strcspn(rest, "=");
    char *argument = an_arena_text(s->arena, rest, inside);
    if (!argument)
        return an__no_memory(s->err);
    return inside ? replace(slot, edited_node(s, *slot, argument))
                  : fail(s, "a part of the path is empty");
}

bool an__tree_set(an__node *root, const char *set, an_arena *arena, an_error *err)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return an_error_set(err, AN_ERROR_CONFIG,
                            "--set %s: expected KEY=VALUE, such as epochs=3 or optimizer.lr=0.05",
                            set);
    setting s = {.set = set, .value = equals + 1, .arena = arena, .err = err};
    return apply(&s, root, set);
}
