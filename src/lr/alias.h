/*
 * alias.h - schedules by the names that other systems have for them.
 *
 * Each row of alias_rows.c is a call of another system (its signature) and what it stands for (its
 * form): canonical text with holes. alias_fill.c fills these from the arguments, and the parser
 * reads what comes out; so the conventions of the system, where it starts, what happens at a
 * milestone and past the end, stand in plain sight in the text that is printed.
 *
 *   signature := parameter {', ' parameter}
 *   parameter := name ['=' default] {'|' choice} {flag}
 *     default  : a number, None, True, False or a word in quotes; without one it is required
 *     choice   : a word in quotes that it may be; a default in quotes is one too
 *     flag     : '!' it can only have its default   '~' it says nothing here, whatever it is
 *                '@' a time string, such as '10ep', or a list of them
 *
 *   form      := text {hole text}
 *     {e}      : the value of an expression of the parameters; a parameter alone as it was written
 *     {*e}     : that for each element of the list that e begins with, between commas
 *     {%name}  : the products of the first, the first two, ... elements of a list
 *     {+name}  : their sums   {<name}: the same without the last
 *     {#0 name}: the first, with {#1 name} the second, of each pair in a list
 *     {@AB list other|form} : the form for each element of the list, between commas; the element
 *                is in A, and the other list's at its place in B: 1 where that is not given
 *     {?e|a|b} : form a if e is not 0, else form b
 *     {=N e}   : gives a capital letter a value, for what follows
 *     {!words} : an error with these words
 *
 * Expressions are those of lambdas (anneal/lr_text.h); None and words in quotes can be compared,
 * and run_steps is the number of steps of the run.
 */
#ifndef ANNEAL_LR_ALIAS_H
#define ANNEAL_LR_ALIAS_H

#include <anneal/lr_text.h>

/* Whether any system has a schedule of the call's name; with `named` one whose name stands before
 * it, as in mmengine.StepLR. */
bool an__lr_is_alias(const an_spec_source *source, const an_spec_node *call, bool named);

/*
 * What `call` stands for, as text in `arena`. NULL with err at the call, or at the argument to
 * blame: arguments that do not fit, or a name that several systems have.
 */
const char *an__lr_alias_text(const an_spec_source *source, const an_spec_node *call,
                              const an_lr_run *run, an_arena *arena, an_error *err);

#endif
