/* Checkpoints as files: which stay, damaged ones, failures to write. */
#include "../base/failing_allocator.h"
#include "folder.h"

#include <signal.h>
#include <sys/resource.h>

/* A callback that asks for a checkpoint after every batch, every `best`th as the best. */
typedef struct saver {
    int64_t batches, best;
    int begins, ends;
} saver;

static void ask(void *user, const an_record *record, an_control *control)
{
    (void)record;
    saver *s = user;
    s->batches++;
    control->save = true;
    control->best = s->best > 0 && s->batches % s->best == 0;
}

static void count_begin(void *user, const an_record *record, an_control *control)
{
    (void)record, (void)control;
    ((saver *)user)->begins++;
}

static void count_end(void *user, const an_record *record, an_control *control)
{
    (void)record, (void)control;
    ((saver *)user)->ends++;
}

static an_callback saver_callback(saver *s)
{
    return (an_callback){
        .batch_end = ask, .save_begin = count_begin, .save_end = count_end, .user = s};
}

/* Trains one epoch of 5 batches in `folder`, with these callbacks. */
static bool train(const char *folder, int64_t keep, saver *s, told *t, bool must_save,
                  an_fit_result *result, an_error *err)
{
    world w = {.shuffle = true, .adam = true};
    an_callback callbacks[] = {saver_callback(s), told_callback(t)};
    world_open(&w);
    w.fit.epochs = 1;
    w.fit.checkpoints = folder;
    w.fit.keep = keep;
    w.fit.must_save = must_save;
    w.fit.callbacks = callbacks;
    w.fit.callback_count = 2;
    bool ok = an_fit(&w.fit, result, err);
    world_close(&w);
    return ok;
}

static void the_newest_stay(void **state)
{
    (void)state;
    static const int64_t keeps[] = {2, 1, 3, 0};
    for (size_t i = 0; i < 4; i++) {
        char folder[64], path[512];
        saver s = {0};
        told t = {0};
        an_fit_result result;
        an_checkpoint_info info;
        folder_make(folder);
        assert_true(train(folder, keeps[i], &s, &t, false, &result, NULL));
        assert_true(result.saved);
        /* Five batches, and the end of the epoch. */
        assert_int_equal(s.begins, 6);
        assert_int_equal(s.ends, 6);
        assert_int_equal(folder_each(folder, NULL), keeps[i] > 0 ? 2 * keeps[i] : 12);
        assert_true(folder_has(folder, "last-000006.state"));
        assert_true(folder_has(folder, "last-000006.safetensors"));
        assert_true(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, &info, NULL));
        assert_true(info.step == 5 && info.epoch == 1 && info.batch == 5 && !info.in_epoch);
        assert_true(info.threads == 1 && info.loss > 0 && isnan(info.valid_loss));
        assert_false(
            an_checkpoint_find(folder, AN_CHECKPOINT_BEST, path, sizeof path, &info, NULL));
        assert_string_equal(t.text, "");
        folder_remove(folder);
    }
}

static void the_best_stays_beside_them(void **state)
{
    (void)state;
    char folder[64], path[512];
    saver s = {.best = 2};
    told t = {0};
    an_checkpoint_info info;
    folder_make(folder);
    assert_true(train(folder, 1, &s, &t, false, NULL, NULL));
    assert_int_equal(folder_each(folder, NULL), 4);
    assert_true(folder_has(folder, "best-000004.state"));
    assert_true(folder_has(folder, "last-000006.state"));
    assert_true(an_checkpoint_find(folder, AN_CHECKPOINT_BEST, path, sizeof path, &info, NULL));
    assert_int_equal(info.step, 4);
    folder_remove(folder);
}

/* The best is one of the newest, so that a damaged one leaves others when each is better. */
static void the_newest_stay_where_each_is_the_best(void **state)
{
    (void)state;
    static const int64_t keeps[] = {2, 1, 3, 0};
    for (size_t i = 0; i < 4; i++) {
        char folder[64];
        saver s = {.best = 1};
        told t = {0};
        folder_make(folder);
        assert_true(train(folder, keeps[i], &s, &t, false, NULL, NULL));
        /* Five of the best, and the end of the epoch; of keep 1 the newest best stays beside it. */
        const int64_t stay = keeps[i] == 0 ? 6 : keeps[i] == 1 ? 2 : keeps[i];
        assert_int_equal(folder_each(folder, NULL), 2 * stay);
        assert_true(folder_has(folder, "best-000005.state"));
        assert_true(folder_has(folder, "last-000006.state"));
        folder_remove(folder);
    }
}

