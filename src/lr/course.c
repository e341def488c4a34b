/*
 * course.c - the course of a schedule as text: the run that it was planned for, and what an_lr_land
 * and an_lr_extend have changed; and back.
 */
#include "lr/numeric.h"

#include "lr/node.h"
#include "lr/text.h"
#include <string.h>

const char *const an__lr_tails[AN__LR_TAILS] = {"linear", "cosine", "sqrt", "square"};

/* ----------------------------------------------------------------- printing */

/* ", NAME=", or "Course(NAME=" of the first one. */
static void put_name(an__lr_writer *w, const char *name)
{
    an__lr_write(w, w->used == 0 ? "Course(" : ", ");
    an__lr_write(w, name);
    an__lr_write(w, "=");
}

static void put_run(an__lr_writer *w, const an_lr_run *run, const an_lr_run *now)
{
    if (run->total_steps != now->total_steps) {
        put_name(w, "steps");
        an__lr_write_integer(w, run->total_steps);
    }
    if (run->epochs != now->epochs) {
        put_name(w, "epochs");
        an__lr_write_integer(w, run->epochs);
    }
    if (run->seconds != now->seconds) {
        put_name(w, "seconds");
        an__lr_write_number(w, run->seconds);
    }
}

static void put_edits(an__lr_writer *w, const an_lr_schedule *s)
{
    put_name(w, "extended");
    for (int i = 0; i < s->edit_count; i++) {
        const an__lr_edit *e = &s->edits[i];
        an__lr_write(w, i == 0 ? "[[" : ", [");
        an__lr_write_number(w, e->begin);
        an__lr_write(w, ", ");
        an__lr_write_number(w, e->plan);
        an__lr_write(w, ", ");
        an__lr_write_number(w, e->speed);
        an__lr_write(w, "]");
    }
    an__lr_write(w, "]");
}

static void put_landing(an__lr_writer *w, const an__lr_landing *l)
{
    put_name(w, "landing");
    an__lr_write(w, "[");
    an__lr_write_number(w, l->begin);
    an__lr_write(w, ", ");
    an__lr_write_number(w, l->length.value);
    an__lr_write(w, l->length.unit == AN_STEPS ? "" : an__lr_unit_text(l->length.unit));
    an__lr_write(w, ", '");
    an__lr_write(w, an__lr_tails[l->tail]);
    an__lr_write(w, "', ");
    an__lr_write_number(w, l->end);
    an__lr_write(w, "]");
}

size_t an_lr_course_print(char *buffer, size_t size, const an_lr_schedule *schedule,
                          const an_lr_run *run)
{
    const an_lr_schedule *s = schedule;
    an__lr_writer w = {.buffer = buffer, .size = size};
    put_run(&w, &s->run, run);
    if (s->edit_count > 0)
        put_edits(&w, s);
    if (an_lr_is_landing(s))
        put_landing(&w, s->landing);
    an__lr_write(&w, w.used > 0 ? ")" : "");
    return an__lr_write_end(&w);
}

/* ------------------------------------------------------------------ reading */

enum { STEPS, EPOCHS, SECONDS, EXTENDED, LANDING, COUNT };

static bool bind(const an_spec_source *source, const an_spec_node *course,
                 const an_spec_node *values[COUNT], an_error *err)
{
    static const an_spec_param params[COUNT] = {{"steps", false},
                                                {"epochs", false},
                                                {"seconds", false},
                                                {"extended", false},
                                                {"landing", false}};
    if (course->kind == AN_SPEC_CALL && strcmp(course->text, "Course") != 0)
        return an_spec_error(source, course->offset, err,
                             "the course of a schedule is a call of Course, not of '%.40s'",
                             course->text);
    return an_spec_bind(source, course, params, COUNT, values, err);
}

bool an_lr_course_run(const an_spec_source *source, const an_spec_node *course, an_lr_run *run,
                      an_error *err)
{
    const an_spec_node *v[COUNT] = {NULL};
    an_lr_run r = *run;
    if (!bind(source, course, v, err) ||
        !an_spec_integer(source, "steps", v[STEPS], &r.total_steps, err) ||
        !an_spec_integer(source, "epochs", v[EPOCHS], &r.epochs, err) ||
        !an_spec_number(source, "seconds", v[SECONDS], &r.seconds, err))
        return false;
    if (r.total_steps < 0 || r.epochs < 0 || !(r.seconds >= 0) || isinf(r.seconds))
        return an_spec_error(source, course->offset, err,
                             "steps, epochs and seconds of a course must be 0 or more, got %lld, "
                             "%lld and %g",
                             (long long)r.total_steps, (long long)r.epochs, r.seconds);
    *run = r;
    return true;
}

