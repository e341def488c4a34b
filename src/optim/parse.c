/* Optimizers from text and back: "SGD([dict(params='*.bias', weight_decay=0)], lr=0.1)". */
#include <string.h>

#include "optim/print.h"
#include "optim/rule.h"

/* What parsing one call needs everywhere. */
typedef struct parser {
    const an_spec_source *source;
    const an_rule *rule;
    an_params *params;
    an_arena *arena;
} parser;

/* ------------------------------------------------------------- a call's options */

/* Reads bound values into `options` and checks what they make together. */
static bool read_options(const parser *p, const an_spec_node *call,
                         const an_spec_node *const *values, an_options *options, an_error *err)
{
    for (size_t i = 0; i < p->rule->option_count; i++) {
        if (!an__option_read(p->rule->name, &p->rule->options[i], p->source, values[i], options,
                             err)) {
            return false;
        }
    }
    char message[160];
    if (p->rule->check && !p->rule->check(options, message, sizeof message)) {
        return an_spec_error(p->source, call->offset, err, "%s", message);
    }
    return true;
}

/* The rule's options as a signature; returns how many. */
static size_t signature(const an_rule *rule, an_spec_param *params)
{
    for (size_t i = 0; i < rule->option_count; i++) {
        params[i] = (an_spec_param){.name = rule->options[i].name};
    }
    return rule->option_count;
}

/* The call without a leading list of groups. */
static bool read_base(const parser *p, const an_spec_node *call, an_options *base, an_error *err)
{
    an_spec_param params[AN_MAX_OPTIONS];
    const an_spec_node *values[AN_MAX_OPTIONS];
    size_t count = signature(p->rule, params);
    an__options_default(p->rule->options, p->rule->option_count, base);
    return an_spec_bind(p->source, call, params, count, values, err) &&
           read_options(p, call, values, base, err);
}

/* ------------------------------------------------------------------ groups */

static bool read_group(const parser *p, const an_spec_node *node, an_group_plan *plan,
                       an_error *err)
{
    static const char form[] = "a parameter group is written dict(params='*.bias', lr=0.01)";
    if (node->kind != AN_SPEC_CALL || strcmp(node->text, "dict") != 0) {
        return an_spec_error(p->source, node->offset, err, "%s", form);
    }
    an_spec_param params[1 + AN_MAX_OPTIONS] = {{.name = "params", .required = true}};
    const an_spec_node *values[1 + AN_MAX_OPTIONS];
    size_t count = 1 + signature(p->rule, params + 1);
    if (!an_spec_bind(p->source, node, params, count, values, err)) {
        return false;
    }
    if (values[0]->kind != AN_SPEC_STRING) {
        return an_spec_error(p->source, values[0]->offset, err,
                             "params must be a pattern in quotes: %s", form);
    }
    plan->pattern = values[0]->text;
    plan->offset = values[0]->offset;
    return read_options(p, node, values + 1, &plan->options, err);
}

static an_group_plan *read_groups(const parser *p, const an_spec_node *list, const an_options *base,
                                  an_error *err)
{
    size_t count = list->arg_count;
    an_group_plan *plans =
        count > SIZE_MAX / sizeof *plans ? NULL : an_arena_alloc(p->arena, count * sizeof *plans);
    if (!plans) {
        an_error_set(err, AN_ERROR_MEMORY, "%s: no memory for %zu groups", p->rule->name, count);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        plans[i] = (an_group_plan){.options = *base};
        if (!read_group(p, list->args[i].value, &plans[i], err)) {
            return NULL;
        }
    }
    return plans;
}

/* ----------------------------------------------------------------- the call */

static const an_rule *find_rule(const an_spec_source *source, const an_spec_node *call,
                                an_error *err)
{
    if (call->kind != AN_SPEC_CALL) {
        an_spec_error(source, call->offset, err,
                      "an optimizer is written as a call, as in SGD(lr=0.1)");
        return NULL;
    }
    const an_rule *rule = an__rule_find(call->text);
    if (rule) {
        return rule;
    }
    an_spec_unknown(source, call, "optimizer", an_optim_names(), err);
    return NULL;
}

static an_optim *parse(const parser *p, const an_spec_node *call, an_error *err)
{
    an_spec_node rest = *call;
    const an_spec_node *list = NULL;
    if (call->arg_count > 0 && !call->args[0].keyword &&
        call->args[0].value->kind == AN_SPEC_LIST) {
        list = call->args[0].value;
        rest.args++;
        rest.arg_count--;
    }
    const an_spec_node *first = rest.arg_count > 0 ? rest.args[0].value : NULL;
    if (first && first->kind == AN_SPEC_CALL && strcmp(first->text, "dict") == 0) {
        an_spec_error(p->source, first->offset, err,
                      "parameter groups are a list, in brackets: %s([dict(params='*.bias', "
                      "lr=0.01)])",
                      call->text);
        return NULL;
    }
    an_options base = {0};
    if (!read_base(p, &rest, &base, err)) {
        return NULL;
    }
    const an_group_plan *plans = NULL;
    if (list && list->arg_count > 0 && !(plans = read_groups(p, list, &base, err))) {
        return NULL;
    }
    return an__optim_new(p->params, p->rule, &base, plans, list ? list->arg_count : 0, p->source,
                         err);
}

