/* The keys that say how often samples come in an epoch, and what happens to images before. */
#include "config/keys.h"

#include <string.h>

/* ----------------------------------------------------------------- sampling */

static bool read_weights(an_config *config, const an__node *node, an_error *err)
{
    static const char *const words[] = {"balanced", "weighted"};
    size_t index = 0;
    if (!an__read_word(node, words, sizeof words / sizeof *words, &index, err))
        return false;
    config->samples.sampling = index == 0 ? AN__BALANCED : AN__WEIGHTED;
    return index == 0 || config->data.at[AN__WEIGHT].text ||
           AN__FAIL(node, err, "sampling: weighted needs the key 'weight' of data");
}

static bool read_samples(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 1, AN_MOST_DRAWN, &config->samples.count, err);
}

/* balanced or weighted; or a map that says how many samples an epoch has, too. */
bool an__read_sampling(an_config *config, const an__node *node, an_error *err)
{
    static const an__key keys[] = {{"weights", read_weights, true},
                                   {"samples", read_samples, false}};
    config->samples.sampling_node = node;
    if (node->kind != AN__MAP)
        return read_weights(config, node, err);
    return an__read_map(config, node, "sampling", keys, sizeof keys / sizeof *keys, err);
}

/* ------------------------------------------------------------------ augment */

/* What the calls are: their parameters, and who reads their values. */
typedef struct augment_call {
    const char *name;
    an_spec_param params[2];
    size_t count;
    bool (*read)(an_config *config, const an__node *node, const an_spec_node **values,
                 an_error *err);
} augment_call;

static bool fail_at(const an__node *node, const an_spec_node *value, an_error *err,
                    const char *message)
{
    return an__blame(node, an_spec_error(&node->source, value->offset, err, "%s", message), err);
}

/* The pixels that images move by; one call says so. */
static bool take_shift(an_config *config, const an__node *node, const char *name,
                       const an_spec_node *value, an_error *err)
{
    int64_t shift = 0;
    if (config->samples.shift_node)
        return AN__FAIL(node, err, "RandomCrop and RandomShift both move images; keep one of them");
    if (!an_spec_integer(&node->source, name, value, &shift, err))
        return an__blame(node, false, err);
    if (shift < 0 || shift >= INT32_MAX)
        return fail_at(node, value, err,
                       "images move by 0 pixels or more, and by less than they are high "
                       "and wide");
    config->samples.augment.shift = shift;
    config->samples.shift_node = node;
    return true;
}

/* A number, or height and width. */
static bool read_crop(an_config *config, const an__node *node, const an_spec_node **values,
                      an_error *err)
{
    int64_t *size = config->samples.crop;
    const an_spec_node *of = values[0];
    const bool pair = of->kind == AN_SPEC_LIST && of->arg_count == 2;
    config->samples.crop_node = node;
    for (size_t i = 0; i < 2; i++)
        if (!an_spec_integer(&node->source, "size", pair ? of->args[i].value : of, &size[i], err))
            return an__blame(node, false, err);
    return take_shift(config, node, "padding", values[1], err);
}

static bool read_flip(an_config *config, const an__node *node, const an_spec_node **values,
                      an_error *err)
{
    double *flip = &config->samples.augment.flip;
    if (*flip > 0)
        return AN__FAIL(node, err, "RandomHorizontalFlip is there twice; keep one of them");
    *flip = 0.5;
    if (!an_spec_number(&node->source, "p", values[0], flip, err))
        return an__blame(node, false, err);
    return (*flip >= 0 && *flip <= 1) ||
           fail_at(node, values[0], err, "p must be a probability, from 0 to 1");
}

static bool read_shift(an_config *config, const an__node *node, const an_spec_node **values,
                       an_error *err)
{
    return take_shift(config, node, "pixels", values[0], err);
}

static const augment_call calls[] = {
    {"RandomCrop", {{"size", true}, {"padding", false}}, 2, read_crop},
    {"RandomHorizontalFlip", {{"p", false}}, 1, read_flip},
    {"RandomShift", {{"pixels", true}}, 1, read_shift}};

#define CALL_COUNT (sizeof calls / sizeof *calls)

static bool unknown_call(const an__node *node, const an_spec_node *call, an_error *err)
{
    const char *names[CALL_COUNT + 1] = {NULL};
    for (size_t i = 0; i < CALL_COUNT; i++)
        names[i] = calls[i].name;
    return an__blame(node, an_spec_unknown(&node->source, call, "augmentation", names, err), err);
}

static bool read_one(an_config *config, const an__node *node, an_error *err)
{
    const an_spec_node *values[2] = {NULL};
    an__call call = {0};
    size_t which = 0;
    if (!an__read_call(config, node, &call, err))
        return false;
    while (which < CALL_COUNT && strcmp(calls[which].name, call.call->text) != 0)
        which++;
    if (which == CALL_COUNT)
        return unknown_call(node, call.call, err);
    if (!an_spec_bind(&node->source, call.call, calls[which].params, calls[which].count, values,
                      err))
        return an__blame(node, false, err);
    return calls[which].read(config, node, values, err);
}

/* One call, or a list of them. */
bool an__read_augment(an_config *config, const an__node *node, an_error *err)
{
    config->samples.augment_node = node;
    if (node->kind != AN__LIST)
        return read_one(config, node, err);
    for (const an__node *child = node->first; child; child = child->next)
        if (!read_one(config, child, err))
            return false;
    return node->count > 0 ||
           AN__FAIL(node, err,
                    "augment takes a list of calls, such as '- RandomCrop(32, padding=4)'");
}
