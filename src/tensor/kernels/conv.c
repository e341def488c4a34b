/*
 * Direct convolution by the kernels of one width. See conv.h.
 *
 * Forward, a vector is up to AN_LANES neighbouring positions of an output row. A tile of ROWS
 * features by VECS vectors keeps its sums in registers while the taps run: one tap loads VECS
 * vectors of the padded image, wherever that tap sees them, and broadcasts ROWS weights. No columns
 * are written out.
 *
 * Or features are in the lanes: a tile is ROWS positions by VECS vectors of features, a tap's
 * pixels are broadcast and its weights are vectors. The weights' gradient is the same sum with taps
 * in the place of positions and dy in that of the weights.
 */
#include "tensor/kernels/conv.h"

#include "tensor/kernels/elementary.h"
#include "tensor/kernels/interleave.h"
#include "tensor/kernels/padding.h"
#include "tensor/kernels/tile.h"
#include "tensor/kernels/whole.h"

/* What tiles of windows are for: fewer sums than hide how long a multiply-add takes. */
enum { FEW_FEATURES = 2, LEAST_ROWS = 4 };

/* The most vectors of one feature in a tile. */
#if AN_KERNEL_BITS == 512
#define MOST_VECS 8
#else
#define MOST_VECS 4
#endif

/* Neighbours of a run that a tile takes: with those of a second run, sums in all registers. */
enum { FEWEST_RUN = 3 };
#if AN_KERNEL_BITS == 512
#define MOST_RUN 14
#else
#define MOST_RUN 6
#endif

typedef int64_t pair_vec __attribute__((vector_size(AN_KERNEL_BITS / 8)));

/* ------------------------------------------------------------ tiles forward */

/* Where the vectors of a tile begin, and how many of their lanes are positions. */
typedef struct tile {
    const float *x[VECS];
    float *y[MOST_VECS];
    int lanes[MOST_VECS];
} tile;

/* Tanh or sigmoid; lanes beyond the positions may hold anything. */
static an_vec curve(an_vec v, an_epilogue epilogue)
{
    float lane[AN_LANES];
    memcpy(lane, &v, sizeof lane);
    if (epilogue == AN_EPILOGUE_TANH)
        for (int i = 0; i < AN_LANES; i++)
            lane[i] = an__tanh(lane[i]);
    else
        for (int i = 0; i < AN_LANES; i++)
            lane[i] = an__logistic(lane[i]);
    memcpy(&v, lane, sizeof v);
    return v;
}

/* `sum` holds `rows` features of `vecs` vectors. What is rare, or long: see write_tile. */
static void finish(const an_direct_sums *job, const tile *t, int64_t feature, const an_vec *sum,
                   int rows, int vecs)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vecs; j++) {
            float *y = t->y[j] + (feature + i) * job->plane;
            an_vec v = *sum++;
            if (job->add)
                v += an__vload_lanes(y, t->lanes[j]);
            if (job->bias)
                v += an__vsplat(job->bias[feature + i]);
            if (job->epilogue == AN_EPILOGUE_RELU)
                v = an__vmax((an_vec){0}, v);
            if (job->epilogue > AN_EPILOGUE_RELU)
                v = curve(v, job->epilogue);
            an__vstore_lanes(y, v, t->lanes[j]);
        }
}

/*
 * What is usual stays in registers. `rows` and `vecs` are constants in every use, here and below;
 * the loops over them are unrolled.
 */
AN_INLINE void write_tile(const an_direct_sums *job, const tile *t, int64_t feature, an_vec *sum,
                          const int rows, const int vecs)
{
    if (job->add || job->epilogue > AN_EPILOGUE_RELU) {
        an_vec held[ROWS * VECS];
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                held[i * vecs + j] = sum[i * vecs + j];
        }
        finish(job, t, feature, held, rows, vecs);
        return;
    }
    AN_UNROLL
    for (int i = 0; i < rows; i++) {
        const an_vec bias =
            an__vsplat(job->bias ? job->bias[feature + i] : -0.0F); /* -0: the same */
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            sum[i * vecs + j] += bias;
    }
    if (job->epilogue == AN_EPILOGUE_RELU) {
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i * vecs + j] = an__vmax((an_vec){0}, sum[i * vecs + j]);
        }
    }
    AN_UNROLL
    for (int j = 0; j < vecs; j++) {
        float *y = t->y[j] + feature * job->plane;
        const int lanes = t->lanes[j];
        if (lanes == AN_LANES) {
            AN_UNROLL
            for (int i = 0; i < rows; i++)
                an__vstore(y + i * job->plane, sum[i * vecs + j]);
        } else {
            AN_UNROLL
            for (int i = 0; i < rows; i++)
                an__vstore_part(y + i * job->plane, sum[i * vecs + j], lanes);
        }
    }
}

