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
    an_dataset *d = an__csv_read(&allocator, "input", text, length, &options, &err);
    if (!d == !err.code)
        abort();
    if (d)
        look(d, &options);
    an_dataset_free(d);
    free(text);
    if (live != 0)
        abort();
    return 0;
}
