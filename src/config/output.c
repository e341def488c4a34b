#include "config/output.h"

#include "config/data.h"
#include "config/keys.h"

#include <string.h>

/* The node of the layer that an error of an_model_build speaks of, from 0 ("layer 3, ...", "layer
 * 3.1, ..."), or the model's. */
const an__node *an__layer_blamed(const an_config *config, const an_error *err)
{
    const an__call *layers = config->layers;
    size_t count = config->layer_count;
    const an__node *node = config->model_node;
    if (!err || strncmp(err->message, "layer ", 6) != 0)
        return node;
    for (const char *at = err->message + 6; *at >= '0' && *at <= '9'; at++) {
        size_t number = 0;
        for (; *at >= '0' && *at <= '9'; at++)
            number = number * 10 + (size_t)(*at - '0');
        if (number >= count)
            break;
        node = layers[number].node;
        count = layers[number].layer_count;
        layers = layers[number].layers;
        if (*at != '.')
            break;
    }
    return node;
}

static const an__node *last_layer(const an_config *config)
{
    return config->layers[config->layer_count - 1].node;
}

/* What the loss compares: scores with class labels, or numbers with numbers. */
static bool check_loss(const an_config *config, const an_run *run, an_error *err)
{
    const bool tokens = an_dataset_kind(run->train_data) == AN_DATA_TOKENS;
    return !tokens || an__wants_labels(config->loss) ||
           AN__FAIL(an__child_of(config->root, "loss"), err,
                    "%s does not fit a text, whose tokens are classes; use CrossEntropyLoss()",
                    an_loss_name(config->loss));
}

/* A row of scores for each token of the context. */
static bool check_tokens(const an_config *config, const an_run *run, an_error *err)
{
    an_shape out = an_model_output_shape(run->model);
    int64_t context = an_dataset_shape(run->train_data).dim[0];
    int classes = an_dataset_classes(run->train_data);
    char text[64];
    an_shape_print(text, sizeof text, out);
    if (out.ndim != 2 || out.dim[0] != context)
        return AN__FAIL(last_layer(config), err,
                        "the model's output for a sample has shape %s, but a text takes (%lld, "
                        "%d): a row of scores for each token; end with Linear(..., %d)",
                        text, (long long)context, classes, classes);
    if (out.dim[1] >= classes)
        return true;
    return AN__FAIL(last_layer(config), err,
                    "the text has %d different tokens, but the model has %lld outputs for each; "
                    "its last layer must give at least %d",
                    classes, (long long)out.dim[1], classes);
}

/* As many numbers as are to be predicted. */
static bool check_numbers(const an_config *config, const an_run *run, an_error *err)
{
    an_shape out = an_model_output_shape(run->model);
    int64_t numbers = an_dataset_targets(run->train_data);
    char text[64];
    an_shape_print(text, sizeof text, out);
    return (out.ndim == 1 && out.dim[0] == numbers) ||
           AN__FAIL(last_layer(config), err,
                    "the model's output for a sample has shape %s, but %lld number%s to be "
                    "predicted; end with Linear(..., %lld)",
                    text, (long long)numbers, numbers == 1 ? " is" : "s are", (long long)numbers);
}

/* The model's output must be a row with a place for each class. */
static bool check_classes(const an_config *config, const an_run *run, an_error *err)
{
    an_shape out = an_model_output_shape(run->model);
    int32_t classes = an_dataset_classes(run->train_data);
    char text[64];
    an_shape_print(text, sizeof text, out);
    if (out.ndim != 1)
        return AN__FAIL(last_layer(config), err,
                        "the model's output for a sample has shape %s, but %s takes a row of "
                        "scores, one a class; end with Flatten() or Linear(..., %d)",
                        text, an_loss_name(config->loss), (int)classes);
    if (out.dim[0] < classes)
        return AN__FAIL(last_layer(config), err,
                        "the data has %d classes, but the model has %lld outputs; its last layer "
                        "must give at least %d",
                        (int)classes, (long long)out.dim[0], (int)classes);
    return true;
}

bool an__check_output(const an_config *config, const an_run *run, an_error *err)
{
    const an_dataset *data = run->train_data;
    if (!check_loss(config, run, err))
        return false;
    if (an_dataset_kind(data) == AN_DATA_TOKENS)
        return check_tokens(config, run, err);
    return an_dataset_targets(data) > 0 ? check_numbers(config, run, err)
                                        : check_classes(config, run, err);
}
