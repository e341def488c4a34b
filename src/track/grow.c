#include "track/grow.h"

#include <anneal/base.h>

bool an__grow(void **block, size_t *capacity, size_t least, size_t needed)
{
    size_t larger = *capacity > 0 ? *capacity : least;
    if (needed <= *capacity)
        return true;
    while (larger < needed)
        larger *= 2;
    an_allocator memory = an_allocator_default();
    void *moved = memory.resize(memory.user, *block, *capacity, larger);
    if (!moved)
        return false;
    *block = moved;
    *capacity = larger;
    return true;
}
