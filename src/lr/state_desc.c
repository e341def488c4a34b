/*
 * state_desc.c - the description within a state: what it was saved with, and what differs now.
 *
 *   description  kind | params: 4 | param ... | children: 4 | description ...
 *   param        name | size: 4 | value: size bytes
 *   kind, name   length: 4 | bytes, as PyTorch spells it
 *
 * Parameters that have their default are left out, so that a state still fits when later versions
 * have more of them. A value is, by the parameter's type:
 *
 *   integer, choice, boolean, real   8 bytes
 *   a list of reals                  count: 8 | real ...    a count of 0: one real for all groups
 *   a list of integers               count: 8 | integer ...
 *   a function                       0: 4, absent; 1: 4, of the host's; 2: 4 | length: 4 | text
 *   a list of functions              count: 8 | function ... a count of 0: one for all groups
 *   a length                         real: 8 | unit: 4
 *   a list of lengths, of numbers    count: 8 | length ... or real ...
 *   a real or a schedule             real: 8, or nothing: the schedule is one of the children
 *   a name                           length: 4 | text
 *
 * The children are all schedules within, as an_lr_child counts them.
 *
 * What a function of the host's computes is not seen: it counts as equal to any other.
 */
#include "lr/numeric.h"

#include "lr/state.h"
#include <string.h>

AN__COLD_BEGIN

/* ----------------------------------------------------------------- writing */

void an__lr_put_text(an__lr_sink *sink, const char *text)
{
    size_t length = strlen(text);
    an__lr_put(sink, length, 4);
    for (size_t i = 0; i < length; i++)
        an__lr_put(sink, (unsigned char)text[i], 1);
}

/* When the sink compares and either function is of the host's, passes the saved one over. */
static bool pass_over(an__lr_sink *sink, unsigned form)
{
    if (!sink->saved)
        return false;
    an__lr_source ahead = *sink->saved;
    unsigned saved = (unsigned)an__lr_get(&ahead, 4);
    if (form == AN__NO_FUNCTION || saved == AN__NO_FUNCTION ||
        (form != AN__HOST_FUNCTION && saved != AN__HOST_FUNCTION))
        return false;
    if (saved == AN__TEXT_FUNCTION)
        an__lr_take(&ahead, an__lr_get(&ahead, 4));
    *sink->saved = ahead;
    return true;
}

static void put_function(an__lr_sink *sink, const an_lr_function *f)
{
    unsigned form = !f->call ? AN__NO_FUNCTION : f->text ? AN__TEXT_FUNCTION : AN__HOST_FUNCTION;
    if (pass_over(sink, form))
        return;
    an__lr_put(sink, form, 4);
    if (form == AN__TEXT_FUNCTION)
        an__lr_put_text(sink, f->text);
}

static void put_reals(an__lr_sink *sink, const an_lr_reals *reals)
{
    an__lr_put(sink, reals->count, 8);
    if (reals->count == 0)
        an__lr_put_real(sink, reals->value);
    for (size_t i = 0; i < reals->count; i++)
        an__lr_put_real(sink, reals->each[i]);
}

static void put_integers(an__lr_sink *sink, const an_lr_integers *integers)
{
    an__lr_put(sink, integers->count, 8);
    for (size_t i = 0; i < integers->count; i++)
        an__lr_put(sink, (uint64_t)integers->each[i], 8);
}

static void put_functions(an__lr_sink *sink, const an_lr_functions *functions)
{
    an__lr_put(sink, functions->count, 8);
    if (functions->count == 0)
        put_function(sink, &functions->function);
    for (size_t i = 0; i < functions->count; i++)
        put_function(sink, &functions->each[i]);
}

static void put_numbers(an__lr_sink *sink, const an_lr_numbers *numbers)
{
    an__lr_put(sink, numbers->count, 8);
    for (size_t i = 0; i < numbers->count; i++)
        an__lr_put_real(sink, numbers->each[i]);
}

static void put_lengths(an__lr_sink *sink, const an_lr_length *each, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        an__lr_put_real(sink, each[i].value);
        an__lr_put(sink, each[i].unit, 4);
    }
}

