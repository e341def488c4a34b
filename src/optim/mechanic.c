/*
 * Mechanic (Cutkosky, Defazio, Mehta: Mechanic: A Learning Rate Tuner; NeurIPS 2023), with the
 * clipping that its authors added in optax. The inner optimizer's updates add up in a, and the
 * parameters are x = x0 - (s_1 + ... + s_n) a: a scale that each of n tuners, with beta_i = 1 -
 * 0.1^i, sets its part of. With g the gradient and S the sum of the s, every step
 *
 *   h = <g + weight_decay S |g| / (|x| + eps) x, a>
 *   r_i = beta_i r_i + s_i clip(h, -m_i, m_i)
 *   m_i = max(beta_i m_i, |h| + eps),  v_i = beta_i^2 v_i + h^2
 *   s_i = (s_init / n m_i + max(0, r_i)) / (sqrt(v_i) + eps)
 *
 * where the clipping takes the m before, and a is that before the inner update.
 */
#include <math.h>
#include <string.h>

#include "optim/print.h"
#include "optim/rule.h"

#define ROW(name, ...) AN_OPTION(#name, an_mechanic_options, name, __VA_ARGS__)

const an_option an__mechanic_table[] = {
    ROW(weight_decay, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-2),
    ROW(eps, NUMBER, NOT_NEGATIVE, AN_NO_SLOT, 1e-8),
    ROW(s_init, NUMBER, POSITIVE, AN_NO_SLOT, 1e-6),
    ROW(num_betas, INTEGER, FROM_ONE, AN_NO_SLOT, 6),
};
const size_t an__mechanic_options = sizeof an__mechanic_table / sizeof an__mechanic_table[0];

#define MOST_TUNERS 16

struct an_mechanic {
    an_mechanic_options options;
    double r[MOST_TUNERS], m[MOST_TUNERS], v[MOST_TUNERS], s[MOST_TUNERS];
    an_real *start, *sum; /* x0 and a */
    bool up;              /* the inner optimizer maximises */
};

static double total(const an_mechanic *m)
{
    double sum = 0;
    for (int64_t i = 0; i < m->options.num_betas; i++) {
        sum += m->s[i];
    }
    return sum;
}

double an__mechanic_scale(const an_optim *optim)
{
    return total(optim->mechanic);
}

/* ------------------------------------------------------------------ one step */

/* h, from the gradients that are there and all values. */
static double correlation(const an_optim *optim, const an_mechanic *m)
{
    const an_scalars none = {.linear = {0}};
    double grads[AN_UPDATE_SUMS] = {0}, values[AN_UPDATE_SUMS] = {0};
    an_param_run run = {0};
    while (an__run_next(optim->params, &run, NULL, NULL)) {
        const an_vectors all = {.g = optim->grads + run.begin, .s = {m->sum + run.begin}};
        an__update_sums(optim, AN_UPDATE_DOT, &none, &all, run.count, grads);
    }
    if (m->options.weight_decay != 0) {
        const an_vectors all = {.g = optim->values, .s = {m->sum}};
        an__update_sums(optim, AN_UPDATE_DOT, &none, &all, an_params_length(optim->params), values);
    }
    double decay =
        m->options.weight_decay * total(m) * sqrt(grads[1]) / (sqrt(values[1]) + m->options.eps);
    return (m->up ? -grads[0] : grads[0]) + decay * values[0];
}

static void tune(an_mechanic *m, double h)
{
    const an_mechanic_options *o = &m->options;
    for (int64_t i = 0; i < o->num_betas; i++) {
        double beta = 1 - pow(0.1, (double)(i + 1));
        double clipped = fmax(-m->m[i], fmin(h, m->m[i]));
        m->r[i] = beta * m->r[i] + clipped * m->s[i];
        m->m[i] = fmax(beta * m->m[i], fabs(h) + o->eps);
        m->v[i] = beta * beta * m->v[i] + h * h;
        double wealth = o->s_init / (double)o->num_betas * m->m[i] + fmax(0, m->r[i]);
        m->s[i] = wealth / (sqrt(m->v[i]) + o->eps);
    }
}

void an__mechanic_step(an_optim *optim)
{
    an_mechanic *m = optim->mechanic;
    int64_t length = an_params_length(optim->params);
    if (optim->step_count == 0) {
        memcpy(m->start, optim->values, (size_t)length * sizeof *m->start);
    }
    double before = total(m);
    tune(m, correlation(optim, m));
    an__step(optim);
    const an_scalars s = {.mechanic = {.before = before, .scale = total(m)}};
    const an_vectors all = {.p = optim->values, .s = {m->start, m->sum}};
    an__update(optim, AN_UPDATE_MECHANIC, &s, &all, length);
}

