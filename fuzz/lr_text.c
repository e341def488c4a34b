/*
 * Fuzzing schedules as text: calls, expressions and descriptions. What parses is made into a
 * schedule, stepped, and printed; the printed text must parse and print the same. So must a course,
 * of a schedule that is stepped beside it.
 */
#include <anneal/lr_text.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const an_lr_desc *desc)
{
    size_t length = an_lr_print(NULL, 0, desc);
    char *text = malloc(length + 1);
    if (!text || an_lr_print(text, length + 1, desc) != length)
        abort();
    return text;
}

static void step(const an_lr_desc *desc)
{
    an_lr_group group[2], *groups[] = {&group[0], &group[1]};
    an_lr_group_init(&group[0], 0.1);
    an_lr_group_init(&group[1], 0.01);
    an_lr_group_set(&group[0], AN_MOMENTUM, 0.9);
    an_lr_schedule *schedule = an_lr_new(desc, groups, 2, NULL, NULL);
    if (!schedule)
        return;
    for (int i = 0; i < 20; i++)
        an_lr_step_metric(schedule, i % 3);
    (void)an_lr_at(schedule, 1, AN_LR, an_lr_replays(schedule) ? 50 : 123456789);
    an_lr_free(schedule);
}

/* A schedule with the course that the text is, to be freed; NULL: it is none. */
static an_lr_schedule *made(const char *input, an_lr_group *group)
{
    an_lr_run run = {.total_steps = 50, .clocked = true, .edits = 3};
    an_lr_desc desc = an_lr_defaults(AN_COSINE_ANNEALING_LR);
    desc.cosine.T_max = 50;
    an_spec_source source = an_spec_source_text(input);
    an_spec *spec = an_spec_parse(&source, NULL, NULL);
    const an_spec_node *course = spec ? an_spec_root(spec) : NULL;
    an_lr_schedule *schedule = NULL;
    an_lr_group_init(group, 0.1);
    if (course && an_lr_course_run(&source, course, &run, NULL))
        schedule = an_lr_new_run(&desc, &run, &group, 1, NULL, NULL);
    if (schedule && !an_lr_course_take(schedule, &source, course, NULL)) {
        an_lr_free(schedule);
        schedule = NULL;
    }
    an_spec_free(spec);
    return schedule;
}

static void follow(const char *input)
{
    static char once[4096], twice[sizeof once];
    static const an_lr_run fill = {.total_steps = 50};
    an_lr_group group[2];
    an_lr_schedule *a = made(input, &group[0]);
    const size_t length = a ? an_lr_course_print(once, sizeof once, a, &fill) : 0;
    if (length == 0 || length >= sizeof once) {
        an_lr_free(a);
        return;
    }
    an_lr_schedule *b = made(once, &group[1]);
    if (!b || an_lr_course_print(twice, sizeof twice, b, &fill) != length ||
        strcmp(once, twice) != 0)
        abort();
    for (int i = 0; i < 20; i++) {
        (void)an_lr_at_step(a, 0, i);
        an_lr_step(a);
        an_lr_step(b);
        if (memcmp(&group[0].slot[AN_LR].value, &group[1].slot[AN_LR].value, sizeof(double)) != 0)
            abort();
    }
    an_lr_free(a);
    an_lr_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input = malloc(size + 1);
    if (!input)
        return 0;
    memcpy(input, data, size);
    input[size] = '\0';
    an_lr_run fill = {.total_steps = 50};
    an_error err = {0};
    an_lr_text *text = an_lr_parse_text(input, &fill, NULL, &err);
    if (text) {
        char *once = print(an_lr_text_desc(text));
        an_lr_text *again = an_lr_parse_text(once, NULL, NULL, &err);
        if (!again)
            abort();
        char *twice = print(an_lr_text_desc(again));
        if (strcmp(once, twice) != 0)
            abort();
        step(an_lr_text_desc(again));
        free(once);
        free(twice);
        an_lr_text_free(again);
        an_lr_text_free(text);
    }
    follow(input);
    free(input);
    return 0;
}
