/*
 * Seventeen digits of a double, which are what it takes to read it back.
 *
 * A double is m * 2^e with m below 2^53, and its digits, if the first one stands at 10^k, are
 * m * 2^e * 10^s with s = DIGITS - 1 - k, rounded to an integer. Up to s = 27, 5^s is below 2^63:
 * the product m * 5^s fits in 128 bits and is exact, and so are the shift by e + s that is left and
 * what it drops. Logs are full of such numbers; of the others an__decimal_from_double takes care.
 */
#include "base/decimal.h"

#include <string.h>

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;

#define DIGITS 17
#define SCALE_MOST 27
#define TEN_16 10000000000000000u

/* 5^s, 0 <= s <= SCALE_MOST. */
static uint64_t power_of_five(int s)
{
    static const uint64_t power[SCALE_MOST + 1] = {1u,
                                                   5u,
                                                   25u,
                                                   125u,
                                                   625u,
                                                   3125u,
                                                   15625u,
                                                   78125u,
                                                   390625u,
                                                   1953125u,
                                                   9765625u,
                                                   48828125u,
                                                   244140625u,
                                                   1220703125u,
                                                   6103515625u,
                                                   30517578125u,
                                                   152587890625u,
                                                   762939453125u,
                                                   3814697265625u,
                                                   19073486328125u,
                                                   95367431640625u,
                                                   476837158203125u,
                                                   2384185791015625u,
                                                   11920928955078125u,
                                                   59604644775390625u,
                                                   298023223876953125u,
                                                   1490116119384765625u,
                                                   7450580596923828125u};
    return power[s];
}

/* m * 5^s * 2^shift, rounded to the nearest integer, ties to even; it must fit in 64 bits. */
static uint64_t scaled(uint64_t m, int s, int shift)
{
    wide product = (wide)m * power_of_five(s);
    if (shift >= 0)
        return (uint64_t)(product << shift);
    uint64_t whole = (uint64_t)(product >> -shift);
    wide rest = product - ((wide)whole << -shift), half = (wide)1 << (-shift - 1);
    return whole + (rest > half || (rest == half && whole % 2 == 1));
}

/* Two digits a division: the divisions follow each other, and are what takes the time. */
static void put_digits(unsigned char *digits, int count, uint32_t number)
{
    for (; count > 1; number /= 100) {
        uint32_t pair = number % 100;
        digits[--count] = (unsigned char)(pair % 10);
        digits[--count] = (unsigned char)(pair / 10);
    }
    if (count > 0)
        digits[0] = (unsigned char)number;
}

/* floor(e * log10(2)) for |e| up to 1200. */
static int decimal_exponent(int e)
{
    return (e * 1233 + (1 << 21)) / 4096 - (1 << 21) / 4096;
}

bool an__decimal_seventeen(an_decimal *decimal, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int e = (int)(bits >> 52 & 0x7ff) - 1075;
    uint64_t m = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    int k = decimal_exponent(e + 52);
    if (k < DIGITS - 1 - SCALE_MOST || k > DIGITS - 2)
        return false;
    uint64_t number = scaled(m, DIGITS - 1 - k, e + DIGITS - 1 - k);
    if (number >= 10 * TEN_16) {
        k++; /* the exponent of 2 says the one of 10 but for one */
        number = scaled(m, DIGITS - 1 - k, e + DIGITS - 1 - k);
    }
    put_digits(decimal->digits, 9, (uint32_t)(number / 100000000));
    put_digits(decimal->digits + 9, 8, (uint32_t)(number % 100000000));
    decimal->count = DIGITS;
    decimal->point = k + 1;
    decimal->cut = false;
    an__decimal_trim(decimal);
    return true;
}

#else

bool an__decimal_seventeen(an_decimal *decimal, double value)
{
    (void)decimal;
    (void)value;
    return false;
}

#endif
