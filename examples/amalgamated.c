/*
 * The schedule library as two files in your own source tree, in a program without an allocator.
 *
 *   scripts/amalgamate mine
 *   cc -O2 -Imine amalgamated.c mine/anneal-lr.c -lm -o amalgamated && ./amalgamated
 *
 * The 23 flights of the space shuttle before the last of Challenger: the temperature at launch and
 * whether an O-ring was damaged (Dalal, Fowlkes, Hoadley, J. Am. Stat. Assoc. 84, 1989). Logistic
 * regression by gradient descent under a cosine; the maximum likelihood is at 15.0429 - 0.2322 t.
 * The schedule lives in memory of the program's own.
 */
#include "anneal-lr.h"

#include <math.h>
#include <stdio.h>

#define FLIGHTS 23
#define STEPS 1000

/* Degrees Fahrenheit. */
static const double temperature[FLIGHTS] = {66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78,
                                            67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58};
static const int damaged[FLIGHTS] = {0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0,
                                     0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1};

int main(void)
{
    static _Alignas(16) unsigned char memory[2048];
    an_error err = {0};
    an_lr_group group;
    an_lr_group_init(&group, 5.0);
    an_lr_desc desc = an_lr_defaults(AN_COSINE_ANNEALING_LR);
    desc.cosine.T_max = STEPS;
    an_lr_schedule *schedule =
        an_lr_init(memory, sizeof memory, &desc, (an_lr_group *[]){&group}, 1, &err);
    if (!schedule) {
        fprintf(stderr, "amalgamated: %s\n", err.message);
        return 1;
    }

    double a = 0, b = 0; /* the logit is a + b (t - 70) / 10 */
    for (int step = 0; step < STEPS; step++) {
        double grad_a = 0, grad_b = 0, loss = 0;
        for (int i = 0; i < FLIGHTS; i++) {
            double x = (temperature[i] - 70) / 10, p = 1 / (1 + exp(-a - b * x));
            loss -= log(damaged[i] ? p : 1 - p) / FLIGHTS;
            grad_a += (p - damaged[i]) / FLIGHTS;
            grad_b += (p - damaged[i]) * x / FLIGHTS;
        }
        if (step % 200 == 0)
            printf("step %4d  lr %.4f  loss %.6f\n", step, group.slot[AN_LR].value, loss);
        a -= group.slot[AN_LR].value * grad_a;
        b -= group.slot[AN_LR].value * grad_b;
        an_lr_step(schedule);
    }
    double slope = b / 10, intercept = a - 70 * slope;
    printf("logit of damage = %.4f %+.4f t; at 31 degrees: %.4f\n", intercept, slope,
           1 / (1 + exp(-intercept - 31 * slope)));
    return fabs(intercept - 15.0429) < 1e-3 && fabs(slope + 0.2322) < 1e-4 ? 0 : 1;
}
