#include "base/decimal.h"

#include <anneal/base.h>

#include <string.h>

/* What is left to read. */
typedef struct reader {
    const char *text;
    size_t length, at;
} reader;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(char c)
{
    return is_digit(c) || c == '_' || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* The byte `ahead` of the next one; 0 past the end. */
static char peek(const reader *in, size_t ahead)
{
    return ahead < in->length - in->at ? in->text[in->at + ahead] : '\0';
}

/* Reads digits with single underscores between them; returns how many. */
static size_t read_digits(reader *in, an_decimal *decimal, bool after_point)
{
    size_t count = 0;
    for (;;) {
        if (count > 0 && peek(in, 0) == '_' && is_digit(peek(in, 1)))
            in->at++;
        if (!is_digit(peek(in, 0)))
            return count;
        an__decimal_push(decimal, (unsigned)(in->text[in->at++] - '0'), after_point);
        count++;
    }
}

/* Reads "e-05" if a whole exponent stands here; else takes nothing and returns 0. */
static int64_t read_exponent(reader *in)
{
    size_t sign = peek(in, 1) == '-' || peek(in, 1) == '+';
    if (lower(peek(in, 0)) != 'e' || !is_digit(peek(in, 1 + sign)))
        return 0;
    bool negative = peek(in, 1) == '-';
    int64_t exponent = 0;
    for (in->at += 1 + sign; is_digit(peek(in, 0)); in->at++)
        if (exponent < INT64_MAX / 100)
            exponent = exponent * 10 + (peek(in, 0) - '0');
    return negative ? -exponent : exponent;
}

/* Reads `word` in any case if it stands here as a whole word. */
static bool read_word(reader *in, const char *word)
{
    size_t length = 0;
    for (; word[length] != '\0'; length++)
        if (lower(peek(in, length)) != word[length])
            return false;
    if (is_word(peek(in, length)))
        return false;
    in->at += length;
    return true;
}

static bool read_special(reader *in, double *value)
{
    static const uint64_t inf_bits = (uint64_t)0x7ff << 52, nan_bits = (uint64_t)0xfff << 51;
    bool inf = read_word(in, "inf") || read_word(in, "infinity");
    if (!inf && !read_word(in, "nan"))
        return false;
    memcpy(value, inf ? &inf_bits : &nan_bits, sizeof *value);
    return true;
}

static bool read_decimal(reader *in, double *value)
{
    an_decimal decimal;
    decimal.count = 0;
    decimal.point = 0;
    decimal.cut = false;
    size_t digits = read_digits(in, &decimal, false);
    if (digits == 0 && !(peek(in, 0) == '.' && is_digit(peek(in, 1))))
        return false;
    if (peek(in, 0) == '.') {
        in->at++;
        read_digits(in, &decimal, true);
    }
    decimal.point += read_exponent(in);
    an__decimal_trim(&decimal);
    *value = an__decimal_to_double(&decimal);
    return true;
}

size_t an_number_parse(const char *text, size_t length, double *value)
{
    reader in = {text, length, 0};
    bool negative = peek(&in, 0) == '-';
    if (negative || peek(&in, 0) == '+')
        in.at++;
    double size = 0.0;
    if (!read_special(&in, &size) && !read_decimal(&in, &size))
        return 0;
    *value = negative ? -size : size;
    return in.at;
}

size_t an_number_print(char *buffer, size_t size, double value)
{
    char text[AN_DECIMAL_TEXT];
    size_t length = an__double_text(value, 17, text);
    if (length < size)
        memcpy(buffer, text, length + 1);
    else
        an_format(buffer, size, "%s", text);
    return length;
}

/* The sign bit, which -0.0 has too. */
static bool is_negative(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 != 0;
}

/* Tries ever more digits; 17 always suffice. */
size_t an_number_print_short(char *buffer, size_t size, double value)
{
    char text[AN_DECIMAL_TEXT];
    an_decimal exact;
    bool finite = value - value == 0.0;
    if (!finite)
        return an_number_print(buffer, size, value);
    an__decimal_from_double(&exact, value);
    for (int digits = 1; digits <= 17; digits++) {
        an_decimal rounded = exact;
        double back = 0.0;
        an__decimal_round(&rounded, digits);
        an__decimal_layout(&rounded, 16, is_negative(value), text);
        an_number_parse(text, strlen(text), &back);
        if (back == value)
            break;
    }
    return an_format(buffer, size, "%s", text);
}
