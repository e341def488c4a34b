/* Contexts: options, what is refused, every allocation failing once. */
#include "tensor/kernels/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_defaults(void **state)
{
    (void)state;
    an_error err = {0};
    an_context *context = an_context_new(NULL, &err);
    assert_non_null(context);
    assert_int_equal(err.code, AN_ERROR_OK);
    assert_in_range(an_context_threads(context), 1, 64);
    const int bits = an_context_vector_bits(context);
    assert_true(bits == 128 || bits == 256 || bits == 512);
    assert_non_null(an_context_allocator(context)->resize);
    an_context_free(context);
    an_context_free(NULL);
}

/* Each width up to the widest can be had; its table says which it is. */
static void test_widths(void **state)
{
    (void)state;
    an_context *widest = an_context_new(NULL, NULL);
    const int most = an_context_vector_bits(widest);
    an_context_free(widest);
    for (int bits = 128; bits <= 512; bits *= 2) {
        const an_context_options options = {.vector_bits = bits, .threads = 1};
        an_error err = {0};
        an_context *context = an_context_new(&options, &err);
        if (bits > most) {
            assert_null(context);
            assert_int_equal(err.code, AN_ERROR_ARGUMENT);
            continue;
        }
        assert_non_null(context);
        assert_int_equal(an_context_vector_bits(context), bits);
        assert_int_equal(an__kernels(context)->bits, bits);
        assert_non_null(an__kernels(context)->gemm);
        an_context_free(context);
    }
}

static void check_refused(an_context_options options, const char *word, const char *value)
{
    an_error err = {0};
    assert_null(an_context_new(&options, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, word));
    assert_non_null(strstr(err.message, value));
    assert_null(an_context_new(&options, NULL));
}

static void test_refused(void **state)
{
    (void)state;
    check_refused((an_context_options){.threads = -1}, "threads", "-1");
    check_refused((an_context_options){.threads = 65}, "threads", "65");
    check_refused((an_context_options){.vector_bits = 64}, "vector_bits", "64");
    check_refused((an_context_options){.vector_bits = 1024}, "vector_bits", "1024");
    check_refused((an_context_options){.vector_bits = -128}, "vector_bits", "-128");
}

/* An allocator that counts bytes and calls, and fails at call number `fail_at`. */
typedef struct counter {
    size_t bytes;
    int calls, fail_at;
} counter;

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    counter *c = user;
    if (new_size == 0) {
        free(block);
        c->bytes -= old_size;
        return NULL;
    }
    if (++c->calls == c->fail_at)
        return NULL;
    void *moved = realloc(block, new_size);
    if (moved)
        c->bytes += new_size - old_size;
    return moved;
}

static bool use(an_context *context, an_error *err)
{
    an_tensor *tensor = an_tensor_new(context, an_shape_2(3, 5), err);
    an_tensor *copy = tensor ? an_tensor_keep(context, tensor, err) : NULL;
    const bool made = copy != NULL;
    an_tensor_free(context, tensor);
    an_tensor_free(context, copy);
    return made;
}

static void test_memory_failures(void **state)
{
    (void)state;
    bool succeeded = false;
    for (int fail_at = 1; !succeeded; fail_at++) {
        counter c = {.fail_at = fail_at};
        const an_context_options options = {.threads = 3,
                                            .allocator = {.resize = resize, .user = &c}};
        an_error err = {0};
        an_context *context = an_context_new(&options, &err);
        succeeded = context && use(context, &err);
        if (!succeeded)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_context_free(context);
        assert_int_equal(c.bytes, 0);
        assert_true(succeeded == (c.calls < fail_at));
        assert_true(fail_at < 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory_failures),
    };
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
