#include "net.h"
#include "tile.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define SPINS 4000
/* Samples between asking for pixels and reading them. */
#define AHEAD 2

/* ------------------------------------------------------------------- workers */

INLINE void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* All workers meet here. Spinning costs under a microsecond; a worker that waits long yields. */
static void barrier(net *n)
{
    if (n->workers == 1)
        return;
    int generation = atomic_load(&n->generation);
    if (atomic_fetch_add(&n->waiting, 1) == n->workers - 1) {
        atomic_store(&n->waiting, 0);
        atomic_store(&n->generation, generation + 1);
        return;
    }
    for (int spin = 0; atomic_load(&n->generation) == generation; spin++)
        if (spin < SPINS)
            pause_cpu();
        else
            sched_yield();
}

/* Worker `me`'s part of `count` things that come in blocks: from the result on. */
static int share(const net *n, int me, int count, int block)
{
    return count / block * me / n->workers * block;
}

/* ------------------------------------------------------------------- forward */

/* Asks for memory that will be read soon. */
INLINE void fetch(const void *p, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 64)
        __builtin_prefetch((const char *)p + at);
}

/* Pixels of `count` samples as normalised floats. */
static void gather(const net *n, const mnist *data, const int *order, int count, float *x)
{
    float scale = 1 / (255 * n->deviation), shift = -n->mean / n->deviation;
    for (int r = 0; r < count; r++) {
        const unsigned char *pixels = data->pixels + (size_t)order[r] * MNIST_PIXELS;
        if (r + AHEAD < count)
            fetch(data->pixels + (size_t)order[r + AHEAD] * MNIST_PIXELS, MNIST_PIXELS);
        float *row = x + (size_t)r * (size_t)n->x_stride;
        for (int i = 0; i < MNIST_PIXELS; i++)
            row[i] = (float)pixels[i] * scale + shift;
    }
}

/* `rows` samples through one panel: max(0, W x + b). */
INLINE void forward_tile(int rows, size_t in, const float *x, size_t x_stride, const float *weight,
                         float *y, size_t y_stride)
{
    vec acc[TILE_ROWS * TILE_VECTORS] = {{0}};
    tile(rows, TILE_VECTORS, in + 1, x, x_stride, 1, weight, PANEL, acc);
    UNROLL
    for (int i = 0; i < rows * TILE_VECTORS; i++)
        store(y + (size_t)(i / TILE_VECTORS) * y_stride + (size_t)(i % TILE_VECTORS) * LANES,
              where_positive(acc[i], acc[i]));
}

static void forward_panel(int rows, size_t in, const float *x, size_t x_stride, const float *weight,
                          float *y, size_t y_stride)
{
    int r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
        forward_tile(TILE_ROWS, in, x + (size_t)r * x_stride, x_stride, weight,
                     y + (size_t)r * y_stride, y_stride);
    for (; r < rows; r += 2)
        forward_tile(2, in, x + (size_t)r * x_stride, x_stride, weight, y + (size_t)r * y_stride,
                     y_stride);
}

static void forward_hidden(net *n, int me, int l, const float *x, size_t x_stride, int rows)
{
    layer *a = &n->layer[l];
    size_t panel_size = (size_t)(a->in + 1) * PANEL;
    for (int p = share(n, me, a->panels, 1); p < share(n, me + 1, a->panels, 1); p++)
        forward_panel(rows, (size_t)a->in, x, x_stride, a->weight + (size_t)p * panel_size,
                      a->y + (size_t)p * PANEL, (size_t)a->stride);
}

/* The logits of CLASS_ROWS samples, into the last layer's y. */
static void logits_tile(const layer *a, const float *x, size_t x_stride, float *y)
{
    vec acc[CLASS_ROWS * CLASS_VECTORS] = {{0}};
    tile(CLASS_ROWS, CLASS_VECTORS, (size_t)a->in + 1, x, x_stride, 1, a->weight, CLASS_PAD, acc);
    for (int i = 0; i < CLASS_ROWS; i++)
        for (int v = 0; v < CLASS_VECTORS; v++)
            store(y + (size_t)i * CLASS_PAD + (size_t)v * LANES, acc[i * CLASS_VECTORS + v]);
}

