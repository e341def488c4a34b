/* spike.c - SpikeGuard: asks for a rollback when a loss leaves the usual range. */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

/* Before the losses. The first five wait aside while an earlier state is loaded. */
enum { SPIKE_COUNT, SPIKE_NEXT, SPIKE_SCALE, SPIKE_ROLLBACKS, SPIKE_ASKS, SPIKE_LOSSES };

/* With fewer losses, only one that is not a number is a spike. */
#define LEAST_LOSSES 30

static size_t spike_room(const an_lr_desc *desc)
{
    return SPIKE_LOSSES + (size_t)desc->spike.window;
}

static void spike_reset(const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        node->memory[i] = 0;
    node->memory[SPIKE_SCALE] = 1;
}

/* The losses that are there lie from the beginning on, in whatever order. */
static bool is_spike(const an__lr_node *node, double loss)
{
    const double *losses = node->memory + SPIKE_LOSSES;
    int64_t n = (int64_t)node->memory[SPIKE_COUNT];
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
    memory[SPIKE_ASKS] = 0;
    if (is_spike(node, input->loss)) {
        memory[SPIKE_ASKS] = memory[SPIKE_ROLLBACKS] < (double)p->limit;
        return false;
    }
    memory[SPIKE_LOSSES + (int64_t)memory[SPIKE_NEXT]] = input->loss;
    memory[SPIKE_NEXT] = memory[SPIKE_NEXT] + 1 < (double)p->window ? memory[SPIKE_NEXT] + 1 : 0;
    memory[SPIKE_COUNT] = fmin(memory[SPIKE_COUNT] + 1, (double)p->window);
    return false;
}

bool an__lr_spike_asks(const an__lr_node *guard)
{
    return guard->memory[SPIKE_ASKS] != 0;
}

void an__lr_spike_put_aside(const an__lr_node *guard)
{
    for (int i = 0; i < SPIKE_LOSSES; i++)
        guard->memory[guard->memory_count + (size_t)i] = guard->memory[i];
}

void an__lr_spike_take_up(const an__lr_node *guard)
{
    double *memory = guard->memory;
    const double *later = memory + guard->memory_count;
    bool asked = later[SPIKE_ASKS] != 0;
    memory[SPIKE_ROLLBACKS] = later[SPIKE_ROLLBACKS] + asked;
    memory[SPIKE_SCALE] =
        asked ? later[SPIKE_SCALE] * guard->desc.spike.factor : later[SPIKE_SCALE];
    memory[SPIKE_ASKS] = 0;
}

static double spike_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    (void)m;
    (void)t;
    return base * node->memory[SPIKE_SCALE];
}

/* Places in the window must be within it. */
static void spike_mend(const an__lr_node *node)
{
    double *memory = node->memory, window = (double)node->desc.spike.window;
    if (!(memory[SPIKE_NEXT] >= 0 && memory[SPIKE_NEXT] < window))
        memory[SPIKE_NEXT] = 0;
    if (!(memory[SPIKE_COUNT] >= 0 && memory[SPIKE_COUNT] <= window))
        memory[SPIKE_COUNT] = 0;
}

static const char *const spike_names[] = {"count", "next", "scale", "rollbacks", "asks", NULL};

static const an__lr_feedback spike_feedback = {
    .room = spike_room,
    .aside = SPIKE_LOSSES,
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

AN__COLD_END
