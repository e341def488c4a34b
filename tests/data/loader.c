/* Batches: what is in them, and in what order. */
#include "files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 3000

/* Sample i has `width` pixels: i % 256, i / 256, and (i + j) % 251 after them; label i % 7. */
static uint8_t pixel(int64_t i, int64_t j)
{
    return (uint8_t)(j == 0 ? i % 256 : j == 1 ? i / 256 : (i + j) % 251);
}

static an_dataset *numbered(int64_t count, an_shape shape)
{
    int64_t width = an_shape_size(shape);
    an_allocator allocator = an_allocator_default();
    uint8_t *pixels = malloc((size_t)(count * width));
    int32_t *labels = malloc((size_t)count * sizeof *labels);
    assert_non_null(pixels);
    assert_non_null(labels);
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < width; j++)
            pixels[i * width + j] = pixel(i, j);
        labels[i] = (int32_t)(i % 7);
    }
    an_dataset *set = an_dataset_from_bytes(&allocator, pixels, labels, count, shape, 7, NULL);
    assert_non_null(set);
    free(pixels);
    free(labels);
    return set;
}

static an_context *context_of(int threads, int bits)
{
    an_context_options options = {.threads = threads, .vector_bits = bits};
    an_context *context = an_context_new(&options, NULL);
    assert_non_null(context);
    return context;
}

static an_loader *loader_of(an_context *context, const an_dataset *set, int64_t batch, bool shuffle,
                            uint64_t seed)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = batch;
    options.shuffle = shuffle;
    options.seed = seed;
    an_loader *loader = an_loader_new(context, set, &options, NULL);
    assert_non_null(loader);
    return loader;
}

/* The number of a sample from its first two values; every other value and the label must agree. */
static int64_t number_in(const an_batch *batch, int64_t row)
{
    int64_t width = batch->x->size / batch->size;
    const float *x = batch->x->data + row * width;
    int64_t number = lroundf(x[0] * 255) + (width > 1 ? 256 * lroundf(x[1] * 255) : 0);
    for (int64_t j = 0; j < width; j++)
        assert_true(fabsf(x[j] - (float)pixel(number, j) / 255.0F) < 1e-6F);
    assert_int_equal(batch->y.data[row], number % 7);
    return number;
}

/* Goes through one epoch, writes its order, checks the batches' sizes, and returns the count. */
static int64_t read_epoch(an_loader *loader, int64_t batch_size, int64_t order[MOST])
{
    an_batch batch;
    int64_t count = 0;
    int64_t batches = 0;
    while (an_loader_next(loader, &batch)) {
        int64_t left = an_loader_samples(loader) - count;
        assert_int_equal(batch.size, left < batch_size ? left : batch_size);
        assert_int_equal(batch.index, batches);
        assert_int_equal(batch.y.count, batch.size);
        assert_int_equal(batch.x->shape.dim[0], batch.size);
        assert_int_equal(an_shape_size(batch.x->shape), batch.x->size);
        for (int64_t i = 0; i < batch.size; i++)
            order[count++] = number_in(&batch, i);
        batches++;
    }
    assert_int_equal(batches, an_loader_batches(loader));
    assert_int_equal(count, an_loader_samples(loader));
    return count;
}

static bool is_permutation(const int64_t *order, int64_t count)
{
    bool seen[MOST] = {false};
    for (int64_t i = 0; i < count; i++) {
        if (order[i] < 0 || order[i] >= count || seen[order[i]])
            return false;
        seen[order[i]] = true;
    }
    return true;
}

static bool equal(const int64_t *a, const int64_t *b, int64_t count)
{
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static void in_order_without_shuffle(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 3, 64, 100, 101, 1000};
    an_context *context = context_of(2, 0);
    an_dataset *set = numbered(100, an_shape_3(1, 3, 5));
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        an_loader *loader = loader_of(context, set, sizes[s], false, 0);
        for (int epoch = 0; epoch < 2; epoch++) {
            int64_t order[MOST];
            assert_int_equal(read_epoch(loader, sizes[s], order), 100);
            for (int64_t i = 0; i < 100; i++)
                assert_int_equal(order[i], i);
        }
        an_loader_free(loader);
    }
    an_dataset_free(set);
    an_context_free(context);
}

