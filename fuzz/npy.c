/*
 * libFuzzer: any bytes as a NumPy array, or as an archive with the array "x"; the first of them
 * says which, and what the numbers are to become. The parser may refuse; it may not crash, leak,
 * write outside, or take memory out of proportion to its input.
 */
#include "data/npy.h"
#include "data/zip.h"

#include <stdlib.h>
#include <string.h>

/*
 * A packed byte gives at most 1032 others, each of which may be a number that becomes a float. The
 * constant is for zlib's own state and the pieces that are read at a time.
 */
#define MEMORY_PER_BYTE 4200
#define MEMORY_AT_LEAST 400000

typedef struct budget {
    size_t live, most;
} budget;

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    budget *b = user;
    b->live = b->live - (block != NULL ? old_size : 0) + new_size;
    if (b->live > b->most)
        abort();
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

static bool read_numbers(an_source *source, an_npy_form form, an_error *err)
{
    static const size_t sizes[] = {1, sizeof(float), sizeof(int32_t)};
    an_npy array;
    int64_t strides[AN_MAX_DIMS], stride = 1;
    if (!an__npy_begin(source, &array, err))
        return false;
    if (form == AN_NPY_BYTES && (array.kind != 'u' || array.size != 1))
        form = AN_NPY_FLOATS;
    if (form == AN_NPY_LABELS && array.kind == 'f')
        form = AN_NPY_FLOATS;
    for (int i = array.shape.ndim; i-- > 0; stride *= array.shape.dim[i])
        strides[i] = stride;
    void *out = an_alloc(&source->allocator, (size_t)array.count, sizes[form], err);
    const bool ok = out && an__npy_read(source, &array, strides, form, out, err);
    an_release(&source->allocator, out, (size_t)array.count, sizes[form]);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    budget b = {.most = MEMORY_AT_LEAST + MEMORY_PER_BYTE * size};
    const an_allocator allocator = {.resize = resize, .user = &b};
    const bool archive = data[0] & 4;
    an_error err = {0};
    an_source source = {
        .name = "input", .allocator = allocator, .memory = data + 1, .stored = size - 1};
    if (!archive && !an__source_memory(&source, &allocator, "input", data + 1, size - 1, &err))
        abort(); /* there is memory, and nothing else can fail here */
    const bool ok = (!archive || an__zip_enter(&source, "x", &err)) &&
                    read_numbers(&source, (an_npy_form)((data[0] & 3) % 3), &err);
    if (ok == (err.code != AN_ERROR_OK))
        abort();
    an__source_close(&source);
    if (b.live != 0)
        abort();
    return 0;
}
