/* Axes: which range a plot spans, and where its round numbers lie. */
#include <anneal/term.h>

#include <math.h>

/* Beyond these a range cannot be divided into ticks without overflow or underflow. */
#define LARGEST 1e290
#define SMALLEST 1e-290

/* Values are labelled as they are between these, and with a power of ten outside. */
#define PLAIN_FROM 1e-3
#define PLAIN_BELOW 1e6

/* Below this part of the greatest value, the least one pulls the axis down to 0. */
#define NEAR_ZERO 0.4

/* Strides from one power of ten to past the next, in tenths of it. */
static const int strides[] = {10, 20, 25, 50, 100, 200, 250, 500};

#define STRIDE_COUNT (sizeof strides / sizeof *strides)

static double clamp(double value)
{
    return fmin(fmax(value, -LARGEST), LARGEST);
}

/* value / 10^power, without passing through an inexact 10^-n where that can be helped. */
static double over_power(double value, int power)
{
    return power < 0 ? value * pow(10, -power) : value / pow(10, power);
}

double an_axis_tick(const an_axis *axis, int i)
{
    return over_power((double)(axis->first + i * axis->stride), -axis->power);
}

/* 500, 1000, ... in units of 0.001 is 5, 10, ... in units of 0.1. */
static void shorten(an_axis *axis)
{
    while (axis->stride % 10 == 0 && axis->first % 10 == 0) {
        axis->stride /= 10;
        axis->first /= 10;
        axis->power++;
    }
}

static void choose_scale(an_axis *axis)
{
    double greatest = fmax(fabs(axis->low), fabs(axis->high));
    bool plain = greatest == 0 || (greatest >= PLAIN_FROM && greatest < PLAIN_BELOW);
    axis->scale = plain ? 0 : (int)floor(log10(greatest) + 1e-9);
}

/*
 * The finest ticks of a round stride of which at most `most` cover the range (outward) or lie
 * within it (not outward). `whole` keeps the stride from falling below 1.
 */
static an_axis divide(double low, double high, int most, bool outward, bool whole)
{
    an_axis axis = {.low = low, .high = high};
    int power = (int)floor(log10((high - low) / most));
    axis.power = whole && power < 0 ? -1 : power - 1;
    for (size_t i = 0; i < STRIDE_COUNT; i++) {
        axis.stride = strides[i];
        if (whole && axis.power == -1 && strides[i] == 25)
            continue;
        double from = over_power(low, axis.power) / strides[i];
        double to = over_power(high, axis.power) / strides[i];
        double first = outward ? floor(from + 1e-9) : ceil(from - 1e-9);
        double last = outward ? ceil(to - 1e-9) : floor(to + 1e-9);
        axis.first = (int64_t)first * strides[i];
        axis.count = (int)(last - first) + 1;
        if (axis.count <= most)
            break;
    }
    shorten(&axis);
    return axis;
}

/* The range of all finite values, empty (low > high) when there are none. */
static void find_range(const an_plot *plot, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < plot->series_count; i++) {
        const an_series *series = &plot->series[i];
        for (size_t j = 0; j < series->count; j++) {
            double value = clamp(series->values[j]);
            if (isfinite(series->values[j])) {
                *low = fmin(*low, value);
                *high = fmax(*high, value);
            }
        }
    }
}

/* Gives a range room to draw in: 0 to 1 without values, from 0 where they come near it. */
static void widen(double *low, double *high)
{
    double greatest = fmax(fabs(*low), fabs(*high));
    if (!(*low <= *high) || greatest < SMALLEST) {
        *low = 0;
        *high = 1;
        return;
    }
    if (*low > 0 && (*low < NEAR_ZERO * *high || *high - *low < 1e-9 * greatest))
        *low = 0;
    if (*high < 0 && (*high > NEAR_ZERO * *low || *high - *low < 1e-9 * greatest))
        *high = 0;
}

an_axis an_axis_values(const an_plot *plot, int most)
{
    double low, high;
    find_range(plot, &low, &high);
    widen(&low, &high);
    an_axis axis = divide(low, high, most < 3 ? 3 : most, true, false);
    axis.low = an_axis_tick(&axis, 0);
    axis.high = an_axis_tick(&axis, axis.count - 1);
    choose_scale(&axis);
    return axis;
}

an_axis an_axis_steps(const an_plot *plot, int most)
{
    size_t last = 1;
    for (size_t i = 0; i < plot->series_count; i++)
        if (plot->series[i].count > last + 1)
            last = plot->series[i].count - 1;
    return divide(0, (double)last, most < 3 ? 3 : most, false, true);
}

/* ------------------------------------------------------------------ labels */

static int64_t power_of_ten(int power)
{
    int64_t value = 1;
    for (int i = 0; i < power; i++)
        value *= 10;
    return value;
}

size_t an_axis_label(char *buffer, size_t size, const an_axis *axis, int i)
{
    int64_t units = axis->first + i * axis->stride;
    int decimals = axis->scale - axis->power;
    if (decimals <= 0)
        return an_term_count(buffer, size, units * power_of_ten(-decimals));
    int64_t one = power_of_ten(decimals), size_of_units = units < 0 ? -units : units;
    char digits[24] = {0};
    int64_t rest = size_of_units % one;
    for (int place = decimals - 1; place >= 0; place--, rest /= 10)
        digits[place] = (char)('0' + rest % 10);
    char whole[32];
    an_term_count(whole, sizeof whole, size_of_units / one);
    return an_format(buffer, size, "%s%s.%s", units < 0 ? "-" : "", whole, digits);
}

size_t an_axis_title(char *buffer, size_t size, const an_axis *axis, const char *name, bool unicode)
{
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    if (axis->scale == 0)
        return an_format(buffer, size, "%s", name);
    if (!unicode)
        return an_format(buffer, size, "%s x1e%d", name, axis->scale);
    int power = axis->scale < 0 ? -axis->scale : axis->scale;
    return an_format(buffer, size, "%s ×10%s%s%s%s", name, axis->scale < 0 ? "⁻" : "",
                     power >= 100 ? raised[power / 100] : "",
                     power >= 10 ? raised[power / 10 % 10] : "", raised[power % 10]);
}