/* One tile: `rows` features from `feature` on, by `vecs` vectors of positions. */
AN_INLINE void compute(const an_direct *direct, const an_direct_sums *job, const tile *t,
                       int64_t feature, const int rows, const int vecs)
{
    an_vec sum[ROWS * VECS] = {{0}};
    const float *w[ROWS], *x[VECS];
    AN_UNROLL
    for (int i = 0; i < rows; i++)
        w[i] = job->w + (feature + i) * job->w_step;
    AN_UNROLL
    for (int j = 0; j < vecs; j++)
        x[j] = t->x[j];
    const int64_t *offset = direct->offset;
    for (int64_t k = 0; k < direct->taps; k++) {
        an_vec right[VECS];
        const int64_t at = offset[k];
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            right[j] = an__vload(x[j] + at);
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            const an_vec left = an__vsplat(w[i][k]);
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i * vecs + j] += left * right[j];
        }
    }
    write_tile(job, t, feature, sum, rows, vecs);
}

/*
 * A tile of `rows` rows of one feature, from which each row of pixels is seen three times: it is
 * loaded once for all three. See an_direct's plane; t->x[0] is the first window.
 */
AN_INLINE void compute_windows(const an_direct *direct, const an_direct_sums *job, const tile *t,
                               int64_t feature, const int rows, const int vecs)
{
    enum { SIDE = 3 };
    an_vec sum[MOST_VECS] = {{0}};
    const int64_t step = direct->row_step;
    const float *x = t->x[0], *w = job->w + feature * job->w_step;
    for (int64_t k = 0; k < direct->taps; k += SIDE * SIDE, x += direct->plane) {
        an_vec left[SIDE * SIDE], right[2];
        AN_UNROLL
        for (int i = 0; i < SIDE * SIDE; i++)
            left[i] = an__vsplat(w[k + i]);
        const float *from = x;
        AN_UNROLL
        for (int row = 0; row < rows + SIDE - 1; row++, from += step) {
            __asm__("" : "+r"(from)); /* or compilers hold an address for each row */
            AN_UNROLL
            for (int v = 0; v < SIDE; v++) {
                AN_UNROLL
                for (int j = 0; j < vecs; j++)
                    right[j] = an__vload(from + v + j * AN_LANES);
                AN_UNROLL
                for (int u = 0; u < SIDE; u++) {
                    AN_UNROLL
                    for (int j = 0; j < vecs; j++)
                        if (row >= u && row - u < rows)
                            sum[(row - u) * vecs + j] += left[u * SIDE + v] * right[j];
                }
            }
        }
    }
    write_tile(job, t, feature, sum, 1, rows * vecs);
}

/* Rows first..first + rows of a gathered product, columns from `right` and `out` on. */
AN_INLINE void compute_gathered(const an_gathered *g, int64_t pitch, const float *right_rows,
                                float *out, bool add, int64_t first, const int rows, const int vecs)
{
    an_vec sum[ROWS][VECS] = {{{0}}};
    const float *x[ROWS];
    out += first * pitch;
    AN_UNROLL
    for (int i = 0; i < rows; i++) {
        x[i] = g->x + g->row[first + i];
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            if (add)
                sum[i][j] = an__vload(out + i * pitch + j * AN_LANES);
    }
    const int64_t *step = g->step;
    for (int64_t k = 0; k < g->depth; k++, right_rows += pitch) {
        an_vec right[VECS];
        const int64_t at = step[k];
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            right[j] = an__vload(right_rows + j * AN_LANES);
        AN_UNROLL
        for (int i = 0; i < rows; i++) {
            const an_vec left = an__vsplat(x[i][at]);
            AN_UNROLL
            for (int j = 0; j < vecs; j++)
                sum[i][j] += left * right[j];
        }
    }
    AN_UNROLL
    for (int i = 0; i < rows; i++) {
        AN_UNROLL
        for (int j = 0; j < vecs; j++)
            an__vstore(out + i * pitch + j * AN_LANES, sum[i][j]);
    }
}

