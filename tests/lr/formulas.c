/*
 * Compares schedules, most under other systems' names, with values from these systems' formulas:
 *
 *     test_formulas vectors/formulas.txt
 *
 * A line "= TOTAL_STEPS STEPS_PER_EPOCH LR CALL" begins a case, and lines "T VALUE" follow. Every
 * value is asked for with an_lr_at and reached by steps; the text that the call stands for must
 * read back as the same.
 */
#include <anneal/lr_text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;

typedef struct subject {
    char call[512];
    an_lr_group group;
    an_lr_text *text;
    an_lr_schedule *schedule;
    int64_t step;
} subject;

static void stop(subject *s)
{
    an_lr_free(s->schedule);
    an_lr_text_free(s->text);
    s->schedule = NULL;
    s->text = NULL;
}

static void complain(const subject *s, const char *what)
{
    failures++;
    fprintf(stderr, "%s: %s\n", s->call, what);
}

/* What is printed must be read as what was printed. */
static void check_text(const subject *s, const an_lr_run *run)
{
    char first[2048], second[2048];
    an_error err = {0};
    an_lr_print(first, sizeof first, an_lr_text_desc(s->text));
    an_lr_text *again = an_lr_parse_text(first, run, NULL, &err);
    second[0] = '\0';
    if (again)
        an_lr_print(second, sizeof second, an_lr_text_desc(again));
    if (strcmp(first, second) != 0)
        complain(s, again ? second : err.message);
    an_lr_text_free(again);
}

static void start(subject *s, const char *line)
{
    an_lr_run run = {0};
    an_error err = {0};
    char *at;
    run.total_steps = strtol(line, &at, 10);
    run.steps_per_epoch = strtol(at, &at, 10);
    double lr = strtod(at, &at);
    snprintf(s->call, sizeof s->call, "%s", at + 1);
    s->call[strcspn(s->call, "\n")] = '\0';
    an_lr_group_init(&s->group, lr);
    an_lr_group *groups[] = {&s->group};
    s->step = 0;
    s->text = an_lr_parse_text(s->call, &run, NULL, &err);
    if (!s->text) {
        complain(s, err.message);
        return;
    }
    check_text(s, &run);
    s->schedule = an_lr_new_run(an_lr_text_desc(s->text), &run, groups, 1, NULL, &err);
    if (!s->schedule)
        complain(s, err.message);
}

static int same(double a, double b, double tolerance)
{
    return isnan(b) ? isnan(a) : fabs(a - b) <= tolerance;
}

static void compare(subject *s, const char *line)
{
    char *at, text[160];
    int64_t t = strtol(line, &at, 10);
    double expected = strtod(at, NULL), value = an_lr_at_step(s->schedule, 0, t);
    for (; s->step < t; s->step++)
        an_lr_step(s->schedule);
    double stepped = s->group.slot[AN_LR].value, tolerance = 1e-12 * fmax(1, fabs(expected));
    int ended = isnan(expected); /* a step past an end that is an error changes nothing */
    if (same(value, expected, tolerance) && (ended || same(stepped, expected, tolerance)))
        return;
    snprintf(text, sizeof text, "at %ld it must be %.17g, is %.17g, stepped %.17g", (long)t,
             expected, value, stepped);
    complain(s, text);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    static subject s;
    char line[512];
    int cases = 0;
    if (!file) {
        fputs("Usage: test_formulas FILE\n", stderr);
        return 2;
    }
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '=') {
            stop(&s);
            start(&s, line + 1);
            cases++;
        } else if (s.schedule) {
            compare(&s, line);
        }
    }
    stop(&s);
    fclose(file);
    printf("%d cases, %d failures\n", cases, failures);
    return cases < 150 || failures > 0;
}
