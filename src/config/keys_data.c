/* The keys of `data`: what a format takes, and what it must be given. */
#include "config/keys.h"

#include <string.h>

static const char *const format_names[] = {[AN__DATA_IDX] = "idx",
                                           [AN__DATA_CIFAR] = "cifar",
                                           [AN__DATA_TEXT] = "text",
                                           [AN__DATA_CSV] = "csv"};

#define FORMAT_COUNT (sizeof format_names / sizeof *format_names)

bool an__in_folder(an__data_format format)
{
    return format == AN__DATA_IDX || format == AN__DATA_CIFAR;
}

static bool read_format(an_config *config, const an__node *node, an_error *err)
{
    size_t index = 0;
    if (!an__read_word(node, format_names, FORMAT_COUNT, &index, err))
        return false;
    config->data.format = (an__data_format)index;
    return true;
}

static bool read_path(an_config *config, const an__node *node, an_error *err)
{
    if (node->kind != AN__SCALAR || node->source.length == 0)
        return AN__FAIL(node, err, "path takes the name of a %s",
                        an__in_folder(config->data.format) ? "folder" : "file");
    config->data.path = node->source.text;
    config->data.path_node = node;
    return true;
}

static bool read_normalize(an_config *config, const an__node *node, an_error *err)
{
    if (node->kind != AN__LIST || node->count != 2)
        return AN__FAIL(node, err,
                        "normalize takes a mean and a deviation, such as [0.1307, 0.3081]");
    const an__node *mean = node->first, *deviation = mean->next;
    if (!an__read_number(config, mean, &config->data.mean, err) ||
        !an__read_number(config, deviation, &config->data.deviation, err))
        return false;
    return config->data.deviation > 0 ||
           AN__FAIL(deviation, err, "normalize: the deviation must be above 0, got %g",
                    config->data.deviation);
}

static bool read_unit(an_config *config, const an__node *node, an_error *err)
{
    static const char *const words[] = {
        [AN_TEXT_CHARACTERS] = "characters", [AN_TEXT_BYTES] = "bytes"};
    size_t index = 0;
    if (!an__read_word(node, words, sizeof words / sizeof *words, &index, err))
        return false;
    config->data.unit = (an_text_unit)index;
    return true;
}

static bool read_context(an_config *config, const an__node *node, an_error *err)
{
    config->data.context_node = node;
    return an__read_integer(config, node, 1, INT32_MAX, &config->data.context, err);
}

/* ------------------------------------------------------------------ tables */

/* One name, or a list of them. */
static bool read_names(an_config *config, const an__node *node, const char *const **out,
                       size_t *count, an_error *err)
{
    const bool list = node->kind == AN__LIST && node->count > 0;
    const char **names = an_arena_alloc(&config->arena, (node->count + 1) * sizeof *names);
    if (!names)
        return an__no_memory(err);
    *count = 0;
    for (const an__node *at = list ? node->first : node; at; at = list ? at->next : NULL) {
        if (at->kind != AN__SCALAR || at->source.length == 0)
            return AN__FAIL(at, err, "%s takes the name of a column, or a list of names",
                            an__name_of(node));
        names[(*count)++] = at->source.text;
    }
    *out = names;
    return true;
}

static bool read_target(an_config *config, const an__node *node, an_error *err)
{
    an_csv_options *table = &config->data.table;
    config->data.target_node = node;
    return read_names(config, node, &table->targets, &table->target_count, err);
}

static bool read_ignore(an_config *config, const an__node *node, an_error *err)
{
    an_csv_options *table = &config->data.table;
    return read_names(config, node, &table->ignored, &table->ignored_count, err);
}

static bool read_separator(an_config *config, const an__node *node, an_error *err)
{
    if (node->kind != AN__SCALAR || node->source.length != 1 || node->source.text[0] == '"' ||
        node->source.text[0] == '\n' || node->source.text[0] == '\r' || node->source.text[0] == 0)
        return AN__FAIL(node, err, "separator takes one character, such as ';' or \"\\t\"");
    config->data.table.separator = node->source.text[0];
    return true;
}

