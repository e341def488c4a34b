/* Rows of another table, read as those of the one that was learned from. */
#include "../base/cmocka_all.h"

#include "files.h"

#include <math.h>
#include <string.h>

static void write_table(const char *name, const char *text, char path[PATH_LENGTH])
{
    folder_write(&home, name, text, strlen(text));
    folder_path(&home, name, path);
}

static const char training[] = "a,colour,y,id,b\n"
                               "1,red,no,r1,0.5\n"
                               "2.5,\"light, blue\",yes,r2,-3\n"
                               ",red,no,r3,7\n"
                               "4,NA,maybe,r4,1e-3\n"
                               "-8,green,yes,r5,2\n";

/* Of the text above: y is a class, id is ignored, what is missing is kept. */
static an_dataset *open_training(const an_allocator *allocator, an_error *err)
{
    static const char *const targets[] = {"y"}, *const ignored[] = {"id"};
    const an_csv_options options = {.separator = ',',
                                    .labels = true,
                                    .missing = AN_CSV_KEEP,
                                    .targets = targets,
                                    .target_count = 1,
                                    .ignored = ignored,
                                    .ignored_count = 1};
    char path[PATH_LENGTH];
    write_table("t.csv", training, path);
    return an_csv_open(allocator, path, &options, err);
}

static an_dataset *read_like(const char *text, const an_dataset *table, an_error *err)
{
    char path[PATH_LENGTH];
    write_table("new.csv", text, path);
    return an_csv_open_like(NULL, path, table, err);
}

static void check_same(const an_dataset *a, int64_t i, const an_dataset *b, int64_t j)
{
    float x[5], y[5];
    assert_int_equal(an_dataset_shape(a).dim[0], 5);
    assert_true(an_shape_equal(an_dataset_shape(a), an_dataset_shape(b)));
    an_dataset_sample(a, i, x);
    an_dataset_sample(b, j, y);
    assert_memory_equal(x, y, sizeof x);
}

/* Filled and scaled by a part of it, and looked at through that part. */
static void test_same_bits(void **state)
{
    (void)state;
    double mean[5], deviation[5];
    an_dataset *rest, *cut, *d = open_training(NULL, NULL);
    assert_non_null(d);
    assert_true(an_dataset_split(d, 1, 3, &rest, &cut, NULL));
    assert_true(an_dataset_moments(rest, mean, deviation, NULL));
    assert_true(an_dataset_fill(d, mean, NULL));
    assert_true(an_dataset_moments(rest, mean, deviation, NULL));
    assert_true(an_dataset_scale(d, mean, deviation, NULL));
    an_dataset *again = read_like(training, rest, NULL);
    assert_non_null(again);
    assert_int_equal(an_dataset_count(again), 5);
    assert_int_equal(an_dataset_kind(again), AN_DATA_FLOATS);
    assert_int_equal(an_dataset_classes(again), 3);
    assert_int_equal(an_dataset_label(again, 1), 0);
    for (int64_t i = 0; i < 5; i++)
        check_same(d, i, again, i);
    an_dataset_free(again);
    again = read_like("extra,b,a,colour\nx,-3,2.5,\"light, blue\"\ny,7,NA, red\n", rest, NULL);
    assert_non_null(again);
    check_same(d, 1, again, 0);
    check_same(d, 2, again, 1);
    an_dataset_free(again);
    an_dataset_free(rest);
    an_dataset_free(cut);
    an_dataset_free(d);
}

/* Scaled, filled and scaled again: the same within rounding. */
static void test_scaled_twice(void **state)
{
    (void)state;
    const double mean[] = {3, 1, 0, 0, -2}, deviation[] = {2, 1, 0, 4, 0.5},
                 fill[] = {9, 8, 7, 6, 5};
    an_dataset *d = open_training(NULL, NULL);
    assert_true(an_dataset_scale(d, mean, deviation, NULL));
    assert_true(an_dataset_fill(d, fill, NULL));
    assert_true(an_dataset_fill(d, mean, NULL));
    assert_true(an_dataset_scale(d, mean, deviation, NULL));
    an_dataset *again = read_like(training, d, NULL);
    for (int64_t i = 0; i < 5; i++) {
        float x[5], y[5];
        an_dataset_sample(d, i, x);
        an_dataset_sample(again, i, y);
        for (int j = 0; j < 5; j++)
            assert_true(fabsf(x[j] - y[j]) <= 1e-5F * (1 + fabsf(x[j])));
    }
    an_dataset_free(again);
    an_dataset_free(d);
}

