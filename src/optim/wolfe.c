/*
 * A line search for the strong Wolfe conditions (Nocedal, Wright: Numerical Optimization, 2nd
 * edition, algorithms 3.5 and 3.6), with the constants and safeguards of torch.optim.LBFGS:
 *
 *   loss(t) <= loss(0) + 1e-4 t slope(0)     and     |slope(t)| <= 0.9 |slope(0)|
 *
 * First lengths grow until a point that meets both, or an interval that holds one, is found; then
 * the interval shrinks. New lengths are minima of cubics. A loss that is NaN counts as too large.
 */
#include <math.h>

#include "optim/lbfgs.h"

enum { MOST_POINTS = 25 };

typedef struct line {
    an_search *search;
    an_line_point start;
    an_line_point end[2]; /* the interval; */
    int low;              /* which end has the lower loss */
    int points;
    bool done; /* end[low] meets both conditions */
} line;

/*
 * The minimum within least..most of the cubic with the losses and slopes of a and b; the middle
 * where it has none.
 */
static double cubic_minimum(const an_line_point *a, const an_line_point *b, double least,
                            double most)
{
    const an_line_point *left = a->t <= b->t ? a : b, *right = left == a ? b : a;
    double d1 = a->slope + b->slope - 3 * (a->loss - b->loss) / (a->t - b->t);
    double square = d1 * d1 - a->slope * b->slope;
    if (!(square >= 0)) {
        return (least + most) / 2;
    }
    double d2 = sqrt(square);
    double t = right->t - (right->t - left->t) *
                              ((right->slope + d2 - d1) / (right->slope - left->slope + 2 * d2));
    return isnan(t) ? (least + most) / 2 : fmin(fmax(t, least), most);
}

/* A gradient buffer that neither a nor b holds. */
static an_real *spare(const an_lbfgs *own, const an_line_point *a, const an_line_point *b)
{
    for (int i = 0; i < 2; i++) {
        if (own->trial[i] != a->g && own->trial[i] != b->g) {
            return own->trial[i];
        }
    }
    return own->trial[2];
}

static bool falls_enough(const line *l, const an_line_point *p)
{
    return p->loss <= l->start.loss + 1e-4 * p->t * l->start.slope;
}

static bool flat_enough(const line *l, const an_line_point *p)
{
    return fabs(p->slope) <= -0.9 * l->start.slope;
}

static void set_ends(line *l, an_line_point a, an_line_point b)
{
    l->end[0] = a;
    l->end[1] = b;
    l->low = b.loss < a.loss ? 1 : 0;
}

/* Lengths from t on, until an interval is found, or a point (then both ends are that point). */
static bool bracket(line *l, double t)
{
    an_line_point before = l->start, now = {.g = l->search->own->trial[0]};
    if (!an__lbfgs_probe(l->search, t, &now)) {
        return false;
    }
    for (; l->points < MOST_POINTS; l->points++) {
        bool higher = l->points > 1 && now.loss >= before.loss;
        if (!falls_enough(l, &now) || higher) {
            set_ends(l, before, now);
            return true;
        }
        if (flat_enough(l, &now)) {
            set_ends(l, now, now);
            l->done = true;
            return true;
        }
        if (now.slope >= 0) {
            set_ends(l, before, now);
            return true;
        }
        double least = now.t + 0.01 * (now.t - before.t), most = now.t * 10;
        an_line_point next = {.g = spare(l->search->own, &now, &now)};
        if (!an__lbfgs_probe(l->search, cubic_minimum(&before, &now, least, most), &next)) {
            return false;
        }
        before = now;
        now = next;
    }
    set_ends(l, l->start, now);
    return true;
}

/*
 * The next length within the interval. One within a tenth of an end is let through once, then moved
 * to a tenth away from that end; `crowded` remembers.
 */
static double within(const line *l, bool *crowded)
{
    const an_line_point *a = &l->end[0], *b = &l->end[1];
    double least = fmin(a->t, b->t), most = fmax(a->t, b->t), margin = 0.1 * (most - least);
    double t = cubic_minimum(a, b, least, most);
    if (!(fmin(most - t, t - least) < margin)) {
        *crowded = false;
        return t;
    }
    if (*crowded || t >= most || t <= least) {
        *crowded = false;
        return fabs(t - most) < fabs(t - least) ? most - margin : least + margin;
    }
    *crowded = true;
    return t;
}

/* Puts a point that lies in the interval in the place of one of its ends. */
static void narrow(line *l, an_line_point now)
{
    int high = 1 - l->low;
    if (!falls_enough(l, &now) || now.loss >= l->end[l->low].loss) {
        l->end[high] = now;
        l->low = l->end[1].loss < l->end[0].loss ? 1 : 0;
        return;
    }
    if (flat_enough(l, &now)) {
        l->done = true;
    } else if (now.slope * (l->end[high].t - l->end[l->low].t) >= 0) {
        l->end[high] = l->end[l->low];
    }
    l->end[l->low] = now;
}

static bool zoom(line *l, double tolerance_change)
{
    double sum, longest = an__lbfgs_largest(l->search->optim, l->search->own->d, &sum);
    bool crowded = false;
    for (; !l->done && l->points < MOST_POINTS; l->points++) {
        if (fabs(l->end[1].t - l->end[0].t) * longest < tolerance_change) {
            return true;
        }
        an_line_point now = {.g = spare(l->search->own, &l->end[0], &l->end[1])};
        if (!an__lbfgs_probe(l->search, within(l, &crowded), &now)) {
            return false;
        }
        narrow(l, now);
    }
    return true;
}

bool an__lbfgs_line(an_search *s, double t, double tolerance_change, an_line_point *point)
{
    line l = {.search = s, .start = *point};
    if (!bracket(&l, t) || !zoom(&l, tolerance_change)) {
        return false;
    }
    an_real *g = s->own->g;
    *point = l.end[l.low];
    if (point->g != g) {
        an__lbfgs_copy(s->optim, g, point->g);
    }
    return true;
}
