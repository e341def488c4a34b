/* One object per epoch and line. JSON has no NaN and no infinity: they become null. */
#include "track/line.h"

#include <math.h>

#define NUMBER_SIZE 40

static void add_escaped(an_line *line, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    char piece[8];
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20)
            an_format(piece, sizeof piece, "\\u00%c%c", hex[c / 16], hex[c % 16]);
        else
            an_format(piece, sizeof piece, c == '"' || c == '\\' ? "\\%c" : "%c", c);
        an__line_add(line, piece);
    }
}

/* `"key": ` with a comma before all but the first. */
static void add_key(an_line *line, const char *key)
{
    an__line_add(line, line->length > 1 ? ", \"" : "\"");
    add_escaped(line, key);
    an__line_add(line, "\": ");
}

static void add_value(an_line *line, double value)
{
    char text[NUMBER_SIZE] = "null";
    if (isfinite(value))
        an_number_print_short(text, sizeof text, value);
    an__line_add(line, text);
}

static void add_number(an_line *line, const char *key, double value)
{
    add_key(line, key);
    add_value(line, value);
}

static void add_count(an_line *line, const char *key, int64_t value)
{
    char text[NUMBER_SIZE];
    an_format(text, sizeof text, "%lld", (long long)value);
    add_key(line, key);
    an__line_add(line, text);
}

/* A number for one group, an array for several. */
static void add_groups(an_line *line, const char *key, const double *values, size_t groups)
{
    add_key(line, key);
    if (groups == 1) {
        add_value(line, values[0]);
        return;
    }
    for (size_t i = 0; i < groups; i++) {
        an__line_add(line, i == 0 ? "[" : ", ");
        add_value(line, values[i]);
    }
    an__line_add(line, "]");
}

static bool any_number(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            return true;
    return false;
}

static void add_rates(an_line *line, const an_record *record)
{
    size_t groups = an__record_groups(record);
    if (groups > 0)
        add_groups(line, "lr", record->lr, groups);
    if (any_number(record->momentum, groups))
        add_groups(line, "momentum", record->momentum, groups);
}

static void write_epoch(void *user, const an_record *record, an_control *control)
{
    (void)control;
    FILE *stream = user;
    an_line line = {.length = 0};
    an__line_add(&line, "{");
    add_count(&line, "epoch", record->epoch);
    add_count(&line, "step", record->step);
    add_count(&line, "samples", record->samples);
    add_number(&line, "seconds", record->seconds);
    add_number(&line, "loss", record->loss);
    add_number(&line, "accuracy", record->accuracy);
    if (an__record_has_validation(record)) {
        add_number(&line, "valid_loss", record->valid_loss);
        add_number(&line, "valid_accuracy", record->valid_accuracy);
    }
    add_rates(&line, record);
    add_number(&line, "samples_per_second", record->samples_per_second);
    for (size_t i = 0; i < an__record_metrics(record); i++)
        add_number(&line, record->metrics[i].name, record->metrics[i].value);
    an__line_add(&line, "}\n");
    fputs(line.text, stream);
    fflush(stream);
}

an_callback an_json_logger(FILE *stream)
{
    return (an_callback){.epoch_end = write_epoch, .user = stream};
}
