/*
 * Minimal filtering (winograd.h) of images with many channels, on all threads.
 *
 * The filters of c to c channels are 16 c^2 floats: from 128 channels on they fill a second-level
 * cache, and a block of one image's tiles that fits beside them (convolution_3x3.c) is so small
 * that they are fetched anew for every few tiles. So here the tiles of a chunk of the batch lie in
 * memory, and three passes go over them, each shared out by itself: pixels to places, 16 large
 * products, places to pixels. For dw both x and dy are taken to their places, and the products sum
 * over the chunk's tiles.
 *
 * A block is some rows of tiles of one image; a chunk is a run of blocks of one group's images.
 */
#include "tensor/context.h"
#include "tensor/kernels/filtering.h"

enum {
    MANY = 128 * 128, /* kernels, from which on this is worth it */
    CHUNK = 1 << 21,  /* floats of a chunk's places */
    PIXELS = 1 << 16, /* floats of a block's pixels, unless one row of tiles has more */
    TILES = 128,      /* of a product for y and dx, and channels of one for dw */
};

typedef struct wide {
    const an_context *context;
    const an_conv *conv;
    an_filtering f;
    const float *x, *y, *bias;
    float *filters, *in_places, *out_places, *out;
    bool relu, add;
    int64_t most;              /* blocks of a chunk */
    int64_t in_step, out_step; /* from one place to the next */
    int64_t group, begin, end; /* the chunk: blocks of the group's images */
    int64_t parts;             /* of each place's product */
    bool again;                /* dw has sums of earlier chunks */
} wide;

/* Floats of the larger of a block's two sets of pixels. */
static int64_t block_pixels(const an_filtering *f, int64_t rows)
{
    return an__at_least((2 * rows + 2) * (2 * f->columns + 2) * f->in_pitch,
                        4 * rows * f->columns * f->out_pitch);
}

static wide wide_of(const an_context *context, const an_conv *conv, bool backward)
{
    wide w = {.context = context, .conv = conv, .f = an__filtering_of(context, conv, backward)};
    an_filtering *f = &w.f;
    int64_t rows = f->rows;
    while (rows > 1 && block_pixels(f, rows) > PIXELS)
        rows--;
    an__filtering_cut(f, rows);
    const int64_t tiles = f->block * f->columns;
    const int64_t places = AN_TILE_PLACES * tiles * (f->in_pitch + f->out_pitch);
    w.most = an__at_most(an__at_least(CHUNK / places, 1), conv->images * f->blocks);
    w.in_step = w.most * tiles * f->in_pitch + AN_TILES_APART;
    w.out_step = w.most * tiles * f->out_pitch + AN_TILES_APART;
    return w;
}

static int64_t space_of(const wide *w)
{
    return an__filter_floats(w->conv, &w->f) + AN_TILE_PLACES * (w->in_step + w->out_step) +
           an__conv_shares_space(w->context, block_pixels(&w->f, w->f.block));
}

/* The pieces of the space; the rest is the shares'. */
static float *lay_out(wide *w, float *space)
{
    w->filters = space;
    w->in_places = w->filters + an__filter_floats(w->conv, &w->f);
    w->out_places = w->in_places + AN_TILE_PLACES * w->in_step;
    return w->out_places + AN_TILE_PLACES * w->out_step;
}

/* Tiles of a group's images before a block. */
static int64_t tiles_before(const wide *w, int64_t block)
{
    const an_filtering *f = &w->f;
    return (block / f->blocks * f->rows + block % f->blocks * f->block) * f->columns;
}

static int64_t chunk_tiles(const wide *w)
{
    return tiles_before(w, w->end) - tiles_before(w, w->begin);
}

/* A block of the chunk. */
typedef struct piece {
    int64_t plane, first, rows; /* image and group; rows of tiles */
    int64_t tile;               /* the first, in the chunk */
} piece;

