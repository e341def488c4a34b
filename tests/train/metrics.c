/* The user's metrics: over ragged batches, watched, resumed within an epoch, logged, refused. */
#include "folder.h"

#include "train/container.h"

#include <anneal/store.h>

#define SAMPLES 18 /* in batches of 4, and of 7 for the validation: both end with a shorter one */

static void hits(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    (void)user;
    sum->sum += (double)an_count_correct(output, batch->y);
    sum->weight += (double)batch->size;
}

/* The first of each sample's outputs. */
static void first(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    (void)user;
    for (int64_t i = 0; i < batch->size; i++)
        sum->sum += (double)output->data[i * output->shape.dim[1]];
    sum->weight += (double)batch->size;
}

static void nothing(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    (void)user, (void)output, (void)batch, (void)sum;
}

static const an_metric metrics[] = {
    {.name = "hits", .valid = "valid_hits", .add = hits},
    {.valid = "valid_first", .add = first},
    {.name = "grown", .valid = "valid_grown", .add = first, .of_mean = exp},
    {.name = "void", .add = nothing},
};
#define METRICS (sizeof metrics / sizeof *metrics)

static void open_world(world *w)
{
    *w = (world){.count = SAMPLES, .shuffle = true};
    world_open(w);
    w->fit.valid = w->valid;
    w->fit.epochs = 3;
    w->fit.metrics = metrics;
    w->fit.metric_count = METRICS;
}

static bool fit(world *w, world_log *log, const an_callback *more, an_fit_result *result,
                an_error *err)
{
    an_callback callbacks[2] = {world_callback(log)};
    if (more)
        callbacks[1] = *more;
    w->fit.callbacks = callbacks;
    w->fit.callback_count = more ? 2 : 1;
    w->fit.stop = &log->stop;
    bool ok = an_fit(&w->fit, result, err);
    w->fit.callbacks = NULL;
    w->fit.callback_count = 0;
    return ok;
}

static double value(const an_record *r, const char *name)
{
    for (size_t i = 0; i < r->metric_count; i++)
        if (strcmp(r->metrics[i].name, name) == 0)
            return r->metrics[i].value;
    fail_msg("no metric '%s'", name);
    return NAN;
}

/* ------------------------------------------------------------ ragged batches */

static void means_are_over_samples(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    world w;
    an_fit_result result;
    open_world(&w);
    assert_true(fit(&w, &log, NULL, &result, NULL));
    static const char *const names[] = {"hits",       "grown",       "void",
                                        "valid_hits", "valid_first", "valid_grown"};
    assert_int_equal(log.info.metric_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(log.info.metrics[i].name, names[i]);
        assert_true(isnan(log.info.metrics[i].value));
    }
    assert_int_equal(log.batches, 15);
    for (size_t i = 0; i < log.batches; i++) {
        assert_true(value(&log.batch[i], "hits") == log.batch[i].accuracy);
        assert_true(isnan(value(&log.batch[i], "valid_hits")));
        assert_true(isnan(value(&log.batch[i], "void")));
    }
    for (size_t i = 0; i < log.epochs; i++) {
        assert_true(value(&log.epoch[i], "hits") == log.epoch[i].accuracy);
        assert_true(value(&log.epoch[i], "valid_hits") == log.epoch[i].valid_accuracy);
        assert_true(value(&log.epoch[i], "valid_grown") ==
                    exp(value(&log.epoch[i], "valid_first")));
    }
    assert_true(value(&result.last, "valid_first") == value(&log.epoch[2], "valid_first"));
    world_close(&w);
}

