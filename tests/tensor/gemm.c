/* Matrix products against a naive twin in double precision: odd shapes, all layouts and widths. */
#include "tensor/kernels/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Stands around every matrix: a kernel that writes or reads beyond its part meets these. */
enum { PAD = 3 };

typedef struct operands {
    an_gemm call;
    float *a, *b, *c, *bias, *before; /* before: c as it was */
    int64_t c_rows, c_size;
} operands;

/* Rows x columns values in -1..1 with a row stride that is larger; NaN everywhere between. */
static float *matrix(an_rng *rng, int64_t rows, int64_t columns, int64_t ld)
{
    float *values = malloc((size_t)(rows * ld + PAD) * sizeof(float));
    assert_non_null(values);
    for (int64_t i = 0; i < rows * ld + PAD; i++)
        values[i] = NAN;
    for (int64_t i = 0; i < rows; i++)
        an_rng_fill_uniform(rng, values + i * ld, columns, -1.0f, 1.0f);
    return values;
}

static operands make(an_rng *rng, an_gemm call)
{
    operands o = {.call = call};
    const int64_t a_rows = call.transpose_a ? call.k : call.m;
    const int64_t b_rows = call.transpose_b ? call.n : call.k;
    o.a = matrix(rng, a_rows, call.transpose_a ? call.m : call.k, call.lda);
    o.b = matrix(rng, b_rows, call.transpose_b ? call.k : call.n, call.ldb);
    o.c = matrix(rng, call.m, call.n, call.ldc);
    o.bias = matrix(rng, 1, call.n, call.n);
    o.c_size = call.m * call.ldc + PAD;
    o.before = malloc((size_t)o.c_size * sizeof(float));
    assert_non_null(o.before);
    memcpy(o.before, o.c, (size_t)o.c_size * sizeof(float));
    if (!call.accumulate) /* must not be read */
        for (int64_t i = 0; i < o.c_size; i++)
            o.c[i] = NAN;
    o.call.a = o.a;
    o.call.b = o.b;
    o.call.c = o.c;
    o.call.bias = call.bias ? o.bias : NULL;
    return o;
}

static void drop(operands *o)
{
    free(o->a);
    free(o->b);
    free(o->c);
    free(o->bias);
    free(o->before);
}

static double epilogue(an_epilogue kind, double x)
{
    switch (kind) {
    case AN_EPILOGUE_RELU:
        return x > 0.0 ? x : 0.0;
    case AN_EPILOGUE_TANH:
        return tanh(x);
    case AN_EPILOGUE_SIGMOID:
        return 1.0 / (1.0 + exp(-x));
    case AN_EPILOGUE_IDENTITY:
        break;
    }
    return x;
}

/* The twin: one element of C, and the sum of magnitudes that bounds its rounding error. */
static double twin(const operands *o, int64_t i, int64_t j, double *magnitude)
{
    const an_gemm *call = &o->call;
    double sum = call->accumulate ? (double)o->before[i * call->ldc + j] : 0.0;
    *magnitude = 1.0;
    for (int64_t p = 0; p < call->k; p++) {
        const double x = (double)call->a[call->transpose_a ? p * call->lda + i : i * call->lda + p];
        const double y = (double)call->b[call->transpose_b ? j * call->ldb + p : p * call->ldb + j];
        sum += x * y;
        *magnitude += fabs(x * y);
    }
    return epilogue(call->epilogue, sum + (call->bias ? (double)call->bias[j] : 0.0));
}

static void check(const operands *o)
{
    const an_gemm *call = &o->call;
    for (int64_t i = 0; i < o->c_size; i++) {
        const int64_t row = i / call->ldc, column = i % call->ldc;
        if (row >= call->m || column >= call->n) {
            assert_true(isnan(o->c[i]));
            continue;
        }
        double magnitude;
        const double expected = twin(o, row, column, &magnitude);
        const double error = fabs((double)o->c[i] - expected);
        if (!(error <= 1e-6 * magnitude))
            fail_msg("%s%s m=%d n=%d k=%d add=%d epilogue=%d at (%d, %d): %.9g, expected %.9g",
                     call->transpose_a ? "T" : "N", call->transpose_b ? "T" : "N", (int)call->m,
                     (int)call->n, (int)call->k, call->accumulate, (int)call->epilogue, (int)row,
                     (int)column, (double)o->c[i], expected);
    }
}

/* One shape in both layouts of A and B; the other choices follow `variant`. */
static void check_shape(an_context *context, an_rng *rng, int64_t m, int64_t n, int64_t k,
                        unsigned variant)
{
    static const float some = 0.0f;
    for (unsigned layout = 0; layout < 4; layout++, variant++) {
        const int64_t gap = variant % 3;
        an_gemm call = {.transpose_a = layout & 1, .transpose_b = layout & 2};
        call.m = m;
        call.n = n;
        call.k = k;
        call.lda = (call.transpose_a ? m : k) + gap;
        call.ldb = (call.transpose_b ? k : n) + gap * 2;
        call.ldc = n + gap;
        call.accumulate = variant / 2 % 2;
        call.bias = variant / 4 % 2 ? &some : NULL;
        call.epilogue = (an_epilogue)(variant / 3 % 4);
        operands o = make(rng, call);
        an__gemm(context, &o.call);
        check(&o);
        drop(&o);
    }
}