/* p[0] in the even lanes, p[1] in the odd ones. */
AN_INLINE an_vec splat_pair(const float *p)
{
    int64_t both;
    memcpy(&both, p, sizeof both);
    return (an_vec)(both + (pair_vec){0});
}

/* One step of the depth by a run: see compute_runs. */
AN_INLINE void add_run(an_vec *sum, const float *x, const an_vec w, const int count)
{
    const an_vec even = FIRSTS(w, w), odd = SECONDS(w, w);
    AN_UNROLL
    for (int j = 0; j + 1 < count; j += 2) {
        const an_vec pair = splat_pair(x + j);
        sum[j] += even * pair;
        sum[j + 1] += odd * pair;
    }
    if (count % 2 == 1)
        sum[count - 1] += w * an__vsplat(x[count - 1]);
}

/* Sums of two neighbours to their order in compute_runs, or back. */
AN_INLINE void trade_run(an_vec *sum, const int count)
{
    AN_UNROLL
    for (int j = 0; j + 1 < count; j += 2) {
        const an_vec a = sum[j], b = sum[j + 1];
        sum[j] = FIRSTS(a, b);
        sum[j + 1] = SECONDS(a, b);
    }
}

/*
 * The same for one vector of columns, where 8 rows would be too few sums to hide how long a
 * multiply-add takes: `count` neighbouring rows from `first` and as many from `second` on. A value
 * of x for each multiply-add would be more loads than there are in the time, so two neighbours are
 * loaded at once: one sum has the even columns of both, another one the odd ones.
 */
AN_INLINE void compute_runs(const an_gathered *g, const float *right, float *out, bool add,
                            int64_t first, int64_t second, const int count)
{
    an_vec sum[2][MOST_RUN] = {{{0}}};
    const float *x[2] = {g->x + g->row[first], g->x + g->row[second]};
    float *to[2] = {out + first * AN_LANES, out + second * AN_LANES};
    AN_UNROLL
    for (int i = 0; i < 2 && add; i++) {
        AN_UNROLL
        for (int j = 0; j < count; j++)
            sum[i][j] = an__vload(to[i] + j * AN_LANES);
        trade_run(sum[i], count);
    }
    const int64_t *step = g->step;
    for (int64_t k = 0; k < g->depth; k++, right += AN_LANES) {
        const an_vec w = an__vload(right);
        const int64_t at = step[k];
        add_run(sum[0], x[0] + at, w, count);
        add_run(sum[1], x[1] + at, w, count);
    }
    AN_UNROLL
    for (int i = 0; i < 2; i++) {
        trade_run(sum[i], count);
        AN_UNROLL
        for (int j = 0; j < count; j++)
            an__vstore(to[i] + j * AN_LANES, sum[i][j]);
    }
}

static void sum_across(const an_vec *sum, int rows, float *dw, bool add)
{
    for (int i = 0; i < rows; i++)
        dw[i] = (add ? dw[i] : 0) + an__vsum(sum[i]);
}

/*
 * Taps first..first + rows of one feature's gradient: here positions are in the lanes, of x and of
 * dy, and the sums across them come last.
 */
