#ifndef AN_CONFIG_RESOLVED_H
#define AN_CONFIG_RESOLVED_H

#include "config/data.h"

/* The configuration of a run as text, its data where they were found, its schedule (or NULL) with
 * the numbers of files in it. NULL: memory. */
char *an__resolved(const an_config *config, const an_run *run, const an__found *found,
                   const an__node *schedule, an_arena *arena);

/* The same as a list of names and texts. NULL: memory. */
an_named_text *an__run_params(const an_config *config, const an_run *run, const an__found *found,
                              const an__node *schedule, an_arena *arena, size_t *count);

#endif
