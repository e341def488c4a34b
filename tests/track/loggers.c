/* The console's and the JSON logger's lines, whole. */
#include "capture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Feeds one record to a logger and compares all that it wrote. */
static void check(an_callback (*logger)(FILE *), const an_record *record, const char *expected)
{
    capture c;
    capture_begin(&c);
    an_callback callback = logger(c.stream);
    assert_null(callback.batch_end);
    callback.epoch_end(callback.user, record, NULL);
    assert_string_equal(capture_text(&c), expected);
    capture_end(&c);
}

static void console_writes_one_line(void **state)
{
    (void)state;
    an_record r = sample_record();
    check(an_console_logger, &r,
          "epoch 3/10  loss 0.0712  acc 97.9 %  lr 0.0411  412k samples/s\n");
}

static void console_shows_validation_groups_and_gaps(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.valid_loss = 0.08012;
    r.valid_accuracy = 0.9751;
    r.groups = 2;
    r.lr[1] = 0.00411;
    check(an_console_logger, &r,
          "epoch 3/10  loss 0.0712  acc 97.9 %  valid loss 0.0801  valid acc 97.5 %  "
          "lr 0.0411, 0.00411  412k samples/s\n");
    r.lr[1] = r.lr[0];
    r.epochs = 0;
    r.accuracy = r.valid_accuracy = NAN;
    r.samples_per_second = NAN;
    r.loss = NAN;
    check(an_console_logger, &r, "epoch 3  loss nan  valid loss 0.0801  lr 0.0411\n");
}

static void json_writes_one_object(void **state)
{
    (void)state;
    an_record r = sample_record();
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"lr\": 0.0411, "
          "\"samples_per_second\": 412345}\n");
}

static void json_has_validation_momentum_and_arrays(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.valid_loss = 0.25;
    r.valid_accuracy = 0.5;
    r.groups = 2;
    r.lr[1] = 0.5;
    r.momentum[0] = 0.9;
    r.momentum[1] = NAN;
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"valid_loss\": 0.25, "
          "\"valid_accuracy\": 0.5, \"lr\": [0.0411, 0.5], \"momentum\": [0.9, null], "
          "\"samples_per_second\": 412345}\n");
}

static void json_writes_null_for_nan_and_infinity(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.loss = NAN;
    r.accuracy = NAN;
    r.valid_loss = INFINITY;
    r.momentum[0] = 0.9;
    r.samples_per_second = INFINITY;
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": null, \"accuracy\": null, \"valid_loss\": null, \"valid_accuracy\": null, "
          "\"lr\": 0.0411, \"momentum\": 0.9, \"samples_per_second\": null}\n");
}

/* A count of groups beyond the record's room is cut; no group is no lr. */
static void json_survives_odd_group_counts(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.groups = 0;
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"samples_per_second\": 412345}\n");
    r.groups = 1000;
    for (int i = 0; i < AN_RECORD_GROUPS; i++) {
        r.lr[i] = 0.25 * i;
        r.momentum[i] = NAN;
    }
    check(
        an_json_logger, &r,
        "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
        "\"loss\": 0.0712, \"accuracy\": 0.979, "
        "\"lr\": [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75], "
        "\"samples_per_second\": 412345}\n");
}

static void metrics_come_by_name(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.metric_count = 2;
    r.metrics[0] = (an_named_value){"top5", 0.99812};
    r.metrics[1] = (an_named_value){"perplexity", NAN};
    check(an_console_logger, &r,
          "epoch 3/10  loss 0.0712  acc 97.9 %  top5 0.998  perplexity nan  lr 0.0411  "
          "412k samples/s\n");
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"lr\": 0.0411, "
          "\"samples_per_second\": 412345, \"top5\": 0.99812, \"perplexity\": null}\n");
}

static void json_escapes_names(void **state)
{
    (void)state;
    an_record r = sample_record();
    r.metric_count = 1;
    r.metrics[0] = (an_named_value){"a\"b\\c\nd\x1f\xc3\xa9", 1};
    check(an_json_logger, &r,
          "{\"epoch\": 3, \"step\": 2814, \"samples\": 180000, \"seconds\": 0.5, "
          "\"loss\": 0.0712, \"accuracy\": 0.979, \"lr\": 0.0411, "
          "\"samples_per_second\": 412345, \"a\\\"b\\\\c\\u000ad\\u001f\xc3\xa9\": 1}\n");
}

static void console_writes_events(void **state)
{
    (void)state;
    an_record r = sample_record();
    capture c;
    capture_begin(&c);
    an_callback callback = an_console_logger(c.stream);
    callback.event(callback.user, &r, &(an_event){"rolled_back", "to step 400"});
    assert_string_equal(capture_text(&c), "rolled back: to step 400\n");
    capture_end(&c);
}

typedef struct told {
    int times;
    const char *kind, *text;
} told;

static void note(void *host, const char *kind, const char *text)
{
    told *t = host;
    *t = (told){t->times + 1, kind, text};
}

static void telling_needs_somebody_who_listens(void **state)
{
    (void)state;
    told t = {0};
    an_control control = {.tell = note, .host = &t};
    an_tell(&control, "saved", "to x");
    assert_int_equal(t.times, 1);
    assert_string_equal(t.kind, "saved");
    assert_string_equal(t.text, "to x");
    an_tell(NULL, "saved", "to x");
    an_tell(&(an_control){.stop = false}, "saved", "to x");
    assert_int_equal(t.times, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(console_writes_one_line),
        cmocka_unit_test(console_shows_validation_groups_and_gaps),
        cmocka_unit_test(json_writes_one_object),
        cmocka_unit_test(json_has_validation_momentum_and_arrays),
        cmocka_unit_test(json_writes_null_for_nan_and_infinity),
        cmocka_unit_test(json_survives_odd_group_counts),
        cmocka_unit_test(metrics_come_by_name),
        cmocka_unit_test(json_escapes_names),
        cmocka_unit_test(console_writes_events),
        cmocka_unit_test(telling_needs_somebody_who_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
