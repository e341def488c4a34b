/*
 * Weight files, read back by a small reader of their own written from the format's description: 8
 * bytes of length, a JSON object, values. Failures to write leave no trace.
 */
#include <anneal/nn.h>

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"

typedef struct fixture {
    an_context *context;
    an_params *params;
    char folder[64], path[128];
} fixture;

/* Names that JSON has to escape, empty tensors, a scalar, and one larger than the write buffer. */
static const char *const names[] = {
    "1.weight", "1.bias", "quote\"back\\slash\ttab\x01", "\xc3\xa4\xe2\x82\xac", "empty",
    "scalar",   "big"};
#define COUNT (sizeof names / sizeof names[0])

static an_shape shape_of(size_t index)
{
    const an_shape shapes[COUNT] = {an_shape_2(3, 4), an_shape_1(3),    an_shape_3(2, 1, 5),
                                    an_shape_1(1),    an_shape_2(0, 7), an_shape_0(),
                                    an_shape_1(20001)};
    return shapes[index];
}

static float value_of(size_t index, int64_t at)
{
    static const float special[] = {NAN, INFINITY, -0.0f, 1e-45f};
    return at < 4 && index == 0 ? special[at] : (float)at * 0.37f - (float)index;
}

static an_params *make_params(an_context *context)
{
    an_params *params = an_params_new(context, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        assert_non_null(an_params_add(params, names[i], shape_of(i), NULL));
    }
    assert_true(an_params_build(params, NULL));
    for (size_t i = 0; i < COUNT; i++) {
        an_tensor *tensor = an_params_get(params, i)->tensor;
        for (int64_t k = 0; k < tensor->size; k++) {
            tensor->data[k] = value_of(i, k);
        }
    }
    return params;
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    an_context_options options = {.threads = 1};
    f->context = an_context_new(&options, NULL);
    f->params = make_params(f->context);
    strcpy(f->folder, "/tmp/anneal-safetensors-XXXXXX");
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

/* ------------------------------------------------------------------- reader */

typedef struct reader {
    const char *at, *end;
} reader;

static void expect(reader *r, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length) != 0) {
        fail_msg("expected %s at %.40s", text, r->at);
    }
    r->at += length;
}

static bool next_is(reader *r, char c)
{
    bool is = r->at < r->end && *r->at == c;
    r->at += is;
    return is;
}

static void read_string(reader *r, char *out)
{
    expect(r, "\"");
    while (!next_is(r, '"')) {
        assert_true(r->at < r->end && (unsigned char)*r->at >= 0x20);
        if (!next_is(r, '\\')) {
            *out++ = *r->at++;
        } else if (next_is(r, 'u')) {
            char digits[5] = {r->at[0], r->at[1], r->at[2], r->at[3], 0};
            *out++ = (char)strtol(digits, NULL, 16);
            r->at += 4;
        } else {
            assert_true(*r->at == '"' || *r->at == '\\');
            *out++ = *r->at++;
        }
    }
    *out = '\0';
}

static long long read_integer(reader *r)
{
    char *end;
    long long value = strtoll(r->at, &end, 10);
    assert_true(end > r->at && end <= r->end);
    r->at = end;
    return value;
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    bytes[*size] = 0;
    fclose(file);
    return bytes;
}

/* One entry; its values must be those of parameter `index`. Returns where they end. */
static long long check_tensor(reader *r, size_t index, const unsigned char *data, long long begin)
{
    char name[64];
    read_string(r, name);
    assert_string_equal(name, names[index]);
    expect(r, ":{\"dtype\":\"F32\",\"shape\":[");
    an_shape shape = {0};
    while (!next_is(r, ']')) {
        if (shape.ndim > 0) {
            expect(r, ",");
        }
        shape.dim[shape.ndim++] = read_integer(r);
    }
    assert_true(an_shape_equal(shape, shape_of(index)));
    expect(r, ",\"data_offsets\":[");
    assert_int_equal(read_integer(r), begin);
    expect(r, ",");
    long long end = read_integer(r);
    expect(r, "]}");
    assert_int_equal(end - begin, 4 * an_shape_size(shape));
    for (int64_t i = 0; i < an_shape_size(shape); i++) {
        const unsigned char *b = data + begin + 4 * i;
        uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        float want = value_of(index, i), got;
        memcpy(&got, &bits, sizeof got);
        assert_memory_equal(&got, &want, sizeof got);
    }
    return end;
}

static void check_file(const char *path)
{
    size_t size;
    unsigned char *bytes = read_file(path, &size);
    uint64_t length = 0;
    for (int i = 0; i < 8; i++) {
        length |= (uint64_t)bytes[i] << (8 * i);
    }
    assert_true(size >= 8 && length <= size - 8 && length % 8 == 0);
    const unsigned char *data = bytes + 8 + length;
    reader r = {(const char *)bytes + 8, (const char *)data};
    long long at = 0;
    for (size_t i = 0; i < COUNT; i++) {
        expect(&r, i == 0 ? "{" : ",");
        at = check_tensor(&r, i, data, at);
    }
    expect(&r, "}");
    while (r.at < r.end) {
        expect(&r, " ");
    }
    assert_int_equal((size_t)at, size - 8 - length);
    free(bytes);
}

