/* print.c - schedules to canonical text: keywords, in the table's order, defaults left out. */
#include "lr/node.h"
#include "lr/text.h"
#include <anneal/lr_text.h>
#include <math.h>
#include <string.h>

/* One byte, if there is room left for the zero at the end. */
static void put_byte(an__lr_writer *w, char c)
{
    if (w->used + 1 < w->size)
        w->buffer[w->used] = c;
    w->used++;
}

void an__lr_write(an__lr_writer *w, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (w->escape && c < 0x20) {
            const char code[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            for (size_t i = 0; i < sizeof code; i++)
                put_byte(w, code[i]);
            continue;
        }
        if (w->escape && (c == '"' || c == '\\'))
            put_byte(w, '\\');
        put_byte(w, *text);
    }
}

void an__lr_write_number(an__lr_writer *w, double value)
{
    char text[40];
    an_number_print_short(text, sizeof text, value);
    an__lr_write(w, text);
}

void an__lr_write_integer(an__lr_writer *w, int64_t value)
{
    char text[24];
    an_format(text, sizeof text, "%lld", (long long)value);
    an__lr_write(w, text);
}

size_t an__lr_write_end(an__lr_writer *w)
{
    if (w->size > 0)
        w->buffer[w->used < w->size ? w->used : w->size - 1] = '\0';
    return w->used;
}

/*
 * A lambda stands as it is, an expression in quotes; a function of the host's has no text. Newlines
 * and tabs between an expression's words are blanks, so that a quoted one stays on its line.
 */
static void put_function(an__lr_writer *w, const an_lr_function *function)
{
    const char *text = function->text ? function->text : AN__LR_HOST_FUNCTION;
    bool bare = strncmp(text, "lambda ", 7) == 0;
    an__lr_write(w, bare ? "" : "\"");
    for (; *text; text++)
        an__lr_write(w, (const char[]){(unsigned char)*text < 0x20 ? ' ' : *text, '\0'});
    an__lr_write(w, bare ? "" : "\"");
}

static void put_reals(an__lr_writer *w, const an_lr_reals *reals)
{
    if (reals->count == 0) {
        an__lr_write_number(w, reals->value);
        return;
    }
    for (size_t i = 0; i < reals->count; i++) {
        an__lr_write(w, i > 0 ? ", " : "[");
        an__lr_write_number(w, reals->each[i]);
    }
    an__lr_write(w, "]");
}

static void put_functions(an__lr_writer *w, const an_lr_functions *functions)
{
    if (functions->count == 0) {
        put_function(w, &functions->function);
        return;
    }
    for (size_t i = 0; i < functions->count; i++) {
        an__lr_write(w, i > 0 ? ", " : "[");
        put_function(w, &functions->each[i]);
    }
    an__lr_write(w, "]");
}

static void put_integers(an__lr_writer *w, const an_lr_integers *integers)
{
    an__lr_write(w, "[");
    for (size_t i = 0; i < integers->count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        an__lr_write_integer(w, integers->each[i]);
    }
    an__lr_write(w, "]");
}

static void put_children(an__lr_writer *w, const an_lr_children *children)
{
    an__lr_write(w, "[");
    for (size_t i = 0; i < children->count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        an__lr_write_desc(w, children->each[i]);
    }
    an__lr_write(w, "]");
}

static void put_numbers(an__lr_writer *w, const an_lr_numbers *numbers)
{
    an__lr_write(w, "[");
    for (size_t i = 0; i < numbers->count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        an__lr_write_number(w, numbers->each[i]);
    }
    an__lr_write(w, "]");
}

/* Steps need no unit. */
static void put_length(an__lr_writer *w, an_lr_length length)
{
    if (isnan(length.value)) {
        an__lr_write(w, "None");
        return;
    }
    an__lr_write_number(w, length.value);
    an__lr_write(w, length.unit == AN_STEPS ? "" : an__lr_unit_text(length.unit));
}

static void put_lengths(an__lr_writer *w, const an_lr_lengths *lengths)
{
    an__lr_write(w, "[");
    for (size_t i = 0; i < lengths->count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        put_length(w, lengths->each[i]);
    }
    an__lr_write(w, "]");
}

/* A name in quotes, with the escapes that strings have. */
static void put_name(an__lr_writer *w, const char *name)
{
    static const char special[] = "\n\t\r\\'", letters[] = "ntr\\'";
    an__lr_write(w, "'");
    for (; name && *name; name++) {
        const char *found = strchr(special, *name);
        an__lr_write(w, found ? "\\" : "");
        an__lr_write(w, (const char[]){found ? letters[found - special] : *name, '\0'});
    }
    an__lr_write(w, "'");
}

static void put_real_or_schedule(an__lr_writer *w, const an_lr_value *value)
{
    if (value->schedule)
        an__lr_write_desc(w, value->schedule);
    else
        an__lr_write_number(w, value->value);
}

static void put_value(an__lr_writer *w, const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        an__lr_write_integer(w, *(const int64_t *)at);
        break;
    case AN_LR_REAL:
        an__lr_write_number(w, *(const double *)at);
        break;
    case AN_LR_BOOL:
        an__lr_write(w, *(const bool *)at ? "True" : "False");
        break;
    case AN_LR_CHOICE:
        an__lr_write(w, "'");
        an__lr_write(w, param->choices[an__lr_choice(desc, param)]);
        an__lr_write(w, "'");
        break;
    case AN_LR_REALS:
        put_reals(w, at);
        break;
    case AN_LR_INTEGERS:
        put_integers(w, at);
        break;
    case AN_LR_FUNCTION:
        put_function(w, at);
        break;
    case AN_LR_FUNCTIONS:
        put_functions(w, at);
        break;
    case AN_LR_CHILDREN:
        put_children(w, at);
        break;
    case AN_LR_CHILD:
        an__lr_write_desc(w, *(const an_lr_desc *const *)at);
        break;
    case AN_LR_NUMBERS:
        put_numbers(w, at);
        break;
    case AN_LR_LENGTH:
        put_length(w, *(const an_lr_length *)at);
        break;
    case AN_LR_LENGTHS:
        put_lengths(w, at);
        break;
    case AN_LR_VALUE:
        put_real_or_schedule(w, at);
        break;
    case AN_LR_NAME:
        put_name(w, *(const char *const *)at);
        break;
    }
}

/* Children and functions need no keyword: they come first and speak for themselves. */
void an__lr_write_desc(an__lr_writer *w, const an_lr_desc *desc)
{
    size_t count;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    const char *comma = "";
    an__lr_write(w, an_lr_name(desc->kind));
    an__lr_write(w, "(");
    for (size_t i = 0; i < count; i++) {
        if (an__lr_is_default(desc, &params[i]))
            continue;
        an__lr_write(w, comma);
        comma = ", ";
        if (params[i].type != AN_LR_CHILDREN && params[i].type != AN_LR_CHILD &&
            params[i].type != AN_LR_FUNCTIONS) {
            an__lr_write(w, params[i].name);
            an__lr_write(w, "=");
        }
        put_value(w, desc, &params[i]);
    }
    an__lr_write(w, ")");
}

size_t an_lr_print(char *buffer, size_t size, const an_lr_desc *desc)
{
    an__lr_writer w = {.buffer = buffer, .size = size};
    an__lr_write_desc(&w, desc);
    return an__lr_write_end(&w);
}
