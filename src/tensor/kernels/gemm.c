/*
 * Matrix products by the kernels of one width.
 *
 * C is cut into tiles of at most ROWS rows by VECS vectors, whose sums stay in registers while the
 * depth k runs. One step of the depth loads VECS vectors of B and broadcasts ROWS values of A, for
 * ROWS * VECS multiply-adds; so the multipliers, not the loads, set the pace.
 *
 * A is read in place through two strides, transposed or not: its values are broadcast one by one.
 * B must come as vectors along n. A transposed B is packed, DEPTH x (VECS vectors) at a time, into
 * the scratch; so is the ragged right edge of any B, filled up with zeros, and any B that many rows
 * of C use. What the next panel will read is asked for meanwhile. For very few rows and a
 * transposed B, dot products along k need no packing.
 *
 * Large matrices are walked in blocks so that what is used again stays in cache:
 *
 *   for blocks of HEIGHT rows of C        (HEIGHT x DEPTH of A stays in the second-level cache)
 *     for blocks of DEPTH of k            (C collects the sums of earlier blocks)
 *       for panels of VECS vectors of n   (DEPTH x VECS vectors of B: first-level cache)
 *         for tiles of ROWS rows
 *
 * The method is that of K. Goto, R. van de Geijn: Anatomy of High-Performance Matrix
 * Multiplication, 2008. A is packed only where there is space for it and both C and the block are
 * large: small products do not repay it.
 */
#include "tensor/kernels/gemm.h"

#include "tensor/kernels/elementary.h"
#include "tensor/kernels/tile.h"
#include "tensor/kernels/transpose.h"
#include "tensor/kernels/vector.h"
#include "tensor/kernels/whole.h"

enum {
    WIDTH = VECS * AN_LANES,
    DEPTH = 256,
    HEIGHT = 512,
    LINE = 16,
    PACK_ROWS = 256,    /* more rows of C than this repay packing a straight B */
    PACK_COLUMNS = 512, /* so many columns repay packing A too */
    FEW_ROWS = 4        /* so few rows do not repay packing a transposed B */
};

_Static_assert(HEIGHT *DEPTH <= AN_GEMM_SPACE, "a block of A fits into the space");

/* One tile's work: `depth` steps, then what the whole product asks for on its last block. */
typedef struct tile {
    const float *a; /* op(A)(i, p) = a[i * row_stride + p * depth_stride] */
    int64_t row_stride, depth_stride;
    const float *b; /* `depth` rows of whole vectors, ldb apart */
    int64_t ldb;
    int64_t ahead; /* from each of these rows to what is asked for meanwhile */
    int64_t depth;
    float *c;
    int64_t ldc;
    int last;          /* lanes of the last vector that lie in C */
    bool add;          /* to what C holds */
    bool finish;       /* bias and epilogue are due */
    const float *bias; /* at the tile's first column, or NULL */
    an_epilogue epilogue;
} tile;

/* Adds what is due and applies ReLU: cheap enough to do here. */
AN_INLINE an_vec finished(const tile *t, const float *c, const float *bias, an_vec sum, int lanes)
{
    if (t->add)
        sum += an__vload_lanes(c, lanes);
    if (bias)
        sum += an__vload_lanes(bias, lanes);
    if (t->finish && t->epilogue == AN_EPILOGUE_RELU)
        sum = an__vmax((an_vec){0}, sum);
    return sum;
}

/* A tile at the right edge of C: `sum` holds `rows` of `vecs` vectors. */
static void write_edge(const tile *t, const an_vec *sum, int rows, int vecs)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vecs; j++) {
            float *c = t->c + i * t->ldc + j * AN_LANES;
            const float *bias = t->finish && t->bias ? t->bias + j * AN_LANES : NULL;
            const int lanes = j == vecs - 1 ? t->last : AN_LANES;
            an__vstore_lanes(c, finished(t, c, bias, *sum++, lanes), lanes);
        }
}