static void an_evaluation_has_them(void **state)
{
    (void)state;
    world w;
    an_eval_result ragged, whole;
    an_error err = {0};
    open_world(&w);
    an_loader *one = world_loader(&w, SAMPLES, false);
    assert_true(an_evaluate_metrics(w.model, w.fit.loss, w.valid, metrics, METRICS, &ragged, NULL));
    assert_true(an_evaluate_metrics(w.model, w.fit.loss, one, metrics, METRICS, &whole, NULL));
    assert_true(ragged.metrics[0] == whole.accuracy);
    assert_float_equal((float)ragged.metrics[1], (float)whole.metrics[1], 1e-6);
    assert_true(ragged.metrics[2] == exp(ragged.metrics[1]));
    assert_true(isnan(ragged.metrics[3]) && isnan(ragged.metrics[4]));
    assert_false(an_evaluate_metrics(w.model, w.fit.loss, one, metrics, 17, &whole, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    an_loader_free(one);
    world_close(&w);
}

/* ------------------------------------------------------------------- watched */

static void fill_nervous(an_lr_desc *desc)
{
    *desc = an_lr_defaults(AN_PLATEAU_LR);
    desc->plateau.patience = 0;
    desc->plateau.factor = 0.9;
    desc->plateau.threshold = 0.1;
}

/* The run's rates are those of a second schedule that is fed the metric. */
static void a_plateau_watches_the_validation(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    world w;
    an_lr_desc desc;
    an_lr_group shadow, *groups[] = {&shadow};
    open_world(&w);
    fill_nervous(&desc);
    an_lr_group_init(&shadow, 0.1);
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    an_lr_schedule *other = an_lr_new(&desc, groups, 1, NULL, NULL);
    w.fit.epochs = 12;
    w.fit.monitor = AN_MONITOR_METRIC_MIN;
    w.fit.metric = "valid_first";
    assert_true(fit(&w, &log, NULL, NULL, NULL));
    for (size_t i = 0; i < log.epochs; i++) {
        assert_true(log.epoch[i].lr[0] == shadow.slot[AN_LR].value);
        an_lr_step_metric(other, value(&log.epoch[i], "valid_first"));
    }
    assert_true(shadow.slot[AN_LR].value < 0.1);
    an_lr_free(other);
    an_lr_free(schedule);
    world_close(&w);
}

/* Batches of 4, 4, 4 and of 4, 2: an update's mean is 10, if it is one over samples. */
static void even(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    static const double means[] = {10, 10, 10, 5, 20};
    (void)user, (void)output;
    sum->sum += means[batch->index] * (double)batch->size;
    sum->weight += (double)batch->size;
}

/* What never gets better lowers the rate after every update but the first. */
static void a_plateau_watches_updates(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    world w;
    an_lr_desc desc;
    double rate = 0.1;
    const an_metric metric = {.name = "even", .add = even};
    open_world(&w);
    fill_nervous(&desc);
    desc.plateau.threshold = 0;
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    w.fit.metrics = &metric;
    w.fit.metric_count = 1;
    w.fit.accumulate = 3;
    w.fit.interval = AN_INTERVAL_STEP;
    w.fit.monitor = AN_MONITOR_METRIC_MIN;
    w.fit.metric = "even";
    assert_true(fit(&w, &log, NULL, NULL, NULL));
    for (size_t i = 0; i < 15; i++) {
        if (i % 5 != 2 && i % 5 != 4)
            continue;
        assert_true(fabs(log.batch[i].lr[0] - rate) < 1e-12);
        rate *= i == 2 ? 1 : 0.9;
    }
    an_lr_free(schedule);
    world_close(&w);
}

/* 1, 3, 2, 2, ...: one value an epoch, of three batches. */
static void scripted(void *user, const an_tensor *output, const an_batch *batch, an_metric_sum *sum)
{
    (void)output;
    static const double script[] = {1, 3, 2};
    int *calls = user, epoch = (*calls)++ / 3;
    sum->sum += script[epoch < 2 ? epoch : 2] * (double)batch->size;
    sum->weight += (double)batch->size;
}

static void the_best_epoch_is_the_metrics(void **state)
{
    (void)state;
    for (int max = 0; max <= 1; max++) {
        static world_log log;
        memset(&log, 0, sizeof log);
        char folder[64], path[512];
        int calls = 0;
        world w;
        an_checkpoint_info info;
        const an_metric metric = {.valid = "valid_script", .add = scripted, .user = &calls};
        an_checkpointer saver = an_checkpointer_defaults();
        saver.best = true;
        saver.monitor = max ? AN_MONITOR_METRIC_MAX : AN_MONITOR_METRIC_MIN;
        saver.metric = "valid_script";
        const an_callback callback = an_checkpointer_callback(&saver);
        folder_make(folder);
        open_world(&w);
        w.fit.metrics = &metric;
        w.fit.metric_count = 1;
        w.fit.checkpoints = folder;
        assert_true(fit(&w, &log, &callback, NULL, NULL));
        assert_true(an_checkpoint_find(folder, AN_CHECKPOINT_BEST, path, sizeof path, &info, NULL));
        assert_int_equal(info.epoch, max ? 2 : 1);
        world_close(&w);
        folder_remove(folder);
    }
}

static void early_stopping_watches_a_metric(void **state)
{
    (void)state;
    for (int max = 0; max <= 1; max++) {
        static world_log log;
        memset(&log, 0, sizeof log);
        int calls = 0;
        world w;
        an_early_stopping stopping;
        const an_metric metric = {.valid = "valid_script", .add = scripted, .user = &calls};
        open_world(&w);
        assert_true(an_early_stopping_init(&stopping, w.model, NULL));
        stopping.patience = 2;
        stopping.monitor = max ? AN_MONITOR_METRIC_MAX : AN_MONITOR_METRIC_MIN;
        stopping.metric = "valid_script";
        const an_callback callback = an_early_stopping_callback(&stopping);
        w.fit.metrics = &metric;
        w.fit.metric_count = 1;
        w.fit.epochs = 9;
        assert_true(fit(&w, &log, &callback, NULL, NULL));
        assert_int_equal(log.epochs, max ? 4 : 3);
        assert_int_equal(stopping.best_epoch, max ? 2 : 1);
        an_early_stopping_free(&stopping);
        world_close(&w);
    }
}

static void what_watches_no_metric_is_refused(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        static world_log log;
        memset(&log, 0, sizeof log);
        world w;
        an_error err = {0};
        an_early_stopping stopping;
        an_checkpointer saver = an_checkpointer_defaults();
        open_world(&w);
        assert_true(an_early_stopping_init(&stopping, w.model, NULL));
        stopping.monitor = saver.monitor = AN_MONITOR_METRIC_MAX;
        stopping.metric = saver.metric = "hist";
        saver.best = true;
        const an_callback callback =
            which ? an_early_stopping_callback(&stopping) : an_checkpointer_callback(&saver);
        assert_false(fit(&w, &log, &callback, NULL, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, "'hist'"));
        assert_int_equal(log.batches, 0);
        an_early_stopping_free(&stopping);
        world_close(&w);
    }
}

/* ------------------------------------------------------------------- resumed */

static void check_same(const an_record *a, const an_record *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(a[i].metric_count, b[i].metric_count);
        for (size_t m = 0; m < a[i].metric_count; m++) {
            assert_string_equal(a[i].metrics[m].name, b[i].metrics[m].name);
            assert_memory_equal(&a[i].metrics[m].value, &b[i].metrics[m].value, sizeof(double));
        }
    }
}

