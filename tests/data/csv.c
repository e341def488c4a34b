/* Tables: fields and quotes, columns and their kinds, what is missing, and what is refused. */
#include "../base/cmocka_all.h"

#include "files.h"

#include <math.h>
#include <string.h>

/* The table of a text whose column "y" is predicted. */
static an_dataset *open_with(const char *text, an_csv_options options, an_error *err)
{
    static const char *const targets[] = {"y"};
    char path[PATH_LENGTH];
    if (!options.targets) {
        options.targets = targets;
        options.target_count = 1;
    }
    folder_write(&home, "t.csv", text, strlen(text));
    folder_path(&home, "t.csv", path);
    return an_csv_open(NULL, path, &options, err);
}

static an_dataset *labelled(const char *text)
{
    an_error err = {0};
    an_csv_options options = an_csv_defaults();
    options.labels = true;
    an_dataset *d = open_with(text, options, &err);
    if (!d)
        print_error("%s\n", err.message);
    assert_non_null(d);
    return d;
}

static void check_sample(const an_dataset *d, int64_t index, const float *expected)
{
    float got[8] = {0};
    assert_true(an_dataset_shape(d).dim[0] <= 8);
    an_dataset_sample(d, index, got);
    for (int64_t i = 0; i < an_dataset_shape(d).dim[0]; i++)
        assert_true(got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i])));
}

static void test_columns(void **state)
{
    (void)state;
    an_dataset *d = labelled("\xef\xbb\xbf"
                             "a,y,colour,b\n1,no,red,-2.5\n\n 2e1 ,yes,blue,3\r\n3,no,red,4");
    assert_int_equal(an_dataset_kind(d), AN_DATA_FLOATS);
    assert_int_equal(an_dataset_count(d), 3);
    assert_int_equal(an_dataset_classes(d), 2);
    assert_int_equal(an_dataset_targets(d), 0);
    assert_int_equal(an_dataset_shape(d).dim[0], 4);
    check_sample(d, 0, (float[]){1, 0, 1, -2.5F});
    check_sample(d, 1, (float[]){20, 1, 0, 3});
    check_sample(d, 2, (float[]){3, 0, 1, 4});
    assert_int_equal(an_dataset_label(d, 0), 0);
    assert_int_equal(an_dataset_label(d, 1), 1);
    an_dataset_free(d);
}

static void test_quotes(void **state)
{
    (void)state;
    an_dataset *d =
        labelled("\"a \"\"b\"\"\",\"y\"\n\"x,1\",\"5\"\n\"two\nlines\" , 7\n\"x,1\",10\n");
    assert_int_equal(an_dataset_count(d), 3);
    assert_int_equal(an_dataset_classes(d), 3); /* 5, 7, 10: as numbers, not as texts */
    assert_int_equal(an_dataset_label(d, 2), 2);
    check_sample(d, 0, (float[]){0, 1});
    check_sample(d, 1, (float[]){1, 0});
    an_dataset_free(d);
}

static void test_numbers(void **state)
{
    (void)state;
    static const char *const targets[] = {"q", "y"}, *const ignored[] = {"id"};
    an_csv_options options = {.separator = ';', .targets = targets, .target_count = 2};
    options.ignored = ignored;
    options.ignored_count = 1;
    an_dataset *d = open_with("id;y;a;q\nx;1;2;3\ny;4;5;6.5\n", options, NULL);
    assert_non_null(d);
    assert_int_equal(an_dataset_targets(d), 2);
    assert_int_equal(an_dataset_shape(d).dim[0], 1);
    check_sample(d, 1, (float[]){5});
    an_context *context = an_context_new(NULL, NULL);
    an_loader *loader = an_loader_new(context, d, &(an_loader_options){2, .deviation = 1}, NULL);
    an_batch batch;
    assert_true(an_loader_next(loader, &batch));
    assert_memory_equal(batch.target->data, ((float[]){3, 1, 6.5F, 4}), 4 * sizeof(float));
    an_loader_free(loader);
    an_context_free(context);
    an_dataset_free(d);
}

