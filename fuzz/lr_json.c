/*
 * Fuzzing a schedule's state as JSON: any text is refused or loads; what loads prints, reads again
 * and prints the same, and can be stepped. Its description can be read out, from the same text and
 * as bytes, unless a function of the host's is in it.
 */
#include <anneal/lr_text.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const an_lr_schedule *schedule)
{
    size_t length = an_lr_state_print(NULL, 0, schedule);
    char *text = malloc(length + 1);
    if (!text || an_lr_state_print(text, length + 1, schedule) != length)
        abort();
    return text;
}

static void check_loaded(an_lr_schedule *schedule)
{
    char *once = print(schedule);
    if (!an_lr_state_parse(schedule, once, strlen(once), AN_LR_REFUSE, NULL, NULL, NULL))
        abort();
    char *twice = print(schedule);
    if (strcmp(once, twice) != 0)
        abort();
    free(once);
    free(twice);
    if (an_lr_replays(schedule) && an_lr_now(schedule).steps > 1e5)
        return; /* which takes as long as it says */
    for (int i = 0; i < 5; i++) {
        an_lr_clock clock = an_lr_now(schedule);
        clock.steps++;
        clock.seconds += 0.5;
        an_lr_step_with(schedule, &(an_lr_input){&clock, i, -i, true, true});
    }
}

/* A schedule that the state itself describes, in the run it was saved in, takes it without a
 * change. */
static void keep(const char *state, size_t size, const an_lr_run *run, bool json)
{
    an_lr_text *text = an_lr_state_desc(state, size, NULL, NULL);
    an_lr_group group[2], *groups[] = {&group[0], &group[1]};
    an_lr_group_init(&group[0], 0.1);
    an_lr_group_init(&group[1], 0.2);
    an_lr_schedule *schedule =
        text ? an_lr_new_run(an_lr_text_desc(text), run, groups, 2, NULL, NULL) : NULL;
    an_lr_changes changes;
    if (schedule && json &&
        an_lr_state_parse(schedule, state, size, AN_LR_REFUSE, &changes, NULL, NULL))
        check_loaded(schedule);
    if (schedule && json) {
        size_t length = an_lr_state_size(schedule);
        char *bytes = malloc(length);
        if (!bytes || an_lr_state_save(schedule, bytes, length) != length)
            abort();
        an_lr_run saved;
        if (!an_lr_state_run(bytes, length, &saved, NULL))
            abort();
        keep(bytes, length, &saved, false);
        free(bytes);
    }
    if (!json && (!schedule || !an_lr_state_load(schedule, state, size, AN_LR_REFUSE, NULL, NULL)))
        abort();
    an_lr_free(schedule);
    an_lr_text_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const specs[] = {
        "ReduceLROnPlateau()", "CosineAnnealingWarmRestarts(T_0=3, T_mult=2)",
        "SequentialLR([LambdaLR(\"epoch\"), OneCycleLR(1, total_steps=9)], [5])"};
    static const an_lr_run runs[] = {
        {0},
        {.total_steps = 20, .edits = 2},
        {20, 4, 5, .samples_per_step = 8, .tokens_per_step = 64, .clocked = true, .edits = 2},
        {20, 4, 5, 8, 64, .seconds = 9, .clocked = true, .edits = 2}};
    if (size == 0)
        return 0;
    char *state = malloc(size);
    if (!state)
        abort();
    memcpy(state, data + 1, size - 1);
    an_lr_text *text = an_lr_parse_text(specs[data[0] % 3], NULL, NULL, NULL);
    an_lr_group group, *groups[] = {&group};
    an_lr_group_init(&group, 0.1);
    const an_lr_run *run = &runs[data[0] >> 3 & 3];
    an_lr_schedule *schedule = an_lr_new_run(an_lr_text_desc(text), run, groups, 1, NULL, NULL);
    if (!schedule)
        abort();
    an_lr_policy policy = data[0] & 4 ? AN_LR_ADOPT : AN_LR_REFUSE;
    if (an_lr_state_parse(schedule, state, size - 1, policy, NULL, NULL, NULL))
        check_loaded(schedule);
    keep(state, size - 1, run, true);
    free(state);
    an_lr_free(schedule);
    an_lr_text_free(text);
    return 0;
}