/* `rows` and `vecs` are constants in every use; the loops over them are unrolled. */
AN_INLINE void compute(const tile *t, const int rows, const int vecs)
{
    an_vec sum[ROWS][VECS] = {{{0}}};
    const float *a[ROWS];
    float *const c = t->c;
    const int64_t ldc = t->ldc;
    AN_UNROLL
    for (int i = 0; i < rows; i++)
        a[i] = t->a + i * t->row_stride;
    const float *b = t->b;
    const int64_t ldb = t->ldb, step = t->depth_stride, ahead = t->ahead;
    for (int64_t p = 0, at = 0; p < t->depth; p++, at += step, b += ldb) {
        an_vec right[VECS];
        __builtin_prefetch(b + ahead);
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
    if (t->last < AN_LANES) {
        an_vec held[ROWS * VECS];
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                held[i * vecs + j] = sum[i][j];
        }
        write_edge(t, held, rows, vecs);
        return;
    }
    if (t->add) {
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i][j] += an__vload(c + i * ldc + j * AN_LANES);
        }
    }
    if (t->finish && t->bias) {
        AN_UNROLL
        for (int j = 0; j < vecs; j++) {
            const an_vec bias = an__vload(t->bias + j * AN_LANES);
            AN_UNROLL
            for (int i = 0; i < rows; i++)
                sum[i][j] += bias;
        }
    }
    if (t->finish && t->epilogue == AN_EPILOGUE_RELU) {
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i][j] = an__vmax((an_vec){0}, sum[i][j]);
        }
    }
    AN_UNROLL
    for (int i = 0; i < rows; i++) {
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            an__vstore(c + i * ldc + j * AN_LANES, sum[i][j]);
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

/* Transposes a whole block of AN_LANES x AN_LANES values. */
AN_INLINE void pack_block(float *out, int64_t ld, const float *b, int64_t ldb)
{
    an_vec r[AN_LANES];
    AN_UNROLL
    for (int i = 0; i < AN_LANES; i++)
        r[i] = an__vload(b + i * ldb);
    an__transpose(r);
    AN_UNROLL
    for (int i = 0; i < AN_LANES; i++)
        an__vstore(out + i * ld, r[i]);
}

/* The same at an edge of B: `width` rows of `depth` values, zeros beyond. */
static void pack_edge(float *out, int64_t ld, const float *b, int64_t ldb, int width, int depth)
{
    an_vec r[AN_LANES];
    for (int i = 0; i < AN_LANES; i++)
        r[i] = i < width ? an__vload_part(b + i * ldb, depth) : (an_vec){0};
    an__transpose(r);
    for (int i = 0; i < AN_LANES; i++)
        an__vstore(out + i * ld, r[i]);
}

/*
 * Packs a transposed B: `width` rows of `depth` values, ldb apart, become `depth` rows of whole
 * vectors, ld apart. Writes depth rounded up to AN_LANES rows; what lies outside of B is zero.
 */
static void pack_transposed(float *out, int64_t ld, const float *b, int64_t ldb, int64_t width,
                            int64_t depth)
{
    for (int64_t j = 0; j < width; j += AN_LANES, b += AN_LANES * ldb, out += AN_LANES) {
        const int rows = an__lanes(width - j);
        for (int64_t p = 0; p < depth; p += AN_LANES) {
            const int lanes = an__lanes(depth - p);
            if (rows == AN_LANES && lanes == AN_LANES)
                pack_block(out + p * ld, ld, b + p, ldb);
            else
                pack_edge(out + p * ld, ld, b + p, ldb, rows, lanes);
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

/* Even parts one after the other, as an__part_begin cuts, without its divisions for each. */
typedef struct cut {
    int64_t parts, least, more, turn;
} cut;

static cut cut_of(int64_t whole, int64_t parts)
{
    return (cut){parts, whole / parts, whole % parts, 0};
}

AN_INLINE int64_t next_part(cut *p)
{
    p->turn += p->more;
    if (p->turn < p->parts)
        return p->least;
    p->turn -= p->parts;
    return p->least + 1;
}

/* What a panel reads of B: `rows` rows of `width` values; of a transposed B, as it is stored. */
typedef struct panel {
    const float *from;
    int64_t rows, width;
} panel;

/* The panel of `columns` columns, less where B ends: empty beyond. */
static panel panel_at(const an_gemm *call, int64_t column, int64_t columns, int64_t first_depth,
                      int64_t depth)
{
    const int64_t width = an__at_most(columns, call->n - column);
    if (width <= 0)
        return (panel){.from = call->b};
    if (call->transpose_b)
        return (panel){call->b + column * call->ldb + first_depth, width, depth};
    return (panel){call->b + first_depth * call->ldb + column, depth, width};
}

/* Asks for the part'th of `parts` pieces of the rows. */
static void fetch_panel(const panel *p, int64_t ld, int64_t parts, int64_t part)
{
    const int64_t end = an__part_begin(p->rows, parts, part + 1);
    for (int64_t i = an__part_begin(p->rows, parts, part); i < end; i++)
        for (int64_t j = 0; j < p->width; j += LINE)
            __builtin_prefetch(p->from + i * ld + j, 0, 2);
}

/* Asks for the sums that a tile will add to; what it only writes need not come first. */
static void fetch_sums(const tile *t, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j += LINE)
            __builtin_prefetch(t->c + i * t->ldc + j, 1);
}

/*
 * All rows of a block for one panel; `t` is the tile at the block's top. Of the next panel, what
 * will be packed is asked for between the tiles; what stands in place lies in as many pages as it
 * has rows, and is asked for line by line while a tile is computed.
 */
static void run_panel(tile t, int64_t rows, int64_t columns, bool packed, const panel *next,
                      int64_t ld)
{
    const int64_t vecs = an__divide_up(columns, AN_LANES);
    cut heights = cut_of(rows, an__divide_up(rows, ROWS));
    const bool curve = t.finish && t.epilogue > AN_EPILOGUE_RELU;
    t.last = (int)(columns - (vecs - 1) * AN_LANES);
    for (int64_t part = 0; part < heights.parts; part++) {
        const int64_t height = next_part(&heights);
        if (packed)
            fetch_panel(next, ld, heights.parts, part);
        else
            t.ahead = part * LINE < next->width ? next->from - t.b + part * LINE : 0;
        if (t.add)
            fetch_sums(&t, height, columns);
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
    const int64_t vecs = an__divide_up(call->n, AN_LANES);
    cut panels = cut_of(vecs, an__divide_up(vecs, VECS));
    float *const c = t.c;
    for (int64_t begin = 0, end; begin < call->n; begin = end) {
        const int64_t ld = next_part(&panels) * AN_LANES;
        end = begin + ld;
        const panel at = panel_at(call, begin, ld, first_depth, t.depth);
        const panel next = panel_at(call, end, ld, first_depth, t.depth);
        const int64_t columns = an__at_most(end, call->n) - begin;
        const bool packed = call->transpose_b || columns < ld || rows > PACK_ROWS;
        t.b = packed ? scratch : at.from;
        t.ldb = packed ? ld : call->ldb;
        if (call->transpose_b)
            pack_transposed(scratch, ld, at.from, call->ldb, columns, t.depth);
        else if (packed)
            pack_straight(scratch, ld, at.from, call->ldb, columns, t.depth);
        t.c = c + begin;
        t.bias = call->bias ? call->bias + begin : NULL;
        run_panel(t, rows, columns, packed, &next, call->ldb);
    }
}

/* ---------------------------------------------------------------- few rows */

/* One depth step of `lanes` values: AN_LANES dot products of x with rows of B. */
AN_INLINE void add_products(an_vec *sum, an_vec x, const float *const *b, int64_t p, int lanes)
{
    AN_UNROLL
    for (int i = 0; i < AN_LANES; i++)
        sum[i] += x * an__vload_lanes(b[i] + p, lanes);
}

/*
 * A vector of C as dot products of a row of A with AN_LANES rows of a transposed B; the transposed
 * sums add up to it. `width` of the rows exist; in place of the others stands the last.
 */
static an_vec dot_products(const float *a, const float *first, int64_t ldb, int64_t depth,
                           int width)
{
    an_vec sum[AN_LANES] = {{0}};
    const float *b[AN_LANES];
    AN_UNROLL
    for (int i = 0; i < AN_LANES; i++)
        b[i] = first + (i < width ? i : width - 1) * ldb;
    int64_t p = 0;
    for (; p + AN_LANES <= depth; p += AN_LANES)
        add_products(sum, an__vload(a + p), b, p, AN_LANES);
    if (p < depth)
        add_products(sum, an__vload_part(a + p, (int)(depth - p)), b, p, (int)(depth - p));
    an__transpose(sum);
    for (int half = AN_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            sum[i] += sum[i + half];
    return sum[0];
}

/* Packing B pays only when a few rows of A use it. */
static void run_few_rows(const an_gemm *call)
{
    tile t = {.ldc = call->ldc, .add = call->accumulate, .finish = true};
    t.epilogue = call->epilogue;
    for (int64_t i = 0; i < call->m; i++) {
        t.c = call->c + i * call->ldc;
        for (int64_t j = 0; j < call->n; j += AN_LANES) {
            const int width = an__lanes(call->n - j);
            const an_vec sum = dot_products(call->a + i * call->lda, call->b + j * call->ldb,
                                            call->ldb, call->k, width);
            const float *bias = call->bias ? call->bias + j : NULL;
            an__vstore_lanes(t.c + j, finished(&t, t.c + j, bias, sum, width), width);
        }
        if (t.epilogue > AN_EPILOGUE_RELU)
            apply_curve(&t, 1, call->n);
    }
}

/* The block of A at `t`, rows of whole vectors behind each other. */
static void pack_left(const an_gemm *call, tile *t, int64_t rows)
{
    const int64_t width = call->transpose_a ? rows : t->depth;
    const int64_t ld = an__divide_up(width, AN_LANES) * AN_LANES;
    pack_straight(call->space, ld, t->a, call->lda, width, call->transpose_a ? t->depth : rows);
    t->a = call->space;
    t->row_stride = call->transpose_a ? 1 : ld;
    t->depth_stride = call->transpose_a ? ld : 1;
}

static void run(const an_gemm *call, float *scratch)
{
    if (call->m <= FEW_ROWS && call->transpose_b && !call->transpose_a) {
        run_few_rows(call);
        return;
    }
    const tile whole = {.row_stride = call->transpose_a ? 1 : call->lda,
                        .depth_stride = call->transpose_a ? call->lda : 1,
                        .ldc = call->ldc,
                        .epilogue = call->epilogue};
    const int64_t blocks = call->k > 0 ? an__divide_up(call->k, DEPTH) : 1;
    const int64_t depth = an__divide_up(an__divide_up(call->k, blocks), AN_LANES) * AN_LANES;
    for (int64_t i = 0; i < call->m; i += HEIGHT) {
        const int64_t rows = call->m - i < HEIGHT ? call->m - i : HEIGHT;
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t p = block * depth;
            tile t = whole;
            t.depth = call->k - p < depth ? call->k - p : depth;
            t.add = call->accumulate || block > 0;
            t.finish = block == blocks - 1;
            t.a = call->a + i * t.row_stride + p * t.depth_stride;
            t.c = call->c + i * call->ldc;
            if (call->space && call->n >= PACK_COLUMNS && rows > PACK_ROWS)
                pack_left(call, &t, rows);
            run_block(call, t, rows, p, scratch);
        }
    }
}

const an_gemm_table AN_KERNEL_NAME(an__gemm_table) = {
    .scratch_floats = DEPTH * WIDTH, .lanes = AN_LANES, .run = run};
