/*
 * The kernels' door, for the rooms of the library that compute (autograd, optim, data, nn).
 *
 * Every source in this folder is compiled once per vector width (128, 256, 512 bits) with
 * AN_KERNEL_BITS set, into its own static library. Each source defines ONE table of functions,
 * named through AN_KERNEL_NAME so that the widths do not clash; an_kernels collects one table a
 * source, and the context picks the widest that the processor runs. Nothing outside this folder
 * knows the width. Kernels take plain pointers and counts, run on the calling thread, and allocate
 * nothing; an__parallel spreads them over the pool.
 */
#ifndef AN_KERNELS_H
#define AN_KERNELS_H

#include <anneal/tensor.h>

#define AN_KERNEL_JOIN2(name, bits) name##_##bits
#define AN_KERNEL_JOIN(name, bits) AN_KERNEL_JOIN2(name, bits)
/* an__update_table becomes an__update_table_512 in the 512-bit build. */
#define AN_KERNEL_NAME(name) AN_KERNEL_JOIN(name, AN_KERNEL_BITS)

/* Each is defined in the header of its name: matrix products; maps and broadcasts element by
 * element; reductions and softmax by rows; attention's scores; cells of LSTM and
 * GRU; losses; optimizers and norms; bytes
 * to floats. */
typedef struct an_gemm_table an_gemm_table;
typedef struct an_pointwise_table an_pointwise_table;
typedef struct an_rows_table an_rows_table;
typedef struct an_norms_table an_norms_table;
typedef struct an_losses_table an_losses_table;
typedef struct an_scores_table an_scores_table;
typedef struct an_cells_table an_cells_table;
typedef struct an_update_table an_update_table;
typedef struct an_bytes_table an_bytes_table;
typedef struct an_conv_table an_conv_table;         /* convolutions, directly */
typedef struct an_winograd_table an_winograd_table; /* and by minimal filtering */
typedef struct an_pooling_table an_pooling_table;   /* windows of images */

typedef struct an_kernels {
    int bits;
    const an_gemm_table *gemm;
    const an_pointwise_table *pointwise;
    const an_rows_table *rows;
    const an_norms_table *norms;
    const an_losses_table *losses;
    const an_scores_table *scores;
    const an_cells_table *cells;
    const an_update_table *update;
    const an_bytes_table *bytes;
    const an_conv_table *conv;
    const an_winograd_table *winograd;
    const an_pooling_table *pooling;
} an_kernels;

/* The kernels of this context. */
const an_kernels *an__kernels(const an_context *context);

/*
 * Calls task(arg, begin, end) so that the ranges cover 0..count once, each range a multiple of
 * `grain` but the last, on the threads of the context; returns when all are done. The split depends
 * on count, grain and the number of threads alone. Below two grains it runs on the calling thread.
 * Does not nest: a task must not call an__parallel.
 */
typedef void (*an_task)(void *arg, int64_t begin, int64_t end);
void an__parallel(an_context *context, int64_t count, int64_t grain, an_task task, void *arg);

/*
 * Work that is wanted later, in pieces of `grain`: workers without a range of an__parallel take
 * piece after piece instead of waiting idly, and an__later_finish, which every posting needs,
 * computes what is left and returns when all is done. Who computes a piece does not matter to its
 * bits. A context holds one such posting: false, and nothing posted, while it holds another, or
 * without workers. What the task reads and writes belongs to it until an__later_finish.
 */
bool an__later(an_context *context, int64_t count, int64_t grain, an_task task, void *arg);
void an__later_finish(an_context *context);

#endif
