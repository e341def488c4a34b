/*
 * Tables of separated values (RFC 4180), from text to fields:
 *
 *   age,colour,price        the names of the columns
 *   3,"dark ""red""",4.5    a field in quotes may hold separators, line ends and doubled quotes
 *   ,blue,1e3               nothing, or NA and the like: missing
 */
#include "data/table.h"

#include <string.h>

/* The bytes of a text that a message shows. */
#define SHOWN 40

static bool is_missing(const char *text, size_t length)
{
    static const char *const marks[] = {"", "NA", "N/A", "NaN", "nan", "null", "?"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strlen(marks[i]) == length && memcmp(marks[i], text, length) == 0)
            return true;
    return false;
}

static an__cell classify(const char *text, size_t length)
{
    an__cell c = {.text = text, .length = length, .kind = AN__CELL_TEXT};
    if (is_missing(text, length))
        c.kind = AN__CELL_MISSING;
    else if (an_number_parse(text, length, &c.number) == length)
        c.kind = AN__CELL_NUMBER;
    return c;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* A field in quotes from `*at` on, undone in place. False where the quotes do not end. */
static bool read_quoted(an__table *t, size_t *at, int64_t *line, an__cell *out)
{
    char *to = t->text + *at;
    const char *begin = to;
    for (size_t i = *at + 1; i < t->length; i++) {
        if (t->text[i] == '"' && (i + 1 == t->length || t->text[i + 1] != '"')) {
            *out = classify(begin, (size_t)(to - begin));
            *at = i + 1;
            return true;
        }
        i += t->text[i] == '"';
        *line += t->text[i] == '\n';
        *to++ = t->text[i];
    }
    return an_error_set(t->err, AN_ERROR_DATA, "%s:%lld: a field in quotes does not end", t->path,
                        (long long)*line);
}

/* A field, without the blanks around it, and what sets it apart from the next one. */
static bool read_field(an__table *t, size_t *at, int64_t *line, an__cell *out)
{
    const char separator = t->separator;
    const int64_t began = *line;
    while (*at < t->length && t->text[*at] != separator && is_blank(t->text[*at]))
        ++*at;
    const bool quoted = *at < t->length && t->text[*at] == '"';
    if (quoted && !read_quoted(t, at, line, out))
        return false;
    size_t end = *at;
    while (end < t->length && t->text[end] != separator && t->text[end] != '\n')
        end++;
    size_t last = end;
    while (last > *at && is_blank(t->text[last - 1]))
        last--;
    if (quoted && last > *at)
        return an_error_set(t->err, AN_ERROR_DATA,
                            "%s:%lld: after a field in quotes there is more before the separator",
                            t->path, (long long)began);
    if (!quoted)
        *out = classify(t->text + *at, last - *at);
    *at = end;
    return true;
}

/* A line's fields into `out`, at most `room` of them; how many there are, or -1 with the error. */
static int64_t read_line(an__table *t, size_t *at, int64_t *line, an__cell *out, size_t room)
{
    for (size_t count = 0; count < room; count++) {
        if (!read_field(t, at, line, &out[count]))
            return -1;
        if (*at == t->length || t->text[*at] == '\n') {
            *line += *at < t->length;
            *at += *at < t->length;
            return (int64_t)count + 1;
        }
        ++*at;
    }
    an_error_set(t->err, AN_ERROR_DATA, "%s: too many fields", t->path);
    return -1;
}

static bool blank_line(const an__table *t, size_t *at)
{
    size_t i = *at;
    while (i < t->length && is_blank(t->text[i]) && t->text[i] != t->separator)
        i++;
    if (i < t->length && t->text[i] != '\n')
        return false;
    *at = i < t->length ? i + 1 : i;
    return true;
}

static bool read_rows(an__table *t, size_t at, int64_t line)
{
    while (at < t->length) {
        if (blank_line(t, &at)) {
            line++;
            continue;
        }
        const size_t used = (size_t)(t->rows * t->columns);
        const int64_t began = line;
        int64_t count = read_line(t, &at, &line, t->cells + used, t->room - used);
        if (count < 0)
            return false;
        if (count != t->columns)
            return an_error_set(t->err, AN_ERROR_DATA,
                                "%s:%lld: this line has %lld fields, but the header has %lld",
                                t->path, (long long)began, (long long)count, (long long)t->columns);
        t->lines[t->rows++] = began;
    }
    return t->rows > 0 || an_error_set(t->err, AN_ERROR_DATA, "%s: there is no row", t->path);
}

/* There are no more fields than separators and line ends, and one. */
static bool make_room(an__table *t)
{
    t->room = t->line_room = 2;
    for (size_t i = 0; i < t->length; i++) {
        t->room += t->text[i] == t->separator || t->text[i] == '\n';
        t->line_room += t->text[i] == '\n';
    }
    t->cells = an_alloc(t->allocator, t->room, sizeof *t->cells, t->err);
    if (t->cells)
        t->lines = an_alloc(t->allocator, t->line_room, sizeof *t->lines, t->err);
    return t->lines != NULL;
}

bool an__table_read(an__table *t)
{
    size_t at = t->length >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    int64_t line = 1;
    if (!make_room(t))
        return false;
    while (at < t->length && blank_line(t, &at))
        line++;
    if (at == t->length) {
        an_error_set(t->err, AN_ERROR_DATA, "%s: the table is empty", t->path);
        return false;
    }
    t->columns = read_line(t, &at, &line, t->cells, t->room);
    if (t->columns < 0)
        return false;
    t->names = an_alloc(t->allocator, (size_t)t->columns, sizeof *t->names, t->err);
    if (!t->names)
        return false;
    memcpy(t->names, t->cells, (size_t)t->columns * sizeof *t->names);
    return read_rows(t, at, line);
}

void an__table_release(an__table *t)
{
    const an_allocator *a = t->allocator;
    an_release(a, t->names, (size_t)t->columns, sizeof *t->names);
    an_release(a, t->lines, t->line_room, sizeof *t->lines);
    an_release(a, t->cells, t->room, sizeof *t->cells);
}

int an__cell_shown(const an__cell *c)
{
    return (int)(c->length < SHOWN ? c->length : SHOWN);
}

bool an__table_blame(const an__table *t, int64_t row, int64_t column, const char *what)
{
    const an__cell *c = an__table_cell(t, row, column), *name = &t->names[column];
    return an_error_set(t->err, AN_ERROR_DATA, "%s:%lld: column '%.*s': '%.*s' %s", t->path,
                        (long long)t->lines[row], an__cell_shown(name), name->text,
                        an__cell_shown(c), c->text, what);
}