static piece piece_of(const wide *w, int64_t item)
{
    const an_filtering *f = &w->f;
    const int64_t block = w->begin + item, first = block % f->blocks * f->block;
    return (piece){.plane = block / f->blocks * w->conv->groups + w->group,
                   .first = first,
                   .rows = an__at_most(f->block, f->rows - first),
                   .tile = tiles_before(w, block) - tiles_before(w, w->begin)};
}

/* ------------------------------------------------------------------ passes */

/* What a block reads or writes on one side: its pixels in the images, its tiles among the places.
 */
typedef struct side {
    an_pixels pixels;
    int64_t planes; /* floats of the images before its own */
    an_tiles tiles;
    float *places;
} side;

static side side_of(const wide *w, int64_t item, bool output)
{
    const an_filtering *f = &w->f;
    const piece p = piece_of(w, item);
    if (output)
        return (side){.pixels = an__filtering_output(f, p.first, p.rows),
                      .planes = p.plane * f->out * f->out_size[0] * f->out_size[1],
                      .tiles = {p.rows, f->columns, f->out_pitch, w->out_step},
                      .places = w->out_places + p.tile * f->out_pitch};
    return (side){.pixels = an__filtering_input(f, p.first, p.rows),
                  .planes = p.plane * f->in * f->size[0] * f->size[1],
                  .tiles = {p.rows, f->columns, f->in_pitch, w->in_step},
                  .places = w->in_places + p.tile * f->in_pitch};
}

static void input_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const wide *w = arg;
    const an_winograd_table *kernels = w->context->kernels->winograd;
    const side s = side_of(w, item, false);
    (void)gemm_scratch;
    if (s.tiles.rows <= 0)
        return;
    kernels->read(&s.pixels, w->x + s.planes, memory);
    kernels->input(&s.tiles, memory, s.places);
}

static void output_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const wide *w = arg;
    const an_winograd_table *kernels = w->context->kernels->winograd;
    const side s = side_of(w, item, true);
    (void)gemm_scratch;
    if (s.tiles.rows <= 0)
        return;
    kernels->output(&s.tiles, s.places, memory);
    kernels->write(&s.pixels, memory, w->bias ? w->bias + w->group * w->f.out : NULL, w->relu,
                   w->add, w->out + s.planes);
}

/* dy to its places. */
static void gradient_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const wide *w = arg;
    const an_winograd_table *kernels = w->context->kernels->winograd;
    const side s = side_of(w, item, true);
    (void)gemm_scratch;
    if (s.tiles.rows <= 0)
        return;
    kernels->read(&s.pixels, w->y + s.planes, memory);
    kernels->gradient(&s.tiles, memory, s.places);
}

/* The filters of the chunk's group. */
static float *matrix_of(const wide *w, int64_t place)
{
    return w->filters + (w->group * AN_TILE_PLACES + place) * w->f.in * w->f.out_pitch;
}

/* Some tiles of one place: places of x by filters. */
static void product_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const wide *w = arg;
    const an_filtering *f = &w->f;
    const int64_t place = item / w->parts, part = item % w->parts, tiles = chunk_tiles(w);
    const int64_t first = an__part_begin(tiles, w->parts, part);
    const an_gemm call = {.m = an__part_begin(tiles, w->parts, part + 1) - first,
                          .n = f->out_pitch,
                          .k = f->in,
                          .a = w->in_places + place * w->in_step + first * f->in_pitch,
                          .lda = f->in_pitch,
                          .b = matrix_of(w, place),
                          .ldb = f->out_pitch,
                          .c = w->out_places + place * w->out_step + first * f->out_pitch,
                          .ldc = f->out_pitch};
    (void)memory;
    w->context->kernels->gemm->run(&call, gemm_scratch);
}

