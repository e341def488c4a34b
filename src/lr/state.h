/*
 * state.h - what the files that write and read a schedule's state share: bytes to write, bytes to
 * read, and the parts that a state consists of (drawn in state.c and state_desc.c).
 */
#ifndef ANNEAL_LR_STATE_H
#define ANNEAL_LR_STATE_H

#include "lr/node.h"

/* Bytes that are read. What is not there reads as 0, and `broken` says so at the end. */
typedef struct an__lr_source {
    const unsigned char *at, *end;
    bool broken;
} an__lr_source;

/*
 * Where bytes are put. `out` NULL: they are only counted; with `room`, those beyond it too. With
 * `saved` they are compared too: each
 * takes as many bytes from there, and `differs` says whether any was another.
 */
typedef struct an__lr_sink {
    unsigned char *out;
    size_t used, room;
    an__lr_source *saved;
    bool differs;
} an__lr_sink;

/*
 * What a state holds beside its description and its groups. Of feedback and of what an_lr_extend
 * has changed, how many numbers there are; read, `memory` and `edits` are where they stand.
 */
typedef struct an__lr_head {
    uint64_t groups, nodes, clock, desc_size, memory_count, edit_count;
    an_lr_run run;
    double now[AN__LR_CLOCKS]; /* of the units after steps */
    an__lr_landing landing;
    an__lr_source memory, edits;
    bool old; /* version 2: four slots without names, and a plateau's memory at the top */
} an__lr_head;

#define AN__STATE_MAGIC 0x524c4e41u /* "ANLR" */
#define AN__STATE_VERSION 3u
#define AN__STATE_FLAG_PRESENT 1u
#define AN__STATE_FLAG_INITIAL 2u

/* The numbers are little-endian, of `size` bytes; doubles are their 64 bits. */
void an__lr_put(an__lr_sink *sink, uint64_t value, int size);
void an__lr_put_text(an__lr_sink *sink, const char *text);
void an__lr_put_real(an__lr_sink *sink, double value);
uint64_t an__lr_get(an__lr_source *source, int size);
double an__lr_get_real(an__lr_source *source);
/* The next `size` bytes, or NULL when there are fewer. */
const unsigned char *an__lr_take(an__lr_source *source, uint64_t size);

/*
 * state.c: a state is what these put, in this order: the head, memory_count reals, three reals for
 * each edit, the description; for each group a base rate for each node, what a landing began at,
 * the number of its slots, and each of these; the end. `begin` sets desc_size itself.
 */
void an__lr_state_begin(an__lr_sink *sink, const an__lr_head *head, const an_lr_desc *desc);
void an__lr_put_slot(an__lr_sink *sink, const char *name, const an_slot *slot);
void an__lr_state_end(an__lr_sink *sink);
uint64_t an__lr_checksum(const unsigned char *bytes, size_t size);
/* How many numbers the nodes of a tree remember. */
size_t an__lr_memory_count(const an__lr_node *node);
/* The head of a schedule's own state. */
an__lr_head an__lr_head_of(const an_lr_schedule *schedule);
/* How a slot of a group is called in a state. */
const char *an__lr_slot_name(const an_lr_group *group, an_slot_id id);
/*
 * state_load.c: whether the bytes are a whole and sound state; then its head. What comes next is
 * the description, then the groups.
 */
bool an__lr_state_open(an__lr_source *source, an__lr_head *head, an_error *err);

/* state_desc.c: writes a description; how many nodes it has. */
void an__lr_put_desc(an__lr_sink *sink, const an_lr_desc *desc);
/* The value of one parameter, other than a schedule or a list of them. */
void an__lr_put_value(an__lr_sink *sink, const an_lr_desc *desc, const an_lr_param *param);
bool an__lr_is_child(const an_lr_param *param);
size_t an__lr_count_nodes(const an_lr_desc *desc);

/* How a function of the host's or from text is saved. */
enum { AN__NO_FUNCTION, AN__HOST_FUNCTION, AN__TEXT_FUNCTION };

/* One parameter of a saved description: its value's bytes. `at` NULL: it has its default. */
typedef struct an__lr_saved_param {
    an__lr_source value;
} an__lr_saved_param;

#define AN__LR_MAX_PARAMS 16

/*
 * Reads the kind and the parameters of one saved description, params[i] for the i-th of the table,
 * and how many children follow. False when they are not what this library writes.
 */
bool an__lr_get_node(an__lr_source *source, an_lr_kind *kind, an__lr_saved_param *params,
                     size_t *children);

/* How a saved description relates to another. */
typedef enum an__lr_relation {
    AN__SAME,
    AN__OTHER_PARAMS,
    AN__OTHER_KINDS, /* or another number of children */
    AN__NO_DESC      /* the bytes are no description */
} an__lr_relation;

/* state_compare.c: compares, and the facts of the runs where lengths depend on them; fills
 * *changes. */
an__lr_relation an__lr_compare_desc(an__lr_source saved, const an_lr_desc *desc,
                                    const an_lr_run *saved_run, const an_lr_run *run,
                                    an_lr_changes *changes);

#endif
