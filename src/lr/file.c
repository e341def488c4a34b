/*
 * file.c - lists of numbers that stand in files: Table('@rates.csv').
 *
 *   file := {number '\n'}                     one a line
 *         | 'step,' name '\n' {step ',' number '\n'}    the steps 0, 1, 2, ...
 *
 * The line with the names may be absent, the last line's end too; lines may end in \r\n, and a
 * mark of UTF-8 (a BOM) may stand before the first.
 */
#include <anneal/lr_text.h>
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------- a file */

/* A line without its end and the blanks around it. */
typedef struct line {
    const char *text;
    size_t length;
} line;

typedef struct reading {
    const an_spec_source *file;
    size_t at;    /* where the next line begins */
    bool steps;   /* each line has its step */
    size_t count; /* of numbers */
    an_error *err;
} reading;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static line trimmed(line l)
{
    for (; l.length > 0 && is_blank(*l.text); l.length--)
        l.text++;
    while (l.length > 0 && is_blank(l.text[l.length - 1]))
        l.length--;
    return l;
}

static line next_line(reading *r)
{
    const char *text = r->file->text + r->at;
    size_t rest = r->file->length - r->at;
    const char *end = memchr(text, '\n', rest);
    size_t length = end ? (size_t)(end - text) : rest;
    r->at += length + (end ? 1 : 0);
    return trimmed((line){text, length});
}

/* A DATA error at a place in the file; `shown` bytes of it stand before the words. */
static bool wrong(reading *r, const char *at, size_t shown, const char *words)
{
    size_t offset = (size_t)(at - r->file->text);
    if (shown > 0)
        an_spec_error(r->file, offset, r->err, "'%.*s' %s", (int)(shown < 40 ? shown : 40), at,
                      words);
    else
        an_spec_error(r->file, offset, r->err, "%s", words);
    if (r->err) {
        r->err->code = AN_ERROR_DATA;
        r->err->excerpt[0] = shown > 0 ? r->err->excerpt[0] : '\0'; /* nothing to show */
    }
    return false;
}

/* The number that a cell is; false when it is none. */
static bool number_of(line cell, double *out)
{
    return cell.length > 0 && an_number_parse(cell.text, cell.length, out) == cell.length;
}

/* "step,lr" */
static bool is_head(line l)
{
    static const char step[] = "step";
    line name = {l.text, sizeof step - 1};
    if (l.length < sizeof step || memcmp(l.text, step, name.length) != 0)
        return false;
    return trimmed((line){l.text + name.length, l.length - name.length}).text[0] == ',';
}

/* The step of a line, which must be the next one; `l` is then what comes after it. */
static bool read_step(reading *r, line *l)
{
    const char *comma = memchr(l->text, ',', l->length);
    double step;
    if (!comma)
        return wrong(r, l->text, l->length, "is no step and number, such as 0,0.1");
    line cell = trimmed((line){l->text, (size_t)(comma - l->text)});
    if (!number_of(cell, &step) || step != (double)r->count)
        return wrong(r, l->text, cell.length,
                     "is not the next step: a table has the steps 0, 1, 2, ...; for numbers that "
                     "hold longer leave the steps out and write every=");
    *l = trimmed((line){comma + 1, l->length - (size_t)(comma + 1 - l->text)});
    return l->length > 0 || wrong(r, l->text, 0, "there is no number behind the step");
}

static bool read_line(reading *r, line l, double *out)
{
    if (l.length == 0)
        return wrong(r, l.text, 0, "this line is blank; a table has a number in each");
    if (r->count == 0 && !r->steps)
        r->steps = memchr(l.text, ',', l.length) != NULL;
    if (r->steps && !read_step(r, &l))
        return false;
    if (memchr(l.text, ',', l.length))
        return wrong(r, l.text, l.length,
                     "is more than one number; keep the step and one column, or one column");
    if (!number_of(l, out))
        return wrong(r, l.text, l.length,
                     r->count > 0 ? "is not a number"
                                  : "is not a number; a table has one a line, or steps and numbers "
                                    "as anneal schedule table --format csv prints them");
    if (!(*out >= 0) || isinf(*out))
        return wrong(r, l.text, l.length, "is not 0 or more and finite, as a rate must be");
    return true;
}

/* How many lines there are from here on. */
static size_t count_lines(const reading *r)
{
    size_t count = 0;
    for (size_t at = r->at; at < r->file->length; count++) {
        const char *end = memchr(r->file->text + at, '\n', r->file->length - at);
        at = end ? (size_t)(end - r->file->text) + 1 : r->file->length;
    }
    return count;
}

