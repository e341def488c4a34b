/*
 * explain.c - formulas with numbers put in. Each schedule has a template: {b} is the base rate, {t}
 * the time, {m} the time but not more than the length, {l} the length; any other name in braces is
 * a parameter. What no template can say is written by a function.
 */
#include "lr/numeric.h"

#include "lr/node.h"
#include "lr/text.h"
#include <string.h>

static const char *const templates[AN_LR_KIND_COUNT] = {
    [AN_STEP_LR] = "{b} * {gamma} ** floor({t} / {step_size})",
    [AN_CONSTANT_LR] = "{b} * ({factor} if {t} < {l} else 1)",
    [AN_LINEAR_LR] = "{b} * ({start_factor} + ({end_factor} - {start_factor}) * {m} / {l})",
    [AN_EXPONENTIAL_LR] = "{b} * {gamma} ** {t}",
    [AN_POLYNOMIAL_LR] = "{b} * (1 - {m} / {l}) ** {power}",
    [AN_COSINE_ANNEALING_LR] = "{eta_min} + ({b} - {eta_min}) * (1 + cos(pi * {t} / {l})) / 2",
    [AN_LAMBDA_LR] = "{b} * ({lr_lambda})({t})",
    [AN_MULTIPLICATIVE_LR] = "the base {b} times lr_lambda(1) * ... * lr_lambda({t})",
    [AN_SWA_LR] = "from the rate that it found to {swa_lr}, {m} of {l} steps done",
    [AN_SEQUENTIAL_LR] = "the schedule whose turn it is",
    [AN_CHAINED_LR] = "its schedules, one upon the other, step by step",
    [AN_PLATEAU_LR] = "the base {b} times the reductions so far",
    [AN_LR_CONSTANT] = "{b} * {factor}",
    [AN_LR_LINEAR] = "{b} * ({start} + ({end} - {start}) * {m} / {l})",
    [AN_LR_COSINE] = "{b} * ({end} + ({start} - {end}) * (1 + cos(pi * {m} / {l})) / 2)",
    [AN_LR_INTERPOLATE] = "the base {b} times the value between its two moments around {m}",
    [AN_LR_SEQUENCE] = "the schedule whose turn it is",
    [AN_LR_PRODUCT] = "each schedule upon the rate of the one before",
    [AN_LR_SUM] = "the sum of its schedules",
    [AN_LR_MIN] = "the least of its schedules",
    [AN_LR_MAX] = "the greatest of its schedules",
    [AN_LR_CLAMP] = "its schedule, from {min} to {max}",
    [AN_LR_SCALE] = "its schedule times {by}",
    [AN_LR_SHIFT] = "its schedule, {by} later",
    [AN_LR_LOOP] = "its schedule at {t} modulo the length",
    [AN_LR_REVERSE] = "its schedule, {m} before the end",
    [AN_LR_STRETCH] = "its schedule, at another speed",
    [AN_LR_SLOPE] = "the base {b} times the reductions so far",
    [AN_LR_GREEDY] = "the base {b} times the raises and reductions so far",
    [AN_LR_SPIKE] = "the base {b} times the reductions so far",
    [AN_LR_DRIVE] = "its schedule, for {slot}",
    [AN_LR_TOGETHER] = "several schedules, each for its own",
    [AN_LR_DECAY] = "the base {b} from {start} to {end} along '{curve}', {m} of {l} done",
    [AN_LR_GEOMETRIC] = "{b} * {start} * ({end} / {start}) ** ({m} / {l})",
    [AN_LR_EXPONENTIAL] = "{b} * ({end} + ({start} - {end}) * {factor} ** ({t} / {every}))",
    [AN_LR_INVERSE] =
        "{b} * ({end} + ({start} - {end}) / (1 + ({t} / {timescale}) ** {inner}) ** {power})",
    [AN_LR_SIGMOID] = "{b} * ({end} + ({start} - {end}) / (1 + exp(({t} - {center}) / {width})))",
    [AN_LR_TABLE] = "the base {b} times value floor({t} / {every}) of its table",
    [AN_LR_CHEBYSHEV] = "the base {b} times step floor({t} / {every}) of {count}",
    [AN_LR_RADAM] = "the base {b} times RAdam's factor for beta2 = {beta2} at {t}",
    [AN_LR_RESTARTS] = "its schedule, stretched to the cycle that {t} is in",
    [AN_LR_STAIRS] = "its schedule at floor({t} / {every}) * {every}",
    [AN_LR_BASE] = "its schedule over the base rate {lr}",
};

