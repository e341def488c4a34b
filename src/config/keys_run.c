/* The keys that say what is kept of a run and what steers it. */
#include "config/keys.h"

#include "config/monitor.h"

#include <string.h>

static bool read_above_zero(an_config *config, const an__node *node, double *out, an_error *err)
{
    if (!an__read_number(config, node, out, err))
        return false;
    return *out > 0 || AN__FAIL(node, err, "%s must be above 0, got %g", an__name_of(node), *out);
}

bool an__read_runs(an_config *config, const an__node *node, an_error *err)
{
    if (node->kind != AN__SCALAR || node->source.length == 0)
        return AN__FAIL(node, err, "runs takes the name of a folder, or none to keep nothing");
    config->runs = strcmp(node->source.text, "none") == 0 ? NULL : node->source.text;
    return true;
}

bool an__read_on_write_error(an_config *config, const an__node *node, an_error *err)
{
    static const char *const words[] = {"continue", "stop"};
    size_t index = 0;
    if (!an__read_word(node, words, 2, &index, err))
        return false;
    config->must_write = index == 1;
    return true;
}

/* --------------------------------------------------------------------- log */

static bool read_log_every(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 0, INT32_MAX, &config->log.every, err);
}

static bool read_grad_norm(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->log.grad_norm, err);
}

static bool read_csv(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->log_csv, err);
}

static bool read_tensorboard(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->log_tensorboard, err);
}

static bool read_histograms(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->log_histograms, err);
}

bool an__read_log(an_config *config, const an__node *node, an_error *err)
{
    static const an__key keys[] = {{"every", read_log_every, false},
                                   {"grad_norm", read_grad_norm, false},
                                   {"csv", read_csv, false},
                                   {"tensorboard", read_tensorboard, false},
                                   {"histograms", read_histograms, false}};
    if (node->kind != AN__MAP)
        return AN__FAIL(node, err, "log takes a map, such as {every: 10, csv: true}");
    config->log_node = node;
    if (!an__read_map(config, node, "log", keys, sizeof keys / sizeof *keys, err))
        return false;
    return !config->log_histograms || config->log_tensorboard ||
           AN__FAIL(node, err,
                    "log: histograms go to TensorBoard's event file; add tensorboard: true");
}

/* ------------------------------------------------------------- checkpoint */

static bool read_every(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 1, INT32_MAX, &config->checkpointer.epochs, err);
}

static bool read_minutes(an_config *config, const an__node *node, an_error *err)
{
    return read_above_zero(config, node, &config->checkpointer.minutes, err);
}

static bool read_best(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->checkpointer.best, err);
}

static bool read_checkpoint_monitor(an_config *config, const an__node *node, an_error *err)
{
    return an__read_monitor(config, node, &config->checkpoint_monitor, err);
}

static bool read_keep(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 0, INT32_MAX, &config->keep, err);
}

bool an__read_checkpoint(an_config *config, const an__node *node, an_error *err)
{
    static const an__key keys[] = {{"epochs", read_every, false},
                                   {"minutes", read_minutes, false},
                                   {"best", read_best, false},
                                   {"monitor", read_checkpoint_monitor, false},
                                   {"keep", read_keep, false}};
    if (node->kind != AN__MAP)
        return AN__FAIL(node, err, "checkpoint takes a map, such as {epochs: 1, keep: 3}");
    config->checkpoint_node = node;
    return an__read_map(config, node, "checkpoint", keys, sizeof keys / sizeof *keys, err);
}

/* ---------------------------------------------------------- early stopping */

static bool read_patience(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 1, INT32_MAX, &config->patience, err);
}

static bool read_min_delta(an_config *config, const an__node *node, an_error *err)
{
    if (!an__read_number(config, node, &config->min_delta, err))
        return false;
    return config->min_delta >= 0 ||
           AN__FAIL(node, err, "min_delta must be at least 0, got %g", config->min_delta);
}

static bool read_stopping_monitor(an_config *config, const an__node *node, an_error *err)
{
    return an__read_monitor(config, node, &config->stopping_monitor, err);
}

static bool read_restore(an_config *config, const an__node *node, an_error *err)
{
    return an__read_flag(node, &config->restore_best, err);
}

bool an__read_early_stopping(an_config *config, const an__node *node, an_error *err)
{
    static const an__key keys[] = {{"patience", read_patience, false},
                                   {"min_delta", read_min_delta, false},
                                   {"monitor", read_stopping_monitor, false},
                                   {"restore", read_restore, false}};
    if (node->kind != AN__MAP)
        return AN__FAIL(node, err, "early_stopping takes a map, such as {patience: 5}");
    config->early_stopping_node = node;
    config->patience = 3;
    config->restore_best = true;
    return an__read_map(config, node, "early_stopping", keys, sizeof keys / sizeof *keys, err);
}

/* ------------------------------------------------------------------- guard */

static bool read_spike(an_config *config, const an__node *node, an_error *err)
{
    if (!an__read_number(config, node, &config->guard.spike, err))
        return false;
    return config->guard.spike > 1 ||
           AN__FAIL(node, err, "spike must be above 1 (times the usual loss), got %g",
                    config->guard.spike);
}

static bool read_rollbacks(an_config *config, const an__node *node, an_error *err)
{
    return an__read_integer(config, node, 0, INT32_MAX, &config->guard.rollbacks, err);
}

static bool read_rate_factor(an_config *config, const an__node *node, an_error *err)
{
    if (!read_above_zero(config, node, &config->guard.rate_factor, err))
        return false;
    return config->guard.rate_factor <= 1 ||
           AN__FAIL(node, err, "rate_factor must be at most 1, got %g", config->guard.rate_factor);
}

bool an__read_guard(an_config *config, const an__node *node, an_error *err)
{
    static const an__key keys[] = {{"spike", read_spike, false},
                                   {"rollbacks", read_rollbacks, false},
                                   {"rate_factor", read_rate_factor, false}};
    if (node->kind != AN__MAP)
        return AN__FAIL(node, err, "guard takes a map, such as {spike: 10, rollbacks: 3}");
    config->guard_node = node;
    return an__read_map(config, node, "guard", keys, sizeof keys / sizeof *keys, err);
}
