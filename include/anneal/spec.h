/*
 * anneal/spec.h - the call grammar: text such as `SGD(lr=0.05, momentum=0.9)` to a tree.
 *
 * The same grammar reads layers, losses, optimizers and schedules, as a PyTorch user would paste
 * them. It knows nothing of what the names mean: it gives kinds, names, values and positions.
 *
 *   value   := call | list | tuple | string | number | None | True | False | lambda | name
 *   call    := dotted-name '(' [argument {',' argument}] [','] ')'
 *   argument:= value | name '=' value
 *   number  := ['-'|'+'] decimal [unit]      also  1/3, 30_000, 2e9tok, 5ep
 *   lambda  := 'lambda' name ':' text up to the comma or bracket that ends the argument
 *
 * Accepted and normalised: dotted prefixes are dropped (`torch.optim.SGD` is `SGD`); a leading
 * positional `optimizer` or `model.parameters()` is dropped; `dict(a=1)` stays a call named `dict`;
 * `[...]` and `(...)` are both AN_SPEC_LIST; adjacent whitespace and newlines mean nothing.
 * Nesting is limited to AN_SPEC_MAX_DEPTH, so that no text can exhaust the stack.
 */
#ifndef ANNEAL_SPEC_H
#define ANNEAL_SPEC_H

#include <anneal/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AN_SPEC_MAX_DEPTH 32

typedef enum an_spec_kind {
    AN_SPEC_NONE,   /* None */
    AN_SPEC_BOOL,   /* True, False: `number` is 1 or 0 */
    AN_SPEC_NUMBER, /* `number`, with `unit` ("" when there is none); `integer` if written as one */
    AN_SPEC_STRING, /* `text`, quotes and escapes removed */
    AN_SPEC_NAME,   /* a bare word: `text` */
    AN_SPEC_LIST,   /* `args`, none with a keyword */
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
    size_t offset, length; /* where in the source text */
    double number;
    bool integer;
    const char *unit, *param;
    const char *text;
    const an_spec_arg *args;
    size_t arg_count;
};

/*
 * Where a text comes from, for errors: `file` (NULL: none), the line and column (1-based) of its
 * first byte, and the whole text. `map`, if not NULL, gives for every byte of the text its offset
 * in `origin` (a YAML file whose scalar was folded or quoted), and errors point there.
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
 * Parses the whole of `source` as one value. The tree and its strings belong to the an_spec and
 * live until an_spec_free; the source's texts must live as long. NULL with err (CONFIG, position,
 * excerpt) on bad text.
 */
AN_API an_spec *an_spec_parse(const an_spec_source *source, const an_allocator *allocator,
                              an_error *err);
AN_API const an_spec_node *an_spec_root(const an_spec *spec);
AN_API const an_spec_source *an_spec_where(const an_spec *spec);
AN_API void an_spec_free(an_spec *spec);

/*
 * An error at byte `offset` of the source: "FILE:LINE: sentence" (or "column N: sentence" without a
 * file), with the excerpt and caret. Returns false.
 */
AN_API bool an_spec_error(const an_spec_source *source, size_t offset, an_error *err,
                          const char *format, ...) AN_PRINTF(4, 5);

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

/* Typed reads of one bound argument `name`; each errs at the value's place. NULL value: *out stays.
 */
AN_API bool an_spec_number(const an_spec_source *source, const char *name,
                           const an_spec_node *value, double *out, an_error *err);
AN_API bool an_spec_integer(const an_spec_source *source, const char *name,
                            const an_spec_node *value, int64_t *out, an_error *err);
AN_API bool an_spec_bool(const an_spec_source *source, const char *name, const an_spec_node *value,
                         bool *out, an_error *err);

/*
 * Edits text: replaces or adds the argument at the dotted `path` ("lr", or "0.weight_decay" for a
 * list element's argument) of a call, giving the new text in `arena`. `value` is text of the
 * grammar. This is what `--set optimizer.lr=0.05` does.
 */
AN_API char *an_spec_edit(const char *call, const char *path, const char *value, an_arena *arena,
                          an_error *err);

#ifdef __cplusplus
}
#endif
#endif