/* Whether `list` has `count` elements. */
static bool is_list(const an_spec_source *source, const an_spec_node *list, size_t count,
                    const char *what, an_error *err)
{
    return (list->kind == AN_SPEC_LIST && list->arg_count == count) ||
           an_spec_error(source, list->offset, err, "%s", what);
}

/* A number from `low` on, to `high`. */
static bool take(const an_spec_source *source, const an_spec_node *node, double low, double high,
                 double *out, an_error *err)
{
    if (!an_spec_number(source, "course", node, out, err))
        return false;
    return (*out >= low && *out <= high) ||
           an_spec_error(source, node->offset, err, "here a number is from %g to %g, got %g", low,
                         high, *out);
}

static bool take_edit(const an_spec_source *source, const an_spec_node *node, double after,
                      an__lr_edit *edit, an_error *err)
{
    return is_list(source, node, 3,
                   "each element of extended is [since when, from where, how fast]", err) &&
           take(source, node->args[0].value, after, AN__LR_INTEGER_MAX, &edit->begin, err) &&
           take(source, node->args[1].value, 0, AN__LR_INTEGER_MAX, &edit->plan, err) &&
           take(source, node->args[2].value, 0, AN__LR_INTEGER_MAX, &edit->speed, err);
}

static bool take_edits(an_lr_schedule *s, const an_spec_source *source, const an_spec_node *list,
                       an_error *err)
{
    if (list->kind != AN_SPEC_LIST || list->arg_count > (size_t)s->run.edits)
        return an_spec_error(source, list->offset, err,
                             "extended takes a list of at most %d elements (an_lr_run.edits)",
                             s->run.edits);
    s->edit_count = 0;
    for (size_t i = 0; i < list->arg_count; i++) {
        const double after = i > 0 ? s->edits[i - 1].begin : 0;
        if (!take_edit(source, list->args[i].value, after, &s->edits[i], err))
            return false;
        s->edit_count++;
    }
    return true;
}

static bool take_tail(const an_spec_source *source, const an_spec_node *node, an_lr_tail *tail,
                      an_error *err)
{
    for (size_t i = 0; node->kind == AN_SPEC_STRING && i < AN__LR_TAILS; i++)
        if (strcmp(node->text, an__lr_tails[i]) == 0) {
            *tail = (an_lr_tail)i;
            return true;
        }
    return an_spec_error(source, node->offset, err,
                         "a landing's tail is 'linear', 'cosine', 'sqrt' or 'square'");
}

/* What it lands from is the rate when it begins. */
static bool take_landing(an_lr_schedule *s, const an_spec_source *source, const an_spec_node *list,
                         an_error *err)
{
    an__lr_landing l = {.active = true};
    an_lr_length length = {0};
    if (!is_list(source, list, 4, "landing is [since when, how long, tail, end]", err) ||
        !take(source, list->args[0].value, 0, AN__LR_INTEGER_MAX, &l.begin, err) ||
        !an__lr_read_length(source, "landing", list->args[1].value, &length, err) ||
        !take_tail(source, list->args[2].value, &l.tail, err) ||
        !take(source, list->args[3].value, 0, 1, &l.end, err))
        return false;
    l.length = (an__lr_span){length.value, length.unit};
    if (length.unit >= AN__LR_CLOCKS || !(length.value > 0) || isinf(length.value) || !s->landing)
        return an_spec_error(source, list->offset, err,
                             s->landing ? "a landing takes a length above 0, in steps, epochs, "
                                          "samples, tokens or seconds"
                                        : "the schedule has no room to land (an_lr_run.edits)");
    *s->landing = l;
    for (size_t i = 0; i < s->member_count; i++)
        an__lr_member_at(s, i)->from = NAN;
    return true;
}

bool an_lr_course_take(an_lr_schedule *schedule, const an_spec_source *source,
                       const an_spec_node *course, an_error *err)
{
    const an_spec_node *v[COUNT] = {NULL};
    return bind(source, course, v, err) &&
           (!v[EXTENDED] || take_edits(schedule, source, v[EXTENDED], err)) &&
           (!v[LANDING] || take_landing(schedule, source, v[LANDING], err));
}
