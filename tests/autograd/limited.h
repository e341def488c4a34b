/* An allocator that refuses absurd sizes itself: a sanitizer's allocator would end the test. */
#ifndef AN_TEST_LIMITED_H
#define AN_TEST_LIMITED_H

#include <stdlib.h>

#include <anneal/base.h>

static inline void *limited_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    const an_allocator usual = an_allocator_default();
    (void)user;
    return new_size > (size_t)1 << 32 ? NULL : usual.resize(usual.user, block, old_size, new_size);
}

#endif
