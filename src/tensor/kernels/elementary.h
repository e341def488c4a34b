/*
 * exp, log, tanh and the logistic function in single precision, written without branches or calls
 * so that a compiler turns a loop over them into vector code of any width.
 *
 * Method: reduction of the argument to a short interval in two steps, so that the part that is
 * taken away is exact (W. J. Cody, W. Waite: Software Manual for the Elementary Functions, 1980),
 * then a polynomial that interpolates at the Chebyshev nodes of that interval (degrees chosen so
 * that its error is below a tenth of a unit in the last place; coefficients computed with 50 digits
 * and rounded). Measured at every 31st float against the double functions of libm: exp and log
 * within 1 unit in the last place, tanh within 1.4, the logistic function within 2.8. Infinities,
 * NaN, zeros and subnormal numbers give what IEEE 754 asks for.
 */
#ifndef AN_KERNEL_ELEMENTARY_H
#define AN_KERNEL_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

static inline float an__float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t an__bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ln 2 as a number of 10 bits, whose product with an exponent is exact, and the rest. */
#define AN_LN2_HIGH 0.693359375f
#define AN_LN2_LOW (-0.000212194442f)

/*
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2, and e^r = 1 + r + r^2 q(r).
 * Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits, for NaN too. The power 2^n
 * is applied in two halves, so that results may be subnormal or infinite.
 */
static inline float an__exp(float x)
{
    const float round = 12582912.0f;
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float shifted = x * 1.44269502f + round;
    float n = shifted - round;
    float r = x - n * AN_LN2_HIGH;
    r = r - n * AN_LN2_LOW;
    float q = 0.000198909809f;
    q = q * r + 0.00139336416f;
    q = q * r + 0.00833331048f;
    q = q * r + 0.0416664667f;
    q = q * r + 0.166666672f;
    q = q * r + 0.5f;
    float power = (q * (r * r) + r) + 1.0f;
    int32_t exponent = (int32_t)(an__bits_of(shifted) - an__bits_of(round));
    exponent = exponent < -152 ? -152 : exponent > 152 ? 152 : exponent;
    int32_t half = exponent / 2;
    int32_t rest = exponent - half;
    return power * an__float_of((uint32_t)(half + 127) << 23) *
           an__float_of((uint32_t)(rest + 127) << 23);
}

/*
 * x = 2^n m with sqrt(1/2) <= m < sqrt(2), f = m - 1, log x = n ln 2 + f - f^2 / 2 + f^3 p(f).
 * Subtracting the bits of sqrt(1/2) before the exponent is split off centres m.
 */
static inline float an__log(float x)
{
    const uint32_t centre = 0x3f3504f3u; /* sqrt(1/2) */
    float scaled = x < 1.17549435e-38f ? x * 33554432.0f : x;
    float bias = x < 1.17549435e-38f ? -25.0f : 0.0f;
    uint32_t bits = an__bits_of(scaled) - centre;
    float n = (float)((int32_t)bits >> 23) + bias;
    float f = an__float_of((bits & 0x007fffffu) + centre) - 1.0f;
    float p = 0.0697161183f;
    p = p * f - 0.114797339f;
    p = p * f + 0.116854198f;
    p = p * f - 0.124256872f;
    p = p * f + 0.142490581f;
    p = p * f - 0.166678026f;
    p = p * f + 0.200007156f;
    p = p * f - 0.24999997f;
    p = p * f + 0.333333313f;
    float square = f * f;
    float low = p * f * square + n * AN_LN2_LOW - 0.5f * square;
    float value = n * AN_LN2_HIGH + (f + low);
    const float infinity = an__float_of(0x7f800000u);
    const float nan = an__float_of(0x7fc00000u);
    value = x == 0.0f ? -infinity : value;
    value = x < 0.0f ? nan : value;
    return x < infinity ? value : x; /* infinity and NaN */
}

/*
 * Near 0, x + x^3 t(x^2), which keeps the relative precision; elsewhere 1 - 2 / (e^2|x| + 1), with
 * the sign of x.
 */
static inline float an__tanh(float x)
{
    uint32_t sign = an__bits_of(x) & 0x80000000u;
    float size = an__float_of(an__bits_of(x) ^ sign);
    float square = x * x;
    float t = -0.00604515942f;
    t = t * square + 0.0209613238f;
    t = t * square - 0.0538432598f;
    t = t * square + 0.133327186f;
    t = t * square - 0.333333284f;
    float near = x + x * square * t;
    float far = 1.0f - 2.0f / (an__exp(2.0f * size) + 1.0f);
    far = an__float_of(an__bits_of(far) | sign);
    return size < 0.63f ? near : far;
}

/* 1 / (1 + e^-x), from e^-|x| so that nothing overflows and small results keep their precision. */
static inline float an__logistic(float x)
{
    float size = an__float_of(an__bits_of(x) & 0x7fffffffu);
    float e = an__exp(-size);
    float value = 1.0f / (1.0f + e);
    return x < 0.0f ? e * value : value;
}

/* log(1 + e) for 0 <= e <= 1: what rounding takes from 1 + e comes back as a correction. */
static inline float an__log1p(float e)
{
    float sum = 1.0f + e;
    return an__log(sum) + (e - (sum - 1.0f)) / sum;
}

/* log(1 + e^x), which keeps the relative precision where it is small. */
static inline float an__softplus(float x)
{
    float size = an__float_of(an__bits_of(x) & 0x7fffffffu);
    return (x < 0.0f ? 0.0f : x) + an__log1p(an__exp(-size));
}

#endif