/* -------------------------------------------------------------------- making */

static void list_states(an_optim *optim, an_mechanic *m)
{
    const struct {
        const char *name;
        double *data;
    } lists[] = {
        {"mechanic_r", m->r}, {"mechanic_m", m->m}, {"mechanic_v", m->v}, {"mechanic_s", m->s}};
    for (size_t i = 0; i < 4; i++) {
        an__optim_list(optim, (an_optim_state){lists[i].name, AN_STATE_PLAIN, AN_STATE_DOUBLE,
                                               m->options.num_betas, lists[i].data});
    }
    int64_t length = an_params_length(optim->params);
    an__optim_list(optim, (an_optim_state){"mechanic_x0", AN_STATE_PER_VALUE, AN_STATE_FLOAT,
                                           length, m->start});
    an__optim_list(optim, (an_optim_state){"mechanic_delta", AN_STATE_PER_VALUE, AN_STATE_FLOAT,
                                           length, m->sum});
}

/* "Mechanic(SGD(lr=1), s_init=1e-05)" */
static size_t print(const an_optim *inner, const an_options *options, char *buffer, size_t size)
{
    an_options defaults = {0};
    an__options_default(an__mechanic_table, an__mechanic_options, &defaults);
    size_t at = an__put(buffer, size, 0, AN_MECHANIC "(");
    at = an__put(buffer, size, at, inner->text);
    size_t before = at;
    at = an__put(buffer, size, at, ", ");
    size_t after = an__options_print(an__mechanic_table, an__mechanic_options, options, &defaults,
                                     false, buffer, size, at);
    return an__put(buffer, size, after > at ? after : before, ")");
}

static bool maximises(const an_optim *optim, size_t group)
{
    const an_rule *rule = optim->rule;
    return an__option_flag(rule->options, rule->option_count, &optim->group[group]->options,
                           "maximize");
}

static bool goes_around(const an_optim *inner, an_error *err)
{
    if (inner->mechanic || inner->rule->own_rate) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            AN_MECHANIC " finds the rate of a plain optimizer, as in " AN_MECHANIC
                                        "(AdamW(lr=1)); %s %s",
                            inner->mechanic ? "another " AN_MECHANIC : inner->rule->name,
                            inner->rule->search ? "searches along lines" : "finds its own");
    }
    for (size_t i = 1; i < inner->group_count; i++) {
        if (maximises(inner, i) != maximises(inner, 0)) {
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                AN_MECHANIC " finds one scale for all groups of %s; give maximize "
                                            "to all of them or to none",
                                inner->rule->name);
        }
    }
    return inner->step_count == 0 ||
           an_error_set(err, AN_ERROR_STATE,
                        AN_MECHANIC " must be put around %s before its first step",
                        inner->rule->name);
}

an_optim *an_mechanic_wrap(an_optim *inner, const an_mechanic_options *options, an_error *err)
{
    an_options all = {.mechanic = *options};
    if (!an__options_check(AN_MECHANIC, an__mechanic_table, an__mechanic_options, &all, err) ||
        !goes_around(inner, err)) {
        return NULL;
    }
    if (options->num_betas > MOST_TUNERS) {
        an_error_set(err, AN_ERROR_ARGUMENT, AN_MECHANIC ": num_betas must be at most %d, got %lld",
                     MOST_TUNERS, (long long)options->num_betas);
        return NULL;
    }
    size_t length = (size_t)an_params_length(inner->params), size = print(inner, &all, NULL, 0) + 1;
    an_mechanic *m = an__optim_take(inner, 1, sizeof *m, err);
    char *text = an__optim_take(inner, size, 1, err);
    if (!m || !text || !(m->start = an__optim_take(inner, length, sizeof *m->start, err)) ||
        !(m->sum = an__optim_take(inner, length, sizeof *m->sum, err))) {
        return NULL;
    }
    m->options = *options;
    m->up = maximises(inner, 0);
    for (int64_t i = 0; i < options->num_betas; i++) {
        m->s[i] = options->s_init;
    }
    print(inner, &all, text, size);
    list_states(inner, m);
    inner->text = text;
    inner->mechanic = m;
    return inner;
}

an_mechanic_options an_mechanic_defaults(void)
{
    an_options options = {0};
    an__options_default(an__mechanic_table, an__mechanic_options, &options);
    return options.mechanic;
}
