/*
 * Many threads, each with objects of its own, all doing everything at once: what they get must be
 * what one thread gets alone. Under TSan this shows any state that objects share.
 */
#include "../base/cmocka_all.h"
#include "random_desc.h"
#include <anneal/lr_text.h>
#include <pthread.h>
#include <string.h>

#define THREADS 4
#define SEEDS 60
#define STEPS 40

typedef struct work {
    random_desc draw;
    uint64_t hash; /* of every value seen; 0 after a failure */
} work;

static void hash_double(uint64_t *hash, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    *hash = (*hash ^ bits) * 0x100000001b3u;
}

/* Steps, asks for values, and goes on from the saved state in the middle. */
static bool drive(an_lr_schedule *schedule, const an_lr_group *groups, uint64_t *hash)
{
    unsigned char state[16384];
    size_t size = an_lr_state_size(schedule);
    if (size > sizeof state)
        return false;
    for (int step = 0; step < STEPS; step++) {
        an_lr_step_metric(schedule, 1.0 / (step + 1));
        for (size_t i = 0; i < 2; i++) {
            hash_double(hash, groups[i].slot[AN_LR].value);
            hash_double(hash, groups[i].slot[AN_MOMENTUM].value);
            hash_double(hash, an_lr_at_step(schedule, i, 3 * step));
        }
        if (step == STEPS / 2)
            an_lr_state_save(schedule, state, size);
    }
    return an_lr_state_load(schedule, state, size, AN_LR_REFUSE, NULL, NULL);
}

/* One random schedule through text, and one call that is refused. */
static bool one_schedule(random_desc *draw, uint64_t *hash)
{
    static const char *const wrong = "StepLR(step_size=0)";
    char text[16384];
    an_error err = {0};
    an_lr_group group[2], *groups[] = {&group[0], &group[1]};
    for (int i = 0; i < 2; i++) {
        an_lr_group_init(&group[i], 0.1 * (i + 1));
        an_lr_group_set(&group[i], AN_MOMENTUM, 0.9);
    }
    if (an_lr_print(text, sizeof text, random_desc_draw(draw, 2)) >= sizeof text ||
        an_lr_parse_text(wrong, NULL, NULL, &err) || strstr(err.message, "step_size") == NULL)
        return false;
    an_lr_text *parsed = an_lr_parse_text(text, NULL, NULL, NULL);
    an_lr_schedule *schedule =
        parsed ? an_lr_new(an_lr_text_desc(parsed), groups, 2, NULL, NULL) : NULL;
    bool good = schedule && drive(schedule, group, hash);
    an_lr_free(schedule);
    an_lr_text_free(parsed);
    return good;
}

static void *run(void *argument)
{
    work *w = argument;
    w->draw.metric = true;
    w->hash = 0xcbf29ce484222325u;
    bool good = true;
    for (uint64_t seed = 1; seed <= SEEDS && good; seed++) {
        w->draw.state = seed;
        good = one_schedule(&w->draw, &w->hash);
    }
    if (!good)
        w->hash = 0;
    return NULL;
}

static void threads_do_not_meet(void **state)
{
    (void)state;
    static work alone, crowd[THREADS];
    pthread_t thread[THREADS];
    run(&alone);
    assert_true(alone.hash != 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, &crowd[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_true(crowd[i].hash == alone.hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_do_not_meet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
