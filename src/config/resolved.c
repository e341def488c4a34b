/*
 * A run as a configuration again: what was set is in it, what was left out too, and the data by a
 * path that holds everywhere. Reading it gives the same run. A schedule stays as it was written, so
 * that its length follows the run's, but with the numbers of its files; what it came to stands
 * beside it as a comment, where that is another text.
 */
#include "config/build.h"
#include "config/file.h"
#include "config/keys.h"

#include <string.h>
#include <unistd.h>

/* A longer schedule, a table, is not written twice, nor one that came to what was written. */
#define MOST_COMMENT 2000

/* Text that grows in an arena. */
typedef struct sink {
    char *text;
    size_t length, room;
    bool failed; /* memory ran out */
    an__build *build;
} sink;

static void put_bytes(sink *s, const char *bytes, size_t count)
{
    if (!s->failed && count >= s->room - s->length) {
        size_t room = (s->room + count + 64) * 2;
        char *text = an_arena_alloc(&s->build->texts, room);
        s->failed = !text;
        if (text && s->length > 0)
            memcpy(text, s->text, s->length);
        s->text = text;
        s->room = room;
    }
    if (s->failed)
        return;
    memcpy(s->text + s->length, bytes, count);
    s->length += count;
}

static void put(sink *s, const char *text)
{
    put_bytes(s, text, strlen(text));
}

/* ------------------------------------------------------------------ scalars */

/* In brackets a plain word or number needs no quotes. */
static bool is_word(const char *text, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_./+-";
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0' || !strchr(allowed, text[i]))
            return false;
    return length > 0 && (text[0] != '-' || length > 1);
}

/* A text that means itself as a line's value: most calls do. */
static bool is_plain(const char *text, size_t length)
{
    if (length == 0 || strchr("-?:,[]{}#&*!|>'\"%@` ", text[0]) || text[length - 1] == ' ' ||
        text[length - 1] == ':')
        return is_word(text, length);
    for (size_t i = 0; i < length; i++) {
        bool pair = i + 1 < length && ((text[i] == ':' && text[i + 1] == ' ') ||
                                       (text[i] == ' ' && text[i + 1] == '#'));
        if (pair || text[i] < ' ' || text[i] > '~')
            return false;
    }
    return true;
}

static void put_quoted(sink *s, const char *text, size_t length)
{
    put(s, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        static const char digits[] = "0123456789abcdef";
        const char code[] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        const char escaped[] = {'\\', (char)c};
        if (c < 0x20 || c == 0x7f)
            put_bytes(s, code, sizeof code);
        else if (c == '"' || c == '\\')
            put_bytes(s, escaped, sizeof escaped);
        else
            put_bytes(s, text + i, 1);
    }
    put(s, "\"");
}

static void put_scalar(sink *s, const char *text, size_t length, bool in_brackets)
{
    if (in_brackets ? is_word(text, length) : is_plain(text, length))
        put_bytes(s, text, length);
    else
        put_quoted(s, text, length);
}

/* ------------------------------------------------------------------- nodes */

/* A whole value in brackets, or a scalar. */
static void put_flow(sink *s, const an__node *node, bool in_brackets)
{
    if (node->kind == AN__SCALAR) {
        put_scalar(s, node->source.text, node->source.length, in_brackets);
        return;
    }
    bool map = node->kind == AN__MAP;
    put(s, map ? "{" : "[");
    for (const an__node *child = node->first; child; child = child->next) {
        if (child != node->first)
            put(s, ", ");
        if (map) {
            put_scalar(s, child->key->source.text, child->key->source.length, true);
            put(s, ": ");
        }
        put_flow(s, child, true);
    }
    put(s, map ? "}" : "]");
}

static bool is_called(const an__node *node, const char *name)
{
    return node->key && an__tree_is(node->key, name);
}

/* The path of data as one that does not depend on where the program was started. */
static void put_path(sink *s, const char *found)
{
    char path[8192] = "";
    size_t used = 0;
    if (found[0] != '/' && getcwd(path, sizeof path / 2))
        used = strlen(path);
    used += an_format(path + used, sizeof path - used, "%s%s", used > 0 ? "/" : "", found);
    put_scalar(s, path, used < sizeof path ? used : sizeof path - 1, true);
}

/* A map of data, with where they are in the place of the paths. */
static void put_data(sink *s, const an__node *data)
{
    const an__found *found = &s->build->found;
    put(s, "{");
    for (const an__node *child = data->first; child; child = child->next) {
        const an__spot place = an__spot_of(child->key->source.text);
        put_scalar(s, child->key->source.text, child->key->source.length, true);
        put(s, ": ");
        if (place < AN__SPOTS && found->path[place])
            put_path(s, found->path[place]);
        else
            put_flow(s, child, true);
        put(s, child->next ? ", " : "");
    }
    put(s, "}");
}

/* A list with a line for each element, as models are written; anything else in one line. */
static void put_value(sink *s, const an__node *node)
{
    if (node->kind != AN__LIST || node->count == 0) {
        put(s, " ");
        put_flow(s, node, false);
        return;
    }
    for (const an__node *child = node->first; child; child = child->next) {
        put(s, "\n  - ");
        put_flow(s, child, false);
    }
}

static const char *interval_of(const an_run *run)
{
    return run->fit.interval == AN_INTERVAL_STEP ? "step" : "epoch";
}

static bool needs_comment(const sink *s)
{
    const char *text = s->build->run.schedule_text;
    return strlen(text) <= MOST_COMMENT && !an__tree_is(&s->build->schedule_node, text);
}

