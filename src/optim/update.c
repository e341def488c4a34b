/* How a step passes over the flat vectors: run by run, each cut over the threads. */
#include <math.h>
#include <string.h>

#include "optim/rule.h"

static bool same_numbers(const an_optim *optim, size_t a, size_t b)
{
    for (int k = 0; k < AN_MAX_NUMBERS && optim->number[k]; k++) {
        if (optim->number[k][a] != optim->number[k][b]) {
            return false;
        }
    }
    return true;
}

static bool joins(const void *user, size_t a, size_t b)
{
    const an_optim *optim = user;
    const an_rule *rule = optim->rule;
    if (rule->by_tensor || optim->group_of[a] != optim->group_of[b] || !same_numbers(optim, a, b)) {
        return false;
    }
    bool same_age = rule->timed ? optim->steps[a] == optim->steps[b]
                                : (optim->steps[a] == 0) == (optim->steps[b] == 0);
    return same_age &&
           (!rule->keeps_gaps || rule->keeps_gaps(&optim->group[optim->group_of[a]]->options));
}

bool an__next_run(const an_optim *optim, an_param_run *run)
{
    return an__run_next(optim->params, run, joins, optim);
}

an_vectors an__vectors_at(const an_optim *optim, int64_t begin, unsigned vectors)
{
    an_vectors all = {.p = optim->values + begin, .g = optim->grads + begin};
    for (int i = 0; i < optim->vector_count; i++) {
        all.s[i] = vectors >> i & 1 ? optim->vector[i] + begin : NULL;
    }
    return all;
}

typedef struct pass {
    an_update_kernel kernel;
    const an_scalars *scalars;
    const an_vectors *vectors;
    int64_t count, part; /* with sums: values in all, and in each part but the last */
    double (*sums)[AN_UPDATE_SUMS];
} pass;

static an_vectors shift(const an_vectors *vectors, int64_t by)
{
    an_vectors all = *vectors;
    all.p = all.p ? all.p + by : NULL;
    all.g = all.g ? all.g + by : NULL;
    for (int i = 0; i < AN_UPDATE_VECTORS; i++) {
        all.s[i] = all.s[i] ? all.s[i] + by : NULL;
    }
    return all;
}

static void update_task(void *arg, int64_t begin, int64_t end)
{
    const pass *p = arg;
    an_vectors vectors = shift(p->vectors, begin);
    p->kernel(p->scalars, end - begin, &vectors, NULL);
}

void an__update(const an_optim *optim, an_update_id kernel, const an_scalars *scalars,
                const an_vectors *vectors, int64_t count)
{
    pass p = {.kernel = optim->kernels->run[kernel], .scalars = scalars, .vectors = vectors};
    an__parallel(an_params_context(optim->params), count, AN_UPDATE_GRAIN, update_task, &p);
}

/* --------------------------------------------------------------------- sums */

static void sums_task(void *arg, int64_t begin, int64_t end)
{
    const pass *p = arg;
    for (int64_t i = begin; i < end; i++) {
        int64_t at = i * p->part, left = p->count - at;
        an_vectors vectors = shift(p->vectors, at);
        p->kernel(p->scalars, left < p->part ? left : p->part, &vectors, p->sums[i]);
    }
}

/* The second sum of `absolute` is a maximum, of which NaN is the largest. */
static void add_part(an_update_id kernel, double *sums, const double *part)
{
    for (int k = 0; k < AN_UPDATE_SUMS; k++) {
        if (kernel == AN_UPDATE_ABSOLUTE && k == 1) {
            sums[k] = sums[k] >= part[k] || isnan(sums[k]) ? sums[k] : part[k];
        } else {
            sums[k] += part[k];
        }
    }
}

void an__update_sums(const an_optim *optim, an_update_id kernel, const an_scalars *scalars,
                     const an_vectors *vectors, int64_t count, double sums[AN_UPDATE_SUMS])
{
    double part_sums[AN_MOST_PARTS][AN_UPDATE_SUMS] = {{0}};
    const an_parts parts = an__parts_of(count);
    pass p = {optim->kernels->run[kernel], scalars, vectors, count, parts.length, part_sums};
    an__parallel(an_params_context(optim->params), parts.count, 1, sums_task, &p);
    for (int64_t i = 0; i < parts.count; i++) {
        add_part(kernel, sums, part_sums[i]);
    }
}

/* --------------------------------------------------------------------- steps */

void an__count_step(an_optim *optim, const an_param_run *run)
{
    for (size_t i = run->first; i < run->end; i++) {
        optim->steps[i]++;
    }
}

void an__step(an_optim *optim)
{
    if (optim->rule->whole) {
        optim->rule->whole(optim);
        return;
    }
    an_param_run run = {0};
    while (an__next_run(optim, &run)) {
        an_options options = an__group_options(optim, optim->group_of[run.first]);
        an_update update = {0};
        optim->rule->prepare(optim, &run, &options, &update);
        an_vectors vectors = an__vectors_at(optim, run.begin, update.vectors);
        an__update(optim, update.kernel, &update.scalars, &vectors, run.count);
        if (!update.uncounted) {
            an__count_step(optim, &run);
        }
    }
}
