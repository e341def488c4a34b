/*
 * Headers of safetensors files: the first byte says how many bytes of values follow the header, the
 * rest is the header. It is refused with a message, or is a table whose tensors fill the values
 * exactly, each as large as its shape says.
 */
#include "nn/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const an__stored_table *table, uint64_t values)
{
    uint64_t at = 0;
    for (size_t i = 0; i < table->count; i++) {
        const an__stored *t = &table->tensor[i];
        if (t->begin != at || t->end < t->begin || an_shape_size(t->shape) < 0 ||
            an__stored_find(table, t->name) != t || !an__dtype_name(t->type))
            abort();
        at = t->end;
    }
    if (at != values)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    an_arena arena;
    an__stored_table table;
    an_error err = {0};
    if (size == 0)
        return 0;
    char *header = malloc(size); /* of the very size, so that reading beyond it is seen */
    if (!header)
        abort();
    memcpy(header, data + 1, size - 1);
    an_arena_init(&arena, an_allocator_default());
    if (an__stored_parse(header, size - 1, data[0], &arena, &table, &err))
        check(&table, data[0]);
    else if (err.code == AN_ERROR_OK || err.message[0] == '\0')
        abort();
    an_arena_free(&arena);
    free(header);
    return 0;
}
