/*
 * Averages of the weights: their mean (Izmailov and others: Averaging Weights Leads to Wider Optima
 * and Better Generalization; UAI 2018), an exponential mean (Polyak, Juditsky 1992, as everybody
 * uses it), and polynomial decay (Shamir, Zhang: Stochastic Gradient Descent for Non-smooth
 * Optimization; ICML 2013). Each update is a += w (p - a), one pass.
 */
#include <math.h>
#include <string.h>

#include "optim/print.h"
#include "optim/rule.h"

#define ROW(name, range, initial) \
    AN_OPTION(#name, an_average_options, name, NUMBER, range, AN_NO_SLOT, initial)

static const an_option decay_row[] = {ROW(decay, FRACTION, 0.999)};
static const an_option gamma_row[] = {ROW(gamma, NOT_NEGATIVE, 8)};

/* The kinds, in the order of an_average_kind. */
static const struct {
    const char *name;
    const an_option *options;
    size_t option_count;
} kinds[] = {{"SWA", NULL, 0}, {"EMA", decay_row, 1}, {"PolynomialDecay", gamma_row, 1}};

#define KINDS (sizeof kinds / sizeof kinds[0])

struct an_average {
    an_params *params;
    an_average_options options;
    float *values;
    int64_t count, swapped;
    char text[128];
};

/* The most that a time may count: whole numbers of a text are exact up to here. */
#define LONGEST (INT64_C(1) << 53)

an_average_options an_average_defaults(an_average_kind kind)
{
    an_options options = {0};
    an__options_default(decay_row, 1, &options);
    an__options_default(gamma_row, 1, &options);
    options.average.kind = kind;
    options.average.start = (an_average_time){0, kind == AN_AVERAGE_SWA};
    options.average.every = (an_average_time){1, kind == AN_AVERAGE_SWA};
    return options.average;
}

/* -------------------------------------------------------------------- making */

/* "SWA(" to "SWA(start=5ep", or "EMA(decay=0.999" to "EMA(decay=0.999, start=5ep". */
static size_t put_time(an_average *average, size_t at, const char *name, an_average_time time)
{
    char number[48];
    const size_t size = sizeof average->text;
    at = an__put(average->text, size, at, average->text[at - 1] == '(' ? "" : ", ");
    an_format(number, sizeof number, "%s=%lld%s", name, (long long)time.count,
              time.epochs ? "ep" : "st");
    return an__put(average->text, size, at, number);
}

static void write_text(an_average *average)
{
    const an_average_options *o = &average->options, usual = an_average_defaults(o->kind);
    an_options options = {.average = *o}, none = {0};
    const an_option *row = kinds[o->kind].options;
    const size_t size = sizeof average->text;
    none.average.decay = none.average.gamma = NAN;
    size_t at = an__put(average->text, size, 0, kinds[o->kind].name);
    at = an__put(average->text, size, at, "(");
    at = row ? an__options_print(row, 1, &options, &none, false, average->text, size, at) : at;
    if (o->start.count > 0) {
        at = put_time(average, at, "start", o->start);
    }
    if (o->every.count != usual.every.count || o->every.epochs != usual.every.epochs) {
        at = put_time(average, at, "every", o->every);
    }
    an__put(average->text, size, at, ")");
}

static bool check_times(const an_average_options *o, an_error *err)
{
    bool start = o->start.count >= 0 && o->start.count <= LONGEST;
    if (start && o->every.count >= 1 && o->every.count <= LONGEST) {
        return true;
    }
    return an_error_set(err, AN_ERROR_ARGUMENT, "%s: %s must be from %d to 2^53, got %lld",
                        kinds[o->kind].name, start ? "every" : "start", start ? 1 : 0,
                        (long long)(start ? o->every.count : o->start.count));
}

static bool check(const an_params *params, const an_average_options *options, an_error *err)
{
    an_options all = {.average = *options};
    if ((unsigned)options->kind >= KINDS) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "an average's kind must be from 0 to %d, got %d", (int)KINDS - 1,
                            (int)options->kind);
    }
    if (!an_params_values(params)) {
        return an_error_set(err, AN_ERROR_STATE,
                            "%s: the parameters are not laid out yet; build the model first",
                            kinds[options->kind].name);
    }
    return an__options_check(kinds[options->kind].name, kinds[options->kind].options,
                             kinds[options->kind].option_count, &all, err) &&
           check_times(options, err);
}

