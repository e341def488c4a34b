/*
 * Going on from a checkpoint: stopped after any batch, a run ends with the same weights, losses and
 * rates as the one that was never stopped. What is another run is refused; what may be changed is
 * changed as the policy says, and told.
 */
#include "folder.h"

typedef struct plan {
    world world;
    int64_t epochs, steps, accumulate;
    bool valid;
    an_interval interval;
    an_monitor monitor;
    const an_lr_desc *desc;
    const char *average;
} plan;

static void open_plan(const plan *p, world *w)
{
    *w = p->world;
    world_open(w);
    w->fit.epochs = p->epochs;
    w->fit.steps = p->steps;
    w->fit.accumulate = p->accumulate ? p->accumulate : 1;
    w->fit.valid = p->valid ? w->valid : NULL;
    w->fit.interval = p->interval;
    w->fit.monitor = p->monitor;
    if (p->desc)
        world_schedule(w, p->desc);
    if (p->average)
        w->fit.average = an_average_parse(an_model_params(w->model), p->average, NULL);
    assert_true(!p->average || w->fit.average);
}

static void close_plan(world *w)
{
    an_lr_free(w->fit.schedule);
    an_average_free(w->fit.average);
    world_close(w);
}

/* Trains with a log that goes on where it was. */
static bool train(world *w, world_log *log, told *t, an_error *err)
{
    an_callback callbacks[] = {world_callback(log), told_callback(t)};
    w->fit.callbacks = callbacks;
    w->fit.callback_count = 2;
    w->fit.stop = &log->stop;
    bool ok = an_fit(&w->fit, NULL, err);
    w->fit.callbacks = NULL;
    w->fit.callback_count = 0;
    return ok;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Everything but times. */
static void check_records(const an_record *a, const an_record *b, size_t count)
{
    for (size_t i = 0; i < count; i++, a++, b++) {
        assert_int_equal(a->step, b->step);
        assert_int_equal(a->epoch, b->epoch);
        assert_int_equal(a->epochs, b->epochs);
        assert_int_equal(a->batch, b->batch);
        assert_int_equal(a->samples, b->samples);
        assert_true(same(a->loss, b->loss) && same(a->accuracy, b->accuracy));
        assert_true(same(a->batch_loss, b->batch_loss) && same(a->valid_loss, b->valid_loss));
        assert_true(same(a->valid_accuracy, b->valid_accuracy));
        assert_true(same(a->lr[0], b->lr[0]) && same(a->momentum[0], b->momentum[0]));
        assert_true(i == 0 || a->seconds >= a[-1].seconds);
    }
}

/* Stopped after `batches`, and gone on with by new objects, until it is done. */
static void check_interrupted(const plan *p, size_t batches, const world *whole,
                              const world_log *whole_log)
{
    char folder[64], path[512];
    static world_log log;
    memset(&log, 0, sizeof log);
    folder_make(folder);
    for (int parts = 0;; parts++) {
        world w;
        told t = {0};
        an_error err = {0};
        open_plan(p, &w);
        w.fit.checkpoints = folder;
        log.stop = 0;
        log.stop_after = (size_t)(parts + 1) * batches;
        if (parts > 0) {
            folder_newest(folder, path);
            w.fit.resume = path;
        }
        if (!train(&w, &log, &t, &err))
            fail_msg("%s", err.message);
        assert_int_equal(strncmp(t.text, "resumed: ", 9) == 0, parts > 0);
        bool done = log.stop == 0 || log.batches >= whole_log->batches + batches;
        if (done) {
            assert_memory_equal(world_values(&w), world_values(whole),
                                (size_t)world_length(&w) * sizeof(float));
            size_t bytes;
            const void *buffers = an_params_buffer_block(an_model_params(w.model), &bytes);
            assert_memory_equal(
                buffers, an_params_buffer_block(an_model_params(whole->model), &bytes), bytes);
            close_plan(&w);
            break;
        }
        close_plan(&w);
    }
    assert_int_equal(log.batches, whole_log->batches);
    assert_int_equal(log.epochs, whole_log->epochs);
    check_records(log.batch, whole_log->batch, log.batches);
    check_records(log.epoch, whole_log->epoch, log.epochs);
    folder_remove(folder);
}

static void check_plan(const plan *p)
{
    static world_log log;
    world whole;
    told t = {0};
    memset(&log, 0, sizeof log);
    open_plan(p, &whole);
    assert_true(train(&whole, &log, &t, NULL));
    for (size_t batches = 1; batches <= log.batches; batches++)
        check_interrupted(p, batches, &whole, &log);
    close_plan(&whole);
}

static void sgd_under_one_cycle(void **state)
{
    (void)state;
    an_lr_desc desc = an_lr_defaults(AN_ONE_CYCLE_LR);
    desc.one_cycle.max_lr.value = 0.3;
    desc.one_cycle.total_steps = 15;
    plan p = {.world = {.count = 18, .shuffle = true},
              .epochs = 3,
              .interval = AN_INTERVAL_STEP,
              .desc = &desc,
              .valid = true};
    check_plan(&p);
}

static void adam_with_dropout_under_a_plateau(void **state)
{
    (void)state;
    an_lr_desc desc = an_lr_defaults(AN_PLATEAU_LR);
    desc.plateau.patience = 0;
    desc.plateau.factor = 0.5;
    plan p = {.world = {.count = 14, .shuffle = true, .dropout = true, .adam = true},
              .epochs = 4,
              .interval = AN_INTERVAL_EPOCH,
              .desc = &desc,
              .valid = true};
    check_plan(&p);
}

/* What the schedule is fed does not hang on where the run was stopped: after an epoch's last batch.
 */
static void a_plateau_of_the_accuracy(void **state)
{
    (void)state;
    an_lr_desc desc = an_lr_defaults(AN_PLATEAU_LR);
    desc.plateau.patience = 0;
    desc.plateau.mode = AN_PLATEAU_MAX;
    plan p = {.epochs = 3, .monitor = AN_MONITOR_TRAIN_ACCURACY, .desc = &desc};
    check_plan(&p);
}

/* A stop within an update waits for its end, so that no gradient is lost. */
static void accumulated_updates(void **state)
{
    (void)state;
    plan p = {
        .world = {.count = 22, .shuffle = true, .dropout = true}, .epochs = 2, .accumulate = 3};
    world whole;
    static world_log log;
    told t = {0};
    memset(&log, 0, sizeof log);
    open_plan(&p, &whole);
    assert_true(train(&whole, &log, &t, NULL));
    assert_int_equal(log.batches, 12);
    check_interrupted(&p, 3, &whole, &log);
    check_interrupted(&p, 6, &whole, &log);
    char folder[64], path[512];
    an_checkpoint_info info;
    world w;
    world_log part = {.stop_after = 4};
    folder_make(folder);
    open_plan(&p, &w);
    w.fit.checkpoints = folder;
    assert_true(train(&w, &part, &t, NULL));
    assert_int_equal(part.batches, 6);
    assert_true(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, &info, NULL));
    assert_int_equal(info.step, 2);
    assert_int_equal(info.batch, 6);
    assert_true(info.in_epoch);
    close_plan(&w), close_plan(&whole);
    folder_remove(folder);
}

