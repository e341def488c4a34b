#include "data/dataset.h"
#include "data/gather.h"
#include "data/order.h"

#include "tensor/kernels/kernels.h"

#include <math.h>
#include <string.h>

/* Bytes for a thread, at least: below that, a second thread costs more than it brings. */
#define GRAIN_BYTES 16384
/* Bytes of a piece of the next batch: the worker that prepares it is wanted elsewhere soon. */
#define PIECE_BYTES 2048
/* How far the kernel asks memory ahead of what it converts: 8 rows of MNIST, by measurement. */
#define AHEAD_BYTES 6271
#define AHEAD_MOST 64

/* What a batch consists of. */
typedef struct batch_room {
    an_tensor *x, *target;
    int32_t *labels; /* of tokens */
} batch_room;

/*
 * `rows` is the order of the present epoch, as rows of the dataset's tables; behind its last entry
 * stand `ahead` zeros, which the kernel's prefetch may look at. `labels` are in the same order: a
 * batch's are a piece of them (of tokens, a batch has its own). Sample `at` of the epoch comes
 * next.
 *
 * With workers, the batch after the one delivered is prepared while that one is computed on: by
 * workers that would wait, in the second tensor. an__later's task is the whole story of it.
 */
struct an_loader {
    an_context *context;
    const an_dataset *dataset;
    an_loader_options options;
    int64_t capacity;  /* of a batch, in samples */
    int64_t allocated; /* what there is room for */
    int64_t drawn;     /* in an epoch: the dataset's samples, or as many as were asked for */
    int64_t samples;   /* delivered of them */
    int64_t ahead;     /* rows, as of the kernel */
    int64_t epoch, at;
    int64_t phase; /* of the epoch's tokens */
    bool ordered;  /* rows holds the order of `epoch` */
    int32_t *rows, *labels;
    double *sums;       /* of the weights (data/order.h); NULL: every sample once */
    batch_room room[2]; /* without workers, one */
    int next;           /* which one the batch to come is in */
    bool coming;        /* it is being filled, by `gather` */
    an_gather gather;
    float scale, shift; /* x = byte * scale + shift */
};

an_loader_options an_loader_defaults(void)
{
    return (an_loader_options){.batch_size = 1, .deviation = 1};
}

/* ------------------------------------------------------------------------ construction */

static bool check_options(const an_dataset *dataset, const an_loader_options *options,
                          an_error *err)
{
    if (options->batch_size < 1) {
        return an_error_set(err, AN_ERROR_ARGUMENT, "batch_size must be at least 1, got %lld",
                            (long long)options->batch_size);
    }
    const int64_t drawn = options->samples > 0 ? options->samples : dataset->count;
    if (options->samples < 0 || options->samples > AN_MOST_DRAWN ||
        (options->samples > 0 && !options->weights)) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "samples may be from 1 to %d where weights say how they are drawn, "
                            "else 0, got %lld; more of them are more epochs",
                            AN_MOST_DRAWN, (long long)options->samples);
    }
    if (options->drop_last && options->batch_size > drawn) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "batch_size %lld with drop_last leaves no batch of %lld samples; use "
                            "at most %lld",
                            (long long)options->batch_size, (long long)drawn, (long long)drawn);
    }
    if (!isfinite(options->mean)) {
        return an_error_set(err, AN_ERROR_ARGUMENT, "the mean must be a finite number, got %g",
                            options->mean);
    }
    if (!(options->deviation > 0) || !isfinite(options->deviation)) {
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "the deviation must be finite and greater than 0, got %g",
                            options->deviation);
    }
    return an__augment_check(&options->augment, dataset, err);
}

static bool set_normalization(an_loader *loader, an_error *err)
{
    const an_loader_options *options = &loader->options;
    const double unit = loader->dataset->kind == AN_DATA_BYTES ? 255 : 1;
    loader->scale = (float)(1 / (unit * options->deviation));
    loader->shift = (float)(-options->mean / options->deviation);
    return (isfinite(loader->scale) && isfinite(loader->shift)) ||
           an_error_set(err, AN_ERROR_ARGUMENT,
                        "mean %g and deviation %g make values that are too large for a float; use "
                        "a greater deviation",
                        options->mean, options->deviation);
}

static size_t rows_size(const an_loader *loader)
{
    return (size_t)(loader->drawn + loader->ahead);
}

/* Rows in order need no help: the processor sees where they lead. */
static int64_t rows_ahead(const an_dataset *dataset, bool shuffle)
{
    int64_t rows = AHEAD_BYTES / dataset->width + 1;
    rows = rows < AHEAD_MOST ? rows : AHEAD_MOST;
    return shuffle ? rows : 0;
}

