/* greedy.c - Greedy: more while the metric improves, less while it does not (arXiv 2512.14527). */
#include "lr/numeric.h"

#include "lr/node.h"

enum {
    GREEDY_BEST,
    GREEDY_GOOD,
    GREEDY_BAD,
    GREEDY_WAIT_UP,
    GREEDY_WAIT_DOWN,
    GREEDY_SCALE,
    GREEDY_AT_LEAST,
    GREEDY_MEMORY
};

static size_t greedy_room(const an_lr_desc *desc)
{
    (void)desc;
    return GREEDY_MEMORY;
}

static void greedy_reset(const an__lr_node *node)
{
    for (int i = 0; i < GREEDY_MEMORY; i++)
        node->memory[i] = 0;
    node->memory[GREEDY_BEST] = node->desc.greedy.mode == AN_PLATEAU_MIN ? INFINITY : -INFINITY;
    node->memory[GREEDY_SCALE] = 1;
}

static void count(const an_lr_greedy *p, double *memory, double metric)
{
    if (an__lr_better(p->mode, p->threshold_mode, p->threshold, metric, memory[GREEDY_BEST])) {
        memory[GREEDY_BEST] = metric;
        memory[GREEDY_GOOD]++;
        memory[GREEDY_BAD] = 0;
    } else {
        memory[GREEDY_BAD]++;
        memory[GREEDY_GOOD] = 0;
    }
    if (memory[GREEDY_WAIT_UP] > 0) {
        memory[GREEDY_WAIT_UP]--;
        memory[GREEDY_GOOD] = 0;
    }
    if (memory[GREEDY_WAIT_DOWN] > 0) {
        memory[GREEDY_WAIT_DOWN]--;
        memory[GREEDY_BAD] = 0;
    }
}

static bool greedy_observe(const an__lr_node *node, const an_lr_input *input)
{
    const an_lr_greedy *p = &node->desc.greedy;
    double *memory = node->memory, before = memory[GREEDY_SCALE];
    if (!input->has_metric)
        return false;
    count(p, memory, input->metric);
    if (memory[GREEDY_GOOD] > (double)p->patience) {
        memory[GREEDY_SCALE] = fmin(memory[GREEDY_SCALE] / p->factor, p->most);
        memory[GREEDY_WAIT_UP] = (double)p->warmup;
        memory[GREEDY_GOOD] = 0;
    } else if (memory[GREEDY_BAD] > (double)p->patience) {
        memory[GREEDY_SCALE] = fmax(memory[GREEDY_SCALE] * p->factor, p->least);
        memory[GREEDY_WAIT_DOWN] = (double)p->cooldown;
        memory[GREEDY_BAD] = 0;
    }
    memory[GREEDY_AT_LEAST] = memory[GREEDY_SCALE] <= p->least ? memory[GREEDY_AT_LEAST] + 1 : 0;
    if (p->reset > 0 && memory[GREEDY_AT_LEAST] >= (double)p->reset)
        greedy_reset(node);
    return memory[GREEDY_SCALE] != before;
}

static double greedy_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                          double base)
{
    (void)m;
    (void)t;
    return base * node->memory[GREEDY_SCALE];
}

static const char *const greedy_names[] = {
    "best",          "good_steps", "bad_steps",      "warmup_left",
    "cooldown_left", "scale",      "steps_at_least", NULL};

static const an__lr_feedback greedy_feedback = {
    .room = greedy_room,
    .reset = greedy_reset,
    .observe = greedy_observe,
    .names = greedy_names,
};

const an__lr_class an__lr_greedy_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = greedy_rate,
    .feedback = &greedy_feedback,
};
