#include "cmocka_all.h"

#include <anneal/base.h>

#include <string.h>

static void test_set_returns_false_and_fills(void **state)
{
    (void)state;
    an_error err = {0};
    assert_int_equal(err.code, AN_ERROR_OK);
    an_error_point(&err, "abc", 3, 1);
    assert_false(an_error_set(&err, AN_ERROR_IO, "%s: no such file", "x.yaml"));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_string_equal(err.message, "x.yaml: no such file");
    assert_string_equal(err.excerpt, "");
}

static void test_null_is_allowed(void **state)
{
    (void)state;
    assert_false(an_error_set(NULL, AN_ERROR_IO, "x"));
    an_error_prefix(NULL, "x");
    an_error_point(NULL, "x", 1, 1);
}

static void test_prefix_keeps_code_and_excerpt(void **state)
{
    (void)state;
    an_error err = {0};
    an_error_set(&err, AN_ERROR_SHAPE, "too wide");
    an_error_point(&err, "ab", 2, 2);
    an_error_prefix(&err, "layer %d: ", 3);
    assert_string_equal(err.message, "layer 3: too wide");
    assert_int_equal(err.code, AN_ERROR_SHAPE);
    assert_string_equal(err.excerpt, "ab\n ^");
}

static void test_own_message_as_argument(void **state)
{
    (void)state;
    an_error err = {0};
    an_error_set(&err, AN_ERROR_DATA, "inner");
    an_error_set(&err, AN_ERROR_IO, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void test_long_messages_end_in_dots(void **state)
{
    (void)state;
    an_error err = {0};
    char text[700];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    an_error_set(&err, AN_ERROR_DATA, "%s", text);
    assert_int_equal(strlen(err.message), AN_ERROR_MESSAGE_SIZE - 1);
    assert_string_equal(err.message + AN_ERROR_MESSAGE_SIZE - 5, "a...");

    text[AN_ERROR_MESSAGE_SIZE - 1] = '\0'; /* fits to the last byte */
    an_error_set(&err, AN_ERROR_DATA, "%s", text);
    assert_string_equal(err.message, text);
    an_error_prefix(&err, "b");
    assert_int_equal(err.message[0], 'b');
    assert_string_equal(err.message + AN_ERROR_MESSAGE_SIZE - 5, "a...");
}

/* A code point is never cut in two: whatever precedes it, the dots follow whole ones. */
static void test_dots_stand_after_whole_code_points(void **state)
{
    (void)state;
    char text[700];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x98\x80", 5);
        an_error err = {0};
        an_error_set(&err, AN_ERROR_DATA, "%s", text);
        size_t length = strlen(err.message);
        assert_string_equal(err.message + length - 3, "...");
        assert_int_equal((length - 3 - shift) % 4, 0);
    }
}

static void test_every_code_has_a_text(void **state)
{
    (void)state;
#define HAS_TEXT(name, text) assert_string_equal(an_error_text(AN_ERROR_##name), text);
    AN_ERROR_MAP(HAS_TEXT)
#undef HAS_TEXT
    assert_string_equal(an_error_text((an_error_code)999), "an unknown error");
}

static const char *point(an_error *err, const char *line, size_t column)
{
    an_error_point(err, line, strlen(line), column);
    return err->excerpt;
}

static void test_the_caret_stands_below_the_glyph(void **state)
{
    (void)state;
    an_error err = {0};
    assert_string_equal(point(&err, "a: b", 4), "a: b\n   ^");
    assert_string_equal(point(&err, "a: b", 5), "a: b\n    ^");
    assert_string_equal(point(&err, "a: b", 99), "a: b\n    ^");
    assert_string_equal(point(&err, "", 1), "\n^");
    assert_string_equal(point(&err, "\tlr", 2), "\tlr\n\t^");
    assert_string_equal(point(&err, "\xc3\xa4\xe2\x82\xac: x", 8),
                        "\xc3\xa4\xe2\x82\xac: x\n    ^");
}

static void test_control_and_broken_bytes_become_question_marks(void **state)
{
    (void)state;
    an_error err = {0};
    assert_string_equal(point(&err, "a\x1b[31m\x7f", 3), "a?[31m?\n  ^");
    assert_string_equal(point(&err, "\xff\xc3-", 3), "?\?-\n  ^");
    assert_string_equal(point(&err, "\xc2\x9b", 3), "?\n ^"); /* C1: a terminal's escape */
    assert_string_equal(point(&err, "\xed\xa0\x80", 1), "?\?\?\n^");
    assert_string_equal(point(&err, "\xe0\x80\x80\xf4\x90\x80\x80", 1), "?\?\?\?\?\?\?\n^");
    an_error_point(&err, "a\0b", 3, 3);
    assert_string_equal(err.excerpt, "a?b\n  ^");
}

/* Whatever the place in a long line, the caret's glyph is in the excerpt, above the caret. */
static void test_messages_hold_no_control_or_broken_bytes(void **state)
{
    (void)state;
    an_error err = {0};
    an_error_set(&err, AN_ERROR_IO, "no '%s'", "a\033[31m\nb\xff\xc2\x9b\xc3\xa9");
    assert_string_equal(err.message, "no 'a?[31m?b??\xc3\xa9'");
    an_error_prefix(&err, "%s: ", "x\ry");
    assert_string_equal(err.message, "x?y: no 'a?[31m?b??\xc3\xa9'");
}

static void test_long_lines_are_trimmed_around_the_caret(void **state)
{
    (void)state;
    char line[301];
    for (size_t i = 0; i < 300; i++)
        line[i] = (char)('a' + i % 25);
    line[300] = '\0';
    for (size_t column = 1; column <= 301; column++) {
        an_error err = {0};
        const char *excerpt = point(&err, line, column);
        size_t shown = strcspn(excerpt, "\n");
        size_t caret = strcspn(excerpt + shown + 1, "^");
        assert_in_range(shown, 75, 78);
        if (column <= 300)
            assert_int_equal(excerpt[caret], line[column - 1]);
        else
            assert_int_equal(caret, shown);
    }
}

static void test_the_widest_line_fits(void **state)
{
    (void)state;
    char line[4 * 500 + 1];
    for (size_t i = 0; i < 500; i++)
        memcpy(line + 4 * i, "\xf0\x9f\x98\x80", 5);
    for (size_t column = 1; column <= sizeof line; column += 3) {
        an_error err = {0};
        const char *excerpt = point(&err, line, column);
        assert_true(strlen(excerpt) < AN_ERROR_EXCERPT_SIZE);
        assert_int_equal(excerpt[strlen(excerpt) - 1], '^');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_returns_false_and_fills),
        cmocka_unit_test(test_null_is_allowed),
        cmocka_unit_test(test_prefix_keeps_code_and_excerpt),
        cmocka_unit_test(test_own_message_as_argument),
        cmocka_unit_test(test_long_messages_end_in_dots),
        cmocka_unit_test(test_dots_stand_after_whole_code_points),
        cmocka_unit_test(test_every_code_has_a_text),
        cmocka_unit_test(test_the_caret_stands_below_the_glyph),
        cmocka_unit_test(test_control_and_broken_bytes_become_question_marks),
        cmocka_unit_test(test_messages_hold_no_control_or_broken_bytes),
        cmocka_unit_test(test_long_lines_are_trimmed_around_the_caret),
        cmocka_unit_test(test_the_widest_line_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
