/*
 * state_desc.c - the description within a state: writes it, and reads it node by node.
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

/* Tabs and newlines of an expression are blanks, as where it is printed. */
static void put_formula(an__lr_sink *sink, const char *text)
{
    const size_t length = strlen(text);
    an__lr_put(sink, length, 4);
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        an__lr_put(sink, c < 0x20 ? ' ' : c, 1);
    }
}

static void put_function(an__lr_sink *sink, const an_lr_function *f)
{
    unsigned form = !f->call ? AN__NO_FUNCTION : f->text ? AN__TEXT_FUNCTION : AN__HOST_FUNCTION;
    if (pass_over(sink, form))
        return;
    an__lr_put(sink, form, 4);
    if (form == AN__TEXT_FUNCTION)
        put_formula(sink, f->text);
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

void an__lr_put_value(an__lr_sink *sink, const an_lr_desc *desc, const an_lr_param *param)
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

bool an__lr_is_child(const an_lr_param *param)
{
    return param->type == AN_LR_CHILDREN || param->type == AN_LR_CHILD;
}

static bool is_saved(const an_lr_desc *desc, const an_lr_param *param)
{
    return !an__lr_is_child(param) && !an__lr_is_default(desc, param);
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
        an__lr_put_value(&counted, desc, &params[i]);
        an__lr_put_text(sink, params[i].name);
        an__lr_put(sink, counted.used, 4);
        an__lr_put_value(sink, desc, &params[i]);
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
        if (!an__lr_is_child(&table[i]) && is_text(table[i].name, name, length)) {
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

AN__COLD_END