static int64_t room_count(const an_loader *loader)
{
    return an_context_threads(loader->context) > 1 ? 2 : 1;
}

static size_t batch_labels(const an_loader *loader)
{
    return loader->dataset->kind == AN_DATA_TOKENS
               ? (size_t)(loader->allocated * loader->dataset->width)
               : 0;
}

static bool allocate_room(an_loader *loader, batch_room *room, an_error *err)
{
    const an_shape sample = loader->dataset->shape;
    an_shape shape = {.ndim = sample.ndim + 1, .dim = {loader->allocated}};
    memcpy(shape.dim + 1, sample.dim, (size_t)sample.ndim * sizeof *sample.dim);
    room->x = an_tensor_new(loader->context, shape, err);
    if (room->x == NULL)
        return false;
    const int64_t targets = loader->dataset->target_count;
    if (targets > 0) {
        room->target = an_tensor_new(loader->context, an_shape_2(loader->allocated, targets), err);
        return room->target != NULL;
    }
    if (batch_labels(loader) == 0)
        return true;
    room->labels = an_alloc(an_context_allocator(loader->context), batch_labels(loader),
                            sizeof *room->labels, err);
    return room->labels != NULL;
}

static bool allocate(an_loader *loader, an_error *err)
{
    const an_allocator *allocator = an_context_allocator(loader->context);
    loader->rows = an_alloc(allocator, rows_size(loader), sizeof *loader->rows, err);
    if (loader->rows == NULL)
        return false;
    size_t count = (size_t)loader->drawn;
    loader->labels = an_alloc(allocator, count, sizeof *loader->labels, err);
    if (loader->labels == NULL)
        return false;
    if (loader->options.weights) {
        loader->sums =
            an__weights_sum(allocator, loader->options.weights, loader->dataset->count, err);
        loader->options.weights = NULL; /* the caller's, and no longer needed */
        if (loader->sums == NULL)
            return false;
    }
    for (int64_t i = 0; i < room_count(loader); i++)
        if (!allocate_room(loader, &loader->room[i], err))
            return false;
    return true;
}

static void take_size(an_loader *loader, int64_t size)
{
    const int64_t count = loader->drawn;
    loader->capacity = size < count ? size : count;
    loader->samples = loader->options.drop_last ? count - count % loader->capacity : count;
}

an_loader *an_loader_new(an_context *context, const an_dataset *dataset,
                         const an_loader_options *options, an_error *err)
{
    const an_loader_options standard = an_loader_defaults();
    if (!options)
        options = &standard;
    if (!check_options(dataset, options, err))
        return NULL;
    an_loader *loader = an_alloc(an_context_allocator(context), 1, sizeof *loader, err);
    if (loader == NULL)
        return NULL;
    loader->context = context;
    loader->dataset = dataset;
    loader->options = *options;
    loader->drawn = options->samples > 0 ? options->samples : dataset->count;
    take_size(loader, options->batch_size);
    loader->allocated = loader->capacity;
    loader->ahead = rows_ahead(dataset, options->shuffle || options->weights);
    if (!set_normalization(loader, err) || !allocate(loader, err)) {
        an_loader_free(loader);
        return NULL;
    }
    return loader;
}

/* The first dimension is that of the batch; a tensor is freed as it was made. */
static void set_size(an_tensor *tensor, int64_t size)
{
    tensor->shape.dim[0] = size;
    tensor->size = an_shape_size(tensor->shape);
}

static void set_batch_size(batch_room *room, int64_t size)
{
    set_size(room->x, size);
    if (room->target != NULL)
        set_size(room->target, size);
}

static void free_tensor(const an_loader *loader, an_tensor *tensor)
{
    if (tensor != NULL) {
        set_size(tensor, loader->allocated);
        an_tensor_free(loader->context, tensor);
    }
}

static void free_room(const an_loader *loader, batch_room *room)
{
    free_tensor(loader, room->x);
    free_tensor(loader, room->target);
    an_release(an_context_allocator(loader->context), room->labels, batch_labels(loader),
               sizeof *room->labels);
    *room = (batch_room){0};
}

/* Ends the work on the batch to come, if there is any. */
static void settle(an_loader *loader)
{
    if (loader->coming)
        an__later_finish(loader->context);
    loader->coming = false;
}

