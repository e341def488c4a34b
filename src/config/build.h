/* A run while it is built, and what else belongs to it. */
#ifndef AN_CONFIG_BUILD_H
#define AN_CONFIG_BUILD_H

#include "config/data.h"

/* A run with what it owns besides; `run` comes first, so that a run that was made is one. */
typedef struct an__build {
    an_run run;
    const an_config *config;
    an__node schedule_node; /* the configuration's, with the numbers of files in it */
    an_spec *schedule_spec;
    an_lr_text *schedule_text;
    an__found found;     /* the data's files, as they lead there from here */
    an_dataset *learned; /* what train and valid are views of where it is a view itself */
    an_arena texts;
    an_error *err; /* of the call that is under way */
} an__build;

/*
 * schedule.c: makes the schedule of a run whose optimizer and fit are there, and what the run says
 * of it; where the configuration has none there is nothing to do. False with err (CONFIG, ...).
 */
bool an__build_schedule(an__build *b);

/*
 * resolved.c: makes resolved_text and params of a run that has all the rest. False with err
 * (MEMORY, CONFIG: the text is too long).
 */
bool an__build_resolved(an__build *b);

#endif
