/* Images that move and are mirrored: what comes out, how often, and that nothing else decides it.
 */
#include "../base/cmocka_all.h"

#include <anneal/data.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 300, CHANNELS = 2, HEIGHT = 5, WIDTH = 7, SIZE = CHANNELS * HEIGHT * WIDTH };

static an_context *context_of(int threads)
{
    an_context *context = an_context_new(&(an_context_options){.threads = threads}, NULL);
    assert_non_null(context);
    return context;
}

/* Pixel p of image i; never 0, so that what comes in from outside is told apart. */
static int pixel(int64_t image, int p)
{
    return 1 + (int)((image * 31 + p * 3) % 255);
}

static an_dataset *images(bool bytes)
{
    static uint8_t pixels[COUNT * SIZE];
    static float values[COUNT * SIZE];
    static int32_t labels[COUNT];
    for (int i = 0; i < COUNT * SIZE; i++) {
        pixels[i] = (uint8_t)pixel(i / SIZE, i % SIZE);
        values[i] = (float)pixels[i];
        labels[i / SIZE] = i / SIZE;
    }
    const an_shape shape = an_shape_3(CHANNELS, HEIGHT, WIDTH);
    return bytes ? an_dataset_from_bytes(NULL, pixels, labels, COUNT, shape, 0, NULL)
                 : an_dataset_from_floats(NULL, values, COUNT, shape, labels, 0, NULL, 0, NULL);
}

static an_loader_options options_of(int64_t shift, double flip)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = 16;
    options.shuffle = true;
    options.seed = 3;
    options.mean = 0.25;
    options.deviation = 0.5;
    options.augment = (an_augment){shift, flip};
    return options;
}

/* Whether `x` is image `label` as it is seen this way: the definition, pixel by pixel. */
static bool is_view(const float *x, int label, bool bytes, int down, int right, bool mirrored)
{
    for (int i = 0; i < SIZE; i++) {
        const int c = i / (HEIGHT * WIDTH), row = i / WIDTH % HEIGHT + down;
        const int column = (mirrored ? WIDTH - 1 - i % WIDTH : i % WIDTH) + right;
        const bool inside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
        const double unit = bytes ? 255 : 1;
        const double value = inside ? pixel(label, (c * HEIGHT + row) * WIDTH + column) / unit : 0;
        if (fabs((value - 0.25) / 0.5 - (double)x[i]) > 1e-4)
            return false;
    }
    return true;
}

/* The view that a sample is, as a number from 0 on; fails where there is none. */
static int view_of(const float *x, int label, bool bytes, int shift)
{
    const int side = 2 * shift + 1;
    for (int v = 0; v < side * side * 2; v++)
        if (is_view(x, label, bytes, v / 2 / side - shift, v / 2 % side - shift, v % 2))
            return v;
    fail_msg("image %d is no view of itself", label);
    return -1;
}

static void test_views(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        const bool bytes = round & 1;
        an_context *context = context_of(round & 2 ? 2 : 1);
        an_dataset *set = images(bytes);
        const an_loader_options options = options_of(2, 0.3);
        an_loader *loader = an_loader_new(context, set, &options, NULL);
        an_batch batch;
        int down[5] = {0}, right[5] = {0}, mirrored = 0, all = 0;
        for (int epoch = 0; epoch < 10; epoch++)
            while (an_loader_next(loader, &batch))
                for (int64_t i = 0; i < batch.size; i++, all++) {
                    const int v = view_of(batch.x->data + i * SIZE, batch.y.data[i], bytes, 2);
                    mirrored += v % 2;
                    down[v / 10]++;
                    right[v / 2 % 5]++;
                }
        assert_int_equal(all, 10 * COUNT);
        assert_true(abs(mirrored - 900) < 130); /* 5 standard deviations */
        for (int i = 0; i < 5; i++)
            assert_true(abs(down[i] - 600) < 115 && abs(right[i] - 600) < 115);
        an_loader_free(loader);
        an_dataset_free(set);
        an_context_free(context);
    }
}

/* Every view far out, of which little or nothing is left. */
static void test_far(void **state)
{
    (void)state;
    an_context *context = context_of(1);
    for (int bytes = 0; bytes < 2; bytes++) {
        an_dataset *set = images(bytes);
        const an_loader_options options = options_of(4, 0.5);
        an_loader *loader = an_loader_new(context, set, &options, NULL);
        an_batch batch;
        while (an_loader_next(loader, &batch))
            for (int64_t i = 0; i < batch.size; i++)
                view_of(batch.x->data + i * SIZE, batch.y.data[i], bytes, 4);
        an_loader_free(loader);
        an_dataset_free(set);
    }
    an_context_free(context);
}

/* All of an epoch, one after the other, from `batch` of it on. */
static void read_epoch(int threads, const an_loader_options *options, int64_t epoch, int64_t batch,
                       float *out)
{
    an_context *context = context_of(threads);
    an_dataset *set = images(true);
    an_loader *loader = an_loader_new(context, set, options, NULL);
    an_batch b;
    an_loader_seek_batch(loader, epoch, batch);
    for (int64_t at = batch * options->batch_size; an_loader_next(loader, &b); at += b.size)
        memcpy(out + at * SIZE, b.x->data, (size_t)(b.size * SIZE) * sizeof *out);
    an_loader_free(loader);
    an_dataset_free(set);
    an_context_free(context);
}

static void test_nothing_else_decides(void **state)
{
    (void)state;
    const size_t size = sizeof(float) * COUNT * SIZE;
    float *expected = malloc(size), *got = malloc(size);
    assert_true(expected && got);
    an_loader_options options = options_of(2, 0.5);
    read_epoch(1, &options, 3, 0, expected);
    for (int threads = 1; threads <= 2; threads++) {
        memcpy(got, expected, size);
        memset(got + 5 * 16 * SIZE, 0, size - 5 * 16 * SIZE * sizeof *got);
        read_epoch(threads, &options, 3, 5, got);
        assert_memory_equal(got, expected, size);
    }
    options.batch_size = 77;
    read_epoch(2, &options, 3, 0, got);
    assert_memory_equal(got, expected, size);
    read_epoch(2, &options, 4, 0, got);
    assert_memory_not_equal(got, expected, size);
    free(expected);
    free(got);
}

static void test_refused(void **state)
{
    (void)state;
    const float values[6] = {0};
    const int32_t labels[2] = {0};
    an_context *context = context_of(1);
    an_dataset *set = images(true);
    an_dataset *table =
        an_dataset_from_floats(NULL, values, 2, an_shape_1(3), labels, 0, NULL, 0, NULL);
    static const struct {
        an_augment augment;
        bool table;
        const char *message;
    } cases[] = {
        {{5, 0}, false, "images of 5 x 7 pixels are shifted by 0 to 4, got 5"},
        {{-1, 0}, false, "got -1"},
        {{0, 1.5}, false, "from 0 to 1, got 1.5"},
        {{0, NAN}, false, "from 0 to 1"},
        {{1, 0}, true, "only images"},
        {{0, 0.5}, true, "only images"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        an_loader_options options = an_loader_defaults();
        options.augment = cases[i].augment;
        assert_null(an_loader_new(context, cases[i].table ? table : set, &options, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        if (!strstr(err.message, cases[i].message))
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].message);
    }
    an_dataset_free(set);
    an_dataset_free(table);
    an_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_far),
        cmocka_unit_test(test_nothing_else_decides),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