/* What is kept and not filled stays missing. */
static void test_kept(void **state)
{
    (void)state;
    an_dataset *d = open_training(NULL, NULL);
    an_dataset *again = read_like("a,b,colour\n,1,red\n", d, NULL);
    float x[5];
    an_dataset_sample(again, 0, x);
    assert_true(isnan(x[0]) && x[1] == 0 && x[2] == 0 && x[3] == 1 && x[4] == 1);
    an_dataset_free(again);
    an_dataset_free(d);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const targets[] = {"q", "p"};
    const an_csv_options options = {.separator = ';', .targets = targets, .target_count = 2};
    char path[PATH_LENGTH];
    an_dataset *d = open_training(NULL, NULL);
    assert_string_equal(an_dataset_name(d, 0), "maybe");
    assert_string_equal(an_dataset_name(d, 1), "no");
    assert_string_equal(an_dataset_name(d, 2), "yes");
    assert_null(an_dataset_name(d, 3));
    assert_null(an_dataset_name(d, -1));
    an_dataset_free(d);
    write_table("n.csv", "p;a;q\n1;2;3\n", path);
    d = an_csv_open(NULL, path, &options, NULL);
    assert_string_equal(an_dataset_name(d, 0), "q");
    assert_string_equal(an_dataset_name(d, 1), "p");
    assert_null(an_dataset_name(d, 2));
    an_dataset *again = read_like("a\n5\n6\n", d, NULL);
    assert_int_equal(an_dataset_targets(again), 2);
    assert_null(an_dataset_name(again, 0));
    an_dataset_free(again);
    an_dataset_free(d);
}

static void refuse(const an_dataset *d, const char *text, const char *a, const char *b)
{
    an_error err = {0};
    assert_null(read_like(text, d, &err));
    if (err.code != AN_ERROR_DATA || !strstr(err.message, a) || !strstr(err.message, b))
        print_error("%s\n", err.message);
    assert_int_equal(err.code, AN_ERROR_DATA);
    assert_non_null(strstr(err.message, a));
    assert_non_null(strstr(err.message, b));
}

static void test_refused(void **state)
{
    (void)state;
    an_dataset *d = open_training(NULL, NULL);
    refuse(d, "", "new.csv", "empty");
    refuse(d, "a,b,colour\n", "new.csv", "no row");
    refuse(d, "a,colour\n1,red\n", "new.csv: there is no column 'b'", "of 2, set apart by ','");
    refuse(d, "a;b;colour\n1;2;red\n", "no column 'a'", "'a;b;colour'");
    refuse(d, "a,b,colour,b\n1,2,red,3\n", "the column 'b'", "more often");
    refuse(d, "a,b,colour\n1,2,red\n1,2,purple\n", "new.csv:3: column 'colour': 'purple'",
           "3 texts of training, 'green', 'light, blue', 'red'; correct it");
    refuse(d, "a,b,colour\n1,2,7\n", "new.csv:2: column 'colour': '7'", "'red'");
    refuse(d, "a,b,colour\n1,x,red\n", "new.csv:2: column 'b': 'x'", "is not a number");
    refuse(d, "a,b,colour\n1,inf,red\n", "new.csv:2: column 'b': 'inf'", "not finite");
    refuse(d, "a,b,colour\n1,2\n", "new.csv:2: ", "2 fields");
    an_dataset_free(d);
}

/* Missing values are refused where they were, and rows of what is no table. */
static void test_refused_tables(void **state)
{
    (void)state;
    static const char *const targets[] = {"y"};
    const an_csv_options options = {.separator = ',', .targets = targets, .target_count = 1};
    char path[PATH_LENGTH];
    write_table("n.csv", "a,y\n1,2\n", path);
    an_dataset *d = an_csv_open(NULL, path, &options, NULL);
    refuse(d, "a\n3\n?\n", "new.csv:3: column 'a': '?'", "is no value");
    an_dataset_free(d);
    d = an_dataset_from_floats(NULL, (float[]){1}, 1, an_shape_1(1), (int32_t[]){0}, 1, NULL, 0,
                               NULL);
    an_error err = {0};
    assert_null(an_csv_open_like(NULL, path, d, &err));
    assert_int_equal(err.code, AN_ERROR_ARGUMENT);
    assert_null(an_csv_open_like(NULL, path, NULL, &err));
    assert_null(an_dataset_name(d, 0));
    an_dataset_free(d);
}

/* A long list of known texts is cut, and the remedy still said. */
static void test_many_levels(void **state)
{
    (void)state;
    static const char *const targets[] = {"y"};
    const an_csv_options options = {.separator = ',', .targets = targets, .target_count = 1};
    char text[2048], path[PATH_LENGTH];
    size_t used = an_format(text, sizeof text, "a,y\n");
    for (int i = 0; i < 100; i++)
        used += an_format(text + used, sizeof text - used, "level%d,%d\n", i, i);
    write_table("n.csv", text, path);
    an_dataset *d = an_csv_open(NULL, path, &options, NULL);
    refuse(d, "a\nlevel100\n", "the 100 texts of training, 'level0', 'level1', ",
           ", ...; correct it, or train with data that have it");
    an_dataset_free(d);
}

/* Every allocation fails once; nothing leaks. */
static void test_memory(void **state)
{
    (void)state;
    char path[PATH_LENGTH];
    bool done = false;
    write_table("new.csv", "b,a,colour\n1,2,red\n", path);
    for (size_t fail = 1; !done && fail < 100; fail++) {
        counter c = {.fail_at = fail};
        an_error err = {0};
        const an_allocator allocator = counting_allocator(&c);
        an_dataset *d = open_training(&allocator, &err);
        an_dataset *again = d ? an_csv_open_like(&allocator, path, d, &err) : NULL;
        done = again != NULL;
        if (!done)
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        an_dataset_free(again);
        an_dataset_free(d);
        assert_int_equal(c.live, 0);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),   cmocka_unit_test(test_scaled_twice),
        cmocka_unit_test(test_kept),        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_refused_tables),
        cmocka_unit_test(test_many_levels), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, home_make, home_remove);
}
