/*
 * bound.c - what convex theory promises a schedule: A. Defazio and others, When, why and how much?
 * (arXiv 2310.07831, theorem 10); F. Schaipp and others, The surprising agreement between convex
 * optimization theory and learning-rate scheduling (ICML 2025).
 *
 * With S the sum of the rates and, from update k on, tail_k the sum of the later rates and
 * squares_k the sum of (rate G)^2 from k on, the loss of the last iterate is at most
 *
 *   D^2 / (2 S)  +  squares_1 / (2 S)  +  1/2 sum over k < T of
 *                                          rate_k squares_k / (tail_k (tail_k + rate_k))
 *
 * above the optimum. Multiplying all rates by c divides the first term by c and multiplies the
 * other two by it, which gives the best c and the bound there.
 */
#include "lr/numeric.h"

#include <anneal/lr.h>

AN__COLD_BEGIN

static bool check(const double *rates, size_t count, double distance, double gradient,
                  an_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!(rates[i] >= 0) || !isfinite(rates[i]))
            return an_error_set(err, AN_ERROR_ARGUMENT,
                                "the rate of update %zu is %g; the bound is for finite rates of 0 "
                                "and more",
                                i, rates[i]);
    if (!(distance > 0) || !isfinite(distance) || !(gradient > 0) || !isfinite(gradient))
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "distance and gradient must be finite and above 0, got %g and %g",
                            distance, gradient);
    return true;
}

AN__SMALL bool an_lr_bound_of(const double *rates, size_t count, double distance, double gradient,
                              an_lr_bound *bound, an_error *err)
{
    if (!check(rates, count, distance, gradient, err))
        return false;
    while (count > 0 && rates[count - 1] == 0)
        count--; /* updates at rate 0 after the last one change nothing */
    if (count == 0)
        return an_error_set(err, AN_ERROR_ARGUMENT,
                            "all rates are 0: nothing is learned, and nothing is promised");
    double tail = 0, squares = 0, sum = 0;
    for (size_t k = count; k-- > 0;) {
        const double rate = rates[k];
        squares += rate * rate * gradient * gradient;
        if (k + 1 < count)
            sum += rate / tail * (squares / (tail + rate));
        tail += rate;
    }
    const double start = distance * distance / (2 * tail);
    const double noise = squares / (2 * tail) + sum / 2;
    *bound = (an_lr_bound){
        .value = start + noise, .best_scale = sqrt(start / noise), .best = 2 * sqrt(start * noise)};
    return true;
}

AN__COLD_END
