/* text.h - what the files that write and read schedules as text share. */
#ifndef ANNEAL_LR_TEXT_PARTS_H
#define ANNEAL_LR_TEXT_PARTS_H

#include <anneal/lr_text.h>

/*
 * A text that is written as snprintf does: `used` goes on counting when `buffer` is full. While
 * `escape` is set, everything is written as the inside of a JSON string.
 */
typedef struct an__lr_writer {
    char *buffer;
    size_t size, used;
    bool escape;
} an__lr_writer;

/* print.c */
void an__lr_write(an__lr_writer *w, const char *text);
void an__lr_write_number(an__lr_writer *w, double value);
void an__lr_write_integer(an__lr_writer *w, int64_t value);
void an__lr_write_desc(an__lr_writer *w, const an_lr_desc *desc);
/* Ends the text with a zero; returns the length of the whole. */
size_t an__lr_write_end(an__lr_writer *w);

/* course.c: the names of an_lr_tail. */
#define AN__LR_TAILS 4
extern const char *const an__lr_tails[AN__LR_TAILS];

/* What stands in a text for a function of the host's, in quotes. */
#define AN__LR_HOST_FUNCTION "<function>"

/* parse.c: as an_lr_parse_text, but reads AN__LR_HOST_FUNCTION too; such a function gives NaN. */
an_lr_text *an__lr_parse_saved(const char *text, const an_allocator *allocator, an_error *err);

/* length.c: a length; and one that has to be a number of whole steps, by the facts of `run`. */
bool an__lr_read_length(const an_spec_source *source, const char *name, const an_spec_node *node,
                        an_lr_length *out, an_error *err);
bool an__lr_read_steps(const an_spec_source *source, const char *name, const an_spec_node *node,
                       const an_lr_run *run, int64_t *out, an_error *err);

/* state_json.c: the description in a state that is JSON, as text in `arena`; NULL with err. */
const char *an__lr_state_schedule(const char *text, size_t length, an_arena *arena, an_error *err);

#endif