static void a_run_in_steps(void **state)
{
    (void)state;
    plan p = {.world = {.count = 20, .shuffle = true, .adam = true}, .steps = 8, .valid = true};
    check_plan(&p);
}

/* What is trained and what is shown, each with its running statistics, go on to the bit. */
static void averages_with_a_batch_norm(void **state)
{
    (void)state;
    static const char *const averages[] = {"EMA(decay=0.9)", "SWA(start=1ep)",
                                           "PolynomialDecay(gamma=3, start=2st)", NULL};
    for (size_t k = 0; k < 4; k++) {
        plan p = {.world = {.count = 14,
                            .shuffle = true,
                            .dropout = true,
                            .layer = "BatchNorm1d(5)",
                            .optimizer = k == 3 ? "SGDScheduleFree(lr=0.1)" : NULL},
                  .epochs = 3,
                  .average = averages[k],
                  .valid = true};
        check_plan(&p);
    }
}

/*
 * Schedule-Free: the weights in the file are not those that are trained; a checkpoint more or less
 * must not change a bit.
 */
static void two_faces(void **state)
{
    (void)state;
    plan p = {.world = {.count = 18,
                        .shuffle = true,
                        .dropout = true,
                        .optimizer = "AdamWScheduleFree(lr=0.05)"},
              .epochs = 3,
              .valid = true};
    check_plan(&p);
}