AN_INLINE void compute_feature(const an_direct *direct, const float *dy, float *dw, bool add,
                               int64_t first, const int rows)
{
    an_vec sum[ROWS] = {{0}};
    const int64_t *offset = direct->offset + first;
    for (int64_t row = 0; row < direct->rows; row++, dy += direct->columns) {
        const float *x = direct->padded + row * direct->row_step;
        int64_t p = 0;
        for (; p + AN_LANES <= direct->columns; p += AN_LANES) {
            const an_vec right = an__vload(dy + p);
            AN_UNROLL
            for (int i = 0; i < rows; i++)
                sum[i] += an__vload(x + offset[i] + p) * right;
        }
        const int left = (int)(direct->columns - p);
        if (left > 0) {
            const an_vec right = an__vload_part(dy + p, left);
            AN_UNROLL
            for (int i = 0; i < rows; i++)
                sum[i] += an__vload_part(x + offset[i] + p, left) * right;
        }
    }
    an_vec held[ROWS];
    AN_UNROLL
    for (int i = 0; i < rows; i++)
        held[i] = sum[i];
    sum_across(held, rows, dw + first, add);
}

typedef void feature_function(const an_direct *direct, const float *dy, float *dw, bool add,
                              int64_t first);
typedef void sums_function(const an_direct *direct, const an_direct_sums *job, const tile *t,
                           int64_t feature);
typedef void gathered_function(const an_gathered *g, int64_t pitch, const float *right, float *out,
                               bool add, int64_t first);

typedef void runs_function(const an_gathered *g, const float *right, float *out, bool add,
                           int64_t first, int64_t second);

/* Every size of tile is a function of its own. */
#define TILE(rows, vecs)                                                                          \
    static void sums_##rows##_##vecs(const an_direct *direct, const an_direct_sums *job,          \
                                     const tile *t, int64_t feature)                              \
    {                                                                                             \
        compute(direct, job, t, feature, rows, vecs);                                             \
    }                                                                                             \
    static void gathered_##rows##_##vecs(const an_gathered *g, int64_t pitch, const float *right, \
                                         float *out, bool add, int64_t first)                     \
    {                                                                                             \
        compute_gathered(g, pitch, right, out, add, first, rows, vecs);                           \
    }
#define FEATURE(rows)                                                                         \
    static void feature_##rows(const an_direct *direct, const float *dy, float *dw, bool add, \
                               int64_t first)                                                 \
    {                                                                                         \
        compute_feature(direct, dy, dw, add, first, rows);                                    \
    }
#if VECS == 3
#define TILES(rows) FEATURE(rows) TILE(rows, 1) TILE(rows, 2) TILE(rows, 3)
#define NAMES(kind, rows)                                       \
    {                                                           \
        kind##_##rows##_1, kind##_##rows##_2, kind##_##rows##_3 \
    }
#else
#define TILES(rows) FEATURE(rows) TILE(rows, 1) TILE(rows, 2)
#define NAMES(kind, rows)                    \
    {                                        \
        kind##_##rows##_1, kind##_##rows##_2 \
    }
#endif

TILES(1)
TILES(2)
TILES(3)
TILES(4)
#if ROWS > 4
TILES(5)
TILES(6)
TILES(7)
TILES(8)
#define TABLE(kind)                                                                     \
    {                                                                                   \
        NAMES(kind, 1), NAMES(kind, 2), NAMES(kind, 3), NAMES(kind, 4), NAMES(kind, 5), \
            NAMES(kind, 6), NAMES(kind, 7), NAMES(kind, 8)                              \
    }
#else
#define TABLE(kind)                                                    \
    {                                                                  \
        NAMES(kind, 1), NAMES(kind, 2), NAMES(kind, 3), NAMES(kind, 4) \
    }
#endif

static sums_function *const sums_of[ROWS][VECS] = TABLE(sums);
static gathered_function *const gathered_of[ROWS][VECS] = TABLE(gathered);
static feature_function *const feature_of[] = {
    feature_1, feature_2, feature_3, feature_4,
#if ROWS > 4
    feature_5, feature_6, feature_7, feature_8,
#endif
};

#define WINDOWS(rows, vecs)                                                                 \
    static void windows_##rows##_##vecs(const an_direct *direct, const an_direct_sums *job, \
                                        const tile *t, int64_t feature)                     \
    {                                                                                       \
        compute_windows(direct, job, t, feature, rows, vecs);                               \
    }

WINDOWS(4, 1)
#if MOST_VECS == 8
WINDOWS(4, 2)
WINDOWS(8, 1)
#endif

