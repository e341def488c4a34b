/* Tables for people, and as JSON and CSV for programs. */
#include "cli/runs.h"

#include <anneal/term.h>

#include <math.h>
#include <string.h>
#include <time.h>

#define SHOWN_SIZE 64
#define GAP 2

void cli_time_text(char *buffer, size_t size, double seconds)
{
    time_t moment = (time_t)seconds;
    struct tm parts;
    if (!localtime_r(&moment, &parts) || strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        an_format(buffer, size, "-");
}

/* --------------------------------------------------------------- for people */

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), own = strlen(end);
    return length >= own && strcmp(name + length - own, end) == 0;
}

/* Parameters stand as they were written; measured numbers are shortened by what they are. */
const char *cli_fact_shown(const cli_fact *fact, char *buffer, size_t size)
{
    double number = fact->number;
    if (!fact->is_number || cli_fact_is_given(fact))
        return fact->text;
    if (strcmp(fact->name, "started") == 0 || strcmp(fact->name, "updated") == 0)
        cli_time_text(buffer, size, number);
    else if (ends_in(fact->name, "seconds"))
        an_term_duration(buffer, size, number);
    else if (ends_in(fact->name, "accuracy"))
        an_term_percent(buffer, size, number);
    else if (strcmp(fact->name, "memory") == 0)
        an_format(buffer, size, "%lld MB", (long long)(number / 1e6));
    else if (fabs(number) < 1e15 && number == floor(number))
        an_format(buffer, size, "%lld", (long long)number);
    else
        an_term_number(buffer, size, number);
    return buffer;
}

static const char *shown(const cli_fact *fact, char *buffer)
{
    return fact ? cli_fact_shown(fact, buffer, SHOWN_SIZE) : "-";
}

static int width_of(const cli_table *table, size_t column)
{
    char buffer[SHOWN_SIZE];
    int width = an_term_columns(table->names[column]);
    for (size_t row = 0; row < table->rows; row++) {
        int cell = an_term_columns(shown(table->cells[row * table->columns + column], buffer));
        width = cell > width ? cell : width;
    }
    return width;
}

/* Numbers stand to the right. */
static bool is_right(const cli_table *table, size_t column)
{
    for (size_t row = 0; row < table->rows; row++) {
        const cli_fact *fact = table->cells[row * table->columns + column];
        if (fact && (!fact->is_number || cli_fact_is_given(fact)))
            return false;
    }
    return true;
}

static void put_padded(const char *text, int width, bool right, bool last)
{
    int space = width - an_term_columns(text);
    printf("%*s%s%*s", right ? space : 0, "", text, right || last ? 0 : space, "");
    if (!last)
        printf("%*s", GAP, "");
}

static void print_text(const cli_table *table)
{
    char buffer[SHOWN_SIZE];
    for (size_t row = 0; row <= table->rows; row++) {
        for (size_t c = 0; c < table->columns; c++) {
            const char *text = row == 0
                                   ? table->names[c]
                                   : shown(table->cells[(row - 1) * table->columns + c], buffer);
            put_padded(text, width_of(table, c), is_right(table, c), c + 1 == table->columns);
        }
        putchar('\n');
    }
}

/* ------------------------------------------------------------- for programs */

static void print_csv(const cli_table *table)
{
    for (size_t c = 0; c < table->columns; c++) {
        fputs(c > 0 ? "," : "", stdout);
        cli_put_csv(table->names[c]);
    }
    putchar('\n');
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        fputs(i % table->columns > 0 ? "," : "", stdout);
        cli_put_csv(table->cells[i] ? table->cells[i]->text : "");
        fputs((i + 1) % table->columns == 0 ? "\n" : "", stdout);
    }
}

static void put_fact(const cli_fact *fact)
{
    if (!fact || (fact->is_number && !isfinite(fact->number)))
        fputs("null", stdout);
    else if (fact->is_number && !cli_fact_is_given(fact))
        fputs(fact->text, stdout);
    else
        cli_put_json(fact->text);
}

static void print_json(const cli_table *table)
{
    putchar('[');
    for (size_t row = 0; row < table->rows; row++) {
        fputs(row > 0 ? ",\n{" : "\n{", stdout);
        for (size_t c = 0; c < table->columns; c++) {
            fputs(c > 0 ? ", " : "", stdout);
            cli_put_json(table->names[c]);
            fputs(": ", stdout);
            put_fact(table->cells[row * table->columns + c]);
        }
        putchar('}');
    }
    fputs("\n]\n", stdout);
}

void cli_table_print(const cli_table *table, int format)
{
    if (format == CLI_JSON)
        print_json(table);
    else if (format == CLI_CSV)
        print_csv(table);
    else
        print_text(table);
}

/* -------------------------------------------------------------- logged rows */

size_t cli_column_of(const an_table *table, const char *name)
{
    size_t c = 0;
    while (c < table->columns && strcmp(table->names[c], name) != 0)
        c++;
    return c;
}

static void put_number(double value, bool whole, bool json)
{
    char text[SHOWN_SIZE];
    if (json && !isfinite(value))
        an_format(text, sizeof text, "null");
    else if (whole && isfinite(value))
        an_format(text, sizeof text, "%lld", (long long)value);
    else
        an_number_print(text, sizeof text, value);
    fputs(text, stdout);
}

static void print_row_json(const an_table *table, size_t row)
{
    putchar('{');
    for (size_t c = 0; c < table->columns; c++) {
        fputs(c > 0 ? ", " : "", stdout);
        cli_put_json(table->names[c]);
        fputs(": ", stdout);
        put_number(table->values[row * table->columns + c], table->whole[c], true);
    }
    putchar('}');
}

void cli_rows_print(const an_table *table, int format)
{
    if (format == CLI_JSON) {
        putchar('[');
        for (size_t row = 0; row < table->rows; row++) {
            fputs(row > 0 ? ",\n" : "\n", stdout);
            print_row_json(table, row);
        }
        fputs("\n]", stdout);
        return;
    }
    for (size_t c = 0; c < table->columns; c++) {
        fputs(c > 0 ? "," : "", stdout);
        cli_put_csv(table->names[c]);
    }
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        fputs(i % table->columns > 0 ? "," : "\n", stdout);
        put_number(table->values[i], table->whole[i % table->columns], false);
    }
    putchar('\n');
}
