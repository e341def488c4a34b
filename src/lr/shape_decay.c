/* shape_decay.c - Decay and the other shapes that are functions of one time alone. */
#include "lr/numeric.h"

#include "lr/node.h"

#define PURE(rate_) .start = an__lr_start_value, .next = an__lr_next_value, .rate = (rate_)

/* Of shapes whose lengths are timescales. */
static an__lr_span endless(const an__lr_node *node)
{
    (void)node;
    return (an__lr_span){INFINITY, AN_STEPS};
}

/* The time in units of the length. */
static double in_units_of(an__lr_span length, const an__lr_time *t)
{
    return t->at[length.unit] / length.value;
}

/* From `start` to `end` as `c` goes from 1 to 0. */
static double between(const an_lr_value *start, const an_lr_value *end, double c,
                      const an__lr_member *m, const an__lr_time *t)
{
    double to = an__lr_param(end, m, t);
    return to + (an__lr_param(start, m, t) - to) * c;
}

/* ------------------------------------------------------------------- Decay */

static double half_wave(double q)
{
    return (1 + cos(AN__PI * q)) / 2;
}

/* The curve at q, from 1 to 0. With a ratio of 1 the last two are lines. */
static double curve_at(an_lr_decay_curve curve, double q, double ratio)
{
    switch (curve) {
    case AN_DECAY_COSINE:
        return half_wave(q);
    case AN_DECAY_MIRROR_COSINE:
        return 2 * (1 - q) - half_wave(q);
    case AN_DECAY_REX:
        return (1 - q) / (1 - q / 2);
    case AN_DECAY_EXPONENTIAL:
        return ratio == 1 ? 1 - q : (pow(ratio, q) - ratio) / (1 - ratio);
    case AN_DECAY_LOG:
        return ratio == 1 ? 1 - q : 1 - log(1 + (ratio - 1) * q) / log(ratio);
    case AN_DECAY_LINEAR:
        break;
    }
    return 1 - q;
}

/* The part that is done; with `cycle` of as many lengths as have begun. */
static double part_of(const an__lr_node *node, const an__lr_time *t)
{
    double p = an__lr_part(node, t);
    return node->desc.decay.cycle && p > 1 ? p / -floor(-p) : p;
}

static double raised(double x, double exponent)
{
    return exponent == 1 ? x : pow(x, exponent);
}

static double decay_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    const an_lr_decay *p = &node->desc.decay;
    double q = raised(part_of(node, t), an__lr_param(&p->k, m, t));
    double c = fmax(0, curve_at(p->curve, q, p->ratio));
    return base * between(&p->start, &p->end, raised(c, an__lr_param(&p->power, m, t)), m, t);
}

static an__lr_span decay_length(const an__lr_node *node)
{
    return node->desc.decay.cycle ? endless(node) : node->spans[0];
}

const an__lr_class an__lr_decay_class = {PURE(decay_rate), .length = decay_length};

/* --------------------------------------------------- Geometric, Exponential */

static double geometric_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                             double base)
{
    (void)m;
    const an_lr_geometric *p = &node->desc.geometric;
    return base * (p->start * pow(p->end / p->start, an__lr_part(node, t)));
}

const an__lr_class an__lr_geometric_class = {PURE(geometric_rate)};

static double power_of_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                            double base)
{
    const an_lr_power_of *p = &node->desc.power_of;
    double c = pow(an__lr_param(&p->factor, m, t), in_units_of(node->spans[0], t));
    return base * between(&p->start, &p->end, c, m, t);
}

const an__lr_class an__lr_power_of_class = {PURE(power_of_rate), .length = endless};

/* -------------------------------------------------------- Inverse, Sigmoid */

static double inverse_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                           double base)
{
    const an_lr_inverse *p = &node->desc.inverse;
    double x = raised(in_units_of(node->spans[0], t), an__lr_param(&p->inner, m, t));
    double c = pow(1 + x, -an__lr_param(&p->power, m, t));
    return base * between(&p->start, &p->end, c, m, t);
}

const an__lr_class an__lr_inverse_class = {PURE(inverse_rate), .length = endless};

static double sigmoid_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                           double base)
{
    const an_lr_sigmoid *p = &node->desc.sigmoid;
    an__lr_span center = node->spans[0], width = node->spans[1];
    double c = 1 / (1 + exp((t->at[center.unit] - center.value) / width.value));
    return base * between(&p->start, &p->end, c, m, t);
}

const an__lr_class an__lr_sigmoid_class = {PURE(sigmoid_rate), .length = endless};
