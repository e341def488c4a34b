/* Matrix products by the kernels of one width. */
#include "tensor/kernels/gemm.h"

#include "tensor/kernels/vector.h"

static float element(const an_gemm *call, int64_t i, int64_t j)
{
    float sum = call->accumulate ? call->c[i * call->ldc + j] : 0.0f;
    for (int64_t p = 0; p < call->k; p++)
        sum += call->a[call->transpose_a ? p * call->lda + i : i * call->lda + p] *
               call->b[call->transpose_b ? j * call->ldb + p : p * call->ldb + j];
    sum += call->bias ? call->bias[j] : 0.0f;
    switch (call->epilogue) {
    case AN_EPILOGUE_RELU:
        return sum < 0.0f ? 0.0f : sum;
    case AN_EPILOGUE_TANH:
        return tanhf(sum);
    case AN_EPILOGUE_SIGMOID:
        return 1.0f / (1.0f + expf(-sum));
    case AN_EPILOGUE_IDENTITY:
        break;
    }
    return sum;
}

static void run(const an_gemm *call, float *scratch)
{
    (void)scratch;
    for (int64_t i = 0; i < call->m; i++)
        for (int64_t j = 0; j < call->n; j++)
            call->c[i * call->ldc + j] = element(call, i, j);
}

const an_gemm_table AN_KERNEL_NAME(an__gemm_table) = {
    .scratch_floats = 16, .lanes = AN_LANES, .run = run};