static void test_weights(void **state)
{
    (void)state;
    an_csv_options options = {.separator = ',', .labels = true, .weight = "w"};
    an_dataset *d = open_with("a,w,y\n1,0,0\n2,2.5,1\n3,4,1\n4,1e2,1\n", options, NULL), *rest,
               *cut;
    double weights[4];
    assert_non_null(d);
    assert_int_equal(an_dataset_shape(d).dim[0], 1);
    assert_true(an_dataset_weights(d, weights, NULL));
    assert_true(weights[0] == 0 && weights[1] == 2.5 && weights[2] == 4 && weights[3] == 100);
    assert_true(an_dataset_balance(d, weights, NULL));
    assert_true(weights[0] == 1 && weights[1] == 1.0 / 3 && weights[3] == 1.0 / 3);
    assert_true(an_dataset_split(d, 3, 1, &rest, &cut, NULL));
    assert_true(an_dataset_weights(cut, weights, NULL));
    for (int i = 0; i < 3; i++) {
        static const double all[] = {0, 2.5, 4, 100};
        float a;
        an_dataset_sample(cut, i, &a);
        assert_true(weights[i] == all[(int)a - 1]);
    }
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(d);
    static const char *const wrong[] = {"-1", "inf", "", "x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[64];
        an_error err = {0};
        an_format(text, sizeof text, "a,w,y\n1,1,0\n2,%s,1\n", wrong[i]);
        assert_null(open_with(text, options, &err));
        assert_non_null(strstr(err.message, "t.csv:3: column 'w'"));
        assert_non_null(strstr(err.message, "is no weight"));
    }
}

static void test_no_weights(void **state)
{
    (void)state;
    an_error err = {0};
    double weights[2];
    an_dataset *d = open_with("a,y\n1,0.5\n2,1\n", an_csv_defaults(), NULL);
    assert_false(an_dataset_weights(d, weights, &err));
    assert_non_null(strstr(err.message, "have no weights"));
    assert_false(an_dataset_balance(d, weights, &err));
    assert_non_null(strstr(err.message, "numbers are predicted"));
    an_dataset_free(d);
}

static void test_missing(void **state)
{
    (void)state;
    const char *text = "a,c,y\n1,,0\n?,u,1\nNA,v,0\n3,null,1\n";
    an_csv_options options = {.separator = ',', .labels = true, .missing = AN_CSV_KEEP};
    an_dataset *d = open_with(text, options, NULL);
    double mean[3], deviation[3];
    assert_non_null(d);
    check_sample(d, 0, (float[]){1, NAN, NAN});
    check_sample(d, 1, (float[]){NAN, 1, 0});
    assert_true(an_dataset_moments(d, mean, deviation, NULL));
    assert_true(mean[0] == 2 && deviation[0] == 1 && mean[1] == 0.5 && deviation[2] == 0.5);
    assert_true(an_dataset_fill(d, mean, NULL));
    check_sample(d, 0, (float[]){1, 0.5F, 0.5F});
    check_sample(d, 1, (float[]){2, 1, 0});
    an_dataset_free(d);
    d = open_with("a,b,y\n,1,0\n,2,1\n", options, NULL);
    an_error err = {0};
    assert_true(an_dataset_moments(d, mean, deviation, NULL));
    assert_true(isnan(mean[0]));
    assert_false(an_dataset_fill(d, mean, &err));
    assert_int_equal(err.code, AN_ERROR_DATA);
    an_dataset_free(d);
}

static void test_fill_refuses(void **state)
{
    (void)state;
    an_error err = {0};
    an_dataset *rest, *cut;
    an_dataset *d = labelled("a,y\n1,0\n2,1\n3,0\n");
    assert_true(an_dataset_split(d, 1, 1, &rest, &cut, NULL));
    assert_false(an_dataset_fill(cut, (double[]){0}, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    an_dataset_free(cut);
    an_dataset_free(rest);
    an_dataset_free(d);
}

static void refuse(const char *text, bool labels, const char *a, const char *b)
{
    an_error err = {0};
    an_csv_options options = an_csv_defaults();
    options.labels = labels;
    assert_null(open_with(text, options, &err));
    if (err.code != AN_ERROR_DATA || !strstr(err.message, a) || !strstr(err.message, b))
        print_error("%s\n", err.message);
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, a));
    assert_non_null(strstr(err.message, b));
}