static void put_key(sink *s, const an__node *node)
{
    put_scalar(s, node->key->source.text, node->key->source.length, false);
    put(s, ":");
    if (is_called(node, "data")) {
        put(s, " ");
        put_data(s, node);
    } else if (is_called(node, "interval")) {
        put(s, " ");
        put(s, interval_of(&s->build->run));
    } else {
        put_value(s, is_called(node, "schedule") ? &s->build->schedule_node : node);
    }
    if (is_called(node, "schedule") && needs_comment(s)) {
        put(s, "\n# schedule: ");
        put(s, s->build->run.schedule_text);
    }
    put(s, "\n");
}

static void put_named(sink *s, const an_named_text *value)
{
    put(s, value->name);
    put(s, ": ");
    put_scalar(s, value->text, strlen(value->text), false);
    put(s, "\n");
}

/* --------------------------------------------------------- the whole of it */

/* Whether a key stands there as it is: not what became of the schedule, nor one that is gone. */
static bool stays(const an__build *b, const an__node *node)
{
    return !is_called(node, "course") && !is_called(node, "seed") && !is_called(node, "threads") &&
           (b->run.schedule_text || !is_called(node, "schedule"));
}

/* What counts where a configuration does not say it. */
static const an_named_text defaults[] = {
    {"test", "0.1"},     {"loss", "CrossEntropyLoss()"}, {"interval", "epoch"},
    {"monitor", "auto"}, {"batch_size", "64"},           {"accumulate", "1"},
};

#define DEFAULT_COUNT (sizeof defaults / sizeof *defaults)

/* Whether a default counts: no other value is there, nor a test set. */
static bool counts(const an_config *config, const char *name)
{
    const bool cut = strcmp(name, "test") != 0 || !an__has_test(config);
    return cut && !an__child_of(config->root, name);
}

/* What stands behind the keys that stay: schedule and course, defaults, seed and threads. */
typedef struct rest {
    an_named_text value[DEFAULT_COUNT + 4];
    size_t count;
} rest;

static void add(rest *r, const char *name, const char *text)
{
    r->value[r->count++] = (an_named_text){name, text};
}

/* False: memory. */
static bool find_rest(an__build *b, rest *r)
{
    enum { DIGITS = 32 };
    const an_run *run = &b->run;
    char *numbers = an_arena_alloc(&b->texts, (size_t)2 * DIGITS);
    if (!numbers)
        return false;
    an_format(numbers, DIGITS, "%lld", (long long)b->config->seed);
    an_format(numbers + DIGITS, DIGITS, "%d", an_context_threads(run->context));
    r->count = 0;
    /* A checkpoint may have brought a schedule to a configuration without one. */
    if (run->schedule_text && !an__child_of(b->config->root, "schedule"))
        add(r, "schedule", run->schedule_text);
    if (run->course_text)
        add(r, "course", run->course_text);
    for (size_t i = 0; i < DEFAULT_COUNT; i++) {
        const bool interval = strcmp(defaults[i].name, "interval") == 0;
        if (counts(b->config, defaults[i].name))
            add(r, defaults[i].name, interval ? interval_of(run) : defaults[i].text);
    }
    add(r, "seed", numbers);
    add(r, "threads", numbers + DIGITS);
    return true;
}

/* The whole configuration as text; NULL: memory. */
static const char *resolved_text(an__build *b, const rest *r)
{
    sink s = {.build = b};
    put(&s, "# As it was trained, everything filled in; anneal resume goes on from here.\n");
    for (const an__node *node = b->config->root->first; node; node = node->next)
        if (stays(b, node))
            put_key(&s, node);
    for (size_t i = 0; i < r->count; i++)
        put_named(&s, &r->value[i]);
    put_bytes(&s, "", 1);
    return s.failed ? NULL : s.text;
}

/* The elements of a list apart from each other, anything else as it stands in the text. */
static const char *value_text(an__build *b, const an__node *node)
{
    sink s = {.build = b};
    if (is_called(node, "schedule"))
        node = &b->schedule_node;
    if (is_called(node, "interval"))
        put(&s, interval_of(&b->run));
    else if (is_called(node, "data"))
        put_data(&s, node);
    else if (node->kind == AN__LIST)
        for (const an__node *child = node->first; child; child = child->next) {
            put_flow(&s, child, false);
            put(&s, !child->next ? "" : is_called(node, "metrics") ? ", " : " -> ");
        }
    else if (node->kind == AN__SCALAR)
        put_bytes(&s, node->source.text, node->source.length);
    else
        put_flow(&s, node, false);
    put_bytes(&s, "", 1);
    return s.failed ? NULL : s.text;
}

/* The same as a list of names and texts, which go to `count`; NULL: memory. */
static const an_named_text *params(an__build *b, const rest *r, size_t *count)
{
    an_named_text *list =
        an_arena_alloc(&b->texts, (b->config->root->count + r->count) * sizeof *list);
    *count = 0;
    for (const an__node *node = b->config->root->first; list && node; node = node->next)
        if (stays(b, node)) {
            const an_named_text value = {node->key->source.text, value_text(b, node)};
            if (!value.text)
                return NULL;
            list[(*count)++] = value;
        }
    for (size_t i = 0; list && i < r->count; i++)
        list[(*count)++] = r->value[i];
    return list;
}

bool an__build_resolved(an__build *b)
{
    an_run *run = &b->run;
    rest r;
    run->config_text = b->config->document.text;
    if (!find_rest(b, &r))
        return an__no_memory(b->err);
    run->resolved_text = resolved_text(b, &r);
    run->params = params(b, &r, &run->param_count);
    if (!run->resolved_text || !run->params)
        return an__no_memory(b->err);
    return strlen(run->resolved_text) <= AN__MOST_TEXT ||
           AN__FAIL(b->config->root, b->err,
                    "with the numbers of the schedule's tables the configuration is above %d MiB; "
                    "write fewer, with every=",
                    AN__MOST_TEXT >> 20);
}