static void every_epoch_is_another_permutation(void **state)
{
    (void)state;
    an_context *context = context_of(1, 0);
    an_dataset *set = numbered(1000, an_shape_1(4));
    an_loader *loader = loader_of(context, set, 64, true, 1);
    int64_t order[3][MOST];
    for (int epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(read_epoch(loader, 64, order[epoch]), 1000);
        assert_true(is_permutation(order[epoch], 1000));
    }
    assert_false(equal(order[0], order[1], 1000));
    assert_false(equal(order[1], order[2], 1000));
    assert_false(equal(order[0], order[2], 1000));
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

/* Neither the batch size nor the threads nor the kernels change the order; the seed does. */
static void seed_and_epoch_decide_the_order(void **state)
{
    (void)state;
    an_dataset *set = numbered(1000, an_shape_1(4));
    int64_t first[MOST];
    int64_t other[MOST];
    for (int run = 0; run < 3; run++) {
        an_context *context = context_of(run + 1, run == 2 ? 128 : 0);
        int64_t size = run == 0 ? 64 : 7;
        an_loader *loader = loader_of(context, set, size, true, 42);
        read_epoch(loader, size, run == 0 ? first : other);
        assert_true(run == 0 || equal(first, other, 1000));
        an_loader_free(loader);
        loader = loader_of(context, set, size, true, 43);
        read_epoch(loader, size, other);
        assert_false(equal(first, other, 1000));
        an_loader_free(loader);
        an_context_free(context);
    }
    an_dataset_free(set);
}

static void seeks_any_epoch(void **state)
{
    (void)state;
    an_context *context = context_of(1, 0);
    an_dataset *set = numbered(500, an_shape_1(4));
    an_loader *loader = loader_of(context, set, 64, true, 1);
    int64_t order[4][MOST];
    for (int epoch = 0; epoch < 4; epoch++)
        read_epoch(loader, 64, order[epoch]);
    static const int visits[] = {2, 0, 3, 3, 1};
    for (size_t i = 0; i < sizeof visits / sizeof *visits; i++) {
        int64_t again[MOST];
        an_batch batch;
        an_loader_seek(loader, visits[i]);
        read_epoch(loader, 64, again);
        assert_true(equal(again, order[visits[i]], 500));
        assert_true(an_loader_next(loader, &batch)); /* abandoned by the next seek */
    }
    /* After a seek the following epochs follow. */
    int64_t again[MOST];
    an_loader_seek(loader, 1);
    read_epoch(loader, 64, again);
    read_epoch(loader, 64, again);
    assert_true(equal(again, order[2], 500));
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

/* What comes from batch `batch` of epoch 2 on, to the end of epoch 3. */
static int64_t read_from(an_loader *loader, int64_t batch, int64_t order[MOST])
{
    an_batch b;
    int64_t count = 0;
    an_loader_seek_batch(loader, 2, batch);
    for (int ends = 0; ends < 2;) {
        if (!an_loader_next(loader, &b)) {
            ends++;
            continue;
        }
        assert_true(ends > 0 || b.index == (count == 0 && batch > 0 ? batch : b.index));
        for (int64_t i = 0; i < b.size; i++)
            order[count++] = number_in(&b, i);
    }
    return count;
}

static void seeks_any_batch(void **state)
{
    (void)state;
    static const int64_t counts[] = {500, 512, 1, 64};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        an_context *context = context_of(1, 0);
        an_dataset *set = numbered(counts[c], an_shape_1(4));
        an_loader *loader = loader_of(context, set, 64, true, 1);
        int64_t whole[MOST], part[MOST];
        int64_t all = read_from(loader, 0, whole), batches = an_loader_batches(loader);
        assert_int_equal(all, 2 * counts[c]);
        for (int64_t batch = -1; batch < batches + 3; batch++) {
            int64_t left = read_from(loader, batch, part);
            int64_t skipped = batch < 0 ? 0 : batch * 64 < counts[c] ? batch * 64 : counts[c];
            assert_int_equal(left, all - skipped);
            assert_true(equal(part, whole + skipped, left));
        }
        assert_int_equal(read_from(loader, INT64_MAX, part), counts[c]);
        an_loader_free(loader);
        an_dataset_free(set);
        an_context_free(context);
    }
}

static void drop_last_leaves_out_the_rest(void **state)
{
    (void)state;
    an_context *context = context_of(1, 0);
    an_dataset *set = numbered(100, an_shape_1(2));
    an_loader_options options = an_loader_defaults();
    options.batch_size = 30;
    options.drop_last = true;
    options.shuffle = true;
    an_loader *loader = an_loader_new(context, set, &options, NULL);
    assert_non_null(loader);
    assert_int_equal(an_loader_batches(loader), 3);
    assert_int_equal(an_loader_samples(loader), 90);
    int64_t order[MOST];
    for (int epoch = 0; epoch < 3; epoch++)
        assert_int_equal(read_epoch(loader, 30, order), 90);
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

/* A view's loader delivers the view's samples, and orders them as any set of that size. */
static void loads_views(void **state)
{
    (void)state;
    an_context *context = context_of(1, 0);
    an_dataset *set = numbered(1000, an_shape_1(3));
    an_dataset *rest;
    an_dataset *cut;
    assert_true(an_dataset_split(set, 200, 9, &rest, &cut, NULL));
    int64_t kept[MOST];
    int64_t order[MOST];
    an_loader *loader = loader_of(context, cut, 64, false, 0);
    assert_int_equal(read_epoch(loader, 64, kept), 200);
    an_loader_free(loader);
    loader = loader_of(context, cut, 64, true, 3);
    assert_int_equal(read_epoch(loader, 64, order), 200);
    assert_false(equal(kept, order, 200));
    int64_t kept_sum = 0;
    int64_t order_sum = 0;
    for (int i = 0; i < 200; i++) {
        kept_sum += kept[i] * kept[i];
        order_sum += order[i] * order[i];
        assert_true(i == 0 || kept[i] > kept[i - 1]);
    }
    assert_int_equal(kept_sum, order_sum);
    an_loader_free(loader);
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(set);
    an_context_free(context);
}

/* Every byte value, every kernel width, rows that are no multiple of a vector. */
static void normalizes(void **state)
{
    (void)state;
    static const int widths[] = {128, 256, 512};
    an_allocator allocator = an_allocator_default();
    uint8_t pixels[259 * 2];
    const int32_t labels[2] = {0, 1};
    for (int i = 0; i < 259 * 2; i++)
        pixels[i] = (uint8_t)i;
    an_dataset *set =
        an_dataset_from_bytes(&allocator, pixels, labels, 2, an_shape_3(1, 7, 37), 0, NULL);
    assert_non_null(set);
    for (int w = 0; w < 3; w++) {
        an_context_options how = {.threads = 1, .vector_bits = widths[w]};
        an_context *context = an_context_new(&how, NULL);
        if (context == NULL)
            continue; /* this processor has no such vectors */
        an_loader_options options = {
            .batch_size = 2, .shuffle = true, .mean = 0.1307, .deviation = 0.3081};
        an_loader *loader = an_loader_new(context, set, &options, NULL);
        assert_non_null(loader);
        an_batch batch;
        assert_true(an_loader_next(loader, &batch));
        assert_true(an_shape_equal(batch.x->shape, an_shape_4(2, 1, 7, 37)));
        for (int64_t i = 0; i < 2 * 259; i++) {
            int64_t sample = batch.y.data[i / 259];
            double byte = pixels[sample * 259 + i % 259];
            double expected = (byte / 255 - 0.1307) / 0.3081;
            assert_true(fabs(batch.x->data[i] - expected) < 1e-6);
        }
        an_loader_free(loader);
        an_context_free(context);
    }
    an_dataset_free(set);
}

/* Enough bytes for several threads: the same values as with one. */
static void threads_give_the_same_batches(void **state)
{
    (void)state;
    an_dataset *set = numbered(1500, an_shape_2(11, 31));
    for (int threads = 1; threads <= 5; threads++) {
        an_context *context = context_of(threads, 0);
        an_loader *loader = loader_of(context, set, 700, true, 5);
        int64_t order[MOST];
        assert_int_equal(read_epoch(loader, 700, order), 1500);
        assert_true(is_permutation(order, 1500));
        an_loader_free(loader);
        an_context_free(context);
    }
    an_dataset_free(set);
}

static void refused(an_context *context, const an_dataset *set, an_loader_options options,
                    const char *piece)
{
    an_error err = {0};
    assert_null(an_loader_new(context, set, &options, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    if (strstr(err.message, piece) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, piece);
}

/* Which loader's next batch the workers prepare, and when, must not show: two in turn, a seek and
 * an end in the middle. */
static void loaders_of_one_context_do_not_mix(void **state)
{
    (void)state;
    an_dataset *set = numbered(500, an_shape_1(40));
    for (int threads = 1; threads <= 3; threads++) {
        an_context *context = context_of(threads, 0);
        an_loader *a = loader_of(context, set, 32, true, 3);
        an_loader *b = loader_of(context, set, 7, false, 1);
        an_batch batch;
        int64_t first[32];
        for (int round = 0; round < 3; round++) {
            an_loader_seek(a, 5);
            an_loader_seek(b, 0);
            for (int64_t i = 0; i < 10; i++) {
                assert_true(an_loader_next(a, &batch));
                assert_int_equal(batch.size, 32);
                for (int64_t row = 0; i == 0 && row < 32; row++) {
                    const int64_t number = number_in(&batch, row);
                    assert_true(round == 0 || number == first[row]);
                    first[row] = number;
                }
                assert_true(an_loader_next(b, &batch));
                for (int64_t row = 0; row < batch.size; row++)
                    assert_int_equal(number_in(&batch, row), 7 * i + row);
            }
        }
        an_loader_free(a);
        assert_true(an_loader_next(b, &batch));
        assert_int_equal(number_in(&batch, 0), 70);
        an_loader_free(b);
        an_context_free(context);
    }
    an_dataset_free(set);
}

/* Batches of another size: the epoch begins anew, larger ones take memory, none is lost. */
static void takes_another_batch_size(void **state)
{
    (void)state;
    an_dataset *set = numbered(50, an_shape_1(3));
    for (int threads = 1; threads <= 2; threads++) {
        an_context *context = context_of(threads, 0);
        an_loader *loader = loader_of(context, set, 8, true, 3);
        const uint64_t fingerprint = an_loader_fingerprint(loader);
        an_batch batch;
        int64_t order[MOST], again[MOST];
        an_error err = {0};
        assert_true(an_loader_next(loader, &batch));
        static const int64_t sizes[] = {8, 3, 20, 1, 50, 70, 8};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const int64_t size = sizes[i] < 50 ? sizes[i] : 50;
            an_loader_seek(loader, 0);
            assert_true(an_loader_set_batch_size(loader, sizes[i], NULL));
            assert_int_equal(an_loader_batches(loader), (50 + size - 1) / size);
            assert_int_equal(read_epoch(loader, size, i ? again : order), 50);
            assert_true(i == 0 || memcmp(order, again, 50 * sizeof *order) == 0);
            assert_true(an_loader_fingerprint(loader) == fingerprint);
        }
        assert_false(an_loader_set_batch_size(loader, 0, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        an_loader_free(loader);
        an_context_free(context);
    }
    an_dataset_free(set);
}

static void refuses_bad_options(void **state)
{
    (void)state;
    an_context *context = context_of(1, 0);
    an_dataset *set = numbered(10, an_shape_1(2));
    an_loader_options good = an_loader_defaults();
    assert_int_equal(good.batch_size, 1);
    assert_false(good.shuffle || good.drop_last);
    assert_true(good.mean == 0 && good.deviation == 1);
    an_loader_options o = good;
    o.batch_size = 0;
    refused(context, set, o, "batch_size must be at least 1, got 0");
    o.batch_size = -64;
    refused(context, set, o, "got -64");
    o.batch_size = 11;
    o.drop_last = true;
    refused(context, set, o, "leaves no batch of 10 samples");
    o = good;
    o.mean = NAN;
    refused(context, set, o, "mean");
    o.mean = INFINITY;
    refused(context, set, o, "mean");
    o = good;
    static const double deviations[] = {0, -1, NAN, INFINITY, 1e-300};
    for (int i = 0; i < 5; i++) {
        o.deviation = deviations[i];
        refused(context, set, o, "deviation");
    }
    an_loader_free(NULL);
    an_dataset_free(set);
    an_context_free(context);
}

static void takes_sets_of_one_sample(void **state)
{
    (void)state;
    an_context *context = context_of(2, 0);
    an_dataset *set = numbered(1, an_shape_0());
    an_loader *loader = loader_of(context, set, INT64_MAX, true, 1);
    int64_t order[MOST];
    for (int epoch = 0; epoch < 3; epoch++)
        assert_int_equal(read_epoch(loader, INT64_MAX, order), 1);
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

static void without_options_or_allocator_takes_the_defaults(void **state)
{
    (void)state;
    const uint8_t pixels[] = {0, 255, 51};
    const int32_t labels[] = {1, 0, 2};
    an_error err = {0};
    an_context *context = an_context_new(NULL, &err);
    an_dataset *data = an_dataset_from_bytes(NULL, pixels, labels, 3, an_shape_1(1), 0, &err);
    assert_non_null(data);
    an_loader *loader = an_loader_new(context, data, NULL, &err);
    assert_non_null(loader);
    an_batch batch;
    for (int i = 0; i < 3; i++) {
        assert_true(an_loader_next(loader, &batch));
        assert_int_equal(batch.size, 1);
        assert_int_equal(batch.y.data[0], labels[i]);
        assert_true(batch.x->data[0] == (float)pixels[i] * (1.0f / 255));
    }
    assert_false(an_loader_next(loader, &batch));
    an_loader_free(loader);
    an_dataset_free(data);
    an_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_without_shuffle),
        cmocka_unit_test(every_epoch_is_another_permutation),
        cmocka_unit_test(seed_and_epoch_decide_the_order),
        cmocka_unit_test(seeks_any_epoch),
        cmocka_unit_test(seeks_any_batch),
        cmocka_unit_test(drop_last_leaves_out_the_rest),
        cmocka_unit_test(loads_views),
        cmocka_unit_test(normalizes),
        cmocka_unit_test(threads_give_the_same_batches),
        cmocka_unit_test(loaders_of_one_context_do_not_mix),
        cmocka_unit_test(takes_another_batch_size),
        cmocka_unit_test(refuses_bad_options),
        cmocka_unit_test(takes_sets_of_one_sample),
        cmocka_unit_test(without_options_or_allocator_takes_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