static void running_statistics(void **state)
{
    (void)state;
    plan p = {.world = {.count = 18, .shuffle = true, .layer = "BatchNorm1d(5)"},
              .epochs = 3,
              .accumulate = 2,
              .valid = true};
    world whole;
    static world_log log;
    told t = {0};
    memset(&log, 0, sizeof log);
    open_plan(&p, &whole);
    assert_true(train(&whole, &log, &t, NULL));
    check_interrupted(&p, 2, &whole, &log);
    close_plan(&whole);
}

/* ----------------------------------------------------------------- refusals */

/* A run of 3 of 15 steps of SGD, its newest checkpoint in `path`. */
static void make_checkpoint(const plan *p, char folder[64], char path[512])
{
    world w;
    world_log log = {.stop_after = 3};
    told t = {0};
    folder_make(folder);
    open_plan(p, &w);
    w.fit.checkpoints = folder;
    assert_true(train(&w, &log, &t, NULL));
    folder_newest(folder, path);
    close_plan(&w);
}

static void refuse(const plan *p, an_resume_policy policy, const char *path, const char *part)
{
    world w;
    told t = {0};
    world_log log = {0};
    an_error err = {0};
    open_plan(p, &w);
    w.fit.resume = path;
    w.fit.policy = policy;
    bool went = train(&w, &log, &t, &err);
    if (went || err.code != AN_ERROR_STATE || !strstr(err.message, part))
        fail_msg("expected '%s' in: %s", part, err.message);
    assert_int_equal(log.call_count, 0); /* not even its beginning was told */
    close_plan(&w);
}

static void other_runs_are_refused(void **state)
{
    (void)state;
    char folder[64], path[512];
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR), other = an_lr_defaults(AN_EXPONENTIAL_LR);
    desc.exponential.gamma = 0.9;
    other.exponential.gamma = 0.8;
    const plan p = {.world = {.shuffle = true}, .epochs = 3, .desc = &desc};
    make_checkpoint(&p, folder, path);
    plan q = p;
    q.world.batch = 5;
    refuse(&q, AN_RESUME_ADOPT, path, "batch size");
    q = p, q.world.seed = 4;
    refuse(&q, AN_RESUME_ADOPT, path, "seed");
    q = p, q.world.count = 21;
    refuse(&q, AN_RESUME_ADOPT, path, "training data");
    q = p, q.accumulate = 2;
    refuse(&q, AN_RESUME_ADOPT, path, "accumulate");
    q = p, q.world.adam = true;
    refuse(&q, AN_RESUME_ADOPT, path, "another kind");
    q = p, q.world.lr = 0.2;
    refuse(&q, AN_RESUME_REFUSE, path, "SGD(lr=0.1, momentum=0.9), not by SGD(lr=0.2");
    refuse(&q, AN_RESUME_KEEP, path, "leave that as it was");
    q = p, q.desc = NULL;
    refuse(&q, AN_RESUME_REFUSE, path, "under a schedule");
    q = p, q.interval = AN_INTERVAL_STEP;
    refuse(&q, AN_RESUME_REFUSE, path, "interval");
    q = p, q.desc = &other;
    refuse(&q, AN_RESUME_REFUSE, path, "gamma");
    folder_remove(folder);
}

/* ----------------------------------------------------------------- policies */

