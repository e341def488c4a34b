/* Datasets of floats and of tokens: what is in them, how they are cut, scaled and loaded. */
#include "files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 200, WIDTH = 3, TOKENS = 1000, CONTEXT = 7 };

static an_context *context_of(int threads)
{
    an_context *context = an_context_new(&(an_context_options){.threads = threads}, NULL);
    assert_non_null(context);
    return context;
}

static an_loader *loader_of(an_context *context, const an_dataset *set, int64_t batch, bool shuffle)
{
    an_loader_options options = an_loader_defaults();
    options.batch_size = batch;
    options.shuffle = shuffle;
    options.seed = 5;
    an_error err = {0};
    an_loader *loader = an_loader_new(context, set, &options, &err);
    if (!loader)
        fail_msg("%s", err.message);
    return loader;
}

/* ------------------------------------------------------------------ floats */

static float value(int64_t i, int64_t j)
{
    return (float)(i * 10 + j);
}

/* Sample i is value(i, 0..2); two targets, -i and i / 2, or the label i % 4. */
static an_dataset *floats(bool targets)
{
    static float values[COUNT * WIDTH], numbers[COUNT * 2];
    static int32_t labels[COUNT];
    for (int64_t i = 0; i < COUNT; i++) {
        for (int64_t j = 0; j < WIDTH; j++)
            values[i * WIDTH + j] = value(i, j);
        numbers[2 * i] = -(float)i;
        numbers[2 * i + 1] = (float)i / 2;
        labels[i] = (int32_t)(i % 4);
    }
    an_error err = {0};
    an_dataset *set =
        an_dataset_from_floats(NULL, values, COUNT, an_shape_1(WIDTH), targets ? NULL : labels, 0,
                               targets ? numbers : NULL, targets ? 2 : 0, &err);
    if (!set)
        fail_msg("%s", err.message);
    return set;
}

static void check_batch(const an_batch *batch, bool targets, bool *seen)
{
    for (int64_t row = 0; row < batch->size; row++) {
        const float *x = batch->x->data + row * WIDTH;
        const int64_t i = lroundf(x[0] / 10);
        assert_true(i >= 0 && i < COUNT && !seen[i]);
        seen[i] = true;
        for (int64_t j = 0; j < WIDTH; j++)
            assert_float_equal(x[j], value(i, j), 0);
        if (targets) {
            assert_float_equal(batch->target->data[2 * row], -(float)i, 0);
            assert_float_equal(batch->target->data[2 * row + 1], (float)i / 2, 0);
        } else {
            assert_int_equal(batch->y.data[row], i % 4);
        }
    }
}

static void test_floats(void **state)
{
    (void)state;
    for (int round = 0; round < 8; round++) {
        const bool targets = round & 1, shuffle = round & 2;
        an_context *context = context_of(round & 4 ? 2 : 1);
        an_dataset *set = floats(targets);
        an_loader *loader = loader_of(context, set, 32, shuffle);
        an_batch batch;
        bool seen[COUNT] = {false};
        int64_t count = 0;
        while (an_loader_next(loader, &batch)) {
            assert_int_equal(batch.target != NULL, targets);
            assert_int_equal(batch.y.data == NULL, targets);
            assert_int_equal(batch.x->shape.dim[0], batch.size);
            assert_true(!targets || batch.target->shape.dim[0] == batch.size);
            check_batch(&batch, targets, seen);
            count += batch.size;
        }
        assert_int_equal(count, COUNT);
        assert_int_equal(an_dataset_kind(set), AN_DATA_FLOATS);
        assert_int_equal(an_dataset_targets(set), targets ? 2 : 0);
        assert_int_equal(an_dataset_classes(set), targets ? 0 : 4);
        assert_int_equal(an_dataset_label(set, 6), targets ? -1 : 2);
        float sample[WIDTH];
        an_dataset_sample(set, 6, sample);
        assert_float_equal(sample[1], 61, 0);
        an_loader_free(loader);
        an_dataset_free(set);
        an_context_free(context);
    }
}

