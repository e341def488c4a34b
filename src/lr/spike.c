/* spike.c - SpikeGuard: asks for a rollback when a loss leaves the usual range. */
#include "lr/numeric.h"

#include "lr/node.h"

/* Before the losses. The first five wait aside while an earlier state is loaded. */
enum { COUNT, NEXT, SCALE, ROLLBACKS, ASKS, LOSSES };

/* With fewer losses, only one that is not a number is a spike. */
#define LEAST_LOSSES 30

static size_t spike_room(const an_lr_desc *desc)
{
    return LOSSES + (size_t)desc->spike.window;
}

static void spike_reset(const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        node->memory[i] = 0;
    node->memory[SCALE] = 1;
}

/* The losses that are there lie from the beginning on, in whatever order. */
static bool is_spike(const an__lr_node *node, double loss)
{
    const double *losses = node->memory + LOSSES;
    int64_t n = (int64_t)node->memory[COUNT];
    double mean = 0, squares = 0;
    if (!isfinite(loss))
        return true;
    if (n < LEAST_LOSSES && n < node->desc.spike.window)
        return false;
    for (int64_t i = 0; i < n; i++)
        mean += losses[i] / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (losses[i] - mean) * (losses[i] - mean);
    /* Losses that are all the same say nothing of what is usual. */
    return squares > 0 && loss - mean > node->desc.spike.deviations * sqrt(squares / (double)n);
}

static bool spike_observe(const an__lr_node *node, const an_lr_input *input)
{
    const an_lr_spike *p = &node->desc.spike;
    double *memory = node->memory;
    if (!input->has_loss)
        return false;
    memory[ASKS] = 0;
    if (is_spike(node, input->loss)) {
        memory[ASKS] = memory[ROLLBACKS] < (double)p->limit;
        return false;
    }
    memory[LOSSES + (int64_t)memory[NEXT]] = input->loss;
    memory[NEXT] = memory[NEXT] + 1 < (double)p->window ? memory[NEXT] + 1 : 0;
    memory[COUNT] = fmin(memory[COUNT] + 1, (double)p->window);
    return false;
}

bool an__lr_spike_asks(const an__lr_node *guard)
{
    return guard->memory[ASKS] != 0;
}

void an__lr_spike_put_aside(const an__lr_node *guard)
{
    for (int i = 0; i < LOSSES; i++)
        guard->memory[guard->memory_count + (size_t)i] = guard->memory[i];
}

void an__lr_spike_take_up(const an__lr_node *guard)
{
    double *memory = guard->memory;
    const double *later = memory + guard->memory_count;
    bool asked = later[ASKS] != 0;
    memory[ROLLBACKS] = later[ROLLBACKS] + asked;
    memory[SCALE] = asked ? later[SCALE] * guard->desc.spike.factor : later[SCALE];
    memory[ASKS] = 0;
}

static double spike_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    (void)m;
    (void)t;
    return base * node->memory[SCALE];
}

/* Places in the window must be within it. */
static void spike_mend(const an__lr_node *node)
{
    double *memory = node->memory, window = (double)node->desc.spike.window;
    if (!(memory[NEXT] >= 0 && memory[NEXT] < window))
        memory[NEXT] = 0;
    if (!(memory[COUNT] >= 0 && memory[COUNT] <= window))
        memory[COUNT] = 0;
}

static const char *const spike_names[] = {"count", "next", "scale", "rollbacks", "asks", NULL};

static const an__lr_feedback spike_feedback = {
    .room = spike_room,
    .aside = LOSSES,
    .reset = spike_reset,
    .observe = spike_observe,
    .mend = spike_mend,
    .names = spike_names,
};

const an__lr_class an__lr_spike_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = spike_rate,
    .feedback = &spike_feedback,
};
