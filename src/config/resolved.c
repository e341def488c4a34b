/*
 * A run as a configuration again: what was set is in it, what was left out too, and the data by a
 * path that holds everywhere. Reading it gives the same run. A schedule stays as it was written, so
 * that its length follows the run's, but with the numbers of its files; what it came to stands
 * beside it as a comment, where that is another text.
 */
#include "config/resolved.h"

#include <string.h>
#include <unistd.h>

/* A longer schedule, a table, is not written twice, nor one that came to what was written. */
#define MOST_COMMENT 2000

/* Text that grows in an arena. */
typedef struct sink {
    char *text;
    size_t length, room;
    an_arena *arena;
    bool failed; /* memory ran out */
    const an_run *run;
    const an__found *found;   /* where the data are */
    const an__node *schedule; /* with the numbers of files, or NULL */
} sink;

static void put_bytes(sink *s, const char *bytes, size_t count)
{
    if (!s->failed && count >= s->room - s->length) {
        size_t room = (s->room + count + 64) * 2;
        char *text = an_arena_alloc(s->arena, room);
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

static void put_integer(sink *s, int64_t value)
{
    char text[32];
    put_bytes(s, text, an_format(text, sizeof text, "%lld", (long long)value));
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
    return node->key && strcmp(node->key->source.text, name) == 0;
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
    put(s, "{");
    for (const an__node *child = data->first; child; child = child->next) {
        const an__spot place = an__spot_of(child->key->source.text);
        put_scalar(s, child->key->source.text, child->key->source.length, true);
        put(s, ": ");
        if (place < AN__SPOTS && s->found->path[place])
            put_path(s, s->found->path[place]);
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
    const char *text = s->run->schedule_text;
    const size_t length = strlen(text);
    const an__node *given = s->schedule;
    return length <= MOST_COMMENT &&
           !(given->kind == AN__SCALAR && given->source.length == length &&
             memcmp(given->source.text, text, length) == 0);
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
        put(s, interval_of(s->run));
    } else {
        put_value(s, is_called(node, "schedule") ? s->schedule : node);
    }
    if (is_called(node, "schedule") && needs_comment(s)) {
        put(s, "\n# schedule: ");
        put(s, s->run->schedule_text);
    }
    put(s, "\n");
}

/* What counts where a configuration does not say it. */
static const an_named_text defaults[] = {
    {"test", "0.1"},     {"loss", "CrossEntropyLoss()"}, {"interval", "epoch"},
    {"monitor", "auto"}, {"batch_size", "64"},           {"accumulate", "1"},
};

#define DEFAULT_COUNT (sizeof defaults / sizeof *defaults)

/* Default `i`; false where it does not count: another value is there, or a test set. */
static bool default_of(const an_config *config, const an_run *run, size_t i, an_named_text *out)
{
    *out = defaults[i];
    an__node root = *config->root;
    if (strcmp(out->name, "interval") == 0)
        out->text = interval_of(run);
    const bool cut = strcmp(out->name, "test") != 0 || !an__has_test(config);
    return cut && !an__tree_child(&root, out->name, strlen(out->name));
}

static void put_default(sink *s, const an_named_text *value)
{
    put(s, value->name);
    put(s, ": ");
    put_scalar(s, value->text, strlen(value->text), false);
    put(s, "\n");
}

static void put_number(sink *s, const char *name, int64_t value)
{
    put(s, name);
    put(s, ": ");
    put_integer(s, value);
    put(s, "\n");
}

/* ------------------------------------------------------------ parameters */

/* Whether a key stands there as it is: not what became of the schedule, nor one that is gone. */
static bool stays(const sink *s, const an__node *node)
{
    return !is_called(node, "course") && !is_called(node, "seed") && !is_called(node, "threads") &&
           (s->schedule || !is_called(node, "schedule"));
}

/* A schedule that a checkpoint has brought to a configuration without one; NULL: none. */
static const char *brought(const an_config *config, const an_run *run)
{
    an__node root = *config->root;
    return an__tree_child(&root, "schedule", strlen("schedule")) ? NULL : run->schedule_text;
}

/* The elements of a list apart from each other, anything else as it stands in the text. */
static char *value_text(sink *s, const an__node *node)
{
    sink value = {.arena = s->arena, .run = s->run, .found = s->found};
    if (is_called(node, "schedule"))
        node = s->schedule;
    if (is_called(node, "interval"))
        put(&value, interval_of(s->run));
    else if (is_called(node, "data"))
        put_data(&value, node);
    else if (node->kind == AN__LIST)
        for (const an__node *child = node->first; child; child = child->next) {
            put_flow(&value, child, false);
            put(&value, !child->next ? "" : is_called(node, "metrics") ? ", " : " -> ");
        }
    else if (node->kind == AN__SCALAR)
        put_bytes(&value, node->source.text, node->source.length);
    else
        put_flow(&value, node, false);
    put_bytes(&value, "", 1);
    s->failed = s->failed || value.failed;
    return value.text;
}

an_named_text *an__run_params(const an_config *config, const an_run *run, const an__found *found,
                              const an__node *schedule, an_arena *arena, size_t *count)
{
    sink s = {.arena = arena, .run = run, .found = found, .schedule = schedule};
    const size_t most = config->root->count + DEFAULT_COUNT + 4;
    an_named_text value = {"schedule", brought(config, run)};
    an_named_text *params = an_arena_alloc(arena, most * sizeof *params);
    char *numbers = an_arena_alloc(arena, 64);
    *count = 0;
    if (!params || !numbers)
        return NULL;
    for (const an__node *node = config->root->first; node; node = node->next)
        if (stays(&s, node))
            params[(*count)++] = (an_named_text){node->key->source.text, value_text(&s, node)};
    if (value.text)
        params[(*count)++] = value;
    if (run->course_text)
        params[(*count)++] = (an_named_text){"course", run->course_text};
    for (size_t i = 0; i < DEFAULT_COUNT; i++)
        if (default_of(config, run, i, &value))
            params[(*count)++] = value;
    an_format(numbers, 32, "%lld", (long long)config->seed);
    an_format(numbers + 32, 32, "%d", an_context_threads(run->context));
    params[(*count)++] = (an_named_text){"seed", numbers};
    params[(*count)++] = (an_named_text){"threads", numbers + 32};
    return s.failed ? NULL : params;
}

char *an__resolved(const an_config *config, const an_run *run, const an__found *found,
                   const an__node *schedule, an_arena *arena)
{
    sink s = {.arena = arena, .run = run, .found = found, .schedule = schedule};
    an_named_text value = {"schedule", brought(config, run)};
    put(&s, "# As it was trained, everything filled in; anneal resume goes on from here.\n");
    for (const an__node *node = config->root->first; node; node = node->next) {
        if (stays(&s, node))
            put_key(&s, node);
    }
    if (value.text)
        put_default(&s, &value);
    if (run->course_text)
        put_default(&s, &(an_named_text){"course", run->course_text});
    for (size_t i = 0; i < DEFAULT_COUNT; i++)
        if (default_of(config, run, i, &value))
            put_default(&s, &value);
    put_number(&s, "seed", config->seed);
    put_number(&s, "threads", an_context_threads(run->context));
    put_bytes(&s, "", 1);
    return s.failed ? NULL : s.text;
}
