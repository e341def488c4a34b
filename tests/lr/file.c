/* Lists of numbers that stand in files: what is read, what is refused and where, and texts with
 * such lists in them. */
#include "../base/cmocka_all.h"
#include "../base/failing_allocator.h"
#include <anneal/lr_text.h>
#include <string.h>

static void expect_numbers(const char *text, size_t count, const double *expected)
{
    an_arena arena;
    an_error err = {0};
    size_t found = 0;
    an_arena_init(&arena, an_allocator_default());
    const an_spec_source file = {.file = "a.csv", .text = text, .length = strlen(text)};
    const double *numbers = an_lr_file_numbers(&file, &found, &arena, &err);
    if (!numbers)
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(found, count);
    for (size_t i = 0; i < count; i++)
        assert_true(numbers[i] == expected[i]);
    an_arena_free(&arena);
}

static void expect_refused(const char *text, size_t length, const char *part)
{
    an_arena arena;
    an_error err = {0};
    size_t count;
    an_arena_init(&arena, an_allocator_default());
    const an_spec_source file = {.file = "a.csv", .text = text, .length = length};
    assert_null(an_lr_file_numbers(&file, &count, &arena, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    if (!strstr(err.message, part))
        fail_msg("'%s' does not say '%s'", err.message, part);
    an_arena_free(&arena);
}

static void a_number_a_line_or_steps_with_numbers(void **state)
{
    (void)state;
    const double values[] = {0.1, 0.05, 0};
    expect_numbers("0.1\n0.05\n0\n", 3, values);
    expect_numbers("0.1\n 5e-2\t\n0", 3, values);
    expect_numbers("step,lr\n0,0.1\n1,0.05\n2,0\n", 3, values);
    expect_numbers("step , lr\r\n0, 0.1\r\n 1 ,0.05\r\n2,0\r\n", 3, values);
    expect_numbers("0,0.1\n1,0.05\n2,0", 3, values);
    expect_numbers("\xef\xbb\xbf"
                   "0.1\n0.05\n0\n",
                   3, values);
    expect_numbers("\xef\xbb\xbfstep,lr\n0,0.1\n1,0.05\n2,0\n", 3, values);
}

static void errors_have_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", "a.csv:1: there is no number in it"},
        {"step,lr\n", "there is no number in it"},
        {"0.1\n\n0.2\n", "a.csv:2: this line is blank"},
        {"0.1\nO.2\n", "a.csv:2: 'O.2' is not a number"},
        {"0.1\n0.2x\n", "a.csv:2: '0.2x' is not a number"},
        {"0.1\n-0.2\n", "a.csv:2: '-0.2' is not 0 or more"},
        {"0.1\ninf\n", "a.csv:2: 'inf' is not 0 or more and finite"},
        {"nan\n", "a.csv:1: 'nan' is not 0 or more"},
        {"step,lr\n0,0.1\n2,0.2\n", "a.csv:3: '2' is not the next step"},
        {"step,lr\n1,0.1\n", "a.csv:2: '1' is not the next step"},
        {"step,lr\n0,0.1\n0.2\n", "a.csv:3: '0.2' is no step and number"},
        {"0,0.1\n1\n", "a.csv:2: '1' is no step and number"},
        {"0.1\n1,0.2\n", "a.csv:2: '1,0.2' is more than one number"},
        {"step,lr,momentum\n0,0.1,0.9\n", "a.csv:2: '0.1,0.9' is more than one number"},
        {"step,lr\n0,\n", "a.csv:2: there is no number behind the step"},
        {"lr\n0.1\n", "a.csv:1: 'lr' is not a number; a table has one a line, or steps and"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(cases[i].text, strlen(cases[i].text), cases[i].part);
    expect_refused("0.1\0\n", 5, "is not a number");
}

static void there_is_a_most(void **state)
{
    (void)state;
    const size_t most = (size_t)2 * AN_LR_FILE_NUMBERS;
    char *text = malloc(most + 2);
    assert_non_null(text);
    for (size_t i = 0; i <= most; i += 2)
        memcpy(text + i, "1\n", 2);
    expect_refused(text, most + 2, "more than 262144");
    free(text);
}

/* ------------------------------------------------------------------- texts */

static bool read_file(void *user, const char *path, an_arena *arena, an_spec_source *file,
                      an_error *err)
{
    (void)arena;
    ++*(int *)user;
    if (strcmp(path, "a.csv") == 0)
        *file = (an_spec_source){.file = path, .text = "1\n0.1\n", .length = 6};
    else if (strcmp(path, "b.csv") == 0)
        *file = (an_spec_source){.file = path, .text = "0,0.25\n", .length = 7};
    else if (strcmp(path, "wrong.csv") == 0)
        *file = (an_spec_source){.file = path, .text = "1\nx\n", .length = 4};
    else
        return an_error_set(err, AN_ERROR_IO, "there is no '%s'", path);
    return true;
}

/* The canonical text of a schedule with files in it; an empty text with err. */
static void read_text(const char *text, char *printed, size_t size, an_error *err)
{
    an_arena arena;
    int reads = 0;
    an_arena_init(&arena, an_allocator_default());
    an_spec_source source = an_spec_source_text(text), whole;
    an_spec *spec = NULL;
    printed[0] = '\0';
    if (an_lr_expand(&source, read_file, &reads, &arena, &whole, err))
        spec = an_spec_parse(&whole, NULL, err);
    an_lr_text *parsed =
        spec ? an_lr_parse(an_spec_where(spec), an_spec_root(spec), NULL, NULL, err) : NULL;
    if (parsed)
        an_lr_print(printed, size, an_lr_text_desc(parsed));
    an_lr_text_free(parsed);
    an_spec_free(spec);
    an_arena_free(&arena);
}

static void the_numbers_take_the_place_of_the_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"Table('@a.csv')", "Table(values=[1, 0.1])"},
        {"Base(Table(every=5, values=\"@b.csv\"), lr=1)",
         "Base(Table(values=[0.25], every=5), lr=1)"},
        {"Product([Table('@a.csv'), Interpolate([0, 5], '@a.csv')])",
         "Product([Table(values=[1, 0.1]), Interpolate(at=[0, 5], values=[1, 0.1])])"},
        {"StepLR(30)", "StepLR(step_size=30)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char printed[128], again[128];
        an_error err = {0};
        read_text(cases[i][0], printed, sizeof printed, &err);
        assert_string_equal(printed, cases[i][1]);
        read_text(printed, again, sizeof again, &err);
        assert_string_equal(again, printed);
    }
}

