/* What the loss and the rate of a run have been so far, in few numbers. */
#ifndef AN_TRACK_TRAIL_H
#define AN_TRACK_TRAIL_H

#include <anneal/track.h>

void an__trail_begin(an_trail *trail);
/* After each batch. A step before the last part's (a rollback) takes back the parts from there. */
void an__trail_add(an_trail *trail, const an_record *record);

#endif
