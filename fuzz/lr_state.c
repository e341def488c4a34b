/*
 * Fuzzing a schedule's state: any bytes are refused or load; what loads can be stepped. The
 * checksum is mended first, so that the fuzzer gets past it.
 */
#include <anneal/lr_text.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *bytes, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i + 8 < size; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    for (size_t i = 0; i < 8; i++)
        bytes[size - 8 + i] = (uint8_t)(h >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9)
        return 0;
    static const char *const specs[] = {
        "ReduceLROnPlateau()", "CosineAnnealingWarmRestarts(T_0=3, T_mult=2)",
        "SequentialLR([MultiStepLR([2, 4]), OneCycleLR(1, total_steps=9)], [5])",
        "Product([Cosine(), ReduceOnSlope(window=10), SpikeGuard(window=3), Greedy()])",
        "Together([Sequence([Linear(), Cosine(length=9s), ReduceLROnPlateau()], [2, 7s]), "
        "Drive(Constant(), 'x')])"};
    const an_lr_run run = {.total_steps = 20, .clocked = true, .edits = 2};
    an_lr_text *text = an_lr_parse_text(specs[data[0] % 5], &run, NULL, NULL);
    an_lr_group group, *groups[] = {&group};
    an_lr_group_init(&group, 0.1);
    an_lr_group_name(&group, "x", 1);
    an_lr_schedule *schedule = an_lr_new_run(an_lr_text_desc(text), &run, groups, 1, NULL, NULL);
    uint8_t *bytes = malloc(size - 1);
    if (!bytes || !schedule)
        abort();
    memcpy(bytes, data + 1, size - 1);
    mend(bytes, size - 1);
    if (an_lr_state_load(schedule, bytes, size - 1, AN_LR_REFUSE, NULL, NULL))
        for (int i = 0; i < 25; i++) {
            an_lr_clock clock = an_lr_now(schedule);
            clock.steps++;
            clock.seconds += 0.5;
            an_lr_step_with(schedule, &(an_lr_input){&clock, i, -i, true, true});
        }
    free(bytes);
    an_lr_free(schedule);
    an_lr_text_free(text);
    return 0;
}