static void numbers_go_on_and_litter_goes(void **state)
{
    (void)state;
    static const char *const litter[] = {"last-000041.safetensors",
                                         "last-000007.safetensors.123-0.tmp",
                                         "best-000003.state.9-1.tmp"};
    static const char *const spared[] = {"last-12.state", "notes.tmp", "last-000001.txt", "last-"};
    char folder[64], path[512];
    saver s = {0};
    told t = {0};
    folder_make(folder);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, litter[i]);
        fclose(fopen(path, "w"));
    }
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, spared[i]);
        fclose(fopen(path, "w"));
    }
    assert_true(train(folder, 1, &s, &t, false, NULL, NULL));
    assert_int_equal(folder_each(folder, NULL), 2 + 4);
    assert_true(folder_has(folder, "last-000047.state"));
    folder_remove(folder);
}

/* ------------------------------------------------------------------ damaged */

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    unsigned char *bytes = malloc(1 << 20);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Checks that it is refused as damaged, and passed over for the one before it. */
static void expect_damaged(const char *folder, const char *path)
{
    char found[512];
    an_error err = {0};
    assert_false(an_checkpoint_check(path, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, folder));
    an_checkpoint_info info;
    assert_true(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, found, sizeof found, &info, NULL));
    assert_non_null(strstr(found, "last-000005"));
    assert_non_null(strstr(info.passed_over, "last-000006"));
}

static void every_wrong_bit_is_found(void **state)
{
    (void)state;
    static const char *const endings[] = {".state", ".safetensors"};
    char folder[64], path[512], file[600];
    saver s = {0};
    told t = {0};
    folder_make(folder);
    assert_true(train(folder, 2, &s, &t, false, NULL, NULL));
    folder_newest(folder, path);
    for (int f = 0; f < 2; f++) {
        size_t size;
        snprintf(file, sizeof file, "%s%s", path, endings[f]);
        unsigned char *bytes = read_file(file, &size);
        for (size_t at = 0; at < size; at += at < 700 ? 1 : 13) {
            bytes[at] ^= (unsigned char)(1u << at % 8);
            write_file(file, bytes, size);
            expect_damaged(folder, path);
            bytes[at] ^= (unsigned char)(1u << at % 8);
            if (at % 11 == 0) {
                write_file(file, bytes, at);
                expect_damaged(folder, path);
            }
        }
        write_file(file, bytes, size + 1);
        expect_damaged(folder, path);
        write_file(file, bytes, size);
        assert_true(an_checkpoint_check(path, NULL, NULL));
        assert_true(an_checkpoint_check(file, NULL, NULL)); /* with its ending */
        free(bytes);
    }
    folder_remove(folder);
}

