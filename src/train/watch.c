#include "train/watch.h"

#include <math.h>

double an__watched(an_monitor monitor, const an_record *record)
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
    case AN_MONITOR_AUTO:
        break;
    }
    return record->valid_samples > 0 ? record->valid_loss : record->loss;
}

bool an__is_better(an_monitor monitor, double value, double best, double delta)
{
    bool higher = monitor == AN_MONITOR_TRAIN_ACCURACY || monitor == AN_MONITOR_VALID_ACCURACY;
    if (isnan(value))
        return false;
    return isnan(best) || (higher ? value > best + delta : value < best - delta);
}
