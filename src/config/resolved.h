#ifndef AN_CONFIG_RESOLVED_H
#define AN_CONFIG_RESOLVED_H

#include "config/config.h"

/* The configuration of a run as text, its data found in `folder`. NULL: memory. */
char *an__resolved(const an_config *config, const an_run *run, const char *folder, an_arena *arena);

#endif
