/*
 * Pooling: the maximum or the mean of each window of a plane. Planes are contiguous; forward and
 * backward go plane by plane, for planes begin <= i < end.
 */
#ifndef AN_POOLING_H
#define AN_POOLING_H

#include "tensor/kernels/kernels.h"

/* Index 0 is the vertical direction, 1 the horizontal one. */
typedef struct an_pooling {
    int64_t size[2], out_size[2];
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    int64_t divisor; /* 0: the values of a window, counted as exclude_padding says */
    bool exclude_padding;
    bool adaptive; /* windows follow from the sizes alone; `kernel` and the like are not used */
} an_pooling;

/* The largest windows whose places fit into what max_pooling keeps of them. */
enum { AN_POOLING_MAX_KERNEL = 65536 };

struct an_pooling_table {
    /* `where`: which value of the window is the maximum, u * kernel[1] + v; NULL: not wanted. */
    void (*max)(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y,
                uint16_t *where);
    /* dx (+)= dy, where the maxima came from */
    void (*max_backward)(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                         const uint16_t *where, float *dx, bool add);
    void (*mean)(const an_pooling *p, int64_t begin, int64_t end, const float *x, float *y);
    /* dx (+)= dy / count, at all values of the windows */
    void (*mean_backward)(const an_pooling *p, int64_t begin, int64_t end, const float *dy,
                          float *dx, bool add);
};

#endif
