/*
 * bench/logs.c - what logging every update costs: 784-128-10 at batch 64 is trained by an_fit with
 * the CSV, the event file and the store of runs attached, which get every update in some blocks of
 * epochs and nothing in the others.
 *
 *   logs THREADS PAIRS FOLDER RUNS      FOLDER holds MNIST; the logs are made in RUNS, which exists
 *
 * prints one JSON object: the seconds of an epoch in each block without the logs, with them in its
 * neighbour, and those of them that pass in the logs' own calls. All of it is one process, because
 * where its memory lies makes one process several per cent faster than the next; within a pair,
 * first with and first without take turns. At the end of a block the logs are made to believe that
 * their second of waiting is over, so that every block writes the rows that it adds: with blocks of
 * one epoch, a dozen times as often as in a training.
 */
#include <anneal/data.h>
#include <anneal/nn.h>
#include <anneal/optim.h>
#include <anneal/store.h>
#include <anneal/train.h>

#include <stdio.h>

#include "bench.h"

enum { MOST_PAIRS = 1000, BLOCK = 1, LOGS = 3 };

/* The logs behind a gate, and a clock. */
typedef struct bench {
    an_csv *csv;
    an_events *events;
    an_store *store;
    an_store_run *run;
    an_callback log[LOGS];
    bool open;
    double begun;
    double calls; /* seconds in the logs since the block began */
    double without[MOST_PAIRS], with[MOST_PAIRS], inside[MOST_PAIRS]; /* seconds of an epoch */
} bench;

/* ----------------------------------------------------------- the callbacks */

static void train_begin(void *user, const an_record *record, an_control *control)
{
    bench *b = user;
    for (int i = 0; i < LOGS; i++)
        b->log[i].train_begin(b->log[i].user, record, control);
}

static void train_end(void *user, const an_record *record, an_control *control)
{
    bench *b = user;
    for (int i = 0; i < LOGS; i++)
        b->log[i].train_end(b->log[i].user, record, control);
}

/* The clock is read without the logs too, so that it is in no difference. */
static void batch_end(void *user, const an_record *record, an_control *control)
{
    bench *b = user;
    const double begun = now();
    for (int i = 0; b->open && i < LOGS; i++)
        b->log[i].batch_end(b->log[i].user, record, control);
    b->calls += now() - begun;
}

/* Blocks come without, with, with, without; the one before the first pair is not counted. */
static void epoch_begin(void *user, const an_record *record, an_control *control)
{
    bench *b = user;
    const int64_t block = (record->epoch - 1) / BLOCK - 1;
    (void)control;
    if ((record->epoch - 1) % BLOCK != 0)
        return;
    b->open = block >= 0 && (block % 4 == 1 || block % 4 == 2);
    b->calls = 0;
    b->begun = now();
}

static void epoch_end(void *user, const an_record *record, an_control *control)
{
    bench *b = user;
    const int64_t block = record->epoch / BLOCK - 2;
    const double begun = now();
    an_record late = *record;
    late.seconds += record->epoch % BLOCK == 0 ? 10.0 * (double)record->epoch : 0;
    for (int i = 0; b->open && i < LOGS; i++)
        b->log[i].epoch_end(b->log[i].user, &late, control);
    b->calls += now() - begun;
    if (record->epoch % BLOCK != 0 || block < 0)
        return;
    (b->open ? b->with : b->without)[block / 2] = (now() - b->begun) / BLOCK;
    if (b->open)
        b->inside[block / 2] = b->calls / BLOCK;
}

/* ------------------------------------------------------------ the training */

