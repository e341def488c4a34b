/*
 * libFuzzer: any bytes as a table; the first of them says what is asked of it. The parser may
 * refuse; it may not crash, leak, or give values that nobody asked for.
 */
#include "data/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t live;

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    live = live - (block ? old_size : 0) + new_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

/* Samples have finite values, or NaN where those are kept; labels lie among the classes. */
static void look(const an_dataset *d, const an_csv_options *options)
{
    const int64_t width = an_shape_size(an_dataset_shape(d));
    float *sample = malloc((size_t)width * sizeof *sample);
    for (int64_t i = 0; sample && i < an_dataset_count(d); i++) {
        an_dataset_sample(d, i, sample);
        for (int64_t j = 0; j < width; j++)
            if (isinf(sample[j]) || (isnan(sample[j]) && options->missing == AN_CSV_REFUSE))
                abort();
        const int32_t label = an_dataset_label(d, i);
        if (options->labels && (label < 0 || label >= an_dataset_classes(d)))
            abort();
    }
    free(sample);
}

/* The text from its NUL on, or all of it where it has none, is read like the table of what stands
 * before: finite values; of the same text, the same ones. */
static void read_like(const an_allocator *allocator, const uint8_t *bytes, size_t length,
                      const an_dataset *d, const an_csv_options *options)
{
    const uint8_t *end = length ? memchr(bytes, 0, length) : NULL;
    const size_t from = end ? (size_t)(end - bytes) + 1 : 0;
    const size_t size = (size_t)an_shape_size(an_dataset_shape(d)) * sizeof(float);
    an_error err = {0};
    char *text = malloc(length + 1);
    float *a = malloc(size), *b = malloc(size);
    if (text && length > from)
        memcpy(text, bytes + from, length - from);
    an_dataset *again =
        text ? an__csv_read_like(allocator, "like", text, length - from, d, &err) : NULL;
    if (again)
        look(again, options);
    for (int64_t i = 0; again && !end && a && b && i < an_dataset_count(d); i++) {
        an_dataset_sample(d, i, a);
        an_dataset_sample(again, i, b);
        if (memcmp(a, b, size) != 0)
            abort();
    }
    an_dataset_free(again);
    free(text);
    free(a);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const targets[] = {"y", "z"}, *const ignored[] = {"i"};
    const uint8_t flags = size ? data[0] : 0;
    const size_t length = size ? size - 1 : 0;
    const an_csv_options options = {.separator = flags & 1 ? ';' : ',',
                                    .labels = flags & 2,
                                    .missing = flags & 4 ? AN_CSV_KEEP : AN_CSV_REFUSE,
                                    .targets = targets,
                                    .target_count = flags & 2 ? 1 : 1 + (flags >> 3 & 1),
                                    .ignored = ignored,
                                    .ignored_count = flags >> 4 & 1,
                                    .weight = flags & 32 ? "w" : NULL};
    const an_allocator allocator = {.resize = resize};
    an_error err = {0};
    char *text = malloc(length + 1);
    if (!text)
        return 0;
    if (length)
        memcpy(text, data + 1, length);
    const char *end = length ? memchr(text, 0, length) : NULL;
    an_dataset *d = an__csv_read(&allocator, "input", text, end ? (size_t)(end - text) : length,
                                 &options, &err);
    if (!d == !err.code)
        abort();
    if (d) {
        look(d, &options);
        read_like(&allocator, data + 1, length, d, &options);
    }
    an_dataset_free(d);
    free(text);
    if (live != 0)
        abort();
    return 0;
}
