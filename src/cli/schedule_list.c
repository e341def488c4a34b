/* anneal schedule list: every schedule with its parameters, from the library's one table. */
#include "cli/schedule.h"

#include <math.h>
#include <string.h>

/* Above this an upper end stands for "no limit". */
#define NO_LIMIT 1e15
#define TEXT_SIZE 128

/* What a parameter takes: a word for programs, and words for people. */
static const struct {
    const char *word, *text;
} types[] = {
    [AN_LR_INTEGER] = {"integer", "integer"},
    [AN_LR_REAL] = {"number", "number"},
    [AN_LR_BOOL] = {"bool", "True or False"},
    [AN_LR_CHOICE] = {"choice", ""},
    [AN_LR_REALS] = {"numbers", "number, or a list with one for each group"},
    [AN_LR_INTEGERS] = {"integers", "list of integers"},
    [AN_LR_FUNCTION] = {"function", "expression or lambda"},
    [AN_LR_FUNCTIONS] = {"functions", "expression of epoch or lambda, or a list with one for each "
                                      "group"},
    [AN_LR_CHILDREN] = {"schedules", "list of schedules"},
    [AN_LR_CHILD] = {"schedule", "schedule"},
    [AN_LR_VALUE] = {"value", "number or schedule"},
    [AN_LR_NUMBERS] = {"number_list", "list of numbers"},
    [AN_LR_LENGTH] = {"length", "length"},
    [AN_LR_LENGTHS] = {"lengths", "list of lengths"},
    [AN_LR_NAME] = {"name", "name"},
};

/* ------------------------------------------------------------------ values */

static bool has_low(const an_lr_param *p)
{
    return isfinite(p->low);
}

static bool has_high(const an_lr_param *p)
{
    return p->high < NO_LIMIT;
}

/* The default in Python's notation; `quote` goes around words. */
static void default_text(char *buffer, const an_lr_param *p, const char *quote)
{
    if (p->type == AN_LR_BOOL)
        an_format(buffer, TEXT_SIZE, p->fallback != 0 ? "True" : "False");
    else if (p->type == AN_LR_CHOICE)
        an_format(buffer, TEXT_SIZE, "%s%s%s", quote, p->choices[(int)p->fallback], quote);
    else if (p->type == AN_LR_INTEGERS)
        an_format(buffer, TEXT_SIZE, "[]");
    else if (isnan(p->fallback))
        an_format(buffer, TEXT_SIZE, "None");
    else
        an_number_print_short(buffer, TEXT_SIZE, p->fallback);
}

/* ", 0 or more", ", above 0", ", 0 to 1", ", above 0 to 1", ", 0 to below 1", or "". */
static void range_text(char *buffer, const an_lr_param *p)
{
    const char *above = p->above_low ? "above " : "", *below = p->below_high ? "below " : "";
    if (has_low(p) && has_high(p))
        an_format(buffer, TEXT_SIZE, ", %s%g to %s%g", above, p->low, below, p->high);
    else if (has_low(p))
        an_format(buffer, TEXT_SIZE, p->above_low ? ", above %g" : ", %g or more", p->low);
    else
        buffer[0] = '\0';
}

/* -------------------------------------------------------------------- text */

static void print_text(const char *name, const an_lr_param *params, size_t count)
{
    char value[TEXT_SIZE], range[TEXT_SIZE];
    puts(name);
    for (size_t i = 0; i < count; i++) {
        const an_lr_param *p = &params[i];
        default_text(value, p, "'");
        range_text(range, p);
        printf("  %-18s%-20s%s%s", p->name, p->required ? "required" : value, types[p->type].text,
               range);
        for (size_t c = 0; p->choices && p->choices[c]; c++)
            printf("%s'%s'", c == 0 ? "" : p->choices[c + 1] ? ", " : " or ", p->choices[c]);
        putchar('\n');
    }
}

/* --------------------------------------------------------------------- csv */