static void put_value(an__lr_sink *sink, const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        an__lr_put(sink, (uint64_t) * (const int64_t *)at, 8);
        break;
    case AN_LR_REAL:
        an__lr_put_real(sink, *(const double *)at);
        break;
    case AN_LR_BOOL:
        an__lr_put(sink, *(const bool *)at, 8);
        break;
    case AN_LR_CHOICE:
        an__lr_put(sink, (uint64_t)an__lr_choice(desc, param), 8);
        break;
    case AN_LR_REALS:
        put_reals(sink, at);
        break;
    case AN_LR_INTEGERS:
        put_integers(sink, at);
        break;
    case AN_LR_FUNCTION:
        put_function(sink, at);
        break;
    case AN_LR_FUNCTIONS:
        put_functions(sink, at);
        break;
    case AN_LR_NUMBERS:
        put_numbers(sink, at);
        break;
    case AN_LR_LENGTH:
        put_lengths(sink, at, 1);
        break;
    case AN_LR_LENGTHS:
        an__lr_put(sink, ((const an_lr_lengths *)at)->count, 8);
        put_lengths(sink, ((const an_lr_lengths *)at)->each, ((const an_lr_lengths *)at)->count);
        break;
    case AN_LR_VALUE:
        if (!((const an_lr_value *)at)->schedule)
            an__lr_put_real(sink, ((const an_lr_value *)at)->value);
        break;
    case AN_LR_NAME:
        an__lr_put_text(sink, *(const char *const *)at ? *(const char *const *)at : "");
        break;
    case AN_LR_CHILDREN:
    case AN_LR_CHILD:
        break;
    }
}

static bool is_child(const an_lr_param *param)
{
    return param->type == AN_LR_CHILDREN || param->type == AN_LR_CHILD;
}

static bool is_saved(const an_lr_desc *desc, const an_lr_param *param)
{
    return !is_child(param) && !an__lr_is_default(desc, param);
}

static void put_params(an__lr_sink *sink, const an_lr_desc *desc)
{
    size_t count;
    uint64_t saved = 0;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++)
        saved += is_saved(desc, &params[i]);
    an__lr_put(sink, saved, 4);
    for (size_t i = 0; i < count; i++) {
        if (!is_saved(desc, &params[i]))
            continue;
        an__lr_sink counted = {0};
        put_value(&counted, desc, &params[i]);
        an__lr_put_text(sink, params[i].name);
        an__lr_put(sink, counted.used, 4);
        put_value(sink, desc, &params[i]);
    }
}

void an__lr_put_desc(an__lr_sink *sink, const an_lr_desc *desc)
{
    desc = an__lr_unwrap(desc);
    size_t count = an_lr_child_count(desc);
    an__lr_put_text(sink, an_lr_name(desc->kind));
    put_params(sink, desc);
    an__lr_put(sink, count, 4);
    for (size_t i = 0; i < count; i++)
        an__lr_put_desc(sink, an_lr_child(desc, i));
}

AN__SMALL size_t an__lr_count_nodes(const an_lr_desc *desc)
{
    desc = an__lr_unwrap(desc);
    size_t count = 1, children = an_lr_child_count(desc);
    for (size_t i = 0; i < children; i++)
        count += an__lr_count_nodes(an_lr_child(desc, i));
    return count;
}

/* ----------------------------------------------------------------- reading */

static bool is_text(const char *name, const unsigned char *text, uint64_t length)
{
    return text && strlen(name) == length && memcmp(name, text, length) == 0;
}

static bool get_kind(an__lr_source *source, an_lr_kind *kind)
{
    uint64_t length = an__lr_get(source, 4);
    const unsigned char *text = an__lr_take(source, length);
    for (*kind = 0; *kind < AN_LR_KIND_COUNT; (*kind)++)
        if (is_text(an_lr_name(*kind), text, length))
            return true;
    return false;
}

static bool get_param(an__lr_source *source, const an_lr_param *table, size_t count,
                      an__lr_saved_param *params)
{
    uint64_t length = an__lr_get(source, 4);
    const unsigned char *name = an__lr_take(source, length);
    uint64_t size = an__lr_get(source, 4);
    const unsigned char *value = an__lr_take(source, size);
    for (size_t i = 0; value && i < count; i++)
        if (!is_child(&table[i]) && is_text(table[i].name, name, length)) {
            bool twice = params[i].value.at != NULL;
            params[i].value = (an__lr_source){.at = value, .end = value + size};
            return !twice;
        }
    return false;
}

