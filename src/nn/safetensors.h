/* The header of a safetensors file as a table; the format is drawn in safetensors.c. */
#ifndef AN_NN_SAFETENSORS_H
#define AN_NN_SAFETENSORS_H

#include <anneal/tensor.h>

/* Kinds of values: X(name in the file, bytes). */
#define AN_DTYPE_MAP(X) \
    X(F32, 4)           \
    X(F64, 8)           \
    X(F16, 2)           \
    X(BF16, 2)          \
    X(F8_E4M3, 1)       \
    X(F8_E5M2, 1)       \
    X(I64, 8)           \
    X(U64, 8)           \
    X(I32, 4)           \
    X(U32, 4)           \
    X(I16, 2)           \
    X(U16, 2)           \
    X(I8, 1)            \
    X(U8, 1)            \
    X(BOOL, 1)

typedef enum an_dtype {
#define AN_DTYPE_ENUM(name, bytes) AN_DTYPE_##name,
    AN_DTYPE_MAP(AN_DTYPE_ENUM)
#undef AN_DTYPE_ENUM
} an_dtype;

/* "F32" */
const char *an__dtype_name(an_dtype type);

/* A tensor of the file: its values are the bytes from `begin` to `end` behind the header. */
typedef struct an__stored {
    const char *name; /* UTF-8; may hold anything but a zero byte */
    an_dtype type;
    an_shape shape;
    uint64_t begin, end;
} an__stored;

typedef struct an__stored_table {
    an__stored *tensor; /* in the order of their values in the file */
    size_t count;
} an__stored_table;

/* The longest header that is read; the format's own limit. */
#define AN__HEADER_MOST 100000000

/*
 * Reads the `length` bytes of a header that `data_size` bytes of values follow, into `arena`.
 * False with err (DATA, MEMORY) for whatever the format does not allow: names that are there twice,
 * values that overlap, leave holes or end elsewhere than the file, sizes that are not the shapes'.
 */
bool an__stored_parse(const char *header, size_t length, uint64_t data_size, an_arena *arena,
                      an__stored_table *table, an_error *err);

/* The tensor called `name`, or NULL. */
const an__stored *an__stored_find(const an__stored_table *table, const char *name);

#endif
