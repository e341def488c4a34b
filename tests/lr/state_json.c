/* State as JSON: it continues like the bytes, reads what it writes, and says what is wrong where.
 */
#include "../base/failing_allocator.h"
#include "german_locale.h"
#include "random_desc.h"
#include "schedule_of.h"
#include <stdlib.h>
#include <string.h>

static char *state_of(const an_lr_schedule *schedule)
{
    size_t length = an_lr_state_print(NULL, 0, schedule);
    char *text = malloc(length + 1);
    assert_non_null(text);
    assert_int_equal(an_lr_state_print(text, length + 1, schedule), length);
    assert_int_equal(strlen(text), length);
    return text;
}

static bool parse(an_lr_schedule *schedule, const char *text, an_lr_policy policy,
                  an_lr_changes *changes, an_error *err)
{
    return an_lr_state_parse(schedule, text, strlen(text), policy, changes, NULL, err);
}

static void expect_same_bytes(const an_lr_schedule *a, const an_lr_schedule *b)
{
    size_t size = an_lr_state_size(a);
    unsigned char *x = malloc(size), *y = malloc(size);
    assert_int_equal(an_lr_state_save(a, x, size), size);
    assert_int_equal(an_lr_state_save(b, y, size), size);
    assert_memory_equal(x, y, size);
    free(x);
    free(y);
}

/* A run goes through JSON at `cut`, into groups with other rates. */
static void expect_continues(const an_lr_desc *desc, int cut)
{
    bench a, b;
    bench_groups(&a, 2, 0.3);
    bench_groups(&b, 2, 7.5);
    a.schedule = an_lr_new(desc, a.groups, 2, NULL, NULL);
    b.schedule = an_lr_new(desc, b.groups, 2, NULL, NULL);
    for (int step = 0; step < cut; step++)
        an_lr_step_metric(a.schedule, 1.0 / (1 + step % 7));
    if (cut % 2 == 1)
        a.group[1].slot[AN_LR].value /= 3;
    char *text = state_of(a.schedule);
    an_error err = {0};
    an_lr_changes changes;
    if (!parse(b.schedule, text, AN_LR_REFUSE, &changes, &err))
        fail_msg("%s\n%s", err.message, text);
    assert_int_equal(changes.count, 0);
    expect_same_bytes(a.schedule, b.schedule);
    for (int step = cut; step < cut + 20; step++)
        for (int i = 0; i < 2; i++)
            an_lr_step_metric(i ? b.schedule : a.schedule, 1.0 / (1 + step % 7));
    for (size_t g = 0; g < 2; g++)
        assert_true(bench_lr(&a, g) == bench_lr(&b, g));
    free(text);
    an_lr_free(a.schedule);
    an_lr_free(b.schedule);
}

static void loading_continues_bit_for_bit(void **state)
{
    (void)state;
    static random_desc draw;
    draw.metric = true;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        draw.state = seed;
        const an_lr_desc *desc = random_desc_draw(&draw, 2);
        expect_continues(desc, 0);
        expect_continues(desc, (int)(seed % 40) + 1);
    }
}

static void the_text_is_as_documented(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "LambdaLR(\"0.5 ** epoch\")", 1, 0.1);
    an_lr_step(b.schedule);
    char *text = state_of(b.schedule);
    assert_string_equal(text, "{\n  \"anneal_lr_state\": 1,\n"
                              "  \"schedule\": \"LambdaLR(\\\"0.5 ** epoch\\\")\",\n"
                              "  \"step\": 1,\n"
                              "  \"groups\": [\n"
                              "    {\"base_rates\": [0.1],\n"
                              "      \"lr\": {\"value\": 0.05, \"initial\": 0.1},\n"
                              "      \"momentum\": {\"value\": 0.5}}\n"
                              "  ]\n}\n");
    char cut[20];
    assert_int_equal(an_lr_state_print(cut, sizeof cut, b.schedule), strlen(text));
    assert_int_equal(strlen(cut), sizeof cut - 1);
    free(text);
    bench_stop(&b);
}

static void numbers_that_json_lacks_are_words(void **state)
{
    (void)state;
    bench a, b;
    bench_start(&a, "ReduceLROnPlateau(mode='max')", 1, 0.1);
    bench_start(&b, "ReduceLROnPlateau(mode='max')", 1, 0.1);
    a.group[0].slot[AN_LR].value = NAN;
    a.group[0].slot[AN_MOMENTUM].value = INFINITY;
    char *text = state_of(a.schedule);
    assert_non_null(strstr(text, "\"plateau\": {\"best\": \"-inf\", \"bad_steps\": 0, "));
    assert_non_null(strstr(text, "\"lr\": {\"value\": \"nan\"}"));
    assert_true(parse(b.schedule, text, AN_LR_REFUSE, NULL, NULL));
    assert_true(isnan(bench_lr(&b, 0)));
    assert_true(b.group[0].slot[AN_MOMENTUM].value == INFINITY);
    free(text);
    bench_stop(&a);
    bench_stop(&b);
}