/* -------------------------------------------------------------- parameters */

static void write_length(an__lr_writer *w, an_lr_length length)
{
    an__lr_write_number(w, length.value);
    if (length.unit != AN_STEPS)
        an__lr_write(w, an__lr_unit_text(length.unit));
}

/* As Python could call it. */
static void write_function(an__lr_writer *w, const an_lr_functions *f)
{
    const char *text = f->count > 0 ? f->each[0].text : f->function.text;
    if (!text || strncmp(text, "lambda", 6) != 0)
        an__lr_write(w, "lambda epoch: ");
    an__lr_write(w, text ? text : AN__LR_HOST_FUNCTION);
}

static void write_value(an__lr_writer *w, const char *name, const an_lr_value *value)
{
    if (!value->schedule) {
        an__lr_write_number(w, value->value);
        return;
    }
    an__lr_write(w, name);
    an__lr_write(w, "(t)");
}

/* The value that a parameter has for the first group. */
static void write_param(an__lr_writer *w, const an_lr_desc *desc, const an_lr_param *param)
{
    const void *at = (const unsigned char *)desc + param->offset;
    switch (param->type) {
    case AN_LR_INTEGER:
        an__lr_write_integer(w, *(const int64_t *)at);
        return;
    case AN_LR_REAL:
        an__lr_write_number(w, *(const double *)at);
        return;
    case AN_LR_REALS:
        an__lr_write_number(w, an__lr_real(at, 0));
        return;
    case AN_LR_VALUE:
        write_value(w, param->name, at);
        return;
    case AN_LR_LENGTH:
        write_length(w, *(const an_lr_length *)at);
        return;
    case AN_LR_CHOICE:
        an__lr_write(w, an__lr_choice_name(param, (uint64_t)an__lr_choice(desc, param)));
        return;
    case AN_LR_FUNCTIONS:
        write_function(w, at);
        return;
    case AN_LR_NAME:
        an__lr_write(w, *(const char *const *)at);
        return;
    default:
        an__lr_write(w, param->name);
    }
}

/* --------------------------------------------------------------- templates */

