/* The matrix products of Muon. Apart from it because tests give products of doubles instead. */
#ifndef AN_OPTIM_MUON_H
#define AN_OPTIM_MUON_H

#include "optim/rule.h"

/* a = x x^T, or x^T x where `tall`; x is rows x columns. */
void an__muon_gram(an_context *context, an_real *a, const an_real *x, int64_t rows, int64_t columns,
                   bool tall);
/* c (m x n) = a (m x k) b (k x n) */
void an__muon_product(an_context *context, an_real *c, const an_real *a, const an_real *b,
                      int64_t m, int64_t n, int64_t k);

#endif