static void print_csv(const char *name, const an_lr_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const an_lr_param *p = &params[i];
        char value[TEXT_SIZE], low[TEXT_SIZE] = "", high[TEXT_SIZE] = "";
        default_text(value, p, "");
        if (has_low(p))
            an_number_print_short(low, sizeof low, p->low);
        if (has_high(p))
            an_number_print_short(high, sizeof high, p->high);
        printf("%s,%s,%s,%d,%s,%s,%s,%d,%d,", name, p->name, types[p->type].word, p->required,
               p->required ? "" : value, low, high, has_low(p) && p->above_low,
               has_high(p) && p->below_high);
        for (size_t c = 0; p->choices && p->choices[c]; c++)
            printf("%s%s", c == 0 ? "" : " ", p->choices[c]);
        putchar('\n');
    }
}

/* -------------------------------------------------------------------- json */

static void json_default(const an_lr_param *p)
{
    char value[TEXT_SIZE];
    default_text(value, p, "\"");
    if (p->required || strcmp(value, "None") == 0)
        fputs("null", stdout);
    else if (p->type == AN_LR_BOOL)
        fputs(p->fallback != 0 ? "true" : "false", stdout);
    else
        fputs(value, stdout);
}

static void json_end(const char *name, double value, bool limited, bool open)
{
    char number[TEXT_SIZE];
    if (!limited)
        return;
    an_number_print_short(number, sizeof number, value);
    printf(", \"%s\": %s, \"%s_excluded\": %s", name, number, name, open ? "true" : "false");
}

static void json_param(const an_lr_param *p)
{
    printf("{\"name\": \"%s\", \"type\": \"%s\", \"required\": %s, \"default\": ", p->name,
           types[p->type].word, p->required ? "true" : "false");
    json_default(p);
    json_end("low", p->low, has_low(p), p->above_low);
    json_end("high", p->high, has_high(p), p->below_high);
    for (size_t c = 0; p->choices && p->choices[c]; c++)
        printf("%s\"%s\"%s", c == 0 ? ", \"choices\": [" : ", ", p->choices[c],
               p->choices[c + 1] ? "" : "]");
    putchar('}');
}

static void print_json(const char *name, const an_lr_param *params, size_t count)
{
    printf(" {\"name\": \"%s\", \"parameters\": [", name);
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "\n  " : ",\n  ", stdout);
        json_param(&params[i]);
    }
    fputs("]}", stdout);
}

/* -------------------------------------------------------------------- list */

static void print_list(int format)
{
    if (format == CLI_CSV)
        puts("schedule,parameter,type,required,default,low,high,low_excluded,high_excluded,"
             "choices");
    for (int kind = 0; kind < AN_LR_KIND_COUNT; kind++) {
        size_t count;
        const an_lr_param *params = an_lr_params((an_lr_kind)kind, &count);
        const char *name = an_lr_name((an_lr_kind)kind);
        if (format == CLI_CSV) {
            print_csv(name, params, count);
        } else if (format == CLI_JSON) {
            fputs(kind == 0 ? "[\n" : ",\n", stdout);
            print_json(name, params, count);
        } else {
            fputs(kind == 0 ? "" : "\n", stdout);
            print_text(name, params, count);
        }
    }
    if (format == CLI_JSON)
        puts("\n]");
    else if (format == CLI_TEXT)
        cli_print_alias_names();
}

typedef struct request {
    int format;
    bool aliases;
} request;

static const cli_option options[] = {
    {"format", "text|json|csv", "how to print it (text)", CLI_SET_CHOICE(request, format)},
    {"aliases", NULL, "the names of other systems, with their parameters",
     CLI_SET_FLAG(request, aliases)},
};

static const cli_usage usage = {
    .command = "anneal schedule list",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .about =
        "Usage: anneal schedule list [OPTION]...\n"
        "Prints every schedule with its parameters, their defaults and ranges, and the names that\n"
        "other systems have for schedules.\n",
    .more = "\nExamples:\n"
            "  anneal schedule list\n"
            "  anneal schedule list --format json\n"
            "  anneal schedule list --aliases",
};

int cli_schedule_list(int argc, char **argv)
{
    request r = {.format = CLI_TEXT};
    cli_arguments rest;
    int status = cli_take_options(&usage, argc, argv, &r, &rest);
    if (status != CLI_TAKEN)
        return status;
    if (rest.count > 0)
        return cli_wrong("anneal schedule list takes no arguments, got '%s'", rest.each[0]);
    if (r.aliases)
        cli_print_aliases(r.format);
    else
        print_list(r.format);
    an_error err = {0};
    return cli_flush(&err) ? CLI_DONE : cli_fail(&err);
}
