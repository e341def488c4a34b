#include "config/monitor.h"

#include "config/data.h"
#include "config/keys.h"
#include "config/metrics.h"

/* -------------------------------------------------------------------- names */

typedef struct word {
    const char *name;
    an_monitor monitor;
    bool valid, accuracy;
} word;

/* Logs have the training's numbers under names of their own, which mean the same. */
static const word words[] = {
    {"auto", AN_MONITOR_AUTO, false, false},
    {"train_loss", AN_MONITOR_TRAIN_LOSS, false, false},
    {"loss", AN_MONITOR_TRAIN_LOSS, false, false},
    {"train_accuracy", AN_MONITOR_TRAIN_ACCURACY, false, true},
    {"accuracy", AN_MONITOR_TRAIN_ACCURACY, false, true},
    {"valid_loss", AN_MONITOR_VALID_LOSS, true, false},
    {"valid_accuracy", AN_MONITOR_VALID_ACCURACY, true, true},
};

#define WORD_COUNT (sizeof words / sizeof *words)

static const word *word_of(an_monitor monitor)
{
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].monitor == monitor)
            return &words[i];
    return NULL;
}

/* What can be watched in this run: without validation nothing of it, of numbers no accuracy. */
static size_t list_names(const an_config *config, const char **names)
{
    const bool valid = an__child_of(config->root, "validation") != NULL;
    const bool accuracy = !an__predicts_numbers(config);
    size_t count = 0;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if ((valid || !words[i].valid) && (accuracy || !words[i].accuracy))
            names[count++] = words[i].name;
    for (size_t i = 0; valid && i < config->metric_count; i++)
        names[count++] = config->metrics[i].name;
    return count;
}

bool an__read_monitor(const an_config *config, const an__node *node, an__watched *out,
                      an_error *err)
{
    const char *names[WORD_COUNT + AN_RECORD_METRICS];
    size_t index;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (an__tree_is(node, words[i].name)) {
            *out = (an__watched){words[i].monitor, NULL};
            return true;
        }
    for (size_t i = 0; i < config->metric_count; i++)
        if (an__tree_is(node, config->metrics[i].name)) {
            const bool falls = an__metric_falls(&config->metrics[i]);
            *out = (an__watched){falls ? AN_MONITOR_METRIC_MIN : AN_MONITOR_METRIC_MAX,
                                 config->metrics[i].name};
            return true;
        }
    return an__read_word(node, names, list_names(config, names), &index, err);
}

/* ------------------------------------------------------------------ checking */

/* Metrics are of the validation. */
static bool of_validation(const an__watched *watched)
{
    return watched->metric || word_of(watched->monitor)->valid;
}

/* Numbers that are predicted have no accuracy. */
static bool check_accuracy(const an_run *run, const an__watched *watched, const an__node *node,
                           an_error *err)
{
    const bool accuracy = !watched->metric && word_of(watched->monitor)->accuracy;
    return !accuracy || an_dataset_targets(run->train_data) == 0 ||
           AN__FAIL(node, err,
                    "%s watches the accuracy, but numbers are predicted, not classes; watch "
                    "train_loss or valid_loss",
                    node->key->source.text);
}

bool an__monitor_check(const an_run *run, const an__watched *watched, const an__node *node,
                       an_error *err)
{
    if (!node)
        return true;
    if (of_validation(watched) && !run->valid)
        return AN__FAIL(node, err,
                        "%s watches the validation, but there is none; add the key 'validation', "
                        "such as validation: 0.1",
                        node->key->source.text);
    return check_accuracy(run, watched, node, err);
}

bool an__monitor_check_schedule(const an_run *run, const an__watched *watched, const an__node *node,
                                an_error *err)
{
    const an_fit_options *fit = &run->fit;
    if (!node)
        return true;
    if (!check_accuracy(run, watched, node, err))
        return false;
    if (!of_validation(watched) || !fit->schedule || !an_lr_wants_metric(fit->schedule))
        return fit->valid || !watched->metric || an__monitor_check(run, watched, node, err);
    if (fit->interval == AN_INTERVAL_STEP)
        return AN__FAIL(node, err,
                        "monitor: interval step steps the schedule after every update, but the "
                        "validation happens once an epoch; use interval epoch, or monitor "
                        "train_loss");
    if (!fit->valid)
        return AN__FAIL(node, err,
                        "monitor: the schedule watches the validation, but there is none; add the "
                        "key 'validation', such as validation: 0.1, or use monitor train_loss");
    return true;
}
