/* Losses from text: "CrossEntropyLoss(label_smoothing=0.1)". */
#include <math.h>
#include <string.h>

#include <anneal/nn.h>

#include "nn/name.h"

/* The parameters of all losses. PyTorch keeps two old ones at their places; they must be None. */
typedef enum parameter {
    WEIGHT,
    POS_WEIGHT,
    SIZE_AVERAGE,
    REDUCE,
    REDUCTION,
    IGNORE_INDEX,
    LABEL_SMOOTHING,
    BETA,
    DELTA,
    LOG_TARGET
} parameter;

static const char *const parameter_names[] = {
    [WEIGHT] = "weight",
    [POS_WEIGHT] = "pos_weight",
    [SIZE_AVERAGE] = "size_average",
    [REDUCE] = "reduce",
    [REDUCTION] = "reduction",
    [IGNORE_INDEX] = "ignore_index",
    [LABEL_SMOOTHING] = "label_smoothing",
    [BETA] = "beta",
    [DELTA] = "delta",
    [LOG_TARGET] = "log_target",
};

enum { MAX_PARAMETERS = 6 };

/* A loss and its parameters in PyTorch's order. */
typedef struct signature {
    const char *name;
    size_t count;
    parameter parameters[MAX_PARAMETERS];
} signature;

static const signature signatures[] = {
    [AN_CROSS_ENTROPY_LOSS] = {"CrossEntropyLoss",
                               6,
                               {WEIGHT, SIZE_AVERAGE, IGNORE_INDEX, REDUCE, REDUCTION,
                                LABEL_SMOOTHING}},
    [AN_NLL_LOSS] = {"NLLLoss", 5, {WEIGHT, SIZE_AVERAGE, IGNORE_INDEX, REDUCE, REDUCTION}},
    [AN_MSE_LOSS] = {"MSELoss", 3, {SIZE_AVERAGE, REDUCE, REDUCTION}},
    [AN_L1_LOSS] = {"L1Loss", 3, {SIZE_AVERAGE, REDUCE, REDUCTION}},
    [AN_SMOOTH_L1_LOSS] = {"SmoothL1Loss", 4, {SIZE_AVERAGE, REDUCE, REDUCTION, BETA}},
    [AN_HUBER_LOSS] = {"HuberLoss", 2, {REDUCTION, DELTA}},
    [AN_BCE_WITH_LOGITS_LOSS] = {"BCEWithLogitsLoss",
                                 5,
                                 {WEIGHT, SIZE_AVERAGE, REDUCE, REDUCTION, POS_WEIGHT}},
    [AN_KL_DIV_LOSS] = {"KLDivLoss", 4, {SIZE_AVERAGE, REDUCE, REDUCTION, LOG_TARGET}},
};

enum { KINDS = sizeof signatures / sizeof *signatures };

/* ------------------------------------------------------------------ values */

/* One call's parameter: where it stands and what it is called. */
typedef struct place {
    const an_spec_source *source;
    const an_spec_node *value;
    const char *loss, *name;
} place;

static bool read_weights(const place *at, an_arena *arena, const float **weights, int64_t *count,
                         an_error *err)
{
    const an_spec_node *list = at->value;
    if (list->kind == AN_SPEC_NONE) {
        return true;
    }
    if (list->kind != AN_SPEC_LIST || list->arg_count == 0) {
        return an_spec_error(at->source, list->offset, err,
                             "%s: %s must be a list of numbers, such as [0.5, 2], or None",
                             at->loss, at->name);
    }
    float *values = an_arena_alloc(arena, list->arg_count * sizeof *values);
    if (!values) {
        return an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %s", at->loss);
    }
    for (size_t i = 0; i < list->arg_count; i++) {
        const an_spec_node *value = list->args[i].value;
        double number = 0;
        if (!an_spec_number(at->source, at->name, value, &number, err)) {
            return false;
        }
        if (!(number >= 0 && number <= 3e38)) {
            return an_spec_error(at->source, value->offset, err,
                                 "%s: a weight must be a number of at least 0", at->loss);
        }
        values[i] = (float)number;
    }
    *weights = values;
    *count = (int64_t)list->arg_count;
    return true;
}

static bool read_reduction(const place *at, an_loss *loss, an_error *err)
{
    static const char *const words[] = {"mean", "sum", "batchmean", "none"};
    const bool batch = loss->kind == AN_KL_DIV_LOSS;
    for (int i = 0; i < 4 && at->value->kind == AN_SPEC_STRING; i++) {
        if (strcmp(at->value->text, words[i]) == 0 && (batch || i != AN_REDUCE_BATCHMEAN)) {
            loss->reduction = (an_reduction)i;
            return true;
        }
    }
    return an_spec_error(at->source, at->value->offset, err,
                         "%s: reduction must be 'mean', 'sum'%s or 'none'", at->loss,
                         batch ? ", 'batchmean'" : "");
}

