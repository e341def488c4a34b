#include "cli/samples.h"

#include "file/regular.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------- images */

typedef enum form { TEXT, IDX, NPY, ZIP } form;

/* What a file begins with; what gzip hides goes by the name. */
static form form_of(const char *path)
{
    unsigned char head[2] = {'?', '?'};
    FILE *file = an__regular_open("read", path, NULL, NULL);
    size_t got = file ? fread(head, 1, 2, file) : 0;
    if (file)
        fclose(file);
    bool gzip = head[0] == 0x1f && head[1] == 0x8b;
    if (got == 2 && head[0] == 'P' && head[1] == 'K')
        return ZIP;
    if (got == 2 && ((head[0] == 0x93 && head[1] == 'N') || (gzip && strstr(path, ".npy"))))
        return NPY;
    return got == 2 && (gzip || (head[0] == 0 && head[1] == 0)) ? IDX : TEXT;
}

/* Arrays of another order of indices are turned where that gives the model's shape. */
static an_dataset *open_array(const char *path, an_shape shape, int32_t classes, an_error *err)
{
    an_npy_options options = an_npy_defaults();
    options.classes = classes;
    an_dataset *set = an_npy_open(NULL, path, NULL, &options, err);
    if (!set || an_shape_equal(an_dataset_shape(set), shape))
        return set;
    options.channels_last = true;
    an_dataset *turned = an_npy_open(NULL, path, NULL, &options, NULL);
    if (!turned || !an_shape_equal(an_dataset_shape(turned), shape)) {
        an_dataset_free(turned);
        return set;
    }
    an_dataset_free(set);
    return turned;
}

static an_dataset *read_images(const char *path, bool npy, an_shape shape, int32_t classes,
                               an_error *err)
{
    char want[64], got[64];
    an_dataset *set =
        npy ? open_array(path, shape, classes, err) : an_idx_open(NULL, path, NULL, classes, err);
    if (!set)
        return NULL;
    bool fits = an_shape_equal(an_dataset_shape(set), shape);
    if (fits && an_dataset_kind(set) == AN_DATA_BYTES)
        return set;
    an_shape_print(want, sizeof want, shape);
    an_shape_print(got, sizeof got, an_dataset_shape(set));
    const bool floats = an_dataset_kind(set) != AN_DATA_BYTES && an_dataset_shape(set).ndim > 1;
    if (fits || floats)
        an_error_set(err, AN_ERROR_DATA,
                     "%s: images are bytes, 0 to 255, and these are of another type; save them as "
                     "uint8",
                     path);
    else
        an_error_set(err, AN_ERROR_DATA, "%s: its images have shape %s, but the model takes %s",
                     path, got, want);
    an_dataset_free(set);
    return NULL;
}

/* --------------------------------------------------------------------- rows */

typedef struct rows {
    an_spec_source source;
    size_t at;
    int64_t width;   /* values a row */
    uint8_t *pixels; /* of all rows so far */
    int64_t count, room;
    an_error *err;
} rows;

static bool fail(const rows *r, size_t at, const char *message)
{
    an_spec_error(&r->source, at, r->err, "%s", message);
    r->err->code = AN_ERROR_DATA;
    return false;
}

static size_t line_end(const rows *r, size_t at)
{
    const char *end = memchr(r->source.text + at, '\n', r->source.length - at);
    return end ? (size_t)(end - r->source.text) : r->source.length;
}

static void skip_blanks(const rows *r, size_t *at, size_t end)
{
    while (*at < end && strchr(" \t\r", r->source.text[*at]) && r->source.text[*at])
        ++*at;
}

/* A value and what sets it apart from the next. */
static bool read_value(rows *r, size_t *at, size_t end, uint8_t *out)
{
    double value = 0;
    size_t used = an_number_parse(r->source.text + *at, end - *at, &value);
    if (used == 0)
        return fail(r, *at, "a number is expected here");
    if (!(value >= 0 && value <= 255) || value != (double)(uint8_t)value)
        return fail(r, *at, "a value must be a whole number from 0 to 255, as pixels are");
    *out = (uint8_t)value;
    *at += used;
    skip_blanks(r, at, end);
    if (*at < end && (r->source.text[*at] == ',' || r->source.text[*at] == ';'))
        ++*at;
    skip_blanks(r, at, end);
    return true;
}

static bool grow(rows *r)
{
    if (r->count < r->room)
        return true;
    int64_t room = r->room * 2 + 16;
    uint8_t *more = realloc(r->pixels, (size_t)(room * r->width));
    if (!more)
        return an_error_set(r->err, AN_ERROR_MEMORY, "memory ran out for the samples of '%s'",
                            r->source.file);
    r->pixels = more;
    r->room = room;
    return true;
}

static bool read_row(rows *r, size_t at, size_t end)
{
    char message[120];
    size_t begin = at;
    int64_t n = 0;
    if (!grow(r))
        return false;
    for (; at < end; n++) {
        uint8_t value;
        if (!read_value(r, &at, end, &value))
            return false;
        if (n < r->width)
            r->pixels[r->count * r->width + n] = value;
    }
    an_format(message, sizeof message, "this row has %lld values, but the model takes %lld",
              (long long)n, (long long)r->width);
    if (n != r->width)
        return fail(r, begin, message);
    r->count++;
    return true;
}

/* Whether a line holds no number where its first value should be. */
static bool is_heading(const rows *r, size_t at, size_t end)
{
    double value;
    return at < end && an_number_parse(r->source.text + at, end - at, &value) == 0;
}

static bool read_rows(rows *r)
{
    for (bool first = true; r->at < r->source.length; first = false) {
        size_t at = r->at, end = line_end(r, at);
        skip_blanks(r, &at, end);
        r->at = end + 1;
        if (at == end || (first && is_heading(r, at, end)))
            continue;
        if (!read_row(r, at, end))
            return false;
    }
    return r->count > 0 ||
           an_error_set(r->err, AN_ERROR_DATA, "'%s' holds no samples", r->source.file);
}

static an_dataset *read_text(const char *path, an_shape shape, int32_t classes, an_error *err)
{
    size_t length = 0;
    char *text = cli_read_file(path, "input", &length, err);
    rows r = {.source = {.file = path, .text = text, .length = length},
              .width = an_shape_size(shape),
              .err = err};
    an_dataset *set = NULL;
    if (text && read_rows(&r)) {
        int32_t *labels = calloc((size_t)r.count + 1, sizeof *labels);
        if (labels)
            set = an_dataset_from_bytes(NULL, r.pixels, labels, r.count, shape, classes, err);
        else
            an_error_set(err, AN_ERROR_MEMORY, "memory ran out for the samples of '%s'", path);
        free(labels);
    }
    free(r.pixels);
    free(text);
    return set;
}

static an_dataset *refuse_archive(const char *path, an_error *err)
{
    an_error_set(err, AN_ERROR_DATA,
                 "%s is an archive (.npz); save the one array that is meant with numpy.save, as "
                 ".npy",
                 path);
    return NULL;
}

an_dataset *cli_read_floats(const char *path, const an_dataset *like, an_error *err)
{
    return form_of(path) == ZIP ? refuse_archive(path, err)
                                : an_npy_open_like(NULL, path, like, err);
}

an_dataset *cli_read_samples(const char *path, an_shape shape, int32_t classes, an_error *err)
{
    form what = form_of(path);
    if (what == ZIP)
        return refuse_archive(path, err);
    return what == TEXT ? read_text(path, shape, classes, err)
                        : read_images(path, what == NPY, shape, classes, err);
}
