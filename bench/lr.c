/*
 * Speed of the schedules: for each, nanoseconds a step, nanoseconds a value at a random step, and
 * million values a second in a range. Medians of many repetitions on one thread.
 *
 *   lr [seconds per cell, default 0.02]
 */
#include <anneal/lr_text.h>

#include <stdio.h>

#include "bench.h"

#define STEPS 1000
#define MAX_ROUNDS 20000

static const char *const specs[] = {
    "StepLR(step_size=30)",
    "MultiStepLR(milestones=[300, 600, 900])",
    "ConstantLR(total_iters=500)",
    "LinearLR(total_iters=900)",
    "ExponentialLR(gamma=0.999)",
    "PolynomialLR(total_iters=1000, power=0.9)",
    "CosineAnnealingLR(T_max=1000)",
    "CosineAnnealingWarmRestarts(T_0=10, T_mult=2)",
    "CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=100)",
    "CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=100, mode='exp_range', gamma=0.999)",
    "OneCycleLR(max_lr=0.1, total_steps=1000)",
    "LambdaLR(\"1 / (1 + 0.1 * epoch)\")",
    "LambdaLR(\"0.95 ** epoch\")",
    "SWALR(swa_lr=0.05, anneal_epochs=500)",
    "SequentialLR([LinearLR(total_iters=100), CosineAnnealingLR(T_max=900)], milestones=[100])",
    "ChainedScheduler([LinearLR(total_iters=100), ExponentialLR(gamma=0.999)])",
    "ReduceLROnPlateau()",
    "Linear(length=1000)",
    "Cosine(length=1000)",
    "Decay(length=1000)",
    "Sequence([Linear(start=0, end=1), Cosine(length=900, end=0.1)], [100])",
    /* ten nodes */
    ("Clamp(Product([Sequence([Linear(start=0, end=1, length=100), Cosine(length=900, end=0.1)], "
     "[100]), "
     "Loop(Reverse(Linear(length=50))), Shift(ExponentialLR(0.999), 10)]), min=1e-5)"),
};

typedef void (*workload)(an_lr_schedule *schedule, double *out);

static void step(an_lr_schedule *schedule, double *out)
{
    (void)out;
    for (int i = 0; i < STEPS; i++)
        an_lr_step_metric(schedule, 1.0);
}

static void at_random(an_lr_schedule *schedule, double *out)
{
    unsigned random = 1;
    for (int i = 0; i < STEPS; i++) {
        random = random * 1664525u + 1013904223u;
        out[i] = an_lr_at_step(schedule, 0, random >> 22);
    }
}

static void range(an_lr_schedule *schedule, double *out)
{
    an_lr_values(schedule, 0, AN_LR, 0, out, STEPS);
}

/* The median of the seconds that one of STEPS takes, each round on a fresh schedule. */
static double measure(const an_lr_desc *desc, workload work, double seconds)
{
    static double rounds[MAX_ROUNDS], out[STEPS];
    size_t count = 0;
    for (double end = now() + seconds; count < MAX_ROUNDS && (count < 5 || now() < end); count++) {
        an_lr_group group, *groups[] = {&group};
        an_lr_group_init(&group, 0.1);
        an_lr_group_set(&group, AN_MOMENTUM, 0.9);
        an_lr_schedule *schedule = an_lr_new(desc, groups, 1, NULL, NULL);
        if (!schedule)
            return 0;
        double began = now();
        work(schedule, out);
        rounds[count] = (now() - began) / STEPS;
        an_lr_free(schedule);
    }
    return median(rounds, count);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.02;
    printf("%8s %8s %10s\n", "ns/step", "ns/at", "Mvalues/s");
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        an_error err = {0};
        an_lr_text *text = an_lr_parse_text(specs[i], NULL, NULL, &err);
        if (!text) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        const an_lr_desc *desc = an_lr_text_desc(text);
        printf("%8.1f ", 1e9 * measure(desc, step, seconds));
        if (desc->kind == AN_PLATEAU_LR)
            printf("%8s %10s", "-", "-");
        else
            printf("%8.1f %10.0f", 1e9 * measure(desc, at_random, seconds),
                   1e-6 / measure(desc, range, seconds));
        printf("  %s\n", specs[i]);
        an_lr_text_free(text);
    }
    return 0;
}