/* Tiles of windows: the first that the positions fill is taken. */
typedef struct windows {
    int rows, vecs;
    sums_function *run;
} windows;

static const windows windows_of[] = {
#if MOST_VECS == 8
    {4, 2, windows_4_2},
    {8, 1, windows_8_1},
#endif
    {LEAST_ROWS, 1, windows_4_1},
};

#define RUNS(count)                                                                          \
    static void runs_##count(const an_gathered *g, const float *right, float *out, bool add, \
                             int64_t first, int64_t second)                                  \
    {                                                                                        \
        compute_runs(g, right, out, add, first, second, count);                              \
    }

RUNS(3)
RUNS(4)
RUNS(5)
RUNS(6)
#if MOST_RUN > 6
RUNS(7)
RUNS(8)
RUNS(9)
RUNS(10)
RUNS(11)
RUNS(12)
RUNS(13)
RUNS(14)
#endif

static runs_function *const runs_of[] = {
    runs_3, runs_4, runs_5, runs_6,
#if MOST_RUN > 6
    runs_7, runs_8, runs_9, runs_10, runs_11, runs_12, runs_13, runs_14,
#endif
};

/* All features of one tile's positions. */
static void run_tile(const an_direct *direct, const an_direct_sums *job, const tile *t, int vecs)
{
    const int64_t parts = an__divide_up(job->features, ROWS);
    for (int64_t part = 0; part < parts; part++) {
        const int64_t begin = an__part_begin(job->features, parts, part);
        const int64_t rows = an__part_begin(job->features, parts, part + 1) - begin;
        sums_of[rows - 1][vecs - 1](direct, job, t, begin);
    }
}

/* The first tile of the columns from `column` on. */
static tile first_windows(const an_direct *direct, const an_direct_sums *job, const windows *w,
                          int64_t column)
{
    tile t;
    t.x[0] = direct->padded + column;
    for (int i = 0; i < w->rows * w->vecs; i++) {
        const int64_t at = column + i % w->vecs * AN_LANES;
        t.y[i] = job->y + i / w->vecs * direct->columns + at;
        t.lanes[i] = an__lanes(direct->columns - at);
    }
    return t;
}

static void move_windows(const an_direct *direct, const windows *w, tile *t, int64_t rows)
{
    t->x[0] += rows * direct->row_step;
    for (int i = 0; i < w->rows * w->vecs; i++)
        t->y[i] += rows * direct->columns;
}

/* The last tile of a column goes back to where it fits, and leaves out what is written. */
static void sum_windows(const an_direct *direct, const an_direct_sums *job)
{
    for (int64_t column = 0; column < direct->columns;) {
        const windows *w = windows_of;
        while (w->rows > direct->rows || column + (w->vecs - 1) * AN_LANES >= direct->columns)
            w++;
        tile t = first_windows(direct, job, w, column);
        for (int64_t row = 0; row < direct->rows; row += w->rows) {
            const int64_t back = an__at_least(row + w->rows - direct->rows, 0);
            if (back > 0)
                move_windows(direct, w, &t, -back);
            for (int64_t i = 0; i < back * w->vecs; i++)
                t.lanes[i] = 0;
            for (int64_t f = 0; f < job->features; f++)
                w->run(direct, job, &t, f);
            move_windows(direct, w, &t, w->rows);
        }
        column += w->vecs * AN_LANES;
    }
}

static void sums(const an_direct *direct, const an_direct_sums *job)
{
    if (direct->plane > 0 && direct->rows >= LEAST_ROWS && job->features <= FEW_FEATURES) {
        sum_windows(direct, job);
        return;
    }
    const int64_t across = an__divide_up(direct->columns, AN_LANES);
    const int64_t vectors = across * direct->rows, groups = an__divide_up(vectors, VECS);
    int64_t row = 0, column = 0;
    for (int64_t group = 0; group < groups; group++) {
        const int count = (int)(an__part_begin(vectors, groups, group + 1) -
                                an__part_begin(vectors, groups, group));
        tile t = {0};
        for (int j = 0; j < count; j++) {
            const int64_t left = direct->columns - column;
            t.x[j] = direct->padded + row * direct->row_step + column;
            t.y[j] = job->y + row * direct->columns + column;
            t.lanes[j] = an__lanes(left);
            column += AN_LANES;
            row += column >= direct->columns;
            column = column >= direct->columns ? 0 : column;
        }
        run_tile(direct, job, &t, count);
    }
}

