/* Reading configurations: what is accepted, and where errors point. */
#include "../base/cmocka_all.h"

#include <anneal/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY              \
    "data: {path: set}\n" \
    "model:\n"            \
    "  - Linear(12, 8)\n" \
    "  - Linear(8, 10)\n" \
    "optimizer: SGD(lr=0.1, momentum=0.9)\n"

/* Accepts the text. */
static void accept(const char *text)
{
    an_error err = {0};
    an_config *config = an_config_parse("c.yaml", text, strlen(text), NULL, 0, &err);
    if (!config)
        print_error("%s\n%s\n", err.message, err.excerpt);
    assert_non_null(config);
    an_config_free(config);
}

/* Refuses the text with this start, this part, and a caret under `caret` (NULL: not looked at). */
static void refuse(const char *text, const char *start, const char *part, const char *caret)
{
    an_error err = {0};
    assert_null(an_config_parse("c.yaml", text, strlen(text), NULL, 0, &err));
    if (strncmp(err.message, start, strlen(start)) != 0 || !strstr(err.message, part))
        print_error("%s\n%s\n", err.message, err.excerpt);
    assert_int_equal(err.code, AN_ERROR_CONFIG);
    assert_memory_equal(err.message, start, strlen(start));
    assert_non_null(strstr(err.message, part));
    if (!caret)
        return;
    const char *below = strchr(err.excerpt, '\n');
    assert_non_null(below);
    size_t column = strspn(below + 1, " ");
    assert_int_equal(below[1 + column], '^');
    if (strncmp(err.excerpt + column, caret, strlen(caret)) != 0)
        print_error("%s\n%s\n", err.message, err.excerpt);
    assert_memory_equal(err.excerpt + column, caret, strlen(caret));
}

static void test_accepted(void **state)
{
    (void)state;
    accept(BODY "epochs: 1\n");
    accept("---\n" BODY "epochs: 30_000\n...\n");
    accept("# a comment\n" BODY "steps: 10 # another\n");
    accept("\xef\xbb\xbf" BODY "epochs: 1\n");
    accept(BODY "epochs: '1'\nseed: \"2\"\nvalidation: 1/6\n");
    accept(BODY "epochs: 1\nvalidation: 0\nthreads: 0\nseed: 0\nmonitor: auto\ninterval: step\n");
    accept("data:\n  path: set\n  format: idx\n  normalize:\n  - 0.5\n  - 2\n"
           "model: [\"Linear(1, 2)\", 'ReLU()', Tanh()]\r\n"
           "optimizer: |\n  SGD(\n    lr=0.1)\nepochs: 1\n");
}

static void test_places(void **state)
{
    (void)state;
    refuse(BODY "epocs: 1\n", "c.yaml:6: ", "'epochs'", "epocs");
    refuse(BODY "epochs: 0\n", "c.yaml:6: ", "at least 1", "0");
    refuse(BODY "epochs: 2.5\n", "c.yaml:6: ", "epochs", "2.5");
    refuse(BODY "epochs:\n", "c.yaml:6: ", "no value", NULL);
    refuse(BODY "epochs: [1]\n", "c.yaml:6: ", "single value", "[1]");
    refuse(BODY "epochs: {a: 1}\n", "c.yaml:6: ", "single value", "{a: 1}");
    refuse(BODY, "c.yaml:1: ", "'epochs' or 'steps'", NULL);
    refuse(BODY "epochs: 1\nsteps: 1\n", "c.yaml:7: ", "both", "1");
    refuse(BODY "epochs: 1\nloss: L1()\n", "c.yaml:7: ", "L1", "L1");
    refuse(BODY "epochs: 1\nloss: L1Loss(reduction='none')\n",
           "c.yaml:7: ", "training needs one number", "L1Loss");
}

/* Characters of several bytes before the place, in the line and before it. */
static void test_places_after_wide_characters(void **state)
{
    (void)state;
    refuse("# \xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82\n" BODY "epochs: 1\nl\xc3\xb6ss: x\n",
           "c.yaml:8: ", "l\xc3\xb6ss", NULL);
    const char *text = "data: {path: s\xc3\xa4t, pat: x}\n";
    an_error err = {0};
    assert_null(an_config_parse("c.yaml", text, strlen(text), NULL, 0, &err));
    assert_non_null(strstr(err.message, "c.yaml:1: "));
    assert_non_null(strstr(err.message, "'pat'"));
}

/* Looking for doubled keys takes the square of their number, so there may not be very many. */
static void test_too_many_keys_are_refused(void **state)
{
    (void)state;
    char *text = malloc(1200 * 16);
    size_t length = 0;
    assert_non_null(text);
    for (int i = 0; i < 1200; i++)
        length += an_format(text + length, 16, "k%d: 1\n", i);
    refuse(text, "c.yaml:1001: ", "at most 1000 keys", "k1000");
    free(text);
}