bool an__lr_get_node(an__lr_source *source, an_lr_kind *kind, an__lr_saved_param *params,
                     size_t *children)
{
    size_t count;
    if (!get_kind(source, kind))
        return false;
    const an_lr_param *table = an_lr_params(*kind, &count);
    memset(params, 0, AN__LR_MAX_PARAMS * sizeof *params);
    uint64_t saved = an__lr_get(source, 4);
    if (saved > count)
        return false;
    for (uint64_t i = 0; i < saved; i++)
        if (!get_param(source, table, count, params))
            return false;
    *children = (size_t)an__lr_get(source, 4);
    return !source->broken && *children <= AN__LR_MAX_NODES;
}

/* --------------------------------------------------------------- comparing */

/* Text that is cut where the room ends; `used` goes on counting. */
typedef struct words {
    char *text;
    size_t size, used;
} words;

static void say(words *w, const char *text)
{
    size_t at = w->used < w->size ? w->used : w->size;
    w->used += an_format(w->text + at, w->size - at, "%s", text);
}

static void say_number(words *w, const an_lr_param *param, uint64_t bits, int digits)
{
    char text[40];
    double real;
    memcpy(&real, &bits, sizeof real);
    if (param->type == AN_LR_BOOL)
        an_format(text, sizeof text, bits ? "True" : "False");
    else if (param->type == AN_LR_CHOICE)
        an_format(text, sizeof text, "'%s'", an__lr_choice_name(param, bits));
    else if (param->type == AN_LR_REAL || param->type == AN_LR_REALS ||
             param->type == AN_LR_VALUE || param->type == AN_LR_NUMBERS)
        an_format(text, sizeof text, "%.*g", digits, real);
    else if ((int64_t)bits == AN_LR_NONE)
        an_format(text, sizeof text, "None");
    else
        an_format(text, sizeof text, "%lld", (long long)(int64_t)bits);
    say(w, text);
}

/* "0.3run", "[500st, 5ep]". */
static void say_lengths(words *w, const an_lr_param *param, an__lr_source value, int digits)
{
    char text[48];
    bool list = param->type == AN_LR_LENGTHS;
    uint64_t count = list ? an__lr_get(&value, 8) : 1;
    say(w, list ? "[" : "");
    for (uint64_t i = 0; i < count && w->used < w->size && value.at < value.end; i++) {
        double length = an__lr_get_real(&value);
        an_lr_unit unit = (an_lr_unit)an__lr_get(&value, 4);
        an_format(text, sizeof text, "%s%.*g%s", i > 0 ? ", " : "", digits, length,
                  an__lr_unit_text(unit));
        say(w, isnan(length) ? "None" : text);
    }
    say(w, list ? "]" : "");
}

static void say_name(words *w, const an_lr_param *param, an__lr_source value)
{
    uint64_t length = param->type == AN_LR_NAME ? an__lr_get(&value, 4) : 0;
    const unsigned char *text = an__lr_take(&value, length);
    char name[48];
    an_format(name, sizeof name, "'%.*s'", (int)(length < 32 ? length : 32),
              text ? (const char *)text : "");
    say(w, param->type == AN_LR_NAME ? name : "a schedule");
}

/* A value from its bytes: "0.1", "[30, 60]". Of a function, only whether there is one. */
static void say_value(words *w, const an_lr_param *param, an__lr_source value, int digits)
{
    if (param->type == AN_LR_FUNCTION || param->type == AN_LR_FUNCTIONS) {
        bool none = param->type == AN_LR_FUNCTION && an__lr_get(&value, 4) == AN__NO_FUNCTION;
        say(w, none ? "None" : "a function");
        return;
    }
    if (param->type == AN_LR_LENGTH || param->type == AN_LR_LENGTHS) {
        say_lengths(w, param, value, digits);
        return;
    }
    if (param->type == AN_LR_NAME || (param->type == AN_LR_VALUE && value.at == value.end)) {
        say_name(w, param, value);
        return;
    }
    bool reals = param->type == AN_LR_REALS,
         list = param->type == AN_LR_INTEGERS || param->type == AN_LR_NUMBERS || reals;
    uint64_t count = list ? an__lr_get(&value, 8) : 1;
    list = list && !(reals && count == 0);
    if (reals && count == 0)
        count = 1;
    say(w, list ? "[" : "");
    for (uint64_t i = 0; i < count && w->used < w->size && value.at < value.end; i++) {
        say(w, i > 0 ? ", " : "");
        say_number(w, param, an__lr_get(&value, 8), digits);
    }
    say(w, list ? "]" : "");
}

