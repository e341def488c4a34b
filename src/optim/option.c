#include "optim/option.h"

#include <math.h>
#include <string.h>

#include "optim/print.h"

static void *place(const an_option *option, an_options *options)
{
    return (char *)options + option->offset;
}

static const void *place_const(const an_option *option, const an_options *options)
{
    return (const char *)options + option->offset;
}

/* How many doubles an option is; 0 for those that are none. */
static int number_count(const an_option *option)
{
    switch (option->kind) {
    case AN_OPTION_NUMBER:
        return 1;
    case AN_OPTION_PAIR:
        return 2;
    case AN_OPTION_TRIPLE:
        return 3;
    default:
        return 0;
    }
}

double *an__option_number(const an_option *option, an_options *options)
{
    return place(option, options);
}

bool an__option_flag(const an_option *table, size_t count, const an_options *options,
                     const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].kind == AN_OPTION_FLAG && strcmp(table[i].name, name) == 0) {
            return *(const bool *)place_const(&table[i], options);
        }
    }
    return false;
}

static void set_default(const an_option *option, an_options *options)
{
    for (int k = 0; k < number_count(option); k++) {
        ((double *)place(option, options))[k] = option->initial[k];
    }
    if (option->kind == AN_OPTION_FLAG) {
        *(bool *)place(option, options) = option->initial[0] != 0;
    }
    if (option->kind == AN_OPTION_INTEGER) {
        *(int64_t *)place(option, options) = (int64_t)option->initial[0];
    }
    if (option->kind == AN_OPTION_CHOICE) {
        *(int *)place(option, options) = 0;
    }
}

void an__options_default(const an_option *table, size_t count, an_options *options)
{
    for (size_t i = 0; i < count; i++) {
        set_default(&table[i], options);
    }
}

/* ------------------------------------------------------------------- ranges */

static const struct {
    double least, most;
    bool least_in, most_in;
    const char *text;
} ranges[] = {
    [AN_RANGE_FINITE] = {-INFINITY, INFINITY, false, false, "a finite number"},
    [AN_RANGE_NOT_NEGATIVE] = {0, INFINITY, true, false, "a finite number of at least 0"},
    [AN_RANGE_NOT_POSITIVE] = {-INFINITY, 0, false, true, "a finite number of at most 0"},
    [AN_RANGE_POSITIVE] = {0, INFINITY, false, false, "a finite number above 0"},
    [AN_RANGE_FRACTION] = {0, 1, true, false, "at least 0 and below 1"},
    [AN_RANGE_OPEN] = {0, 1, false, false, "above 0 and below 1"},
    [AN_RANGE_UNIT] = {0, 1, true, true, "from 0 to 1"},
    [AN_RANGE_FROM_ONE] = {1, INFINITY, true, false, "a finite number of at least 1"},
    [AN_RANGE_GROWTH] = {1, INFINITY, true, true, "at least 1 (inf: no limit)"},
};

/* NULL where `value` is in range, else the range in words. */
static const char *range_missed(an_option_range range, double value)
{
    double least = ranges[range].least, most = ranges[range].most;
    bool above = ranges[range].least_in ? value >= least : value > least;
    bool below = ranges[range].most_in ? value <= most : value < most;
    return above && below ? NULL : ranges[range].text;
}

/* Fills `message` with what is wrong with number `k` of an option; false. */
static bool refuse(const char *owner, const an_option *option, int k, double value,
                   char message[160])
{
    char got[40];
    an_number_print_short(got, sizeof got, value);
    const char *const indices[] = {"[0]", "[1]", "[2]"};
    const char *index = number_count(option) > 1 ? indices[k] : "";
    an_format(message, 160, "%s: %s%s must be %s%s, got %s", owner, option->name, index,
              ranges[option->range].text, option->none && k == 0 ? ", or None" : "", got);
    return false;
}

