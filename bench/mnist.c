#include "mnist.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static void fail(const char *path, const char *what)
{
    fprintf(stderr, "bound: %s: %s\n", path, what);
    exit(1);
}

static unsigned big_endian(const unsigned char *b)
{
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

/* The values of an IDX file of bytes with `rank` dimensions, `item` bytes for each of *count. */
static unsigned char *read_idx(const char *path, unsigned rank, size_t item, int *count)
{
    unsigned char header[16];
    gzFile file = gzopen(path, "rb");
    if (!file)
        fail(path, "cannot be opened");
    unsigned head = 4 + 4 * rank;
    if (gzread(file, header, head) != (int)head || big_endian(header) != (0x800 | rank))
        fail(path, "is not the IDX file expected");
    *count = (int)big_endian(header + 4);
    if (*count < 1 || *count > 100000)
        fail(path, "has a wrong count");
    size_t bytes = (size_t)*count * item;
    unsigned char *values = malloc(bytes);
    if (!values || gzread(file, values, (unsigned)bytes) != (int)bytes)
        fail(path, "is too short");
    gzclose(file);
    return values;
}

mnist mnist_load(const char *folder, const char *part)
{
    mnist data;
    int labels;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte.gz", folder, part);
    data.pixels = read_idx(path, 3, MNIST_PIXELS, &data.count);
    snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte.gz", folder, part);
    data.labels = read_idx(path, 1, 1, &labels);
    if (labels != data.count)
        fail(path, "has another count than the images");
    return data;
}

void mnist_free(mnist *data)
{
    free(data->pixels);
    free(data->labels);
}

static uint64_t next(random_state *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

uint32_t random_below(random_state *state, uint32_t n)
{
    return (uint32_t)((next(state) >> 32) * n >> 32);
}

float random_float(random_state *state)
{
    return (float)(next(state) >> 40) / 8388608.0f - 1.0f;
}

void random_order(random_state *state, int *order, int count)
{
    for (int i = 0; i < count; i++)
        order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        int j = (int)random_below(state, (uint32_t)i + 1);
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}