static an_context *context_of(int bits, int threads)
{
    const an_context_options options = {.vector_bits = bits, .threads = threads};
    return an_context_new(&options, NULL); /* NULL where the processor lacks the width */
}

static void each_context(void (*test)(an_context *context), int most_threads)
{
    for (int bits = 128; bits <= 512; bits *= 2)
        for (int threads = 1; threads <= most_threads; threads++) {
            an_context *context = context_of(bits, threads);
            if (context)
                test(context);
            an_context_free(context);
        }
}

/* Too small for a second thread. Every height and width of tile, every remainder, depths around the
 * vector length. */
static void small_shapes(an_context *context)
{
    static const int64_t depths[] = {0, 1, 2, 5, 16, 17, 33};
    an_rng rng = an_rng_init(7, 0);
    unsigned variant = 0;
    for (int64_t m = 1; m <= 17; m += m < 9 ? 1 : 4)
        for (int64_t n = 1; n <= 53; n += n < 18 ? 1 : 5) {
            check_shape(context, &rng, m, n, depths[variant % 7], variant);
            variant++;
        }
}

static void test_small_shapes(void **state)
{
    (void)state;
    each_context(small_shapes, 1);
}

/* Layers of MNIST networks and the gradients of their weights, several depth blocks, rows beyond
 * one block, ragged everything. */
static void large_shapes(an_context *context)
{
    static const int64_t shapes[][3] = {
        {64, 128, 784},  {64, 10, 128},   {32, 128, 10},  {96, 100, 784}, {128, 65, 512},
        {10, 784, 64},   {1, 130, 300},   {3, 97, 1030},  {700, 33, 40},  {515, 17, 270},
        {131, 257, 259}, {262, 1560, 20}, {128, 784, 64}, {131, 301, 70}};
    an_rng rng = an_rng_init(8, 0);
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_shape(context, &rng, shapes[i][0], shapes[i][1], shapes[i][2], i * 5);
}

static void test_large_shapes(void **state)
{
    (void)state;
    each_context(large_shapes, 3);
}

/* Nothing to compute: C stays as it is; k = 0: the empty sum. */
static void empty(an_context *context)
{
    float c[4] = {1, 2, 3, 4};
    const float bias[2] = {5, -6};
    an_gemm call = {.m = 0, .n = 2, .k = 3, .c = c, .ldc = 2, .lda = 3, .ldb = 2};
    an__gemm(context, &call);
    call.m = 2;
    call.n = 0;
    an__gemm(context, &call);
    assert_true(c[0] == 1 && c[1] == 2 && c[2] == 3 && c[3] == 4);
    call.n = 2;
    call.k = 0;
    call.bias = bias;
    call.epilogue = AN_EPILOGUE_RELU;
    an__gemm(context, &call);
    assert_true(c[0] == 5 && c[1] == 0 && c[2] == 5 && c[3] == 0);
}

static void test_empty(void **state)
{
    (void)state;
    each_context(empty, 2);
}

/* NaN passes through every epilogue; an infinity stays one. */
static void not_finite(an_context *context)
{
    for (int e = AN_EPILOGUE_IDENTITY; e <= AN_EPILOGUE_SIGMOID; e++) {
        const float a[2] = {NAN, 1.0f}, b[1] = {2.0f};
        float c[2] = {0};
        const an_gemm call = {.m = 2,
                              .n = 1,
                              .k = 1,
                              .a = a,
                              .lda = 1,
                              .b = b,
                              .ldb = 1,
                              .c = c,
                              .ldc = 1,
                              .epilogue = (an_epilogue)e};
        an__gemm(context, &call);
        assert_true(isnan(c[0]));
        assert_true(fabs((double)c[1] - epilogue((an_epilogue)e, 2.0)) < 1e-6);
    }
    const float a = INFINITY, b = 1.0f;
    float c = 0.0f;
    const an_gemm call = {.m = 1,
                          .n = 1,
                          .k = 1,
                          .a = &a,
                          .lda = 1,
                          .b = &b,
                          .ldb = 1,
                          .c = &c,
                          .ldc = 1,
                          .epilogue = AN_EPILOGUE_RELU};
    an__gemm(context, &call);
    assert_true(isinf(c) && c > 0);
}

static void test_not_finite(void **state)
{
    (void)state;
    each_context(not_finite, 1);
}

/* The same call twice, on contexts of their own: the same bits. */
static void test_same_bits(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        float *results[2];
        for (int run = 0; run < 2; run++) {
            an_rng rng = an_rng_init(11, 0);
            an_context *context = context_of(0, threads);
            assert_non_null(context);
            operands o = make(&rng, (an_gemm){.transpose_b = true,
                                              .m = 70,
                                              .n = 131,
                                              .k = 300,
                                              .lda = 300,
                                              .ldb = 300,
                                              .ldc = 131});
            an__gemm(context, &o.call);
            results[run] = o.c;
            o.c = NULL;
            drop(&o);
            an_context_free(context);
        }
        assert_memory_equal(results[0], results[1], 70 * 131 * sizeof(float));
        free(results[0]);
        free(results[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_shapes), cmocka_unit_test(test_large_shapes),
        cmocka_unit_test(test_empty),        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_same_bits),
    };
    return cmocka_run_group_tests_name("gemm", tests, NULL, NULL);
}