static bool check_choice(const char *owner, const an_option *option, int choice, char message[160])
{
    int count = 0;
    while (option->choices[count]) {
        count++;
    }
    if (choice >= 0 && choice < count) {
        return true;
    }
    an_format(message, 160, "%s: %s must be from 0 to %d, got %d", owner, option->name, count - 1,
              choice);
    return false;
}

/* Checks one option; on a miss fills `message`. */
static bool check(const char *owner, const an_option *option, const an_options *options,
                  char message[160])
{
    const void *value = place_const(option, options);
    for (int k = 0; k < number_count(option); k++) {
        double number = ((const double *)value)[k];
        bool none = option->none && k == 0 && isnan(number);
        if (!none && range_missed(option->range, number)) {
            return refuse(owner, option, k, number, message);
        }
    }
    if (option->kind == AN_OPTION_CHOICE) {
        return check_choice(owner, option, *(const int *)value, message);
    }
    if (option->kind != AN_OPTION_INTEGER) {
        return true;
    }
    int64_t integer = *(const int64_t *)value;
    bool none = option->none && integer == 0;
    return none || !range_missed(option->range, (double)integer) ||
           refuse(owner, option, 0, (double)integer, message);
}

bool an__options_check(const char *owner, const an_option *table, size_t count,
                       const an_options *options, an_error *err)
{
    char message[160];
    for (size_t i = 0; i < count; i++) {
        if (!check(owner, &table[i], options, message)) {
            return an_error_set(err, AN_ERROR_ARGUMENT, "%s", message);
        }
    }
    return true;
}

/* ------------------------------------------------------------------ reading */

static bool read_number(const an_option *option, int k, const an_spec_source *source,
                        const an_spec_node *value, double *out, an_error *err)
{
    if (option->none && k == 0 && value->kind == AN_SPEC_NONE) {
        *out = NAN;
        return true;
    }
    return an_spec_number(source, option->name, value, out, err);
}

static bool read_numbers(const char *owner, const an_option *option, const an_spec_source *source,
                         const an_spec_node *value, double *numbers, an_error *err)
{
    int count = number_count(option);
    if (count == 1) {
        return read_number(option, 0, source, value, numbers, err);
    }
    if (value->kind != AN_SPEC_LIST || value->arg_count != (size_t)count) {
        return an_spec_error(source, value->offset, err,
                             count == 2 ? "%s: %s must be two numbers, as in %s=(0.9, 0.999)"
                                        : "%s: %s must be three numbers, as in %s=(3, -4.5, 2)",
                             owner, option->name, option->name);
    }
    for (int k = 0; k < count; k++) {
        if (!read_number(option, k, source, value->args[k].value, &numbers[k], err)) {
            return false;
        }
    }
    return true;
}

static bool read_integer(const an_option *option, const an_spec_source *source,
                         const an_spec_node *value, int64_t *out, an_error *err)
{
    if (option->none && value->kind == AN_SPEC_NONE) {
        *out = 0;
        return true;
    }
    return an_spec_integer(source, option->name, value, out, err);
}

/* "LBFGS: line_search_fn must be None or 'strong_wolfe'" */
static bool wrong_choice(const char *owner, const an_option *option, const an_spec_source *source,
                         const an_spec_node *value, an_error *err)
{
    char list[120] = "None";
    size_t at = 4;
    for (size_t i = 1; option->choices[i]; i++) {
        at = an__put(list, sizeof list, at, option->choices[i + 1] ? ", " : " or ");
        at = an__put_quoted(list, sizeof list, at, option->choices[i]);
    }
    return an_spec_error(source, value->offset, err, "%s: %s must be %s", owner, option->name,
                         list);
}