/* Goes on from `path`; the rate used in the first batch after it. */
static double rate_after(const plan *p, an_resume_policy policy, const char *path, told *t)
{
    world w;
    world_log log = {0};
    an_error err = {0};
    *t = (told){0};
    open_plan(p, &w);
    w.fit.resume = path;
    w.fit.policy = policy;
    if (!train(&w, &log, t, &err))
        fail_msg("%s", err.message);
    assert_true(log.batches > 0 && log.batch[0].step == 4);
    close_plan(&w);
    return log.batch[0].lr[0];
}

static void changes_are_as_the_policy_says(void **state)
{
    (void)state;
    told t;
    char folder[64], path[512];
    an_lr_desc desc = an_lr_defaults(AN_EXPONENTIAL_LR), other = desc;
    an_lr_desc step = an_lr_defaults(AN_STEP_LR);
    desc.exponential.gamma = 0.5;
    other.exponential.gamma = 0.1;
    step.step.step_size = 2;
    step.step.gamma = 0.25;
    const plan p = {
        .world = {.shuffle = true}, .epochs = 3, .interval = AN_INTERVAL_STEP, .desc = &desc};
    make_checkpoint(&p, folder, path);
    plan q = p;
    assert_true(rate_after(&q, AN_RESUME_REFUSE, path, &t) == 0.1 * 0.125);
    assert_null(strstr(t.text, ";"));
    q = p, q.desc = &other;
    assert_true(rate_after(&q, AN_RESUME_KEEP, path, &t) == 0.1 * 0.125);
    assert_true(fabs(rate_after(&q, AN_RESUME_ADOPT, path, &t) - 0.1 * 0.001) < 1e-12);
    assert_non_null(strstr(t.text, "gamma 0.5 -> 0.1"));
    q = p, q.desc = &step;
    assert_true(rate_after(&q, AN_RESUME_KEEP, path, &t) == 0.1 * 0.125);
    assert_true(fabs(rate_after(&q, AN_RESUME_ADOPT, path, &t) - 0.1 * 0.25) < 1e-12);
    assert_non_null(strstr(t.text, "another schedule"));
    q = p, q.desc = NULL;
    assert_true(rate_after(&q, AN_RESUME_KEEP, path, &t) == 0.1 * 0.125);
    assert_true(rate_after(&q, AN_RESUME_ADOPT, path, &t) == 0.1);
    assert_non_null(strstr(t.text, "no schedule any more"));
    q = p, q.world.lr = 0.2;
    assert_true(fabs(rate_after(&q, AN_RESUME_ADOPT, path, &t) - 0.2 * 0.125) < 1e-12);
    assert_non_null(strstr(t.text, "SGD(lr=0.1, momentum=0.9) -> SGD(lr=0.2, momentum=0.9)"));
    q = p, q.epochs = 5;
    assert_true(rate_after(&q, AN_RESUME_REFUSE, path, &t) == 0.1 * 0.125);
    assert_non_null(strstr(t.text, "; epochs 3 -> 5"));
    folder_remove(folder);
}

/* A run that is done goes on when it gets more epochs, as if it had had them from the start. */
static void more_epochs(void **state)
{
    (void)state;
    char folder[64], path[512];
    plan p = {.world = {.shuffle = true, .dropout = true}, .epochs = 5};
    world whole, w;
    static world_log log, part;
    told t = {0};
    memset(&log, 0, sizeof log), memset(&part, 0, sizeof part);
    open_plan(&p, &whole);
    assert_true(train(&whole, &log, &t, NULL));
    folder_make(folder);
    p.epochs = 2;
    open_plan(&p, &w);
    w.fit.checkpoints = folder;
    assert_true(train(&w, &part, &t, NULL));
    close_plan(&w);
    folder_newest(folder, path);
    open_plan(&p, &w);
    w.fit.checkpoints = folder;
    w.fit.resume = path;
    part.call_count = 0;
    assert_true(train(&w, &part, &t, NULL));
    assert_memory_equal(part.calls, "tT", 2);
    assert_int_equal(folder_each(folder, NULL), 2); /* nothing new to save */
    close_plan(&w);
    p.epochs = 5;
    open_plan(&p, &w);
    w.fit.resume = path;
    assert_true(train(&w, &part, &t, NULL));
    assert_memory_equal(world_values(&w), world_values(&whole),
                        (size_t)world_length(&w) * sizeof(float));
    close_plan(&w), close_plan(&whole);
    folder_remove(folder);
}

