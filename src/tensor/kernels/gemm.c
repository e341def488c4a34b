/*
 * Matrix products by the kernels of one width.
 *
 * C is cut into tiles of at most ROWS rows by VECS vectors, whose sums stay in registers while the
 * depth k runs. One step of the depth loads VECS vectors of B and broadcasts ROWS values of A, for
 * ROWS * VECS multiply-adds; so the multipliers, not the loads, set the pace.
 *
 * A is read in place through two strides, transposed or not: its values are broadcast one by one.
 * B must come as vectors along n. A transposed B is packed, DEPTH x (VECS vectors) at a time, into
 * the scratch; so is the ragged right edge of any B, filled up with zeros, and a B so large that
 * its rows would push each other out of the first-level cache.
 *
 * Large matrices are walked in blocks so that what is used again stays in cache:
 *
 *   for blocks of HEIGHT rows of C        (HEIGHT x DEPTH of A stays in the second-level cache)
 *     for blocks of DEPTH of k            (C collects the sums of earlier blocks)
 *       for panels of VECS vectors of n   (DEPTH x VECS vectors of B: first-level cache)
 *         for tiles of ROWS rows
 *
 * The method is that of K. Goto, R. van de Geijn: Anatomy of High-Performance Matrix
 * Multiplication, 2008, less the packing of A, which small products do not repay.
 */
#include "tensor/kernels/gemm.h"

#include "tensor/kernels/elementary.h"
#include "tensor/kernels/transpose.h"
#include "tensor/kernels/vector.h"

/* 24 sums of 32 registers; 12 of 16; without a fused multiply-add its product needs one too. */
#ifndef ROWS
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

#ifndef DEPTH
#define DEPTH 256
#endif
#ifndef PACK_ROWS
#define PACK_ROWS 32
#endif
enum { WIDTH = VECS * AN_LANES, HEIGHT = 512 };

/* One tile's work: `depth` steps, then what the whole product asks for on its last block. */
typedef struct tile {
    const float *a; /* op(A)(i, p) = a[i * row_stride + p * depth_stride] */
    int64_t row_stride, depth_stride;
    const float *b; /* `depth` rows of whole vectors, ldb apart */
    int64_t ldb;
    int64_t depth;
    float *c;
    int64_t ldc;
    int last;          /* lanes of the last vector that lie in C */
    bool add;          /* to what C holds */
    bool finish;       /* bias and epilogue are due */
    const float *bias; /* at the tile's first column, or NULL */
    an_epilogue epilogue;
} tile;

AN_INLINE an_vec load_lanes(const float *p, int lanes)
{
    return lanes == AN_LANES ? an__vload(p) : an__vload_part(p, lanes);
}

AN_INLINE void store_lanes(float *p, an_vec v, int lanes)
{
    if (lanes == AN_LANES)
        an__vstore(p, v);
    else
        an__vstore_part(p, v, lanes);
}

/* Writes one vector of C: earlier sums, bias and ReLU are cheap enough to do here. */
AN_INLINE void write_sum(const tile *t, float *c, const float *bias, an_vec sum, int lanes)
{
    if (t->add)
        sum += load_lanes(c, lanes);
    if (bias)
        sum += load_lanes(bias, lanes);
    if (t->finish && t->epilogue == AN_EPILOGUE_RELU)
        sum = an__vmax((an_vec){0}, sum);
    store_lanes(c, sum, lanes);
}

/* `rows` and `vecs` are constants in every use; the loops over them are unrolled. */
AN_INLINE void compute(const tile *t, const int rows, const int vecs)
{
    an_vec sum[ROWS][VECS] = {{{0}}};
    const float *a[ROWS];
    AN_UNROLL
    for (int i = 0; i < rows; i++)
        a[i] = t->a + i * t->row_stride;
    const float *b = t->b;
    const int64_t ldb = t->ldb, step = t->depth_stride;
    for (int64_t p = 0, at = 0; p < t->depth; p++, at += step, b += ldb) {
        an_vec right[VECS];
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            right[j] = an__vload(b + j * AN_LANES);
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            const an_vec left = an__vsplat(a[i][at]);
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i][j] += left * right[j];
        }
    }
    const float *bias = t->finish ? t->bias : NULL;
    AN_UNROLL
    for (int i = 0; i < rows; i++) {
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            write_sum(t, t->c + i * t->ldc + j * AN_LANES, bias ? bias + j * AN_LANES : NULL,
                      sum[i][j], j == vecs - 1 ? t->last : AN_LANES);
    }
}

