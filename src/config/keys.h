/* Reading the values of keys: what the files of keys share. */
#ifndef AN_CONFIG_KEYS_H
#define AN_CONFIG_KEYS_H

#include "config/config.h"

typedef struct an__key {
    const char *name;
    bool (*read)(an_config *config, const an__node *node, an_error *err);
    bool required;
} an__key;

/* Reads every key of `map`, in the table's order, and sees to it that the required are there. */
bool an__read_map(an_config *config, const an__node *map, const char *where, const an__key *keys,
                  size_t count, an_error *err);

/* The value of a map's key, or NULL. */
const an__node *an__child_of(const an__node *map, const char *name);

bool an__read_integer(an_config *config, const an__node *node, int64_t low, int64_t high,
                      int64_t *out, an_error *err);
/* A finite number. */
bool an__read_number(an_config *config, const an__node *node, double *out, an_error *err);
/* A call, such as Name(argument=value). */
bool an__read_call(an_config *config, const an__node *node, an__call *out, an_error *err);
/* One of `count` words: its index goes to `out`. */
bool an__read_word(const an__node *node, const char *const *words, size_t count, size_t *out,
                   an_error *err);
/* true or false. */
bool an__read_flag(const an__node *node, bool *out, an_error *err);
/* The name of the key whose value `node` is. */
const char *an__name_of(const an__node *node);

/* keys_data.c: what is learned from. */
bool an__read_data(an_config *config, const an__node *node, an_error *err);
bool an__read_validation(an_config *config, const an__node *node, an_error *err);
bool an__read_test(an_config *config, const an__node *node, an_error *err);

bool an__read_stratify(an_config *config, const an__node *node, an_error *err);

/* keys_samples.c: how often samples come, and what happens to images. */
bool an__read_sampling(an_config *config, const an__node *node, an_error *err);
bool an__read_augment(an_config *config, const an__node *node, an_error *err);

/* metrics.c: what is measured besides loss and accuracy. */
bool an__read_metrics(an_config *config, const an__node *node, an_error *err);

/* keys_run.c: what is kept of a run, and what steers it. */
bool an__read_runs(an_config *config, const an__node *node, an_error *err);
bool an__read_on_write_error(an_config *config, const an__node *node, an_error *err);
bool an__read_log(an_config *config, const an__node *node, an_error *err);
bool an__read_checkpoint(an_config *config, const an__node *node, an_error *err);
bool an__read_early_stopping(an_config *config, const an__node *node, an_error *err);
bool an__read_guard(an_config *config, const an__node *node, an_error *err);

#endif