static bool open_logs(bench *b, const char *folder, an_error *err)
{
    char path[1024];
    const an_log_options log = {.every = 1};
    snprintf(path, sizeof path, "%s/log.csv", folder);
    b->csv = an_csv_new(path, &log, err);
    snprintf(path, sizeof path, "%s/events.out.tfevents.1", folder);
    b->events = b->csv ? an_events_new(path, &(an_events_options){.log = log}, err) : NULL;
    b->store = b->events ? an_store_open(folder, true, err) : NULL;
    if (!b->store)
        return false;
    b->run = an_store_run_new(b->store, &(an_store_run_options){.base = "logs", .log = log}, err);
    if (!b->run)
        return false;
    b->log[0] = an_csv_callback(b->csv);
    b->log[1] = an_events_callback(b->events);
    b->log[2] = an_store_run_callback(b->run);
    return true;
}

static bool train(bench *b, an_model *model, an_optim *optim, an_loader *loader, int pairs,
                  an_error *err)
{
    const an_callback callback = {.train_begin = train_begin,
                                  .train_end = train_end,
                                  .epoch_begin = epoch_begin,
                                  .epoch_end = epoch_end,
                                  .batch_end = batch_end,
                                  .user = b};
    an_fit_options options = an_fit_defaults();
    options.model = model;
    options.loss = an_loss_defaults(AN_CROSS_ENTROPY_LOSS);
    options.optim = optim;
    options.train = loader;
    options.epochs = (2 * pairs + 1) * BLOCK;
    options.callbacks = &callback;
    options.callback_count = 1;
    return an_fit(&options, NULL, err);
}

/* Builds everything around the training and takes it down again. */
static bool measure(bench *b, int threads, int pairs, const char *data, an_error *err)
{
    bool done = false;
    an_loader_options batches = an_loader_defaults();
    batches.batch_size = 64;
    batches.mean = 0.1307;
    batches.deviation = 0.3081;
    batches.shuffle = true;
    batches.seed = 1;
    an_context *context = an_context_new(&(an_context_options){.threads = threads}, err);
    an_dataset *set =
        context ? an_mnist_open(an_context_allocator(context), data, true, err) : NULL;
    an_loader *loader = set ? an_loader_new(context, set, &batches, err) : NULL;
    an_model *model = loader ? an_model_new(context, err) : NULL;
    if (model) {
        an_model_add(model, "Flatten()", NULL);
        an_model_add(model, "Linear(784, 128)", NULL);
        an_model_add(model, "ReLU()", NULL);
        an_model_add(model, "Linear(128, 10)", NULL);
    }
    if (model && an_model_build(model, an_dataset_shape(set), 1, err)) {
        an_optim *optim = an_optim_parse(an_model_params(model), "SGD(lr=0.01, momentum=0.9)", err);
        done = optim && train(b, model, optim, loader, pairs, err);
        an_optim_free(optim);
    }
    an_model_free(model);
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
    return done;
}

static void print_seconds(const char *name, const double *seconds, int count)
{
    printf("\"%s\": [", name);
    for (int i = 0; i < count; i++)
        printf("%s%.7f", i > 0 ? ", " : "", seconds[i]);
    printf("]");
}

int main(int argc, char **argv)
{
    static bench b;
    an_error err = {0};
    const int threads = argc == 5 ? parse_count(argv[1], 1, 64) : -1;
    const int pairs = argc == 5 ? parse_count(argv[2], 1, MOST_PAIRS) : -1;
    if (threads < 0 || pairs < 0) {
        fprintf(stderr, "usage: logs THREADS PAIRS FOLDER RUNS\n");
        return 2;
    }
    const bool done = open_logs(&b, argv[4], &err) && measure(&b, threads, pairs, argv[3], &err);
    if (done) {
        printf("{");
        print_seconds("without", b.without, pairs);
        printf(", ");
        print_seconds("with", b.with, pairs);
        printf(", ");
        print_seconds("inside", b.inside, pairs);
        printf("}\n");
    } else {
        fprintf(stderr, "logs: %s\n", err.message);
    }
    an_store_run_free(b.run);
    an_store_close(b.store);
    an_events_free(b.events);
    an_csv_free(b.csv);
    return done ? 0 : 1;
}