static void forward_last(net *n, const float *x, size_t x_stride, int first, int last)
{
    layer *a = &n->layer[n->layers - 1];
    for (int r = first; r < last; r += CLASS_ROWS)
        logits_tile(a, x + (size_t)r * x_stride, x_stride, a->y + (size_t)r * CLASS_PAD);
}

/* The input of layer l and its stride. */
static const float *input_of(const net *n, int l, int parity, size_t *stride)
{
    *stride = (size_t)(l ? n->layer[l - 1].stride : n->x_stride);
    return l ? n->layer[l - 1].y : n->x[parity];
}

/* ---------------------------------------------------------------------- loss */

/* exp(z - max z), its sum and max z over a row of classes; the padding gets 0. */
INLINE float exponentials(const float *z, float *e, float *sum)
{
    float most = z[0];
    for (int c = 1; c < CLASSES; c++)
        most = z[c] > most ? z[c] : most;
    for (int c = 0; c < CLASS_PAD; c++)
        e[c] = expf(z[c] - most);
    *sum = 0;
    for (int c = 0; c < CLASSES; c++)
        *sum += e[c];
    return most;
}

/* Softmax, cross-entropy and its gradient for rows first..last-1; returns the sum of losses. */
static double loss_rows(net *n, const int *order, int count, int first, int last)
{
    layer *a = &n->layer[n->layers - 1];
    double loss = 0;
    for (int r = first; r < last; r++) {
        float *delta = a->delta + (size_t)r * CLASS_PAD, e[CLASS_PAD], sum;
        const float *z = a->y + (size_t)r * CLASS_PAD;
        float scale = r < count ? 1.0f / (float)count : 0;
        int label = r < count ? n->data->labels[order[r]] : 0;
        float most = exponentials(z, e, &sum);
        for (int c = 0; c < CLASS_PAD; c++)
            delta[c] = c < CLASSES ? e[c] / sum * scale : 0;
        delta[label] -= scale;
        for (int c = 0; c < CLASSES; c++)
            a->delta_t[(size_t)c * (size_t)n->columns + (size_t)r] = delta[c];
        loss += r < count ? logf(sum) + most - z[label] : 0;
    }
    return loss;
}

/* ------------------------------------------------------------------ backward */

/* weight -= rate * (momentum = factor * momentum + gradient): the gradient's only use. */
INLINE void update(const net *n, float *weight, float *momentum, vec gradient)
{
    vec m = n->momentum * load(momentum) + gradient;
    store(momentum, m);
    store(weight, load(weight) - n->rate * m);
}

/* The gradient of `rows` x `vectors` weights of a panel, summed over the batch, and their update.
 */
INLINE void weight_tile(const net *n, int rows, int vectors, size_t samples, const float *x,
                        size_t x_stride, const float *delta, float *weight, float *momentum)
{
    vec acc[TILE_ROWS * TILE_VECTORS] = {{0}};
    fetch(weight, (size_t)(rows * vectors) * sizeof(vec));
    fetch(momentum, (size_t)(rows * vectors) * sizeof(vec));
    tile(rows, vectors, samples, x, 1, x_stride, delta, (size_t)vectors * LANES, acc);
    UNROLL
    for (int i = 0; i < rows * vectors; i++)
        update(n, weight + (size_t)i * LANES, momentum + (size_t)i * LANES, acc[i]);
}

static void update_panel(const net *n, size_t in, int samples, const float *x, size_t x_stride,
                         const float *delta, float *weight, float *momentum)
{
    size_t i = 0;
    for (; i + TILE_ROWS <= in + 1; i += TILE_ROWS)
        weight_tile(n, TILE_ROWS, TILE_VECTORS, (size_t)samples, x + i, x_stride, delta,
                    weight + i * PANEL, momentum + i * PANEL);
    for (; i <= in; i++)
        weight_tile(n, 1, TILE_VECTORS, (size_t)samples, x + i, x_stride, delta, weight + i * PANEL,
                    momentum + i * PANEL);
}

static void update_hidden(net *n, int me, int l, int parity, int rows)
{
    layer *a = &n->layer[l];
    size_t stride, panel_size = (size_t)(a->in + 1) * PANEL;
    const float *x = input_of(n, l, parity, &stride);
    for (int p = share(n, me, a->panels, 1); p < share(n, me + 1, a->panels, 1); p++)
        update_panel(n, (size_t)a->in, rows, x, stride,
                     a->delta + (size_t)p * (size_t)n->rows * PANEL,
                     a->weight + (size_t)p * panel_size, a->momentum + (size_t)p * panel_size);
}

