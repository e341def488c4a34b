/* greedy.c - Greedy: more while the metric improves, less while it does not (arXiv 2512.14527). */
#include "lr/numeric.h"

#include "lr/node.h"

enum { BEST, GOOD, BAD, WAIT_UP, WAIT_DOWN, SCALE, AT_LEAST, MEMORY };

static size_t greedy_room(const an_lr_desc *desc)
{
    (void)desc;
    return MEMORY;
}

static void greedy_reset(const an__lr_node *node)
{
    for (int i = 0; i < MEMORY; i++)
        node->memory[i] = 0;
    node->memory[BEST] = node->desc.greedy.mode == AN_PLATEAU_MIN ? INFINITY : -INFINITY;
    node->memory[SCALE] = 1;
}

static void count(const an_lr_greedy *p, double *memory, double metric)
{
    if (an__lr_better(p->mode, p->threshold_mode, p->threshold, metric, memory[BEST])) {
        memory[BEST] = metric;
        memory[GOOD]++;
        memory[BAD] = 0;
    } else {
        memory[BAD]++;
        memory[GOOD] = 0;
    }
    if (memory[WAIT_UP] > 0) {
        memory[WAIT_UP]--;
        memory[GOOD] = 0;
    }
    if (memory[WAIT_DOWN] > 0) {
        memory[WAIT_DOWN]--;
        memory[BAD] = 0;
    }
}

static bool greedy_observe(const an__lr_node *node, const an_lr_input *input)
{
    const an_lr_greedy *p = &node->desc.greedy;
    double *memory = node->memory, before = memory[SCALE];
    if (!input->has_metric)
        return false;
    count(p, memory, input->metric);
    if (memory[GOOD] > (double)p->patience) {
        memory[SCALE] = fmin(memory[SCALE] / p->factor, p->most);
        memory[WAIT_UP] = (double)p->warmup;
        memory[GOOD] = 0;
    } else if (memory[BAD] > (double)p->patience) {
        memory[SCALE] = fmax(memory[SCALE] * p->factor, p->least);
        memory[WAIT_DOWN] = (double)p->cooldown;
        memory[BAD] = 0;
    }
    memory[AT_LEAST] = memory[SCALE] <= p->least ? memory[AT_LEAST] + 1 : 0;
    if (p->reset > 0 && memory[AT_LEAST] >= (double)p->reset)
        greedy_reset(node);
    return memory[SCALE] != before;
}

static double greedy_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                          double base)
{
    (void)m;
    (void)t;
    return base * node->memory[SCALE];
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