/* One vector of columns, by pairs of runs. */
static void gathered_runs(const an_gathered *g, const float *right, float *out, bool add)
{
    const int64_t parts = an__divide_up(g->run, MOST_RUN),
                  pairs = an__divide_up(g->rows, 2 * g->run);
    for (int64_t pair = 0; pair < pairs; pair++) {
        const int64_t first = 2 * pair * g->run;
        const int64_t second = an__at_most(first + g->run, g->rows - g->run);
        for (int64_t part = 0; part < parts; part++) {
            const int64_t begin = an__part_begin(g->run, parts, part);
            const int64_t count = an__part_begin(g->run, parts, part + 1) - begin;
            runs_of[count - FEWEST_RUN](g, right, out, add, first + begin, second + begin);
        }
    }
}

static void gathered(const an_gathered *g, int64_t pitch, const float *right, float *out, bool add)
{
    const int64_t vectors = pitch / AN_LANES, panels = an__divide_up(vectors, VECS);
    const int64_t parts = an__divide_up(g->rows, ROWS);
    if (vectors == 1 && 2 * g->run > ROWS && g->run >= FEWEST_RUN) {
        gathered_runs(g, right, out, add);
        return;
    }
    for (int64_t panel = 0; panel < panels; panel++) {
        const int64_t begin = an__part_begin(vectors, panels, panel);
        const int64_t vecs = an__part_begin(vectors, panels, panel + 1) - begin;
        for (int64_t part = 0; part < parts; part++) {
            const int64_t first = an__part_begin(g->rows, parts, part);
            const int64_t rows = an__part_begin(g->rows, parts, part + 1) - first;
            gathered_of[rows - 1][vecs - 1](g, pitch, right + begin * AN_LANES,
                                            out + begin * AN_LANES, add, first);
        }
    }
}

static void feature_weights(const an_direct *direct, const float *dy, float *dw, bool add)
{
    const int64_t parts = an__divide_up(direct->taps, ROWS);
    for (int64_t part = 0; part < parts; part++) {
        const int64_t first = an__part_begin(direct->taps, parts, part);
        const int64_t rows = an__part_begin(direct->taps, parts, part + 1) - first;
        feature_of[rows - 1](direct, dy, dw, add, first);
    }
}

/* -------------------------------------------------------------------- sums */

static void sum_parts(int64_t parts, int64_t step, int64_t begin, int64_t end, const float *x,
                      float *y)
{
    for (int64_t i = begin; i < end; i += AN_LANES) {
        const int lanes = an__lanes(end - i);
        an_vec sum = an__vload_lanes(x + i, lanes);
        for (int64_t part = 1; part < parts; part++)
            sum += an__vload_lanes(x + part * step + i, lanes);
        an__vstore_lanes(y + i, sum, lanes);
    }
}

/* Vectors of floats over short runs, then doubles: exact enough, and as fast as the memory. */
static double plane_sum(int64_t n, const float *x)
{
    enum { RUN = 16 };
    double total = 0;
    int64_t i = 0;
    while (i < n) {
        an_vec sum = {0};
        const int64_t end = an__at_most(n, i + RUN * AN_LANES);
        for (; i + AN_LANES <= end; i += AN_LANES)
            sum += an__vload(x + i);
        if (i < end)
            sum += an__vload_part(x + i, (int)(end - i));
        i = end;
        total += (double)an__vsum(sum);
    }
    return total;
}

static void plane_sums(int64_t n, int64_t begin, int64_t end, const float *x, double *sum)
{
    for (int64_t i = begin; i < end; i++)
        sum[i] = plane_sum(n, x + i * n);
}

const an_conv_table AN_KERNEL_NAME(an__conv_table) = {
    AN_KERNEL_NAME(an__conv_pad),   sums,      gathered,  feature_weights,
    AN_KERNEL_NAME(an__conv_weave), sum_parts, plane_sums};
