/* Memory that grows: of logs' rows, messages and rates. */
#ifndef AN_TRACK_GROW_H
#define AN_TRACK_GROW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for `needed` bytes in a block of `*capacity`, from an_allocator_default; a larger one
 * has twice the bytes, or `least`. False: no memory, and everything is as it was.
 */
bool an__grow(void **block, size_t *capacity, size_t least, size_t needed);

#endif
