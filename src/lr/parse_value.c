/* parse_value.c - the values of a schedule's parameters from the arguments of a call. */
#include "lr/expression.h"
#include "lr/node.h"
#include "lr/parse.h"
#include "lr/text.h"
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------- lists */

/* Room for the list's values; a single value is a list of one. */
static void *list_room(an__lr_reader *r, const an_spec_node *node, size_t size, size_t *count)
{
    *count = node->kind == AN_SPEC_LIST ? node->arg_count : 1;
    void *room = an_arena_alloc(r->arena, (*count > 0 ? *count : 1) * size);
    if (!room)
        an__lr_no_memory(r);
    return room;
}

static bool read_reals(an__lr_reader *r, const char *name, const an_spec_node *node,
                       an_lr_reals *out)
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
        if (!an_spec_number(r->source, name, an__lr_element(node, i), &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_integers(an__lr_reader *r, const char *name, const an_spec_node *node,
                          an_lr_integers *out)
{
    int64_t *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!an__lr_read_steps(r->source, name, an__lr_element(node, i), r->run, &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_numbers(an__lr_reader *r, const char *name, const an_spec_node *node,
                         an_lr_numbers *out)
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
        if (!an_spec_number(r->source, name, an__lr_element(node, i), &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_lengths(an__lr_reader *r, const char *name, const an_spec_node *node,
                         an_lr_lengths *out)
{
    an_lr_length *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!an__lr_read_length(r->source, name, an__lr_element(node, i), &each[i], r->err))
            return false;
    out->each = each;
    return true;
}

static bool read_child(an__lr_reader *r, const an_spec_node *node, const an_lr_desc **out)
{
    an_lr_desc *child = an_arena_alloc(r->arena, sizeof *child);
    if (!child)
        return an__lr_no_memory(r);
    *out = child;
    return an__lr_read_call(r, node, child);
}

static bool read_children(an__lr_reader *r, const an_spec_node *node, an_lr_children *out)
{
    const an_lr_desc **each = list_room(r, node, sizeof(void *), &out->count);
    an_lr_desc *children = each ? list_room(r, node, sizeof *children, &out->count) : NULL;
    if (!children)
        return false;
    for (size_t i = 0; i < out->count; i++) {
        if (!an__lr_read_call(r, an__lr_element(node, i), &children[i]))
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
static bool split_lambda(an__lr_reader *r, const char *name, formula *f)
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
    return (f->variable && f->text) || an__lr_no_memory(r);
}

static bool read_formula(an__lr_reader *r, const char *name, const an_spec_node *node, formula *f)
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
static bool read_function(an__lr_reader *r, const char *name, const an_spec_node *node,
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
        return an__lr_no_memory(r);
    an_format(text, room, f.lambda ? "lambda %s: %s" : "%s%s", f.lambda ? f.variable : "", f.text);
    out->text = text;
    return true;
}

static bool read_functions(an__lr_reader *r, const char *name, const an_spec_node *node,
                           an_lr_functions *out)
{
    if (node->kind != AN_SPEC_LIST)
        return read_function(r, name, node, &out->function);
    an_lr_function *each = list_room(r, node, sizeof *each, &out->count);
    if (!each)
        return false;
    for (size_t i = 0; i < out->count; i++)
        if (!read_function(r, name, an__lr_element(node, i), &each[i]))
            return false;
    out->each = each;
    return true;
}

/* -------------------------------------------------------------- parameters */

static bool read_choice(an__lr_reader *r, const an_lr_param *param, const an_spec_node *node,
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

static bool read_value(an__lr_reader *r, const char *name, const an_spec_node *node,
                       an_lr_value *out)
{
    if (node->kind == AN_SPEC_CALL)
        return read_child(r, node, &out->schedule);
    return an_spec_number(r->source, name, node, &out->value, r->err);
}

static bool read_name(an__lr_reader *r, const char *name, const an_spec_node *node,
                      const char **out)
{
    if (node->kind != AN_SPEC_STRING && node->kind != AN_SPEC_NAME)
        return an_spec_error(r->source, node->offset, r->err, "%s must be a name in quotes", name);
    *out = an_arena_text(r->arena, node->text, strlen(node->text));
    return *out || an__lr_no_memory(r);
}

/* What counts steps may be written in other units; epochs and steps_per_epoch say what these are.
 */
static bool read_integer(an__lr_reader *r, const char *name, const an_spec_node *node, int64_t *out)
{
    if (strcmp(name, "epochs") == 0 || strcmp(name, "steps_per_epoch") == 0)
        return an_spec_integer(r->source, name, node, out, r->err);
    return an__lr_read_steps(r->source, name, node, r->run, out, r->err);
}

bool an__lr_read_param(an__lr_reader *r, const an_lr_param *param, const an_spec_node *node,
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
