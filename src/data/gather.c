#include "data/gather.h"

#include "data/dataset.h"

#include <string.h>

/* Views that are drawn at a time. */
#define VIEWS 32

/* ----------------------------------------------------------------------- images */

static bool is_augmented(const an_gather *task)
{
    return task->augment.shift > 0 || task->augment.flip > 0;
}

/* An image of floats as the kernel makes one of bytes. */
static void put_view(const float *in, float *out, const an_image *image, const an_view *view,
                     float scale, float shift)
{
    const int64_t height = image->height, width = image->width;
    int64_t begin, end;
    an__view_columns(view, width, &begin, &end);
    for (int64_t i = 0; i < image->channels * height; i++, out += width) {
        const int64_t from = i % height + view->down, row = (i + view->down) * width + view->right;
        const bool inside = from >= 0 && from < height;
        for (int64_t x = 0; x < width; x++)
            out[x] = shift;
        for (int64_t x = begin; inside && x < end; x++)
            out[x] = in[row + (view->mirrored ? width - 1 - x : x)] * scale + shift;
    }
}

static void gather_views(const an_gather *task, int64_t begin, int64_t end)
{
    const an_bytes_gather *work = &task->work;
    const an_shape shape = task->dataset->shape;
    const an_image image = {shape.dim[0], shape.dim[1], shape.dim[2]};
    an_view views[VIEWS];
    for (int64_t at = begin, count; at < end; at += count) {
        count = end - at < VIEWS ? end - at : VIEWS;
        for (int64_t i = 0; i < count; i++)
            views[i] = an__augment_draw(&task->augment, task->chance, task->first + at + i);
        if (task->dataset->kind == AN_DATA_BYTES) {
            task->kernel->gather_views(work, &image, views, at, at + count);
            continue;
        }
        for (int64_t i = 0; i < count; i++)
            put_view(task->dataset->values + work->rows[at + i] * work->width,
                     work->out + (at + i) * work->width, &image, &views[i], work->scale,
                     work->shift);
    }
}

/* ------------------------------------------------------------------- other kinds */

static void gather_floats(const an_gather *task, int64_t begin, int64_t end)
{
    const an_bytes_gather *work = &task->work;
    for (int64_t i = begin; i < end; i++) {
        const float *in = task->dataset->values + work->rows[i] * work->width;
        float *out = work->out + i * work->width;
        for (int64_t j = 0; j < work->width; j++)
            out[j] = in[j] * work->scale + work->shift;
    }
}

/* The tokens, and to each of them the next one as its label. */
static void gather_tokens(const an_gather *task, int64_t begin, int64_t end)
{
    const an_bytes_gather *work = &task->work;
    for (int64_t i = begin; i < end; i++) {
        const uint16_t *in = task->dataset->tokens + work->rows[i] * work->width + task->phase;
        for (int64_t j = 0; j < work->width; j++) {
            work->out[i * work->width + j] = (float)in[j];
            task->labels[i * work->width + j] = in[j + 1];
        }
    }
}

static void gather_targets(const an_gather *task, int64_t begin, int64_t end)
{
    const int64_t count = task->dataset->target_count;
    for (int64_t i = begin; i < end; i++)
        memcpy(task->target + i * count, task->dataset->targets + task->work.rows[i] * count,
               (size_t)count * sizeof *task->target);
}

void an__gather(void *arg, int64_t begin, int64_t end)
{
    const an_gather *task = arg;
    if (is_augmented(task))
        gather_views(task, begin, end);
    else if (task->dataset->kind == AN_DATA_BYTES)
        task->kernel->gather(&task->work, begin, end);
    else if (task->dataset->kind == AN_DATA_FLOATS)
        gather_floats(task, begin, end);
    else
        gather_tokens(task, begin, end);
    if (task->target)
        gather_targets(task, begin, end);
}