static void nothing_to_find(void **state)
{
    (void)state;
    char folder[64], path[512];
    an_error err = {0};
    folder_make(folder);
    assert_false(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    assert_non_null(strstr(err.message, "no checkpoint in"));
    snprintf(path, sizeof path, "%s/last-000001.state", folder);
    write_file(path, "ANNEALck", 8); /* without weights it is none */
    assert_false(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, NULL, &err));
    snprintf(path, sizeof path, "%s/last-000001.safetensors", folder);
    write_file(path, "", 0);
    assert_false(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, "last-000001.state is not the state"));
    folder_remove(folder);
    assert_false(an_checkpoint_find(folder, AN_CHECKPOINT_LAST, path, sizeof path, NULL, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_false(an_checkpoint_find("/tmp", AN_CHECKPOINT_LAST, path, 3, NULL, NULL));
}

/* --------------------------------------------------------- failures to write */

static void a_folder_that_is_gone(void **state)
{
    (void)state;
    saver s = {0};
    told t = {0};
    an_error err = {0};
    an_fit_result result;
    assert_true(train("/tmp/anneal-no-such-folder", 2, &s, &t, false, &result, &err));
    assert_false(result.saved);
    assert_int_equal(result.last.step, 5);
    assert_int_equal(s.begins, 6); /* five batches and the end of it all */
    assert_int_equal(s.ends, 0);
    assert_non_null(strstr(t.text, "save_failed: no checkpoint was written at step 1: "));
    assert_non_null(strstr(t.text, "No such file or directory; the training goes on"));
    t = (told){0};
    assert_false(train("/tmp/anneal-no-such-folder", 2, &s, &t, true, &result, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_int_equal(result.last.step, 1);
    assert_non_null(strstr(t.text, "the training ends"));
}

/* A limit on the size of files stands in for a full disk: weights fit, states do not. */
static void a_full_disk_spares_what_is_there(void **state)
{
    (void)state;
    static const rlim_t limits[] = {0, 200, 1200};
    char folder[64], path[512], again[512];
    saver s = {0};
    told t = {0};
    struct rlimit old, small;
    folder_make(folder);
    assert_true(train(folder, 1, &s, &t, false, NULL, NULL));
    folder_newest(folder, path);
    getrlimit(RLIMIT_FSIZE, &old);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (int i = 0; i < 3; i++) {
        an_fit_result result;
        t = (told){0};
        small = old;
        small.rlim_cur = limits[i];
        setrlimit(RLIMIT_FSIZE, &small);
        bool ok = train(folder, 1, &s, &t, false, &result, NULL);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_true(ok && !result.saved);
        assert_non_null(strstr(t.text, "File too large"));
        folder_newest(folder, again);
        assert_string_equal(path, again);
        assert_int_equal(folder_each(folder, NULL), 2);
    }
    signal(SIGXFSZ, handler);
    folder_remove(folder);
}

static void poison(void *user, const an_record *record, an_control *control)
{
    (void)record;
    world *w = user;
    an_params_get(an_model_params(w->model), 0)->tensor->data[0] = NAN;
    control->save = control->stop = true;
}

static void weights_that_are_no_numbers_are_not_saved(void **state)
{
    (void)state;
    char folder[64];
    told t = {0};
    world w = {0};
    folder_make(folder);
    world_open(&w);
    an_callback callbacks[] = {{.batch_end = poison, .user = &w}, told_callback(&t)};
    w.fit.epochs = 1;
    w.fit.checkpoints = folder;
    w.fit.callbacks = callbacks;
    w.fit.callback_count = 2;
    assert_true(an_fit(&w.fit, NULL, NULL));
    assert_non_null(strstr(t.text, "'0.weight' holds a value that is NaN or infinite"));
    assert_int_equal(folder_each(folder, NULL), 0);
    world_close(&w);
    folder_remove(folder);
}

/* Out of memory, a checkpoint is not written or not gone on from; the training goes on, or not. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    char folder[64], path[512];
    saver s = {0};
    told t = {0};
    folder_make(folder);
    assert_true(train(folder, 1, &s, &t, false, NULL, NULL));
    folder_newest(folder, path);
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = -1};
        world w = {.shuffle = true, .adam = true, .allocator = failing_hooks(&failing)};
        an_error err = {0};
        world_open(&w);
        w.fit.epochs = 2;
        w.fit.keep = 1;
        w.fit.must_save = true;
        w.fit.checkpoints = folder;
        w.fit.resume = path;
        failing.requests = 0;
        failing.fail_at = n;
        bool ok = an_fit(&w.fit, NULL, &err);
        assert_true(ok || err.code == AN_ERROR_MEMORY);
        long requests = failing.requests;
        world_close(&w);
        assert_int_equal(failing.blocks, 0);
        if (requests <= n) {
            assert_true(ok && n > 4);
            break;
        }
        folder_newest(folder, path);
    }
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_stay),
        cmocka_unit_test(the_best_stays_beside_them),
        cmocka_unit_test(the_newest_stay_where_each_is_the_best),
        cmocka_unit_test(numbers_go_on_and_litter_goes),
        cmocka_unit_test(every_wrong_bit_is_found),
        cmocka_unit_test(nothing_to_find),
        cmocka_unit_test(a_folder_that_is_gone),
        cmocka_unit_test(a_full_disk_spares_what_is_there),
        cmocka_unit_test(weights_that_are_no_numbers_are_not_saved),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
