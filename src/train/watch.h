/* What steering callbacks watch in a record, and which way is better. */
#ifndef AN_TRAIN_WATCH_H
#define AN_TRAIN_WATCH_H

#include <anneal/train.h>

/*
 * The watched value at an epoch's end; auto is the validation loss where there is a validation.
 * `metric` is the name that the monitor of a metric means.
 */
double an__watched(an_monitor monitor, const char *metric, const an_record *record);

/* When the training begins: an error in control where the record has no such metric. */
void an__check_watched(an_monitor monitor, const char *metric, const an_record *record,
                       an_control *control);

/* Whether `value` is better than `best` (NaN: there is none) by more than `delta`; NaN never is. */
bool an__is_better(an_monitor monitor, double value, double best, double delta);

#endif
