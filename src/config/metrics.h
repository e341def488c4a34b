/* The metrics of a run: the calls of the key `metrics`, and what they become. */
#ifndef AN_CONFIG_METRICS_H
#define AN_CONFIG_METRICS_H

#include "config/config.h"

/* Whether lower values are better. */
bool an__metric_falls(const an__metric *metric);

/*
 * Makes the metrics of `config` into run->fit.metrics, for the run's model, loss and data, and
 * refuses those that do not fit. What they need lives in `arena`, but for what
 * an__metrics_free lets go. Errors: CONFIG, MEMORY.
 */
bool an__metrics_make(const an_config *config, an_run *run, an_arena *arena, an_error *err);
void an__metrics_free(an_run *run);

#endif
