/* print.c - schedules to canonical text: keywords, in the table's order, defaults left out. */
#include "lr/node.h"
#include <anneal/lr_text.h>
#include <math.h>
#include <string.h>

/* The text so far; `used` goes on counting when `buffer` is full. */
typedef struct writer {
    char *buffer;
    size_t size, used;
} writer;

static void put(writer *w, const char *text)
{
    for (; *text; text++, w->used++)
        if (w->used + 1 < w->size)
            w->buffer[w->used] = *text;
}

static void put_number(writer *w, double value)
{
    char text[40];
    an_number_print_short(text, sizeof text, value);
    put(w, text);
}

static void put_integer(writer *w, int64_t value)
{
    char text[24];
    an_format(text, sizeof text, "%lld", (long long)value);
    put(w, text);
}

static void put_desc(writer *w, const an_lr_desc *desc);

/* An expression from text is quoted, a lambda is not; a function of the host's has no text. */
static void put_function(writer *w, const an_lr_function *function)
{
    const char *text = function->text ? function->text : "<function>";
    bool bare = !function->text || strncmp(text, "lambda ", 7) == 0;
    put(w, bare ? "" : "\"");
    put(w, text);
    put(w, bare ? "" : "\"");
}

static void put_reals(writer *w, const an_lr_reals *reals)
{
    if (reals->count == 0) {
        put_number(w, reals->value);
        return;
    }
    for (size_t i = 0; i < reals->count; i++) {
        put(w, i > 0 ? ", " : "[");
        put_number(w, reals->each[i]);
    }
    put(w, "]");
}

static void put_functions(writer *w, const an_lr_functions *functions)
{
    if (functions->count == 0) {
        put_function(w, &functions->function);
        return;
    }
    for (size_t i = 0; i < functions->count; i++) {
        put(w, i > 0 ? ", " : "[");
        put_function(w, &functions->each[i]);
    }
    put(w, "]");
}

static void put_integers(writer *w, const an_lr_integers *integers)
{
    put(w, "[");
    for (size_t i = 0; i < integers->count; i++) {
        put(w, i > 0 ? ", " : "");
        put_integer(w, integers->each[i]);
    }
    put(w, "]");
}

static void put_children(writer *w, const an_lr_children *children)
{
    put(w, "[");
    for (size_t i = 0; i < children->count; i++) {
        put(w, i > 0 ? ", " : "");
        put_desc(w, children->each[i]);
    }
    put(w, "]");
}

static void put_value(writer *w, const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        put_integer(w, *(const int64_t *)at);
        break;
    case AN_LR_REAL:
        put_number(w, *(const double *)at);
        break;
    case AN_LR_BOOL:
        put(w, *(const bool *)at ? "True" : "False");
        break;
    case AN_LR_CHOICE:
        put(w, "'");
        put(w, param->choices[an__lr_choice(desc, param)]);
        put(w, "'");
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
    }
}

static bool is_default(const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    if (param->required)
        return false;
    switch (param->type) {
    case AN_LR_INTEGER:
        return isnan(param->fallback) ? *(const int64_t *)at == AN_LR_NONE
                                      : (double)*(const int64_t *)at == param->fallback;
    case AN_LR_REAL:
        return *(const double *)at == param->fallback;
    case AN_LR_BOOL:
        return *(const bool *)at == (param->fallback != 0);
    case AN_LR_CHOICE:
        return an__lr_choice(desc, param) == (int)param->fallback;
    case AN_LR_REALS:
        return ((const an_lr_reals *)at)->count == 0 &&
               ((const an_lr_reals *)at)->value == param->fallback;
    case AN_LR_INTEGERS:
        return ((const an_lr_integers *)at)->count == 0;
    case AN_LR_FUNCTION:
        return !((const an_lr_function *)at)->call;
    case AN_LR_FUNCTIONS:
    case AN_LR_CHILDREN:
        break;
    }
    return false;
}

/* Children and functions need no keyword: they come first and speak for themselves. */
static void put_desc(writer *w, const an_lr_desc *desc)
{
    size_t count;
    const an_lr_param *params = an_lr_params(desc->kind, &count);
    const char *comma = "";
    put(w, an_lr_name(desc->kind));
    put(w, "(");
    for (size_t i = 0; i < count; i++) {
        if (is_default(desc, &params[i]))
            continue;
        put(w, comma);
        comma = ", ";
        if (params[i].type != AN_LR_CHILDREN && params[i].type != AN_LR_FUNCTIONS) {
            put(w, params[i].name);
            put(w, "=");
        }
        put_value(w, desc, &params[i]);
    }
    put(w, ")");
}

size_t an_lr_print(char *buffer, size_t size, const an_lr_desc *desc)
{
    writer w = {.buffer = buffer, .size = size};
    put_desc(&w, desc);
    if (size > 0)
        buffer[w.used < size ? w.used : size - 1] = '\0';
    return w.used;
}
