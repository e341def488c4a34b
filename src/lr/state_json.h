/* state_json.h - what version 2 of the JSON form of a state adds, between its two sources. */
#ifndef ANNEAL_LR_STATE_JSON_H
#define ANNEAL_LR_STATE_JSON_H

#include "lr/json_read.h"
#include "lr/state.h"
#include "lr/text.h"

/* The values of the five keys, NULL where there is none. */
typedef struct an__lr_course {
    const an__json *run, *clock, *feedback, *edits, *landing;
} an__lr_course;

/* A real, also one that JSON has no number for. */
void an__lr_write_real(an__lr_writer *w, double value);
/* Whether the schedule has anything of version 2; writes that. */
bool an__lr_has_course(const an_lr_schedule *schedule);
void an__lr_write_course(an__lr_writer *w, const an_lr_schedule *schedule);
/* Reads run, clock and landing, and how many edits there are, into the head. */
bool an__lr_read_course(const an__json_reader *r, const an__lr_course *course, an__lr_head *head);
/* Reads feedback and edits, and puts their numbers. */
bool an__lr_read_feedback(const an__json_reader *r, const an__json *feedback,
                          const an_lr_desc *desc, const an_lr_run *run, an__lr_sink *out);
bool an__lr_read_edits(const an__json_reader *r, const an__json *edits, an__lr_sink *out);

#endif
