/* shape.c - Anneal's own shapes: functions of the part of a length that is done. */
#include "lr/numeric.h"

#include "lr/node.h"

static double flat_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                        double base)
{
    return base * an__lr_param(&node->desc.flat.factor, m, t);
}

const an__lr_class an__lr_flat_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = flat_rate,
};

static double line_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                        double base)
{
    double p = an__lr_part(node, t);
    double start = an__lr_param(&node->desc.line.start, m, t);
    double end = an__lr_param(&node->desc.line.end, m, t);
    return base * (start + (end - start) * p);
}

const an__lr_class an__lr_line_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = line_rate,
};

static double half_wave_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                             double base)
{
    double p = an__lr_part(node, t);
    double start = an__lr_param(&node->desc.half_wave.start, m, t);
    double end = an__lr_param(&node->desc.half_wave.end, m, t);
    return base * (end + (start - end) * ((1 + cos(AN__PI * p)) / 2));
}

const an__lr_class an__lr_half_wave_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = half_wave_rate,
};
