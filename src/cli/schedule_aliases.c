/* anneal schedule list --aliases: the names that other systems have for schedules. */
#include "cli/schedule.h"

#include <string.h>

#define WIDTH 100 /* where lines of text are wrapped */
#define NAMES 26  /* where the names of a system begin */

/* Where a piece of a call goes: in text wrapped at `column`, else escaped by `escape`. */
typedef struct sink {
    size_t column;
    char escape;
} sink;

static void write_piece(sink *s, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (s->escape && (text[i] == '"' || (text[i] == '\\' && s->escape == '\\')))
            putchar(s->escape);
        putchar(text[i]);
    }
    s->column += length;
}

/* What stands between two parameters: a blank, or the end of a line. */
static void write_gap(sink *s, size_t next)
{
    if (s->escape || s->column + 1 + next <= WIDTH) {
        write_piece(s, " ", 1);
        return;
    }
    printf("\n      ");
    s->column = 6;
}

/* The call as the system has it: parameters and defaults, without what only the library reads. */
static void write_call(sink *s, const an_lr_alias *alias)
{
    write_piece(s, alias->name, strlen(alias->name));
    write_piece(s, "(", 1);
    for (const char *at = alias->signature; *at;) {
        write_piece(s, at, strcspn(at, ",|!~@"));
        at += strcspn(at, ",");
        if (!*at)
            break;
        write_piece(s, ",", 1);
        at += 2;
        write_gap(s, strcspn(at, ",|!~@") + 1);
    }
    write_piece(s, ")", 1);
}

/* The next row of the same system, or `count`. */
static size_t next_of(const an_lr_alias *aliases, size_t count, size_t after)
{
    size_t i = after + 1;
    while (i < count && strcmp(aliases[i].system, aliases[after].system) != 0)
        i++;
    return i;
}

static bool is_first(const an_lr_alias *aliases, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(aliases[i].system, aliases[row].system) == 0)
            return false;
    return true;
}

/* -------------------------------------------------------------------- text */

static void print_text(const an_lr_alias *aliases, size_t count)
{
    for (size_t first = 0; first < count; first++) {
        if (!is_first(aliases, first))
            continue;
        printf("%s%s\n", first == 0 ? "" : "\n", aliases[first].system);
        for (size_t i = first; i < count; i = next_of(aliases, count, i)) {
            sink s = {.column = 2};
            printf("  ");
            write_call(&s, &aliases[i]);
            putchar('\n');
        }
    }
}

static void print_names(const an_lr_alias *aliases, size_t count, size_t first)
{
    size_t column = NAMES;
    printf("    %-*s", NAMES - 4, aliases[first].system);
    for (size_t i = first; i < count; i = next_of(aliases, count, i)) {
        size_t length = strlen(aliases[i].name);
        bool wrap = i != first && column + length + 2 > WIDTH;
        column = wrap ? NAMES : column;
        if (wrap)
            printf(",\n%*s", NAMES, "");
        printf("%s%s", i == first || wrap ? "" : ", ", aliases[i].name);
        column += length + 2;
    }
    putchar('\n');
}

void cli_print_alias_names(void)
{
    size_t count;
    const an_lr_alias *aliases = an_lr_aliases(&count);
    puts("\nNames of other systems, which are read too (--aliases shows their parameters):");
    for (size_t i = 0; i < count; i++)
        if (is_first(aliases, i))
            print_names(aliases, count, i);
}

/* --------------------------------------------------------------- csv, json */

static void print_field(const char *key, const char *text, char escape)
{
    sink s = {.escape = escape};
    printf("%s\"", key);
    write_piece(&s, text, strlen(text));
    putchar('"');
}

static void print_row(const an_lr_alias *a, bool json)
{
    sink s = {.escape = json ? '\\' : '"'};
    print_field(json ? " {\"name\": " : "", a->name, s.escape);
    print_field(json ? ", \"system\": " : ",", a->system, s.escape);
    printf(json ? ", \"call\": \"" : ",\"");
    write_call(&s, a);
    putchar('"');
    print_field(json ? ", \"form\": " : ",", a->form, s.escape);
    print_field(json ? ", \"source\": " : ",", a->source, s.escape);
}

void cli_print_aliases(int format)
{
    size_t count;
    const an_lr_alias *aliases = an_lr_aliases(&count);
    bool json = format == CLI_JSON;
    if (format == CLI_TEXT) {
        print_text(aliases, count);
        return;
    }
    puts(json ? "[" : "name,system,call,form,source");
    for (size_t i = 0; i < count; i++) {
        print_row(&aliases[i], json);
        puts(!json ? "" : i + 1 < count ? "}," : "}\n]");
    }
}
