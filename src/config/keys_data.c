/* The keys of `data`: what a format takes, and what it must be given. */
#include "config/keys.h"

#include <string.h>

static const char *const format_names[] = {
    [AN__DATA_IDX] = "idx", [AN__DATA_CIFAR] = "cifar", [AN__DATA_TEXT] = "text",
    [AN__DATA_CSV] = "csv", [AN__DATA_NPY] = "npy",     [AN__DATA_NPZ] = "npz"};

#define FORMAT_COUNT (sizeof format_names / sizeof *format_names)

bool an__in_folder(an__data_format format)
{
    return format == AN__DATA_IDX || format == AN__DATA_CIFAR;
}

bool an__has_test(const an_config *config)
{
    return an__in_folder(config->data.format) || config->data.at[AN__TEST_X].text;
}

static const char *const place_names[AN__SPOTS] = {
    [AN__PATH] = "path",     [AN__X] = "x",           [AN__Y] = "y",
    [AN__WEIGHT] = "weight", [AN__TEST_X] = "test_x", [AN__TEST_Y] = "test_y"};

const char *an__spot_name(an__spot place)
{
    return place_names[place];
}

an__spot an__spot_of(const char *name)
{
    int place = 0;
    while (place < AN__SPOTS && strcmp(name, place_names[place]) != 0)
        place++;
    return (an__spot)place;
}

bool an__is_path(an__data_format format, an__spot place)
{
    return (place == AN__PATH) == (format != AN__DATA_NPY);
}

static bool read_format(an_config *config, const an__node *node, an_error *err)
{
    size_t index = 0;
    if (!an__read_word(node, format_names, FORMAT_COUNT, &index, err))
        return false;
    config->data.format = (an__data_format)index;
    return true;
}

static bool read_place(an_config *config, const an__node *node, an_error *err)
{
    const an__data_format format = config->data.format;
    const an__spot place = an__spot_of(an__name_of(node));
    if (node->kind != AN__SCALAR || node->source.length == 0)
        return AN__FAIL(node, err, "%s takes the name of %s", an__name_of(node),
                        format == AN__DATA_CSV && place == AN__WEIGHT ? "a column"
                        : !an__is_path(format, place)                 ? "an array in the archive"
                        : an__in_folder(format)                       ? "a folder"
                                                                      : "a file");
    config->data.at[place].text = node->source.text;
    config->data.at[place].node = node;
    return true;
}

static bool read_channels(an_config *config, const an__node *node, an_error *err)
{
    static const char *const words[] = {"first", "last"};
    size_t index = 0;
    if (!an__read_word(node, words, sizeof words / sizeof *words, &index, err))
        return false;
    config->data.channels_last = index == 1;
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
    config->data.scaling_node = node;
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
    config->data.scaling_node = node;
    return an__read_flag(node, &config->data.standardize, err);
}

/* --------------------------------------------------------------------- data */

static const an__key data_keys[] = {
    {"format", read_format, false},     {"path", read_place, false},
    {"x", read_place, false},           {"y", read_place, false},
    {"test_x", read_place, false},      {"test_y", read_place, false},
    {"channels", read_channels, false}, {"normalize", read_normalize, false},
    {"unit", read_unit, false},         {"context", read_context, false},
    {"target", read_target, false},     {"ignore", read_ignore, false},
    {"weight", read_place, false},      {"separator", read_separator, false},
    {"missing", read_missing, false},   {"standardize", read_standardize, false}};

#define OF(format) (1U << AN__DATA_##format)
#define ARRAYS (OF(NPY) | OF(NPZ))

/* The formats that a key is for. */
static const struct {
    const char *name;
    unsigned formats;
    bool required;
} own_keys[] = {{"x", ARRAYS, true},
                {"y", ARRAYS, true},
                {"path", ~OF(NPY), true},
                {"test_x", ARRAYS, false},
                {"test_y", ARRAYS, false},
                {"channels", ARRAYS, false},
                {"normalize", OF(IDX) | OF(CIFAR) | ARRAYS, false},
                {"unit", OF(TEXT), false},
                {"context", OF(TEXT), true},
                {"target", OF(CSV), true},
                {"ignore", OF(CSV), false},
                {"weight", OF(CSV) | ARRAYS, false},
                {"separator", OF(CSV), false},
                {"missing", OF(CSV) | ARRAYS, false},
                {"standardize", OF(CSV) | ARRAYS, false}};

/* The first of the formats of a set that is not empty. */
static const char *first_of(unsigned formats)
{
    size_t format = 0;
    while (!(formats >> format & 1))
        format++;
    return format_names[format];
}

/* Every key belongs to the format, and none that it needs is missing. */
static bool check_format(const an_config *config, const an__node *map, an_error *err)
{
    const an__data *data = &config->data;
    const char *format = format_names[data->format];
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        const an__node *child = an__child_of(map, own_keys[i].name);
        const bool own = own_keys[i].formats >> data->format & 1;
        if (child && !own)
            return AN__FAIL(child->key, err, "data of format %s has no key '%s'; %s has", format,
                            own_keys[i].name, first_of(own_keys[i].formats));
        if (!child && own && own_keys[i].required)
            return AN__FAIL(map, err, "data of format %s needs the key '%s'", format,
                            own_keys[i].name);
    }
    const an__spot there = data->at[AN__TEST_X].text ? AN__TEST_X : AN__TEST_Y;
    if (!data->at[AN__TEST_X].text != !data->at[AN__TEST_Y].text)
        return AN__FAIL(data->at[there].node->key, err,
                        "test_x and test_y belong together; add %s, or leave both out to have "
                        "the test set cut off",
                        there == AN__TEST_X ? "test_y" : "test_x");
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
    if (config->data.at[AN__TEST_X].text)
        return AN__FAIL(node->key, err, "test: test_x names a test set; leave out one of the two");
    if (an__has_test(config))
        return AN__FAIL(node->key, err,
                        "test: data of format %s have a test set of their own; leave the key out",
                        format_names[config->data.format]);
    if (!read_part(config, node, "data", &config->data.test, err))
        return false;
    return config->data.test > 0 || AN__FAIL(node, err, "test must be above 0, got 0");
}

/* Read after `test` and `validation`, which say whether anything is cut. */
bool an__read_stratify(an_config *config, const an__node *node, an_error *err)
{
    const an__data *data = &config->data;
    config->data.stratify_node = node;
    if (!an__read_flag(node, &config->data.stratify, err))
        return false;
    return !data->stratify || data->validation > 0 || !an__has_test(config) ||
           AN__FAIL(node->key, err,
                    "stratify: nothing is cut off these data; add the key 'validation', such as "
                    "validation: 0.1");
}
