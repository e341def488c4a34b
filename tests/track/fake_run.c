#include "fake_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void hear(void *host, const char *kind, const char *text)
{
    fake_run *run = host;
    run->told++;
    strncat(run->kinds, kind, sizeof run->kinds - strlen(run->kinds) - 1);
    strncat(run->kinds, " ", sizeof run->kinds - strlen(run->kinds) - 1);
    snprintf(run->last_text, sizeof run->last_text, "%s", text);
    if (run->callback.event) {
        an_record record = fake_record(run, 0);
        run->callback.event(run->callback.user, &record, &(an_event){kind, text});
    }
}

void fake_init(fake_run *run, an_callback callback)
{
    *run = (fake_run){.callback = callback, .groups = 1, .seconds_per_step = 0.01};
    run->control = (an_control){.rate_factor = 1, .tell = hear, .host = run};
}

an_record fake_record(const fake_run *run, int64_t step)
{
    static const char *const names[] = {"top5", "valid,top5"};
    int64_t before = step > 0 ? step - 1 : 0;
    an_record r = {
        .step = step,
        .steps = 100,
        .epoch = step > 0 ? before / FAKE_BATCHES + 1 : 0,
        .epochs = 15,
        .batch = step > 0 ? before % FAKE_BATCHES + 1 : 0,
        .batches = FAKE_BATCHES,
        .samples = 64 * step,
        .train_samples = 64 * FAKE_BATCHES,
        .seconds = run->seconds_per_step * (double)step,
        .epoch_seconds = 0.1,
        .batch_seconds = 0.01,
        .loss = 2.3 / (1 + (double)step),
        .accuracy = 1 - 1 / (1.5 + (double)step),
        .batch_loss = 2.3 / (1 + (double)step) + 0.01 * sin((double)step),
        .valid_loss = NAN,
        .valid_accuracy = NAN,
        .metric_count = run->metrics,
        .groups = run->groups,
        .grad_norm = step % 2 ? 1.0 / 3 : NAN,
        .samples_per_second = 6400,
        .memory = 1 << 20,
    };
    for (size_t i = 0; i < run->metrics; i++)
        r.metrics[i] = (an_named_value){names[i % 2], (double)step / 7 + (double)i};
    for (size_t i = 0; i < run->groups; i++) {
        r.lr[i] = 0.1 / (1 + (double)before) / (double)(i + 1);
        r.momentum[i] = i == 0 ? 0.9 : NAN;
    }
    return r;
}

static void call(fake_run *run, an_callback_function *function, const an_record *record)
{
    if (function)
        function(run->callback.user, record, &run->control);
}

void fake_begin(fake_run *run, int64_t step)
{
    an_record record = fake_record(run, step);
    call(run, run->callback.train_begin, &record);
}

void fake_train(fake_run *run, int64_t from, int64_t to)
{
    for (int64_t step = from + 1; step <= to; step++) {
        an_record record = fake_record(run, step);
        if (record.batch == 1)
            call(run, run->callback.epoch_begin, &record);
        call(run, run->callback.batch_end, &record);
        if (record.batch == FAKE_BATCHES) {
            record.valid_loss = record.loss * 1.125;
            record.valid_accuracy = record.accuracy * 0.875;
            call(run, run->callback.epoch_end, &record);
        }
    }
}

void fake_end(fake_run *run, int64_t step)
{
    an_record record = fake_record(run, step);
    call(run, run->callback.train_end, &record);
}

void fake_save(fake_run *run, int64_t step, fake_state *state)
{
    an_record record = fake_record(run, step);
    call(run, run->callback.save_begin, &record);
    state->step = step;
    state->size = run->callback.save_state(run->callback.user, NULL, 0);
    assert_true(state->size <= sizeof state->bytes);
    assert_int_equal(
        run->callback.save_state(run->callback.user, state->bytes, sizeof state->bytes),
        state->size);
    call(run, run->callback.save_end, &record);
}

bool fake_load(fake_run *run, const fake_state *state, an_error *err)
{
    an_record record = fake_record(run, state->step);
    return run->callback.load_state(run->callback.user, &record, state->size ? state->bytes : NULL,
                                    state->size, err);
}

int enter_folder(void **state)
{
    char *folder = strdup("/tmp/anneal-track-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

int leave_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", (char *)*state,
             (char *)*state);
    free(*state);
    if (chdir("/") != 0)
        return -1;
    return system(command); /* NOLINT(cert-env33-c): the text is ours */
}

char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *size, file), *size);
    text[*size] = '\0';
    fclose(file);
    return text;
}

void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void assert_same_files(const char *a, const char *b)
{
    size_t a_size = 0, b_size = 0;
    char *first = read_file(a, &a_size), *second = read_file(b, &b_size);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(first, second, a_size);
    free(first);
    free(second);
}
