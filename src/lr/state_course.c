/*
 * state_course.c - what version 2 of the JSON form of a state adds:
 *
 *   "run": {"total_steps": 1000, "steps_per_epoch": 50},      what was known of the run, without 0
 *   "clock": {"epochs": 0.8, "seconds": 12.5},                where it stands beside the step
 *   "feedback": [                                             one for each that has a memory, the
 *     {"of": "ReduceOnSlope", "count": 30, "next": 30,        outermost first; what has no name of
 *      "scale": 0.1, "numbers": [0.5, 0.48]}],                its own is in the numbers
 *   "edits": [[100, 100, 0.5]],                               of an_lr_extend: begin, plan, speed
 *   "landing": {"tail": "cosine", "length": 20, "unit": "s", "begin": 12.5, "end": 0}
 */
#include "lr/numeric.h"

#include "lr/state_json.h"
#include <string.h>

/* ------------------------------------------------------------------- names */

static const char *const run_names[] = {"total_steps",      "epochs",          "steps_per_epoch",
                                        "samples_per_step", "tokens_per_step", "seconds",
                                        "clocked"};
static const char *const clock_names[] = {"epochs", "samples", "tokens", "seconds"};

#define RUN_COUNT 7
#define CLOCK_COUNT 4

static void run_numbers(const an_lr_run *run, double *out)
{
    const double numbers[RUN_COUNT] = {(double)run->total_steps,
                                       (double)run->epochs,
                                       (double)run->steps_per_epoch,
                                       run->samples_per_step,
                                       run->tokens_per_step,
                                       run->seconds,
                                       run->clocked};
    memcpy(out, numbers, sizeof numbers);
}

static bool any(const double *numbers, int count)
{
    for (int i = 0; i < count; i++)
        if (numbers[i] != 0)
            return true;
    return false;
}

static bool remembers(const an__lr_node *node)
{
    bool found = node->memory_count > 0;
    for (size_t i = 0; i < node->child_count + node->value_count; i++)
        found |= remembers(node->children[i]);
    return found;
}

static bool plateau_alone(const an_lr_schedule *s)
{
    return s->root->desc.kind == AN_PLATEAU_LR;
}

bool an__lr_has_course(const an_lr_schedule *s)
{
    double run[RUN_COUNT];
    run_numbers(&s->run, run);
    return any(run, RUN_COUNT) || any(s->now.at + 1, CLOCK_COUNT) || s->edit_count > 0 ||
           (s->landing && s->landing->active) ||
           (plateau_alone(s) ? s->root->memory[3] > 0 : remembers(s->root));
}

/* ----------------------------------------------------------------- writing */

static void write_key(an__lr_writer *w, const char *key, bool first)
{
    an__lr_write(w, first ? "\"" : ", \"");
    an__lr_write(w, key);
    an__lr_write(w, "\": ");
}

/* An object of the numbers that are not 0. */
static void write_numbers(an__lr_writer *w, const char *key, const char *const *names,
                          const double *numbers, int count)
{
    bool first = true;
    if (!any(numbers, count))
        return;
    an__lr_write(w, ",\n  \"");
    an__lr_write(w, key);
    an__lr_write(w, "\": {");
    for (int i = 0; i < count; i++) {
        if (numbers[i] == 0)
            continue;
        write_key(w, names[i], first);
        an__lr_write_real(w, numbers[i]);
        first = false;
    }
    an__lr_write(w, "}");
}

static void write_list(an__lr_writer *w, const double *numbers, size_t count)
{
    an__lr_write(w, "[");
    for (size_t i = 0; i < count; i++) {
        an__lr_write(w, i > 0 ? ", " : "");
        an__lr_write_real(w, numbers[i]);
    }
    an__lr_write(w, "]");
}

static void write_memory(an__lr_writer *w, const an__lr_node *node, bool *first)
{
    static const char *const unnamed[] = {NULL};
    const an__lr_feedback *feedback = an__lr_class_of(node->desc.kind)->feedback;
    const char *const *names = feedback ? feedback->names : unnamed;
    size_t i = 0;
    if (node->memory_count > 0) {
        an__lr_write(w, *first ? "\n    {\"of\": \"" : ",\n    {\"of\": \"");
        an__lr_write(w, an_lr_name(node->desc.kind));
        an__lr_write(w, "\"");
        for (; names[i]; i++) {
            write_key(w, names[i], false);
            an__lr_write_real(w, node->memory[i]);
        }
        if (i < node->memory_count) {
            write_key(w, "numbers", false);
            write_list(w, node->memory + i, node->memory_count - i);
        }
        an__lr_write(w, "}");
        *first = false;
    }
    for (i = 0; i < node->child_count + node->value_count; i++)
        write_memory(w, node->children[i], first);
}