/* Stopped after every batch once, and gone on with by new objects: the same bits. */
static void resumed_within_an_epoch(void **state)
{
    (void)state;
    static world_log whole, log;
    world w;
    memset(&whole, 0, sizeof whole);
    open_world(&w);
    assert_true(fit(&w, &whole, NULL, NULL, NULL));
    world_close(&w);
    for (size_t batches = 1; batches <= whole.batches; batches++) {
        char folder[64], path[512];
        folder_make(folder);
        memset(&log, 0, sizeof log);
        for (int part = 0; part < 2; part++) {
            told t = {0};
            const an_callback tells = told_callback(&t);
            open_world(&w);
            w.fit.checkpoints = folder;
            log.stop_after = part == 0 ? batches : 0;
            log.stop = 0;
            if (part == 1)
                folder_newest(folder, path);
            w.fit.resume = part == 1 ? path : NULL;
            assert_true(fit(&w, &log, &tells, NULL, NULL));
            assert_null(strstr(t.text, "new"));
            world_close(&w);
        }
        assert_int_equal(log.batches, whole.batches);
        assert_int_equal(log.epochs, whole.epochs);
        check_same(log.batch, whole.batch, log.batches);
        check_same(log.epoch, whole.epoch, log.epochs);
        folder_remove(folder);
    }
}

