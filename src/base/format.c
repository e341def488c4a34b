#include "base/format.h"

#include "base/decimal.h"

#include <string.h>

/* Where the text goes: `length` counts on when the buffer is full. */
typedef struct sink {
    char *buffer;
    size_t size, length;
} sink;

static void put(sink *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_text(sink *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

static void put_unsigned(sink *out, unsigned long long value)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put_text(out, digits + at, sizeof digits - at);
}

static void put_signed(sink *out, long long value)
{
    if (value < 0)
        put(out, '-');
    put_unsigned(out, value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value);
}

/* At most `limit` bytes of `text`, and never one after the terminating zero. */
static void put_string(sink *out, const char *text, size_t limit)
{
    if (!text)
        text = "(null)";
    for (size_t i = 0; i < limit && text[i] != '\0'; i++)
        put(out, text[i]);
}

/* The analyser of clang 14 loses sight of a va_list behind a pointer.
 * NOLINTBEGIN(clang-analyzer-valist.Uninitialized) */

/* What stands between % and the conversion: a precision (-1: none), and the size of an integer. */
typedef struct directive {
    int precision;
    char size; /* 0 int, 'l' long, 'L' long long, 'z' size_t */
} directive;

static const char *read_directive(const char *at, directive *read, va_list *args)
{
    read->precision = -1;
    read->size = 0;
    if (*at == '.') {
        at++;
        if (*at == '*') {
            read->precision = va_arg(*args, int);
            at++;
        } else {
            read->precision = 0;
            while (*at >= '0' && *at <= '9' && read->precision < 1000)
                read->precision = read->precision * 10 + (*at++ - '0');
        }
    }
    if (*at == 'z') {
        read->size = *at++;
    } else if (*at == 'l') {
        at++;
        read->size = 'l';
        if (*at == 'l') {
            at++;
            read->size = 'L';
        }
    }
    return at;
}

static long long next_signed(const directive *read, va_list *args)
{
    if (read->size == 'l')
        return va_arg(*args, long);
    if (read->size == 'L')
        return va_arg(*args, long long);
    if (read->size == 'z')
        return va_arg(*args, ptrdiff_t);
    return va_arg(*args, int);
}

static unsigned long long next_unsigned(const directive *read, va_list *args)
{
    if (read->size == 'l')
        return va_arg(*args, unsigned long);
    if (read->size == 'L')
        return va_arg(*args, unsigned long long);
    if (read->size == 'z')
        return va_arg(*args, size_t);
    return va_arg(*args, unsigned);
}

static void put_double(sink *out, const directive *read, double value)
{
    char text[AN_DECIMAL_TEXT];
    int digits = read->precision < 0 ? 6 : read->precision;
    digits = digits < 1 ? 1 : digits > 17 ? 17 : digits;
    put_text(out, text, an__double_text(value, digits, text));
}

/* Writes one conversion; false if it is not one of the documented. */
static bool put_conversion(sink *out, char conversion, const directive *read, va_list *args)
{
    switch (conversion) {
    case 's':
        put_string(out, va_arg(*args, const char *),
                   read->precision < 0 ? SIZE_MAX : (size_t)read->precision);
        return true;
    case 'c':
        put(out, (char)va_arg(*args, int));
        return true;
    case 'd':
    case 'i':
        put_signed(out, next_signed(read, args));
        return true;
    case 'u':
        put_unsigned(out, next_unsigned(read, args));
        return true;
    case 'g':
        put_double(out, read, va_arg(*args, double));
        return true;
    case '%':
        put(out, '%');
        return true;
    default:
        return false;
    }
}

/* NOLINTEND(clang-analyzer-valist.Uninitialized) */

/*
 * After a conversion that is not documented, the arguments can no longer be read: the rest of the
 * format is then written as it stands, so that the mistake shows.
 */
size_t an__format_list(char *buffer, size_t size, const char *format, va_list args)
{
    sink out = {buffer, size, 0};
    va_list rest;
    va_copy(rest, args);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%') {
            put(&out, *at);
            continue;
        }
        directive read;
        const char *conversion = read_directive(at + 1, &read, &rest);
        if (!put_conversion(&out, *conversion, &read, &rest)) {
            put_string(&out, at, SIZE_MAX);
            break;
        }
        at = conversion;
    }
    va_end(rest);
    if (size > 0)
        buffer[out.length < size ? out.length : size - 1] = '\0';
    return out.length;
}

size_t an_format(char *buffer, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t length = an__format_list(buffer, size, format, args);
    va_end(args);
    return length;
}
