/*
 * Arrays as NumPy saves them (numpy.lib.format, versions 1.0, 2.0 and 3.0):
 *
 *   +----+-------+-------+-------+-----------+----------------------------------+---------+
 *   | 93 | NUMPY | major | minor | length    | {'descr': '<f4', 'fortran_order':| numbers |
 *   |    |       |       |       | 2, 4 bytes|  False, 'shape': (3, 4), }       |         |
 *   +----+-------+-------+-------+-----------+----------------------------------+---------+
 *     the header is text, a dictionary in Python's notation; its length is little-endian and has
 *     two bytes in version 1 and four after it
 */
#include "data/npy.h"

#include <string.h>

#define AGAIN "save it again with numpy.save"
/* NumPy itself takes no longer header without being asked to. */
#define HEADER_MOST 10000
/* Bytes that are read and converted at a time: a multiple of every number's size. */
#define CHUNK 32768

/* The header's text, while it is read. */
typedef struct text {
    const char *name; /* of the source */
    const char *begin, *at, *end;
    an_error *err;
} text;

static bool fail_header(const text *t, const char *expected)
{
    return an_error_set(t->err, AN_ERROR_DATA,
                        "%s: its header is damaged at byte %lld: expected %s; " AGAIN, t->name,
                        (long long)(t->at - t->begin), expected);
}

static void skip_blanks(text *t)
{
    while (t->at < t->end && (*t->at == ' ' || *t->at == '\n' || *t->at == '\t'))
        t->at++;
}

/* Goes past `mark`, with the blanks around it, if it is what comes next. */
static bool take(text *t, const char *mark)
{
    const size_t length = strlen(mark);
    skip_blanks(t);
    if ((size_t)(t->end - t->at) < length || memcmp(t->at, mark, length) != 0)
        return false;
    t->at += length;
    skip_blanks(t);
    return true;
}

/* A text in quotes, as a piece of the header. */
static bool take_quoted(text *t, const char **begin, size_t *length)
{
    skip_blanks(t);
    const char quote = t->at < t->end ? *t->at : '\0';
    if (quote != '\'' && quote != '"')
        return fail_header(t, "a text in quotes");
    *begin = t->at + 1;
    const char *end = memchr(*begin, quote, (size_t)(t->end - *begin));
    if (!end)
        return fail_header(t, "the end of a text in quotes");
    *length = (size_t)(end - *begin);
    t->at = end + 1;
    return true;
}

/* ------------------------------------------------------------------- its values */

static bool fail_type(const text *t, const char *descr, size_t length)
{
    return an_error_set(t->err, AN_ERROR_DATA,
                        "%s holds values of type '%.*s', expected bool, integers of up to 8 bytes, "
                        "float32 or float64; convert it with astype, and save it again",
                        t->name, (int)(length < 32 ? length : 32), descr);
}

/* The types that are read, without the order of their bytes. */
static const char *const types[] = {"b1", "u1", "u2", "u4", "u8", "i1",
                                    "i2", "i4", "i8", "f4", "f8"};

/* '<f4': the order of the bytes, the kind, and how many there are. */
static bool read_descr(text *t, an_npy *array)
{
    const char *descr = "";
    size_t length = 0, type = 0;
    if (t->at < t->end && *t->at == '[')
        return an_error_set(t->err, AN_ERROR_DATA,
                            "%s holds records of several fields; save each field as an array of "
                            "its own",
                            t->name);
    if (!take_quoted(t, &descr, &length))
        return false;
    while (type < sizeof types / sizeof *types &&
           (length != 3 || memcmp(types[type], descr + 1, 2) != 0))
        type++;
    if (type == sizeof types / sizeof *types ||
        (descr[0] != '<' && descr[0] != '>' && descr[0] != '|'))
        return fail_type(t, descr, length);
    array->kind = descr[1];
    array->size = descr[2] - '0';
    array->big = descr[0] == '>';
    return true;
}

static bool read_order(text *t, an_npy *array)
{
    array->fortran = take(t, "True");
    return array->fortran || take(t, "False") || fail_header(t, "True or False");
}

/* A whole number, which Python 2 may have marked with an L. */
static bool read_dimension(text *t, int64_t *out)
{
    const char *begin = t->at;
    *out = 0;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9') {
        if (*out > (INT64_MAX - 9) / 10)
            return fail_header(t, "a smaller dimension");
        *out = *out * 10 + (*t->at++ - '0');
    }
    if (t->at == begin)
        return fail_header(t, "a dimension");
    take(t, "L");
    return true;
}

