/* What conv.c has from padding.c. Included by kernel sources only. */
#ifndef AN_PADDING_H
#define AN_PADDING_H

#include "tensor/kernels/conv.h"
#include "tensor/kernels/vector.h"

/* See an_conv_table. */
void AN_KERNEL_NAME(an__conv_pad)(const an_conv *conv, const an_padded *form, int64_t channel,
                                  const float *x, float *padded);
void AN_KERNEL_NAME(an__conv_weave)(int64_t stride, int64_t width, const float *phases,
                                    int64_t step, bool add, float *row);

#endif
