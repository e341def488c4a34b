/* Errors that point at their place, in the text itself or in the file that it came from. */
#include "../base/cmocka_all.h"

#include <anneal/spec.h>

#include <string.h>

static void test_without_a_file_the_column_is_named(void **state)
{
    (void)state;
    an_error err = {0};
    an_spec_source source = an_spec_source_text("SGD(lr=x)");
    assert_false(an_spec_error(&source, 7, &err, "'%s' is bad", "lr"));
    assert_int_equal(err.code, AN_ERROR_CONFIG);
    assert_string_equal(err.message, "column 8: 'lr' is bad");
    assert_string_equal(err.excerpt, "SGD(lr=x)\n       ^");
    assert_false(an_spec_error(&source, 7, NULL, "x"));
}

static void test_columns_count_glyphs(void **state)
{
    (void)state;
    an_error err = {0};
    an_spec_source source = an_spec_source_text("\xc3\xa4\xe2\x82\xac x");
    an_spec_error(&source, 6, &err, "here");
    assert_string_equal(err.message, "column 4: here");
    assert_string_equal(err.excerpt, "\xc3\xa4\xe2\x82\xac x\n   ^");
}

static void test_several_lines(void **state)
{
    (void)state;
    an_error err = {0};
    const char *text = "f(\r\n\ta=1,\r\n  b)";
    an_spec_source source = an_spec_source_text(text);
    an_spec_error(&source, 5, &err, "here");
    assert_string_equal(err.message, "line 2, column 2: here");
    assert_string_equal(err.excerpt, "\ta=1,\n\t^");
    an_spec_error(&source, (size_t)(strchr(text, 'b') - text), &err, "here");
    assert_string_equal(err.message, "line 3, column 3: here");
    source.file = "call.txt";
    an_spec_error(&source, 0, &err, "here");
    assert_string_equal(err.message, "call.txt:1: here");
    assert_string_equal(err.excerpt, "f(\n^");
}

static void test_the_end_and_beyond(void **state)
{
    (void)state;
    an_error err = {0};
    an_spec_source source = an_spec_source_text("f(");
    an_spec_error(&source, 2, &err, "here");
    assert_string_equal(err.excerpt, "f(\n  ^");
    an_spec_error(&source, 999, &err, "here");
    assert_string_equal(err.excerpt, "f(\n  ^");
    source = an_spec_source_text("");
    an_spec_error(&source, 0, &err, "here");
    assert_string_equal(err.message, "column 1: here");
    assert_string_equal(err.excerpt, "\n^");
}

static const char *const yaml = "epochs: 3\n"
                                "schedule: >\n"
                                "  StepLR(\n"
                                "  stepsize=1)\n";

/* The scalar as YAML folds it, and where its bytes stand in the file. */
static an_spec_source folded(size_t *map)
{
    const char *text = "StepLR( stepsize=1)";
    size_t first = (size_t)(strstr(yaml, "StepLR") - yaml);
    size_t second = (size_t)(strstr(yaml, "stepsize") - yaml);
    for (size_t i = 0; i < strlen(text); i++)
        map[i] = i < 8 ? first + i : second + i - 8;
    an_spec_source source = an_spec_source_text(text);
    source.file = "a.yaml";
    source.origin = yaml;
    source.origin_length = strlen(yaml);
    source.map = map;
    return source;
}

static void test_errors_point_into_the_origin(void **state)
{
    (void)state;
    size_t map[32];
    an_error err = {0};
    an_spec_source source = folded(map);
    an_spec_error(&source, 8, &err, "here");
    assert_string_equal(err.message, "a.yaml:4: here");
    assert_string_equal(err.excerpt, "  stepsize=1)\n  ^");
    an_spec_error(&source, 2, &err, "here");
    assert_string_equal(err.message, "a.yaml:3: here");
    an_spec_error(&source, source.length, &err, "at the end");
    assert_string_equal(err.message, "a.yaml:4: at the end");
    assert_string_equal(err.excerpt, "  stepsize=1)\n             ^");
    source.length = 0;
    an_spec_error(&source, 0, &err, "nothing");
    assert_string_equal(err.message, "a.yaml: nothing");
    assert_string_equal(err.excerpt, "");
}

/* The whole way: parse and bind a scalar of a file. */
static void test_a_wrong_parameter_in_a_file(void **state)
{
    (void)state;
    size_t map[32];
    an_error err = {0};
    an_spec_source source = folded(map);
    an_spec *spec = an_spec_parse(&source, NULL, &err);
    assert_non_null(spec);
    const an_spec_param params[] = {{"step_size", true}, {"gamma", false}};
    const an_spec_node *values[2];
    assert_false(an_spec_bind(an_spec_where(spec), an_spec_root(spec), params, 2, values, &err));
    assert_string_equal(err.message, "a.yaml:4: StepLR has no parameter 'stepsize'; did you mean "
                                     "'step_size'?");
    assert_string_equal(err.excerpt, "  stepsize=1)\n  ^");
    an_spec_free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_file_the_column_is_named),
        cmocka_unit_test(test_columns_count_glyphs),
        cmocka_unit_test(test_several_lines),
        cmocka_unit_test(test_the_end_and_beyond),
        cmocka_unit_test(test_errors_point_into_the_origin),
        cmocka_unit_test(test_a_wrong_parameter_in_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
