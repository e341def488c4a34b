/*
 * Speed of the matrix products: GFLOP/s for the shapes of MNIST networks and some large ones, for
 * every kernel width that this processor has, beside the peak that a loop of multiply-adds reaches
 * on one thread. Times are the smallest of many repetitions.
 *
 *   gemm [most threads, default 2] [seconds per cell, default 0.05]
 */
#include "tensor/kernels/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct shape {
    const char *name;
    bool transpose_a, transpose_b;
    int m, n, k;
    bool fused; /* bias and ReLU */
} shape;

/* clang-format off */
static const shape shapes[] = {
    {"forward  64x784x128",  false, true,   64, 128, 784, true},
    {"forward  64x128x10",   false, true,   64,  10, 128, true},
    {"dx       64x10x128",   false, false,  64, 128,  10, false},
    {"dW       10x64x128",   true,  false,  10, 128,  64, false},
    {"dW      128x64x784",   true,  false, 128, 784,  64, false},
    {"forward 128x784x512",  false, true,  128, 512, 784, true},
    {"forward 128x512x512",  false, true,  128, 512, 512, true},
    {"forward 128x512x10",   false, true,  128,  10, 512, true},
    {"dx      128x10x512",   false, false, 128, 512,  10, false},
    {"dx      128x512x512",  false, false, 128, 512, 512, false},
    {"dW       10x128x512",  true,  false,  10, 512, 128, false},
    {"dW      512x128x512",  true,  false, 512, 512, 128, false},
    {"dW      512x128x784",  true,  false, 512, 784, 128, false},
    {"forward   1x784x128",  false, true,    1, 128, 784, true},
    {"NN    1024^3",         false, false, 1024, 1024, 1024, false},
    {"NT    1024^3",         false, true,  1024, 1024, 1024, false},
    {"TN    1024^3",         true,  false, 1024, 1024, 1024, false},
    {"NN    2048^3",         false, false, 2048, 2048, 2048, false},
};
/* clang-format on */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/*
 * Twelve independent chains of multiply-adds in registers, in vectors of one width: the bound that
 * no kernel can pass. The empty assembly keeps the compiler from simplifying a chain.
 */
#define CHAIN(i)                 \
    x##i = x##i * factor + term; \
    __asm__("" : "+v"(x##i));
#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define START(i) vector x##i = {(float)i};
#define ADD(i) total += x##i;
#define CHAINS(bits, features)                                                             \
    __attribute__((target(features), noinline)) static float chains_##bits(int64_t rounds) \
    {                                                                                      \
        typedef float vector __attribute__((vector_size(bits / 8)));                       \
        const vector factor = {0.5f}, term = {0.25f};                                      \
        vector total = {0.0f};                                                             \
        TWELVE(START)                                                                      \
        for (int64_t i = 0; i < rounds; i++) {                                             \
            TWELVE(CHAIN)                                                                  \
        }                                                                                  \
        TWELVE(ADD)                                                                        \
        return total[0];                                                                   \
    }
CHAINS(128, "sse2")
CHAINS(256, "avx2,fma")
CHAINS(512, "avx512f,fma")

/* Operations a second that one thread can reach, at best. */
static double peak(int bits)
{
    const int64_t rounds = 20000;
    double best = 0.0;
    volatile float sink = 0.0f;
    for (int i = 0; i < 300; i++) {
        const double start = now();
        sink = bits == 512   ? chains_512(rounds)
               : bits == 256 ? chains_256(rounds)
                             : chains_128(rounds);
        const double rate = (double)rounds * 12 * 2 * bits / 32 / (now() - start);
        best = rate > best ? rate : best;
    }
    (void)sink;
    return best;
}

static float *matrix(size_t count)
{
    float *values = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!values)
        exit(1);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(i % 17) * 0.125f - 1.0f;
    return values;
}

static double measure(an_context *context, const shape *s, double seconds)
{
    const size_t m = (size_t)s->m, n = (size_t)s->n, k = (size_t)s->k;
    float *a = matrix(m * k), *b = matrix(k * n), *c = matrix(m * n), *bias = matrix(n);
    const an_gemm call = {.transpose_a = s->transpose_a,
                          .transpose_b = s->transpose_b,
                          .m = s->m,
                          .n = s->n,
                          .k = s->k,
                          .a = a,
                          .lda = s->transpose_a ? s->m : s->k,
                          .b = b,
                          .ldb = s->transpose_b ? s->k : s->n,
                          .c = c,
                          .ldc = s->n,
                          .bias = s->fused ? bias : NULL,
                          .epilogue = s->fused ? AN_EPILOGUE_RELU : AN_EPILOGUE_IDENTITY};
    double best = 1e9;
    const double until = now() + seconds;
    do {
        const double start = now();
        an__gemm(context, &call);
        const double took = now() - start;
        best = took < best ? took : best;
    } while (now() < until);
    free(a);
    free(b);
    free(c);
    free(bias);
    return 2.0 * s->m * s->n * s->k / best;
}

static int bench_width(int bits, int most_threads, double seconds)
{
    an_context *context[16] = {0};
    for (int t = 1; t <= most_threads; t++) {
        an_error err = {0};
        const an_context_options options = {.threads = t, .vector_bits = bits};
        context[t] = an_context_new(&options, &err);
        if (!context[t])
            return fprintf(stderr, "%s\n", err.message);
    }
    const double limit = peak(bits);
    printf("%d bits, peak of one thread %.1f GFLOP/s\n", bits, limit * 1e-9);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        printf("  %-22s", shapes[i].name);
        for (int t = 1; t <= most_threads; t++) {
            const double rate = measure(context[t], &shapes[i], seconds);
            printf("  %dT %7.1f GFLOP/s %3.0f %%", t, rate * 1e-9, 100.0 * rate / limit / t);
        }
        printf("\n");
    }
    for (int t = 1; t <= most_threads; t++)
        an_context_free(context[t]);
    return 0;
}

int main(int argc, char **argv)
{
    const int most_threads = argc > 1 ? atoi(argv[1]) : 2;
    const double seconds = argc > 2 ? atof(argv[2]) : 0.05;
    an_context *widest = an_context_new(NULL, NULL);
    if (!widest || most_threads < 1 || most_threads > 15)
        return 1;
    const int most_bits = an_context_vector_bits(widest);
    an_context_free(widest);
    for (int bits = most_bits; bits >= 128; bits /= 2)
        bench_width(bits, most_threads, seconds);
    return 0;
}