/* Rows first..last-1 of the last layer's weights. */
static void update_last(net *n, int first, int last, int rows)
{
    layer *a = &n->layer[n->layers - 1];
    size_t stride;
    const float *x = input_of(n, n->layers - 1, 0, &stride);
    int i = first;
    for (; i + CLASS_ROWS <= last; i += CLASS_ROWS)
        weight_tile(n, CLASS_ROWS, CLASS_VECTORS, (size_t)rows, x + i, stride, a->delta,
                    a->weight + (size_t)i * CLASS_PAD, a->momentum + (size_t)i * CLASS_PAD);
    for (; i < last; i++)
        weight_tile(n, 1, CLASS_VECTORS, (size_t)rows, x + i, stride, a->delta,
                    a->weight + (size_t)i * CLASS_PAD, a->momentum + (size_t)i * CLASS_PAD);
}

/*
 * The gradient of the loss by inputs i..i+rows-1 of a layer, transposed: inputs x samples. Sums
 * over `outputs` features of each of the panels.
 */
INLINE void input_tile(const net *n, const layer *a, int rows, int first_panel, int last_panel,
                       size_t outputs, size_t i, size_t column, float *out)
{
    vec acc[TILE_ROWS * TILE_VECTORS] = {{0}};
    size_t width = (size_t)a->width, columns = (size_t)n->columns;
    for (int p = first_panel; p < last_panel; p++)
        tile(rows, TILE_VECTORS, outputs, a->weight + ((size_t)p * (size_t)(a->in + 1) + i) * width,
             width, 1, a->delta_t + (size_t)p * width * columns + column, columns, acc);
    UNROLL
    for (int r = 0; r < rows * TILE_VECTORS; r++)
        store(out + (i + (size_t)(r / TILE_VECTORS)) * columns + column +
                  (size_t)(r % TILE_VECTORS) * LANES,
              acc[r]);
}

/* The same for inputs first..last-1 and `rows` samples. */
static void input_gradient(const net *n, const layer *a, int first_panel, int last_panel,
                           size_t outputs, int first, int last, int rows, float *out)
{
    for (int column = 0; column < rows; column += PANEL) {
        int i = first;
        for (; i + TILE_ROWS <= last; i += TILE_ROWS)
            input_tile(n, a, TILE_ROWS, first_panel, last_panel, outputs, (size_t)i, (size_t)column,
                       out);
        for (; i < last; i++)
            input_tile(n, a, 1, first_panel, last_panel, outputs, (size_t)i, (size_t)column, out);
    }
}

/*
 * A block of LANES features x LANES samples of layer l's delta: the sum of the workers' parts,
 * where the output was above 0. Written in both layouts; the transposed one only where a layer
 * below needs it.
 */
INLINE void delta_block(net *n, int l, float *const *partial, int parts, size_t feature, size_t row)
{
    layer *a = &n->layer[l];
    size_t columns = (size_t)n->columns, panel = feature / PANEL, lane = feature % PANEL;
    vec block[LANES];
    for (size_t i = 0; i < LANES; i++) {
        size_t at = (feature + i) * columns + row;
        block[i] = load(partial[0] + at);
        for (int p = 1; p < parts; p++)
            block[i] += load(partial[p] + at);
    }
    transpose(block);
    for (size_t i = 0; i < LANES; i++) {
        vec y = load(a->y + (row + i) * (size_t)a->stride + feature);
        block[i] = where_positive(y, block[i]);
        store(a->delta + (panel * (size_t)n->rows + row + i) * PANEL + lane, block[i]);
    }
    if (l == 0)
        return;
    transpose(block);
    for (size_t i = 0; i < LANES; i++)
        store(a->delta_t + (feature + i) * columns + row, block[i]);
}

/* Layer l's delta, of worker `me`'s features. */
static void delta_hidden(net *n, int me, int l, float *const *partial, int parts, int rows)
{
    int first = share(n, me, n->layer[l].panels, 1) * PANEL;
    int last = share(n, me + 1, n->layer[l].panels, 1) * PANEL;
    for (int feature = first; feature < last; feature += LANES)
        for (int row = 0; row < rows; row += LANES)
            delta_block(n, l, partial, parts, (size_t)feature, (size_t)row);
}

