/* What the two halves of going on from a checkpoint share: resume.c and resume_schedule.c. */
#ifndef AN_TRAIN_RESTORE_H
#define AN_TRAIN_RESTORE_H

#include "train/folder.h"
#include "train/sections.h"

/* One reading of a checkpoint. */
typedef struct an__restore {
    an__fit *fit;
    const char *path;
    an__state state;
    an__container container;
    an_arena arena;
    bool same_optimizer;
    bool back;         /* in the middle of the run: a rollback */
    char changes[320]; /* what is different from the saved run, "; epochs 2 -> 3; ..." */
    an_error *err;
} an__restore;

/* Adds to `changes` what is different from the saved run. */
void an__note(an__restore *r, const char *what);

/* How an error says what could be done instead. */
extern const char an__resume_advice[];

/*
 * The schedule, in the order of the calls. Each false with r->err.
 *
 * First the saved one, where it goes on: what it drives decides which data fit.
 */
bool an__restore_kept(an__restore *r);
/* The groups' values, and the schedule that goes on with them. */
bool an__restore_schedule(an__restore *r);
/* What the policy and a landing make of the schedule, at the time that the run has come to. */
bool an__edit_schedule(an__restore *r);

#endif
