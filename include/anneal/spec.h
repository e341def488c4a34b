/*
 * anneal/spec.h - the call grammar: text such as `SGD(lr=0.05, momentum=0.9)` to a tree.
 *
 * The same grammar reads layers, losses, optimizers and schedules, as a PyTorch user would paste
 * them. It knows nothing of what the names mean: it gives kinds, names, values and positions.
 *
 *   value   := call | list | '(' value ')' | string | number | None | True | False | lambda | name
 *   call    := dotted-name '(' [argument {',' argument}] [','] ')'
 *   argument:= value | name '=' value        those without a name first
 *   list    := '[' values ']' | '(' values ')'    a tuple of one needs its comma: (3,)
 *   number  := ['-'|'+'] decimal ['/' decimal] [unit]   1e-3, 30_000, 1/3, 2e9tok, 5ep, inf, nan
 *   string  := in ' or ", on one line, with the escapes \\ \' \" \n \t \r
 *   lambda  := 'lambda' name ':' text up to the comma or bracket that ends the argument
 *
 * Blanks and line ends between these mean nothing. Dotted prefixes are dropped: `torch.optim.SGD`
 * is `SGD`. So is, in every call but `dict`, what PyTorch wants first and Anneal knows by itself:
 *
 *   - the first argument, if it has no keyword and is a name that begins with `opt` (`optimizer`,
 *     `self.opt`, `optimizer_ft`), `params`, or `NAME.parameters()`, also behind `self.`
 *   - `optimizer=NAME` and `params=NAME.parameters()` in any place
 *
 * `model.fc.parameters()` in these places is an error, as only a part of the model is meant.
 * Nesting is limited to AN_SPEC_MAX_DEPTH, so that no text can exhaust the stack.
 */
#ifndef ANNEAL_SPEC_H
#define ANNEAL_SPEC_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Enough for 32 schedules in each other, of which each may take a call and a list. */
#define AN_SPEC_MAX_DEPTH 72

typedef enum an_spec_kind {
    AN_SPEC_NONE,   /* None */
    AN_SPEC_BOOL,   /* True, False: `number` is 1 or 0 */
    AN_SPEC_NUMBER, /* `number`, with `unit` ("" when there is none); `integer` if written as one */
    AN_SPEC_STRING, /* `text`, quotes and escapes removed */
    AN_SPEC_NAME,   /* a bare word: `text` */
    AN_SPEC_LIST,   /* a list or a tuple: `args`, none with a keyword */
    AN_SPEC_CALL,   /* `text` is the name, `args` its arguments */
    AN_SPEC_LAMBDA  /* `param` and `text`, the expression as written */
} an_spec_kind;

typedef struct an_spec_node an_spec_node;

/* One argument: `keyword` is NULL for a positional one. Offsets are bytes into the source text. */
typedef struct an_spec_arg {
    const char *keyword;
    size_t keyword_offset;
    const an_spec_node *value;
} an_spec_arg;

struct an_spec_node {
    an_spec_kind kind;
    size_t offset, length; /* where in the source; a lambda's expression ends where it ends */
    double number;
    bool integer;
    const char *unit, *param;
    const char *text;
    const an_spec_arg *args;
    size_t arg_count;
};

/*
 * Where a text comes from, for errors: `file` (NULL: none) and the text itself. `map`, if not NULL,
 * gives for every byte of the text its offset in `origin` (a YAML file whose scalar was folded or
 * quoted), and errors point there.
 */
typedef struct an_spec_source {
    const char *file;
    const char *text;
    size_t length;
    const char *origin;
    size_t origin_length;
    const size_t *map;
} an_spec_source;

typedef struct an_spec an_spec;

/* A source that is just this text. */
AN_API an_spec_source an_spec_source_text(const char *text);

/*
 * Parses the whole of `source` as one value. `allocator` NULL: the default. The tree and its
 * strings belong to the an_spec and live until an_spec_free; the source's texts must live as long.
 * NULL with err (CONFIG, position, excerpt) on bad text.
 */
AN_API an_spec *an_spec_parse(const an_spec_source *source, const an_allocator *allocator,
                              an_error *err);
AN_API const an_spec_node *an_spec_root(const an_spec *spec);
AN_API const an_spec_source *an_spec_where(const an_spec *spec);
AN_API void an_spec_free(an_spec *spec);

/*
 * An error (CONFIG) at byte `offset` of the source: "FILE:LINE: sentence", or without a file
 * "column N: sentence", with the line before the column if the text has several. The excerpt shows
 * the line and the caret. Returns false.
 */
AN_API bool an_spec_error(const an_spec_source *source, size_t offset, an_error *err,
                          const char *format, ...) AN_PRINTF(4, 5);

/*
 * The error (CONFIG) of a call whose name is none of `names`, which end with NULL: "there is no
 * WHAT 'NAME'; did you mean 'NEAREST'?", or where none is near "...; there are A, B and C". Returns
 * false.
 */
AN_API bool an_spec_unknown(const an_spec_source *source, const an_spec_node *call,
                            const char *what, const char *const *names, an_error *err);

/* ------------------------------------------------- reading a call's arguments */

/*
 * A signature says which parameters a call has, in positional order. an_spec_bind matches a call's
 * arguments to it as Python would and fills `values[i]` (NULL where absent). Unknown names (with
 * the nearest), doubled, surplus and missing required arguments are errors at their place.
 */
typedef struct an_spec_param {
    const char *name;
    bool required;
} an_spec_param;

AN_API bool an_spec_bind(const an_spec_source *source, const an_spec_node *call,
                         const an_spec_param *params, size_t param_count,
                         const an_spec_node **values, an_error *err);

/*
 * Typed reads of one bound argument `name`; each errs at the value's place. NULL value: *out stays.
 * A number must have no unit; an integer may be written 1e3, and lies within +-2^53.
 */
AN_API bool an_spec_number(const an_spec_source *source, const char *name,
                           const an_spec_node *value, double *out, an_error *err);
AN_API bool an_spec_integer(const an_spec_source *source, const char *name,
                            const an_spec_node *value, int64_t *out, an_error *err);
AN_API bool an_spec_bool(const an_spec_source *source, const char *name, const an_spec_node *value,
                         bool *out, an_error *err);

/*
 * Edits text: puts `value`, text of the grammar, in place of the argument that the dotted `path`
 * names, or adds it where the call has none of that name. All else stays as it was written; the new
 * text is in `arena`. This is what `--set optimizer.lr=0.05` does. A name picks a call's argument;
 * a number, from 0, an element of a list, of the list that is a call's first argument, or else a
 * call's positional argument: "lr", "0.weight_decay" (of the first group), "schedulers.1.gamma".
 * NULL with err (CONFIG, ARGUMENT, MEMORY); errors name the column in `call`.
 */
AN_API char *an_spec_edit(const char *call, const char *path, const char *value, an_arena *arena,
                          an_error *err);

#ifdef __cplusplus
}
#endif
#endif
