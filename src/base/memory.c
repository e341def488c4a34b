#include <anneal/base.h>

#include <stdlib.h>
#include <string.h>

static void *resize_with_libc(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size > 0)
        return realloc(block, new_size);
    free(block);
    return NULL;
}

an_allocator an_allocator_default(void)
{
    return (an_allocator){resize_with_libc, NULL};
}

/* An allocation of nothing is still a block of its own. */
static size_t block_size(size_t count, size_t size)
{
    return count == 0 || size == 0 ? 1 : count * size;
}

static void *resize(const an_allocator *allocator, void *block, size_t old_size, size_t new_size)
{
    an_allocator use = allocator ? *allocator : an_allocator_default();
    return use.resize(use.user, block, old_size, new_size);
}

void *an_alloc(const an_allocator *allocator, size_t count, size_t size, an_error *err)
{
    void *block = NULL;
    if (size == 0 || count <= PTRDIFF_MAX / size)
        block = resize(allocator, NULL, 0, block_size(count, size));
    if (block)
        return memset(block, 0, block_size(count, size));
    an_error_set(err, AN_ERROR_MEMORY, "memory ran out: %zu times %zu bytes are not to be had",
                 count, size);
    return NULL;
}

void an_release(const an_allocator *allocator, void *block, size_t count, size_t size)
{
    if (block)
        resize(allocator, block, block_size(count, size), 0);
}
