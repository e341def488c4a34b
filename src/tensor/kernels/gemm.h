/*
 * Matrix products: C = activation(op(A) op(B) + bias), or C += op(A) op(B).
 *
 * All matrices are row-major float32 with a row stride (ld) in floats:
 *
 *                stored as                            ld at least
 *     A (m x k)  m rows of k; transpose_a: k of m     k; m
 *     B (k x n)  k rows of n; transpose_b: n of k     n; k
 *     C (m x n)  m rows of n                          n
 *
 * The three products of a linear layer with x (batch, in), W (out, in), y (batch, out):
 *
 *     y  = x W^T     transpose_b                      m batch, n out, k in
 *     dx = dy W      neither                          m batch, n in,  k out
 *     dW = dy^T x    transpose_a                      m out,   n in,  k batch
 */
#ifndef AN_GEMM_H
#define AN_GEMM_H

#include "tensor/kernels/kernels.h"

/* What is applied to each result. The values equal those of an_activation in anneal/autograd.h. */
typedef enum an_epilogue {
    AN_EPILOGUE_IDENTITY,
    AN_EPILOGUE_RELU,
    AN_EPILOGUE_TANH,
    AN_EPILOGUE_SIGMOID
} an_epilogue;

/* What a large A is packed into, in floats. */
enum { AN_GEMM_SPACE = 128 * 1024 };

typedef struct an_gemm {
    bool transpose_a, transpose_b;
    int64_t m, n, k; /* each at least 0; k = 0 gives zeros, plus bias */
    const float *a;
    int64_t lda;
    const float *b;
    int64_t ldb;
    float *c; /* overlaps neither a nor b */
    int64_t ldc;
    bool accumulate;      /* add to c, which then is read */
    const float *bias;    /* n values added to every row, or NULL */
    an_epilogue epilogue; /* after bias and accumulation */
    float *space;         /* AN_GEMM_SPACE floats aligned to 64 bytes, or NULL */
} an_gemm;

/* Computes the product on the threads of `context`. Same threads and width: the same bits. */
void an__gemm(an_context *context, const an_gemm *call);

/*
 * One thread's share, by the kernels of one width: the whole of `call`, with `scratch` of
 * `scratch_floats` floats aligned to 64 bytes. Its `space`, for a large A, does not change the
 * bits.
 */
struct an_gemm_table {
    int64_t scratch_floats;
    int lanes;
    void (*run)(const an_gemm *call, float *scratch);
};

#endif