static void write_hole(an__lr_writer *w, const an_lr_part *part, const char *name, size_t length)
{
    size_t count;
    const an_lr_param *params = an_lr_params(part->desc->kind, &count);
    double l = part->length.value, t = part->time;
    if (length == 1 && strchr("btlm", name[0])) {
        double numbers[] = {part->base, t, l, t > l ? l : t};
        an__lr_write_number(w, numbers[strchr("btlm", name[0]) - "btlm"]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (strlen(params[i].name) == length && strncmp(params[i].name, name, length) == 0)
            write_param(w, part->desc, &params[i]);
}

static void write_template(an__lr_writer *w, const an_lr_part *part, const char *text)
{
    char letter[2] = "";
    while (*text) {
        const char *close = *text == '{' ? strchr(text, '}') : NULL;
        if (close) {
            write_hole(w, part, text + 1, (size_t)(close - text - 1));
            text = close + 1;
        } else {
            letter[0] = *text++;
            an__lr_write(w, letter);
        }
    }
}

/* ------------------------------------------------ what a template cannot say */

static void write_multi_step(an__lr_writer *w, const an_lr_part *part)
{
    const an_multi_step_lr *m = &part->desc->multi_step;
    int64_t passed = 0;
    for (size_t i = 0; i < m->milestones.count; i++)
        passed += (double)m->milestones.each[i] <= part->time;
    write_template(w, part, "{b} * {gamma} ** ");
    an__lr_write_integer(w, passed);
}

static void write_restarts(an__lr_writer *w, const an_lr_part *part)
{
    const an_warm_restarts_lr *r = &part->desc->restarts;
    double cycle = (double)r->T_0, t = part->time;
    if (r->T_mult == 1)
        t = fmod(t, cycle);
    while (r->T_mult > 1 && t >= cycle) {
        t -= cycle;
        cycle *= (double)r->T_mult;
    }
    write_template(w, part, "{eta_min} + ({b} - {eta_min}) * (1 + cos(pi * ");
    an__lr_write_number(w, t);
    an__lr_write(w, " / ");
    an__lr_write_number(w, cycle);
    an__lr_write(w, ")) / 2");
}

static void write_cyclic(an__lr_writer *w, const an_lr_part *part)
{
    const an_cyclic_lr *c = &part->desc->cyclic;
    double up = (double)c->step_size_up;
    double down = c->step_size_down == AN_LR_NONE ? up : (double)c->step_size_down;
    double cycle = floor(part->time / (up + down)), at = part->time - cycle * (up + down);
    write_template(w, part, "{base_lr} + ({max_lr} - {base_lr}) * ");
    an__lr_write_number(w, at <= up ? at : up + down - at);
    an__lr_write(w, " / ");
    an__lr_write_number(w, at <= up ? up : down);
    if (c->scale_fn.call) {
        an__lr_write(w, " * scale_fn");
    } else if (c->mode == AN_TRIANGULAR2) {
        an__lr_write(w, " / 2 ** ");
        an__lr_write_number(w, cycle);
    } else if (c->mode == AN_EXP_RANGE) {
        write_template(w, part, " * {gamma} ** {t}");
    }
}

static void write_one_cycle(an__lr_writer *w, const an_lr_part *part)
{
    const an_one_cycle_lr *o = &part->desc->one_cycle;
    double total = part->length.value, up = o->pct_start * total - 1;
    double ends[] = {up, o->three_phase ? 2 * up : total - 1, total - 1};
    double top = an__lr_real(&o->max_lr, 0), low = top / o->div_factor;
    double rates[] = {low, top, o->three_phase ? low : low / o->final_div_factor,
                      low / o->final_div_factor};
    int phase = 0;
    while (phase < (o->three_phase ? 2 : 1) && part->time > ends[phase])
        phase++;
    double begin = phase > 0 ? ends[phase - 1] : 0, width = ends[phase] - begin;
    double done = fmin(part->time, ends[phase]) - begin;
    const double numbers[] = {rates[phase + 1], rates[phase], rates[phase + 1], done, width};
    const char *const cosine[] = {"", " + (", " - ", ") * (1 + cos(pi * ", " / "};
    const char *const linear[] = {"", " + (", " - ", ") * (1 - ", " / "};
    bool line = o->anneal_strategy == AN_ANNEAL_LINEAR;
    for (int i = 0; i < 5; i++) {
        an__lr_write(w, line ? linear[i] : cosine[i]);
        an__lr_write_number(w, numbers[i]);
    }
    an__lr_write(w, line ? ")" : ")) / 2");
}

/* The part with a time within its length, where its after_end brings it. */
static an_lr_part brought(const an_lr_part *part)
{
    an_lr_part in = *part;
    double length = part->length.value;
    an_lr_end end = part->desc->after_end;
    if (!(part->time > length) || end == AN_END_DEFAULT || end == AN_END_ERROR)
        return in;
    in.time = length;
    if (end == AN_END_REPEAT)
        in.time = fmod(part->time, length);
    if (end == AN_END_MIRROR)
        in.time = length - fabs(fmod(part->time, 2 * length) - length);
    return in;
}

size_t an_lr_formula(char *buffer, size_t size, const an_lr_part *part)
{
    an__lr_writer w = {.buffer = buffer, .size = size};
    const an_lr_part in = brought(part);
    bool over = part->time > part->length.value;
    if (over && part->desc->after_end == AN_END_ZERO)
        an__lr_write(&w, "0");
    else if (part->desc->kind == AN_MULTI_STEP_LR)
        write_multi_step(&w, &in);
    else if (part->desc->kind == AN_WARM_RESTARTS_LR)
        write_restarts(&w, &in);
    else if (part->desc->kind == AN_CYCLIC_LR)
        write_cyclic(&w, &in);
    else if (part->desc->kind == AN_ONE_CYCLE_LR)
        write_one_cycle(&w, &in);
    else
        write_template(&w, &in, templates[part->desc->kind]);
    return an__lr_write_end(&w);
}