/* Every size of tile is a function of its own. */
#define TILE(rows, vecs)                            \
    static void tile_##rows##_##vecs(const tile *t) \
    {                                               \
        compute(t, rows, vecs);                     \
    }
#define TILES_OF_ROWS(rows) TILE(rows, 1) TILE(rows, 2) TILES_OF_3(rows)
#define NAMES_OF_ROWS(rows)                               \
    {                                                     \
        tile_##rows##_1, tile_##rows##_2, NAME_OF_3(rows) \
    }
#if VECS == 3
#define TILES_OF_3(rows) TILE(rows, 3)
#define NAME_OF_3(rows) tile_##rows##_3
#else
#define TILES_OF_3(rows)
#define NAME_OF_3(rows)
#endif

TILES_OF_ROWS(1)
TILES_OF_ROWS(2)
TILES_OF_ROWS(3)
TILES_OF_ROWS(4)
#if ROWS > 4
TILES_OF_ROWS(5)
TILES_OF_ROWS(6)
#endif
#if ROWS > 6
TILES_OF_ROWS(7)
TILES_OF_ROWS(8)
#endif

typedef void (*tile_function)(const tile *t);
static const tile_function tiles[ROWS][VECS] = {
    NAMES_OF_ROWS(1), NAMES_OF_ROWS(2), NAMES_OF_ROWS(3), NAMES_OF_ROWS(4),
#if ROWS > 4
    NAMES_OF_ROWS(5), NAMES_OF_ROWS(6),
#endif
#if ROWS > 6
    NAMES_OF_ROWS(7), NAMES_OF_ROWS(8),
#endif
};

/* ----------------------------------------------------------------- packing */

/*
 * Packs a transposed B: `width` rows of `depth` values, ldb apart, become `depth` rows of whole
 * vectors, ld apart. Writes depth rounded up to AN_LANES rows; what lies outside of B is zero.
 */
static void pack_transposed(float *out, int64_t ld, const float *b, int64_t ldb, int64_t width,
                            int64_t depth)
{
    for (int64_t p = 0; p < depth; p += AN_LANES) {
        const int lanes = depth - p < AN_LANES ? (int)(depth - p) : AN_LANES;
        for (int64_t j = 0; j < width; j += AN_LANES) {
            an_vec r[AN_LANES];
            AN_UNROLL
            for (int i = 0; i < AN_LANES; i++)
                r[i] = j + i < width ? load_lanes(b + (j + i) * ldb + p, lanes) : (an_vec){0};
            an__transpose(r);
            AN_UNROLL
            for (int i = 0; i < AN_LANES; i++)
                an__vstore(out + (p + i) * ld + j, r[i]);
        }
    }
}

/* Packs `depth` rows of `width` values, ldb apart, into rows of whole vectors, ld apart. */
static void pack_straight(float *out, int64_t ld, const float *b, int64_t ldb, int64_t width,
                          int64_t depth)
{
    for (int64_t p = 0; p < depth; p++) {
        int64_t j = 0;
        for (; j + AN_LANES <= width; j += AN_LANES)
            an__vstore(out + p * ld + j, an__vload(b + p * ldb + j));
        if (j < width)
            an__vstore(out + p * ld + j, an__vload_part(b + p * ldb + j, (int)(width - j)));
    }
}

/* ------------------------------------------------------------------ blocks */

/* Where part `part` of `parts` begins among `count` things: the parts differ by one at most. */
static int64_t part_begin(int64_t count, int64_t parts, int64_t part)
{
    return count / parts * part + count % parts * part / parts;
}

