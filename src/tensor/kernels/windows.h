/* How many places a window has along one axis of an image: of convolutions and of pooling. */
#ifndef AN_WINDOWS_H
#define AN_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

/* The largest stride, dilation and padding. */
enum { AN_MOST_STEP = 65536 };

/* All but the padding at least 1 and at most 65536. */
typedef struct an_window {
    int64_t kernel, stride, padding, dilation;
} an_window;

/* Those of a convolution; 0 where the window does not fit. */
static inline int64_t an__conv_places(int64_t size, an_window w)
{
    const int64_t room = size + 2 * w.padding - w.dilation * (w.kernel - 1) - 1;
    return size < 1 || room < 0 ? 0 : room / w.stride + 1;
}

/* The size that has `places` of them, and `more` behind the last: of a transposed convolution. 0
 * or less where there is none, or `places` is above 2^40. */
static inline int64_t an__conv_back_size(int64_t places, an_window w, int64_t more)
{
    if (places < 1 || places > INT64_C(1) << 40)
        return 0;
    return (places - 1) * w.stride - 2 * w.padding + w.dilation * (w.kernel - 1) + more + 1;
}

/* Those of pooling: with `ceil_mode` rounded up, less one that begins beyond the padding. */
static inline int64_t an__pooling_places(int64_t size, an_window w, bool ceil_mode)
{
    const int64_t reach = w.dilation * (w.kernel - 1) + 1;
    const int64_t room = size + 2 * w.padding - reach + (ceil_mode ? w.stride - 1 : 0);
    if (size < 1 || room < 0)
        return 0;
    const int64_t places = room / w.stride + 1;
    return places - (ceil_mode && (places - 1) * w.stride >= size + w.padding);
}

#endif
