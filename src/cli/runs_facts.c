/* What is known of a run, by name: its row, its numbers, its parameters and their arguments. */
#include "cli/find.h"
#include "cli/runs.h"

#include <anneal/spec.h>

#include <math.h>
#include <string.h>

#define NUMBER_SIZE 40
#define NAMES_MOST 4096
/* Facts that every run has. */
#define RUN_FACTS 14
#define PARAM_PREFIX "config."

/* A list of facts under construction. */
typedef struct builder {
    an_arena *arena;
    cli_fact *facts;
    size_t count, most;
    bool failed; /* no memory */
} builder;

/* ----------------------------------------------------------------- building */

static char *copy(builder *b, const char *text, size_t length)
{
    char *copied = an_arena_text(b->arena, text, length);
    b->failed = b->failed || !copied;
    return copied;
}

static void add(builder *b, cli_fact_kind kind, const char *name, const char *text,
                const char *head)
{
    if (b->failed || b->count == b->most)
        return;
    cli_fact *fact = &b->facts[b->count++];
    size_t length = strlen(text);
    *fact = (cli_fact){kind, name, text, head, false, NAN};
    double number;
    if (length > 0 && an_number_parse(text, length, &number) == length) {
        fact->is_number = true;
        fact->number = number;
    }
}

static void add_text(builder *b, const char *name, const char *text)
{
    if (*text)
        add(b, CLI_FACT_RUN, name, text, text);
}

static void add_number(builder *b, cli_fact_kind kind, const char *name, double value)
{
    char text[NUMBER_SIZE];
    size_t length = an_number_print(text, sizeof text, value);
    char *copied = copy(b, text, length);
    if (copied)
        add(b, kind, name, copied, copied);
}

static void add_run(builder *b, const an_stored_run *run)
{
    add_text(b, "name", run->name);
    add_text(b, "status", an_run_status_name(run->status));
    add_number(b, CLI_FACT_RUN, "started", run->started);
    add_number(b, CLI_FACT_RUN, "updated", run->updated);
    add_number(b, CLI_FACT_RUN, "seconds", run->seconds);
    add_number(b, CLI_FACT_RUN, "step", (double)run->step);
    add_number(b, CLI_FACT_RUN, "steps", (double)run->steps);
    add_number(b, CLI_FACT_RUN, "epoch", (double)run->epoch);
    add_number(b, CLI_FACT_RUN, "epochs", (double)run->epochs);
    add_text(b, "folder", run->folder);
    add_text(b, "host", run->host);
    add_text(b, "version", run->version);
    add_text(b, "note", run->note);
}

static bool has(const builder *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->facts[i].name, name) == 0)
            return true;
    return false;
}

/* "optimizer.lr", or "schedule.0" of an argument without a name. */
static void add_argument(builder *b, const char *of, const char *call, const an_spec_arg *arg,
                         size_t i)
{
    char name[256], place[24];
    an_format(place, sizeof place, "%zu", i);
    size_t length = an_format(name, sizeof name, "%s.%s", of, arg->keyword ? arg->keyword : place);
    if (length >= sizeof name)
        return;
    char *text = copy(b, call + arg->value->offset, arg->value->length);
    char *key = copy(b, name, length);
    if (text && key)
        add(b, CLI_FACT_ARGUMENT, key, text, text);
}

/* The name under which a parameter is known: its own, unless something measured has that. */
static const char *param_name(builder *b, const char *own)
{
    char name[256];
    if (!has(b, own))
        return own;
    size_t length = an_format(name, sizeof name, PARAM_PREFIX "%s", own);
    return length < sizeof name ? copy(b, name, length) : NULL;
}

/* A parameter that is written as a call has its arguments as facts of their own. */
static void add_param(builder *b, const an_named_text *param)
{
    an_spec_source source = an_spec_source_text(param->text);
    an_spec *spec = an_spec_parse(&source, NULL, NULL);
    const an_spec_node *root = spec ? an_spec_root(spec) : NULL;
    bool call = root && root->kind == AN_SPEC_CALL;
    const char *head = call ? copy(b, root->text, strlen(root->text)) : param->text;
    const char *name = param_name(b, param->name);
    if (head && name)
        add(b, CLI_FACT_PARAM, name, param->text, head);
    for (size_t i = 0; call && name && i < root->arg_count; i++)
        add_argument(b, name, param->text, &root->args[i], i);
    an_spec_free(spec);
}