static int64_t divide_up(int64_t count, int64_t by)
{
    return (count + by - 1) / by;
}

/* Tanh and sigmoid over `rows` x `columns` of C, fresh from the tiles. */
static void apply_curve(const tile *t, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++) {
        float *c = t->c + i * t->ldc;
        if (t->epilogue == AN_EPILOGUE_TANH)
            for (int64_t j = 0; j < columns; j++)
                c[j] = an__tanh(c[j]);
        else
            for (int64_t j = 0; j < columns; j++)
                c[j] = an__logistic(c[j]);
    }
}

/* All rows of a block for one panel; `t` is the tile at the block's top. */
static void run_panel(tile t, int64_t rows, int64_t columns)
{
    const int64_t vecs = divide_up(columns, AN_LANES);
    const int64_t parts = divide_up(rows, ROWS);
    const bool curve = t.finish && t.epilogue > AN_EPILOGUE_RELU;
    t.last = (int)(columns - (vecs - 1) * AN_LANES);
    for (int64_t part = 0; part < parts; part++) {
        const int64_t height = part_begin(rows, parts, part + 1) - part_begin(rows, parts, part);
        tiles[height - 1][vecs - 1](&t);
        if (curve)
            apply_curve(&t, height, columns);
        t.a += height * t.row_stride;
        t.c += height * t.ldc;
    }
}

/* A block of rows and depth: `t` stands at its first row, column 0, with a, c, depth, add set. */
static void run_block(const an_gemm *call, tile t, int64_t rows, int64_t first_depth,
                      float *scratch)
{
    const int64_t vecs = divide_up(call->n, AN_LANES);
    const int64_t panels = divide_up(vecs, VECS);
    float *const c = t.c;
    for (int64_t panel = 0; panel < panels; panel++) {
        const int64_t begin = part_begin(vecs, panels, panel) * AN_LANES;
        int64_t end = part_begin(vecs, panels, panel + 1) * AN_LANES;
        const int64_t ld = end - begin;
        end = end < call->n ? end : call->n;
        t.b = scratch;
        t.ldb = ld;
        if (call->transpose_b) {
            pack_transposed(scratch, ld, call->b + begin * call->ldb + first_depth, call->ldb,
                            end - begin, t.depth);
        } else if (end - begin < ld || rows > PACK_ROWS) {
            pack_straight(scratch, ld, call->b + first_depth * call->ldb + begin, call->ldb,
                          end - begin, t.depth);
        } else {
            t.b = call->b + first_depth * call->ldb + begin;
            t.ldb = call->ldb;
        }
        t.c = c + begin;
        t.bias = call->bias ? call->bias + begin : NULL;
        run_panel(t, rows, end - begin);
    }
}

static void run(const an_gemm *call, float *scratch)
{
    tile t = {.row_stride = call->transpose_a ? 1 : call->lda,
              .depth_stride = call->transpose_a ? call->lda : 1,
              .ldc = call->ldc,
              .epilogue = call->epilogue};
    const int64_t blocks = call->k > 0 ? divide_up(call->k, DEPTH) : 1;
    const int64_t depth = divide_up(divide_up(call->k, blocks), AN_LANES) * AN_LANES;
    for (int64_t i = 0; i < call->m; i += HEIGHT) {
        const int64_t rows = call->m - i < HEIGHT ? call->m - i : HEIGHT;
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t p = block * depth;
            t.depth = call->k - p < depth ? call->k - p : depth;
            t.add = call->accumulate || block > 0;
            t.finish = block == blocks - 1;
            t.a = call->a + i * t.row_stride + p * t.depth_stride;
            t.c = call->c + i * call->ldc;
            run_block(call, t, rows, p, scratch);
        }
    }
}

const an_gemm_table AN_KERNEL_NAME(an__gemm_table) = {
    .scratch_floats = DEPTH * WIDTH, .lanes = AN_LANES, .run = run};
