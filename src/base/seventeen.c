/*
 * Seventeen digits of a double, which are what it takes to read it back.
 *
 * A double is m * 2^e with m below 2^53, and its digits, if the first one stands at 10^k, are
 * m * 2^e * 10^s with s = DIGITS - 1 - k, rounded to an integer. Up to s = 27, 5^s is below 2^63:
 * the product m * 5^s fits in 128 bits and is exact, and so are the shift by e + s that is left and
 * what it drops. Logs are full of such numbers, so they become text right here; of the others
 * an__decimal_from_double takes care.
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

/* "00" to "99". */
static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* Two digits a division: the divisions follow each other, and are what takes the time. */
static void put_digits(char *text, int count, uint32_t number)
{
    for (; count > 1; number /= 100) {
        count -= 2;
        memcpy(text + count, pairs + 2 * (size_t)(number % 100), 2);
    }
    if (count > 0)
        text[0] = (char)('0' + number);
}

/* floor(e * log10(2)) for |e| up to 1200. */
static int decimal_exponent(int e)
{
    return (e * 1233 + (1 << 21)) / 4096 - (1 << 21) / 4096;
}

/* The digits of a value, the first of which stands at 10^*exponent; false where they take more. */
static bool find_digits(double value, char digits[DIGITS], int *exponent)
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
    put_digits(digits, 9, (uint32_t)(number / 100000000));
    put_digits(digits + 9, 8, (uint32_t)(number % 100000000));
    *exponent = k;
    return true;
}

/* ".ddd", of the digits from `first` to `count`, or nothing where there are none. */
static size_t put_fraction(char *text, const char *digits, int first, int count)
{
    if (count <= first)
        return 0;
    text[0] = '.';
    memcpy(text + 1, digits + first, DIGITS); /* of a length that the compiler knows */
    return (size_t)(count - first) + 1;
}

size_t an__seventeen_text(double value, char *text)
{
    char digits[2 * DIGITS] = {0}; /* so that DIGITS may be copied from anywhere */
    int exponent, count = DIGITS;
    size_t used;
    if (!find_digits(value, digits, &exponent))
        return 0;
    while (digits[count - 1] == '0')
        count--;
    if (exponent >= 0) {
        memcpy(text, digits, DIGITS);
        used = (size_t)exponent + 1;
        used += put_fraction(text + used, digits, exponent + 1, count);
    } else if (exponent >= -4) {
        memcpy(text, "0.000", 5);
        used = (size_t)(1 - exponent);
        memcpy(text + used, digits, DIGITS);
        used += (size_t)count;
    } else {
        text[0] = digits[0];
        used = 1 + put_fraction(text + 1, digits, 1, count);
        memcpy(text + used, "e-", 2);
        put_digits(text + used + 2, 2, (uint32_t)-exponent);
        used += 4;
    }
    text[used] = '\0';
    return used;
}

#else

size_t an__seventeen_text(double value, char *text)
{
    (void)value;
    (void)text;
    return 0;
}

#endif
