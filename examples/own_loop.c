/*
 * The schedule library alone, in a program that has its own optimizer: no tensors, libm only.
 *
 *   cc own_loop.c $(pkg-config --cflags --libs anneal-lr) -o own_loop && ./own_loop
 *
 * Stopping distance of cars against their speed, 50 measurements (M. Ezekiel, Methods of
 * Correlation Analysis, 1930), fitted by a straight line: stochastic gradient descent with
 * momentum, written by hand, ten measurements at a time, under a one-cycle schedule that drives
 * rate and momentum. At the end the line must agree with the exact least-squares line.
 */
#include <anneal/lr.h>

#include <math.h>
#include <stdio.h>

#define CARS 50
#define BATCH 10
#define STEPS 2000

/* Miles an hour, and feet. */
static const double speed[CARS] = {4,  4,  7,  7,  8,  9,  10, 10, 10, 11, 11, 12, 12,
                                   12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15,
                                   16, 16, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20,
                                   20, 20, 20, 20, 22, 23, 24, 24, 24, 24, 25};
static const double distance[CARS] = {2,  10, 4,  22, 16, 10, 18, 26, 34, 17,  28, 14, 20,
                                      24, 28, 26, 34, 34, 46, 26, 36, 60, 80,  20, 26, 54,
                                      32, 40, 32, 40, 50, 42, 56, 76, 84, 36,  46, 68, 32,
                                      48, 52, 56, 64, 66, 54, 70, 92, 93, 120, 85};

/* The line a + b (x - mean), and its momentum. */
typedef struct line {
    double a, b, velocity_a, velocity_b;
} line;

/* The caller's own optimizer: it reads the group's slots, which the schedule writes. */
static void sgd_step(line *l, double grad_a, double grad_b, const an_lr_group *group)
{
    double lr = group->slot[AN_LR].value, momentum = group->slot[AN_MOMENTUM].value;
    l->velocity_a = momentum * l->velocity_a + grad_a;
    l->velocity_b = momentum * l->velocity_b + grad_b;
    l->a -= lr * l->velocity_a;
    l->b -= lr * l->velocity_b;
}

static double mean(const double *x)
{
    double sum = 0;
    for (int i = 0; i < CARS; i++)
        sum += x[i];
    return sum / CARS;
}

static double exact_slope(double middle)
{
    double xy = 0, xx = 0;
    for (int i = 0; i < CARS; i++) {
        xy += (speed[i] - middle) * distance[i];
        xx += (speed[i] - middle) * (speed[i] - middle);
    }
    return xy / xx;
}

int main(void)
{
    an_error err = {0};
    an_lr_group group;
    an_lr_group_init(&group, 0.001);
    an_lr_group_set(&group, AN_MOMENTUM, 0.9);

    an_lr_desc desc = an_lr_defaults(AN_ONE_CYCLE_LR);
    desc.one_cycle.max_lr.value = 0.005;
    desc.one_cycle.total_steps = STEPS;
    an_lr_schedule *schedule = an_lr_new(&desc, (an_lr_group *[]){&group}, 1, NULL, &err);
    if (!schedule) {
        fprintf(stderr, "own_loop: %s\n", err.message);
        return 1;
    }

    double middle = mean(speed);
    line fit = {0};
    for (int step = 0; step < STEPS; step++) {
        double grad_a = 0, grad_b = 0;
        for (int j = 0; j < BATCH; j++) {
            int i = (step * BATCH + j) * 17 % CARS; /* coprime: each car once in five steps */
            double x = speed[i] - middle, error = fit.a + fit.b * x - distance[i];
            grad_a += error / BATCH;
            grad_b += error * x / BATCH;
        }
        if (step % 200 == 0)
            printf("step %5d  lr %.6f  momentum %.3f  distance = %6.2f + %.3f (speed - %.1f)\n",
                   step, group.slot[AN_LR].value, group.slot[AN_MOMENTUM].value, fit.a, fit.b,
                   middle);
        sgd_step(&fit, grad_a, grad_b, &group);
        an_lr_step(schedule);
    }
    an_lr_free(schedule);

    double a = mean(distance), b = exact_slope(middle);
    printf("gradient descent  %.4f  %.4f\nleast squares     %.4f  %.4f\n", fit.a, fit.b, a, b);
    return fabs(fit.a - a) < 0.05 && fabs(fit.b - b) < 0.01 ? 0 : 1;
}
