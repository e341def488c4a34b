/* The plan of a broadcast operation, and the sum that takes a gradient back through it. */
#include "autograd/broadcast.h"

static int64_t dim_from_right(an_shape shape, int index)
{
    return index < shape.ndim ? shape.dim[shape.ndim - 1 - index] : 1;
}

/* Dimensions in reverse: the last one first, so that strides grow as they are met. */
static int merge_from_right(an_shape a, an_shape b, an_shape out, an_broadcast *reversed)
{
    int count = 0;
    int64_t run[2] = {1, 1};
    for (int i = 0; i < out.ndim; i++) {
        const int64_t dim = dim_from_right(out, i);
        if (dim == 1)
            continue;
        const bool varies[2] = {dim_from_right(a, i) != 1, dim_from_right(b, i) != 1};
        const int last = count - 1;
        if (count > 0 && varies[0] == (reversed->stride[0][last] != 0) &&
            varies[1] == (reversed->stride[1][last] != 0)) {
            reversed->dim[last] *= dim;
        } else {
            reversed->dim[count] = dim;
            for (int k = 0; k < 2; k++)
                reversed->stride[k][count] = varies[k] ? run[k] : 0;
            count++;
        }
        for (int k = 0; k < 2; k++)
            run[k] *= varies[k] && dim > 0 ? dim : 1;
    }
    return count;
}

an_broadcast an__broadcast(an_shape a, an_shape b, an_shape out)
{
    an_broadcast reversed = {0}, plan = {0};
    int count = merge_from_right(a, b, out, &reversed);
    if (count == 0)
        return (an_broadcast){.ndim = 1, .dim = {1}, .stride = {{1}, {1}}};
    plan.ndim = count;
    for (int i = 0; i < count; i++) {
        plan.dim[i] = reversed.dim[count - 1 - i];
        for (int k = 0; k < 2; k++)
            plan.stride[k][i] = reversed.stride[k][count - 1 - i];
    }
    return plan;
}

void an__broadcast_at(const an_broadcast *plan, int ndim, int64_t index, int64_t offset[2])
{
    offset[0] = offset[1] = 0;
    for (int i = ndim - 1; i >= 0; i--) {
        const int64_t at = index % plan->dim[i];
        index /= plan->dim[i];
        offset[0] += at * plan->stride[0][i];
        offset[1] += at * plan->stride[1][i];
    }
}

int64_t an__broadcast_runs(const an_broadcast *plan)
{
    int64_t runs = 1;
    for (int i = 0; i < plan->ndim - 1; i++)
        runs *= plan->dim[i];
    return runs;
}

bool an__broadcast_repeats(const an_broadcast *plan, int which)
{
    for (int i = 0; i < plan->ndim; i++)
        if (plan->stride[which][i] == 0)
            return true;
    return false;
}

/* Sums one dimension after the other; `left` shrinks to 1 where that is done. */
void an__broadcast_sum(an_graph *graph, const an_broadcast *plan, int which, float *dx,
                       const float *from, double scale, bool add)
{
    int64_t left[AN_MAX_DIMS];
    int todo = 0;
    for (int i = 0; i < AN_MAX_DIMS; i++) {
        left[i] = plan->dim[i];
        todo += i < plan->ndim && plan->stride[which][i] == 0;
    }
    for (int i = 0; i < plan->ndim; i++) {
        if (plan->stride[which][i] != 0)
            continue;
        an_around around = {.outer = 1, .block = {.count = left[i], .inner = 1}};
        for (int k = 0; k < plan->ndim; k++) {
            around.outer *= k < i ? left[k] : 1;
            around.block.inner *= k > i ? left[k] : 1;
        }
        const bool last = --todo == 0;
        float *to =
            last ? dx : an__scratch(graph, around.outer * around.block.inner, sizeof(float));
        if (!to)
            return;
        an__sum_around(graph, around, to, from, last ? scale : 1.0, last && add);
        left[i] = 1;
        from = to;
    }
}