/*
 * The last layer: a worker takes the rows of W that belong to its features below, so that it needs
 * nobody else's part of the gradient.
 */
static void backward_last(net *n, int me, int rows)
{
    int l = n->layers - 1;
    layer *a = &n->layer[l], *below = &n->layer[l - 1];
    int first = share(n, me, below->panels, 1) * PANEL;
    int last = share(n, me + 1, below->panels, 1) * PANEL;
    input_gradient(n, a, 0, 1, CLASSES, first, last, rows, a->partial[0]);
    delta_hidden(n, me, l - 1, a->partial, 1, rows);
    update_last(n, first, me == n->workers - 1 ? a->in + 1 : last, rows);
}

/* A hidden layer: every worker sums over its own outputs; the parts are added after a barrier. */
static void backward_hidden(net *n, int me, int l, int rows)
{
    layer *a = &n->layer[l];
    int first = share(n, me, a->panels, 1), last = share(n, me + 1, a->panels, 1);
    input_gradient(n, a, first, last, PANEL, 0, a->in, rows, a->partial[me]);
    update_hidden(n, me, l, 0, rows);
    barrier(n);
    delta_hidden(n, me, l - 1, a->partial, n->workers, rows);
}

/* --------------------------------------------------------------------- steps */

/* Worker `me`'s rows of step's batch, into x[step % 2]. */
static void prepare(net *n, int me, span steps, int step)
{
    int start = step * n->batch, left = steps.count - start;
    int count = left < n->batch ? left : n->batch;
    int first = count * me / n->workers, last = count * (me + 1) / n->workers;
    gather(n, n->data, steps.order + start + first, last - first,
           n->x[step % 2] + (size_t)first * (size_t)n->x_stride);
}

static double train_step(net *n, int me, const int *order, int count, int parity)
{
    int last_layer = n->layers - 1, rows = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    int first = share(n, me, rows, ROW_BLOCK), last = share(n, me + 1, rows, ROW_BLOCK);
    size_t stride;
    for (int l = 0; l < last_layer; l++) {
        const float *x = input_of(n, l, parity, &stride);
        forward_hidden(n, me, l, x, stride, rows);
        barrier(n);
    }
    const float *x = input_of(n, last_layer, parity, &stride);
    forward_last(n, x, stride, first, last);
    double loss = loss_rows(n, order, count, first, last);
    barrier(n);
    backward_last(n, me, rows);
    for (int l = last_layer - 1; l > 0; l--)
        backward_hidden(n, me, l, rows);
    update_hidden(n, me, 0, parity, rows);
    return loss;
}

double net_train(net *n, int me, span steps)
{
    double loss = 0;
    prepare(n, me, steps, steps.first);
    barrier(n);
    for (int step = steps.first; step < steps.last; step++) {
        int start = step * n->batch, left = steps.count - start;
        int count = left < n->batch ? left : n->batch;
        loss += train_step(n, me, steps.order + start, count, step % 2);
        if (step + 1 < steps.last)
            prepare(n, me, steps, step + 1);
        barrier(n);
    }
    return loss;
}

static int greatest(const float *z)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        best = z[c] > z[best] ? c : best;
    return best;
}

static double score(const net *n, const unsigned char *labels, int count, int *right)
{
    double loss = 0;
    for (int r = 0; r < count; r++) {
        const float *z = n->layer[n->layers - 1].y + (size_t)r * CLASS_PAD;
        float e[CLASS_PAD], sum, most = exponentials(z, e, &sum);
        loss += logf(sum) + most - z[labels[r]];
        *right += labels[r] == greatest(z);
    }
    return loss;
}

