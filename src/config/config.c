/* A configuration from a file or a text: read it, apply the settings, read the keys. */
#include "config/file.h"

#include <string.h>

/* "examples/mnist-mlp.yaml" lies in "examples/", "mnist-mlp.yaml" in "". */
static const char *folder_of(const char *name, an_arena *arena)
{
    const char *slash = strrchr(name, '/');
    return an_arena_text(arena, name, slash ? (size_t)(slash - name) + 1 : 0);
}

/* Copies of all texts: the caller's need not outlive the configuration. */
static bool keep(an_config *config, const char *name, const char *text, size_t length)
{
    config->document = (an__document){
        .file = an_arena_text(&config->arena, name, strlen(name)),
        .text = an_arena_text(&config->arena, text, length),
        .length = length,
    };
    config->folder = folder_of(name, &config->arena);
    return config->document.file && config->document.text && config->folder;
}

static bool build(an_config *config, const char *const *sets, size_t set_count, an_error *err)
{
    config->root = an__tree_parse(&config->document, &config->arena, err);
    if (!config->root)
        return false;
    if (config->root->kind != AN__MAP)
        return AN__FAIL(config->root, err,
                        "a configuration is a map: lines of 'key: value', such as 'epochs: 10'");
    for (size_t i = 0; i < set_count; i++) {
        char *set = an_arena_text(&config->arena, sets[i], strlen(sets[i]));
        if (!set)
            return an__no_memory(err);
        if (!an__tree_set(config->root, set, &config->arena, err))
            return false;
    }
    return an__config_read(config, err);
}

an_config *an_config_parse(const char *name, const char *text, size_t length,
                           const char *const *sets, size_t set_count, an_error *err)
{
    an_allocator allocator = an_allocator_default();
    an_config *config = an_alloc(&allocator, 1, sizeof *config, err);
    if (!config)
        return NULL;
    an_arena_init(&config->arena, allocator);
    bool ok = keep(config, name, text, length) || an__no_memory(err);
    if (!ok || !build(config, sets, set_count, err)) {
        an_config_free(config);
        return NULL;
    }
    return config;
}

void an_config_free(an_config *config)
{
    if (!config)
        return;
    for (an__held *held = config->held; held; held = held->next)
        an_spec_free(held->spec);
    an_arena_free(&config->arena);
    an_allocator allocator = an_allocator_default();
    an_release(&allocator, config, 1, sizeof *config);
}

an_config *an_config_load(const char *path, const char *const *sets, size_t set_count,
                          an_error *err)
{
    an_arena arena;
    size_t length = 0;
    an_arena_init(&arena, an_allocator_default());
    char *text = an__read_text(path, "configuration", &length, &arena, err);
    an_config *config = text ? an_config_parse(path, text, length, sets, set_count, err) : NULL;
    an_arena_free(&arena);
    return config;
}

void an_config_set_seed(an_config *config, uint64_t seed)
{
    config->seed = (int64_t)(seed & INT64_MAX);
}

void an_config_set_threads(an_config *config, int threads)
{
    config->threads = threads;
}

uint64_t an_config_seed(const an_config *config)
{
    return (uint64_t)config->seed;
}
