/*
 * Fuzzing the call grammar: any bytes are parsed, bound to a signature and edited; never may this
 * crash, leak or read outside of the text. An edit that succeeds gives text that parses.
 *
 * Input: a call, and after the first line end that "=" follows, PATH=VALUE of an edit:
 *
 *     SGD(lr=0.1)
 *     =lr=0.05
 */
#include <anneal/spec.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bind_and_read(const an_spec *spec)
{
    static const an_spec_param params[] = {
        {"lr", true}, {"momentum", false}, {"T_max", false}, {"nesterov", false}};
    const an_spec_source *source = an_spec_where(spec);
    const an_spec_node *values[4], *root = an_spec_root(spec);
    an_error err = {0};
    double number = 0.0;
    int64_t integer = 0;
    bool truth = false;
    an_spec_number(source, "root", root, &number, &err);
    if (!an_spec_bind(source, root, params, 4, values, &err))
        return;
    for (size_t i = 0; i < 4; i++) {
        an_spec_number(source, params[i].name, values[i], &number, &err);
        an_spec_integer(source, params[i].name, values[i], &integer, &err);
        an_spec_bool(source, params[i].name, values[i], &truth, &err);
    }
}

/* Every node lies inside of its source. */
static void check_places(const an_spec_source *source, const an_spec_node *node)
{
    if (node->offset > source->length || node->length > source->length - node->offset)
        abort();
    for (size_t i = 0; i < node->arg_count; i++)
        check_places(source, node->args[i].value);
}

static void parse(const char *text, size_t length)
{
    an_error err = {0};
    an_spec_source source = {.text = text, .length = length};
    an_spec *spec = an_spec_parse(&source, NULL, &err);
    if (spec) {
        check_places(&source, an_spec_root(spec));
        bind_and_read(spec);
    } else if (err.code != AN_ERROR_CONFIG || err.message[0] == '\0' || err.excerpt[0] == '\0') {
        abort();
    }
    an_spec_free(spec);
}

/* The same text as if it stood backwards in a file: a map that jumps. */
static void parse_mapped(const char *text, size_t length)
{
    size_t *map = malloc((length + 1) * sizeof *map);
    if (!map)
        return;
    for (size_t i = 0; i < length; i++)
        map[i] = length - 1 - i;
    an_error err = {0};
    an_spec_source source = {"file", text, length, text, length, map};
    an_spec_free(an_spec_parse(&source, NULL, &err));
    free(map);
}

static void edit(const char *call, const char *path, const char *value)
{
    an_arena arena;
    an_arena_init(&arena, an_allocator_default());
    an_error err = {0};
    char *text = an_spec_edit(call, path, value, &arena, &err);
    if (text) {
        an_spec_source source = an_spec_source_text(text);
        an_spec *spec = an_spec_parse(&source, NULL, &err);
        if (!spec)
            abort();
        an_spec_free(spec);
    }
    an_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    parse(text, size);
    parse_mapped(text, size);
    text[size] = '\0';
    char *path = strstr(text, "\n=");
    if (path) {
        *path = '\0';
        path += 2;
        char *value = strchr(path, '=');
        if (value) {
            *value = '\0';
            edit(text, path, value + 1);
        }
    }
    free(text);
    return 0;
}