static void write_landing(an__lr_writer *w, const an__lr_landing *l)
{
    an__lr_write(w, ",\n  \"landing\": {\"tail\": \"");
    an__lr_write(w, an__lr_tails[l->tail]);
    an__lr_write(w, "\", \"length\": ");
    an__lr_write_real(w, l->length.value);
    an__lr_write(w, ", \"unit\": \"");
    an__lr_write(w, an__lr_unit_text(l->length.unit));
    an__lr_write(w, "\", \"begin\": ");
    an__lr_write_real(w, l->begin);
    an__lr_write(w, ", \"end\": ");
    an__lr_write_real(w, l->end);
    an__lr_write(w, "}");
}

void an__lr_write_course(an__lr_writer *w, const an_lr_schedule *s)
{
    double run[RUN_COUNT];
    bool first = true;
    run_numbers(&s->run, run);
    write_numbers(w, "run", run_names, run, RUN_COUNT);
    write_numbers(w, "clock", clock_names, s->now.at + 1, CLOCK_COUNT);
    if (!plateau_alone(s) && remembers(s->root)) {
        an__lr_write(w, ",\n  \"feedback\": [");
        write_memory(w, s->root, &first);
        an__lr_write(w, "]");
    }
    for (int i = 0; i < s->edit_count; i++) {
        const double numbers[] = {s->edits[i].begin, s->edits[i].plan, s->edits[i].speed};
        an__lr_write(w, i == 0 ? ",\n  \"edits\": [" : ", ");
        write_list(w, numbers, 3);
    }
    an__lr_write(w, s->edit_count > 0 ? "]" : "");
    if (s->landing && s->landing->active)
        write_landing(w, s->landing);
}

/* ----------------------------------------------------------------- reading */