static size_t length_of(const an_average *average)
{
    return (size_t)an_params_length(average->params);
}

an_average *an_average_new(an_params *params, const an_average_options *options, an_error *err)
{
    if (!check(params, options, err)) {
        return NULL;
    }
    const an_allocator *allocator = an_context_allocator(an_params_context(params));
    an_average *average = an_alloc(allocator, 1, sizeof *average, err);
    if (!average) {
        return NULL;
    }
    average->params = params;
    average->options = *options;
    average->values = an_alloc(allocator, length_of(average), sizeof *average->values, err);
    if (!average->values) {
        an_average_free(average);
        return NULL;
    }
    write_text(average);
    return average;
}

void an_average_free(an_average *average)
{
    if (!average) {
        return;
    }
    const an_allocator *allocator = an_context_allocator(an_params_context(average->params));
    an_release(allocator, average->values, length_of(average), sizeof *average->values);
    an_release(allocator, average, 1, sizeof *average);
}

/* ----------------------------------------------------------------- from text */

/* The index of the kind that `call` names, or KINDS with err. */
static size_t find_kind(const an_spec_source *source, const an_spec_node *call, an_error *err)
{
    for (size_t i = 0; call->kind == AN_SPEC_CALL && i < KINDS; i++) {
        if (strcmp(call->text, kinds[i].name) == 0) {
            return i;
        }
    }
    an_spec_error(source, call->offset, err,
                  "an average of the weights is SWA(), EMA(decay=0.999) or "
                  "PolynomialDecay(gamma=8)");
    return KINDS;
}

/* "5ep", "100st", or a number in the unit that is there; `value` NULL: nothing to read. */
static bool read_time(const char *owner, const char *name, int64_t least,
                      const an_spec_source *source, const an_spec_node *value, an_average_time *out,
                      an_error *err)
{
    if (!value) {
        return true;
    }
    bool epochs = value->kind == AN_SPEC_NUMBER && strcmp(value->unit, "ep") == 0;
    bool steps = value->kind == AN_SPEC_NUMBER && strcmp(value->unit, "st") == 0;
    bool plain = value->kind == AN_SPEC_NUMBER && value->unit[0] == '\0';
    if ((!epochs && !steps && !plain) || !(value->number >= (double)least) ||
        value->number > (double)LONGEST || value->number != floor(value->number)) {
        return an_spec_error(source, value->offset, err,
                             "%s: %s must be a whole number of epochs or updates from %lld on, "
                             "such as 5ep or 100st",
                             owner, name, (long long)least);
    }
    *out = (an_average_time){(int64_t)value->number, epochs || (plain && out->epochs)};
    return true;
}

an_average *an_average_parse_spec(an_params *params, const an_spec_source *source,
                                  const an_spec_node *call, an_error *err)
{
    size_t kind = find_kind(source, call, err);
    if (kind == KINDS) {
        return NULL;
    }
    const an_option *row = kinds[kind].options;
    const char *owner = kinds[kind].name;
    an_options options = {.average = an_average_defaults((an_average_kind)kind)};
    const size_t own = kinds[kind].option_count;
    an_spec_param names[3] = {{.name = row ? row->name : NULL}};
    const an_spec_node *values[3] = {NULL, NULL, NULL};
    names[own].name = "start";
    names[own + 1].name = "every";
    if (!an_spec_bind(source, call, names, own + 2, values, err) ||
        (row && !an__option_read(owner, row, source, values[0], &options, err)) ||
        !read_time(owner, "start", 0, source, values[own], &options.average.start, err) ||
        !read_time(owner, "every", 1, source, values[own + 1], &options.average.every, err)) {
        return NULL;
    }
    return an_average_new(params, &options.average, err);
}

