/*
 * slope.c - ReduceOnSlope: dlib's test of whether the losses still fall (dlib/dnn/trainer.h and
 * dlib/statistics/running_gradient.h).
 *
 * Through the last n losses y_0 ... y_{n-1} goes the line of least squares. With
 * S = sum (i - mean)^2 = (n^3 - n) / 12, its slope is b = sum (i - mean) y_i / S, the standard
 * error of that sqrt(rss / (n - 2) / S), and the probability that the slope is below 0 is Phi(-b /
 * error). dlib looks back as far as it has losses and reduces when even the last n do not seem to
 * fall; here n is the window.
 */
#include "lr/numeric.h"

#include "lr/node.h"

AN__COLD_BEGIN

/* Before the losses: how many there are, where the next one goes, and what the rate is times. */
enum { SLOPE_COUNT, SLOPE_NEXT, SLOPE_SCALE, SLOPE_LOSSES };

/* Tests are spread, so that the cost of a step does not grow with the window. */
#define TESTS_A_WINDOW 20

static size_t slope_room(const an_lr_desc *desc)
{
    return SLOPE_LOSSES + (size_t)desc->slope.window;
}

static void slope_reset(const an__lr_node *node)
{
    for (size_t i = 0; i < node->memory_count; i++)
        node->memory[i] = 0;
    node->memory[SLOPE_SCALE] = 1;
}

/* Abramowitz and Stegun, 26.2.17: to 7.5e-8. */
double an__lr_normal(double z)
{
    double t = 1 / (1 + 0.2316419 * fabs(z));
    double sum = t * (0.319381530 + t * (-0.356563782 +
                                         t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    double above = exp(-z * z / 2) / 2.5066282746310002 * sum;
    return z > 0 ? 1 - above : above;
}

/* Which losses a line goes through: all that are not above `most`. */
typedef struct fit {
    double n, mean_x, mean_y;
} fit;

/* The i-th of the losses, from the oldest, of a window that is full. */
static double loss_at(const an__lr_node *node, int64_t i)
{
    int64_t window = node->desc.slope.window;
    return node->memory[SLOPE_LOSSES + ((int64_t)node->memory[SLOPE_NEXT] + i) % window];
}

static fit means(const an__lr_node *node, double most)
{
    fit f = {0};
    for (int64_t i = 0; i < node->desc.slope.window; i++) {
        double y = loss_at(node, i);
        if (y > most)
            continue;
        f.mean_x += (double)f.n;
        f.mean_y += y;
        f.n++;
    }
    f.mean_x /= f.n;
    f.mean_y /= f.n;
    return f;
}

/* The probability that the losses up to `most` fall. Those that are left count on without gaps. */
static double falls(const an__lr_node *node, double most)
{
    fit f = means(node, most);
    double sxx = (f.n * f.n * f.n - f.n) / 12, sxy = 0, syy = 0, x = 0;
    for (int64_t i = 0; i < node->desc.slope.window; i++) {
        double y = loss_at(node, i);
        if (y > most)
            continue;
        sxy += (x - f.mean_x) * (y - f.mean_y);
        syy += (y - f.mean_y) * (y - f.mean_y);
        x++;
    }
    double slope = sxy / sxx, rss = fmax(0, syy - slope * sxy);
    double error = sqrt(rss / (f.n - 2) / sxx);
    if (error > 0)
        return an__lr_normal(-slope / error);
    return slope < 0 ? 1 : 0;
}

/* The value that nine tenths of the losses do not exceed, found by halving their range. */
static double ninth_tenth(const an__lr_node *node)
{
    int64_t window = node->desc.slope.window, keep = window - window / 10;
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < window; i++) {
        low = fmin(low, loss_at(node, i));
        high = fmax(high, loss_at(node, i));
    }
    for (int round = 0; round < 40; round++) {
        double middle = low + (high - low) / 2;
        int64_t below = 0;
        for (int64_t i = 0; i < window; i++)
            below += loss_at(node, i) <= middle;
        if (below >= keep)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static bool stuck(const an__lr_node *node)
{
    double probability = node->desc.slope.probability;
    return falls(node, INFINITY) < probability && falls(node, ninth_tenth(node)) < probability;
}

/* A loss that is not finite is left out: it is no place on a line. */
static bool slope_observe(const an__lr_node *node, const an_lr_input *input)
{
    const an_lr_slope *p = &node->desc.slope;
    double *memory = node->memory;
    if (!input->has_loss || !isfinite(input->loss))
        return false;
    memory[SLOPE_LOSSES + (int64_t)memory[SLOPE_NEXT]] = input->loss;
    memory[SLOPE_NEXT] = memory[SLOPE_NEXT] + 1 < (double)p->window ? memory[SLOPE_NEXT] + 1 : 0;
    memory[SLOPE_COUNT]++;
    int64_t count = (int64_t)memory[SLOPE_COUNT], pause = p->window / TESTS_A_WINDOW + 1;
    if (count < p->window || (count - p->window) % pause != 0 || !stuck(node))
        return false;
    memory[SLOPE_COUNT] = 0;
    memory[SLOPE_SCALE] = fmax(memory[SLOPE_SCALE] * p->factor, p->least);
    return true;
}

static double slope_rate(const an__lr_node *node, const an__lr_member *m, const an__lr_time *t,
                         double base)
{
    (void)m;
    (void)t;
    return base * node->memory[SLOPE_SCALE];
}

/* Places in the window must be within it. */
static void slope_mend(const an__lr_node *node)
{
    double *memory = node->memory, window = (double)node->desc.slope.window;
    if (!(memory[SLOPE_NEXT] >= 0 && memory[SLOPE_NEXT] < window))
        memory[SLOPE_NEXT] = 0;
    if (!(memory[SLOPE_COUNT] >= 0 && memory[SLOPE_COUNT] <= AN__LR_INTEGER_MAX))
        memory[SLOPE_COUNT] = 0;
}

static const char *const slope_names[] = {"count", "next", "scale", NULL};

static const an__lr_feedback slope_feedback = {
    .room = slope_room,
    .reset = slope_reset,
    .observe = slope_observe,
    .mend = slope_mend,
    .names = slope_names,
};

const an__lr_class an__lr_slope_class = {
    .start = an__lr_start_value,
    .next = an__lr_next_value,
    .rate = slope_rate,
    .feedback = &slope_feedback,
};

AN__COLD_END