/* refuse, mean, or a number that stands for what is missing. */
static bool read_missing(an_config *config, const an__node *node, an_error *err)
{
    static const char *const words[] = {[AN__REFUSE] = "refuse", [AN__FILL_MEAN] = "mean"};
    const char *text = node->kind == AN__SCALAR ? node->source.text : "";
    size_t index = 0;
    if (*text && strchr("0123456789+-.", *text)) {
        config->data.missing = AN__FILL_VALUE;
        return an__read_number(config, node, &config->data.fill, err);
    }
    if (!an__read_word(node, words, sizeof words / sizeof *words, &index, err))
        return false;
    config->data.missing = (an__missing)index;
    return true;
}

static bool read_standardize(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->data.standardize, err);
}

/* --------------------------------------------------------------------- data */

static const an__key data_keys[] = {
    {"format", read_format, false},       {"path", read_path, true},
    {"normalize", read_normalize, false}, {"unit", read_unit, false},
    {"context", read_context, false},     {"target", read_target, false},
    {"ignore", read_ignore, false},       {"separator", read_separator, false},
    {"missing", read_missing, false},     {"standardize", read_standardize, false}};

/* The keys that are not for every format; those of idx are for all images. */
static const struct {
    const char *name;
    an__data_format format;
    bool required;
} own_keys[] = {{"normalize", AN__DATA_IDX, false}, {"unit", AN__DATA_TEXT, false},
                {"context", AN__DATA_TEXT, true},   {"target", AN__DATA_CSV, true},
                {"ignore", AN__DATA_CSV, false},    {"separator", AN__DATA_CSV, false},
                {"missing", AN__DATA_CSV, false},   {"standardize", AN__DATA_CSV, false}};

/* Every key belongs to the format, and none that it needs is missing. */
static bool check_format(const an_config *config, const an__node *map, an_error *err)
{
    const an__data_format format = config->data.format;
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        const an__node *child = an__child_of(map, own_keys[i].name);
        const bool images = own_keys[i].format == AN__DATA_IDX && an__in_folder(format);
        if (child && own_keys[i].format != format && !images)
            return AN__FAIL(child->key, err, "data of format %s has no key '%s'; %s has",
                            format_names[format], own_keys[i].name,
                            format_names[own_keys[i].format]);
        if (!child && own_keys[i].required && own_keys[i].format == format)
            return AN__FAIL(map, err, "data of format %s needs the key '%s'", format_names[format],
                            own_keys[i].name);
    }
    return true;
}

bool an__read_data(an_config *config, const an__node *node, an_error *err)
{
    if (node->kind != AN__MAP)
        return AN__FAIL(node, err, "data takes a map, such as {format: idx, path: data/mnist}");
    config->data.deviation = 1;
    config->data.table = an_csv_defaults();
    return an__read_map(config, node, "data", data_keys, sizeof data_keys / sizeof *data_keys,
                        err) &&
           check_format(config, node, err);
}

/* A part of the data: a fraction below 1, or a count of samples. */
static bool read_part(an_config *config, const an__node *node, const char *of, double *value,
                      an_error *err)
{
    if (!an__read_number(config, node, value, err))
        return false;
    if (*value < 0 || *value > 1e15 || (*value >= 1 && *value != (double)(int64_t)*value))
        return AN__FAIL(node, err, "%s must be a fraction of the %s below 1, or a count, got %g",
                        an__name_of(node), of, *value);
    return true;
}

bool an__read_validation(an_config *config, const an__node *node, an_error *err)
{
    config->data.validation_node = node;
    return read_part(config, node, "training set", &config->data.validation, err);
}

/* Read after `data`, whose format says whether a test set has to be cut off at all. */
bool an__read_test(an_config *config, const an__node *node, an_error *err)
{
    config->data.test_node = node;
    if (an__in_folder(config->data.format))
        return AN__FAIL(node->key, err,
                        "test: data of format %s have a test set of their own; leave the key out",
                        format_names[config->data.format]);
    if (!read_part(config, node, "data", &config->data.test, err))
        return false;
    return config->data.test > 0 || AN__FAIL(node, err, "test must be above 0, got 0");
}
