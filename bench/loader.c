/*
 * What preparing batches costs: microseconds per batch of 64 on MNIST, shuffled, at 1 and 2
 * threads. Between batches the program goes through 1 MB of floats, as a training step would, on
 * all threads, so that the loader finds caches and threads as it does there; only the loader is
 * timed.
 *
 *   bench-loader [FOLDER]        default: data/mnist
 */
#include "tensor/kernels/kernels.h"

#include <anneal/data.h>

#include <stdio.h>

#include "bench.h"

#define BATCH 64
#define EPOCHS 7
#define WORK_FLOATS (1 << 18)

static int fail(const an_error *err)
{
    fprintf(stderr, "bench-loader: %s\n", err->message);
    return 1;
}

static void work(void *arg, int64_t begin, int64_t end)
{
    float *floats = arg;
    for (int64_t i = begin; i < end; i++) {
        floats[i] = floats[i] * 0.5F + 1;
    }
}

/* Seconds inside the loader during one epoch, the making of its order included. */
static double time_epoch(an_context *context, an_loader *loader, float *floats)
{
    double total = 0;
    an_batch batch;
    for (bool more = true; more;) {
        double start = now();
        more = an_loader_next(loader, &batch);
        total += now() - start;
        an__parallel(context, WORK_FLOATS, 1024, work, floats);
    }
    return total;
}

static bool measure(const an_dataset *train, int threads, float *floats, an_error *err)
{
    an_context_options how = {.threads = threads};
    an_context *context = an_context_new(&how, err);
    an_loader_options options = an_loader_defaults();
    options.batch_size = BATCH;
    options.shuffle = true;
    options.mean = 0.1307;
    options.deviation = 0.3081;
    an_loader *loader = context != NULL ? an_loader_new(context, train, &options, err) : NULL;
    if (loader == NULL) {
        an_context_free(context);
        return false;
    }
    double seconds[EPOCHS];
    for (int i = 0; i < EPOCHS; i++) {
        seconds[i] = time_epoch(context, loader, floats);
    }
    const double middle = median(seconds, EPOCHS);
    double scale = 1e6 / (double)an_loader_batches(loader);
    printf("%d thread%s  %d-bit kernels  %.2f us per batch of %d (least %.2f)\n", threads,
           threads == 1 ? " " : "s", an_context_vector_bits(context), middle * scale, BATCH,
           seconds[0] * scale);
    an_loader_free(loader);
    an_context_free(context);
    return true;
}

int main(int argc, char **argv)
{
    an_error err = {0};
    an_allocator allocator = an_allocator_default();
    double start = now();
    an_dataset *train = an_mnist_open(&allocator, argc > 1 ? argv[1] : "data/mnist", true, &err);
    if (train == NULL) {
        return fail(&err);
    }
    printf("reading the training set  %.0f ms\n", 1e3 * (now() - start));
    float *floats = calloc(WORK_FLOATS, sizeof *floats);
    bool done =
        floats != NULL && measure(train, 1, floats, &err) && measure(train, 2, floats, &err);
    free(floats);
    an_dataset_free(train);
    return done ? 0 : fail(&err);
}
