/* A line of text under construction, for the callbacks that write lines. */
#ifndef AN_TRACK_LINE_H
#define AN_TRACK_LINE_H

#include <anneal/track.h>

#define AN_LINE_SIZE 4096

/* What does not fit is left out whole; AN_LINE_SIZE is several times what a record takes. */
typedef struct an_line {
    char text[AN_LINE_SIZE];
    size_t length;
} an_line;

void an__line_add(an_line *line, const char *text);

/* "epoch 3/10", or "epoch 3" when no number of epochs is planned. */
void an__line_epoch(an_line *line, const an_record *record);

/*
 * The fields of a record, each with `gap` before it: "loss 0.0712", "acc 97.9 %", and the
 * validation's where there was one. A loss that became NaN is shown, a missing accuracy is not.
 */
void an__line_loss(an_line *line, const char *gap, const an_record *record);
void an__line_accuracy(an_line *line, const char *gap, const an_record *record);
void an__line_valid_loss(an_line *line, const char *gap, const an_record *record);
void an__line_valid_accuracy(an_line *line, const char *gap, const an_record *record);
/* The other metrics, "top5 0.998". */
void an__line_metrics(an_line *line, const char *gap, const an_record *record);
/* "lr 0.0411", or "lr 0.0411, 0.00411" when groups differ. */
void an__line_rates(an_line *line, const char *gap, const an_record *record);
/* "412k samples/s" */
void an__line_speed(an_line *line, const char *gap, const an_record *record);

/* "rolled back: to step 400, rates halved" */
void an__line_event(an_line *line, const an_event *event);

/* A record has no validation when both of its values are NaN. */
bool an__record_has_validation(const an_record *record);
/* The groups and metrics that a record holds, whatever its counts say. */
size_t an__record_groups(const an_record *record);
size_t an__record_metrics(const an_record *record);

#endif
