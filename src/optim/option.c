#include "optim/option.h"

#include <math.h>

#include "optim/print.h"

static void *place(const an_option *option, an_options *options)
{
    return (char *)options + option->offset;
}

static const void *place_const(const an_option *option, const an_options *options)
{
    return (const char *)options + option->offset;
}

double *an__option_numbers(const an_option *option, an_options *options)
{
    return option->kind == AN_OPTION_FLAG ? NULL : place(option, options);
}

static int number_count(const an_option *option)
{
    return option->kind == AN_OPTION_FLAG ? 0 : option->kind == AN_OPTION_PAIR ? 2 : 1;
}

void an__options_default(const an_option *table, size_t count, an_options *options)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].kind == AN_OPTION_FLAG) {
            *(bool *)place(&table[i], options) = false;
            continue;
        }
        double *numbers = place(&table[i], options);
        for (int k = 0; k < number_count(&table[i]); k++) {
            numbers[k] = table[i].initial[k];
        }
    }
}

/* NULL where `value` is in range, else the range in words. */
static const char *range_missed(an_option_range range, double value)
{
    switch (range) {
    case AN_RANGE_FINITE:
        return isfinite(value) ? NULL : "a finite number";
    case AN_RANGE_NOT_NEGATIVE:
        return isfinite(value) && value >= 0 ? NULL : "a finite number of at least 0";
    case AN_RANGE_FRACTION:
        return value >= 0 && value < 1 ? NULL : "at least 0 and below 1";
    }
    return NULL;
}

/* Checks the numbers of one option; on a miss fills `message`. */
static bool check(const char *owner, const an_option *option, const double *numbers, char *message,
                  size_t size)
{
    for (int k = 0; k < number_count(option); k++) {
        const char *range = range_missed(option->range, numbers[k]);
        if (!range) {
            continue;
        }
        char got[40];
        an_number_print_short(got, sizeof got, numbers[k]);
        const char *index = option->kind == AN_OPTION_PAIR ? k ? "[1]" : "[0]" : "";
        an_format(message, size, "%s: %s%s must be %s, got %s", owner, option->name, index, range,
                  got);
        return false;
    }
    return true;
}

bool an__options_check(const char *owner, const an_option *table, size_t count,
                       const an_options *options, an_error *err)
{
    char message[160];
    for (size_t i = 0; i < count; i++) {
        if (!check(owner, &table[i], place_const(&table[i], options), message, sizeof message)) {
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s", message);
        }
    }
    return true;
}

static bool read_pair(const char *owner, const an_option *option, const an_spec_source *source,
                      const an_spec_node *value, double *numbers, an_error *err)
{
    if (value->kind != AN_SPEC_LIST || value->arg_count != 2) {
        return an_spec_error(source, value->offset, err,
                             "%s: %s must be two numbers, as in %s=(0.9, 0.999)", owner,
                             option->name, option->name);
    }
    return an_spec_number(source, option->name, value->args[0].value, &numbers[0], err) &&
           an_spec_number(source, option->name, value->args[1].value, &numbers[1], err);
}

bool an__option_read(const char *owner, const an_option *option, const an_spec_source *source,
                     const an_spec_node *value, an_options *options, an_error *err)
{
    if (!value) {
        return true;
    }
    if (option->kind == AN_OPTION_FLAG) {
        return an_spec_bool(source, option->name, value, place(option, options), err);
    }
    double *numbers = place(option, options);
    bool read = option->kind == AN_OPTION_PAIR
                    ? read_pair(owner, option, source, value, numbers, err)
                    : an_spec_number(source, option->name, value, numbers, err);
    char message[160];
    if (read && !check(owner, option, numbers, message, sizeof message)) {
        return an_spec_error(source, value->offset, err, "%s", message);
    }
    return read;
}

static bool same(const an_option *option, const an_options *a, const an_options *b)
{
    if (option->kind == AN_OPTION_FLAG) {
        return *(const bool *)place_const(option, a) == *(const bool *)place_const(option, b);
    }
    const double *x = place_const(option, a), *y = place_const(option, b);
    return x[0] == y[0] && (option->kind == AN_OPTION_NUMBER || x[1] == y[1]);
}

static size_t print_value(const an_option *option, const an_options *options, char *buffer,
                          size_t size, size_t at)
{
    if (option->kind == AN_OPTION_FLAG) {
        bool on = *(const bool *)place_const(option, options);
        return an__put(buffer, size, at, on ? "True" : "False");
    }
    const double *numbers = place_const(option, options);
    if (option->kind == AN_OPTION_NUMBER) {
        return an__put_number(buffer, size, at, numbers[0]);
    }
    at = an__put(buffer, size, at, "(");
    at = an__put_number(buffer, size, at, numbers[0]);
    at = an__put(buffer, size, at, ", ");
    at = an__put_number(buffer, size, at, numbers[1]);
    return an__put(buffer, size, at, ")");
}

size_t an__options_print(const an_option *table, size_t count, const an_options *options,
                         const an_options *base, bool rate, char *buffer, size_t size, size_t at)
{
    const char *separator = "";
    for (size_t i = 0; i < count; i++) {
        bool always = rate && table[i].slot == AN_LR;
        if (!always && same(&table[i], options, base)) {
            continue;
        }
        at = an__put(buffer, size, at, separator);
        at = an__put(buffer, size, at, table[i].name);
        at = an__put(buffer, size, at, "=");
        at = print_value(&table[i], options, buffer, size, at);
        separator = ", ";
    }
    return at;
}