static void test_refused(void **state)
{
    (void)state;
    refuse("", true, "t.csv", "empty");
    refuse("\n\n", true, "t.csv", "empty");
    refuse("a,y\n", true, "t.csv", "no row");
    refuse("a,z\n1,2\n", true, "no column 'y'", "'a'");
    refuse("y\n1\n", true, "t.csv", "no column to predict from");
    refuse("a,y\n1,2\n3\n", true, "t.csv:3: ", "1 fields, but the header has 2");
    refuse("a,y\n1,2\n\n3,4,5\n", true, "t.csv:4: ", "3 fields");
    refuse("a,y\n1,0\nx,1\n", true, "t.csv:3: column 'a': 'x'", "not a number");
    refuse("a,y\nx,0\n1,1\n", true, "t.csv:3: column 'a': '1'", "texts");
    refuse("a,y\n1,0\n,1\n", true, "t.csv:3: column 'a': ''", "fill");
    refuse("a,y\n1,0\n1,?\n", true, "t.csv:3: column 'y': '?'", "must be there");
    refuse("a,y\n1,0\ninf,1\n", true, "t.csv:3: column 'a': 'inf'", "finite");
    refuse("a,y\n1,0\n1e39,1\n", true, "t.csv:3: column 'a': '1e39'", "finite");
    refuse("a,y\n1,0.5\n", true, "t.csv:2: column 'y': '0.5'", "whole");
    refuse("a,y\n1,no\n", false, "t.csv:2: column 'y': 'no'", "classes");
    refuse("a,y\n\"1,0\n1,2\n", true, "t.csv:", "does not end");
    refuse("a,y\n\"1\"2,0\n", true, "t.csv:2: ", "after a field in quotes");
}

static void test_too_many_texts(void **state)
{
    (void)state;
    static char text[8192];
    size_t used = an_format(text, sizeof text, "a,y\n");
    for (int i = 0; i < 257; i++)
        used += an_format(text + used, sizeof text - used, "t%d,%d\n", i, i % 2);
    refuse(text, true, "t.csv:258: column 'a': 't256'", "256 different ones");
}

static void test_wrong_options(void **state)
{
    (void)state;
    static const char *const two[] = {"y", "a"}, *const twice[] = {"y", "y"};
    const an_csv_options wrong[] = {
        {.separator = '"'},
        {.separator = '\n'},
        {.separator = ',', .labels = true, .targets = two, .target_count = 2},
        {.separator = ',', .targets = twice, .target_count = 2},
        {.separator = ',', .ignored = two, .ignored_count = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        an_error err = {0};
        assert_null(open_with("a,y,b\n1,2,3\n", wrong[i], &err));
        assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    }
    an_error err = {0};
    assert_null(an_csv_open(NULL, "none.csv", NULL, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
}

/* Every allocation fails once; nothing leaks. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const targets[] = {"y"};
    static const char text[] = "a,c,y,w\n1,u,0,1\n2,v,1,1\n";
    const an_csv_options options = {
        .separator = ',', .targets = targets, .target_count = 1, .weight = "w"};
    char path[PATH_LENGTH];
    folder_write(&home, "t.csv", text, sizeof text - 1);
    folder_path(&home, "t.csv", path);
    bool done = false;
    for (size_t fail = 1; !done && fail < 100; fail++) {
        counter c = {.fail_at = fail};
        an_error err = {0};
        an_allocator allocator = counting_allocator(&c);
        an_dataset *d = an_csv_open(&allocator, path, &options, &err);
        done = d != NULL;
        if (!done)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_dataset_free(d);
        assert_int_equal(c.live, 0);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_numbers),        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_fill_refuses),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many_texts), cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_memory),         cmocka_unit_test(test_weights),
        cmocka_unit_test(test_no_weights),
    };
    return cmocka_run_group_tests(tests, home_make, home_remove);
}