double *an_lr_file_numbers(const an_spec_source *file, size_t *count, an_arena *arena,
                           an_error *err)
{
    const size_t mark = file->length >= 3 && memcmp(file->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    reading r = {.file = file, .at = mark, .err = err};
    r.steps = is_head(next_line(&r));
    if (!r.steps)
        r.at = mark;
    size_t lines = count_lines(&r);
    if (lines == 0 || lines > AN_LR_FILE_NUMBERS) {
        wrong(&r, file->text, 0,
              lines == 0 ? "there is no number in it"
                         : "there are more than 262144 numbers in it; write fewer, with every=");
        return NULL;
    }
    double *numbers = an_arena_alloc(arena, lines * sizeof *numbers);
    if (!numbers) {
        an_error_set(err, AN_ERROR_MEMORY, "memory ran out for %zu numbers", lines);
        return NULL;
    }
    for (; r.count < lines; r.count++)
        if (!read_line(&r, next_line(&r), &numbers[r.count]))
            return NULL;
    *count = lines;
    return numbers;
}

/* ---------------------------------------------------------- a text with files */

/* The new text while it grows, and where each byte of it comes from. */
typedef struct expansion {
    const an_spec_source *source;
    an_lr_read_file *read;
    void *user;
    an_arena *arena;
    an_error *err;
    char *text;
    size_t *map;
    size_t used, room;
    size_t done; /* of the source's text */
} expansion;

static bool reserve(expansion *e, size_t more)
{
    if (more < e->room - e->used)
        return true;
    size_t room = 2 * (e->used + more) + 64;
    char *text = room < SIZE_MAX / sizeof(size_t) ? an_arena_alloc(e->arena, room) : NULL;
    size_t *map = text ? an_arena_alloc(e->arena, room * sizeof *map) : NULL;
    if (!map) {
        an_error_set(e->err, AN_ERROR_MEMORY, "memory ran out for a schedule");
        return false;
    }
    if (e->used > 0) {
        memcpy(text, e->text, e->used);
        memcpy(map, e->map, e->used * sizeof *map);
    }
    e->text = text;
    e->map = map;
    e->room = room;
    return true;
}

/* Where byte `offset` of the source stands in what errors show. */
static size_t origin_of(const expansion *e, size_t offset)
{
    return e->source->map ? e->source->map[offset] : offset;
}

/* The source's text up to `end`. */
static bool copy_up_to(expansion *e, size_t end)
{
    if (!reserve(e, end - e->done))
        return false;
    for (; e->done < end; e->done++) {
        e->text[e->used] = e->source->text[e->done];
        e->map[e->used++] = origin_of(e, e->done);
    }
    return true;
}

/* Text that takes the place of what begins at `offset`. */
static bool put(expansion *e, const char *text, size_t offset)
{
    size_t length = strlen(text);
    if (!reserve(e, length))
        return false;
    for (size_t i = 0; i < length; i++) {
        e->text[e->used] = text[i];
        e->map[e->used++] = origin_of(e, offset);
    }
    return true;
}

static bool put_numbers(expansion *e, const an_spec_node *name)
{
    size_t count = 0;
    an_spec_source file = {0};
    if (name->text[1] == '\0')
        return an_spec_error(e->source, name->offset, e->err,
                             "after @ comes the name of a file, such as '@rates.csv'");
    if (!e->read(e->user, name->text + 1, e->arena, &file, e->err))
        return false;
    const double *numbers = an_lr_file_numbers(&file, &count, e->arena, e->err);
    bool good = numbers && put(e, "[", name->offset);
    for (size_t i = 0; good && i < count; i++) {
        char number[40] = ", ";
        an_number_print_short(number + 2, sizeof number - 2, numbers[i]);
        good = put(e, i == 0 ? number + 2 : number, name->offset);
    }
    return good && put(e, "]", name->offset);
}

static bool names_file(const an_spec_node *node)
{
    return node->kind == AN_SPEC_STRING && node->text[0] == '@';
}

/* The nodes come in the order of the text. */
static bool expand(expansion *e, const an_spec_node *node)
{
    if (names_file(node)) {
        if (!copy_up_to(e, node->offset) || !put_numbers(e, node))
            return false;
        e->done = node->offset + node->length;
    }
    for (size_t i = 0; i < node->arg_count; i++)
        if (!expand(e, node->args[i].value))
            return false;
    return true;
}

bool an_lr_expand(const an_spec_source *source, an_lr_read_file *read, void *user, an_arena *arena,
                  an_spec_source *out, an_error *err)
{
    expansion e = {.source = source, .read = read, .user = user, .arena = arena, .err = err};
    an_spec *spec = an_spec_parse(source, &arena->allocator, err);
    *out = *source;
    if (!spec)
        return false;
    bool good = expand(&e, an_spec_root(spec));
    an_spec_free(spec);
    if (!good || e.done == 0)
        return good;
    if (!copy_up_to(&e, source->length))
        return false;
    e.text[e.used] = '\0';
    bool mapped = source->map && source->origin;
    *out = (an_spec_source){.file = source->file,
                            .text = e.text,
                            .length = e.used,
                            .origin = mapped ? source->origin : source->text,
                            .origin_length = mapped ? source->origin_length : source->length,
                            .map = e.map};
    return true;
}
