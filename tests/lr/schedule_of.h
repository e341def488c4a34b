/* A schedule from its text, over groups made from rates: what most tests of schedules need. */
#ifndef AN_TESTS_SCHEDULE_OF_H
#define AN_TESTS_SCHEDULE_OF_H

#include "../base/cmocka_all.h"
#include <anneal/lr_text.h>
#include <math.h>
#include <string.h>

#define MAX_GROUPS 4

typedef struct bench {
    an_lr_group group[MAX_GROUPS], *groups[MAX_GROUPS];
    an_lr_text *text;
    an_lr_schedule *schedule;
} bench;

/* Groups with the rate `lr` (doubled from group to group) and a momentum of 0.5. */
static inline void bench_groups(bench *b, size_t count, double lr)
{
    for (size_t i = 0; i < count; i++, lr *= 2) {
        b->groups[i] = &b->group[i];
        an_lr_group_init(&b->group[i], lr);
        an_lr_group_set(&b->group[i], AN_MOMENTUM, 0.5);
    }
}

/* Over the groups that are there, for a run of which something is known; NULL: nothing. */
static inline void bench_make(bench *b, const char *spec, const an_lr_run *run, size_t count)
{
    an_error err = {0};
    b->text = an_lr_parse_text(spec, run, NULL, &err);
    if (!b->text)
        fail_msg("%s: %s", spec, err.message);
    b->schedule = an_lr_new_run(an_lr_text_desc(b->text), run, b->groups, count, NULL, &err);
    if (!b->schedule)
        fail_msg("%s: %s", spec, err.message);
}

static inline void bench_start(bench *b, const char *spec, size_t count, double lr)
{
    bench_groups(b, count, lr);
    bench_make(b, spec, NULL, count);
}

/* One group with the rate `lr`. */
static inline void bench_start_run(bench *b, const char *spec, const an_lr_run *run, double lr)
{
    bench_groups(b, 1, lr);
    bench_make(b, spec, run, 1);
}

/* What parsing or making it says. */
static inline void expect_no(const char *spec, const an_lr_run *run, const char *message)
{
    bench b;
    an_error err = {0};
    bench_groups(&b, 2, 0.1);
    an_lr_text *text = an_lr_parse_text(spec, run, NULL, &err);
    an_lr_schedule *schedule =
        text ? an_lr_new_run(an_lr_text_desc(text), run, b.groups, 2, NULL, &err) : NULL;
    if (schedule || !strstr(err.message, message))
        fail_msg("%s: %s\ninstead of %s", spec, schedule ? "accepted" : err.message, message);
    assert_false(b.group[0].slot[AN_LR].has_initial);
    an_lr_text_free(text);
}

static inline void bench_stop(bench *b)
{
    an_lr_free(b->schedule);
    an_lr_text_free(b->text);
}

static inline double bench_lr(const bench *b, size_t group)
{
    return b->group[group].slot[AN_LR].value;
}

/* Steps through `values`, the rates of group 0 from step 0 on. */
static inline void expect_rates(const char *spec, double lr, const double *values, size_t count)
{
    bench b;
    bench_start(&b, spec, 1, lr);
    for (size_t i = 0; i < count; i++) {
        double at = an_lr_at_step(b.schedule, 0, (int64_t)i);
        if (fabs(bench_lr(&b, 0) - values[i]) > 1e-15)
            fail_msg("%s: step %zu gives %.17g, expected %.17g", spec, i, bench_lr(&b, 0),
                     values[i]);
        if (fabs(at - values[i]) > 1e-15)
            fail_msg("%s: at %zu gives %.17g, expected %.17g", spec, i, at, values[i]);
        an_lr_step(b.schedule);
    }
    bench_stop(&b);
}

#define EXPECT_RATES(spec, lr, ...)                                                \
    do {                                                                           \
        const double expected_[] = {__VA_ARGS__};                                  \
        expect_rates(spec, lr, expected_, sizeof expected_ / sizeof expected_[0]); \
    } while (0)

#endif
