#include "optim/run.h"

#include "optim/rule.h"

static bool has_grad(const an_params *params, size_t index)
{
    return an_params_get(params, index)->tensor->has_grad;
}

bool an__run_next(const an_params *params, an_param_run *run, an_param_run_joins joins,
                  const void *user)
{
    size_t count = an_params_count(params), first = run->end;
    while (first < count && !has_grad(params, first)) {
        first++;
    }
    if (first == count) {
        return false;
    }
    size_t end = first + 1;
    while (end < count && has_grad(params, end) && (!joins || joins(user, end - 1, end))) {
        end++;
    }
    const an_param *last = an_params_get(params, end - 1);
    int64_t begin = an_params_get(params, first)->offset;
    *run = (an_param_run){first, end, begin, last->offset + last->tensor->size - begin};
    return true;
}

an_parts an__parts_of(int64_t floats)
{
    int64_t length = (floats + AN_MOST_PARTS - 1) / AN_MOST_PARTS;
    length = length < AN_UPDATE_GRAIN ? AN_UPDATE_GRAIN : (length + 15) / 16 * 16;
    return (an_parts){length, (floats + length - 1) / length};
}