static bool note_load(void *user, const an_record *record, const void *bytes, size_t size,
                      an_error *err)
{
    (void)err;
    *(int *)user += record->step == 0 && !bytes && size == 0 ? 1 : 100;
    return true;
}

/* Callbacks of a run that saved nothing are told that it begins again. */
static void from_the_beginning(void **state)
{
    (void)state;
    int loads = 0;
    world w = {0};
    world_open(&w);
    an_callback callback = {.name = "log", .load_state = note_load, .user = &loads};
    w.fit.callbacks = &callback;
    w.fit.callback_count = 1;
    w.fit.epochs = 1;
    w.fit.resume = "";
    assert_true(an_fit(&w.fit, NULL, NULL));
    assert_int_equal(loads, 1);
    w.fit.resume = NULL;
    assert_true(an_fit(&w.fit, NULL, NULL));
    assert_int_equal(loads, 1);
    world_close(&w);
}

/* With changes, there is at once a checkpoint that can be gone on from without them. */
static void changed_runs_are_saved_at_once(void **state)
{
    (void)state;
    char folder[64], path[512];
    plan p = {.world = {.shuffle = true}, .epochs = 3};
    make_checkpoint(&p, folder, path);
    p.world.lr = 0.2;
    world w;
    told t = {0};
    world_log log = {.stop = 1};
    open_plan(&p, &w);
    w.fit.resume = path;
    w.fit.checkpoints = folder;
    w.fit.policy = AN_RESUME_ADOPT;
    assert_true(train(&w, &log, &t, NULL));
    assert_int_equal(log.batches, 0);
    close_plan(&w);
    folder_newest(folder, path);
    assert_true(rate_after(&p, AN_RESUME_REFUSE, path, &t) == 0.2);
    folder_remove(folder);
}

static int64_t newest_step(const char *folder)
{
    char path[512];
    an_checkpoint_info info;
    assert_true(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, &info, NULL));
    return info.step;
}

/* From an earlier checkpoint: the future that it leaves behind is not what is gone on from. */
static void another_future(void **state)
{
    (void)state;
    char folder[64], path[512];
    plan p = {.world = {.shuffle = true}, .epochs = 3};
    make_checkpoint(&p, folder, path); /* of step 3 */
    for (int round = 0; round < 3; round++) {
        world w;
        told t = {0};
        world_log log = {.stop = round == 1};
        open_plan(&p, &w);
        w.fit.resume = path;
        w.fit.checkpoints = folder;
        w.fit.keep = 0;
        assert_true(train(&w, &log, &t, NULL));
        close_plan(&w);
        assert_int_equal(newest_step(folder), round == 1 ? 3 : 15);
    }
    assert_int_equal(folder_each(folder, NULL), 2 * 5); /* 3, 15; 3; 3, 15 */
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_under_one_cycle),
        cmocka_unit_test(adam_with_dropout_under_a_plateau),
        cmocka_unit_test(a_plateau_of_the_accuracy),
        cmocka_unit_test(accumulated_updates),
        cmocka_unit_test(a_run_in_steps),
        cmocka_unit_test(averages_with_a_batch_norm),
        cmocka_unit_test(two_faces),
        cmocka_unit_test(running_statistics),
        cmocka_unit_test(other_runs_are_refused),
        cmocka_unit_test(changes_are_as_the_policy_says),
        cmocka_unit_test(more_epochs),
        cmocka_unit_test(from_the_beginning),
        cmocka_unit_test(changed_runs_are_saved_at_once),
        cmocka_unit_test(another_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
