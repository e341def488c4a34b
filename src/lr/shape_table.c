/* shape_table.c - Table, Chebyshev and RAdamWarmup: shapes that are rows of numbers. */
#include "lr/numeric.h"

#include "lr/node.h"

#define PURE(rate_) .start = an__lr_start_value, .next = an__lr_next_value, .rate = (rate_)

/* The index of the value that holds at t, out of `count` that hold for spans[0] each. */
static size_t index_at(const an__lr_node *node, size_t count, const an__lr_time *t)
{
    an__lr_span every = node->spans[0];
    double i = floor(t->at[every.unit] / every.value);
    return i < (double)(count - 1) ? (size_t)i : count - 1;
}

static an__lr_span length_of(const an__lr_node *node, double count)
{
    an__lr_span every = node->spans[0];
    return (an__lr_span){count * every.value, every.unit};
}

/* ------------------------------------------------------------------- Table */

static double table_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    (void)m;
    const an_lr_numbers *values = &node->desc.table.values;
    return base * values->each[index_at(node, values->count, t)];
}

static an__lr_span table_length(const an__lr_node *node)
{
    return length_of(node, (double)node->desc.table.values.count);
}

const an__lr_class an__lr_table_class = {PURE(table_rate), .length = table_length};

/* --------------------------------------------------------------- Chebyshev */

/*
 * Where the fractal order of n, a power of 2, has its i-th: for 2n it lays that for n and its
 * mirror image into each other, so that the lowest bit of i says which of the two it is.
 */
static uint64_t fractal(uint64_t i, uint64_t n)
{
    uint64_t mirrored = 0;
    for (uint64_t left = n; left > 1; left /= 2, i /= 2)
        mirrored ^= i % 2 == 1 ? left - 1 : 0;
    return mirrored;
}

static double chebyshev_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                             double base)
{
    (void)m;
    const an_lr_chebyshev *p = &node->desc.chebyshev;
    uint64_t count = (uint64_t)p->count;
    double at = (double)fractal(index_at(node, (size_t)count, t), count) + 0.5;
    double spread = (p->most - p->least) * cos(AN__PI * at / (double)count);
    return base * (2 / (p->most + p->least - spread));
}

static an__lr_span chebyshev_length(const an__lr_node *node)
{
    return length_of(node, (double)node->desc.chebyshev.count);
}

const an__lr_class an__lr_chebyshev_class = {PURE(chebyshev_rate), .length = chebyshev_length};

/* ------------------------------------------------------------- RAdamWarmup */

/* The length of the approximated average after i steps, from `power` = beta2^i. */
static double radam_length(double limit, double i, double power)
{
    return limit - 2 * i * power / (1 - power);
}

/* The first i at which that is above 4; it grows by at most 1 a step, so this is short for the
 * beta2 that are in use. */
static double radam_first(double limit, double beta2)
{
    double i = 1, power = beta2;
    while (!(radam_length(limit, i, power) > 4) && i < 1e4) {
        i++;
        power *= beta2;
    }
    return i;
}

static double radam_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    (void)m;
    double beta2 = node->desc.radam.beta2, limit = 2 / (1 - beta2) - 1;
    double i = t->at[AN_STEPS] + radam_first(limit, beta2);
    double length = radam_length(limit, i, pow(beta2, i));
    double square = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length);
    return base * sqrt(fmax(0, square));
}

static an__lr_span endless(const an__lr_node *node)
{
    (void)node;
    return (an__lr_span){INFINITY, AN_STEPS};
}

const an__lr_class an__lr_radam_class = {PURE(radam_rate), .length = endless};