bool cli_fact_is_given(const cli_fact *fact)
{
    return fact->kind == CLI_FACT_PARAM || fact->kind == CLI_FACT_ARGUMENT;
}

const char *cli_fact_key(const cli_fact *fact)
{
    size_t length = sizeof PARAM_PREFIX - 1;
    bool prefixed = fact->kind == CLI_FACT_PARAM && strncmp(fact->name, PARAM_PREFIX, length) == 0;
    return fact->name + (prefixed ? length : 0);
}

/* At most so many facts: a call has fewer arguments than its text has commas and one. */
static size_t most_facts(const an_stored_run *run)
{
    size_t most = RUN_FACTS + run->value_count;
    for (size_t i = 0; i < run->param_count; i++) {
        most += 2;
        for (const char *c = run->params[i].text; *c; c++)
            most += *c == ',';
    }
    return most;
}

static bool learn(cli_runs *runs, const an_stored_run *run, cli_known *known, an_error *err)
{
    builder b = {.arena = &runs->arena, .most = most_facts(run)};
    b.facts = an_arena_alloc(&runs->arena, b.most * sizeof *b.facts);
    if (b.facts) {
        add_run(&b, run);
        for (size_t i = 0; i < run->value_count; i++)
            if (!has(&b, run->values[i].name))
                add_number(&b, CLI_FACT_VALUE, run->values[i].name, run->values[i].value);
        for (size_t i = 0; i < run->param_count; i++)
            add_param(&b, &run->params[i]);
    }
    *known = (cli_known){run, b.facts, b.count};
    return (b.facts && !b.failed) ||
           an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the runs");
}

bool cli_runs_open(cli_runs *runs, const char *folder, an_error *err)
{
    *runs = (cli_runs){.store = NULL};
    an_arena_init(&runs->arena, an_allocator_default());
    runs->store = an_store_open(folder, false, err);
    if (!runs->store || !an_store_list(runs->store, &runs->list, err))
        return false;
    runs->known = an_arena_alloc(&runs->arena, (runs->list.count + 1) * sizeof *runs->known);
    if (!runs->known)
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the runs");
    for (size_t i = 0; i < runs->list.count; i++)
        if (!learn(runs, &runs->list.runs[i], &runs->known[i], err))
            return false;
    return true;
}

void cli_runs_close(cli_runs *runs)
{
    an_stored_runs_free(&runs->list);
    an_store_close(runs->store);
    an_arena_free(&runs->arena);
}

/* ------------------------------------------------------------------ finding */

const cli_fact *cli_fact_of(const cli_known *known, const char *name)
{
    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->facts[i].name, name) == 0)
            return &known->facts[i];
    return NULL;
}

bool cli_is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* "runs/mnist-mlp-3f2a/" as "mnist-mlp-3f2a" too. */
static bool is_called(const an_stored_run *run, const char *name)
{
    size_t length = cli_name_length(name), own = strlen(run->name);
    return length >= own && memcmp(name + length - own, run->name, own) == 0 &&
           (length == own || name[length - own - 1] == '/');
}

const cli_known *cli_runs_find(const cli_runs *runs, const char *name, an_error *err)
{
    const char *names[NAMES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < runs->list.count; i++) {
        if (is_called(&runs->list.runs[i], name))
            return &runs->known[i];
        if (count < NAMES_MOST)
            names[count++] = runs->list.runs[i].name;
    }
    const char *near = an_nearest(name, strlen(name), names, count);
    an_error_set(err, AN_ERROR_ARGUMENT, "there is no run '%s'%s%s%s", name,
                 near ? "; did you mean '" : "; 'anneal runs list' names them", near ? near : "",
                 near ? "'?" : "");
    return NULL;
}

bool cli_runs_know(const cli_runs *runs, const char *name, an_error *err)
{
    const char *names[NAMES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < runs->list.count; i++) {
        const cli_known *known = &runs->known[i];
        if (cli_fact_of(known, name))
            return true;
        for (size_t f = 0; f < known->count && count < NAMES_MOST; f++)
            names[count++] = known->facts[f].name;
    }
    const char *near = an_nearest(name, strlen(name), names, count);
    return an_error_set(err, AN_ERROR_ARGUMENT, "no run has '%s'%s%s%s", name,
                        near ? "; did you mean '" : "; 'anneal runs show' lists what a run has",
                        near ? near : "", near ? "'?" : "");
}