void an_loader_free(an_loader *loader)
{
    if (loader == NULL)
        return;
    const an_allocator *allocator = an_context_allocator(loader->context);
    settle(loader);
    for (int i = 0; i < 2; i++)
        free_room(loader, &loader->room[i]);
    size_t count = (size_t)loader->drawn;
    an_release(allocator, loader->sums, (size_t)loader->dataset->count, sizeof *loader->sums);
    an_release(allocator, loader->labels, count, sizeof *loader->labels);
    an_release(allocator, loader->rows, rows_size(loader), sizeof *loader->rows);
    an_release(allocator, loader, 1, sizeof *loader);
}

/* ----------------------------------------------------------------------------- batches */

/* The order depends on the seed and the epoch alone, not on what was delivered before. */
static void begin_epoch(an_loader *loader)
{
    const an_dataset *dataset = loader->dataset;
    const bool shuffle = loader->options.shuffle;
    an_rng rng = an_rng_init(loader->options.seed, AN_STREAM_ORDER + (uint64_t)loader->epoch);
    if (loader->sums) {
        an__weights_draw(loader->sums, dataset->count, &rng, loader->rows, loader->drawn);
    } else if (shuffle) {
        an_rng_permutation(&rng, loader->rows, loader->drawn);
    } else {
        for (int64_t i = 0; i < loader->drawn; i++)
            loader->rows[i] = (int32_t)i;
    }
    for (int64_t i = 0; i < loader->drawn; i++)
        loader->rows[i] = an__dataset_row(dataset, loader->rows[i]);
    for (int64_t i = 0; dataset->labels && i < loader->drawn; i++)
        loader->labels[i] = dataset->labels[loader->rows[i]];
    loader->phase = an__tokens_phase(dataset, shuffle, &rng);
    loader->ordered = true;
}

/* Batches' sizes from the present place on: full ones, and at the end of the samples the rest. */
static int64_t next_size(const an_loader *loader)
{
    const int64_t left = loader->samples - loader->at;
    return left < loader->capacity ? left : loader->capacity;
}

/* Describes the filling of the next room with the `size` samples from the present place on. */
static void plan(an_loader *loader, int64_t size)
{
    const an_dataset *dataset = loader->dataset;
    batch_room *room = &loader->room[loader->next];
    set_batch_size(room, size);
    loader->gather = (an_gather){.dataset = dataset,
                                 .kernel = an__kernels(loader->context)->bytes,
                                 .target = room->target ? room->target->data : NULL,
                                 .labels = room->labels,
                                 .phase = loader->phase,
                                 .augment = loader->options.augment,
                                 .chance = an__augment_chance(loader->options.seed, loader->epoch),
                                 .first = loader->at,
                                 .work = {.pixels = dataset->pixels,
                                          .rows = loader->rows + loader->at,
                                          .width = dataset->width,
                                          .ahead = loader->ahead,
                                          .scale = loader->scale,
                                          .shift = loader->shift,
                                          .out = room->x->data}};
}

/* Fills the next room now, unless that has been done meanwhile. */
static void fill(an_loader *loader, int64_t size)
{
    if (loader->coming) {
        settle(loader);
        return;
    }
    plan(loader, size);
    const int64_t grain = GRAIN_BYTES / loader->dataset->width + 1;
    an__parallel(loader->context, size, grain, an__gather, &loader->gather);
}

/* Has the workers fill the next room with the batch after this one, when they find time. */
static void prepare(an_loader *loader)
{
    const int64_t size = next_size(loader);
    if (size == 0 || room_count(loader) == 1)
        return;
    plan(loader, size);
    const int64_t grain = PIECE_BYTES / loader->dataset->width + 1;
    loader->coming = an__later(loader->context, size, grain, an__gather, &loader->gather);
}

bool an_loader_next(an_loader *loader, an_batch *batch)
{
    if (!loader->ordered)
        begin_epoch(loader);
    const int64_t size = next_size(loader);
    if (size == 0) {
        an_loader_seek(loader, loader->epoch + 1);
        return false;
    }
    fill(loader, size);
    const batch_room *room = &loader->room[loader->next];
    *batch = (an_batch){
        .x = room->x, .target = room->target, .size = size, .index = loader->at / loader->capacity};
    if (room->labels)
        batch->y = (an_labels){room->labels, room->x->size};
    else if (!room->target)
        batch->y = (an_labels){loader->labels + loader->at, size};
    loader->next = (loader->next + 1) % (int)room_count(loader);
    loader->at += size;
    prepare(loader);
    return true;
}