static bool read_shape(text *t, an_npy *array)
{
    an_shape *shape = &array->shape;
    if (!take(t, "("))
        return fail_header(t, "the dimensions in parentheses");
    while (!take(t, ")")) {
        if (shape->ndim == AN_MAX_DIMS)
            return an_error_set(t->err, AN_ERROR_DATA,
                                "%s has more than %d dimensions; reshape it, and save it again",
                                t->name, AN_MAX_DIMS);
        if (!read_dimension(t, &shape->dim[shape->ndim++]))
            return false;
        if (!take(t, ",") && (t->at == t->end || *t->at != ')'))
            return fail_header(t, "a comma or the end of the dimensions");
    }
    return true;
}

typedef struct entry {
    const char *name;
    bool (*read)(text *t, an_npy *array);
} entry;

static const entry entries[] = {
    {"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};

#define ENTRY_COUNT (sizeof entries / sizeof *entries)

/* Each entry once, in any order, as NumPy takes them too. */
static bool read_entry(text *t, an_npy *array, bool *seen)
{
    const char *name = "";
    size_t length = 0, which = 0;
    if (!take_quoted(t, &name, &length))
        return false;
    while (which < ENTRY_COUNT && (strlen(entries[which].name) != length ||
                                   memcmp(entries[which].name, name, length) != 0))
        which++;
    if (which == ENTRY_COUNT || seen[which])
        return fail_header(t, "descr, fortran_order and shape, each once");
    seen[which] = true;
    return (take(t, ":") || fail_header(t, "a colon")) && entries[which].read(t, array);
}

static bool read_dictionary(text *t, an_npy *array)
{
    bool seen[ENTRY_COUNT] = {false};
    if (!take(t, "{"))
        return fail_header(t, "'{'");
    while (!take(t, "}")) {
        if (!read_entry(t, array, seen))
            return false;
        if (!take(t, ",") && (t->at == t->end || *t->at != '}'))
            return fail_header(t, "a comma or '}'");
    }
    if (t->at != t->end)
        return fail_header(t, "nothing after '}'");
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (!seen[i])
            return fail_header(t, entries[i].name);
    return true;
}

/* ------------------------------------------------------------------- the header */

static bool read_all(an_source *source, void *out, size_t size, an_error *err)
{
    size_t got = 0;
    return an__source_read(source, out, size, &got, err) &&
           (got == size ||
            an_error_set(err, AN_ERROR_DATA, "%s ends inside its header, or is empty; " AGAIN,
                         source->name));
}

/* The header's length, and how many bytes have been read: 10, or 12 from version 2 on. */
static bool read_preamble(an_source *source, size_t *length, size_t *used, an_error *err)
{
    uint8_t head[12];
    if (!read_all(source, head, 10, err))
        return false;
    if (memcmp(head, "\x93NUMPY", 6) != 0)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s does not begin as a NumPy array does; check the path, or " AGAIN,
                            source->name);
    if (head[6] < 1 || head[6] > 3)
        return an_error_set(err, AN_ERROR_DATA,
                            "%s has version %u of NumPy's format, expected 1, 2 or 3; " AGAIN,
                            source->name, head[6]);
    *used = head[6] == 1 ? 10 : 12;
    *length = (size_t)head[8] | (size_t)head[9] << 8;
    if (*used == 12) {
        if (!read_all(source, head + 10, 2, err))
            return false;
        *length |= (size_t)head[10] << 16 | (size_t)head[11] << 24;
    }
    return *length <= HEADER_MOST ||
           an_error_set(err, AN_ERROR_DATA,
                        "%s has a header of %zu bytes, expected at most %d; " AGAIN, source->name,
                        *length, HEADER_MOST);
}

static bool fail_length(const an_source *source, const an_npy *array, const char *relation,
                        uint64_t found, uint64_t expected, an_error *err)
{
    char shape[96];
    an_shape_print(shape, sizeof shape, array->shape);
    return an_error_set(err, AN_ERROR_DATA,
                        "%s %s %llu bytes, expected %llu by the dimensions %s in its header; copy "
                        "the file or save the array again",
                        source->name, relation, (unsigned long long)found,
                        (unsigned long long)expected, shape);
}

/* What the dimensions ask for must be there: all of it, or as much as could be unpacked. */
static bool check_length(const an_source *source, const an_npy *array, size_t header, an_error *err)
{
    const uint64_t expected = header + (uint64_t)array->count * (uint64_t)array->size;
    const uint64_t most = an__source_most(source);
    if (expected > most || (!source->packed && expected < most))
        return fail_length(source, array, source->packed ? "can unpack to no more than" : "has",
                           most, expected, err);
    return true;
}

static bool take_count(const an_source *source, an_npy *array, an_error *err)
{
    array->count = 1;
    for (int i = 0; i < array->shape.ndim; i++) {
        const int64_t dim = array->shape.dim[i];
        if (dim == 0)
            return an_error_set(err, AN_ERROR_DATA, "%s holds no values: dimension %d is 0",
                                source->name, i + 1);
        if (dim > INT64_MAX / 16 / array->count ||
            (uint64_t)dim > SIZE_MAX / 16 / (uint64_t)array->count)
            return an_error_set(
                err, AN_ERROR_DATA,
                "%s: the dimensions in its header are larger than any memory; " AGAIN,
                source->name);
        array->count *= dim;
    }
    return true;
}

bool an__npy_begin(an_source *source, an_npy *array, an_error *err)
{
    char header[HEADER_MOST];
    size_t length = 0, used = 0;
    *array = (an_npy){0};
    if (!read_preamble(source, &length, &used, err) || !read_all(source, header, length, err))
        return false;
    text t = {source->name, header, header, header + length, err};
    return read_dictionary(&t, array) && take_count(source, array, err) &&
           check_length(source, array, used + length, err);
}

/* ------------------------------------------------------------------ the numbers */

/*
 * The way through the array as its file goes, the fastest index last: dimensions, and how far apart
 * their neighbours are in the result. Dimensions that continue each other are one.
 */
typedef struct walk {
    int64_t extent[AN_MAX_DIMS + 1], stride[AN_MAX_DIMS + 1], index[AN_MAX_DIMS + 1];
    int dims; /* at least 1 */
    int64_t place;
} walk;

static walk walk_begin(const an_npy *array, const int64_t *strides)
{
    walk w = {.extent = {1}, .stride = {1}, .dims = 1};
    for (int i = 0; i < array->shape.ndim; i++) {
        const int dim = array->fortran ? array->shape.ndim - 1 - i : i;
        const int64_t extent = array->shape.dim[dim], stride = strides[dim];
        const int last = w.dims - 1;
        if (w.extent[last] == 1 || w.stride[last] == extent * stride) {
            w.extent[last] *= extent;
            w.stride[last] = stride;
        } else if (extent > 1) {
            w.extent[w.dims] = extent;
            w.stride[w.dims++] = stride;
        }
    }
    return w;
}

/* Past `count` numbers, at most those to the end of the fastest dimension. */
static void walk_on(walk *w, int64_t count)
{
    int dim = w->dims - 1;
    w->index[dim] += count;
    w->place += count * w->stride[dim];
    while (w->index[dim] == w->extent[dim] && dim > 0) {
        w->place -= w->index[dim] * w->stride[dim];
        w->index[dim--] = 0;
        w->index[dim]++;
        w->place += w->stride[dim];
    }
}

/* A piece of the file: `count` numbers, and where the first of them goes. */
typedef struct piece {
    const an_source *source;
    const an_npy *array;
    const uint8_t *bytes;
    int64_t count, place, stride;
} piece;

static inline uint64_t bits_of(const uint8_t *at, int size, bool big)
{
    uint64_t bits = 0;
    for (int i = 0; i < size; i++)
        bits = bits << 8 | at[big ? i : size - 1 - i];
    return bits;
}

/* Of `size` bytes in two's complement. */
static inline int64_t signed_of(uint64_t bits, int size)
{
    const uint64_t sign = UINT64_C(1) << (8 * size - 1), wide = (bits ^ sign) - sign;
    int64_t value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static inline float float_of(uint64_t bits, char kind, int size)
{
    float single;
    double wide;
    const uint32_t low = (uint32_t)bits;
    switch (kind) {
    case 'f':
        memcpy(&single, &low, sizeof single);
        memcpy(&wide, &bits, sizeof wide);
        return size == 4 ? single : (float)wide;
    case 'i':
        return (float)signed_of(bits, size);
    default:
        return (float)bits;
    }
}

static void put_bytes(const piece *p, uint8_t *out)
{
    if (p->stride == 1)
        memcpy(out, p->bytes, (size_t)p->count);
    else
        for (int64_t i = 0; i < p->count; i++)
            out[i * p->stride] = p->bytes[i];
}

static void put_floats(const piece *p, float *out)
{
    const char kind = p->array->kind;
    const int size = p->array->size;
    for (int64_t i = 0; i < p->count; i++)
        out[i * p->stride] =
            float_of(bits_of(p->bytes + i * size, size, p->array->big), kind, size);
}

static bool fail_label(const piece *p, int64_t i, uint64_t bits, an_error *err)
{
    char label[24];
    const int64_t sample = p->place + i * p->stride;
    if (p->array->kind == 'i')
        an_format(label, sizeof label, "%lld", (long long)signed_of(bits, p->array->size));
    else
        an_format(label, sizeof label, "%llu", (unsigned long long)bits);
    return an_error_set(err, AN_ERROR_DATA,
                        "%s: label %s of sample %lld is outside 0..2147483646; number the classes "
                        "from 0",
                        p->source->name, label, (long long)sample);
}

static bool put_labels(const piece *p, int32_t *out, an_error *err)
{
    const int size = p->array->size;
    for (int64_t i = 0; i < p->count; i++) {
        const uint64_t bits = bits_of(p->bytes + i * size, size, p->array->big);
        const bool negative = p->array->kind == 'i' && bits >> (8 * size - 1);
        if (negative || bits >= INT32_MAX)
            return fail_label(p, i, bits, err);
        out[i * p->stride] = (int32_t)bits;
    }
    return true;
}

static bool put(const piece *p, an_npy_form form, void *out, an_error *err)
{
    switch (form) {
    case AN_NPY_BYTES:
        put_bytes(p, (uint8_t *)out + p->place);
        return true;
    case AN_NPY_FLOATS:
        put_floats(p, (float *)out + p->place);
        return true;
    default:
        return put_labels(p, (int32_t *)out + p->place, err);
    }
}

/* What a chunk holds, in pieces that end with the fastest dimension. */
static bool put_chunk(const an_source *source, const an_npy *array, walk *w, const uint8_t *bytes,
                      int64_t count, an_npy_form form, void *out, an_error *err)
{
    while (count > 0) {
        const int last = w->dims - 1;
        const int64_t left = w->extent[last] - w->index[last], now = left < count ? left : count;
        const piece p = {source, array, bytes, now, w->place, w->stride[last]};
        if (!put(&p, form, out, err))
            return false;
        walk_on(w, now);
        bytes += now * array->size;
        count -= now;
    }
    return true;
}

/* Nothing comes after the numbers; at the end of what is packed its checksum is seen to. */
static bool check_end(an_source *source, const an_npy *array, an_error *err)
{
    uint8_t more;
    size_t got = 0;
    if (!an__source_read(source, &more, 1, &got, err))
        return false;
    const uint64_t size = (uint64_t)array->count * (uint64_t)array->size;
    return got == 0 || fail_length(source, array, "goes on after", size, size, err);
}

bool an__npy_read(an_source *source, const an_npy *array, const int64_t *strides, an_npy_form form,
                  void *out, an_error *err)
{
    uint8_t *chunk = an_alloc(&source->allocator, CHUNK, 1, err);
    walk w = walk_begin(array, strides);
    bool ok = chunk != NULL;
    for (int64_t done = 0; ok && done < array->count;) {
        const int64_t most = CHUNK / array->size, left = array->count - done;
        const int64_t count = left < most ? left : most;
        const size_t size = (size_t)(count * array->size);
        size_t got = 0;
        ok = an__source_read(source, chunk, size, &got, err) &&
             (got == size || fail_length(source, array, "holds numbers of no more than",
                                         (uint64_t)(done * array->size) + got,
                                         (uint64_t)(array->count * array->size), err)) &&
             put_chunk(source, array, &w, chunk, count, form, out, err);
        done += count;
    }
    an_release(&source->allocator, chunk, CHUNK, 1);
    return ok && check_end(source, array, err);
}
