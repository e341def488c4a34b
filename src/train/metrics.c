/* The user's metrics: their sums, their values in the record, and which of them cannot be had. */
#include "train/fit.h"

#include <math.h>
#include <string.h>

double an__metric_value(const an_metric *metric, const an_metric_sum *sum)
{
    if (sum->weight == 0)
        return NAN;
    const double mean = sum->sum / sum->weight;
    return metric->of_mean ? metric->of_mean(mean) : mean;
}

void an__metrics_add(an__fit *f, const an_tensor *output, const an_batch *batch)
{
    for (size_t i = 0; i < f->options->metric_count; i++) {
        const an_metric *m = &f->options->metrics[i];
        an_metric_sum sum = {0};
        if (!m->name)
            continue;
        m->add(m->user, output, batch, &sum);
        f->epoch.metrics[i].sum += sum.sum;
        f->epoch.metrics[i].weight += sum.weight;
        f->window.metrics[i].sum += sum.sum;
        f->window.metrics[i].weight += sum.weight;
    }
}

static void put(an_record *record, const char *name, double value)
{
    if (name)
        record->metrics[record->metric_count++] = (an_named_value){name, value};
}

void an__show_metrics(an__fit *f)
{
    const an_fit_options *o = f->options;
    f->record.metric_count = 0;
    for (size_t i = 0; i < o->metric_count; i++)
        put(&f->record, o->metrics[i].name, an__metric_value(&o->metrics[i], &f->epoch.metrics[i]));
    for (size_t i = 0; o->valid && i < o->metric_count; i++)
        put(&f->record, o->metrics[i].valid, f->valid_metrics[i]);
}

void an__forget_validated(an__fit *f)
{
    for (size_t i = 0; i < AN_RECORD_METRICS; i++)
        f->valid_metrics[i] = NAN;
}

double an__monitored_metric(const an__fit *f, const an__tally *sum)
{
    const an_fit_options *o = f->options;
    for (size_t i = 0; i < o->metric_count; i++) {
        const an_metric *m = &o->metrics[i];
        if (m->name && strcmp(m->name, o->metric) == 0)
            return an__metric_value(m, &sum->metrics[i]);
        if (m->valid && strcmp(m->valid, o->metric) == 0)
            return f->valid_metrics[i];
    }
    return NAN;
}

/* ------------------------------------------------------------------ checking */

/* The names in their order: of the training 2i, of the validation 2i + 1; NULL: none. */
static const char *name_at(const an_fit_options *o, size_t place)
{
    const an_metric *m = &o->metrics[place / 2];
    return place % 2 == 0 ? m->name : m->valid;
}

static bool is_taken(const an_fit_options *o, size_t place)
{
    const char *name = name_at(o, place);
    bool taken = an_is_log_column(name);
    for (size_t i = 0; !taken && i < place; i++)
        taken = name_at(o, i) && strcmp(name_at(o, i), name) == 0;
    return taken;
}

static bool has_control(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return true;
    return false;
}

static bool check_name(const an_fit_options *o, size_t place, an_error *err)
{
    const char *name = name_at(o, place);
    if (!name)
        return true;
    if (!name[0] || strlen(name) > 63 || has_control(name))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "metrics: a name has 1 to 63 bytes and no control characters, unlike "
                            "'%s'; give the metric another name",
                            name);
    return !is_taken(o, place) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "metrics: there is a '%s' already; give the metric another name", name);
}

/* 0: no name of a metric; 1: one over the training; 2: one over the validation. */
static int kind_of(const an_fit_options *o, const char *name)
{
    for (size_t i = 0; name && i < 2 * o->metric_count; i++)
        if (name_at(o, i) && strcmp(name_at(o, i), name) == 0)
            return i % 2 == 0 ? 1 : 2;
    return 0;
}

static bool check_names(const an_fit_options *o, an_error *err)
{
    size_t names = 0;
    if (o->metric_count > AN_RECORD_METRICS)
        names = o->metric_count;
    for (size_t i = 0; names <= AN_RECORD_METRICS && i < 2 * o->metric_count; i++) {
        names += name_at(o, i) != NULL;
        if (!check_name(o, i, err))
            return false;
    }
    return names <= AN_RECORD_METRICS ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "metrics: at most %d names fit into a record, training and validation "
                        "together; leave some out",
                        AN_RECORD_METRICS);
}

static bool check_functions(const an_fit_options *o, an_error *err)
{
    for (size_t i = 0; i < o->metric_count && i < AN_RECORD_METRICS; i++) {
        const an_metric *m = &o->metrics[i];
        if (!m->add || (!m->name && !m->valid))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "metrics: number %zu needs a function `add` and a name for the "
                                "training or the validation",
                                i + 1);
        if (!m->begin != !m->value || (m->value && m->name))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "metrics: number %zu has `begin` and `value` together or neither, "
                                "and with them no name for the training",
                                i + 1);
    }
    return true;
}

bool an__metrics_check(const an_fit_options *o, an_error *err)
{
    if (!check_functions(o, err) || !check_names(o, err))
        return false;
    if (o->monitor != AN_MONITOR_METRIC_MIN && o->monitor != AN_MONITOR_METRIC_MAX)
        return true;
    const int kind = kind_of(o, o->metric);
    if (kind == 0 || (kind == 2 && !o->valid))
        return an_error_set(err, AN_ERROR_ARGUMENT, "monitor: there is no metric '%s'%s",
                            o->metric ? o->metric : "",
                            kind == 2 ? " without a validation set" : "; name one of the metrics");
    return kind == 1 || !o->schedule || o->interval == AN_INTERVAL_EPOCH ||
           !an_lr_wants_metric(o->schedule) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "monitor: a schedule stepped after every update cannot watch '%s' of the "
                        "validation, which happens once an epoch; use interval epoch",
                        o->metric);
}
