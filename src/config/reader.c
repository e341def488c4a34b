/*
 * YAML to a tree, through libyaml's events.
 *
 * libyaml counts characters; everything here counts bytes. A table made once per document turns the
 * one into the other.
 */
#include "config/tree.h"

#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the present one; deleted before the next is asked for */
    const an__document *document;
    an_arena *arena;
    const size_t *byte_of; /* of the n-th character, and of the end */
    size_t characters;
    int depth, flow_depth;
    an_error *err;
} reader;

void *an__no_memory(an_error *err)
{
    an_error_set(err, AN_ERROR_MEMORY, "out of memory while reading the configuration");
    return NULL;
}

bool an__blame(const an__node *node, bool ok, an_error *err)
{
    if (!ok && node->document->set)
        an_error_prefix(err, "%s: ", node->document->set);
    return ok;
}

/* ---------------------------------------------------------------- places */

static an_spec_source document_source(const an__document *document)
{
    return (an_spec_source){
        .file = document->file, .text = document->text, .length = document->length};
}

static bool fail_at(reader *r, size_t byte, const char *message)
{
    an_spec_source source = document_source(r->document);
    an__node here = {.document = r->document};
    return an__blame(&here, an_spec_error(&source, byte, r->err, "%s", message), r->err);
}

/* Bytes of the byte order mark that editors of some systems put first; the parser never sees it. */
static size_t mark_length(const an__document *document)
{
    return document->length >= 3 && memcmp(document->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static const size_t *character_offsets(const an__document *document, an_arena *arena,
                                       size_t *characters)
{
    size_t *offset = an_arena_alloc(arena, (document->length + 1) * sizeof *offset);
    if (!offset)
        return NULL;
    size_t n = 0;
    for (size_t i = mark_length(document); i < document->length; i++)
        if (((unsigned char)document->text[i] & 0xc0) != 0x80)
            offset[n++] = i;
    offset[n] = document->length;
    *characters = n;
    return offset;
}

static size_t byte_at(const reader *r, size_t character)
{
    return r->byte_of[character < r->characters ? character : r->characters];
}

/* ------------------------------------------------------------------ errors */

/* What a hint quotes of the user's own text: `length` is 0 where there is nothing to quote. */
typedef struct quotation {
    const char *text;
    size_t length;
} quotation;

#define QUOTED_MOST 100

/* A quotation as the end of a hint, in the quotes that it does not hold: `: "Linear(784, 128)"`. */
static void print_quoted(char *buffer, size_t size, quotation q)
{
    const char *mark = q.length && memchr(q.text, '"', q.length) ? "'" : "\"";
    buffer[0] = '\0';
    if (q.length > 0 && q.length <= QUOTED_MOST && !memchr(q.text, mark[0], q.length))
        an_format(buffer, size, ": %s%.*s%s", mark, (int)q.length, q.text, mark);
}

/* The call whose text begins at `byte`, up to the bracket that closes it, in one line. */
static quotation call_at(const reader *r, size_t byte)
{
    const char *text = r->document->text;
    int open = 0;
    for (size_t i = byte; i < r->document->length && text[i] != '\n'; i++) {
        open += (text[i] == '(') - (text[i] == ')');
        if (text[i] == ')' && open <= 0)
            return (quotation){text + byte, i + 1 - byte};
    }
    return (quotation){NULL, 0};
}

/* The value of the line that `byte` is in: what follows its first colon and space. */
static quotation value_around(const reader *r, size_t byte)
{
    const char *text = r->document->text;
    size_t begin = byte, end = byte;
    while (begin > 0 && text[begin - 1] != '\n')
        begin--;
    while (end < r->document->length && text[end] != '\n' && text[end] != '\r')
        end++;
    for (; begin + 1 < byte; begin++)
        if (text[begin] == ':' && text[begin + 1] == ' ')
            return (quotation){text + begin + 2, end - begin - 2};
    return (quotation){NULL, 0};
}

/* What the parser says, and what usually is the matter. */
static bool parser_error(reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "this is not YAML";
    const char *context = p->context ? p->context : "";
    char text[AN_ERROR_MESSAGE_SIZE];
    if (p->error == YAML_MEMORY_ERROR)
        return an__no_memory(r->err) != NULL;
    if (p->error == YAML_READER_ERROR) {
        an_format(text, sizeof text, "YAML: %s", problem);
        return fail_at(r, p->problem_offset < r->document->length ? p->problem_offset : 0, text);
    }
    bool flow = r->flow_depth > 0 || strstr(context, "flow");
    bool colon = strstr(problem, "mapping values") != NULL;
    size_t byte = byte_at(r, p->problem_mark.index);
    if (byte == r->document->length && p->context)
        byte = byte_at(r, p->context_mark.index); /* what is never closed, not the end of it all */
    char quoted[QUOTED_MOST + 8] = "";
    if (colon && !flow)
        print_quoted(quoted, sizeof quoted, value_around(r, byte));
    an_format(text, sizeof text, "YAML: %s%s%s%s%s", problem, context[0] ? " " : "", context,
              flow    ? "; inside [ ] or { } a call must be in quotes"
              : colon ? "; a text that holds a colon and a space must be in quotes"
                      : "",
              quoted);
    return fail_at(r, byte, text);
}

static bool next_event(reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) || parser_error(r);
}

static bool refuse(reader *r, const char *message)
{
    return fail_at(r, byte_at(r, r->event.start_mark.index), message);
}

static bool check_plain(reader *r, const void *anchor, const void *tag)
{
    if (anchor)
        return refuse(r, "anchors (&name) are not accepted; write the value out");
    if (tag)
        return refuse(r, "tags (!name) are not accepted; write the plain value");
    return true;
}

/* Flow style has cut a call at its commas when a plain scalar opens a bracket and never closes. */
static bool cut_by_flow(const reader *r, const char *text, size_t length)
{
    int open = 0;
    if (r->flow_depth == 0 || r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < length; i++)
        open += (text[i] == '(') - (text[i] == ')');
    return open > 0;
}

static bool refuse_cut(reader *r)
{
    char text[AN_ERROR_MESSAGE_SIZE], quoted[QUOTED_MOST + 8];
    print_quoted(quoted, sizeof quoted, call_at(r, byte_at(r, r->event.start_mark.index)));
    an_format(text, sizeof text,
              "this call is cut at its commas, because it stands inside [ ] or { }; put it in "
              "quotes%s",
              quoted);
    return refuse(r, text);
}

/* ------------------------------------------------------------------- nodes */

static an__node *node_new(reader *r, an__node_kind kind)
{
    an__node *node = an_arena_alloc(r->arena, sizeof *node);
    if (!node)
        return an__no_memory(r->err);
    *node = (an__node){.kind = kind,
                       .document = r->document,
                       .begin = byte_at(r, r->event.start_mark.index),
                       .end = byte_at(r, r->event.end_mark.index)};
    return node;
}

static an__node *read_scalar(reader *r)
{
    const char *value = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length;
    if (!check_plain(r, r->event.data.scalar.anchor, r->event.data.scalar.tag))
        return NULL;
    if (memchr(value, 0, length)) {
        refuse(r, "a text cannot hold a zero byte; leave the \\0 out");
        return NULL;
    }
    if (cut_by_flow(r, value, length)) {
        refuse_cut(r);
        return NULL;
    }
    an__node *node = node_new(r, AN__SCALAR);
    if (!node)
        return NULL;
    char *text = an_arena_text(r->arena, value, length);
    const size_t *map =
        text ? an__tree_map(r->document, node->begin, node->end, text, length, r->arena) : NULL;
    if (!map)
        return an__no_memory(r->err);
    node->source = (an_spec_source){.file = r->document->file,
                                    .text = text,
                                    .length = length,
                                    .origin = r->document->text,
                                    .origin_length = r->document->length,
                                    .map = map};
    return node;
}

static an__node *read_node(reader *r);

static bool is_flow(const reader *r)
{
    if (r->event.type == YAML_SEQUENCE_START_EVENT)
        return r->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    return r->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
}

static bool read_key(reader *r, an__node *map, an__node **key)
{
    if (r->event.type != YAML_SCALAR_EVENT)
        return refuse(r, "a key must be a plain word");
    *key = read_scalar(r);
    if (!*key)
        return false;
    if (map->count >= AN__MAP_KEYS)
        return refuse(r, "a map here has at most 1000 keys");
    if (an__tree_child(map, (*key)->source.text, (*key)->source.length))
        return refuse(r, "this key is there twice; keep one of the two");
    return next_event(r);
}

/* Children up to the end event, which stays the present one. */
static bool read_children(reader *r, an__node *parent, yaml_event_type_t end)
{
    an__node **tail = &parent->first;
    while (next_event(r) && r->event.type != end) {
        an__node *key = NULL;
        if (parent->kind == AN__MAP && !read_key(r, parent, &key))
            return false;
        an__node *child = read_node(r);
        if (!child)
            return false;
        child->key = key;
        *tail = child;
        tail = &child->next;
        parent->count++;
    }
    return r->event.type == end;
}

static an__node *read_parent(reader *r, an__node_kind kind, yaml_event_type_t end)
{
    bool flow = is_flow(r);
    an__node *node = node_new(r, kind);
    if (!node)
        return NULL;
    if (r->depth == AN__TREE_DEPTH) {
        refuse(r, "this is nested too deeply (at most 32 levels)");
        return NULL;
    }
    r->depth++;
    r->flow_depth += flow;
    bool ok = read_children(r, node, end);
    node->end = byte_at(r, r->event.end_mark.index);
    r->flow_depth -= flow;
    r->depth--;
    return ok ? node : NULL;
}

/* The node that the present event begins. */
static an__node *read_node(reader *r)
{
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r);
    case YAML_SEQUENCE_START_EVENT:
        if (!check_plain(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag))
            return NULL;
        return read_parent(r, AN__LIST, YAML_SEQUENCE_END_EVENT);
    case YAML_MAPPING_START_EVENT:
        if (!check_plain(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag))
            return NULL;
        return read_parent(r, AN__MAP, YAML_MAPPING_END_EVENT);
    case YAML_ALIAS_EVENT:
        refuse(r, "aliases (*name) are not accepted; write the value out");
        return NULL;
    default:
        refuse(r, "a value is missing here");
        return NULL;
    }
}