static void test_scaling(void **state)
{
    (void)state;
    an_dataset *set = floats(true), *rest, *cut;
    double mean[WIDTH], deviation[WIDTH], again[WIDTH];
    an_error err = {0};
    assert_true(an_dataset_split(set, 50, 1, &rest, &cut, NULL));
    assert_true(an_dataset_moments(rest, mean, deviation, NULL));
    assert_false(an_dataset_scale(rest, mean, deviation, &err));
    assert_non_null(strstr(err.message, "a view cannot be scaled"));
    assert_true(an_dataset_scale(set, mean, deviation, NULL));
    assert_true(an_dataset_moments(rest, mean, again, NULL));
    for (int j = 0; j < WIDTH; j++) {
        assert_true(fabs(mean[j]) < 1e-6 && fabs(again[j] - 1) < 1e-6);
        assert_true(deviation[j] > 400 && deviation[j] < 700);
    }
    /* A feature that never changes is left at 0. */
    const double ones[WIDTH] = {1, 1, 1}, zeros[WIDTH] = {0};
    assert_true(an_dataset_scale(set, ones, zeros, NULL));
    assert_true(an_dataset_moments(rest, mean, again, NULL));
    assert_true(fabs(mean[0] + 1) < 1e-6);
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(set);
    const uint8_t pixel = 0;
    const int32_t label = 0;
    set = an_dataset_from_bytes(NULL, &pixel, &label, 1, an_shape_1(1), 0, NULL);
    assert_false(an_dataset_moments(set, mean, deviation, &err));
    assert_non_null(strstr(err.message, "only a dataset of floats"));
    an_dataset_free(set);
}