#define VALUE_SIZE 128

/* Two values that differ, with as many digits as it takes to see it. */
static void say_change(words *w, const an_lr_param *param, an__lr_source saved, an__lr_source own)
{
    char text[2][VALUE_SIZE] = {"", ""};
    for (int digits = 6; digits <= 17 && strcmp(text[0], text[1]) == 0; digits += 11) {
        say_value(&(words){text[0], VALUE_SIZE, 0}, param, saved, digits);
        say_value(&(words){text[1], VALUE_SIZE, 0}, param, own, digits);
    }
    say(w, param->name);
    say(w, " ");
    say(w, text[0]);
    say(w, " -> ");
    say(w, text[1]);
}

/* The walk over both descriptions; `path` says which child is compared. */
typedef struct walk {
    an__lr_source saved;
    an_lr_changes *changes;
    words words;
    char path[64];
} walk;

static void begin_change(walk *w)
{
    if (w->changes->count++ > 0)
        say(&w->words, "; ");
    say(&w->words, w->path);
}

/* The bytes of a value, as many as there is room for: the end of a long list is not shown. */
static an__lr_source bytes_of(unsigned char *room, size_t size, const an_lr_desc *desc,
                              const an_lr_param *param)
{
    an__lr_sink sink = {.out = room, .room = size};
    put_value(&sink, desc, param);
    return (an__lr_source){.at = room, .end = room + (sink.used < size ? sink.used : size)};
}

static void compare_param(walk *w, const an_lr_desc *desc, const an_lr_param *param,
                          an__lr_source saved)
{
    unsigned char room[512], fallback[16];
    an_lr_desc defaults = an_lr_defaults(desc->kind);
    if (!saved.at)
        saved = bytes_of(fallback, sizeof fallback, &defaults, param);
    an__lr_source ahead = saved;
    an__lr_sink sink = {.saved = &ahead};
    put_value(&sink, desc, param);
    if (!sink.differs && !ahead.broken && ahead.at == ahead.end)
        return;
    begin_change(w);
    say_change(&w->words, param, saved, bytes_of(room, sizeof room, desc, param));
}

static an__lr_relation other_kinds(walk *w, const char *saved, size_t saved_children,
                                   const char *own, size_t own_children)
{
    char text[128];
    if (strcmp(saved, own) != 0)
        an_format(text, sizeof text, "%s -> %s", saved, own);
    else
        an_format(text, sizeof text, "%s of %zu schedulers -> of %zu", saved, saved_children,
                  own_children);
    begin_change(w);
    say(&w->words, text);
    return AN__OTHER_KINDS;
}

static an__lr_relation compare(walk *w, const an_lr_desc *desc);

/* "schedulers[1].", "schedule.", "end.": the parameter that child `index` is. */
static void name_child(char *text, size_t size, const an_lr_desc *desc, size_t index)
{
    size_t count;
    const an_lr_children *list = an__lr_children_of(desc);
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    const void *place = an__lr_child_place(desc, index);
    if (list && index < list->count)
        an_format(text, size, "%s[%zu].", params[0].name, index);
    for (size_t i = 0; i < count; i++) {
        const unsigned char *at = (const unsigned char *)desc + params[i].offset;
        if (params[i].type == AN_LR_VALUE)
            at += offsetof(an_lr_value, schedule);
        if (place == at)
            an_format(text, size, "%s.", params[i].name);
    }
}

