#ifndef AN_DATA_PAGES_H
#define AN_DATA_PAGES_H

#include <stddef.h>

/*
 * Asks the system to back `block` with large pages, where it can. A dataset is read in random
 * order: with 4 KB pages nearly every sample misses the processor's table of addresses, which made
 * batches of MNIST a third slower. Only a wish; nothing depends on it.
 */
void an__pages_prefer_large(void *block, size_t size);

#endif
