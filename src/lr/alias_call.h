/*
 * alias_call.h - a call of another system while it becomes text: what alias.c, which reads the
 * call, and alias_fill.c, which fills the holes of the form, share.
 */
#ifndef ANNEAL_LR_ALIAS_CALL_H
#define ANNEAL_LR_ALIAS_CALL_H

#include "lr/alias.h"
#include <string.h>

#define AN__ALIAS_ARGUMENTS 24
#define AN__ALIAS_VARIABLES 26

/* A piece of a row's text. */
typedef struct an__piece {
    const char *at, *end;
} an__piece;

/* One parameter and its argument; `value` is NULL where the default counts. */
typedef struct an__alias_argument {
    an__piece name, fallback, choices;
    bool required, fixed, ignored, time;
    const an_spec_node *value;
} an__alias_argument;

/* The call, its arguments, and the text that it becomes. */
typedef struct an__alias_call {
    const an_spec_source *source;
    const an_spec_node *call;
    const an_lr_run *run;
    an_arena *arena;
    an_error *err;
    const an_lr_alias *alias;
    an__alias_argument arguments[AN__ALIAS_ARGUMENTS];
    size_t count;
    double variables[AN__ALIAS_VARIABLES];
    const an__alias_argument *list; /* whose elements {*e} goes through, and the present one */
    const an_spec_node *element;
    char *text;
    size_t used, size;
} an__alias_call;

/* alias.c: an error at an argument, or with NULL at the call. */
bool an__alias_fail(an__alias_call *e, const an_spec_node *at, const char *what, an__piece detail);
bool an__alias_out_of_memory(an__alias_call *e);

/* alias_fill.c: writes a form with its holes filled; an argument, and a default, as a number.
 * False with err: also where memory ran out. */
bool an__alias_expand(an__alias_call *e, an__piece form);
bool an__alias_node_value(an__alias_call *e, const an__alias_argument *a, const an_spec_node *node,
                          double *out);
bool an__alias_fallback(an__alias_call *e, const an__alias_argument *a, double *out);

static inline size_t an__piece_length(an__piece p)
{
    return (size_t)(p.end - p.at);
}

static inline bool an__piece_is(an__piece p, const char *text)
{
    return an__piece_length(p) == strlen(text) && memcmp(p.at, text, an__piece_length(p)) == 0;
}

static inline bool an__piece_same(an__piece a, an__piece b)
{
    return an__piece_length(a) == an__piece_length(b) &&
           memcmp(a.at, b.at, an__piece_length(a)) == 0;
}

static inline an__piece an__piece_of(const char *text)
{
    return (an__piece){text, text + strlen(text)};
}

/* The first `c` that stands in no braces, or the end. */
static inline const char *an__piece_find(an__piece p, char c)
{
    int depth = 0;
    for (; p.at < p.end; p.at++) {
        if (*p.at == c && depth == 0)
            return p.at;
        depth += (*p.at == '{') - (*p.at == '}');
    }
    return p.end;
}

/* Takes what is up to one of `stops` off a piece. */
static inline an__piece an__piece_take(an__piece *from, const char *stops)
{
    an__piece taken = {from->at, from->at};
    while (taken.end < from->end && !strchr(stops, *taken.end))
        taken.end++;
    from->at = taken.end;
    return taken;
}

static inline bool an__piece_is_quoted(an__piece p)
{
    return p.at < p.end && *p.at == '\'';
}

static inline an__piece an__piece_unquoted(an__piece p)
{
    return (an__piece){p.at + 1, p.end - 1};
}

/* Whether the parameter is one of several words. */
static inline bool an__alias_has_choices(const an__alias_argument *a)
{
    return !a->time && (an__piece_is_quoted(a->fallback) || an__piece_length(a->choices) > 0);
}

#endif
