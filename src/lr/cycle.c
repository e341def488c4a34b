/*
 * cycle.c - CyclicLR (arXiv 1506.01186) and OneCycleLR (arXiv 1708.07120): absolute values, and a
 * momentum that goes the other way.
 */
#include "lr/numeric.h"

#include "lr/node.h"

/* ---------------------------------------------------------------- CyclicLR */

/* The place of step e: the cycle, from 1, and the height in it, 0 at its ends and 1 at its top. */
static double cyclic_height(const an_cyclic_lr *p, int64_t e, double *cycle)
{
    double up = (double)p->step_size_up;
    double down = p->step_size_down == AN_LR_NONE ? up : (double)p->step_size_down;
    double total = up + down, top = up / total;
    *cycle = floor(1 + (double)e / total);
    double x = 1.0 + (double)e / total - *cycle;
    return x <= top ? x / top : (x - 1) / (top - 1);
}

/* What the height is multiplied by in `cycle` at step e. A function of the user's has precedence.
 */
static double cyclic_scale(const an_cyclic_lr *p, int64_t e, double cycle)
{
    const an_lr_function *fn = &p->scale_fn;
    if (fn->call)
        return fn->call(fn->user, p->scale_mode == AN_SCALE_CYCLE ? cycle : (double)e);
    if (p->mode == AN_TRIANGULAR2)
        return 1 / pow(2.0, cycle - 1);
    return p->mode == AN_EXP_RANGE ? pow(p->gamma, (double)e) : 1.0;
}

/* Where a step lies, the same for every group: its height as `before`, what that is multiplied by
 * as `now`. */
static void cyclic_find(const an_cyclic_lr *p, int64_t e, an__lr_memo *at)
{
    double cycle;
    if (at->e == e)
        return;
    at->e = e;
    at->before = cyclic_height(p, e, &cycle);
    at->now = cyclic_scale(p, e, cycle);
}

static double cyclic_step(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr,
                          an__lr_memo *at)
{
    (void)lr;
    const an_cyclic_lr *p = &node->desc.cyclic;
    cyclic_find(p, e, at);
    double base = an__lr_base(node, m);
    double height = (an__lr_real(&p->max_lr, m->index) - base) * at->before;
    return base + height * at->now;
}

static double cyclic_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    return cyclic_step(node, m, e, 0, &(an__lr_memo){.e = AN__LR_NO_STEP});
}

static bool cyclic_momentum(const an__lr_node *node, size_t group, int64_t e,
                            const an__lr_memo *memo, double *momentum)
{
    const an_cyclic_lr *p = &node->desc.cyclic;
    if (!p->cycle_momentum)
        return false;
    an__lr_memo at = memo ? *memo : (an__lr_memo){.e = AN__LR_NO_STEP};
    cyclic_find(p, e, &at);
    double base = an__lr_real(&p->base_momentum, group);
    double top = an__lr_real(&p->max_momentum, group);
    double height = (top - base) * at.before;
    *momentum = top - height * at.now;
    return true;
}

const an__lr_class an__lr_cyclic_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .step = cyclic_step,
    .value = cyclic_value,
    .momentum = cyclic_momentum,
};

/* -------------------------------------------------------------- OneCycleLR */

/* How far the annealing has bent when `part` of a phase is done: 2 to 0, or on the line 0 to 1. */
static double bend_at(an_anneal_strategy strategy, double part)
{
    return strategy == AN_ANNEAL_LINEAR ? part : cos(AN__PI * part) + 1;
}

static double anneal(an_anneal_strategy strategy, double from, double to, double bend)
{
    if (strategy == AN_ANNEAL_LINEAR)
        return (to - from) * bend + from;
    return to + (from - to) / 2.0 * bend;
}

static int64_t one_cycle_total(const an_one_cycle_lr *p)
{
    return p->total_steps != AN_LR_NONE ? p->total_steps : p->epochs * p->steps_per_epoch;
}

/*
 * The phase that step e lies in, and how much of it is done. A phase ends at a step that need not
 * be whole, and the next begins there. PyTorch divides by 0 in a phase of no width (here it is at
 * its end), is already inside the second when pct_start is 0 (here that begins at its beginning),
 * and leaves its range after total_steps (here the last value stays).
 */
static int one_cycle_find(const an_one_cycle_lr *p, int64_t e, double *part)
{
    double total = (double)one_cycle_total(p), step = (double)e;
    if (step > total - 1)
        step = total - 1;
    double end[3] = {p->pct_start * total - 1, total - 1, total - 1};
    int last = 1;
    if (p->three_phase) {
        end[1] = 2 * p->pct_start * total - 2;
        last = 2;
    }
    double from = 0;
    int phase = p->pct_start == 0 ? last : 0;
    for (; phase < last && step > end[phase]; phase++)
        from = end[phase];
    *part = end[phase] == from ? 1.0 : (step - from) / (end[phase] - from);
    return phase;
}

/* Where a step lies: its phase, and how far that has bent. The same for every group. */
typedef struct place {
    int phase;
    double bend;
} place;

static place one_cycle_place(const an_one_cycle_lr *p, int64_t e)
{
    double part;
    int phase = one_cycle_find(p, e, &part);
    return (place){phase, bend_at(p->anneal_strategy, part)};
}

static double one_cycle_rate(const an_one_cycle_lr *p, size_t group, place at)
{
    double top = an__lr_real(&p->max_lr, group);
    double initial = top / p->div_factor, least = initial / p->final_div_factor;
    if (at.phase == 0)
        return anneal(p->anneal_strategy, initial, top, at.bend);
    if (p->three_phase && at.phase == 1)
        return anneal(p->anneal_strategy, top, initial, at.bend);
    return anneal(p->anneal_strategy, p->three_phase ? initial : top, least, at.bend);
}

static double one_cycle_value(const an__lr_node *node, const an__lr_member *m, int64_t e)
{
    const an_one_cycle_lr *p = &node->desc.one_cycle;
    return one_cycle_rate(p, m->index, one_cycle_place(p, e));
}

/* The memo holds the place: the phase as `before`, the bend as `now`. */
static double one_cycle_step(const an__lr_node *node, const an__lr_member *m, int64_t e, double lr,
                             an__lr_memo *memo)
{
    (void)lr;
    const an_one_cycle_lr *p = &node->desc.one_cycle;
    if (memo->e != e) {
        place at = one_cycle_place(p, e);
        *memo = (an__lr_memo){.e = e, .before = at.phase, .now = at.bend};
    }
    return one_cycle_rate(p, m->index, (place){(int)memo->before, memo->now});
}

static bool one_cycle_momentum(const an__lr_node *node, size_t group, int64_t e,
                               const an__lr_memo *memo, double *momentum)
{
    const an_one_cycle_lr *p = &node->desc.one_cycle;
    if (!p->cycle_momentum)
        return false;
    double low = an__lr_real(&p->base_momentum, group);
    double high = an__lr_real(&p->max_momentum, group);
    bool known = memo && memo->e == e;
    place at = known ? (place){(int)memo->before, memo->now} : one_cycle_place(p, e);
    if (at.phase == 2)
        low = high;
    *momentum = at.phase == 0 ? anneal(p->anneal_strategy, high, low, at.bend)
                              : anneal(p->anneal_strategy, low, high, at.bend);
    return true;
}

const an__lr_class an__lr_one_cycle_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .step = one_cycle_step,
    .value = one_cycle_value,
    .momentum = one_cycle_momentum,
};