/* Gone on with at its end, a run still has the values of the last validation. */
static void a_run_at_its_end_has_its_values(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    char folder[64], path[512];
    world w;
    an_fit_result done, again;
    folder_make(folder);
    open_world(&w);
    w.fit.checkpoints = folder;
    assert_true(fit(&w, &log, NULL, &done, NULL));
    folder_newest(folder, path);
    w.fit.resume = path;
    assert_true(fit(&w, &log, NULL, &again, NULL));
    assert_true(isfinite(value(&again.last, "valid_first")));
    check_same(&done.last, &again.last, 1);
    world_close(&w);
    folder_remove(folder);
}

static void a_new_metric_counts_from_there(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    char folder[64], path[512];
    world w;
    told t = {0};
    const an_callback tells = told_callback(&t);
    folder_make(folder);
    open_world(&w);
    w.fit.checkpoints = folder;
    w.fit.metric_count = 0;
    log.stop_after = 3;
    assert_true(fit(&w, &log, NULL, NULL, NULL));
    folder_newest(folder, path);
    log.stop = 0;
    log.stop_after = 0;
    w.fit.metric_count = 1;
    w.fit.resume = path;
    assert_true(fit(&w, &log, &tells, NULL, NULL));
    assert_non_null(strstr(t.text, "a metric is new"));
    assert_true(value(&log.epoch[1], "hits") == log.epoch[1].accuracy);
    world_close(&w);
    folder_remove(folder);
}

/* A checkpoint whose checksums fit, with a section of a metric that is cut short. */
static void shorten_metric(const char *path)
{
    char file[544];
    an_arena arena;
    an__container container;
    bool found = false;
    an_arena_init(&arena, an_allocator_default());
    snprintf(file, sizeof file, "%s.state", path);
    assert_true(an__container_read(file, &arena, &container, NULL));
    for (size_t i = 0; i < container.count; i++)
        if (strcmp(container.sections[i].name, "metric/hits") == 0) {
            container.sections[i].size = 16;
            found = true;
        }
    assert_true(found);
    assert_true(an__container_write(file, container.sections, container.count, NULL));
    an_arena_free(&arena);
}

static void a_metric_of_another_length_is_damage(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    char folder[64], path[512];
    world w;
    an_error err = {0};
    folder_make(folder);
    open_world(&w);
    w.fit.checkpoints = folder;
    log.stop_after = 3;
    assert_true(fit(&w, &log, NULL, NULL, NULL));
    folder_newest(folder, path);
    shorten_metric(path);
    w.fit.resume = path;
    assert_false(fit(&w, &log, NULL, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, "damaged: 'metric/hits' has 16 bytes, not 24"));
    world_close(&w);
    folder_remove(folder);
}

/* Once, in the middle of the second epoch. */
static void go_back(void *user, const an_record *record, an_control *control)
{
    int *done = user;
    if (record->step == 8 && !(*done)++)
        control->roll_back = true;
    if (record->step == 7 && !*done)
        control->save = true;
}

static void rolled_back_sums_are_those_of_then(void **state)
{
    (void)state;
    static world_log log;
    memset(&log, 0, sizeof log);
    char folder[64];
    int done = 0;
    world w;
    const an_callback back = {.batch_end = go_back, .user = &done};
    folder_make(folder);
    open_world(&w);
    w.fit.checkpoints = folder;
    assert_true(fit(&w, &log, &back, NULL, NULL));
    assert_int_equal(log.batches, 16);
    for (size_t i = 0; i < log.batches; i++)
        assert_true(value(&log.batch[i], "hits") == log.batch[i].accuracy);
    world_close(&w);
    folder_remove(folder);
}

