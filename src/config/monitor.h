/* What schedules, checkpoints and early stopping watch: its name, and whether the run has it. */
#ifndef AN_CONFIG_MONITOR_H
#define AN_CONFIG_MONITOR_H

#include "config/config.h"

/*
 * Reads the name of what is watched; of a metric also that, else NULL. The keys data, loss and
 * metrics must have been read.
 */
bool an__read_monitor(const an_config *config, const an__node *node, an__watched *out,
                      an_error *err);

/* Whether the run has what is watched at `node`, which may be NULL: nothing is asked for there. */
bool an__monitor_check(const an_run *run, const an__watched *watched, const an__node *node,
                       an_error *err);
/* The same of a schedule, which may want no metric: then it asks only for an accuracy. */
bool an__monitor_check_schedule(const an_run *run, const an__watched *watched, const an__node *node,
                                an_error *err);

#endif