/* There is no place to point at. */
static an__node *empty(reader *r)
{
    const char *file = r->document->file;
    an_error_set(
        r->err, AN_ERROR_CONFIG,
        "%s%sthe configuration is empty; write the keys data, model, optimizer and epochs, "
        "each as a line 'key: value'",
        file ? file : "", file ? ": " : "");
    return NULL;
}

/* Stream start, document start, one node, document end, stream end. */
static an__node *read_document(reader *r)
{
    do {
        if (!next_event(r))
            return NULL;
    } while (r->event.type == YAML_STREAM_START_EVENT);
    if (r->event.type != YAML_DOCUMENT_START_EVENT)
        return empty(r);
    if (!next_event(r))
        return NULL;
    an__node *root = read_node(r);
    if (!root || !next_event(r) || !next_event(r))
        return NULL;
    if (root->kind == AN__SCALAR && root->source.length == 0)
        return empty(r);
    if (r->event.type != YAML_STREAM_END_EVENT) {
        refuse(r, "a second document begins here; a configuration is one document");
        return NULL;
    }
    return root;
}

an__node *an__tree_parse(const an__document *document, an_arena *arena, an_error *err)
{
    reader r = {.document = document, .arena = arena, .err = err};
    r.byte_of = character_offsets(document, arena, &r.characters);
    if (!r.byte_of || !yaml_parser_initialize(&r.parser))
        return an__no_memory(err);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    size_t mark = mark_length(document);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)document->text + mark,
                                 document->length - mark);
    an__node *root = read_document(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return root;
}