static bool read_numbers(const an__json_reader *r, const an__json *object, const char *path,
                         const char *const *names, double *out, size_t count)
{
    an__json_field fields[RUN_COUNT];
    char inner[AN__JSON_PATH_SIZE];
    for (size_t i = 0; i < count; i++)
        fields[i] = (an__json_field){names[i], false, NULL};
    if (object && !an__json_object(r, object, path, fields, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        out[i] = 0;
        if (!fields[i].value)
            continue;
        if (!an__json_real(r, fields[i].value, an__json_join(inner, path, names[i]), &out[i]))
            return false;
        if (!(out[i] >= 0 && out[i] <= AN__LR_INTEGER_MAX))
            return an__json_wrong(r, fields[i].value, inner, "must be from 0 to 2^53");
    }
    return true;
}

static bool read_choice(const an__json_reader *r, const an__json *value, const char *path,
                        const char *const *names, int count, int *out)
{
    for (int i = 0; value->kind == AN__JSON_STRING && i < count; i++)
        if (strcmp(value->text, names[i]) == 0) {
            *out = i;
            return true;
        }
    return an__json_wrong(r, value, path, "is none of its names");
}

static bool read_landing(const an__json_reader *r, const an__json *landing, an__lr_landing *out)
{
    const char *units[AN__LR_CLOCKS];
    int tail = 0, unit = 0;
    an__json_field fields[] = {{"tail", true, NULL},
                               {"length", true, NULL},
                               {"unit", true, NULL},
                               {"begin", true, NULL},
                               {"end", true, NULL}};
    for (int u = 0; u < AN__LR_CLOCKS; u++)
        units[u] = an__lr_unit_text((an_lr_unit)u);
    if (!an__json_object(r, landing, "landing", fields, 5) ||
        !read_choice(r, fields[0].value, "landing.tail", an__lr_tails, AN__LR_TAILS, &tail) ||
        !an__json_real(r, fields[1].value, "landing.length", &out->length.value) ||
        !read_choice(r, fields[2].value, "landing.unit", units, AN__LR_CLOCKS, &unit) ||
        !an__json_real(r, fields[3].value, "landing.begin", &out->begin) ||
        !an__json_real(r, fields[4].value, "landing.end", &out->end))
        return false;
    if (!(out->length.value > 0))
        return an__json_wrong(r, fields[1].value, "landing.length", "must be above 0");
    out->active = true;
    out->tail = (an_lr_tail)tail;
    out->length.unit = (an_lr_unit)unit;
    return true;
}

bool an__lr_read_course(const an__json_reader *r, const an__lr_course *course, an__lr_head *head)
{
    double run[RUN_COUNT], now[CLOCK_COUNT];
    if (!read_numbers(r, course->run, "run", run_names, run, RUN_COUNT) ||
        !read_numbers(r, course->clock, "clock", clock_names, now, CLOCK_COUNT))
        return false;
    head->run = (an_lr_run){.total_steps = (int64_t)run[0],
                            .epochs = (int64_t)run[1],
                            .steps_per_epoch = (int64_t)run[2],
                            .samples_per_step = run[3],
                            .tokens_per_step = run[4],
                            .seconds = run[5],
                            .clocked = run[6] != 0};
    memcpy(head->now + 1, now, sizeof now);
    if (course->edits && course->edits->kind != AN__JSON_ARRAY)
        return an__json_wrong(r, course->edits, "edits", "must be a list");
    head->edit_count = course->edits ? course->edits->count : 0;
    return !course->landing || read_landing(r, course->landing, &head->landing);
}

static bool put_list(const an__json_reader *r, const an__json *list, const char *path, size_t count,
                     an__lr_sink *out)
{
    char what[64];
    an_format(what, sizeof what, "must be a list of %zu numbers", count);
    if (!list || list->kind != AN__JSON_ARRAY || list->count != count)
        return an__json_wrong(r, list, path, what);
    for (const an__json *value = list->first; value; value = value->next) {
        double number;
        if (!an__json_real(r, value, path, &number))
            return false;
        an__lr_put_real(out, number);
    }
    return true;
}

bool an__lr_read_edits(const an__json_reader *r, const an__json *edits, an__lr_sink *out)
{
    for (const an__json *edit = edits ? edits->first : NULL; edit; edit = edit->next)
        if (!put_list(r, edit, "edits", 3, out))
            return false;
    return true;
}

/* One node's memory. */
static bool read_memory(const an__json_reader *r, const an__json *object, const an_lr_desc *desc,
                        size_t room, an__lr_sink *out)
{
    const an__lr_feedback *feedback = an__lr_class_of(desc->kind)->feedback;
    an__json_field fields[AN__JSON_MAX_FIELDS] = {{"of", true, NULL}};
    const char *kind = an_lr_name(desc->kind);
    size_t named = 0;
    int same;
    for (; feedback && feedback->names[named]; named++)
        fields[named + 1] = (an__json_field){feedback->names[named], true, NULL};
    fields[named + 1] = (an__json_field){"numbers", room > named, NULL};
    if (!an__json_object(r, object, "feedback", fields, named + (room > named ? 2 : 1)) ||
        !read_choice(r, fields[0].value, "feedback.of", &kind, 1, &same))
        return false;
    for (size_t i = 0; i < named; i++) {
        double number;
        if (!an__json_real(r, fields[i + 1].value, fields[i + 1].key, &number))
            return false;
        an__lr_put_real(out, number);
    }
    return room == named ||
           put_list(r, fields[named + 1].value, "feedback.numbers", room - named, out);
}

/* Walks the tree as the schedule has it; *next is the list's next object. */
static bool walk(const an__json_reader *r, const an__json **next, const an__json *list,
                 const an_lr_desc *desc, const an_lr_run *run, an__lr_sink *out)
{
    desc = an__lr_unwrap(desc);
    size_t room = an__lr_memory_of(desc, run), count = an_lr_child_count(desc);
    if (room > 0) {
        if (!*next)
            return an__json_wrong(r, list, "feedback", "has too few of them for the schedule");
        if (!read_memory(r, *next, desc, room, out))
            return false;
        *next = (*next)->next;
    }
    for (size_t i = 0; i < count; i++)
        if (!walk(r, next, list, an_lr_child(desc, i), run, out))
            return false;
    return true;
}

/* A state without feedback is one that remembers nothing. */
bool an__lr_read_feedback(const an__json_reader *r, const an__json *feedback,
                          const an_lr_desc *desc, const an_lr_run *run, an__lr_sink *out)
{
    if (!feedback)
        return true;
    if (feedback->kind != AN__JSON_ARRAY)
        return an__json_wrong(r, feedback, "feedback", "must be a list of objects");
    const an__json *next = feedback->first;
    if (!walk(r, &next, feedback, desc, run, out))
        return false;
    return !next || an__json_wrong(r, next, "feedback", "has more of them than the schedule");
}
