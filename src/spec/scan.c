#include "spec/scan.h"

#include "base/utf8.h"

#include <string.h>

bool an__is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool an__is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char an__scan_peek(const an_scanner *scanner, size_t ahead)
{
    const an_spec_source *source = scanner->source;
    return ahead < source->length - scanner->at ? source->text[scanner->at + ahead] : '\0';
}

char an__scan_blanks(an_scanner *scanner)
{
    for (;;) {
        char c = an__scan_peek(scanner, 0);
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return c;
        scanner->at++;
    }
}

bool an__scan_char(an_scanner *scanner, char c)
{
    if (an__scan_blanks(scanner) != c)
        return false;
    scanner->at++;
    return true;
}

an_span an__scan_word(an_scanner *scanner)
{
    an_span word = {scanner->source->text + scanner->at, scanner->at, 0};
    if (!an__is_letter(an__scan_peek(scanner, 0)))
        return word;
    while (an__is_letter(an__scan_peek(scanner, 0)) || an__is_digit(an__scan_peek(scanner, 0)))
        scanner->at++;
    word.length = scanner->at - word.offset;
    return word;
}

bool an__scan_name(an_scanner *scanner, an_span *prefix, an_span *name)
{
    *name = an__scan_word(scanner);
    *prefix = *name;
    prefix->length = 0;
    while (an__scan_peek(scanner, 0) == '.') {
        prefix->length = scanner->at - prefix->offset;
        scanner->at++;
        *name = an__scan_word(scanner);
        if (name->length == 0)
            return an__scan_unexpected(scanner, "a name after the dot");
    }
    return true;
}

void *an__scan_alloc(an_scanner *scanner, size_t size)
{
    void *memory = an_arena_alloc(scanner->arena, size);
    if (!memory)
        an_error_set(scanner->err, AN_ERROR_MEMORY, "memory ran out while a call was read");
    return memory;
}

const char *an__scan_keep(an_scanner *scanner, an_span span)
{
    char *copy = an__scan_alloc(scanner, span.length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, span.text, span.length);
    copy[span.length] = '\0';
    return copy;
}

bool an__span_is(an_span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.text, word, span.length) == 0;
}

/* Reads the digits of a number without a sign; `*integer` if it is written as one. */
static bool scan_digits(an_scanner *scanner, double *value, bool *integer)
{
    const an_spec_source *source = scanner->source;
    const char *text = source->text + scanner->at;
    size_t length = 0;
    if (an__is_digit(an__scan_peek(scanner, 0)) ||
        (an__scan_peek(scanner, 0) == '.' && an__is_digit(an__scan_peek(scanner, 1))))
        length = an_number_parse(text, source->length - scanner->at, value);
    if (length == 0)
        return an__scan_unexpected(scanner, "a number");
    *integer = true;
    for (size_t i = 0; i < length; i++)
        if (!an__is_digit(text[i]) && text[i] != '_')
            *integer = false;
    scanner->at += length;
    return true;
}

/* Reads "/ number", if a slash follows; a unit before it would be lost, so none may stand there. */
static bool scan_divisor(an_scanner *scanner, an_spec_node *node)
{
    size_t end = scanner->at;
    if (an__scan_blanks(scanner) != '/') {
        scanner->at = end;
        return true;
    }
    scanner->at++;
    an__scan_blanks(scanner);
    size_t offset = scanner->at;
    double divisor = 1.0;
    if (!scan_digits(scanner, &divisor, &node->integer))
        return false;
    if (divisor == 0.0)
        return an_spec_error(scanner->source, offset, scanner->err,
                             "a number cannot be divided by zero");
    node->number /= divisor;
    node->integer = false;
    return true;
}

bool an__scan_number(an_scanner *scanner, an_spec_node *node)
{
    char sign = an__scan_peek(scanner, 0);
    if (sign == '-' || sign == '+') {
        scanner->at++;
        an__scan_blanks(scanner);
    }
    size_t begin = scanner->at;
    an_span word = an__scan_word(scanner);
    node->kind = AN_SPEC_NUMBER;
    if (an__span_is(word, "inf") || an__span_is(word, "nan")) {
        an_number_parse(word.text, word.length, &node->number);
        node->unit = "";
    } else {
        scanner->at = begin;
        if (!scan_digits(scanner, &node->number, &node->integer) || !scan_divisor(scanner, node))
            return false;
        node->unit = an__scan_keep(scanner, an__scan_word(scanner));
    }
    if (sign == '-')
        node->number = -node->number;
    return node->unit != NULL;
}

