/* The optimizer object: made from plans, stepped run by run. */
#include <string.h>

#include "optim/rule.h"

void *an__optim_take(an_optim *optim, size_t count, size_t size, an_error *err)
{
    void *block =
        size > 0 && count > SIZE_MAX / size ? NULL : an_arena_alloc(&optim->arena, count * size);
    if (!block) {
        an_error_set(err, AN_ERROR_MEMORY, "%s: no memory for %zu values of %zu bytes",
                     optim->rule->name, count, size);
        return NULL;
    }
    memset(block, 0, count * size);
    return block;
}

/* ------------------------------------------------------------------ groups */

/* Makes room for one more group; the groups themselves stay where they are. */
static bool reserve_group(an_optim *optim, an_error *err)
{
    if (optim->group_count < optim->group_capacity) {
        return true;
    }
    size_t capacity = optim->group_capacity * 2 + 2;
    an_group **group = an__optim_take(optim, capacity, sizeof(an_group *), err);
    an_lr_group **slots = an__optim_take(optim, capacity, sizeof(an_lr_group *), err);
    if (!group || !slots) {
        return false;
    }
    for (size_t i = 0; i < optim->group_count; i++) {
        group[i] = optim->group[i];
        slots[i] = optim->slots[i];
    }
    optim->group = group;
    optim->slots = slots;
    optim->group_capacity = capacity;
    return true;
}

static bool append_group(an_optim *optim, const an_options *options, an_error *err)
{
    an_group *group = an__optim_take(optim, 1, sizeof *group, err);
    if (!group || !reserve_group(optim, err)) {
        return false;
    }
    group->options = *options;
    an_lr_group_init(&group->slots, 0);
    for (size_t i = 0; i < optim->rule->option_count; i++) {
        const an_option *option = &optim->rule->options[i];
        if (option->slot != AN_NO_SLOT) {
            double *number = an__option_number(option, &group->options);
            an_lr_group_set(&group->slots, (an_slot_id)option->slot, *number);
        }
    }
    optim->group[optim->group_count] = group;
    optim->slots[optim->group_count] = &group->slots;
    optim->group_count++;
    return true;
}

an_options an__group_options(const an_optim *optim, size_t index)
{
    const an_group *group = optim->group[index];
    an_options options = group->options;
    for (size_t i = 0; i < optim->rule->option_count; i++) {
        const an_option *option = &optim->rule->options[i];
        if (option->slot != AN_NO_SLOT) {
            *an__option_number(option, &options) = group->slots.slot[option->slot].value;
        }
    }
    return options;
}

bool an__name_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

/* Moves what matches from group `from` (NO_GROUP: none yet; ANY_GROUP: any) to group `to`. */
#define NO_GROUP SIZE_MAX
#define ANY_GROUP (SIZE_MAX - 1)

static size_t move_matching(an_optim *optim, const char *pattern, size_t from, size_t to)
{
    size_t moved = 0;
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        bool open = from == ANY_GROUP || optim->group_of[i] == from;
        if (open && an__name_matches(pattern, an_params_get(optim->params, i)->name)) {
            optim->group_of[i] = to;
            moved++;
        }
    }
    return moved;
}

static bool nothing_matches(const char *pattern, size_t offset, const an_spec_source *source,
                            an_error *err)
{
    static const char format[] = "no parameter that is still without a group is called '%s'; "
                                 "names are as in '0.weight', and * stands for any text";
    return source ? an_spec_error(source, offset, err, format, pattern)
                  : an_error_set(err, AN_ERROR_ARGUMENT, format, pattern);
}

static bool assign_groups(an_optim *optim, const an_options *base, const an_group_plan *plans,
                          size_t plan_count, const an_spec_source *source, an_error *err)
{
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        optim->group_of[i] = NO_GROUP;
    }
    for (size_t i = 0; i < plan_count; i++) {
        if (!append_group(optim, &plans[i].options, err)) {
            return false;
        }
        if (move_matching(optim, plans[i].pattern, NO_GROUP, i) == 0) {
            return nothing_matches(plans[i].pattern, plans[i].offset, source, err);
        }
    }
    size_t rest = move_matching(optim, "*", NO_GROUP, plan_count);
    return rest == 0 || append_group(optim, base, err);
}

/* Fills the last group with what matches, if the rule can work on these groups. */
static bool fill_group(an_optim *optim, const char *pattern, an_error *err)
{
    const an_rule *rule = optim->rule;
    if (move_matching(optim, pattern, ANY_GROUP, optim->group_count - 1) == 0) {
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: no parameter is called '%s'", rule->name,
                            pattern);
    }
    return (!rule->fits || rule->fits(optim, err)) && (!rule->reserve || rule->reserve(optim, err));
}

