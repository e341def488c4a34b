/* parse.c - schedules from text: a call of the grammar to a description, by the one table. */
#include "lr/alias.h"
#include "lr/expression.h"
#include "lr/node.h"
#include "lr/text.h"
#include <anneal/lr_text.h>
#include <math.h>
#include <string.h>

#define MAX_PARAMS 16
#define LAST_PARAMS 2 /* that every call may have after its own */

struct an_lr_text {
    an_arena arena;
    an_lr_desc desc;
};

typedef struct reader {
    const an_spec_source *source;
    const an_lr_run *run;
    bool saved; /* AN__LR_HOST_FUNCTION is read too */
    an_arena *arena;
    an_error *err;
} reader;

static bool read_call(reader *r, const an_spec_node *call, an_lr_desc *desc);

static bool out_of_memory(reader *r)
{
    return an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a schedule");
}

/* Gives an error that a check found the place that it is about. */
static bool at(reader *r, const an_spec_node *node, const an_error *found)
{
    return an_spec_error(r->source, node->offset, r->err, "%s", found->message);
}

/* ------------------------------------------------------------------- lists */

/* Room for the list's values; a single value is a list of one. */
static void *list_room(reader *r, const an_spec_node *node, size_t size, size_t *count)
{
    *count = node->kind == AN_SPEC_LIST ? node->arg_count : 1;
    void *room = an_arena_alloc(r->arena, (*count > 0 ? *count : 1) * size);
    if (!room)
        out_of_memory(r);
    return room;
}

static const an_spec_node *element(const an_spec_node *node, size_t index)
{
    return node->kind == AN_SPEC_LIST ? node->args[index].value : node;
}

