/* A schedule as the expression that makes it in PyTorch: its text, with what Python wants. */
#include "cli/schedule.h"

#include <anneal/spec.h>

#include <ctype.h>
#include <string.h>

/* ----------------------------------------------------- whether PyTorch has it */

static bool is_composite(an_lr_kind kind)
{
    return kind == AN_SEQUENTIAL_LR || kind == AN_CHAINED_LR;
}

static bool refuse(an_error *err, const an_lr_desc *desc, const char *reason)
{
    return an_error_set(err, AN_ERROR_ARGUMENT,
                        "%s has no expression in PyTorch: %s; --to c and --to csv have its values",
                        an_lr_name(desc->kind), reason);
}

/* Where PyTorch divides by 0 or forgets the end; docs/schedules.md has the list. */
static bool has_empty_ramp(const an_lr_desc *desc)
{
    return (desc->kind == AN_LINEAR_LR && desc->linear.total_iters == 0) ||
           (desc->kind == AN_POLYNOMIAL_LR && desc->polynomial.total_iters == 0) ||
           (desc->kind == AN_CONSTANT_LR &&
            (desc->constant.total_iters == 0 || desc->constant.factor == 0));
}

static bool runs_too_long(const an_lr_desc *desc, long long steps)
{
    const an_one_cycle_lr *o = &desc->one_cycle;
    int64_t total = o->total_steps != AN_LR_NONE ? o->total_steps : o->epochs * o->steps_per_epoch;
    return desc->kind == AN_ONE_CYCLE_LR && steps > total;
}

static bool check(const an_lr_desc *desc, const an_lr_desc *above, size_t index, long long steps,
                  an_error *err)
{
    bool rates = desc->kind == AN_ONE_CYCLE_LR || desc->kind == AN_CYCLIC_LR;
    if (desc->kind >= AN_LR_CONSTANT)
        return refuse(err, desc, "it is Anneal's own");
    if (desc->after_end != AN_END_DEFAULT)
        return refuse(err, desc, "after_end is Anneal's own");
    if (above && is_composite(desc->kind))
        return refuse(err, desc, "PyTorch cannot nest it");
    if (above && desc->kind == AN_PLATEAU_LR)
        return refuse(err, desc, "PyTorch steps it with a metric, and so not within another");
    if (rates && above && above->kind == AN_SEQUENTIAL_LR && index > 0)
        return refuse(err, desc, "as a later child PyTorch lets it change the first child's rates");
    if (has_empty_ramp(desc))
        return refuse(err, desc, "PyTorch divides by 0 for such parameters, or has no end");
    if (runs_too_long(desc, steps))
        return refuse(err, desc, "PyTorch raises an exception after total_steps");
    for (size_t i = 0; i < an_lr_child_count(desc); i++)
        if (!check(an_lr_child(desc, i), desc, i, steps, err))
            return false;
    return true;
}

/* ----------------------------------------------------------------- printing */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* An expression in which math's functions have their prefix. */
static void print_expression(const char *text)
{
    static const char *const names[] = {"cos", "sin", "sqrt", "exp", "log", "floor", "pi"};
    for (char before = ' '; *text; before = text[-1]) {
        size_t length = 0;
        while (is_word(text[length]))
            length++;
        for (size_t i = 0; before != '.' && i < sizeof names / sizeof *names; i++)
            if (strlen(names[i]) == length && strncmp(text, names[i], length) == 0)
                fputs("math.", stdout);
        length = length > 0 ? length : 1;
        fwrite(text, 1, length, stdout);
        text += length;
    }
}

/* A function: written as an expression of epoch, or a lambda, in quotes or not. */
static void print_function(const an_spec_node *node)
{
    if (node->kind == AN_SPEC_LAMBDA)
        printf("lambda %s: ", node->param);
    else if (strncmp(node->text, "lambda", 6) != 0)
        fputs("lambda epoch: ", stdout);
    print_expression(node->text);
}

static void print_node(const char *source, const an_spec_node *node, bool function)
{
    if (function && (node->kind == AN_SPEC_STRING || node->kind == AN_SPEC_LAMBDA)) {
        print_function(node);
        return;
    }
    if (node->kind != AN_SPEC_CALL && node->kind != AN_SPEC_LIST) {
        printf("%.*s", (int)node->length, source + node->offset);
        return;
    }
    bool call = node->kind == AN_SPEC_CALL;
    bool optimizer = call && strcmp(node->text, "ChainedScheduler") != 0;
    bool is_lambda = call && (strcmp(node->text, "LambdaLR") == 0 ||
                              strcmp(node->text, "MultiplicativeLR") == 0);
    printf(call ? "%s(" : "[", call ? node->text : "");
    fputs(optimizer ? "optimizer" : "", stdout);
    for (size_t i = 0; i < node->arg_count; i++) {
        const an_spec_arg *arg = &node->args[i];
        const char *name = arg->keyword ? arg->keyword : "";
        bool takes = function || is_lambda || strcmp(name, "scale_fn") == 0;
        fputs(i > 0 || optimizer ? ", " : "", stdout);
        printf(arg->keyword ? "%s=" : "%s", name);
        print_node(source, arg->value, takes);
    }
    putchar(call ? ')' : ']');
}

bool cli_print_pytorch(const cli_run *run, an_error *err)
{
    if (!check(an_lr_desc_of(run->schedule), NULL, 0, run->setting->steps, err))
        return false;
    an_spec_source source = an_spec_source_text(run->name);
    an_spec *spec = an_spec_parse(&source, NULL, err);
    if (!spec)
        return false;
    print_node(run->name, an_spec_root(spec), false);
    putchar('\n');
    an_spec_free(spec);
    return true;
}