static void test_refused_floats(void **state)
{
    (void)state;
    const float values[2] = {1, 2};
    const int32_t labels[2] = {0, 3};
    an_error err = {0};
    const an_shape one = an_shape_1(1);
    assert_null(an_dataset_from_floats(NULL, NULL, 2, one, labels, 0, NULL, 0, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_null(an_dataset_from_floats(NULL, values, 2, one, NULL, 0, NULL, 0, &err));
    assert_null(an_dataset_from_floats(NULL, values, 2, one, labels, 0, values, 1, &err));
    assert_null(an_dataset_from_floats(NULL, values, 2, one, NULL, 0, values, 0, &err));
    assert_non_null(strstr(err.message, "target_count"));
    assert_null(an_dataset_from_floats(NULL, values, 0, one, labels, 0, NULL, 0, &err));
    assert_null(an_dataset_from_floats(NULL, values, 2, an_shape_1(0), labels, 0, NULL, 0, &err));
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_null(an_dataset_from_floats(NULL, values, 2, one, labels, 3, NULL, 0, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
}

/* ------------------------------------------------------------------ tokens */

static an_dataset *tokens(void)
{
    static int32_t numbers[TOKENS];
    for (int32_t i = 0; i < TOKENS; i++)
        numbers[i] = i;
    an_dataset *set = an_dataset_from_tokens(NULL, numbers, TOKENS, CONTEXT, 0, NULL);
    assert_non_null(set);
    return set;
}

/* Goes through an epoch: tokens in order, each with the next as its label; marks what it saw. */
static int64_t read_tokens(an_loader *loader, bool *seen)
{
    an_batch batch;
    int64_t first = TOKENS;
    while (an_loader_next(loader, &batch)) {
        assert_int_equal(batch.y.count, batch.size * CONTEXT);
        assert_int_equal(batch.x->size, batch.size * CONTEXT);
        for (int64_t i = 0; i < batch.x->size; i++) {
            const int64_t token = lroundf(batch.x->data[i]);
            assert_true(token >= 0 && token < TOKENS && !seen[token]);
            seen[token] = true;
            assert_int_equal(batch.y.data[i], token + 1);
            assert_true(i % CONTEXT == 0 || token == lroundf(batch.x->data[i - 1]) + 1);
            first = token < first ? token : first;
        }
    }
    return first;
}

static void test_tokens(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        an_context *context = context_of(threads);
        an_dataset *set = tokens();
        assert_int_equal(an_dataset_kind(set), AN_DATA_TOKENS);
        assert_int_equal(an_dataset_count(set), TOKENS / CONTEXT - 1);
        assert_int_equal(an_dataset_classes(set), TOKENS);
        assert_int_equal(an_dataset_label(set, 3), 4 * CONTEXT);
        an_loader *loader = loader_of(context, set, 10, true);
        bool phases[CONTEXT] = {false};
        for (int epoch = 0; epoch < 40; epoch++) {
            bool seen[TOKENS] = {false};
            const int64_t first = read_tokens(loader, seen);
            assert_true(first < CONTEXT);
            phases[first] = true;
            int64_t count = 0;
            for (int64_t i = 0; i < TOKENS; i++)
                count += seen[i];
            assert_int_equal(count, an_dataset_count(set) * CONTEXT);
        }
        for (int i = 0; i < CONTEXT; i++)
            assert_true(phases[i]);
        an_loader_free(loader);
        loader = loader_of(context, set, 10, false);
        bool seen[TOKENS] = {false};
        assert_int_equal(read_tokens(loader, seen), 0);
        an_loader_free(loader);
        an_dataset_free(set);
        an_context_free(context);
    }
}

/* Whatever the epoch, no token is in both parts, labels included. */
static void test_cut_text(void **state)
{
    (void)state;
    an_context *context = context_of(1);
    an_dataset *set = tokens(), *rest, *cut;
    an_error err = {0};
    assert_true(an_dataset_split(set, 20, 1, &rest, &cut, NULL));
    assert_int_equal(an_dataset_count(cut), 20);
    assert_int_equal(an_dataset_count(rest) + 21, an_dataset_count(set));
    an_loader *train = loader_of(context, rest, 16, true),
              *valid = loader_of(context, cut, 16, true);
    bool early[TOKENS + 1] = {false}, late[TOKENS + 1] = {false};
    for (int epoch = 0; epoch < 40; epoch++) {
        bool seen[TOKENS] = {false};
        read_tokens(train, seen);
        for (int i = 0; i < TOKENS; i++)
            early[i] = early[i] || seen[i], early[i + 1] = early[i + 1] || seen[i];
        memset(seen, 0, sizeof seen);
        read_tokens(valid, seen);
        for (int i = 0; i < TOKENS; i++)
            late[i] = late[i] || seen[i];
    }
    for (int i = 0; i < TOKENS; i++)
        assert_false(early[i] && late[i]);
    an_dataset *more, *none;
    assert_false(an_dataset_split(set, an_dataset_count(set) - 1, 1, &more, &none, &err));
    assert_non_null(strstr(err.message, "cut less"));
    an_loader_free(train);
    an_loader_free(valid);
    an_context_free(context);
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(set);
}

static void test_refused_tokens(void **state)
{
    (void)state;
    const int32_t numbers[8] = {0, 1, 2, 3, 4, 5, 6, 9};
    an_error err = {0};
    assert_null(an_dataset_from_tokens(NULL, NULL, 8, 2, 0, &err));
    assert_null(an_dataset_from_tokens(NULL, numbers, 8, 0, 0, &err));
    assert_null(an_dataset_from_tokens(NULL, numbers, 8, 5, 0, &err));
    assert_non_null(strstr(err.message, "the context must be from 1 to 4"));
    assert_null(an_dataset_from_tokens(NULL, numbers, 8, 2, 9, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, "token 9 at place 7 is outside 0..8"));
    assert_null(an_dataset_from_tokens(NULL, numbers, 8, 2, 70000, &err));
    an_dataset *set = an_dataset_from_tokens(NULL, numbers, 8, 4, 0, NULL);
    char bytes[4];
    assert_int_equal(an_text_token(set, 1, bytes), 0);
    an_dataset_free(set);
}

/* -------------------------------------------------------------------- text */

/* A file of the one folder that the tests use, until the next call. */
static folder place;

static const char *write_file(const char *name, const char *text, size_t length)
{
    static char path[PATH_LENGTH];
    folder_write(&place, name, text, length);
    folder_path(&place, name, path);
    return path;
}

static int setup(void **state)
{
    (void)state;
    folder_make(&place);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(&place);
    return 0;
}

static void test_characters(void **state)
{
    (void)state;
    const char text[] = "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80 na\xc3\xafve";
    const char *path = write_file("text", text, sizeof text - 1);
    an_error err = {0};
    an_dataset *set = an_text_open(NULL, path, AN_TEXT_CHARACTERS, 3, &err);
    if (!set)
        fail_msg("%s", err.message);
    assert_int_equal(an_dataset_classes(set), 8); /* blank a e n v i-diaeresis euro smile */
    int32_t numbers[32];
    const int64_t count = an_text_encode(set, text, sizeof text - 1, numbers, 32, NULL);
    assert_int_equal(count, 15);
    assert_int_equal(an_text_encode(set, text, sizeof text - 1, NULL, 0, NULL), 15);
    char back[64], bytes[4];
    size_t length = 0;
    for (int64_t i = 0; i < count; i++) {
        const size_t size = an_text_token(set, numbers[i], bytes);
        memcpy(back + length, bytes, size);
        length += size;
    }
    assert_int_equal(length, sizeof text - 1);
    assert_memory_equal(back, text, length);
    float sample[3];
    an_dataset_sample(set, 1, sample);
    for (int i = 0; i < 3; i++)
        assert_int_equal(lroundf(sample[i]), numbers[3 + i]);
    assert_int_equal(an_text_encode(set, "naz", 3, NULL, 0, &err), -1);
    assert_non_null(strstr(err.message, "'z' does not occur"));
    assert_int_equal(an_text_token(set, 8, bytes), 0);
    assert_int_equal(an_text_token(set, -1, bytes), 0);
    an_dataset_free(set);
}

static void test_bytes_of_text(void **state)
{
    (void)state;
    const char text[] = "ab\xff\x00yz";
    const char *path = write_file("bytes", text, sizeof text - 1);
    an_dataset *set = an_text_open(NULL, path, AN_TEXT_BYTES, 2, NULL);
    assert_non_null(set);
    assert_int_equal(an_dataset_classes(set), 256);
    assert_int_equal(an_dataset_label(set, 0), 0xff);
    int32_t numbers[2];
    char byte[4];
    assert_int_equal(an_text_encode(set, "\xff\x01", 2, numbers, 2, NULL), 2);
    assert_int_equal(numbers[0], 255);
    assert_int_equal(an_text_token(set, 255, byte), 1);
    assert_int_equal((unsigned char)byte[0], 255);
    an_dataset_free(set);
}

static void test_bad_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"one\ntwo\xc3(", ":2: byte 8 of the file is no UTF-8"},
        {"\xe0\x80\x80 overlong", "byte 1"},
        {"\xed\xa0\x80 surrogate", "byte 1"},
        {"\xf4\x90\x80\x80 too large", "byte 1"},
        {"abcdefghi\xe2\x82", "byte 10"},
        {"abc", "the context must be from 1 to 1"},
        {"", "make no samples"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        an_error err = {0};
        const char *path = write_file("bad", cases[i].text, strlen(cases[i].text));
        assert_null(an_text_open(NULL, path, AN_TEXT_CHARACTERS, 4, &err));
        if (!strstr(err.message, cases[i].message) || !strstr(err.message, "bad"))
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].message);
    }
    assert_null(an_text_open(NULL, "/nowhere/at/all", AN_TEXT_BYTES, 4, NULL));
}