/* A state of StepLR(30) whose part `from` is `to` instead: the message. */
static void expect_message(const char *from, const char *to, const char *message)
{
    static const char good[] =
        "{\"anneal_lr_state\": 1, \"schedule\": \"StepLR(step_size=30)\", \"step\": 4, "
        "\"groups\": [{\"base_rates\": [0.1], \"lr\": {\"value\": 0.5, \"initial\": 0.1}}]}";
    char text[1024];
    const char *at = strstr(good, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
    bench b;
    bench_start(&b, "StepLR(step_size=30)", 1, 0.25);
    an_error err = {0};
    bool loaded = parse(b.schedule, text, AN_LR_REFUSE, NULL, &err);
    if (message && (loaded || !strstr(err.message, message)))
        fail_msg("%s\ninstead of %s\nof %s", err.message, message, text);
    if (!message && !loaded)
        fail_msg("%s\nof %s", err.message, text);
    assert_true(loaded || bench_lr(&b, 0) == 0.25);
    if (message)
        assert_true(err.code == AN_ERROR_DATA || err.code == AN_ERROR_STATE);
    bench_stop(&b);
}

/* Integers are what is written, not the double nearest to it; reals are finite unless they say so.
 */
static void numbers_are_read_exactly(void **state)
{
    (void)state;
    static const char *const whole[] = {"0",
                                        "-0",
                                        "0.000",
                                        "0e99",
                                        "4.0",
                                        "40e-1",
                                        "0.4e1",
                                        "400E-2",
                                        "0.0040e3",
                                        "4e+0",
                                        "0.040000e0002",
                                        "9007199254740992",
                                        "9007.199254740992e12",
                                        "90071992547409920000e-4",
                                        "5e15",
                                        "0.0e-99999999999999999999"};
    static const char *const not_whole[] = {"9007199254740993",
                                            "9007199254740992.5",
                                            "4503599627370496.25",
                                            "4.5",
                                            "-1",
                                            "1e999",
                                            "1e99999999999999999999",
                                            "1e-1",
                                            "1e-999",
                                            "0.40e0",
                                            "1e16",
                                            "18446744073709551620",
                                            "4.00000000000000000000000001",
                                            "400000000000000000000000000001e-29"};
    char to[80];
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        snprintf(to, sizeof to, "\"step\": %s,", whole[i]);
        expect_message("\"step\": 4,", to, NULL);
    }
    for (size_t i = 0; i < sizeof not_whole / sizeof not_whole[0]; i++) {
        snprintf(to, sizeof to, "\"step\": %s,", not_whole[i]);
        expect_message("\"step\": 4,", to, "column 68: step must be a whole number from 0 to 2^53");
    }
    expect_message("0.5", "1e999",
                   "groups[0].lr.value is beyond the largest double; write \"inf\"");
    expect_message("[0.1]", "[-1e309]", "groups[0].base_rates[0] is beyond the largest double");
    expect_message("0.5", "1.7976931348623157e308", NULL);
    expect_message("0.5", "1e-999", NULL);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    expect_message("0.5", "5e-1", NULL);
    expect_message("\"step\": 4", "\"step\"\t:\n 4", NULL);
    expect_message("StepLR(step_size=30)", "\\u0053tepLR(30)", NULL);
    expect_message("StepLR(step_size=30)", "ChainedScheduler([StepLR(30)])", NULL);
    expect_message("\"step\": 4, ", "", "column 1: the state lacks 'step'");
    expect_message("\"step\": 4", "\"step\": 4, \"step\": 4",
                   "column 79: the state has 'step' twice");
    expect_message("\"step\": 4", "\"stop\": 4",
                   "column 68: the state has no key 'stop'; did you mean 'step'?");
    expect_message("\"step\": 4", "\"step\": -4", "column 68: step must be a whole number");
    expect_message("\"step\": 4", "\"step\": 4.5", "step must be a whole number from 0 to 2^53");
    expect_message("\"step\": 4", "\"step\": 1e17", "step must be a whole number");
    expect_message("\"step\": 4", "\"step\": 04", "this is not a JSON number");
    expect_message("\"step\": 4", "\"step\": .4", "expected a JSON value");
    expect_message("\"step\": 4", "\"step\": 4.", "this is not a JSON number");
    expect_message("\"step\": 4", "\"step\": 1_0", "expected ',' or '}'");
    expect_message("\"step\": 4", "\"step\": NaN", "expected a JSON value");
    expect_message("state\": 1", "state\": 4",
                   "column 21: the state has version 4; this library reads versions 1 and 2");
    expect_message("{\"anneal_lr_state\": 1", "{\"new\": 0, \"anneal_lr_state\": 3, \"newer\": 0",
                   "column 31: the state has version 3");
    expect_message("state\": 1", "state\": \"1\"", "anneal_lr_state must be a whole number");
    expect_message("{\"anneal_lr_state\": 1, ", "{", "the state lacks 'anneal_lr_state'");
    expect_message("StepLR(step_size=30)", "StepLR(step_size=0)", "schedule: column 18: ");
    expect_message("\"StepLR(step_size=30)\"", "30", "schedule must be a string");
    expect_message("StepLR(step_size=30)", "StepLR(step_size=31)", "(step_size 31 -> 30)");
    expect_message("StepLR(step_size=30)", "ExponentialLR(30)", "(ExponentialLR -> StepLR)");
    expect_message("\"value\": 0.5", "\"value\": true",
                   "groups[0].lr.value must be a number, or one of \"inf\"");
    expect_message("\"value\": 0.5, ", "", "groups[0].lr lacks 'value'");
    expect_message("{\"value\": 0.5, \"initial\": 0.1}", "0.5", "groups[0].lr must be an object");
    expect_message("[0.1]", "[0.1, 0.2]", "groups[0].base_rates must be a list of 1 numbers");
    expect_message("[0.1]", "[null]", "groups[0].base_rates[0] must be a number");
    expect_message("\"lr\"", "\"momentum\"", "groups[0] lacks 'lr'");
    expect_message("\"base_rates\"", "\"baser_ates\"",
                   "groups[0] has no key 'baser_ates'; did you mean 'base_rates'?");
    expect_message("}]}", "}, {}]}", "groups[1] lacks 'base_rates'");
    expect_message("}}]}", "}}, {\"base_rates\": [1], \"lr\": {\"value\": 1}}]}", "over 2 groups");
    expect_message("}]}", "}]", "expected ',' or '}'");
    expect_message("}]}", "}]} x", "goes on where it should end");
    expect_message("StepLR(", "Step\\qLR(", "JSON has no such escape");
    expect_message("StepLR(", "\\ud800StepLR(", "not a character");
    expect_message("StepLR(", "Step\nLR(", "line 1, column 41: a JSON string holds no control");
    expect_message("}}]}", "}}], \"x", "this string does not end");
    expect_message("[0.1]", "[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]", "this nests more than 16 deep");
}

