/* Reading weights: files written here from the format's description, sound and damaged ones. */
#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

#include <anneal/nn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    char folder[64], path[96];
    an_context *context;
    an_params *params; /* "a" (2, 3), "b" (), "c" (0, 4) */
} fixture;

#define VALUES 7
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"
#define B "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[24,28]}"
#define C "\"c\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[28,28]}"

static an_params *make_params(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    assert_non_null(params);
    assert_non_null(an_params_add(params, "a", an_shape_2(2, 3), NULL));
    assert_non_null(an_params_add(params, "b", an_shape_0(), NULL));
    assert_non_null(an_params_add(params, "c", an_shape_2(0, 4), NULL));
    assert_true(an_params_build(params, NULL));
    return params;
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    an_context_options options = {.threads = 1};
    f->context = an_context_new(&options, NULL);
    f->params = make_params(f->context);
    strcpy(f->folder, "/tmp/anneal-load-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/w.safetensors", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unlink(f->path);
    assert_int_equal(rmdir(f->folder), 0);
    an_params_free(f->params);
    an_context_free(f->context);
    free(f);
    return 0;
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* The whole file: length, header, `data` bytes of the floats 1, 2, 3, ... */
static size_t compose(unsigned char *out, const char *header, size_t length, size_t data)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(out + 8, header, length);
    for (size_t i = 0; i < data; i++) {
        float value = (float)(i / 4 + 1);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        out[8 + length + i] = (unsigned char)(bits >> (8 * (i % 4)));
    }
    return 8 + length + data;
}

static void write_weights(const fixture *f, const char *header, size_t data)
{
    static unsigned char bytes[70000];
    assert_true(strlen(header) + data + 8 < sizeof bytes);
    write_bytes(f->path, bytes, compose(bytes, header, strlen(header), data));
}

static float *value_of(const an_params *params, const char *name)
{
    return an_params_find(params, name)->tensor->data;
}

static void mark(an_params *params)
{
    for (int i = 0; i < 6; i++)
        value_of(params, "a")[i] = -1;
    value_of(params, "b")[0] = -1;
}

static bool is_marked(an_params *params)
{
    bool marked = value_of(params, "b")[0] == -1;
    for (int i = 0; i < 6; i++)
        marked = marked && value_of(params, "a")[i] == -1;
    return marked;
}

static void accept(fixture *f, const char *header)
{
    an_error err = {0};
    write_weights(f, header, 4 * VALUES);
    mark(f->params);
    if (!an_params_load(f->params, f->path, &err))
        fail_msg("%s: %s", header, err.message);
    for (int i = 0; i < 6; i++)
        assert_true(value_of(f->params, "a")[i] == (float)(i + 1));
    assert_true(value_of(f->params, "b")[0] == 7);
}

static void sound_files(void **state)
{
    fixture *f = *state;
    accept(f, "{" A "," B "," C "}");
    accept(f, "{" C "," B "," A "}        ");
    accept(f, "{\"__metadata__\":{\"format\":\"pt\",\"\\u00e9\":\"\\ud83d\\ude00\\n\"}," A "," B
              "," C "}");
    accept(f, " {\n\t" A " ,\r\n " B " , " C " } ");
    accept(f, "{\"\\u0061\":{\"shape\":[ 2 , 3 ],\"data_offsets\" : [0,24],\"dtype\":\"F32\"}," B
              "," C "}");
}

/* Refused, with a message that holds `part` and the file's name, and nothing changed. */
static void refuse(fixture *f, an_error_code code, const char *part)
{
    an_error err = {0};
    mark(f->params);
    assert_false(an_params_load(f->params, f->path, &err));
    if (err.code != code || !strstr(err.message, part) || !strstr(err.message, f->path))
        fail_msg("expected '%s' in: %s", part, err.message);
    assert_true(is_marked(f->params));
    assert_false(an_params_load(f->params, f->path, NULL));
}

static void refuse_header(fixture *f, const char *header, const char *part)
{
    write_weights(f, header, 4 * VALUES);
    refuse(f, AN_ERROR_DATA, part);
}

#define T(dtype, shape, begin, end) \
    "{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void damaged_headers(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"", "'{' is missing"},
        {"[]", "'{' is missing"},
        {"{", "'\"' is missing"},
        {"{" A, "',' is missing"},
        {"{" A "," B "," C "} x", "follows the last bracket"},
        {"{" A "," B "," C ",}", "'\"' is missing"},
        {"{" A "," A "," B "," C "}", "'a' is there twice"},
        {"{\"a\":1}", "'{' is missing"},
        {"{\"a\":{}}", "lacks its dtype"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "each once"},
        {"{\"a\":{\"size\":3}}", "each once"},
        {"{\"a\":" T("\"F33\"", "[2,3]", "0", "24") "}", "no dtype 'F33'"},
        {"{\"a\":" T("\"F32\"", "[2,-3]", "0", "24") "}", "whole number"},
        {"{\"a\":" T("\"F32\"", "[2,3.0]", "0", "24") "}", "',' is missing"},
        {"{\"a\":" T("\"F32\"", "[2,03]", "0", "24") "}", "whole number"},
        {"{\"a\":" T("\"F32\"", "[2,3]", "0", "99999999999999999999") "}", "too large"},
        {"{\"a\":" T("\"F32\"", "[2,4]", "0", "24") "}", "do not suit"},
        {"{\"a\":" T("\"F32\"", "[2,3]", "24", "0") "}", "do not suit"},
        {"{\"a\":" T("\"F32\"", "[4611686018427387904,4,4]", "0", "24") "}", "do not suit"},
        {"{\"a\":" T("\"F32\"", "[1,1,1,1,1,2,3]", "0", "24") "}", "6 dimensions"},
        {"{" A "," C ",\"b\":" T("\"F32\"", "[]", "20", "24") "}", "neither overlap"},
        {"{" A ",\"b\":" T("\"F32\"", "[]", "28", "32") "}", "neither overlap"},
        {"{" A "}", "28 bytes of values"},
        {"{\"a\\x\":1}", "not one of JSON"},
        {"{\"a\\u00g0\":1}", "four digits"},
        {"{\"a\\u0000\":1}", "zero"},
        {"{\"\\ud800\":1}", "surrogate"},
        {"{\"\\ud800\\u0041\":1}", "surrogate"},
        {"{\"\\udc00\":1}", "surrogate"},
        {"{\"\xff\":1}", "UTF-8"},
        {"{\"a\nb\":1}", "UTF-8"},
        {"{\"abc", "'\"' is missing"},
        {"{\"abc\\", "not one of JSON"},
        {"{\"__metadata__\":{\"a\":1}}", "'\"' is missing"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", "twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_header(f, cases[i][0], cases[i][1]);
}

static void refuse_model(fixture *f, const char *header, size_t data, const char *part)
{
    write_weights(f, header, data);
    refuse(f, AN_ERROR_STATE, part);
}

static void weights_of_other_models(void **state)
{
    fixture *f = *state;
    refuse_model(f, "{" A "," B "}", 28, "has no 'c'");
    refuse_model(f, "{" A "," B "," C ",\"d\":" T("\"F32\"", "[1]", "28", "32") "}", 32,
                 "holds 'd'");
    refuse_model(f, "{\"a\":" T("\"F32\"", "[3,2]", "0", "24") "," B "," C "}", 28,
                 "'a' has shape (3, 2), but the model's has (2, 3)");
    refuse_model(f, "{\"a\":" T("\"F16\"", "[2,3]", "0", "12") "}", 12, "dtype F16");
    refuse_model(f, "{}", 0, "has no 'a'");
}

static void files_that_are_cut_off(void **state)
{
    fixture *f = *state;
    static const char header[] = "{" A "," B "," C "}";
    unsigned char bytes[400];
    size_t size = compose(bytes, header, strlen(header), 28);
    for (size_t cut = 0; cut < size; cut++) {
        write_bytes(f->path, bytes, cut);
        refuse(f, AN_ERROR_DATA, "");
    }
    bytes[size] = 0;
    write_bytes(f->path, bytes, size + 1);
    refuse(f, AN_ERROR_DATA, "29 bytes of values");
    memset(bytes, 0xff, 8);
    write_bytes(f->path, bytes, size);
    refuse(f, AN_ERROR_DATA, "header of 18446744073709551615 bytes");
}

/* Whatever a bit of the header becomes: it is refused, or the very values come out. */
static void every_wrong_bit_of_the_header(void **state)
{
    fixture *f = *state;
    static const char header[] = "{" A "," B "," C "}";
    unsigned char bytes[400];
    size_t size = compose(bytes, header, strlen(header), 28);
    for (size_t bit = 0; bit < 8 * (8 + strlen(header)); bit++) {
        an_error err = {0};
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        write_bytes(f->path, bytes, size);
        mark(f->params);
        bool loaded = an_params_load(f->params, f->path, &err);
        assert_true(loaded ? !is_marked(f->params) : is_marked(f->params) && err.message[0]);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void what_is_no_file(void **state)
{
    fixture *f = *state;
    refuse(f, AN_ERROR_IO, "No such file");
    assert_int_equal(mkdir(f->path, 0700), 0);
    refuse(f, AN_ERROR_IO, "it is a folder; name a file");
    assert_int_equal(rmdir(f->path), 0);
    an_params *bare = an_params_new(f->context, NULL);
    an_error err = {0};
    assert_false(an_params_load(bare, f->path, &err));
    assert_int_equal(err.code, AN_ERROR_STATE);
    an_params_free(bare);
}

static void what_was_saved_comes_back(void **state)
{
    fixture *f = *state;
    static const float values[] = {0x1p-149f, -0.0f, 3.4e38f, -1, 0.1f, 1e-30f};
    memcpy(value_of(f->params, "a"), values, sizeof values);
    value_of(f->params, "b")[0] = 5;
    assert_true(an_params_save(f->params, f->path, NULL));
    mark(f->params);
    assert_true(an_params_load(f->params, f->path, NULL));
    assert_memory_equal(value_of(f->params, "a"), values, sizeof values);
    assert_true(value_of(f->params, "b")[0] == 5);
}

static void every_allocation_may_fail(void **state)
{
    fixture *f = *state;
    write_weights(f, "{" A "," B "," C "}", 28);
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = -1};
        an_context_options options = {.threads = 1, .allocator = failing_hooks(&failing)};
        an_context *context = an_context_new(&options, NULL);
        an_params *params = make_params(context);
        failing.requests = 0;
        failing.fail_at = n;
        an_error err = {0};
        bool loaded = an_params_load(params, f->path, &err);
        assert_true(loaded || err.code == AN_ERROR_MEMORY);
        an_params_free(params);
        an_context_free(context);
        assert_int_equal(failing.blocks, 0);
        if (failing.requests <= n) {
            assert_true(loaded && n > 0);
            break;
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sound_files),
        TEST(damaged_headers),
        TEST(weights_of_other_models),
        TEST(files_that_are_cut_off),
        TEST(every_wrong_bit_of_the_header),
        TEST(what_is_no_file),
        TEST(what_was_saved_comes_back),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
