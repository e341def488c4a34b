/*
 * Transposes AN_LANES rows of AN_LANES floats in registers. Included by kernel sources only.
 *
 * First every aligned 4x4 block within the 128-bit quarters is transposed by two rounds of
 * interleaving, which is one instruction a result on every target; then whole quarters change
 * places.
 */
#ifndef AN_TRANSPOSE_H
#define AN_TRANSPOSE_H

#include "tensor/kernels/vector.h"

/* In every quarter: LOW gives a0 b0 a1 b1, HIGH a2 b2 a3 b3; LOW2 a0 a1 b0 b1, HIGH2 a2 a3 b2 b3.
 */
#if AN_KERNEL_BITS == 512
#define QUARTERS(a, b, i0, i1, i2, i3)                                                            \
    __builtin_shufflevector(a, b, (i0), (i1), (i2), (i3), (i0) + 4, (i1) + 4, (i2) + 4, (i3) + 4, \
                            (i0) + 8, (i1) + 8, (i2) + 8, (i3) + 8, (i0) + 12, (i1) + 12,         \
                            (i2) + 12, (i3) + 12)
#elif AN_KERNEL_BITS == 256
#define QUARTERS(a, b, i0, i1, i2, i3) \
    __builtin_shufflevector(a, b, (i0), (i1), (i2), (i3), (i0) + 4, (i1) + 4, (i2) + 4, (i3) + 4)
#else
#define QUARTERS(a, b, i0, i1, i2, i3) __builtin_shufflevector(a, b, (i0), (i1), (i2), (i3))
#endif
#define LOW(a, b) QUARTERS(a, b, 0, AN_LANES, 1, AN_LANES + 1)
#define HIGH(a, b) QUARTERS(a, b, 2, AN_LANES + 2, 3, AN_LANES + 3)
#define LOW2(a, b) QUARTERS(a, b, 0, 1, AN_LANES, AN_LANES + 1)
#define HIGH2(a, b) QUARTERS(a, b, 2, 3, AN_LANES + 2, AN_LANES + 3)

/* Rows r..r+3: transposes each quarter's 4x4 block. */
AN_INLINE void an__transpose_quarters(an_vec *r)
{
    const an_vec t0 = LOW(r[0], r[1]), t1 = HIGH(r[0], r[1]);
    const an_vec t2 = LOW(r[2], r[3]), t3 = HIGH(r[2], r[3]);
    r[0] = LOW2(t0, t2);
    r[1] = HIGH2(t0, t2);
    r[2] = LOW2(t1, t3);
    r[3] = HIGH2(t1, t3);
}

#if AN_KERNEL_BITS == 512

/* Quarters 0 and 2, or 1 and 3, of a, then of b. */
#define EVEN(a, b) \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define ODD(a, b) \
    __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)

AN_INLINE void an__transpose(an_vec r[AN_LANES])
{
    for (int i = 0; i < 16; i += 4)
        an__transpose_quarters(r + i);
    for (int i = 0; i < 4; i++) {
        const an_vec e0 = EVEN(r[i], r[i + 4]), e1 = EVEN(r[i + 8], r[i + 12]);
        const an_vec o0 = ODD(r[i], r[i + 4]), o1 = ODD(r[i + 8], r[i + 12]);
        r[i] = EVEN(e0, e1);
        r[i + 4] = EVEN(o0, o1);
        r[i + 8] = ODD(e0, e1);
        r[i + 12] = ODD(o0, o1);
    }
}

#undef EVEN
#undef ODD

#elif AN_KERNEL_BITS == 256

AN_INLINE void an__transpose(an_vec r[AN_LANES])
{
    an__transpose_quarters(r);
    an__transpose_quarters(r + 4);
    for (int i = 0; i < 4; i++) {
        const an_vec a = r[i], b = r[i + 4];
        r[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

#else

AN_INLINE void an__transpose(an_vec r[AN_LANES])
{
    an__transpose_quarters(r);
}

#endif

#undef QUARTERS
#undef LOW
#undef HIGH
#undef LOW2
#undef HIGH2

#endif