static void errors_point_into_the_file_or_the_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
        an_error_code code;
    } cases[] = {
        {"Table('@wrong.csv')", "wrong.csv:2: 'x' is not a number", AN_ERROR_DATA},
        {"Table('@none.csv')", "there is no 'none.csv'", AN_ERROR_IO},
        {"Table('@')", "column 7: after @ comes the name of a file", AN_ERROR_CONFIG},
        {"Table('@a.csv', evry=5)", "column 17: Table has no parameter 'evry'", AN_ERROR_CONFIG},
        {"Interpolate([0], '@a.csv')", "column 18", AN_ERROR_CONFIG},
        {"Table('@a.csv', every=-5)", "column 23: Table: every must be above 0", AN_ERROR_CONFIG},
        {"Table('@a.csv'", "column 6: this '(' is never closed", AN_ERROR_CONFIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char printed[128];
        an_error err = {0};
        read_text(cases[i].text, printed, sizeof printed, &err);
        if (printed[0] || !strstr(err.message, cases[i].part))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, err.message, cases[i].part);
        assert_int_equal(err.code, cases[i].code);
    }
}

/* Nothing is copied where there is no file. */
static void a_text_without_files_is_itself(void **state)
{
    (void)state;
    an_arena arena;
    int reads = 0;
    an_arena_init(&arena, an_allocator_default());
    an_spec_source source = an_spec_source_text("StepLR(30)"), out;
    assert_true(an_lr_expand(&source, read_file, &reads, &arena, &out, NULL));
    assert_ptr_equal(out.text, source.text);
    assert_int_equal(reads, 0);
    an_arena_free(&arena);
}

static void without_a_reader_a_file_is_refused(void **state)
{
    (void)state;
    an_error err = {0};
    assert_null(an_lr_parse_text("Table('@a.csv')", NULL, NULL, &err));
    assert_non_null(strstr(err.message, "no file is opened here"));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        failing_allocator failing = {.fail_at = n};
        an_arena arena;
        int reads = 0;
        an_error err = {0};
        an_spec_source source = an_spec_source_text("Sum([Table('@a.csv'), Table('@b.csv')])"), out;
        an_arena_init(&arena, failing_hooks(&failing));
        bool good = an_lr_expand(&source, read_file, &reads, &arena, &out, &err);
        assert_true(good || err.code == AN_ERROR_MEMORY);
        if (good)
            assert_string_equal(out.text, "Sum([Table([1, 0.1]), Table([0.25])])");
        an_arena_free(&arena);
        assert_int_equal(failing.blocks, 0);
        if (good && failing.requests <= n)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_a_line_or_steps_with_numbers),
        cmocka_unit_test(errors_have_file_and_line),
        cmocka_unit_test(there_is_a_most),
        cmocka_unit_test(the_numbers_take_the_place_of_the_name),
        cmocka_unit_test(errors_point_into_the_file_or_the_text),
        cmocka_unit_test(a_text_without_files_is_itself),
        cmocka_unit_test(without_a_reader_a_file_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