/* A number from `low`, or above it where it is `open`, to `high`. */
static bool read_between(const place *at, double low, bool open, double high, double *out,
                         an_error *err)
{
    double number = 0;
    if (!an_spec_number(at->source, at->name, at->value, &number, err)) {
        return false;
    }
    if ((open ? number > low : number >= low) && number <= high) {
        *out = number;
        return true;
    }
    char got[40], most[40] = "";
    an_number_print_short(got, sizeof got, number);
    if (isfinite(high)) {
        an_format(most, sizeof most, " and at most %g", high);
    }
    return an_spec_error(at->source, at->value->offset, err, "%s: %s must be %s %g%s, got %s",
                         at->loss, at->name, open ? "above" : "at least", low, most, got);
}

static bool read_ignored(const place *at, int32_t *label, an_error *err)
{
    int64_t number = *label;
    if (!an_spec_integer(at->source, at->name, at->value, &number, err)) {
        return false;
    }
    if (number < INT32_MIN || number > INT32_MAX) {
        return an_spec_error(at->source, at->value->offset, err,
                             "%s: ignore_index must be a label of 32 bits", at->loss);
    }
    *label = (int32_t)number;
    return true;
}

static bool read_parameter(const place *at, parameter which, an_arena *arena, an_loss *loss,
                           an_error *err)
{
    switch (which) {
    case WEIGHT:
        return read_weights(at, arena, &loss->weight, &loss->weight_count, err);
    case POS_WEIGHT:
        return read_weights(at, arena, &loss->pos_weight, &loss->pos_weight_count, err);
    case REDUCTION:
        return read_reduction(at, loss, err);
    case IGNORE_INDEX:
        return read_ignored(at, &loss->ignore_index, err);
    case LABEL_SMOOTHING:
        return read_between(at, 0, false, 1, &loss->label_smoothing, err);
    case BETA:
        return read_between(at, 0, false, INFINITY, &loss->beta, err);
    case DELTA:
        return read_between(at, 0, true, INFINITY, &loss->delta, err);
    case LOG_TARGET:
        return an_spec_bool(at->source, at->name, at->value, &loss->log_target, err);
    case SIZE_AVERAGE:
    case REDUCE:
        break;
    }
    return at->value->kind == AN_SPEC_NONE ||
           an_spec_error(at->source, at->value->offset, err,
                         "%s: %s is an old name; write reduction='mean' or reduction='sum'",
                         at->loss, at->name);
}

/* ------------------------------------------------------------------- calls */

static bool read_loss(const an_spec_source *source, const an_spec_node *call, an_arena *arena,
                      an_loss *loss, an_error *err)
{
    const signature *s = &signatures[loss->kind];
    an_spec_param params[MAX_PARAMETERS] = {{0}};
    const an_spec_node *values[MAX_PARAMETERS] = {NULL};
    for (size_t i = 0; i < s->count; i++) {
        params[i] = (an_spec_param){.name = parameter_names[s->parameters[i]]};
    }
    if (!an_spec_bind(source, call, params, s->count, values, err)) {
        return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        place at = {source, values[i], s->name, params[i].name};
        if (values[i] && !read_parameter(&at, s->parameters[i], arena, loss, err)) {
            return false;
        }
    }
    return true;
}

bool an_loss_parse(const an_spec_source *source, const an_spec_node *call, an_arena *arena,
                   an_loss *loss, an_error *err)
{
    if (!an__name_call(source, call, "loss", "CrossEntropyLoss()", err)) {
        return false;
    }
    const char *names[KINDS + 1] = {NULL};
    for (int i = 0; i < KINDS; i++) {
        names[i] = signatures[i].name;
        if (strcmp(names[i], call->text) == 0) {
            *loss = an_loss_defaults((an_loss_kind)i);
            return read_loss(source, call, arena, loss, err);
        }
    }
    return an_spec_unknown(source, call, "loss", names, err);
}

/* What the parameter is in a loss with defaults; SIZE_AVERAGE and REDUCE have no say. */
static void print_default(parameter which, const an_loss *loss, char *text, size_t size)
{
    switch (which) {
    case REDUCTION:
        an_format(text, size, "'mean'");
        break;
    case IGNORE_INDEX:
        an_format(text, size, "%d", (int)loss->ignore_index);
        break;
    case LABEL_SMOOTHING:
        an_number_print_short(text, size, loss->label_smoothing);
        break;
    case BETA:
        an_number_print_short(text, size, loss->beta);
        break;
    case DELTA:
        an_number_print_short(text, size, loss->delta);
        break;
    case LOG_TARGET:
        an_format(text, size, loss->log_target ? "True" : "False");
        break;
    default:
        an_format(text, size, "None");
    }
}

size_t an_loss_signature(an_loss_kind kind, char *text, size_t size)
{
    const an_loss loss = an_loss_defaults(kind);
    const signature *s = &signatures[kind];
    size_t at = an_format(text, size, "%s(", s->name);
    for (size_t i = 0; i < s->count; i++) {
        char value[40];
        print_default(s->parameters[i], &loss, value, sizeof value);
        at += an_format(at < size ? text + at : NULL, at < size ? size - at : 0, "%s%s=%s",
                        i > 0 ? ", " : "", parameter_names[s->parameters[i]], value);
    }
    return at + an_format(at < size ? text + at : NULL, at < size ? size - at : 0, ")");
}

const char *an_loss_name(an_loss loss)
{
    return signatures[loss.kind].name;
}
