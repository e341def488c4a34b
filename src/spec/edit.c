/*
 * One argument of a call changed in its text: the tree says where the argument stands, and the text
 * before and after it is kept as it was written.
 */
#include "spec/scan.h"

#include <string.h>

/* What the path's steps so far have led to, and the piece of text to put the value in place of. */
typedef struct edit {
    const an_spec_source *source;
    const char *path;
    const an_spec_node *node;
    size_t begin, end;        /* bytes of the source that go */
    const char *before;       /* what stands between the text before and the value, ... */
    const char *key, *equals; /* ... in three pieces */
    size_t key_length;
    an_error *err;
} edit;

/* The list that a number counts in: the node, or the list that is a call's first argument. */
static const an_spec_node *list_of(const an_spec_node *node)
{
    bool first_is_list = node->kind == AN_SPEC_CALL && node->arg_count > 0 &&
                         !node->args[0].keyword && node->args[0].value->kind == AN_SPEC_LIST;
    return first_is_list ? node->args[0].value : node;
}

/* Arguments without a keyword stand before those with one. */
static size_t positional_count(const an_spec_node *list)
{
    size_t count = 0;
    while (count < list->arg_count && !list->args[count].keyword)
        count++;
    return count;
}

static bool step_to_index(edit *e, const char *step, size_t length)
{
    const an_spec_node *list = list_of(e->node);
    size_t index = 0;
    for (size_t i = 0; i < length; i++)
        index = index < 100000 ? index * 10 + (size_t)(step[i] - '0') : index;
    const bool has_elements = list->kind == AN_SPEC_LIST || list->kind == AN_SPEC_CALL;
    const size_t count = has_elements ? positional_count(list) : 0;
    if (index >= count)
        return an_spec_error(e->source, e->node->offset, e->err,
                             "'%s' names element %.*s, but here are %zu, counted from 0", e->path,
                             (int)length, step, count);
    e->node = list->args[index].value;
    e->begin = e->node->offset;
    e->end = e->begin + e->node->length;
    return true;
}

/* A new argument goes before the call's closing bracket, after a comma where one is missing. */
static void add_argument(edit *e, const char *step, size_t length)
{
    const char *text = e->source->text;
    size_t close = e->node->offset + e->node->length - 1, last = close;
    while (strchr(" \t\r\n", text[last - 1]))
        last--;
    char previous = text[last - 1];
    e->begin = e->end = last;
    e->before = previous == '(' ? "" : previous == ',' ? " " : ", ";
    e->key = step;
    e->key_length = length;
    e->equals = "=";
    e->node = NULL;
}

static bool step_to_keyword(edit *e, const char *step, size_t length)
{
    if (e->node->kind != AN_SPEC_CALL)
        return an_spec_error(e->source, e->node->offset, e->err,
                             "'%s' names an argument, but no call with arguments stands here",
                             e->path);
    for (size_t i = 0; i < e->node->arg_count; i++) {
        const an_spec_arg *arg = &e->node->args[i];
        if (!arg->keyword || strlen(arg->keyword) != length ||
            memcmp(arg->keyword, step, length) != 0)
            continue;
        e->node = arg->value;
        e->begin = e->node->offset;
        e->end = e->begin + e->node->length;
        return true;
    }
    add_argument(e, step, length);
    return true;
}

static bool bad_path(const edit *e)
{
    return an_error_set(e->err, AN_ERROR_ARGUMENT,
                        "'%s' is no path to an argument; write names and element numbers with "
                        "dots, as in lr or 0.weight_decay",
                        e->path);
}

/* Follows the path to the place that it names. */
static bool follow(edit *e)
{
    const char *step = e->path;
    for (;;) {
        size_t length = strcspn(step, "."), digits = 0, letters = 0;
        for (size_t i = 0; i < length; i++) {
            digits += an__is_digit(step[i]);
            letters += an__is_letter(step[i]);
        }
        if (length == 0 || digits + letters != length)
            return bad_path(e);
        if (!e->node)
            return an_spec_error(e->source, e->begin, e->err,
                                 "'%s' leads through an argument that is not there", e->path);
        if (letters > 0 && !an__is_letter(step[0]))
            return bad_path(e);
        if (!(letters > 0 ? step_to_keyword(e, step, length) : step_to_index(e, step, length)))
            return false;
        if (step[length] == '\0')
            return true;
        step += length + 1;
    }
}

static char *append(char *out, const char *text, size_t length)
{
    memcpy(out, text, length);
    return out + length;
}

/* The text with the value in its place. */
static char *splice(const edit *e, const char *value, an_arena *arena)
{
    size_t value_length = strlen(value), before = strlen(e->before), equals = strlen(e->equals);
    const an_spec_source *source = e->source;
    char *text =
        an_arena_alloc(arena, source->length + value_length + before + e->key_length + equals + 1);
    if (!text) {
        an_error_set(e->err, AN_ERROR_MEMORY, "memory ran out while '%s' was set", e->path);
        return NULL;
    }
    char *out = append(text, source->text, e->begin);
    out = append(out, e->before, before);
    out = append(out, e->key, e->key_length);
    out = append(out, e->equals, equals);
    out = append(out, value, value_length);
    out = append(out, source->text + e->end, source->length - e->end);
    *out = '\0';
    return text;
}

/* True if `text` is one value of the grammar. */
static bool is_value(const char *text, const an_allocator *allocator, an_error *err)
{
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, allocator, err);
    an_spec_free(spec);
    return spec != NULL;
}

char *an_spec_edit(const char *call, const char *path, const char *value, an_arena *arena,
                   an_error *err)
{
    an_spec_source source = an_spec_source_text(call);
    if (!is_value(value, &arena->allocator, err)) {
        an_error_prefix(err, "the new value of '%s': ", path);
        return NULL;
    }
    an_spec *spec = an_spec_parse(&source, &arena->allocator, err);
    if (!spec)
        return NULL;
    edit e = {.source = &source,
              .path = path,
              .node = an_spec_root(spec),
              .before = "",
              .key = "",
              .equals = "",
              .err = err};
    char *text = follow(&e) ? splice(&e, value, arena) : NULL;
    an_spec_free(spec);
    return text && is_value(text, &arena->allocator, err) ? text : NULL;
}