void an_loader_seek(an_loader *loader, int64_t epoch)
{
    an_loader_seek_batch(loader, epoch, 0);
}

void an_loader_seek_batch(an_loader *loader, int64_t epoch, int64_t batch)
{
    const int64_t end = loader->samples;
    batch = batch < 0 ? 0 : batch > end ? end : batch;
    settle(loader);
    loader->epoch = epoch;
    loader->at = batch * loader->capacity < end ? batch * loader->capacity : end;
    loader->ordered = false;
}

/* Rooms of another size in the place of those that there are; those stay if there is no memory. */
static bool enlarge(an_loader *loader, int64_t size, an_error *err)
{
    an_loader larger = *loader;
    memset(larger.room, 0, sizeof larger.room);
    larger.allocated = size;
    for (int64_t i = 0; i < room_count(loader); i++)
        if (!allocate_room(&larger, &larger.room[i], err)) {
            for (int k = 0; k < 2; k++)
                free_room(&larger, &larger.room[k]);
            return false;
        }
    for (int i = 0; i < 2; i++)
        free_room(loader, &loader->room[i]);
    memcpy(loader->room, larger.room, sizeof larger.room);
    loader->allocated = size;
    return true;
}

bool an_loader_set_batch_size(an_loader *loader, int64_t size, an_error *err)
{
    const int64_t count = loader->drawn;
    if (size < 1)
        return an_error_set(err, AN_ERROR_ARGUMENT, "batch_size must be at least 1, got %lld",
                            (long long)size);
    size = size < count ? size : count;
    settle(loader);
    if (size > loader->allocated && !enlarge(loader, size, err))
        return false;
    take_size(loader, size);
    an_loader_seek(loader, loader->epoch);
    return true;
}

int64_t an_loader_batches(const an_loader *loader)
{
    return (loader->samples + loader->capacity - 1) / loader->capacity;
}

int64_t an_loader_samples(const an_loader *loader)
{
    return loader->samples;
}

/* ------------------------------------------------------------------------- fingerprint */

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* The same of a number's eight bytes, the lowest first. */
static uint64_t mix_number(uint64_t hash, int64_t number)
{
    for (int i = 0; i < 8; i++)
        hash = (hash ^ ((uint64_t)number >> (8 * i) & 0xFF)) * UINT64_C(0x100000001b3);
    return hash;
}

/* Rows whose pixels count: enough to tell sets apart, too few to take time. */
#define ROWS_LOOKED_AT 64

static uint64_t mix_row(uint64_t hash, const an_dataset *dataset, int64_t row)
{
    const size_t width = (size_t)dataset->width, targets = (size_t)dataset->target_count;
    const int64_t at = row * dataset->width;
    if (dataset->kind == AN_DATA_BYTES)
        hash = mix(hash, dataset->pixels + at, width);
    else if (dataset->kind == AN_DATA_FLOATS)
        hash = mix(hash, dataset->values + at, width * sizeof *dataset->values);
    else
        hash = mix(hash, dataset->tokens + at, (width + 1) * sizeof *dataset->tokens);
    if (targets > 0)
        hash = mix(hash, dataset->targets + row * dataset->target_count,
                   targets * sizeof *dataset->targets);
    return hash;
}

uint64_t an_loader_fingerprint(const an_loader *loader)
{
    const an_dataset *dataset = loader->dataset;
    const an_loader_options *o = &loader->options;
    const int64_t numbers[] = {dataset->count, dataset->width, dataset->classes, o->batch_size,
                               o->shuffle,     o->drop_last,   (int64_t)o->seed};
    const float scaling[] = {loader->scale, loader->shift};
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash = mix_number(hash, numbers[i]);
    hash = mix(hash, scaling, sizeof scaling);
    if (o->augment.shift > 0 || o->augment.flip > 0) {
        hash = mix_number(hash, o->augment.shift);
        hash = mix(hash, &o->augment.flip, sizeof o->augment.flip);
    }
    if (loader->sums) {
        hash = mix_number(hash, loader->drawn);
        hash = mix(hash, loader->sums, (size_t)dataset->count * sizeof *loader->sums);
    }
    for (int64_t i = 0; dataset->labels && i < dataset->count; i++)
        hash = mix(hash, &dataset->labels[an__dataset_row(dataset, i)], sizeof *dataset->labels);
    int64_t step = dataset->count / ROWS_LOOKED_AT + 1;
    for (int64_t i = 0; i < dataset->count; i += step)
        hash = mix_row(hash, dataset, an__dataset_row(dataset, i));
    return hash;
}
