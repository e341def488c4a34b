/* The trail of a run: when it is full, pairs of parts become one, and each is twice as long. */
#include "track/trail.h"

#include <math.h>

void an__trail_begin(an_trail *trail)
{
    *trail = (an_trail){.each = 1};
}

static void halve(an_trail *trail)
{
    trail->count = AN_TRAIL_PARTS / 2;
    trail->each *= 2;
    for (int i = 0; i < trail->count; i++) {
        trail->first[i] = trail->first[2 * i];
        trail->loss[i] = (trail->loss[2 * i] + trail->loss[2 * i + 1]) / 2;
        trail->rate[i] = trail->rate[2 * i + 1];
    }
}

static void begin_part(an_trail *trail, int64_t step)
{
    if (trail->count == AN_TRAIL_PARTS)
        halve(trail);
    trail->first[trail->count] = step;
    trail->loss[trail->count++] = 0;
    trail->batches = 0;
}

void an__trail_add(an_trail *trail, const an_record *record)
{
    while (trail->count > 0 && record->step < trail->first[trail->count - 1]) {
        trail->count--;
        trail->batches = trail->each;
    }
    if (trail->count == 0 || trail->batches == trail->each)
        begin_part(trail, record->step);
    double *loss = &trail->loss[trail->count - 1];
    *loss += (record->batch_loss - *loss) / (double)++trail->batches;
    trail->rate[trail->count - 1] = record->groups > 0 ? record->lr[0] : NAN;
}
