/*
 * Anneal's kernels beside oneDNN's primitives, by shape, on one and more threads.
 *
 *   onednn [most threads, default 2] [rounds, default 11] [part of a name]
 *
 * oneDNN runs as Anneal's pool would call it: each worker with one OpenMP thread and primitives of
 * its own, products split by output features, everything else by batch or rows. It is asked for
 * row-major layouts, for free ones of the weights, and for free ones of all operands; the reorders
 * to and from row-major, which Anneal keeps everything in, are counted. The column "bare" is the
 * fastest without them: what could be gained at most if all tensors of a network were kept in
 * oneDNN's layouts.
 *
 * A line: microseconds of ours, of oneDNN's fastest way and of bare, medians of interleaved rounds;
 * ours / oneDNN's, above 1 where oneDNN is faster; GFLOP/s of ours; the way and oneDNN's method.
 */
#include "onednn.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "tensor/kernels/kernels.h"

enum { MOST_THREADS = 8, MOST_ROUNDS = 99 };

static const char *const way_names[WAYS] = {"rows", "weights", "any", "winograd"};

void *bench_zeros(size_t bytes)
{
    void *block = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (!block)
        exit(1);
    return memset(block, 0, bytes);
}

float *bench_floats(int64_t count, int stream)
{
    float *values = bench_zeros((size_t)count * sizeof *values);
    an_rng rng = an_rng_init(7, (uint64_t)stream);
    an_rng_fill_uniform(&rng, values, count, -1, 1);
    return values;
}

/* ------------------------------------------------------------------ running */

/* One way of computing a subject; no plans: ours. */
typedef struct entry {
    an_context *context;
    subject *subject;
    plan *plans; /* one a share */
    int shares;
    bool bare;
    way how;
    double seconds[MOST_ROUNDS];
} entry;

static void run_shares(void *arg, int64_t begin, int64_t end)
{
    const entry *e = arg;
    omp_set_num_threads(1);
    for (int64_t share = begin; share < end; share++)
        plan_run(&e->plans[share], e->bare);
}

static void run_entry(entry *e)
{
    if (!e->plans) {
        e->subject->ours(e->context, e->subject);
        return;
    }
    an__parallel(e->context, e->shares, 1, run_shares, e);
    if (e->subject->join)
        e->subject->join(e->context, e->subject, e->shares);
}

/* At least a third of a millisecond of runs. */
static double time_entry(entry *e)
{
    int runs = 0;
    const double start = now();
    double took;
    do {
        run_entry(e);
        runs++;
        took = now() - start;
    } while (took < 0.33e-3);
    return took / runs;
}

static void free_plans(plan *plans, int count)
{
    for (int i = 0; i < count; i++)
        plan_free(&plans[i]);
    free(plans);
}

static plan *make_plans(subject *s, way how, int shares)
{
    plan *plans = bench_zeros((size_t)shares * sizeof *plans);
    for (int i = 0; i < shares; i++)
        if (!plan_init(&plans[i]) || !s->plan(s, how, i, shares, &plans[i])) {
            free_plans(plans, i + 1);
            return NULL;
        }
    return plans;
}

/* The largest difference between oneDNN's result and `ours`, as a part of the largest value. */
static double difference(const subject *s, const float *ours)
{
    double most = 0, away = 0;
    for (int64_t i = 0; i < s->result_count; i++) {
        most = fmax(most, fabs((double)ours[i]));
        away = fmax(away, fabs((double)ours[i] - (double)s->result[i]));
    }
    return away / fmax(most, 1e-30);
}

/* ---------------------------------------------------------------- one subject */

static const char *main_method(const plan *p)
{
    return plan_method(p->descriptions[p->description_count - 1]);
}

/* A way that takes this many times as long as ours is a reference: nobody would choose it. */
enum { HOPELESS = 30 };

/* All ways that oneDNN has and that give our result. */
static int make_entries(an_context *context, subject *s, entry *entries)
{
    const size_t bytes = (size_t)s->result_count * sizeof *s->result;
    int count = 1;
    entries[0] = (entry){.context = context, .subject = s};
    run_entry(&entries[0]);
    float *ours = bench_zeros(bytes);
    memcpy(ours, s->result, bytes);
    const double pace = time_entry(&entries[0]);
    for (way how = 0; how < WAYS; how++) {
        entry e = {.context = context, .subject = s, .shares = an_context_threads(context)};
        e.how = how;
        e.plans = make_plans(s, how, e.shares);
        if (!e.plans)
            continue;
        memset(s->result, 0, bytes);
        const bool hopeless = time_entry(&e) > HOPELESS * pace;
        const double away = difference(s, ours);
        if (away > 1e-3)
            printf("%s: %s differs from ours by %.2g\n", s->name, way_names[how], away);
        if (away > 1e-3 || hopeless) {
            free_plans(e.plans, e.shares);
            continue;
        }
        entries[count++] = e;
        e.bare = true;
        entries[count++] = e;
    }
    free(ours);
    return count;
}

static void measure(an_context *context, subject *s, int rounds)
{
    entry entries[1 + 2 * WAYS];
    const int count = make_entries(context, s, entries);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            entry *e = &entries[round % 2 ? count - 1 - i : i];
            e->seconds[round] = time_entry(e);
        }
    const double ours = median(entries[0].seconds, (size_t)rounds);
    double best = INFINITY, bare = INFINITY;
    const entry *fastest = NULL;
    for (int i = 1; i < count; i++) {
        const double took = median(entries[i].seconds, (size_t)rounds);
        if (entries[i].bare)
            bare = fmin(bare, took);
        if (!entries[i].bare && took < best) {
            best = took;
            fastest = &entries[i];
        }
    }
    printf("%-38s %dT %9.1f %9.1f %9.1f  %5.2f  %6.1f  %s %s\n", s->name,
           an_context_threads(context), ours * 1e6, best * 1e6, bare * 1e6, ours / best,
           s->operations / ours * 1e-9, fastest ? way_names[fastest->how] : "none",
           fastest ? main_method(&fastest->plans[0]) : "");
    fflush(stdout);
    for (int i = 1; i < count; i++)
        if (entries[i].bare)
            free_plans(entries[i].plans, entries[i].shares);
}

int main(int argc, char **argv)
{
    const int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
    const int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 11;
    const char *part = argc > 3 ? argv[3] : "";
    subject *(*const kinds[])(int) = {product_subject, convolution_subject, pooling_subject,
                                      norm_subject};
    an_context *contexts[MOST_THREADS] = {NULL};
    if (threads < 1 || threads > MOST_THREADS || rounds < 1 || rounds > MOST_ROUNDS)
        return 1;
    omp_set_num_threads(1); /* what primitives are made for */
    for (int t = 0; t < threads; t++)
        if (!(contexts[t] = an_context_new(&(an_context_options){.threads = t + 1}, NULL)))
            return 1;
    const dnnl_version_t *v = dnnl_version();
    printf("oneDNN %d.%d.%d, kernels of %d bits\n", v->major, v->minor, v->patch,
           an_context_vector_bits(contexts[0]));
    printf("%-38s    %9s %9s %9s  %5s  %6s\n", "microseconds", "ours", "oneDNN", "bare", "ratio",
           "GFLOP/s");
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        subject *s;
        for (int i = 0; (s = kinds[kind](i)) != NULL; i++) {
            for (int t = 0; t < threads && strstr(s->name, part); t++)
                measure(contexts[t], s, rounds);
            s->free(s);
        }
    }
    for (int t = 0; t < threads; t++)
        an_context_free(contexts[t]);
    return 0;
}
