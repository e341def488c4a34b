#include "base/decimal.h"

#include <float.h>
#include <string.h>

/* The most bits by which one pass shifts: 10 * 2^60 fits in 64 bits. */
#define SHIFT_MAX 60
/* Beyond these powers of ten a value is infinite or zero. */
#define POINT_MAX 310
#define POINT_MIN (-330)

/* Stores the digit at place `index`, or notes that it is lost. */
static void store(an_decimal *decimal, int index, unsigned digit)
{
    if (index < AN_DECIMAL_DIGITS)
        decimal->digits[index] = (unsigned char)digit;
    else if (digit != 0)
        decimal->cut = true;
}

void an__decimal_trim(an_decimal *decimal)
{
    while (decimal->count > 0 && decimal->digits[decimal->count - 1] == 0)
        decimal->count--;
    if (decimal->count == 0)
        decimal->point = 0;
}

void an__decimal_push(an_decimal *decimal, unsigned digit, bool after_point)
{
    if (decimal->count == 0 && digit == 0) {
        decimal->point -= after_point ? 1 : 0;
        return;
    }
    store(decimal, decimal->count, digit);
    if (decimal->count < AN_DECIMAL_DIGITS)
        decimal->count++;
    decimal->point += after_point ? 0 : 1;
}

/* Divides by 2^bits: long division, one digit in, one digit out. */
static void divide(an_decimal *decimal, int bits)
{
    uint64_t rest = 0;
    int written = 0;
    for (int i = 0; i < decimal->count || rest != 0; i++) {
        rest = rest * 10 + (i < decimal->count ? decimal->digits[i] : 0);
        unsigned digit = (unsigned)(rest >> bits);
        rest &= ((uint64_t)1 << bits) - 1;
        if (written == 0 && digit == 0)
            decimal->point--;
        else
            store(decimal, written++, digit);
    }
    decimal->count = written < AN_DECIMAL_DIGITS ? written : AN_DECIMAL_DIGITS;
    an__decimal_trim(decimal);
}

/* Moves all digits `places` to the right, to make room in front. */
static void make_room(an_decimal *decimal, int places)
{
    int kept = AN_DECIMAL_DIGITS - places;
    for (int i = kept; i < decimal->count; i++)
        if (decimal->digits[i] != 0)
            decimal->cut = true;
    if (decimal->count > kept)
        decimal->count = kept;
    memmove(decimal->digits + places, decimal->digits, (size_t)decimal->count);
    decimal->count += places;
    decimal->point += places;
}

/* Multiplies by 2^bits, from the last digit to the first. */
static void multiply(an_decimal *decimal, int bits)
{
    uint64_t carry = 0;
    for (int i = decimal->count; i-- > 0;) {
        carry += (uint64_t)decimal->digits[i] << bits;
        decimal->digits[i] = (unsigned char)(carry % 10);
        carry /= 10;
    }
    int places = 0;
    for (uint64_t left = carry; left != 0; left /= 10)
        places++;
    make_room(decimal, places);
    for (int i = places; i-- > 0; carry /= 10)
        decimal->digits[i] = (unsigned char)(carry % 10);
    an__decimal_trim(decimal);
}

/* Multiplies by 2^bits, for negative `bits` too. */
static void shift(an_decimal *decimal, int bits)
{
    while (bits > 0) {
        int step = bits < SHIFT_MAX ? bits : SHIFT_MAX;
        multiply(decimal, step);
        bits -= step;
    }
    while (bits < 0) {
        int step = -bits < SHIFT_MAX ? -bits : SHIFT_MAX;
        divide(decimal, step);
        bits += step;
    }
}

void an__decimal_round(an_decimal *decimal, int64_t digits)
{
    if (digits >= decimal->count)
        return;
    if (digits < 0) {
        decimal->count = 0;
        decimal->point = 0;
        return;
    }
    int keep = (int)digits;
    bool half = decimal->digits[keep] == 5 && keep + 1 == decimal->count && !decimal->cut;
    bool odd = keep > 0 && decimal->digits[keep - 1] % 2 == 1;
    bool up = half ? odd : decimal->digits[keep] >= 5;
    decimal->cut = false;
    decimal->count = keep;
    if (up) {
        while (decimal->count > 0 && decimal->digits[decimal->count - 1] == 9)
            decimal->count--;
        if (decimal->count > 0) {
            decimal->digits[decimal->count - 1]++;
        } else {
            decimal->digits[0] = 1;
            decimal->count = 1;
            decimal->point++;
        }
    }
    an__decimal_trim(decimal);
}

void an__decimal_from_double(an_decimal *decimal, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t mantissa = bits & (((uint64_t)1 << 52) - 1);
    if (exponent > 0)
        mantissa |= (uint64_t)1 << 52;
    else
        exponent = 1;

    uint64_t place = 1;
    while (mantissa / place >= 10)
        place *= 10;
    decimal->count = 0;
    decimal->point = 0;
    decimal->cut = false;
    for (; place > 0; place /= 10)
        an__decimal_push(decimal, (unsigned)(mantissa / place % 10), false);
    an__decimal_trim(decimal);
    shift(decimal, exponent - 1075);
}