static an_optim *parse_plain(an_params *params, const an_spec_source *source,
                             const an_spec_node *call, an_error *err)
{
    const an_rule *rule = find_rule(source, call, err);
    if (!rule) {
        return NULL;
    }
    an_arena arena;
    an_arena_init(&arena, *an_context_allocator(an_params_context(params)));
    const parser p = {source, rule, params, &arena};
    an_optim *optim = parse(&p, call, err);
    an_arena_free(&arena);
    return optim;
}

/* ----------------------------------------------------------------- Mechanic */

static bool read_mechanic(const an_spec_source *source, const an_spec_node *call,
                          const an_spec_node **inner, an_options *options, an_error *err)
{
    an_spec_param params[1 + AN_MAX_OPTIONS] = {{.name = "optimizer", .required = true}};
    const an_spec_node *values[1 + AN_MAX_OPTIONS];
    for (size_t i = 0; i < an__mechanic_options; i++) {
        params[i + 1] = (an_spec_param){.name = an__mechanic_table[i].name};
    }
    if (!an_spec_bind(source, call, params, 1 + an__mechanic_options, values, err)) {
        return false;
    }
    *inner = values[0];
    an__options_default(an__mechanic_table, an__mechanic_options, options);
    for (size_t i = 0; i < an__mechanic_options; i++) {
        if (!an__option_read(AN_MECHANIC, &an__mechanic_table[i], source, values[i + 1], options,
                             err)) {
            return false;
        }
    }
    return true;
}

/* "Mechanic(SGD(lr=1), s_init=1e-5)": the optimizer first, then Mechanic's own. */
static an_optim *parse_mechanic(an_params *params, const an_spec_source *source,
                                const an_spec_node *call, an_error *err)
{
    const an_spec_node *node;
    an_options options = {0};
    if (!read_mechanic(source, call, &node, &options, err)) {
        return NULL;
    }
    an_optim *inner = parse_plain(params, source, node, err);
    if (!inner) {
        return NULL;
    }
    an_error why = {0};
    an_optim *optim = an_mechanic_wrap(inner, &options.mechanic, &why);
    if (!optim && why.code == AN_ERROR_MEMORY) {
        an_error_set(err, why.code, "%s", why.message);
    } else if (!optim) {
        an_spec_error(source, node->offset, err, "%s", why.message);
    }
    if (!optim) {
        an_optim_free(inner);
    }
    return optim;
}

an_optim *an_optim_parse_spec(an_params *params, const an_spec_source *source,
                              const an_spec_node *call, an_error *err)
{
    bool mechanic = call->kind == AN_SPEC_CALL && strcmp(call->text, AN_MECHANIC) == 0;
    return mechanic ? parse_mechanic(params, source, call, err)
                    : parse_plain(params, source, call, err);
}

an_optim *an_optim_parse(an_params *params, const char *text, an_error *err)
{
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, an_context_allocator(an_params_context(params)), err);
    if (!spec) {
        return NULL;
    }
    an_optim *optim = an_optim_parse_spec(params, an_spec_where(spec), an_spec_root(spec), err);
    an_spec_free(spec);
    return optim;
}

/* ---------------------------------------------------------------- printing */

static size_t print_group(const an_rule *rule, const an_options *base, const an_group_plan *plan,
                          char *buffer, size_t size, size_t at)
{
    at = an__put(buffer, size, at, "dict(params=");
    at = an__put_quoted(buffer, size, at, plan->pattern);
    size_t before = at;
    at = an__put(buffer, size, at, ", ");
    size_t after = an__options_print(rule->options, rule->option_count, &plan->options, base, false,
                                     buffer, size, at);
    return an__put(buffer, size, after > at ? after : before, ")");
}

size_t an__optim_print(const an_rule *rule, const an_options *base, const an_group_plan *plans,
                       size_t plan_count, char *buffer, size_t size)
{
    an_options defaults = {0};
    an__options_default(rule->options, rule->option_count, &defaults);
    size_t at = an__put(buffer, size, 0, rule->name);
    at = an__put(buffer, size, at, plan_count > 0 ? "([" : "(");
    for (size_t i = 0; i < plan_count; i++) {
        at = print_group(rule, base, &plans[i], buffer, size, at);
        at = an__put(buffer, size, at, i + 1 < plan_count ? ", " : "], ");
    }
    at = an__options_print(rule->options, rule->option_count, base, &defaults, true, buffer, size,
                           at);
    return an__put(buffer, size, at, ")");
}
