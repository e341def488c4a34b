/*
 * Decimal numbers with many digits, exact enough for every double.
 *
 * A double is m * 2^e, and as a decimal it has at most 767 significant digits. Multiplying and
 * dividing a string of decimal digits by powers of two is school arithmetic, so both directions,
 * text to double and double to text, are exact with integers alone: no libm, no stdio, no locale,
 * no rounding mode. (The method is known as "simple decimal conversion".)
 */
#ifndef AN_BASE_DECIMAL_H
#define AN_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AN_DECIMAL_DIGITS 800
#define AN_DECIMAL_TEXT 40 /* room for any text that an__decimal_layout writes */

/*
 * The value 0.d0 d1 d2 ... * 10^point. d0 is not 0, nor is the last digit; no digits: zero. `cut`
 * says that digits that did not fit, not all of them 0, were lost at the end.
 */
typedef struct an_decimal {
    int count;
    int64_t point;
    bool cut;
    unsigned char digits[AN_DECIMAL_DIGITS];
} an_decimal;

/* Appends one digit: the value's next place if `after_point`, else value * 10 + digit. */
void an__decimal_push(an_decimal *decimal, unsigned digit, bool after_point);

/* Drops zeros at the end; after the last an__decimal_push. */
void an__decimal_trim(an_decimal *decimal);

/* The exact value of a finite double, without its sign. */
void an__decimal_from_double(an_decimal *decimal, double value);

/* The nearest double, ties to even; infinity beyond the largest. Destroys `decimal`. */
double an__decimal_to_double(an_decimal *decimal);

/*
 * An exact short cut: writes a size from 1e-11 to 1e17 as %.17g does, into AN_DECIMAL_TEXT bytes,
 * and returns the length. 0 for other sizes, and where the compiler has no integers of 128 bits.
 */
size_t an__seventeen_text(double value, char *text);

/* Rounds to `digits` significant digits, ties to even. */
void an__decimal_round(an_decimal *decimal, int64_t digits);

/*
 * Writes the digits as C's %g does: plain if the exponent of the first digit lies in -4 ...
 * limit-1, else as d.ddde+XX. `text` holds AN_DECIMAL_TEXT bytes, `decimal` at most 17 digits and
 * `limit` is at most 17. Returns the length; the text is terminated.
 */
size_t an__decimal_layout(const an_decimal *decimal, int limit, bool negative, char *text);

/* Writes any double as %.{digits}g does in the C locale (NaN as "nan"); 1 <= digits <= 17. */
size_t an__double_text(double value, int digits, char *text);

#endif
