/*
 * exp, log, tanh, the logistic function and what activations and losses make of them, in single
 * precision, written without branches or calls so that a compiler turns a loop over them into
 * vector code of any width.
 *
 * Method: reduction of the argument to a short interval in two steps, so that the part that is
 * taken away is exact (W. J. Cody, W. Waite: Software Manual for the Elementary Functions, 1980),
 * then a polynomial that interpolates at the Chebyshev nodes of that interval (degrees chosen so
 * that its error is below a tenth of a unit in the last place; coefficients computed with 50 digits
 * and rounded). Measured at every 31st float against the double functions of libm: exp and log
 * within 1 unit in the last place, tanh within 1.4, expm1 within 2, log(1 + e^x) and the logistic
 * function within 3, GELU within 5, and within 8 where the tail is subnormal. Infinities, NaN,
 * zeros and subnormal numbers give what IEEE 754 asks for.
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

/* Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits, for NaN too. */
#define AN_ROUND 12582912.0f

/* e^r - 1 = r + r^2 q(r), |r| a little above ln 2 / 2 at most. */
static inline float an__exp_short(float r)
{
    float q = 0.000198909809f;
    q = q * r + 0.00139336416f;
    q = q * r + 0.00833331048f;
    q = q * r + 0.0416664667f;
    q = q * r + 0.166666672f;
    q = q * r + 0.5f;
    return q * (r * r) + r;
}

/* power * 2^n, in two halves, so that results may be subnormal or infinite. */
static inline float an__exp_scale(float power, int32_t n)
{
    n = n < -152 ? -152 : n > 152 ? 152 : n;
    int32_t half = n / 2;
    int32_t rest = n - half;
    return power * an__float_of((uint32_t)(half + 127) << 23) *
           an__float_of((uint32_t)(rest + 127) << 23);
}

/* e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2. */
static inline float an__exp(float x)
{
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    float shifted = x * 1.44269502f + AN_ROUND;
    float n = shifted - AN_ROUND;
    float r = x - n * AN_LN2_HIGH;
    r = r - n * AN_LN2_LOW;
    return an__exp_scale(an__exp_short(r) + 1.0f,
                         (int32_t)(an__bits_of(shifted) - an__bits_of(AN_ROUND)));
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

/* e^x - 1 for x <= 0: 2^n (e^r - 1) + (2^n - 1), whose terms cancel nowhere. -1 from -30 down. */
static inline float an__expm1(float x)
{
    x = x < -30.0f ? -30.0f : x;
    float shifted = x * 1.44269502f + AN_ROUND;
    float n = shifted - AN_ROUND;
    float r = x - n * AN_LN2_HIGH;
    r = r - n * AN_LN2_LOW;
    float power = an__float_of((an__bits_of(shifted) - an__bits_of(AN_ROUND) + 127u) << 23);
    return power * an__exp_short(r) + (power - 1.0f);
}

/*
 * The standard normal distribution: its function P(x), and e^(-x^2 / 2).
 *
 * The tail P(-a), a = |x|, is e^(-a^2 / 2) t p(t - 0.59375) with t = 1 / (1 + 0.3 a): the
 * polynomial interpolates the rest, which changes slowly, within 5e-9; 0.59375 is the middle of t's
 * interval. So P keeps its relative precision on both sides. The square is split in two, of which
 * the first is exact, since an error of the exponent is multiplied by it.
 */
typedef struct an_normal {
    float below, power;
} an_normal;

static inline an_normal an__normal(float x)
{
    float a = an__float_of(an__bits_of(x) & 0x7fffffffu);
    a = a > 20.0f ? 20.0f : a;
    float high = an__float_of(an__bits_of(a) & 0xfffff000u);
    float square = -0.5f * (high * high);
    float rest = -0.5f * ((a - high) * (a + high));
    float shifted = square * 1.44269502f + AN_ROUND;
    float n = shifted - AN_ROUND;
    float r = square - n * AN_LN2_HIGH;
    r = (r - n * AN_LN2_LOW) + rest;
    float power = an__exp_scale(an__exp_short(r) + 1.0f,
                                (int32_t)(an__bits_of(shifted) - an__bits_of(AN_ROUND)));
    float t = 1.0f / (1.0f + 0.3f * a);
    float s = t - 0.59375f;
    float p = -0.0209627324f;
    p = p * s + 0.00227221958f;
    p = p * s + 0.0442399165f;
    p = p * s - 0.00949991243f;
    p = p * s - 0.0907416873f;
    p = p * s - 0.0109780904f;
    p = p * s + 0.225666556f;
    p = p * s + 0.409516363f;
    p = p * s + 0.39999135f;
    p = p * s + 0.256056681f;
    float tail = power * t * p;
    return (an_normal){x < 0.0f ? tail : 1.0f - tail, power};
}

/* x P(x) by GELU (Hendrycks, Gimpel: Gaussian Error Linear Units; 2016), and its derivative. */
static inline float an__gelu(float x)
{
    return x * an__normal(x).below;
}

static inline float an__gelu_slope(float x)
{
    an_normal normal = an__normal(x);
    return normal.below + x * (normal.power * 0.39894228f);
}

/*
 * GELU with 1 / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3), in place of P(x): what PyTorch
 * calls tanh, since it is (1 + tanh u) / 2.
 */
static inline float an__gelu_tanh(float x)
{
    return x * an__logistic(1.5957691216f * (x + 0.044715f * x * (x * x)));
}

static inline float an__gelu_tanh_slope(float x)
{
    float square = x * x;
    float u = 1.5957691216f * (x + 0.044715f * x * square);
    float below = an__logistic(u);
    float slope = 1.5957691216f * (1.0f + 0.134145f * square);
    return below + x * below * an__logistic(-u) * slope;
}

/* log(1 + e^x), which keeps the relative precision where it is small. */
static inline float an__softplus(float x)
{
    float size = an__float_of(an__bits_of(x) & 0x7fffffffu);
    return (x < 0.0f ? 0.0f : x) + an__log1p(an__exp(-size));
}

#endif
