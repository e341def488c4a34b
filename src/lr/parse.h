/*
 * parse.h - a schedule while it is read: what parse.c, which reads calls, and parse_value.c, which
 * reads their arguments, share.
 */
#ifndef ANNEAL_LR_PARSE_H
#define ANNEAL_LR_PARSE_H

#include <anneal/lr_text.h>

typedef struct an__lr_reader {
    const an_spec_source *source;
    const an_lr_run *run;
    bool saved; /* AN__LR_HOST_FUNCTION is read too */
    an_arena *arena;
    an_error *err;
} an__lr_reader;

/* parse.c: a call, also one of another system. */
bool an__lr_read_call(an__lr_reader *r, const an_spec_node *call, an_lr_desc *desc);

/* parse_value.c: the argument `node` of a parameter into its place in `desc`. */
bool an__lr_read_param(an__lr_reader *r, const an_lr_param *param, const an_spec_node *node,
                       an_lr_desc *desc);

static inline bool an__lr_no_memory(an__lr_reader *r)
{
    return an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a schedule");
}

/* The element of a list; what is no list is its own first. */
static inline const an_spec_node *an__lr_element(const an_spec_node *node, size_t index)
{
    return node->kind == AN_SPEC_LIST ? node->args[index].value : node;
}

#endif
