/* What steering callbacks watch in a record, and which way is better. */
#ifndef AN_TRAIN_WATCH_H
#define AN_TRAIN_WATCH_H

#include <anneal/train.h>

/* The watched value at an epoch's end; auto is the validation loss where there is a validation. */
double an__watched(an_monitor monitor, const an_record *record);

/* Whether `value` is better than `best` (NaN: there is none) by more than `delta`; NaN never is. */
bool an__is_better(an_monitor monitor, double value, double best, double delta);

#endif