static bool read_reals(reader *r, const char *name, const an_spec_node *node, an_lr_reals *out)
{
    if (node->kind != AN_SPEC_LIST)
        return an_spec_number(r->source, name, node, &out->value, r->err);
    double *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    if (out->count == 0)
        return an_spec_error(r->source, node->offset, r->err,
                             "%s is an empty list; give a number, or one for each group", name);
    for (size_t i = 0; i < out->count; i++)
        if (!an_spec_number(r->source, name, element(node, i), &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_integers(reader *r, const char *name, const an_spec_node *node,
                          an_lr_integers *out)
{
    int64_t *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!an__lr_read_steps(r->source, name, element(node, i), r->run, &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_numbers(reader *r, const char *name, const an_spec_node *node, an_lr_numbers *out)
{
    if (node->kind == AN_SPEC_STRING && node->text[0] == '@')
        return an_spec_error(r->source, node->offset, r->err,
                             "%s: '%s' is a file, and no file is opened here; write its numbers as "
                             "a list",
                             name, node->text);
    double *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!an_spec_number(r->source, name, element(node, i), &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_lengths(reader *r, const char *name, const an_spec_node *node, an_lr_lengths *out)
{
    an_lr_length *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!an__lr_read_length(r->source, name, element(node, i), &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_child(reader *r, const an_spec_node *node, const an_lr_desc **out)
{
    an_lr_desc *child = an_arena_alloc(r->arena, sizeof *child);
    if (!child)
        return out_of_memory(r);
    *out = child;
    return read_call(r, node, child);
}

static bool read_children(reader *r, const an_spec_node *node, an_lr_children *out)
{
    const an_lr_desc **each = list_room(r, node, sizeof(void *), &out->count);
    an_lr_desc *children = each ? list_room(r, node, sizeof *children, &out->count) : NULL;
    if (!children)
        return false;
    for (size_t i = 0; i < out->count; i++) {
        if (!read_call(r, element(node, i), &children[i]))
            return false;
        each[i] = &children[i];
    }
    out->each = each;
    return true;
}

/* --------------------------------------------------------------- functions */

static double host_function(void *user, double epoch)
{
    (void)user;
    (void)epoch;
    return NAN;
}

/* A function of the step as text: its expression, where in the source that begins, and its
 * variable; `lambda` if it is to be printed as one. */
typedef struct formula {
    const char *text, *variable;
    size_t offset, length;
    bool lambda;
} formula;

static size_t blanks(const char *text)
{
    return strspn(text, " \t\r\n");
}

/* Takes "lambda x:" off the beginning of a text in quotes. */
static bool split_lambda(reader *r, const char *name, formula *f)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *at = f->text + blanks(f->text);
    if (strncmp(at, "lambda", 6) != 0 || strchr(letters, at[6]))
        return true;
    at += 6;
    at += blanks(at);
    const char *variable = at;
    size_t length = strspn(at, letters);
    at += length;
    at += blanks(at);
    if (length == 0 || (variable[0] >= '0' && variable[0] <= '9') || *at != ':')
        return an_spec_error(r->source, f->offset + (size_t)(at - f->text), r->err,
                             "%s: a lambda has one variable and a colon, as in \"lambda epoch: "
                             "0.95 ** epoch\"",
                             name);
    at++;
    at += blanks(at);
    f->variable = an_arena_text(r->arena, variable, length);
    f->offset += (size_t)(at - f->text);
    f->length -= (size_t)(at - f->text);
    while (f->length > 0 && blanks(at + f->length - 1) > 0)
        f->length--;
    f->text = an_arena_text(r->arena, at, f->length);
    f->lambda = true;
    return (f->variable && f->text) || out_of_memory(r);
}

static bool read_formula(reader *r, const char *name, const an_spec_node *node, formula *f)
{
    size_t length = strlen(node->text);
    *f = (formula){.text = node->text, .variable = "epoch", .length = length};
    f->lambda = node->kind == AN_SPEC_LAMBDA;
    f->offset = node->offset + (f->lambda && length < node->length ? node->length - length : 1);
    if (!f->lambda)
        return split_lambda(r, name, f);
    f->variable = node->param;
    return true;
}

/* An expression or a lambda, the latter in quotes or not; errors point into it. */
static bool read_function(reader *r, const char *name, const an_spec_node *node,
                          an_lr_function *out)
{
    formula f;
    bool quoted = node->kind == AN_SPEC_STRING;
    if (!quoted && node->kind != AN_SPEC_LAMBDA)
        return an_spec_error(r->source, node->offset, r->err,
                             "%s must be an expression of epoch, such as \"0.95 ** epoch\", or a "
                             "lambda",
                             name);
    if (r->saved && quoted && strcmp(node->text, AN__LR_HOST_FUNCTION) == 0) {
        out->call = host_function;
        return true;
    }
    if (!read_formula(r, name, node, &f))
        return false;
    size_t bad, room = f.length + strlen(f.variable) + sizeof "lambda : ";
    an_error found = {0};
    out->call = an__lr_expression_value;
    out->user = an__lr_expression_parse(f.text, f.length, f.variable, r->arena, &bad, &found);
    char *text = out->user ? an_arena_alloc(r->arena, room) : NULL;
    if (!out->user && found.code != AN_ERROR_MEMORY)
        return an_spec_error(r->source, f.offset + bad, r->err, "%s: %s", name, found.message);
    if (!text)
        return out_of_memory(r);
    an_format(text, room, f.lambda ? "lambda %s: %s" : "%s%s", f.lambda ? f.variable : "", f.text);
    out->text = text;
    return true;
}

static bool read_functions(reader *r, const char *name, const an_spec_node *node,
                           an_lr_functions *out)
{
    if (node->kind != AN_SPEC_LIST)
        return read_function(r, name, node, &out->function);
    an_lr_function *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!read_function(r, name, element(node, i), &each[i]))
            return false;
    out->each = each;
    return true;
}

/* -------------------------------------------------------------- parameters */

static bool read_choice(reader *r, const an_lr_param *param, const an_spec_node *node,
                        an_lr_desc *desc)
{
    bool word = node->kind == AN_SPEC_STRING || node->kind == AN_SPEC_NAME;
    char choices[80] = "";
    size_t used = 0;
    for (int i = 0; param->choices[i]; i++) {
        if (word && strcmp(node->text, param->choices[i]) == 0) {
            an__lr_choice_set(desc, param, i);
            return true;
        }
        used += an_format(choices + used, sizeof choices - used, i > 0 ? ", '%s'" : "'%s'",
                          param->choices[i]);
    }
    return an_spec_error(r->source, node->offset, r->err, "%s must be one of %s, got %.*s",
                         param->name, choices, (int)(node->length < 64 ? node->length : 64),
                         r->source->text + node->offset);
}

static bool read_value(reader *r, const char *name, const an_spec_node *node, an_lr_value *out)
{
    if (node->kind == AN_SPEC_CALL)
        return read_child(r, node, &out->schedule);
    return an_spec_number(r->source, name, node, &out->value, r->err);
}

static bool read_name(reader *r, const char *name, const an_spec_node *node, const char **out)
{
    if (node->kind != AN_SPEC_STRING && node->kind != AN_SPEC_NAME)
        return an_spec_error(r->source, node->offset, r->err, "%s must be a name in quotes", name);
    *out = an_arena_text(r->arena, node->text, strlen(node->text));
    return *out || out_of_memory(r);
}

/* What counts steps may be written in other units; epochs and steps_per_epoch say what these are.
 */
static bool read_integer(reader *r, const char *name, const an_spec_node *node, int64_t *out)
{
    if (strcmp(name, "epochs") == 0 || strcmp(name, "steps_per_epoch") == 0)
        return an_spec_integer(r->source, name, node, out, r->err);
    return an__lr_read_steps(r->source, name, node, r->run, out, r->err);
}

static bool read_param(reader *r, const an_lr_param *param, const an_spec_node *node,
                       an_lr_desc *desc)
{
    void *to = (unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        return read_integer(r, param->name, node, to);
    case AN_LR_REAL:
        return an_spec_number(r->source, param->name, node, to, r->err);
    case AN_LR_BOOL:
        return an_spec_bool(r->source, param->name, node, to, r->err);
    case AN_LR_CHOICE:
        return read_choice(r, param, node, desc);
    case AN_LR_REALS:
        return read_reals(r, param->name, node, to);
    case AN_LR_INTEGERS:
        return read_integers(r, param->name, node, to);
    case AN_LR_FUNCTION:
        return read_function(r, param->name, node, to);
    case AN_LR_FUNCTIONS:
        return read_functions(r, param->name, node, to);
    case AN_LR_CHILDREN:
        return read_children(r, node, to);
    case AN_LR_CHILD:
        return read_child(r, node, to);
    case AN_LR_VALUE:
        return read_value(r, param->name, node, to);
    case AN_LR_NUMBERS:
        return read_numbers(r, param->name, node, to);
    case AN_LR_LENGTH:
        return an__lr_read_length(r->source, param->name, node, to, r->err);
    case AN_LR_LENGTHS:
        return read_lengths(r, param->name, node, to);
    case AN_LR_NAME:
        return read_name(r, param->name, node, to);
    }
    return false;
}

/* None stands for absent, where absent is possible. */
static bool is_none(const an_lr_param *param, const an_spec_node *node)
{
    return node->kind == AN_SPEC_NONE && !param->required &&
           (param->type == AN_LR_INTEGER || param->type == AN_LR_FUNCTION ||
            param->type == AN_LR_LENGTH || param->type == AN_LR_VALUE ||
            param->type == AN_LR_REAL) &&
           isnan(param->fallback);
}

/* ------------------------------------------------------------------- calls */

static bool find_kind(const char *name, an_lr_kind *kind)
{
    for (*kind = 0; *kind < AN_LR_KIND_COUNT; (*kind)++)
        if (strcmp(name, an_lr_name(*kind)) == 0)
            return true;
    return false;
}

/* The nearest name of a schedule, also among those of other systems. */
static const char *nearest(reader *r, const char *name)
{
    size_t length = strlen(name), count;
    const an_lr_alias *rows = an_lr_aliases(&count);
    const char *near = an_nearest(name, length, an_lr_names(), AN_LR_KIND_COUNT);
    const char **names = near ? NULL : an_arena_alloc(r->arena, count * sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = rows[i].name;
    return names ? an_nearest(name, length, names, count) : near;
}

static bool unknown_kind(reader *r, const an_spec_node *call)
{
    const char *near = nearest(r, call->text);
    return an_spec_error(r->source, call->offset, r->err,
                         near ? "there is no schedule '%s'; did you mean '%s'?"
                              : "there is no schedule '%s'",
                         call->text, near);
}

/* A call of another system: reads what it stands for, and blames the call for what is wrong there.
 */
static bool read_alias(reader *r, const an_spec_node *call, an_lr_desc *desc)
{
    const char *text = an__lr_alias_text(r->source, call, r->run, r->arena, r->err);
    if (!text)
        return false;
    an_error found = {0};
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, &r->arena->allocator, &found);
    reader inner = *r;
    inner.source = spec ? an_spec_where(spec) : NULL;
    inner.err = &found;
    bool good = spec && read_call(&inner, an_spec_root(spec), desc);
    an_spec_free(spec);
    if (good || found.code == AN_ERROR_MEMORY)
        return good || out_of_memory(r);
    const char *sentence = strstr(found.message, ": ");
    return an_spec_error(r->source, call->offset, r->err, "%s is %s, where %s", call->text, text,
                         sentence ? sentence + 2 : found.message);
}

/* Fills what a trainer knows and the text does not say. */
static void fill_in(an_lr_desc *desc, const an_lr_run *run)
{
    an_one_cycle_lr *p = &desc->one_cycle;
    if (!run || desc->kind != AN_ONE_CYCLE_LR || p->total_steps != AN_LR_NONE)
        return;
    if (p->epochs == AN_LR_NONE && p->steps_per_epoch == AN_LR_NONE && run->total_steps > 0) {
        p->total_steps = run->total_steps;
        return;
    }
    if (p->epochs == AN_LR_NONE && run->epochs > 0)
        p->epochs = run->epochs;
    if (p->steps_per_epoch == AN_LR_NONE && run->steps_per_epoch > 0)
        p->steps_per_epoch = run->steps_per_epoch;
}

/* A chain is refused at the child that erases what the others did. */
static bool check_chain(reader *r, const an_lr_desc *desc, const an_spec_node *schedulers)
{
    const an_lr_children *children = &desc->chained.schedulers;
    an_error found = {0};
    for (size_t i = 1; desc->kind == AN_CHAINED_LR && i < children->count; i++)
        if (an__lr_erases(children->each[i]) && !an_lr_check(desc, 0, &found))
            return at(r, element(schedulers, i), &found);
    return true;
}

/* Cross-checks a description whose parameters are `values`, in the table's order. */
static bool check_rules(reader *r, const an_spec_node *call, const an_lr_desc *desc,
                        const an_lr_param *params, size_t count, const an_spec_node **values)
{
    an_error found = {0};
    const char *blame = NULL;
    if (an__lr_check_rules(desc, &blame, &found))
        return check_chain(r, desc, values[0]);
    for (size_t i = 0; i < count; i++)
        if (blame && values[i] && strcmp(params[i].name, blame) == 0)
            return at(r, values[i], &found);
    return at(r, call, &found);
}

/*
 * What calls that are pasted have at their end: PyTorch's last_epoch, with its default, and until
 * 2.6 verbose, which has it print (from 2.2 on, "deprecated"). They say nothing here.
 */
static bool check_last(reader *r, const an_spec_node *last_epoch, const an_spec_node *verbose)
{
    int64_t epoch = -1;
    bool ignored;
    if (!an_spec_integer(r->source, "last_epoch", last_epoch, &epoch, r->err))
        return false;
    if (epoch != -1)
        return an_spec_error(r->source, last_epoch->offset, r->err,
                             "last_epoch can only be -1; to go on with an earlier run, load its "
                             "state; to begin at a step, set it with an_lr_step_to");
    return (verbose && verbose->kind == AN_SPEC_STRING && !strcmp(verbose->text, "deprecated")) ||
           an_spec_bool(r->source, "verbose", verbose, &ignored, r->err);
}

/*
 * Matches the arguments of `call` to the table. Where PyTorch has the name, its last two come
 * before Anneal's after_end; a plateau's verbose comes where others have last_epoch.
 */
static bool bind(reader *r, const an_spec_node *call, an_lr_kind kind, const an_spec_node **values)
{
    an_spec_param signature[MAX_PARAMS + LAST_PARAMS + 1] = {{0}};
    size_t count;
    const an_lr_param *params = an_lr_params(kind, &count);
    for (size_t i = 0; i < count; i++)
        signature[i] = (an_spec_param){params[i].name, params[i].required};
    if (kind >= AN_LR_CONSTANT)
        return an_spec_bind(r->source, call, signature, count, values, r->err);
    bool ends = strcmp(params[count - 1].name, "after_end") == 0;
    size_t own = ends ? count - 1 : count;
    size_t verbose = kind == AN_PLATEAU_LR ? own : own + 1;
    size_t last_epoch = kind == AN_PLATEAU_LR ? own + 1 : own;
    signature[own + LAST_PARAMS] = signature[own];
    signature[verbose] = (an_spec_param){"verbose", false};
    signature[last_epoch] = (an_spec_param){"last_epoch", false};
    bool good = an_spec_bind(r->source, call, signature, count + LAST_PARAMS, values, r->err) &&
                check_last(r, values[last_epoch], values[verbose]);
    if (ends)
        values[own] = values[own + LAST_PARAMS];
    return good;
}

static bool read_call(reader *r, const an_spec_node *call, an_lr_desc *desc)
{
    an_lr_kind kind = AN_STEP_LR;
    if (call->kind != AN_SPEC_CALL)
        return an_spec_error(r->source, call->offset, r->err,
                             "a schedule is written as a call, such as StepLR(step_size=30)");
    if (an__lr_is_alias(r->source, call, true))
        return read_alias(r, call, desc);
    if (!find_kind(call->text, &kind))
        return an__lr_is_alias(r->source, call, false) ? read_alias(r, call, desc)
                                                       : unknown_kind(r, call);
    size_t count;
    const an_lr_param *params = an_lr_params(kind, &count);
    const an_spec_node *values[MAX_PARAMS + LAST_PARAMS];
    if (!bind(r, call, kind, values))
        return false;
    *desc = an_lr_defaults(kind);
    an_error found = {0};
    for (size_t i = 0; i < count; i++) {
        if (!values[i] || is_none(&params[i], values[i]))
            continue;
        if (!read_param(r, &params[i], values[i], desc))
            return false;
        if (!an__lr_check_param(desc, &params[i], 0, &found))
            return at(r, values[i], &found);
    }
    fill_in(desc, r->run);
    return check_rules(r, call, desc, params, count, values);
}

/* ------------------------------------------------------------------- texts */

/* Takes the reader's source, run and saved; `allocator` may be NULL. */
static an_lr_text *parse(reader r, const an_spec_node *call, const an_allocator *allocator)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_lr_text *text = an_alloc(&own, 1, sizeof *text, r.err);
    if (!text)
        return NULL;
    an_arena_init(&text->arena, own);
    r.arena = &text->arena;
    an_error found = {0};
    bool good = read_call(&r, call, &text->desc);
    if (good && !an_lr_check(&text->desc, 0, &found))
        good = at(&r, call, &found);
    if (good)
        return text;
    an_lr_text_free(text);
    return NULL;
}

static an_lr_text *parse_string(reader r, const char *text, const an_allocator *allocator)
{
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, allocator, r.err);
    if (!spec)
        return NULL;
    r.source = an_spec_where(spec);
    an_lr_text *result = parse(r, an_spec_root(spec), allocator);
    an_spec_free(spec);
    return result;
}

an_lr_text *an_lr_parse(const an_spec_source *source, const an_spec_node *call,
                        const an_lr_run *run, const an_allocator *allocator, an_error *err)
{
    return parse((reader){.source = source, .run = run, .err = err}, call, allocator);
}

an_lr_text *an_lr_parse_text(const char *text, const an_lr_run *run, const an_allocator *allocator,
                             an_error *err)
{
    return parse_string((reader){.run = run, .err = err}, text, allocator);
}

an_lr_text *an__lr_parse_saved(const char *text, const an_allocator *allocator, an_error *err)
{
    return parse_string((reader){.saved = true, .err = err}, text, allocator);
}

const an_lr_desc *an_lr_text_desc(const an_lr_text *text)
{
    return &text->desc;
}

void an_lr_text_free(an_lr_text *text)
{
    if (!text)
        return;
    an_allocator allocator = text->arena.allocator;
    an_arena_free(&text->arena);
    an_release(&allocator, text, 1, sizeof *text);
}

const char *const *an_lr_names(void)
{
    static const char *const names[] = {
#define NAME(constant, name, member) #name,
        AN_LR_KIND_MAP(NAME)
#undef NAME
            NULL};
    return names;
}
