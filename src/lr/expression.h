/* expression.h - arithmetic of one variable, as Python writes it: the text form of lambdas. */
#ifndef ANNEAL_LR_EXPRESSION_H
#define ANNEAL_LR_EXPRESSION_H

#include <anneal/base.h>

typedef struct an__lr_expression an__lr_expression;

/*
 * Reads `length` bytes of `text` as an expression of the variable `name` into `arena`. NULL on bad
 * text: then err holds the sentence and *bad the offset of the byte to blame.
 */
an__lr_expression *an__lr_expression_parse(const char *text, size_t length, const char *name,
                                           an_arena *arena, size_t *bad, an_error *err);

/* The value for `variable`; `expression` is an an__lr_expression, so that it fits an_lr_function.
 */
double an__lr_expression_value(void *expression, double variable);

#endif