an_average *an_average_parse(an_params *params, const char *text, an_error *err)
{
    an_spec_source source = an_spec_source_text(text);
    an_spec *spec = an_spec_parse(&source, an_context_allocator(an_params_context(params)), err);
    if (!spec) {
        return NULL;
    }
    an_average *average =
        an_average_parse_spec(params, an_spec_where(spec), an_spec_root(spec), err);
    an_spec_free(spec);
    return average;
}

/* ------------------------------------------------------------------ averaging */

/* The weight of update n, from 1. */
static double weight(const an_average_options *o, int64_t n)
{
    if (n == 1) {
        return 1;
    }
    switch (o->kind) {
    case AN_AVERAGE_SWA:
        return 1 / (double)n;
    case AN_AVERAGE_EMA:
        return 1 - o->decay;
    case AN_AVERAGE_POLYNOMIAL:
        return (o->gamma + 1) / (o->gamma + (double)n);
    }
    return 1;
}

typedef struct pass {
    an_update_kernel kernel;
    an_scalars scalars;
    float *values, *average;
} pass;

static void lerp_task(void *arg, int64_t begin, int64_t end)
{
    const pass *p = arg;
    const an_vectors vectors = {.g = p->values + begin, .s = {p->average + begin}};
    p->kernel(&p->scalars, end - begin, &vectors, NULL);
}

static void swap_task(void *arg, int64_t begin, int64_t end)
{
    const pass *p = arg;
    for (int64_t i = begin; i < end; i++) {
        float value = p->values[i];
        p->values[i] = p->average[i];
        p->average[i] = value;
    }
}

static void run_pass(an_average *average, an_task task, double pull)
{
    an_context *context = an_params_context(average->params);
    pass p = {an__kernels(context)->update->run[AN_UPDATE_LERP],
              {.linear = {.pull = pull}},
              an_params_values(average->params),
              average->values};
    an__parallel(context, an_params_length(average->params), AN_UPDATE_GRAIN, task, &p);
}

void an_average_update(an_average *average)
{
    if (average->swapped) {
        return;
    }
    average->count++;
    run_pass(average, lerp_task, weight(&average->options, average->count));
}

/* Where a start and a step of the same unit are counted from the start, else from the beginning. */
bool an_average_is_due(const an_average *average, int64_t step, int64_t epoch, bool epoch_ends)
{
    const an_average_time start = average->options.start, every = average->options.every;
    int64_t now = every.epochs ? epoch : step;
    bool begun = (start.epochs ? epoch : step) > start.count;
    now -= start.epochs == every.epochs ? start.count : 0;
    return begun && every.epochs == epoch_ends && now % every.count == 0;
}

an_average_options an_average_options_of(const an_average *average)
{
    return average->options;
}

void an_average_swap(an_average *average)
{
    if (average->count > 0) {
        run_pass(average, swap_task, 0);
        average->swapped = !average->swapped;
    }
}

bool an_average_swapped(const an_average *average)
{
    return average->swapped;
}

int64_t an_average_count(const an_average *average)
{
    return average->count;
}

const char *an_average_text(const an_average *average)
{
    return average->text;
}

size_t an_average_state_count(const an_average *average)
{
    (void)average;
    return 3;
}

an_optim_state an_average_state_get(an_average *average, size_t index)
{
    switch (index) {
    case 0:
        return (an_optim_state){"n_averaged", AN_STATE_PLAIN, AN_STATE_INT64, 1, &average->count};
    case 1:
        return (an_optim_state){"swapped", AN_STATE_PLAIN, AN_STATE_INT64, 1, &average->swapped};
    case 2:
        return (an_optim_state){"average", AN_STATE_PER_VALUE, AN_STATE_FLOAT,
                                an_params_length(average->params), average->values};
    default:
        return (an_optim_state){0};
    }
}
