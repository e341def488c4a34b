/* A run without a trainer: records that follow from the step alone, fed to one callback. */
#ifndef TEST_FAKE_RUN_H
#define TEST_FAKE_RUN_H

#include <anneal/track.h>

#define FAKE_BATCHES 7 /* updates in an epoch */
/* Seconds of an update with which a log of updates is written at each epoch's last one. */
#define FAKE_FLUSHING 0.15

/* What the callback asked for and told, all through. */
typedef struct fake_run {
    an_callback callback;
    an_control control;
    size_t groups, metrics;
    double seconds_per_step;
    int told;
    char kinds[512], last_text[AN_ERROR_MESSAGE_SIZE]; /* "log_failed log_recovered " */
} fake_run;

void fake_init(fake_run *run, an_callback callback);
/* The record after update `step`; 0 before the first one. */
an_record fake_record(const fake_run *run, int64_t step);
void fake_begin(fake_run *run, int64_t step);
/* Updates `from` + 1 to `to`, with the epochs' ends that lie there. */
void fake_train(fake_run *run, int64_t from, int64_t to);
void fake_end(fake_run *run, int64_t step);

typedef struct fake_state {
    unsigned char bytes[4096];
    size_t size;
    int64_t step;
} fake_state;

/* What a checkpoint at `step` calls. */
void fake_save(fake_run *run, int64_t step, fake_state *state);
bool fake_load(fake_run *run, const fake_state *state, an_error *err);

/* A folder of its own for each test, in which it begins. */
int enter_folder(void **state);
int leave_folder(void **state);

/* A whole file with a zero after it; to be freed. NULL: there is none. */
char *read_file(const char *path, size_t *size);
void write_file(const char *path, const void *bytes, size_t size);
void assert_same_files(const char *a, const char *b);

#endif