/* Every allocation may fail, one by one, and nothing leaks. */
static void test_memory(void **state)
{
    (void)state;
    char text[600];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(' ' + i % 90);
    const char *path = write_file("long", text, sizeof text);
    const float values[4] = {1, 2, 3, 4};
    counter c = {0};
    an_allocator allocator = counting_allocator(&c);
    for (int what = 0; what < 3; what++)
        for (size_t fail = 1, done = 0; !done; fail++) {
            an_error err = {0};
            c = (counter){.fail_at = fail};
            an_dataset *set =
                what == 2 ? an_dataset_from_floats(&allocator, values, 2, an_shape_1(1), NULL, 0,
                                                   values, 2, &err)
                          : an_text_open(&allocator, path,
                                         what ? AN_TEXT_BYTES : AN_TEXT_CHARACTERS, 5, &err);
            done = set != NULL;
            assert_true(done || err.code == AN_ERROR_MEMORY);
            an_dataset_free(set);
            assert_int_equal(c.live, 0);
            assert_true(fail < 50);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats),         cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_refused_floats), cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_cut_text),       cmocka_unit_test(test_refused_tokens),
        cmocka_unit_test(test_characters),     cmocka_unit_test(test_bytes_of_text),
        cmocka_unit_test(test_bad_text),       cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("kinds", tests, setup, teardown);
}
