/* new.c - schedules in memory of an allocator: the one place of the core that knows of one. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

an_lr_schedule *an_lr_new_run(const an_lr_desc *desc, const an_lr_run *run,
                              an_lr_group *const *groups, size_t group_count,
                              const an_allocator *allocator, an_error *err)
{
    an_allocator own = allocator ? *allocator : an_allocator_default();
    size_t size = 0;
    if (!an_lr_check(desc, group_count, err))
        return NULL;
    size = an_lr_size_run(desc, run, group_count);
    if (size == 0)
        size = sizeof(an_lr_schedule); /* an_lr_init will say what is wrong */
    void *memory = an_alloc(&own, 1, size, err);
    if (!memory)
        return NULL;
    an_lr_schedule *schedule = an_lr_init_run(memory, size, desc, run, groups, group_count, err);
    if (!schedule) {
        an_release(&own, memory, 1, size);
        return NULL;
    }
    schedule->allocator = own;
    schedule->size = size;
    return schedule;
}

an_lr_schedule *an_lr_new(const an_lr_desc *desc, an_lr_group *const *groups, size_t group_count,
                          const an_allocator *allocator, an_error *err)
{
    return an_lr_new_run(desc, NULL, groups, group_count, allocator, err);
}

void an_lr_free(an_lr_schedule *schedule)
{
    if (!schedule || schedule->size == 0)
        return;
    an_allocator allocator = schedule->allocator;
    an_release(&allocator, schedule, 1, schedule->size);
}

AN__COLD_END