/* -------------------------------------------------------------------- logged */

typedef struct search {
    const char *tag;
    double value;
} search;

static bool look(void *user, const an_event_value *v)
{
    search *s = user;
    if (v->is_scalar && v->tag_length == strlen(s->tag) && !memcmp(v->tag, s->tag, v->tag_length))
        s->value = v->value;
    return true;
}

static char *read_whole(const char *folder, const char *name, size_t *size)
{
    static char text[65536];
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(text, 1, sizeof text - 1, file);
    text[*size] = '\0';
    fclose(file);
    unlink(path);
    return text;
}

/* The last line's value under a name of the head. */
static double csv_value(char *text, const char *name)
{
    char *head = text, *end = strrchr(text, '\n');
    *end = '\0';
    char *row = strrchr(text, '\n') + 1;
    *strchr(head, '\n') = '\0';
    for (;;) {
        size_t length = strcspn(head, ",");
        if (length == strlen(name) && strncmp(head, name, length) == 0)
            return strtod(row, NULL);
        assert_true(head[length] == ',');
        head += length + 1;
        row = strchr(row, ',') + 1;
    }
}

/* One fit to a CSV, an event file, lines, JSON and the live line. */
static void every_log_has_them(void **state)
{
    (void)state;
    char folder[64], csv_path[128], events_path[128];
    size_t size;
    world w;
    an_fit_result result;
    an_progress live;
    folder_make(folder);
    snprintf(csv_path, sizeof csv_path, "%s/log.csv", folder);
    snprintf(events_path, sizeof events_path, "%s/events", folder);
    FILE *lines = tmpfile(), *objects = tmpfile(), *screen = tmpfile();
    an_csv *csv = an_csv_new(csv_path, &(an_log_options){0}, NULL);
    an_events *events = an_events_new(events_path, &(an_events_options){0}, NULL);
    an_progress_init(&live, screen, 220, false);
    const an_callback callbacks[] = {an_csv_callback(csv), an_events_callback(events),
                                     an_console_logger(lines), an_json_logger(objects),
                                     an_progress_callback(&live)};
    open_world(&w);
    w.fit.callbacks = callbacks;
    w.fit.callback_count = 5;
    assert_true(an_fit(&w.fit, &result, NULL));
    an_csv_free(csv);
    an_events_free(events);
    const double expected = value(&result.last, "valid_first");
    assert_true(csv_value(read_whole(folder, "log.csv", &size), "valid_first") == expected);
    search s = {.tag = "epoch/valid_first"};
    const char *bytes = read_whole(folder, "events", &size);
    assert_true(an_events_read(bytes, size, look, &s, NULL));
    assert_true((float)s.value == (float)expected);
    FILE *const texts[] = {lines, objects, screen};
    static const char *const shown[] = {"  valid_first ", "\"valid_first\":", "   valid_first "};
    for (int i = 0; i < 3; i++) {
        static char text[65536];
        rewind(texts[i]);
        text[fread(text, 1, sizeof text - 1, texts[i])] = '\0';
        assert_non_null(strstr(text, shown[i]));
        fclose(texts[i]);
    }
    world_close(&w);
    folder_remove(folder);
}

