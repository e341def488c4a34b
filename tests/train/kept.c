/*
 * Going on under the saved schedule, whatever the new options have: with its clock, with what it
 * drives, to another end.
 */
#include "folder.h"

#include <anneal/lr_text.h>

/* A clock that shows `tick` seconds more after each update. */
typedef struct pretended {
    double shown;
    int64_t calls;
} pretended;

static double show(void *user, int64_t step, double measured)
{
    (void)step;
    (void)measured;
    pretended *clock = user;
    clock->calls++;
    return clock->shown += 0.5;
}

/* A world of 20 samples, with a schedule from text or none. */
typedef struct kept {
    world w;
    an_lr_text *text;
    an_lr_schedule *schedule;
    pretended clock;
    world_log log;
    told told;
} kept;

static void kept_open(kept *k, const char *text, an_interval interval)
{
    an_error err = {0};
    an_lr_run run = {.clocked = true, .edits = 2};
    world_open(&k->w);
    k->w.fit.interval = interval;
    k->w.fit.clock = (an_clock_source){show, &k->clock};
    if (!text)
        return;
    an_lr_group *group = an_optim_group(k->w.optim, 0);
    an_lr_group_set(group, AN_DROPOUT, 1);
    an_lr_group_set(group, AN_BATCH_SIZE, 1);
    k->text = an_lr_parse_text(text, &run, NULL, &err);
    if (k->text)
        k->schedule = an_lr_new_run(an_lr_text_desc(k->text), &run, an_optim_groups(k->w.optim), 1,
                                    NULL, &err);
    if (!k->schedule)
        fail_msg("%s: %s", text, err.message);
    k->w.fit.schedule = k->schedule;
}

static void kept_close(kept *k)
{
    an_lr_free(k->schedule);
    an_lr_text_free(k->text);
    world_close(&k->w);
}

static void kept_fit(kept *k)
{
    an_error err = {0};
    an_callback callbacks[] = {world_callback(&k->log), told_callback(&k->told)};
    k->w.fit.callbacks = callbacks;
    k->w.fit.callback_count = 2;
    k->w.fit.stop = &k->log.stop;
    const bool ok = an_fit(&k->w.fit, NULL, &err);
    k->w.fit.callbacks = NULL;
    k->w.fit.callback_count = 0;
    if (!ok)
        fail_msg("%s", err.message);
}

/* Trains `steps` updates under `text`, of which a checkpoint is left in `folder`. */
static void train_to(const char *text, an_interval interval, int64_t steps, const world *like,
                     const char *folder)
{
    kept k = {.w = *like};
    kept_open(&k, text, interval);
    k.w.fit.steps = steps;
    k.w.fit.checkpoints = folder;
    kept_fit(&k);
    kept_close(&k);
}

/* `k` is ready to go on from the newest checkpoint, with no schedule of its own. */
static void go_on(kept *k, char path[512], const char *folder, int64_t steps)
{
    kept_open(k, NULL, AN_INTERVAL_STEP);
    folder_newest(folder, path);
    k->w.fit.resume = path;
    k->w.fit.policy = AN_RESUME_KEEP;
    k->w.fit.steps = steps;
}

/* The saved schedule counts seconds, which the new options know nothing of. */
static void test_its_clock(void **state)
{
    (void)state;
    char folder[64], path[512];
    kept k = {.clock = {.shown = 1}};
    folder_make(folder);
    train_to("Linear(0, 1, 4s)", AN_INTERVAL_STEP, 2, &(world){0}, folder);
    go_on(&k, path, folder, 12);
    kept_fit(&k);
    assert_int_equal(k.log.batches, 10);
    assert_int_equal(k.clock.calls, 10);
    for (size_t i = 0; i < k.log.batches; i++)
        assert_true(fabs(k.log.batch[i].lr[0] - 0.1 * fmin(1, (double)(i + 2) / 8)) < 1e-12);
    kept_close(&k);
    folder_remove(folder);
}

/* A schedule that counts steps asks nobody for the time. */
static void test_no_clock(void **state)
{
    (void)state;
    kept k = {0};
    kept_open(&k, "LinearLR(1, 0, 9)", AN_INTERVAL_STEP);
    k.w.fit.steps = 6;
    kept_fit(&k);
    assert_int_equal(k.clock.calls, 0);
    kept_close(&k);
}

/* Stopped in an epoch or between two, and gone on with: the weights are those of one run. */
static void check_driven(const char *text, int64_t first)
{
    char folder[64], path[512];
    const world like = {.dropout = true, .shuffle = true};
    kept whole = {.w = like}, k = {.w = like, .clock = {.shown = 0.5 * (double)first}};
    kept_open(&whole, text, AN_INTERVAL_STEP);
    whole.w.fit.steps = 12;
    kept_fit(&whole);
    folder_make(folder);
    train_to(text, AN_INTERVAL_STEP, first, &like, folder);
    go_on(&k, path, folder, 12);
    kept_fit(&k);
    assert_int_equal(k.log.batches, whole.log.batches - (size_t)first);
    assert_memory_equal(world_values(&k.w), world_values(&whole.w),
                        (size_t)world_length(&k.w) * sizeof(float));
    kept_close(&whole);
    kept_close(&k);
    folder_remove(folder);
}