/* Brings a value that is not 0 into [1/2, 1) and returns the power of two that was divided out. */
static int normalise(an_decimal *decimal)
{
    int exponent = 0;
    while (decimal->point > 0) {
        int bits = decimal->point > 18 ? 54 : 3 * (int)decimal->point;
        shift(decimal, -bits);
        exponent += bits;
    }
    while (decimal->point < 0 || decimal->digits[0] < 5) {
        int bits = decimal->point < -18 ? 54 : decimal->point < 0 ? -3 * (int)decimal->point : 1;
        shift(decimal, bits);
        exponent -= bits;
    }
    return exponent;
}

/* The value rounded to an integer, ties to even; it must fit. */
static uint64_t to_integer(an_decimal *decimal)
{
    an__decimal_round(decimal, decimal->point);
    uint64_t integer = 0;
    for (int64_t i = 0; i < decimal->point; i++)
        integer = integer * 10 + (i < decimal->count ? decimal->digits[i] : 0);
    return integer;
}

/*
 * For at most 15 digits and a power of ten up to 10^22, both are exact doubles and one operation
 * rounds once (Clinger 1990). Needs arithmetic that is not wider than double.
 */
static bool to_double_fast(const an_decimal *decimal, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t exponent = decimal->point - decimal->count;
    if (FLT_EVAL_METHOD != 0 || decimal->count > 15 || exponent < -22 || exponent > 22)
        return false;
    int64_t integer = 0;
    for (int i = 0; i < decimal->count; i++)
        integer = integer * 10 + decimal->digits[i];
    *value = exponent < 0 ? (double)integer / power[-exponent] : (double)integer * power[exponent];
    return true;
}

double an__decimal_to_double(an_decimal *decimal)
{
    double value = 0.0;
    if (decimal->count == 0 || decimal->point < POINT_MIN || to_double_fast(decimal, &value))
        return value;
    uint64_t bits = (uint64_t)0x7ff << 52; /* infinity */
    int exponent = decimal->point > POINT_MAX ? DBL_MAX_EXP + 1 : normalise(decimal);
    if (exponent < DBL_MIN_EXP) { /* subnormal: fewer bits, no hidden one */
        int width = DBL_MANT_DIG - (DBL_MIN_EXP - exponent);
        shift(decimal, width);
        bits = to_integer(decimal);
    } else if (exponent <= DBL_MAX_EXP) {
        shift(decimal, DBL_MANT_DIG);
        uint64_t hidden = (uint64_t)1 << 52; /* a carry out of the mantissa raises the exponent */
        bits = ((uint64_t)(exponent + 1022) << 52) + (to_integer(decimal) - hidden);
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The exponent part: e+05, e-12, e+300. */
static size_t write_exponent(char *text, int exponent)
{
    size_t length = 0;
    text[length++] = 'e';
    text[length++] = exponent < 0 ? '-' : '+';
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    if (size >= 100)
        text[length++] = (char)('0' + size / 100);
    text[length++] = (char)('0' + size / 10 % 10);
    text[length++] = (char)('0' + size % 10);
    return length;
}

/* The digits of places `first` to `last`, with zeros before and after those that there are. */
static size_t write_places(char *text, const an_decimal *decimal, int first, int last)
{
    size_t length = 0;
    for (; first <= last && first < 0; first++)
        text[length++] = '0';
    for (; first <= last && first < decimal->count; first++)
        text[length++] = (char)('0' + decimal->digits[first]);
    for (; first <= last; first++)
        text[length++] = '0';
    return length;
}

size_t an__decimal_layout(const an_decimal *decimal, int limit, bool negative, char *text)
{
    size_t length = 0;
    if (negative)
        text[length++] = '-';
    int exponent = decimal->count == 0 ? 0 : (int)decimal->point - 1;
    bool plain = exponent >= -4 && exponent < limit;
    /* Places count from the first digit: where the text begins, has its point, and ends. */
    int begin = plain && exponent < 0 ? exponent : 0;
    int point = plain ? exponent : 0;
    int end = decimal->count - 1 > point ? decimal->count - 1 : point;
    length += write_places(text + length, decimal, begin, point);
    if (point < end) {
        text[length++] = '.';
        length += write_places(text + length, decimal, point + 1, end);
    }
    if (!plain)
        length += write_exponent(text + length, exponent);
    text[length] = '\0';
    return length;
}

size_t an__double_text(double value, int digits, char *text)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bool negative = bits >> 63 != 0;
    if ((bits >> 52 & 0x7ff) == 0x7ff) {
        const char *word = bits << 12 != 0 ? "nan" : negative ? "-inf" : "inf";
        size_t length = strlen(word);
        memcpy(text, word, length + 1);
        return length;
    }
    text[0] = '-';
    size_t length = digits == 17 ? an__seventeen_text(value, text + negative) : 0;
    if (length > 0)
        return length + negative;
    an_decimal decimal;
    an__decimal_from_double(&decimal, value);
    an__decimal_round(&decimal, digits);
    return an__decimal_layout(&decimal, digits, negative, text);
}