double net_evaluate(net *n, const mnist *data, int *right)
{
    int workers = n->workers, order[1024];
    double loss = 0;
    n->workers = 1;
    *right = 0;
    for (int start = 0; start < data->count; start += n->batch) {
        int left = data->count - start, count = left < n->batch ? left : n->batch;
        int rows = (count + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
        size_t stride;
        for (int r = 0; r < count; r++)
            order[r] = start + r;
        gather(n, data, order, count, n->x[0]);
        for (int l = 0; l < n->layers - 1; l++) {
            const float *x = input_of(n, l, 0, &stride);
            forward_hidden(n, 0, l, x, stride, rows);
        }
        const float *x = input_of(n, n->layers - 1, 0, &stride);
        forward_last(n, x, stride, 0, rows);
        loss += score(n, data->labels + start, count, right);
    }
    n->workers = workers;
    return loss / data->count;
}

/* -------------------------------------------------------------------- making */

/* The next `count` floats of the arena; without an arena yet, only counts. */
static float *take(net *n, size_t *used, size_t count)
{
    float *p = n->arena ? (float *)((char *)n->arena + *used) : NULL;
    *used += (count * sizeof(float) + 63) / 64 * 64;
    return p;
}

/* An odd number of cache lines a row, so that the rows of a column fall into different sets. */
static int padded(int width)
{
    return ((width + 1 + 15) / 16 | 1) * 16;
}

static size_t place(net *n)
{
    size_t used = 0, rows = (size_t)n->rows, columns = (size_t)n->columns;
    for (int parity = 0; parity < 2; parity++)
        n->x[parity] = take(n, &used, rows * (size_t)n->x_stride);
    for (int l = 0; l < n->layers; l++) {
        layer *a = &n->layer[l];
        size_t out = (size_t)a->panels * (size_t)a->width;
        a->weight = take(n, &used, ((size_t)a->in + 1) * out);
        a->momentum = take(n, &used, ((size_t)a->in + 1) * out);
        a->y = take(n, &used, rows * (size_t)a->stride);
        a->delta = take(n, &used, rows * out);
        a->delta_t = take(n, &used, columns * out);
        for (int w = 0; w < n->workers && l > 0; w++)
            a->partial[w] = take(n, &used, columns * (size_t)a->in);
    }
    return used;
}

/* PyTorch's default: weights and biases uniform in +-1/sqrt(in). */
static void randomise(layer *a, random_state *random)
{
    float bound = 1 / sqrtf((float)a->in);
    for (int p = 0; p < a->panels; p++)
        for (int i = 0; i <= a->in; i++)
            for (int j = 0; j < a->width; j++)
                a->weight[((size_t)p * ((size_t)a->in + 1) + (size_t)i) * (size_t)a->width +
                          (size_t)j] = p * a->width + j < a->out ? bound * random_float(random) : 0;
}

/* The constant 1 that stands behind each row's values. */
static void put_ones(float *values, int rows, int stride, int width)
{
    for (int r = 0; r < rows; r++)
        values[(size_t)r * (size_t)stride + (size_t)width] = 1;
}

static void describe(layer *a, int in, int out, int last)
{
    if (!last && out % (PANEL * MAX_WORKERS)) {
        fprintf(stderr, "bound: hidden layers must be multiples of %d\n", PANEL * MAX_WORKERS);
        exit(1);
    }
    a->in = in;
    a->out = out;
    a->width = last ? CLASS_PAD : PANEL;
    a->panels = last ? 1 : out / PANEL;
    a->stride = last ? CLASS_PAD : padded(out);
}

void net_init(net *n, const int *sizes, int layers, int batch, int workers, random_state *random)
{
    memset(n, 0, sizeof *n);
    n->layers = layers;
    n->batch = batch;
    n->workers = workers;
    n->rows = (batch + ROW_BLOCK - 1) / ROW_BLOCK * ROW_BLOCK;
    n->columns = (batch + PANEL - 1) / PANEL * PANEL;
    n->x_stride = padded(sizes[0]);
    for (int l = 0; l < layers; l++)
        describe(&n->layer[l], sizes[l], sizes[l + 1], l == layers - 1);
    n->arena_size = (place(n) + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    n->arena = aligned_alloc(HUGE_PAGE, n->arena_size);
    if (!n->arena) {
        fprintf(stderr, "bound: no memory\n");
        exit(1);
    }
    madvise(n->arena, n->arena_size, MADV_HUGEPAGE);
    memset(n->arena, 0, n->arena_size);
    place(n);
    for (int parity = 0; parity < 2; parity++)
        put_ones(n->x[parity], n->rows, n->x_stride, sizes[0]);
    for (int l = 0; l < layers; l++) {
        randomise(&n->layer[l], random);
        if (l < layers - 1)
            put_ones(n->layer[l].y, n->rows, n->layer[l].stride, sizes[l + 1]);
    }
}

void net_free(net *n)
{
    free(n->arena);
}
