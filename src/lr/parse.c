/* parse.c - schedules from text: a call of the grammar to a description, by the one table. */
#include "lr/parse.h"
#include "lr/alias.h"
#include "lr/node.h"
#include "lr/text.h"
#include <math.h>
#include <string.h>

#define MAX_PARAMS 16
#define LAST_PARAMS 2 /* that every call may have after its own */

struct an_lr_text {
    an_arena arena;
    an_lr_desc desc;
};

/* Gives an error that a check found the place that it is about. */
static bool at(an__lr_reader *r, const an_spec_node *node, const an_error *found)
{
    return an_spec_error(r->source, node->offset, r->err, "%s", found->message);
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
static const char *nearest(an__lr_reader *r, const char *name)
{
    size_t length = strlen(name), count;
    const an_lr_alias *rows = an_lr_aliases(&count);
    const char *near = an_nearest(name, length, an_lr_names(), AN_LR_KIND_COUNT);
    const char **names = near ? NULL : an_arena_alloc(r->arena, count * sizeof *names);
    for (size_t i = 0; names && i < count; i++)
        names[i] = rows[i].name;
    return names ? an_nearest(name, length, names, count) : near;
}

static bool unknown_kind(an__lr_reader *r, const an_spec_node *call)
{
    const char *near = nearest(r, call->text);
    return an_spec_error(r->source, call->offset, r->err,
                         near ? "there is no schedule '%s'; did you mean '%s'?"
                              : "there is no schedule '%s'; anneal schedule list shows all, with "
                                "--aliases the names of other systems too",
                         call->text, near);
}

/* A call of another system: reads what it stands for, and blames the call for what is wrong there.
 */
static bool read_alias(an__lr_reader *r, const an_spec_node *call, an_lr_desc *desc)
{
    const char *text = an__lr_alias_text(r->source, call, r->run, r->arena, r->err);
    if (!text)
        return false;
    an_error found = {0};
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, &r->arena->allocator, &found);
    an__lr_reader inner = *r;
    inner.source = spec ? an_spec_where(spec) : NULL;
    inner.err = &found;
    bool good = spec && an__lr_read_call(&inner, an_spec_root(spec), desc);
    an_spec_free(spec);
    if (good || found.code == AN_ERROR_MEMORY)
        return good || an__lr_no_memory(r);
    const char *sentence = strstr(found.message, ": ");
    char length[80] = "";
    if (r->run && r->run->total_steps > 0)
        an_format(length, sizeof length, "; the run has %lld steps (--steps, or the configuration)",
                  (long long)r->run->total_steps);
    return an_spec_error(r->source, call->offset, r->err, "%s is %s, where %s%s", call->text, text,
                         sentence ? sentence + 2 : found.message, length);
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
static bool check_chain(an__lr_reader *r, const an_lr_desc *desc, const an_spec_node *schedulers)
{
    const an_lr_children *children = &desc->chained.schedulers;
    an_error found = {0};
    for (size_t i = 1; desc->kind == AN_CHAINED_LR && i < children->count; i++)
        if (an__lr_erases(children->each[i]) && !an_lr_check(desc, 0, &found))
            return at(r, an__lr_element(schedulers, i), &found);
    return true;
}

/* Cross-checks a description whose parameters are `values`, in the table's order. */
static bool check_rules(an__lr_reader *r, const an_spec_node *call, const an_lr_desc *desc,
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
static bool check_last(an__lr_reader *r, const an_spec_node *last_epoch,
                       const an_spec_node *verbose)
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
static bool bind(an__lr_reader *r, const an_spec_node *call, an_lr_kind kind,
                 const an_spec_node **values)
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

bool an__lr_read_call(an__lr_reader *r, const an_spec_node *call, an_lr_desc *desc)
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
        if (!an__lr_read_param(r, &params[i], values[i], desc))
            return false;
        if (!an__lr_check_param(desc, &params[i], 0, &found))
            return at(r, values[i], &found);
    }
    fill_in(desc, r->run);
    return check_rules(r, call, desc, params, count, values);
}

/* ------------------------------------------------------------------- texts */

/* Takes the reader's source, run and saved; `allocator` may be NULL. */
static an_lr_text *parse(an__lr_reader r, const an_spec_node *call, const an_allocator *allocator)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_lr_text *text = an_alloc(&own, 1, sizeof *text, r.err);
    if (!text)
        return NULL;
    an_arena_init(&text->arena, own);
    r.arena = &text->arena;
    an_error found = {0};
    bool good = an__lr_read_call(&r, call, &text->desc);
    if (good && !an_lr_check(&text->desc, 0, &found))
        good = at(&r, call, &found);
    if (good)
        return text;
    an_lr_text_free(text);
    return NULL;
}

static an_lr_text *parse_string(an__lr_reader r, const char *text, const an_allocator *allocator)
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
    return parse((an__lr_reader){.source = source, .run = run, .err = err}, call, allocator);
}

an_lr_text *an_lr_parse_text(const char *text, const an_lr_run *run, const an_allocator *allocator,
                             an_error *err)
{
    return parse_string((an__lr_reader){.run = run, .err = err}, text, allocator);
}

an_lr_text *an__lr_parse_saved(const char *text, const an_allocator *allocator, an_error *err)
{
    return parse_string((an__lr_reader){.saved = true, .err = err}, text, allocator);
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