static void test_yaml_that_is_refused(void **state)
{
    (void)state;
    refuse("", "c.yaml: ", "empty", NULL);
    refuse("just words\n", "c.yaml:1: ", "map", "just");
    refuse("- a\n- b\n", "c.yaml:1: ", "map", NULL);
    refuse("a: 1\nb: 2\na: 3\n", "c.yaml:3: ", "twice", "a");
    refuse("data: {path: \"d\\0x\"}\n", "c.yaml:1: ", "zero byte", "\"d");
    refuse("\"seed\\0\": 1\n", "c.yaml:1: ", "zero byte", "\"seed");
    refuse("a: &x 1\n", "c.yaml:1: ", "anchors", "&x");
    refuse("a: &x [1]\n", "c.yaml:1: ", "anchors", "&x");
    refuse("a: &x {b: 1}\n", "c.yaml:1: ", "anchors", "&x");
    refuse("a: *x\n", "c.yaml:1: ", "aliases", "*x");
    refuse("a: !!str 1\n", "c.yaml:1: ", "tags", "!!str");
    refuse("a: !t [1]\n", "c.yaml:1: ", "tags", "!t");
    refuse("a: !t {b: 1}\n", "c.yaml:1: ", "tags", "!t");
    refuse("a: 1\n---\nb: 2\n", "c.yaml:2: ", "second document", "---");
    refuse("[a]: 1\n", "c.yaml:1: ", "key", NULL);
    refuse("a: [1\n", "c.yaml:", "YAML", NULL);
    refuse("a: \"x\n", "c.yaml:", "YAML", NULL);
    refuse("\ta: 1\n", "c.yaml:1: ", "YAML", NULL);
    refuse("a: \x01\n", "c.yaml:1: ", "YAML", NULL);
    refuse("a: \xff\n", "c.yaml:1: ", "YAML", NULL);
}

static void test_depth(void **state)
{
    (void)state;
    char text[20000] = "a: ";
    memset(text + 3, '[', 15000);
    refuse(text, "c.yaml:1: ", "deeply", NULL);
}

static void test_calls_cut_by_flow_style(void **state)
{
    (void)state;
    refuse("model: [Flatten(), Linear(784, 128)]\n", "c.yaml:1: ", "quotes", "Linear(784");
    refuse("model: [Linear(3, [1])]\n", "c.yaml:1: ", "quotes", NULL);
    refuse("data: {path: f(1, 2)}\n", "c.yaml:1: ", "quotes", "f(1");
    refuse("schedule: LambdaLR(lambda epoch: 0.9)\n", "c.yaml:1: ", "quotes", NULL);
    refuse("schedule: {LambdaLR(lambda epoch: 0.9)}\n", "c.yaml:1: ", "quotes", NULL);
}

/* The grammar's errors point at the file, through quotes, escapes and folding. */
static void place_of(const char *optimizer, const char *start, const char *caret)
{
    char text[512];
    snprintf(text, sizeof text, "data: {path: set}\nmodel:\n  - ReLU()\nepochs: 1\n%s", optimizer);
    refuse(text, start, "", caret);
}

static void test_places_inside_calls(void **state)
{
    (void)state;
    place_of("optimizer: SGD(lr=0.1, $)\n", "c.yaml:5: ", "$)");
    place_of("optimizer: \"SGD(lr=0.1, $)\"\n", "c.yaml:5: ", "$)");
    place_of("optimizer: \"SGD(l\\x72=0.1, $)\"\n", "c.yaml:5: ", "$)");
    place_of("optimizer: \"SGD(lr=0.1,\\n $)\"\n", "c.yaml:5: ", "$)");
    place_of("optimizer: \"SGD(lr=0.1, \\\n    $)\"\n", "c.yaml:6: ", "$)");
    place_of("optimizer: 'SGD([dict(params=''a'')], $)'\n", "c.yaml:5: ", "$)");
    place_of("optimizer: 'SGD(lr=0.1,\n\n\n   $)'\n", "c.yaml:8: ", "$)");
    place_of("optimizer: SGD(lr=0.1,\n      $)\n", "c.yaml:6: ", "$)");
    place_of("optimizer: >\n  SGD(lr=0.1,\n      $)\n", "c.yaml:7: ", "$)");
    place_of("optimizer: >-  # folded\n  SGD(lr=0.1,\n  $)\n", "c.yaml:7: ", "$)");
    place_of("optimizer: |2\n    SGD(lr=0.1,\n\n  $)\n", "c.yaml:8: ", "$)");
}

/* Any truncation of a good configuration is accepted or refused with a message, never worse. */
static void test_truncations(void **state)
{
    (void)state;
    const char *text = BODY "schedule: \"OneCycleLR(max_lr=0.1)\"\nepochs: 10\nvalidation: 0.1\n";
    for (size_t length = 0; length < strlen(text); length++) {
        an_error err = {0};
        an_config *config = an_config_parse("c.yaml", text, length, NULL, 0, &err);
        assert_true(config || (err.code == AN_ERROR_CONFIG && err.message[0]));
        an_config_free(config);
    }
}

static void test_file(void **state)
{
    (void)state;
    an_error err = {0};
    assert_null(an_config_load("/nowhere/c.yaml", NULL, 0, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_non_null(strstr(err.message, "/nowhere/c.yaml"));
    assert_null(an_config_load("/", NULL, 0, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_null(an_config_load("/dev/zero", NULL, 0, &err));
    assert_int_equal(err.code, AN_ERROR_IO);
    assert_null(an_config_load("/nowhere/c.yaml", NULL, 0, NULL));
}

static void test_seed(void **state)
{
    (void)state;
    const char *text = BODY "epochs: 1\nseed: 7\n";
    an_config *config = an_config_parse("c.yaml", text, strlen(text), NULL, 0, NULL);
    assert_int_equal(an_config_seed(config), 7);
    an_config_set_seed(config, 9);
    assert_int_equal(an_config_seed(config), 9);
    an_config_free(config);
    an_config_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_places_after_wide_characters),
        cmocka_unit_test(test_yaml_that_is_refused),
        cmocka_unit_test(test_too_many_keys_are_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_calls_cut_by_flow_style),
        cmocka_unit_test(test_places_inside_calls),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