static int files_in(const char *folder)
{
    DIR *dir = opendir(folder);
    int count = -2; /* . and .. */
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* -------------------------------------------------------------------- tests */

static void what_is_saved_reads_back(void **state)
{
    fixture *f = *state;
    an_error err = {0};
    for (int i = 0; i < 2; i++) {
        if (!an_params_save(f->params, f->path, &err)) {
            fail_msg("%s", err.message);
        }
        check_file(f->path);
        assert_int_equal(files_in(f->folder), 1);
    }
}

static void the_mode_follows_the_umask(void **state)
{
    fixture *f = *state;
    mode_t old = umask(027);
    assert_true(an_params_save(f->params, f->path, NULL));
    umask(old);
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void relative_paths_work(void **state)
{
    fixture *f = *state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(f->folder), 0);
    an_error err = {0};
    bool saved = an_params_save(f->params, "w.safetensors", &err);
    assert_int_equal(chdir(here), 0);
    assert_true(saved);
    check_file(f->path);
}

static void a_wrong_place_is_an_error(void **state)
{
    fixture *f = *state;
    char long_path[5000];
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    char under_file[160], folder_itself[160];
    assert_true(an_params_save(f->params, f->path, NULL));
    snprintf(under_file, sizeof under_file, "%s/x", f->path);
    snprintf(folder_itself, sizeof folder_itself, "%s/.", f->folder);
    const char *const paths[] = {"/nowhere/at/all", "",       long_path, under_file,
                                 folder_itself,     f->folder};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        an_error err = {0};
        assert_false(an_params_save(f->params, paths[i], &err));
        assert_int_equal(err.code, AN_ERROR_IO);
        assert_non_null(strstr(err.message, "cannot write"));
        assert_false(an_params_save(f->params, paths[i], NULL));
    }
    assert_int_equal(files_in(f->folder), 1);
    check_file(f->path);
}

/* A limit on file sizes stands in for a full disk: writes past it fail. */
static void a_full_disk_leaves_the_old_file(void **state)
{
    fixture *f = *state;
    assert_true(an_params_save(f->params, f->path, NULL));
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    static const rlim_t limits[] = {0, 100, 70000};
    for (size_t i = 0; i < 3; i++) {
        small = old;
        small.rlim_cur = limits[i];
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        an_error err = {0};
        bool saved = an_params_save(f->params, f->path, &err);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_false(saved);
        assert_int_equal(err.code, AN_ERROR_IO);
        assert_non_null(strstr(err.message, f->path));
        assert_int_equal(files_in(f->folder), 1);
        check_file(f->path);
    }
    signal(SIGXFSZ, handler);
}

static void a_file_in_the_way_is_passed_by(void **state)
{
    fixture *f = *state;
    char taken[200];
    snprintf(taken, sizeof taken, "%s.%ld-0.tmp", f->path, (long)getpid());
    fclose(fopen(taken, "w"));
    assert_true(an_params_save(f->params, f->path, NULL));
    check_file(f->path);
    struct stat info;
    assert_int_equal(stat(taken, &info), 0);
    assert_int_equal(info.st_size, 0);
    unlink(taken);
}

static void names_that_the_format_lacks_are_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {"__metadata__", "\xff", "a\xc3", "\xc0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        an_error err = {0};
        an_params *params = an_params_new(f->context, NULL);
        an_params_add(params, bad[i], an_shape_1(1), NULL);
        assert_false(an_params_save(params, f->path, &err));
        assert_int_equal(err.code, AN_ERROR_STATE);
        an_params_build(params, NULL);
        assert_false(an_params_save(params, f->path, &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
        assert_int_equal(files_in(f->folder), 0);
        an_params_free(params);
    }
}

static void every_allocation_may_fail(void **state)
{
    fixture *f = *state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = -1};
        an_context_options options = {.threads = 1, .allocator = failing_hooks(&failing)};
        an_context *context = an_context_new(&options, NULL);
        an_params *params = make_params(context);
        failing.requests = 0;
        failing.fail_at = n;
        an_error err = {0};
        bool saved = an_params_save(params, f->path, &err);
        assert_true(saved || (err.code == AN_ERROR_MEMORY && files_in(f->folder) == 0));
        an_params_free(params);
        an_context_free(context);
        assert_int_equal(failing.blocks, 0);
        if (failing.requests <= n) {
            assert_true(saved && n > 0);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_saved_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_mode_follows_the_umask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(relative_paths_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_place_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_in_the_way_is_passed_by, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_the_format_lacks_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
