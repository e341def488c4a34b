/*
 * state_compare.c - a saved description against another: what of it differs, in words.
 */
#include "lr/numeric.h"

#include "lr/state.h"
#include <string.h>

AN__COLD_BEGIN

/* ------------------------------------------------------------------ words */

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
    an__lr_put_value(&sink, desc, param);
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
    an__lr_put_value(&sink, desc, param);
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
        if (!an__lr_is_child(&table[i]))
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