/* Every beginning of a state is refused, and nothing beyond it is read. */
static void a_cut_text_is_refused(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "SequentialLR([StepLR(3), LambdaLR(\"epoch\")], [5])", 2, 0.1);
    char *text = state_of(b.schedule);
    for (size_t length = 0; length + 1 < strlen(text); length++) {
        char *cut = malloc(length > 0 ? length : 1);
        memcpy(cut, text, length);
        an_error err = {0};
        assert_false(an_lr_state_parse(b.schedule, cut, length, AN_LR_REFUSE, NULL, NULL, &err));
        assert_int_equal(err.code, AN_ERROR_DATA);
        free(cut);
    }
    assert_false(an_lr_state_parse(b.schedule, NULL, 3, AN_LR_REFUSE, NULL, NULL, NULL));
    free(text);
    bench_stop(&b);
}

/* ----------------------------------------------------------------- keeping */

/* A schedule made from the description in a state has the text `spec`, from both forms. */
static void expect_kept(const an_lr_desc *desc)
{
    bench b;
    bench_groups(&b, 2, 0.1);
    b.schedule = an_lr_new(desc, b.groups, 2, NULL, NULL);
    size_t size = an_lr_state_size(b.schedule);
    char *json = state_of(b.schedule), *bytes = malloc(size), want[8192], got[8192];
    an_lr_state_save(b.schedule, bytes, size);
    an_lr_print(want, sizeof want, an_lr_desc_of(b.schedule));
    bool host = strstr(want, "<function>") != NULL;
    for (int i = 0; i < 2; i++) {
        an_error err = {0};
        an_lr_text *kept = i ? an_lr_state_desc(json, strlen(json), NULL, &err)
                             : an_lr_state_desc(bytes, size, NULL, &err);
        if (!kept != host)
            fail_msg("%s: %s", want, err.message);
        if (kept) {
            an_lr_print(got, sizeof got, an_lr_text_desc(kept));
            assert_string_equal(got, want);
        } else {
            assert_int_equal(err.code, AN_ERROR_STATE);
        }
        an_lr_text_free(kept);
    }
    free(json);
    free(bytes);
    an_lr_free(b.schedule);
}