int an_optim_add_group(an_optim *optim, const char *pattern, an_error *err)
{
    size_t index = optim->group_count, params = an_params_count(optim->params);
    if (optim->rule->search) {
        an_error_set(err, AN_ERROR_ARGUMENT, "%s has one group only", optim->rule->name);
        return -1;
    }
    an_options options = an__group_options(optim, 0);
    size_t *before = an__optim_take(optim, params, sizeof *before, err);
    if (!before || !append_group(optim, &options, err)) {
        return -1;
    }
    memcpy(before, optim->group_of, params * sizeof *before);
    if (!fill_group(optim, pattern, err)) {
        memcpy(optim->group_of, before, params * sizeof *before);
        optim->group_count--;
        return -1;
    }
    return (int)index;
}

/* ----------------------------------------------------------- making an optimizer */

static int vectors_of(const an_rule *rule, const an_options *options)
{
    int all = 0;
    while (all < AN_MAX_VECTORS && rule->vector_names[all]) {
        all++;
    }
    return rule->vectors ? rule->vectors(options) : all;
}

static bool make_vectors(an_optim *optim, an_error *err)
{
    for (size_t i = 0; i < optim->group_count; i++) {
        int needed = vectors_of(optim->rule, &optim->group[i]->options);
        optim->vector_count = needed > optim->vector_count ? needed : optim->vector_count;
    }
    size_t length = (size_t)an_params_length(optim->params);
    for (int i = 0; i < optim->vector_count; i++) {
        optim->vector[i] = an__optim_take(optim, length, sizeof(an_real), err);
        if (!optim->vector[i]) {
            return false;
        }
    }
    return true;
}

static bool make_numbers(an_optim *optim, an_error *err)
{
    size_t params = an_params_count(optim->params);
    for (int k = 0; k < AN_MAX_NUMBERS && optim->rule->number_names[k]; k++) {
        optim->number[k] = an__optim_take(optim, params, sizeof(double), err);
        if (!optim->number[k]) {
            return false;
        }
    }
    return true;
}

void an__optim_list(an_optim *optim, an_optim_state entry)
{
    optim->state[optim->state_count++] = entry;
}

static void list_states(an_optim *optim)
{
    const an_rule *rule = optim->rule;
    int64_t params = (int64_t)an_params_count(optim->params);
    int64_t length = an_params_length(optim->params);
    an__optim_list(optim, (an_optim_state){"step_count", AN_STATE_PLAIN, AN_STATE_INT64, 1,
                                           &optim->step_count});
    an__optim_list(
        optim, (an_optim_state){"step", AN_STATE_PER_PARAM, AN_STATE_INT64, params, optim->steps});
    if (rule->faces) {
        an__optim_list(optim, (an_optim_state){"showing_average", AN_STATE_PLAIN, AN_STATE_INT64, 1,
                                               &optim->showing_average});
    }
    for (int k = 0; k < AN_MAX_SCALARS && rule->scalar_names[k]; k++) {
        an__optim_list(optim, (an_optim_state){rule->scalar_names[k], AN_STATE_PLAIN,
                                               AN_STATE_DOUBLE, 1, &optim->scalar[k]});
    }
    for (int k = 0; k < AN_MAX_NUMBERS && rule->number_names[k]; k++) {
        an__optim_list(optim, (an_optim_state){rule->number_names[k], AN_STATE_PER_PARAM,
                                               AN_STATE_DOUBLE, params, optim->number[k]});
    }
    for (int i = 0; i < optim->vector_count; i++) {
        an__optim_list(optim, (an_optim_state){rule->vector_names[i], AN_STATE_PER_VALUE,
                                               AN_STATE_FLOAT, length, optim->vector[i]});
    }
}

/* Everything that the object holds, in order, once its groups are there. */
static bool make_state(an_optim *optim, an_error *err)
{
    const an_rule *rule = optim->rule;
    if ((rule->fits && !rule->fits(optim, err)) || !make_vectors(optim, err) ||
        !make_numbers(optim, err)) {
        return false;
    }
    list_states(optim);
    return (!rule->make || rule->make(optim, err)) && (!rule->reserve || rule->reserve(optim, err));
}

static bool make_text(an_optim *optim, const an_options *base, const an_group_plan *plans,
                      size_t plan_count, an_error *err)
{
    size_t size = an__optim_print(optim->rule, base, plans, plan_count, NULL, 0) + 1;
    char *text = an__optim_take(optim, size, 1, err);
    if (!text) {
        return false;
    }
    an__optim_print(optim->rule, base, plans, plan_count, text, size);
    optim->text = text;
    return true;
}

static bool check_params(const an_params *params, const char *owner, an_error *err)
{
    if (an_params_count(params) == 0) {
        return an_error_set(err, AN_ERROR_ARGUMENT, "%s: the model has no parameters to train",
                            owner);
    }
    if (!an_params_values(params)) {
        return an_error_set(err, AN_ERROR_STATE,
                            "%s: the parameters are not laid out yet; build the model first",
                            owner);
    }
    return true;
}

