/*
 * Speed of the optimizers: a step over many parameters beside what memory can do in the same run.
 *
 *   optim [threads, default 2] [million parameters, default 10] [rounds, default 9]
 *
 * A line a workload: median milliseconds, bytes a value (each vector read or written counts once, 4
 * bytes; Adam: 28), gigabytes a second, and the share of the fastest of the three memory loops:
 *
 *   copy   a = b            8 bytes     (and 4 more that the store brings in first)
 *   triad  a = b + s * c    12 bytes    (and 4 more)
 *   rmw    a = a + s * b    12 bytes
 *
 * The loops go over as many bytes as the four vectors of Adam, so that caches help them no more.
 * Rounds are interleaved, so that a machine that slows down slows all of them.
 */
#include <anneal/optim.h>

#include <stdio.h>

#include "bench.h"
#include "tensor/kernels/kernels.h"

typedef struct loops {
    float *a, *b, *c;
} loops;

static void copy_task(void *arg, int64_t begin, int64_t end)
{
    const loops *l = arg;
    float *restrict a = l->a;
    const float *restrict b = l->b;
    for (int64_t i = begin; i < end; i++) {
        a[i] = b[i];
    }
}

static void triad_task(void *arg, int64_t begin, int64_t end)
{
    const loops *l = arg;
    float *restrict a = l->a;
    const float *restrict b = l->b, *restrict c = l->c;
    for (int64_t i = begin; i < end; i++) {
        a[i] = b[i] + 0.5f * c[i];
    }
}

static void rmw_task(void *arg, int64_t begin, int64_t end)
{
    const loops *l = arg;
    float *restrict a = l->a;
    const float *restrict b = l->b;
    for (int64_t i = begin; i < end; i++) {
        a[i] = a[i] * 0.5f + b[i];
    }
}

typedef struct workload {
    const char *text;
    int vectors;  /* of a loop */
    int bytes;    /* a value */
    an_task task; /* NULL: an optimizer */
    an_optim *optim;
    double *seconds;
} workload;

static workload workloads[] = {
    {"copy", 2, 8, copy_task, NULL, NULL},
    {"triad", 3, 12, triad_task, NULL, NULL},
    {"rmw", 2, 12, rmw_task, NULL, NULL},
    {"SGD(lr=0.01)", 0, 12, NULL, NULL, NULL},
    {"SGD(lr=0.01, momentum=0.9)", 0, 20, NULL, NULL, NULL},
    {"Adam(lr=0.001)", 0, 28, NULL, NULL, NULL},
    {"AdamW(lr=0.001)", 0, 28, NULL, NULL, NULL},
    {"Adam(lr=0.001, amsgrad=True)", 0, 36, NULL, NULL, NULL},
    {"Lion(lr=0.0001)", 0, 20, NULL, NULL, NULL},
    {"Adafactor(lr=0.01)", 0, 24, NULL, NULL, NULL},
    {"AdamWScheduleFree(lr=0.0025)", 0, 28, NULL, NULL, NULL},
    {"Prodigy(lr=1)", 0, 48, NULL, NULL, NULL},
};

#define WORKLOADS (sizeof workloads / sizeof workloads[0])

static void fail(const char *message)
{
    fprintf(stderr, "optim: %s\n", message);
    exit(1);
}

static an_params *make_params(an_context *context, int64_t millions)
{
    an_params *params = an_params_new(context, NULL);
    an_tensor *w = an_params_add(params, "w", an_shape_2(millions * 1000, 1000), NULL);
    if (!w || !an_params_build(params, NULL)) {
        fail("no memory for the parameters");
    }
    for (int64_t i = 0; i < w->size; i++) {
        w->data[i] = (float)(i % 1013) / 1000 - 0.5f;
        w->grad[i] = (float)(i % 997) / 1000 - 0.5f;
    }
    w->has_grad = true;
    return params;
}

static float *aligned(size_t values)
{
    return aligned_alloc(64, (values * sizeof(float) + 63) / 64 * 64);
}

/* How many values a workload passes over. */
static int64_t count_of(const workload *w, int64_t values)
{
    return w->task ? values * 4 / w->vectors : values;
}

static double run(const workload *w, an_context *context, an_params *params, loops *l)
{
    double began = now();
    if (w->task) {
        an__parallel(context, count_of(w, an_params_size(params)), 8192, w->task, l);
    } else {
        an_optim_step(w->optim);
    }
    return now() - began;
}

/* Memory of its own for each optimizer, one at a time: made, warmed, measured, freed. */
static void measure(workload *w, an_context *context, an_params *params, loops *l, int round)
{
    if (!w->task && !(w->optim = an_optim_parse(params, w->text, NULL))) {
        fail(w->text);
    }
    for (int warm = 0; warm < 2; warm++) {
        run(w, context, params, l);
    }
    double best = run(w, context, params, l);
    for (int again = 0; again < 2; again++) {
        double seconds = run(w, context, params, l);
        best = seconds < best ? seconds : best;
    }
    w->seconds[round] = best;
    an_optim_free(w->optim);
    w->optim = NULL;
}

static double rate(const workload *w, int rounds, int64_t values)
{
    double bytes = (double)w->bytes * (double)count_of(w, values);
    return bytes / w->seconds[rounds / 2] * 1e-9;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 2, rounds = argc > 3 ? atoi(argv[3]) : 9;
    int64_t millions = argc > 2 ? atoll(argv[2]) : 10;
    if (threads < 1 || threads > AN_MAX_THREADS || rounds < 1 || millions < 1) {
        fail("usage: optim [threads] [million parameters] [rounds]");
    }
    an_context_options options = {.threads = threads};
    an_context *context = an_context_new(&options, NULL);
    an_params *params = make_params(context, millions);
    size_t values = (size_t)an_params_size(params);
    loops l = {aligned(2 * values), aligned(2 * values), aligned(2 * values)};
    if (!l.a || !l.b || !l.c) {
        fail("no memory for the loops");
    }
    for (size_t i = 0; i < 2 * values; i++) {
        l.a[i] = l.b[i] = l.c[i] = (float)(i % 7);
    }
    for (size_t i = 0; i < WORKLOADS; i++) {
        workloads[i].seconds = calloc((size_t)rounds, sizeof(double));
    }
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < WORKLOADS; i++) {
            measure(&workloads[i], context, params, &l, round);
        }
    }
    double most = 0;
    for (size_t i = 0; i < WORKLOADS; i++) {
        median(workloads[i].seconds, (size_t)rounds);
        double here = rate(&workloads[i], rounds, (int64_t)values);
        most = workloads[i].task && here > most ? here : most;
    }
    printf("    ms  bytes  GB/s  share  (%d threads, %d bits, %lld million values)\n", threads,
           an_context_vector_bits(context), (long long)millions);
    for (size_t i = 0; i < WORKLOADS; i++) {
        double here = rate(&workloads[i], rounds, (int64_t)values);
        printf("%6.2f  %5d  %4.1f  %4.0f%%  %s\n", workloads[i].seconds[rounds / 2] * 1e3,
               workloads[i].bytes, here, 100 * here / most, workloads[i].text);
        free(workloads[i].seconds);
    }
    free(l.a);
    free(l.b);
    free(l.c);
    an_params_free(params);
    an_context_free(context);
    return 0;
}
