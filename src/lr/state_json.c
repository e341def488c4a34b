/*
 * state_json.c - a schedule's state as a JSON object:
 *
 *   {
 *     "anneal_lr_state": 1,                         the version of this form
 *     "schedule": "StepLR(step_size=30)",           the description, as an_lr_print writes it
 *     "step": 40,                                   the clock
 *     "plateau": {"best": 0.5, "bad_steps": 2, "cooldown_left": 0},    ReduceLROnPlateau's alone
 *     "run": {...}, "clock": {...}, "feedback": [...], "edits": [...], "landing": {...},
 *                                                   of version 2, where they are: state_course.c
 *     "groups": [
 *       {"base_rates": [0.1],                       one for each schedule, parents before children
 *        "lr": {"value": 0.01, "initial": 0.1},     each slot that the group has; no initial where
 *        "momentum": {"value": 0.9},                no schedule has set one
 *        "landing_from": 0.08}                      the rate that a landing began at
 *     ]
 *   }
 *
 * Reading turns the object into the bytes of state.c, so that both forms are checked and loaded by
 * the same code.
 */
#include "lr/numeric.h"

#include "lr/json_read.h"
#include "lr/state_json.h"
#include "lr/text.h"
#include <string.h>

/* What has no more than version 1 had is written as that. */
#define VERSION 2
#define OLD_VERSION 1

/* ----------------------------------------------------------------- writing */

void an__lr_write_real(an__lr_writer *w, double value)
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
        w->escape = true;
        an__lr_write(w, an__lr_slot_name(group, (an_slot_id)id));
        w->escape = false;
        an__lr_write(w, "\": {\"value\": ");
        an__lr_write_real(w, slot->value);
        if (slot->has_initial) {
            an__lr_write(w, ", \"initial\": ");
            an__lr_write_real(w, slot->initial);
        }
        an__lr_write(w, "}");
    }
}

static void write_group(an__lr_writer *w, const an__lr_member *m, size_t node_count, bool landing)
{
    an__lr_write(w, "    {\"base_rates\": [");
    for (size_t i = 0; i < node_count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        an__lr_write_real(w, m->base[i]);
    }
    an__lr_write(w, "]");
    write_slots(w, m->group);
    if (landing) {
        an__lr_write(w, ", \"landing_from\": ");
        an__lr_write_real(w, m->from);
    }
    an__lr_write(w, "}");
}

/* What a plateau remembers; how often it has reduced is of version 2. */
static void write_plateau(an__lr_writer *w, const double *memory)
{
    an__lr_write(w, ",\n  \"plateau\": {\"best\": ");
    an__lr_write_real(w, memory[0]);
    an__lr_write(w, ", \"bad_steps\": ");
    an__lr_write_number(w, memory[1]);
    an__lr_write(w, ", \"cooldown_left\": ");
    an__lr_write_number(w, memory[2]);
    if (memory[3] > 0) {
        an__lr_write(w, ", \"reductions\": ");
        an__lr_write_number(w, memory[3]);
    }
    an__lr_write(w, "}");
}

size_t an_lr_state_print(char *buffer, size_t size, const an_lr_schedule *schedule)
{
    const an_lr_schedule *s = schedule;
    an__lr_writer w = {.buffer = buffer, .size = size};
    an__lr_write(&w, "{\n  \"anneal_lr_state\": ");
    an__lr_write_integer(&w, an__lr_has_course(s) ? VERSION : OLD_VERSION);
    an__lr_write(&w, ",\n  \"schedule\": \"");
    w.escape = true;
    an__lr_write_desc(&w, &s->root->desc);
    w.escape = false;
    an__lr_write(&w, "\",\n  \"step\": ");
    an__lr_write_integer(&w, an_lr_step_count(s));
    if (s->root->desc.kind == AN_PLATEAU_LR)
        write_plateau(&w, s->root->memory);
    an__lr_write_course(&w, s);
    an__lr_write(&w, ",\n  \"groups\": [\n");
    for (size_t i = 0; i < s->member_count; i++) {
        an__lr_write(&w, i > 0 ? ",\n" : "");
        write_group(&w, an__lr_member_at(s, i), s->node_count, s->landing && s->landing->active);
    }
    an__lr_write(&w, "\n  ]\n}\n");
    return an__lr_write_end(&w);
}

/* ----------------------------------------------------------------- reading */

