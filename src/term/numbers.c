/* Numbers for people: few digits, units, and never the locale's decimal comma. */
#include <anneal/term.h>

#include <math.h>

/* What is not a number a person could read: "nan", "inf", "-inf". */
static size_t print_special(char *buffer, size_t size, double value)
{
    return an_format(buffer, size, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

/* The non-negative `value` with `decimals` (0 to 9) digits after the point; below 2^60. */
static size_t print_fixed(char *buffer, size_t size, double value, int decimals)
{
    long long unit = 1;
    for (int i = 0; i < decimals; i++)
        unit *= 10;
    long long scaled = llround(value * (double)unit);
    if (decimals == 0)
        return an_format(buffer, size, "%lld", scaled);
    char digits[10] = {0};
    long long rest = scaled % unit;
    for (int i = decimals - 1; i >= 0; i--, rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    return an_format(buffer, size, "%lld.%s", scaled / unit, digits);
}

/* value * 10^places, in two steps: 10^320 is out of range while the subnormal 1e-320 is not. */
static double move_point(double value, int places)
{
    int half = places / 2;
    return value * pow(10, half) * pow(10, places - half);
}

/*
 * The power of ten of `value` > 0 once it is rounded to three digits: 9.996 counts as 10.0, so 1.
 * log10 may be off by one near a power of ten, in which case rounding carries it back.
 */
static int exponent_of(double value)
{
    int exponent = (int)floor(log10(value));
    return move_point(value, -exponent) >= 9.995 ? exponent + 1 : exponent;
}

size_t an_term_number(char *buffer, size_t size, double value)
{
    if (!isfinite(value))
        return print_special(buffer, size, value);
    if (value == 0)
        return an_format(buffer, size, "0");
    double magnitude = fabs(value);
    const char *sign = value < 0 ? "-" : "";
    int exponent = exponent_of(magnitude);
    char digits[32];
    if (exponent >= -4 && exponent < 9) {
        print_fixed(digits, sizeof digits, magnitude, exponent < 2 ? 2 - exponent : 0);
        return an_format(buffer, size, "%s%s", sign, digits);
    }
    print_fixed(digits, sizeof digits, move_point(magnitude, -exponent), 2);
    const char *mark = exponent < 0 ? "e-" : "e+";
    int power = exponent < 0 ? -exponent : exponent;
    return an_format(buffer, size, "%s%s%s%s%d", sign, digits, mark, power < 10 ? "0" : "", power);
}

size_t an_term_percent(char *buffer, size_t size, double fraction)
{
    if (!(fabs(fraction) < 1e12))
        return print_special(buffer, size, fraction);
    char digits[32];
    print_fixed(digits, sizeof digits, fabs(fraction) * 100, 1);
    return an_format(buffer, size, "%s%s %%", fraction < 0 ? "-" : "", digits);
}

size_t an_term_count(char *buffer, size_t size, int64_t value)
{
    char text[32];
    size_t at = sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int digits = 0;
    text[--at] = '\0';
    do {
        if (digits > 0 && digits % 3 == 0)
            text[--at] = ',';
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
        digits++;
    } while (rest > 0);
    return an_format(buffer, size, "%s%s", value < 0 ? "-" : "", text + at);
}

/* A unit is left once its number would be shown as 1000. */
size_t an_term_rate(char *buffer, size_t size, double value)
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P", "E"};
    if (!(fabs(value) < 1e20))
        return print_special(buffer, size, value);
    double magnitude = fabs(value);
    size_t unit = 0;
    while (magnitude >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        magnitude /= 1000;
        unit++;
    }
    char digits[32];
    print_fixed(digits, sizeof digits, magnitude, magnitude < 9.95 && magnitude > 0 ? 1 : 0);
    return an_format(buffer, size, "%s%s%s", value < 0 ? "-" : "", digits, units[unit]);
}

/* Two neighbouring units from the table, rounded in the smaller one. */
static size_t print_pair(char *buffer, size_t size, double seconds)
{
    long long whole = llround(seconds);
    if (whole < 3600)
        return an_format(buffer, size, "%lld min %lld s", whole / 60, whole % 60);
    long long minutes = llround(seconds / 60);
    if (minutes < 2 * 24 * 60)
        return an_format(buffer, size, "%lld h %lld min", minutes / 60, minutes % 60);
    long long hours = llround(seconds / 3600);
    return an_format(buffer, size, "%lld d %lld h", hours / 24, hours % 24);
}

size_t an_term_duration(char *buffer, size_t size, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e15))
        return an_format(buffer, size, "?");
    if (seconds >= 59.5)
        return print_pair(buffer, size, seconds);
    char digits[32];
    bool small = seconds > 0 && seconds < 0.0995;
    print_fixed(digits, sizeof digits, small ? seconds * 1000 : seconds,
                seconds < 9.95 && !small ? 1 : 0);
    return an_format(buffer, size, "%s %s", digits, small ? "ms" : "s");
}