static bool read_choice(const char *owner, const an_option *option, const an_spec_source *source,
                        const an_spec_node *value, int *out, an_error *err)
{
    if (value->kind == AN_SPEC_NONE) {
        *out = 0;
        return true;
    }
    for (int i = 0; value->kind == AN_SPEC_STRING && option->choices[i]; i++) {
        if (option->choices[i][0] && strcmp(value->text, option->choices[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return wrong_choice(owner, option, source, value, err);
}

bool an__option_read(const char *owner, const an_option *option, const an_spec_source *source,
                     const an_spec_node *value, an_options *options, an_error *err)
{
    if (!value || (option->kind == AN_OPTION_IGNORED && value->kind == AN_SPEC_NONE)) {
        return true;
    }
    bool ignored, read;
    switch (option->kind) {
    case AN_OPTION_IGNORED:
        return an_spec_bool(source, option->name, value, &ignored, err);
    case AN_OPTION_FLAG:
        return an_spec_bool(source, option->name, value, place(option, options), err);
    case AN_OPTION_CHOICE:
        return read_choice(owner, option, source, value, place(option, options), err);
    case AN_OPTION_INTEGER:
        read = read_integer(option, source, value, place(option, options), err);
        break;
    default:
        read = read_numbers(owner, option, source, value, place(option, options), err);
    }
    char message[160];
    if (read && !check(owner, option, options, message)) {
        return an_spec_error(source, value->offset, err, "%s", message);
    }
    return read;
}

/* ----------------------------------------------------------------- printing */

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same(const an_option *option, const an_options *a, const an_options *b)
{
    const void *x = place_const(option, a), *y = place_const(option, b);
    switch (option->kind) {
    case AN_OPTION_FLAG:
        return *(const bool *)x == *(const bool *)y;
    case AN_OPTION_INTEGER:
        return *(const int64_t *)x == *(const int64_t *)y;
    case AN_OPTION_CHOICE:
        return *(const int *)x == *(const int *)y;
    default:
        for (int k = 0; k < number_count(option); k++) {
            if (!same_number(((const double *)x)[k], ((const double *)y)[k])) {
                return false;
            }
        }
        return true;
    }
}

static size_t put_number_or_none(char *buffer, size_t size, size_t at, double number)
{
    return isnan(number) ? an__put(buffer, size, at, "None")
                         : an__put_number(buffer, size, at, number);
}

static size_t print_numbers(const an_option *option, const double *numbers, char *buffer,
                            size_t size, size_t at)
{
    int count = number_count(option);
    if (count == 1) {
        return put_number_or_none(buffer, size, at, numbers[0]);
    }
    for (int k = 0; k < count; k++) {
        at = an__put(buffer, size, at, k == 0 ? "(" : ", ");
        at = put_number_or_none(buffer, size, at, numbers[k]);
    }
    return an__put(buffer, size, at, ")");
}

static size_t print_value(const an_option *option, const an_options *options, char *buffer,
                          size_t size, size_t at)
{
    const void *value = place_const(option, options);
    int64_t integer;
    int choice;
    switch (option->kind) {
    case AN_OPTION_FLAG:
        return an__put(buffer, size, at, *(const bool *)value ? "True" : "False");
    case AN_OPTION_INTEGER:
        integer = *(const int64_t *)value;
        return put_number_or_none(buffer, size, at,
                                  option->none && integer == 0 ? NAN : (double)integer);
    case AN_OPTION_CHOICE:
        choice = *(const int *)value;
        return choice == 0 ? an__put(buffer, size, at, "None")
                           : an__put_quoted(buffer, size, at, option->choices[choice]);
    default:
        return print_numbers(option, value, buffer, size, at);
    }
}

size_t an__options_print(const an_option *table, size_t count, const an_options *options,
                         const an_options *base, bool rate, char *buffer, size_t size, size_t at)
{
    const char *separator = "";
    for (size_t i = 0; i < count; i++) {
        bool always = rate && table[i].slot == AN_LR;
        if (table[i].kind == AN_OPTION_IGNORED ||
            (!always && base && same(&table[i], options, base))) {
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
