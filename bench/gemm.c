/*
 * Speed of the matrix products: GFLOP/s for the shapes of MNIST networks and some large ones, for
 * every kernel width that this processor has, beside the peak that a loop of multiply-adds reaches
 * on one thread. Times are the smallest of many repetitions.
 *
 *   gemm [most threads, default 2] [seconds per cell, default 0.05]
 */
#include "tensor/kernels/gemm.h"

#include <stdio.h>

#include "bench.h"

typedef struct shape {
    const char *name;
    int m, n, k;
    bool transpose_a, transpose_b, fused; /* fused: with bias and ReLU */
} shape;

/* clang-format off */
static const shape shapes[] = {
    {"forward  64x784x128",    64,  128,  784, false, true, true},
    {"forward  64x128x10",     64,   10,  128, false, true, true},
    {"dx       64x10x128",     64,  128,   10, false, false, false},
    {"dW       10x64x128",     10,  128,   64, true, false, false},
    {"dW      128x64x784",    128,  784,   64, true, false, false},
    {"forward 128x784x512",   128,  512,  784, false, true, true},
    {"forward 128x512x512",   128,  512,  512, false, true, true},
    {"forward 128x512x10",    128,   10,  512, false, true, true},
    {"dx      128x10x512",    128,  512,   10, false, false, false},
    {"dx      128x512x512",   128,  512,  512, false, false, false},
    {"dW       10x128x512",    10,  512,  128, true, false, false},
    {"dW      512x128x512",   512,  512,  128, true, false, false},
    {"dW      512x128x784",   512,  784,  128, true, false, false},
    {"forward   1x784x128",     1,  128,  784, false, true, true},
    {"forward   4x784x128",     4,  128,  784, false, true, true},
    {"NN    1024^3",         1024, 1024, 1024, false, false, false},
    {"NT    1024^3",         1024, 1024, 1024, false, true, false},
    {"TN    1024^3",         1024, 1024, 1024, true, false, false},
    {"NN    2048^3",         2048, 2048, 2048, false, false, false},
};
/* clang-format on */

/*
 * Twelve independent chains of multiply-adds in registers, in vectors of one width: the bound that
 * no kernel can pass. The empty assembly keeps the compiler from simplifying a chain.
 */
#if defined(__x86_64__)
#define IN_REGISTER "+v"
#define TARGET(features) __attribute__((target(features), noinline))
#else
#define IN_REGISTER "+w"
#define TARGET(features) __attribute__((noinline))
#endif
#define CHAIN(i)                 \
    x##i = x##i * factor + term; \
    __asm__("" : IN_REGISTER(x##i));
#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define START(i) vector x##i = {(float)(i)};
#define ADD(i) total += x##i;
#define CHAINS(bits, features)                                         \
    TARGET(features) static float chains_##bits(int64_t rounds)        \
    {                                                                  \
        typedef float vector __attribute__((vector_size((bits) / 8))); \
        const vector factor = {0.5f}, term = {0.25f};                  \
        vector total = {0.0f};                                         \
        TWELVE(START)                                                  \
        for (int64_t i = 0; i < rounds; i++) {                         \
            TWELVE(CHAIN)                                              \
        }                                                              \
        TWELVE(ADD)                                                    \
        return total[0];                                               \
    }

CHAINS(128, "sse2")
#if defined(__x86_64__)
CHAINS(256, "avx2,fma")
CHAINS(512, "avx512f,fma")
#endif

static float chains(int bits, int64_t rounds)
{
#if defined(__x86_64__)
    if (bits == 512)
        return chains_512(rounds);
    if (bits == 256)
        return chains_256(rounds);
#endif
    (void)bits;
    return chains_128(rounds);
}

/* Operations a second that one thread can reach, at best. */
static double peak(int bits)
{
    const int64_t rounds = 20000;
    double best = 0.0;
    volatile float sink = 0.0f;
    for (int i = 0; i < 300; i++) {
        const double start = now();
        sink = chains(bits, rounds);
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
    const int most_threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
    const double seconds = argc > 2 ? strtod(argv[2], NULL) : 0.05;
    an_context *widest = an_context_new(NULL, NULL);
    if (!widest || most_threads < 1 || most_threads > 15)
        return 1;
    const int most_bits = an_context_vector_bits(widest);
    an_context_free(widest);
    for (int bits = most_bits; bits >= 128; bits /= 2)
        bench_width(bits, most_threads, seconds);
    return 0;
}