static void the_saved_parameters_can_be_kept(void **state)
{
    (void)state;
    static random_desc draw;
    draw.metric = true;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        draw.state = seed;
        expect_kept(random_desc_draw(&draw, 2));
    }
    static const char *const specs[] = {
        "SequentialLR([LambdaLR(['epoch', lambda e: e * 2]), CyclicLR(0.1, 1)], [3])",
        "LambdaLR('3\t+\t\tepoch')",
        "CyclicLR([0.1, 0.2], 1, scale_fn=lambda x: 1 / x, scale_mode='iterations')",
        "OneCycleLR([0.1, 0.3], epochs=3, steps_per_epoch=7, three_phase=True)"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        an_lr_text *text = an_lr_parse_text(specs[i], NULL, NULL, NULL);
        assert_non_null(text);
        expect_kept(an_lr_text_desc(text));
        an_lr_text_free(text);
    }
    assert_null(an_lr_state_desc(NULL, 5, NULL, NULL));
    assert_null(an_lr_state_desc("ANLR", 4, NULL, NULL));
    assert_null(an_lr_state_desc("{}", 2, NULL, NULL));
}

static double half(void *user, double epoch)
{
    (void)user;
    return 1 / (1 + epoch);
}

/* What the host's function computes is not in the state: any counts as the same. */
static void a_function_of_the_host_loads_but_cannot_be_kept(void **state)
{
    (void)state;
    an_lr_desc desc = an_lr_defaults(AN_LAMBDA_LR);
    desc.lambda.lr_lambda.function.call = half;
    expect_kept(&desc);
    expect_continues(&desc, 3);
    bench text, host;
    bench_start(&text, "LambdaLR('epoch')", 1, 0.1);
    bench_groups(&host, 1, 0.1);
    host.schedule = an_lr_new(&desc, host.groups, 1, NULL, NULL);
    char *a = state_of(text.schedule), *b = state_of(host.schedule);
    assert_true(parse(host.schedule, a, AN_LR_REFUSE, NULL, NULL));
    assert_true(parse(text.schedule, b, AN_LR_REFUSE, NULL, NULL));
    free(a);
    free(b);
    an_lr_free(host.schedule);
    bench_stop(&text);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    bench b;
    bench_start(&b, "SequentialLR([LambdaLR(\"epoch\"), MultiStepLR([3, 5])], [9])", 2, 0.1);
    char *json = state_of(b.schedule);
    size_t size = an_lr_state_size(b.schedule);
    char *bytes = malloc(size);
    an_lr_state_save(b.schedule, bytes, size);
    for (int work = 0; work < 3; work++)
        for (long n = 0;; n++) {
            failing_allocator failing = {.fail_at = n};
            an_allocator hooks = failing_hooks(&failing);
            an_error err = {0};
            an_lr_text *text = NULL;
            bool good = false;
            if (work == 0)
                good = an_lr_state_parse(b.schedule, json, strlen(json), AN_LR_REFUSE, NULL, &hooks,
                                         &err);
            else
                text = an_lr_state_desc(work == 1 ? json : bytes, work == 1 ? strlen(json) : size,
                                        &hooks, &err);
            good = good || text;
            an_lr_text_free(text);
            assert_int_equal(failing.blocks, 0);
            if (good && failing.requests <= n)
                break;
            assert_false(good);
            assert_int_equal(err.code, AN_ERROR_MEMORY);
        }
    free(bytes);
    free(json);
    bench_stop(&b);
}

static void the_locale_changes_nothing(void **state)
{
    (void)state;
    german_locale locale;
    german_locale_enter(&locale);
    bench b;
    bench_start(&b, "LinearLR(start_factor=0.25)", 1, 0.5);
    char *text = state_of(b.schedule), libc[16];
    snprintf(libc, sizeof libc, "%g", 0.5);
    bool good = parse(b.schedule, text, AN_LR_REFUSE, NULL, NULL);
    german_locale_leave(&locale);
    if (locale.on)
        assert_string_equal(libc, "0,5");
    assert_true(good);
    assert_non_null(strstr(text, "LinearLR(start_factor=0.25)"));
    assert_non_null(strstr(text, "\"lr\": {\"value\": 0.125, \"initial\": 0.5}"));
    free(text);
    bench_stop(&b);
    if (!locale.on)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loading_continues_bit_for_bit),
        cmocka_unit_test(the_text_is_as_documented),
        cmocka_unit_test(numbers_that_json_lacks_are_words),
        cmocka_unit_test(numbers_are_read_exactly),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(a_cut_text_is_refused),
        cmocka_unit_test(the_saved_parameters_can_be_kept),
        cmocka_unit_test(a_function_of_the_host_loads_but_cannot_be_kept),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_locale_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
