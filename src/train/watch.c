#include "train/watch.h"

#include <math.h>
#include <string.h>

static bool is_of_metric(an_monitor monitor)
{
    return monitor == AN_MONITOR_METRIC_MIN || monitor == AN_MONITOR_METRIC_MAX;
}

/* NULL: the record has none of this name. */
static const an_named_value *find(const an_record *record, const char *name)
{
    for (size_t i = 0; name && i < record->metric_count; i++)
        if (strcmp(record->metrics[i].name, name) == 0)
            return &record->metrics[i];
    return NULL;
}

void an__check_watched(an_monitor monitor, const char *metric, const an_record *record,
                       an_control *control)
{
    if (is_of_metric(monitor) && !find(record, metric))
        an_error_set(&control->error, AN_ERROR_ARGUMENT,
                     "monitor: the run has no metric '%s'; name one that its records have",
                     metric ? metric : "");
}

static double metric_of(const an_record *record, const char *name)
{
    const an_named_value *found = find(record, name);
    return found ? found->value : NAN;
}

double an__watched(an_monitor monitor, const char *metric, const an_record *record)
{
    switch (monitor) {
    case AN_MONITOR_TRAIN_LOSS:
        return record->loss;
    case AN_MONITOR_TRAIN_ACCURACY:
        return record->accuracy;
    case AN_MONITOR_VALID_LOSS:
        return record->valid_loss;
    case AN_MONITOR_VALID_ACCURACY:
        return record->valid_accuracy;
    case AN_MONITOR_METRIC_MIN:
    case AN_MONITOR_METRIC_MAX:
        return metric_of(record, metric);
    case AN_MONITOR_AUTO:
        break;
    }
    return record->valid_samples > 0 ? record->valid_loss : record->loss;
}

bool an__is_better(an_monitor monitor, double value, double best, double delta)
{
    bool higher = monitor == AN_MONITOR_TRAIN_ACCURACY || monitor == AN_MONITOR_VALID_ACCURACY ||
                  monitor == AN_MONITOR_METRIC_MAX;
    if (isnan(value))
        return false;
    return isnan(best) || (higher ? value > best + delta : value < best - delta);
}
