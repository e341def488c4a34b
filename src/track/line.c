#include "track/line.h"

#include <anneal/term.h>

#include <math.h>
#include <string.h>

#define FIELD_SIZE 64

void an__line_add(an_line *line, const char *text)
{
    size_t length = strlen(text);
    if (length < AN_LINE_SIZE - line->length) {
        memcpy(line->text + line->length, text, length + 1);
        line->length += length;
    }
}

bool an__record_has_validation(const an_record *record)
{
    return !isnan(record->valid_loss) || !isnan(record->valid_accuracy);
}

size_t an__record_groups(const an_record *record)
{
    return record->groups < AN_RECORD_GROUPS ? record->groups : AN_RECORD_GROUPS;
}

size_t an__record_metrics(const an_record *record)
{
    return record->metric_count < AN_RECORD_METRICS ? record->metric_count : AN_RECORD_METRICS;
}

void an__line_epoch(an_line *line, const an_record *record)
{
    char text[FIELD_SIZE];
    an_format(text, sizeof text, "epoch %lld", (long long)record->epoch);
    an__line_add(line, text);
    if (record->epochs > 0) {
        an_format(text, sizeof text, "/%lld", (long long)record->epochs);
        an__line_add(line, text);
    }
}

static void add_field(an_line *line, const char *gap, const char *name, const char *text)
{
    an__line_add(line, gap);
    an__line_add(line, name);
    an__line_add(line, " ");
    an__line_add(line, text);
}

static void add_number(an_line *line, const char *gap, const char *name, double value)
{
    char text[FIELD_SIZE];
    an_term_number(text, sizeof text, value);
    add_field(line, gap, name, text);
}

/* Nothing where there is no accuracy. */
static void add_percent(an_line *line, const char *gap, const char *name, double fraction)
{
    char text[FIELD_SIZE];
    if (!isnan(fraction)) {
        an_term_percent(text, sizeof text, fraction);
        add_field(line, gap, name, text);
    }
}

void an__line_loss(an_line *line, const char *gap, const an_record *record)
{
    add_number(line, gap, "loss", record->loss);
}

void an__line_accuracy(an_line *line, const char *gap, const an_record *record)
{
    add_percent(line, gap, "acc", record->accuracy);
}

void an__line_valid_loss(an_line *line, const char *gap, const an_record *record)
{
    if (an__record_has_validation(record))
        add_number(line, gap, "valid loss", record->valid_loss);
}

void an__line_valid_accuracy(an_line *line, const char *gap, const an_record *record)
{
    add_percent(line, gap, "valid acc", record->valid_accuracy);
}

void an__line_metrics(an_line *line, const char *gap, const an_record *record)
{
    for (size_t i = 0; i < an__record_metrics(record); i++)
        add_number(line, gap, record->metrics[i].name, record->metrics[i].value);
}

static bool all_equal(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] != values[0])
            return false;
    return true;
}

void an__line_rates(an_line *line, const char *gap, const an_record *record)
{
    size_t groups = an__record_groups(record);
    if (groups == 0)
        return;
    size_t shown = all_equal(record->lr, groups) ? 1 : groups;
    add_number(line, gap, "lr", record->lr[0]);
    for (size_t i = 1; i < shown; i++) {
        char text[FIELD_SIZE];
        an_term_number(text, sizeof text, record->lr[i]);
        an__line_add(line, ", ");
        an__line_add(line, text);
    }
}

void an__line_speed(an_line *line, const char *gap, const an_record *record)
{
    char text[FIELD_SIZE];
    if (record->samples_per_second > 0) {
        an_term_rate(text, sizeof text, record->samples_per_second);
        an__line_add(line, gap);
        an__line_add(line, text);
        an__line_add(line, " samples/s");
    }
}

void an__line_event(an_line *line, const an_event *event)
{
    char kind[FIELD_SIZE];
    an_format(kind, sizeof kind, "%s", event->kind);
    for (char *c = kind; *c; c++)
        *c = *c == '_' ? ' ' : *c;
    an__line_add(line, kind);
    an__line_add(line, ": ");
    an__line_add(line, event->text);
}