static bool read_slot(const an__json_reader *r, const an__json_field *named, const char *path,
                      an__lr_sink *out)
{
    an_slot slot = {.present = true};
    an__json_field fields[] = {{"value", true, NULL}, {"initial", false, NULL}};
    char inner[AN__JSON_PATH_SIZE];
    if (!an__json_object(r, named->value, path, fields, 2) ||
        !an__json_real(r, fields[0].value, an__json_join(inner, path, "value"), &slot.value))
        return false;
    slot.has_initial = fields[1].value != NULL;
    if (slot.has_initial &&
        !an__json_real(r, fields[1].value, an__json_join(inner, path, "initial"), &slot.initial))
        return false;
    an__lr_put_slot(out, named->key, &slot);
    return true;
}

static bool read_bases(const an__json_reader *r, const an__json *list, const char *path,
                       size_t count, an__lr_sink *out)
{
    char what[96], inner[AN__JSON_PATH_SIZE];
    an_format(what, sizeof what, "must be a list of %zu numbers, one for each schedule", count);
    if (list->kind != AN__JSON_ARRAY || list->count != count)
        return an__json_wrong(r, list, path, what);
    size_t index = 0;
    for (const an__json *value = list->first; value; value = value->next) {
        double base;
        an_format(inner, sizeof inner, "%s[%zu]", path, index++);
        if (!an__json_real(r, value, inner, &base))
            return false;
        an__lr_put_real(out, base);
    }
    return true;
}

/* `known` names the slots of the program's own; NULL when the group is not there. */
static bool read_group(const an__json_reader *r, const an__json *group, size_t index,
                       const an_lr_group *known, size_t node_count, an__lr_sink *out)
{
    char path[AN__JSON_PATH_SIZE], inner[AN__JSON_PATH_SIZE];
    an__json_field fields[AN_SLOT_COUNT + 2] = {{"base_rates", true, NULL},
                                                {"landing_from", false, NULL}};
    an__json_field *slots = fields + 2;
    double from = 0;
    uint64_t count = 0;
    for (int id = 0; id < AN_SLOT_COUNT; id++) {
        const char *name =
            known ? an__lr_slot_name(known, (an_slot_id)id) : an_slot_name((an_slot_id)id);
        slots[id] = (an__json_field){name, id == AN_LR, NULL};
    }
    an_format(path, sizeof path, "groups[%zu]", index);
    if (!an__json_object(r, group, path, fields, AN_SLOT_COUNT + 2) ||
        !read_bases(r, fields[0].value, an__json_join(inner, path, "base_rates"), node_count,
                    out) ||
        (fields[1].value &&
         !an__json_real(r, fields[1].value, an__json_join(inner, path, "landing_from"), &from)))
        return false;
    an__lr_put_real(out, from);
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        count += slots[id].value != NULL;
    an__lr_put(out, count, 8);
    for (int id = 0; id < AN_SLOT_COUNT; id++)
        if (slots[id].value &&
            !read_slot(r, &slots[id], an__json_join(inner, path, slots[id].key), out))
            return false;
    return true;
}

/* As the four numbers that it remembers. */
static bool read_plateau(const an__json_reader *r, const an__json *plateau, double *memory)
{
    an__json_field fields[] = {{"best", true, NULL},
                               {"bad_steps", true, NULL},
                               {"cooldown_left", true, NULL},
                               {"reductions", false, NULL}};
    uint64_t bad = 0, cooldown = 0, reductions = 0;
    if (!an__json_object(r, plateau, "plateau", fields, 4) ||
        !an__json_real(r, fields[0].value, "plateau.best", &memory[0]) ||
        !an__json_count(r, fields[1].value, "plateau.bad_steps", &bad) ||
        !an__json_count(r, fields[2].value, "plateau.cooldown_left", &cooldown) ||
        (fields[3].value && !an__json_count(r, fields[3].value, "plateau.reductions", &reductions)))
        return false;
    memory[1] = (double)bad;
    memory[2] = (double)cooldown;
    memory[3] = (double)reductions;
    return true;
}

/* The object's parts, in the order of `fields` in read_parts. */
typedef struct parts {
    const an__json *schedule, *step, *plateau, *groups;
    an__lr_course course;
} parts;

/* Before anything else, since another version may have other keys. */
static bool check_version(const an__json_reader *r, const an__json *root)
{
    const an__json *found = root->kind == AN__JSON_OBJECT ? root->first : NULL;
    uint64_t version = 0;
    char what[80];
    while (found && strcmp(found->key, "anneal_lr_state") != 0)
        found = found->next;
    if (!found)
        return true; /* read_object will say so */
    if (!an__json_count(r, found, found->key, &version))
        return false;
    an_format(what, sizeof what, "has version %llu; this library reads versions %d and %d",
              (unsigned long long)version, OLD_VERSION, VERSION);
    return version == VERSION || version == OLD_VERSION || an__json_wrong(r, found, "", what);
}

