/* The size of a tile of sums in registers. Included by kernel sources only. */
#ifndef AN_TILE_H
#define AN_TILE_H

/* 24 sums of 32 registers; 12 of 16; without a fused multiply-add its product needs one too. */
#if AN_KERNEL_BITS == 512
#define ROWS 8
#define VECS 3
#elif AN_KERNEL_BITS == 256
#define ROWS 4
#define VECS 3
#else
#define ROWS 4
#define VECS 2
#endif

#endif
