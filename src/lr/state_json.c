/*
 * state_json.c - a schedule's state as a JSON object:
 *
 *   {
 *     "anneal_lr_state": 1,                         the version of this form
 *     "schedule": "StepLR(step_size=30)",           the description, as an_lr_print writes it
 *     "step": 40,                                   the clock
 *     "plateau": {"best": 0.5, "bad_steps": 2, "cooldown_left": 0},    ReduceLROnPlateau's alone
 *     "groups": [
 *       {"base_rates": [0.1],                       one for each schedule, parents before children
 *        "lr": {"value": 0.01, "initial": 0.1},     each slot that the group has; no initial where
 *        "momentum": {"value": 0.9}}                no schedule has set one
 *     ]
 *   }
 *
 * Reading turns the object into the bytes of state.c, so that both forms are checked and loaded by
 * the same code.
 */
#include "lr/numeric.h"

#include "lr/json.h"
#include "lr/state.h"
#include "lr/text.h"
#include <string.h>

#define VERSION 1

/* ----------------------------------------------------------------- writing */

static void write_real(an__lr_writer *w, double value)
{
    if (isfinite(value)) {
        an__lr_write_number(w, value);
        return;
    }
    an__lr_write(w, isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"");
}

static void write_slots(an__lr_writer *w, const an_lr_group *group)
{
    for (int id = 0; id < AN_SLOT_COUNT; id++) {
        const an_slot *slot = &group->slot[id];
        if (!slot->present)
            continue;
        an__lr_write(w, ",\n      \"");
        an__lr_write(w, an_slot_name((an_slot_id)id));
        an__lr_write(w, "\": {\"value\": ");
        write_real(w, slot->value);
        if (slot->has_initial) {
            an__lr_write(w, ", \"initial\": ");
            write_real(w, slot->initial);
        }
        an__lr_write(w, "}");
    }
}

static void write_group(an__lr_writer *w, const an__lr_member *m, size_t node_count)
{
    an__lr_write(w, "    {\"base_rates\": [");
    for (size_t i = 0; i < node_count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        write_real(w, m->base[i]);
    }
    an__lr_write(w, "]");
    write_slots(w, m->group);
    an__lr_write(w, "}");
}

static void write_plateau(an__lr_writer *w, const an__lr_plateau *plateau)
{
    an__lr_write(w, ",\n  \"plateau\": {\"best\": ");
    write_real(w, plateau->best);
    an__lr_write(w, ", \"bad_steps\": ");
    an__lr_write_integer(w, plateau->bad);
    an__lr_write(w, ", \"cooldown_left\": ");
    an__lr_write_integer(w, plateau->cooldown);
    an__lr_write(w, "}");
}

size_t an_lr_state_print(char *buffer, size_t size, const an_lr_schedule *schedule)
{
    const an_lr_schedule *s = schedule;
    an__lr_writer w = {.buffer = buffer, .size = size};
    an__lr_write(&w, "{\n  \"anneal_lr_state\": ");
    an__lr_write_integer(&w, VERSION);
    an__lr_write(&w, ",\n  \"schedule\": \"");
    w.escape = true;
    an__lr_write_desc(&w, &s->root->desc);
    w.escape = false;
    an__lr_write(&w, "\",\n  \"step\": ");
    an__lr_write_integer(&w, s->clock);
    if (an_lr_wants_metric(s))
        write_plateau(&w, &s->plateau);
    an__lr_write(&w, ",\n  \"groups\": [\n");
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_write(&w, i > 0 ? ",\n" : "");
        write_group(&w, an__lr_member_at(s, i), s->node_count);
    }
    an__lr_write(&w, "\n  ]\n}\n");
    return an__lr_write_end(&w);
}

/* ----------------------------------------------------------------- reading */

typedef struct reader {
    const an_spec_source *source;
    an_error *err;
} reader;

#define PATH_SIZE 64

/* "groups[1].lr must be ...", at the value. */
static bool wrong(const reader *r, const an__json *value, const char *path, const char *what)
{
    char message[256];
    an_format(message, sizeof message, "%s %s", path[0] ? path : "the state", what);
    an__json_error(r->source, value->offset, r->err, message);
    return false;
}

/* `path` and `key` joined by a dot, into `out`. */
static const char *join(char *out, const char *path, const char *key)
{
    an_format(out, PATH_SIZE, "%s%s%s", path, path[0] ? "." : "", key);
    return out;
}

static bool read_real(const reader *r, const an__json *value, const char *path, double *out)
{
    bool text = value->kind == AN__JSON_STRING;
    *out = value->number;
    if (text && strcmp(value->text, "nan") == 0)
        *out = NAN;
    else if (text && (strcmp(value->text, "inf") == 0 || strcmp(value->text, "-inf") == 0))
        *out = value->text[0] == '-' ? -INFINITY : INFINITY;
    else if (value->kind != AN__JSON_NUMBER)
        return wrong(r, value, path, "must be a number, or one of \"inf\", \"-inf\" and \"nan\"");
    else if (isinf(value->number))
        return wrong(r, value, path,
                     "is beyond the largest double; write \"inf\" or \"-inf\" if that is meant");
    return true;
}