/* Some channels of one place: places of x, turned, by those of dy. */
static void sum_item(const void *arg, int64_t item, float *gemm_scratch, float *memory)
{
    const wide *w = arg;
    const an_filtering *f = &w->f;
    const int64_t place = item / w->parts, part = item % w->parts;
    const int64_t first = an__part_begin(f->in, w->parts, part);
    const an_gemm call = {.transpose_a = true,
                          .m = an__part_begin(f->in, w->parts, part + 1) - first,
                          .n = f->out_pitch,
                          .k = chunk_tiles(w),
                          .a = w->in_places + place * w->in_step + first,
                          .lda = f->in_pitch,
                          .b = w->out_places + place * w->out_step,
                          .ldb = f->out_pitch,
                          .c = matrix_of(w, place) + first * f->out_pitch,
                          .ldc = f->out_pitch,
                          .accumulate = w->again};
    (void)memory;
    w->context->kernels->gemm->run(&call, gemm_scratch);
}

/* ------------------------------------------------------------------ chunks */

typedef void item_function(const void *arg, int64_t item, float *gemm_scratch, float *memory);

static void pass(an_context *context, const wide *w, int64_t items, item_function *item,
                 float *space)
{
    const an_filtering *f = &w->f;
    const double operations =
        (double)chunk_tiles(w) * AN_TILE_PLACES * (double)f->in * (double)f->out;
    const an_shares shares = {.context = context,
                              .items = items,
                              .run = item,
                              .arg = w,
                              .need = block_pixels(f, f->block),
                              .space = space};
    an__conv_shares(context, &shares, operations);
}

/* The next chunk: false behind the last of all groups. Starts from begin = end = 0. */
static bool next_chunk(wide *w)
{
    const int64_t blocks = w->conv->images * w->f.blocks;
    if (w->end == blocks) {
        w->group++;
        w->end = 0;
    }
    w->again = w->end > 0;
    w->begin = w->end;
    w->end = an__at_most(w->begin + w->most, blocks);
    return w->group < w->conv->groups && blocks > 0;
}

static void filter_images(an_context *context, wide *w, const float *weights, bool backward,
                          float *space)
{
    float *rest = lay_out(w, space);
    an__filter_kernels(context, w->conv, &w->f, weights, backward, w->filters);
    while (next_chunk(w)) {
        w->parts = an__divide_up(chunk_tiles(w), TILES);
        pass(context, w, w->end - w->begin, input_item, rest);
        pass(context, w, AN_TILE_PLACES * w->parts, product_item, rest);
        pass(context, w, w->end - w->begin, output_item, rest);
    }
}

/* -------------------------------------------------------------------- door */

bool an__conv_wide_fits(const an_conv *conv)
{
    return conv->channels * conv->features >= MANY;
}

int64_t an__conv_filter_wide_space(const an_context *context, const an_conv *conv, bool backward)
{
    const wide w = wide_of(context, conv, backward);
    return space_of(&w);
}

int64_t an__conv_weight_wide_space(const an_context *context, const an_conv *conv)
{
    return an__conv_filter_wide_space(context, conv, false);
}

void an__conv_forward_wide(an_context *context, const an_conv *conv, const float *x, const float *w,
                           const float *bias, bool relu, float *y, bool add, float *space)
{
    wide job = wide_of(context, conv, false);
    job.x = x;
    job.bias = bias;
    job.relu = relu;
    job.add = add;
    job.out = y;
    filter_images(context, &job, w, false, space);
}

void an__conv_data_wide(an_context *context, const an_conv *conv, const float *dy, const float *w,
                        float *dx, bool add, float *space)
{
    wide job = wide_of(context, conv, true);
    job.x = dy;
    job.add = add;
    job.out = dx;
    filter_images(context, &job, w, true, space);
}

void an__conv_weight_wide(an_context *context, const an_conv *conv, const float *x, const float *dy,
                          float *dw, bool add, float *space)
{
    wide job = wide_of(context, conv, false);
    float *rest = lay_out(&job, space);
    job.x = x;
    job.y = dy;
    job.parts = an__divide_up(job.f.in, TILES);
    while (next_chunk(&job)) {
        pass(context, &job, job.end - job.begin, input_item, rest);
        pass(context, &job, job.end - job.begin, gradient_item, rest);
        pass(context, &job, AN_TILE_PLACES * job.parts, sum_item, rest);
    }
    an__filter_gradient(context, conv, &job.f, 1, job.filters, add, dw);
}
