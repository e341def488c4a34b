/* The methods of conv.h, and what they share. */
#ifndef AN_CONVOLUTION_H
#define AN_CONVOLUTION_H

#include "tensor/kernels/conv.h"
#include "tensor/kernels/whole.h"

/* Items of work that write apart from each other, and memory for each thread that does some. */
typedef struct an_shares {
    const an_context *context;
    int64_t items;
    void (*run)(const void *arg, int64_t item, float *gemm_scratch, float *memory);
    const void *arg;
    int64_t need; /* floats of memory for an item */
    float *space; /* an__conv_shares_space floats, where the context's scratch is too small */
} an_shares;

/* Runs all items, `operations` multiply-adds in all. Each share is a run of items, in order. */
void an__conv_shares(an_context *context, const an_shares *shares, double operations);
/* 0 where `need` floats a thread fit into the context's scratch. */
int64_t an__conv_shares_space(const an_context *context, int64_t need);

/* Direct: every size. */
int64_t an__conv_forward_direct_space(const an_context *context, const an_conv *conv);
void an__conv_forward_direct(an_context *context, const an_conv *conv, const float *x,
                             const float *w, const float *bias, an_epilogue epilogue, float *y,
                             bool add, float *space);
int64_t an__conv_data_direct_space(const an_context *context, const an_conv *conv);
void an__conv_data_direct(an_context *context, const an_conv *conv, const float *dy, const float *w,
                          float *dx, bool add, float *space);
int64_t an__conv_weight_direct_space(const an_context *context, const an_conv *conv);
void an__conv_weight_direct(an_context *context, const an_conv *conv, const float *x,
                            const float *dy, float *dw, bool add, float *space);

/* By products of matrices: windows of single pixels, one after the other. */
bool an__conv_1x1_fits(const an_conv *conv);
void an__conv_forward_1x1(an_context *context, const an_conv *conv, const float *x, const float *w,
                          const float *bias, an_epilogue epilogue, float *y, bool add);
void an__conv_data_1x1(an_context *context, const an_conv *conv, const float *dy, const float *w,
                       float *dx, bool add);
int64_t an__conv_weight_1x1_space(const an_conv *conv);
void an__conv_weight_1x1(an_context *context, const an_conv *conv, const float *x, const float *dy,
                         float *dw, bool add, float *space);

/*
 * By minimal filtering: windows of 3x3 that move by one, over channels enough to fill the vectors;
 * `backward` asks for dx. Filters take space.
 */
bool an__conv_3x3_fits(const an_context *context, const an_conv *conv, bool backward);
int64_t an__conv_filter_3x3_space(const an_context *context, const an_conv *conv, bool backward);
void an__conv_forward_3x3(an_context *context, const an_conv *conv, const float *x, const float *w,
                          const float *bias, bool relu, float *y, bool add, float *space);
void an__conv_data_3x3(an_context *context, const an_conv *conv, const float *dy, const float *w,
                       float *dx, bool add, float *space);
int64_t an__conv_weight_3x3_space(const an_context *context, const an_conv *conv);
void an__conv_weight_3x3(an_context *context, const an_conv *conv, const float *x, const float *dy,
                         float *dw, bool add, float *space);

#endif