static bool read_count(const reader *r, const an__json *value, const char *path, uint64_t *out)
{
    if (value->kind != AN__JSON_NUMBER || !value->whole || value->number < 0)
        return wrong(r, value, path, "must be a whole number from 0 to 2^53");
    *out = (uint64_t)value->number;
    return true;
}

/* One key that an object may have; `value` is where read_object puts what it has. */
typedef struct field {
    const char *key;
    bool required;
    const an__json *value;
} field;

/* A group has the most: its base rates and every slot. */
#define MAX_FIELDS (AN_SLOT_COUNT + 1)
_Static_assert(MAX_FIELDS >= 5, "the state itself has 5");

static bool unknown_key(const reader *r, const an__json *value, const char *path,
                        const field *fields, size_t count)
{
    const char *names[MAX_FIELDS], *near;
    char what[160];
    for (size_t i = 0; i < count; i++)
        names[i] = fields[i].key;
    near = an_nearest(value->key, strlen(value->key), names, count);
    an_format(what, sizeof what, "has no key '%.40s'%s%s%s", value->key,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return wrong(r, value, path, what);
}

/* Sorts an object's values to `fields`; each key at most once, none that is not among them. */
static bool read_object(const reader *r, const an__json *object, const char *path, field *fields,
                        size_t count)
{
    char what[80];
    if (object->kind != AN__JSON_OBJECT)
        return wrong(r, object, path, "must be an object");
    for (const an__json *value = object->first; value; value = value->next) {
        size_t i = 0;
        while (i < count && strcmp(fields[i].key, value->key) != 0)
            i++;
        if (i == count)
            return unknown_key(r, value, path, fields, count);
        an_format(what, sizeof what, "has '%s' twice", fields[i].key);
        if (fields[i].value)
            return wrong(r, value, path, what);
        fields[i].value = value;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && !fields[i].value) {
            an_format(what, sizeof what, "lacks '%s'", fields[i].key);
            return wrong(r, object, path, what);
        }
    return true;
}

static bool read_slot(const reader *r, const an__json *value, const char *path, an__lr_sink *out)
{
    an_slot slot = {0};
    field fields[] = {{"value", true, NULL}, {"initial", false, NULL}};
    char inner[PATH_SIZE];
    if (value) {
        slot.present = true;
        if (!read_object(r, value, path, fields, 2) ||
            !read_real(r, fields[0].value, join(inner, path, "value"), &slot.value))
            return false;
        slot.has_initial = fields[1].value != NULL;
        if (slot.has_initial &&
            !read_real(r, fields[1].value, join(inner, path, "initial"), &slot.initial))
            return false;
    }
    an__lr_put_slot(out, &slot);
    return true;
}

static bool read_bases(const reader *r, const an__json *list, const char *path, size_t count,
                       an__lr_sink *out)
{
    char what[96], inner[PATH_SIZE];
    an_format(what, sizeof what, "must be a list of %zu numbers, one for each schedule", count);
    if (list->kind != AN__JSON_ARRAY || list->count != count)
        return wrong(r, list, path, what);
    size_t index = 0;
    for (const an__json *value = list->first; value; value = value->next) {
        double base;
        an_format(inner, sizeof inner, "%s[%zu]", path, index++);
        if (!read_real(r, value, inner, &base))
            return false;
        an__lr_put_real(out, base);
    }
    return true;
}

static bool read_group(const reader *r, const an__json *group, size_t index, size_t node_count,
                       an__lr_sink *out)
{
    char path[PATH_SIZE], inner[PATH_SIZE];
    field fields[AN_SLOT_COUNT + 1] = {{"base_rates", true, NULL}};
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        fields[id + 1] = (field){an_slot_name((an_slot_id)id), id == AN_LR, NULL};
    an_format(path, sizeof path, "groups[%zu]", index);
    if (!read_object(r, group, path, fields, AN_SLOT_COUNT + 1) ||
        !read_bases(r, fields[0].value, join(inner, path, "base_rates"), node_count, out))
        return false;
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        if (!read_slot(r, fields[id + 1].value, join(inner, path, fields[id + 1].key), out))
            return false;
    return true;
}

static bool read_plateau(const reader *r, const an__json *plateau, an__lr_head *head)
{
    field fields[] = {
        {"best", true, NULL}, {"bad_steps", true, NULL}, {"cooldown_left", true, NULL}};
    return !plateau || (read_object(r, plateau, "plateau", fields, 3) &&
                        read_real(r, fields[0].value, "plateau.best", &head->best) &&
                        read_count(r, fields[1].value, "plateau.bad_steps", &head->bad) &&
                        read_count(r, fields[2].value, "plateau.cooldown_left", &head->cooldown));
}

/* The object's parts, in the order of `fields` in read_parts. */
typedef struct parts {
    const an__json *schedule, *step, *plateau, *groups;
} parts;

/* Before anything else, since another version may have other keys. */
static bool check_version(const reader *r, const an__json *root)
{
    const an__json *found = root->kind == AN__JSON_OBJECT ? root->first : NULL;
    uint64_t version = 0;
    char what[80];
    while (found && strcmp(found->key, "anneal_lr_state") != 0)
        found = found->next;
    if (!found)
        return true; /* read_object will say so */
    if (!read_count(r, found, found->key, &version))
        return false;
    an_format(what, sizeof what, "has version %llu; this library reads version %d",
              (unsigned long long)version, VERSION);
    return version == VERSION || wrong(r, found, "", what);
}

static bool read_parts(const reader *r, const an__json *root, parts *out)
{
    field fields[] = {{"anneal_lr_state", true, NULL},
                      {"schedule", true, NULL},
                      {"step", true, NULL},
                      {"groups", true, NULL},
                      {"plateau", false, NULL}};
    if (!check_version(r, root) || !read_object(r, root, "", fields, 5))
        return false;
    *out = (parts){fields[1].value, fields[2].value, fields[4].value, fields[3].value};
    if (out->schedule->kind != AN__JSON_STRING)
        return wrong(r, out->schedule, "schedule", "must be a string, such as \"StepLR(30)\"");
    return out->groups->kind == AN__JSON_ARRAY ||
           wrong(r, out->groups, "groups", "must be a list of objects");
}

/* The description in "schedule"; an error there names its place in the JSON text. */
static an_lr_text *read_desc(const reader *r, const an__json *schedule,
                             const an_allocator *allocator)
{
    an_error found = {0};
    an_lr_text *text = an__lr_parse_saved(schedule->text, allocator, &found);
    if (!text && found.code == AN_ERROR_MEMORY)
        an_error_set(r->err, AN_ERROR_MEMORY, "%s", found.message);
    else if (!text)
        an_spec_error(r->source, schedule->offset, r->err, "schedule: %s", found.message);
    if (!text && r->err && r->err->code == AN_ERROR_CONFIG)
        r->err->code = AN_ERROR_DATA;
    return text;
}

/* Writes the state's bytes; with `out` only counting, how many there are. */
static bool read_state(const reader *r, const parts *p, const an_lr_desc *desc, an__lr_sink *out)
{
    an__lr_head head = {.groups = p->groups->count, .nodes = an__lr_count_nodes(desc)};
    if (!read_count(r, p->step, "step", &head.clock) || !read_plateau(r, p->plateau, &head))
        return false;
    an__lr_state_begin(out, head, desc);
    size_t index = 0;
    for (const an__json *group = p->groups->first; group; group = group->next)
        if (!read_group(r, group, index++, (size_t)head.nodes, out))
            return false;
    an__lr_state_end(out);
    return true;
}

static bool load(const reader *r, const parts *p, const an_lr_desc *desc, an_arena *arena,
                 an_lr_schedule *schedule, an_lr_policy policy, an_lr_changes *changes)
{
    an__lr_sink counted = {0};
    if (!read_state(r, p, desc, &counted))
        return false;
    an__lr_sink out = {.out = an_arena_alloc(arena, counted.used)};
    if (!out.out)
        return an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a schedule's state");
    return read_state(r, p, desc, &out) &&
           an_lr_state_load(schedule, out.out, out.used, policy, changes, r->err);
}

bool an_lr_state_parse(an_lr_schedule *schedule, const char *text, size_t length,
                       an_lr_policy policy, an_lr_changes *changes, const an_allocator *allocator,
                       an_error *err)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_spec_source source = {.text = text ? text : "", .length = text ? length : 0};
    reader r = {&source, err};
    parts p;
    an_arena arena;
    an_arena_init(&arena, own);
    const an__json *root = an__json_parse(&source, &arena, err);
    an_lr_text *desc = root && read_parts(&r, root, &p) ? read_desc(&r, p.schedule, &own) : NULL;
    bool good = desc && load(&r, &p, an_lr_text_desc(desc), &arena, schedule, policy, changes);
    an_lr_text_free(desc);
    an_arena_free(&arena);
    return good;
}

const char *an__lr_state_schedule(const char *text, size_t length, an_arena *arena, an_error *err)
{
    an_spec_source source = {.text = text, .length = length};
    reader r = {&source, err};
    parts p;
    const an__json *root = an__json_parse(&source, arena, err);
    return root && read_parts(&r, root, &p) ? p.schedule->text : NULL;
}