static void test_what_it_drives(void **state)
{
    (void)state;
    check_driven("Together([Drive(Constant(0.1), 'dropout'), Linear(1, 0, 12)])", 5);
    check_driven("Together([Drive(Constant(5), 'batch_size'), Linear(1, 0, 60sa)])", 4);
}

static void save_second_epoch(void *user, const an_record *record, an_control *control)
{
    (void)user;
    control->save = control->stop = record->epoch == 2;
}

/* Batches of another size, and a checkpoint before the first of them. */
static void test_saved_before_a_batch(void **state)
{
    (void)state;
    static const char text[] = "Together([Drive(Linear(5, 10, 1ep), 'batch_size'), Constant()])";
    const an_callback callback = {.epoch_begin = save_second_epoch};
    char folder[64], path[512];
    kept whole = {0}, first = {0}, k = {0};
    kept_open(&whole, text, AN_INTERVAL_STEP);
    whole.w.fit.epochs = 2;
    kept_fit(&whole);
    folder_make(folder);
    kept_open(&first, text, AN_INTERVAL_STEP);
    first.w.fit.epochs = 2;
    first.w.fit.checkpoints = folder;
    first.w.fit.callbacks = &callback;
    first.w.fit.callback_count = 1;
    assert_true(an_fit(&first.w.fit, NULL, NULL));
    first.w.fit.callbacks = NULL;
    kept_close(&first);
    go_on(&k, path, folder, 0);
    k.w.fit.epochs = 2;
    kept_fit(&k);
    assert_int_equal(k.log.batches, 2);
    assert_memory_equal(world_values(&k.w), world_values(&whole.w),
                        (size_t)world_length(&k.w) * sizeof(float));
    kept_close(&whole);
    kept_close(&k);
    folder_remove(folder);
}

/* With a length in seconds, in a run that went by steps: also after it was interrupted again. */
static void test_lands_in_seconds(void **state)
{
    (void)state;
    char folder[64], path[512];
    folder_make(folder);
    train_to("Constant()", AN_INTERVAL_STEP, 4, &(world){0}, folder);
    kept k = {.log = {.stop_after = 3}};
    go_on(&k, path, folder, 20);
    k.w.fit.landing = (an_landing){{4, AN_SECONDS}, AN_TAIL_LINEAR, 0};
    k.w.fit.checkpoints = folder;
    kept_fit(&k);
    assert_non_null(strstr(k.told.text, "lands"));
    assert_int_equal(k.log.batches, 3);
    assert_true(k.clock.calls == 3);
    const double landing = k.log.batch[1].lr[0] - k.log.batch[2].lr[0];
    assert_true(k.log.batch[0].lr[0] == 0.1 && fabs(landing - 0.1 / 8) < 1e-12);
    kept again = {.clock = {.shown = k.clock.shown}};
    kept_close(&k);
    go_on(&again, path, folder, 20);
    kept_fit(&again);
    assert_true(again.clock.calls > 0);
    /* The landing began at the seconds that four updates took. */
    assert_true(fabs(again.log.batch[0].lr[0] - 0.1 * 5 / 8) < 1e-3);
    assert_true(again.log.batch[again.log.batches - 1].lr[0] == 0);
    kept_close(&again);
    folder_remove(folder);
}

/* A run given in steps whose schedule counts epochs: 10 epochs of 5 updates are 10 of its steps. */
static void test_extends_by_epochs(void **state)
{
    (void)state;
    char folder[64], path[512];
    kept k = {0};
    folder_make(folder);
    train_to("Linear(1, 0, 4)", AN_INTERVAL_EPOCH, 10, &(world){0}, folder);
    go_on(&k, path, folder, 50);
    k.w.fit.policy = AN_RESUME_EXTEND;
    kept_fit(&k);
    assert_int_equal(k.log.epochs, 8);
    for (size_t i = 0; i < k.log.epochs; i++)
        assert_true(fabs(k.log.epoch[i].lr[0] - 0.1 * (0.5 - 0.0625 * (double)i)) < 1e-12);
    kept_close(&k);
    folder_remove(folder);
}

/* A new schedule that counts seconds begins where the run stands. */
static void test_adopts_a_clock(void **state)
{
    (void)state;
    char folder[64], path[512];
    kept k = {.clock = {.shown = 2}};
    folder_make(folder);
    train_to("Linear(1, 0, 8s)", AN_INTERVAL_STEP, 4, &(world){0}, folder);
    kept_open(&k, "Sequence([Constant(), Linear(1, 0, 2s)], [3s])", AN_INTERVAL_STEP);
    folder_newest(folder, path);
    k.w.fit.resume = path;
    k.w.fit.policy = AN_RESUME_ADOPT;
    k.w.fit.steps = 8;
    kept_fit(&k);
    for (size_t i = 0; i < k.log.batches; i++) {
        const double past = fmax(0, 0.5 * (double)i - 1);
        assert_true(fabs(k.log.batch[i].lr[0] - 0.1 * (1 - past / 2)) < 1e-12);
    }
    kept_close(&k);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_clock),        cmocka_unit_test(test_no_clock),
        cmocka_unit_test(test_what_it_drives),   cmocka_unit_test(test_saved_before_a_batch),
        cmocka_unit_test(test_lands_in_seconds), cmocka_unit_test(test_extends_by_epochs),
        cmocka_unit_test(test_adopts_a_clock),
    };
    return cmocka_run_group_tests_name("kept", tests, NULL, NULL);
}