static void the_store_has_them(void **state)
{
    (void)state;
    char folder[64], command[128];
    world w;
    an_table table;
    an_stored_runs list;
    an_fit_result result;
    folder_make(folder);
    an_store *store = an_store_open(folder, true, NULL);
    an_store_run *run =
        an_store_run_new(store, &(an_store_run_options){.base = "x", .log = {.every = 0}}, NULL);
    assert_non_null(run);
    const an_callback callback = an_store_run_callback(run);
    open_world(&w);
    w.fit.callbacks = &callback;
    w.fit.callback_count = 1;
    assert_true(an_fit(&w.fit, &result, NULL));
    assert_true(an_store_list(store, &list, NULL));
    assert_true(an_store_rows(store, list.runs[0].id, true, &table, NULL));
    assert_int_equal(table.rows, 3);
    size_t column = 0;
    while (column < table.columns && strcmp(table.names[column], "valid_first") != 0)
        column++;
    assert_true(column < table.columns);
    assert_true(table.values[2 * table.columns + column] == value(&result.last, "valid_first"));
    an_table_free(&table);
    an_stored_runs_free(&list);
    an_store_run_free(run);
    an_store_close(store);
    world_close(&w);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* ------------------------------------------------------------------- refused */

static void check_refused(an_fit_options *fit, const char *word)
{
    an_error err = {0};
    assert_false(an_fit(fit, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    if (!strstr(err.message, word))
        fail_msg("'%s' is not in: %s", word, err.message);
}

static void names_are_checked(void **state)
{
    (void)state;
    static const char *const taken[] = {"loss", "valid_accuracy", "lr",
                                        "lr2",  "momentum0",      "memory"};
    static const char long_name[] =
        "0123456789012345678901234567890123456789012345678901234567890123";
    world w;
    open_world(&w);
    an_metric list[17] = {{.name = "a", .add = hits}, {.name = "b", .valid = "a", .add = hits}};
    w.fit.metrics = list;
    w.fit.metric_count = 2;
    check_refused(&w.fit, "'a' already");
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        list[1].valid = taken[i];
        check_refused(&w.fit, taken[i]);
    }
    list[1].valid = "";
    check_refused(&w.fit, "63 bytes");
    list[1].valid = "two\nlines";
    check_refused(&w.fit, "control characters");
    list[1].valid = long_name;
    check_refused(&w.fit, "63 bytes");
    list[1].valid = long_name + 1;
    assert_true(an_fit(&w.fit, NULL, NULL));
    list[1] = (an_metric){.add = hits};
    check_refused(&w.fit, "number 2");
    list[1] = (an_metric){.name = "b"};
    check_refused(&w.fit, "number 2");
    char names[17][4];
    for (int i = 0; i < 17; i++) {
        snprintf(names[i], sizeof names[i], "m%d", i);
        list[i] = (an_metric){.name = names[i], .add = hits};
    }
    w.fit.metric_count = 17;
    check_refused(&w.fit, "at most 16");
    w.fit.metric_count = 16;
    assert_true(an_fit(&w.fit, NULL, NULL));
    list[15].valid = names[16];
    check_refused(&w.fit, "at most 16");
    world_close(&w);
}

static void monitors_are_checked(void **state)
{
    (void)state;
    world w;
    an_lr_desc desc;
    fill_nervous(&desc);
    open_world(&w);
    w.fit.monitor = AN_MONITOR_METRIC_MIN;
    check_refused(&w.fit, "''");
    w.fit.metric = "hist";
    check_refused(&w.fit, "'hist'");
    w.fit.metric = "valid_hits";
    an_lr_schedule *schedule = world_schedule(&w, &desc);
    w.fit.interval = AN_INTERVAL_STEP;
    check_refused(&w.fit, "interval epoch");
    w.fit.interval = AN_INTERVAL_EPOCH;
    assert_true(an_fit(&w.fit, NULL, NULL));
    w.fit.valid = NULL;
    check_refused(&w.fit, "validation set");
    an_lr_free(schedule);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_over_samples),
        cmocka_unit_test(an_evaluation_has_them),
        cmocka_unit_test(a_plateau_watches_the_validation),
        cmocka_unit_test(a_plateau_watches_updates),
        cmocka_unit_test(the_best_epoch_is_the_metrics),
        cmocka_unit_test(early_stopping_watches_a_metric),
        cmocka_unit_test(what_watches_no_metric_is_refused),
        cmocka_unit_test(resumed_within_an_epoch),
        cmocka_unit_test(a_run_at_its_end_has_its_values),
        cmocka_unit_test(a_new_metric_counts_from_there),
        cmocka_unit_test(a_metric_of_another_length_is_damage),
        cmocka_unit_test(rolled_back_sums_are_those_of_then),
        cmocka_unit_test(every_log_has_them),
        cmocka_unit_test(the_store_has_them),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(monitors_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
