/* A checkpoint's sections from the objects of a fit. */
#ifndef AN_TRAIN_SECTIONS_H
#define AN_TRAIN_SECTIONS_H

#include "train/state.h"

/*
 * - run              the numbers of state.h
 * - optimizer        an_optim_text
 * - groups           of each group each slot: value, initial, and 1 if present + 2 if it has an
 *                    initial value, 8 bytes each
 * - optimizer/NAME   an entry of the optimizer's table of states, as it is in memory
 * - average          an_average_text; absent without an average
 * - average/NAME     an entry of its table
 * - trained          the parameters to train as they lie in memory, where the optimizer has others
 *                    to evaluate (an_optim_has_modes): those are in the file of weights
 * - statistics       the buffers of what is trained, where those to evaluate are others
 * - metric/NAME      of a metric by its name, or its name in the validation: sum and weight of this
 *                    epoch so far, and the value of its validation, doubles as they lie in memory
 * - schedule         an_lr_state_save; absent without a schedule
 * - callback/NAME    a callback's own state
 */
an__section *an__sections_of(an__fit *f, const an__state *state, an_arena *arena, size_t *count,
                             an_error *err);

/* The entries of the optimizer's and the average's tables, and what their sections' names begin
 * with. */
typedef struct an__entry {
    const char *prefix;
    an_optim_state state;
} an__entry;

size_t an__entry_count(const an_fit_options *options);
an__entry an__entry_get(const an_fit_options *options, size_t index);
/* Whether a checkpoint has these entries with these sizes, and no others. */
bool an__entries_fit(const an_fit_options *options, const an__container *container,
                     an_arena *arena);
/* Gives them the numbers of a checkpoint that fits. Errors: MEMORY. */
bool an__entries_load(const an_fit_options *options, const an__container *container,
                      an_arena *arena, an_error *err);
/* Bytes that the numbers of an entry take. */
size_t an__entry_size(const an_optim_state *entry);

/* The groups' slots as bytes, and back; `size` as an__slots_size says. */
size_t an__slots_size(const an_optim *optim);
void an__slots_save(an_optim *optim, unsigned char *bytes);
void an__slots_load(an_optim *optim, const unsigned char *bytes);

/* What a checkpoint has of metric `index`; NULL: nothing. */
const an__section *an__metric_section(const an_fit_options *options, size_t index,
                                      const an__container *container);
#define AN__METRIC_SIZE 24
/* From bytes of that size. */
void an__metric_load(an__fit *f, size_t index, const unsigned char *bytes);

/* "callback/" and the name, or NULL when there is no memory. */
const char *an__section_name(const char *prefix, const char *name, an_arena *arena);

#endif