/* The byte that `\c` stands for; 0 if this escape is not known. */
static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case '\\':
    case '\'':
    case '"':
        return c;
    default:
        return '\0';
    }
}

bool an__scan_string(an_scanner *scanner, an_spec_node *node)
{
    const an_spec_source *source = scanner->source;
    size_t begin = scanner->at++;
    char quote = source->text[begin];
    size_t end = scanner->at;
    while (end < source->length && source->text[end] != quote && source->text[end] != '\n')
        end += source->text[end] == '\\' && end + 1 < source->length ? 2 : 1;
    if (end >= source->length || source->text[end] != quote)
        return an_spec_error(source, begin, scanner->err,
                             "this string has no closing %c on its line", quote);
    char *text = an__scan_alloc(scanner, end - begin);
    if (!text)
        return false;
    size_t length = 0;
    for (; scanner->at < end; scanner->at++) {
        char c = source->text[scanner->at];
        if (c == '\\') {
            c = unescape(source->text[++scanner->at]);
            if (c == '\0')
                return an_spec_error(source, scanner->at - 1, scanner->err,
                                     "this escape is not known; a string knows \\\\ \\' \\\" \\n "
                                     "\\t \\r, and \\\\ stands for one backslash");
        }
        if (c == '\0')
            return an_spec_error(source, scanner->at, scanner->err,
                                 "a string cannot hold the byte 0");
        text[length++] = c;
    }
    scanner->at++;
    text[length] = '\0';
    node->kind = AN_SPEC_STRING;
    node->text = text;
    return true;
}

/* What people paste that this grammar does not read, and what to write instead. */
static const struct {
    const char *text, *remedy;
} remedies[] = {
    {"{", "; a dictionary is written dict(name=value)"},
    {"}", "; a dictionary is written dict(name=value)"},
    {"**", "; powers and unpacking are not read: write the values"},
    {"*", "; products and unpacking are not read: write the values"},
    {"+", "; sums are not read: write the value"},
    {"-", "; differences are not read: write the value"},
    {"/", "; only one number over another, as in 1/3, is read"},
    {"#", "; comments are not read inside of a call"},
    {"=", "; only a plain name can stand before '='"},
    {"\xe2\x80\x9c", "; write straight quotes: \""},
    {"\xe2\x80\x9d", "; write straight quotes: \""},
    {"\xe2\x80\x98", "; write straight quotes: '"},
    {"\xe2\x80\x99", "; write straight quotes: '"},
    {"\xe2\x88\x92", "; write the minus sign as -"},
};

static const char *remedy_for(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
        size_t size = strlen(remedies[i].text);
        if (size <= length && memcmp(remedies[i].text, text, size) == 0)
            return remedies[i].remedy;
    }
    return "";
}

bool an__scan_unexpected(const an_scanner *scanner, const char *expected)
{
    const an_spec_source *source = scanner->source;
    const char *text = source->text + scanner->at;
    size_t left = source->length - scanner->at;
    if (left == 0)
        return an_spec_error(source, scanner->at, scanner->err,
                             "expected %s, but the text ends here", expected);
    an_scanner ahead = *scanner;
    an_span word = an__scan_word(&ahead);
    size_t length = word.length > 0 ? word.length : an__utf8_length(text, left);
    unsigned char first = (unsigned char)text[0];
    if (length == 0 || first < ' ' || first == 0x7f)
        return an_spec_error(source, scanner->at, scanner->err,
                             "expected %s, but here stands the byte %u", expected, first);
    int shown = length < 40 ? (int)length : 40;
    return an_spec_error(source, scanner->at, scanner->err, "expected %s, but here stands '%.*s'%s",
                         expected, shown, text, remedy_for(text, left));
}