an_optim *an__optim_new(an_params *params, const an_rule *rule, const an_options *base,
                        const an_group_plan *plans, size_t plan_count, const an_spec_source *source,
                        an_error *err)
{
    if (!check_params(params, rule->name, err)) {
        return NULL;
    }
    const an_allocator *allocator = an_context_allocator(an_params_context(params));
    an_optim *optim = an_alloc(allocator, 1, sizeof *optim, err);
    if (!optim) {
        return NULL;
    }
    an_arena_init(&optim->arena, *allocator);
    optim->params = params;
    optim->rule = rule;
    optim->kernels = an__kernels(an_params_context(params))->update;
    optim->values = (an_real *)(void *)an_params_values(params);
    optim->grads = (an_real *)(void *)an_params_grads(params);
    size_t count = an_params_count(params);
    optim->group_of = an__optim_take(optim, count, sizeof *optim->group_of, err);
    optim->steps = an__optim_take(optim, count, sizeof *optim->steps, err);
    if (!optim->group_of || !optim->steps ||
        !assign_groups(optim, base, plans, plan_count, source, err) || !make_state(optim, err) ||
        !make_text(optim, base, plans, plan_count, err)) {
        an_optim_free(optim);
        return NULL;
    }
    return optim;
}

an_optim *an__optim_from_options(an_params *params, const an_rule *rule, const an_options *options,
                                 an_error *err)
{
    char message[160];
    if (!an__options_check(rule->name, rule->options, rule->option_count, options, err)) {
        return NULL;
    }
    if (rule->check && !rule->check(options, message, sizeof message)) {
        an_error_set(err, AN_ERROR_ARGUMENT, "%s", message);
        return NULL;
    }
    return an__optim_new(params, rule, options, NULL, 0, NULL, err);
}

void an_optim_free(an_optim *optim)
{
    if (!optim) {
        return;
    }
    an_allocator allocator = optim->arena.allocator;
    an_arena_free(&optim->arena);
    an_release(&allocator, optim, 1, sizeof *optim);
}

/* ---------------------------------------------------------------- stepping */

/* Why no step can be made now, or NULL. */
static const char *complain(const an_optim *optim, bool closure)
{
    if (optim->rule->search && !closure) {
        return "evaluates the loss several times in a step; call an_optim_step_closure";
    }
    if (optim->showing_average) {
        return "shows its average for evaluation; call an_optim_train before the next step";
    }
    return NULL;
}

bool an_optim_error(const an_optim *optim, an_error *err)
{
    if (!optim->complaint) {
        return false;
    }
    an_error_set(err, AN_ERROR_STATE, "%s %s", optim->rule->name, optim->complaint);
    return true;
}

bool an_optim_step(an_optim *optim)
{
    optim->complaint = complain(optim, false);
    if (optim->complaint) {
        return false;
    }
    if (optim->mechanic) {
        an__mechanic_step(optim);
    } else {
        an__step(optim);
    }
    optim->step_count++;
    return true;
}

bool an_optim_step_closure(an_optim *optim, an_closure closure, void *user, double *loss,
                           an_error *err)
{
    double value;
    loss = loss ? loss : &value;
    optim->complaint = complain(optim, true);
    if (an_optim_error(optim, err)) {
        return false;
    }
    if (!optim->rule->search) {
        return closure(user, loss, err) && an_optim_step(optim);
    }
    if (!optim->rule->search(optim, closure, user, loss, err)) {
        return false;
    }
    optim->step_count++;
    return true;
}

bool an_optim_needs_closure(const an_optim *optim)
{
    return optim->rule->search != NULL;
}

void an_optim_zero_grad(an_optim *optim)
{
    an_params_zero_grad(optim->params);
}

/* --------------------------------------------------------------- questions */

size_t an_optim_group_count(const an_optim *optim)
{
    return optim->group_count;
}

an_lr_group *an_optim_group(an_optim *optim, size_t index)
{
    return index < optim->group_count ? optim->slots[index] : NULL;
}

an_lr_group *const *an_optim_groups(an_optim *optim)
{
    return optim->slots;
}

int64_t an_optim_group_size(const an_optim *optim, size_t index)
{
    int64_t size = 0;
    for (size_t i = 0; i < an_params_count(optim->params); i++) {
        size += optim->group_of[i] == index ? an_params_get(optim->params, i)->tensor->size : 0;
    }
    return size;
}

double an_optim_found(const an_optim *optim)
{
    if (optim->mechanic) {
        return an__mechanic_scale(optim);
    }
    return optim->rule->found ? optim->rule->found(optim) : 1;
}

int64_t an_optim_step_count(const an_optim *optim)
{
    return optim->step_count;
}

size_t an_optim_state_count(const an_optim *optim)
{
    return optim->state_count;
}

an_optim_state an_optim_state_get(an_optim *optim, size_t index)
{
    return index < optim->state_count ? optim->state[index] : (an_optim_state){0};
}

const char *an_optim_text(const an_optim *optim)
{
    return optim->text;
}
