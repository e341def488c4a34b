#include "optim/muon.h"
#include "tensor/kernels/gemm.h"

void an__muon_gram(an_context *context, an_real *a, const an_real *x, int64_t rows, int64_t columns,
                   bool tall)
{
    int64_t side = tall ? columns : rows;
    const an_gemm call = {
        .transpose_a = tall,
        .transpose_b = !tall,
        .m = side,
        .n = side,
        .k = tall ? rows : columns,
        .a = x,
        .lda = columns,
        .b = x,
        .ldb = columns,
        .c = a,
        .ldc = side,
    };
    an__gemm(context, &call);
}

void an__muon_product(an_context *context, an_real *c, const an_real *a, const an_real *b,
                      int64_t m, int64_t n, int64_t k)
{
    const an_gemm call = {
        .m = m, .n = n, .k = k, .a = a, .lda = k, .b = b, .ldb = n, .c = c, .ldc = n};
    an__gemm(context, &call);
}
