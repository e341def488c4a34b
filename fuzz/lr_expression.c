/*
 * Fuzzing the expressions of lambdas: any bytes are refused, at a place within them, or have a
 * value for every epoch. Parentheses around the whole change no value.
 */
#include "lr/expression.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const double epochs[] = {0, 1, 2, 7, 1000, 9007199254740992.0, -3, 0.5, INFINITY, NAN};

/* A copy of exactly `size` bytes, without a zero at the end, so that reading beyond it is seen. */
static char *copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size > 0 ? size : 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    return text;
}

static an__lr_expression *parse(const char *text, size_t size, an_arena *arena, an_error *err)
{
    size_t bad = 0;
    an__lr_expression *expression = an__lr_expression_parse(text, size, "epoch", arena, &bad, err);
    if (!expression && (err->code == AN_ERROR_OK || err->message[0] == '\0' || bad > size))
        abort();
    return expression;
}

static void compare(an__lr_expression *a, an__lr_expression *b)
{
    for (size_t i = 0; i < sizeof epochs / sizeof epochs[0]; i++) {
        double x = an__lr_expression_value(a, epochs[i]);
        double y = an__lr_expression_value(b, epochs[i]);
        if (x != y && !(isnan(x) && isnan(y)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    an_arena arena;
    an_arena_init(&arena, an_allocator_default());
    an_error err = {0}, err_again = {0};
    char *text = copy(data, size), *wrapped = malloc(size + 2);
    if (!wrapped)
        abort();
    wrapped[0] = '(';
    memcpy(wrapped + 1, text, size);
    wrapped[size + 1] = ')';
    an__lr_expression *expression = parse(text, size, &arena, &err);
    an__lr_expression *again = parse(wrapped, size + 2, &arena, &err_again);
    if (expression && again)
        compare(expression, again);
    if (expression && !again && !strstr(err_again.message, "deep") && size + 2 <= 10000)
        abort();
    free(wrapped);
    free(text);
    an_arena_free(&arena);
    return 0;
}
