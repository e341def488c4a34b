/* madvise is no part of POSIX. The C library shows it only when asked for more. */
#define _DEFAULT_SOURCE

#include "data/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below this, there is nothing to gain. */
#define LEAST ((size_t)4 << 20)

void an__pages_prefer_large(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    long page = sysconf(_SC_PAGESIZE);
    if (size < LEAST || page <= 0)
        return;
    size_t before = (size_t)page - 1 - ((uintptr_t)block - 1) % (size_t)page;
    (void)madvise((char *)block + before, size - before, MADV_HUGEPAGE);
#else
    (void)block;
    (void)size;
#endif
}