static bool read_parts(const an__json_reader *r, const an__json *root, parts *out)
{
    an__json_field fields[] = {
        {"anneal_lr_state", true, NULL}, {"schedule", true, NULL},  {"step", true, NULL},
        {"groups", true, NULL},          {"plateau", false, NULL},  {"run", false, NULL},
        {"clock", false, NULL},          {"feedback", false, NULL}, {"edits", false, NULL},
        {"landing", false, NULL}};
    if (!check_version(r, root) || !an__json_object(r, root, "", fields, 10))
        return false;
    *out = (parts){.schedule = fields[1].value,
                   .step = fields[2].value,
                   .groups = fields[3].value,
                   .plateau = fields[4].value,
                   .course = {fields[5].value, fields[6].value, fields[7].value, fields[8].value,
                              fields[9].value}};
    if (out->schedule->kind != AN__JSON_STRING)
        return an__json_wrong(r, out->schedule, "schedule",
                              "must be a string, such as \"StepLR(30)\"");
    return out->groups->kind == AN__JSON_ARRAY ||
           an__json_wrong(r, out->groups, "groups", "must be a list of objects");
}

/* The description in "schedule"; an error there names its place in the JSON text. */
static an_lr_text *read_desc(const an__json_reader *r, const an__json *schedule,
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

/* The numbers that feedback remembers: a plateau's of its own key, or those of "feedback". */
static bool put_feedback(const an__json_reader *r, const parts *p, const an_lr_desc *desc,
                         const an_lr_run *run, an__lr_sink *out)
{
    double memory[4];
    if (!p->plateau)
        return an__lr_read_feedback(r, p->course.feedback, desc, run, out);
    if (!read_plateau(r, p->plateau, memory))
        return false;
    for (int i = 0; i < 4; i++)
        an__lr_put_real(out, memory[i]);
    return true;
}

/* Writes the state's bytes; with `out` only counting, how many there are. */
static bool read_state(const an__json_reader *r, const parts *p, const an_lr_desc *desc,
                       const an_lr_schedule *s, an__lr_sink *out)
{
    an__lr_head head = {.groups = p->groups->count, .nodes = an__lr_count_nodes(desc)};
    an__lr_sink counted = {0};
    if (!an__json_count(r, p->step, "step", &head.clock) ||
        !an__lr_read_course(r, &p->course, &head) || !put_feedback(r, p, desc, &head.run, &counted))
        return false;
    head.memory_count = counted.used / 8;
    an__lr_state_begin(out, &head, desc);
    if (!put_feedback(r, p, desc, &head.run, out) || !an__lr_read_edits(r, p->course.edits, out))
        return false;
    an__lr_put_desc(out, desc);
    size_t index = 0;
    for (const an__json *group = p->groups->first; group; group = group->next, index++) {
        const an_lr_group *known =
            index < s->member_count ? an__lr_member_at(s, index)->group : NULL;
        if (!read_group(r, group, index, known, (size_t)head.nodes, out))
            return false;
    }
    an__lr_state_end(out);
    return true;
}

static bool load(const an__json_reader *r, const parts *p, const an_lr_desc *desc, an_arena *arena,
                 an_lr_schedule *schedule, an_lr_policy policy, an_lr_changes *changes)
{
    an__lr_sink counted = {0};
    if (!read_state(r, p, desc, schedule, &counted))
        return false;
    an__lr_sink out = {.out = an_arena_alloc(arena, counted.used)};
    if (!out.out)
        return an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for a schedule's state");
    return read_state(r, p, desc, schedule, &out) &&
           an_lr_state_load(schedule, out.out, out.used, policy, changes, r->err);
}

bool an_lr_state_parse(an_lr_schedule *schedule, const char *text, size_t length,
                       an_lr_policy policy, an_lr_changes *changes, const an_allocator *allocator,
                       an_error *err)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    an_spec_source source = {.text = text ? text : "", .length = text ? length : 0};
    an__json_reader r = {&source, err};
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
    an__json_reader r = {&source, err};
    parts p;
    const an__json *root = an__json_parse(&source, arena, err);
    return root && read_parts(&r, root, &p) ? p.schedule->text : NULL;
}