/* Each child under its own path: "schedulers[1].". */
static an__lr_relation compare_children(walk *w, const an_lr_desc *desc, size_t count)
{
    an__lr_relation worst = AN__SAME;
    size_t length = strlen(w->path);
    for (size_t i = 0; i < count && worst < AN__OTHER_KINDS; i++) {
        name_child(w->path + length, sizeof w->path - length, desc, i);
        an__lr_relation relation = compare(w, an_lr_child(desc, i));
        w->path[length] = '\0';
        worst = relation > worst ? relation : worst;
    }
    return worst;
}

static AN__SMALL an__lr_relation compare(walk *w, const an_lr_desc *desc)
{
    an_lr_kind kind;
    an__lr_saved_param params[AN__LR_MAX_PARAMS];
    size_t saved_children, count, before = w->changes->count;
    size_t own_children = an_lr_child_count(desc);
    if (!an__lr_get_node(&w->saved, &kind, params, &saved_children))
        return AN__NO_DESC;
    if (kind != desc->kind || saved_children != own_children)
        return other_kinds(w, an_lr_name(kind), saved_children, an_lr_name(desc->kind),
                           own_children);
    const an_lr_param *table = an_lr_params(kind, &count);
    for (size_t i = 0; i < count; i++)
        if (!is_child(&table[i]))
            compare_param(w, desc, &table[i], params[i].value);
    an__lr_relation relation = compare_children(w, desc, own_children);
    return relation == AN__SAME && w->changes->count > before ? AN__OTHER_PARAMS : relation;
}

/* ---------------------------------------------------------- facts of the run */

/* Whether a length of the tree follows from what is known of the run. */
static bool uses_run(const an_lr_desc *desc)
{
    size_t count, children = an_lr_child_count(desc);
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const unsigned char *)desc + params[i].offset;
        an_lr_lengths list = {.each = at, .count = params[i].type == AN_LR_LENGTH};
        if (params[i].type == AN_LR_LENGTHS)
            list = *(const an_lr_lengths *)at;
        for (size_t k = 0; k < list.count; k++)
            if (isnan(list.each[k].value) ||
                (list.each[k].unit != AN_STEPS && list.each[k].unit != AN_SECONDS))
                return true;
    }
    for (size_t i = 0; i < children; i++)
        if (uses_run(an_lr_child(desc, i)))
            return true;
    return false;
}

static void compare_fact(walk *w, const char *name, double saved, double own)
{
    char text[96];
    if (saved == own)
        return;
    begin_change(w);
    an_format(text, sizeof text, "run.%s %.17g -> %.17g", name, saved, own);
    say(&w->words, text);
}

static an__lr_relation compare_run(walk *w, const an_lr_desc *desc, const an_lr_run *saved,
                                   const an_lr_run *run)
{
    size_t before = w->changes->count;
    compare_fact(w, "seconds", saved->seconds, run->seconds);
    if (uses_run(desc) || run->seconds > 0) {
        compare_fact(w, "total_steps", an__lr_steps_of(saved, AN_RUNS),
                     an__lr_steps_of(run, AN_RUNS));
        compare_fact(w, "steps_per_epoch", (double)saved->steps_per_epoch,
                     (double)run->steps_per_epoch);
        compare_fact(w, "samples_per_step", saved->samples_per_step, run->samples_per_step);
        compare_fact(w, "tokens_per_step", saved->tokens_per_step, run->tokens_per_step);
    }
    return w->changes->count > before ? AN__OTHER_PARAMS : AN__SAME;
}

an__lr_relation an__lr_compare_desc(an__lr_source saved, const an_lr_desc *desc,
                                    const an_lr_run *saved_run, const an_lr_run *run,
                                    an_lr_changes *changes)
{
    *changes = (an_lr_changes){0};
    walk w = {
        .saved = saved, .changes = changes, .words = {changes->text, sizeof changes->text, 0}};
    an__lr_relation relation = compare(&w, desc);
    if (relation <= AN__OTHER_PARAMS && w.saved.at != w.saved.end)
        return AN__NO_DESC;
    if (relation <= AN__OTHER_PARAMS && compare_run(&w, desc, saved_run, run) != AN__SAME)
        return AN__OTHER_PARAMS;
    return relation;
}

AN__COLD_END
