/* Collects the tables of all kernel sources and widths, and finds the one for this processor. */
#include "tensor/kernels/kernels.h"

#include "tensor/kernels/pool.h"

/* The sources of meson.build that define a table: X(name) stands for an__<name>_table_<bits>. */
#define KERNEL_TABLES(X, bits) \
    X(bytes, bits)             \
    X(cells, bits)             \
    X(conv, bits)              \
    X(gemm, bits)              \
    X(losses, bits)            \
    X(norms, bits)             \
    X(pointwise, bits)         \
    X(pooling, bits)           \
    X(rows, bits)              \
    X(scores, bits)            \
    X(update, bits)            \
    X(winograd, bits)

#define DECLARE(name, bits) extern const an_##name##_table an__##name##_table_##bits;
#define COLLECT(name, bits) .name = &an__##name##_table_##bits,

KERNEL_TABLES(DECLARE, 128)
static const an_kernels kernels_128 = {.bits = 128, KERNEL_TABLES(COLLECT, 128)};

#if defined(__x86_64__)
KERNEL_TABLES(DECLARE, 256)
KERNEL_TABLES(DECLARE, 512)
static const an_kernels kernels_256 = {.bits = 256, KERNEL_TABLES(COLLECT, 256)};
static const an_kernels kernels_512 = {.bits = 512, KERNEL_TABLES(COLLECT, 512)};

static bool runs_256(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool runs_512(void)
{
    return runs_256() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const an_kernels *an__kernels_find(int bits)
{
#if defined(__x86_64__)
    if ((bits == 512 || bits == 0) && runs_512())
        return &kernels_512;
    if ((bits == 256 || bits == 0) && runs_256())
        return &kernels_256;
#endif
    return bits == 128 || bits == 0 ? &kernels_128 : NULL;
}
